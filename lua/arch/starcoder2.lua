-- StarCoder2: llama's attention; no gate.
local rows <const> = require "weft.model.rows"

return {
  name = "starcoder2", like = "llama",
  match = { model_type = { "starcoder2" }, gguf = { "starcoder2" },
    names = true },
  gguf = { permuted = false },
  parts = rows.join(
    rows.attention("self_attn.%s.weight", { "q_proj", "k_proj", "v_proj",
      "o_proj" }),
    rows.mlp("mlp.%s.weight", { false, "c_fc", "c_proj" })),
}
