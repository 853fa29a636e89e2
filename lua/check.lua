-- Checks of arguments: each raises an error that names the argument, at the
-- caller of the function that checks.
local check = {}

local sys <const> = require("weft.core").sys

-- The caller of a public function, from within a check that it calls.
local CALLER <const> = 3

-- "missing", "a table", "'x'", "0.5": what was found.
local function found(value)
  if value == nil then
    return "missing"
  elseif type(value) == "string" then
    return ("'%s'"):format(sys.escape(value:sub(1, 40)))
  elseif type(value) == "number" then
    return sys.number(value)
  end
  local meta <const> = debug.getmetatable(value)
  local name <const> = type(meta) == "table" and rawget(meta, "__name")
  return "a " .. (type(name) == "string" and name:gsub("^weft%.", "")
    or type(value))
end

local function refuse(name, value, expected, level)
  error(("%s is %s, expected %s"):format(name, found(value), expected),
    level + 1)
end

-- A table that is one of weft's own things, and no plain array.
local function is_object(value)
  local meta <const> = debug.getmetatable(value)
  return type(meta) == "table" and rawget(meta, "__name") ~= nil
end

local function is_tensor(value)
  local meta <const> = type(value) == "userdata" and getmetatable(value)
  return type(meta) == "table" and meta.__name == "weft.tensor"
end

--- Refuses what is not of a type of Lua's; `expected` says it in words.
function check.type(name, value, kind, expected)
  if type(value) ~= kind then
    refuse(name, value, expected or "a " .. kind, CALLER)
  end
end

--- The same, but nil is fine.
function check.optional(name, value, kind, expected)
  if value ~= nil and type(value) ~= kind then
    refuse(name, value, expected or "a " .. kind, CALLER)
  end
end

--- Refuses what is no text.
function check.text(name, value)
  if type(value) ~= "string" then
    refuse(name, value, "text", CALLER)
  end
end

--- Refuses what is no file's name: a NUL would end it early.
function check.path(name, value)
  if type(value) ~= "string" or value:find("\0", 1, true) then
    refuse(name, value, "a path without NUL", CALLER)
  end
end

--- Gives the whole number from low to high that value is, of whatever subtype.
function check.integer(name, value, low, high)
  local whole <const> = type(value) == "number" and math.tointeger(value)
  if not whole or whole < low or whole > high then
    refuse(name, value, ("a whole number from %d %s"):format(low,
      high == math.maxinteger and "on" or "to " .. high), CALLER)
  end
  return whole
end

-- An array of what a list of numbers may be given as.
local function array_of(name, value, expected, level)
  if is_tensor(value) then
    if #value.shape ~= 1 then
      error(("%s is a tensor of %d axes, expected 1"):format(name,
        #value.shape), level + 1)
    end
    return value:totable()
  elseif type(value) ~= "table" or is_object(value) then
    refuse(name, value, expected, level + 1)
  end
  return value
end

--- Gives the array that value is, or that a tensor of one axis holds.
function check.array(name, value)
  local array <const> = array_of(name, value, "an array", CALLER)
  return array
end

local function numbers(name, value, level)
  local array <const> = array_of(name, value, "an array of numbers", level + 1)
  for i = 1, #array do
    if type(array[i]) ~= "number" then
      refuse(("%s[%d]"):format(name, i), array[i], "a number", level + 1)
    end
  end
  return array
end

--- The same, where all elements must be numbers.
function check.numbers(name, value)
  local array <const> = numbers(name, value, CALLER)
  return array
end

--- Refuses what is no array of tables, or of other values of one type.
function check.list(name, value, kind, expected)
  local what <const> = ("an array of %s"):format(expected or kind .. "s")
  if type(value) ~= "table" or is_object(value) then
    refuse(name, value, what, CALLER)
  end
  for i = 1, #value do
    if type(value[i]) ~= kind then
      refuse(("%s[%d]"):format(name, i), value[i], "a " .. kind, CALLER)
    end
  end
end

-- Options of whatever takes a list's spectra, and their types; false: by WORDS.
local BATCH <const> = { threads = "number", precision = "string",
  method = "string", shown = "boolean", each = "function", note = "function",
  cache = false }
local WORDS <const> = {
  precision = { double = true, single = true },
  method = { gram = true, direct = true },
  cache = { [true] = true, [false] = true, fresh = true },
}
local THREADS <const> = 1024

--- Refuses options that are neither those of every batch of spectra nor `own`,
--- a table of names and types, or are none of their words or numbers.
function check.batch_options(options, own)
  if options ~= nil and type(options) ~= "table" then
    error(("options are a %s, expected a table"):format(type(options)), CALLER)
  end
  for name, value in pairs(options or {}) do
    local kind = BATCH[name]
    if kind == nil then
      kind = own[name]
    end
    if kind == nil then
      error(("unknown option '%s'"):format(tostring(name)), CALLER)
    elseif kind and type(value) ~= kind then
      error(("option '%s' is a %s, expected a %s"):format(name, type(value),
        kind), CALLER)
    elseif WORDS[name] and not WORDS[name][value] then
      error(("option '%s': '%s' is none of its words"):format(name, value),
        CALLER)
    end
  end
  local threads <const> = options and options.threads or 1
  if math.tointeger(threads) == nil or threads < 1 or threads > THREADS then
    error(("option 'threads': %s, expected 1 to %d"):format(threads, THREADS),
      CALLER)
  end
end

--- Refuses what is not of a class, by its metatable's name: "frame".
function check.class(name, value, class)
  local meta <const> = debug.getmetatable(value)
  if type(meta) ~= "table" or meta.__name ~= "weft." .. class then
    refuse(name, value, "a " .. class, CALLER)
  end
end

--- Makes every method refuse what is not of its class: m.weights() for
--- m:weights() would else fail deep within.
function check.methods(methods, metatable, class)
  local letter <const> = class:sub(1, 1)
  for name, fn in pairs(methods) do
    methods[name] = function(self, ...)
      if debug.getmetatable(self) ~= metatable then
        error(("%s.%s was called with %s where a %s belongs: write %s:%s(…)")
          :format(letter, name, self == nil and "nothing" or found(self),
            class, letter, name), 2)
      end
      return fn(self, ...)
    end
  end
  return methods
end

return check
