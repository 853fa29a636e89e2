-- OLMo 2 and 3: llama's tensors, norms elsewhere, which no analysis reads.
return {
  name = "olmo2", like = "llama",
  match = { model_type = { "olmo2", "olmo3" }, gguf = { "olmo2" } },
  gguf = { permuted = false },
}
