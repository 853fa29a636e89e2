-- Calls every documented function with wrong arguments in every place, and
-- writes what is odd about the answers:
--
--   weft tests/lua/sweep.lua NOUN REPORT    in a folder with a model in demo/
--
-- A line before each function, so that a crash is one function's; then a line
-- for each call that took a wrong argument without a word, whose message says
-- nothing, or that took too long. The last line is "end" and the number of
-- calls.
local core <const> = require "weft.core"
local doc <const> = require "weft.doc"
local weft <const> = require "weft"
require("weft.prompt").start()

local SLOW <const> = 2.0 -- seconds

local noun <const>, path <const> = arg[1], arg[2]
local report <const> = assert(io.open(path, "w"))
report:setvbuf "line"

-- ---- what is passed ----

local function closed(value)
  value:close()
  return value
end

local function factors()
  return weft.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
end

local cycle <const> = {}
cycle[1], cycle.self = cycle, cycle

-- Wrong values: a name for the report, the value's kinds, and the value.
local VALUES <const> = {
  { "nil", "nil", nil },
  { "true", "boolean", true },
  { "-1", "number integer negative", -1 },
  { "0", "number integer zero", 0 },
  { "0.5", "number", 0.5 },
  { "2^31", "number integer huge", 1 << 31 },
  { "2^53", "number integer huge", 2.0 ^ 53 },
  { "2^62", "number integer huge", 1 << 62 },
  { "-2^63", "number integer negative", math.mininteger },
  { "1e308", "number", 1e308 },
  { "nan", "number", 0 / 0 },
  { "inf", "number", math.huge },
  { "-inf", "number", -math.huge },
  { "''", "text", "" },
  { "'x'", "text", "x" },
  { "'a NUL'", "text", "a\0b" },
  { "no UTF-8", "text", "\xff\xfe" },
  { "{}", "table", {} },
  { "{{}}", "table", { {} } },
  { "{3, 2, 1}", "table", { 3, 2, 1 } },
  { "{nan}", "table", { 0 / 0 } },
  { "{'x'}", "table", { "x" } },
  { "{x = 1}", "table", { x = 1 } },
  { "a cycle", "table", cycle },
  { "a function", "function", function() end },
  { "a failing function", "function", function() error "on purpose" end },
  { "a coroutine", "thread", coroutine.create(function() end) },
  { "a file", "userdata", io.stderr },
  { "a tensor", "tensor", weft.tensor { { 1, 2 }, { 3, 4 } } },
  { "a tensor of 8 axes", "tensor", weft.zeros { 1, 1, 1, 1, 1, 1, 1, 1 } },
  { "an empty tensor", "tensor", weft.zeros { 0, 0 } },
  { "a tensor of NaN", "tensor", weft.tensor { { 0 / 0 } } },
  { "a closed tensor", "closed", closed(weft.zeros { 2, 2 }) },
  { "a kernel", "kernel", weft.kernel(factors(), factors()) },
  { "a closed kernel", "closed", closed(weft.kernel(factors(), factors())) },
  { "a checkpoint", "checkpoint", assert(core.open "demo") },
  { "a closed checkpoint", "closed", closed(assert(core.open "demo")) },
  { "a model", "model table", assert(weft.open "demo") },
  { "a closed model", "closed table", closed(assert(weft.open "demo")) },
  { "a frame", "frame table", weft.frame.new({ "a" }, { a = { 1 } }) },
}

-- The kinds of values that a type of doc.lua has; NaN, a wrong size and what
-- else depends on the function may raise, but need not.
local TAKES <const> = {
  any = "nil boolean number text table function thread userdata tensor closed "
    .. "kernel checkpoint model frame",
  boolean = "nil boolean number text table function thread userdata tensor "
    .. "closed kernel checkpoint model frame",
  number = "number", integer = "integer", label = "integer",
  labels = "integer table", subscript = "integer", sizes = "number table",
  text = "text number", texts = "table text", table = "table",
  numbers = "table tensor", parts = "table", ["function"] = "function",
  tensor = "tensor", matrix = "tensor", square = "tensor", kernel = "kernel",
  checkpoint = "checkpoint", model = "model", frame = "frame",
  figure = "", progress = "",
}

-- What an argument of a type is while another one is wrong.
local m <const> = assert(weft.open "demo")
local frame <const> = weft.frame.new({ "layer_idx", "weight_type", "shape",
  "eff_rank" }, { layer_idx = { 0, 1 }, weight_type = { "W_Q", "W_Q" },
  shape = { "4x4", "4x4" }, eff_rank = { 2.5, 3.5 } })
local GOOD <const> = {
  any = 1, boolean = true, number = 1, integer = 2, label = 0, labels = 0,
  subscript = 1, sizes = 2, text = "x", texts = { "x" }, table = {},
  numbers = { 3, 2, 1 }, parts = m:weights(0), ["function"] = function() end,
  tensor = weft.tensor { { 1, 2, 3 }, { 4, 5, 6 } },
  matrix = weft.randn(1, 3, 4), square = weft.eye(3),
  kernel = weft.kernel(factors(), factors()), checkpoint = core.open "demo",
  model = m, frame = frame, figure = weft.plot { 1, 2 },
  progress = weft.progress(true),
}

-- The same by function and parameter, where a type does not say enough.
local SPECIAL <const> = dofile "sweep_values.lua" (weft, m)

-- ---- calls ----

local function kinds_of(types)
  local kinds <const> = {}
  for word in types:gmatch "[^|]+" do
    for kind in TAKES[word]:gmatch "%a+" do
      kinds[kind] = true
    end
  end
  return kinds
end

-- Whether a parameter of these types may do with the value in silence.
local function may_take(param, value)
  if value[2] == "nil" then
    return param[1]:find "%?$" or kinds_of(param[2])["nil"]
  end
  local kinds <const> = kinds_of(param[2])
  local counted <const> = param[2] == "label" or param[2] == "subscript"
  if counted and (value[2]:find "negative" or value[2]:find "huge")
    or param[2] == "subscript" and value[2]:find "zero" then
    return false
  end
  for kind in value[2]:gmatch "%a+" do
    if kinds[kind] then
      return true
    end
  end
  return false
end

local function last_word(name)
  return name:match "([%w_]+)$"
end

-- What is wrong with an error's message, or nil.
local function fault_of(message, entry)
  if type(message) ~= "string" then
    return "no message"
  elseif message:find "attempt to " or message:find "stack overflow"
    or message:find "'for' " or message:find "invalid order function" then
    return "Lua's own message"
  end
  local callee <const> = message:match "bad argument #%d+ to '([^']*)'"
    or message:match "calling '([^']*)'"
  if callee and callee ~= "?" then
    for _, name in ipairs { entry.name, table.unpack(entry.also) } do
      if last_word(callee) == last_word(name) then
        return nil
      end
    end
    return "another function's message"
  end
  return #message < 6 and "a short message" or nil
end

local calls = 0

local function tell(entry, what, where, text)
  report:write(("%s: %s: %s: %s\n"):format(entry.name, where, what,
    core.sys.escape(tostring(text or ""))))
end

-- Calls with the arguments 1 to n. `wrong` says that it may not succeed.
local function call(entry, where, wrong, arguments, n)
  calls = calls + 1
  local start <const> = core.sys.time()
  local ok <const>, first <const>, second <const> = pcall(
    doc.value(entry.name), table.unpack(arguments, 1, n))
  if core.sys.time() - start > SLOW then
    tell(entry, "slow", where, core.sys.time() - start)
  end
  if not ok then
    local fault <const> = not tostring(first):find "on purpose"
      and fault_of(first, entry)
    if fault then
      tell(entry, fault, where, first)
    end
  elseif wrong and not (first == nil and type(second) == "string") then
    tell(entry, "takes it", where)
  end
  return ok, first, second
end

-- ---- one function ----

local function good(entry, param)
  local name <const> = param[1]:gsub("[?.]+$", "")
  local special <const> = SPECIAL[entry.name]
  if special and special[name] ~= nil then
    return special[name]
  end
  return GOOD[param[2]:match "^[^|]+"]
end

-- The parameters that are arguments, and the fields of each that is a table.
local function split(entry)
  local list, fields = {}, {}
  if entry.kind == "method" then
    local class <const> = entry.name:match "^%a+"
    list[1] = { class, class }
  end
  for _, param in ipairs(entry.params) do
    local owner <const>, field <const> = param[1]:match "^([%w_]+)%.([%w_]+)"
    if owner then
      fields[#fields + 1] = { owner = owner, name = field,
        param = { field .. (param[1]:match "%?$" or ""), param[2] } }
    else
      list[#list + 1] = param
    end
  end
  return list, fields
end

local function arguments_of(entry, list)
  local arguments <const> = {}
  for i, param in ipairs(list) do
    -- what may be left out is, unless there is a value for it
    local special <const> = SPECIAL[entry.name] or {}
    if not param[1]:find "%?$" or special[param[1]:sub(1, -2)] then
      arguments[i] = good(entry, param)
    end
  end
  return arguments
end

local function copy(t)
  local out <const> = {}
  for key, value in pairs(type(t) == "table" and t or {}) do
    out[key] = value
  end
  return out
end

-- A new object where a method may close the one it is called on.
local FRESH <const> = {
  tensor = function() return GOOD.tensor:copy() end,
  kernel = function() return weft.kernel(factors(), factors()) end,
  model = function() return assert(weft.open "demo") end,
  checkpoint = function() return assert(core.open "demo") end,
  progress = function() return weft.progress(true) end,
}

local function refresh(entry, arguments)
  local class <const> = entry.kind == "method" and entry.name:match "^%a+"
  if class and FRESH[class] and entry.name:find ":close$" then
    arguments[1] = FRESH[class]()
  end
end

local function sweep_argument(entry, list, i)
  local exempt <const> = SPECIAL.exempt[entry.name]
  for _, value in ipairs(VALUES) do
    local again <const> = entry.name:find ":close$" and value[2]:find "closed"
    if not again and not (exempt and value[2]:find(exempt)) then
      local arguments <const> = arguments_of(entry, list)
      refresh(entry, arguments)
      arguments[i] = value[3]
      local name <const> = list[i][1]:gsub("[?.]+$", "")
      call(entry, ("%s = %s"):format(name, value[1]),
        not may_take(list[i], value), arguments, #list)
      -- and with nothing behind it
      call(entry, ("%s = %s alone"):format(name, value[1]), false, arguments,
        i)
    end
  end
end

local function sweep_field(entry, list, field)
  for i, param in ipairs(list) do
    if param[1]:gsub("%?", "") == field.owner then
      for _, value in ipairs(VALUES) do
        local arguments <const> = arguments_of(entry, list)
        local special <const> = SPECIAL[entry.name]
        local options <const> = copy(special and special[field.owner])
        options[field.name] = value[3]
        arguments[i] = options
        call(entry, ("%s.%s = %s"):format(field.owner, field.name, value[1]),
          not may_take(field.param, value), arguments, #list)
      end
    end
  end
end

local function sweep(entry)
  report:write("= ", entry.name, "\n")
  local list <const>, fields <const> = split(entry)
  local arguments <const> = arguments_of(entry, list)
  refresh(entry, arguments)
  local ok <const>, first <const>, second <const> = call(entry,
    "as it is meant", false, arguments, #list)
  if not ok or first == nil and type(second) == "string" then
    tell(entry, "fails", "as it is meant", ok and second or first)
  end
  local needs = 0
  for _, param in ipairs(list) do
    needs = needs + (param[1]:find "%?$" and 0 or 1)
  end
  call(entry, "no arguments", needs > 0 and list[1][2] ~= "any", {}, 0)
  for i = 1, #list do
    sweep_argument(entry, list, i)
  end
  for _, field in ipairs(fields) do
    sweep_field(entry, list, field)
  end
end

-- Metrics and families that a sweep adds are not swept.
local entries <const> = table.move(doc.of_noun(noun), 1, 1 << 20, 1, {})
for _, entry in ipairs(entries) do
  if entry.kind ~= "operator" and entry.kind ~= "command" then
    sweep(entry)
  end
end
report:write("end ", calls, "\n")
report:close()
