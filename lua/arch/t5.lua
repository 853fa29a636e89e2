-- T5 and mT5: an encoder, and a decoder with cross attention; a gate in the
-- later ones alone. Heads are as wide as the config says, whatever d is. An
-- encoder may be alone.
local rows <const> = require "weft.model.rows"

local NAMES <const> = { "q", "k", "v", "o" }
local SELF <const> = { gguf = { "attn_q.weight", "attn_k.weight",
  "attn_v.weight", "attn_o.weight" } }
local CROSS <const> = { prefix = "cross.", gguf = { "cross_attn_q.weight",
  "cross_attn_k.weight", "cross_attn_v.weight", "cross_attn_o.weight" } }

-- The feed-forward tensors of the n-th sublayer.
local function mlp(n)
  local at <const> = ("layer.%d.DenseReluDense.%%s.weight"):format(n)
  local list <const> = rows.mlp(at, { "wi_0", "wi", "wo" })
  list[1].optional = true
  list[2].tensor = { list[2].tensor, (at:gsub("%%s", "wi_1")) }
  return list
end

return {
  name = "t5",
  match = { model_type = { "t5", "mt5", "umt5" },
    gguf = { "t5", "t5encoder" }, names = true },
  dims = { L = "num_layers", d = "d_model", d_ff = "d_ff", h = "num_heads",
    V = "vocab_size", d_head = "d_kv" },
  layer = "encoder.block.%d.",
  gguf = {
    dims = { L = "block_count", d = "embedding_length",
      d_ff = "feed_forward_length", h = "attention.head_count",
      V = "vocab_size", d_head = "attention.key_length" },
  },
  stacks = {
    { name = "encoder", gguf = "enc.blk.%d.",
      parts = rows.join(
        rows.attention("layer.0.SelfAttention.%s.weight", NAMES, SELF),
        mlp(1)) },
    { name = "decoder", gguf = "dec.blk.%d.", layer = "decoder.block.%d.",
      dims = { L = { "num_decoder_layers", "num_layers" } },
      gguf_dims = { L = { "decoder_block_count", "block_count" } },
      parts = rows.join(
        rows.attention("layer.0.SelfAttention.%s.weight", NAMES, SELF),
        rows.attention("layer.1.EncDecAttention.%s.weight", NAMES, CROSS),
        mlp(2)) },
  },
  parts = {},
}
