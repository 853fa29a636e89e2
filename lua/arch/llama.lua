-- Llama and everything shaped like it: parts stored (out, in). llama.cpp's
-- converter permutes the rows of W_Q and W_K within a head, which `permuted`
-- says, so that they are put back.
local rows <const> = require "weft.model.rows"

return {
  name = "llama",
  match = { model_type = { "llama" }, gguf = { "llama" }, names = true },
  dims = {
    L = "num_hidden_layers", d = "hidden_size", d_ff = "intermediate_size",
    h = "num_attention_heads", GQA = "num_key_value_heads",
    V = "vocab_size", d_head = "head_dim",
  },
  layer = { "model.layers.%d.", "layers.%d.", "model.language_model.layers.%d.",
    "language_model.model.layers.%d.", "language_model.layers.%d." },
  gguf = {
    dims = {
      L = "block_count", d = "embedding_length", d_ff = "feed_forward_length",
      h = "attention.head_count", GQA = "attention.head_count_kv",
      V = "vocab_size", d_head = "attention.key_length",
    },
    layer = "blk.%d.",
    permuted = true,
  },
  parts = rows.join(
    rows.attention("self_attn.%s.weight", { "q_proj", "k_proj", "v_proj",
      "o_proj" }, { rotary = true }),
    rows.mlp("mlp.%s.weight", { "gate_proj", "up_proj", "down_proj" })),
}
