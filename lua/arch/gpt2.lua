-- GPT-2: Conv1D keeps its weights (in, out), queries, keys and values beside
-- one another; no gate. llama.cpp's converter turns them (out, in).
local QKV <const> = { "d_q", "d_kv", "d_kv" }

local function qkv(name, index)
  return { name = name, tensor = "attn.c_attn.weight",
    gguf = "attn_qkv.weight", shape = { "d_q", "d" }, split = "h", axis = 1,
    transpose = true, fused = { sizes = QKV, index = index } }
end

return {
  name = "gpt2",
  match = { model_type = { "gpt2" }, gguf = { "gpt2" }, names = true },
  dims = { L = "n_layer", d = "n_embd", d_ff = "n_inner", h = "n_head",
    V = "vocab_size" },
  derive = function(dims)
    dims.d_ff = dims.d_ff or dims.d and 4 * dims.d
  end,
  layer = { "transformer.h.%d.", "h.%d." },
  gguf = {
    dims = { L = "block_count", d = "embedding_length",
      d_ff = "feed_forward_length", h = "attention.head_count",
      V = "vocab_size" },
    layer = "blk.%d.",
  },
  parts = {
    qkv("W_Q", 1), qkv("W_K", 2), qkv("W_V", 3),
    { name = "W_O", tensor = "attn.c_proj.weight",
      gguf = "attn_output.weight", shape = { "d", "d_q" }, split = "h",
      axis = 2, transpose = true },
    { name = "W_up", tensor = "mlp.c_fc.weight", gguf = "ffn_up.weight",
      shape = { "d_ff", "d" }, transpose = true },
    { name = "W_down", tensor = "mlp.c_proj.weight",
      gguf = "ffn_down.weight", shape = { "d", "d_ff" }, transpose = true },
  },
}
