-- Gemma: llama's tensors; d is no multiple of h * d_head.
return {
  name = "gemma", like = "llama",
  match = { model_type = { "gemma" }, gguf = { "gemma" } },
  gguf = { permuted = false },
}
