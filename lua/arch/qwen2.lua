-- Qwen2 and Qwen2.5: llama's tensors and biases on W_Q, W_K and W_V, which no
-- analysis here reads. Its GGUF keeps the rows in order.
return {
  name = "qwen2", like = "llama",
  match = { model_type = { "qwen2" }, gguf = { "qwen2" } },
  gguf = { permuted = false },
}
