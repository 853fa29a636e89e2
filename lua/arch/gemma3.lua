-- Gemma 3's text model, alone or with a vision tower, whose config keeps the
-- text's sizes in a table of their own and leaves those out that are usual.
return {
  name = "gemma3", like = "llama",
  match = { model_type = { "gemma3", "gemma3_text" },
    gguf = { "gemma3", "gemma-embedding" } },
  config = "text_config",
  defaults = { L = 26, d = 2304, d_ff = 9216, h = 8, GQA = 4, d_head = 256,
    V = 262208 },
  gguf = { permuted = false },
}
