-- Frames as text and back: CSV, JSON, markdown, and what the prompt shows.
local text = {}

local check <const> = require "weft.check"
local core <const> = require "weft.core"
local csv <const> = require "weft.csv"
local json <const> = require "weft.json"
local markdown <const> = require "weft.markdown"
local sys <const> = core.sys

local NAN <const> = 0 / 0

-- What a screen of 24 lines holds beside the header, its rule and a footer;
-- of a longer frame as many rows from either end, and a row of … between.
local SCREEN_ROWS <const> = 21
local END_ROWS <const> = 10
-- A cell's width at most, so that one long name does not push out the rest.
local WIDEST <const> = 40

-- ---- cells ----

local WORDS <const> = {
  ["nan"] = NAN, ["NaN"] = NAN, ["n/a"] = NAN, ["inf"] = math.huge,
  ["-inf"] = -math.huge,
}

-- "12", "0.5" and "nan" are numbers; nothing hexadecimal is.
local function to_number(cell)
  if WORDS[cell] then
    return WORDS[cell]
  end
  return cell:find("^[+-]?%.?%d") and not cell:find("[xX]") and tonumber(cell)
    or nil
end

-- One kind of number a column: floats where one of them is (NaN too).
local function of_one_kind(numbers)
  local floats = false
  for _, x in ipairs(numbers) do
    floats = floats or math.type(x) == "float"
  end
  for i, x in ipairs(numbers) do
    numbers[i] = floats and x + 0.0 or x
  end
  return numbers
end

-- A column of CSV cells whose every cell is a number, or empty for a missing
-- one, becomes one of numbers.
local function typed(column)
  local numbers, found = {}, false
  for i, cell in ipairs(column) do
    numbers[i] = cell == "" and NAN or to_number(cell)
    found = found or cell ~= ""
    if not numbers[i] then
      return column
    end
  end
  return found and of_one_kind(numbers) or column
end

-- Numbers to the right, a column with text in it to the left.
local function alignment(column)
  for _, value in ipairs(column) do
    if type(value) ~= "number" then
      return "l"
    end
  end
  return "r"
end

local function cell_text(value, format, escape)
  if type(value) ~= "number" then
    return escape(tostring(value))
  elseif math.type(value) == "integer" and not format then
    return tostring(value)
  end
  return markdown.number(format or "%.6g", value)
end

-- ---- CSV ----

--- A line of names, then the rows.
function text.csv(frame)
  local rows <const> = { frame.names }
  for i = 1, frame.n do
    local row <const> = {}
    for j, name in ipairs(frame.names) do
      row[j] = frame.columns[name][i]
    end
    rows[i + 1] = row
  end
  return csv.encode(rows)
end

-- What is wrong with the names of columns, or nil.
local function fault_of_names(names)
  local seen <const> = {}
  for _, name in ipairs(names) do
    if seen[name] then
      return ("column '%s' stands twice"):format(sys.escape(name))
    end
    seen[name] = true
  end
  return nil
end

--- Names and columns of CSV text whose first line holds the names, or nil,
--- message, code.
function text.parse_csv(source)
  local rows <const>, message <const> = csv.decode(source)
  if not rows or not rows[1] then
    return nil, message or "no line of column names", "format"
  end
  local names, columns = table.remove(rows, 1), {}
  local fault <const> = fault_of_names(names)
  if fault then
    return nil, fault, "format"
  end
  for j, name in ipairs(names) do
    local column <const> = {}
    for i, row in ipairs(rows) do
      if #row ~= #names then
        return nil, ("row %d has %d cells, the header has %d"):format(i, #row,
          #names), "format"
      end
      column[i] = row[j]
    end
    columns[name] = typed(column)
  end
  return names, columns
end

-- ---- JSON ----

local function json_of(value)
  return json.encode(value):sub(1, -2)
end

--- An array of objects, a line a row, keys in the columns' order.
function text.json(frame)
  local lines <const> = {}
  for i = 1, frame.n do
    local items <const> = {}
    for j, name in ipairs(frame.names) do
      items[j] = json_of(name) .. ": " .. json_of(frame.columns[name][i])
    end
    lines[i] = " {" .. table.concat(items, ", ") .. "}"
  end
  return #lines == 0 and "[]\n"
    or "[\n" .. table.concat(lines, ",\n") .. "\n]\n"
end

-- Where the JSON string that begins at `at` ends.
local function string_end(source, at)
  repeat
    at = source:find('["\\]', at + 1)
    local escaped <const> = source:byte(at) == 92
    at = escaped and at + 1 or at
  until not escaped
  return at
end

-- The keys of the first object in their order, of a text that is known to be
-- an array of flat objects.
local function keys_in_order(source)
  local names, seen = {}, {}
  local at = select(2, source:find("^%s*%[%s*{%s*")) + 1
  while source:byte(at) == 34 do
    local last <const> = string_end(source, at)
    local name <const> = core.json("[" .. source:sub(at, last) .. "]")[1]
    if not seen[name] then
      names[#names + 1], seen[name] = name, true
    end
    at = select(2, source:find("^%s*:%s*", last + 1)) + 1
    at = (source:byte(at) == 34 and string_end(source, at)
      or select(2, source:find("^[^,}%s]+", at))) + 1
    at = select(2, source:find("^[%s,]*", at)) + 1
  end
  return names, seen
end

-- What is wrong with row i of decoded JSON, or nil.
local function fault_of_row(row, i)
  if type(row) ~= "table" or row[1] ~= nil then
    return ("row %d is no object"):format(i)
  end
  for name, value in pairs(row) do
    if type(value) == "table" then
      return ("row %d: '%s' is no number, text or truth value"):format(i,
        sys.escape(name))
    end
  end
  return nil
end

-- Names that the first row does not have, in byte order behind its own.
local function add_names(names, seen, rows)
  local more <const> = {}
  for _, row in ipairs(rows) do
    for name in pairs(row) do
      if not seen[name] then
        more[#more + 1], seen[name] = name, true
      end
    end
  end
  table.sort(more)
  return table.move(more, 1, #more, #names + 1, names)
end

local function json_column(rows, name)
  local column, numbers = {}, true
  for i, row in ipairs(rows) do
    local value <const> = row[name]
    column[i] = value == nil and NAN or value
    numbers = numbers and type(column[i]) == "number"
  end
  return numbers and of_one_kind(column) or column
end

--- Names and columns of a JSON array of flat objects, or nil, message, code.
--- null, and what an object lacks, is NaN.
function text.parse_json(source)
  local rows <const>, message <const> = core.json(source)
  if not rows then
    return nil, message, "format"
  elseif not source:find("^%s*%[") then
    return nil, "an array of objects was expected", "format"
  elseif #rows == 0 then
    return {}, {}
  end
  for i, row in ipairs(rows) do
    local fault <const> = fault_of_row(row, i)
    if fault then
      return nil, fault, "format"
    end
  end
  local columns <const>, names <const>, seen <const> = {},
    keys_in_order(source)
  for _, name in ipairs(add_names(names, seen, rows)) do
    columns[name] = json_column(rows, name)
  end
  return names, columns
end

-- ---- markdown ----

local function header_of(frame, name, titles)
  local unit <const> = frame.units[name]
  if titles[name] then
    return titles[name]
  end
  return unit and unit ~= "" and ("%s (%s)"):format(name, unit) or name
end

--- A markdown table; see frame's markdown.
function text.markdown(frame, options)
  check.optional("options", options, "table", "a table of format and title")
  local formats <const> = options and options.format or {}
  local titles <const> = options and options.title or {}
  check.type("format", formats, "table", "printf formats by name")
  check.type("title", titles, "table", "titles by name")
  local header, align, rows = {}, {}, {}
  for j, name in ipairs(frame.names) do
    header[j] = markdown.escape(header_of(frame, name, titles))
    align[j] = alignment(frame.columns[name])
  end
  for i = 1, frame.n do
    rows[i] = {}
    for j, name in ipairs(frame.names) do
      rows[i][j] = cell_text(frame.columns[name][i], formats[name],
        markdown.escape)
    end
  end
  return markdown.table(header, align, rows)
end

-- ---- LaTeX ----

-- Braces around what a line may not begin with: \\[ and \\* mean something.
local LATEX <const> = {
  ["\\"] = "\\textbackslash{}", ["~"] = "\\textasciitilde{}",
  ["^"] = "\\textasciicircum{}", ["<"] = "\\textless{}",
  [">"] = "\\textgreater{}", ["|"] = "\\textbar{}", ["["] = "{[}",
  ["]"] = "{]}", ["*"] = "{*}", ["{"] = "\\{", ["}"] = "\\}", ["$"] = "\\$",
  ["&"] = "\\&", ["#"] = "\\#", ["%"] = "\\%", ["_"] = "\\_",
}

local function latex_escape(line)
  line = line:gsub("%c", " ")
  if not utf8.len(line) then
    line = sys.escape(line)
  end
  return (line:gsub("%p", LATEX))
end

-- A number as mathematics has it: a true minus, a power of ten.
local function latex_number(shown)
  local digits <const>, sign <const>, power <const> =
    shown:match("^(.*)e([+-])0*(%d+)$")
  if digits then
    return ("$%s\\times10^{%s%s}$"):format(digits, sign == "-" and sign or "",
      power)
  elseif shown:find("inf", 1, true) then
    return ("$%s\\infty$"):format(shown:match("^-?"))
  end
  return shown:find("^-") and ("$%s$"):format(shown) or shown
end

--- A tabular; see frame's latex.
function text.latex(frame, options)
  check.optional("options", options, "table", "a table of format and title")
  local formats <const> = options and options.format or {}
  local titles <const> = options and options.title or {}
  check.type("format", formats, "table", "printf formats by name")
  check.type("title", titles, "table", "titles by name")
  local header, align = {}, {}
  for j, name in ipairs(frame.names) do
    header[j] = latex_escape(header_of(frame, name, titles))
    align[j] = alignment(frame.columns[name])
  end
  local lines <const> = {
    ("\\begin{tabular}{%s}"):format(table.concat(align)), "\\hline",
    table.concat(header, " & ") .. " \\\\", "\\hline" }
  for i = 1, frame.n do
    local cells <const> = {}
    for j, name in ipairs(frame.names) do
      local value <const> = frame.columns[name][i]
      local cell <const> = cell_text(value, formats[name], latex_escape)
      cells[j] = type(value) == "number" and latex_number(cell) or cell
    end
    lines[#lines + 1] = table.concat(cells, " & ") .. " \\\\"
  end
  return table.concat(lines, "\n") .. "\n\\hline\n\\end{tabular}"
end

-- ---- the prompt ----

-- Text cut to so many columns of the terminal, with an ellipsis.
local function fit(line, columns)
  if markdown.width(line) <= columns then
    return line
  end
  local kept, left = {}, columns - 1
  for char in line:gmatch(utf8.charpattern) do
    left = left - markdown.width(char)
    if left < 0 then
      break
    end
    kept[#kept + 1] = char
  end
  return table.concat(kept) .. "…"
end

-- The subscripts of the rows that a screen shows; false stands for the others.
local function rows_shown(n)
  local list <const> = {}
  for i = 1, n do
    if n <= SCREEN_ROWS or i <= END_ROWS or i > n - END_ROWS then
      list[#list + 1] = i
    elseif list[#list] then
      list[#list + 1] = false
    end
  end
  return list
end

-- One column as it is shown: its header, its cells and their common width.
local function shown_column(frame, name, shown, widest)
  local cells, room = {}, 3
  local function add(line)
    line = fit(line, widest)
    room = math.max(room, markdown.width(line))
    return line
  end
  local header <const> = add(sys.escape(header_of(frame, name, {})))
  for i, place in ipairs(shown) do
    cells[i] = add(place and cell_text(frame.columns[name][place], nil,
      sys.escape) or "…")
  end
  return { header = header, cells = cells, width = room,
    align = alignment(frame.columns[name]) }
end

-- The leading columns that fit, and the names of those that don't; a column
-- of … takes 6.
local function columns_shown(frame, shown, width)
  local list, hidden, used = {}, {}, 1
  local widest <const> = math.max(3, math.min(WIDEST, width - 10))
  for j, name in ipairs(frame.names) do
    local column <const> = shown_column(frame, name, shown, widest)
    used = used + column.width + 3
    local reserve <const> = j < #frame.names and 6 or 0
    if #hidden > 0 or j > 1 and used + reserve > width then
      hidden[#hidden + 1] = sys.escape(name)
    else
      list[j] = column
    end
  end
  return list, hidden
end

--- What the prompt shows: a table of at most `width` columns and of a screen's
--- rows, and what there is more.
function text.show(frame, width)
  local shown <const> = rows_shown(frame.n)
  local list <const>, hidden <const> = columns_shown(frame, shown, width)
  if #hidden > 0 then
    list[#list + 1] = { header = "…", align = "l", cells = {} }
  end
  local header, align, rows = {}, {}, {}
  for j, column in ipairs(list) do
    header[j], align[j] = column.header, column.align
    for i = 1, #shown do
      rows[i] = rows[i] or {}
      rows[i][j] = column.cells[i] or "…"
    end
  end
  local lines <const> = markdown.table(header, align, rows)
  if frame.n <= SCREEN_ROWS and #hidden == 0 then
    return lines
  end
  local footer <const> = ("%d row%s"):format(frame.n,
    frame.n == 1 and "" or "s")
    .. (#hidden > 0 and "; not shown: " .. table.concat(hidden, ", ") or "")
  return lines .. "\n" .. fit(footer, width)
end

return text
