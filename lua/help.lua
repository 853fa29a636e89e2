-- help(x), ?name and apropos("word"): doc.lua's entries as plain text.
local help = {}

local doc <const> = require "weft.doc"
local markdown <const> = require "weft.markdown"
local near <const> = require "weft.near"
local sys <const> = require("weft.core").sys

local WIDEST <const> = 88 -- columns: longer lines are hard to read
local NAME_COLUMNS <const> = 24
local NEAR_MOST <const> = 8

-- Where the values of a class are told of.
local NOUNS_OF <const> = {
  ["weft.tensor"] = { "tensor", "along" }, ["weft.kernel"] = { "kernel" },
  ["weft.checkpoint"] = { "files" }, ["weft.progress"] = { "system" },
  ["weft.model"] = { "model" }, ["weft.frame"] = { "frame" },
  ["weft.figure"] = { "plot" },
}

-- ---- laying out ----

--- Words in lines of at most `width` columns, each after `indent` spaces.
function help.wrap(text, width, indent)
  local lines, line = {}, ""
  local space <const> = (" "):rep(indent)
  for word in text:gmatch "%S+" do
    local longer <const> = line == "" and word or line .. " " .. word
    if line ~= "" and markdown.width(longer) > width - indent then
      lines[#lines + 1], line = space .. line, word
    else
      line = longer
    end
  end
  lines[#lines + 1] = space .. line
  return table.concat(lines, "\n")
end

-- A word in a column of its own, and text beside it; below it, where the word
-- does not fit.
local function beside(word, text, column, width)
  local lines <const> = help.wrap(text, width, column)
  if text == "" then
    return "  " .. word
  elseif markdown.width(word) + 4 > column then
    return "  " .. word .. "\n" .. lines
  end
  return "  " .. word
    .. (" "):rep(column - 2 - markdown.width(word)) .. lines:sub(column + 1)
end

-- "label, counts from 0": what a type needs to have said of it.
local TYPE_WORDS <const> = {
  label = "label (from 0)", labels = "labels (from 0)",
  subscript = "subscript (from 1)",
}

local function type_text(kind)
  return (kind:gsub("[^|]+", TYPE_WORDS):gsub("|", " or "))
end

-- "subscript (from 1): 1 to f.n"
local function param_text(param)
  return type_text(param[2]) .. (param[3] and ": " .. param[3] or "")
end

local function list_params(params, column, width)
  local lines <const> = {}
  for i, param in ipairs(params) do
    local name <const>, optional <const> = param[1]:match "^([^?]+)(%??)$"
    local shown <const> = name:find "%w%.%w"
      and "  ." .. name:match "[^.]+$" or name
    lines[i] = beside(optional == "" and shown or ("[%s]"):format(shown)
      :gsub("^%[  ", "  ["), param_text(param), column, width)
  end
  return lines
end

-- Blocks of lines with one blank line between.
local function join(blocks)
  local parts <const> = {}
  for _, block in ipairs(blocks) do
    if block ~= "" then
      parts[#parts + 1] = block
    end
  end
  return table.concat(parts, "\n\n")
end

local function indented(text)
  return (("\n" .. text):gsub("\n([^\n])", "\n    %1"):sub(2))
end

-- How a command's own parser tells of its options.
local function usage(entry)
  if entry.kind ~= "command" then
    return ""
  end
  local cli <const> = require "weft.cli"
  local parser <const> = cli.parser_of(entry.name:match "%S+$")
  return parser and indented(parser:get_help()) or ""
end

--- One entry as text.
function help.entry_text(entry, width)
  local facts <const> = {}
  local function fact(name, text)
    if text and text ~= "" then
      facts[#facts + 1] = beside(name, text, 12, width)
    end
  end
  for i, result in ipairs(entry.returns) do
    fact(i == 1 and "gives" or "", ("%s, %s"):format(result[1],
      param_text(result)))
  end
  fact("errors", entry.errors)
  fact("source", entry.source)
  fact("also", table.concat(entry.also, ", "))
  fact("see", table.concat(entry.see, ", "))
  return join {
    entry.signature, help.wrap(entry.summary, width, 2),
    table.concat(list_params(entry.params, NAME_COLUMNS, width), "\n"),
    usage(entry), table.concat(facts, "\n"),
    entry.example ~= "" and "  example\n" .. indented(entry.example) or "",
  }
end

-- Entries, a name and a summary each.
local function entry_lines(entries, width)
  local lines <const> = {}
  for i, entry in ipairs(entries) do
    lines[i] = beside(entry.name, entry.summary, NAME_COLUMNS + 4, width)
  end
  return table.concat(lines, "\n")
end

local function noun_text(noun, width)
  local fields <const> = {}
  for i, field in ipairs(noun.fields or {}) do
    fields[i] = beside(("%s.%s"):format(doc.RECEIVERS[noun.class], field[1]),
      param_text(field), NAME_COLUMNS + 4, width)
  end
  return join { noun.title, help.wrap(noun.text, width, 2),
    table.concat(fields, "\n"), entry_lines(doc.of_noun(noun.name), width) }
end

local function overview(width)
  local lines, commands = {}, {}
  for i, noun in ipairs(doc.nouns()) do
    lines[i] = beside(noun.name, noun.title, 14, width)
  end
  for i, entry in ipairs(doc.of_noun("commands")) do
    commands[i] = beside(entry.name, entry.summary, 14 + 5, width)
  end
  return join { "weft: a shell for looking into the weights of transformers",
    "Topics\n" .. table.concat(lines, "\n"),
    "Commands\n" .. table.concat(commands, "\n"),
    "Ask for a topic or a name:\n"
      .. '  weft help svdvals       help "tensor:rows"       ?svdvals\n'
      .. "  help(weft.svd)          help(m)                  "
      .. 'apropos "rank"' }
end

-- ---- finding ----

local function last_word(name)
  return name:match "([%w_]+)$" or name
end

-- The names by which an entry is known.
local function names_of(entry)
  return { entry.name, table.unpack(entry.also) }
end

-- How well an entry fits a name: 2 as it is called, 1 by its last word.
local function fit(entry, name)
  local best = 0
  for _, own in ipairs(names_of(entry)) do
    if own == name or own == "weft." .. name or own == "weft " .. name then
      return 2
    elseif last_word(own) == name then
      best = 1
    end
  end
  return best
end

--- The entries that a name calls: those called so, else those whose last word
--- it is. Where there are some of the first, the others come second.
function help.find(name)
  local by_fit <const> = { {}, {} }
  for _, entry in ipairs(doc.entries()) do
    local list <const> = by_fit[fit(entry, name)]
    if list then
      list[#list + 1] = entry
    end
  end
  if #by_fit[2] > 0 then
    return by_fit[2], by_fit[1]
  end
  return by_fit[1], {}
end

--- Entries whose name or summary holds a word, whatever its case.
function help.matching(word)
  local list <const> = {}
  word = word:lower()
  for _, entry in ipairs(doc.entries()) do
    local text <const> = table.concat(names_of(entry), " ") .. " "
      .. entry.summary
    if text:lower():find(word, 1, true) then
      list[#list + 1] = entry
    end
  end
  return list
end

--- Entries whose last word is close to that of a name, the closest first.
function help.near(name)
  local word <const> = last_word(name):lower()
  local most <const> = #word // 3
  local list, far = {}, {}
  for i, entry in ipairs(doc.entries()) do
    local other <const> = last_word(entry.name):lower()
    local edits <const> = math.abs(#other - #word) <= most
      and near.distance(word, other) or math.huge
    if edits <= most then
      list[#list + 1] = entry
      far[entry] = edits * 1000 + i
    end
  end
  table.sort(list, function(a, b) return far[a] < far[b] end)
  return table.move(list, 1, math.min(#list, NEAR_MOST), 1, {})
end

-- Where there is nothing of that name: what is near to it.
local function not_found(name, width)
  local shown <const> = sys.escape(name)
  local list = help.near(name)
  list = #list > 0 and list or help.matching(name)
  if name == "" or #list == 0 then
    return ("nothing is called '%s'; help() lists what there is"):format(shown)
  end
  return ("nothing is called '%s'; near to it:\n\n"):format(shown)
    .. entry_lines(table.move(list, 1, math.min(#list, NEAR_MOST), 1, {}),
      width)
end

-- The entries of a module's functions: "weft.stats." and so on.
local function module_entries(prefix)
  local list <const> = {}
  for _, entry in ipairs(doc.entries()) do
    if entry.name:sub(1, #prefix) == prefix then
      list[#list + 1] = entry
    end
  end
  return list
end

local function entries_text(entries, width)
  if #entries == 1 then
    return help.entry_text(entries[1], width)
  end
  return entry_lines(entries, width)
end

-- ---- asking ----

local function name_text(name, width)
  name = name:match "^%s*(.-)%s*$"
  local found <const>, others <const> = help.find(name)
  local noun <const> = doc.noun(name)
  local inside <const> = module_entries("weft." .. name:gsub("^weft%.", "")
    .. ".")
  local blocks <const> = {}
  if #found > 0 and not (noun and fit(found[1], name) == 1) then
    blocks[1] = entries_text(found, width)
  end
  if #others > 0 and not noun then
    blocks[#blocks + 1] = "there is also\n" .. entry_lines(others, width)
  end
  if noun then
    blocks[#blocks + 1] = noun_text(noun, width)
  elseif #inside > 0 then
    blocks[#blocks + 1] = entry_lines(inside, width)
  end
  return #blocks > 0 and join(blocks) or not_found(name, width)
end

local function function_text(value, width)
  local entry <const> = doc.of_function(value)
  if entry then
    return help.entry_text(entry, width)
  end
  local info <const> = debug.getinfo(value, "S")
  return info.what == "C" and "a function in C without documentation"
    or ("a function without documentation, defined at %s:%d"):format(
      info.short_src, info.linedefined)
end

-- The path of a module that is reached through weft, or nil.
local function module_path(value)
  local seen <const> = {}
  for _, entry in ipairs(doc.entries()) do
    local path <const> = entry.name:match "^(weft%..+)%.[%w_]+$"
    if path and not seen[path] then
      seen[path] = true
      if doc.value(path) == value then
        return path
      end
    end
  end
  return nil
end

local function value_text(value, width)
  local meta <const> = debug.getmetatable(value)
  local nouns <const> = type(meta) == "table" and NOUNS_OF[meta.__name]
  if nouns then
    local blocks <const> = { tostring(value) }
    for i, name in ipairs(nouns) do
      blocks[i + 1] = noun_text(doc.noun(name), width)
    end
    return join(blocks)
  elseif value == require "weft" then
    return overview(width)
  end
  local path <const> = type(value) == "table" and module_path(value)
  if path then
    return name_text(path, width)
  end
  return ("a %s, of which nothing is known; help() lists what there is")
    :format(type(value))
end

--- What there is to say of a value or a name, in lines of at most `width`
--- columns; without either, of everything.
function help.text(topic, width)
  if topic == nil then
    return overview(width)
  elseif type(topic) == "string" then
    return name_text(topic, width)
  elseif type(topic) == "function" then
    return function_text(topic, width)
  end
  return value_text(topic, width)
end

local function columns()
  return math.max(40, math.min(WIDEST, sys.columns(1)))
end

--- help(x) and ?name: prints what there is to say of a value or a name.
function help.show(topic)
  print(help.text(topic, columns()))
end
help.help = help.show

--- apropos(word): prints the names and summaries that hold a word.
function help.apropos(word)
  if type(word) ~= "string" or word == "" then
    error(("word is %s, expected text such as \"rank\""):format(
      word == "" and "empty" or "a " .. type(word)), 2)
  end
  local list <const> = help.matching(word)
  print(#list > 0 and entry_lines(list, columns())
    or ("nothing is about '%s'"):format(sys.escape(word)))
end

return help
