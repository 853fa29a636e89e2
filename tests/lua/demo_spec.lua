-- weft demo: its options, its files, and that its weights show what they are
-- made to show. Also cli and save, which carry it.
local core = require "weft.core"
local support = require "tests.lua.support"
local lfs = require "lfs"
local save = require "weft.save"
local sys = core.sys

local TRENDS <const> = {
  W_Q = "U", W_K = "down", W_V = "up", W_O = "hill", W_gate = "down",
  W_down = "U",
}
local TENSORS <const> = {
  W_Q = "self_attn.q_proj", W_K = "self_attn.k_proj",
  W_V = "self_attn.v_proj", W_O = "self_attn.o_proj",
  W_gate = "mlp.gate_proj", W_up = "mlp.up_proj", W_down = "mlp.down_proj",
}
local SMALL <const> = { "--num-hidden-layers", "3", "--hidden-size", "24",
  "--intermediate-size", "40", "--num-attention-heads", "4", "--vocab-size",
  "30" }

-- a folder that is gone after the tests
local folder

local function demo(dir, ...)
  return sys.run { "build/weft", "demo", folder .. "/" .. dir, ... }
end

local function small(dir, ...)
  local argv = { "build/weft", "demo", folder .. "/" .. dir,
    table.unpack(SMALL) }
  return sys.run(table.move({ ... }, 1, select("#", ...), #argv + 1, argv))
end

local function files_of(dir)
  local names = {}
  for name in lfs.dir(folder .. "/" .. dir) do
    names[#names + 1] = name ~= "." and name ~= ".." and name or nil
  end
  table.sort(names)
  return names
end

local function read(path)
  return assert(sys.read(folder .. "/" .. path))
end

-- FNV-1a, 64 bits
local function checksum(text)
  local hash = 0xCBF29CE484222325
  for i = 1, #text do
    hash = (hash ~ text:byte(i)) * 0x100000001B3
  end
  return ("%016X"):format(hash)
end

setup(function()
  local _, name = assert(sys.run { "mktemp", "-d" })
  folder = name:gsub("\n", "")
end)

teardown(function()
  sys.run { "rm", "-rf", folder }
end)

describe("weft demo", function()
  local ck

  setup(function()
    assert(demo("default") == 0)
    ck = assert(core.open(folder .. "/default"))
  end)

  teardown(function()
    ck:close()
  end)

  local function weight(layer, part)
    return assert(ck:tensor(("model.layers.%d.%s.weight"):format(layer,
      TENSORS[part])))
  end

  local function ranks(part)
    local list = {}
    for layer = 0, 11 do
      list[#list + 1] = support.effective_rank(core.svdvals(weight(layer, part))
        :totable())
    end
    return list
  end

  it("prints the folder and its files", function()
    local status, output = small "printed"
    assert.equal(0, status)
    local sizes = {}
    for i, name in ipairs { "model-00001-of-00002.safetensors",
      "model-00002-of-00002.safetensors", "model.safetensors.index.json",
      "config.json" } do
      sizes[i] = ("  %s %d bytes\n"):format(name,
        lfs.attributes(folder .. "/printed/" .. name, "size"))
    end
    assert.equal(folder .. "/printed: qwen2, 3 layers, 14856 parameters in "
      .. "float16\n" .. table.concat(sizes), output)
  end)

  it("writes config.json's own keys", function()
    local config = core.json(read "default/config.json")
    assert.equal("weft/demo", config._name_or_path)
    assert.equal("Qwen2ForCausalLM", config.architectures[1])
    for key, value in pairs { num_hidden_layers = 12, hidden_size = 192,
      intermediate_size = 512, num_attention_heads = 6,
      num_key_value_heads = 2, vocab_size = 512, torch_dtype = "float16",
      model_type = "qwen2" } do
      assert.equal(value, config[key], key)
    end
    assert.is_nil(config.head_dim)
  end)

  it("writes all tensors, each where the index says", function()
    local index = core.json(read "default/model.safetensors.index.json")
    local bytes, last = 0, nil
    assert.equal(2 + 12 * 12, #ck)
    for _, name in ipairs(ck:names()) do
      local entry = ck:entry(name)
      assert.equal("F16", entry.dtype)
      assert.equal(index.weight_map[name], entry.file:match "[^/]+$")
      bytes, last = bytes + entry.bytes, name
    end
    assert.equal("model.norm.weight", last)
    assert.equal(index.metadata.total_size, bytes)
    assert.same({}, ck:notes())
    assert.same({ 512, 192 }, weight(3, "W_gate").shape)
    assert.same({ 192, 512 }, weight(3, "W_down").shape)
    assert.same({ 64, 192 }, weight(3, "W_K").shape)
    local bias = ck:tensor "model.layers.0.self_attn.q_proj.bias":totable()
    local low, high = math.min(table.unpack(bias)),
      math.max(table.unpack(bias))
    assert(low < -0.009 and low >= -0.01 and high > 0.009 and high <= 0.01)
  end)

  it("plants the spectrum it says", function()
    -- W_up of layer 0: 2 / (1 + 10 k / n), as F16 rounds it
    for k, s in ipairs(core.svdvals(weight(0, "W_up")):totable()) do
      assert.near(1, s / (2 / (1 + 10 * (k - 1) / 192)), 5e-4)
    end
  end)

  for part, trend in pairs(TRENDS) do
    it("shows a trend in thirds: " .. part .. " " .. trend, function()
      local mean, list = { 0, 0, 0 }, ranks(part)
      for i, rank in ipairs(list) do
        mean[(i - 1) // 4 + 1] = mean[(i - 1) // 4 + 1] + rank / 4
      end
      local first, second = mean[2] / mean[1], mean[3] / mean[2]
      local fall, rise = 0.8, 1.25 -- clearly, not by a hair
      assert(trend:find "U" and first < fall and second > rise
        or trend == "hill" and first > rise and second < fall
        or trend == "down" and first < fall and second < fall
        or trend == "up" and first > rise and second > rise,
        table.concat(mean, " "))
      if trend == "down" or trend == "up" then
        for i = 2, 12 do
          assert((list[i] < list[i - 1]) == (trend == "down"), i)
        end
      end
    end)
  end

  it("drops W_gate at the middle layer and leaves W_up flat", function()
    local gate, up = ranks "W_gate", ranks "W_up"
    for i = 2, 12 do
      assert((gate[i] - gate[i - 1] < -80) == (i == 7), i)
    end
    assert(math.max(table.unpack(up)) / math.min(table.unpack(up)) < 1.05)
  end)

  it("has two heads of low rank in every layer", function()
    local sum_low, sum_rest = 0, 0
    for layer = 0, 11 do
      local q, k, rank = weight(layer, "W_Q"), weight(layer, "W_K"), {}
      for head = 0, 5 do
        local group = head // 3
        rank[head] = support.effective_rank(core.kernel(
          q:rows(head * 32 + 1, head * 32 + 32),
          k:rows(group * 32 + 1, group * 32 + 32)):svdvals():totable())
      end
      assert(math.max(rank[1], rank[5]) <
        math.min(rank[0], rank[2], rank[3], rank[4]), layer)
      sum_low = sum_low + rank[1] + rank[5]
      sum_rest = sum_rest + rank[0] + rank[2] + rank[3] + rank[4]
    end
    assert(sum_low / 2 < 0.6 * sum_rest / 4)
  end)

  it("writes the same bytes everywhere", function()
    assert.equal(0, (small "once"))
    assert.equal(0, (small "twice"))
    for _, name in ipairs(files_of "once") do
      assert.equal(read("once/" .. name), read("twice/" .. name))
    end
    assert.equal("D73432182A8A41CD", checksum(read
      "once/model-00001-of-00002.safetensors"))
    assert.equal("182B1120E4528E25", checksum(read
      "once/model-00002-of-00002.safetensors"))
    assert.equal(0, (small("other", "--seed", "2")))
    assert.not_equal(read "once/model-00001-of-00002.safetensors",
      read "other/model-00001-of-00002.safetensors")
  end)

  it("follows its options", function()
    local status, output = small("options", "--shards", "1", "--head-dim", "5",
      "--torch-dtype", "bfloat16", "--model-type", "llama")
    assert.equal(0, status, output)
    assert.same({ "config.json", "model.safetensors" }, files_of "options")
    local other <close> = assert(core.open(folder .. "/options"))
    local q = other:entry "model.layers.2.self_attn.q_proj.weight"
    assert.equal("BF16", q.dtype)
    assert.same({ 20, 24 }, q.shape)
    assert.equal(2 + 3 * 9, #other)
    local config = core.json(read "options/config.json")
    assert.equal(5, config.head_dim)
    assert.equal("LlamaForCausalLM", config.architectures[1])
  end)
end)

describe("weft demo refuses", function()
  local REFUSED <const> = {
    { "--num-hidden-layers: '0', expected an integer from 1 to 512",
      "--num-hidden-layers", "0" },
    { "--hidden-size: '1e3', expected an integer from 1 to 16384",
      "--hidden-size", "1e3" },
    { "--vocab-size: '99999999999999999999', expected an integer from 1 to "
      .. "262144", "--vocab-size", "99999999999999999999" },
    { "--shards: '', expected an integer from 1 to 512", "--shards", "" },
    { "--seed: '-1', expected an integer from 0 to 9007199254740992",
      "--seed=-1" },
    { "--num-attention-heads: 6, expected a divisor of --hidden-size 100, or "
      .. "a --head-dim", "--hidden-size", "100" },
    { "--num-key-value-heads: 4, expected a divisor of --num-attention-heads 6",
      "--num-key-value-heads", "4" },
    { "--shards: 13, expected 1 to --num-hidden-layers 12", "--shards", "13" },
    { "1639055360 parameters together, expected at most 1073741824",
      "--num-hidden-layers=1", "--hidden-size", "16384",
      "--num-attention-heads", "16", "--num-key-value-heads", "8",
      "--intermediate-size", "4591", "--vocab-size", "37110", "--shards", "1" },
    { "argument for option '--torch-dtype' must be one of 'float16', "
      .. "'bfloat16', 'float32'", "--torch-dtype", "int8" },
    { "unknown option '--bog\\x1Bus'", "--bog\27us" },
    { "too many arguments", "another" },
  }
  for _, case in ipairs(REFUSED) do
    it(case[1], function()
      local status, output = demo("refused", table.unpack(case, 2))
      assert.equal("weft demo: " .. case[1], output:match "[^\n]*")
      assert.truthy(output:find "\nUsage: weft demo %[%-h%]")
      assert.equal(2, status)
      assert.is_nil(lfs.attributes(folder .. "/refused"))
    end)
  end

  it("an empty name", function()
    local status, output = sys.run { "build/weft", "demo", "" }
    assert.equal(2, status)
    assert.equal("weft demo: DIR: an empty name, expected a folder's",
      output:match "[^\n]*")
  end)

  it("nothing where help is asked for", function()
    local status, output = demo("refused", "--help")
    assert.equal(0, status)
    assert.truthy(output:find("%-%-num%-key%-value%-heads N"))
  end)
end)

describe("weft demo in a folder that is there", function()
  local function put(path, text)
    assert(sys.mkdir((folder .. "/" .. path):match "(.*)/"))
    assert(sys.write(folder .. "/" .. path, text))
  end

  it("touches nothing that is not a demo's", function()
    put("model/config.json", '{"_name_or_path": "someone/else"}')
    put("model/model.safetensors", "precious")
    local status, output = small "model"
    assert.equal(1, status)
    assert.equal("weft demo: " .. folder .. "/model: holds files and no demo's "
      .. "config.json, expected an empty or a new folder\n", output)
    assert.same({ "config.json", "model.safetensors" }, files_of "model")
    assert.equal("precious", read "model/model.safetensors")
    status, output = small "model/config.json"
    assert.equal(1, status)
    assert.equal("weft demo: " .. folder .. "/model/config.json: is no "
      .. "folder\n", output)
  end)

  it("replaces an earlier demo and keeps the rest", function()
    assert.equal(0, (small "again"))
    put("again/notes.txt", "mine")
    put("again/.weft-part/config.json", "left by a run that was killed")
    assert.equal(0, (small("again", "--shards", "1")))
    assert.same({ "config.json", "model.safetensors", "notes.txt" },
      files_of "again")
    assert.equal("mine", read "again/notes.txt")
  end)

  it("leaves nothing half-written", function()
    assert.equal(0, (small "whole"))
    local before = files_of "whole"
    local command <const> = "trap '' XFSZ; ulimit -f 10; "
      .. "exec build/weft demo '%s/%s'"
    for _, dir in ipairs { "new/in/new", "whole" } do
      local status, output = sys.run { "sh", "-c", command:format(folder,
        dir) }
      assert.equal(1, status)
      assert.truthy(output:find("weft demo: " .. folder .. "/" .. dir
        .. "/.weft-part/model-00001-of-00002.safetensors: cannot write", 1,
        true), output)
    end
    assert.is_nil(lfs.attributes(folder .. "/new"))
    assert.same(before, files_of "whole")
    core.open(folder .. "/whole"):close()
  end)
end)

describe("save.safetensors", function()
  local t = core.tensor { { 1, 2, 3 }, { 4, 5, 6.5 } }

  it("keeps names, values and order", function()
    local name <const> = 'a"b\\c\n\1é'
    local path <const> = folder .. "/saved.safetensors"
    assert.is_true(save.safetensors(path, {
      { name = name, tensor = t }, { name = "", tensor = t, dtype = "F16" },
      { name = "a", tensor = core.tensor({ 1, 2, 3 }, "f32") },
      { name = "t", tensor = t:t(), dtype = "BF16" },
      { name = "none", tensor = core.zeros { 0, 4 } },
    }))
    local text = read "saved.safetensors"
    local length = ("<I8"):unpack(text)
    assert.equal(0, length % 8)
    assert.equal('{"__metadata__":{"format":"pt"},"a\\"b\\\\c\\n\\u0001é":'
      .. '{"dtype":"F64","shape":[2,3],"data_offsets":[0,48]},"":', text:sub(9,
      9 + 106))
    assert.equal(8 + length + 84, #text)
    local ck <close> = assert(core.open(path))
    assert.same({ name, "", "a", "t", "none" }, ck:names())
    assert.same({ { 1, 4 }, { 2, 5 }, { 3, 6.5 } }, ck:tensor "t":totable())
    assert.same({ { 1, 2, 3 }, { 4, 5, 6.5 } }, ck:tensor "":totable())
    assert.equal("F32", ck:entry("a").dtype)
    assert.same({ 0, 4 }, ck:entry("none").shape)
  end)

  it("refuses what a reader would", function()
    local path <const> = folder .. "/refused.safetensors"
    local function refused(message, ...)
      local ok, got, code = save.safetensors(path, { ... })
      assert.is_nil(ok)
      assert.equal(message, got)
      assert.equal("argument", code)
      assert.is_nil(lfs.attributes(path))
    end
    local a <const> = { name = "a", tensor = t }
    refused("tensor 2 'a' is there twice", a, a)
    refused("tensor 1 '__metadata__' is a name that the format keeps for "
      .. "itself", { name = "__metadata__", tensor = t })
    refused("tensor 1 'a\\xFF' is no name, expected UTF-8 text without NUL",
      { name = "a\xff", tensor = t })
    refused("tensor 1 'a\\x00b' is no name, expected UTF-8 text without NUL",
      { name = "a\0b", tensor = t })
    refused("tensor 1 'a' has dtype i64, expected F64, F32, F16 or BF16",
      { name = "a", tensor = core.tensor({ 1 }, "i64") })
    refused("tensor 1 'a' has dtype f16, expected F64, F32, F16 or BF16",
      { name = "a", tensor = t, dtype = "f16" })
    refused("tensor 1 'a' is a number, expected a tensor",
      { name = "a", tensor = 7 })
  end)

  it("says what the system says", function()
    local ok, message, code = save.safetensors(folder .. "/no/x.safetensors",
      { { name = "a", tensor = t } })
    assert.is_nil(ok)
    assert.equal(folder .. "/no/x.safetensors: cannot create: No such file or "
      .. "directory", message)
    assert.equal("io", code)
  end)
end)
