-- Figures.
local OPTIONS <const> = { "options?", "table",
  "fields of a panel, of the series and of the figure, in one table" }
local FIGURE <const> = { { "fig", "figure" } }
local WRONG <const> = "raises for a field that is not known, and names it"

return {
  name = "plot",
  title = "Figures",
  text = [[
    A figure is plain data: it draws itself in the terminal, or as a file by
    gnuplot, whose script and data stay beside the picture and can be run
    again by hand. Columns are arrays of numbers or tensors of one axis; NaN
    and infinities are gaps. Options of a panel: title, xlabel, ylabel,
    logx, logy, xrange, yrange ({lo, hi}), xticks, yticks, xlabels, aspect
    ("equal"), whole, legend, lines ({x or y, style, label, colour}), bands
    ({x or y = {from, to}, label, colour}), texts ({x, y, text, align,
    colour}); of a series: label, colour, style ("line", "points",
    "linespoints", "bars", "band", "histogram"), error; of a figure: size
    ({width, height} in px), layout ({rows, cols}), share_x, share_y, title.
    Colours are "#rrggbb" or names of a palette that colour-blind eyes tell
    apart: black, blue, green, grey, orange, purple, red, sky, vermillion,
    white.]],
  class = "figure",
  fields = {},
  {
    name = "weft.plot", call = "weft.plot(y), weft.plot(x, y), weft.plot{…}",
    kind = "callable",
    summary = "A figure of a line, or of a whole description.",
    params = { { "x", "numbers|tensor|table",
      "or y, where it stands alone; or {series =}, {panels =}" },
      { "y?", "numbers|tensor|table" }, OPTIONS },
    returns = FIGURE, errors = WRONG,
    example = [[
      local fig = weft.plot({ 1, 4, 2 }, { title = "Three", ylabel = "s" })
      assert(fig:save("three.svg"))
      print(fig:text({ rows = 8 }):match("Three"))  --> Three
    ]],
    see = { "figure:show", "figure:save", "weft.plot.panels" },
  },
  {
    name = "weft.plot.figure",
    summary = "A figure of a whole description: {panels = {…}, title = …}.",
    params = { { "description", "table" } },
    returns = FIGURE, errors = WRONG,
    example = [[
      local fig = weft.plot.figure {
        panels = { { series = { { y = { 1, 2 } } } } },
      }
      print(tostring(fig):match("^figure of 1 panel"))  --> figure of 1 panel
    ]],
    see = { "weft.plot", "weft.plot.panels" },
  },
  {
    name = "weft.plot.line",
    summary = "A line.",
    params = { { "x", "numbers|tensor", "or y, where it stands alone" },
      { "y?", "numbers|tensor|table" }, OPTIONS },
    returns = FIGURE, errors = WRONG,
    example = [[
      local fig = weft.plot.line(weft.linspace(0, 1, 20), weft.randn(1, 20))
      assert(fig:save("line.svg"))
    ]],
    see = { "weft.plot.scatter" },
  },
  {
    name = "weft.plot.scatter",
    summary = "Points.",
    params = { { "x", "numbers|tensor", "or y, where it stands alone" },
      { "y?", "numbers|tensor|table" }, OPTIONS },
    returns = FIGURE, errors = WRONG,
    example = [[
      local re, im = weft.eigvals(weft.randn(1, 20, 20))
      assert(weft.plot.scatter(re, im, { aspect = "equal" }):save("plane.svg"))
    ]],
    see = { "weft.plot.line" },
  },
  {
    name = "weft.plot.histogram",
    summary = "How many values lie in each part of their range.",
    params = { { "values", "numbers|tensor" },
      { "bins?", "integer|table",
        "1 + log2 n where left out; or the options" }, OPTIONS },
    returns = FIGURE, errors = WRONG,
    example = [[
      assert(weft.plot.histogram(weft.randn(1, 500), 20):save("normal.svg"))
    ]],
    see = { "tensor:histogram" },
  },
  {
    name = "weft.plot.bars",
    summary = "A bar a value, with its label below.",
    params = { { "labels", "texts", "or values, where they stand alone" },
      { "values?", "numbers|tensor|table" }, OPTIONS },
    returns = FIGURE, errors = WRONG,
    example = [[
      assert(weft.plot.bars({ "W_Q", "W_K" }, { 3, 5 }):save("bars.svg"))
    ]],
    see = { "weft.plot.line" },
  },
  {
    name = "weft.plot.heatmap",
    summary = "A matrix in colours (viridis): rows downwards, NaN grey.",
    params = {
      { "z", "matrix|table", "a tensor of 2 axes, or rows of numbers",
    },
      { "options?", "table", "a panel's, and label, xlabels, ylabels, "
        .. "missing" } },
    returns = FIGURE, errors = WRONG,
    example = [[
      assert(weft.plot.heatmap(weft.randn(1, 6, 8), { xlabel = "Head" })
        :save("map.svg"))
    ]],
    see = { "weft.plot.panels" },
  },
  {
    name = "weft.plot.panels",
    summary = "Figures, or descriptions of panels, beside each other as one.",
    params = { { "list", "table", "figures or panels" },
      { "options?", "table" },
      { "options.cols?", "integer", "beside each other" },
      { "options.share_x?", "boolean", "one range for all" },
      { "options.share_y?", "boolean", "one range for all" },
      { "options.title?", "text" }, { "options.size?", "table", "px" } },
    returns = FIGURE, errors = WRONG,
    example = [[
      local fig = weft.plot.panels({ weft.plot { y = { 1, 2 } },
        weft.plot { y = { 2, 1 } } }, { share_y = true })
      assert(fig:save("two.svg"))
    ]],
    see = { "weft.plot" },
  },
  {
    name = "weft.plot.slug",
    summary = "Foreign text as the name of a file.",
    params = { { "text", "any" } },
    returns = { { "name", "text" } },
    example = [[
      print(weft.plot.slug("W_Q"), weft.plot.slug("a/b"):match("^a_b"))
      --> W_Q  a_b
    ]],
  },
  {
    name = "figure:show",
    summary = "Draws on standard output: a picture where the terminal shows "
      .. "sixels, else characters.",
    params = {
      { "options?", "table", "any of them asks for characters" },
      { "options.columns?", "integer", "the terminal's where left out" },
      { "options.rows?", "integer", "of one row of panels" },
      { "options.colour?", "boolean|integer|text", "true: 24 bits; 256" } },
    example = [[
      assert(weft.plot({ 1, 2, 4 }).show)
    ]],
    see = { "figure:text", "figure:save" },
  },
  {
    name = "figure:text",
    summary = "The figure as lines of characters.",
    params = {
      { "options?", "table" },
      { "options.columns?", "integer", "80 where left out" },
      { "options.rows?", "integer", "of one row of panels; 24" },
      { "options.colour?", "boolean|integer|text", "true: 24 bits; 256" } },
    returns = { { "text", "text" } },
    example = [[
      local lines = weft.plot({ 1, 2, 4 }):text { columns = 40, rows = 10 }
      assert(#lines > 0)
    ]],
    see = { "figure:show" },
  },
  {
    name = "figure:save",
    call = "fig:save(path [, format])",
    summary = "Draws a picture beside the gnuplot script and the data it is "
      .. "drawn from.",
    params = { { "path", "text", "\"x.svg\", or \"x\" and a format" },
      { "format?", "text", "\"svg\", \"png\" or \"pdf\"" },
      { "more?", "text", "a folder, a name and a format by themselves" } },
    returns = { { "true", "boolean" }, { "path", "text", "of the picture" } },
    errors = "nil, message, code where it can't be drawn",
    example = [[
      print(weft.plot({ 1, 2, 4 }):save("figures/up.svg"))
      --> true  figures/up.svg
    ]],
    see = { "figure:script", "figure:data" },
  },
  {
    name = "figure:script",
    summary = "gnuplot's script.",
    params = { { "format?", "text", "\"svg\" (left out), \"png\" or \"pdf\"" },
      { "name?", "text", "stem of the files it reads and writes" } },
    returns = { { "text", "text" } },
    errors = "raises for an unknown format",
    example = [[
      print(weft.plot({ 1, 2 }):script("svg"):match("set terminal svg"))
      --> set terminal svg
    ]],
    see = { "figure:data" },
  },
  {
    name = "figure:data",
    summary = "The data that the script draws, in columns.",
    returns = { { "text", "text" } },
    example = [[
      print((weft.plot({ 5, 7 }):data():gsub("#[^\n]*\n", "")))
      --> 0 5
      --> 1 7
    ]],
    see = { "figure:script" },
  },
}
