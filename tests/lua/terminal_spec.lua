-- Figures as text, and what is asked of the terminal. WEFT_GOLDEN=write writes
-- tests/golden/plot/*.txt anew, to be read before commit.
local colour = require "weft.colour"
local core = require "weft.core"
local markdown = require "weft.markdown"
local plot = require "weft.plot"
local screen = require "weft.plot.screen"
local support = require "tests.lua.support"

local GOLDEN <const> = "tests/golden/plot/"
local NAN <const> = 0 / 0
local PTY <const> = "build/tests/shell/pty"

local function compare(name, got)
  if os.getenv "WEFT_GOLDEN" == "write" then
    assert(core.sys.write(GOLDEN .. name, got))
  end
  assert.equal(support.read(GOLDEN .. name), got)
end

local function lines(text)
  local out = {}
  for line in text:gmatch "([^\n]*)\n" do out[#out + 1] = line end
  return out
end

local function plain(text)
  return (text:gsub("\27%[[%d;]*m", ""))
end

-- no line wider than so many columns, no control but newlines and colours
local function assert_fits(text, columns)
  for i, line in ipairs(lines(text)) do
    line = plain(line)
    assert.is_nil(line:find "%c", line)
    assert.truthy(markdown.width(line) <= columns, ("line %d: %s"):format(i,
      line))
  end
end

local function wave(n, step)
  local out = {}
  for i = 1, n do out[i] = math.sin(i / step) end
  return out
end

teardown(support.clean)

describe("a line in dots", function()
  it("is exact", function()
    local fig = plot({ 0, 1, 2, 3 }, { xrange = { 0, 3 }, yrange = { 0, 3 } })
    assert.equal([[
  │               ⣀⠤⠒⠉
2 ┤           ⢀⡠⠔⠋
  │       ⢀⡠⠔⠊⠁
  │    ⣠⠔⠊⠁
0 ┤⣀⠤⠒⠉
  └┬─────┬─────┬─────┬
   0     1     2     3
]], fig:text { columns = 22, rows = 8 })
  end)

  it("is broken at gaps, and a lone point stays", function()
    local fig = plot({ 0, 0, NAN, 0, NAN, 0, 1 / 0 }, { yrange = { 0, 1 },
      xrange = { 0, 6 } })
    local row = lines(fig:text { columns = 28, rows = 8 })[6]
    assert.equal("0.0 ┤⣀⣀⣀⣀⡀      ⢀       ⡀", row)
  end)

  it("is cut where it leaves the ranges", function()
    local fig = plot({ -1e300, 1e300 }, { yrange = { 0, 1 } })
    local text = fig:text { columns = 30, rows = 8 }
    assert_fits(text, 30)
    local upright = 0
    for _, line in ipairs(lines(text)) do
      upright = upright + (line:find("^[ 0-9.]+[│┤]+ +[⢸⡇]+$") and 1 or 0)
    end
    assert.equal(6, upright)
  end)
end)

describe("figures as text", function()
  local y, z = wave(80, 8), wave(80, 5)
  local rows = {}
  for i = 1, 12 do
    rows[i] = {}
    for k = 1, 5 do rows[i][k] = i * k end
  end
  rows[3][2] = NAN
  local figures = {
    lines = plot { title = "Two waves — λ", xlabel = "index", ylabel = "value",
      series = { { y = y, label = "slow" },
        { y = z, label = "fast", style = "linespoints" },
        { y = { NAN }, label = "none" } },
      lines = { { y = 0.5, style = "dashed", label = "half", colour = "red" },
        { x = 40, style = "dotted" } },
      bands = { { x = { 10, 20 }, label = "phase" } },
      texts = { { x = 60, y = 0.9, text = "here" } } },
    scatter = plot.scatter(y, z, { aspect = "equal" }),
    log = plot({ 1e-9, 0, 1e-3, 10 }, { logy = true, style = "points",
      error = 1e-4 }),
    bars = plot.bars({ "W_Q", "W_K", "W_V" }, { 3, -1, 2 }),
    histogram = plot.histogram(y, 8, { title = "a\nb" }),
    band = plot { y = { 1, 2, 1 }, y2 = { 2, 4, 3 }, style = "band",
      label = "spread" },
    heatmap = plot.heatmap(rows, { title = "Ranks", xlabel = "Head",
      ylabel = "Layer", label = "Rank", missing = "not computed" }),
  }
  figures.panels = plot.panels({ figures.bars, figures.heatmap,
    { title = "nothing" }, { hidden = true } }, { title = "Panels", cols = 2 })

  for _, name in ipairs {
    "lines", "scatter", "log", "bars", "histogram", "band", "heatmap",
    "panels",
  } do
    it("are known: " .. name, function()
      compare(name .. ".txt", figures[name]:text {})
    end)

    it("keep to their width: " .. name, function()
      for _, columns in ipairs { 20, 21, 39, 80, 133 } do
        for _, rows_there in ipairs { 1, 12, 60 } do
          for _, depth in ipairs { false, true, 256 } do
            assert_fits(figures[name]:text { columns = columns,
              rows = rows_there, colour = depth }, columns)
          end
        end
      end
    end)

    it("say the same in colours: " .. name, function()
      if not name:find "heatmap" and name ~= "panels" and name ~= "lines" then
        local fig = figures[name]
        assert.equal(fig:text(), plain(fig:text { colour = true }))
        assert.equal(fig:text(), plain(fig:text { colour = 256 }))
      end
    end)
  end

  it("take the height that there is", function()
    assert.equal(22, #lines(figures.lines:text { rows = 22 }))
    assert.equal(28, #lines(figures.lines:text { rows = 100 }))
  end)

  it("stand beside each other where there is room", function()
    local fig = plot.panels({ plot { 1, 2 }, plot { 2, 1 } })
    assert.equal(1, select(2, fig:text { columns = 80 }:gsub("└[─┬]+ ", "")))
    assert.equal(0, select(2, fig:text { columns = 60 }:gsub("└[─┬]+ ", "")))
  end)

  it("mark series by letters only where there are no colours", function()
    assert.truthy(figures.lines:text():find("A ── slow", 1, true))
    local coloured = figures.lines:text { colour = true }
    assert.truthy(plain(coloured):find("── slow", 1, true))
    assert.is_nil(plain(coloured):find("A ──", 1, true))
    assert.truthy(coloured:find("\27[38;2;0;114;178m── ", 1, true))
  end)

  it("hold no control of foreign text", function()
    for _, s in ipairs {
      "a\27[31mb", "x\ny", "\u{9b}31m", "\xff\xfe", "日本語 漢字", "e\u{301}",
      ("long "):rep(60),
    } do
      local fig = plot { y = { 1, 2 }, label = s, title = s, xlabel = s,
        ylabel = s, texts = { { x = 0, y = 1, text = s } },
        xticks = { { 0, s } }, yticks = { { 1, s } } }
      assert_fits(fig:text { columns = 40 }, 40)
      fig = plot.heatmap({ { 1, NAN } }, { label = s, missing = s,
        xlabels = { s, s }, ylabels = { s } })
      assert_fits(fig:text { columns = 40, colour = true }, 40)
    end
  end)

  it("are drawn of nothing, of one value, of extremes", function()
    for _, y_values in ipairs {
      {}, { NAN }, { 5 }, { 0, 0 }, { -1e300, 1e300 }, { 1e-310 },
      { 1, 1 + 2 ^ -52 }, { 1 / 0, -1 / 0 },
    } do
      for _, logy in ipairs { false, true } do
        assert_fits(plot({ y = y_values, logy = logy }):text(), 80)
      end
    end
    assert.truthy(plot({ NAN }):text():find("no finite values", 1, true))
    for _, z_values in ipairs {
      {}, { {} }, { { NAN } }, { { 5 } }, { { 1, 2, 3 } }, { { 1 }, { 2 } },
    } do
      for _, depth in ipairs { false, true } do
        assert_fits(plot.heatmap(z_values):text { colour = depth }, 80)
      end
    end
  end)

  it("are asked for with known options only", function()
    local function message(options)
      local ok, got = pcall(function() figures.log:text(options) end)
      assert.is_false(ok)
      return (got:gsub("^.-terminal_spec%.lua:%d+: ", ""))
    end
    assert.equal("options are a number, expected a table", message(80))
    assert.equal("option 'width' is unknown, expected columns, rows or colour",
      message { width = 80 })
    assert.equal("columns: expected a whole number from 1 to 1000",
      message { columns = -1 })
    assert.equal("rows: expected a whole number from 1 to 1000",
      message { rows = NAN })
    assert.equal("colour: expected true, false, \"true\" or 256",
      message { colour = "red" })
  end)
end)

describe("a matrix in cells", function()
  local function cells(z, options)
    return lines(plot.heatmap(z):text(options))
  end

  it("is shaded from low to high, a hole blank", function()
    local got = cells({ { 0, 1 }, { 2, NAN }, { 8, 4 } },
      { columns = 20, rows = 5 })
    assert.same({
      "0 .........:::::::::", "1 ---------", "2 @@@@@@@@@+++++++++",
    }, table.move(got, 1, 3, 1, {}))
    assert.equal("0 .:-=+*#%@ 8  blan…", got[#got])
  end)

  it("has two rows to a line in 24-bit colour", function()
    local low, mid = "68;1;84", "33;145;140"
    local high, grey = "253;231;37", "217;217;217"
    local nine, eighteen = (" "):rep(9), (" "):rep(18)
    local got = cells({ { 0, 8 }, { 4, NAN } }, { columns = 20, rows = 3,
      colour = true })
    assert.equal("  \27[48;2;" .. low .. "m" .. nine .. "\27[0m\27[48;2;"
      .. high .. "m" .. nine .. "\27[0m", got[1])
    assert.equal("1 \27[48;2;" .. mid .. "m" .. nine .. "\27[0m\27[48;2;"
      .. grey .. "m" .. nine .. "\27[0m", got[4])
    local z = {}
    for i = 1, 7 do z[i] = { i % 2 == 0 and 8 or 0 } end
    got = cells(z, { columns = 20, rows = 5, colour = true })
    assert.equal("2 \27[38;2;" .. low .. ";48;2;" .. high .. "m"
      .. ("▀"):rep(18) .. "\27[0m", got[2])
    assert.equal("6 \27[38;2;" .. low .. "m" .. ("▀"):rep(18) .. "\27[0m",
      got[4])
    got = cells({ { 0 }, { 0 }, { 0 }, { 8 } }, { columns = 20, rows = 5,
      colour = 256 })
    assert.equal("0 \27[48;5;53m" .. eighteen .. "\27[0m", got[1])
  end)

  it("shows means of what shares a place, and keeps every hole", function()
    local z = {}
    for i = 1, 100 do
      z[i] = {}
      for k = 1, 300 do z[i][k] = i <= 50 and k % 2 or 1 end
    end
    local got = cells(z, { columns = 80, rows = 12 })
    assert.truthy(got[1]:find("^ *0 ++++++[+*=]*$"), got[1])
    assert.truthy(got[9]:find("^[ 0-9]+ @@@@@@+$"), got[9])
    z[100][300] = NAN
    local holed = cells(z, { columns = 80, rows = 12 })
    assert.equal(#got[10] - 1, #holed[10])
    assert.equal(got[9], holed[9])
  end)
end)

describe("colours", function()
  -- os.getenv and isatty replaced for the length of one call
  local function with(variables, terminal, fn, ...)
    local getenv, isatty = os.getenv, core.sys.isatty
    rawset(os, "getenv", function(name) return variables[name] end)
    core.sys.isatty = function() return terminal end
    local got = table.pack(pcall(fn, ...))
    rawset(os, "getenv", getenv)
    core.sys.isatty = isatty
    assert.is_true(got[1], got[2])
    return table.unpack(got, 2, got.n)
  end

  it("are for terminals that want them", function()
    for _, case in ipairs {
      { {}, true, true }, { {}, false, false },
      { { NO_COLOR = "" }, true, true }, { { NO_COLOR = "1" }, true, false },
      { { NO_COLOR = "0" }, true, false }, { { TERM = "dumb" }, true, false },
      { { TERM = "xterm" }, true, true },
      { { TERM = "xterm", NO_COLOR = "" }, false, false },
    } do
      assert.equal(case[3], with(case[1], case[2], colour.allowed, 1))
    end
  end)

  it("are 24 bits where the terminal says so", function()
    for _, case in ipairs {
      { {}, "256" }, { { COLORTERM = "truecolor" }, "true" },
      { { COLORTERM = "24bit" }, "true" }, { { COLORTERM = "yes" }, "256" },
      { { TERM = "xterm-direct" }, "true" },
      { { TERM = "xterm-256color" }, "256" },
    } do
      assert.equal(case[2], with(case[1], true, colour.depth))
    end
  end)

  it("have codes", function()
    assert.equal("38;2;255;0;128", colour.rgb("#ff0080", "true"))
    assert.equal("48;2;1;2;3", colour.rgb("#010203", "true", "back"))
    assert.equal("38;5;16", colour.rgb("#000000", "256"))
    assert.equal("38;5;231", colour.rgb("#ffffff", "256"))
    assert.equal("38;5;196", colour.rgb("#ff0000", "256"))
    assert.equal("38;5;244", colour.rgb("#808080", "256"))
    assert.equal("48;5;25", colour.rgb("#0072b2", "256", "back"))
    assert.equal("\27[31mx\27[0m", colour.paint("x", "red", true))
    assert.equal("x", colour.paint("x", "red", false))
    assert.has_error(function() colour.paint("x", "loud", true) end,
      "style 'loud' is unknown")
  end)
end)

describe("the terminal", function()
  it("tells what it can do", function()
    assert.is_true(screen.has_sixels "\27[?62;4;22c")
    assert.is_true(screen.has_sixels "\27[?4c")
    assert.is_true(screen.has_sixels "x\27[?1;2;4c")
    for _, answer in ipairs {
      "", "\27[?62;14;22c", "\27[?1;2c", "\27[?40c", "4", "\27[4c", "\27[?62;4",
    } do
      assert.is_false(screen.has_sixels(answer))
    end
  end)

  it("is not asked where there is none", function()
    local program = support.quoted(arg[-1])
    local output = support.sh(program .. " -e 'local sys = require"
      .. [["weft.core".sys print(sys.terminal_query("\27[c", 0.2),]]
      .. " sys.window(0), sys.window(1))' </dev/null")
    assert.equal("nil\tnil\tnil\n", output)
  end)

  it("is asked with arguments in order", function()
    assert.has_error(function() core.sys.terminal_query("\27[c", -1) end)
    assert.has_error(function() core.sys.terminal_query("\27[c", NAN) end)
    assert.has_error(function() core.sys.terminal_query("\27[c", 1e9) end)
    assert.has_error(function() core.sys.terminal_query() end)
    assert.has_error(function() core.sys.window(-1) end)
  end)

  it("gets text of 80 columns, without codes, through a pipe", function()
    local output = support.sh("unset COLUMNS; " .. support.quoted(arg[-1])
      .. " -e 'require \"weft.plot\"{1, 2}:show()' </dev/null")
    assert.equal(plot({ 1, 2 }):text { rows = 22 }, output)
  end)
end)

-- a script of ours on a pseudo-terminal, talked to as pty.c says
local function on_terminal(talk, code, environment)
  local folder = support.folder()
  support.write(folder .. "/talk", talk)
  support.write(folder .. "/script.lua", code)
  return support.sh(("env -u NO_COLOR TERM=xterm-256color COLORTERM= %s %s"
    .. " --size 24x80 %s/talk -- %s %s/script.lua 2>&1"):format(
    environment or "", PTY, folder, support.quoted(arg[-1]), folder))
end

describe("on a terminal a figure", function()
  local SHOW <const> = [[
require "weft.plot"({ 1, 2 }, { title = "It is" }):show()
print "done"]]

  it("is a picture where the terminal shows them", function()
    local output, status = on_terminal("expect \\e[c\ntype \\e[?62;4;22c\n"
      .. "expect \\ePq\nexpect \\e\\\\\nexpect done\nstatus 0\n", SHOW)
    assert.equal(0, status, output)
    assert.truthy(output:find('"1;1;600;', 1, true))
    assert.is_nil(output:find("┤", 1, true))
  end)

  it("is text where it does not, or says nothing", function()
    for _, answer in ipairs { "type \\e[?1;2c\n", "" } do
      local output, status = on_terminal("expect \\e[c\n" .. answer
        .. "expect It is\nexpect done\nstatus 0\n", SHOW)
      assert.equal(0, status, output)
      assert.truthy(output:find("\27[1mIt is\27[0m", 1, true))
      assert.truthy(output:find("\27[38;5;25m", 1, true))
    end
  end)

  it("is asked for once", function()
    local output, status = on_terminal("expect \\e[c\nexpect done\nstatus 0\n",
      SHOW .. "\n" .. SHOW)
    assert.equal(0, status, output)
    assert.equal(1, select(2, output:gsub("\27%[c", "")))
  end)

  it("has no colours where they are not wanted", function()
    for _, environment in ipairs { "NO_COLOR=1", "TERM=dumb" } do
      local output, status = on_terminal("expect done\nstatus 0\n", SHOW,
        environment)
      assert.equal(0, status, output)
      assert.is_nil(output:find "\27")
      assert.truthy(output:find("It is", 1, true))
    end
  end)

  it("leaves what was typed before to the next reader", function()
    local output, status = on_terminal("expect go\nsend early\nwait 0.3\n"
      .. "send\nexpect got early\nstatus 0\n", [[
print "go"
require "weft.core".sys.run { "sleep", "0.2" }
]] .. SHOW .. [[

io.write("got ", io.read(), "\n")]])
    assert.equal(0, status, output)
    assert.is_nil(output:find("\27[c", 1, true))
  end)

  it("leaves the terminal's settings as they were, after Ctrl-C too", function()
    for _, talk in ipairs { "key ctrl-c\n", "type \\e[?1;2c\n", "" } do
      local output, status = on_terminal("expect \\e[c\n" .. talk
        .. "expect same\nstatus 0\n", [[
local function settings()
  return io.popen("stty -g </dev/tty"):read "l"
end
local before = settings()
local shown, message = pcall(function()
  require "weft.plot" { 1, 2 }:show()
  for _ = 1, 1e6 do end
end)
print(before == settings() and "same" or "other", shown, message)]])
      assert.equal(0, status, output)
      assert.equal(talk:find "ctrl" ~= nil, output:find "interrupted" ~= nil)
    end
  end)
end)
