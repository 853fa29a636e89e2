-- weft info, weights and heads: their text in every format, their exit
-- statuses, and what they say of broken models and wrong options.
local core = require "weft.core"
local frame = require "weft.frame"
local model = require "weft.model"
local support = require "tests.lua.support"

local CONFIG <const> = { model_type = "llama", num_hidden_layers = 2,
  hidden_size = 4, intermediate_size = 6, num_attention_heads = 2,
  num_key_value_heads = 1, vocab_size = 3 }
local TENSORS <const> = {
  { "W_Q", "self_attn.q_proj", 4, 4 }, { "W_K", "self_attn.k_proj", 2, 4 },
  { "W_V", "self_attn.v_proj", 2, 4 }, { "W_O", "self_attn.o_proj", 4, 4 },
  { "W_gate", "mlp.gate_proj", 6, 4 }, { "W_up", "mlp.up_proj", 6, 4 },
  { "W_down", "mlp.down_proj", 4, 6 },
}
local NAN <const> = 0 / 0
local METRICS <const> = "effective_rank, entropy, stable_rank, rank, "
  .. "frobenius_norm, spectral_norm, nuclear_norm, condition, n99"

-- (rows, cols) with 2^(layer + 1), …, 4, 2, 1 on its diagonal from the end
local function diagonal(layer, rows, cols)
  local n = math.min(rows, cols)
  return support.matrix(rows, cols, function(i, j)
    return i == j and 2.0 ^ math.max(0, layer + i - n + 1) or 0.0
  end)
end

-- a folder of the two layers; change(list) may alter what is written
local function checkpoint(change)
  local list = { { name = "model.embed_tokens.weight", dtype = "F32",
    tensor = support.matrix(3, 4) } }
  for layer = 0, 1 do
    for _, row in ipairs(TENSORS) do
      list[#list + 1] = { dtype = "F16",
        name = ("model.layers.%d.%s.weight"):format(layer, row[2]),
        tensor = diagonal(layer, row[3], row[4]) }
    end
    list[#list + 1] = { dtype = "F32",
      name = ("model.layers.%d.input_layernorm.weight"):format(layer),
      tensor = core.tensor { 1, 1, 1, 1 } }
  end
  if change then
    change(list)
  end
  local config = { _name_or_path = "weft/test" }
  for key, value in pairs(CONFIG) do
    config[key] = value
  end
  return support.checkpoint(config, list)
end

-- exit status, standard output and standard error of weft's command
local function weft(...)
  local words = { "build/weft", ... }
  for i, word in ipairs(words) do
    words[i] = support.quoted(word)
  end
  local errors = support.folder() .. "/errors"
  local output, status = support.sh(("%s 2>%s"):format(
    table.concat(words, " "), errors))
  return status, output, support.read(errors)
end

-- standard output of a run that must go well in silence
local function good(...)
  local status, output, errors = weft(...)
  assert.equal("", errors)
  assert.equal(0, status)
  return output
end

-- the first line of a refusal: exit status 2, no output
local function refusal(...)
  local status, output, errors = weft(...)
  assert.equal("", output)
  assert.equal(2, status)
  return errors:match "^[^\n]*"
end

local folder, broken

setup(function()
  folder = checkpoint()
  -- layer 0 has no W_K, layer 1 a W_V with two numbers that are none
  broken = checkpoint(function(list)
    for i = #list, 1, -1 do
      local name = list[i].name
      if name == "model.layers.0.self_attn.k_proj.weight" then
        table.remove(list, i)
      elseif name == "model.layers.1.self_attn.v_proj.weight" then
        list[i].tensor = core.tensor { { 1, 0, 0, 0 }, { 0, NAN, 1, NAN } }
      end
    end
  end)
end)

teardown(support.clean)

describe("weft weights", function()
  it("prints a markdown table", function()
    assert.equal([[
| model     | dtype | layer | name | shape | rank | spectral_norm | error |
| :-------- | :---- | ----: | :--- | :---- | ---: | ------------: | :---- |
| weft/test | F16   |     1 | W_Q  | 4x4   |    4 |             4 |       |
| weft/test | F16   |     1 | W_K  | 2x4   |    2 |             4 |       |
]], good("weights", folder, "--layers", "1", "--names", "W_K,W_Q",
      "--metric", "rank,spectral_norm"))
  end)

  it("prints LaTeX with column heads", function()
    assert.equal([[
\begin{tabular}{llrllrl}
\hline
model & dtype & layer & name & shape & frobenius\_norm & error \\
\hline
weft/test & F16 & 0 & W\_down & 4x6 & 2.64575 &  \\
\hline
\end{tabular}
]], good("weights", folder, "--layers", "0", "--names", "W_down",
      "--metric", "frobenius_norm", "--format", "latex"))
  end)

  it("prints CSV and JSON that read back alike, of all layers and parts",
    function()
      local csv = good("weights", folder, "--format", "csv", "--metric",
        "effective_rank,condition")
      local json = good("weights", folder, "--format", "json", "--metric",
        "effective_rank,condition")
      local a = assert(frame.from_csv(csv))
      local b = assert(frame.from_json(json))
      assert.same({ "model", "dtype", "layer", "name", "shape",
        "effective_rank", "condition", "error" }, a.names)
      assert.same(a.names, b.names)
      assert.equal(14, #a)
      local m <close> = assert(model.open(folder))
      for i, part in ipairs(m:weights {}) do
        local row = a:row(i)
        assert.same({ part.layer, part.name, "F16", "weft/test",
          table.concat(part.shape, "x"), "" }, { row.layer, row.name,
          row.dtype, row.model, row.shape, row.error })
        local s = core.svdvals(part.tensor)
        local total, entropy = 0, 0
        for j = 1, #s do
          total = total + s[j]
        end
        for j = 1, #s do
          entropy = entropy - s[j] / total * math.log(s[j] / total)
        end
        support.near(math.exp(entropy), row.effective_rank)
        support.near(s[1] / s[#s], row.condition)
        for _, name in ipairs { "layer", "name", "effective_rank",
          "condition" } do
          assert.equal(row[name], b:row(i)[name])
        end
      end
      assert.same(core.json(json)[1].model, "weft/test")
    end)

  it("takes the effective rank where no metric is named", function()
    assert.equal("model,dtype,layer,name,shape,effective_rank,error",
      good("weights", folder, "--format", "csv"):match "^[^\n]*")
  end)

  it("sorts by a metric, and cuts", function()
    local function names(...)
      local f = assert(frame.from_csv(good("weights", folder, "--format",
        "csv", "--layers", "0", ...)))
      return table.concat(f:column "name", " "), f.names
    end
    assert.equal("W_Q W_K W_V W_O W_gate W_up W_down", (names()))
    assert.equal("W_Q W_O W_gate W_up W_down W_K W_V",
      (names("--sort", "effective_rank")))
    assert.equal("W_K W_V W_Q", (names("--sort", "effective_rank",
      "--ascending", "--top", "3")))
    assert.equal("W_Q W_O", (names("--top", "2")))
    local _, columns = names("--metric", "rank", "--sort", "n99")
    assert.same({ "rank", "n99", "error" }, table.move(columns, 6, 8, 1, {}))
    _, columns = names("--sort", "n99")
    assert.same({ "n99", "error" }, table.move(columns, 6, 7, 1, {}))
  end)

  it("takes layers one by one and in ranges, each once", function()
    local f = assert(frame.from_csv(good("weights", folder, "--format", "csv",
      "--names", "W_Q", "--layers", "1,0-1,0")))
    assert.same({ 1, 0 }, f:column "layer")
  end)

  it("gives the same bytes with any number of threads", function()
    local one = good("weights", folder, "--threads", "1", "--format", "csv")
    assert.equal(one, good("weights", folder, "--threads", "4", "--quiet",
      "--format", "csv"))
  end)

  it("names a row that fails, and fails", function()
    local status, output, errors = weft("weights", broken, "--format", "csv",
      "--metric", "rank,spectral_norm")
    assert.equal(1, status)
    assert.equal("weft weights: 2 of 14 rows failed, the first is layer 0 "
      .. "W_K: missing: there is no tensor 'model.layers.0.self_attn.k_proj"
      .. ".weight'\n", errors)
    local f = assert(frame.from_csv(output))
    local row = f:row(2)
    assert.same({ "W_K", "", "2x4" }, { row.name, row.dtype, row.shape })
    support.near(NAN, row.rank)
    assert.equal("missing: there is no tensor 'model.layers.0.self_attn.k_proj"
      .. ".weight'", row.error)
    row = f:row(10)
    assert.same({ 1, "W_V", "F16" }, { row.layer, row.name, row.dtype })
    support.near(NAN, row.spectral_norm)
    assert.truthy(row.error:find "^2 non%-finite values", row.error)
    assert.equal(4, f:row(8).rank)
  end)

  it("fails where the row that failed is not shown", function()
    local status, output, errors = weft("weights", broken, "--top", "1",
      "--format", "json")
    assert.equal(1, status)
    assert.equal(1, #assert(frame.from_json(output)))
    assert.truthy(errors:find("2 of 14 rows failed", 1, true))
    assert.equal(0, (weft("weights", broken, "--names", "W_Q")))
  end)

  it("refuses unknown metrics and names the known ones", function()
    assert.equal("weft weights: --metric: no metric 'efective_rank', perhaps "
      .. "'effective_rank'; there are " .. METRICS,
      refusal("weights", folder, "--metric", "rank,efective_rank"))
    assert.equal("weft weights: --metric: no metric 'zzz'; there are "
      .. METRICS, refusal("weights", folder, "--metric", "zzz"))
    assert.equal("weft weights: --sort: no metric 'Rank', perhaps 'rank'; "
      .. "there are " .. METRICS, refusal("weights", folder, "--sort", "Rank"))
    assert.equal("weft weights: --metric: no metric 'asymmetry'; there are "
      .. METRICS, refusal("weights", folder, "--metric", "asymmetry"))
    assert.equal("weft weights: --metric: 'rank,', expected words between "
      .. "commas", refusal("weights", folder, "--metric", "rank,"))
  end)

  it("refuses unknown names and layers", function()
    assert.equal("weft weights: --names: no weight 'w_q', perhaps 'W_Q'; "
      .. "there are W_Q, W_K, W_V, W_O, W_gate, W_up, W_down",
      refusal("weights", folder, "--names", "w_q"))
    assert.equal("weft weights: --layers 2 is out of range, the model has "
      .. "layers 0 to 1", refusal("weights", folder, "--layers", "0-2"))
    for _, text in ipairs { "", "x", "1-", "-1", "2-1", "1,,2", "1.5",
      "99999999999999999999", "0-4096" } do
      assert.equal(("weft weights: --layers: '%s', expected labels from 0 to "
        .. "4095 such as 0,3,5-8"):format(text),
        refusal("weights", folder, "--layers=" .. text))
    end
    assert.equal("weft weights: argument for option '--format' must be one "
      .. "of 'md', 'csv', 'json', 'latex'",
      refusal("weights", folder, "--format", "xml"))
    assert.equal("weft weights: --top: '0', expected an integer from 1 to "
      .. "2147483648", refusal("weights", folder, "--top", "0"))
    assert.equal("weft weights: missing argument 'model'", refusal "weights")
  end)

  it("says what it can't open", function()
    local status, output, errors = weft("weights", folder .. "/none")
    assert.equal(1, status)
    assert.equal("", output)
    assert.truthy(errors:find "^weft weights: [^\n]+\n$")
  end)

  it("shows a bar on a terminal, unless it is quiet", function()
    local function shown(...)
      local status, output = core.sys.run({ "build/tests/shell/pty", "-", "--",
        "build/weft", "weights", folder, ... },
        { input = "expect spectral\neof\nstatus 0\n" })
      assert.equal(0, status, output)
      return output:find("Weights", 1, true) ~= nil
        and output:find(" 0/14", 1, true) ~= nil
    end
    assert.is_true(shown("--metric", "spectral_norm"))
    assert.is_false(shown("--metric", "spectral_norm", "--quiet"))
  end)

  it("knows metrics that were added before it runs", function()
    local out = support.sh(("build/weft -e %s weights %s --names W_Q "
      .. "--metric top --layers 0 --format csv"):format(support.quoted(
      'weft.metric { name = "top", fn = function(s) return s[1] end }'),
      support.quoted(folder)))
    assert.equal("model,dtype,layer,name,shape,top,error\n"
      .. "weft/test,F16,0,W_Q,4x4,2,\n", out)
  end)
end)

describe("weft heads", function()
  it("prints a markdown table", function()
    assert.equal([[
| model     | dtype | layer | head | shape | rank | spectral_norm | error |
| :-------- | :---- | ----: | ---: | :---- | ---: | ------------: | :---- |
| weft/test | F16   |     0 |    0 | 4x4   |    2 |             2 |       |
| weft/test | F16   |     0 |    1 | 4x4   |    2 |             4 |       |
]], good("heads", folder, "--layers", "0", "--metric", "rank,spectral_norm",
      "--sort", "spectral_norm", "--ascending"))
  end)

  it("takes either kernel, metrics of kernels, and some heads", function()
    local f = assert(frame.from_csv(good("heads", folder, "--format", "csv",
      "--metric", "effective_rank,asymmetry,symmetry", "--heads", "1",
      "--of", "ov")))
    assert.same({ "model", "dtype", "layer", "head", "shape",
      "effective_rank", "asymmetry", "symmetry", "error" }, f.names)
    assert.same({ 0, 1 }, f:column "layer")
    assert.same({ 1, 1 }, f:column "head")
    local m <close> = assert(model.open(folder))
    for i, row in f:rows() do
      support.near(m:ov(i - 1, 1):asymmetry(), row.asymmetry)
      support.near(m:ov(i - 1, 1):symmetry(), row.symmetry)
    end
    f = assert(frame.from_json(good("heads", folder, "--format", "json",
      "--metric", "asymmetry", "--top", "1", "--sort", "asymmetry")))
    assert.equal(1, #f)
  end)

  it("fails where a head's weight is missing", function()
    local status, output, errors = weft("heads", broken, "--format", "csv")
    assert.equal(1, status)
    assert.equal("weft heads: 2 of 4 rows failed, the first is layer 0 head "
      .. "0: W_K: missing: there is no tensor 'model.layers.0.self_attn."
      .. "k_proj.weight'\n", errors)
    local f = assert(frame.from_csv(output))
    assert.same({ "W_K: missing: there is no tensor 'model.layers.0."
      .. "self_attn.k_proj.weight'", "" },
      { f:row(2).error, f:row(3).error })
    status, output = weft("heads", broken, "--of", "ov", "--layers", "1",
      "--format", "csv")
    assert.equal(1, status)
    assert.truthy(frame.from_csv(output):row(1).error:find
      "^2 non%-finite values", output)
  end)

  it("refuses what is wrong", function()
    assert.equal("weft heads: --heads 2 is out of range, the model has heads "
      .. "0 to 1", refusal("heads", folder, "--heads", "1-2"))
    assert.equal("weft heads: --metric: no metric 'asymetry', perhaps "
      .. "'asymmetry'; there are " .. METRICS .. ", asymmetry, symmetry",
      refusal("heads", folder, "--metric", "asymetry"))
    assert.equal("weft heads: argument for option '--of' must be one of "
      .. "'qk', 'ov'", refusal("heads", folder, "--of", "qv"))
  end)

  it("says why heads can't be told", function()
    local list = { { name = "a.0.w", dtype = "F32",
      tensor = support.matrix(3, 4) } }
    local status, output, errors = weft("heads", support.checkpoint(nil,
      list))
    assert.equal(1, status)
    assert.equal("", output)
    assert.equal("weft heads: heads needs d_head: there is no config.json to "
      .. "tell the family\n", errors)
  end)
end)

describe("weft info", function()
  it("prints keys, a table, and what is not analysed", function()
    local list = {}
    for _, row in ipairs(TENSORS) do
      list[#list + 1] = { dtype = "F16",
        name = ("model.layers.0.%s.weight"):format(row[2]),
        tensor = diagonal(0, row[3], row[4]) }
    end
    list[#list + 1] = { name = "model.norm.weight", dtype = "F32",
      tensor = core.tensor { 1, 1, 1, 1 } }
    list[#list + 1] = { name = "lm_head.weight", dtype = "BF16",
      tensor = support.matrix(3, 4) }
    local config = { num_hidden_layers = 1 }
    for key, value in pairs(CONFIG) do
      config[key] = config[key] or value
    end
    local place = support.checkpoint(config, list)
    local output = good("info", place)
    assert.equal(([[
name: NAME
path: PATH
format: safetensors
family: llama (model_type 'llama')
L: 1
d: 4
d_ff: 6
h: 2
GQA: 1
V: 3
d_head: 2
d_kv: 2
tensors: 9
parameters: 136
bytes: 280

NAME                                    DTYPE  SHAPE  BYTES  PART
model.layers.0.self_attn.q_proj.weight  F16    4x4       32  W_Q
model.layers.0.self_attn.k_proj.weight  F16    2x4       16  W_K
model.layers.0.self_attn.v_proj.weight  F16    2x4       16  W_V
model.layers.0.self_attn.o_proj.weight  F16    4x4       32  W_O
model.layers.0.mlp.gate_proj.weight     F16    6x4       48  W_gate
model.layers.0.mlp.up_proj.weight       F16    6x4       48  W_up
model.layers.0.mlp.down_proj.weight     F16    4x6       48  W_down
model.norm.weight                       F32    4         16  -
lm_head.weight                          BF16   3x4       24  -

not analysed: 2
  1 a vector: model.norm.weight
  1 outside the layers: lm_head.weight
]]):gsub("PATH", (place:gsub("%%", "%%%%")))
      :gsub("NAME", place:match "[^/]*$", 1), output)
  end)

  it("prints the same as JSON", function()
    local info = core.json(good("info", folder, "--json"))
    assert.same({ "weft/test", folder, "safetensors", "llama",
      "model_type 'llama'" },
      { info.name, info.path, info.format, info.family, info.told })
    assert.same({ L = 2, d = 4, d_ff = 6, h = 2, GQA = 1, V = 3, d_head = 2,
      d_kv = 2 }, info.dims)
    assert.equal(17, #info.tensors)
    assert.same({ name = "model.layers.1.self_attn.k_proj.weight",
      dtype = "F16", shape = { 2, 4 }, bytes = 16, layer = 1, part = "W_K",
      file = "model.safetensors" }, info.tensors[11])
    assert.equal(3, #info.not_analysed)
    assert.same({ name = "model.embed_tokens.weight",
      reason = "outside the layers" }, info.not_analysed[1])
    assert.equal(0, #info.missing)
  end)

  it("names what is missing, and shortens long lists", function()
    local output = good("info", broken)
    assert.truthy(output:find("\nmissing: 1\n  layer 0 W_K: missing: there is "
      .. "no tensor 'model.layers.0.self_attn.k_proj.weight'\n", 1, true))
    local missing = core.json(good("info", broken, "--json")).missing
    assert.same({ layer = 0, part = "W_K",
      tensor = "model.layers.0.self_attn.k_proj.weight", reason = "missing: "
      .. "there is no tensor 'model.layers.0.self_attn.k_proj.weight'" },
      missing[1])
    output = good("info", checkpoint(function(list)
      for i = 1, 5 do
        list[#list + 1] = { name = "v" .. i, dtype = "F32",
          tensor = core.tensor { 1 } }
      end
    end))
    assert.truthy(output:find("\n  7 a vector: model.layers.0.input_layernorm"
      .. ".weight, model.layers.1.input_layernorm.weight, v1 and 4 more\n", 1,
      true), output)
  end)

  it("works without a config, and of an unknown family", function()
    local list = { { name = "block.0.w", dtype = "F32",
      tensor = support.matrix(3, 4) }, { name = "bias", dtype = "F32",
      tensor = core.tensor { 1 } } }
    local output = good("info", support.checkpoint(nil, list))
    assert.truthy(output:find("\nfamily: unknown (there is no config.json to "
      .. "tell the family)\n", 1, true), output)
    assert.truthy(output:find "\nblock%.0%.w +F32 +3x4 +48  ", output)
    assert.truthy(output:find "\nbias +F32 +1 +4  %-\n", output)
    output = good("info", support.checkpoint({ model_type = "m\27[31m" },
      list))
    assert.truthy(output:find("\nfamily: unknown (model_type 'm\\x1B[31m' is "
      .. "no known family)\n", 1, true), output)
  end)

  it("tells stacks of layers apart", function()
    local place = support.checkpoint({ model_type = "two", d = 4, l = 1,
      n = 2, e = 3 }, {
      { name = "enc.0.x", dtype = "F32", tensor = core.zeros { 3, 4, 4 } },
      { name = "enc.0.w", dtype = "F32", tensor = support.matrix(4, 4) },
      { name = "dec.0.w", dtype = "F32", tensor = support.matrix(4, 4) },
      { name = "dec.1.w", dtype = "F32", tensor = support.matrix(4, 4) } })
    local script = support.folder() .. "/two.lua"
    support.write(script, [[weft.arch { name = "two",
      match = { model_type = { "two" } }, dims = { d = "d", E = "e" },
      layer = "enc.%d.",
      parts = {
        { name = "W", tensor = "w", shape = { "d", "d" } },
        { name = "X", tensor = "x", shape = { "d", "d" }, per = "expert",
          optional = true } },
      stacks = {
        { name = "encoder", layer = "enc.%d.", dims = { L = "l" } },
        { name = "decoder", layer = "dec.%d.", dims = { L = "n" } } } }]])
    local output, status = support.sh(("LUA_INIT=@%s build/weft info %s")
      :format(script, place))
    assert.equal(0, status)
    assert.truthy(output:find("\nL: 3\nd: 4\nE: 3\nlayers: 0 to 0, encoder\n"
      .. "layers: 1 to 2, decoder\nheads: unknown (", 1, true), output)
    assert.truthy(output:find("\nenc%.0%.x +F32 +3x4x4 +192  X\n"), output)
  end)

  it("says what a tensor of several parts holds", function()
    local place = support.checkpoint({ model_type = "mixtral",
      num_hidden_layers = 1, hidden_size = 4, intermediate_size = 6,
      num_attention_heads = 2, num_local_experts = 2 }, {
      { name = "model.layers.0.block_sparse_moe.experts.1.w1.weight",
        dtype = "F32", tensor = support.matrix(6, 4) } })
    local info = core.json(good("info", place, "--json"))
    assert.equal("W_gate.1", info.tensors[1].part)
    assert.equal("weft weights: --names: no weight 'W_gat', perhaps 'W_gate'; "
      .. "there are W_Q, W_K, W_V, W_O, W_gate, W_up, W_down",
      refusal("weights", place, "--names", "W_gat"))
    assert.equal("model,dtype,layer,name,shape,effective_rank,error\n"
      .. "mixtral,", (good("weights", place, "--names", "W_gate.1", "--format",
      "csv"):gsub("\n[^,]*,.*", "\nmixtral,")))
    place = support.checkpoint({ model_type = "gpt2", n_layer = 1, n_embd = 4,
      n_head = 2 }, { { name = "transformer.h.0.attn.c_attn.weight",
      dtype = "F32", tensor = support.matrix(4, 12) } })
    info = core.json(good("info", place, "--json"))
    assert.equal("W_Q,W_K,W_V", info.tensors[1].part)
  end)

  it("shows foreign names escaped", function()
    local output = good("info", support.checkpoint(nil, {
      { name = "a\27]0;x\7\n", dtype = "F32", tensor = core.tensor { 1 } } }))
    assert.falsy(output:find "[%z\1-\9\11-\31\127]")
    assert.truthy(output:find("\na\\x1B]0;x", 1, true), output)
  end)

  it("says what it can't open", function()
    local status, output, errors = weft("info", folder .. "/none")
    assert.equal(1, status)
    assert.equal("", output)
    assert.truthy(errors:find "^weft info: [^\n]+\n$")
    refusal "info"
  end)
end)

describe("a frame as LaTeX", function()
  it("escapes what means something and sets numbers", function()
    local f = frame.new({ "a_b", "x", "n" }, { a_b = { [[\ {}$&#%_^~<>|]],
      "[1]*", "two\nlines" }, x = { -1.5, 1.25e-7, 0 / 0 },
      n = { 1, -20, 3 } }, { x = "nat" })
    assert.equal([[
\begin{tabular}{lrr}
\hline
a\_b & x (nat) & n \\
\hline
\textbackslash{} \{\}\$\&\#\%\_\textasciicircum{}\textasciitilde{}\textless{}]]
      .. [[\textgreater{}\textbar{} & $-1.5$ & 1 \\
{[}1{]}{*} & $1.25\times10^{-7}$ & $-20$ \\
two lines & n/a & 3 \\
\hline
\end{tabular}]], f:latex())
    assert.equal("Ranks & 1.5 \\\\", frame.new({ "t", "x" },
      { t = { "Ranks" }, x = { 1.5 } }):latex { format = { x = "%.1f" } }
      :match "\\hline\n(Ranks[^\n]*)")
    f = frame.new({ "x" }, { x = { math.huge, -math.huge, 1e300, -2e9 } })
    assert.equal("$\\infty$ \\\\\n$-\\infty$ \\\\\n$1\\times10^{300}$ \\\\\n"
      .. "$-2\\times10^{9}$ \\\\",
      f:latex():match "\\hline\nx \\\\\n\\hline\n(.-)\n\\hline")
  end)
end)
