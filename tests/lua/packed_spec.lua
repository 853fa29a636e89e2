-- Packed weights: found by their names, their values those that other readers
-- make of them, and each that can't be read named with its reason.
local core = require "weft.core"
local json = require "weft.json"
local packed = require "weft.packed"
local support = require "tests.lua.support"
local weft = require "weft"

local GOLDEN <const> = "tests/golden/packed/"

local GPTQ <const> = { quant_method = "gptq", bits = 4 }

-- every tensor of the golden file, by the settings that its like comes with
local CASES <const> = {
  { "block", "F8_E4M3 x F32", { weight_block_size = { 16, 32 } } },
  { "default", "F8_E4M3 x BF16" },
  { "stack", "F8_E4M3 x F32", { weight_block_size = { 16, 32 } } },
  { "tensor", "F8_E4M3 x F32" },
  { "row", "F8_E5M2 x F16", { weight_block_size = "none" } },
  { "exponent", "F8_E4M3 x F8_E8M0" },
  { "gate_up_proj", "MXFP4", bare = true },
  { "down_proj", "MXFP4", bare = true },
  { "gptq4", "GPTQ-4", GPTQ },
  { "gptq4_plain", "GPTQ-4", { quant_method = "gptq", bits = 4,
    group_size = 16, checkpoint_format = "gptq" } },
  { "gptq8", "GPTQ-8", { quant_method = "gptq", bits = 8, group_size = 8 } },
  { "gptq4_v2", "GPTQ-4", { quant_method = "gptq", bits = 4, group_size = -1,
    checkpoint_format = "gptq_v2" } },
  { "awq4", "AWQ-4", { quant_method = "awq", bits = 4, version = "GEMM" } },
  { "int8", "I8 x F32 / 127" },
  { "nf4", "NF4" },
  { "nf4_flat", "NF4" },
  { "fp4", "FP4" },
}

local function over(settings, name)
  return packed.over(assert(core.open(GOLDEN .. (name or "packed")
    .. ".safetensors")), { quantization_config = settings })
end

-- a safetensors file of {name, dtype, shape, bytes} and its config.json
local function write(config, list)
  local folder <const>, header, data = support.folder(), {}, {}
  local at = 0
  for i, item in ipairs(list) do
    local name <const>, dtype <const>, shape <const>, bytes <const> =
      table.unpack(item)
    header[i] = ("%s:%s"):format(json.encode(name), ([[{"dtype":"%s",
      "shape":[%s],"data_offsets":[%d,%d]}]]):format(dtype,
      table.concat(shape, ","), at, at + #bytes))
    data[i] = bytes
    at = at + #bytes
  end
  local text <const> = "{" .. table.concat(header, ",") .. "}"
  support.write(folder .. "/model.safetensors",
    string.pack("<s8", text) .. table.concat(data))
  support.write(folder .. "/config.json", json.encode(config))
  return folder
end

local function copied(model, change)
  local folder <const> = support.folder()
  support.sh(("cp %s%s/* %s"):format(GOLDEN, model, folder))
  local config <const> = support.json(folder .. "/config.json")
  change(config)
  support.write(folder .. "/config.json", json.encode(config))
  return assert(weft.open(folder))
end

teardown(support.clean)

describe("packed values", function()
  it("are those of the reference", function()
    local truth <const> = assert(core.open(GOLDEN .. "expected.safetensors"))
    for _, case in ipairs(CASES) do
      local ck <const> = over(case[3])
      local name <const> = case[1] .. (case.bare and "" or ".weight")
      local t <const> = assert(ck:tensor(name))
      local wanted <const> = truth:tensor(case[1] .. ".f64")
      assert.equal(case[2], t.dtype)
      assert.same(wanted.shape, t.shape)
      assert.same(wanted:totable(), t:totable())
      local entry <const> = ck:entry(name)
      assert.equal(name, entry.name)
      assert.equal(case[2], entry.dtype)
      assert.same(wanted.shape, entry.shape)
      assert.is_nil(entry.reason)
    end
  end)

  it("have gate and up in even and odd rows", function()
    local truth <const> = assert(core.open(GOLDEN .. "expected.safetensors"))
    local both <const> = over():tensor("gate_up_proj")[2]
    local wanted <const> = truth:tensor("gate_up_proj.f64")[2]
    for first = 1, 2 do
      local part <const> = both:rows(first, 12, 2)
      assert.equal("MXFP4", part.dtype)
      assert.same(wanted:rows(first, 12, 2):totable(), part:totable())
      assert.same(wanted:rows(first, 12, 2):t():totable(),
        part:t():totable())
    end
  end)

  it("take part in everything that a file's tensor does", function()
    for _, case in ipairs(CASES) do
      local ck <const> = over(case[3])
      local name <const> = case[1] .. (case.bare and "" or ".weight")
      local t = ck:tensor(name)
      t = #t.shape == 3 and t[1] or t
      local plain <const> = t:to "f64"
      assert.same(plain:cols(2, t.shape[2], 3):totable(),
        t:cols(2, t.shape[2], 3):totable())
      assert.equal(plain:get(2, 3), t:get(2, 3))
      assert.same(plain:t()[2]:totable(), t:t()[2]:totable())
      local again <const> = ck:tensor(name)
      assert.is_true(t == (#again.shape == 3 and again[1] or again))
      local found <const> = core.spectra({ t, t:t() }, { shown = true })
      local wanted <const> = core.svdvals(plain)
      for i = 1, #wanted do
        for _, s in ipairs(found) do
          assert(math.abs(wanted[i] - s[i]) < 1e-11 * wanted[1], case[1])
        end
      end
      assert(not pcall(t.set, t, 1, 1, 0))
      t:close()
      assert.has_error(function() return t:get(1, 1) end, "tensor is closed")
    end
  end)

  it("keep their checkpoint, and close with it", function()
    local ck <const> = over(GPTQ)
    local t = over(GPTQ):tensor("gptq4.weight"):t()
    collectgarbage()
    assert.equal(24, #t[1]:totable())
    t = ck:tensor("gptq4.weight")
    ck:close()
    assert.has_error(function() return t:get(1, 1) end, "tensor is closed")
  end)
end)

describe("the checkpoint over the stored one", function()
  it("answers as that where nothing is packed", function()
    local path <const> = GOLDEN .. "expected.safetensors"
    local stored <const> = assert(core.open(path))
    local ck <const> = packed.over(stored)
    assert.same(stored:names(), ck:names())
    assert.same(stored:names(), ck:values())
    assert.same(stored:meta(), ck:meta())
    assert.same(stored:notes(), ck:notes())
    assert.equal(#stored, #ck)
    assert.equal(tostring(stored), tostring(ck))
    assert.equal("safetensors", ck.format)
    assert.equal(path, ck.path)
    assert.same(stored:entry("block.f32"), ck:entry("block.f32"))
    assert.is_true(stored:tensor("block.f32") == ck:tensor("block.f32"))
    local _, message <const>, code <const> = ck:entry("nothing.weight")
    assert.equal(path .. ": no tensor 'nothing.weight'", message)
    assert.equal("argument", code)
    assert.same({ nil, message, code }, { ck:tensor "nothing.weight" })
    ck:close()
  end)

  it("says whose the parts are", function()
    local ck <const> = over(GPTQ)
    for name, owner in pairs { ["block.weight_scale_inv"] = "block.weight",
      ["tensor.weight_scale"] = "tensor.weight",
      gate_up_proj_blocks = "gate_up_proj",
      gate_up_proj_scales = "gate_up_proj", ["gptq4.qweight"] = "gptq4.weight",
      ["gptq4.qzeros"] = "gptq4.weight", ["gptq4.scales"] = "gptq4.weight",
      ["gptq4.g_idx"] = "gptq4.weight", ["int8.SCB"] = "int8.weight",
      ["int8.weight_format"] = "int8.weight",
      ["nf4.weight.absmax"] = "nf4.weight",
      ["nf4.weight.quant_map"] = "nf4.weight",
      ["fp4.weight.quant_state.bitsandbytes__fp4"] = "fp4.weight",
      ["nested.weight.nested_absmax"] = "nested.weight" } do
      assert.equal(owner, ck:entry(name).part_of, name)
      -- and still has them as they are stored
      assert.equal(ck.stored:entry(name).dtype, ck:tensor(name).dtype)
    end
    local values <const> = ck:values()
    assert.equal(#CASES + 3, #values)
    for _, name in ipairs(values) do
      assert.is_nil(ck:entry(name).part_of)
    end
  end)
end)

describe("what can't be read", function()
  local function refused(settings, name, reason)
    local ck <const> = over(settings)
    assert.equal(reason, ck:entry(name).reason)
    local t <const>, message <const> = ck:tensor(name)
    assert.is_nil(t)
    assert.equal(reason, message)
  end

  it("is named with its reason", function()
    local gptq <const> = "gptq4.weight"
    refused(nil, gptq,
      "packed integers, and no quantization_config that says how")
    refused({ quant_method = "quip" }, gptq,
      "integers packed by 'quip' are not read")
    refused({ quant_method = "gptq", bits = 3 }, gptq,
      "GPTQ of 3 bits is not read: expected 4 or 8")
    refused({ quant_method = "gptq", bits = 4, checkpoint_format = "marlin" },
      gptq, "GPTQ's checkpoint_format 'marlin' is not known")
    refused({ quant_method = "awq", bits = 4, version = "gemv" },
      "awq4.weight", "AWQ's version 'gemv' is not known")
    refused({ quant_method = "awq", bits = 8 }, "awq4.weight",
      "AWQ of 8 bits is not read: expected 4")
    refused({ quant_method = "gptq", bits = 8 }, gptq,
      "g_idx is [64]: expected [32]")
    refused({ quant_method = "gptq", bits = 8 }, "gptq4_plain.weight",
      "qzeros is [3, 2]: expected [3, 4]")
    refused({ quant_method = "awq", bits = 4, group_size = 32 },
      "awq4.weight", "3 groups of 48 rows: expected 2 of 32")
    refused(nil, "nested.weight",
      "bitsandbytes' four bits with a quantised absmax are not read")
  end)

  it("is never taken for integers", function()
    local ck <const> = over()
    local bare <const> = "packed integers, no scales beside it"
    assert.equal(bare, ck:entry("bare.weight").reason)
    assert.equal(bare, ck:entry("words.weight").reason)
    -- whoever asks for them gets what is stored
    assert.equal("U8", ck:tensor("bare.weight").dtype)
  end)

  it("is said of the names that other packings have", function()
    local words <const> = ("\0"):rep(64)
    local ck = packed.over(assert(core.open(write({}, {
      { "a.weight_packed", "I32", { 4, 4 }, words },
      { "a.weight_scale", "F32", { 4, 4 }, words },
      { "b.weight", "I8", { 8, 8 }, words },
      { "b.SCB", "F32", { 8 }, words:sub(1, 32) },
      { "b.weight_format", "U8", {}, "\2" },
      { "c.weight", "I8", { 8, 8 }, words },
      { "c.weight_scale", "F32", { 8, 1 }, words:sub(1, 32) },
      { "d.weight", "U8", { 8, 1 }, words:sub(1, 8) },
      { "d.weight.absmax", "F32", { 1 }, words:sub(1, 4) },
      { "e.weight", "I8", { 8, 8 }, words },
      { "f_blocks", "U8", { 2, 2, 16 }, words },
      { "g.weight", "F8_E4M3", { 8, 8 }, words },
      { "g.weight_scale_inv", "F32", { 3, 1 }, words:sub(1, 12) },
    }))))
    for name, reason in pairs {
      ["a.weight"] = "compressed-tensors' packed integers are not read",
      ["b.weight"] = "bitsandbytes' int8 in layout 2 is not read",
      ["c.weight"] = "integers with scales, and no quantization_config that "
        .. "says how",
      ["d.weight"] = "bitsandbytes' four bits without their quant_state",
      ["e.weight"] = "packed integers, no scales beside it",
      f = "there is no scales",
      ["g.weight"] = "scale is [3, 1] beside a weight of [8, 8]: expected "
        .. "one for each block of 128 x 128, row or tensor",
    } do
      assert.equal(reason, ck:entry(name).reason)
    end
    ck = packed.over(ck.stored, { quantization_config = {
      quant_method = "compressed-tensors", format = "int-quantized" } })
    assert.equal("I8 x F32", ck:entry("c.weight").dtype)
  end)

  it("raises on wrong arguments", function()
    local ck <const> = assert(core.open(GOLDEN .. "packed.safetensors"))
    local t <const> = ck:tensor "block.weight"
    assert.has_error(function() return core.packed("zip", { t }) end,
      "bad argument #1 to 'packed' (invalid option 'zip')")
    assert.has_error(function() return core.packed("scaled", { t, 1 }) end,
      "bad argument #2 to 'packed' (element 2 is number, expected a tensor)")
    assert.has_error(function()
      return core.packed("scaled", { t, t }, { block = { 0, 1 } })
    end, "bad argument #3 to 'packed' (option 'block': element 1 is 0, "
      .. "expected a positive integer)")
    assert.has_error(function()
      return core.packed("gptq", { t, t, t }, { bits = 99 })
    end, "bad argument #3 to 'packed' (option 'bits': 99, expected an "
      .. "integer from 0 to 32)")
    assert.same({ nil, "there is no scale", "argument" },
      { core.packed("scaled", { t }) })
  end)
end)

-- the values of a part, from the file's tensors alone
local function check_model(name, dtypes)
  local m <const> = assert(weft.open(GOLDEN .. name))
  assert.same({}, m.missing)
  local parts <const> = m:weights {}
  local plain <const> = {}
  for i, part in ipairs(parts) do
    assert(part.tensor, part.reason)
    assert.equal(dtypes[part.type] or dtypes[1], part.tensor.dtype)
    assert.equal(part.tensor.dtype, part.dtype)
    plain[i] = { layer = 0, name = part.name, tensor = part.tensor:to "f64" }
  end
  local found <const> = weft.measure(parts, { "effective_rank", "condition" })
  local wanted <const> = weft.measure(plain, { "effective_rank", "condition" })
  for i = 1, #wanted do
    support.near(wanted:row(i).effective_rank, found:row(i).effective_rank,
      1e-12)
    support.near(wanted:row(i).condition, found:row(i).condition, 1e-6)
  end
  local q <const>, k <const> = m:weight(0, "W_Q", 1), m:weight(0, "W_K", 1)
  local kernel <const> = core.kernel(q:to "f64", k:to "f64"):svdvals()
  for i, value in ipairs(m:qk(0, 1):svdvals():totable()) do
    support.near(kernel[i], value, 1e-12)
  end
  return m
end

describe("models", function()
  it("are read as their values", function()
    check_model("fp8", { "F8_E4M3 x F32" })
    check_model("gptq", { "GPTQ-4" })
    check_model("awq", { "AWQ-4" })
    check_model("int8", { "I8 x F32 / 127" })
    check_model("nf4", { "NF4" })
    local m <const> = check_model("gpt_oss", { "BF16", W_gate = "MXFP4",
      W_up = "MXFP4", W_down = "MXFP4" })
    assert.same({ 64, 32 }, m:weight(0, "W_up.1").shape)
    assert.same({ 32, 64 }, m:weight(0, "W_down.0").shape)
  end)

  it("list as not analysed only what no weight is made of", function()
    for _, name in ipairs { "fp8", "gptq", "awq", "int8", "nf4" } do
      local m <const> = assert(weft.open(GOLDEN .. name))
      local left <const> = {}
      for i, entry in ipairs(m:not_analysed()) do
        left[i] = entry.name
      end
      table.sort(left)
      assert.same({ "model.embed_tokens.weight",
        "model.layers.0.input_layernorm.weight",
        "model.layers.0.post_attention_layernorm.weight",
        "model.norm.weight" }, left)
    end
  end)

  it("say of every part why it can't be had", function()
    local m <const> = copied("gptq", function(config)
      config.quantization_config.bits = 2
    end)
    assert.equal(7, #m.missing)
    for _, part in ipairs(m.missing) do
      assert.equal("GPTQ of 2 bits is not read: expected 4 or 8",
        part.reason)
    end
    assert.has_error(function() return m:weight(0, "W_Q") end,
      "layer 0 W_Q: GPTQ of 2 bits is not read: expected 4 or 8")
  end)

  it("of no known family have packed matrices once", function()
    local words <const> = ("\x31\x75\x86\x42"):rep(8)
    local ones <const> = ("\0\x3C"):rep(8)
    local m <const> = assert(weft.open(write({ quantization_config = GPTQ }, {
      { "tower.0.mix.qweight", "I32", { 1, 8 }, words },
      { "tower.0.mix.qzeros", "I32", { 1, 1 }, "\0\0\0\0" },
      { "tower.0.mix.scales", "F16", { 1, 8 }, ones },
      { "tower.0.plain", "F16", { 2, 4 }, ones },
      { "tower.0.weight", "U8", { 4, 4 }, ones },
    })))
    local found <const> = {}
    for _, part in ipairs(m:weights {}) do
      found[part.source] = part.reason or part.dtype
    end
    assert.same({ ["tower.0.mix.weight"] = "GPTQ-4",
      ["tower.0.plain"] = "F16",
      ["tower.0.weight"] = "packed integers, no scales beside it" }, found)
    -- the low four bits are row 0, less a zero point of 0 + 1
    assert.equal(0, m:tensor("tower.0.mix.weight"):get(1, 1))
    assert.equal(2, m:tensor("tower.0.mix.weight"):get(1, 2))
  end)
end)
