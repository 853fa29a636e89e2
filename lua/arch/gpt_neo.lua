-- GPT-Neo: GPT-2's names, but queries, keys and values apart and everything
-- (out, in). llama.cpp has none.
local rows <const> = require "weft.model.rows"

return {
  name = "gpt_neo",
  match = { model_type = { "gpt_neo" }, names = true },
  dims = { L = "num_layers", d = "hidden_size", d_ff = "intermediate_size",
    h = "num_heads", V = "vocab_size" },
  derive = function(dims)
    dims.d_ff = dims.d_ff or dims.d and 4 * dims.d
  end,
  layer = { "transformer.h.%d.", "h.%d." },
  parts = rows.join(
    rows.attention("attn.attention.%s.weight", { "q_proj", "k_proj", "v_proj",
      "out_proj" }, { gguf = false }),
    rows.mlp("mlp.%s.weight", { false, "c_fc", "c_proj" },
      { gguf = false })),
}
