-- Lua values as JSON text: keys in byte order, numbers the shortest that read
-- back as the same double, NaN and infinities null. Same value, same bytes.
local json = {}

local core <const> = require "weft.core"
local sys <const> = core.sys

-- Deeper than any value that is meant; one that holds itself has no end.
local DEEPEST <const> = 500

local ESCAPES <const> = {
  ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f",
  ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t",
}

local function encode_text(text)
  if not utf8.len(text) then
    text = sys.escape(text)
  end
  return '"' .. text:gsub('[%c"\\\127]', function(c)
    return ESCAPES[c] or ("\\u%04x"):format(c:byte())
  end) .. '"'
end

local encode_value

local function is_array(value)
  return value[1] ~= nil or next(value) == nil
end

local function encode_array(value, indent)
  local items, nested = {}, false
  for i, item in ipairs(value) do
    items[i] = encode_value(item, indent .. " ")
    nested = nested or type(item) == "table"
  end
  if not nested then
    return "[" .. table.concat(items, ", ") .. "]"
  end
  local line <const> = "\n" .. indent .. " "
  return "[" .. line .. table.concat(items, "," .. line) .. "\n" .. indent
    .. "]"
end

local function encode_object(value, indent)
  local keys, items, lines = {}, {}, {}
  for key, item in pairs(value) do
    -- a label of a layer is a key, as text
    local name <const> = tostring(key)
    keys[#keys + 1], items[name] = name, item
  end
  table.sort(keys)
  for i, key in ipairs(keys) do
    lines[i] = indent .. " " .. encode_text(key) .. ": "
      .. encode_value(items[key], indent .. " ")
  end
  return "{\n" .. table.concat(lines, ",\n") .. "\n" .. indent .. "}"
end

function encode_value(value, indent)
  local kind <const> = type(value)
  if kind == "table" and #indent > DEEPEST then
    error(("tables nest deeper than %d, or hold themselves"):format(DEEPEST), 0)
  elseif kind == "table" then
    return (is_array(value) and encode_array or encode_object)(value, indent)
  elseif kind == "number" then
    local finite <const> = value == value and math.abs(value) < math.huge
    return finite and sys.number(value) or "null"
  elseif kind == "string" then
    return encode_text(value)
  elseif kind == "boolean" then
    return tostring(value)
  elseif value ~= nil and value ~= core.null then
    error(("a %s has no JSON"):format(kind), 0)
  end
  return "null"
end

--- A value as indented JSON text with a newline at its end. A table with a
--- first element, or an empty one, is an array. Text that is no UTF-8 is shown
--- escaped; raises for what has no JSON.
function json.encode(value)
  return encode_value(value, "") .. "\n"
end

return json
