-- Whisper: an encoder over sound, and a decoder with cross attention; no gate.
-- llama.cpp has none (whisper.cpp's files are no GGUF).
local rows <const> = require "weft.model.rows"

local NAMES <const> = { "q_proj", "k_proj", "v_proj", "out_proj" }
local NONE <const> = { gguf = false }

local SELF <const> = rows.attention("self_attn.%s.weight", NAMES, NONE)
local CROSS <const> = rows.attention("encoder_attn.%s.weight", NAMES,
  { prefix = "cross.", gguf = false })
local MLP <const> = rows.mlp("%s.weight", { false, "fc1", "fc2" }, NONE)

return {
  name = "whisper",
  match = { model_type = { "whisper" }, names = true },
  dims = { d = "d_model", V = "vocab_size" },
  layer = { "model.encoder.layers.%d.", "encoder.layers.%d." },
  stacks = {
    { name = "encoder", parts = rows.join(SELF, MLP),
      dims = { L = "encoder_layers", h = "encoder_attention_heads",
        d_ff = "encoder_ffn_dim" } },
    { name = "decoder", parts = rows.join(SELF, CROSS, MLP),
      layer = { "model.decoder.layers.%d.", "decoder.layers.%d." },
      dims = { L = "decoder_layers", h = "decoder_attention_heads",
        d_ff = "decoder_ffn_dim" } },
  },
  parts = {},
}
