-- Tables and text of a markdown report; foreign text stays inert in it.
local markdown = {}

local check <const> = require "weft.check"
local sys <const> = require("weft.core").sys

--- x by a printf format, "n/a" where there is no such number.
function markdown.number(format, x)
  check.text("format", format)
  if x == nil or x == false or x ~= x then
    return "n/a"
  end
  check.type("x", x, "number")
  return (format:format(x))
end

--- Foreign text as one line that starts no link, no table cell and no HTML.
--- Bytes that are no UTF-8 are shown escaped.
function markdown.escape(text)
  text = tostring(text):gsub("%c", " ")
  if not utf8.len(text) then
    text = sys.escape(text)
  end
  return (text:gsub("[|`<>%[%]*\\]", "\\%0"))
end

-- First and last of the characters that take no column (marks on the one
-- before), and of those that take two (East Asian and pictures).
local NO_COLUMN <const> = {
  { 0x300, 0x36F }, { 0x200B, 0x200F }, { 0x20D0, 0x20FF },
  { 0xFE00, 0xFE0F },
}
local TWO_COLUMNS <const> = {
  { 0x1100, 0x115F }, { 0x2E80, 0x303E }, { 0x3041, 0xA4CF },
  { 0xAC00, 0xD7A3 }, { 0xF900, 0xFAFF }, { 0xFE30, 0xFE6F },
  { 0xFF00, 0xFF60 }, { 0xFFE0, 0xFFE6 }, { 0x1F300, 0x1F64F },
  { 0x1F900, 0x1F9FF }, { 0x20000, 0x3FFFD },
}

local function lies_in(ranges, code)
  for _, range in ipairs(ranges) do
    if code >= range[1] and code <= range[2] then
      return true
    end
  end
  return false
end

--- The columns that text takes on a terminal; its bytes where it is no UTF-8.
function markdown.width(text)
  check.text("text", text)
  if not utf8.len(text) or not text:find("[\204-\244]") then
    return utf8.len(text) or #text
  end
  local columns = 0
  for _, code in utf8.codes(text) do
    columns = columns + (lies_in(TWO_COLUMNS, code) and 2
      or lies_in(NO_COLUMN, code) and 0 or 1)
  end
  return columns
end
local width <const> = markdown.width

local function pad(text, columns, right)
  local space <const> = (" "):rep(columns - width(text))
  return right and space .. text or text .. space
end

--- A table: header cells, an alignment a column ("l" or "r"), rows of text.
function markdown.table(header, align, rows)
  check.list("header", header, "string", "text")
  check.list("align", align, "string", "text")
  check.list("rows", rows, "table", "arrays of text")
  for i, row in ipairs(rows) do
    check.list(("rows[%d]"):format(i), row, "string", "text")
    if #row ~= #header then
      error(("rows[%d] has %d cells, the header has %d"):format(i, #row,
        #header), 2)
    end
  end
  local columns <const> = {}
  for j, cell in ipairs(header) do
    columns[j] = math.max(width(cell), 3)
    for _, row in ipairs(rows) do
      columns[j] = math.max(columns[j], width(row[j]))
    end
  end
  local function line(row)
    local cells <const> = {}
    for j, cell in ipairs(row) do
      cells[j] = pad(cell, columns[j], align[j] == "r")
    end
    return "| " .. table.concat(cells, " | ") .. " |"
  end
  local rule <const> = {}
  for j, columns_j in ipairs(columns) do
    local dashes <const> = ("-"):rep(columns_j - 1)
    rule[j] = align[j] == "r" and dashes .. ":" or ":" .. dashes
  end
  local lines <const> = { line(header), line(rule) }
  for _, row in ipairs(rows) do
    lines[#lines + 1] = line(row)
  end
  return table.concat(lines, "\n")
end

--- The anchor that renderers make of a heading: punctuation goes, arrows and
--- dashes (U+2000 to U+23FF) too, and a space becomes a hyphen.
function markdown.anchor(heading)
  check.text("heading", heading)
  local text <const> = heading:lower()
    :gsub("\226[\128-\143][\128-\191]", "")
    :gsub("[^%w%s_\128-\255-]", "")
  return (text:gsub("%s", "-"))
end

return markdown
