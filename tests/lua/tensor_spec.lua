-- Tensors in Lua against numpy: arithmetic, what goes along axes, orders,
-- products, tensors made of nothing, .npy files; on views as on whole ones.
local core = require "weft.core"
local save = require "weft.save"
local support = require "tests.lua.support"
local weft = require "weft"

local GOLDEN <const> = "tests/golden/"
local NAMED <const> = { nan = 0 / 0, inf = 1 / 0, ["-inf"] = -1 / 0,
  ["-0"] = -0.0 }

teardown(support.clean)

-- Raises unless f(...) raises a text that holds `part`.
local function raises(part, f, ...)
  local ok <const>, message <const> = pcall(f, ...)
  assert(not ok, "no error, expected: " .. part)
  assert(tostring(message):find(part, 1, true),
    ("expected '%s' in '%s'"):format(part, message))
end

local function numbers(list)
  local out <const> = {}
  for i, value in ipairs(list) do
    out[i] = NAMED[value] or value
  end
  return out
end

local function tensor_of(array)
  return core.tensor(numbers(array.data)):reshape(array.shape)
end

local function golden(name)
  local file <const> = support.json(GOLDEN .. "ops/" .. name .. ".json")
  local inputs <const> = {}
  for key, array in pairs(file.inputs) do
    inputs[key] = tensor_of(array)
  end
  return file.cases, inputs
end

-- Numbers and tensors flat, so that both are compared alike.
local function flat(value)
  if type(value) == "number" then
    return { value }, {}
  end
  return value:reshape(-1):totable(), value.shape
end

-- Compares with the golden {shape=, data=}; without a tolerance bit for bit.
local function check(what, expected, value, relative)
  local found <const>, shape <const> = flat(value)
  local data <const> = numbers(expected.data)
  assert.same(expected.shape, shape, what)
  assert.equal(#data, #found, what)
  for i = 1, #data do
    support.near(data[i], found[i], relative or 0, ("%s [%d]"):format(what, i))
  end
end

-- The same values every second column, every second row, and by columns.
local function views(t)
  local shape <const> = t.shape
  local list <const> = { t }
  if #shape == 0 or t:copy():reshape(-1).shape[1] == 0 then
    return list
  end
  local pairs_of <const> = { table.unpack(shape) }
  pairs_of[#shape + 1] = 1
  local two = t:reshape(pairs_of)
  two = core.concat({ two, two * 0 - 7 }, #shape + 1)
  pairs_of[#shape + 1] = nil
  pairs_of[#shape] = 2 * shape[#shape]
  two = two:reshape(pairs_of)
  list[#list + 1] = two:cols(1, 2 * shape[#shape], 2)
  table.move(shape, 2, #shape, 3, pairs_of)
  pairs_of[1], pairs_of[2] = shape[1], 1
  two = t:reshape(pairs_of)
  two = core.concat({ two, two * 0 + 9 }, 2)
  table.remove(pairs_of, 2)
  pairs_of[1] = 2 * shape[1]
  list[#list + 1] = two:reshape(pairs_of):rows(1, 2 * shape[1], 2)
  if #shape == 2 then
    list[#list + 1] = t:t():copy():t()
  end
  return list
end

local function file_of(t)
  local path <const> = support.folder() .. "/t.safetensors"
  assert(save(path, { { name = "t", tensor = t, dtype = "F64" } }))
  return assert(assert(core.open(path)):tensor "t")
end

describe("along an axis", function()
  local ALONG <const> = {
    std1 = function(t, axis) return t:std(axis, 1) end,
    sort_falling = function(t, axis) return t:sort(axis, true) end,
    argsort_falling = function(t, axis) return t:argsort(axis, true) end,
  }
  local INEXACT <const> = { sum = 1e-13, mean = 1e-13, std = 1e-13,
    std1 = 1e-13, var = 1e-13 }

  local function call(t, op, axis)
    local q <const> = op:match "^percentile(.*)"
    if q then
      return t:percentile(tonumber(q), axis)
    end
    return (ALONG[op] or t[op])(t, axis)
  end

  local cases <const>, inputs <const> = golden "along"

  it("agrees with numpy on every view", function()
    for _, case in ipairs(cases) do
      local what <const> = ("%s of %s along %s"):format(case.op, case.of,
        case.axis)
      for i, view in ipairs(views(inputs[case.of])) do
        if case.error then
          raises("of no elements: expected at least one", call, view, case.op,
            case.axis)
        else
          check(what .. ", view " .. i, case.gives,
            call(view, case.op, case.axis), INEXACT[case.op])
        end
      end
    end
  end)

  it("reads a file's tensor", function()
    local t <const> = file_of(inputs.matrix)
    for _, case in ipairs(cases) do
      if case.of == "matrix" then
        check(case.op, case.gives, call(t, case.op, case.axis),
          INEXACT[case.op])
      end
    end
  end)

  it("gives subscripts as i64 and the rest as f64", function()
    local t <const> = core.tensor({ { 3, 1 }, { 2, 4 } }, "i64")
    assert.equal("i64", t:argsort(1).dtype)
    assert.equal("i64", t:argmin(1).dtype)
    assert.equal("f64", t:sort(1).dtype)
    assert.equal("integer", math.type(t:argmax()))
    assert.equal("float", math.type(t:sum()))
    assert.equal(10.0, t:sum())
  end)

  it("keeps equal elements in their order, and NaN last", function()
    local nan <const> = 0 / 0
    local t <const> = core.tensor { 2, nan, 1, 2, nan, 1 }
    assert.same({ 3, 6, 1, 4, 2, 5 }, t:argsort():totable())
    assert.same({ 1, 4, 3, 6, 2, 5 }, t:argsort(true):totable())
    assert.same({ 2.0, 2.0, 1.0, 1.0 }, t:sort(true):rows(1, 4):totable())
  end)

  it("sorts long lanes", function()
    local t <const> = core.randn(5, 3000)
    local order <const> = t:argsort()
    local sorted <const>, seen <const> = t:sort(), {}
    for i = 1, 3000 do
      assert.equal(sorted[i], t[order[i]])
      assert.is_nil(seen[order[i]])
      seen[order[i]] = true
      assert.is_true(i == 1 or sorted[i - 1] <= sorted[i])
    end
    assert.is_true((-t):sort(true):allclose(-sorted, 0, 0))
    for _, q in ipairs { 0, 3, 50, 77.7, 100 } do
      local place <const> = (3000 - 1) * (q / 100)
      local low <const> = place // 1
      local a <const>, b <const> = sorted[low + 1],
        sorted[math.min(low + 2, 3000)]
      support.near(a + (b - a) * (place - low), t:percentile(q), 1e-15)
    end
  end)

  it("adds by halves", function()
    local t <const> = core.ones { 1 << 20 } * 0.1
    assert.is_true(math.abs(t:sum() - 0.1 * (1 << 20)) < 1e-9)
  end)

  it("has norms that do not overflow", function()
    assert.equal(5.0, core.tensor { 3, 4 }:norm())
    support.near(5e300, core.tensor { 3e300, 4e300 }:norm(), 1e-15)
    support.near(5e-320, core.tensor { 3e-320, 4e-320 }:norm(), 1e-3)
    assert.equal(1 / 0, core.tensor { 1, -1 / 0 }:norm())
    assert.is_true(core.tensor { 1, 0 / 0 }:norm() ~= 0)
    assert.equal(0.0, core.zeros({ 0 }):norm())
    assert.equal(7.0, core.tensor { 3, -4 }:norm(1))
    assert.equal(4.0, core.tensor { 3, -4 }:norm(math.huge))
    assert.equal(5.0, core.tensor { 3, -4 }:norm(2))
    support.near(30 ^ 0.5, core.tensor { { 1, 2 }, { 3, 4 } }:norm(), 1e-15)
  end)

  it("names what is wrong", function()
    local t <const> = core.zeros { 2, 3 }
    raises("axis 3 of [2, 3]: expected 1 to 2", t.sum, t, 3)
    raises("axis 0 of [2, 3]: expected 1 to 2", t.mean, t, 0)
    raises("axis 1 of a tensor without axes", core.zeros({}).max,
      core.zeros {}, 1)
    raises("number expected, got string", t.std, t, "x")
    raises("a number of 0 or more expected", t.std, t, 1, -1)
    raises("a percentile from 0 to 100", t.percentile, t, 100.5)
    raises("a percentile from 0 to 100", t.percentile, t, 0 / 0)
    raises("boolean expected, got number", t.sort, t, 1, 1)
    raises("percentile of no elements", core.zeros({ 0 }).percentile,
      core.zeros { 0 }, 50)
    raises("1, 2 or math.huge", t.norm, t, 3)
    raises("weft.norm has those of matrices", t.norm, t, 1)
    t:close()
    raises("tensor is closed", t.sum, t)
  end)
end)

describe("arithmetic", function()
  local OPERATORS <const> = {
    add = function(a, b) return a + b end,
    sub = function(a, b) return a - b end,
    mul = function(a, b) return a * b end,
    div = function(a, b) return a / b end,
    unm = function(a) return -a end,
  }
  local cases <const>, inputs <const> = golden "elementwise"

  it("agrees with numpy, also where shapes are stretched", function()
    for _, case in ipairs(cases) do
      local a <const>, b <const> = inputs[case.of], inputs[case.with]
      local what <const> = ("%s %s %s"):format(case.of, case.op, case.with)
      local f <const> = OPERATORS[case.op] or a[case.op]
      if case.error then
        raises("do not fit", f, a, b)
      else
        local relative <const> = (case.op == "log" or case.op == "exp")
          and 1e-15 or 0
        check(what, case.gives, f(a, b), relative)
        for _, view in ipairs(views(a)) do
          check(what .. ", a view", case.gives, f(view, b), relative)
        end
      end
    end
  end)

  it("takes numbers on both sides, and other dtypes", function()
    local t <const> = core.tensor({ 1, 2 }, "i64")
    assert.same({ 3.0, 4.0 }, (t + 2):totable())
    assert.same({ 2.0, 1.0 }, (2 / t):totable())
    assert.same({ -1.0, -2.0 }, (-t):totable())
    assert.equal("f64", (t + t).dtype)
    assert.same({ 1.5, 2.5 }, (core.tensor({ 1, 2 }, "f32") + 0.5):totable())
    assert.same({ { 2.0, 4.0 } },
      (file_of(core.tensor { { 1, 2 } }) * 2):totable())
  end)

  it("leaves its operands as they were", function()
    local t <const> = core.tensor { 1, -2 }
    local _ = { t + t, t:abs(), t:sort(), -t }
    assert.same({ 1.0, -2.0 }, t:totable())
  end)

  it("names what is wrong", function()
    local t <const> = core.zeros { 2, 3 }
    raises("shapes [2, 3] and [4] do not fit: 3 and 4 at axis 1 from the "
      .. "right, expected the same or 1", OPERATORS.add, t, core.zeros { 4 })
    raises("a tensor or a number expected, got string", OPERATORS.mul, t, "2")
    raises("a tensor or a number expected, got nil", OPERATORS.div, nil, t)
    local gone <const> = core.zeros { 2, 3 }
    gone:close()
    raises("tensor is closed", OPERATORS.sub, t, gone)
    raises("tensor is closed", gone.exp, gone)
  end)

  it("compares within a tolerance", function()
    local nan <const>, inf <const> = 0 / 0, 1 / 0
    local t <const> = core.tensor { 1, 1000, inf }
    assert.is_true(t:allclose(core.tensor { 1 + 1e-6, 1000.005, inf }))
    assert.is_false(t:allclose(core.tensor { 1 + 1e-4, 1000, inf }))
    assert.is_false(t:allclose(core.tensor { 1, 1000, -inf }))
    assert.is_false(t:allclose(core.tensor { 1, 1000, 5 }))
    assert.is_false(core.tensor { nan }:allclose(core.tensor { nan }))
    assert.is_false(t:allclose(t + 1, 0, 0.5))
    assert.is_true(core.ones { 2, 2 }:allclose(1))
    assert.is_true(core.zeros({ 0 }):allclose(5))
    assert.is_true(core.tensor { 3 }:allclose(core.tensor { 4 }, 0.25, 0))
    assert.is_false(core.tensor { 4 }:allclose(core.tensor { 3 }, 0.25, 0))
    raises("do not fit", t.allclose, t, core.zeros { 2 })
    raises("a number of 0 or more", t.allclose, t, t, -1)
    raises("a tensor or a number expected, got no value", t.allclose, t)
  end)
end)

describe("a histogram", function()
  local cases <const>, inputs <const> = golden "histogram"

  it("has numpy's edges and counts", function()
    for _, case in ipairs(cases) do
      local t <const> = inputs[case.of]
      local low, high = table.unpack(case.range or {})
      local what <const> = ("%d bins of %s"):format(case.bins, case.of)
      if case.error then
        raises("expected finite numbers that rise", t.histogram, t, case.bins)
      else
        local counts <const>, edges <const> = t:histogram(case.bins, low, high)
        check(what, case.counts, counts)
        check(what .. ": edges", case.edges, edges)
        assert.equal("i64", counts.dtype)
      end
    end
  end)

  it("names what is wrong", function()
    local t <const> = core.tensor { 1, 2 }
    raises("0, expected 1 to", t.histogram, t, 0)
    raises("a range of 2 to 1: expected finite numbers that rise", t.histogram,
      t, 3, 2, 1)
    raises("number expected, got no value", t.histogram, t, 3, 2)
    raises("elements from nan to nan", t.histogram, core.tensor { 0 / 0 }, 3)
    raises("10 bins from 1e+300 to 1e+300: expected a range that so many "
      .. "divide", t.histogram, core.tensor { 1e300 }, 10)
  end)
end)

describe("products", function()
  local cases <const>, inputs <const> = golden "product"

  it("agree with numpy on every view", function()
    for _, case in ipairs(cases) do
      local a <const>, b <const> = inputs[case.of], inputs[case.with]
      local what <const> = ("%s times %s"):format(case.of, case.with)
      for _, left in ipairs(views(a)) do
        for _, right in ipairs(views(b)) do
          if case.error then
            raises("expected as many", a.matmul, left, right)
          else
            local product <const> = left:matmul(right)
            check(what, case.gives, product, 1e-12)
            check(what, case.gives, left:dot(right), 1e-12)
          end
        end
      end
    end
  end)

  it("are the same on a worker", function()
    local a <const>, b <const> = core.randn(1, 90, 70), core.randn(2, 80, 70)
    local c <const> = a:matmul(b:t())
    assert.same({ 90, 80 }, c.shape)
    for _, at in ipairs { { 1, 1 }, { 90, 80 }, { 17, 33 } } do
      support.near((a[at[1]] * b[at[2]]):sum(), c:get(at[1], at[2]), 1e-11)
    end
  end)

  it("name what is wrong", function()
    local t <const> = core.zeros { 2, 3 }
    raises("the product of [2, 3] and [2, 3]: 3 columns meet 2 rows, expected "
      .. "as many", t.matmul, t, t)
    raises("expected 1 or 2 axes", t.matmul, t, core.zeros { 3, 2, 1 })
    raises("weft.tensor expected", t.dot, t, 2)
  end)
end)

describe("shapes", function()
  local m <const> = core.arange(24):reshape(2, 3, 4)

  it("slice along any axis", function()
    assert.same({ 2, 2, 4 }, m:slice(2, 1, 3, 2).shape)
    assert.equal(20.0, m:slice(2, 1, 3, 2):get(2, 2, 1))
    assert.same({ { { 2.0 }, { 6.0 }, { 10.0 } } },
      m:slice(1, 1, 1):slice(3, 3, 3):totable())
    assert.same({ 2, 0, 4 }, m:slice(2, 4, 3).shape)
    local stored <const> = file_of(m)
    assert.same(m:slice(2, 2, 3):totable(),
      stored:slice(2, 2, 3):totable())
    assert.same(m:slice(3, 1, 4, 3):totable(),
      stored:slice(3, 1, 4, 3):totable())
    assert.same(m:slice(1, 2, 2):totable(), stored:slice(1, 2, 2):totable())
    raises("axis 4 of [2, 3, 4]: expected 1 to 3", m.slice, m, 4, 1, 1)
    raises("(4, expected 0 to 3)", m.slice, m, 2, 1, 4)
    raises("(5, expected 1 to 4)", m.slice, m, 2, 5, 5)
    raises("number expected, got no value", m.slice, m)
  end)

  it("are views where they can be", function()
    local t <const> = core.zeros { 2, 3 }
    t:reshape(6)[5] = 4
    assert.equal(4.0, t:get(2, 2))
    local turned <const> = t:t():reshape(6)
    turned[1] = 9
    assert.equal(0.0, t:get(1, 1))
    local copy <const> = t:copy()
    copy:set(1, 1, 7)
    assert.equal(0.0, t:get(1, 1))
    assert.equal("i64", core.zeros({ 2 }, "i64"):copy().dtype)
    assert.same({ 3, 8 }, m:reshape(3, -1).shape)
    assert.same({ 24 }, m:reshape { -1 }.shape)
    assert.same({}, core.ones({ 1 }):reshape({}).shape)
    raises("[5, 5] has 25 elements: expected 24 of [2, 3, 4]", m.reshape, m, 5,
      5)
    raises("no size for -1: 24 elements over 5", m.reshape, m, 5, -1)
    raises("two sizes of -1", m.reshape, m, -1, -1)
    raises("size 1 is -2", m.reshape, m, -2)
    raises("a shape expected, got no value", m.reshape, m)
    raises("a size expected", m.reshape, m, 4, "6")
  end)

  it("are joined along an axis", function()
    local a <const> = core.tensor({ { 1, 2 } }, "i64")
    local b <const> = core.tensor({ { 3, 4 }, { 5, 6 } }, "i64")
    local joined <const> = core.concat { a, b }
    assert.same({ { 1, 2 }, { 3, 4 }, { 5, 6 } }, joined:totable())
    assert.equal("i64", joined.dtype)
    assert.same({ { 3.0, 5.0, 0.5 }, { 4.0, 6.0, 1.0 } },
      core.concat({ b:t(), core.tensor { { 0.5 }, { 1 } } }, 2):totable())
    assert.same({ { 1.0, 2.0 }, { 3.0, 4.0 } },
      core.concat { file_of(a:to "f64"), core.tensor { { 3, 4 } } }:totable())
    raises("element 2 is [2, 2], the first is [1, 2]: expected the same but "
      .. "along axis 2", core.concat, { a, b }, 2)
    raises("element 2 is number, expected a tensor", core.concat, { a, 1 })
    raises("a list of tensors expected", core.concat, {})
    raises("axis 3 of [1, 2]", core.concat, { a }, 3)
    raises("no axes", core.concat, { core.zeros {} })
    raises("table expected", core.concat, a)
  end)
end)

describe("tensors made of nothing", function()
  it("have numpy's values", function()
    for i, case in ipairs((golden "create")) do
      check(case.make .. " " .. i, case.gives,
        core[case.make](table.unpack(case.args)))
    end
  end)

  it("take a shape as a table or as numbers", function()
    assert.same({ { 1.0, 1.0, 1.0 } }, core.ones(1, 3):totable())
    assert.same({ { 1.0, 1.0, 1.0 } }, core.ones({ 1, 3 }):totable())
    assert.same({ 1, 1 }, core.ones({ 2 }, "i64"):totable())
    assert.equal("f32", core.zeros(2, 2, "f32").dtype)
    raises("more than 8 axes", core.ones, 1, 1, 1, 1, 1, 1, 1, 1, 1)
    raises("a shape expected, got string", core.zeros, "x")
    raises("invalid option 'f16'", core.ones, 2, "f16")
    raises("a finite number expected", core.arange, 0 / 0)
    raises("a finite number expected", core.linspace, 0, 1 / 0)
    raises("a step that is not 0", core.arange, 0, 1, 0)
    raises("expected fewer than 2^53 values", core.arange, 0, 1e300, 1)
    raises("number expected, got string", core.arange, "3")
    raises("-1, expected at least 0", core.linspace, 0, 1, -1)
    raises("-1, expected at least 0", core.eye, 2, -1)
  end)

  it("are random by their seed alone", function()
    local a <const>, b <const> = core.randn(7, 3, 4), core.randn(7, 12)
    assert.same(a:reshape(12):totable(), b:totable())
    assert.is_false(a:allclose(core.randn(8, 3, 4)))
    local u <const> = core.uniform(-1, { 100000 })
    assert.is_true(u:min() >= 0 and u:max() < 1)
    support.near(0.5, u:mean(), 0.01)
    support.near(1 / 12, u:var(), 0.01)
    raises("number expected", core.randn)
    raises("a shape expected", core.randn, 1)
    raises("number has no integer representation", core.randn, 1.5, 2)
  end)

  it("are normal as the normal is", function()
    local n <const> = 200000
    local t <const> = core.randn(42, n)
    assert.is_true(math.abs(t:mean()) < 4 / n ^ 0.5)
    support.near(1, t:std(), 0.01)
    support.near(3, (t * t * t * t):mean(), 0.05)
    assert.is_true(math.abs((t * t * t):mean()) < 0.05)
    -- the standard normal's own
    for q, x in pairs { [2.275] = -2, [15.866] = -1, [84.134] = 1,
      [97.725] = 2, [99.865] = 3 } do
      assert.is_true(math.abs(t:percentile(q) - x) < 0.05)
    end
    assert.is_true(math.abs(t:percentile(50)) < 0.01)
  end)

  it("go away when nobody holds them", function()
    local script <const> = support.folder() .. "/drop.lua"
    support.write(script, [[
      local core = require "weft.core"
      local kept <const> = core.ones { 1024, 1024 }
      local path <const> = arg[1]
      assert(core.save(path, kept))
      local makers <const> = {
        function() return core.zeros { 1024, 1024 } end,
        function() return core.ones(1024, 1024) end,
        function() return core.eye(1024) end,
        function() return core.arange(1 << 20) end,
        function() return core.linspace(0, 1, 1 << 20) end,
        function() return core.uniform(1, 1 << 20) end,
        function() return kept + 1 end,
        function() return -kept end,
        function() return kept:copy() end,
        function() return kept:t():reshape(-1) end,
        function() return kept:cumsum(1) end,
        function() return core.concat { kept } end,
        function() return kept:reshape(-1, 1):matmul(core.ones(1, 1)) end,
        function() return core.load(path) end,
      }
      for i = 1, 2000 do
        makers[i % #makers + 1]()
      end
      for line in io.lines "/proc/self/status" do
        local peak <const> = line:match "^VmHWM:%s+(%d+)"
        if peak then print(peak) end
      end
    ]])
    local program <const> = support.sh("readlink /proc/$PPID/exe")
      :gsub("\n", "")
    local peak <const> = support.sh(("%s %s %s"):format(
      support.quoted(program), support.quoted(script),
      support.quoted(script .. ".npy")))
    assert.is_true(tonumber(peak) < 100 * 1024, peak .. " kB")
  end)
end)

describe(".npy", function()
  it("is read as numpy wrote it", function()
    for _, case in ipairs(support.json(GOLDEN .. "npy/expected.json")) do
      local t <const>, note <const> = core.load(GOLDEN .. "npy/" .. case.file
        .. ".npy")
      assert(t, note)
      assert.is_nil(note)
      assert.equal(case.dtype, t.dtype, case.file)
      check(case.file, case, t)
    end
  end)

  it("is written as numpy writes it", function()
    local folder <const> = support.folder()
    for _, name in ipairs { "f8", "f4", "i8", "scalar", "empty", "vector" } do
      local path <const> = folder .. "/" .. name .. ".npy"
      local origin <const> = GOLDEN .. "npy/" .. name .. ".npy"
      assert.is_true(weft.save(path, weft.load(origin)))
      assert.equal(support.read(origin), support.read(path), name)
    end
  end)

  it("comes back the same", function()
    local path <const> = support.folder() .. "/t.npy"
    local t <const> = core.randn(3, 2, 3, 4)
    for _, view in ipairs(views(t)) do
      assert.is_true(weft.save(path, view))
      assert.is_true(weft.load(path):allclose(t, 0, 0))
    end
    assert.is_true(weft.save(path, file_of(t)))
    assert.is_true(weft.load(path):allclose(t, 0, 0))
  end)

  it("says what follows the data", function()
    local path <const> = support.folder() .. "/t.npy"
    support.write(path, support.read(GOLDEN .. "npy/scalar.npy") .. "abc")
    local t <const>, note <const> = weft.load(path)
    assert.equal(2.5, t:get())
    assert.equal("3 bytes follow the data and were not read", note)
  end)

  it("says what is wrong", function()
    local t <const> = core.zeros { 1 }
    local none <const>, message <const>, code <const> = weft.load "/none.npy"
    assert.is_nil(none)
    assert.equal("/none.npy: cannot open: No such file or directory", message)
    assert.equal("io", code)
    assert.same({ nil, "t.txt: expected a name in .npy, .npz or .safetensors",
      "argument" }, { weft.save("t.txt", t) })
    assert.equal("io", select(3, weft.save("/none/t.npy", t)))
    raises("string expected, got no value", weft.load)
    raises("path is missing, expected a path without NUL", weft.save)
    raises("t is 1, expected a tensor", weft.save, "t.npy", 1)
    raises("list is a tensor, expected an array of {name=, tensor=} tables",
      weft.save, "t.safetensors", t)
    t:close()
    raises("tensor is closed", weft.save, "t.npy", t)
  end)
end)
