-- Gemma 2: llama's tensors; d is no multiple of h * d_head.
return {
  name = "gemma2", like = "llama",
  match = { model_type = { "gemma2" }, gguf = { "gemma2" } },
  gguf = { permuted = false },
}
