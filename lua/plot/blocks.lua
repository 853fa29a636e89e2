-- A matrix as cells of a terminal: two rows to a line in colour, else one
-- shading character each. Where cells are more than there is room for, what
-- is shown is the mean of those that share a place; where one of them is
-- missing the place is, so that no hole is lost.
local axis = require "weft.plot.axis"
local canvas = require "weft.plot.canvas"
local colours = require "weft.plot.colours"

local m = {}

-- From low to high; a missing value is blank.
local RAMP <const> = ".:-=+*#%@"
local BAR <const> = 24

-- Columns that a label is cut to at least; with fewer it says nothing.
local LEAST_LABEL <const> = 6

-- The size in cells that the matrix takes of the room it has: every row as
-- high as the others, and every column as wide, where they can be.
function m.size(image, width, height, depth)
  local function snapped(n, room)
    if n <= room then return room // n * n end
    return math.ceil(n / math.ceil(n / room))
  end
  local high = depth and 2 or 1
  return snapped(image.width, width),
    (snapped(image.height, height * high) + high - 1) // high,
    snapped(image.height, height * high)
end

-- First and last of the n cells (1-based; cell i has its middle at i - 1)
-- whose middle lies in the k-th of `count` places of an axis, or the one that
-- covers the place's middle; nil where there is none.
local function covered(k, count, range, n)
  local step = (range[2] - range[1]) / count
  local from, to = range[1] + (k - 1) * step, range[1] + k * step
  if to < from then from, to = to, from end
  local first, last = math.ceil(from) + 1, math.ceil(to)
  if last < first then
    first = math.floor((from + to) / 2 + 1.5)
    last = first
  end
  first, last = math.max(1, first), math.min(n, last)
  if first > last then return nil end
  return first, last
end

-- The places of an axis as {first, last} or false.
local function places(count, range, n)
  local out = {}
  for k = 1, count do
    local first, last = covered(k, count, range, n)
    out[k] = first and { first, last } or false
  end
  return out
end

-- The mean of a place's cells; false where one is missing, nil outside.
local function mean(image, down, across)
  if not down or not across then return nil end
  local sum = 0
  for i = down[1], down[2] do
    local row = image.z[i]
    for k = across[1], across[2] do
      if not axis.drawable(row[k], false) then return false end
      sum = sum + row[k]
    end
  end
  return sum / ((down[2] - down[1] + 1) * (across[2] - across[1] + 1))
end

local function share(image, v)
  return (v - image.range[1]) / (image.range[2] - image.range[1])
end

-- The colour of a value: grey where it is missing, none outside.
local function colour_of(image, v)
  if v == nil then return nil end
  return v and colours.viridis(share(image, v)) or colours.MISSING
end

local function shade(image, v)
  if not v then return " " end
  local at = math.min(#RAMP, share(image, v) * #RAMP // 1 + 1 | 0)
  return RAMP:sub(at, at)
end

-- One cell: the upper row's colour is the character's, the lower's behind it.
local function put_pair(c, column, row, upper, lower)
  if upper and upper == lower then
    c:put(column, row, " ", nil, upper)
  elseif upper then
    c:put(column, row, "▀", upper, lower)
  elseif lower then
    c:put(column, row, "▄", lower)
  end
end

-- Draws the matrix into a box of cells whose size m.size gave.
function m.draw(c, p, box, depth)
  local image, rows = p.image, box.places
  local across = places(box.width, p.x, image.width)
  local down = places(rows, p.y, image.height)
  -- gnuplot's y axis grows upwards from p.y[1], the screen's downwards
  local function value(k, column)
    return mean(image, down[rows - k + 1], across[column])
  end
  for column = 1, box.width do
    for line = 1, box.height do
      local x, y = box.left + column - 1, box.top + line - 1
      if depth then
        put_pair(c, x, y, colour_of(image, value(2 * line - 1, column)),
          2 * line <= rows and colour_of(image, value(2 * line, column)) or nil)
      else
        c:put(x, y, shade(image, value(line, column)))
      end
    end
  end
end

-- The colour bar on one line: its label, the least value, the colours, the
-- greatest, and what stands for a missing one.
function m.bar(c, p, left, row, width, depth)
  local image = p.image
  local low = ("%.4g "):format(image.range[1])
  local high = (" %.4g"):format(image.range[2])
  local missing = image.gaps and (depth and "  grey: " or "  blank: ")
    .. (image.missing or "missing") or ""
  local cells = depth and BAR or #RAMP
  local room = width - cells - #low - #high - canvas.width(missing)
  local label = image.label and canvas.fit(image.label, room - 2) or ""
  if canvas.width(label) < LEAST_LABEL and label ~= image.label then
    label = ""
  end
  if label ~= "" then label = label .. "  " end
  c:write(left, row, label .. low)
  local at = left + canvas.width(label) + #low
  for i = 1, cells do
    if depth then
      c:put(at + i - 1, row, " ", nil, colours.viridis((i - 1) / (cells - 1)))
    else
      c:put(at + i - 1, row, RAMP:sub(i, i))
    end
  end
  at = at + cells
  c:write(at, row, high
    .. canvas.fit(missing, left + width - at - #high))
end

return m
