-- Falcon: a group's queries, its key and its value lie together. The newer
-- layout has as many groups as the config says, multi-query one, the oldest
-- one a head. No gate. In a GGUF they are all queries, keys, values.
local rows <const> = require "weft.model.rows"

local function groups(dims, config)
  if config.new_decoder_architecture then
    return dims.GQA
  end
  return config.multi_query == false and dims.h or 1
end

return {
  name = "falcon", like = "bloom",
  match = { model_type = { "falcon", "RefinedWeb", "RefinedWebModel" },
    gguf = { "falcon" } },
  dims = { L = { "num_hidden_layers", "n_layer" }, d = "hidden_size",
    d_ff = "ffn_hidden_size", h = { "num_attention_heads", "n_head" },
    GQA = { "num_kv_heads", "n_head_kv" } },
  derive = function(dims, config, format)
    dims.d_ff = dims.d_ff or dims.d and 4 * dims.d
    if format ~= "gguf" then
      dims.GQA = groups(dims, config)
    end
  end,
  parts = rows.join(
    rows.qkv("self_attention.query_key_value.weight",
      { sizes = rows.GROUP, groups = "GQA" }, { gguf_fused = rows.ALL }),
    rows.attention("self_attention.%s.weight", { false, false, false,
      "dense" }),
    rows.mlp("mlp.%s.weight", { false, "dense_h_to_4h", "dense_4h_to_h" })),
}
