-- Granite: llama's tensors, multipliers beside them that no analysis reads;
-- its GGUF has them permuted as llama's.
return {
  name = "granite", like = "llama",
  match = { model_type = { "granite" }, gguf = { "granite" } },
}
