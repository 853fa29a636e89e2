-- GPT-NeoX (Pythia): each head's query, key and value rows lie together,
-- [head, 3, d_head]; no gate. In a GGUF they are all queries, keys, values.
local EACH <const> = { "d_head", "d_head", "d_head" }
local ALL <const> = { "d_q", "d_q", "d_q" }

local function qkv(name, index)
  return { name = name, tensor = "attention.query_key_value.weight",
    gguf = "attn_qkv.weight", shape = { "d_q", "d" }, split = "h", axis = 1,
    fused = { sizes = EACH, index = index, groups = "h" },
    gguf_fused = { sizes = ALL, index = index } }
end

return {
  name = "gpt_neox",
  match = { model_type = { "gpt_neox" }, gguf = { "gptneox" }, names = true },
  dims = { L = "num_hidden_layers", d = "hidden_size",
    d_ff = "intermediate_size", h = "num_attention_heads", V = "vocab_size" },
  layer = { "gpt_neox.layers.%d.", "layers.%d." },
  gguf = {
    dims = { L = "block_count", d = "embedding_length",
      d_ff = "feed_forward_length", h = "attention.head_count",
      V = "vocab_size" },
    layer = "blk.%d.",
  },
  parts = {
    qkv("W_Q", 1), qkv("W_K", 2), qkv("W_V", 3),
    { name = "W_O", tensor = "attention.dense.weight",
      gguf = "attn_output.weight", shape = { "d", "d_q" }, split = "h",
      axis = 2 },
    { name = "W_up", tensor = "mlp.dense_h_to_4h.weight",
      gguf = "ffn_up.weight", shape = { "d_ff", "d" } },
    { name = "W_down", tensor = "mlp.dense_4h_to_h.weight",
      gguf = "ffn_down.weight", shape = { "d", "d_ff" } },
  },
}
