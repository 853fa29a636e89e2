-- Annotations for the editor's Lua language server (LuaCATS).
local as_luacats = {}

local doc <const> = require "weft.doc"

local CLASSES <const> = { "tensor", "kernel", "model", "frame", "figure",
  "checkpoint", "progress" }

-- LuaCATS' words for the types of doc.lua.
local TYPES <const> = {
  label = "integer", labels = "integer|integer[]", subscript = "integer",
  integers = "integer[]", sizes = "integer", text = "string",
  texts = "string[]", numbers = "number[]|weft.tensor", matrix = "weft.tensor",
  square = "weft.tensor", parts = "table[]", ["function"] = "function",
}
for _, class in ipairs(CLASSES) do
  TYPES[class] = "weft." .. class
end

local OPERATORS <const> = [[
---@operator add(weft.tensor|number): weft.tensor
---@operator sub(weft.tensor|number): weft.tensor
---@operator mul(weft.tensor|number): weft.tensor
---@operator div(weft.tensor|number): weft.tensor
---@operator unm: weft.tensor
---@operator len: integer
---@field [integer] number|weft.tensor]]

local KEYWORDS <const> = { ["end"] = "end_", ["true"] = "done" }

local function type_of(kind)
  return (kind:gsub("[^|]+", TYPES))
end

-- What is to be said of a parameter beside its LuaCATS type.
local function note_of(row)
  local words <const> = { }
  if row[2]:find "label" then
    words[1] = "label, from 0"
  elseif row[2]:find "subscript" then
    words[1] = "subscript, from 1"
  end
  words[#words + 1] = row[3]
  return #words > 0 and " " .. table.concat(words, ": ") or ""
end

-- "options?", "shape..." as a name and a mark: "?" or "..." or "".
local function split(name)
  local word <const>, mark <const> = name:match "^([%w_]+)(.*)$"
  return KEYWORDS[word] or word, mark
end

-- A parameter of the function, not a field of one that is a table.
local function is_whole(row)
  return not row[1]:find "%w%.%w"
end

-- The lines of the parameters, and their names in the function's head. What
-- follows a list of any length can't be said.
local function params_of(entry)
  local lines, names = {}, {}
  for _, row in ipairs(entry.params) do
    local word <const>, mark <const> = split(row[1])
    local name <const> = mark == "..." and "..." or word
    if is_whole(row) and names[#names] ~= "..." then
      lines[#lines + 1] = ("---@param %s%s %s%s"):format(name,
        mark == "?" and "?" or "", type_of(row[2]), note_of(row))
      names[#names + 1] = name
    end
  end
  return lines, table.concat(names, ", ")
end

local function fields_text(entry)
  local lines <const> = {}
  for _, row in ipairs(entry.params) do
    local field <const>, mark <const> = row[1]:match "%w%.([%w_]+)(%??)$"
    if field then
      lines[#lines + 1] = ("--- * `%s%s` %s%s"):format(field, mark,
        type_of(row[2]), note_of(row))
    end
  end
  return lines
end

local function append(lines, more)
  return table.move(more, 1, #more, #lines + 1, lines)
end

local function returns_of(entry)
  local lines <const> = {}
  for i, row in ipairs(entry.returns) do
    lines[i] = ("---@return %s %s%s"):format(type_of(row[2]), split(row[1]),
      note_of(row))
  end
  return lines
end

-- An overload of the class that a callable table is.
local function callable_text(entry)
  local words <const> = {}
  for _, row in ipairs(entry.params) do
    local word <const>, mark <const> = split(row[1])
    words[#words + 1] = is_whole(row)
      and ("%s%s: %s"):format(word, mark, type_of(row[2])) or nil
  end
  return { ("---@class %s"):format(entry.name),
    ("---@overload fun(%s): %s"):format(table.concat(words, ", "),
      type_of(entry.returns[1][2])), ("%s = {}"):format(entry.name) }
end

local function entry_text(entry)
  local lines <const> = { "--- " .. entry.summary }
  append(lines, fields_text(entry))
  if entry.kind == "callable" then
    return table.concat(append(lines, callable_text(entry)), "\n")
  end
  local params <const>, names <const> = params_of(entry)
  append(lines, params)
  append(lines, returns_of(entry))
  lines[#lines + 1] = ("function %s(%s) end"):format(entry.name, names)
  return table.concat(lines, "\n")
end

local function class_text(class)
  local lines <const> = { ("---@class weft.%s"):format(class) }
  for _, noun in ipairs(doc.nouns()) do
    for _, field in ipairs(noun.class == class and noun.fields or {}) do
      lines[#lines + 1] = ("---@field %s %s%s"):format(field[1],
        type_of(field[2]), note_of(field))
    end
  end
  lines[#lines + 1] = class == "tensor" and OPERATORS or nil
  lines[#lines + 1] = ("local %s = {}"):format(class)
  return table.concat(lines, "\n")
end

-- The tables between weft and its functions, each once, outer ones first.
local function modules_text()
  local lines, seen = { "---@class weft", "weft = {}" }, { weft = true }
  local function add(path)
    local outer <const> = path:match "^(.+)%.[%w_]+$"
    if outer and not seen[outer] then
      add(outer)
      seen[outer] = true
      lines[#lines + 1] = outer .. " = {}"
    end
  end
  for _, entry in ipairs(doc.entries()) do
    for _, name in ipairs { entry.name, table.unpack(entry.also) } do
      if name:find "^weft%." and entry.kind ~= "command" then
        add(name)
      end
    end
  end
  return table.concat(lines, "\n")
end

--- The annotations: classes, weft's tables, then every function.
function as_luacats.text()
  local parts <const> = { "---@meta weft" }
  for _, class in ipairs(CLASSES) do
    parts[#parts + 1] = class_text(class)
  end
  parts[#parts + 1] = modules_text()
  for _, entry in ipairs(doc.entries()) do
    if entry.kind ~= "operator" and entry.kind ~= "command" then
      parts[#parts + 1] = entry_text(entry)
    end
  end
  parts[#parts + 1] = "return weft"
  return table.concat(parts, "\n\n") .. "\n"
end

return as_luacats
