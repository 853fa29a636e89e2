-- What the prompt shows of a value: short, aligned, cut to the screen, and
-- with no control code in it but weft's own colours.
--
-- A metatable's __pretty(value, options) gives the text of its own values.
-- Options: width and rows of the screen, depth of nested tables, colour
-- (whether SGR codes may be used).
local print = {}

local core <const> = require "weft.core"
local colour <const> = require "weft.colour"
local markdown <const> = require "weft.markdown"
local numbers <const> = require "weft.print.numbers"
local sys <const> = core.sys

local DEPTH <const> = 4          -- nested tables
local ITEMS <const> = 100        -- of one table
local VALUES <const> = 2000      -- of a table and all within it
local STRING_BYTES <const> = 4000 -- of one string
local NAMES <const> = 10         -- of a checkpoint's tensors

local ESCAPES <const> = {
  ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r", ['"'] = '\\"',
  ["\\"] = "\\\\",
}

local KEYWORDS <const> = {}
for word in ("and break do else elseif end false for function goto if in "
  .. "local nil not or repeat return then true until while"):gmatch "%a+" do
  KEYWORDS[word] = true
end

-- ---- text ----

-- Columns on the terminal, colours taking none.
local function width_of(text)
  return markdown.width((text:gsub("\27%[[%d;]*m", "")))
end

-- Foreign text made safe, line breaks kept; SGR's codes stay where `on`.
local function safe(text, on)
  local lines <const> = {}
  for line in (text .. "\n"):gmatch "(.-)\n" do
    local out <const> = {}
    for plain, code in (line .. "\27[m"):gmatch "(.-)(\27%[[%d;]*m)" do
      out[#out + 1] = sys.escape((plain:gsub("\t", "    ")))
      out[#out + 1] = on and code or ""
    end
    out[#out] = nil
    lines[#lines + 1] = table.concat(out)
  end
  return table.concat(lines, "\n")
end

local function paint(text, style, options)
  return colour.paint(text, style, options.colour)
end

-- The bytes up to `count`, no character cut in two.
local function cut(text, count)
  local last = count
  while last > 0 and (text:byte(last + 1) or 0) & 0xC0 == 0x80 do
    last = last - 1
  end
  return text:sub(1, last)
end

--- A string as Lua would read it, on one line; long ones are cut.
function print.quote(text)
  local shown <const> = #text > STRING_BYTES and cut(text, STRING_BYTES)
    or text
  local quoted = shown:gsub('[%c"\\]', function(char)
    return ESCAPES[char] or ("\\x%02X"):format(char:byte())
  end)
  quoted = '"' .. sys.escape(quoted) .. '"'
  return #shown < #text and ("%s… (%d bytes)"):format(quoted, #text) or quoted
end

-- ---- functions ----

-- The name of a function in a module, or in the globals; `ans` names nothing.
local function name_in(module, table, fn)
  for name, value in next, table do
    if rawequal(value, fn) and type(name) == "string" and name ~= "ans" then
      return module == "_G" and name or module .. "." .. name
    end
  end
  return nil
end

-- The name by which a function can be called: weft's public one, a global's,
-- a library's.
local function name_of(fn)
  local modules <const> = {}
  for name, module in pairs(package.loaded) do
    if type(name) == "string" and type(module) == "table" then
      modules[#modules + 1] = name
    end
  end
  table.sort(modules)
  table.insert(modules, 1, "weft")
  table.insert(modules, 2, "_G")
  for _, module in ipairs(modules) do
    local name <const> = name_in(module, package.loaded[module] or {}, fn)
    if name then
      return name
    end
  end
  return nil
end

local function function_text(fn)
  local info <const> = debug.getinfo(fn, "S")
  local where <const> = info.what == "C" and "" or (" (%s:%d)"):format(
    sys.escape(info.short_src), info.linedefined)
  local name <const> = name_of(fn)
  return "function" .. (name and " " .. sys.escape(name) or "")
    .. (where == "" and not name and " (of C)" or where)
end

-- ---- weft's own values ----

local OWN <const> = {}
local BRIEF <const> = {} -- on one line

-- The text that __tostring gives, which may well fail.
local function told(value)
  local ok <const>, text <const> = pcall(tostring, value)
  return ok and text or ("<error in __tostring: %s>"):format(tostring(text))
end

OWN["weft.tensor"] = function(value, options)
  return numbers.tensor(value, options)
end

OWN["weft.frame"] = function(value, options)
  return require("weft.frame.text").show(value, options.width)
end

OWN["weft.model"] = function(value)
  local order <const> = { "L", "d", "d_ff", "h", "GQA", "V", "d_head", "d_kv" }
  local head <const> = ("%s (%s, %s)"):format(sys.escape(value.name),
    value.arch or "unknown family", value.format)
  local lines <const> = { head }
  for _, key in ipairs(order) do
    lines[#lines + 1] = ("  %-6s  %s"):format(key, value.dims[key] or "n/a")
  end
  local missing <const> = #value.missing
  if missing > 0 then
    lines[#lines + 1] = ("  %d part%s missing"):format(missing,
      missing == 1 and "" or "s")
  end
  return table.concat(lines, "\n")
end

OWN["weft.checkpoint"] = function(value)
  local lines <const> = { told(value) }
  if lines[1]:find "closed" then
    return lines[1]
  end
  local names <const> = value:names()
  for i = 1, math.min(#names, NAMES) do
    local entry <const> = value:entry(names[i])
    lines[#lines + 1] = ("  %s  [%s] %s"):format(sys.escape(names[i]),
      table.concat(entry.shape, ", "), entry.dtype)
  end
  if #names > NAMES then
    lines[#lines + 1] = ("  … %d more"):format(#names - NAMES)
  end
  return table.concat(lines, "\n")
end

BRIEF["weft.frame"] = function(value)
  return ("frame of %d rows, %d columns"):format(value.n, #value.names)
end

-- ---- tables ----

-- Numbers first, then strings, then the rest.
local function key_rank(key)
  local kind <const> = type(key)
  return kind == "number" and 1 or kind == "string" and 2 or 3
end

local function key_before(a, b)
  local x <const>, y <const> = key_rank(a), key_rank(b)
  if x ~= y then
    return x < y
  elseif x == 3 then
    return told(a) < told(b)
  end
  return a < b
end

-- The keys beyond the array part, sorted.
local function sorted_keys(value, length)
  local keys <const> = {}
  for key in next, value do
    if math.type(key) ~= "integer" or key < 1 or key > length then
      keys[#keys + 1] = key
    end
  end
  table.sort(keys, key_before)
  return keys
end

local render

local function key_text(key, options)
  if type(key) == "string" and key:find "^[%a_][%w_]*$"
    and not KEYWORDS[key] then
    return key .. " = "
  end
  local inner <const> = type(key) == "table" and "table"
    or render(key, options, { count = 0 }, 1)
  return "[" .. inner .. "] = "
end

-- The items of a table as texts, at most ITEMS; and whether any has several
-- lines.
local function items_of(value, options, open, depth)
  local items, tall = {}, false
  local function add(prefix, item)
    local text <const> = render(item, options, open, depth + 1)
    open.count = open.count + 1
    tall = tall or text:find("\n", 1, true) ~= nil
    items[#items + 1] = prefix .. text
  end
  local length <const> = rawlen(value)
  for i = 1, math.min(length, ITEMS) do
    add("", rawget(value, i))
  end
  local keys <const> = sorted_keys(value, length)
  for i = 1, math.min(#keys, ITEMS - #items) do
    add(key_text(keys[i], options), rawget(value, keys[i]))
  end
  local left <const> = length + #keys - #items
  if left > 0 then
    items[#items + 1] = ("… %d more"):format(left)
  end
  return items, tall
end

-- Whether no item is a table of its own.
local function all_flat(items)
  for _, item in ipairs(items) do
    if item:find "^{" then
      return false
    end
  end
  return true
end

-- Short items that have no keys stand in lines as wide as the screen.
local function filled(items, room)
  local lines, line = {}, ""
  for i, item in ipairs(items) do
    local piece <const> = item .. (i < #items and "," or "")
    if line ~= "" and width_of(line) + 1 + width_of(piece) > room then
      lines[#lines + 1], line = line, piece
    else
      line = line == "" and piece or line .. " " .. piece
    end
  end
  lines[#lines + 1] = line
  return lines
end

local function table_text(value, options, open, depth)
  if open[value] then
    return "{cycle}"
  elseif next(value) == nil then
    return "{}"
  elseif depth >= options.depth or open.count > VALUES then
    return "{…}"
  end
  open[value] = true
  local items, tall = items_of(value, options, open, depth)
  open[value] = nil
  local room <const> = options.width - 2 * depth - 2
  local line <const> = "{" .. table.concat(items, ", ") .. "}"
  if not tall and width_of(line) <= room then
    return line
  end
  if not tall and rawlen(value) >= #items - 1 and all_flat(items) then
    items = filled(items, room)
  else
    for i = 1, #items do
      items[i] = items[i] .. (i < #items and "," or "")
    end
  end
  local body <const> = table.concat(items, "\n"):gsub("\n", "\n  ")
  return "{\n  " .. body .. "\n}"
end

-- ---- any value ----

-- What a metatable says: __pretty, weft's own way, __tostring; else nil. Within
-- a table a line is enough.
local function by_metatable(value, options, depth)
  local meta <const> = debug.getmetatable(value)
  if type(meta) ~= "table" or type(value) == "string" then
    return nil
  end
  local own <const> = depth == 0 and OWN or BRIEF
  local pretty <const> = rawget(meta, "__pretty")
    or own[rawget(meta, "__name")]
  if pretty then
    local ok <const>, text <const> = pcall(pretty, value, options)
    if ok and type(text) == "string" then
      return safe(text, options.colour)
    end
    return safe(("<error in __pretty: %s>"):format(ok
      and "no string was returned" or tostring(text)))
  elseif rawget(meta, "__tostring") then
    return safe(told(value))
  end
  return nil
end

function render(value, options, open, depth)
  local kind <const> = type(value)
  local own <const> = by_metatable(value, options, depth)
  if own then
    return depth == 0 and own or (own:match "^[^\n]*")
  elseif kind == "string" then
    return paint(print.quote(value), "green", options)
  elseif kind == "number" then
    return value ~= value and "nan" or tostring(value)
  elseif kind == "table" then
    return table_text(value, options, open, depth)
  elseif kind == "function" then
    return function_text(value)
  end
  return safe(told(value))
end

-- At most so many lines, the last of which says what is left out.
local function cut_lines(text, rows)
  local lines <const> = {}
  for line in (text .. "\n"):gmatch "(.-)\n" do
    lines[#lines + 1] = line
  end
  if #lines <= rows then
    return text
  end
  local kept <const> = math.max(1, rows - 1)
  return ("%s\n… %d more lines; show(ans, {rows = %d}) shows all"):format(
    table.concat(lines, "\n", 1, kept), #lines - kept, #lines)
end

--- The options that are not given: of the terminal on standard output.
function print.options(given)
  local rows <const> = sys.window(1)
  local options <const> = {
    width = sys.columns(1), depth = DEPTH, colour = colour.allowed(1),
    rows = math.max(10, (rows or 24) - 2),
  }
  for key, value in pairs(given or {}) do
    options[key] = value
  end
  return options
end

--- A value as text without a line break at its end.
function print.text(value, given)
  local options <const> = print.options(given)
  return cut_lines(render(value, options, { count = 0 }, 0),
    options.rows)
end

return print
