-- What the terminal on standard output is like.
local colour = require "weft.colour"
local core = require "weft.core"

local m = {}

-- "Which attributes have you?" as every terminal since the VT100 is asked, and
-- the time it gets. Attribute 4 is sixels.
local ATTRIBUTES <const> = "\27[c"
local PATIENCE <const> = 0.2
local SIXELS <const> = "4"

-- Px of a character where the terminal does not tell.
local CELL_WIDTH <const>, CELL_HEIGHT <const> = 10, 20

-- Lines that stay free for the prompt.
local FREE <const> = 2

-- Asked once: a terminal that answers late would answer into the next command
-- each time.
local answered

-- True for a list of attributes such as ESC [ ? 62 ; 4 ; 22 c.
function m.has_sixels(answer)
  local list = answer:match("\27%[%?([%d;]*)c")
  for attribute in (list or ""):gmatch("%d+") do
    if attribute == SIXELS then return true end
  end
  return false
end

-- True where pictures may be shown and the terminal says that it can.
function m.shows_pictures()
  if not colour.allowed(1) then return false end
  if answered == nil then
    io.stdout:flush()
    local answer = core.sys.terminal_query(ATTRIBUTES, PATIENCE)
    if not answer then return false end
    answered = m.has_sixels(answer)
  end
  return answered
end

function m.columns()
  return core.sys.columns(1)
end

-- Lines that a figure may take.
function m.rows()
  local rows = core.sys.window(1)
  return math.max(10, (rows and rows > 0 and rows or 24) - FREE)
end

-- Px across and down that a picture may take.
function m.pixels()
  local rows, columns, width, height = core.sys.window(1)
  if not rows or rows == 0 then rows, columns = 24, 80 end
  if not width or width == 0 then width = columns * CELL_WIDTH end
  if not height or height == 0 then height = rows * CELL_HEIGHT end
  return math.max(100, width), math.max(100, height * (rows - FREE) // rows)
end

-- The colours that text may have: "true", "256" or false for none.
function m.depth()
  return colour.allowed(1) and colour.depth()
end

return m
