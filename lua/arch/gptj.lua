-- GPT-J: queries, keys and values apart; no gate. llama.cpp has none.
local rows <const> = require "weft.model.rows"

return {
  name = "gptj",
  match = { model_type = { "gptj" }, names = true },
  dims = { L = "n_layer", d = "n_embd", d_ff = "n_inner", h = "n_head",
    V = "vocab_size" },
  derive = function(dims)
    dims.d_ff = dims.d_ff or dims.d and 4 * dims.d
  end,
  layer = { "transformer.h.%d.", "h.%d." },
  parts = rows.join(
    rows.attention("attn.%s.weight", { "q_proj", "k_proj", "v_proj",
      "out_proj" }, { gguf = false }),
    rows.mlp("mlp.%s.weight", { false, "fc_in", "fc_out" },
      { gguf = false })),
}
