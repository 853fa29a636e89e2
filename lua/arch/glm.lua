-- GLM-4's first form: llama's attention, the gate before the up projection in
-- one tensor. A GGUF of the model as it first came has queries, keys and
-- values in one too.
local rows <const> = require "weft.model.rows"

return {
  name = "glm", like = "llama",
  match = { model_type = { "glm" }, gguf = { "chatglm" }, names = true },
  gguf = { permuted = false },
  parts = rows.join(
    rows.attention("self_attn.%s.weight", { "q_proj", "k_proj", "v_proj",
      "o_proj" }),
    rows.qkv(nil, { sizes = rows.ALL }),
    rows.gate_up("mlp.gate_up_proj.weight", { gguf = "ffn_up.weight" }),
    rows.mlp("mlp.%s.weight", { false, false, "down_proj" })),
}
