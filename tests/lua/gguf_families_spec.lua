-- Families as llama.cpp's converter writes them: twins of the golden
-- checkpoints with its names, its permuted rows, its fused, stacked and turned
-- tensors, which must give the same parts bit for bit.
local core = require "weft.core"
local support = require "tests.lua.support"
local weft = require "weft"

local GOLDEN <const> = "tests/golden/archs/"

teardown(support.clean)

-- ---- what the converter does to tensors, as arrays of rows ----

-- reshape(heads, 2, half, …), the middle axes swapped
local function permuted(rows, heads)
  local size <const>, out <const> = #rows // heads, {}
  for head = 0, heads - 1 do
    for i = 0, size // 2 - 1 do
      for half = 0, 1 do
        out[head * size + 2 * i + half + 1] =
          rows[head * size + half * (size // 2) + i + 1]
      end
    end
  end
  return out
end

local function stacked(...)
  local out <const> = {}
  for _, rows in ipairs { ... } do
    table.move(rows, 1, #rows, #out + 1, out)
  end
  return out
end

local function turned(rows)
  local out <const> = {}
  for j = 1, #rows[1] do
    out[j] = {}
    for i, row in ipairs(rows) do
      out[j][i] = row[j]
    end
  end
  return out
end

local function slice(rows, first, count)
  return table.move(rows, first + 1, first + count, 1, {})
end

-- ---- its names ----

local STOCK <const> = { W_Q = "attn_q", W_K = "attn_k", W_V = "attn_v",
  W_O = "attn_output", W_gate = "ffn_gate", W_up = "ffn_up",
  W_down = "ffn_down", ["W_gate.shared"] = "ffn_gate_shexp",
  ["W_up.shared"] = "ffn_up_shexp", ["W_down.shared"] = "ffn_down_shexp",
  W_Q_a = "attn_q_a", W_Q_b = "attn_q_b", W_KV_a = "attn_kv_a_mqa",
  W_KV_b = "attn_kv_b" }
local T5 <const> = { W_O = "attn_o", ["cross.W_Q"] = "cross_attn_q",
  ["cross.W_K"] = "cross_attn_k", ["cross.W_V"] = "cross_attn_v",
  ["cross.W_O"] = "cross_attn_o" }
local CLIP <const> = { W_O = "attn_out" }

-- ---- from a layer's parts to a GGUF's tensors ----

-- Takes parts out of a layer's and puts them back as the case says.
local function convert(case, m, parts)
  local sizes <const> = m.dims
  if case.permuted then
    parts.W_Q = permuted(parts.W_Q, sizes.h)
    parts.W_K = permuted(parts.W_K, sizes.GQA)
  end
  if case.qkv then
    parts.attn_qkv = stacked(parts.W_Q, parts.W_K, parts.W_V)
    parts.W_Q, parts.W_K, parts.W_V = nil, nil, nil
  end
  if case.gate_up then
    parts.W_up = stacked(parts.W_gate, parts.W_up)
    parts.W_gate = nil
  end
  if case.gate_up_exps then
    parts.ffn_gate_up_exps = {}
    for i, gate in ipairs(parts.ffn_gate_exps) do
      parts.ffn_gate_up_exps[i] = stacked(gate, parts.ffn_up_exps[i])
    end
    parts.ffn_gate_exps, parts.ffn_up_exps = nil, nil
  end
  if case.apart then
    local keys <const>, values <const> = {}, {}
    local size <const> = sizes.d_nope + sizes.d_v
    for head = 1, sizes.h do
      local at <const> = (head - 1) * size
      keys[head] = turned(slice(parts.W_KV_b, at, sizes.d_nope))
      values[head] = slice(parts.W_KV_b, at + sizes.d_nope, sizes.d_v)
    end
    parts.attn_k_b, parts.attn_v_b, parts.W_KV_b = keys, values, nil
  end
  return parts
end

-- The layer's parts by name, experts in one array each.
local function parts_of(m, layer)
  local parts <const> = {}
  for _, part in ipairs(m:weights(layer)) do
    local rows <const> = part.tensor:totable()
    if part.expert then
      local name <const> = STOCK[part.type] .. "_exps"
      parts[name] = parts[name] or {}
      parts[name][part.expert + 1] = rows
    else
      parts[part.name] = rows
    end
  end
  return parts
end

local function tensors_of(case, m)
  local list <const> = {}
  local first <const> = case.first or 0
  for layer = first, m.dims.L - 1 do
    local stack <const>, index <const> = m:stack_of(layer)
    local prefix <const> = (case.prefix or {})[stack.name] or "blk.%d."
    local parts <const> = convert(case, m, parts_of(m, layer))
    local names <const> = {}
    for name in pairs(parts) do
      names[#names + 1] = name
    end
    table.sort(names)
    for _, name in ipairs(names) do
      local own <const> = (case.names or {})[name] or STOCK[name] or name
      list[#list + 1] = { tensor = core.tensor(parts[name]),
        name = prefix:format(index) .. own .. ".weight" }
    end
  end
  return list
end

-- ---- its metadata ----

local function with(fields, more)
  local out <const> = {}
  for _, list in ipairs { fields, more } do
    for key, value in pairs(list) do
      out[key] = value
    end
  end
  return out
end

-- the usual keys and those of the case, from the model's dims
local function meta_of(case, m)
  local sizes <const> = m:stack_of(case.first or 0).dims
  local tokens <const> = {}
  for i = 1, sizes.V or 1 do
    tokens[i] = "t" .. i
  end
  local meta <const> = { { "general.architecture", case.arch },
    { "tokenizer.ggml.tokens", tokens } }
  local keys <const> = case.keys or { block_count = "L",
    embedding_length = "d", feed_forward_length = "d_ff",
    ["attention.head_count"] = "h", ["attention.head_count_kv"] = "GQA" }
  for key, value in pairs(with(keys, case.more or {})) do
    meta[#meta + 1] = { case.arch .. "." .. key,
      type(value) == "string" and sizes[value] or value }
  end
  return meta
end

-- ---- the cases ----

local HEAD <const> = { ["attention.key_length"] = "d_head" }
local MIXTURE <const> = { expert_count = "E",
  expert_feed_forward_length = "d_expert" }
local LOW_RANK <const> = { expert_count = "E", expert_shared_count = 2,
  expert_feed_forward_length = "d_expert",
  ["attention.kv_lora_rank"] = "r_kv", ["rope.dimension_count"] = "d_rope" }

local OLD <const> = with(LOW_RANK, { ["attention.key_length"] = "d_head",
  ["attention.value_length"] = "d_v" })
-- as one key-value head of all that is shared
local NEW <const> = with(LOW_RANK, { ["attention.head_count_kv"] = 1,
  ["attention.key_length"] = 16, ["attention.value_length"] = 12,
  ["attention.key_length_mla"] = "d_head",
  ["attention.value_length_mla"] = "d_v" })
local RANK <const> = { ["attention.q_lora_rank"] = "r_q" }

local CASES <const> = {
  { "llama", arch = "llama", permuted = true },
  { "mistral", arch = "llama", permuted = true, family = "llama",
    more = HEAD },
  { "granite", arch = "granite", permuted = true },
  { "smollm3", arch = "smollm3", permuted = true },
  { "olmo", arch = "olmo", permuted = true },
  { "internlm2", arch = "internlm2", permuted = true },
  { "baichuan", arch = "baichuan", permuted = true },
  { "mixtral", arch = "llama", permuted = true,
    more = { expert_count = "E" } },
  { "olmo2", arch = "olmo2" },
  { "qwen2", arch = "qwen2" },
  { "qwen3", arch = "qwen3", more = HEAD },
  { "gemma", arch = "gemma", more = HEAD },
  { "gemma2", arch = "gemma2", more = HEAD },
  { "gemma3_text", arch = "gemma3", family = "gemma3", more = HEAD },
  { "starcoder2", arch = "starcoder2" },
  { "stablelm", arch = "stablelm" },
  { "cohere", arch = "command-r" },
  { "cohere2", arch = "cohere2", family = "cohere", more = HEAD },
  { "nemotron", arch = "nemotron", more = HEAD },
  { "phi", arch = "phi2" },
  { "phi", arch = "phi2", qkv = true },
  { "phi3", arch = "phi3", qkv = true, gate_up = true },
  { "glm4", arch = "glm4", gate_up = true, more = HEAD },
  { "glm", arch = "chatglm", gate_up = true, qkv = true, more = HEAD },
  { "gpt2", arch = "gpt2", qkv = true },
  { "gpt_neox", arch = "gptneox", qkv = true },
  { "bloom", arch = "bloom", qkv = true },
  { "falcon", arch = "falcon", qkv = true },
  { "falcon_mq", arch = "falcon", qkv = true, family = "falcon" },
  { "falcon_mh", arch = "falcon", qkv = true, family = "falcon" },
  { "bert", arch = "bert" },
  { "roberta", arch = "bert", family = "bert" },
  { "qwen2_moe", arch = "qwen2moe", more = with(MIXTURE, {
    expert_shared_feed_forward_length = "d_shared" }) },
  { "qwen3_moe", arch = "qwen3moe", more = with(MIXTURE, HEAD) },
  { "qwen3_moe", arch = "qwen3moe", more = with(MIXTURE, HEAD),
    gate_up_exps = true },
  { "gpt_oss", arch = "gpt-oss", more = with(HEAD, { expert_count = "E",
    expert_feed_forward_length = "d_ff" }) },
  { "deepseek_v2", arch = "deepseek2", more = OLD },
  { "deepseek_v2_lora", arch = "deepseek2", more = with(OLD, RANK),
    family = "deepseek_v2" },
  { "deepseek_v2", arch = "deepseek2", apart = true, more = NEW },
  { "deepseek_v3", arch = "deepseek2", apart = true, more = with(NEW, RANK),
    family = "deepseek_v2" },
  { "t5", arch = "t5", names = T5, prefix = { encoder = "enc.blk.%d.",
    decoder = "dec.blk.%d." }, more = HEAD },
  { "t5_gated", arch = "t5", family = "t5", names = T5, prefix = {
    encoder = "enc.blk.%d.", decoder = "dec.blk.%d." }, more = HEAD },
  { "clip", arch = "clip", names = CLIP, first = 2,
    prefix = { vision = "v.blk.%d." }, keys = { ["vision.block_count"] = "L",
      ["vision.embedding_length"] = "d", ["vision.attention.head_count"] = "h",
      ["vision.feed_forward_length"] = "d_ff" } },
}

-- ---- the comparison ----

-- W_KV_b's two halves of a head, for GGUFs that have them apart
local function halves(m, layer)
  local sizes <const>, list <const> = m.dims, {}
  for head = 0, sizes.h - 1 do
    local rows <const> = m:weight(layer, "W_KV_b", head):totable()
    list["W_K_b." .. head] = slice(rows, 0, sizes.d_nope)
    list["W_V_b." .. head] = slice(rows, sizes.d_nope, sizes.d_v)
  end
  return list
end

local function same_parts(case, plain, twin)
  local first <const> = case.first or 0
  for layer = first, plain.dims.L - 1 do
    local wanted <const> = case.apart and halves(plain, layer) or {}
    for _, part in ipairs(plain:weights(layer)) do
      wanted[part.name] = part.tensor:totable()
    end
    if case.apart then
      wanted.W_KV_b = nil
    end
    for _, part in ipairs(twin:weights(layer - first)) do
      local what <const> = ("layer %d %s"):format(layer, part.name)
      assert(part.tensor, part.reason)
      assert(wanted[part.name], what .. " is none of the model's")
      assert.same(wanted[part.name], part.tensor:totable(), what)
      wanted[part.name] = nil
    end
    assert.is_nil((next(wanted)))
  end
end

local function same_kernels(case, plain, twin)
  local first <const> = case.first or 0
  for _, of in ipairs { "qk", "ov" } do
    local a <const> = plain:heads { of = of }
    local skipped <const> = #a - #twin:heads { of = of }
    for i, part in ipairs(twin:heads { of = of }) do
      local other <const> = a[i + skipped]
      assert.equal(other.layer - first, part.layer)
      assert.same(other.kernel:svdvals():totable(),
        part.kernel:svdvals():totable())
    end
  end
end

describe("a GGUF as llama.cpp writes it", function()
  for _, case in ipairs(CASES) do
    it(("of %s%s has the same parts"):format(case[1], case.apart
      and ", keys and values apart" or (case.qkv or case.gate_up_exps)
      and ", fused" or ""),
      function()
        local plain <close> = assert(weft.open(GOLDEN .. case[1]))
        local twin <close> = assert(weft.open(support.gguf(
          meta_of(case, plain), tensors_of(case, plain))))
        assert.equal(("general.architecture '%s'"):format(case.arch),
          twin.told)
        assert.equal(case.family or case[1], twin.arch)
        assert.same({}, twin.missing)
        local sizes <const> = plain:stack_of(case.first or 0).dims
        for _, key in ipairs { "d", "d_ff", "h", "GQA", "V", "d_head" } do
          assert.equal(sizes[key], twin.dims[key], key)
        end
        assert.equal(plain.dims.L - (case.first or 0), twin.dims.L)
        same_parts(case, plain, twin)
        same_kernels(case, plain, twin)
      end)
  end
end)
