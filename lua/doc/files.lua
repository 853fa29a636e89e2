-- Files and texts in weft's formats.
return {
  name = "files",
  title = "Files and formats",
  text = [[
    Checkpoints tensor by tensor, and text in CSV, JSON and markdown. What
    reads or writes gives nil, message, code where it can't.]],
  class = "checkpoint",
  fields = {
    { "format", "text", "safetensors, gguf, …" }, { "path", "text" },
  },
  {
    name = "weft.core.open",
    summary = "Opens a checkpoint, a folder or a file, without giving its "
      .. "tensors their parts' names; #ck is how many there are.",
    params = { { "path", "text" } },
    returns = { { "ck", "checkpoint" } },
    errors = "nil, message, code where it can't be read",
    example = [[
      local ck = assert(weft.core.open("build/demo"))
      print(ck)  --> checkpoint safetensors, 146 tensors
    ]],
    see = { "weft.open", "checkpoint:entry" },
  },
  {
    name = "weft.core.packed",
    summary = "One tensor of values that a checkpoint has packed in several: "
      .. "they are computed as they are read. weft.open finds such by itself.",
    params = {
      { "kind", "text", "scaled, mxfp4, gptq, awq, table" },
      { "tensors", "table", "scaled: weight, scale; mxfp4: blocks, scales; "
        .. "gptq: qweight, qzeros, scales, g_idx; awq: the first three; "
        .. "table: weight, absmax, quant_map" },
      { "options?", "table", "{block = {rows, columns}, divisor} of scaled; "
        .. "{bits, zero_add, group} of gptq; {group} of awq; {shape, "
        .. "block_size, name} of table" },
    },
    returns = { { "t", "tensor", "(out, in)" } },
    errors = "nil, message, code where shapes or dtypes don't fit",
    example = [[
      local ck = assert(weft.core.open("build/demo"))
      local t = ck:tensor("model.norm.weight")
      local none, why = weft.core.packed("scaled", { t, t })
      print(none, why)  --> nil  weight is F16: expected an F8 dtype or I8
    ]],
    see = { "weft.open", "checkpoint:tensor" },
  },
  {
    name = "checkpoint:names",
    summary = "Names of all tensors, in file order.",
    returns = { { "names", "texts" } },
    example = [[
      local ck = assert(weft.core.open("build/demo"))
      print(#ck:names() == #ck)  --> true
    ]],
    see = { "checkpoint:entry" },
  },
  {
    name = "checkpoint:axes",
    summary = "How many axes a tensor has.",
    params = { { "name", "text" } },
    returns = { { "axes", "integer" } },
    errors = "nil, message, code where there is none of that name",
    example = [[
      local ck = assert(weft.core.open("build/demo"))
      print(ck:axes("model.norm.weight"))  --> 1
    ]],
    see = { "checkpoint:entry" },
  },
  {
    name = "checkpoint:dtypes",
    summary = "How many tensors there are of each dtype.",
    params = {},
    returns = { { "counts", "table", "by the dtype's name" } },
    example = [[
      local ck = assert(weft.core.open("build/demo"))
      print(ck:dtypes().F16 == #ck)  --> true
    ]],
    see = { "checkpoint:entry" },
  },
  {
    name = "checkpoint:entry",
    summary = "What the file says of a tensor.",
    params = { { "name", "text" } },
    returns = {
      { "entry", "table", "{name, dtype, shape, bytes, offset, file}" },
    },
    errors = "nil, message, code where there is none of that name",
    example = [[
      local ck = assert(weft.core.open("build/demo"))
      local entry = ck:entry("model.norm.weight")
      print(entry.dtype, entry.shape[1], entry.bytes)  --> F16  192  384
    ]],
    see = { "checkpoint:tensor" },
  },
  {
    name = "checkpoint:tensor",
    summary = "A tensor of the file, read-only, read when it is used.",
    params = { { "name", "text" } },
    returns = { { "t", "tensor" } },
    errors = "nil, message, code where there is none of that name",
    example = [[
      local ck = assert(weft.core.open("build/demo"))
      print(ck:tensor("model.norm.weight")[1])  --> 1.0
    ]],
    see = { "checkpoint:entry", "model:tensor" },
  },
  {
    name = "checkpoint:meta",
    summary = "The file's own metadata by key; arrays as {length = n}.",
    returns = { { "meta", "table" } },
    example = [[
      local ck = assert(weft.core.open("build/demo"))
      print(type(ck:meta()))  --> table
    ]],
    see = { "checkpoint:notes" },
  },
  {
    name = "checkpoint:notes",
    summary = "Sentences about what is odd in the files and was put up with.",
    returns = { { "notes", "texts" } },
    example = [[
      local ck = assert(weft.core.open("build/demo"))
      print(#ck:notes())  --> 0
    ]],
    see = { "checkpoint:meta" },
  },
  {
    name = "checkpoint:close",
    summary = "Closes the files; tensors of them then answer \"tensor is "
      .. "closed\".",
    example = [[
      local ck <close> = assert(weft.core.open("build/demo"))
      ck:close()
      print(ck)  --> checkpoint (closed)
    ]],
  },
  {
    name = "weft.core.encode",
    summary = "A tensor's values as bytes, little-endian, row-major, rounded "
      .. "to the nearest, ties to even.",
    params = { { "t", "tensor" },
      { "dtype", "text", "\"F16\", \"BF16\", \"F32\" or \"F64\"" } },
    returns = { { "bytes", "text" } },
    example = [[
      print(#weft.core.encode(weft.tensor { 1, 2, 3 }, "F16"))  --> 6
    ]],
    see = { "weft.save.safetensors" },
  },
  {
    name = "weft.save.safetensors",
    summary = "Writes tensors to a safetensors file, whole or not at all.",
    params = { { "path", "text" },
      { "list", "table", "{name, tensor, dtype}; dtype F64, F32, F16 or BF16, "
        .. "the tensor's own where it is left out" } },
    returns = { { "true", "boolean" } },
    errors = "nil, message, code where it can't be written",
    example = [[
      assert(weft.save.safetensors("two.safetensors",
        { { name = "a", tensor = weft.tensor { 1, 2 }, dtype = "F16" } }))
      print(weft.open("two.safetensors"):tensor("a")[2])  --> 2.0
    ]],
    see = { "weft.core.encode", "weft.save" },
  },
  {
    name = "weft.csv.encode",
    summary = "Rows of cells, numbers or text, as CSV text.",
    params = { { "rows", "table", "arrays of cells" } },
    returns = { { "text", "text" } },
    source = "RFC 4180; a text cell that a spreadsheet would run gets a '",
    example = [[
      print((weft.csv.encode { { "a", 1.5 }, { "b, c", 2 } }:gsub("\n", ";")))
      --> a,1.5;"b, c",2;
    ]],
    see = { "weft.csv.decode", "frame:csv" },
  },
  {
    name = "weft.csv.decode",
    summary = "CSV text as rows of strings.",
    params = { { "text", "text" } },
    returns = { { "rows", "table" } },
    errors = "nil, message, code where a quote is out of place",
    source = "RFC 4180",
    example = [[
      print(weft.csv.decode('a,"b ""c"""\n')[1][2])  --> b "c"
    ]],
    see = { "weft.csv.encode", "weft.frame.from_csv" },
  },
  {
    name = "weft.json.encode",
    summary = "A value as JSON text: keys in byte order, numbers the shortest "
      .. "that read back, NaN and infinities null.",
    params = { { "value", "any", "no functions, no userdata, no cycles" } },
    returns = { { "text", "text" } },
    example = [[
      print((weft.json.encode { b = 1, a = { 0.1, true } }:gsub("%s", "")))
      --> {"a":[0.1,true],"b":1}
    ]],
    see = { "weft.core.json" },
  },
  {
    name = "weft.core.json",
    summary = "JSON text as a value: strict; null is nil in objects and "
      .. "weft.core.null in arrays.",
    params = { { "text", "text" } },
    returns = { { "value", "any" } },
    errors = "nil, message, code where the text is no JSON",
    example = [[
      print(weft.core.json('{"a": [1, 2.5]}').a[2])  --> 2.5
    ]],
    see = { "weft.json.encode" },
  },
  {
    name = "weft.markdown.table",
    summary = "A markdown table.",
    params = {
      { "header", "texts" },
      { "align", "texts", "\"l\" or \"r\" a column",
    },
      { "rows", "table", "arrays of text" } },
    returns = { { "text", "text" } },
    example = [[
      print(weft.markdown.table({ "a" }, { "r" }, { { "12" } }))
      --> |   a |
      --> | --: |
      --> |  12 |
    ]],
    see = { "frame:markdown" },
  },
  {
    name = "weft.markdown.escape",
    summary = "Foreign text as one line that starts no link, no cell and no "
      .. "HTML.",
    params = { { "text", "any" } },
    returns = { { "text", "text" } },
    example = [[
      print(weft.markdown.escape("a|b"))  --> a\|b
    ]],
    see = { "weft.core.sys.escape" },
  },
  {
    name = "weft.markdown.number",
    summary = "A number by a printf format; n/a where there is none.",
    params = { { "format", "text" }, { "x?", "number" } },
    returns = { { "text", "text" } },
    example = [[
      print(weft.markdown.number("%.1f", 2.25), weft.markdown.number("%d", nil))
      --> 2.2  n/a
    ]],
  },
  {
    name = "weft.markdown.width",
    summary = "Columns that text takes on a terminal.",
    params = { { "text", "text" } },
    returns = { { "columns", "integer" } },
    example = [[
      print(weft.markdown.width("λ1"))  --> 2
    ]],
  },
  {
    name = "weft.markdown.anchor",
    summary = "The anchor that renderers make of a heading.",
    params = { { "heading", "text" } },
    returns = { { "anchor", "text" } },
    example = [[
      print(weft.markdown.anchor("Not computed"))  --> not-computed
    ]],
  },
}
