-- gnuplot's text of a figure that layout has worked out. Nothing but numbers,
-- weft's own words and quoted text gets in.
local colours = require "weft.plot.colours"
local core = require "weft.core"
local layout = require "weft.plot.layout"
local text = require "weft.plot.text"

local m = {}

-- A terminal line a format, and offsets in characters that bring the titles
-- and labels of each to the same places (`head` is of the figure's title,
-- `reckoned` what gnuplot reckons too much for a character of the tics, and
-- puts the y label off by). The cairo terminals take font sizes in points of a
-- 96th and a 72th of an inch, at 100 px to the inch of paper.
m.TERMINALS = {
  svg = {
    line = "set terminal svg size %d,%d enhanced font ',%d'"
      .. " background rgb '#ffffff'",
    head = "",
    title = "0,-0.6",
    xlabel = "0,0.5",
    reckoned = 0.25,
    cblabel = "1.4,0",
  },
  png = {
    line = "set terminal pngcairo size %d,%d enhanced font ',%d'"
      .. " fontscale 0.75 pointscale 1.6 dashlength 1.8"
      .. " background rgb '#ffffff'",
    head = "",
    title = "0,0",
    xlabel = "0,0",
    reckoned = 0,
    cblabel = "0.5,0",
  },
  pdf = {
    line = "set terminal pdfcairo size %sin,%sin enhanced font ',%d'"
      .. " fontscale 0.54 linewidth 1.4 pointscale 1.1 dashlength 1.4"
      .. " background rgb '#ffffff'",
    head = "",
    title = "0,0",
    xlabel = "0,0",
    reckoned = 0,
    cblabel = "0.5,0",
  },
  -- for a terminal that shows pictures; gd takes points of a 72nd of an inch
  sixel = {
    line = "set terminal sixelgd size %d,%d truecolor enhanced font ',%d'"
      .. " fontscale 0.75 background rgb '#ffffff'",
    head = " offset 0,-0.5",
    title = "0,0",
    xlabel = "0,0",
    reckoned = 0,
    cblabel = "1.5,0",
  },
}

local DASHES = { dashed = " dt (8,5)", dotted = " dt (2,4)", solid = "" }

-- What every panel starts from: a light grid behind, no tic marks.
local COMMON = ([[
set border 15 front lw 1 lc rgb '%s'
set grid back lt 1 lw 1 lc rgb '%s'
set tics scale 0
set palette %s]]):format(colours.GRID, colours.GRID, colours.palette())

-- Said with each axis, because `unset xtics` forgets it.
local TICS_TEXT = (" textcolor rgb '%s'"):format(colours.TEXT)

local number = core.sys.number

local function styled(what, size)
  return ("%s noenhanced font ',%s' textcolor rgb '%s'"):format(what,
    number(size), colours.TEXT)
end

-- "set title 'a' . "\n" . 'b' …", or its absence.
local function titled(name, s, size, room, offset)
  if not s then return ("unset %s"):format(name) end
  local quoted, fitted = text.title(s, size, room)
  return styled(("set %s %s offset %s"):format(name, quoted, offset), fitted)
end

-- The same for an axis, whose label is one line.
local function labelled(name, s, room, offset)
  return titled(name, s and text.clean(s), layout.FONT, room, offset)
end

local function ylabel_offset(p, terminal)
  local chars = p.inner and 0 or p.ytics.width / (0.62 * layout.FONT)
  return ("%.2f,0"):format(terminal.reckoned * math.max(0, chars - 1))
end

-- Margins as shares of the picture.
local function margin_lines(fig, box)
  return ("set lmargin at screen %.5f\nset rmargin at screen %.5f\n"
    .. "set bmargin at screen %.5f\nset tmargin at screen %.5f"):format(
    box.left / fig.width, box.right / fig.width, box.bottom / fig.height,
    box.top / fig.height)
end

-- Scale, range, tics and their format of one axis.
local function axis_lines(p, name)
  local range, tics = p[name], p[name .. "tics"]
  local how = tics.enhanced and "enhanced" or "noenhanced"
  local bare = name == "y" and p.inner or name == "x" and p.upper
  local set = ("set %stics %s %s%s"):format(name, how,
    bare and tics.bare or tics.set, TICS_TEXT)
  local log = p["log" .. name]
  local format = bare and "" or tics.format
  return table.concat({
    (log and "set logscale %s 10" or "unset logscale %s"):format(name),
    ("set %srange [%s:%s]"):format(name, number(range[1]), number(range[2])),
    ("set format %s '%s'"):format(name, format),
    tics.set == "" and ("unset %stics"):format(name) or set,
  }, "\n")
end

-- The colour bar beside the box.
local function bar_lines(fig, p, terminal)
  if not p.image or p.empty then return "unset colorbox" end
  local image, box = p.image, p.box
  return table.concat({
    ("set colorbox user origin screen %.5f,%.5f size screen %.5f,%.5f noborder")
      :format((box.right + layout.BAR_GAP) / fig.width,
        box.bottom / fig.height, layout.BAR / fig.width,
        (box.top - box.bottom) / fig.height),
    ("set cbrange [%s:%s]"):format(number(image.range[1]),
      number(image.range[2])),
    ("set format cb '%s'"):format(image.tics.format),
    ("set cbtics noenhanced %s%s"):format(image.tics.set, TICS_TEXT),
    labelled("cblabel", image.label, box.top - box.bottom, terminal.cblabel),
  }, "\n")
end

-- Grey behind an image's missing cells and, below at the right, what it means.
local function missing_lines(p)
  local gaps = p.image and not p.empty and p.image.gaps
  local out = { "unset object 1", "unset label 1" }
  if gaps then
    out[1] = ("set object 1 rectangle from graph 0,0 to graph 1,1 behind"
      .. " fillcolor rgb '%s' fillstyle solid noborder"):format(colours.MISSING)
    if p.image.missing then
      out[2] = styled(("set label 1 %s at graph 1,0 right offset 0,-2.2")
        :format(text.quote(text.fit("grey: " .. p.image.missing, layout.FONT,
          (p.box.right - p.box.left) / 2.5))), layout.FONT)
    end
  elseif p.empty then
    out[2] = styled("set label 1 'no finite values' at graph 0.5,0.5 center",
      layout.FONT)
  end
  return table.concat(out, "\n")
end

local function key_lines(p)
  if not p.place then return "unset key" end
  return styled(("set key inside %s Left reverse opaque fillcolor rgb"
    .. " '#ffffff' samplen 2 spacing 1.2"):format(p.place), layout.FONT)
end

-- The drawing part of a series' plot element.
local function with(s)
  local colour = ("lc rgb '%s'"):format(s.colour)
  if s.dash then
    return ("with lines lw %s %s%s"):format(number(s.thick), colour,
      DASHES[s.dash])
  end
  local style = s.style == "line" and s.lonely and "linespoints" or s.style
  return ({
    line = "with lines lw 1.8 " .. colour,
    points = "with points pt 7 ps 0.35 " .. colour,
    linespoints = "with linespoints lw 1.5 pt 7 ps 0.35 " .. colour,
    bars = "with boxes fs solid 0.8 noborder " .. colour,
    band = "with filledcurves fs transparent solid 0.3 noborder " .. colour,
    strip = "with filledcurves closed fs transparent solid 0.2 noborder "
      .. colour,
  })[style]
end

local function key_title(p, s)
  if not (p.place and s.label) then return "notitle" end
  local label = s.empty and s.label .. " (no finite values)" or s.label
  local room = 0.8 * (p.box.right - p.box.left - 6 * layout.FONT)
  return ("title %s noenhanced"):format(
    text.quote(text.fit(label, layout.FONT, room)))
end

-- One element of the plot command; a series with nothing to draw keeps its
-- line in the legend.
local function element(p, s, data)
  local source = "NaN"
  if not s.empty then
    local columns = (s.y2 or s.width) and "1:2:3" or "1:2"
    source = ("%s index %d using %s"):format(data, s.block, columns)
  end
  return ("%s %s %s"):format(source, with(s), key_title(p, s))
end

-- Bars of error, from the last two of the series' columns. As vectors with
-- flat heads: gnuplot's own error bars leave a white gap in the middle.
local function error_bars(s, data)
  local columns = s.width and "1:4:(0):($5-$4)" or "1:3:(0):($4-$3)"
  return ("%s index %d using %s with vectors heads size graph 0.008,90"
    .. " nofilled lw 1.2 lc rgb '%s' notitle"):format(data, s.block, columns,
    s.width and colours.TEXT or s.colour)
end

-- Words at points: labels of their own numbers, from 2 up.
local function texts_lines(p)
  local set, unset = {}, {}
  for i, t in ipairs(p.empty and {} or p.texts) do
    local offset = ({ left = "0.6,0", right = "-0.6,0" })[t.align] or "0,-0.8"
    local room = 0.8 * (p.box.right - p.box.left)
    if layout.inside(p, t.x, t.y) then
      set[#set + 1] = ("set label %d %s at %s,%s %s offset %s front noenhanced"
        .. " font ',%d' textcolor rgb '%s'"):format(i + 1,
        text.quote(text.fit(t.text, layout.FONT, room)), number(t.x),
        number(t.y), t.align, offset, layout.FONT, t.colour)
      unset[#unset + 1] = ("\nunset label %d"):format(i + 1)
    end
  end
  return table.concat(set, "\n") .. (set[1] and "\n" or ""),
    table.concat(unset)
end

local function plot_line(p, data)
  if p.empty then return "plot NaN notitle" end
  local out = {}
  if p.image then
    out[1] = ("%s index %d using 1:2:3 with image pixels notitle"):format(data,
      p.image.block)
  end
  for _, list in ipairs { p.bands, p.rules, p.series } do
    for _, s in ipairs(list) do
      if not s.empty or s.label and p.place then
        out[#out + 1] = element(p, s, data)
      end
      if s.low and not s.empty then out[#out + 1] = error_bars(s, data) end
    end
  end
  return "plot " .. table.concat(out, ", \\\n     ")
end

local function panel_text(fig, p, i, data, terminal)
  local height = p.box.top - p.box.bottom
  local texts, without_texts = texts_lines(p)
  return table.concat({
    ("\n# panel %d"):format(i),
    margin_lines(fig, p.box),
    titled("title", p.title, layout.TITLE, fig.room, terminal.title),
    labelled("xlabel", p.xlabel, fig.room, terminal.xlabel),
    labelled("ylabel", p.ylabel, height * 1.2, ylabel_offset(p, terminal)),
    axis_lines(p, "x"),
    axis_lines(p, "y"),
    p.image and "unset grid" or "set grid",
    bar_lines(fig, p, terminal),
    missing_lines(p),
    key_lines(p),
    p.equal and not p.empty and "set size ratio -1" or "set size noratio",
    texts .. plot_line(p, data) .. without_texts,
  }, "\n")
end

local function terminal_line(fig, format)
  local width, height = fig.width, fig.height
  if format == "pdf" then
    width, height = number(width / 100), number(height / 100)
  end
  return m.TERMINALS[format].line:format(width, height, layout.FONT)
end

-- The whole script of an arranged figure; `name` is a safe file name. The
-- variable `picture` lets the drawing go to another file first.
function m.text(fig, format, name)
  local data, terminal = ("'./%s.dat'"):format(name), m.TERMINALS[format]
  local head = fig.title and text.quote(text.fit(fig.title, layout.HEAD,
    fig.width - 40)) .. terminal.head
  local out = {
    "set encoding utf8",
    terminal_line(fig, format),
    ("if (!exists('picture')) picture = './%s.%s'"):format(name, format),
    "set output picture",
    COMMON,
    head and styled("set multiplot title " .. head, layout.HEAD)
      or "set multiplot",
  }
  for i, p in ipairs(fig.panels) do
    if not p.hidden then
      out[#out + 1] = panel_text(fig, p, i, data, terminal)
    end
  end
  out[#out + 1] = "\nunset multiplot\nunset output\n"
  return table.concat(out, "\n")
end

return m
