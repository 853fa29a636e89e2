-- Checks the description of a figure and fills in what it leaves out. Every
-- message starts with the place: "panel 2: series 1: y[3] is a string, …".
--
--   figure  title, size {width, height} in px, layout {rows, cols}, share_y,
--           panels
--   panel   title (may hold newlines), xlabel, ylabel, logx, logy, xrange and
--           yrange {lo, hi}, xticks and yticks {number or {number, label}, …},
--           aspect "equal", whole (no fractions at x), legend, hidden (its
--           place stays free), series, lines, image
--   series  y (an array or a tensor), x (0, 1 … where it is left out), style
--           "line" "points" "linespoints" "bars" "band" (y to y2) or
--           "histogram" (values, bins), label, colour
--   line    x or y, style "solid" "dashed" "dotted", label, colour
--   image   z (rows), label (of the colour bar), xlabels, ylabels, missing
--           (what the grey of a NaN means)
local axis = require "weft.plot.axis"
local colours = require "weft.plot.colours"

local m = {}

local STYLES = {
  line = true, points = true, linespoints = true, bars = true, band = true,
  histogram = true,
}
local DASHES = { solid = true, dashed = true, dotted = true }

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

-- A fresh array of numbers from an array or a tensor of one dimension.
local function column(source, what)
  if type(source) ~= "table" and type(source) ~= "userdata" then
    fail("%s is a %s, expected an array of numbers", what, type(source))
  end
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
  if desc.bins and math.type(desc.bins) ~= "integer" or desc.bins == 0 then
    fail("%s: bins is %s, expected a whole number from 1 up", what,
      tostring(desc.bins))
  end
  local x, y, width = m.histogram(values, desc.bins)
  return { style = "bars", x = x, y = y, width = width }
end

-- One series, its columns copied and compared in length.
local function series(desc, i, what)
  what = ("%s: series %d"):format(what, i)
  if type(desc) ~= "table" then
    fail("%s is a %s, expected a table", what, type(desc))
  end
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
  }
  out.x = source.x and column(source.x, what .. ": x") or indexes(#out.y)
  for _, name in ipairs { "x", "y2" } do
    if out[name] and #out[name] ~= #out.y then
      fail("%s: %s has %d values, y has %d", what, name, #out[name], #out.y)
    end
  end
  if out.style == "bars" then out.width = source.width or bar_width(out.x) end
  return out
end

-- A straight line across the panel.
local function rule(desc, i, what)
  what = ("%s: line %d"):format(what, i)
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
  local lo, hi = range[1], range[2]
  if type(lo) ~= "number" or type(hi) ~= "number" or lo == hi
    or not (axis.drawable(lo, log) and axis.drawable(hi, log)) then
    fail("%s: expected two different finite numbers%s", what,
      log and " above 0 on a log axis" or "")
  end
  return { lo, hi }
end

-- {value, label} pairs of the tics asked for: numbers, or such pairs.
local function ticks_of(list, what)
  if list == nil then return nil end
  local out = {}
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

-- Labels of an image's rows or columns, by default 0, 1 …
local function cell_labels(labels, n, what)
  local out = {}
  if labels and #labels ~= n then
    fail("%s has %d labels, the matrix needs %d", what, #labels, n)
  end
  for i = 1, n do
    local label = labels and check_text(labels[i], what)
    out[i] = { i - 1, label or tostring(i - 1) }
  end
  return out
end

local function image_of(desc, what)
  if desc == nil then return nil end
  what = what .. ": image"
  local z = desc.z
  if type(z) ~= "table" and type(z) ~= "userdata" then
    fail("%s: z is a %s, expected an array of rows", what, type(z))
  end
  local rows = {}
  for i = 1, #z do
    rows[i] = column(z[i], ("%s: z[%d]"):format(what, i))
    if #rows[i] ~= #rows[1] then
      fail("%s: z[%d] has %d values, z[1] has %d", what, i, #rows[i], #rows[1])
    end
  end
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

local function panel(desc, i)
  local what = ("panel %d"):format(i)
  if type(desc) ~= "table" then
    fail("%s is a %s, expected a table", what, type(desc))
  end
  if desc.aspect ~= nil and desc.aspect ~= "equal" then
    fail("%s: aspect is '%s', expected \"equal\"", what, tostring(desc.aspect))
  end
  local out = { series = {}, rules = {} }
  for _, name in ipairs { "title", "xlabel", "ylabel" } do
    out[name] = check_text(desc[name], what .. ": " .. name)
  end
  for _, name in ipairs { "logx", "logy", "legend", "hidden", "whole" } do
    out[name] = desc[name] and true or false
  end
  out.equal = desc.aspect == "equal"
  out.xrange = range_of(desc.xrange, out.logx, what .. ": xrange")
  out.yrange = range_of(desc.yrange, out.logy, what .. ": yrange")
  out.xticks = ticks_of(desc.xticks, what .. ": xticks")
  out.yticks = ticks_of(desc.yticks, what .. ": yticks")
  out.image = image_of(desc.image, what)
  for k, s in ipairs(desc.series or {}) do
    out.series[k] = series(s, k, what)
  end
  for k, l in ipairs(desc.lines or {}) do out.rules[k] = rule(l, k, what) end
  out.whole = out.whole or over_index(desc)
  return out
end

local function whole_in(v, lo, hi)
  return math.type(v) == "integer" and v >= lo and v <= hi
end

-- The checked copy of a description; raises a message without position.
function m.figure(desc)
  if type(desc) ~= "table" then
    fail("a figure's description is a %s, expected a table", type(desc))
  end
  local out = { panels = {}, share_y = desc.share_y and true or false }
  out.title = check_text(desc.title, "title")
  for i, p in ipairs(desc.panels or {}) do out.panels[i] = panel(p, i) end
  local layout = desc.layout or { 1, math.max(1, #out.panels) }
  out.rows = layout.rows or layout[1]
  out.cols = layout.cols or layout[2]
  if not whole_in(out.rows, 1, 100) or not whole_in(out.cols, 1, 100) then
    fail("layout: expected rows and columns, whole numbers from 1 to 100")
  end
  if #out.panels == 0 or #out.panels > out.rows * out.cols then
    fail("layout: %d panels, expected 1 to %d", #out.panels,
      out.rows * out.cols)
  end
  local size = desc.size or { 600 * out.cols, 420 * out.rows }
  out.width, out.height = size.width or size[1], size.height or size[2]
  for _, v in ipairs { out.width or false, out.height or false } do
    if not whole_in(v, LEAST, MOST) then
      fail("size: expected width and height, whole numbers of px from %d to"
        .. " %d", LEAST, MOST)
    end
  end
  return out
end

return m
