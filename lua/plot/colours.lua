-- The colours of the figures: told apart by colour-blind readers and in grey.
local m = {}

m.TEXT = "#262626"
m.GRID = "#cccccc"
m.MISSING = "#d9d9d9"

-- Okabe and Ito's set without its yellow, which white paper swallows.
local CYCLE = {
  "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000",
}

-- The names that a description may use; anything else is "#rrggbb".
local NAMED = {
  black = "#000000",
  blue = "#0072b2",
  gray = "#808080",
  green = "#009e73",
  grey = "#808080",
  orange = "#e69f00",
  purple = "#cc79a7",
  red = "#d62728",
  sky = "#56b4e9",
  vermillion = "#d55e00",
  white = "#ffffff",
}

-- viridis at 0, 1/16 … 1; gnuplot 5.4 does not know it by name.
m.VIRIDIS = {
  "#440154", "#48186a", "#472d7b", "#424086", "#3b528b", "#33638d", "#2c728e",
  "#26828e", "#21918c", "#1fa088", "#28ae80", "#3fbc73", "#5ec962", "#84d44b",
  "#addc30", "#d8e219", "#fde725",
}

-- The colour of the i-th series (1-based).
function m.cycle(i)
  return CYCLE[(i - 1) % #CYCLE + 1]
end

-- "#rrggbb" of a colour's name or number; nil for anything else, so that no
-- foreign text gets into a script as a colour.
function m.find(name)
  if type(name) ~= "string" then return nil end
  if name:find("^#%x%x%x%x%x%x$") then return name:lower() end
  return NAMED[name]
end

-- The palette's colour at a share from 0 to 1, straight between its stops.
function m.viridis(share)
  local at = math.max(0, math.min(1, share)) * (#m.VIRIDIS - 1)
  local i = math.min(#m.VIRIDIS - 1, at // 1 + 1 | 0)
  local part = at - (i - 1)
  local function mixed(first)
    local a = tonumber(m.VIRIDIS[i]:sub(first, first + 1), 16)
    local b = tonumber(m.VIRIDIS[i + 1]:sub(first, first + 1), 16)
    return (a + (b - a) * part + 0.5) // 1 | 0
  end
  return ("#%02x%02x%02x"):format(mixed(2), mixed(4), mixed(6))
end

-- gnuplot's list of the palette's stops.
function m.palette()
  local stops = {}
  for i, colour in ipairs(m.VIRIDIS) do
    stops[i] = ("%d '%s'"):format(i - 1, colour)
  end
  return "defined (" .. table.concat(stops, ", ") .. ")"
end

return m
