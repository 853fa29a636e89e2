-- Qwen3: llama's tensors, norms on queries and keys that no analysis reads,
-- and an explicit head_dim.
return {
  name = "qwen3", like = "llama",
  match = { model_type = { "qwen3" }, gguf = { "qwen3" } },
  gguf = { permuted = false },
}
