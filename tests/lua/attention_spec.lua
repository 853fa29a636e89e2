-- Attention as the reference library computes it, from W_Q, W_K, W_V and W_O
-- as weft gives them: scores before softmax, each head's context and the
-- output. Biases, norms, rotation and scale are this file's own.
--
-- tests/golden/archs/NAME/attention.json (cross.json for cross attention) has
-- what hooks saw in one layer of the model on a few tokens: hidden states in
-- (and `other`, an encoder's), scores of each head row by row (up to the
-- token's own where `causal`), context before and output after the output
-- projection.
local support = require "tests.lua.support"
local weft = require "weft"

local GOLDEN <const> = "tests/golden/archs/"
local TOLERANCE <const> = 2e-6 -- the library's norms and angles are float32

-- x (n, d) W^T, and a bias
local function project(x, weight, bias)
  local rows <const> = type(weight) == "table" and weight or weight:totable()
  local out <const> = {}
  for i, row in ipairs(x) do
    out[i] = {}
    for j, w in ipairs(rows) do
      local sum = bias and bias[j] or 0
      for k, value in ipairs(row) do
        sum = sum + value * w[k]
      end
      out[i][j] = sum
    end
  end
  return out
end

local function dot(a, b)
  local sum = 0
  for i, x in ipairs(a) do
    sum = sum + x * b[i]
  end
  return sum
end

local function softmax(row)
  local top, sum, out = math.max(table.unpack(row)), 0, {}
  for i, x in ipairs(row) do
    out[i] = math.exp(x - top)
    sum = sum + out[i]
  end
  for i, x in ipairs(out) do
    out[i] = x / sum
  end
  return out
end

local function part(row, first, count)
  return table.move(row, first + 1, first + count, 1, {})
end

-- Rotates values first + 1 … first + size of every row by its place: pairs are
-- half a size apart, or neighbours.
local function rotate(x, size, pairs_are, first)
  for i, row in ipairs(x) do
    for j = 0, size // 2 - 1 do
      local a <const> = (first or 0) + (pairs_are == "neighbours"
        and 2 * j + 1 or j + 1)
      local b <const> = a + (pairs_are == "neighbours" and 1 or size // 2)
      local angle <const> = (i - 1) * 10000.0 ^ (-2 * j / size)
      local c <const>, s <const> = math.cos(angle), math.sin(angle)
      row[a], row[b] = row[a] * c - row[b] * s, row[b] * c + row[a] * s
    end
  end
  return x
end

-- a bias of a file by its name in the layer, the rows that a head has
local function bias_of(case, name, first, count)
  if not name then
    return nil
  end
  local whole <const> = case.m:tensor(case.prefix .. name):totable()
  return first and part(whole, first, count) or whole
end

local function rms_norm(x, weight)
  local out <const> = {}
  for i, row in ipairs(x) do
    local scale <const> = 1 / math.sqrt(dot(row, row) / #row + 1e-6)
    out[i] = {}
    for j, value in ipairs(row) do
      out[i][j] = value * scale * weight[j]
    end
  end
  return out
end

-- ---- how each layout's queries, keys and values come about ----

-- Where the rows of a head begin in the file's bias: parts one after another,
-- or a group's queries, its key and its value together.
local BIAS_PLACES <const> = {
  apart = function(_, at) return at end,
  stacked = function(sizes, at, name)
    return at + (name == "W_K" and sizes.d_q or name == "W_V"
      and sizes.d_q + sizes.d_kv or 0)
  end,
  grouped = function(sizes, at, name)
    local wide <const> = sizes.d_group + 2 * sizes.d_head
    if name == "W_Q" then
      return at // sizes.d_group * wide + at % sizes.d_group
    end
    return at // sizes.d_head * wide + sizes.d_group
      + (name == "W_V" and sizes.d_head or 0)
  end,
}

-- one head's queries, keys or values from W_Q, W_K or W_V
local function plain(case, name, head, x)
  local sizes <const> = case.m:stack_of(case.layer).dims
  local weight <const> = case.m:weight(case.layer, (case.cross or "") .. name,
    head)
  local group <const> = name == "W_Q" and head
    or head // (sizes.h // sizes.GQA)
  local bias = case.bias and case.bias[name]
  if bias then
    bias = bias_of(case, bias, BIAS_PLACES[case.places or "apart"](sizes,
      group * sizes.d_head, name), sizes.d_head)
  end
  local out <const> = project(x, weight, bias)
  if case.rotary and name ~= "W_V" then
    rotate(out, case.rotary, case.pairs_are)
  end
  return out
end

-- the same of low-rank attention: a head's own rows, then the shared ones
local function low_rank(case, name, head, x)
  local m <const>, layer <const> = case.m, case.layer
  local sizes <const> = m.dims
  local nope <const>, rope <const> = sizes.d_nope, sizes.d_rope
  if name == "W_Q" and not sizes.r_q then
    return rotate(project(x, m:weight(layer, "W_Q", head)), rope,
      "neighbours", nope)
  elseif name == "W_Q" then
    local narrow <const> = rms_norm(project(x, m:weight(layer, "W_Q_a")),
      bias_of(case, "self_attn.q_a_layernorm.weight"))
    return rotate(project(narrow, m:weight(layer, "W_Q_b", head)), rope,
      "neighbours", nope)
  end
  local both <const> = project(x, m:weight(layer, "W_KV_a"))
  local narrow <const>, shared <const> = {}, {}
  for i, row in ipairs(both) do
    narrow[i] = part(row, 0, sizes.r_kv)
    shared[i] = part(row, sizes.r_kv, rope)
  end
  local own <const> = project(rms_norm(narrow,
    bias_of(case, "self_attn.kv_a_layernorm.weight")),
    m:weight(layer, "W_KV_b", head))
  rotate(shared, rope, "neighbours")
  for i, row in ipairs(own) do
    own[i] = name == "W_V" and part(row, nope, sizes.d_v)
      or table.move(shared[i], 1, rope, nope + 1, part(row, 0, nope))
  end
  return own
end

-- ---- what is added to scores ----

-- four heads' slopes, by the key's place
local function alibi(_, head, _, j)
  return 2.0 ^ (-8 * (head + 1) / 4) * (j - 1)
end

-- T5's table of distances, which are few enough to be exact
local function distances(case, head, i, j)
  local bucket <const> = math.abs(i - j) + (j > i and 16 or 0)
  return case.m:tensor(case.prefix
    .. "layer.0.SelfAttention.relative_attention_bias.weight"):get(bucket + 1,
    head + 1)
end

-- ---- the cases ----

local function biases(pattern, names)
  local list <const> = {}
  for i, name in ipairs { "W_Q", "W_K", "W_V", "W_O" } do
    list[name] = names[i] and pattern:format(names[i]) or nil
  end
  return list
end

local FUSED <const> = { "query_key_value", "query_key_value",
  "query_key_value", "dense" }

local CASES <const> = {
  { name = "llama", prefix = "model.layers.1.", rotary = 8 },
  { name = "qwen2", prefix = "model.layers.1.", rotary = 8,
    bias = biases("self_attn.%s_proj.bias", { "q", "k", "v" }) },
  { name = "phi3", prefix = "model.layers.1.", rotary = 8 },
  { name = "glm", prefix = "model.layers.1.", rotary = 6,
    pairs_are = "neighbours",
    bias = biases("self_attn.%s_proj.bias", { "q", "k", "v" }) },
  { name = "gpt2", prefix = "transformer.h.1.", places = "stacked",
    bias = biases("attn.%s.bias", { "c_attn", "c_attn", "c_attn",
      "c_proj" }) },
  { name = "gpt_neox", prefix = "gpt_neox.layers.1.", rotary = 2,
    places = "grouped", bias = biases("attention.%s.bias", FUSED) },
  { name = "bloom", prefix = "transformer.h.1.", places = "grouped",
    bias = biases("self_attention.%s.bias", FUSED), added = alibi },
  { name = "falcon", prefix = "transformer.h.1.", rotary = 10 },
  { name = "falcon_mq", prefix = "transformer.h.1.", rotary = 10 },
  { name = "falcon_mh", prefix = "transformer.h.1.", places = "grouped",
    bias = biases("self_attention.%s.bias", FUSED),
    -- transformers 5.23's eager attention has it in the mask once more
    added = function(...) return 2 * alibi(...) / math.sqrt(10) end },
  { name = "bert", prefix = "encoder.layer.1.",
    bias = biases("attention.%s.bias", { "self.query", "self.key",
      "self.value", "output.dense" }) },
  { name = "deepseek_v2", prefix = "model.layers.1.", how = low_rank },
  { name = "deepseek_v2_lora", prefix = "model.layers.1.", how = low_rank },
  { name = "deepseek_v3", prefix = "model.layers.1.", how = low_rank },
  { name = "t5", prefix = "encoder.block.0.", scale = 1, added = distances },
  { name = "t5", cross = "cross.", scale = 1 },
  { name = "whisper", prefix = "model.decoder.layers.0.", cross = "cross.",
    bias = biases("encoder_attn.%s_proj.bias", { "q", false, "v", "out" }) },
}

local function near(expected, found, what)
  assert(math.abs(expected - found) <= TOLERANCE * (1 + math.abs(expected)),
    ("%s: %.9g was expected, found %.9g"):format(what, expected, found))
end

local function near_rows(expected, found, what)
  assert.equal(#expected, #found)
  for i, row in ipairs(expected) do
    for j, x in ipairs(row) do
      near(x, found[i][j], ("%s [%d, %d]"):format(what, i, j))
    end
  end
end

-- the scores of a head, as many a row as the golden ones
local function scores_of(case, golden, head, queries, keys)
  local scale <const> = case.scale or 1 / math.sqrt(#queries[1])
  local out <const> = {}
  for i, query in ipairs(queries) do
    out[i] = {}
    for j = 1, #golden.scores[head + 1][i] do
      out[i][j] = scale * dot(query, keys[j]) + (case.added
        and case.added(case, head, i, j) or 0)
    end
  end
  return out
end

-- a head's context: values weighed by softmax of its scores
local function context_of(scores, values)
  local out <const> = {}
  for i, row in ipairs(scores) do
    local weights <const> = softmax(row)
    out[i] = {}
    for k = 1, #values[1] do
      local sum = 0
      for j, weight in ipairs(weights) do
        sum = sum + weight * values[j][k]
      end
      out[i][k] = sum
    end
  end
  return out
end

local function add_rows(total, rows)
  for i, row in ipairs(rows) do
    total[i] = total[i] or {}
    for j, x in ipairs(row) do
      total[i][j] = (total[i][j] or 0) + x
    end
  end
end

local function check_head(case, golden, head, total)
  local how <const> = case.how or plain
  local other <const> = golden.other or golden.hidden
  local scores <const> = scores_of(case, golden, head,
    how(case, "W_Q", head, golden.hidden), how(case, "W_K", head, other))
  near_rows(golden.scores[head + 1], scores, ("head %d scores"):format(head))
  local context <const> = context_of(scores, how(case, "W_V", head, other))
  local width <const>, wanted <const> = #context[1], {}
  for i, row in ipairs(golden.context) do
    wanted[i] = part(row, head * width, width)
  end
  near_rows(wanted, context, ("head %d context"):format(head))
  add_rows(total, project(context, case.m:weight(case.layer, (case.cross or "")
    .. "W_O", head)))
end

describe("attention", function()
  for _, case in ipairs(CASES) do
    it("of " .. (case.cross and "cross-attending " or "") .. case.name
      .. " is the reference's", function()
      local folder <const> = GOLDEN .. case.name
      local m <close> = assert(weft.open(folder))
      local golden <const> = support.json(folder .. (case.cross
        and "/cross.json" or "/attention.json"))
      case.m, case.layer = m, golden.layer
      local total <const> = {}
      for head = 0, #golden.scores - 1 do
        check_head(case, golden, head, total)
      end
      if case.bias and case.bias.W_O then
        local bias <const> = bias_of(case, case.bias.W_O)
        for _, row in ipairs(total) do
          add_rows({ row }, { bias })
        end
      end
      near_rows(golden.output, total, "output")
    end)
  end
end)
