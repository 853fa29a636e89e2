-- A figure: plain data made into a gnuplot script, its data and a picture.
local check = require "weft.check"
local core = require "weft.core"
local axis = require "weft.plot.axis"
local describe = require "weft.plot.describe"
local layout = require "weft.plot.layout"
local screen = require "weft.plot.screen"
local script = require "weft.plot.script"
local terminal = require "weft.plot.terminal"
local text = require "weft.plot.text"

local m = {}

-- What pictures are saved as.
local FORMATS <const> = { svg = true, png = true, pdf = true }

-- What a panel needs at least: px of a picture, columns of text.
local SIXEL_PANEL <const>, TEXT_PANEL <const> = 400, 38

local Figure = {}
Figure.__index = Figure
Figure.__name = "weft.figure"

-- Raises, in the name of who called the method, where it was called on
-- something else.
local function check_self(self)
  if getmetatable(self) ~= Figure then
    error(("called on a %s, expected a figure"):format(type(self)), 3)
  end
end

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

-- Lower ends of error bars; where a log axis cannot have one the bar goes to
-- the axis.
local function feet(p, s)
  if not (s.low and p.logy) then return s.low end
  local out, foot = {}, math.min(p.y[1], p.y[2])
  for i, v in ipairs(s.low) do
    out[i] = v <= 0 and axis.drawable(s.y[i], true) and foot or v
  end
  return out
end

-- The columns of a series and their names.
local function columns_of(p, s)
  local columns, names = { s.x, s.y }, "x y"
  local function add(column, name)
    if column then
      columns[#columns + 1], names = column, names .. " " .. name
    end
  end
  add(s.y2, "y2")
  add(s.width and repeated(s.width, #s.x), "width")
  add(feet(p, s), "low")
  add(s.high, "high")
  return names, table.unpack(columns)
end

-- Writes down one panel's blocks of data; the words in the comments are
-- weft's own.
local function collect_panel(p, i, add)
  if p.image then
    add(p.image, image_rows(p.image), "panel %d, image: column row value", i)
  end
  for k, s in ipairs(p.series) do
    if not s.empty then
      local names = columns_of(p, s)
      add(s, rows_of(select(2, columns_of(p, s))), "panel %d, series %d: %s",
        i, k, names)
    end
  end
  for k, r in ipairs(p.rules) do
    local ends = layout.rule_points(p, r)
    add(r, rows_of(ends.x, ends.y), "panel %d, line %d: x y", i, k)
  end
  for k, b in ipairs(p.bands) do
    local corners = layout.band_points(p, b)
    add(b, rows_of(corners.x, corners.y), "panel %d, band %d: x y", i, k)
  end
end

-- Numbers the figure's blocks of data and puts them together.
local function collect(fig)
  local blocks = {}
  local function add(item, rows, ...)
    item.block = #blocks
    blocks[#blocks + 1] = "# " .. (...):format(select(2, ...)) .. "\n" .. rows
  end
  for i, p in ipairs(fig.panels) do
    if not p.hidden and not p.empty then collect_panel(p, i, add) end
  end
  return table.concat(blocks, "\n\n\n") .. "\n"
end

-- The format's name, or nil and a message that lists the known ones.
local function known(format)
  if FORMATS[format] then return format end
  return nil, ("figure format '%s' is unknown, expected svg, png or pdf")
    :format(core.sys.escape(tostring(format))), "argument"
end

-- Works the figure out for gnuplot, in a copy: once, and only where a script
-- or data are asked for, since a terminal needs neither.
local function work_out(fig)
  if not fig.plan then
    fig.plan = layout.arrange(layout.copy(fig.checked))
    fig.columns = collect(fig.plan)
  end
  return fig.plan, fig.columns
end

-- gnuplot's script for a format ("svg", "png", "pdf"); `name` is the stem of
-- the files it reads and writes.
function Figure:script(format, name)
  check_self(self)
  local found, message = known(format or "svg")
  if not found then error(message, 2) end
  check.optional("name", name, "string", "text")
  return script.text((work_out(self)), found, text.slug(name or "figure"))
end

-- The data that the script draws: blocks of columns, two blank lines between.
function Figure:data()
  check_self(self)
  local _, columns = work_out(self)
  return columns
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

-- How a whole picture ends: gnuplot does not notice a full disk.
local ENDS <const> = { svg = "</svg>%s*$", png = "IEND....$",
  pdf = "%%%%EOF%s*$" }

local function is_whole(path, format)
  local file <close> = io.open(path, "rb")
  if not file or not ENDS[format] then return file ~= nil end
  file:seek("set", math.max(file:seek("end") - 64, 0))
  return file:read("a"):find(ENDS[format]) ~= nil
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
  if status == 0 and size_of(path) > 0 and not is_whole(path, format) then
    return nil, ("%s: the picture is cut off, is the disk full?"):format(
      core.sys.escape(path)), "io"
  elseif status ~= 0 or size_of(path) == 0 then
    return nil, ("gnuplot could not draw '%s.gp' (status %d): %s"):format(name,
      status, complaint(output or "")), "io"
  end
  local picture = ("%s/%s.%s"):format(folder, name, format)
  local ok, message = os.rename(path, picture)
  if not ok then return nil, message, "io" end
  return true, picture
end

-- Endings of pictures that gnuplot is not asked for here.
local OTHERS <const> = { jpg = true, jpeg = true, gif = true, webp = true,
  eps = true, ps = true, bmp = true, tif = true, tiff = true }

-- Folder, name and format out of save's arguments: a path and a format, or
-- the three by themselves where the name is foreign text.
local function target(first, second, third)
  if third then return first, second, third end
  local folder, name = first:match("^(.*)/([^/]*)$")
  if folder == "" then folder = "/" end
  name = name or first
  local stem, ending = name:match("^(.+)%.(%l%l%l%l?)$")
  if OTHERS[ending] and not second then
    return folder or ".", stem, ending
  elseif FORMATS[ending] and (second or ending) == ending then
    return folder or ".", stem, ending
  end
  return folder or ".", name, second or "svg"
end

-- The three files, of any format that gnuplot's terminals have.
local function write(fig, folder, name, format)
  local stem = folder .. "/" .. name
  local plan, columns = work_out(fig)
  local ok, message, code = core.sys.mkdir(folder)
  if not ok then return nil, message, code end
  ok, message, code = core.sys.write(stem .. ".dat", columns)
  if not ok then return nil, message, code end
  ok, message, code = core.sys.write(stem .. ".gp",
    script.text(plan, format, name))
  if not ok then return nil, message, code end
  return draw(folder, name, format)
end

-- Writes NAME.gp and NAME.dat and draws the picture beside them. Called as
-- save("folder/name", "svg"), save("folder/name.svg") or save(folder, name,
-- "svg"). Gives true and the picture's path, or nil, message, code.
function Figure:save(...)
  check_self(self)
  for i = 1, math.max(1, select("#", ...)) do
    local v = select(i, ...)
    if type(v) ~= "string" and (i == 1 or v ~= nil) then
      error(("argument %d of save is a %s, expected text"):format(i, type(v)),
        2)
    end
  end
  local folder, name, format = target(...)
  local found, message, code = known(format)
  if not found then return nil, message, code end
  return write(self, folder, text.slug(name), format)
end

-- A figure of what has been checked.
local function of_checked(checked)
  return setmetatable({ checked = checked }, Figure)
end

-- The panels as they suit a terminal: as many beside each other as have room,
-- none hidden.
local function reflowed(checked, width, least)
  local out = layout.copy(checked)
  for i = #out.panels, 1, -1 do
    if out.panels[i].hidden then table.remove(out.panels, i) end
  end
  out.cols = math.max(1, math.min(out.cols, #out.panels, width // least))
  out.rows = math.max(1, math.ceil(#out.panels / out.cols))
  return out
end

-- The picture as sixels, of at most so many px, or nil, message, code.
local function sixels(fig, width, height)
  local checked = reflowed(fig.checked, width, SIXEL_PANEL)
  local aspect = (fig.checked.height / fig.checked.rows)
    / (fig.checked.width / fig.checked.cols)
  checked.width = math.min(width, 600 * checked.cols)
  local each = checked.width / checked.cols * aspect
  each = math.max(150, math.min(each, height)) // 1
  checked.height = each * checked.rows | 0
  local folder = os.tmpname()
  os.remove(folder)
  local _ <close> = setmetatable({}, { __close = function()
    for _, ending in ipairs { ".gp", ".dat", ".sixel" } do
      os.remove(folder .. "/figure" .. ending)
    end
    os.remove(folder)
  end })
  local ok, path, code = write(of_checked(checked), folder, "figure", "sixel")
  if not ok then return nil, path, code end
  return core.sys.read(path)
end

local OPTIONS <const> = { columns = true, rows = true, colour = true }
local DEPTHS <const> = { [true] = "true", ["true"] = "true", ["256"] = "256",
  [256] = "256" }

-- Raises where an option is not known or of no use.
local function check_options(options)
  if options ~= nil and type(options) ~= "table" then
    error(("options are a %s, expected a table"):format(type(options)), 3)
  end
  for name, value in pairs(options or {}) do
    if not OPTIONS[name] then
      error(("option '%s' is unknown, expected columns, rows or colour")
        :format(core.sys.escape(tostring(name))), 3)
    elseif name == "colour" then
      if value and not DEPTHS[value] then
        error("colour: expected true, false, \"true\" or 256", 3)
      end
    elseif math.type(value) ~= "integer" or value < 1 or value > 1000 then
      error(("%s: expected a whole number from 1 to 1000"):format(name), 3)
    end
  end
  return options or {}
end

-- The figure as lines of text for a terminal: {columns= (80; 20 at least),
-- rows= (24; more where the panels need more), colour= (false; true is 24
-- bits, 256 so many)}.
function Figure:text(options)
  check_self(self)
  options = check_options(options)
  local columns = math.max(20, options.columns or 80)
  local checked = reflowed(self.checked, columns, TEXT_PANEL)
  return terminal.text(checked, columns, options.rows or 24,
    options.colour and DEPTHS[options.colour])
end

-- Draws on standard output: a picture where it is a terminal that shows them,
-- else text, as wide as the terminal or 80 columns. Options as text's; any of
-- them asks for text.
function Figure:show(options)
  check_self(self)
  options = check_options(options)
  local picture
  if next(options) == nil and screen.shows_pictures() then
    picture = sixels(self, screen.pixels())
  end
  if not picture then
    local depth = options.colour
    if depth == nil then depth = screen.depth() end
    picture = self:text {
      columns = options.columns or screen.columns(),
      rows = options.rows or screen.rows(),
      colour = depth,
    }
  end
  io.stdout:write(picture, picture:sub(-1) == "\n" and "" or "\n")
  io.stdout:flush()
end

-- What the prompt shows of it.
function Figure:__tostring()
  local n = #self.checked.panels
  return ("figure of %d panel%s, %d x %d; :show() draws it, :save(path) too")
    :format(n, n == 1 and "" or "s", self.checked.width, self.checked.height)
end

-- Makes a figure of its description, whose fields describe.lua lists. A wrong
-- description raises, at the caller or `level` - 2 above it.
function m.new(description, level)
  local ok, checked = pcall(describe.figure, description)
  if not ok then error(checked, level or 2) end
  return of_checked(checked)
end

return m
