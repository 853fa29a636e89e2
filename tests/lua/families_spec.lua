-- What families do beyond their tables: telling one by names alone, usual
-- sizes that a config leaves out, half an encoder-decoder, mixtures of dense
-- layers and layers with experts, low-rank attention.
local core = require "weft.core"
local support = require "tests.lua.support"
local weft = require "weft"

local GOLDEN <const> = "tests/golden/archs/"

teardown(support.clean)

-- A golden checkpoint with only those tensors whose name `keep` gives a name
-- to, and a config (nil: none).
local function copy(name, keep, config)
  local list <const> = {}
  local m <close> = assert(weft.open(GOLDEN .. name))
  for _, old in ipairs(m:tensors()) do
    local new <const> = keep(old)
    local tensor <const> = m:tensor(old)
    if new then
      list[#list + 1] = { name = new, tensor = tensor, dtype = tensor.dtype }
    end
  end
  return assert(weft.open(support.checkpoint(config, list)))
end

local function all(name)
  return name
end

local function config_of(name)
  return support.json(GOLDEN .. name .. "/config.json")
end

-- Shapes and values of what both have.
local function same_weights(name, other)
  local m <close> = assert(weft.open(GOLDEN .. name))
  local list <const> = other:weights {}
  for i, part in ipairs(m:weights {}) do
    assert.equal(part.name, list[i].name)
    assert.same(part.tensor:totable(), list[i].tensor:totable())
  end
end

describe("a checkpoint without a config", function()
  local TOLD <const> = {
    { "llama", "llama" }, { "qwen3", "llama" }, { "granite", "llama" },
    { "mixtral", "mixtral" }, { "mixtral_stacked", "qwen3_moe" },
    { "qwen3_moe", "qwen3_moe" }, { "qwen2_moe", "qwen3_moe" },
    { "phi3", "phi3" }, { "phi", "phi" }, { "glm", "glm" },
    { "starcoder2", "starcoder2" }, { "gpt2", "gpt2" }, { "gptj", "gptj" },
    { "gpt_neo", "gpt_neo" }, { "gpt_neox", "gpt_neox" }, { "opt", "opt" },
    { "internlm2", "internlm2" }, { "baichuan", "baichuan" },
    { "bert", "bert" }, { "roberta", "bert" }, { "electra", "bert" },
    { "distilbert", "distilbert" }, { "vit", "vit" }, { "t5", "t5" },
    { "t5_gated", "t5" }, { "whisper", "whisper" },
  }
  for _, case in ipairs(TOLD) do
    it(("of %s is told as %s by names"):format(case[1], case[2]), function()
      local m <close> = copy(case[1], all)
      assert.equal(case[2], m.arch)
      assert.equal("there is no config.json to tell the family, but its "
        .. "tensors are named as " .. case[2] .. "'s", m.told)
    end)
  end

  it("has its experts counted", function()
    for _, name in ipairs { "mixtral_stacked", "qwen3_moe", "qwen2_moe" } do
      local m <close> = copy(name, all)
      assert.equal(3, m.dims.E)
      assert.equal("W_gate.2", m:weights { layers = 1,
        names = "W_gate.2" }[1].name)
    end
  end)

  it("that only looks like one is a list of matrices", function()
    -- no gate: neither llama's nor, by its names, anybody's
    local m <close> = copy("nemotron", all)
    assert.is_nil(m.arch)
    assert.equal("there is no config.json to tell the family", m.told)
    assert.equal("model.layers.#.self_attn.o_proj.weight",
      m:weights { layers = 1 }[2].name)
  end)
end)

describe("a config", function()
  it("of gemma3 may leave out what is usual", function()
    local m <close> = copy("gemma3", all, { model_type = "gemma3",
      text_config = { num_hidden_layers = 2, hidden_size = 40,
        intermediate_size = 56 } })
    assert.equal("gemma3", m.arch)
    local sizes <const> = m.dims
    assert.same({ 2, 40, 56, 8, 4, 256, 262208 }, { sizes.L, sizes.d,
      sizes.d_ff, sizes.h, sizes.GQA, sizes.d_head, sizes.V })
  end)

  it("of clip may leave out all but the towers' names", function()
    local m <close> = copy("clip", all, { model_type = "clip",
      text_config = {}, vision_config = {} })
    assert.equal(24, m.dims.L)
    assert.equal(512, m:stack_of(0).dims.d)
    assert.equal(768, m:stack_of(12).dims.d)
  end)

  it("of falcon goes by its layout's key, not by a number of heads that does "
    .. "not count", function()
      local config <const> = config_of "falcon_mq"
      local m <close> = copy("falcon_mq", all, { model_type = "RefinedWebModel",
        hidden_size = 40, n_layer = 2, n_head = 4, multi_query = true,
        n_head_kv = 4, vocab_size = config.vocab_size })
      assert.equal("falcon", m.arch)
      assert.equal(1, m.dims.GQA)
      same_weights("falcon_mq", m)
    end)
end)

describe("a checkpoint of a model's inner part", function()
  it("has no prefix", function()
    for _, name in ipairs { "llama", "gemma", "starcoder2", "qwen2_moe",
      "deepseek_v2" } do
      local m <close> = copy(name, function(old)
        return (old:gsub("^model%.", ""))
      end, config_of(name))
      assert.same({}, m.missing)
      same_weights(name, m)
    end
  end)

  it("in a larger one has the text model's prefix", function()
    for _, prefix in ipairs { "model.language_model.", "language_model.model.",
      "language_model." } do
      local m <close> = copy("gemma3_text", function(old)
        return (old:gsub("^model%.", prefix))
      end, config_of "gemma3_text")
      assert.same({}, m.missing)
      same_weights("gemma3_text", m)
    end
  end)
end)

describe("of two stacks", function()
  it("one may be alone", function()
    for name, case in pairs { t5 = { "^encoder", 2 },
      clip = { "^vision", 3 }, whisper = { "encoder%.", 2 } } do
      local m <close> = copy(name, function(old)
        return old:find(case[1]) and old or nil
      end, config_of(name))
      assert.same({}, m.missing)
      assert.equal(case[2], m.dims.L)
      assert.equal(1, #m.stacks)
    end
  end)

  it("none at all lacks all", function()
    local m <close> = copy("t5", function(old)
      return old:find "shared" and old or nil
    end, config_of "t5")
    assert.equal(4, m.dims.L)
    assert.equal(2 * 6 + 2 * 10, #m.missing)
    assert.equal("missing: there is no tensor "
      .. "'encoder.block.0.layer.0.SelfAttention.q.weight'",
      m.missing[1].reason)
  end)

  it("each has sizes of its own", function()
    local m <close> = assert(weft.open(GOLDEN .. "clip"))
    assert.same({ 10, 40 }, m:weight(0, "W_Q", 3).shape)
    assert.same({ 8, 32 }, m:weight(2, "W_Q", 3).shape)
    assert.same({ 32, 32 }, m:qk(4, 0).shape)
  end)
end)

describe("a mixture", function()
  it("may have dense layers, experts and a shared one", function()
    local m <close> = assert(weft.open(GOLDEN .. "qwen2_moe"))
    local names <const> = {}
    for layer = 0, 1 do
      for i, part in ipairs(m:weights(layer)) do
        names[layer] = names[layer] or {}
        names[layer][i] = ("%s %s"):format(part.name,
          table.concat(part.shape, "x"))
      end
    end
    assert.same({ "W_Q 40x40", "W_K 20x40", "W_V 20x40", "W_O 40x40",
      "W_gate 56x40", "W_up 56x40", "W_down 40x56" }, names[0])
    assert.same({ "W_Q 40x40", "W_K 20x40", "W_V 20x40", "W_O 40x40",
      "W_gate.0 24x40", "W_gate.1 24x40", "W_gate.2 24x40",
      "W_gate.shared 32x40", "W_up.0 24x40", "W_up.1 24x40", "W_up.2 24x40",
      "W_up.shared 32x40", "W_down.0 40x24", "W_down.1 40x24",
      "W_down.2 40x24", "W_down.shared 40x32" }, names[1])
    assert.same({ 24, 40 }, m:weight(1, "W_up.2").shape)
    assert.same({ 32, 40 }, m:weight(1, "W_up.shared").shape)
    assert.equal(3, #m:weights { layers = 1, names = "W_down" })
  end)

  it("lacks an expert that is not there", function()
    local m <close> = copy("qwen3_moe", function(old)
      return not old:find "layers.1.mlp.experts.1.up_proj" and old or nil
    end, config_of "qwen3_moe")
    assert.equal(1, #m.missing)
    assert.equal("W_up.1", m.missing[1].name)
    assert.equal("missing: there is no tensor "
      .. "'model.layers.1.mlp.experts.1.up_proj.weight'",
      m.missing[1].reason)
  end)

  it("lacks a layer's experts where nothing is there", function()
    local m <close> = copy("qwen2_moe", function(old)
      return not old:find "layers.1.mlp.experts" and old or nil
    end, config_of "qwen2_moe")
    assert.equal(9, #m.missing)
  end)

  it("of the wrong number of stacked experts says both", function()
    local config <const> = config_of "mixtral_stacked"
    local m <close> = copy("mixtral_stacked", all, { model_type = "mixtral",
      num_local_experts = 4, hidden_size = 40, num_hidden_layers = 2,
      num_attention_heads = 4, num_key_value_heads = 2,
      intermediate_size = config.intermediate_size })
    assert.equal("wrong shape: 'model.layers.0.mlp.experts.gate_up_proj' is "
      .. "[3, 112, 40], the dims say [4, 112, 40]", m.missing[1].reason)
  end)
end)

describe("low-rank attention", function()
  it("has its narrow matrices as parts", function()
    local m <close> = assert(weft.open(GOLDEN .. "deepseek_v3"))
    local shapes <const> = {}
    for _, name in ipairs { "W_Q_a", "W_Q_b", "W_KV_a", "W_KV_b", "W_O" } do
      shapes[#shapes + 1] = table.concat(m:weight(0, name).shape, "x")
    end
    assert.same({ "20x40", "48x20", "16x40", "56x12", "40x24" }, shapes)
    assert.same({ 12, 20 }, m:weight(1, "W_Q_b", 3).shape)
    assert.same({ 14, 12 }, m:weight(1, "W_KV_b", 3).shape)
    assert.same({ 40, 6 }, m:weight(1, "W_O", 3).shape)
    assert.error_matches(function() m:weight(0, "W_KV_a", 0) end,
      "W_KV_a is not cut into heads", 1, true)
    assert.error_matches(function() m:weight(0, "W_Q") end,
      "no weight 'W_Q' in layer 0; there are W_Q_a, W_Q_b, W_KV_a", 1, true)
    assert.equal("the norms between low-rank attention's matrices are left "
      .. "out of kernels", m.note)
  end)

  it("has kernels of the products", function()
    local m <close> = assert(weft.open(GOLDEN .. "deepseek_v2_lora"))
    local function memory(name, head)
      return core.tensor(m:weight(1, name, head):totable())
    end
    for head = 0, 3 do
      local narrow <const> = memory "W_KV_a"
      local query <const> = memory("W_Q_b", head):matmul(memory "W_Q_a")
      local own <const> = memory("W_KV_b", head):matmul(narrow:rows(1, 12))
      local keys <const> = own:rows(1, 8):totable()
      table.move(narrow:rows(13, 16):totable(), 1, 4, 9, keys)
      local qk <const> = m:qk(1, head)
      assert.equal(12, qk.rows)
      assert.is_true(qk:dense():allclose(query:t():matmul(core.tensor(keys))))
      assert.is_true(m:ov(1, head):dense():allclose(
        memory("W_O", head):matmul(own:rows(9, 14))))
    end
  end)

  it("lacks its kernels where a matrix is not there", function()
    local m <close> = copy("deepseek_v2_lora", function(old)
      return not old:find "layers.1.self_attn.q_a_proj" and old or nil
    end, config_of "deepseek_v2_lora")
    assert.equal("W_Q_a", m.missing[1].name)
    assert.error_matches(function() m:qk(1, 0) end, "layer 1 W_Q_a: missing: "
      .. "there is no tensor 'model.layers.1.self_attn.q_a_proj.weight'", 1,
      true)
    assert.equal(6, #m:ov(1, 0):svdvals())
    assert.equal(12, #m:qk(0, 0):svdvals())
  end)
end)

describe("cross attention", function()
  it("stands beside a decoder layer's own", function()
    local m <close> = assert(weft.open(GOLDEN .. "t5"))
    assert.error_matches(function() m:weight(0, "cross.W_Q") end,
      "no weight 'cross.W_Q' in layer 0", 1, true)
    assert.same({ 40, 32 }, m:weight(2, "cross.W_Q").shape)
    assert.same({ 10, 32 }, m:weight(3, "cross.W_K", 3).shape)
    assert.same({ 32, 10 }, m:weight(3, "cross.W_O", 0).shape)
  end)
end)
