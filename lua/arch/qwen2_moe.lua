-- Qwen's mixtures of experts: llama's attention; some layers are dense, the
-- others have experts, of a width of their own, and may have a shared one.
local rows <const> = require "weft.model.rows"

local NAMES <const> = { "gate_proj", "up_proj", "down_proj" }
local STACKED <const> = { per = "expert", size = "d_expert", gguf = false }
local GATE_UP <const> = { per = "expert", size = "d_expert",
  gguf = "ffn_gate_up_exps.weight" }

return {
  name = "qwen2_moe", like = "llama",
  match = { model_type = { "qwen2_moe" }, gguf = { "qwen2moe" } },
  dims = { E = { "num_experts", "num_local_experts" },
    d_expert = "moe_intermediate_size",
    d_shared = "shared_expert_intermediate_size" },
  gguf = {
    dims = { E = "expert_count", d_expert = "expert_feed_forward_length",
      d_shared = "expert_shared_feed_forward_length" },
    permuted = false,
  },
  parts = rows.join(
    rows.attention("self_attn.%s.weight", { "q_proj", "k_proj", "v_proj",
      "o_proj" }),
    rows.mlp("mlp.experts.%d.%s.weight", NAMES,
      { per = "expert", size = "d_expert" }),
    rows.gate_up("mlp.experts.gate_up_proj", GATE_UP),
    rows.mlp("mlp.experts.%s", { false, false, "down_proj" }, STACKED),
    rows.mlp("mlp.%s.weight", NAMES),
    rows.mlp("mlp.shared_expert.%s.weight", NAMES, { size = "d_shared",
      suffix = ".shared", optional = true })),
}
