-- Nemotron and Minitron: llama's attention; no gate.
local rows <const> = require "weft.model.rows"

return {
  name = "nemotron", like = "llama",
  match = { model_type = { "nemotron" }, gguf = { "nemotron" } },
  gguf = { permuted = false },
  parts = rows.join(
    rows.attention("self_attn.%s.weight", { "q_proj", "k_proj", "v_proj",
      "o_proj" }),
    rows.mlp("mlp.%s.weight", { false, "up_proj", "down_proj" })),
}
