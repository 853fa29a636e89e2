-- Checks the description of a figure and fills in what it leaves out. Every
-- message starts with the place: "panel 2: series 1: y[3] is a string, …".
-- Columns are arrays of numbers or tensors of one axis; NaN and infinities are
-- gaps.
--
--   figure  title, size {width, height} in px, layout {rows, cols}, share_x and
--           share_y (one range for all panels), panels (panels' fields, or
--           figures, whose panels are taken)
--   panel   title (may hold newlines), xlabel, ylabel, logx, logy, xrange and
--           yrange {lo, hi}, xticks and yticks {number or {number, label}, …},
--           xlabels (words at 0, 1 …), aspect "equal", whole (no fractions at
--           x), legend (false: none, though there are labels), hidden (its
--           place stays free), series, lines, bands, texts, image
--   series  y, x (0, 1 … where it is left out), style "line" "points"
--           "linespoints" "bars" (several stand side by side) "band" (y to y2)
--           or "histogram" (values, bins: their number), error (a number, or
--           one for each y: bars from y - error to y + error), label, colour
--   line    x or y, style "solid" "dashed" "dotted", label, colour
--   band    x or y {from, to}, label, colour
--   text    x, y, text, align "left" "center" "right" (of the point, which is
--           beside it or below it), colour
--   image   z (rows, or a tensor of two axes), label (of the colour bar),
--           xlabels, ylabels (of columns and rows, 0, 1 … where left out),
--           missing (what the grey of a NaN means)
--
-- A colour is "#rrggbb" or black, blue, gray, green, grey, orange, purple, red,
-- sky, vermillion or white.
local axis = require "weft.plot.axis"
local core = require "weft.core"
local colours = require "weft.plot.colours"

local m = {}

local STYLES = {
  line = true, points = true, linespoints = true, bars = true, band = true,
  histogram = true,
}
local DASHES = { solid = true, dashed = true, dotted = true }
local ALIGNED = { left = true, center = true, right = true }

-- What each part of a description may hold.
local function set_of(names)
  local out = {}
  for name in names:gmatch("%S+") do out[name] = true end
  return out
end

m.FIELDS = {
  figure = set_of "title size layout share_x share_y panels",
  panel = set_of [[title xlabel ylabel logx logy xrange yrange xticks yticks
    xlabels aspect whole legend hidden series lines bands texts image]],
  series = set_of "x y y2 values bins style error label colour",
  line = set_of "x y style label colour",
  band = set_of "x y label colour",
  text = set_of "x y text align colour",
  image = set_of "z label xlabels ylabels missing",
}

-- Bins, panels, … that a picture can show.
local MOST_BINS <const> = 100000

-- Sizes in px that the terminals take and a screen or a page can hold.
local LEAST <const>, MOST <const> = 100, 20000

-- Position is of no use: the place is told by the words.
local function fail(format, ...)
  error(format:format(...), 0)
end

local function check_text(v, what)
  if v ~= nil and type(v) ~= "string" and type(v) ~= "number" then
    fail("%s is a %s, expected text", what, type(v))
  end
  return v and tostring(v)
end

-- A table whose fields are all known: a misspelt one would be left out of the
-- picture in silence.
local function check_fields(desc, kind, what)
  if type(desc) ~= "table" then
    fail("%s is a %s, expected a table", what, type(desc))
  end
  local unknown = {}
  for name in pairs(desc) do
    if not m.FIELDS[kind][name] then unknown[#unknown + 1] = tostring(name) end
  end
  table.sort(unknown)
  if unknown[1] then
    fail("%s: field '%s' is unknown", what, core.sys.escape(unknown[1]))
  end
end

-- Each element of a list that may be left out.
local function each(list, what, make)
  local out = {}
  if list ~= nil and type(list) ~= "table" then
    fail("%s is a %s, expected an array", what, type(list))
  end
  for i, item in ipairs(list or {}) do out[i] = make(item, i, what) end
  return out
end

-- True for a tensor of so many axes; one of others is refused.
local function is_tensor(v, axes, what)
  local meta = type(v) == "userdata" and getmetatable(v)
  if type(meta) ~= "table" or meta.__name ~= "weft.tensor" then return false end
  if #v.shape ~= axes then
    fail("%s is a tensor of %d axes, expected %d", what, #v.shape, axes)
  end
  return true
end

-- A table with names in it and no numbers is no empty array, but a mistake.
local function check_array(v, what, of)
  if type(v) ~= "table" then
    fail("%s is a %s, expected an array of %s", what, type(v), of)
  elseif #v == 0 and next(v) ~= nil then
    fail("%s is a table of names, expected an array of %s", what, of)
  end
end

-- A fresh array of numbers from an array or a tensor of one axis.
local function column(source, what)
  if is_tensor(source, 1, what) then return source:totable() end
  check_array(source, what, "numbers")
  local out = {}
  for i = 1, #source do
    local v = source[i]
    if type(v) ~= "number" then
      fail("%s[%d] is a %s, expected a number", what, i, type(v))
    end
    out[i] = v
  end
  return out
end

-- 0, 1 … n-1: a column drawn over its own index.
local function indexes(n)
  local out = {}
  for i = 1, n do out[i] = i - 1 end
  return out
end

local function whole_in(v, lo, hi)
  return math.type(v) == "integer" and v >= lo and v <= hi
end

local function colour_of(name, default, what)
  if name == nil then return default end
  return colours.find(name)
    or fail("%s: colour '%s' is unknown, expected #rrggbb or a name such as"
      .. " red or grey", what, tostring(name))
end

-- Counts of values in equal bins: centres, counts, the bins' width.
function m.histogram(values, bins)
  local range, n = {}, 0
  axis.extend(range, values, false)
  if not range[1] then return {}, {}, 1 end
  for _, v in ipairs(values) do
    if axis.drawable(v, false) then n = n + 1 end
  end
  bins = bins or math.max(1, math.ceil(math.log(n, 2)) + 1)
  local lo, width = range[1], (range[2] - range[1]) / bins
  if width == 0 then bins, width, lo = 1, 1, lo - 0.5 end
  local x, y = {}, {}
  for i = 1, bins do x[i], y[i] = lo + (i - 0.5) * width, 0 end
  for _, v in ipairs(values) do
    if axis.drawable(v, false) then
      local i = math.min(bins, (v - lo) // width + 1) | 0
      y[i] = y[i] + 1
    end
  end
  return x, y, width
end

-- Bars as wide as the closest two centres allow.
local function bar_width(x)
  local sorted, gap = {}, math.huge
  for _, v in ipairs(x) do
    if axis.drawable(v, false) then sorted[#sorted + 1] = v end
  end
  table.sort(sorted)
  for i = 2, #sorted do
    local d = sorted[i] - sorted[i - 1]
    if d > 0 then gap = math.min(gap, d) end
  end
  return 0.8 * (gap == math.huge and 1 or gap)
end

-- A histogram's description turned into one of bars.
local function binned(desc, what)
  local values = column(desc.values or desc.y, what .. ": values")
  if desc.bins ~= nil and not whole_in(desc.bins, 1, MOST_BINS) then
    fail("%s: bins is %s, expected a whole number from 1 to %d", what,
      tostring(desc.bins), MOST_BINS)
  end
  local x, y, width = m.histogram(values, desc.bins)
  return { style = "bars", x = x, y = y, width = width }
end

-- The ends of the bars of error: y - error and y + error.
local function error_ends(error, y, what)
  if error == nil then return nil, nil end
  local column_of = type(error) ~= "number" and column(error, what)
  if column_of and #column_of ~= #y then
    fail("%s has %d values, y has %d", what, #column_of, #y)
  end
  local low, high = {}, {}
  for i, v in ipairs(y) do
    local e = math.abs(column_of and column_of[i] or error)
    low[i], high[i] = v - e, v + e
  end
  return low, high
end

-- One series, its columns copied and compared in length.
local function series(desc, i, what)
  what = ("%s: series %d"):format(what, i)
  check_fields(desc, "series", what)
  local style = desc.style or "line"
  if not STYLES[style] then
    fail("%s: style '%s' is unknown, expected line, points, linespoints,"
      .. " bars, band or histogram", what, tostring(style))
  end
  local source = style == "histogram" and binned(desc, what) or desc
  local out = {
    style = source.style or style,
    y = column(source.y, what .. ": y"),
    y2 = style == "band" and column(source.y2, what .. ": y2") or nil,
    label = check_text(desc.label, what .. ": label"),
    colour = colour_of(desc.colour, colours.cycle(i), what),
    counted = style == "histogram",
  }
  out.x = source.x and column(source.x, what .. ": x") or indexes(#out.y)
  for _, name in ipairs { "x", "y2" } do
    if out[name] and #out[name] ~= #out.y then
      fail("%s: %s has %d values, y has %d", what, name, #out[name], #out.y)
    end
  end
  out.low, out.high = error_ends(source.error, out.y, what .. ": error")
  if out.style == "bars" then out.width = source.width or bar_width(out.x) end
  return out
end

-- Several series of bars share the room of one.
local function side_by_side(list)
  local bars = {}
  for _, s in ipairs(list) do
    if s.style == "bars" and not s.counted then bars[#bars + 1] = s end
  end
  for k, s in ipairs(bars) do
    s.width = s.width / #bars
    local shift = (k - (#bars + 1) / 2) * s.width
    for i, x in ipairs(s.x) do
      s.x[i] = #bars > 1 and x + shift or x
    end
  end
end

-- A straight line across the panel.
local function rule(desc, i, what)
  what = ("%s: line %d"):format(what, i)
  check_fields(desc, "line", what)
  local at = desc.x or desc.y
  if (desc.x == nil) == (desc.y == nil) or type(at) ~= "number" then
    fail("%s: expected a number as x or as y", what)
  end
  local dash = desc.style or "solid"
  if not DASHES[dash] then
    fail("%s: style '%s' is unknown, expected solid, dashed or dotted", what,
      tostring(dash))
  end
  return {
    x = desc.x,
    y = desc.y,
    dash = dash,
    thick = dash == "solid" and 1 or 1.6,
    label = check_text(desc.label, what .. ": label"),
    colour = colour_of(desc.colour, colours.find("grey"), what),
  }
end

local function range_of(range, log, what)
  if range == nil then return nil end
  if type(range) ~= "table" then
    fail("%s is a %s, expected {lo, hi}", what, type(range))
  end
  local lo, hi = range[1], range[2]
  if type(lo) ~= "number" or type(hi) ~= "number" or lo == hi
    or not (axis.drawable(lo, log) and axis.drawable(hi, log)) then
    fail("%s: expected two different finite numbers%s", what,
      log and " above 0 on a log axis" or "")
  end
  return { lo, hi }
end

-- A strip across the panel, from one x (or y) to another.
local function strip(desc, i, what)
  what = ("%s: band %d"):format(what, i)
  check_fields(desc, "band", what)
  local ends = desc.x or desc.y
  if (desc.x == nil) == (desc.y == nil) or type(ends) ~= "table" then
    fail("%s: expected {from, to} as x or as y", what)
  end
  local range = range_of(ends, false, what)
  if range[1] > range[2] then range[1], range[2] = range[2], range[1] end
  return {
    style = "strip",
    x = desc.x and range,
    y = desc.y and range,
    label = check_text(desc.label, what .. ": label"),
    colour = colour_of(desc.colour, colours.find("grey"), what),
  }
end

-- Words at a point.
local function annotation(desc, i, what)
  what = ("%s: text %d"):format(what, i)
  check_fields(desc, "text", what)
  for _, name in ipairs { "x", "y" } do
    if type(desc[name]) ~= "number" then
      fail("%s: %s is a %s, expected a number", what, name, type(desc[name]))
    end
  end
  local align = desc.align or "left"
  if not ALIGNED[align] then
    fail("%s: align is '%s', expected left, center or right", what,
      tostring(align))
  end
  return {
    x = desc.x,
    y = desc.y,
    align = align,
    text = check_text(desc.text, what .. ": text")
      or fail("%s: text is a nil, expected text", what),
    colour = colour_of(desc.colour, colours.TEXT, what),
  }
end

-- {value, label} pairs of the tics asked for: numbers, or such pairs.
local function ticks_of(list, what)
  if list == nil then return nil end
  local out = {}
  if type(list) ~= "table" then
    fail("%s is a %s, expected an array", what, type(list))
  end
  for i, tic in ipairs(list) do
    local pair = type(tic) == "table" and tic or { tic, nil }
    if type(pair[1]) ~= "number" or not axis.drawable(pair[1], false) then
      fail("%s[%d]: expected a finite number, or a number and its label",
        what, i)
    end
    local label = check_text(pair[2], ("%s[%d]"):format(what, i))
    out[i] = { pair[1], label or ("%.14g"):format(pair[1]) }
  end
  return out
end

-- Labels at 0, 1 …, by default those numbers.
local function cell_labels(labels, n, what)
  local out = {}
  if labels ~= nil and type(labels) ~= "table" then
    fail("%s is a %s, expected an array", what, type(labels))
  end
  if labels and #labels ~= n then
    fail("%s has %d labels, the matrix needs %d", what, #labels, n)
  end
  for i = 1, n do
    local label = labels and check_text(labels[i], what)
    out[i] = { i - 1, label or tostring(i - 1) }
  end
  return out
end

-- The rows of a matrix, all of one length.
local function rows_of(z, what)
  if is_tensor(z, 2, what) then return z:totable() end
  check_array(z, what, "rows")
  local rows = {}
  for i = 1, #z do
    rows[i] = column(z[i], ("%s[%d]"):format(what, i))
    if #rows[i] ~= #rows[1] then
      fail("%s[%d] has %d values, z[1] has %d", what, i, #rows[i], #rows[1])
    end
  end
  return rows
end

local function image_of(desc, what)
  if desc == nil then return nil end
  what = what .. ": image"
  check_fields(desc, "image", what)
  local rows = rows_of(desc.z, what .. ": z")
  local width = rows[1] and #rows[1] or 0
  return {
    z = rows,
    height = #rows,
    width = width,
    label = check_text(desc.label, what .. ": label"),
    missing = check_text(desc.missing, what .. ": missing"),
    xlabels = cell_labels(desc.xlabels, width, what .. ": xlabels"),
    ylabels = cell_labels(desc.ylabels, #rows, what .. ": ylabels"),
  }
end

-- True where every series is drawn over its own index, of which there are no
-- fractions.
local function over_index(desc)
  for _, s in ipairs(desc.series or {}) do
    if s.x or s.style == "histogram" then return false end
  end
  return true
end

-- The series, lines and so on of a panel.
local function contents(out, desc, what)
  out.series = each(desc.series, what .. ": series", function(s, i)
    return series(s, i, what)
  end)
  side_by_side(out.series)
  out.rules = each(desc.lines, what .. ": lines", function(l, i)
    return rule(l, i, what)
  end)
  out.bands = each(desc.bands, what .. ": bands", function(b, i)
    return strip(b, i, what)
  end)
  out.texts = each(desc.texts, what .. ": texts", function(t, i)
    return annotation(t, i, what)
  end)
  out.image = image_of(desc.image, what)
end

local function panel(desc, i)
  local what = ("panel %d"):format(i)
  check_fields(desc, "panel", what)
  if desc.aspect ~= nil and desc.aspect ~= "equal" then
    fail("%s: aspect is '%s', expected \"equal\"", what, tostring(desc.aspect))
  end
  local out = {}
  for _, name in ipairs { "title", "xlabel", "ylabel" } do
    out[name] = check_text(desc[name], what .. ": " .. name)
  end
  for _, name in ipairs { "logx", "logy", "hidden", "whole" } do
    out[name] = desc[name] and true or false
  end
  out.legend = desc.legend ~= false
  out.equal = desc.aspect == "equal"
  out.xrange = range_of(desc.xrange, out.logx, what .. ": xrange")
  out.yrange = range_of(desc.yrange, out.logy, what .. ": yrange")
  out.xticks = ticks_of(desc.xticks, what .. ": xticks")
  out.yticks = ticks_of(desc.yticks, what .. ": yticks")
  contents(out, desc, what)
  if desc.xlabels ~= nil then
    local n = type(desc.xlabels) == "table" and #desc.xlabels or 0
    out.xlabels = cell_labels(desc.xlabels, n, what .. ": xlabels")
  end
  out.whole = out.whole or over_index(desc)
  return out
end

-- The panels of all that is listed: figures among them give theirs.
local function panels_of(list)
  local out = {}
  each(list, "panels", function(item)
    local inner = type(item) == "table" and item.checked
    for _, p in ipairs(inner and inner.panels or { false }) do
      out[#out + 1] = p or panel(item, #out + 1)
    end
  end)
  return out
end

local function size_of(desc, rows, cols)
  local size = desc.size or { 600 * cols, 420 * rows }
  if type(size) ~= "table" then size = {} end
  local width, height = size.width or size[1], size.height or size[2]
  for _, v in ipairs { width or false, height or false } do
    if not whole_in(v, LEAST, MOST) then
      fail("size: expected width and height, whole numbers of px from %d to"
        .. " %d", LEAST, MOST)
    end
  end
  return width, height
end

-- The checked copy of a description; raises a message without position.
function m.figure(desc)
  if type(desc) ~= "table" then
    fail("a figure's description is a %s, expected a table", type(desc))
  end
  check_fields(desc, "figure", "figure")
  local out = { panels = panels_of(desc.panels) }
  out.share_x = desc.share_x and true or false
  out.share_y = desc.share_y and true or false
  out.title = check_text(desc.title, "title")
  local layout = desc.layout or { 1, math.max(1, #out.panels) }
  if type(layout) ~= "table" then layout = {} end
  out.rows = layout.rows or layout[1]
  out.cols = layout.cols or layout[2]
  if not whole_in(out.rows, 1, 100) or not whole_in(out.cols, 1, 100) then
    fail("layout: expected rows and columns, whole numbers from 1 to 100")
  end
  if #out.panels == 0 or #out.panels > out.rows * out.cols then
    fail("layout: %d panels, expected 1 to %d", #out.panels,
      out.rows * out.cols)
  end
  out.width, out.height = size_of(desc, out.rows, out.cols)
  return out
end

return m
