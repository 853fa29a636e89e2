-- SmolLM3: llama's tensors; its GGUF has them permuted as llama's.
return {
  name = "smollm3", like = "llama",
  match = { model_type = { "smollm3" }, gguf = { "smollm3" } },
}
