-- Baichuan: queries, keys and values in one tensor, one after another. Its
-- GGUF has them apart, permuted as llama's.
local rows <const> = require "weft.model.rows"

return {
  name = "baichuan", like = "llama",
  match = { model_type = { "baichuan" }, gguf = { "baichuan" },
    names = true },
  parts = rows.join(
    rows.qkv("self_attn.W_pack.weight", { sizes = rows.ALL },
      { gguf = false }),
    rows.attention(nil, { true, true, true }, { rotary = true }),
    rows.attention("self_attn.%s.weight", { false, false, false, "o_proj" }),
    rows.mlp("mlp.%s.weight", { "gate_proj", "up_proj", "down_proj" })),
}
