-- Frames: tables of named columns.
return {
  name = "frame",
  title = "Frames",
  text = [[
    A frame is a table of named columns of one length: plain arrays of
    numbers, text or truth values, where NaN is a missing number and prints
    n/a. Every method that changes something gives a new frame. Rows are
    numbered from 1.]],
  class = "frame",
  fields = {
    { "n", "integer", "rows, also #f" },
    { "names", "texts", "of the columns, in order" },
    { "columns", "table", "arrays by name" },
    { "units", "table", "units by name" },
  },
  {
    name = "weft.frame.new",
    summary = "A frame of columns.",
    params = {
      { "names", "texts", "the columns' order" },
      { "columns", "table", "arrays by name, all of one length" },
      { "units?", "table", "units by name" },
    },
    returns = { { "f", "frame" } },
    example = [[
      local f = weft.frame.new({ "layer", "rank" },
        { layer = { 0, 1 }, rank = { 7.5, 3.25 } })
      print(f)
      --> | layer | rank |
      --> | ----: | ---: |
      --> |     0 |  7.5 |
      --> |     1 | 3.25 |
    ]],
    see = { "weft.frame.from_rows", "weft.frame.from_csv" },
  },
  {
    name = "weft.frame.from_rows",
    summary = "A frame of rows, each a table by name; what a row lacks is NaN.",
    params = {
      { "names", "texts", "the columns' order" },
      { "rows", "table", "{ {layer = 0, …}, … }" },
      { "units?", "table", "units by name" },
    },
    returns = { { "f", "frame" } },
    example = [[
      local f = weft.frame.from_rows({ "a", "b" },
        { { a = 1, b = 2 }, { a = 3 } })
      print(f.n, f:column("b")[2] ~= f:column("b")[2])  --> 2  true
    ]],
    see = { "weft.frame.new" },
  },
  {
    name = "weft.frame.from_csv",
    summary = "A frame from CSV text whose first line holds the names; a "
      .. "column of numbers alone is one of numbers, an empty cell NaN.",
    params = { { "text", "text" } },
    returns = { { "f", "frame" } },
    errors = "nil, message, code where the text is no table",
    source = "RFC 4180",
    example = [[
      local f = weft.frame.from_csv("layer,name\n0,W_Q\n1,W_K\n")
      print(f:row(2).layer, f:row(2).name)  --> 1  W_K
    ]],
    see = { "frame:csv", "weft.csv.decode" },
  },
  {
    name = "weft.frame.from_json",
    summary = "A frame from a JSON array of flat objects; null and what an "
      .. "object lacks are NaN.",
    params = { { "text", "text" } },
    returns = { { "f", "frame" } },
    errors = "nil, message, code where the text is no such array",
    example = [[
      local f = weft.frame.from_json('[{"a": 1, "b": "x"}, {"a": 2}]')
      print(f.n, table.concat(f.names, " "))  --> 2  a b
    ]],
    see = { "frame:json" },
  },
  {
    name = "frame:column",
    summary = "A column as an array, not copied.",
    params = { { "name", "text" } },
    returns = { { "column", "table" } },
    errors = "raises for an unknown column and lists the known ones",
    example = [[
      local f = weft.frame.new({ "a" }, { a = { 5, 6 } })
      print(f:column("a")[2])  --> 6
    ]],
    see = { "frame:row", "frame:select" },
  },
  {
    name = "frame:row",
    summary = "A row as a table by name.",
    params = { { "i", "subscript", "1 to f.n" } },
    returns = { { "row", "table" } },
    example = [[
      local f = weft.frame.new({ "a" }, { a = { 5, 6 } })
      print(f:row(1).a)  --> 5
    ]],
    see = { "frame:rows" },
  },
  {
    name = "frame:rows",
    summary = "Iterates over the rows: i, row.",
    returns = { { "next", "function" } },
    example = [[
      local f = weft.frame.new({ "a" }, { a = { 5, 6 } })
      for i, row in f:rows() do
        print(i, row.a)
      end
      --> 1  5
      --> 2  6
    ]],
    see = { "frame:row", "frame:filter" },
  },
  {
    name = "frame:filter",
    summary = "The rows for which keep(row) is true, or whose columns have the "
      .. "values of a table.",
    params = { { "keep", "function|table", "f[f.x > 1] in pandas" } },
    returns = { { "f", "frame" } },
    example = [[
      local f = weft.frame.new({ "a", "b" }, { a = { 1, 2, 3 },
        b = { "x", "y", "x" } })
      print(f:filter { b = "x" }.n,
        f:filter(function(row) return row.a > 2 end).n)  --> 2  1
    ]],
    see = { "frame:sort", "frame:head" },
  },
  {
    name = "frame:sort",
    summary = "Rows by rising or falling value of a column; equal ones keep "
      .. "their order, NaN comes last.",
    params = { { "name", "text" }, { "descending?", "boolean" } },
    returns = { { "f", "frame" } },
    example = [[
      local f = weft.frame.new({ "a" }, { a = { 1, 3, 2 } })
      print(table.concat(f:sort("a", true):column("a"), " "))  --> 3 2 1
    ]],
    see = { "frame:head" },
  },
  {
    name = "frame:head",
    summary = "The first rows.",
    params = { { "count", "integer", "rows" } },
    returns = { { "f", "frame" } },
    example = [[
      print(weft.frame.new({ "a" }, { a = { 1, 3, 2 } }):head(2).n)  --> 2
    ]],
    see = { "frame:sort" },
  },
  {
    name = "frame:unique",
    summary = "The different values of a column, in order of appearance.",
    params = { { "name", "text" } },
    returns = { { "values", "table" } },
    example = [[
      local f = weft.frame.new({ "a" }, { a = { "x", "y", "x" } })
      print(#f:unique("a"))  --> 2
    ]],
    see = { "frame:groups" },
  },
  {
    name = "frame:select",
    summary = "The columns that are named, in that order.",
    params = { { "names", "texts" } },
    returns = { { "f", "frame" } },
    example = [[
      local f = weft.frame.new({ "a", "b" }, { a = { 1 }, b = { 2 } })
      print(table.concat(f:select({ "b" }).names, " "))  --> b
    ]],
    see = { "frame:with" },
  },
  {
    name = "frame:with",
    summary = "One column more, or one replaced in its place: value(row, i) of "
      .. "each row, nil being a missing one.",
    params = { { "name", "text" }, { "value", "function", "value(row, i)" },
      { "unit?", "text" } },
    returns = { { "f", "frame" } },
    example = [[
      local f = weft.frame.new({ "a" }, { a = { 1, 2 } })
      f = f:with("double", function(row) return 2 * row.a end)
      print(f:row(2).double)  --> 4
    ]],
    see = { "frame:select" },
  },
  {
    name = "frame:groups",
    summary = "Groups of equal values of a column, in sorted order.",
    params = { { "name", "text" } },
    returns = { { "groups", "table", "{key, frame}, …" } },
    source = "pandas.DataFrame.groupby",
    example = [[
      local f = weft.frame.new({ "k", "x" }, { k = { "b", "a", "b" },
        x = { 1, 2, 3 } })
      for _, group in ipairs(f:groups("k")) do
        print(group.key, group.frame.n)
      end
      --> a  1
      --> b  2
    ]],
    see = { "frame:aggregate" },
  },
  {
    name = "frame:aggregate",
    summary = "A row a group with aggregates of one column: groupby(by)[value]"
      .. ".agg(aggregates).",
    params = {
      { "by", "text", "column" }, { "value", "text", "column" },
      { "aggregates", "table", "names (count sum mean std var cv min max "
        .. "median range first last; std, var, cv with ddof 1) or {name, fn}" },
    },
    returns = { { "f", "frame" } },
    source = "pandas.core.groupby.DataFrameGroupBy.agg; ddof 1 as there",
    example = [[
      local f = weft.frame.new({ "k", "x" }, { k = { "b", "a", "b" },
        x = { 1, 2, 3 } })
      print(f:aggregate("k", "x", { "mean", "count" }):row(2).mean)  --> 2.0
    ]],
    see = { "frame:groups", "frame:describe" },
  },
  {
    name = "frame:describe",
    summary = "count, mean, std, min, max, median, range and cv of one column, "
      .. "or of every column of numbers.",
    params = { { "name?", "text" } },
    returns = { { "f", "frame", "a row a column" } },
    source = "pandas' ddof 1",
    example = [[
      local f = weft.frame.new({ "x" }, { x = { 1, 2, 3 } })
      print(f:describe("x"):row(1).std)  --> 1.0
    ]],
    see = { "frame:aggregate" },
  },
  {
    name = "frame:pivot",
    summary = "One row a value of one column, one column a value of another, "
      .. "both sorted.",
    params = { { "index", "text", "column" }, { "columns", "text", "column" },
      { "values", "text", "column" } },
    returns = { { "f", "frame", "NaN where there is no value" } },
    errors = "raises where a place has two values",
    source = "pandas.DataFrame.pivot",
    example = [[
      local f = weft.frame.new({ "layer", "name", "x" }, { layer = { 0, 0, 1 },
        name = { "W_Q", "W_K", "W_Q" }, x = { 1, 2, 3 } })
      print(table.concat(f:pivot("layer", "name", "x").names, " "))
      --> layer W_K W_Q
    ]],
    see = { "frame:groups" },
  },
  {
    name = "frame:join",
    summary = "Inner join: each row with the columns of the row of another "
      .. "frame that has the same value in one column.",
    params = { { "other", "frame", "its values of `on` are unique" },
      { "on", "text", "column" } },
    returns = { { "f", "frame", "a name that is there twice gets _2" } },
    source = "pandas.DataFrame.merge",
    example = [[
      local a = weft.frame.new({ "k", "x" }, { k = { 1, 2 }, x = { 5, 6 } })
      local b = weft.frame.new({ "k", "y" }, { k = { 2 }, y = { 7 } })
      print(a:join(b, "k"):row(1).y)  --> 7
    ]],
    see = { "frame:with" },
  },
  {
    name = "frame:csv",
    summary = "CSV text: a line of names, then the rows, numbers the shortest "
      .. "that read back as the same double.",
    returns = { { "text", "text" } },
    source = "RFC 4180",
    example = [[
      print((weft.frame.new({ "x" }, { x = { 0.1 } }):csv():gsub("\n", ";")))
      --> x;0.1;
    ]],
    see = { "weft.frame.from_csv", "frame:json" },
  },
  {
    name = "frame:json",
    summary = "JSON text: an array of objects, keys in the columns' order; NaN "
      .. "and infinities are null.",
    returns = { { "text", "text" } },
    example = [[
      print((weft.frame.new({ "x" }, { x = { 1 } }):json():gsub("%s", "")))
      --> [{"x":1}]
    ]],
    see = { "weft.frame.from_json" },
  },
  {
    name = "frame:markdown",
    summary = "A markdown table.",
    params = {
      { "options?", "table" },
      { "options.format?", "table", "printf formats by name (%.6g)" },
      { "options.title?", "table", "heads by name (the name and its unit)" },
    },
    returns = { { "text", "text" } },
    example = [[
      local f = weft.frame.new({ "x" }, { x = { 1 / 3 } })
      print(f:markdown { format = { x = "%.2f" } })
      --> |    x |
      --> | ---: |
      --> | 0.33 |
    ]],
    see = { "frame:csv" },
  },
  {
    name = "frame:latex",
    summary = "A tabular of plain LaTeX, with lines around the column heads.",
    params = {
      { "options?", "table" },
      { "options.format?", "table", "printf formats by name (%.6g)" },
      { "options.title?", "table", "heads by name (the name and its unit)" },
    },
    returns = { { "text", "text" } },
    example = [[
      print(weft.frame.new({ "x" }, { x = { 0.5 } }):latex():match("0%.5"))
      --> 0.5
    ]],
    see = { "frame:markdown" },
  },
}
