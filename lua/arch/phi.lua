-- Phi 1, 1.5 and 2: queries, keys and values apart; no gate. Older GGUFs have
-- them in one tensor.
local rows <const> = require "weft.model.rows"

return {
  name = "phi", like = "llama",
  match = { model_type = { "phi" }, gguf = { "phi2" }, names = true },
  gguf = { permuted = false },
  parts = rows.join(
    rows.attention("self_attn.%s.weight", { "q_proj", "k_proj", "v_proj",
      "dense" }),
    rows.qkv(nil, { sizes = rows.ALL }),
    rows.mlp("mlp.%s.weight", { false, "fc1", "fc2" })),
}
