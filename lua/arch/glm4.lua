-- GLM-4-0414: glm's tensors and more norms, which no analysis reads.
return {
  name = "glm4", like = "glm",
  match = { model_type = { "glm4" }, gguf = { "glm4" } },
}
