-- Where everything stands: ranges, boxes in px, tics, legends. The panels of
-- a figure get the same margins, so that their boxes are of one size.
local axis = require "weft.plot.axis"
local text = require "weft.plot.text"

local m = {}

-- Font sizes in px.
m.FONT, m.TITLE, m.HEAD = 14, 16, 20

-- Px across the colour bar, and of the gap before it.
m.BAR, m.BAR_GAP = 24, 20

-- Px around labels.
local GAP <const> = 8

-- Corners and sides for a legend, in the order they are tried; the numbers
-- are the shares of the free width and height left and below.
local PLACES = {
  { "right top", 1, 1 }, { "left top", 0, 1 }, { "left bottom", 0, 0 },
  { "right bottom", 1, 0 }, { "right center", 1, 0.5 },
  { "left center", 0, 0.5 }, { "center bottom", 0.5, 0 },
  { "center top", 0.5, 1 }, { "center center", 0.5, 0.5 },
}

-- What the series cover: fills p.x, p.y ({lo, hi} or {}) and tells which
-- series have nothing to draw (empty) or a point without neighbours (lonely),
-- where a line would leave no trace.
local function cover_series(p)
  for _, s in ipairs(p.series) do
    local xs, ys, run = {}, {}, 0
    for i = 1, #s.x + 1 do
      local x, y = s.x[i], s.y[i]
      local there = x and axis.drawable(x, p.logx) and axis.drawable(y, p.logy)
      s.lonely = s.lonely or not there and run == 1
      run = there and run + 1 or 0
      if there then
        xs[#xs + 1], ys[#ys + 1] = x, y
        if s.y2 then ys[#ys + 1] = s.y2[i] end
        if s.low then ys[#ys + 1], ys[#ys + 2] = s.low[i], s.high[i] end
        if s.width then
          xs[#xs + 1], xs[#xs + 2] = x - s.width / 2, x + s.width / 2
          ys[#ys + 1] = 0
        end
      end
    end
    s.empty = #xs == 0
    axis.extend(p.x, xs, p.logx)
    axis.extend(p.y, ys, p.logy)
  end
end

-- The range of an image's values, and whether some are missing.
local function cover_image(image)
  image.range = {}
  for _, row in ipairs(image.z) do
    axis.extend(image.range, row, false)
    for _, v in ipairs(row) do
      image.gaps = image.gaps or not axis.drawable(v, false)
    end
  end
  if not image.range[1] then return end
  if image.range[1] == image.range[2] then
    image.range = axis.padded(image.range, false)
  end
end

local function cover(p)
  p.x, p.y = {}, {}
  cover_series(p)
  if p.image then cover_image(p.image) end
  p.empty = not p.x[1] and not (p.image and p.image.range[1])
  if p.empty or p.image then return end
  for _, r in ipairs(p.rules) do
    axis.extend(p.x, { r.x }, p.logx)
    axis.extend(p.y, { r.y }, p.logy)
  end
  for _, b in ipairs(p.bands) do
    axis.extend(p.x, b.x or {}, p.logx)
    axis.extend(p.y, b.y or {}, p.logy)
  end
  for _, t in ipairs(p.texts) do
    axis.extend(p.x, { t.x }, p.logx)
    axis.extend(p.y, { t.y }, p.logy)
  end
end

-- The one range of x or y that all panels of a shared axis cover.
local function share(panels, name)
  local union, log = {}, false
  for _, p in ipairs(panels) do
    if not p.hidden and not p.image and not p.empty then
      axis.extend(union, p[name], p["log" .. name])
      log = log or p["log" .. name]
    end
  end
  for _, p in ipairs(panels) do
    if union[1] and not p.image and p["log" .. name] == log then
      p[name] = union
    end
  end
end

-- The ranges drawn: given, an image's cells, or around the data. An empty
-- panel shows an empty square, whatever axes it was to have.
local function settle(p)
  if p.empty then
    p.logx, p.logy = false, p.logy and p.y[1] ~= nil
  end
  if p.image and not p.empty then
    p.x = p.xrange or { -0.5, p.image.width - 0.5 }
    p.y = p.yrange or { p.image.height - 0.5, -0.5 }
    return
  end
  p.x = p.xrange or p.x[1] and axis.padded(p.x, p.logx) or { 0, 1 }
  p.y = p.yrange or p.y[1] and axis.padded(p.y, p.logy) or { 0, 1 }
end

-- The {value, label} pairs that an axis is to have, if any, and whether they
-- are to be thinned out where they touch.
function m.asked_tics(p, which)
  local asked = p[which .. "ticks"]
  if asked then return asked, false end
  local labels = p.image and p.image[which .. "labels"]
    or which == "x" and p.xlabels or nil
  return labels, labels ~= nil
end

-- Tics of one axis, labels included, for a box of `room` px.
local function tics(p, which, room)
  local range = p[which]
  local low = math.min(range[1], range[2])
  local opts = { across = which == "x", whole = which == "x" and p.whole }
  if p.empty and not (which == "y" and p.shared) then
    return { set = "", format = "%g", width = 0 }
  end
  local asked, thin = m.asked_tics(p, which)
  opts.thin = thin
  if asked then return axis.labelled(asked, room, m.FONT, opts) end
  local ordered = { low, math.max(range[1], range[2]) }
  local make = p["log" .. which] and axis.log or axis.linear
  return make(ordered, room, m.FONT, opts)
end

-- Equal steps on both axes: the axis that has room to spare shows more.
function m.equalise(p, width, height)
  local dx, dy = (p.x[2] - p.x[1]) / width, (p.y[2] - p.y[1]) / height
  local name = dx < dy and "x" or "y"
  local px = dx < dy and width or height
  local mid = p[name][1] / 2 + p[name][2] / 2
  local half = math.max(dx, dy) * px / 2
  p[name] = axis.rounded(mid - half, mid + half)
end

-- Px above, below, left and right of each box.
local function margins(fig, panels)
  local out = { top = GAP, bottom = GAP, left = 2 * GAP, right = 2 * GAP }
  for _, p in ipairs(panels) do
    local title = p.title and #text.lines(p.title) or 0
    out.top = math.max(out.top, title * 1.35 * m.TITLE + 2.5 * GAP)
    local below = (p.xlabel and 3.4 or 1.8) * m.FONT + GAP
    out.bottom = math.max(out.bottom, below)
  end
  out.height = (fig.height - fig.head) / fig.rows - out.top - out.bottom
  out.height = math.max(out.height, 10)
  for _, p in ipairs(panels) do
    local width = tics(p, "y", out.height).width
    local side = (p.ylabel and 1.7 * m.FONT or 0) + width + 3.5 * GAP
    out.left = math.max(out.left, side)
    if p.image and not p.empty then
      p.image.tics = axis.linear(p.image.range, out.height, m.FONT, {})
      local label = p.image.label and 2.6 * m.FONT or 0
      out.right = math.max(out.right,
        m.BAR_GAP + m.BAR + p.image.tics.width + label + 3 * GAP)
    end
  end
  out.width = math.max(fig.width / fig.cols - out.left - out.right, 10)
  return out
end

-- Where a value stands on an axis of `room` px.
function m.position(v, range, log, room)
  local lo, hi = range[1], range[2]
  if log then v, lo, hi = math.log(v), math.log(lo), math.log(hi) end
  return (v - lo) / (hi - lo) * room
end

-- True for a point that the panel's ranges hold.
function m.inside(p, x, y)
  local function within(v, range, log)
    return axis.drawable(v, log) and v >= math.min(range[1], range[2])
      and v <= math.max(range[1], range[2])
  end
  return within(x, p.x, p.logx) and within(y, p.y, p.logy)
end

-- Visits points in px along a series' line, close enough to see what it
-- crosses.
local function each_pixel(p, s, width, height, visit)
  local before_x, before_y
  for i, x in ipairs(s.x) do
    local y = s.y[i]
    local at_x, at_y
    if axis.drawable(x, p.logx) and axis.drawable(y, p.logy) then
      at_x = m.position(x, p.x, p.logx, width)
      at_y = m.position(y, p.y, p.logy, height)
      local dx, dy = at_x - (before_x or at_x), at_y - (before_y or at_y)
      local steps = 1
      if s.style ~= "points" then
        steps = math.min(400, math.max(math.abs(dx), math.abs(dy)) // 6 + 1)
      end
      for k = 0, steps - 1 do
        visit(at_x - dx * k / steps, at_y - dy * k / steps)
      end
    end
    before_x, before_y = at_x, at_y
  end
end

-- Px that a legend takes, or nil where nothing has a label.
local function legend_size(p)
  local longest, count = 0, 0
  for _, list in ipairs { p.bands, p.rules, p.series } do
    for _, s in ipairs(list) do
      if s.label then
        count = count + 1
        longest = math.max(longest, text.width(s.label, m.FONT))
      end
    end
  end
  if count == 0 then return nil end
  return longest + 5 * m.FONT, (1.8 * count + 1) * m.FONT
end

-- The same along words at a point, which count more: hidden ones are lost.
local function each_text_pixel(p, t, width, height, visit)
  if not m.inside(p, t.x, t.y) then return end
  local length = text.width(t.text, m.FONT)
  local shift = ({ left = 0, right = -length })[t.align] or -length / 2
  local x = m.position(t.x, p.x, p.logx, width) + shift
  local y = m.position(t.y, p.y, p.logy, height)
  for at = 0, length // 1 do visit(x + at, y) end
end

-- The place where a legend hides least of the panel's lines and points.
local function place_legend(p, width, height)
  local w, h = legend_size(p)
  if not w then return nil end
  local hits = {}
  local function visit(x, y)
    for i, place in ipairs(PLACES) do
      local left, low = place[2] * (width - w), place[3] * (height - h)
      if x >= left - GAP and x <= left + w + GAP
        and y >= low - GAP and y <= low + h + GAP then
        hits[i] = hits[i] + 1
      end
    end
  end
  for i = 1, #PLACES do hits[i] = 0 end
  for _, s in ipairs(p.series) do
    if not s.empty then each_pixel(p, s, width, height, visit) end
    if s.y2 then
      each_pixel(p, { x = s.x, y = s.y2 }, width, height, visit)
    end
  end
  for _, s in ipairs(p.rules) do
    each_pixel(p, m.rule_points(p, s), width, height, visit)
  end
  for _, t in ipairs(p.texts) do
    each_text_pixel(p, t, width, height, visit)
  end
  local best = 1
  for i = 2, #PLACES do
    if hits[i] < hits[best] then best = i end
  end
  return PLACES[best][1]
end

-- The two ends of a straight line across the panel, as a series.
function m.rule_points(p, r)
  if r.x then return { x = { r.x, r.x }, y = { p.y[1], p.y[2] } } end
  return { x = { p.x[1], p.x[2] }, y = { r.y, r.y } }
end

-- The corners of a strip, as far as it lies in the panel.
function m.band_points(p, b)
  local function within(ends, range)
    local low = math.min(range[1], range[2])
    local high = math.max(range[1], range[2])
    ends = ends or range
    return math.min(math.max(math.min(ends[1], ends[2]), low), high),
      math.min(math.max(math.max(ends[1], ends[2]), low), high)
  end
  local x1, x2 = within(b.x, p.x)
  local y1, y2 = within(b.y, p.y)
  return { x = { x1, x1, x2, x2 }, y = { y1, y2, y2, y1 } }
end

-- The box of the i-th panel (1-based, row by row), in px from the bottom left.
local function box(fig, margin, i)
  local row, col = (i - 1) // fig.cols, (i - 1) % fig.cols
  local left = col * fig.width / fig.cols + margin.left
  local cell = (fig.height - fig.head) / fig.rows
  local top = fig.height - fig.head - row * cell - margin.top
  return {
    left = left,
    right = left + margin.width,
    bottom = top - margin.height,
    top = top,
  }
end

-- Px that a panel's title, centred on its box, may take without leaving the
-- panel's cell.
local function title_room(fig, margin)
  local cell = fig.width / fig.cols
  local centre = margin.left + margin.width / 2
  return 2 * math.min(centre, cell - centre) - GAP
end

local function shallow(t)
  local out = {}
  for k, v in pairs(t) do out[k] = v end
  return out
end

-- A copy of a checked figure that can be worked out without a mark on the
-- first: all but the columns of numbers is new.
function m.copy(fig)
  local out = shallow(fig)
  out.panels = {}
  for i, p in ipairs(fig.panels) do
    local panel = shallow(p)
    for _, name in ipairs { "series", "rules", "bands", "texts" } do
      panel[name] = {}
      for k, item in ipairs(p[name]) do panel[name][k] = shallow(item) end
    end
    panel.image = p.image and shallow(p.image)
    out.panels[i] = panel
  end
  return out
end

-- The ranges that each panel of a checked figure covers, in place: p.x, p.y,
-- empty. Returns the panels that are not hidden.
function m.ranges(fig)
  local visible = {}
  for _, p in ipairs(fig.panels) do
    cover(p)
    p.shared = fig.share_y
    if not p.hidden then visible[#visible + 1] = p end
  end
  if fig.share_x then share(visible, "x") end
  if fig.share_y then share(visible, "y") end
  for _, p in ipairs(fig.panels) do settle(p) end
  return visible
end

-- True for a panel whose x axis the one below it has too.
local function above_another(fig, i)
  local below = fig.panels[i + fig.cols]
  return fig.share_x and below and not (below.hidden or below.empty)
end

-- Works out a checked figure in place: each panel gets box, x, y, xtics, ytics,
-- place (of its legend), inner and upper (no labels at y or x: its neighbour
-- has them).
function m.arrange(fig)
  fig.head = fig.title and 1.3 * m.HEAD + 2 * GAP or GAP
  local visible = m.ranges(fig)
  local margin = margins(fig, visible)
  for i, p in ipairs(fig.panels) do
    p.box = box(fig, margin, i)
    p.inner = fig.share_y and (i - 1) % fig.cols > 0
    p.upper = above_another(fig, i)
    if p.equal and not (p.empty or p.logx or p.logy) then
      m.equalise(p, margin.width, margin.height)
    end
    p.xtics = tics(p, "x", margin.width)
    p.ytics = tics(p, "y", margin.height)
    if p.legend and not p.empty then
      p.place = place_legend(p, margin.width, margin.height)
    end
  end
  fig.room = title_room(fig, margin)
  return fig
end

return m
