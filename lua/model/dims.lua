-- A model's sizes: read by a family's table of names, checked, completed.
local dims = {}

local sys <const> = require("weft.core").sys

-- What a size may be; beyond it a config is broken, not large.
local RANGES <const> = {
  L = { 1, 4096 }, h = { 1, 65536 }, GQA = { 1, 65536 }, d = { 1, 1 << 24 },
  d_ff = { 1, 1 << 26 }, V = { 1, 1 << 31 }, d_head = { 1, 1 << 24 },
  E = { 0, 65536 },
}
local ANY <const> = { 0, 1 << 26 }

--- The sizes that every model has, in the order they are shown.
dims.order = { "L", "d", "d_ff", "h", "GQA", "V", "d_head" }

local function found(value)
  if type(value) == "number" then
    return sys.number(value)
  elseif type(value) == "string" then
    return ("'%s'"):format(sys.escape(value))
  end
  return ("a %s"):format(type(value))
end

-- One size as it stands in the file; false and a sentence where it is there
-- and no whole number of its range.
local function checked(key, value, where)
  if value == nil then
    return nil
  end
  local range <const> = RANGES[key] or ANY
  local whole <const> = math.type(value) == "float" and value % 1 == 0
    and math.tointeger(value) or value
  if math.type(whole) ~= "integer" or whole < range[1] or whole > range[2] then
    return false, ("%s is %s, a whole number from %d to %d was expected")
      :format(where, found(value), range[1], range[2])
  end
  return whole
end

--- Sizes by a family's table of names: a value is the name of a key, or a
--- list of names of which the first that is there counts. `lookup(name)` gives
--- what stands in the file. Returns nil and a sentence where one is wrong.
function dims.read(names, lookup)
  local keys, sizes = {}, {}
  for key in pairs(names) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  for _, key in ipairs(keys) do
    local list <const> = type(names[key]) == "table" and names[key]
      or { names[key] }
    for _, name in ipairs(list) do
      local value <const>, message <const> = checked(key, lookup(name), name)
      if value == false then
        return nil, message
      end
      sizes[key] = sizes[key] or value
    end
  end
  return sizes
end

-- The size of a head, or the reason why it can't be told.
local function head_size(sizes)
  if sizes.d_head or not sizes.d or not sizes.h then
    return sizes.d_head
  elseif sizes.d % sizes.h == 0 then
    return sizes.d // sizes.h
  end
  return nil, ("d = %d is no multiple of h = %d, and there is no head_dim")
    :format(sizes.d, sizes.h)
end

--- What follows from the sizes that stand in a file. Gives the sizes and, where
--- the size of a head can't be told, why; or nil and a sentence where they
--- contradict one another. `family.derive` has the family's own rules, by what
--- the file says and its format.
function dims.complete(sizes, family, source, format)
  if family.derive then
    family.derive(sizes, source, format)
  end
  sizes.GQA = sizes.GQA or sizes.h
  if sizes.h and (sizes.GQA < 1 or sizes.h % sizes.GQA ~= 0) then
    return nil, ("%d heads cannot be shared by %d key-value heads"):format(
      sizes.h, sizes.GQA)
  end
  local d_head <const>, why <const> = head_size(sizes)
  sizes.d_head = d_head
  if d_head and sizes.h then
    sizes.d_q = d_head * sizes.h
    sizes.d_kv = d_head * sizes.GQA
    sizes.d_group = d_head * (sizes.h // sizes.GQA)
  end
  sizes.n_layers, sizes.d_model = sizes.L, sizes.d
  sizes.n_heads, sizes.n_kv_heads = sizes.h, sizes.GQA
  return sizes, why
end

return dims
