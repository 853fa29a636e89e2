-- DeepSeek-V2: queries (where the config gives them a rank), keys and values
-- come through a narrow matrix; a head's key is nope rows of its own and rope
-- rows that all heads share. The first layers are dense, the others have
-- experts and shared ones in one tensor. A newer GGUF has W_KV_b's keys and
-- values apart, one matrix a head, its keys' turned.
local rows <const> = require "weft.model.rows"

local NAMES <const> = { "gate_proj", "up_proj", "down_proj" }
local STACKED <const> = { per = "expert", size = "d_expert", gguf = false }
local GATE_UP <const> = { per = "expert", size = "d_expert",
  gguf = "ffn_gate_up_exps.weight" }

local function low_rank(name, gguf, shape, fields)
  local row <const> = { name = name, gguf = gguf, shape = shape }
  for key, value in pairs(fields) do
    row[key] = value
  end
  return row
end

local ATTENTION <const> = {
  low_rank("W_Q", "attn_q.weight", { "d_q", "d" }, { split = "h", axis = 1,
    unless = "r_q", tensor = "self_attn.q_proj.weight" }),
  low_rank("W_Q_a", "attn_q_a.weight", { "r_q", "d" }, { when = "r_q",
    tensor = "self_attn.q_a_proj.weight" }),
  low_rank("W_Q_b", "attn_q_b.weight", { "d_q", "r_q" }, { when = "r_q",
    split = "h", axis = 1, tensor = "self_attn.q_b_proj.weight" }),
  low_rank("W_KV_a", "attn_kv_a_mqa.weight", { "d_kv_a", "d" }, {
    tensor = "self_attn.kv_a_proj_with_mqa.weight" }),
  low_rank("W_KV_b", "attn_kv_b.weight", { "d_kv_b", "r_kv" }, {
    split = "h", axis = 1, head = "d_head_kv_b", unless = "kv_apart",
    tensor = "self_attn.kv_b_proj.weight" }),
  low_rank("W_K_b", "attn_k_b.weight", { "d_nope", "r_kv" }, {
    per = "head", gguf_transpose = true, when = "kv_apart" }),
  low_rank("W_V_b", "attn_v_b.weight", { "d_v", "r_kv" }, { per = "head",
    when = "kv_apart" }),
  low_rank("W_O", "attn_output.weight", { "d", "d_o" }, { split = "h",
    axis = 2, head = "d_v", tensor = "self_attn.o_proj.weight" }),
}

local DOWN <const> = { part = "W_KV_a", rows = "r_kv" }

local function derive(dims, source, format)
  if format == "gguf" then
    dims.d_nope = dims.d_head and dims.d_rope and dims.d_head - dims.d_rope
    dims.kv_apart = source["deepseek2.attention.key_length_mla"] and 1 or nil
  end
  dims.GQA = dims.h
  if dims.d_nope and dims.d_rope and dims.d_v and dims.h and dims.r_kv then
    dims.d_head = dims.d_nope + dims.d_rope
    dims.d_head_kv_b = dims.d_nope + dims.d_v
    dims.d_kv_a, dims.d_kv_b = dims.r_kv + dims.d_rope,
      dims.h * dims.d_head_kv_b
    dims.d_o = dims.h * dims.d_v
  end
  dims.d_shared = dims.d_expert and dims.n_shared
    and dims.d_expert * dims.n_shared
end

return {
  name = "deepseek_v2", like = "llama",
  match = { model_type = { "deepseek_v2" }, gguf = { "deepseek2" } },
  note = "the norms between low-rank attention's matrices are left out of "
    .. "kernels",
  dims = { d_head = {}, r_q = "q_lora_rank", r_kv = "kv_lora_rank",
    d_nope = "qk_nope_head_dim", d_rope = "qk_rope_head_dim",
    d_v = "v_head_dim", E = "n_routed_experts",
    d_expert = "moe_intermediate_size", n_shared = "n_shared_experts" },
  gguf = {
    dims = { d_head = { "attention.key_length_mla", "attention.key_length" },
      d_v = { "attention.value_length_mla", "attention.value_length" },
      d_rope = "rope.dimension_count", r_q = "attention.q_lora_rank",
      r_kv = "attention.kv_lora_rank", E = "expert_count",
      d_expert = "expert_feed_forward_length",
      n_shared = "expert_shared_count" },
    permuted = false,
  },
  derive = derive,
  parts = rows.join(ATTENTION,
    rows.mlp("mlp.experts.%d.%s.weight", NAMES,
      { per = "expert", size = "d_expert" }),
    rows.gate_up("mlp.experts.gate_up_proj", GATE_UP),
    rows.mlp("mlp.experts.%s", { false, false, "down_proj" }, STACKED),
    rows.mlp("mlp.%s.weight", NAMES),
    rows.mlp("mlp.shared_experts.%s.weight", NAMES, { size = "d_shared",
      suffix = ".shared", optional = true })),
  kernels = {
    qk = {
      { { part = "W_Q", unless = "r_q" },
        { part = "W_Q_b", when = "r_q", times = { part = "W_Q_a" } } },
      { { part = "W_KV_b", rows = "d_nope", times = DOWN,
          unless = "kv_apart" },
        { part = "W_K_b", times = DOWN, when = "kv_apart" },
        { part = "W_KV_a", first = "r_kv", rows = "d_rope" } },
    },
    ov = {
      { { part = "W_O" } },
      { { part = "W_KV_b", first = "d_nope", rows = "d_v", times = DOWN,
          unless = "kv_apart" },
        { part = "W_V_b", times = DOWN, when = "kv_apart" } },
    },
  },
}
