-- DeepSeek-V3 and R1, and what is built like them: V2's tensors. Its GGUF
-- calls itself as V2's.
return {
  name = "deepseek_v3", like = "deepseek_v2",
  match = { model_type = { "deepseek_v3", "kimi_k2" } },
}
