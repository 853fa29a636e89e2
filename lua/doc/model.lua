-- Models: opening them, their parts by name.
return {
  name = "model",
  title = "Models",
  text = [[
    A model is a checkpoint whose tensors have their parts' names. Layers
    and heads are labels and count from 0, as checkpoints and papers number
    them; subscripts into tensors count from 1.]],
  class = "model",
  fields = {
    { "name", "text" }, { "path", "text" },
    { "format", "text", "safetensors, gguf, …" },
    { "arch", "text", "the family, nil where it can't be told" },
    { "reason", "text", "why the family can't be told" },
    { "dims", "table", "L layers, d model width, d_ff, h heads, GQA key-value "
      .. "heads, V vocabulary, d_head, d_q, d_kv; also n_layers, d_model, "
      .. "n_heads, n_kv_heads" },
    { "missing", "parts", "those that are not there, each with its reason" },
  },
  {
    name = "weft.open",
    summary = "Opens a model: a folder, a file of safetensors, GGUF, PyTorch "
      .. "or numpy, or a hub id looked up in the local cache.",
    params = {
      { "MODEL", "text", "a path, else an id such as Qwen/Qwen2.5-3B" },
    },
    returns = { { "m", "model" } },
    errors = "nil, message, code where it can't be read; never the network",
    example = [[
      local m = assert(weft.open("build/demo"))
      print(m.arch, m.dims.L, m.dims.d)   --> qwen2  12  192
      print(select(2, weft.open("nowhere/at/all")))
      --> nowhere/at/all: no such file or folder  io
    ]],
    see = { "model:weights", "model:qk", "weft.arch" },
  },
  {
    name = "weft.arch", also = { "weft.arch" },
    summary = "Teaches weft a family of models.",
    params = {
      { "family", "table", "what `like` inherits need not be said again" },
      { "family.name", "text" },
      { "family.like?", "text", "a known family to inherit from" },
      { "family.match?", "table", "{model_type = {…}, gguf = {…}}" },
      { "family.dims?", "table", "{L = \"num_hidden_layers\", …}" },
      { "family.layer?", "text|table", "\"model.layers.%d.\"" },
      { "family.parts?", "table", "{ {name = \"W_Q\", tensor = …, shape = …}, "
        .. "… }" },
    },
    returns = { { "family", "table", "whole, with what it inherits" } },
    example = [[
      local family = weft.arch { name = "mymodel", like = "llama",
        match = { model_type = { "mymodel" } },
        dims = { d_ff = "ffn_dim" } }
      print(family.dims.d_ff, family.dims.L)  --> ffn_dim  num_hidden_layers
    ]],
    see = { "weft.open" },
  },
  {
    name = "model:weights",
    call = "m:weights(layer) or m:weights{layers=, names=}",
    summary = "Weights as a list of parts, layer by layer in the family's "
      .. "order.",
    params = {
      { "options?", "label|table", "one layer, or a table; all where left "
        .. "out" },
      { "options.layers?", "label|labels", "all where left out" },
      { "options.names?", "texts", "\"W_Q\", …; all where left out" },
    },
    returns = { { "parts", "table",
      "{layer, name, type, expert, shape, tensor, dtype, source}; tensor = "
      .. "false with a reason where it is not there" } },
    errors = "raises where the model's family or its layers can't be told",
    example = [[
      local m = assert(weft.open("build/demo"))
      local parts = m:weights { layers = 3, names = { "W_Q", "W_K" } }
      for _, part in ipairs(parts) do
        print(part.layer, part.name, table.concat(part.shape, "x"))
      end
      --> 3  W_Q  192x192
      --> 3  W_K  64x192
    ]],
    see = { "model:weight", "model:heads", "weft.measure" },
  },
  {
    name = "model:weight",
    summary = "One weight, (out, in) whatever the file's layout; with a head, "
      .. "its rows (of W_O its columns), W_K and W_V by group.",
    params = { { "layer", "label" }, { "name", "text", "\"W_Q\", …" },
      { "head?", "label" } },
    returns = { { "t", "tensor", "a view of the file" } },
    errors = "raises with the reason where the part is not there",
    example = [[
      local m = assert(weft.open("build/demo"))
      print(m:weight(0, "W_down"))    --> tensor [192, 512] F16
      print(m:weight(0, "W_Q", 5))    --> tensor [32, 192] F16
    ]],
    see = { "model:weights", "model:tensor" },
  },
  {
    name = "model:qk", also = { "model:kernel" },
    summary = "A head's attention kernel W_Q_h^T W_K_h, factored.",
    params = { { "layer", "label" }, { "head", "label" } },
    returns = { { "k", "kernel", "(d, d)" } },
    errors = "raises with the reason where a weight is not there",
    example = [[
      local m = assert(weft.open("build/demo"))
      local k = m:qk(3, 0)
      print(k.shape[1], #k:svdvals())  --> 192  32
    ]],
    see = { "model:ov", "model:heads", "kernel:svdvals" },
  },
  {
    name = "model:ov",
    summary = "A head's output kernel W_O_h W_V_h, factored.",
    params = { { "layer", "label" }, { "head", "label" } },
    returns = { { "k", "kernel", "(d, d)" } },
    errors = "raises with the reason where a weight is not there",
    example = [[
      local m = assert(weft.open("build/demo"))
      print(m:ov(3, 0))  --> kernel [192, 192] of 32 rows
    ]],
    see = { "model:qk", "model:heads" },
  },
  {
    name = "model:heads",
    call = "m:heads(layer) or m:heads{layers=, heads=, of=}",
    summary = "Kernels of heads as a list of parts, layer by layer.",
    params = {
      { "options?", "label|table", "one layer, or a table" },
      { "options.layers?", "label|labels", "all where left out" },
      { "options.heads?", "label|labels", "all where left out" },
      { "options.of?", "text", "\"qk\" (left out) or \"ov\"" },
    },
    returns = { { "parts", "table", "{layer, head, kernel, dtype}; kernel = "
      .. "false with a reason where a weight is not there" } },
    errors = "raises where the dims of a head can't be told",
    example = [[
      local m = assert(weft.open("build/demo"))
      print(#m:heads {}, #m:heads { layers = { 0, 11 }, heads = 2 })  --> 72  2
    ]],
    see = { "model:qk", "weft.measure" },
  },
  {
    name = "model:tensors",
    summary = "Names of all tensors, in file order.",
    returns = { { "names", "texts" } },
    example = [[
      local m = assert(weft.open("build/demo"))
      print(#m:tensors(), m:tensors()[1])  --> 146  model.embed_tokens.weight
    ]],
    see = { "model:tensor", "model:not_analysed" },
  },
  {
    name = "model:tensor",
    summary = "A tensor by its name in the file.",
    params = { { "name", "text" } },
    returns = { { "t", "tensor", "a view of the file" } },
    errors = "raises where there is none of that name",
    example = [[
      local m = assert(weft.open("build/demo"))
      print(m:tensor "model.embed_tokens.weight")  --> tensor [512, 192] F16
    ]],
    see = { "model:tensors", "model:weight" },
  },
  {
    name = "model:not_analysed",
    summary = "Tensors that no analysis reads, and why.",
    returns = { { "list", "table",
      "{name, shape, dtype, reason, layer}; layer is that of one beyond the "
      .. "config's" } },
    example = [[
      local m = assert(weft.open("build/demo"))
      print(m:not_analysed()[1].reason)  --> outside the layers
    ]],
    see = { "model:tensors" },
  },
  {
    name = "model:stack_of",
    summary = "The stack of equal layers that a layer lies in, and its number "
      .. "there: a decoder's layers come after its encoder's.",
    params = { { "layer", "label" } },
    returns = { { "stack", "table", "{first, count, dims, prefix, …}" },
      { "index", "integer", "from 0" } },
    example = [[
      local m = assert(weft.open("build/demo"))
      local stack, index = m:stack_of(3)
      print(stack.count, index)  --> 12  3
    ]],
    see = { "model:weights" },
  },
  {
    name = "model:close",
    summary = "Closes the model's files; its tensors then answer \"tensor is "
      .. "closed\".",
    example = [[
      local m <close> = assert(weft.open("build/demo"))
      m:close()
      print(select(2, pcall(m.tensors, m)):match("%w+ is closed"))
      --> checkpoint is closed
    ]],
    see = { "weft.open" },
  },
}
