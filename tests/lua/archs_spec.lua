-- Small checkpoints of ten families against float64 truth: every weight's
-- shape, effective rank and bilinear probe (which sees a transposed or
-- permuted weight that a spectrum can't), and every head's kernel.
local support = require "tests.lua.support"
local weft = require "weft"

local GOLDEN <const> = "tests/golden/archs/"

-- sum_ij cos(i) W_ij sin(j), 1-based
local function probe(tensor)
  local total = 0
  for i, row in ipairs(tensor:totable()) do
    for j, x in ipairs(row) do
      total = total + math.cos(i) * x * math.sin(j)
    end
  end
  return total
end

local function check_weights(m, golden)
  local parts = m:weights {}
  local ranks = weft.measure(parts, { "effective_rank" })
  local found = {}
  for i, part in ipairs(parts) do
    local what = ("layer %d %s"):format(part.layer, part.name)
    local truth = golden.weights[part.layer + 1][part.name]
    assert(truth, what .. " is none of the model's")
    assert(part.tensor, part.reason)
    assert.same({ truth[1], truth[2] }, part.tensor.shape)
    support.near(truth[3], ranks:row(i).effective_rank, 1e-8, what)
    assert(math.abs(truth[4] - probe(part.tensor)) < 1e-8, what)
    found[what] = true
  end
  for layer, row in ipairs(golden.weights) do
    for name in pairs(row) do
      local what = ("layer %d %s"):format(layer - 1, name)
      assert(found[what], what .. " was not found")
    end
  end
end

local function check_kernels(m, golden)
  local heads = weft.measure(m:heads {}, { "effective_rank" })
  for _, row in heads:rows() do
    support.near(golden.kernels[row.layer + 1][row.head + 1],
      row.effective_rank, 1e-8, ("layer %d head %d"):format(row.layer,
        row.head))
  end
  assert.equal(#golden.kernels * #golden.kernels[1], #heads)
end

for _, name in ipairs { "bert", "gemma2", "gpt2", "gpt_neox", "llama",
  "mistral", "mixtral", "phi3", "qwen2", "qwen3" } do
  describe("the family " .. name, function()
    local m, golden
    setup(function()
      m = assert(weft.open(GOLDEN .. name))
      golden = support.json(GOLDEN .. name .. "/golden.json")
    end)
    teardown(function() m:close() end)

    it("is told by its model_type", function()
      assert.equal(name, m.arch)
      assert.equal(("model_type '%s'"):format(name), m.told)
      assert.same({}, m.missing)
    end)
    it("has its dims", function()
      for key, value in pairs(golden.dims) do
        assert.equal(value, m.dims[key], key)
      end
    end)
    it("has its weights, the right way round", function()
      check_weights(m, golden)
    end)
    it("has its heads' kernels", function()
      check_kernels(m, golden)
    end)
  end)
end
