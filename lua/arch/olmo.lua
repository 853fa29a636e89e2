-- OLMo: llama's tensors; its GGUF has them permuted as llama's.
return {
  name = "olmo", like = "llama",
  match = { model_type = { "olmo" }, gguf = { "olmo" } },
}
