-- StableLM: llama's tensors; only a part of each head is rotated, and no
-- GGUF's rows are permuted.
return {
  name = "stablelm", like = "llama",
  match = { model_type = { "stablelm", "stablelm_epoch" },
    gguf = { "stablelm" } },
  gguf = { permuted = false },
}
