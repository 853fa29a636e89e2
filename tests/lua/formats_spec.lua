-- One small llama in every format: the same tensors, spectra and kernels, and
-- the same report; what a format can't give is named. Also weft.save.
local core = require "weft.core"
local support = require "tests.lua.support"
local weft = require "weft"

local GOLDEN <const> = "tests/golden/formats/"
local PROGRAM <const> = assert(arg[-1], "run by weft itself")

local function run(...)
  local words <const> = { support.quoted(PROGRAM) }
  for _, word in ipairs { ... } do
    words[#words + 1] = support.quoted(word)
  end
  return support.sh(table.concat(words, " ") .. " 2>&1")
end

-- a new folder with the small llama's config.json
local function with_config()
  local folder <const> = support.folder()
  support.write(folder .. "/config.json",
    support.read(GOLDEN .. "safetensors/config.json"))
  return folder
end

-- the small llama's tensors by name
local function tensors()
  local m <const> = assert(weft.open(GOLDEN .. "safetensors"))
  local all <const> = {}
  for _, name in ipairs(m:tensors()) do
    all[name] = m:tensor(name)
  end
  return all, m
end

-- where the llama lies in a format; those that weft writes itself are made
local PLACES <const> = {
  torch = function() return GOLDEN .. "torch" end,
  ["torch's shards"] = function() return GOLDEN .. "sharded" end,
  gguf = function() return GOLDEN .. "gguf" end,
  ["a split gguf"] = function() return GOLDEN .. "split" end,
  ["one part of a split gguf"] = function()
    return GOLDEN .. "split/same-llama-00002-of-00002.gguf"
  end,
  npz = function()
    local folder <const> = with_config()
    local all <const>, m <const> = tensors()
    assert(weft.save(folder .. "/weights.npz", all))
    m:close()
    return folder
  end,
  ["a folder of npy"] = function()
    local folder <const> = with_config()
    local all <const>, m <const> = tensors()
    for name, tensor in pairs(all) do
      assert(weft.save(("%s/%s.npy"):format(folder, name), tensor))
    end
    m:close()
    return folder
  end,
}

local FORMATS <const> = { torch = "pytorch", ["torch's shards"] = "pytorch",
  gguf = "gguf", ["a split gguf"] = "gguf",
  ["one part of a split gguf"] = "gguf", npz = "npz",
  ["a folder of npy"] = "npy" }

local ORDER <const> = {}
for name in pairs(PLACES) do
  ORDER[#ORDER + 1] = name
end
table.sort(ORDER)

teardown(support.clean)

describe("the same llama as", function()
  for _, name in ipairs(ORDER) do
    describe(name, function()
      local first, other

      setup(function()
        first = assert(weft.open(GOLDEN .. "safetensors"))
        other = assert(weft.open(PLACES[name]()))
      end)

      teardown(function()
        first:close()
        other:close()
      end)

      it("is told as one", function()
        assert.equal(FORMATS[name], other.format)
        assert.equal("llama", other.arch)
        assert.same(first.dims, other.dims)
        assert.same({}, other.missing)
        assert.equal(#first:tensors(), #other:tensors())
        assert.same({}, other.checkpoint:notes())
      end)

      it("has the same tensors", function()
        local list <const> = other:weights {}
        assert.equal(7, #list)
        for i, part in ipairs(first:weights {}) do
          assert.equal(part.name, list[i].name)
          assert.same(part.tensor:totable(), list[i].tensor:totable())
        end
      end)

      it("has the same spectra and kernels", function()
        local function spectra(m)
          local list <const> = {}
          for _, part in ipairs(m:weights {}) do
            list[#list + 1] = part.tensor
          end
          for _, part in ipairs(m:heads {}) do
            list[#list + 1] = part.kernel
          end
          local results <const> = weft.spectra(list)
          for i, s in ipairs(results) do
            results[i] = s:totable()
          end
          return results
        end
        local found <const> = spectra(other)
        assert.equal(13, #found)
        assert.same(spectra(first), found)
      end)
    end)
  end
end)

describe("weft report of a PyTorch checkpoint", function()
  it("writes what it writes of safetensors", function()
    local csv <const> = {}
    for _, name in ipairs { "safetensors", "torch" } do
      local folder <const> = support.folder()
      local output <const>, status <const> = run("report", GOLDEN .. name,
        "--layer", "0", "--out", folder, "--figures", "none", "--quiet")
      assert.equal("", output)
      assert.equal(0, status)
      csv[#csv + 1] = support.read(support.sh("ls " .. support.quoted(folder)
        .. "/*.csv"):match "[^\n]+")
    end
    assert.truthy(#csv[1] > 200)
    assert.equal(csv[1], csv[2])
  end)
end)

describe("tensors that can't be read", function()
  it("are listed and named where torch has odd strides", function()
    local path <const> = "tests/golden/torch/strides.pt"
    local m <close> = assert(weft.open(path))
    local why <const> = "tensor 'columns': strides [6, 1], only row-major "
      .. "order and a transposed matrix are read"
    assert.equal(3, #m.missing)
    assert.equal(why, m.missing[1].reason)
    assert.has_error(function() m:tensor "columns" end, why)
    local output <const>, status <const> = run("info", path)
    assert.equal(0, status)
    assert.truthy(output:find("columns +F32 +4x2"))
    assert.truthy(output:find(why, 1, true))
    local rows <const> = run("weights", path, "--format", "csv")
    assert.truthy(rows:find(why, 1, true))
  end)

  it("are listed and named where ggml has a type that weft hasn't", function()
    local IQ1_S <const>, BYTES <const> = 19, 50 -- a block of 256
    local path <const> = support.folder() .. "/m.gguf"
    local head <const> = "GGUF" .. ("<I4I8I8"):pack(3, 1, 0)
      .. ("<s8I4I8I8I4I8"):pack("blk.0.w", 2, 256, 1, IQ1_S, 0)
    support.write(path, head .. ("\0"):rep(-#head % 32 + BYTES))
    local output <const>, status <const> = run("info", path)
    assert.equal(0, status)
    assert.truthy(output:find "blk%.0%.w +IQ1_S +1x256 +50")
    local rows <const>, code <const> = run("weights", path, "--format", "csv")
    assert.equal(1, code)
    assert.truthy(rows:find("IQ1_S", 1, true))
    assert.truthy(rows:find("1 of 1 rows failed", 1, true))
  end)
end)

describe("weft.save of a table", function()
  local values <const> = { b = weft.tensor({ 1, 2, 3 }, "f32"),
    a = weft.tensor({ { 0.5, -1 } }, "f32"), wide = weft.tensor { 7 } }

  it("writes wide elements first and then by name, aligned", function()
    local path <const> = support.folder() .. "/t.safetensors"
    assert.is_true(weft.save(path, values))
    local text <const> = support.read(path)
    local n <const> = ("<I8"):unpack(text)
    local header <const> = text:sub(9, 8 + n)
    assert.equal(0, n % 8)
    assert.equal('{"__metadata__":{"format":"pt"},'
      .. '"wide":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},'
      .. '"a":{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]},'
      .. '"b":{"dtype":"F32","shape":[3],"data_offsets":[16,28]}}',
      (header:gsub(" +$", "")))
    local m <close> = assert(weft.open(path))
    for name, tensor in pairs(values) do
      assert.same(tensor:totable(), m:tensor(name):totable())
    end
  end)

  it("writes an .npz that is a checkpoint again", function()
    local path <const> = support.folder() .. "/t.npz"
    assert.is_true(weft.save(path, values))
    local m <close> = assert(weft.open(path))
    assert.equal("npz", m.format)
    assert.same({ "a", "b", "wide" }, (function()
      local names <const> = m:tensors()
      table.sort(names)
      return names
    end)())
    assert.same(values.a:totable(), m:tensor("a"):totable())
  end)

  it("is read by the reference reader", function()
    local python <const> = support.quoted(os.getenv "BENCH_PYTHON"
      or "python3")
    local _, missing <const> = support.sh(python
      .. " -c 'import numpy, safetensors' 2>&1")
    if missing ~= 0 then
      pending "no python3 with numpy and safetensors"
      return
    end
    local path <const> = support.folder() .. "/t.safetensors"
    assert.is_true(weft.save(path, values))
    assert.equal("a float32 [[0.5, -1.0]]\nb float32 [1.0, 2.0, 3.0]\n"
      .. "wide float64 [7.0]\n", (support.sh(python .. " -c '\n"
      .. "import sys\nfrom safetensors.numpy import load_file\n"
      .. "for name, value in sorted(load_file(sys.argv[1]).items()):\n"
      .. "    print(name, value.dtype, value.tolist())' "
      .. support.quoted(path))))
  end)

  it("names what it can't write", function()
    local path <const> = support.folder() .. "/t.safetensors"
    local ok, message, code = weft.save(path,
      { a = values.a, x = weft.tensor({ 1 }, "i64") })
    assert.is_nil(ok)
    assert.equal("tensor 2 'x' has dtype i64, expected F64, F32, F16 or BF16",
      message)
    assert.equal("argument", code)
    ok, message = weft.save(path, { a = 1 })
    assert.is_nil(ok)
    assert.equal("tensor 1 'a' is a number, expected a tensor", message)
    assert.is_nil((core.sys.read(path)))
    ok, message = weft.save("t.txt", values)
    assert.is_nil(ok)
    assert.equal("t.txt: expected a name in .npy, .npz or .safetensors",
      message)
  end)
end)

describe("a folder without a checkpoint", function()
  it("is told what was looked for", function()
    local folder <const> = support.folder()
    local m <const>, message <const>, code <const> = weft.open(folder)
    assert.is_nil(m)
    assert.equal(folder .. ": no model.safetensors, no pytorch_model.bin and "
      .. "no index of either in this folder, nor any other .safetensors, "
      .. ".gguf, .npz or .npy file", message)
    assert.equal("io", code)
  end)
end)
