-- Colours of a terminal's text: where they are allowed, and the few that weft
-- uses.
local colour = {}

local sys <const> = require("weft.core").sys

-- What a piece of text is, by name: parameters of SGR, the terminals' code for
-- colour. Of the sixteen colours that every terminal has, so that they suit
-- its background.
colour.STYLES = {
  bold = "1", dim = "2", red = "31", green = "32", yellow = "33",
  blue = "34", magenta = "35", cyan = "36",
}

-- The steps of the 6 x 6 x 6 cube among a terminal's 256 colours.
local CUBE <const> = { 0, 95, 135, 175, 215, 255 }

--- Whether text written to a descriptor (1 standard output, 2 standard error)
--- may have colours: a terminal, NO_COLOR empty or unset, TERM not dumb.
function colour.allowed(fd)
  local refused <const> = os.getenv "NO_COLOR"
  return sys.isatty(fd) and (refused == nil or refused == "")
    and os.getenv "TERM" ~= "dumb"
end

--- The number of colours of an allowed terminal: 24 bits, or 256 in all, as
--- COLORTERM or TERM says. Gives "true" or "256".
function colour.depth()
  local said <const> = (os.getenv "COLORTERM" or ""):lower()
  local terminal <const> = os.getenv "TERM" or ""
  local all <const> = said == "truecolor" or said == "24bit"
    or terminal:find("-direct", 1, true) or terminal:find("truecolor", 1, true)
  return all and "true" or "256"
end

--- Text in one of the styles, where `on` says so; else as it is.
function colour.paint(text, style, on)
  local code <const> = colour.STYLES[style]
  if not code then
    error(("style '%s' is unknown"):format(tostring(style)), 2)
  end
  return on and ("\27[%sm%s\27[0m"):format(code, text) or text
end

-- Where v (0 to 255) lies best among the cube's steps: 0 to 5.
local function cube_step(v)
  local best = 1
  for i = 2, #CUBE do
    if math.abs(CUBE[i] - v) < math.abs(CUBE[best] - v) then
      best = i
    end
  end
  return best
end

-- The number among 256 colours that comes closest: of the cube or, where all
-- three parts are about the same, of the finer greys.
local function of_256(r, g, b)
  local i <const>, j <const>, k <const> = cube_step(r), cube_step(g),
    cube_step(b)
  local grey <const> = math.max(0, math.min(23,
    ((r + g + b) / 3 - 8 + 5) // 10 | 0))
  local level <const> = 8 + 10 * grey
  local function distance(x, y, z)
    return (r - x) ^ 2 + (g - y) ^ 2 + (b - z) ^ 2
  end
  if distance(level, level, level)
      < distance(CUBE[i], CUBE[j], CUBE[k]) then
    return 232 + grey
  end
  return 16 + 36 * (i - 1) + 6 * (j - 1) + k - 1
end

--- SGR's parameter for "#rrggbb" as the colour of the text, or with
--- ground = "back" of what lies behind it; depth as `depth` gives it.
function colour.rgb(hex, depth, ground)
  local r, g, b = hex:match "^#(%x%x)(%x%x)(%x%x)$"
  r, g, b = tonumber(r, 16), tonumber(g, 16), tonumber(b, 16)
  local kind <const> = ground == "back" and 48 or 38
  if depth == "true" then
    return ("%d;2;%d;%d;%d"):format(kind, r, g, b)
  end
  return ("%d;5;%d"):format(kind, of_256(r, g, b))
end

return colour
