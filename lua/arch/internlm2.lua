-- InternLM2: a group's queries, its key and its value lie together in one
-- tensor. Its GGUF has them apart, permuted as llama's.
local rows <const> = require "weft.model.rows"

return {
  name = "internlm2", like = "llama",
  match = { model_type = { "internlm2" }, gguf = { "internlm2" },
    names = true },
  parts = rows.join(
    rows.qkv("attention.wqkv.weight", { sizes = rows.GROUP, groups = "GQA" },
      { gguf = false }),
    rows.attention(nil, { true, true, true }, { rotary = true }),
    rows.attention("attention.%s.weight", { false, false, false, "wo" }),
    rows.mlp("feed_forward.%s.weight", { "w1", "w3", "w2" })),
}
