-- Llama and everything shaped like it. A part is stored (out, in); `shape`
-- names its dims, `split` the heads that its rows (axis 1) or columns (axis 2)
-- are cut into. llama.cpp's converter permutes the rows of W_Q and W_K within
-- a head, which `permuted` says, so that they are put back.
return {
  name = "llama",
  match = { model_type = { "llama" }, gguf = { "llama" } },
  dims = {
    L = "num_hidden_layers", d = "hidden_size", d_ff = "intermediate_size",
    h = "num_attention_heads", GQA = "num_key_value_heads",
    V = "vocab_size", d_head = "head_dim",
  },
  layer = "model.layers.%d.",
  gguf = {
    dims = {
      L = "block_count", d = "embedding_length", d_ff = "feed_forward_length",
      h = "attention.head_count", GQA = "attention.head_count_kv",
      V = "vocab_size", d_head = "attention.key_length",
    },
    layer = "blk.%d.",
    permuted = true,
  },
  parts = {
    { name = "W_Q", tensor = "self_attn.q_proj.weight",
      gguf = "attn_q.weight", shape = { "d_q", "d" }, split = "h", axis = 1,
      rotary = true },
    { name = "W_K", tensor = "self_attn.k_proj.weight",
      gguf = "attn_k.weight", shape = { "d_kv", "d" }, split = "GQA", axis = 1,
      rotary = true },
    { name = "W_V", tensor = "self_attn.v_proj.weight",
      gguf = "attn_v.weight", shape = { "d_kv", "d" }, split = "GQA",
      axis = 1 },
    { name = "W_O", tensor = "self_attn.o_proj.weight",
      gguf = "attn_output.weight", shape = { "d", "d_q" }, split = "h",
      axis = 2 },
    { name = "W_gate", tensor = "mlp.gate_proj.weight",
      gguf = "ffn_gate.weight", shape = { "d_ff", "d" } },
    { name = "W_up", tensor = "mlp.up_proj.weight", gguf = "ffn_up.weight",
      shape = { "d_ff", "d" } },
    { name = "W_down", tensor = "mlp.down_proj.weight",
      gguf = "ffn_down.weight", shape = { "d", "d_ff" } },
  },
}
