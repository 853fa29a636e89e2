-- What goes along an axis of a tensor.
local AXIS <const> = { "axis?", "subscript", "of t.shape; all elements where "
  .. "left out" }
local GIVES <const> = { { "value", "number|tensor", "without axis a number" } }
local FALLING <const> = { "falling?", "boolean" }
local DDOF <const> = { "ddof?", "number", "0 where left out, as in numpy" }

return {
  name = "along",
  title = "Along an axis",
  text = [[
    These go along an axis, a subscript of t.shape: 1 goes down the rows, 2
    across the columns. Without one all elements are taken, in row-major
    order, and what has one value is a number. NaN behaves as in numpy.]],
  { name = "tensor:sum", summary = "Sum.", params = { AXIS }, returns = GIVES,
    source = "pairwise summation",
    example = [[
      local t = weft.tensor { { 1, 2 }, { 3, 4 } }
      print(t:sum(), t:sum(1)[1], t:sum(2)[1])  --> 10.0  4.0  3.0
    ]],
    see = { "tensor:mean", "tensor:cumsum" } },
  { name = "tensor:mean", summary = "Arithmetic mean; NaN of nothing.",
    params = { AXIS }, returns = GIVES,
    example = [[print(weft.tensor({ 1, 2 }):mean())  --> 1.5]],
    see = { "tensor:std" } },
  { name = "tensor:var",
    summary = "Mean squared deviation from the mean, over n - ddof.",
    params = { AXIS, DDOF }, returns = GIVES, source = "numpy.var",
    example = [[print(weft.tensor({ 1, 3 }):var(nil, 1))  --> 2.0]],
    see = { "tensor:std" } },
  { name = "tensor:std", summary = "Standard deviation, over n - ddof.",
    params = { AXIS, DDOF }, returns = GIVES,
    source = "numpy.std; ddof 1: pandas.Series.std",
    example = [[print(weft.tensor({ 1, 3 }):std())  --> 1.0]],
    see = { "tensor:var", "tensor:mean" } },
  { name = "tensor:min", summary = "Least value; NaN where one is NaN.",
    params = { AXIS }, returns = GIVES, errors = "raises where there is none",
    example = [[print(weft.tensor({ 3, 1, 2 }):min())  --> 1.0]],
    see = { "tensor:max", "tensor:argmin" } },
  { name = "tensor:max", summary = "Largest value; NaN where one is NaN.",
    params = { AXIS }, returns = GIVES, errors = "raises where there is none",
    example = [[print(weft.tensor({ 3, 1, 2 }):max())  --> 3.0]],
    see = { "tensor:min", "tensor:argmax" } },
  { name = "tensor:argmin", summary = "Subscript of the first least value.",
    params = { AXIS },
    returns = { { "i", "integer|tensor", "a subscript; i64 with an axis" } },
    errors = "raises where there is none",
    example = [[print(weft.tensor({ 3, 1, 2 }):argmin())  --> 2]],
    see = { "tensor:min" } },
  { name = "tensor:argmax", summary = "Subscript of the first largest value.",
    params = { AXIS },
    returns = { { "i", "integer|tensor", "a subscript; i64 with an axis" } },
    errors = "raises where there is none",
    example = [[print(weft.tensor({ 3, 1, 2 }):argmax())  --> 1]],
    see = { "tensor:max" } },
  { name = "tensor:percentile",
    summary = "A percentile, linear between two elements.",
    params = { { "q", "number", "0 to 100" }, AXIS }, returns = GIVES,
    source = "numpy.percentile",
    example = [[print(weft.tensor({ 1, 2, 3, 4 }):percentile(25))  --> 1.75]],
    see = { "tensor:sort" } },
  { name = "tensor:norm",
    summary = "Root of the sum of squares; of a tensor of one axis also its "
      .. "other norms.",
    params = { { "p?", "number", "1, 2 or math.huge" } },
    returns = { { "x", "number" } },
    example = [[print(weft.tensor({ 3, -4 }):norm())  --> 5.0]],
    see = { "weft.norm" } },
  { name = "tensor:sort",
    call = "t:sort([axis] [, falling])",
    summary = "Sorted values, rising or falling; NaN comes last.",
    params = { { "axis?", "subscript|boolean", AXIS[3] }, FALLING },
    returns = { { "t", "tensor" } },
    example = [[print(weft.tensor({ 3, 1, 2 }):sort(true)[1])  --> 3.0]],
    see = { "tensor:argsort" } },
  { name = "tensor:argsort",
    call = "t:argsort([axis] [, falling])",
    summary = "Subscripts of the values in sorted order; equal ones keep "
      .. "theirs.",
    params = { { "axis?", "subscript|boolean", AXIS[3] }, FALLING },
    returns = { { "i", "tensor", "i64, subscripts" } },
    example = [[print(weft.tensor({ 3, 1, 2 }):argsort()[1])  --> 2]],
    see = { "tensor:sort" } },
  { name = "tensor:cumsum", summary = "Running sum.", params = { AXIS },
    returns = { { "t", "tensor" } },
    example = [[print(weft.tensor({ 1, 2, 3 }):cumsum()[3])  --> 6.0]],
    see = { "tensor:diff" } },
  { name = "tensor:diff", summary = "Differences of neighbours.",
    params = { AXIS }, returns = { { "t", "tensor", "one element less" } },
    example = [[print(weft.tensor({ 1, 4 }):diff()[1])  --> 3.0]],
    see = { "tensor:cumsum" } },
  { name = "tensor:histogram",
    summary = "How many elements lie in each of equal parts of a range, the "
      .. "last with its right edge.",
    params = { { "bins?", "integer", "10 where left out" },
      { "low?", "number", "the least element where left out" },
      { "high?", "number", "the largest element where left out" } },
    returns = { { "counts", "tensor", "i64, (bins)" },
      { "edges", "tensor", "f64, (bins + 1)" } },
    errors = "raises for a range that is not finite or not rising",
    source = "numpy.histogram",
    example = [[
      local counts, edges = weft.tensor({ 0, 1, 2, 3 }):histogram(2)
      print(counts[1], edges[2])  --> 2  1.5
    ]],
    see = { "weft.plot.histogram" } },
}
