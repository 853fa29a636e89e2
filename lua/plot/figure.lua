-- A figure: plain data made into a gnuplot script, its data and a picture.
local core = require "weft.core"
local axis = require "weft.plot.axis"
local describe = require "weft.plot.describe"
local layout = require "weft.plot.layout"
local script = require "weft.plot.script"
local text = require "weft.plot.text"

local m = {}

local Figure = {}
Figure.__index = Figure
Figure.__name = "weft.figure"

-- Rows of numbers; what can't be drawn becomes nan, gnuplot's own word.
local function rows_of(...)
  local columns, out = { ... }, {}
  for i = 1, #columns[1] do
    local row = {}
    for k, column in ipairs(columns) do
      local v = column[i]
      row[k] = axis.drawable(v, false) and core.sys.number(v) or "nan"
    end
    out[i] = table.concat(row, " ")
  end
  return table.concat(out, "\n")
end

-- gnuplot draws no image of fewer than 2 x 2 points: a single row or column
-- is given as two halves.
local function halves(n)
  if n > 1 then
    local out = {}
    for i = 1, n do out[i] = { at = i - 1, cell = i } end
    return out
  end
  return { { at = -0.25, cell = 1 }, { at = 0.25, cell = 1 } }
end

-- An image as x y value, a blank line after each row.
local function image_rows(image)
  local out = {}
  for i, down in ipairs(halves(image.height)) do
    local x, y, z = {}, {}, {}
    for k, across in ipairs(halves(image.width)) do
      x[k], y[k] = across.at, down.at
      z[k] = image.z[down.cell][across.cell]
    end
    out[i] = rows_of(x, y, z)
  end
  return table.concat(out, "\n\n")
end

-- The third column of bars: their width, the same for each.
local function repeated(v, n)
  local out = {}
  for i = 1, n do out[i] = v end
  return out
end

-- Numbers the figure's blocks of data and writes them down; the words in the
-- comments are weft's own.
local function collect(fig)
  local blocks = {}
  local function add(item, rows, ...)
    item.block = #blocks
    blocks[#blocks + 1] = "# " .. (...):format(select(2, ...)) .. "\n" .. rows
  end
  for i, p in ipairs(fig.panels) do
    if not p.hidden and not p.empty then
      if p.image then
        add(p.image, image_rows(p.image),
          "panel %d, image: column row value", i)
      end
      for k, s in ipairs(p.series) do
        local third = s.y2 or s.width and repeated(s.width, #s.x)
        local names = s.y2 and "x y y2" or s.width and "x y width" or "x y"
        if not s.empty then
          add(s, rows_of(s.x, s.y, third), "panel %d, series %d: %s", i, k,
            names)
        end
      end
      for k, r in ipairs(p.rules) do
        local ends = layout.rule_points(p, r)
        add(r, rows_of(ends.x, ends.y), "panel %d, line %d: x y", i, k)
      end
    end
  end
  return table.concat(blocks, "\n\n\n") .. "\n"
end

-- The format's name, or nil and a message that lists the known ones.
local function known(format)
  if script.TERMINALS[format] then return format end
  return nil, ("figure format '%s' is unknown, expected svg, png or pdf")
    :format(core.sys.escape(tostring(format))), "argument"
end

-- gnuplot's script for a format ("svg", "png", "pdf"); `name` is the stem of
-- the files it reads and writes.
function Figure:script(format, name)
  local found, message = known(format or "svg")
  if not found then error(message, 2) end
  return script.text(self.plan, found, text.slug(name or "figure"))
end

-- The data that the script draws: blocks of columns, two blank lines between.
function Figure:data()
  return self.columns
end

-- gnuplot's first message that is more than a warning. It comes with the
-- command echoed before it, which is left out.
local function complaint(output)
  for line in output:gmatch("[^\n]+") do
    if line:find('" line %d+: ') and not line:find(": warning:", 1, true) then
      return core.sys.escape(line)
    end
  end
  return "no picture was drawn"
end

local function size_of(path)
  local file <close> = io.open(path, "rb")
  return file and file:seek("end") or 0
end

-- Draws into a file of another name first, so that the picture appears whole
-- or not at all.
local function draw(folder, name, format)
  local part = ("%s.%x.part"):format(name, core.sys.time() * 1e9 // 1 | 0)
  local path = folder .. "/" .. part
  local _ <close> = setmetatable({}, { __close = function()
    os.remove(path)
  end })
  local status, output = core.sys.run({
    "gnuplot", "-d", "-e", ("picture='./%s'"):format(part),
    ("./%s.gp"):format(name),
  }, { cwd = folder })
  if not status then return nil, output, "io" end
  if status ~= 0 or size_of(path) == 0 then
    return nil, ("gnuplot could not draw '%s.gp' (status %d): %s"):format(name,
      status, complaint(output or "")), "io"
  end
  local picture = ("%s/%s.%s"):format(folder, name, format)
  local ok, message = os.rename(path, picture)
  if not ok then return nil, message, "io" end
  return true, picture
end

-- Folder, name and format out of save's arguments: a path and a format, or
-- the three by themselves where the name is foreign text.
local function target(first, second, third)
  if third then return first, second, third end
  local folder, name = first:match("^(.*)/([^/]*)$")
  if folder == "" then folder = "/" end
  name = name or first
  local stem, ending = name:match("^(.+)%.(%l%l%l)$")
  if script.TERMINALS[ending] and (second or ending) == ending then
    return folder or ".", stem, ending
  end
  return folder or ".", name, second or "svg"
end

-- Writes NAME.gp and NAME.dat and draws the picture beside them. Called as
-- save("folder/name", "svg"), save("folder/name.svg") or save(folder, name,
-- "svg"). Gives true and the picture's path, or nil, message, code.
function Figure:save(...)
  local folder, name, format = target(...)
  local found, message, code = known(format)
  if not found then return nil, message, code end
  name = text.slug(name)
  local stem = folder .. "/" .. name
  local ok
  ok, message, code = core.sys.mkdir(folder)
  if not ok then return nil, message, code end
  ok, message, code = core.sys.write(stem .. ".dat", self:data())
  if not ok then return nil, message, code end
  ok, message, code = core.sys.write(stem .. ".gp", self:script(format, name))
  if not ok then return nil, message, code end
  return draw(folder, name, format)
end

-- Makes a figure of its description, whose fields describe.lua lists. A wrong
-- description raises.
function m.new(description)
  local ok, plan = pcall(describe.figure, description)
  if not ok then error(plan, 2) end
  layout.arrange(plan)
  return setmetatable({ plan = plan, columns = collect(plan) }, Figure)
end

return m
