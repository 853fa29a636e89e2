-- A table of named columns: what the notebook does with pandas.
--
-- Columns are plain arrays; a missing number is NaN and prints n/a. Every
-- method that changes something gives a new frame.
local frame = {}

local check <const> = require "weft.check"
local stats <const> = require "weft.stats"
local sys <const> = require("weft.core").sys
local text <const> = require "weft.frame.text"

local NAN <const> = 0 / 0
local NAN_KEY <const> = {} -- NaN can be no key of a table
local Frame <const> = {}

-- What aggregate knows by name. std is pandas'.
local AGGREGATES <const> = {
  count = stats.count, sum = stats.sum, mean = stats.mean, min = stats.min,
  max = stats.max, median = stats.median, range = stats.range,
  first = stats.first, last = stats.last,
  std = function(x) return stats.std(x, 1) end,
  var = function(x) return stats.var(x, 1) end,
  cv = function(x) return stats.cv(x, 1) end,
}

-- Those of them that have the unit of the column.
local SAME_UNIT <const> = {
  sum = true, mean = true, min = true, max = true, median = true,
  range = true, first = true, last = true, std = true,
}

local DESCRIPTION <const> = { "count", "mean", "std", "min", "max", "median",
  "range", "cv" }

-- The values that are there; pandas leaves missing ones out too.
local function present(column)
  local list <const> = {}
  for _, value in ipairs(column) do
    if value == value then
      list[#list + 1] = value
    end
  end
  return list
end

--- A frame of `names` in order and `columns` by name, all of one length.
--- `units` (optional) gives units by name.
function frame.new(names, columns, units)
  check.list("names", names, "string", "column names")
  check.type("columns", columns, "table", "arrays by name")
  check.optional("units", units, "table", "units by name")
  local n
  local seen <const> = {}
  for _, name in ipairs(names) do
    local column <const> = columns[name]
    if seen[name] then
      error(("column '%s' stands twice"):format(name), 2)
    end
    seen[name] = true
    if type(column) ~= "table" then
      error(("column '%s' is a %s, a table was expected")
        :format(name, type(column)), 2)
    end
    n = n or #column
    if #column ~= n then
      error(("column '%s' has %d rows, the first one has %d")
        :format(name, #column, n), 2)
    end
  end
  local self <const> = { names = names, columns = columns, n = n or 0,
    units = units or {} }
  return setmetatable(self, Frame)
end

--- A frame of rows, each a table by name; what a row lacks is NaN.
function frame.from_rows(names, rows, units)
  check.list("names", names, "string", "column names")
  check.list("rows", rows, "table", "rows, tables by name")
  check.optional("units", units, "table", "units by name")
  local columns <const> = {}
  for _, name in ipairs(names) do
    local column <const> = {}
    for i, row in ipairs(rows) do
      local value <const> = row[name]
      column[i] = value == nil and NAN or value
    end
    columns[name] = column
  end
  return frame.new(names, columns, units)
end

local methods <const> = {}

function methods:column(name)
  local column <const> = self.columns[name]
  if not column then
    error(("no column '%s'; there are %s"):format(tostring(name),
      table.concat(self.names, ", ")), 2)
  end
  return column
end

--- Row i (1-based) as a table by name.
function methods:row(i)
  if math.type(i) ~= "integer" or i < 1 or i > self.n then
    error(("row %s of %d"):format(tostring(i), self.n), 2)
  end
  local row <const> = {}
  for _, name in ipairs(self.names) do
    row[name] = self.columns[name][i]
  end
  return row
end

--- Iterates i, row.
function methods:rows()
  local i = 0
  return function()
    i = i + 1
    if i <= self.n then
      return i, self:row(i)
    end
  end
end

-- The rows of the list of indices.
local function take(self, indices)
  local columns <const> = {}
  for _, name in ipairs(self.names) do
    local column <const> = {}
    for i, index in ipairs(indices) do
      column[i] = self.columns[name][index]
    end
    columns[name] = column
  end
  return frame.new(self.names, columns, self.units)
end

-- Whether a row's columns have the values of a table.
local function matches(wanted)
  return function(row)
    for name, value in pairs(wanted) do
      if row[name] ~= value then
        return false
      end
    end
    return true
  end
end

--- The rows for which keep(row) is true; or where a table's columns have its
--- values: f:filter{weight_type="W_Q"}.
function methods:filter(keep)
  local indices <const> = {}
  local test = keep
  if type(keep) ~= "function" then
    check.type("keep", keep, "table", "a function of a row, or values by name")
  end
  if type(keep) == "table" then
    for name in pairs(keep) do
      self:column(name)
    end
    test = matches(keep)
  end
  for i, row in self:rows() do
    if test(row) then
      indices[#indices + 1] = i
    end
  end
  return take(self, indices)
end

--- Rows by rising (or falling) value of a column; equal rows keep their
--- order, NaN comes last.
function methods:sort(name, descending)
  local column <const> = self:column(name)
  local indices <const> = {}
  for i = 1, self.n do
    indices[i] = i
  end
  table.sort(indices, function(a, b)
    local x <const>, y <const> = column[a], column[b]
    if x ~= x or y ~= y then
      return x == x or (y ~= y and a < b)
    elseif x == y then
      return a < b
    end
    return (x < y) ~= (descending or false)
  end)
  return take(self, indices)
end

function methods:head(count)
  count = check.integer("count", count, 0, math.maxinteger)
  local indices <const> = {}
  for i = 1, math.min(count, self.n) do
    indices[i] = i
  end
  return take(self, indices)
end

--- The different values of a column, in order of appearance; missing ones
--- are one value.
function methods:unique(name)
  local seen, values = {}, {}
  for _, value in ipairs(self:column(name)) do
    local key <const> = value == value and value or NAN_KEY
    if not seen[key] then
      seen[key] = true
      values[#values + 1] = value
    end
  end
  return values
end

-- The different values that are there, sorted.
local function sorted_keys(self, name)
  local keys <const> = present(self:unique(name))
  table.sort(keys)
  return keys
end

--- The column names, in the order given; what is not named goes away.
function methods:select(names)
  check.list("names", names, "string", "column names")
  local columns <const> = {}
  for _, name in ipairs(names) do
    columns[name] = self:column(name)
  end
  return frame.new(names, columns, self.units)
end

--- One column more, or one replaced in its place: value(row, i) of each row
--- (nil is a missing one), with a unit or none.
function methods:with(name, value, unit)
  check.text("name", name)
  check.type("value", value, "function", "a function of a row")
  check.optional("unit", unit, "string", "a unit")
  local names, columns, units, column = {}, {}, {}, {}
  for j, old in ipairs(self.names) do
    names[j], columns[old] = old, self.columns[old]
    units[old] = self.units[old]
  end
  for i, row in self:rows() do
    local x <const> = value(row, i)
    column[i] = x == nil and NAN or x
  end
  names[#names + 1] = not columns[name] and name or nil
  columns[name], units[name] = column, unit
  return frame.new(names, columns, units)
end

--- Groups by a column: an array of {key=, frame=}, keys in sorted order
--- (byte order for names), as pandas' groupby gives them; rows without a key
--- are in none.
function methods:groups(name)
  local lists, groups = {}, {}
  for i, key in ipairs(self:column(name)) do
    if key == key then
      lists[key] = lists[key] or {}
      table.insert(lists[key], i)
    end
  end
  for i, key in ipairs(sorted_keys(self, name)) do
    groups[i] = { key = key, frame = take(self, lists[key]) }
  end
  return groups
end

-- An aggregate's name and function.
local function aggregate_of(aggregate)
  if type(aggregate) == "table" and type(aggregate[1]) == "string"
    and type(aggregate[2]) == "function" then
    return aggregate[1], aggregate[2]
  elseif not AGGREGATES[aggregate] then
    error(("no aggregate '%s'"):format(tostring(aggregate)), 3)
  end
  return aggregate, AGGREGATES[aggregate]
end

--- groupby(by)[value].agg(aggregates): a row a group; an aggregate is a name
--- (count sum mean std var cv min max median range first last; std, var and
--- cv with ddof 1) or a {name, function}. Missing values are left out.
function methods:aggregate(by, value, aggregates)
  check.type("aggregates", aggregates, "table", "names, or {name, function}")
  local names, columns, units = { by }, { [by] = {} }, {}
  local unit <const> = self:column(value) and self.units[value]
  local groups <const> = self:groups(by)
  for i, group in ipairs(groups) do
    columns[by][i] = group.key
  end
  for _, aggregate in ipairs(aggregates) do
    local name <const>, fn <const> = aggregate_of(aggregate)
    local column <const> = {}
    for i, group in ipairs(groups) do
      column[i] = fn(present(group.frame:column(value)))
    end
    names[#names + 1] = name
    columns[name], units[name] = column, SAME_UNIT[name] and unit or nil
  end
  return frame.new(names, columns, units)
end

--- count, mean, std, min, max, median, range and cv (std and cv with ddof 1)
--- of one column, or of every column of numbers, a row each.
function methods:describe(name)
  local rows <const> = {}
  for _, column in ipairs(name and { name } or self.names) do
    local values <const> = present(self:column(column))
    local row <const> = { column = column }
    local numbers = #values > 0 or name ~= nil
    for _, value in ipairs(values) do
      numbers = numbers and type(value) == "number"
    end
    if not numbers and name then
      error(("column '%s' is none of numbers"):format(name), 2)
    end
    for _, aggregate in ipairs(numbers and DESCRIPTION or {}) do
      row[aggregate] = AGGREGATES[aggregate](values)
    end
    rows[#rows + 1] = numbers and row or nil
  end
  return frame.from_rows({ "column", table.unpack(DESCRIPTION) }, rows)
end

--- One row an index value, one column a value of `columns` (both sorted);
--- what is not there is NaN, what is there twice an error.
function methods:pivot(index, columns, values)
  local keys <const> = sorted_keys(self, index)
  local heads <const> = sorted_keys(self, columns)
  local column <const>, cells <const> = self:column(values), {}
  for i, row in self:rows() do
    local line <const> = cells[row[index]] or {}
    local head <const> = row[columns]
    if line[head] ~= nil then
      error(("'%s' %s has '%s' %s twice"):format(index, row[index], columns,
        head), 2)
    end
    if head == head and row[index] == row[index] then
      line[head] = column[i]
      cells[row[index]] = line
    end
  end
  local names, out, units = { index }, { [index] = keys }, {}
  for _, head in ipairs(heads) do
    local name <const> = tostring(head)
    names[#names + 1] = name
    out[name], units[name] = {}, self.units[values]
    for i, key in ipairs(keys) do
      local value <const> = cells[key] and cells[key][head]
      out[name][i] = value == nil and NAN or value
    end
  end
  return frame.new(names, out, units)
end

-- The row of each value of a column in which every value is unique.
local function places(self, name)
  local list <const> = {}
  for i, key in ipairs(self:column(name)) do
    if key == key then
      if list[key] then
        error(("'%s' %s stands twice in the joined frame"):format(name, key),
          3)
      end
      list[key] = i
    end
  end
  return list
end

--- Inner join: rows of self with the columns of the row of `other` that has
--- the same value in column `on` (which must be unique there).
function methods:join(other, on)
  check.class("other", other, "frame")
  self:column(on)
  local place <const> = places(other, on)
  local kept <const> = self:filter(function(row) return place[row[on]] end)
  local names, columns, units = {}, {}, {}
  for j, name in ipairs(self.names) do
    names[j], columns[name] = name, kept.columns[name]
    units[name] = self.units[name]
  end
  for _, name in ipairs(other.names) do
    if name ~= on then
      local new <const> = columns[name] and name .. "_2" or name
      names[#names + 1] = new
      columns[new], units[new] = {}, other.units[name]
      for i, key in ipairs(kept.columns[on]) do
        columns[new][i] = other.columns[name][place[key]]
      end
    end
  end
  return frame.new(names, columns, units)
end

--- CSV text: a line of names, then the rows; numbers are the shortest that
--- read back as the same double.
methods.csv = text.csv

--- A frame from CSV text whose first line holds the names, or nil, message,
--- code. A column of numbers alone is one of numbers, an empty cell NaN.
function frame.from_csv(source)
  check.text("text", source)
  local names <const>, columns <const>, code <const> = text.parse_csv(source)
  if not names then
    return nil, columns, code
  end
  return frame.new(names, columns)
end

--- JSON text: an array of objects, their keys in the columns' order; NaN and
--- infinities are null.
methods.json = text.json

--- A frame from a JSON array of flat objects, or nil, message, code; null and
--- what an object lacks are NaN.
function frame.from_json(source)
  check.text("text", source)
  local names <const>, columns <const>, code <const> = text.parse_json(source)
  if not names then
    return nil, columns, code
  end
  return frame.new(names, columns)
end

--- A markdown table. options.format gives printf formats by name ("%.6g"
--- otherwise; integers print whole), options.title names of columns; else a
--- header is the name, with the unit where there is one.
methods.markdown = text.markdown

--- A LaTeX tabular with lines above, below and under the column heads, of
--- plain LaTeX; options as markdown's. No text of a cell is markup.
methods.latex = text.latex

Frame.__index = check.methods(methods, Frame, "frame")
Frame.__name = "weft.frame"

function Frame:__len()
  return self.n
end

function Frame:__tostring()
  return text.show(self, sys.columns(1))
end

return frame
