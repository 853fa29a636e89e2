-- Figures: gnuplot text and data against files, pictures against gnuplot.
-- WEFT_GOLDEN=write writes tests/golden/plot anew, to be read before commit.
local core = require "weft.core"
local plot = require "weft.plot"
local report = require "weft.plot.report"
local text = require "weft.plot.text"

local GOLDEN <const> = "tests/golden/plot/"
local NAN <const> = 0 / 0
local HOSTILE = {
  "it's", "'; system 'touch marker'; '", "`touch marker`", "\"`touch marker`\"",
  "$(touch marker)", "line\nsystem 'touch marker'", "end\\", "@m %s %n 50%",
  "a\rb", "</script><b>&amp;", "bad \xff\xc3 bytes\0", "A_b^{c} & {/=90 x}",
  "<touch marker", "|touch marker", "\u{1}\u{9b}31m\u{fffe}\u{202e}",
  ("x_^{y} "):rep(1500),
}

local folder

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local function exists(path)
  local file <close> = io.open(path, "rb")
  return file ~= nil
end

local function run(argv, cwd)
  local status, output = assert(core.sys.run(argv, { cwd = cwd }))
  return status, output
end

-- well-formed for a reader of XML that is not ours
local function assert_xml(path)
  local status, output = run { "python3", "-c",
    "import sys, xml.dom.minidom as m; m.parse(sys.argv[1])", path }
  assert.equal(0, status, output)
end

local function compare(name, got)
  local path = GOLDEN .. name
  if os.getenv "WEFT_GOLDEN" == "write" then
    assert(core.sys.write(path, got))
  end
  assert.equal(read(path), got)
end

-- what is left of a script without its quoted texts
local function bare(script)
  return (script:gsub("''", ""):gsub("'[^'\n]*'", "Q"))
end

local function kernel_data()
  local re = { 4, 1, 1, -0.5, 0, 0, 0, 0 }
  local im = { 0, 2, -2, 0, 0, 0, 0, 0 }
  local mag, cumulative, sum = {}, {}, 16 + 5 + 5 + 0.25
  local part = 0
  for i = 1, #re do
    mag[i] = math.sqrt(re[i] ^ 2 + im[i] ^ 2)
    part = part + re[i] ^ 2 + im[i] ^ 2
    cumulative[i] = part / sum
  end
  return {
    layer = 3, head = 1, re = re, im = im, mag = mag, d = 8, n_complex = 2,
    asymmetry = 1.40727, cumulative = cumulative, n99 = 3,
  }
end

local function heatmap_data(layers, heads)
  local z = {}
  for i = 1, layers do
    z[i] = {}
    for k = 1, heads do z[i][k] = 10 + (i - 1) * heads + k end
  end
  return { z = z, L = layers, h = heads }
end

local function w_down_data()
  return {
    variance = { 0.5, 0.25, 0.125, 0.12, 0.005 },
    cumulative = { 0.5, 0.75, 0.875, 0.995, 1 },
    n99 = 4, count = 5, name = "W_down",
  }
end

local function by_layer_data(n)
  local types = {}
  for i = 1, n do
    types[i] = {
      name = "W_" .. i, shape = "576x1536", layers = { 0, 1, 2, 3 },
      ranks = { 100 * i, 100 * i + 7.5, 100 * i - 3, 100 * i }, mean = 101.26,
      std = 3.14159, range = 10.5,
    }
  end
  return { types = types, L = 4 }
end

local function save(fig, name, format)
  return assert(fig:save(folder, name, format or "svg"))
end

setup(function()
  folder = os.tmpname()
  os.remove(folder)
  assert(core.sys.mkdir(folder))
end)

teardown(function()
  run { "rm", "-rf", "--", folder }
end)

describe("quoted text", function()
  it("closes on itself, whatever it holds", function()
    assert.equal("'it''s'", text.quote "it's")
    assert.equal("'`x` \"$(y)\" \\ @m %s'", text.quote '`x` "$(y)" \\ @m %s')
    assert.equal("'a b c d'", text.quote "a\nb\rc\td")
    assert.equal("'a b'", text.quote "a\0b")
    assert.equal("' ''a'''", text.quote "'a'")
    for _, s in ipairs(HOSTILE) do
      local quoted = text.quote(s)
      assert.is_nil(quoted:find "%c")
      assert.equal("Q", bare(quoted))
      assert.truthy(utf8.len(quoted))
    end
  end)

  it("repairs UTF-8 and drops what XML and terminals may not hold", function()
    assert.equal("a\u{fffd}b", text.clean "a\xffb")
    assert.equal("\u{fffd}\u{fffd}", text.clean "\xed\xa0" )
    assert.equal("|λ| μ σ × — Ł", text.clean "|λ| μ σ × — Ł")
    assert.equal("x y\u{fffd}", text.clean "x\u{9b}y\u{ffff}")
    assert.equal("a b c", text.clean "a\u{202e}b\u{2028}c")
  end)

  it("doubles the percent sign of a tic's label only", function()
    assert.equal("'50%'", text.quote "50%")
    assert.equal("'50%%'", text.quote_tic "50%")
  end)

  it("splits titles at newlines, three lines at most", function()
    assert.equal([['a' . "\n" . 'b''c']], (text.title("a\nb'c", 16, 400)))
    assert.equal([['a' . "\n" . 'b' . "\n" . 'c d']],
      (text.title("a\nb\nc\nd", 16, 400)))
  end)

  it("makes long titles smaller, then shorter", function()
    local _, size = text.title(("x"):rep(20), 16, 400)
    assert.equal(16, size)
    _, size = text.title(("x"):rep(50), 16, 400)
    assert.truthy(size < 16 and size >= 12)
    local quoted = text.title(("x"):rep(5000), 16, 400)
    assert.truthy(quoted:find("…'", 1, true) and #quoted < 80)
  end)
end)

describe("file names", function()
  it("stay as they are where that does no harm", function()
    for _, name in ipairs { "kernel", "w_down", "Qwen_Qwen2.5-3B", "A", "a" } do
      assert.equal(name, plot.slug(name))
    end
  end)

  it("are made safe, distinct and short", function()
    local seen = {}
    for _, name in ipairs {
      "../../x", "..", ".", "", "/x", "x", "con", "CON", "nul.svg", "com1",
      "-e", "~", "a b", "$(x)", "<touch x", "|touch x", "é", ("n"):rep(300),
      ("n"):rep(301), "a/b", "a\\b", "a\nb", "a\0b",
    } do
      local slug = plot.slug(name)
      assert.truthy(slug:find "^[A-Za-z0-9_][A-Za-z0-9._-]*$", slug)
      assert.truthy(#slug <= 100)
      assert.is_nil(seen[slug:lower()], name)
      seen[slug:lower()] = true
    end
  end)

  it("keep a picture inside the folder it is saved to", function()
    local fig = plot.figure { panels = { { series = { { y = { 1, 2 } } } } } }
    local ok, path = fig:save(folder .. "/deep/er", "../../x", "svg")
    assert.is_true(ok)
    assert.truthy(path:find(folder .. "/deep/er/x-", 1, true))
    assert.truthy(exists(path))
    assert.is_false(exists(folder .. "/x.svg"))
  end)
end)

describe("the report's figures", function()
  local figures = {
    kernel = report.kernel(kernel_data()),
    heatmap = report.heatmap(heatmap_data(14, 3)),
    w_down = report.w_down(w_down_data()),
    by_layer = report.by_layer(by_layer_data(7)),
  }

  for _, name in ipairs { "kernel", "heatmap", "w_down", "by_layer" } do
    local fig = figures[name]

    it("have the known script and data: " .. name, function()
      compare(name .. ".gp", fig:script("svg", name))
      compare(name .. ".dat", fig:data())
    end)

    it("are drawn in every format: " .. name, function()
      for format, magic in pairs {
        svg = "<?xml", png = "\x89PNG", pdf = "%PDF",
      } do
        local _, path = save(fig, name, format)
        assert.equal(("%s/%s.%s"):format(folder, name, format), path)
        assert.equal(magic, read(path):sub(1, #magic))
      end
    end)

    it("are the same bytes again, and by hand: " .. name, function()
      local _, path = save(fig, name)
      local first = read(path)
      save(fig, name)
      assert.equal(first, read(path))
      assert(core.sys.remove(path))
      assert.equal(0, (run({ "gnuplot", name .. ".gp" }, folder)))
      assert.equal(first, read(path))
      assert.is_nil(first:find(folder, 1, true))
      assert_xml(path)
    end)
  end

  it("leave no temporary file behind", function()
    local _, listing = run({ "ls", "-a" }, folder)
    assert.is_nil(listing:find "part")
  end)

  it("hold the notebook's titles and labels", function()
    local script = figures.kernel:script "svg"
    for _, s in ipairs {
      "'Attention kernel W_Q^T W_K — Layer 3, Head 1'",
      "'Eigenvalue magnitudes (layer 3, head 1)'", "'Index'", "'|λ|'",
      [['Eigenvalues in complex plane' . "\n" . ]]
        .. "'(2 complex, asymmetry=1.407)'",
      "'Real'", "'Imaginary'", "'Component'", "title '99%'", "title 'n=3'",
      "'Cumulative spectral energy (99% at 3/8 components)'",
    } do
      assert.truthy(script:find(s, 1, true), s)
    end
    script = figures.by_layer:script "svg"
    assert.truthy(script:find([['W_1 (576x1536)' . "\n" . ]]
      .. "'μ=101.3, σ=3.1, range=10.5'", 1, true))
    script = figures.heatmap:script "svg"
    assert.truthy(script:find("'Attention Kernel Effective Rank"
      .. " (W_Q_h^T @ W_K_h) — All Layers × Heads'", 1, true))
  end)

  it("leave zeros off the log axis and say so", function()
    assert.truthy(figures.kernel:script("svg"):find(
      "title '4 non-zero, 4 zeros not drawn'", 1, true))
    local block = figures.kernel:data():match "^# panel 1[^\n]*\n(.-)\n\n\n"
    assert.equal("0 4\n1 2.23606797749979\n2 2.23606797749979\n3 0.5", block)
  end)

  it("draw one of the many zeros of the complex plane", function()
    local _, n = figures.kernel:data():gsub("\n0 0\n", "\n")
    assert.equal(1, n)
  end)

  it("put layer 0 on top and label layers as the notebook does", function()
    local script = report.heatmap(heatmap_data(30, 9)):script "svg"
    assert.truthy(script:find("set yrange [29.5:-0.5]", 1, true))
    assert.truthy(script:find("'0' 0, '2' 2, '4' 4", 1, true))
    assert.truthy(script:find("'28' 28)", 1, true))
    assert.truthy(script:find("'7' 7, '8' 8)", 1, true))
  end)

  it("thin out the labels of many heads", function()
    local script = report.heatmap(heatmap_data(64, 64)):script "svg"
    assert.truthy(script:find("set xtics noenhanced ('0' 0, '2' 2,", 1, true))
    assert.truthy(script:find("set ytics noenhanced ('0' 0, '5' 5,", 1, true))
  end)

  it("show heads that are missing in grey", function()
    local data = heatmap_data(3, 3)
    assert.is_nil(report.heatmap(data):script("svg"):find("grey:", 1, true))
    data.z[2][2] = NAN
    local fig = report.heatmap(data)
    assert.truthy(fig:script("svg"):find("'grey: not computed'", 1, true))
    assert.truthy(fig:data():find("\n1 1 nan\n", 1, true))
    save(fig, "gaps")
    data.z[2][2], data.z[3] = nil, nil
    assert.truthy(report.heatmap(data):data():find(
      "\n1 1 nan\n2 1 16\n\n0 2 nan\n1 2 nan\n2 2 nan\n", 1, true))
  end)

  it("share one y axis, labelled at the left only", function()
    local script = figures.by_layer:script "svg"
    local ranges, labelled, bare_ones = {}, 0, 0
    for range in script:gmatch "set yrange (%b[])" do ranges[range] = true end
    for format in script:gmatch "set format y '([^']*)'" do
      if format == "" then
        bare_ones = bare_ones + 1
      else
        labelled = labelled + 1
      end
    end
    assert.equal("[66.475:738.025]", next(ranges))
    assert.is_nil(next(ranges, (next(ranges))))
    assert.same({ 2, 5 }, { labelled, bare_ones })
  end)

  it("take as many rows as the types need", function()
    for n, size in pairs {
      [0] = "800,420", "800,420", "1000,420", [4] = "2000,420",
      [8] = "2000,840", [9] = "2000,1260",
    } do
      local script = report.by_layer(by_layer_data(n)):script "svg"
      assert.truthy(script:find("svg size " .. size .. " ", 1, true), n)
    end
  end)

  it("name a weight that is not the only W_down", function()
    local data = w_down_data()
    assert.is_nil(report.w_down(data):script("svg"):find "multiplot title")
    data.name = "W_down.shared"
    assert.truthy(report.w_down(data):script("svg"):find(
      "set multiplot title 'W_down.shared'", 1, true))
  end)

  it("are drawn at the edges: one layer, one head, one value", function()
    save(report.heatmap(heatmap_data(1, 1)), "one")
    save(report.heatmap(heatmap_data(1, 9)), "row")
    save(report.heatmap(heatmap_data(9, 1)), "column")
    save(report.by_layer(by_layer_data(0)), "none")
    save(report.w_down { variance = { 1 }, cumulative = { 1 }, n99 = 1,
      count = 1 }, "single")
    save(report.kernel { layer = 0, head = 0, re = { 5 }, im = { 0 },
      mag = { 5 }, d = 1, n_complex = 0, asymmetry = 0, cumulative = { 1 },
      n99 = 1 }, "point")
    local zero = report.kernel { layer = 0, head = 0, re = { 0, 0 },
      im = { 0, 0 }, mag = { 0, 0 }, d = 2, n_complex = 0, asymmetry = NAN,
      cumulative = { NAN, NAN } }
    local script = zero:script "svg"
    assert.truthy(script:find("asymmetry=n/a", 1, true))
    assert.truthy(script:find("99% at n/a/2", 1, true))
    save(zero, "zero")
  end)

  it("draw a lone point of a line, and break lines at gaps", function()
    local data = by_layer_data(1)
    data.types[1].ranks[2] = NAN
    local fig = report.by_layer(data)
    assert.truthy(fig:data():find("\n0 100\n1 nan\n2 97\n", 1, true))
    save(fig, "gap")
    local single = plot.figure { panels = { { series = { { y = { 7 } } } } } }
    assert.truthy(single:script("svg"):find("with linespoints", 1, true))
  end)
end)

describe("any figure", function()
  local function one(panel)
    return plot.figure { panels = { panel } }
  end

  it("has the known script and data", function()
    local fig = plot.figure {
      title = "all styles",
      size = { width = 1500, height = 800 },
      layout = { rows = 2, cols = 3 },
      panels = {
        {
          title = "lines", legend = true, xlabel = "x", ylabel = "y",
          series = {
            { x = { 1, 2, 3 }, y = { 1, 4, 9 }, label = "a" },
            { y = { 3, NAN, 1 }, style = "linespoints", label = "b" },
            { y = { NAN }, label = "c" },
          },
          lines = { { x = 1.5, style = "dotted", colour = "#112233" } },
        },
        { title = "bars", series = { { y = { 1, -3, 2 }, style = "bars" } } },
        { hidden = true, series = { { y = { 1 } } } },
        { title = "band", series = {
          { y = { 1, 2 }, y2 = { 2, 4 }, style = "band", colour = "green" },
        } },
        { title = "histogram", series = {
          { values = { 1, 2, 2, 3, 9, NAN }, bins = 4, style = "histogram" },
        } },
        { title = "log", logx = true, logy = true, series = {
          { x = { 1, 10, 1e5 }, y = { 1e-9, 0, 1e12 }, style = "points" },
        } },
      },
    }
    compare("general.gp", fig:script("svg", "general"))
    compare("general.dat", fig:data())
    save(fig, "general")
  end)

  it("takes tensors for arrays", function()
    local fig = one { series = { { y = core.tensor { 1, 2.5, 4 } } } }
    assert.equal("# panel 1, series 1: x y\n0 1\n1 2.5\n2 4\n", fig:data())
    fig = one { image = { z = core.tensor { { 1, 2 }, { 3, 4 } } } }
    assert.equal("# panel 1, image: column row value\n0 0 1\n1 0 2\n\n"
      .. "0 1 3\n1 1 4\n", fig:data())
  end)

  it("keeps equal steps on axes of equal aspect", function()
    local script = one({
      aspect = "equal", series = { { x = { 0, 10 }, y = { 0, 1 } } },
    }):script "svg"
    local function number_after(pattern)
      return tonumber(script:match(pattern))
    end
    local width = 600 * (number_after "rmargin at screen (%S+)"
      - number_after "lmargin at screen (%S+)")
    local height = 420 * (number_after "tmargin at screen (%S+)"
      - number_after "bmargin at screen (%S+)")
    local x1, x2 = script:match "set xrange %[(.-):(.-)%]"
    local y1, y2 = script:match "set yrange %[(.-):(.-)%]"
    assert.near((x2 - x1) / width, (y2 - y1) / height, 1e-4)
    assert.truthy(script:find("set size ratio -1", 1, true))
  end)

  it("takes ranges and tics as they are given", function()
    local script = one({
      xrange = { 0, 4 }, yrange = { 5, -5 }, series = { { y = { 1, 2 } } },
      xticks = { 0, { 2, "50% %n" }, 4 },
    }):script "svg"
    assert.truthy(script:find("set xrange [0:4]", 1, true))
    assert.truthy(script:find("set yrange [5:-5]", 1, true))
    assert.truthy(script:find("('0' 0, '50%% %%n' 2, '4' 4)", 1, true))
  end)

  it("draws percent signs of tics literally", function()
    local _, path = save(one {
      series = { { y = { 1, 2 } } }, xticks = { { 0, "50%" }, { 1, "%n" } },
    }, "percent")
    local svg = read(path)
    assert.truthy(svg:find(">50%<", 1, true))
    assert.truthy(svg:find(">%n<", 1, true))
  end)

  it("never runs what a text holds", function()
    for i, s in ipairs(HOSTILE) do
      local fig = plot.figure {
        title = s, layout = { 1, 2 }, size = { 1200, 420 },
        panels = {
          {
            title = s, xlabel = s, ylabel = s, legend = true,
            series = {
              { y = { 1, 2 }, label = s }, { y = { NAN }, label = s },
            },
            lines = { { x = 1, label = s } },
            xticks = { { 0, s } }, yticks = { { 1, s } },
          },
          { image = { z = { { 1, NAN }, { 3, 4 } }, label = s, missing = s,
            xlabels = { s, s }, ylabels = { s, s } } },
        },
      }
      local script = fig:script("svg", s)
      assert.is_nil(bare(script):find "[`$@]")
      assert.is_nil(bare(script):find "touch")
      for line in script:gmatch "[^\n]+" do
        if line:find "^set [xy]?[c]?[b]?label" or line:find "title '" then
          assert.truthy(line:find("noenhanced", 1, true), line)
        end
      end
      for _, format in ipairs { "svg", "png", "pdf" } do
        save(fig, "hostile" .. i, format)
      end
      assert_xml(("%s/hostile%d.svg"):format(folder, i))
    end
    assert.is_false(exists(folder .. "/marker"))
    assert.is_false(exists "marker")
  end)

  it("goes into folders of any name", function()
    for _, name in ipairs {
      "<touch marker", "|touch marker", "-e", "~", "a b", "$(touch marker)",
      "it's", "`touch marker`", "a\nb",
    } do
      local fig = one { series = { { y = { 1, 2 } } } }
      local ok, path = fig:save(folder .. "/" .. name, "k", "svg")
      assert.is_true(ok, path)
      assert.equal(folder .. "/" .. name .. "/k.svg", path)
      assert.is_nil(read(path):find(name, 1, true))
    end
    assert.is_false(exists(folder .. "/marker"))
  end)

  it("shows a placeholder where nothing can be drawn", function()
    for name, panel in pairs {
      nan = { series = { { y = { NAN, NAN } } } },
      infinite = { series = { { y = { math.huge, -math.huge } } } },
      empty = { series = { { y = {} } } },
      nothing = {},
      negative = { logy = true, series = { { y = { -1, 0 } } } },
      image = { image = { z = { { NAN, NAN }, { NAN, NAN } } } },
      no_rows = { image = { z = {} } },
    } do
      panel.title = name
      local _, path = save(plot.figure { layout = { 1, 2 }, panels = {
        panel, { title = "good", series = { { y = { 1, 2 } } } },
      } }, name)
      local svg = read(path)
      assert.truthy(svg:find("no finite values", 1, true), name)
      assert.truthy(svg:find(">good<", 1, true))
    end
  end)

  it("draws constant, tiny, huge and close values", function()
    for name, y in pairs {
      constant = { 5, 5, 5 }, zeros = { 0, 0 }, negative = { -2, -2 },
      tiny = { 1e-310, 2e-310 }, small = { 1e-12, 3e-12 },
      huge = { -1e300, 1e300 }, close = { 1, 1 + 2 ^ -52 },
      infinite = { 1, math.huge, 2 },
    } do
      save(one { series = { { y = y } } }, "y_" .. name)
      save(one { logy = true, series = { { y = y } } }, "log_" .. name)
    end
  end)

  it("counts a histogram's values in equal bins", function()
    local fig = one { series = {
      { values = { 0, 1, 1, 2, 4, NAN }, bins = 4, style = "histogram" },
    } }
    assert.equal("# panel 1, series 1: x y width\n0.5 1 1\n1.5 2 1\n2.5 1 1\n"
      .. "3.5 1 1\n", fig:data())
  end)

  it("puts the legend where it hides least", function()
    local function place(y)
      local fig = one { legend = true, series = { { y = y, label = "a" } } }
      return fig:script("svg"):match "set key inside (%l+ %l+)"
    end
    assert.equal("right top", place { 3, 2, 1 })
    assert.equal("left top", place { 1, 2, 3 })
    assert.equal("left bottom", place { 3, 1, 1, 3 })
  end)
end)

describe("the kinds of plots", function()
  local function first_lines(fig, n)
    local out = {}
    for line in fig:data():gmatch "[^\n]+" do
      out[#out + 1] = line
      if #out == n then break end
    end
    return table.concat(out, "\n")
  end

  it("take y, x and y, tensors, and options last", function()
    local y = core.tensor { 3, 1, 2 }
    assert.equal("# panel 1, series 1: x y\n0 3\n1 1\n2 2\n", plot(y):data())
    assert.equal(plot({ 0, 1, 2 }, y):data(), plot { y = y }:data())
    assert.equal(plot({}, {}):data(), plot({}):data())
    local script = plot(y, { title = "t", label = "l", logy = true,
      size = { 300, 200 } }):script()
    for _, s in ipairs {
      "size 300,200 ", "set title 't'", "title 'l'", "set logscale y 10",
    } do
      assert.truthy(script:find(s, 1, true), s)
    end
    assert.truthy(plot.scatter(y):script():find("with points", 1, true))
    assert.truthy(plot.line(y, y):script():find("with lines", 1, true))
  end)

  it("take a description of a series, a panel or a figure", function()
    local series = { y = { 1, 2 }, label = "s" }
    local one = plot { y = { 1, 2 }, label = "s", title = "t" }
    assert.equal(one:script(), plot { series = { series },
      title = "t" }:script())
    assert.equal(one:script(), plot { panels = { { series = { series },
      title = "t" } } }:script())
    assert.equal(plot.heatmap({ { 1, 2 } }):script(),
      plot { image = { z = { { 1, 2 } } } }:script())
  end)

  it("have their known script and data", function()
    local fig = plot.panels({
      plot { title = "lines",
        series = { { y = { 1, 3, 2 }, error = { 0.5, 0.25, NAN } },
          { y = { 2, 2, 1 }, error = 1, style = "points", label = "b" } },
        bands = { { x = { 1.5, 0.5 }, label = "phase", colour = "orange" },
          { y = { 1, 99 } } },
        texts = { { x = 0, y = 3, text = "it's" },
          { x = 2, y = 2, text = "r", align = "right", colour = "red" } },
        yrange = { 0, 4 } },
      plot.bars({ "W_Q", "50%" }, { 3, 5 }, { error = 1, title = "bars" }),
      plot { title = "grouped", xlabels = { "a", "b" }, series = {
        { y = { 1, 2 }, style = "bars" }, { y = { 2, 1 }, style = "bars" },
      } },
      plot.histogram({ 0, 1, 1, 4 }, 2, { title = "counts" }),
      plot.heatmap({ { 1, NAN }, { 3, 4 } }, { label = "z", missing = "gone",
        ylabels = { "u", "v" } }),
      plot.scatter({ 1, 10 }, { 1, 100 }, { logx = true, logy = true,
        error = { 2, 50 } }),
    }, { title = "kinds" })
    compare("kinds.gp", fig:script("svg", "kinds"))
    compare("kinds.dat", fig:data())
    for _, format in ipairs { "svg", "png", "pdf" } do
      save(fig, "kinds", format)
    end
  end)

  it("stand bars of several series side by side", function()
    local fig = plot { series = {
      { y = { 1, 2 }, style = "bars" }, { y = { 3, 4 }, style = "bars" },
    } }
    assert.equal("# panel 1, series 1: x y width\n-0.2 1 0.4\n0.8 2 0.4\n\n\n"
      .. "# panel 1, series 2: x y width\n0.2 3 0.4\n1.2 4 0.4\n", fig:data())
  end)

  it("cut strips at the panel's edges", function()
    local fig = plot { y = { 1, 2 }, xrange = { 0, 1 }, yrange = { 0, 2 },
      bands = { { x = { -5, 0.5 } } } }
    assert.truthy(fig:data():find("band 1: x y\n0 0\n0 2\n0.5 2\n0.5 0\n", 1,
      true))
  end)

  it("end error bars at the foot of a log axis", function()
    local fig = plot { y = { 1, 10 }, error = 5, logy = true,
      yrange = { 0.1, 100 } }
    assert.equal("# panel 1, series 1: x y low high\n0 1 0.1 6\n1 10 5 15",
      first_lines(fig, 3))
  end)

  it("keep words inside the panel", function()
    local script = plot { y = { 1, 2 }, xrange = { 0, 1 }, texts = {
      { x = 5, y = 1, text = "out" }, { x = 1, y = 1, text = "in" },
    } }:script()
    assert.is_nil(script:find "'out'")
    assert.truthy(script:find("set label 3 'in' at 1,1 left", 1, true))
    assert.truthy(script:find("\nunset label 3", 1, true))
  end)

  it("go into one figure, with shared axes", function()
    local a, b = plot({ 1, 2 }, { title = "a" }), plot({ 5, 9, 7 })
    local fig = plot.panels({ a, b, { title = "c" }, plot.panels { a } }, {
      cols = 2, share_x = true, share_y = true, title = "all" })
    local script = fig:script()
    assert.truthy(script:find("size 1200,840 ", 1, true))
    local _, same = script:gsub("set xrange %[%-0%.1:2%.1%]", "")
    assert.equal(4, same)
    local _, bare_x = script:gsub("set format x ''", "")
    local _, bare_y = script:gsub("set format y ''", "")
    assert.same({ 1, 2 }, { bare_x, bare_y })
    assert.equal(a:script(), plot({ 1, 2 }, { title = "a" }):script())
    save(fig, "shared")
  end)

  it("leave no label below where the axis is shared", function()
    local words = { xlabels = { "u", "v" } }
    local fig = plot.panels({ plot({ 1, 2 }, words), plot({ 1, 2 }, words) },
      { cols = 1, share_x = true })
    local _, labelled = fig:script():gsub("%('u' 0, 'v' 1%)", "")
    local _, empty = fig:script():gsub("%('' 0, '' 1%)", "")
    assert.same({ 1, 1 }, { labelled, empty })
  end)

  it("keep legends off the words at points", function()
    local place = plot { y = { 3, 2, 1 }, label = "a", texts = {
      { x = 1.9, y = 3, text = "here", align = "right" },
    } }:script():match "set key inside (%l+ %l+)"
    assert.equal("left bottom", place)
    assert.truthy(plot { y = { 1 }, label = "a", legend = false }:script()
      :find("unset key", 1, true))
  end)

  it("are refused with the place and the words", function()
    local function message(...)
      local ok, got = pcall(...)
      assert.is_false(ok)
      return (got:gsub("^.-plot_spec%.lua:%d+: ", ""))
    end
    local function said(fn, ...)
      local args = table.pack(...)
      return message(function()
        local fig = fn(table.unpack(args, 1, args.n))
        return fig
      end)
    end
    assert.equal("plot: y is a nil, expected an array or a tensor of numbers",
      said(plot))
    assert.equal("scatter: x is a number, expected an array or a tensor of"
      .. " numbers", said(plot.scatter, 1, { 2 }))
    assert.equal("panel 1: field 'lable' is unknown",
      said(plot, { 1 }, { lable = "x" }))
    assert.equal("panel 1: series 1: y is a tensor of 2 axes, expected 1",
      said(plot, core.tensor { { 1, 2 } }))
    assert.equal("panel 1: image: z is a tensor of 1 axes, expected 2",
      said(plot.heatmap, core.tensor { 1, 2 }))
    assert.equal("panel 1: image: z is a table of names, expected an array of"
      .. " rows", said(plot.heatmap, { z = { { 1 } } }))
    assert.equal("panel 1: series 1: error has 1 values, y has 2",
      said(plot, { 1, 2 }, { error = { 1 } }))
    assert.equal("panel 1: band 1: expected {from, to} as x or as y",
      said(plot, { 1 }, { bands = { { x = 1 } } }))
    assert.equal("panel 1: text 1: y is a nil, expected a number",
      said(plot, { 1 }, { texts = { { x = 1, text = "a" } } }))
    assert.equal("panel 1: text 1: align is 'up', expected left, center or"
      .. " right", said(plot, { 1 }, { texts = { { x = 1, y = 1, text = "a",
        align = "up" } } }))
    assert.equal("panel 1: lines is a number, expected an array",
      said(plot, { 1 }, { lines = 1 }))
    for _, fn in ipairs { plot, plot.line, plot.scatter, plot.bars } do
      assert.equal("options are a number, expected a table",
        said(fn, { 1 }, { 1 }, 5))
    end
    assert.equal("options are a number, expected a table",
      said(plot.histogram, { 1 }, 4, 5))
    assert.equal("options are a string, expected a table",
      said(plot.heatmap, { { 1 } }, "x"))
    assert.equal("panels: options are a boolean, expected a table",
      said(plot.panels, { {} }, true))
    assert.equal("panels: list is a nil, expected an array of figures",
      said(plot.panels))
    assert.equal("panels: cols: expected a whole number from 1 up",
      said(plot.panels, { {} }, { cols = 0 }))
    assert.equal("figure: field 'titel' is unknown",
      said(plot.panels, { {} }, { titel = "x" }))
    local fig = plot { 1 }
    assert.equal("called on a nil, expected a figure", said(fig.show))
    assert.equal("argument 1 of save is a nil, expected text",
      said(fig.save, fig))
  end)

  it("say what they are", function()
    assert.equal("figure of 1 panel, 600 x 420; :show() draws it,"
      .. " :save(path) too", tostring(plot { 1, 2 }))
  end)
end)

describe("a wrong description", function()
  local function message(description)
    local ok, got = pcall(plot.figure, description)
    assert.is_false(ok)
    return (got:gsub("^.-plot_spec%.lua:%d+: ", ""))
  end

  local function panel_message(panel)
    return message { panels = { { series = {} }, panel } }
  end

  it("is refused with its place and what was expected", function()
    assert.equal("a figure's description is a nil, expected a table",
      message(nil))
    assert.equal("layout: 0 panels, expected 1 to 1", message {})
    assert.equal("layout: 2 panels, expected 1 to 1",
      message { layout = { 1, 1 }, panels = { {}, {} } })
    assert.equal("layout: expected rows and columns, whole numbers from 1 to"
      .. " 100", message { layout = { 1.5, 1 }, panels = { {} } })
    assert.equal("size: expected width and height, whole numbers of px from"
      .. " 100 to 20000", message { size = { 1e9, 10 }, panels = { {} } })
    assert.equal("panel 2: series 1: y is a nil, expected an array of numbers",
      panel_message { series = { {} } })
    assert.equal("panel 2: series 1: y[2] is a string, expected a number",
      panel_message { series = { { y = { 1, "2" } } } })
    assert.equal("panel 2: series 1: x has 1 values, y has 2",
      panel_message { series = { { x = { 1 }, y = { 1, 2 } } } })
    assert.equal("panel 2: series 1: style 'pie' is unknown, expected line,"
      .. " points, linespoints, bars, band or histogram",
      panel_message { series = { { y = {}, style = "pie" } } })
    assert.equal("panel 2: series 1: colour 'red'; !x' is unknown, expected"
      .. " #rrggbb or a name such as red or grey",
      panel_message { series = { { y = {}, colour = "red'; !x" } } })
    assert.equal("panel 2: line 1: expected a number as x or as y",
      panel_message { lines = { {} } })
    assert.equal("panel 2: line 1: style 'wavy' is unknown, expected solid,"
      .. " dashed or dotted", panel_message { lines = { { x = 1,
        style = "wavy" } } })
    assert.equal("panel 2: yrange: expected two different finite numbers above"
      .. " 0 on a log axis", panel_message { logy = true, yrange = { 0, 1 } })
    assert.equal("panel 2: image: z[2] has 1 values, z[1] has 2",
      panel_message { image = { z = { { 1, 2 }, { 3 } } } })
    assert.equal("panel 2: image: xlabels has 1 labels, the matrix needs 2",
      panel_message { image = { z = { { 1, 2 } }, xlabels = { "a" } } })
    assert.equal("panel 2: title is a table, expected text",
      panel_message { title = {} })
    assert.equal("panel 2: aspect is 'wide', expected \"equal\"",
      panel_message { aspect = "wide" })
    assert.equal("panel 2: series 1: bins is 0, expected a whole number from 1"
      .. " to 100000", panel_message { series = { { values = {}, bins = 0,
        style = "histogram" } } })
  end)
end)

describe("saving", function()
  local fig = plot.figure { panels = { { series = { { y = { 1, 2 } } } } } }

  -- core.sys.run replaced for the length of one call
  local function with_run(stand_in, ...)
    local real = core.sys.run
    core.sys.run = stand_in
    local got = table.pack(pcall(fig.save, fig, ...))
    core.sys.run = real
    assert.is_true(got[1], got[2])
    return table.unpack(got, 2, got.n)
  end

  it("takes a path with or without its ending", function()
    for _, args in ipairs {
      { folder .. "/p1.png" }, { folder .. "/p1", "png" },
      { folder .. "/p1.png", "png" }, { folder, "p1", "png" },
    } do
      local ok, path = fig:save(table.unpack(args))
      assert.is_true(ok, path)
      assert.equal(folder .. "/p1.png", path)
    end
    local _, path = fig:save(folder .. "/v1.2")
    assert.equal(folder .. "/v1.2.svg", path)
  end)

  it("refuses a format it does not know", function()
    assert.same({ nil, "figure format 'gif' is unknown, expected svg, png or"
      .. " pdf", "argument" }, { fig:save(folder, "x", "gif") })
    assert.has_error(function() fig:script "html" end)
  end)

  it("says what gnuplot said", function()
    local ok, message, code = with_run(function()
      return 1, '\n"./x.gp" line 9: warning: so so\nplot x\n     ^\n'
        .. '"./x.gp" line 10: all points \27[31mundefined!\n'
    end, folder, "said", "svg")
    assert.is_nil(ok)
    assert.equal("gnuplot could not draw 'said.gp' (status 1):"
      .. ' "./x.gp" line 10: all points \\x1B[31mundefined!', message)
    assert.equal("io", code)
    assert.is_false(exists(folder .. "/said.svg"))
  end)

  it("does not take an empty file for a picture", function()
    local ok, message = with_run(function(argv, opts)
      local part = argv[4]:match "picture='%./(.*)'"
      assert(core.sys.write(opts.cwd .. "/" .. part, ""))
      return 0, "warning: nothing\n"
    end, folder, "hollow", "svg")
    assert.is_nil(ok)
    assert.equal("gnuplot could not draw 'hollow.gp' (status 0): no picture"
      .. " was drawn", message)
    local _, listing = run({ "ls", "-a" }, folder)
    assert.is_nil(listing:find "part")
  end)

  it("keeps the old picture where the new one fails", function()
    save(fig, "kept")
    local before = read(folder .. "/kept.svg")
    with_run(function() return 139, "" end, folder, "kept", "svg")
    assert.equal(before, read(folder .. "/kept.svg"))
  end)

  it("passes on that gnuplot is not there", function()
    local ok, message, code = with_run(function()
      return nil, "'gnuplot': no such program", "io"
    end, folder, "absent", "svg")
    assert.is_nil(ok)
    assert.equal("'gnuplot': no such program", message)
    assert.equal("io", code)
  end)

  it("names a folder it cannot make", function()
    assert(core.sys.write(folder .. "/file", "x"))
    local ok, message = fig:save(folder .. "/file/sub", "x", "svg")
    assert.is_nil(ok)
    assert.truthy(message:find("file", 1, true))
  end)
end)
