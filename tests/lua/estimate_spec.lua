-- Estimates of effective ranks: what the C core gives, and which matrices are
-- done exactly instead.
local core <const> = require "weft.core"
local estimate <const> = require "weft.estimate"
local support <const> = require "tests.lua.support"

local N <const> = 192

-- Singular values that fall from 1 to 0.1, evenly.
local function falling(n)
  local s <const> = {}
  for i = 1, n do
    s[i] = 1 - 0.9 * (i - 1) / (n - 1)
  end
  return s
end

local function sum_of(list)
  local sum = 0
  for _, value in ipairs(list) do
    sum = sum + value
  end
  return sum
end

describe("core.estimate", function()
  local s <const> = falling(N)
  local matrix <const> = core.planted(N, N + 40, s, 3)

  it("gives an interval around the effective rank", function()
    local list <const>, why <const> = core.estimate { matrix }
    local got <const> = list[1]
    assert.is_false(why[1])
    assert.is_false(got.exact)
    assert.equal(0, got.probes % 8)
    assert.equal(16, got.steps)
    local want <const> = support.effective_rank(s)
    assert.is_true(math.abs(got.effective_rank / want - 1)
      < 1.5 * got.half_width)
    assert.is_true(got.low < got.effective_rank
      and got.effective_rank < got.high)
    assert.is_true(math.abs(got.high / got.effective_rank - 1
      - got.half_width) < 1e-12)
  end)

  it("gives a density over the singular values", function()
    local density <const> = core.estimate({ matrix })[1].density
    assert.equal(65, #density.edges)
    assert.equal(64, #density.weights)
    assert.equal(0, density.edges[1])
    assert.is_true(math.abs(density.edges[65] - 1) < 0.05)
    assert.is_true(math.abs(sum_of(density.weights) - N) < 1e-6 * N)
  end)

  it("has the same bytes whatever the threads, and others by seed", function()
    local function rank(options)
      return core.estimate({ matrix }, options)[1].effective_rank
    end
    local one <const> = rank { threads = 1 }
    assert.equal(one, rank { threads = 3 })
    assert.equal(one, rank { threads = 2, seed = 1 })
    assert.is_true(one ~= rank { seed = 2 })
  end)

  it("says why a matrix has none, and goes on", function()
    local bad <const> = core.zeros { 130, 140 }
    bad:set(2, 7, 0 / 0)
    local told <const> = {}
    local list <const>, why <const> = core.estimate({ core.zeros { 3, 200 },
      bad, matrix, core.zeros { 5 } }, { each = function(i, result, reason)
      told[#told + 1] = { i, result and true, reason }
    end })
    assert.same({ false, false, true, false }, { list[1], list[2],
      list[3] and true, list[4] })
    assert.same({
      "a matrix of shape [3, 200] is too small to estimate: expected sides of "
        .. "at least 128",
      "1 non-finite value, at row 2, column 7", false,
      "a tensor of shape [5] has no singular values: expected 2 axes" }, why)
    assert.same({ 1, false, why[1] }, told[1])
    assert.same({ 3, true, false }, told[3])
    assert.equal(4, #told)
  end)

  it("refuses what is no tensor, and options it has not", function()
    assert.error_matches(function() core.estimate { 7 } end,
      "element 1 is number, expected a tensor")
    local closed <const> = core.zeros { 2, 2 }
    closed:close()
    assert.error_matches(function() core.estimate { closed } end,
      "element 1 is a closed tensor, expected a tensor")
    assert.error_matches(function() core.estimate({}, { thread = 1 }) end,
      "thread")
    assert.error_matches(function() core.estimate({}, { threads = 0 }) end,
      "option 'threads': 0, expected 1 to 1024")
    assert.error_matches(function() core.estimate({}, { seed = 0.5 }) end,
      "option 'seed': 0.5, expected an integer")
  end)

  it("lets an error of each through", function()
    assert.error_matches(function()
      core.estimate({ matrix }, { each = function() error("enough") end })
    end, "enough")
  end)
end)

describe("weft.estimate", function()
  local s <const> = falling(N)
  local matrix <const> = core.planted(N, N, s, 3)
  local half <const> = core.planted(40, N, falling(40), 4)
  local kernel <const> = core.kernel(half, half)

  it("does small matrices and kernels exactly", function()
    local list <const>, why <const>, infos <const> = estimate.of {
      matrix, kernel }
    assert.is_true(list[1].exact and list[2].exact)
    support.near(support.effective_rank(s), list[1].effective_rank, 1e-9)
    assert.same({ list[1].effective_rank, list[1].effective_rank, 0.0, 0 },
      { list[1].low, list[1].high, list[1].half_width, list[1].probes })
    assert.equal(N, sum_of(list[1].density.weights))
    assert.equal(40, sum_of(list[2].density.weights))
    assert.same({ false, false }, why)
    assert.is_number(infos[1].bound)
  end)

  it("keeps the order of a list of both", function()
    local told <const> = {}
    local list <const>, why <const>, infos <const> = estimate.of(
      { kernel, matrix, core.zeros { 3 } },
      { exact_below = 150, each = function(i) told[i] = true end })
    assert.same({ true, false }, { list[1].exact, list[2].exact })
    assert.equal(list[2].half_width, infos[2].half_width)
    assert.is_false(list[3])
    assert.equal("a tensor of shape [3] has no singular values: expected 2 "
      .. "axes", why[3])
    assert.same({ true, true, true }, told)
  end)

  it("refuses options it has not", function()
    assert.error_matches(function() estimate.of({}, { probes = 3 }) end,
      "unknown option 'probes'")
    assert.error_matches(function() estimate.of({}, { exact_below = 5 }) end,
      "option 'exact_below' is 5, expected")
    assert.error_matches(function() estimate.of({}, { seed = "x" }) end,
      "option 'seed' is a string, expected a number")
    assert.error_matches(function() estimate.of(7) end,
      "list is 7, expected an array of tensors and kernels")
    assert.error_matches(function() estimate.of { {} } end,
      "list%[1%] is a table, expected a tensor or a kernel")
  end)
end)
