-- BLOOM: each head's query, key and value rows lie together, [head, 3,
-- d_head]; no gate. In a GGUF they are all queries, keys, values.
local rows <const> = require "weft.model.rows"

return {
  name = "bloom", like = "llama",
  match = { model_type = { "bloom" }, gguf = { "bloom" } },
  dims = { L = { "n_layer", "num_hidden_layers" },
    d = { "hidden_size", "n_embed" }, d_ff = {}, GQA = {}, d_head = {},
    h = { "n_head", "num_attention_heads" } },
  derive = function(dims)
    dims.d_ff = dims.d_ff or dims.d and 4 * dims.d
  end,
  layer = { "transformer.h.%d.", "h.%d." },
  gguf = { permuted = false },
  parts = rows.join(
    rows.qkv("self_attention.query_key_value.weight",
      { sizes = rows.GROUP, groups = "GQA" }, { gguf_fused = rows.ALL }),
    rows.attention("self_attention.%s.weight", { false, false, false,
      "dense" }),
    rows.mlp("mlp.%s.weight", { false, "dense_h_to_4h", "dense_4h_to_h" })),
}
