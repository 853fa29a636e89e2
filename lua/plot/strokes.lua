-- Series, lines and bands of a panel as braille dots.
local axis = require "weft.plot.axis"
local layout = require "weft.plot.layout"

local m = {}

local View = {}
View.__index = View

-- A panel's box on a canvas, {left, top, width, height} in cells. The range of
-- an axis goes from the first dot's middle to the last one's; an image's, which
-- is of cells, from edge to edge.
function m.view(canvas, p, box)
  return setmetatable({
    canvas = canvas,
    p = p,
    edges = {
      2 * box.left, 4 * box.top,
      2 * (box.left + box.width) - 1, 4 * (box.top + box.height) - 1,
    },
    beyond = p.image and not p.empty and 0.5 or 0,
  }, View)
end

-- The place of a value across, and down, in dots of the canvas.
function View:across(v)
  local left, right = self.edges[1] - self.beyond, self.edges[3] + self.beyond
  return left + layout.position(v, self.p.x, self.p.logx, right - left)
end

function View:down(v)
  local top, bottom = self.edges[2] - self.beyond, self.edges[4] + self.beyond
  return bottom - layout.position(v, self.p.y, self.p.logy, bottom - top)
end

-- The cell that a place in dots lies in, within the box.
function View:cell(across, down)
  local function within(v, low, high)
    return math.max(low, math.min(high, math.floor(v + 0.5)))
  end
  return within(across, self.edges[1], self.edges[3]) // 2,
    within(down, self.edges[2], self.edges[4]) // 4
end

-- The same for the foot of a bar: what a log axis cannot have is below it.
local function foot(view, v)
  return axis.drawable(v, view.p.logy) and view:down(v) or view.edges[4]
end

-- The point i of a column, in dots, or nil for a gap.
local function point(view, s, i, ys)
  local x, y = s.x[i], (ys or s.y)[i]
  if x and axis.drawable(x, view.p.logx) and axis.drawable(y, view.p.logy) then
    return view:across(x), view:down(y)
  end
  return nil
end

local function stroke(view, x1, y1, x2, y2, ink, dash)
  view.canvas:line(x1, y1, x2, y2, ink, view.edges, dash)
end

local function draw_points(view, s)
  for i = 1, #s.x do
    local x, y = point(view, s, i)
    if x then stroke(view, x, y, x, y, s.colour) end
  end
end

-- Neighbours joined; a point that has none is a dot.
local function draw_line(view, s)
  local x1, y1
  for i = 1, #s.x do
    local x2, y2 = point(view, s, i)
    if x2 then stroke(view, x1 or x2, y1 or y2, x2, y2, s.colour) end
    x1, y1 = x2, y2
  end
end

local function draw_bars(view, s)
  local zero = foot(view, 0)
  for i, x in ipairs(s.x) do
    local _, y = point(view, s, i)
    local low, high = x - s.width / 2, x + s.width / 2
    if y and axis.drawable(low, view.p.logx) then
      local first, last = view:across(low), view:across(high)
      if last < first then first, last = last, first end
      first = math.max(first, view.edges[1])
      last = math.min(last, view.edges[3])
      for at = math.ceil(first - 0.5), math.ceil(last - 0.5) do
        stroke(view, at, zero, at, y, s.colour)
      end
    end
  end
end

-- Every other dot of an upright piece, in every other column: what lies below
-- shows through.
local function hatch(view, at, from, to, ink, apart)
  if at % 2 ~= 0 or at < view.edges[1] or at > view.edges[3] then return end
  from, to = math.min(from, to), math.max(from, to)
  from, to = math.max(from, view.edges[2]), math.min(to, view.edges[4])
  for y = math.ceil(from - 0.5), math.floor(to + 0.5) do
    if (y + at // 2 * 2 % apart) % apart == 0 then
      view.canvas:dot(at, y, ink)
    end
  end
end

local function draw_band(view, s)
  local x1, y1, z1
  for i = 1, #s.x do
    local x2, y2 = point(view, s, i)
    local _, z2 = point(view, s, i, s.y2)
    if x1 and x2 and z2 then
      local from, to = math.min(x1, x2), math.max(x1, x2)
      from, to = math.max(from, view.edges[1]), math.min(to, view.edges[3])
      for at = math.ceil(from - 0.5), math.floor(to + 0.5) do
        local part = x1 == x2 and 0
          or math.max(0, math.min(1, (at - x1) / (x2 - x1)))
        hatch(view, at, y1 + part * (y2 - y1), z1 + part * (z2 - z1),
          s.colour, 2)
      end
    end
    x1, y1, z1 = z2 and x2, y2, z2
  end
end

local DRAW <const> = {
  line = draw_line,
  linespoints = draw_line,
  points = draw_points,
  bars = draw_bars,
  band = draw_band,
}

local function draw_errors(view, s)
  for i = 1, #s.x do
    local x = point(view, s, i)
    local high = s.high[i]
    if x and axis.drawable(high, view.p.logy) then
      stroke(view, x, foot(view, s.low[i]), x, view:down(high), s.colour)
    end
  end
end

function m.series(view, s)
  DRAW[s.style](view, s)
  if s.low then draw_errors(view, s) end
end

-- A straight line across the panel.
function m.rule(view, r)
  local ends = layout.rule_points(view.p, r)
  local x1, y1 = point(view, ends, 1)
  local x2, y2 = point(view, ends, 2)
  if x1 and x2 then stroke(view, x1, y1, x2, y2, r.colour, r.dash) end
end

-- A strip across the panel, thinner than a band.
function m.strip(view, b)
  local corners = layout.band_points(view.p, b)
  local x1, y1 = point(view, corners, 1)
  local x2, y2 = point(view, corners, 3)
  for at = math.ceil(math.min(x1, x2) - 0.5), math.floor(math.max(x1, x2)) do
    hatch(view, at, y1, y2, b.colour, 4)
  end
end

-- The cell of a point, or nil where it is not in the panel.
function m.cell(view, x, y)
  if not layout.inside(view.p, x, y) then return nil end
  return view:cell(view:across(x), view:down(y))
end

return m
