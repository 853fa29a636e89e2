-- Qwen3's mixtures: qwen2_moe's tensors without a shared expert, and an
-- explicit head_dim.
return {
  name = "qwen3_moe", like = "qwen2_moe",
  match = { model_type = { "qwen3_moe" }, gguf = { "qwen3moe" },
    names = true },
}
