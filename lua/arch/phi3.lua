-- Phi-3 and Phi-4: queries, keys and values in one tensor, one after another,
-- and the gate before the up projection in another.
local QKV <const> = { "d_q", "d_kv", "d_kv" }
local GATE_UP <const> = { "d_ff", "d_ff" }

local function qkv(name, index, split, size)
  return { name = name, tensor = "self_attn.qkv_proj.weight",
    gguf = "attn_qkv.weight", shape = { size, "d" }, split = split, axis = 1,
    fused = { sizes = QKV, index = index } }
end

local function gate_up(name, index)
  return { name = name, tensor = "mlp.gate_up_proj.weight",
    gguf = "ffn_up.weight", shape = { "d_ff", "d" },
    fused = { sizes = GATE_UP, index = index } }
end

return {
  name = "phi3", like = "llama",
  match = { model_type = { "phi3" }, gguf = { "phi3" }, names = true },
  gguf = { permuted = false },
  parts = {
    qkv("W_Q", 1, "h", "d_q"),
    qkv("W_K", 2, "GQA", "d_kv"),
    qkv("W_V", 3, "GQA", "d_kv"),
    { name = "W_O", tensor = "self_attn.o_proj.weight",
      gguf = "attn_output.weight", shape = { "d", "d_q" }, split = "h",
      axis = 2 },
    gate_up("W_gate", 1),
    gate_up("W_up", 2),
    { name = "W_down", tensor = "mlp.down_proj.weight",
      gguf = "ffn_down.weight", shape = { "d", "d_ff" } },
  },
}
