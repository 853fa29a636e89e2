-- RFC 4180 text to rows of cells and back.
local csv = {}

local check <const> = require "weft.check"
local sys <const> = require("weft.core").sys

-- A spreadsheet runs a text cell that begins so: such cells get a leading
-- apostrophe, which reading takes off again.
local FORMULA <const> = "^'*[=+%-@\t\r]"

local function encode_cell(value)
  if type(value) == "number" then
    return sys.number(value)
  end
  local text = tostring(value)
  if text:find(FORMULA) then
    text = "'" .. text
  end
  if text:find('[,"\r\n]') then
    text = '"' .. text:gsub('"', '""') .. '"'
  end
  return text
end

--- Rows of cells (numbers or text) as CSV text with "\n" line ends.
function csv.encode(rows)
  check.list("rows", rows, "table", "arrays of cells")
  local lines <const> = {}
  for i, row in ipairs(rows) do
    local cells <const> = {}
    for j = 1, #row do
      cells[j] = encode_cell(row[j])
    end
    -- one empty cell alone is quoted, since an empty line holds no row
    lines[i] = #row == 1 and cells[1] == "" and '""'
      or table.concat(cells, ",")
  end
  lines[#lines + 1] = ""
  return table.concat(lines, "\n")
end

-- One quoted cell from the quote at `at`: its text and where it ended.
local function quoted_cell(text, at)
  local from, parts = at + 1, {}
  while true do
    local quote <const> = text:find('"', from, true)
    if not quote then
      return nil
    end
    parts[#parts + 1] = text:sub(from, quote - 1)
    if text:sub(quote + 1, quote + 1) ~= '"' then
      return table.concat(parts), quote + 1
    end
    parts[#parts + 1] = '"'
    from = quote + 2
  end
end

local function next_cell(text, at)
  if text:sub(at, at) == '"' then
    return quoted_cell(text, at)
  end
  local stop <const> = text:find("[,\r\n]", at) or #text + 1
  return text:sub(at, stop - 1), stop
end

-- What ends a cell at `stop`: a comma, an end of line, "" at the text's end;
-- nil where it is anything else.
local function mark_at(text, stop)
  return text:match("^\r?\n", stop) or text:match("^[,\r]", stop)
    or stop > #text and "" or nil
end

--- CSV text as rows of strings, or nil and what is wrong in which row. Empty
--- lines and a byte order mark are no part of the rows.
function csv.decode(text)
  check.text("text", text)
  local rows, row, at = {}, {}, 1
  text = text:gsub("^\u{FEFF}", "")
  while at <= #text do
    local cell <const>, stop <const> = next_cell(text, at)
    if not cell then
      return nil, ("row %d: a quoted cell is not closed"):format(#rows + 1)
    end
    local mark <const> = mark_at(text, stop)
    if not mark then
      return nil, ("row %d: text after a quoted cell"):format(#rows + 1)
    elseif stop > at or mark == "," or #row > 0 then
      row[#row + 1] = cell:find(FORMULA) and cell:gsub("^'", "", 1) or cell
    end
    at = stop + #mark
    if mark == "," and at > #text then
      row[#row + 1] = ""
    end
    if #row > 0 and (mark ~= "," or at > #text) then
      rows[#rows + 1], row = row, {}
    end
  end
  return rows
end

return csv
