-- weft.metrics and weft.measure: identities, oracle numbers, one bad part.
local core = require "weft.core"
local metrics = require "weft.metrics"
local measure = require "weft.measure"
local weft = require "weft"
local support = dofile "tests/lua/support.lua"

local near = support.near
local NAN = 0 / 0

-- a metric of an array of singular values
local function of(name, s)
  return metrics.of_spectrum(name)(s)
end

local function flat(n, value)
  local s = {}
  for i = 1, n do
    s[i] = value or 1
  end
  return s
end

local function scaled(s, factor)
  local out = {}
  for i = 1, #s do
    out[i] = s[i] * factor
  end
  return out
end

local SPECTRUM = { 4, 3, 2, 0.5, 0.25 }

describe("a flat spectrum", function()
  it("has the effective, stable and numerical rank n", function()
    for _, n in ipairs { 1, 2, 7, 100 } do
      local s = flat(n, 0.3)
      near(n, of("effective_rank", s), 1e-13)
      near(math.log(n), of("entropy", s), 1e-13)
      near(n, of("stable_rank", s))
      assert.equal(n, of("rank", s))
      assert.equal(1, of("condition", s))
      near(0.3 * n, of("nuclear_norm", s), 1e-13)
      near(0.3 * n ^ 0.5, of("frobenius_norm", s), 1e-13)
      assert.equal(0.3, of("spectral_norm", s))
      assert.equal(math.ceil(0.99 * n - 1e-9), of("n99", s))
    end
  end)
end)

describe("a spectrum of one value and zeros", function()
  it("has rank one, and no condition", function()
    local s = { 5, 0, 0, 0 }
    assert.equal(1, of("effective_rank", s))
    assert.equal(0, of("entropy", s))
    assert.equal(1, of("stable_rank", s))
    assert.equal(1, of("rank", s))
    assert.equal(1, of("n99", s))
    assert.equal(5, of("frobenius_norm", s))
    assert.equal(math.huge, of("condition", s))
  end)
end)

describe("a spectrum of zeros, or of nothing", function()
  it("has no ranks but the numerical one", function()
    for _, s in ipairs { { 0, 0, 0 }, {} } do
      for _, name in ipairs { "effective_rank", "entropy", "stable_rank",
        "condition", "n99" } do
        near(NAN, of(name, s), 0, name)
      end
      for _, name in ipairs { "rank", "frobenius_norm", "spectral_norm",
        "nuclear_norm" } do
        assert.equal(0, of(name, s), name)
      end
    end
  end)
end)

describe("ranks", function()
  it("do not change with the scale, however large or small", function()
    for _, factor in ipairs { 2, 1e-3, 1e150, 1e-150, 1e300, 1e-300, 4e307 } do
      local s = scaled(SPECTRUM, factor)
      for _, name in ipairs { "effective_rank", "entropy", "stable_rank",
        "rank", "condition" } do
        near(of(name, SPECTRUM), of(name, s), 1e-12, name)
      end
    end
    near(2e307 * 29.3125 ^ 0.5, of("frobenius_norm", scaled(SPECTRUM, 2e307)),
      1e-13)
  end)

  it("lie between 1 and n, the stable below the effective below n", function()
    local effective = of("effective_rank", SPECTRUM)
    assert.is_true(of("stable_rank", SPECTRUM) > 1)
    assert.is_true(of("stable_rank", SPECTRUM) < effective)
    assert.is_true(effective < #SPECTRUM)
  end)

  it("are numpy's", function()
    -- of [4, 3, 2, 0.5, 0.25]: p = s / s.sum(); -(p * np.log(p)).sum()
    near(1.2994045679796187, of("entropy", SPECTRUM), 1e-14)
    near(3.667112501216903, of("effective_rank", SPECTRUM), 1e-14)
    near(29.3125 / 16, of("stable_rank", SPECTRUM), 1e-15)
  end)

  it("drop zeros and take tensors too", function()
    local with_zeros = { 4, 3, 2, 0.5, 0.25, 0, 0 }
    assert.equal(of("effective_rank", SPECTRUM),
      of("effective_rank", with_zeros))
    assert.equal(of("effective_rank", SPECTRUM),
      weft.effective_rank(core.tensor(SPECTRUM)))
  end)

  it("count values over max(shape) eps s1", function()
    local fn = metrics.get("rank").fn
    local eps = 2.0 ^ -52
    local s = { 1, 3 * eps, 2 * eps, 0.5 * eps }
    assert.equal(4, fn(s, { shape = { 0.25, 0.125 } }))
    assert.equal(2, fn(s, { shape = { 2, 1 } }))
    assert.equal(1, fn(s, { shape = { 4, 3 } }))
    assert.equal(1, fn(s, { shape = { 3, 4 } }))
  end)

  it("are NaN of what is not finite", function()
    near(NAN, of("effective_rank", { math.huge, 1 }))
    near(NAN, of("effective_rank", { NAN, 1 }))
  end)
end)

describe("the Gaussian's effective rank", function()
  it("is known for the shapes of a small model", function()
    for _, case in ipairs { { 576, 576, 463.7 }, { 192, 576, 183.1 },
      { 1536, 576, 545.5 } } do
      local rank = metrics.gaussian_effective_rank(case[1], case[2])
      assert.is_true(math.abs(rank - case[3]) < 0.051, tostring(rank))
      assert.equal(rank, metrics.gaussian_effective_rank(case[2], case[1]))
    end
  end)

  it("is that of numpy's Gaussian matrices within 0.3 %", function()
    local golden = support.json "tests/golden/stats/gaussian.json"
    local seen = 0
    for shape, ranks in pairs(golden.ranks) do
      local rows, cols = shape:match "^(%d+)x(%d+)$"
      local limit = weft.gaussian_effective_rank(math.tointeger(rows),
        math.tointeger(cols))
      for _, rank in ipairs(ranks) do
        near(rank, limit, 3e-3, shape)
        seen = seen + 1
      end
    end
    assert.equal(9, seen)
  end)
end)

describe("the registry", function()
  it("describes every metric", function()
    for _, row in ipairs(metrics.list()) do
      assert.equal(row, metrics.get(row.name))
      assert.is_truthy(row.of == "singular" or row.of == "kernel")
      for _, key in ipairs { "unit", "doc", "source" } do
        assert.equal("string", type(row[key]), row.name .. " " .. key)
      end
      assert.is_true(#row.doc > 0)
    end
  end)

  it("adds one everywhere, and replaces it", function()
    local count = #metrics.list()
    weft.metric { name = "gap_of_spec", unit = "x",
      fn = function(s) return s[1] - s[2] end }
    assert.equal(count + 1, #metrics.list())
    assert.equal(1, weft.gap_of_spec(SPECTRUM))
    local part = { layer = 0, name = "W", tensor = core.tensor { { 3, 0 },
      { 0, 1 } } }
    local f = weft.measure({ part }, { "gap_of_spec" })
    near(2, f:row(1).gap_of_spec, 1e-14)
    assert.equal("x", f.units.gap_of_spec)
    weft.metric { name = "gap_of_spec", of = "singular",
      fn = function(s) return s[2] - s[1] end }
    assert.equal(count + 1, #metrics.list())
    assert.equal(-1, weft.gap_of_spec(SPECTRUM))
    near(-2, weft.measure({ part }, { "gap_of_spec" }):row(1).gap_of_spec,
      1e-14)
    assert.same({ "", "", "" }, { metrics.get("gap_of_spec").unit,
      metrics.get("gap_of_spec").doc, metrics.get("gap_of_spec").source })
  end)

  it("names what is not there, and what is wrong", function()
    assert.error_matches(function() metrics.get "efective_rank" end,
      "no metric 'efective_rank'; there are effective_rank, entropy,", 1, true)
    assert.has_error(function() metrics.get(nil) end)
    assert.has_error(function() metrics.add { name = "x" } end)
    assert.error_matches(function()
      metrics.add { name = "x", of = "eigen", fn = print }
    end, "metric 'x' is of 'eigen', 'singular' or 'kernel' was expected", 1,
      true)
    assert.is_nil(weft.no_such_thing)
  end)
end)

describe("measuring", function()
  local diagonal = core.tensor { { 2, 0, 0 }, { 0, 1, 0 } }
  local bad = core.tensor { { 1, NAN }, { 0, 1 } }

  it("is a tidy frame, a row a part", function()
    local f = measure.parts({
      { layer = 0, name = "W_A", tensor = diagonal },
      { layer = 1, name = "W_B", tensor = diagonal:t() },
    }, { "frobenius_norm", "rank", "n99" })
    assert.same({ "layer", "name", "shape", "frobenius_norm", "rank", "n99",
      "error" }, f.names)
    assert.same({ "2x3", "3x2" }, f:column "shape")
    assert.same({ "", "" }, f:column "error")
    for i = 1, 2 do
      near(5 ^ 0.5, f:column("frobenius_norm")[i], 1e-14)
      assert.equal(2, f:column("rank")[i])
    end
    assert.equal("components", f.units.n99)
  end)

  it("costs a bad part's row alone", function()
    local parts = {
      { layer = 0, name = "bad", tensor = bad },
      { layer = 0, name = "none", tensor = false, shape = { 4, 2 },
        reason = "missing: there is no tensor 'x'" },
      { layer = 0, name = "nothing" },
      { layer = 0, name = "good", tensor = diagonal },
    }
    local told = {}
    local f = measure.parts(parts, { "effective_rank", "n99" },
      { each = function(i, s, reason)
        assert.is_nil(told[i])
        told[i] = s and #s or reason
      end })
    local reasons = f:column "error"
    assert.is_truthy(reasons[1]:find("1", 1, true))
    assert.is_truthy(reasons[1]:find("non-finite", 1, true), reasons[1])
    assert.equal("missing: there is no tensor 'x'", reasons[2])
    assert.equal("there is nothing to measure", reasons[3])
    assert.equal("", reasons[4])
    assert.equal("4x2", f:column("shape")[2])
    assert.same({ reasons[1], reasons[2], reasons[3], 2 }, told)
    for i = 1, 3 do
      near(NAN, f:column("effective_rank")[i])
      near(NAN, f:column("n99")[i])
    end
    near(weft.effective_rank { 2, 1 }, f:column("effective_rank")[4], 1e-14)
  end)

  it("keeps the other metrics of a part where one can't be had", function()
    weft.metric { name = "raising_of_spec",
      fn = function() error("no such number") end }
    local f = measure.parts({ { layer = 0, name = "W", tensor = diagonal } },
      { "raising_of_spec", "asymmetry", "rank" })
    assert.equal(2, f:row(1).rank)
    near(NAN, f:row(1).asymmetry)
    assert.equal("no such number", f:row(1).error)
    f = measure.parts({ { layer = 0, name = "W", tensor = diagonal } },
      { "symmetry", "rank" })
    assert.equal("symmetry is of kernels alone", f:row(1).error)
    assert.equal(2, f:row(1).rank)
  end)

  it("takes kernels", function()
    local kernel = core.kernel(core.tensor { { 1, 0 } },
      core.tensor { { 0, 2 } })
    local f = measure.parts({ { layer = 3, head = 1, kernel = kernel } },
      { "asymmetry", "symmetry", "effective_rank", "spectral_norm" })
    assert.same({ "layer", "head", "shape", "asymmetry", "symmetry",
      "effective_rank", "spectral_norm", "error" }, f.names)
    local row = f:row(1)
    assert.equal("2x2", row.shape)
    near(2 ^ 0.5, row.asymmetry, 1e-14)
    assert.equal(0, row.symmetry)
    near(1, row.effective_rank, 1e-12)
    near(2, row.spectral_norm, 1e-14)
    assert.equal("", row.error)
  end)

  it("says why a number is not defined", function()
    local zero = core.zeros { 3, 2 }
    local f = measure.parts({ { layer = 0, name = "W", tensor = zero } },
      { "frobenius_norm", "effective_rank", "rank" })
    assert.equal("effective_rank is not defined: all singular values are zero",
      f:row(1).error)
    near(NAN, f:row(1).effective_rank)
    assert.equal(0, f:row(1).frobenius_norm)
    assert.equal(0, f:row(1).rank)
    f = measure.parts({ { layer = 0, head = 0,
      kernel = core.kernel(zero, zero) } }, { "asymmetry" })
    near(NAN, f:row(1).asymmetry)
    assert.equal("asymmetry is not defined: all singular values are zero",
      f:row(1).error)
  end)

  it("measures nothing of nothing, and names an unknown metric", function()
    assert.equal(0, #measure.parts({}, { "rank" }))
    assert.error_matches(function() measure.parts({}, { "rnk" }) end,
      "no metric 'rnk'", 1, true)
  end)
end)
