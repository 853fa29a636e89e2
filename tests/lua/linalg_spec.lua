-- Linear algebra against numpy: tests/golden/dense/numpy.json holds what
-- numpy.linalg answers on the matrices that `element` below makes, to which
-- numpy was given the same formula.
local weft = require "weft"
local core = require "weft.core"
local support = require "tests.lua.support"

local EPSILON <const> = 2.0 ^ -52
local NAN <const> = 0 / 0
local INF <const> = math.huge

-- a fraction that looks random, 0-based
local function base(i, j)
  local x <const> = i * i * 31 + j * j * 57 + i * j * 113 + i * 7 + j * 3 + 11
  return (x * x * x) % 1009 / 1009 - 0.5
end

local ELEMENTS <const> = {
  random = base,
  zero = function() return 0 end,
  identity = function(i, j) return i == j and 1 or 0 end,
  graded = function(i, j, n)
    return base(i, j) * 2.0 ^ -(48 * j // math.max(1, n - 1))
  end,
  tiny = function(i, j) return base(i, j) * 2.0 ^ -970 end,
  huge = function(i, j) return base(i, j) * 2.0 ^ 970 end,
  ["rank one"] = function(i, j) return base(i, 3) * base(5, j) end,
}

local function make(rows, cols, fn)
  local t <const> = core.zeros { rows, cols }
  for i = 1, rows do
    for j = 1, cols do
      t:set(i, j, fn(i - 1, j - 1, cols))
    end
  end
  return t
end

local function sides(rows)
  return make(rows, 2, function(i, j) return base(i, 40 + j) end)
end

local cases

setup(function()
  cases = support.json "tests/golden/dense/numpy.json"
  for _, case in ipairs(cases) do
    case.matrix = make(case.rows, case.cols, ELEMENTS[case.kind])
    case.title = ("%s %d x %d"):format(case.kind, case.rows, case.cols)
    case.least = math.min(case.rows, case.cols)
    case.scale = case.s[1] or 0
  end
end)

teardown(support.clean)

-- Raises unless f(...) raises a text that holds `part`.
local function raises(part, f, ...)
  local ok <const>, message <const> = pcall(f, ...)
  assert(not ok, "no error, expected: " .. part)
  assert(tostring(message):find(part, 1, true),
    ("expected '%s' in '%s'"):format(part, message))
end

local function close(expected, got, bound, what)
  assert(math.abs(expected - got) <= bound,
    ("%s: expected %.17g, got %.17g"):format(what, expected, got))
end

-- numbers of a vector, or of the rows of a matrix
local function all_close(expected, got, bound, what)
  local found <const> = type(got) == "table" and got or got:totable()
  assert.equal(#expected, #found, what)
  for i, row in ipairs(expected) do
    local place <const> = ("%s [%d]"):format(what, i)
    if type(row) == "table" then
      all_close(row, found[i], bound, place)
    else
      close(row, found[i], bound, place)
    end
  end
end

-- columns are equal but for their signs
local function same_columns(expected, got, bound, what)
  local found <const> = got:totable()
  assert.equal(#expected, #found, what)
  for j = 1, #(expected[1] or {}) do
    local dot = 0
    for i = 1, #expected do
      dot = dot + expected[i][j] * found[i][j]
    end
    for i = 1, #expected do
      close(expected[i][j], dot < 0 and -found[i][j] or found[i][j], bound,
        ("%s [%d][%d]"):format(what, i, j))
    end
  end
end

-- largest difference of t and X diag(d) Y^T
local function gap(t, x, d, y)
  local most = 0
  local a <const>, left <const>, right <const> = t:totable(), x:totable(),
    y:totable()
  for i = 1, #a do
    for j = 1, #a[i] do
      local sum = a[i][j]
      for l = 1, #d do
        sum = sum - left[i][l] * d[l] * right[j][l]
      end
      most = math.max(most, math.abs(sum))
    end
  end
  return most
end

describe("against numpy", function()
  it("singular values", function()
    assert.is_true(#cases > 80)
    for _, case in ipairs(cases) do
      local bound <const> = 40 * EPSILON * case.scale
      all_close(case.s, weft.svdvals(case.matrix), bound, case.title)
      local u <const>, s <const>, v <const> = weft.svd(case.matrix)
      all_close(case.s, s, bound, case.title)
      assert.same({ case.rows, case.least }, u.shape)
      assert.same({ case.cols, case.least }, v.shape)
      assert(gap(case.matrix, u, s, v) <= bound, case.title)
    end
  end)

  it("singular vectors", function()
    local count = 0
    for _, case in ipairs(cases) do
      if case.u then
        local u <const>, _, v <const> = weft.svd(case.matrix)
        same_columns(case.u, u, 1e-12, case.title .. " U")
        same_columns(case.v, v, 1e-12, case.title .. " V")
        count = count + 1
      end
    end
    assert.equal(15, count)
  end)

  it("eigenvalues and eigenvectors of the lower triangle", function()
    for _, case in ipairs(cases) do
      if case.w then
        local bound <const> = 40 * EPSILON * 2 * case.scale
        local w <const>, v <const> = weft.eigh(case.matrix)
        all_close(case.w, w, bound, case.title)
        all_close(case.w, weft.eigvalsh(case.matrix), bound, case.title)
        if case.vectors then
          same_columns(case.vectors, v, 1e-12, case.title .. " V")
        end
        local whole <const> = make(case.rows, case.cols, function(i, j)
          return case.matrix:get(math.max(i, j) + 1, math.min(i, j) + 1)
        end)
        assert(gap(whole, v, w, v) <= bound, case.title)
      end
    end
  end)

  it("QR", function()
    for _, case in ipairs(cases) do
      local ones <const> = {}
      local q <const>, r <const> = weft.qr(case.matrix)
      assert.same({ case.rows, case.least }, q.shape)
      assert.same({ case.least, case.cols }, r.shape)
      for i = 1, case.least do
        ones[i] = 1
      end
      assert(gap(case.matrix, q, ones, r:t()) <= 40 * EPSILON * case.scale,
        case.title)
      for i = 2, case.least do
        for j = 1, i - 1 do
          assert.equal(0.0, r:get(i, j))
        end
      end
      if case.q then
        all_close(case.q, q, 1e-13, case.title .. " Q")
        all_close(case.r, r, 1e-13, case.title .. " R")
      end
    end
  end)

  it("solutions", function()
    local count = 0
    for _, case in ipairs(cases) do
      if case.solve then
        local x <const> = weft.solve(case.matrix, sides(case.rows))
        local size <const> = case.rows > 0 and 1 / case.s[case.rows] or 0
        all_close(case.solve, x, 1e-12 * size, case.title)
        if case.rows > 0 then
          local one <const> = weft.solve(case.matrix,
            sides(case.rows):t()[1])
          assert.same({ case.rows }, one.shape)
          close(x:get(1, 1), one[1], 1e-13 * size, case.title)
        end
        count = count + 1
      end
    end
    assert.equal(19, count)
  end)

  it("least squares", function()
    for _, case in ipairs(cases) do
      if case.lstsq then
        local x <const>, rank <const>, s <const> = weft.lstsq(case.matrix,
          sides(case.rows))
        local size = 0
        if rank > 0 then
          size = 1 / case.s[rank]
        end
        assert.equal(case.lstsq_rank, rank, case.title)
        assert.same({ case.cols, 2 }, x.shape)
        all_close(case.lstsq, x, 1e-12 * size, case.title)
        all_close(case.s, s, 40 * EPSILON * case.scale, case.title)
      end
    end
  end)

  it("norms", function()
    local ORDERS <const> = { fro = "fro", nuc = "nuc", ["1"] = 1, ["-1"] = -1,
      ["2"] = 2, ["-2"] = -2, inf = INF, ["-inf"] = -INF }
    for _, case in ipairs(cases) do
      local bound <const> = 100 * EPSILON * case.scale
      for name, order in pairs(ORDERS) do
        local title <const> = case.title .. " " .. name
        if case.norms[name] == "error" then
          raises("the least of no elements: expected at least one", weft.norm,
            case.matrix, order)
        else
          close(case.norms[name], weft.norm(case.matrix, order), bound, title)
        end
      end
      assert.equal(weft.norm(case.matrix, "fro"), weft.norm(case.matrix))
    end
  end)

  it("rank, condition and trace", function()
    for _, case in ipairs(cases) do
      if case.rank then
        assert.equal(case.rank, weft.matrix_rank(case.matrix), case.title)
      end
      if case.cond then
        support.near(case.cond, weft.cond(case.matrix),
          40 * EPSILON * case.cond, case.title)
      elseif case.kind == "zero" then
        assert.equal(INF, weft.cond(case.matrix))
      end
      close(case.trace, weft.trace(case.matrix), 40 * EPSILON * case.scale,
        case.title)
    end
  end)
end)

describe("numbers of a matrix", function()
  it("take a tolerance for the rank", function()
    local t <const> = core.tensor { { 3, 0, 0 }, { 0, 2, 0 }, { 0, 0, 1e-9 } }
    assert.equal(3, weft.matrix_rank(t))
    assert.equal("integer", math.type(weft.matrix_rank(t)))
    assert.equal(2, weft.matrix_rank(t, 1e-9))
    assert.equal(1, weft.matrix_rank(t, 2))
    assert.equal(0, weft.matrix_rank(t, INF))
    raises("bad argument #2", weft.matrix_rank, t, -1)
    raises("a number of 0 or more expected", weft.matrix_rank, t, NAN)
  end)

  it("have no condition without elements", function()
    raises("bad argument #1", weft.cond, core.zeros { 0, 3 })
    raises("a matrix with elements expected", weft.cond, core.zeros { 3, 0 })
    assert.equal(2.0, weft.cond(core.tensor { { 2, 0 }, { 0, -1 } }))
    assert.equal(INF, weft.cond(core.tensor { { 2, 0 }, { 0, 0 } }))
  end)

  it("have norms of vectors too", function()
    local v <const> = core.tensor { 3, -4 }
    assert.equal(5.0, weft.norm(v))
    assert.equal(7.0, weft.norm(v, 1))
    assert.equal(4.0, weft.norm(v, INF))
    raises("1, 2 or math.huge expected for a vector", weft.norm, v, 3)
    raises("bad argument #2", weft.norm, v, "fro")
    raises("'fro', 'nuc', 1, 2 or math.huge", weft.norm, core.zeros { 2, 2 },
      3)
    raises("got weft", weft.norm, core.zeros { 2, 2 }, "weft")
    raises("a vector or a matrix expected, got [1, 1, 1]", weft.norm,
      core.zeros { 1, 1, 1 })
  end)
end)

describe("matrices that are not plain", function()
  it("are views, of f32 and of i64", function()
    local t <const> = make(9, 12, base)
    local view <const> = t:rows(1, 9, 2):cols(2, 12, 3):t()
    local plain <const> = core.tensor(view:totable())
    local _, s <const> = weft.svd(view)
    local _, expected <const> = weft.svd(plain)
    assert.same(expected:totable(), s:totable())
    local whole <const> = core.tensor({ { 1, 2 }, { 3, 5 } }, "i64")
    all_close({ 1, 1 }, weft.solve(whole, core.tensor({ 3, 8 }, "f32")),
      1e-15, "x")
    assert.equal("f64", weft.eigvalsh(whole).dtype)
  end)

  it("are a file's", function()
    local m <const> = assert(weft.open "tests/golden/tiny-qwen2")
    local w <const> = m:weight(0, "W_Q")
    local copy <const> = w:to "f64"
    local u <const>, s <const>, v <const> = weft.svd(w)
    assert.same(weft.svdvals(w).shape, s.shape)
    all_close(weft.svdvals(copy):totable(), s, 1e-13 * s[1], "S")
    assert(gap(copy, u, s, v) <= 1e-13 * s[1])
    assert.equal(weft.norm(copy), weft.norm(w))
    assert.equal(weft.trace(copy), weft.trace(w))
    local square <const> = w:rows(1, 8):cols(1, 8)
    local x <const> = weft.solve(square, square)
    for i = 1, 8 do
      for j = 1, 8 do
        close(i == j and 1 or 0, x:get(i, j), 1e-9, "A^-1 A")
      end
    end
    m:close()
    raises("tensor is closed", weft.svd, w)
  end)
end)

describe("what is refused", function()
  local cube <const> = core.zeros { 2, 2, 2 }
  local wide <const> = core.zeros { 2, 3 }
  local square <const> = core.zeros { 2, 2 }

  it("names its argument and its shape", function()
    for _, name in ipairs { "svd", "svdvals", "qr", "matrix_rank", "cond",
      "trace" } do
      raises("bad argument #1", weft[name], cube)
      raises("a matrix of 2 axes expected, got [2, 2, 2]", weft[name], cube)
      raises("a matrix of 2 axes expected, got [4]", weft[name],
        core.zeros { 4 })
    end
    for _, name in ipairs { "eigvals", "eigvalsh", "eigh", "solve" } do
      raises("a square matrix expected, got [2, 3]", weft[name], wide,
        core.zeros { 2 })
    end
    raises("bad argument #2", weft.solve, square, core.zeros { 3 })
    raises("[2] or [2, n] expected, got [3, 2]", weft.solve, square,
      core.zeros { 3, 2 })
    raises("[2] or [2, n] expected, got [2, 2, 2]", weft.lstsq, wide, cube)
    for _, name in ipairs { "svd", "eigh", "eigvalsh", "qr", "solve", "lstsq",
      "matrix_rank", "norm", "cond", "trace" } do
      raises("bad argument #1", weft[name])
      raises("weft.tensor expected, got table", weft[name], { { 1 } })
    end
    raises("weft.tensor expected, got no value", weft.solve, square)
    raises("weft.tensor expected, got number", weft.lstsq, wide, 1)
  end)

  it("is singular, not finite, out of range or closed", function()
    raises("the matrix is singular: pivot 2 of 2 is zero", weft.solve,
      core.tensor { { 1, 2 }, { 2, 4 } }, core.zeros { 2 })
    local bad <const> = core.tensor { { 1, NAN }, { INF, 2 } }
    for _, name in ipairs { "svd", "svdvals", "eigh", "eigvalsh", "eigvals",
      "qr", "matrix_rank", "norm", "cond" } do
      raises("2 non-finite values, the first at row 1, column 2",
        weft[name], bad)
    end
    raises("the matrix: 2 non-finite values", weft.solve, bad, square)
    raises("the right side: 2 non-finite values", weft.lstsq, square, bad)
    assert.equal(3.0, weft.trace(bad))
    raises("1 non-finite value, at row 1, column 1", weft.trace,
      core.tensor { { NAN } })
    raises("the norm is over float64's range", weft.norm,
      core.tensor { { 1e308, 1e308, 1e308 } }, INF)
    local gone <const> = core.zeros { 2, 2 }
    gone:close()
    for _, name in ipairs { "svd", "eigh", "qr", "solve", "norm", "trace" } do
      raises("tensor is closed", weft[name], gone)
    end
    raises("tensor is closed", weft.solve, square, gone)
  end)
end)

describe("a kernel", function()
  local function kernel(k, d)
    local left <const> = make(k, d, base)
    local right <const> = make(k, d, function(i, j) return base(j, i) end)
    return core.kernel(left, right)
  end

  it("has the singular triples of its dense matrix", function()
    for _, size in ipairs { { 5, 12 }, { 12, 12 }, { 14, 6 }, { 1, 4 } } do
      local k <const> = kernel(size[1], size[2])
      local least <const> = math.min(size[1], size[2])
      local dense <const> = k:dense()
      local _, truth <const> = weft.svd(dense)
      local u <const>, s <const>, v <const> = k:svd()
      assert.same({ size[2], least }, u.shape)
      assert.same({ size[2], least }, v.shape)
      all_close(truth:rows(1, least):totable(), s, 1e-14 * truth[1], "S")
      assert(gap(dense, u, s, v) <= 1e-14 * truth[1])
      local few <const> = math.min(2, least)
      local first_u <const>, first_s <const>, first_v <const> = k:svd(few)
      assert.same({ size[2], few }, first_v.shape)
      all_close(s:rows(1, few):totable(), first_s, 0, "S")
      all_close(u:cols(1, few):totable(), first_u, 1e-14, "U")
    end
    assert.same({ 12, 0 }, kernel(5, 12):svd(0).shape)
  end)

  it("counts its rank", function()
    local k <const> = kernel(5, 12)
    assert.equal(5, k:rank())
    assert.equal(5, k.rows)
    assert.equal(3, core.kernel(make(5, 12, base),
      core.planted(5, 12, { 4, 2, 1, 0, 0 }, 7)):rank())
    local t <const> = make(5, 12, ELEMENTS["rank one"])
    assert.equal(1, core.kernel(t, t):rank())
    assert.equal(6, kernel(14, 6):rank())
    assert.equal(0, core.kernel(core.zeros { 2, 3 }, t:rows(1, 2)
      :cols(1, 3)):rank())
    assert.equal(0, core.kernel(core.zeros { 0, 3 }, core.zeros { 0, 3 })
      :rank())
  end)

  it("measures its spectrum", function()
    local k <const> = kernel(7, 12)
    local s <const> = k:svdvals()
    support.near(weft.effective_rank(s), k:effective_rank(), 1e-13)
    support.near(weft.stable_rank(s), k:stable_rank(), 1e-13)
    support.near(k:norm() ^ 2 / s[1] ^ 2, k:stable_rank(), 1e-13)
    local zero <const> = core.kernel(core.zeros { 2, 3 }, core.zeros { 2, 3 })
    assert.is_true(zero:stable_rank() ~= zero:stable_rank())
    assert.is_true(zero:effective_rank() ~= zero:effective_rank())
  end)

  it("refuses what it has not", function()
    local k <const> = kernel(5, 12)
    raises("6, expected 0 to 5", k.svd, k, 6)
    raises("-1, expected 0 to 5", k.svd, k, -1)
    raises("number expected, got string", k.svd, k, "all")
    local bad <const> = core.kernel(core.tensor { { NAN } },
      core.tensor { { 1 } })
    for _, name in ipairs { "svd", "rank", "effective_rank", "stable_rank" } do
      raises("1 non-finite value, at row 1, column 1", bad[name], bad)
    end
    k:close()
    for _, name in ipairs { "svd", "rank", "effective_rank", "stable_rank" } do
      raises("kernel is closed", k[name], k)
    end
  end)
end)

describe("Ctrl-C", function()
  it("leaves a long decomposition at once", function()
    local program <const> = support.sh("readlink /proc/$PPID/exe")
    if not program:find("/weft\n$") then
      pending "only weft's own program sets the flag"
      return
    end
    local folder <const> = support.folder()
    support.write(folder .. "/long.lua", [[
      local weft = require "weft"
      local big = weft.zeros { 2500, 2500 }
      for i = 1, 2500 do big:set(i, i, i) big:set(i, 2501 - i, 1) end
      io.stderr:write("ready\n")
      local started = weft.core.sys.time()
      local ok, message = pcall(weft.svd, big)
      print(ok, weft.core.interrupted(message),
        weft.core.sys.time() - started < 2, weft.trace(weft.zeros { 2, 2 }))
      io.stdout:flush()
      os.exit(0, false)
    ]])
    local output <const> = support.sh(([[
      cd %s
      : >ready; %s long.lua 2>ready & pid=$!
      until grep -qs ready ready; do sleep 0.05; done
      sleep 0.3; kill -INT $pid; wait $pid; echo $?
    ]]):format(folder, program:gsub("\n", "")))
    assert.equal("false\ttrue\ttrue\t0.0\n0\n", output)
  end)
end)
