-- Rows of families' tables (model/parts.lua says what a row is), for layouts
-- that many families share.
local rows = {}

local ATTENTION <const> = { "W_Q", "W_K", "W_V", "W_O" }
local MLP <const> = { "W_gate", "W_up", "W_down" }

-- The names in a GGUF.
local GGUF <const> = {
  W_Q = "attn_q.weight", W_K = "attn_k.weight", W_V = "attn_v.weight",
  W_O = "attn_output.weight", W_gate = "ffn_gate.weight",
  W_up = "ffn_up.weight", W_down = "ffn_down.weight",
}

-- Each part's sizes (out, in), and what its rows or columns are cut into.
local SHAPES <const> = {
  W_Q = { "d_q", "d", split = "h", axis = 1 },
  W_K = { "d_kv", "d", split = "GQA", axis = 1 },
  W_V = { "d_kv", "d", split = "GQA", axis = 1 },
  W_O = { "d", "d_q", split = "h", axis = 2 },
}

local function tensor_name(pattern, name)
  return pattern and (pattern:gsub("%%s", name)) or nil
end

local function attention_row(name, tensor, gguf, options)
  local shape <const> = SHAPES[name]
  return { name = (options.prefix or "") .. name, tensor = tensor, gguf = gguf,
    shape = { shape[1], shape[2] }, split = shape.split, axis = shape.axis,
    rotary = options.rotary and (name == "W_Q" or name == "W_K") or nil,
    optional = options.optional }
end

--- Queries, keys, values and output in tensors of their own, (out, in).
--- `names` are theirs in that order, or false; %s of `pattern` stands for
--- them. Without a pattern only a GGUF has those that are true. options:
--- prefix = "cross.", rotary = true where llama.cpp's converter may permute W_Q
--- and W_K, gguf = {…} names there or false, optional.
function rows.attention(pattern, names, options)
  options = options or {}
  local list <const> = {}
  for i, name in ipairs(ATTENTION) do
    local gguf = GGUF[name]
    if options.gguf ~= nil then
      gguf = options.gguf and options.gguf[i] or nil
    end
    list[#list + 1] = names[i] and attention_row(name,
      tensor_name(pattern, names[i]), gguf, options) or nil
  end
  return list
end

--- Queries, keys and values in one tensor: `fused` has sizes and groups as a
--- row's; gguf_fused, gguf and transpose are the row's.
function rows.qkv(tensor, fused, options)
  options = options or {}
  local list <const> = {}
  for i = 1, 3 do
    local row <const> = attention_row(ATTENTION[i], tensor,
      options.gguf == nil and "attn_qkv.weight" or options.gguf or nil,
      options)
    row.fused = { sizes = fused.sizes, groups = fused.groups, index = i }
    row.transpose = options.transpose
    if options.gguf_fused then
      row.gguf_fused = { sizes = options.gguf_fused, index = i }
    end
    list[i] = row
  end
  return list
end

--- Sizes of all queries, then all keys, then all values.
rows.ALL = { "d_q", "d_kv", "d_kv" }
--- Sizes of a group's queries, its key and its value.
rows.GROUP = { "d_group", "d_head", "d_head" }

local function mlp_row(name, tensor, gguf, options)
  local size <const> = options.size or "d_ff"
  return { name = name .. (options.suffix or ""), tensor = tensor,
    gguf = gguf, shape = name == "W_down" and { "d", size } or { size, "d" },
    per = options.per, optional = options.optional, when = options.when,
    transpose = options.transpose, dtype = options.dtype }
end

-- The names of a feed-forward tensor in a GGUF: with experts stacked in one,
-- or as older files have them.
local function mlp_gguf(name, options)
  if options.gguf ~= nil then
    return options.gguf or nil
  elseif options.per == "expert" then
    local stem <const> = GGUF[name]:gsub("%.weight$", "")
    return { stem .. "_exps.weight", stem .. ".%d.weight" }
  elseif options.suffix == ".shared" then
    return (GGUF[name]:gsub("%.weight$", "_shexp.weight"))
  end
  return GGUF[name]
end

--- Gate, up and down in tensors of their own, pattern and names as
--- rows.attention's. options: size = "d_ff", per = "expert", suffix =
--- ".shared", transpose, optional, dtype, gguf = false where it has none.
function rows.mlp(pattern, names, options)
  options = options or {}
  local list <const> = {}
  for i, name in ipairs(MLP) do
    list[#list + 1] = names[i] and mlp_row(name, tensor_name(pattern,
      names[i]), mlp_gguf(name, options), options) or nil
  end
  return list
end

--- Gate and up in one tensor, one after the other or, `interleaved`, row by
--- row. options as rows.mlp's.
function rows.gate_up(tensor, options)
  options = options or {}
  local size <const> = options.size or "d_ff"
  local list <const> = {}
  for i = 1, 2 do
    local row <const> = mlp_row(MLP[i], tensor, options.gguf or nil, options)
    row.fused = options.interleaved and { sizes = { 1, 1 }, groups = size,
      index = i } or { sizes = { size, size }, index = i }
    list[i] = row
  end
  return list
end

-- The place of a part in a layer: the notebook's order.
local function place(name)
  for i, stem in ipairs { "W_Q", "W_KV", "W_K", "W_V", "W_O", "cross",
    "W_gate", "W_up", "W_down" } do
    if name:sub(1, #stem) == stem then
      return i
    end
  end
  return math.huge
end

--- One list of several, in the notebook's order of parts; where several have a
--- part, it is looked for in their order.
function rows.join(...)
  local list <const>, order <const> = {}, {}
  for _, part in ipairs { ... } do
    for _, row in ipairs(part) do
      list[#list + 1] = row
      order[row] = #list
    end
  end
  table.sort(list, function(a, b)
    local first <const>, second <const> = place(a.name), place(b.name)
    return first < second or first == second and order[a] < order[b]
  end)
  return list
end

return rows
