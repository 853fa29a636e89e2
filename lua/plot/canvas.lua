-- A screen of characters to draw on: braille dots, 2 across and 4 down in each
-- cell, words over them, and cells painted in two colours.
local colour = require "weft.colour"
local colours = require "weft.plot.colours"
local markdown = require "weft.markdown"
local text = require "weft.plot.text"

local m = {}

local Canvas = {}
Canvas.__index = Canvas

-- The bits of a braille character by row and column of its dots.
local BITS <const> = {
  { 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 }, { 0x40, 0x80 },
}

-- Which dots of a line are drawn: `on` of every `period`.
local DASHES <const> = {
  dashed = { on = 5, period = 9 }, dotted = { on = 1, period = 3 },
}

-- Black is whatever the terminal writes in: on a dark one it would be lost.
local OWN <const> = { ["#000000"] = true, [colours.TEXT] = true }

function m.new(columns, rows)
  return setmetatable({
    columns = columns,
    rows = rows,
    dots = {},   -- of a cell: the bits of its braille character
    glyphs = {}, -- its character, over the dots; "" behind one of two columns
    inks = {},   -- its colour: "#rrggbb" or the name of a style
    backs = {},  -- the colour behind it
  }, Canvas)
end

-- The columns that text takes, as it is written.
function m.width(s)
  return markdown.width(text.clean(s))
end

-- Text cut to so many columns.
function m.fit(s, columns)
  s = text.clean(s)
  if markdown.width(s) <= columns then return s end
  local out, left = {}, columns - 1
  for char in s:gmatch(utf8.charpattern) do
    left = left - markdown.width(char)
    if left < 0 then break end
    out[#out + 1] = char
  end
  return columns < 1 and "" or table.concat(out) .. "…"
end

-- A dot; x and y count dots from 0 at the upper left.
function Canvas:dot(x, y, ink)
  x, y = math.floor(x + 0.5), math.floor(y + 0.5)
  if x < 0 or y < 0 or x >= 2 * self.columns or y >= 4 * self.rows then
    return
  end
  local cell = y // 4 * self.columns + x // 2
  self.dots[cell] = (self.dots[cell] or 0) | BITS[y % 4 + 1][x % 2 + 1]
  self.inks[cell] = ink
end

-- The ends of the part of a line that lies in the box {left, top, right,
-- bottom}, or nil (Liang and Barsky's way). An end at a side of the box has
-- just that side's place: a share of a huge length would not be exact.
local function clip(x, y, dx, dy, box)
  local from, to = { at = 0 }, { at = 1 }
  local function side(axis, place, p, q)
    if p == 0 then return q >= 0 end
    local at = q / p
    if p < 0 and at > from.at then from = { at = at, [axis] = place } end
    if p > 0 and at < to.at then to = { at = at, [axis] = place } end
    return from.at <= to.at
  end
  if side("x", box[1], -dx, x - box[1]) and side("x", box[3], dx, box[3] - x)
    and side("y", box[2], -dy, y - box[2])
    and side("y", box[4], dy, box[4] - y) then
    return from.x or x + from.at * dx, from.y or y + from.at * dy,
      to.x or x + to.at * dx, to.y or y + to.at * dy
  end
  return nil
end

-- A line between two points, in dots, as far as the box holds it.
function Canvas:line(x1, y1, x2, y2, ink, box, dash)
  x1, y1, x2, y2 = clip(x1, y1, x2 - x1, y2 - y1, box)
  if not x1 then return end
  local dx, dy = x2 - x1, y2 - y1
  local steps = math.ceil(math.max(1, math.abs(dx), math.abs(dy)))
  local pattern = DASHES[dash]
  for i = 0, steps do
    if not pattern or i % pattern.period < pattern.on then
      self:dot(x1 + dx * i / steps, y1 + dy * i / steps, ink)
    end
  end
end

-- A character of one cell; column and row count from 0.
function Canvas:put(column, row, glyph, ink, back)
  if column < 0 or row < 0 or column >= self.columns or row >= self.rows then
    return
  end
  local cell = row * self.columns + column
  self.glyphs[cell], self.inks[cell], self.backs[cell] = glyph, ink, back
end

-- Words from a cell on; what runs out of the screen is left out.
function Canvas:write(column, row, s, ink)
  for char in text.clean(s):gmatch(utf8.charpattern) do
    local width = markdown.width(char)
    if width == 0 then
      local last = row * self.columns + column - 1
      self.glyphs[last] = self.glyphs[last] and self.glyphs[last] .. char
    elseif column + width <= self.columns then
      self:put(column, row, char, ink)
      if width == 2 then self:put(column + 1, row, "", ink) end
    end
    column = column + width
  end
end

-- SGR's parameters of a cell, "" for none.
local function code_of(ink, back, depth)
  local out = {}
  if ink and not OWN[ink] then
    out[1] = colour.STYLES[ink] or colour.rgb(ink, depth)
  end
  if back then out[#out + 1] = colour.rgb(back, depth, "back") end
  return table.concat(out, ";")
end

local function glyph_of(self, cell)
  local dots = self.dots[cell]
  return self.glyphs[cell] or dots and utf8.char(0x2800 + dots) or " "
end

-- One row, its blank end cut off.
local function row_text(self, row, depth)
  local first, last = row * self.columns, -1
  for cell = first, first + self.columns - 1 do
    if glyph_of(self, cell) ~= " " or self.backs[cell] then last = cell end
  end
  local out, now = {}, ""
  for cell = first, last do
    local glyph = glyph_of(self, cell)
    local blank = glyph == " " and not self.backs[cell]
    if depth and not blank then
      local code = code_of(self.inks[cell], self.backs[cell], depth)
      if code ~= now then
        out[#out + 1] = now ~= "" and "\27[0m" or ""
        out[#out + 1] = code ~= "" and ("\27[%sm"):format(code) or ""
        now = code
      end
    elseif depth and self.backs[cell - 1] and now ~= "" then
      out[#out + 1], now = "\27[0m", ""
    end
    out[#out + 1] = glyph
  end
  if now ~= "" then out[#out + 1] = "\27[0m" end
  return table.concat(out)
end

-- All rows as text; depth is "true", "256" or false for no colours.
function Canvas:text(depth)
  local out = {}
  for row = 0, self.rows - 1 do out[row + 1] = row_text(self, row, depth) end
  while #out > 0 and out[#out] == "" do out[#out] = nil end
  return table.concat(out, "\n") .. "\n"
end

return m
