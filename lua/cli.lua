-- Options of the stock commands: argparse, with weft's own way to refuse.
local cli = {}

local argparse <const> = require "argparse"
local near <const> = require "weft.near"
local sys <const> = require("weft.core").sys

-- argparse's own error() exits with 1, which means a failed run here.
local function refuse(parser, message)
  io.stderr:write(parser:get_usage():match("^Usage: (weft %S+)"), ": ",
    sys.escape((message:gsub("%s*\n%s*", "; "))), "\n", parser:get_usage(),
    "\n")
  os.exit(2, true)
end

--- An argparse parser for `weft NAME` whose error(message) prints one line
--- and the usage to standard error and exits with 2.
function cli.parser(name, description)
  local parser <const> = argparse("weft " .. name, description)
  parser.error = refuse
  return parser:help_max_width(80)
end

--- A converter of an option's text to an integer from low to high.
function cli.integer(low, high)
  return function(text)
    local value <const> = text:find("^%-?%d+$")
      and math.tointeger(tonumber(text))
    if value and value >= low and value <= high then
      return value
    end
    return nil, ("'%s', expected an integer from %d to %d"):format(text, low,
      high)
  end
end

-- The known word that `word` is most likely a slip of, or nil.
local function nearest(word, known)
  local best, least = nil, #word // 3 + 1
  for _, candidate in ipairs(#word <= 64 and known or {}) do
    local edits <const> = near.distance(word:lower(), candidate:lower())
    if edits < least then
      best, least = candidate, edits
    end
  end
  return best
end

--- The sentence that refuses a word: "no metric 'x', perhaps 'y'; there are …".
function cli.unknown(what, word, known)
  local meant <const> = nearest(word, known)
  return ("no %s '%s'%s; there are %s"):format(what, word,
    meant and (", perhaps '%s'"):format(meant) or "",
    table.concat(known, ", "))
end

--- A converter of "a,b,…" to an array of words, each once.
function cli.words(text)
  local words, seen = {}, {}
  for word in (text .. ","):gmatch("([^,]*),") do
    word = word:match("^%s*(.-)%s*$")
    if word == "" then
      return nil, ("'%s', expected words between commas"):format(text)
    end
    words[#words + 1] = not seen[word] and word or nil
    seen[word] = true
  end
  return words
end

--- A converter of "0,3,5-8" to an array of labels up to `high`, each once.
function cli.labels(high)
  return function(text)
    local labels, seen = {}, {}
    for piece in (text .. ","):gmatch("([^,]*),") do
      local first <const>, last <const> = piece:match("^%s*(%d+)%-?(%d*)%s*$")
      local from <const> = math.tointeger(tonumber(first))
      local to <const> = last == "" and not piece:find("-", 1, true) and from
        or math.tointeger(tonumber(last))
      if not from or not to or from > to or to > high then
        return nil, ("'%s', expected labels from 0 to %d such as 0,3,5-8")
          :format(text, high)
      end
      for label = from, to do
        labels[#labels + 1] = not seen[label] and label or nil
        seen[label] = true
      end
    end
    return labels
  end
end

-- A converter is not told whose text it converts, but its message should say.
local function name_in_messages(element)
  local convert <const> = element._convert
  if type(convert) ~= "function" then
    return
  end
  element:convert(function(text)
    local value, message = convert(text)
    if value == nil and message then
      message = ("%s: %s"):format(element._name, message)
    end
    return value, message
  end)
end

-- The coroutine of a script whose parser alone is wanted.
local asked

--- The parser of the stock command NAME, or nil where there is none: its
--- script runs to where it reads its options, and no further.
function cli.parser_of(name)
  local folder <const> = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$")
  local script <const> = loadfile(("%s/scripts/%s.lua"):format(folder, name))
  if not script then
    return nil
  end
  local outer <const> = asked
  asked = coroutine.create(script)
  local ok <const>, parser <const> = coroutine.resume(asked)
  asked = outer
  if not ok then
    error(("command '%s': %s"):format(name, tostring(parser)), 0)
  end
  return parser
end

-- "-h, --help" or "--layer N" or "MODEL".
local function words_of(element, is_option)
  local argument <const> = element._argname or element._name:upper()
  if not is_option then
    return argument
  end
  return table.concat(element._aliases, ", ")
    .. (element._maxargs > 0 and not element._choices and " " .. argument
      or element._choices and " " .. table.concat(element._choices, "|") or "")
end

--- What a parser takes: a list of {words=, text=}, arguments first.
function cli.options_of(parser)
  local list <const> = {}
  for i, elements in ipairs { parser._arguments, parser._options } do
    for _, element in ipairs(elements) do
      local preset <const> = element._default
      list[#list + 1] = { words = words_of(element, i == 2),
        text = (element._description or "") .. (type(preset) == "string"
          and (" Default: %s."):format(preset) or "") }
    end
  end
  return list
end

--- The command line's options by name; does not return where they are wrong
--- (exits with 2) or ask for help (exits with 0).
function cli.run(parser, args)
  if asked and coroutine.running() == asked then
    coroutine.yield(parser)
  end
  for _, elements in ipairs { parser._options, parser._arguments } do
    for _, element in ipairs(elements) do
      name_in_messages(element)
    end
  end
  return parser:parse(args)
end

return cli
