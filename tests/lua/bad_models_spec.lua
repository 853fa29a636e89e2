-- Models that are broken or odd, by the ids of the table of cases. Those of
-- files (S, I, G1-G21, N) are tests in C: the comments on top of
-- tests/c/test_{safetensors,checkpoint,gguf,gguf_tensors,npy}.c say which.
--
--   S14, S15  here: empty tensors and scalars
--   C1        model_spec "a config that is broken", "that is not there"
--   C2        here, and model_spec "with a dim that is no whole number"
--   C3        model_spec "without a size of a head", report_spec "runs
--             without heads"
--   C4        model_spec "whose heads do not share", "with an explicit
--             head_dim"
--   C5        model_spec "that promises a layer more", "a layer less";
--             report_spec "names layers beyond the config's"; here: status 1
--   C6        here: no lm_head; model_spec "a weight that is missing",
--             report_spec "names a missing tensor"
--   C7        report_spec "prints n/a and never NaN", model_spec "of one layer"
--   G22, G23  here: sizes of a wrong type or range in a GGUF
--   G24       here: a block whose scale is no number
--   G25       test_dtype.c, tests/golden/gguf
--   G26       here: one model as F16 in GGUF and in safetensors
local core = require "weft.core"
local weft = require "weft"
local support = require "tests.lua.support"

local matrix = support.matrix

teardown(support.clean)

-- ---- GGUF files byte by byte ----

local U8 <const>, U32 <const>, F32 <const>, STRING <const>, ARRAY <const>,
  U64 <const> = 0, 4, 6, 8, 9, 10

local function string_key(key, text)
  return ("<s8I4s8"):pack(key, STRING, text)
end

-- a GGUF of packed keys and tensors {name=, shape=, type=, bytes=}
local function write_gguf(keys, tensors)
  local infos, data, offset = {}, {}, 0
  for i, tensor in ipairs(tensors) do
    local info = ("<s8I4"):pack(tensor.name, #tensor.shape)
    for axis = #tensor.shape, 1, -1 do
      info = info .. ("<I8"):pack(tensor.shape[axis])
    end
    infos[i] = info .. ("<I4I8"):pack(tensor.type, offset)
    data[i] = tensor.bytes .. ("\0"):rep(-#tensor.bytes % 32)
    offset = offset + #data[i]
  end
  local head = "GGUF" .. ("<I4I8I8"):pack(3, #tensors, #keys)
    .. table.concat(keys) .. table.concat(infos)
  local path = support.folder() .. "/model.gguf"
  support.write(path, head .. ("\0"):rep(-#head % 32) .. table.concat(data))
  return path
end

-- what opening a GGUF of llama with this key says
local function refusal(key)
  local path = write_gguf({ string_key("general.architecture", "llama"), key },
    {})
  local m, message, code = weft.open(path)
  assert.is_nil(m)
  assert.equal("format", code)
  assert.equal(path .. ": ", message:sub(1, #path + 2))
  return message:sub(#path + 3)
end

describe("a size in a GGUF", function()
  it("of a wrong type is an error (G22)", function()
    local key = "llama.attention.head_count"
    local name = "attention.head_count"
    assert.equal(name .. " is '12', a whole number from 1 to 65536 was "
      .. "expected", refusal(string_key(key, "12")))
    assert.equal(name .. " is a table, a whole number from 1 to 65536 was "
      .. "expected",
      refusal(("<s8I4I4I8I1I1"):pack(key, ARRAY, U8, 2, 4, 4)))
    assert.equal(name .. " is 3.5, a whole number from 1 to 65536 was "
      .. "expected", refusal(("<s8I4f"):pack(key, F32, 3.5)))
  end)

  it("out of its range is an error (G23)", function()
    local key, name = "llama.block_count", "block_count"
    for value, shown in pairs { [1 << 32] = "4294967296", [0] = "0",
      [4097] = "4097", [-1] = "1.8446744073709552e+19" } do
      assert.equal(("%s is %s, a whole number from 1 to 4096 was expected")
        :format(name, shown), refusal(("<s8I4i8"):pack(key, U64, value)))
    end
  end)
end)

describe("a config", function()
  it("with heads out of their range is an error (C2)", function()
    local shown = { ["0"] = "0", ["-1"] = "-1", ["3.5"] = "3.5",
      ["1099511627776"] = "1099511627776", ['"12"'] = "'12'" }
    for value, found in pairs(shown) do
      local folder = support.checkpoint(('{"model_type": "llama", '
        .. '"num_attention_heads": %s}'):format(value),
        { { name = "a", tensor = matrix(2, 2), dtype = "F32" } })
      local m, message = weft.open(folder)
      assert.is_nil(m)
      assert.equal(("%s/config.json: num_attention_heads is %s, a whole number "
        .. "from 1 to 65536 was expected"):format(folder, found), message)
    end
    local folder = support.checkpoint('{"num_attention_heads": 1e999}',
      { { name = "a", tensor = matrix(2, 2), dtype = "F32" } })
    local m, message = weft.open(folder)
    assert.is_nil(m)
    assert.equal(folder .. "/config.json: a number that ends at byte 29 is too "
      .. "large", message)
  end)
end)

-- ---- values ----

describe("a block of a GGUF", function()
  it("whose scale is no number is counted and placed (G24)", function()
    local good = ("<I2"):pack(0x3C00) .. ("\x88"):rep(16)
    local keys = { string_key("general.architecture", "novel") }
    for _, scale in ipairs { 0x7C00, 0xFC00, 0x7E00 } do
      local bad = ("<I2"):pack(scale) .. ("\x99"):rep(16)
      local m = assert(weft.open(write_gguf(keys, {
        { name = "blk.0.x.weight", shape = { 2, 64 }, type = 2,
          bytes = good .. good .. good .. bad },
        { name = "blk.1.x.weight", shape = { 2, 64 }, type = 2,
          bytes = good:sub(1, 2) .. ("\x19"):rep(16) .. good:rep(3) },
      })))
      local f = weft.measure(m:weights {}, { "effective_rank" })
      assert.equal("32 non-finite values, the first at row 2, column 33",
        f:row(1).error)
      assert.equal("", f:row(2).error)
      m:close()
    end
  end)
end)

describe("a tensor without values", function()
  it("costs itself, and a scalar is no matrix (S14, S15)", function()
    local m = assert(weft.open(support.checkpoint({ model_type = "novel" }, {
      { name = "a.0.w", tensor = matrix(3, 4), dtype = "F32" },
      { name = "a.1.w", tensor = core.zeros { 2, 0 }, dtype = "F32" },
      { name = "scale", tensor = core.zeros {}, dtype = "F32" },
    })))
    assert.same({ 2, 0 }, m:tensor("a.1.w").shape)
    assert.same({}, m:tensor("scale").shape)
    local left = m:not_analysed()
    assert.equal(1, #left)
    assert.equal("scale", left[1].name)
    local f = weft.measure(m:weights {}, { "effective_rank" })
    assert.equal("", f:row(1).error)
    assert.equal("effective_rank is not defined: there are no singular values",
      f:row(2).error)
  end)
end)

-- ---- whole models ----

local CONFIG <const> = { model_type = "llama", num_hidden_layers = 2,
  hidden_size = 32, num_attention_heads = 4, num_key_value_heads = 2,
  head_dim = 12, intermediate_size = 64, vocab_size = 5 }

-- name in safetensors, name in GGUF, shape
local PARTS <const> = {
  { "self_attn.q_proj", "attn_q", { 48, 32 }, 4 },
  { "self_attn.k_proj", "attn_k", { 24, 32 }, 2 },
  { "self_attn.v_proj", "attn_v", { 24, 32 } },
  { "self_attn.o_proj", "attn_output", { 32, 48 } },
  { "mlp.gate_proj", "ffn_gate", { 64, 32 } },
  { "mlp.up_proj", "ffn_up", { 64, 32 } },
  { "mlp.down_proj", "ffn_down", { 32, 64 } },
}

local function values(layer, part, shape)
  return matrix(shape[1], shape[2], function(i, j)
    return math.sin(i * 1.7 + j * 0.31 * i + layer * 5 + part)
  end)
end

-- the rows of each head as llama.cpp's converter puts them for llama: the
-- two halves by turns
local function interleaved(tensor, heads)
  local rows, out = tensor:totable(), {}
  local half = #rows // heads // 2
  for head = 0, heads - 1 do
    for i = 1, half do
      local at = head * 2 * half
      out[at + 2 * i - 1] = rows[at + i]
      out[at + 2 * i] = rows[at + half + i]
    end
  end
  return core.tensor(out)
end

local function twins(arch)
  local list, infos = {}, {}
  list[1] = { name = "model.embed_tokens.weight", tensor = matrix(5, 32),
    dtype = "F16" }
  infos[1] = { name = "token_embd.weight", shape = { 5, 32 }, type = 1,
    bytes = core.encode(list[1].tensor, "F16") }
  for layer = 0, 1 do
    for i, part in ipairs(PARTS) do
      local tensor = values(layer, i, part[3])
      list[#list + 1] = { tensor = tensor, dtype = "F16",
        name = ("model.layers.%d.%s.weight"):format(layer, part[1]) }
      if arch == "llama" and part[4] then
        tensor = interleaved(tensor, part[4])
      end
      infos[#infos + 1] = { shape = part[3], type = 1,
        name = ("blk.%d.%s.weight"):format(layer, part[2]),
        bytes = core.encode(tensor, "F16") }
    end
  end
  local keys = { string_key("general.architecture", arch) }
  for key, value in pairs { block_count = 2, embedding_length = 32,
    feed_forward_length = 64, vocab_size = 5, ["attention.head_count"] = 4,
    ["attention.head_count_kv"] = 2, ["attention.key_length"] = 12 } do
    keys[#keys + 1] = ("<s8I4I4"):pack(arch .. "." .. key, U32, value)
  end
  local config = {}
  for key, value in pairs(CONFIG) do
    config[key] = value
  end
  config.model_type = arch
  return assert(weft.open(support.checkpoint(config, list))),
    assert(weft.open(write_gguf(keys, infos)))
end

describe("a model in both formats", function()
  for _, arch in ipairs { "llama", "qwen2" } do
    it(("gives the same tensors and spectra (G26, %s)"):format(arch),
      function()
        local plain, twin = twins(arch)
        assert.same(plain.dims, twin.dims)
        assert.same({}, plain.missing)
        assert.same({}, twin.missing)
        local parts = twin:weights {}
        assert.equal(14, #parts)
        for i, part in ipairs(plain:weights {}) do
          assert.equal("F16", parts[i].dtype)
          assert.same(part.tensor:totable(), parts[i].tensor:totable())
        end
        for _, kind in ipairs { "weights", "heads" } do
          local names = { "effective_rank", "spectral_norm" }
          local one = weft.measure(plain[kind](plain, {}), names)
          local other = weft.measure(twin[kind](twin, {}), names)
          assert.equal(one:csv(), other:csv())
          assert.equal("", one:row(1).error)
        end
      end)
  end

  it("without lm_head lacks nothing (C6)", function()
    for _, m in ipairs { twins "llama" } do
      assert.same({}, m.missing)
      assert.equal(5, m.dims.V)
      assert.equal(14, #m:weights {})
    end
  end)
end)

describe("weft report", function()
  it("fails on a layer that is promised and not there (C5)", function()
    local list = {}
    for i, part in ipairs(PARTS) do
      list[i] = { name = ("model.layers.0.%s.weight"):format(part[1]),
        tensor = values(0, i, part[3]), dtype = "F32" }
    end
    local folder, out = support.checkpoint(CONFIG, list), support.folder()
    local printed, status = support.sh(("build/weft report %s --out %s --layer "
      .. "0 --figures none 2>&1 >%s/stdout"):format(folder, out, out))
    assert.equal(1, status)
    assert(printed:find("weft report: layer 1 W_Q: missing: there is no tensor "
      .. "'model.layers.1.self_attn.q_proj.weight'\n", 1, true), printed)
    local text = support.read(out .. "/one_output.md")
    assert(text:find("Planned 14, computed 7, skipped 0, failed 7.", 1, true),
      printed)
  end)
end)
