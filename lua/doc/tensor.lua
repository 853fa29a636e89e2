-- Tensors: making them, views, elements, arithmetic.
local SHAPE <const> = { "shape...", "sizes",
  "sizes, or a table of them, at most 8" }
local DTYPE <const> = { "dtype?", "text", "\"f64\" (left out), \"f32\", "
  .. "\"i64\"" }
local NEW <const> = { { "t", "tensor" } }
local SAME <const> = { { "t", "tensor", "f64, the same shape" } }
local VIEW <const> = { { "view", "tensor", "shares the values" } }
local SEED <const> = { "seed", "integer", "the same seed, the same values" }

return {
  name = "tensor",
  title = "Tensors",
  text = [[
    Tensors of up to 8 axes, in memory (f64, f32, i64) or in a checkpoint's
    file (read-only, read when it is used, F16, Q4_K …). #t is the first
    axis' size. Subscripts count from 1, ranges hold both ends, and an axis
    is a subscript of t.shape: 1 is that of rows. t[i] is a number where
    there is one axis, else the view without the first, and nil right after
    the last, so that ipairs(t) ends; any other subscript outside raises.
    t[i] = v sets an element where there is one axis. Arithmetic gives f64.]],
  class = "tensor",
  fields = {
    { "shape", "integers", "a size an axis" },
    { "dtype", "text", "f64, f32, i64; a file's own name: F16, Q4_K, …" },
  },
  {
    name = "weft.tensor", also = { "weft.core.tensor" },
    summary = "A tensor of nested tables of numbers.",
    params = { { "values", "table", "at most 8 deep, none ragged" }, DTYPE },
    returns = NEW,
    example = [[
      local t = weft.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
      print(t.shape[1], t.shape[2], t:get(2, 3), t[1][2])  --> 2  3  6.0  2.0
    ]],
    see = { "weft.zeros", "tensor:totable" },
  },
  {
    name = "weft.zeros", also = { "weft.core.zeros" },
    summary = "A tensor of zeros.",
    params = { SHAPE, DTYPE }, returns = NEW,
    example = [[
      print(weft.zeros(2, 3):sum(), weft.zeros({ 4 }, "i64")[1])  --> 0.0  0
    ]],
    see = { "weft.ones", "weft.tensor" },
  },
  {
    name = "weft.ones", also = { "weft.core.ones" },
    summary = "A tensor of ones.",
    params = { SHAPE, DTYPE }, returns = NEW,
    example = [[
      print(weft.ones(2, 3):sum())  --> 6.0
    ]],
    see = { "weft.zeros", "weft.eye" },
  },
  {
    name = "weft.eye", also = { "weft.core.eye" },
    summary = "A matrix with ones on its diagonal.",
    params = {
      { "rows", "integer" },
      { "cols?", "integer", "as many as rows" },
    },
    returns = NEW, source = "numpy.eye",
    example = [[
      print(weft.eye(3):get(2, 2), weft.eye(2, 5):sum())  --> 1.0  2.0
    ]],
    see = { "weft.ones" },
  },
  {
    name = "weft.arange", also = { "weft.core.arange" },
    call = "weft.arange([start,] stop [, step])",
    summary = "Numbers from start (0) by step (1) to before stop.",
    params = { { "start", "number", "or stop, where it stands alone" },
      { "stop?", "number", "not reached" }, { "step?", "number", "not 0" } },
    returns = NEW, source = "numpy.arange",
    example = [[
      print(#weft.arange(5), weft.arange(1, 2, 0.25)[4])  --> 5  1.75
    ]],
    see = { "weft.linspace" },
  },
  {
    name = "weft.linspace", also = { "weft.core.linspace" },
    summary = "Numbers from start to stop, both included, equally far apart.",
    params = { { "start", "number" }, { "stop", "number" },
      { "count?", "integer", "50 where left out" } },
    returns = NEW, source = "numpy.linspace",
    example = [[
      print(weft.linspace(0, 1, 5)[2])  --> 0.25
    ]],
    see = { "weft.arange" },
  },
  {
    name = "weft.randn", also = { "weft.core.randn" },
    summary = "Standard normal numbers, the same on every machine.",
    params = { SEED, SHAPE }, returns = NEW,
    source = "xoshiro256++; Karney, ACM TOMS 42 (2016), algorithm N",
    example = [[
      local t = weft.randn(1, 200, 100)
      print(math.abs(t:mean()) < 0.03, math.abs(t:std() - 1) < 0.03)
      --> true  true
    ]],
    see = { "weft.uniform", "weft.core.planted" },
  },
  {
    name = "weft.uniform", also = { "weft.core.uniform" },
    summary = "Uniform numbers in [0, 1), the same on every machine.",
    params = { SEED, SHAPE }, returns = NEW, source = "xoshiro256++",
    example = [[
      local t = weft.uniform(1, 100)
      print(t:min() >= 0, t:max() < 1)  --> true  true
    ]],
    see = { "weft.randn" },
  },
  {
    name = "weft.planted", also = { "weft.core.planted" },
    summary = "A matrix with given singular values: U diag(s) V^T with U and V "
      .. "from a seed, the same bytes on every machine.",
    params = { { "rows", "integer" }, { "cols", "integer" },
      { "s", "numbers", "(min(rows, cols))" }, SEED },
    returns = { { "t", "tensor", "f64, (rows, cols)" } },
    source = "Householder reflections",
    example = [[
      local t = weft.planted(3, 2, { 5, 1 }, 7)
      print(math.abs(weft.svdvals(t)[1] - 5) < 1e-14)  --> true
    ]],
    see = { "weft.randn" },
  },
  {
    name = "weft.concat", also = { "weft.core.concat" },
    summary = "Tensors one behind the other along an axis.",
    params = { { "list", "table", "tensors, equal in all other axes" },
      { "axis?", "subscript", "1, that of rows, where left out" } },
    returns = NEW, source = "numpy.concatenate",
    example = [[
      local t = weft.concat { weft.ones(2, 3), weft.zeros(1, 3) }
      print(t.shape[1], t:sum())  --> 3  6.0
    ]],
    see = { "tensor:slice" },
  },
  {
    name = "weft.load", also = { "weft.core.load" },
    summary = "A tensor of a .npy file.",
    params = { { "path", "text" } },
    returns = { { "t", "tensor" },
      { "note", "text", "where the file holds more than the tensor" } },
    errors = "nil, message, code where it can't be read",
    source = "numpy.lib.format, versions 1.0 to 3.0",
    example = [[
      assert(weft.save("t.npy", weft.tensor { 1, 2 }))
      print(weft.load("t.npy")[2])  --> 2.0
    ]],
    see = { "weft.save" },
  },
  {
    name = "weft.save", also = { "weft.core.save" },
    summary = "Writes a tensor to a .npy file, or a table {name = tensor} or a "
      .. "list of {name, tensor} to a .npz or .safetensors file, whole or not "
      .. "at all.",
    params = { { "path", "text" }, { "t", "tensor|table" } },
    returns = { { "true", "boolean" } },
    errors = "nil, message, code where it can't be written",
    source = "numpy.lib.format, version 1.0",
    example = [[
      print(weft.save("zeros.npy", weft.zeros(2, 2)))  --> true
    ]],
    see = { "weft.load" },
  },
  {
    name = "tensor:get",
    summary = "An element.",
    params = { { "i...", "subscript", "one an axis" } },
    returns = { { "x", "number", "an integer of an i64 tensor" } },
    example = [[
      print(weft.tensor { { 1, 2 }, { 3, 4 } }:get(2, 1))  --> 3.0
    ]],
    see = { "tensor:set" },
  },
  {
    name = "tensor:set",
    call = "t:set(i, …, value)",
    summary = "Sets an element.",
    params = { { "i...", "subscript", "one an axis" }, { "value", "number" } },
    errors = "raises for a file's tensor, which is read-only",
    example = [[
      local t = weft.zeros(2, 2)
      t:set(1, 2, 5)
      print(t:get(1, 2))  --> 5.0
    ]],
    see = { "tensor:get", "tensor:copy" },
  },
  {
    name = "tensor:rows",
    summary = "Some rows (of the first axis) as a view.",
    params = { { "first", "subscript" },
      { "last", "integer", "a subscript, or first - 1: none" },
      { "step?", "integer", "1 where left out" } },
    returns = VIEW,
    example = [[
      local t = weft.tensor { { 1, 2 }, { 3, 4 }, { 5, 6 } }
      print(t:rows(2, 3):sum())  --> 18.0
    ]],
    see = { "tensor:cols", "tensor:slice" },
  },
  {
    name = "tensor:cols",
    summary = "Some columns (of the last axis) as a view.",
    params = { { "first", "subscript" },
      { "last", "integer", "a subscript, or first - 1: none" },
      { "step?", "integer", "1 where left out" } },
    returns = VIEW,
    example = [[
      local t = weft.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
      print(t:cols(1, 3, 2):sum())  --> 14.0
    ]],
    see = { "tensor:rows", "tensor:slice" },
  },
  {
    name = "tensor:slice",
    summary = "A range of any axis as a view.",
    params = { { "axis", "subscript", "of t.shape" }, { "first", "subscript" },
      { "last", "integer", "a subscript, or first - 1: none" },
      { "step?", "integer", "1 where left out" } },
    returns = VIEW,
    example = [[
      print(weft.ones(2, 3, 4):slice(2, 1, 2).shape[2])  --> 2
    ]],
    see = { "tensor:rows" },
  },
  {
    name = "tensor:runs",
    summary = "Runs of rows as a view: len rows, step rows from one to the "
      .. "next, n times, from first on; it puts rows of a fused or permuted "
      .. "weight in order.",
    params = { { "list", "table", "{first, len, step, n}, …: rows as they are "
      .. "stored, counted from 0" } },
    returns = VIEW,
    errors = "raises for a tensor in memory that no view can give",
    example = [[
      local m = assert(weft.open("build/demo"))
      local t = m:weight(0, "W_Q")
      print(t:runs { { 0, 2, 32, 3 } }.shape[1])  --> 6
    ]],
    see = { "tensor:rows" },
  },
  {
    name = "tensor:t",
    summary = "The transpose as a view: axes in reverse.",
    returns = VIEW,
    example = [[
      print(weft.zeros(2, 5):t().shape[1])  --> 5
    ]],
    see = { "tensor:reshape" },
  },
  {
    name = "tensor:reshape",
    summary = "The values in row-major order in another shape: a view where "
      .. "that is possible, else a copy.",
    params = { { "shape...", "sizes", "one of them may be -1: what is left" } },
    returns = NEW, source = "numpy.reshape",
    example = [[
      print(weft.arange(6):reshape(2, -1):get(2, 1))  --> 3.0
    ]],
    see = { "tensor:t", "tensor:copy" },
  },
  {
    name = "tensor:copy",
    summary = "A copy in memory, row-major.",
    returns = NEW,
    example = [[
      local t = weft.zeros(2)
      local u = t:copy()
      u[1] = 1
      print(t[1], u[1])  --> 0.0  1.0
    ]],
    see = { "tensor:to" },
  },
  {
    name = "tensor:to",
    summary = "A copy in memory of another dtype.",
    params = { { "dtype", "text", "\"f64\", \"f32\" or \"i64\"" } },
    returns = NEW,
    example = [[
      print(weft.tensor({ 1.75 }):to("i64")[1])  --> 1
    ]],
    see = { "tensor:copy" },
  },
  {
    name = "tensor:totable",
    summary = "The values as nested tables.",
    returns = { { "values", "table" } },
    example = [[
      print(weft.tensor({ { 1, 2 }, { 3, 4 } }):totable()[2][1])  --> 3.0
    ]],
    see = { "weft.tensor" },
  },
  {
    name = "tensor:close",
    summary = "Lets go of the values now; the tensor is of no more use.",
    example = [[
      local t = weft.zeros(2)
      t:close()
      print(t)  --> tensor (closed)
    ]],
  },
  {
    name = "tensor + - * /", kind = "operator", call = "t + u, t - 1, 2 * t, "
      .. "-t",
    summary = "Element by element, with numbers and with tensors whose shapes "
      .. "go together: aligned at the right, an axis of 1 goes with any size.",
    returns = { { "v", "tensor", "f64" } },
    errors = "raises for shapes that do not go together",
    source = "numpy's broadcasting",
    example = [[
      local t = weft.tensor { { 1, 2 }, { 3, 4 } }
      print((t * 2 + weft.tensor { 10, 20 }):get(2, 2))  --> 28.0
    ]],
    see = { "tensor:matmul" },
  },
  {
    name = "tensor:abs", summary = "Magnitudes.", returns = SAME,
    example = [[print(weft.tensor({ -2 }):abs()[1])  --> 2.0]],
  },
  {
    name = "tensor:log", summary = "Natural logarithms.", returns = SAME,
    example = [[print(weft.tensor({ 1 }):log()[1])  --> 0.0]],
    see = { "tensor:exp" },
  },
  {
    name = "tensor:exp", summary = "Exponentials.", returns = SAME,
    example = [[print(weft.tensor({ 0 }):exp()[1])  --> 1.0]],
    see = { "tensor:log" },
  },
  {
    name = "tensor:sqrt", summary = "Square roots.", returns = SAME,
    example = [[print(weft.tensor({ 9 }):sqrt()[1])  --> 3.0]],
  },
  {
    name = "tensor:matmul", also = { "tensor:dot" },
    summary = "The matrix product; a tensor of one axis is a row on the left "
      .. "and a column on the right, two of them give a number.",
    params = { { "u", "tensor" } },
    returns = { { "v", "tensor|number" } },
    errors = "raises for shapes that do not fit", source = "dgemm",
    example = [[
      local t = weft.tensor { { 1, 2 }, { 3, 4 } }
      print(t:matmul(t):get(1, 1), t[1]:dot(t[2]))  --> 7.0  11.0
    ]],
    see = { "tensor + - * /", "weft.solve" },
  },
  {
    name = "tensor:allclose",
    summary = "Whether |t - u| <= atol + rtol |u| everywhere; NaN is close to "
      .. "nothing.",
    params = { { "u", "tensor|number" },
      { "rtol?", "number", "1e-5 where left out" },
      { "atol?", "number", "1e-8 where left out" } },
    returns = { { "close", "boolean" } }, source = "numpy.allclose",
    example = [[
      print(weft.tensor({ 1, 2 }):allclose(weft.tensor { 1, 2 + 1e-9 }))
      --> true
    ]],
  },
}
