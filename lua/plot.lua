-- Figures from numbers: weft.plot(y), weft.plot(x, y), weft.plot{…}, and a
-- function a kind. Each takes options last: fields of a panel (title, xlabel,
-- logy …), of the series (label, colour …), of the figure (size), which
-- plot/describe.lua lists. The report's own figures are in plot/report.lua.
local describe = require "weft.plot.describe"
local figure = require "weft.plot.figure"
local text = require "weft.plot.text"

local m = { slug = text.slug }

-- Levels up from figure.new to who called a function of this module, through
-- one helper of it. Calls in parentheses are no tail calls, which would take a
-- level away.
local CALLER <const> = 4

-- True for options: a table with names in it. An array of numbers has none,
-- and {} is one where numbers are wanted.
local function is_options(v)
  return type(v) == "table" and v[1] == nil and next(v) ~= nil
end

-- Splits options among a figure, its panel and what is drawn in it; what
-- belongs nowhere stays with the panel, where it is refused. `level` is that
-- of figure.new, from here.
local function split(options, kind, level)
  if options ~= nil and type(options) ~= "table" then
    error(("options are a %s, expected a table"):format(type(options)), level)
  end
  local fig, panel, item = {}, {}, {}
  for name, value in pairs(options or {}) do
    if kind and describe.FIELDS[kind][name] then
      item[name] = value
    elseif name == "size" then
      fig.size = value
    else
      panel[name] = value
    end
  end
  fig.panels = { panel }
  return fig, panel, item
end

-- A figure of one series; `columns` are its fields.
local function of_series(options, style, columns)
  local fig, panel, item = split(options, "series", CALLER)
  item.style = item.style or style
  for name, column in pairs(columns) do item[name] = column end
  panel.series = { item }
  return (figure.new(fig, CALLER))
end

-- Raises where an argument that must hold numbers is not there at all.
local function check(v, name, where)
  if type(v) ~= "table" and type(v) ~= "userdata" then
    error(("%s: %s is a %s, expected an array or a tensor of numbers"):format(
      where, name, type(v)), 3)
  end
end

-- y, or x and y, and the options behind them.
local function arguments(x, y, options)
  if y == nil or is_options(y) then return { y = x }, y end
  return { x = x, y = y }, options
end

-- A whole figure's description, a panel's, or one series' among a panel's
-- fields.
local function of_description(description)
  local fig = description
  if not description.panels then
    local nested = description.series or description.image
    local panel, item
    fig, panel, item = split(description, not nested and "series", CALLER)
    if next(item) then panel.series = { item } end
  end
  return (figure.new(fig, CALLER))
end

-- A figure of any description: {panels =, title =, layout = …}.
function m.figure(description)
  return (figure.new(description, 3))
end

-- y over 0, 1 …, or over x, as a line.
function m.line(x, y, options)
  check(x, y == nil and "y" or "x", "line")
  local columns, rest = arguments(x, y, options)
  return (of_series(rest, "line", columns))
end

-- The same as points.
function m.scatter(x, y, options)
  check(x, y == nil and "y" or "x", "scatter")
  local columns, rest = arguments(x, y, options)
  return (of_series(rest, "points", columns))
end

-- How many of the values lie in each of `bins` equal parts of their range (1 +
-- log2 of their number, where it is left out).
function m.histogram(values, bins, options)
  check(values, "values", "histogram")
  if is_options(bins) then bins, options = options and options.bins, bins end
  return (of_series(options, "histogram", { values = values,
    bins = bins }))
end

-- A bar a value, with its label below it.
function m.bars(labels, values, options)
  check(labels, values == nil and "values" or "labels", "bars")
  if values == nil or is_options(values) then
    labels, values, options = nil, labels, values
  end
  local copy = options
  if labels ~= nil and (options == nil or type(options) == "table") then
    copy = { xlabels = labels }
    for name, value in pairs(options or {}) do copy[name] = value end
  end
  return (of_series(copy, "bars", { y = values }))
end

-- A matrix in colours: rows downwards, columns across, NaN grey. Options are a
-- panel's and an image's.
function m.heatmap(z, options)
  check(z, "z", "heatmap")
  local fig, panel, item = split(options, "image", 3)
  item.z = z
  panel.image = item
  return (figure.new(fig, 3))
end

-- Several figures, or descriptions of panels, as one figure: `cols` beside
-- each other, share_x, share_y, title, size.
function m.panels(list, options)
  if type(list) ~= "table" then
    error(("panels: list is a %s, expected an array of figures"):format(
      type(list)), 2)
  elseif options ~= nil and type(options) ~= "table" then
    error(("panels: options are a %s, expected a table"):format(type(options)),
      2)
  end
  local desc, count = { panels = list }, 0
  for _, item in ipairs(list) do
    count = count + (type(item) == "table" and item.checked
      and #item.checked.panels or 1)
  end
  for name, value in pairs(options or {}) do
    if name ~= "cols" then desc[name] = value end
  end
  local cols = options and options.cols
    or count <= 3 and math.max(1, count) or math.ceil(math.sqrt(count))
  if math.type(cols) ~= "integer" or cols < 1 then
    error("panels: cols: expected a whole number from 1 up", 2)
  end
  cols = math.min(cols, math.max(1, count))
  desc.layout = desc.layout or { math.max(1, math.ceil(count / cols)), cols }
  return (figure.new(desc, 3))
end

return setmetatable(m, {
  __call = function(_, x, y, options)
    if y == nil and is_options(x) then return (of_description(x)) end
    check(x, y == nil and "y" or "x", "plot")
    local columns, rest = arguments(x, y, options)
    return (of_series(rest, "line", columns))
  end,
})
