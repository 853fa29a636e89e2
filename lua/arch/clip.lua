-- CLIP: a text tower and a vision tower of the same build, each with sizes of
-- its own, of which a config leaves out the usual ones. Either may be alone.
-- llama.cpp's projectors have the vision tower, older ones both.
local rows <const> = require "weft.model.rows"

return {
  name = "clip",
  match = { model_type = { "clip", "clip_text_model", "clip_vision_model" },
    gguf = { "clip" } },
  dims = { L = "num_hidden_layers", d = "hidden_size",
    d_ff = "intermediate_size", h = "num_attention_heads", V = "vocab_size" },
  layer = "text_model.encoder.layers.%d.",
  gguf = {
    dims = { L = "vision.block_count", d = "vision.embedding_length",
      d_ff = "vision.feed_forward_length",
      h = "vision.attention.head_count" },
  },
  stacks = {
    { name = "text", config = "text_config", gguf = "t.blk.%d.",
      gguf_dims = { L = "text.block_count", d = "text.embedding_length",
        d_ff = "text.feed_forward_length", h = "text.attention.head_count" },
      defaults = { L = 12, d = 512, d_ff = 2048, h = 8, V = 49408 } },
    { name = "vision", config = "vision_config", gguf = "v.blk.%d.",
      layer = "vision_model.encoder.layers.%d.",
      defaults = { L = 12, d = 768, d_ff = 3072, h = 12 } },
  },
  parts = rows.join(
    rows.attention("self_attn.%s.weight", { "q_proj", "k_proj", "v_proj",
      "out_proj" }, { gguf = { "attn_q.weight", "attn_k.weight",
        "attn_v.weight", "attn_out.weight" } }),
    rows.mlp("mlp.%s.weight", { false, "fc1", "fc2" })),
}
