-- A figure as text: panels with title, axes, tics and legend around a box of
-- braille dots or of painted cells.
local axis = require "weft.plot.axis"
local blocks = require "weft.plot.blocks"
local canvas = require "weft.plot.canvas"
local layout = require "weft.plot.layout"
local strokes = require "weft.plot.strokes"
local text = require "weft.plot.text"

local m = {}

-- Columns between panels, and lines that a box has at least.
local GAP <const>, LEAST <const> = 2, 4

local GREY <const> = "#808080"

-- What stands for a series or a line in the legend.
local SIGNS <const> = {
  line = "──", linespoints = "•─", points = "••", bars = "██", band = "░░",
  strip = "░░", solid = "──", dashed = "╌╌", dotted = "··",
}

-- ---- what a panel shows ----

-- Gives the series letters where no colours tell them apart.
local function letter(p, depth)
  local drawn = {}
  for _, s in ipairs(p.series) do
    if not s.empty then drawn[#drawn + 1] = s end
  end
  if depth or #drawn < 2 or p.image then return end
  for i, s in ipairs(drawn) do
    s.letter = string.char(("A"):byte() + (i - 1) % 26)
    s.lettered_at = i / (#drawn + 1)
  end
end

-- The legend's entries, as many to a line as fit.
local function legend_of(p, width)
  local lines, room = {}, 0
  if not p.legend or p.empty or p.image then return lines end
  for _, list in ipairs { p.series, p.rules, p.bands } do
    for _, s in ipairs(list) do
      if s.label then
        local label = s.empty and s.label .. " (no finite values)" or s.label
        local sign = SIGNS[s.dash or s.style]
        if s.letter then sign = s.letter .. " " .. sign end
        label = canvas.fit(label, width - canvas.width(sign) - 1)
        local columns = canvas.width(sign) + 1 + canvas.width(label)
        if #lines == 0 or columns + 2 > room then
          lines[#lines + 1], room = {}, width + 2
        end
        room = room - columns - 2
        local line = lines[#lines]
        line[#line + 1] = { sign = sign, label = label, colour = s.colour }
      end
    end
  end
  return lines
end

-- The tics of an axis for so many characters of room; where the labels of an
-- image or of categories would touch, every second, fifth … of them.
local function tics_of(p, which, room)
  if p.empty then return {} end
  local across = which == "x"
  local asked, thin = layout.asked_tics(p, which)
  if not asked then
    local most = math.max(2, math.min(9, across and room // 6 or room // 3))
    return axis.marks(p[which], room, most, {
      across = across, log = p["log" .. which], whole = across and p.whole,
    })
  end
  local widest, out = 1, {}
  for _, pair in ipairs(asked) do
    widest = math.max(widest, canvas.width(pair[2]))
  end
  local stride = 1
  if thin then
    local each = across and math.min(widest, room // 2) + 1 or 1
    stride = axis.round_stride(math.ceil(#asked * each / math.max(1, room)))
  end
  for i = 1, #asked, stride do out[#out + 1] = asked[i] end
  return out
end

-- Lines of the title.
local function head_of(p)
  return p.title and #text.lines(p.title) or 0
end

-- ---- where it stands ----

-- The columns beside the box that the labels at y take.
local function margin_of(p, width, height)
  local widest = 0
  for _, pair in ipairs(tics_of(p, "y", height)) do
    widest = math.max(widest, canvas.width(pair[2]))
  end
  return math.min(widest, width // 3) + (p.image and 1 or 2)
end

-- Lines above and below the boxes of a row of panels, the same for each.
local function furniture(panels, width)
  local above, named, below = 0, 0, 0
  for _, p in ipairs(panels) do
    p.entries = legend_of(p, width)
    above = math.max(above, head_of(p))
    named = p.ylabel and 1 or named
    local lines = (p.image and 1 or 2) + (p.xlabel and 1 or 0)
    lines = lines + (p.image and not p.empty and 1 or #p.entries)
    below = math.max(below, lines)
  end
  return above + named, below
end

-- ---- drawing ----

local function centred(c, row, left, width, s, ink)
  s = canvas.fit(s, width)
  c:write(left + (width - canvas.width(s)) // 2, row, s, ink)
end

-- The frame's left and lower side.
local function draw_frame(c, box)
  for row = box.top, box.top + box.height - 1 do
    c:put(box.left - 1, row, "│", GREY)
  end
  c:put(box.left - 1, box.top + box.height, "└", GREY)
  for column = box.left, box.left + box.width - 1 do
    c:put(column, box.top + box.height, "─", GREY)
  end
end

-- The tics that lie in the range.
local function tics_within(list, range)
  local low, high = math.min(range[1], range[2]), math.max(range[1], range[2])
  local out = {}
  for _, pair in ipairs(list) do
    if pair[1] >= low and pair[1] <= high then out[#out + 1] = pair end
  end
  return out
end

local function draw_y_tics(c, p, view, box)
  local room = box.left - box.outer - (p.image and 1 or 2)
  for _, pair in ipairs(tics_within(box.ytics, p.y)) do
    local _, row = view:cell(0, view:down(pair[1]))
    local label = canvas.fit(pair[2], room)
    c:write(box.outer + room - canvas.width(label), row, label)
    if not p.image then c:put(box.left - 1, row, "┤", GREY) end
  end
end

-- Labels below the axis; one that would touch the one before is left out.
local function draw_x_tics(c, p, view, box)
  local row = box.top + box.height + (p.image and 0 or 1)
  local free = box.outer
  for _, pair in ipairs(tics_within(box.xtics, p.x)) do
    local column = view:cell(view:across(pair[1]), 0)
    local label = canvas.fit(pair[2], box.right - box.left)
    local width = canvas.width(label)
    local at = math.max(box.outer, math.min(column - (width - 1) // 2,
      box.right - width))
    if at >= free then
      c:write(at, row, label)
      if not p.image then c:put(column, row - 1, "┬", GREY) end
      free = at + width + 1
    end
  end
end

local function draw_legend(c, p, row, box)
  for i, line in ipairs(p.entries) do
    local column = box.outer
    for _, entry in ipairs(line) do
      c:write(column, row + i - 1, entry.sign, entry.colour)
      column = column + canvas.width(entry.sign) + 1
      c:write(column, row + i - 1, entry.label)
      column = column + canvas.width(entry.label) + 2
    end
  end
end

-- Words beside their point, or below it.
local function draw_texts(c, p, view, box)
  for _, t in ipairs(p.texts) do
    local column, row = strokes.cell(view, t.x, t.y)
    if column then
      local s = canvas.fit(t.text, box.width)
      local width = canvas.width(s)
      if t.align == "left" then
        column = column + 1
      elseif t.align == "right" then
        column = column - width
      else
        column, row = column - width // 2, row + 1
      end
      c:write(math.max(box.left, math.min(column, box.right - width)),
        math.min(row, box.top + box.height - 1), s, t.colour)
    end
  end
end

local function draw_letters(c, p, view)
  for _, s in ipairs(p.series) do
    local i = s.letter and math.max(1, math.ceil(s.lettered_at * #s.x))
    local column, row
    while i and i <= #s.x and not column do
      column, row = strokes.cell(view, s.x[i], s.y[i])
      i = i + 1
    end
    if column then c:put(column, row, s.letter) end
  end
end

-- What is inside the box.
local function draw_inside(c, p, view, box, depth)
  if p.image then
    blocks.draw(c, p, box, depth)
    for _, s in ipairs(p.series) do
      for i = 1, #s.x do
        local column, row = strokes.cell(view, s.x[i], s.y[i])
        if column then c:put(column, row, "o", s.colour) end
      end
    end
  else
    for _, b in ipairs(p.bands) do strokes.strip(view, b) end
    for _, r in ipairs(p.rules) do strokes.rule(view, r) end
    for _, s in ipairs(p.series) do
      if not s.empty then strokes.series(view, s) end
    end
    draw_letters(c, p, view)
  end
  draw_texts(c, p, view, box)
end

-- Below the box: tics, the label at x, the legend or the colour bar.
local function draw_below(c, p, view, box, depth)
  draw_x_tics(c, p, view, box)
  local row = box.top + box.height + (p.image and 1 or 2)
  if p.xlabel then
    centred(c, row, box.left, box.right - box.left, p.xlabel)
    row = row + 1
  end
  if p.image and not p.empty then
    blocks.bar(c, p, box.outer, row, box.right - box.outer, depth)
  else
    draw_legend(c, p, row, box)
  end
end

local function draw_head(c, p, box, width)
  local lines = p.title and text.lines(p.title) or {}
  local row = box.top - #lines - (p.ylabel and 1 or 0)
  for i, line in ipairs(lines) do
    centred(c, row + i - 1, box.outer, width, line, "bold")
  end
  if p.ylabel then
    c:write(box.outer, box.top - 1, canvas.fit(p.ylabel, width))
  end
end

-- One panel whose box begins at line `top`, `height` lines high.
local function draw_panel(c, p, place, depth)
  local outer, width, top = place.left, place.width, place.top
  local left = outer + margin_of(p, width, place.height)
  local box = {
    outer = outer, left = left, top = top, height = place.height,
    width = math.max(1, outer + width - left), right = outer + width,
  }
  if p.image and not p.empty then
    box.width, box.height, box.places = blocks.size(p.image, box.width,
      box.height, depth)
  elseif p.equal and not (p.empty or p.logx or p.logy) then
    layout.equalise(p, 2 * box.width - 1, 4 * box.height - 1)
  end
  box.xtics = tics_of(p, "x", box.width)
  box.ytics = tics_of(p, "y", box.height)
  local view = strokes.view(c, p, box)
  draw_head(c, p, box, width)
  if not p.image then draw_frame(c, box) end
  draw_y_tics(c, p, view, box)
  if p.empty then
    centred(c, top + box.height // 2, left, box.width, "no finite values")
  else
    draw_inside(c, p, view, box, depth)
  end
  draw_below(c, p, view, box, depth)
end

-- ---- the figure ----

-- The boxes' height in each row of panels, and where each row begins.
local function rows_of(fig, panels, width, rows)
  local aspect = (fig.height / fig.rows) / (fig.width / fig.cols)
  local head = fig.title and 2 or 0
  local each = math.min(width * aspect / 2 // 1 | 0, (rows - head) // fig.rows)
  local out, top = {}, head
  for first = 1, #panels, fig.cols do
    local row = table.move(panels, first,
      math.min(#panels, first + fig.cols - 1), 1, {})
    local above, below = furniture(row, width)
    local height = math.max(LEAST, each - above - below)
    out[#out + 1] = { panels = row, top = top + above, height = height }
    top = top + above + height + below + (first + fig.cols <= #panels and 1
      or 0)
  end
  return out, top
end

-- The text of a checked figure, whose layout is the terminal's; `fig` is
-- changed. depth is "true", "256" or false.
function m.text(fig, columns, rows, depth)
  local panels = layout.ranges(fig)
  for _, p in ipairs(panels) do letter(p, depth) end
  local width = (columns - GAP * (fig.cols - 1)) // fig.cols
  local list, height = rows_of(fig, panels, width, rows)
  local c = canvas.new(columns, height)
  if fig.title then centred(c, 0, 0, columns, fig.title, "bold") end
  for _, row in ipairs(list) do
    for i, p in ipairs(row.panels) do
      draw_panel(c, p, {
        left = (i - 1) * (width + GAP),
        top = row.top,
        width = width,
        height = row.height,
      }, depth)
    end
  end
  return c:text(depth)
end

return m
