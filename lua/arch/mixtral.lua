-- Mixtral: mistral's attention and a mixture of experts, each in tensors of
-- its own or all stacked in one, gate over up. A GGUF calls itself llama.
local rows <const> = require "weft.model.rows"

local EXPERTS <const> = { per = "expert" }
local STACKED <const> = { per = "expert", gguf = false }
local GATE_UP <const> = { per = "expert", gguf = "ffn_gate_up_exps.weight" }

return {
  name = "mixtral", like = "llama",
  match = { model_type = { "mixtral" }, gguf = { "llama" }, names = true,
    needs = "E" },
  dims = { E = "num_local_experts" },
  gguf = { dims = { E = "expert_count" } },
  parts = rows.join(
    rows.attention("self_attn.%s.weight", { "q_proj", "k_proj", "v_proj",
      "o_proj" }, { rotary = true }),
    rows.mlp("block_sparse_moe.experts.%d.%s.weight", { "w1", "w3", "w2" },
      EXPERTS),
    rows.gate_up("mlp.experts.gate_up_proj", GATE_UP),
    rows.mlp("mlp.experts.%s", { false, false, "down_proj" }, STACKED)),
}
