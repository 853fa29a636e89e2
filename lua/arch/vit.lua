-- ViT, DeiT: BERT's blocks over patches, attention one name deeper.
local rows <const> = require "weft.model.rows"

return {
  name = "vit",
  match = { model_type = { "vit", "deit" }, names = true },
  dims = { L = "num_hidden_layers", d = "hidden_size",
    d_ff = "intermediate_size", h = "num_attention_heads" },
  layer = { "vit.encoder.layer.%d.", "deit.encoder.layer.%d.",
    "encoder.layer.%d." },
  parts = rows.join(
    rows.attention("attention.attention.%s.weight", { "query", "key",
      "value" }, { gguf = false }),
    rows.attention("attention.output.%s.weight", { false, false, false,
      "dense" }, { gguf = false }),
    rows.mlp("%s.dense.weight", { false, "intermediate", "output" },
      { gguf = false })),
}
