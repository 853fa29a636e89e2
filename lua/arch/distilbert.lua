-- DistilBERT: BERT under names of its own. Its GGUF calls itself bert.
local rows <const> = require "weft.model.rows"

return {
  name = "distilbert",
  match = { model_type = { "distilbert" }, names = true },
  dims = { L = "n_layers", d = "dim", d_ff = "hidden_dim", h = "n_heads",
    V = "vocab_size" },
  layer = { "distilbert.transformer.layer.%d.", "transformer.layer.%d." },
  parts = rows.join(
    rows.attention("attention.%s.weight", { "q_lin", "k_lin", "v_lin",
      "out_lin" }),
    rows.mlp("ffn.%s.weight", { false, "lin1", "lin2" })),
}
