-- What TAB offers at the prompt: names that may follow, as they are in the
-- values themselves.
--
-- A metatable's __complete(value) gives the list of its values' names. In a
-- string, __complete(value, method, index, text) gives what argument `index`
-- of value:method(…) or value.method(…) may be; nil leaves it to file names.
-- Nothing is called but these and __index, and not for long.
local complete = {}

local core <const> = require "weft.core"
local lfs <const> = require "weft.folders"
local markdown <const> = require "weft.markdown"
local sys <const> = core.sys

local SECONDS <const> = 0.2
local LISTED <const> = 200     -- names shown at most
local INSTRUCTIONS <const> = 1000 -- between two looks at the clock

local KEYWORDS <const> = { "and", "break", "do", "else", "elseif", "end",
  "false", "for", "function", "goto", "if", "in", "local", "nil", "not", "or",
  "repeat", "return", "then", "true", "until", "while" }

-- Fields of the core's objects that are no methods.
local FIELDS <const> = {
  tensor = { "dtype", "shape" }, kernel = { "shape" },
  checkpoint = { "format", "path" }, model = { "missing" },
}

-- ---- what weft's own values take as text ----

-- By the metatable's name, then by the method: (value, index) -> list.
local ARGUMENTS <const> = {}

local function part_names(model)
  local names <const> = {}
  for i, part in ipairs(model.family and model.family.parts or {}) do
    names[i] = part.name
  end
  return names
end

ARGUMENTS["weft.model"] = {
  tensor = function(model) return model:tensors() end,
  weight = function(model, index)
    return index == 2 and part_names(model) or nil
  end,
  weights = part_names,
  heads = function() return { "ov", "qk" } end,
}

local function checkpoint_names(checkpoint)
  return checkpoint:names()
end
ARGUMENTS["weft.checkpoint"] = {
  tensor = checkpoint_names, entry = checkpoint_names,
}

local function column_names(frame)
  return frame.names
end
ARGUMENTS["weft.frame"] = setmetatable({}, {
  __index = function() return column_names end,
})

ARGUMENTS["weft.tensor"] = {
  to = function() return { "f32", "f64", "i64" } end,
}

-- ---- values ----

local function index(value, key)
  local ok <const>, found <const> = pcall(function() return value[key] end)
  return ok and found or nil
end

-- __complete's answer where the metatable has it and it is a list.
local function asked(value, ...)
  local meta <const> = debug.getmetatable(value)
  local hook <const> = type(meta) == "table" and rawget(meta, "__complete")
  if not hook then
    return nil
  end
  local ok <const>, names <const> = pcall(hook, value, ...)
  return ok and type(names) == "table" and names or nil
end

local function is_callable(value)
  local meta <const> = debug.getmetatable(value)
  return type(value) == "function"
    or type(meta) == "table" and rawget(meta, "__call") ~= nil
end

-- The methods of the core's classes, whose __index is a C function.
local function add_core_names(name, names)
  local class <const> = type(name) == "string" and name:match "^weft%.(.+)$"
  for key in pairs(class and core.methods[class] or {}) do
    names[key] = true
  end
  for _, key in ipairs(class and FIELDS[class] or {}) do
    names[key] = true
  end
end

-- Adds the string keys of a value, through its metatables, to the set.
local function add_names(value, names, seen)
  if seen[value] then
    return
  end
  seen[value] = true
  if type(value) == "table" then
    for key in next, value do
      names[key] = type(key) == "string" or nil
    end
  end
  for _, name in ipairs(asked(value) or {}) do
    names[name] = type(name) == "string" or nil
  end
  local meta <const> = debug.getmetatable(value)
  if type(meta) ~= "table" then
    return
  end
  add_core_names(rawget(meta, "__name"), names)
  local parent <const> = rawget(meta, "methods") or rawget(meta, "__index")
  if type(parent) == "table" then
    add_names(parent, names, seen)
  end
end

-- The names that may follow value. or value: (functions alone).
local function names_of(value, methods)
  local set, list = {}, {}
  if value ~= nil then
    add_names(value, set, {})
  end
  -- what a hook tells of need not be there yet
  local tested <const> = methods and not asked(value)
  for name in pairs(set) do
    if name:find "^[%a_][%w_]*$"
      and not (tested and not is_callable(index(value, name))) then
      list[#list + 1] = name
    end
  end
  return list
end

-- ---- the text before the cursor ----

-- Where the long bracket that begins at `at` ends; math.huge where it does not,
-- nil where none begins there.
local function long_bracket(text, at)
  local level <const> = text:match("^%[(=*)%[", at)
  if not level then
    return nil
  end
  local _, last <const> = text:find("]" .. level .. "]", at, true)
  return last or math.huge
end

-- Where the string that begins at `at` ends; math.huge where it does not.
local function string_end(text, at)
  local quote <const> = text:sub(at, at)
  local i = at + 1
  while i <= #text do
    local char <const> = text:sub(i, i)
    if char == quote then
      return i
    end
    i = i + (char == "\\" and 2 or 1)
  end
  return math.huge
end

-- Where the comment that begins at `at` ends.
local function comment_end(text, at)
  return long_bracket(text, at + 2) or text:find("\n", at, true) or math.huge
end

-- Reads to the end: "code", "comment" or "string"; of a string its beginning,
-- and the open brackets around the end, a list of {position, commas}.
local function scan(text)
  local open, i = {}, 1
  while i <= #text do
    local char <const> = text:sub(i, i)
    local last = i
    if text:find("^%-%-", i) then
      last = comment_end(text, i)
      if last == math.huge then
        return "comment"
      end
    elseif char == '"' or char == "'" then
      last = string_end(text, i)
      if last == math.huge then
        return "string", i, open
      end
    elseif char == "[" and long_bracket(text, i) then
      last = long_bracket(text, i)
      if last == math.huge then
        return "comment"
      end
    elseif char:find "[%(%[{]" then
      open[#open + 1] = { at = i, commas = 0 }
    elseif char:find "[%)%]}]" then
      open[#open] = nil
    elseif char == "," and open[#open] then
      open[#open].commas = open[#open].commas + 1
    end
    i = last + 1
  end
  return "code", nil, open
end

-- The steps of a chain of names and constant subscripts that ends the text:
-- "a.b[1]" is {"a", "b", 1}; nil where it is anything else, as a call.
local function chain_of(text)
  local steps, rest = {}, text
  while true do
    local before, key = rest:match "^(.*)%[%s*(%-?%d+)%s*%]%s*$"
    if not before then
      before, key = rest:match '^(.*)%[%s*"([^"\\]*)"%s*%]%s*$'
    end
    if not before then
      before, key = rest:match "^(.*)%[%s*'([^'\\]*)'%s*%]%s*$"
    end
    if before then
      table.insert(steps, 1, math.tointeger(key) or key)
      rest = before
    else
      local head, name <const> = rest:match "^(.-)([%a_][%w_]*)%s*$"
      if not name then
        return nil
      end
      table.insert(steps, 1, name)
      local owner <const> = head:match "^(.*[^.])%.%s*$"
      if not owner then
        -- a name after ':' or ')' is no global
        local alone <const> = not head:find "[:.]%s*$"
          or head:find "%.%.%s*$"
        return alone and steps or nil
      end
      rest = owner
    end
  end
end

-- What methods give whose results TAB completes: a call is never evaluated.
local GIVES <const> = { weight = "tensor", tensor = "tensor", rows = "tensor",
  cols = "tensor", t = "tensor", qk = "kernel", ov = "kernel" }

-- The value that the chain at the end of the text stands for; nil where that
-- can't be told.
local function value_of(text, env)
  local before <const> = (" " .. text):match "^(.*)%(%s*[\"'].*[\"']%s*%)%s*$"
  if before and before:find "[^%w_%)%]]%s*$" then
    return "" -- a string in parentheses
  end
  local method <const> = text:match ":(%a+)%b()%s*$"
  if GIVES[method] then
    return require("weft.core").methods[GIVES[method]]
  end
  local steps <const> = chain_of(text)
  local value = steps and env
  for _, step in ipairs(steps or {}) do
    value = index(value, step)
    if value == nil then
      return nil
    end
  end
  return value or nil
end

-- ---- in code ----

local function in_code(text, env)
  local word <const> = text:match "[%a_][%w_]*$" or ""
  local before <const> = text:sub(1, #text - #word)
  local owner <const>, mark <const> = before:match "^(.*[^.:])([.:])%s*$"
  if owner then
    return names_of(value_of(owner, env), mark == ":"), word
  elseif before:find "[.:]%s*$" and not before:find "%.%.%s*$"
    or before:find "%d$" then
    return {}, word
  end
  local list <const> = names_of(env)
  table.move(KEYWORDS, 1, #KEYWORDS, #list + 1, list)
  return list, word
end

-- ---- in a string ----

-- As it is written between quotes.
local function escaped(name, quote)
  return (name:gsub("[%c\\" .. quote .. "]", function(char)
    return char:find "%c" and ("\\x%02X"):format(char:byte()) or "\\" .. char
  end))
end

-- Names in the folder of the path that is typed; folders end in a slash.
local function file_names(path)
  local folder <const> = path:match "^.*/" or ""
  local start <const> = path:sub(#folder + 1)
  local names <const> = {}
  local ok <const>, walk <const>, folder_handle <const> = pcall(lfs.dir,
    folder == "" and "." or folder)
  for name in ok and walk or function() end, folder_handle do
    local hidden <const> = name:sub(1, 1) == "." and start:sub(1, 1) ~= "."
    if name ~= "." and name ~= ".." and not hidden
      and name:sub(1, #start) == start then
      local kind <const> = lfs.attributes(folder .. name, "mode")
      names[#names + 1] = folder .. name
        .. (kind == "directory" and "/" or "")
    end
  end
  return names
end

-- What weft's own values, or a __complete hook, offer for an argument.
local function argument_names(value, method, at, text)
  local meta <const> = debug.getmetatable(value)
  local own <const> = type(meta) == "table"
    and ARGUMENTS[rawget(meta, "__name")]
  if own and own[method] then
    local ok <const>, names <const> = pcall(own[method], value, at)
    return ok and names or nil
  end
  return asked(value, method, at, text)
end

-- The call or subscript that the string is an argument of: the value, the
-- method's name and the argument's number; of a subscript the value alone.
local function call_around(text, open, env)
  local level = #open
  local bracket = open[level]
  local at = bracket and bracket.commas + 1
  -- options in braces belong to the call they are given to
  if bracket and text:sub(bracket.at, bracket.at) == "{" then
    local head <const> = text:sub(1, bracket.at - 1)
    if not head:find "[%w_]%s*$" then
      level = level - 1
      bracket = open[level]
      at = bracket and bracket.commas + 1
    end
  end
  local head <const> = bracket and text:sub(1, bracket.at - 1) or text
  if bracket and text:sub(bracket.at, bracket.at) == "[" then
    return value_of(head, env)
  end
  local owner <const>, method <const> =
    head:match "^(.*)[.:]%s*([%a_][%w_]*)%s*$"
  return owner and value_of(owner, env), method, at or 1
end

-- What help can be asked for: functions, nouns, and commands by their word.
local function topics()
  local doc <const> = require "weft.doc"
  local list, seen = {}, {}
  local function add(name)
    if not seen[name] then
      seen[name] = true
      list[#list + 1] = name
    end
  end
  for _, entry in ipairs(doc.entries()) do
    add(entry.name)
    add(entry.name:match "^weft (%a+)$" or entry.name)
  end
  for _, noun in ipairs(doc.nouns()) do
    add(noun.name)
  end
  return list
end

local function in_string(text, start, open, env)
  local quote <const> = text:sub(start, start)
  local typed <const> = text:sub(start + 1)
  local value <const>, method <const>, at <const> = call_around(
    text:sub(1, start - 1), open, env)
  local names, close = nil, true
  if value ~= nil and method then
    names = argument_names(value, method, at, typed)
  elseif value ~= nil then
    names = names_of(value)
  end
  local before <const> = text:sub(1, start - 1)
  if not names and before:find "%f[%w_]help%s*%(?%s*$" then
    names = topics()
  elseif not names then
    names, close = file_names(typed), false
  end
  local list <const> = {}
  for i, name in ipairs(names) do
    list[i] = escaped(name, quote)
  end
  return list, typed, (close or #list == 1) and quote or ""
end

-- ---- the answer ----

--- What may stand where the text ends: a sorted list of words, how much of a
--- word is typed, and what closes a word that is whole ('"' in a string).
function complete.find(text, env)
  local state <const>, start <const>, open <const> = scan(text)
  local list, word, close = {}, "", ""
  local topic <const> = text:match "^%s*%?%s*([%w_.: ]*)$"
  if topic then
    list, word = topics(), topic
  elseif state == "code" then
    list, word = in_code(text, env)
  elseif state == "string" then
    list, word, close = in_string(text, start, open, env)
  end
  local kept <const> = {}
  for _, name in ipairs(list) do
    if name:sub(1, #word) == word then
      kept[#kept + 1] = name
    end
  end
  table.sort(kept)
  return kept, word, close
end

-- Stops a search that takes too long, also one that catches errors: raised
-- again at every step.
local function with_limit(search)
  local until_ <const> = sys.time() + SECONDS
  local thread <const> = coroutine.create(search)
  local function look()
    if sys.time() > until_ then
      debug.sethook(thread, look, "crl", 1)
      error("too long", 0)
    end
  end
  debug.sethook(thread, look, "", INSTRUCTIONS)
  local ok <const>, list <const>, word <const>, close <const> =
    coroutine.resume(thread)
  debug.sethook(thread)
  if not ok or type(list) ~= "table" then
    return {}, "", ""
  end
  return list, word, close
end

-- What all words of the sorted list begin with; no character cut in two.
local function common(list)
  local first <const>, last <const> = list[1], list[#list]
  local n = 0
  while n < #first and first:byte(n + 1) == last:byte(n + 1) do
    n = n + 1
  end
  while n > 0 and n < #first and first:byte(n + 1) & 0xC0 == 0x80 do
    n = n - 1
  end
  return first:sub(1, n)
end

-- The part of a word that a list shows: a path's last name.
local function shown(word)
  return sys.escape(word:match "([^/]+/?)$" or word)
end

-- Words in columns, down and then across.
local function columns(list, width)
  local cells, widest = {}, 1
  for i = 1, math.min(#list, LISTED) do
    cells[i] = shown(list[i])
    widest = math.max(widest, markdown.width(cells[i]))
  end
  local per_line <const> = math.max(1, (width + 1) // (widest + 2))
  local height <const> = (#cells + per_line - 1) // per_line
  local lines <const> = {}
  for i = 1, height do
    local line <const> = {}
    for j = i, #cells, height do
      local last <const> = j + height > #cells
      line[#line + 1] = cells[j] .. (last and ""
        or (" "):rep(widest + 2 - markdown.width(cells[j])))
    end
    lines[i] = table.concat(line)
  end
  if #list > LISTED then
    lines[#lines + 1] = ("… %d more"):format(#list - LISTED)
  end
  return table.concat(lines, "\n")
end

--- What TAB does after `text`: the text to insert, or nil and the list to
--- show; neither where nothing is found.
function complete.answer(text, env, width)
  if not text:find "%S" then
    return "  "
  end
  local list <const>, word <const>, close <const> = with_limit(function()
    return complete.find(text, env)
  end)
  if #list == 0 then
    return nil
  end
  local whole <const> = #list == 1 and list[1]:sub(-1) ~= "/"
  local more <const> = common(list):sub(#word + 1) .. (whole and close or "")
  if more ~= "" then
    return more
  elseif #list == 1 then
    return nil
  end
  return nil, columns(list, width)
end

return complete
