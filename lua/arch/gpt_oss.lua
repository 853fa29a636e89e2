-- gpt-oss: llama's attention; experts stacked in one tensor, the gate in its
-- even rows and up in its odd ones: of MXFP4 (out, in), else (in, out); or in
-- a tensor each.
local rows <const> = require "weft.model.rows"

local PACKED <const> = { per = "expert", gguf = false, interleaved = true,
  dtype = "MXFP4" }
local STACKED <const> = { per = "expert", gguf = false, interleaved = true,
  transpose = true }
local EACH <const> = { per = "expert", gguf = false, interleaved = true }

return {
  name = "gpt_oss", like = "llama",
  match = { model_type = { "gpt_oss" }, gguf = { "gpt-oss" } },
  dims = { E = { "num_local_experts", "num_experts" } },
  gguf = {
    dims = { E = "expert_count",
      d_ff = { "expert_feed_forward_length", "feed_forward_length" } },
    permuted = false,
  },
  parts = rows.join(
    rows.attention("self_attn.%s.weight", { "q_proj", "k_proj", "v_proj",
      "o_proj" }),
    rows.gate_up("mlp.experts.gate_up_proj", PACKED),
    rows.gate_up("mlp.experts.gate_up_proj", STACKED),
    rows.gate_up("mlp.experts.gate_up_projs.%d.weight", EACH),
    rows.mlp("mlp.experts.%s", { false, false, "down_proj" }, PACKED),
    rows.mlp("mlp.experts.%s", { false, false, "down_proj" }, STACKED),
    rows.mlp("mlp.experts.%s.%d.weight", { false, false, "down_projs" },
      EACH),
    rows.mlp(nil, { true, true, true }, { per = "expert" })),
}
