-- Cohere's Command models: llama's tensors; heads are rotated pair by pair in
-- both formats.
return {
  name = "cohere", like = "llama",
  match = { model_type = { "cohere", "cohere2" },
    gguf = { "command-r", "cohere2" } },
  gguf = { permuted = false },
}
