-- The reference page.
local as_markdown = {}

local cli <const> = require "weft.cli"
local doc <const> = require "weft.doc"
local markdown <const> = require "weft.markdown"

-- Words of ours keep their *, <, [: only a table's bars are taken care of.
local function cell(text)
  return (text:gsub("|", "\\|"))
end

local function code(text)
  return "`" .. text .. "`"
end

-- A table of names, types and notes.
local function rows_of(head, list)
  local rows <const> = {}
  for i, row in ipairs(list) do
    local name <const>, optional <const> = row[1]:match "^([^?]+)(%??)$"
    rows[i] = { code(name) .. (optional ~= "" and " (optional)" or ""),
      cell(row[2]), cell(row[3] or "") }
  end
  return markdown.table({ head, "type", "" }, { "l", "l", "l" }, rows)
end

local function usage(entry)
  local parser <const> = entry.kind == "command"
    and cli.parser_of(entry.name:match "%S+$")
  return parser and "```\n" .. parser:get_help() .. "\n```" or nil
end

-- Links to entries, by the headings that entry_text gives them.
local function links(names)
  local list <const> = {}
  for i, name in ipairs(names) do
    list[i] = ("[%s](#%s)"):format(code(name), markdown.anchor(name))
  end
  return table.concat(list, ", ")
end

local function entry_text(entry)
  local parts <const> = { "### " .. entry.name, code(entry.signature),
    entry.summary }
  local function add(text)
    parts[#parts + 1] = text
  end
  if #entry.params > 0 then
    add(rows_of("parameter", entry.params))
  end
  if #entry.returns > 0 then
    add(rows_of("gives", entry.returns))
  end
  add(usage(entry))
  add(entry.errors and "Errors: " .. entry.errors .. ".")
  add(entry.source and "Source: " .. entry.source .. ".")
  add(#entry.also > 0 and "Also: " .. code(table.concat(entry.also, "`, `"))
    .. "." or nil)
  add(("```%s\n%s\n```"):format(entry.kind == "command" and "sh" or "lua",
    entry.example))
  add(#entry.see > 0 and "See " .. links(entry.see) .. "." or nil)
  return table.concat(parts, "\n\n")
end

local function noun_text(noun)
  local parts <const> = { "## " .. noun.title,
    (noun.text:gsub("%s+", " "):gsub("^ ", "")) }
  if #(noun.fields or {}) > 0 then
    parts[#parts + 1] = rows_of("field", noun.fields)
  end
  for _, entry in ipairs(doc.of_noun(noun.name)) do
    parts[#parts + 1] = entry_text(entry)
  end
  return table.concat(parts, "\n\n")
end

--- All entries, noun by noun.
function as_markdown.text()
  local parts, contents = {}, {}
  for i, noun in ipairs(doc.nouns()) do
    contents[i] = ("- [%s](#%s)"):format(noun.title,
      markdown.anchor(noun.title))
    parts[i] = noun_text(noun)
  end
  return "# weft: reference\n\n"
    .. "Types: a `label` is an integer that counts from 0 (layers, heads), a "
    .. "`subscript` one that counts from 1; `numbers` is an array of numbers "
    .. "or a tensor of one axis.\n\n" .. table.concat(contents, "\n") .. "\n\n"
    .. table.concat(parts, "\n\n") .. "\n"
end

return as_markdown
