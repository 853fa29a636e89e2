-- Mistral: llama's tensors under another name. Its GGUF calls itself llama.
return {
  name = "mistral", like = "llama",
  match = { model_type = { "mistral" }, gguf = {} },
}
