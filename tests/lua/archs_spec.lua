-- Small checkpoints of every family against float64 truth: every weight's
-- shape, effective rank and bilinear probe (which sees a transposed or
-- permuted weight that a spectrum can't), and every head's kernel.
local arch = require "weft.arch"
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
  local count = 0
  for _, row in ipairs(golden.kernels) do
    count = count + #row
  end
  assert.equal(count, #heads)
end

-- the checkpoints that are not called as their family
local FAMILIES <const> = {
  cohere2 = "cohere", deepseek_v2_lora = "deepseek_v2", falcon_mh = "falcon",
  falcon_mq = "falcon", gemma3_text = "gemma3", mixtral_stacked = "mixtral",
  qwen3_moe_stacked = "qwen3_moe", t5_gated = "t5",
}

for _, name in ipairs { "baichuan", "bert", "bloom", "clip", "cohere",
  "cohere2", "deepseek_v2", "deepseek_v2_lora", "deepseek_v3", "distilbert",
  "electra", "falcon", "falcon_mh", "falcon_mq", "gemma", "gemma2", "gemma3",
  "gemma3_text", "glm", "glm4", "gpt2", "gpt_neo", "gpt_neox", "gpt_oss",
  "gptj", "granite", "internlm2", "llama", "mistral", "mixtral",
  "mixtral_stacked", "nemotron", "olmo", "olmo2", "opt", "phi", "phi3",
  "qwen2", "qwen2_moe", "qwen3", "qwen3_moe", "qwen3_moe_stacked", "roberta",
  "smollm3", "stablelm", "starcoder2", "t5", "t5_gated", "vit", "whisper" } do
  describe("the checkpoint " .. name, function()
    local m, golden
    setup(function()
      m = assert(weft.open(GOLDEN .. name))
      golden = support.json(GOLDEN .. name .. "/golden.json")
    end)
    teardown(function() m:close() end)

    it("is told by its model_type", function()
      local config = support.json(GOLDEN .. name .. "/config.json")
      assert.equal(FAMILIES[name] or name, m.arch)
      assert.equal(("model_type '%s'"):format(config.model_type), m.told)
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

it("every family has a checkpoint", function()
  local there = {}
  for name in support.sh("ls " .. GOLDEN):gmatch "%S+" do
    there[FAMILIES[name] or name] = true
  end
  for _, name in ipairs(arch.names()) do
    assert.is_true(there[name] ~= nil, name)
  end
end)
