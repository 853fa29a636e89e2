-- weft.model: names, slices and kernels of a real checkpoint beside slices
-- made by hand; configs that are odd or broken; GGUF's permuted rows.
local core = require "weft.core"
local model = require "weft.model"
local weft = require "weft"
local support = dofile "tests/lua/support.lua"

local near, matrix = support.near, support.matrix
local TINY = "tests/golden/tiny-qwen2"
local ORDER = { "W_Q", "W_K", "W_V", "W_O", "W_gate", "W_up", "W_down" }

teardown(support.clean)

-- ---- small checkpoints ----

local CONFIG = { model_type = "llama", num_hidden_layers = 2, hidden_size = 8,
  num_attention_heads = 4, num_key_value_heads = 2, intermediate_size = 12,
  vocab_size = 5 }

local TENSORS = {
  W_Q = { "self_attn.q_proj", 8, 8 }, W_K = { "self_attn.k_proj", 4, 8 },
  W_V = { "self_attn.v_proj", 4, 8 }, W_O = { "self_attn.o_proj", 8, 8 },
  W_gate = { "mlp.gate_proj", 12, 8 }, W_up = { "mlp.up_proj", 12, 8 },
  W_down = { "mlp.down_proj", 8, 12 },
}

-- the config with some fields otherwise; false takes one away
local function config_with(changes)
  local config = {}
  for key, value in pairs(CONFIG) do
    config[key] = value
  end
  for key, value in pairs(changes) do
    config[key] = value or nil
  end
  return config
end

-- numbers that float32 holds, different for every weight
local function values(layer, name, rows, cols)
  local seed = layer * 100 + #name * 7 + name:byte(3)
  return matrix(rows, cols, function(i, j)
    return ((i * 37 + j * 101 + seed * 53) % 256 - 128) / 64
  end)
end

-- tensors of `layers` layers; `shapes` gives {rows, cols} of names otherwise,
-- false leaves one out ("1.W_Q" of one layer alone)
local function weights_of(layers, shapes)
  local list = { { name = "model.embed_tokens.weight", dtype = "F32",
    tensor = matrix(5, 8) } }
  for layer = 0, layers - 1 do
    local prefix = ("model.layers.%d."):format(layer)
    for _, name in ipairs(ORDER) do
      local stock = TENSORS[name]
      local shape = shapes and shapes[layer .. "." .. name]
      if shape == nil then
        shape = shapes and shapes[name] or { stock[2], stock[3] }
      end
      if shape then
        list[#list + 1] = { name = prefix .. stock[1] .. ".weight",
          dtype = "F32", tensor = values(layer, name, shape[1], shape[2]) }
      end
    end
    list[#list + 1] = { name = prefix .. "input_layernorm.weight",
      dtype = "F32", tensor = core.tensor { 1, 1, 1, 1, 1, 1, 1, 1 } }
  end
  return list
end

local function small(changes, layers, shapes)
  return support.checkpoint(changes and config_with(changes),
    weights_of(layers or 2, shapes))
end

-- what open says of a folder with this config
local function refusal(config, layers)
  local folder = support.checkpoint(config, weights_of(layers or 2))
  local m, message, code = model.open(folder)
  assert.is_nil(m)
  assert.equal("format", code)
  return (message:gsub("^" .. folder:gsub("%p", "%%%0"), "DIR"))
end

local function rows_of(tensor)
  return tensor:totable()
end

-- rows a to b of an array of arrays, and columns
local function rows_by_hand(t, a, b)
  return table.move(t, a, b, 1, {})
end

local function cols_by_hand(t, a, b)
  local out = {}
  for i, row in ipairs(t) do
    out[i] = table.move(row, a, b, 1, {})
  end
  return out
end

-- A^T B of two arrays of arrays
local function product(a, b)
  local out = {}
  for i = 1, #a[1] do
    out[i] = {}
    for j = 1, #b[1] do
      local sum = 0.0
      for k = 1, #a do
        sum = sum + a[k][i] * b[k][j]
      end
      out[i][j] = sum
    end
  end
  return out
end

local function same_matrix(expected, found)
  assert.equal(#expected, #found)
  for i, row in ipairs(expected) do
    for j, x in ipairs(row) do
      assert(math.abs(x - found[i][j]) <= 1e-12,
        ("[%d, %d]: %.17g was expected, found %.17g"):format(i, j, x,
          found[i][j]))
    end
  end
end

-- ---- the golden checkpoint ----

-- A half float of two bytes.
local function half(bytes, at)
  local bits = ("<I2"):unpack(bytes, at)
  local sign = bits >> 15 == 0 and 1 or -1
  local exponent, fraction = bits >> 10 & 31, bits & 1023
  if exponent == 0 then
    return sign * fraction * 2.0 ^ -24
  end
  return sign * (1 + fraction / 1024) * 2.0 ^ (exponent - 15)
end

-- a tensor's values straight from the bytes of its shard
local function by_hand(name)
  local index = support.json(TINY .. "/model.safetensors.index.json")
  local bytes = support.read(TINY .. "/" .. index.weight_map[name])
  local length = ("<I8"):unpack(bytes)
  local entry = assert(core.json(bytes:sub(9, 8 + length)))[name]
  assert.equal("F16", entry.dtype)
  local at = 9 + length + entry.data_offsets[1]
  local out = {}
  for i = 1, entry.shape[1] do
    out[i] = {}
    for j = 1, entry.shape[2] do
      out[i][j] = half(bytes, at)
      at = at + 2
    end
  end
  return out
end

describe("a qwen2 checkpoint in shards", function()
  local m

  setup(function() m = assert(weft.open(TINY)) end)
  teardown(function() m:close() end)

  it("knows its name, family and dims", function()
    assert.equal("demo/tiny-qwen2", m.name)
    assert.equal(TINY, m.path)
    assert.equal("qwen2", m.arch)
    assert.equal("safetensors", m.format)
    assert.same({ L = 7, d = 96, d_ff = 256, h = 6, GQA = 2, V = 320,
      d_head = 16, d_kv = 32, d_q = 96, d_group = 48, n_layers = 7,
      d_model = 96, n_heads = 6, n_kv_heads = 2 }, m.dims)
    assert.same({}, m.missing)
    assert.equal("demo/tiny-qwen2 (qwen2, safetensors) L: 7, d: 96, d_ff: "
      .. "256, h: 6, GQA: 2, V: 320, d_head: 16", tostring(m))
  end)

  it("lists its weights layer by layer in the notebook's order", function()
    local shapes = { W_Q = { 96, 96 }, W_K = { 32, 96 }, W_V = { 32, 96 },
      W_O = { 96, 96 }, W_gate = { 256, 96 }, W_up = { 256, 96 },
      W_down = { 96, 256 } }
    local parts = m:weights {}
    assert.equal(49, #parts)
    for i, part in ipairs(parts) do
      local name = ORDER[(i - 1) % 7 + 1]
      assert.equal((i - 1) // 7, part.layer)
      assert.equal(name, part.name)
      assert.same(shapes[name], part.shape)
      assert.same(shapes[name], part.tensor.shape)
      assert.equal("F16", part.dtype)
    end
  end)

  it("gives some layers and some names", function()
    local parts = m:weights { layers = { 6, 0 }, names = { "W_up", "W_Q" } }
    local found = {}
    for i, part in ipairs(parts) do
      found[i] = part.layer .. part.name
    end
    assert.same({ "6W_Q", "6W_up", "0W_Q", "0W_up" }, found)
    assert.equal(7, #m:weights(3))
    assert.equal(3, m:weights(3)[1].layer)
  end)

  it("reads the file's numbers", function()
    local name = "model.layers.4.self_attn.k_proj.weight"
    assert.same(by_hand(name), rows_of(m:weight(4, "W_K")))
    assert.same(by_hand(name), rows_of(m:tensor(name)))
  end)

  it("cuts W_Q by head, W_K and W_V by the head's group, W_O's columns",
    function()
      local at = "model.layers.2.self_attn."
      local q, k = by_hand(at .. "q_proj.weight"), by_hand(at ..
        "k_proj.weight")
      local v, o = by_hand(at .. "v_proj.weight"), by_hand(at ..
        "o_proj.weight")
      for head = 0, 5 do
        local group = head < 3 and 0 or 1
        local first, last = head * 16 + 1, head * 16 + 16
        assert.same(rows_by_hand(q, first, last),
          rows_of(m:weight(2, "W_Q", head)))
        assert.same(rows_by_hand(k, group * 16 + 1, group * 16 + 16),
          rows_of(m:weight(2, "W_K", head)))
        assert.same(rows_by_hand(v, group * 16 + 1, group * 16 + 16),
          rows_of(m:weight(2, "W_V", head)))
        assert.same(cols_by_hand(o, first, last),
          rows_of(m:weight(2, "W_O", head)))
      end
    end)

  it("has qk and ov kernels that are the products of their slices", function()
    local at = "model.layers.5.self_attn."
    local q, k = by_hand(at .. "q_proj.weight"), by_hand(at ..
      "k_proj.weight")
    local v, o = by_hand(at .. "v_proj.weight"), by_hand(at ..
      "o_proj.weight")
    local qk = m:qk(5, 4)
    assert.same({ 96, 96 }, qk.shape)
    same_matrix(product(rows_by_hand(q, 65, 80), rows_by_hand(k, 17, 32)),
      rows_of(qk:dense()))
    assert.same(rows_of(qk:svdvals()), rows_of(m:kernel(5, 4):svdvals()))
    local o_t = {}
    for i = 1, 16 do
      o_t[i] = {}
      for j = 1, 96 do
        o_t[i][j] = o[j][64 + i]
      end
    end
    same_matrix(product(o_t, rows_by_hand(v, 17, 32)),
      rows_of(m:ov(5, 4):dense()))
  end)

  it("lists the kernels of heads", function()
    local parts = m:heads {}
    assert.equal(42, #parts)
    for i, part in ipairs(parts) do
      assert.equal((i - 1) // 6, part.layer)
      assert.equal((i - 1) % 6, part.head)
    end
    parts = m:heads { layers = { 5 }, heads = { 4, 1 }, of = "ov" }
    assert.equal(2, #parts)
    assert.equal(4, parts[1].head)
    assert.same(rows_of(m:ov(5, 4):svdvals()),
      rows_of(parts[1].kernel:svdvals()))
    assert.same(rows_of(m:qk(5, 4):svdvals()),
      rows_of(m:heads({ layers = 5, heads = 4 })[1].kernel:svdvals()))
  end)

  it("has the effective ranks and kernels of the golden files", function()
    local golden = assert(weft.frame.from_csv(support.read
      "tests/golden/notebook/tiny-qwen2/weights_exact.csv"))
    local f = weft.measure(m:weights {}, { "effective_rank" })
    assert.same(golden:column "weight_type", f:column "name")
    assert.same(golden:column "shape", f:column "shape")
    for i, rank in ipairs(golden:column "eff_rank") do
      near(rank, f:column("effective_rank")[i], 1e-9, f:row(i).name)
    end
    local seen = 0
    for _, k in ipairs(support.json
      "tests/golden/notebook/tiny-qwen2/kernels.json") do
      local kernel = m:qk(k.layer, k.head)
      near(k.asymmetry, kernel:asymmetry(), 1e-9)
      near(k.frobenius, kernel:norm(), 1e-9)
      near(k.eff_rank_sigma, weft.effective_rank(kernel:svdvals()), 1e-9)
      local re = kernel:eigvals()
      for i, x in ipairs(k.eig_real) do
        assert.is_true(math.abs(x - re[i]) < 1e-9)
      end
      seen = seen + 1
    end
    assert.is_true(seen > 0)
  end)

  it("refuses labels that are out of range", function()
    for message, call in pairs {
      ["layer 7, one of 0 to 6 was expected"] =
        function() m:weights(7) end,
      ["layer -1, one of 0 to 6 was expected"] =
        function() m:weight(-1, "W_Q") end,
      ["layer 1.5, one of 0 to 6 was expected"] =
        function() m:qk(1.5, 0) end,
      ["layer nil, one of 0 to 6 was expected"] =
        function() m:weight(nil, "W_Q") end,
      ["layer 9, one of 0 to 6 was expected"] =
        function() m:weights { layers = { 0, 9 } } end,
      ["head 6, one of 0 to 5 was expected"] =
        function() m:weight(0, "W_Q", 6) end,
      ["head -1, one of 0 to 5 was expected"] =
        function() m:ov(0, -1) end,
      ["head nil, one of 0 to 5 was expected"] =
        function() m:qk(0) end,
      ["head x, one of 0 to 5 was expected"] =
        function() m:heads { heads = "x" } end,
      ["W_up is not cut into heads"] =
        function() m:weight(0, "W_up", 0) end,
      ["no weight 'W_X' in layer 0; there are W_Q, W_K, W_V, W_O, W_gate, "
        .. "W_up, W_down"] =
        function() m:weight(0, "W_X") end,
      ["of is 'vo', 'qk' or 'ov' was expected"] =
        function() m:heads { of = "vo" } end,
    } do
      local ok, found = pcall(call)
      assert.is_false(ok)
      -- the place is the caller's
      assert.equal(message, found:match "model_spec%.lua:%d+: (.*)$")
    end
  end)

  it("names tensors in the file's order, and one that is not there",
    function()
      assert.equal(#m.checkpoint, #m:tensors())
      assert.error_matches(function() m:tensor "no.such" end, "no.such", 1,
        true)
    end)

  it("says what no analysis reads", function()
    local reasons = {}
    for _, entry in ipairs(m:not_analysed()) do
      reasons[entry.reason] = (reasons[entry.reason] or 0) + 1
      assert.is_nil(entry.layer)
    end
    local total = 0
    for _, count in pairs(reasons) do
      total = total + count
    end
    assert.equal(#m:tensors() - 49, total)
    assert.is_nil(reasons["no weight of this family"])
  end)

  it("is closed when it is closed", function()
    local other = assert(weft.open(TINY))
    local tensor = other:weight(0, "W_Q")
    other:close()
    assert.error_matches(function() tensor:totable() end, "closed", 1, true)
    assert.has_error(function() other:tensors() end)
  end)
end)

-- ---- configs ----

describe("a config", function()
  it("that is not there leaves what names and shapes tell", function()
    local folder = small(nil)
    local m = assert(weft.open(folder))
    assert.equal("llama", m.arch)
    assert.equal("there is no config.json to tell the family, but its "
      .. "tensors are named as llama's", m.told)
    assert.equal(2, m.dims.L)
    assert.equal(8, m.dims.d)
    assert.is_nil(m.dims.h)
    assert.equal(17, #m:tensors())
    assert.equal(3, #m:not_analysed())
    assert.same({ 5, 8 }, m:tensor("model.embed_tokens.weight").shape)
    assert.equal(14, #m:weights {})
    assert.error_matches(function() m:qk(0, 0) end, "a kernel needs d_head: "
      .. "the number of heads stands nowhere", 1, true)
    assert.equal(folder:match "[^/]+$", m.name)
    m = assert(weft.open(folder .. "/model.safetensors"))
    assert.equal("model", m.name)
  end)

  it("of an unknown family leaves what names and shapes tell", function()
    local m = assert(weft.open(small { model_type = "novel\27" }))
    assert.equal("model_type 'novel\\x1B' is no known family, but its "
      .. "tensors are named as llama's", m.told)
    assert.equal(4, m.dims.h)
    assert.equal(2, m.dims.d_head)
    assert.same({ 2, 8 }, m:weight(0, "W_Q", 3).shape)
    assert.equal(17, #m:tensors())
    m = assert(weft.open(small { model_type = false }))
    assert.equal("config.json names no model_type, but its tensors are named "
      .. "as llama's", m.told)
  end)

  it("that is broken is an error", function()
    for _, text in ipairs { "", "{", "[]", "[1]", "3", "null", '"x"',
      '{"hidden_size": NaN}', '{"hidden_size": 8} x', "{'a': 1}" } do
      local message = refusal(text)
      assert.is_truthy(message:find("^DIR/config%.json: "), message)
    end
    assert.equal("DIR/config.json: an object was expected", refusal "[]")
  end)

  it("with a dim that is no whole number of its range is an error",
    function()
      for value, found in pairs { [0] = "0", [-1] = "-1", [3.5] = "3.5",
        [2 ^ 40] = "1099511627776", ["12"] = "'12'", [true] = "a boolean" } do
        assert.equal(("DIR/config.json: num_attention_heads is %s, a whole "
          .. "number from 1 to 65536 was expected"):format(found),
          refusal(config_with { num_attention_heads = value }))
      end
      assert.is_truthy(refusal '{"model_type": "llama", '
        .. '"num_attention_heads": 1e999}')
      assert.is_truthy(refusal('{"model_type": "llama", "hidden_size": [8]}')
        :find("hidden_size is a table, a whole number", 1, true))
      assert.equal("DIR/config.json: num_hidden_layers is 0, a whole number "
        .. "from 1 to 4096 was expected",
        refusal(config_with { num_hidden_layers = 0 }))
    end)

  it("may write whole numbers as 8.0, and null for what it has not",
    function()
      local folder = support.checkpoint('{"model_type": "llama", '
        .. '"num_hidden_layers": 2.0, "hidden_size": 8, "head_dim": null, '
        .. '"num_attention_heads": 4, "num_key_value_heads": null, '
        .. '"intermediate_size": 12}',
        weights_of(2, { W_K = { 8, 8 }, W_V = { 8, 8 } }))
      local m = assert(weft.open(folder))
      assert.equal(2, m.dims.L)
      assert.equal("integer", math.type(m.dims.L))
      assert.equal(2, m.dims.d_head)
      assert.equal(4, m.dims.GQA)
      assert.is_nil(m.dims.V)
      assert.same({}, m.missing)
    end)

  it("whose heads do not share key-value heads is an error", function()
    assert.equal("DIR/config.json: 4 heads cannot be shared by 3 "
      .. "key-value heads",
      refusal(config_with { num_key_value_heads = 3 }))
    assert.equal("DIR/config.json: 4 heads cannot be shared by 8 "
      .. "key-value heads",
      refusal(config_with { num_key_value_heads = 8 }))
  end)

  it("without a size of a head costs the heads alone", function()
    local m = assert(weft.open(small({ num_attention_heads = 3,
      num_key_value_heads = false })))
    assert.is_nil(m.dims.d_head)
    assert.same({}, m.missing)
    assert.equal(14, #m:weights {})
    assert.same({ 8, 8 }, m:weight(0, "W_Q").shape)
    local why = "d = 8 is no multiple of h = 3, and there is no head_dim"
    assert.equal(why, m.no_heads)
    assert.error_matches(function() m:heads {} end, "heads needs d_head: "
      .. why, 1, true)
    assert.error_matches(function() m:qk(0, 0) end, "a kernel needs d_head: "
      .. why, 1, true)
  end)

  it("with an explicit head_dim goes by it", function()
    local m = assert(weft.open(small({ head_dim = 3 }, 2, {
      W_Q = { 12, 8 }, W_K = { 6, 8 }, W_V = { 6, 8 }, W_O = { 8, 12 } })))
    assert.same({}, m.missing)
    assert.equal(12, m.dims.d_q)
    assert.equal(6, m.dims.d_kv)
    assert.same({ 3, 8 }, m:weight(0, "W_Q", 3).shape)
    assert.same(rows_by_hand(rows_of(m:weight(0, "W_K")), 4, 6),
      rows_of(m:weight(0, "W_K", 3)))
    assert.same({ 8, 3 }, m:weight(1, "W_O", 0).shape)
    assert.equal(3, #m:ov(1, 2):svdvals())
  end)

  it("that promises a layer more than there is names what is missing",
    function()
      local m = assert(weft.open(small { num_hidden_layers = 3 }))
      assert.equal(7, #m.missing)
      assert.equal(2, m.missing[1].layer)
      assert.equal("missing: there is no tensor "
        .. "'model.layers.2.self_attn.q_proj.weight'", m.missing[1].reason)
      assert.equal(21, #m:weights {})
      local f = weft.measure(m:weights {}, { "effective_rank" })
      assert.equal("", f:row(14).error)
      assert.equal(m.missing[1].reason, f:row(15).error)
      assert.equal("8x8", f:row(15).shape)
    end)

  it("that promises a layer less names the extra one", function()
    local m = assert(weft.open(small { num_hidden_layers = 1 }))
    assert.same({}, m.missing)
    local extra = 0
    for _, entry in ipairs(m:not_analysed()) do
      if entry.layer then
        extra = extra + 1
        assert.equal(1, entry.layer)
        assert.equal("layer 1 is beyond the 1 layers of the config",
          entry.reason)
      end
    end
    assert.equal(8, extra)
  end)

  it("without a number of layers counts those that are there", function()
    local m = assert(weft.open(small { num_hidden_layers = false }))
    assert.equal(2, m.dims.L)
    for _, entry in ipairs(m:not_analysed()) do
      assert.is_nil(entry.layer)
    end
  end)

  it("of one layer is enough", function()
    local m = assert(weft.open(small({ num_hidden_layers = 1 }, 1)))
    assert.equal(7, #m:weights {})
    assert.equal(4, #m:heads {})
  end)

  it("gives the model its name where that has the form of one", function()
    for own, name in pairs { ["org/name-1.5_x"] = "org/name-1.5_x",
      gpt2 = "gpt2" } do
      assert.equal(name, assert(weft.open(small { _name_or_path = own })).name)
    end
    for _, own in ipairs { "/home/me/x", "a/b/c", "../x", "./x", ".", "..",
      "a b", "x\n", "<b>", "a/" } do
      local folder = small { _name_or_path = own }
      assert.equal(folder:match "[^/]+$", assert(weft.open(folder .. "/")).name)
    end
  end)
end)

describe("a weight", function()
  it("that is missing costs itself and its heads", function()
    local m = assert(weft.open(small({}, 2, { ["1.W_Q"] = false })))
    assert.equal(1, #m.missing)
    assert.equal("W_Q", m.missing[1].name)
    assert.is_false(m.missing[1].tensor)
    local reason = "missing: there is no tensor "
      .. "'model.layers.1.self_attn.q_proj.weight'"
    assert.equal(reason, m.missing[1].reason)
    assert.error_matches(function() m:weight(1, "W_Q") end, "layer 1 W_Q: "
      .. reason, 1, true)
    assert.error_matches(function() m:qk(1, 0) end, "layer 1 W_Q: "
      .. reason, 1, true)
    local parts = m:heads {}
    assert.equal(8, #parts)
    for _, part in ipairs(parts) do
      assert.equal(part.layer == 1, part.kernel == false)
      assert.equal(part.layer == 1 and "W_Q: " .. reason or nil, part.reason)
    end
    assert.equal(8, #m:heads { of = "ov" })
    local f = weft.measure(parts, { "effective_rank" })
    assert.equal("", f:row(4).error)
    assert.equal("W_Q: " .. reason, f:row(5).error)
  end)

  it("of the wrong shape says both", function()
    local m = assert(weft.open(small({}, 2, { ["0.W_K"] = { 6, 8 } })))
    assert.equal(1, #m.missing)
    assert.equal("wrong shape: 'model.layers.0.self_attn.k_proj.weight' is "
      .. "[6, 8], the dims say [4, 8]", m.missing[1].reason)
    assert.same({ 4, 8 }, m.missing[1].shape)
    for _, entry in ipairs(m:not_analysed()) do
      assert.is_nil(entry.name:find("k_proj", 1, true))
    end
  end)
end)

describe("what can't be opened", function()
  it("is nil, a message and a code", function()
    local m, message, code = weft.open "no/such/model"
    assert.is_nil(m)
    assert.equal("no/such/model: no such file or folder", message)
    assert.equal("io", code)
    local folder = support.folder()
    m, message, code = weft.open(folder)
    assert.is_nil(m)
    assert.equal("string", type(message))
    assert.equal("string", type(code))
  end)

  it("raises for what is no path", function()
    assert.error_matches(function() weft.open(nil) end,
      "MODEL is a nil, a path or a hub id was expected", 1, true)
  end)
end)

-- ---- GGUF ----

-- llama.cpp's permutation of the rows of a head: half and half become pairs
local function permuted(tensor, heads)
  local rows, out = rows_of(tensor), {}
  local size = #rows // heads
  for head = 0, heads - 1 do
    for i = 0, size // 2 - 1 do
      for half_of = 0, 1 do
        out[head * size + 2 * i + half_of + 1] =
          rows[head * size + half_of * (size // 2) + i + 1]
      end
    end
  end
  return core.tensor(out)
end

local NAMES = { W_Q = "attn_q", W_K = "attn_k", W_V = "attn_v",
  W_O = "attn_output", W_gate = "ffn_gate", W_up = "ffn_up",
  W_down = "ffn_down" }
local HEADS = { W_Q = 4, W_K = 2 }
-- heads of 6 rows, so that a wrong permutation is not its own inverse
local SHAPES = { W_Q = { 24, 8 }, W_K = { 12, 8 }, W_V = { 12, 8 },
  W_O = { 8, 24 } }

-- the twin of weights_of(2, SHAPES) as a GGUF of that architecture
local function gguf(arch, permute)
  local list = {}
  for layer = 0, 1 do
    for _, name in ipairs(ORDER) do
      local shape = SHAPES[name] or { TENSORS[name][2], TENSORS[name][3] }
      local tensor = values(layer, name, shape[1], shape[2])
      if permute and HEADS[name] then
        tensor = permuted(tensor, HEADS[name])
      end
      list[#list + 1] = { tensor = tensor,
        name = ("blk.%d.%s.weight"):format(layer, NAMES[name]) }
    end
  end
  return support.gguf({
    { "general.architecture", arch },
    { arch .. ".block_count", 2 },
    { arch .. ".embedding_length", 8 },
    { arch .. ".feed_forward_length", 12 },
    { arch .. ".attention.head_count", 4 },
    { arch .. ".attention.head_count_kv", 2 },
    { arch .. ".attention.key_length", 6 },
    { "tokenizer.ggml.tokens", { "a", "b", "c", "d", "e" } },
  }, list, "twin.Q8")
end

describe("a GGUF", function()
  local function twins(arch, permute)
    local plain = assert(weft.open(support.checkpoint(
      config_with { model_type = arch, head_dim = 6 },
      weights_of(2, SHAPES))))
    return plain, assert(weft.open(gguf(arch, permute)))
  end

  local function same_twins(plain, twin)
    assert.equal("gguf", twin.format)
    assert.equal("twin.Q8", twin.name)
    assert.same({}, plain.missing)
    assert.same({}, twin.missing)
    assert.same(plain.dims, twin.dims)
    local parts = twin:weights {}
    for i, part in ipairs(plain:weights {}) do
      assert.equal(part.name, parts[i].name)
      assert.same(rows_of(part.tensor), rows_of(parts[i].tensor))
    end
    local names = { "effective_rank", "condition", "nuclear_norm" }
    for _, list in ipairs { "weights", "heads" } do
      local a = weft.measure(plain[list](plain, {}), names)
      local b = weft.measure(twin[list](twin, {}), names)
      assert.equal(a:csv(), b:csv())
    end
    for head = 0, 3 do
      assert.same(rows_of(plain:weight(1, "W_Q", head)),
        rows_of(twin:weight(1, "W_Q", head)))
      assert.same(rows_of(plain:weight(1, "W_K", head)),
        rows_of(twin:weight(1, "W_K", head)))
      assert.same(rows_of(plain:ov(0, head):svdvals()),
        rows_of(twin:ov(0, head):svdvals()))
    end
  end

  it("of llama has its permuted rows put back", function()
    local plain, twin = twins("llama", true)
    same_twins(plain, twin)
    -- as they lie in the file they differ
    assert.is_false(pcall(assert.same, rows_of(plain:weight(0, "W_Q")),
      rows_of(twin:tensor "blk.0.attn_q.weight")))
  end)

  it("of qwen2 is taken as it lies", function()
    same_twins(twins("qwen2", false))
  end)

  it("of an unknown architecture leaves the tensors", function()
    local m = assert(weft.open(gguf("novel", false)))
    assert.equal("general.architecture 'novel' is no known family", m.told)
    assert.is_nil(m.arch)
    assert.equal(14, #m:tensors())
    assert.equal("blk.#.attn_q.weight", m:weights(1)[1].name)
    assert.error_matches(function() m:heads {} end, "heads needs d_head: "
      .. "general.architecture 'novel' is no known family", 1, true)
  end)
end)

-- ---- families of one's own ----

describe("a family of one's own", function()
  it("is asked before the stock ones, whenever it comes", function()
    -- in a process of its own: the registry is the process's
    local folder = small { model_type = "qwen2" }
    local script = support.folder() .. "/own.lua"
    support.write(script, ([[
      weft.arch { name = "mine", like = "llama",
        match = { model_type = { "qwen2" } } }
      print(assert(weft.open %q).arch)]]):format(folder))
    assert.equal("mine\n", (support.sh("build/weft " .. script .. " 2>&1")))
  end)
end)
