-- What the program's prompt does in Lua, on a terminal: printing results, TAB,
-- ?name, and the functions that are there only while somebody types.
local prompt = {}

local complete <const> = require "weft.complete"
local print_ <const> = require "weft.print"
local colour <const> = require "weft.colour"
local sys <const> = require("weft.core").sys

local SLOW <const> = 0.5        -- seconds from which a time is shown
local TIMEIT_SECONDS <const> = 0.5 -- that timeit spends, about
local TIMEIT_RUNS <const> = 1000

-- Globals that are nobody's variables: Lua's and the prompt's.
local STOCK <const> = {}
for name in ("_G _VERSION _PROMPT _PROMPT2 apropos arg assert collectgarbage "
  .. "coroutine debug dofile error exit getmetatable help io ipairs load "
  .. "loadfile math next os package pairs pcall print quit rawequal rawget "
  .. "rawlen rawset require select setmetatable show string table timeit "
  .. "tonumber tostring type utf8 warn weft who xpcall"):gmatch "%S+" do
  STOCK[name] = true
end

-- ---- seconds and bytes ----

-- "1.23 s"
local function seconds_text(seconds)
  if seconds < 1e-6 then
    return ("%.3g ns"):format(seconds * 1e9)
  elseif seconds < 1e-3 then
    return ("%.3g us"):format(seconds * 1e6)
  elseif seconds < SLOW then
    return ("%.3g ms"):format(seconds * 1e3)
  end
  return ("%.2f s"):format(seconds)
end

-- ---- the commands ----

-- Bytes of a tensor's elements by the bits that stand in its dtype's name;
-- nil for quantised blocks.
local function tensor_bytes(t)
  local bits <const> = tonumber(t.dtype:match "^[fiIUFCB]+(%d+)")
    or t.dtype == "BOOL" and 8
  if not bits then
    return nil
  end
  local count = 1
  for _, size in ipairs(t.shape) do
    count = count * size
  end
  return (count * bits + 7) // 8
end

local function class_of(value)
  local meta <const> = debug.getmetatable(value)
  local name <const> = type(meta) == "table" and rawget(meta, "__name")
  return type(name) == "string" and (name:gsub("^weft%.", ""))
    or math.type(value) or type(value)
end

-- Shape, dtype and bytes of one variable, as far as it has them.
local DESCRIBE <const> = {
  tensor = function(t)
    return ("[%s]"):format(table.concat(t.shape, ", ")), t.dtype,
      tensor_bytes(t)
  end,
  kernel = function(k)
    return ("[%s]"):format(table.concat(k.shape, ", "))
  end,
  frame = function(f)
    return ("[%d, %d]"):format(f.n, #f.names)
  end,
  string = function(s)
    return nil, nil, #s
  end,
  table = function(t)
    local count = 0
    for _ in next, t do
      count = count + 1
    end
    return ("[%d]"):format(count)
  end,
}

-- A closed tensor has no shape.
local function describe(value)
  local kind <const> = class_of(value)
  local fn <const> = DESCRIBE[kind]
  if not fn then
    return kind
  end
  local ok <const>, shape <const>, dtype <const>, bytes <const> = pcall(fn,
    value)
  if not ok then
    return kind .. " (closed)"
  end
  return kind, shape, dtype, bytes
end

--- The user's global variables: a frame of name, type, shape, dtype, bytes.
function prompt.variables(env)
  local names <const> = {}
  for name, value in next, env do
    if type(name) == "string" and not STOCK[name]
      and not rawequal(value, package.loaded[name]) then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  local rows <const> = {}
  for i, name in ipairs(names) do
    local kind <const>, shape <const>, dtype <const>, bytes <const> =
      describe(env[name])
    rows[i] = { name = name, type = kind, shape = shape or "",
      dtype = dtype or "", bytes = bytes or "" }
  end
  local frame <const> = require "weft.frame"
  return frame.from_rows({ "name", "type", "shape", "dtype", "bytes" }, rows)
end

local function write(text)
  io.stdout:write(text, "\n")
end

--- who(): prints them.
function prompt.who()
  local list <const> = prompt.variables(_G)
  write(list.n == 0 and "no variables yet" or print_.text(list))
end

-- Runs f and takes the time.
local function time(f)
  local start <const> = sys.time()
  f()
  return sys.time() - start
end

-- How often f runs, where nobody says, after one run of `seconds`.
local function runs_for(seconds)
  if seconds > TIMEIT_SECONDS then
    return 1
  end
  return math.max(3, math.min(TIMEIT_RUNS,
    TIMEIT_SECONDS // math.max(seconds, 1e-9) | 0))
end

--- timeit(f[, n]): runs f n times, or for about half a second; prints the
--- least and the median time and gives the least, in seconds.
function prompt.timeit(f, n)
  local meta <const> = debug.getmetatable(f)
  if type(f) ~= "function" and not (type(meta) == "table" and meta.__call) then
    error(("bad argument #1 to 'timeit' (a function was expected, got a %s)")
      :format(type(f)), 2)
  elseif n ~= nil and (math.type(n) ~= "integer" or n < 1) then
    error("bad argument #2 to 'timeit' (a whole number of runs from 1 on was "
      .. "expected)", 2)
  end
  local first <const> = time(f)
  local times <const> = { first }
  for i = 2, n or runs_for(first) do
    times[i] = time(f)
  end
  table.sort(times)
  local half <const> = (#times + 1) // 2
  local median <const> = (times[half] + times[#times - half + 1]) / 2
  write(("%s at least, %s median of %d run%s"):format(seconds_text(times[1]),
    seconds_text(median), #times, #times == 1 and "" or "s"))
  return times[1]
end

--- show(x[, {rows=, depth=, width=}]): prints a value as the prompt does.
function prompt.show(x, options)
  if options ~= nil and type(options) ~= "table" then
    error(("bad argument #2 to 'show' (a table of rows, depth, width was "
      .. "expected, got a %s)"):format(type(options)), 2)
  end
  for _, key in ipairs { "rows", "depth", "width" } do
    local value <const> = options and options[key]
    if value ~= nil and (math.type(value) ~= "integer" or value < 1) then
      error(("bad argument #2 to 'show' (%s is a whole number from 1 on)")
        :format(key), 2)
    end
  end
  write(print_.text(x, options))
end

-- ---- what the program calls ----

-- Says how to leave, and leaves when it is called.
local QUIT <const> = setmetatable({}, {
  __call = function() os.exit(true, true) end,
  __pretty = function() return "quit() or Ctrl-D leaves" end,
})

-- Whether values are nil, message, code: what could not be done.
local function is_failure(count, value, message, code)
  return count == 3 and value == nil and type(message) == "string"
    and type(code) == "string"
end

--- Puts the prompt's own functions into the globals. Tells whether what goes
--- to standard error may have colours.
function prompt.start()
  _G.who, _G.timeit, _G.show = prompt.who, prompt.timeit, prompt.show
  _G.quit, _G.exit = QUIT, QUIT
  local found <const>, help <const> = pcall(require, "weft.help")
  if found and type(help) == "table" then
    _G.help, _G.apropos = help.help or help, help.apropos
  end
  -- the stand-in for the module turns into it
  local stand_in <const> = _G.weft
  local _ <const> = type(stand_in) == "table" and stand_in.version
  return colour.allowed(2)
end

--- Shows what a chunk gave, unless it is to be quiet; the first value becomes
--- `ans`.
function prompt.results(quiet, seconds, ...)
  local count = select("#", ...)
  if count > 0 then
    _G.ans = (...)
  end
  if is_failure(count, ...) then
    write(("nil: %s"):format(sys.escape((select(2, ...)))))
    count = 0
  end
  for i = 1, quiet and 0 or count do
    write(print_.text((select(i, ...))))
  end
  if seconds > SLOW then
    write(colour.paint(seconds_text(seconds), "dim", colour.allowed(1)))
  end
end

--- What TAB does after the text: see complete.answer.
function prompt.complete(text)
  return complete.answer(text, _G, sys.columns(1))
end

-- How a text compiles: "whole", "more" where it ends too early, "wrong".
local function state_of(text)
  local fn <const>, message <const> = load("return " .. text, "=stdin")
  local other <const>, why <const> = load(text, "=stdin")
  if fn or other then
    return "whole"
  end
  return (message:find "<eof>$" or why:find "<eof>$") and "more" or "wrong"
end

-- A pasted session: its chunks are what follows the prompts, and what it
-- printed goes away. Nil where the text does not begin with a prompt.
local function chunks_of_session(text)
  if not text:find "^%s*>%s" then
    return nil
  end
  local list <const> = {}
  for line in (text .. "\n"):gmatch "(.-)\n" do
    local more <const> = line:match "^%s*>>%s?(.*)$"
    local first <const> = not more and line:match "^%s*>%s?(.*)$"
    if first then
      list[#list + 1] = first
    elseif more and list[1] then
      list[#list] = list[#list] .. "\n" .. more
    end
  end
  return list
end

-- A text that is no chunk, as lines with expressions among them, cut where
-- one ends; nil where it can't be.
local function chunks_of_lines(text)
  local list, open = {}, nil
  for line in (text .. "\n"):gmatch "(.-)\n" do
    open = open and open .. "\n" .. line or line
    local state <const> = state_of(open)
    if state == "wrong" then
      return nil
    elseif state == "whole" then
      list[#list + 1] = open:find "%S" and open or nil
      open = nil
    end
  end
  return not open and list or nil
end

--- A pasted text as a list of chunks: itself where it is one, else, if that is
--- possible, what would have been typed one after another.
function prompt.chunks(text)
  local list <const> = chunks_of_session(text)
  if list then
    return list
  elseif state_of(text) == "wrong" then
    return chunks_of_lines(text) or { text }
  end
  return { text }
end

--- The line ?name.
function prompt.help(name)
  local help <const> = require "weft.help"
  name = name:match "^%s*(.-)%s*$"
  help.show(name ~= "" and name or nil)
end

return prompt
