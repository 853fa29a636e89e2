-- OPT: a decoder with an encoder-decoder's names; no gate. llama.cpp has none.
local rows <const> = require "weft.model.rows"

return {
  name = "opt",
  match = { model_type = { "opt" }, names = true },
  dims = { L = "num_hidden_layers", d = "hidden_size", d_ff = "ffn_dim",
    h = "num_attention_heads", V = "vocab_size" },
  layer = { "model.decoder.layers.%d.", "decoder.layers.%d." },
  parts = rows.join(
    rows.attention("self_attn.%s.weight", { "q_proj", "k_proj", "v_proj",
      "out_proj" }, { gguf = false }),
    rows.mlp("%s.weight", { false, "fc1", "fc2" }, { gguf = false })),
}
