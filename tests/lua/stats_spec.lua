-- weft.stats beside numpy's numbers.
local stats = require "weft.stats"
local support = dofile "tests/lua/support.lua"

local near = support.near
local golden = support.json "tests/golden/stats/numpy.json"
local NAN = 0 / 0

local function is_nan(x)
  assert.is_true(x ~= x)
end

for _, case in ipairs(golden.cases) do
  describe("beside numpy, " .. case.name, function()
    local x = case.x

    it("has percentiles bit for bit", function()
      assert.same(case.percentiles, stats.percentile(x, golden.percents))
      for i, q in ipairs(golden.percents) do
        assert.equal(case.percentiles[i], stats.percentile(x, q))
      end
    end)

    it("has the median, least and greatest bit for bit", function()
      assert.equal(case.median, stats.median(x))
      assert.equal(case.min, stats.min(x))
      assert.equal(case.max, stats.max(x))
      assert.equal(case.max - case.min, stats.range(x))
    end)

    it("has sum, mean and deviations", function()
      local wide = case.name == "mean is far" and 1e-8 or 1e-13
      near(case.sum, stats.sum(x), 1e-13, "sum")
      near(case.mean, stats.mean(x), 1e-13, "mean")
      near(case.std0, stats.std(x), wide, "std")
      near(case.var0, stats.var(x, 0), wide, "var")
      near(case.std1 or NAN, stats.std(x, 1), wide, "std, ddof 1")
      near(case.var1 or NAN, stats.var(x, 1), wide, "var, ddof 1")
    end)

    it("has the running energy and the components of its shares", function()
      local energy = stats.cumulative_energy(x)
      assert.equal(#x, #energy)
      for i, share in ipairs(case.energy) do
        near(share, energy[i], 1e-13, "share")
      end
      assert.equal(1, energy[#energy])
      for i, level in ipairs(golden.milestones) do
        assert.equal(case.components[i], stats.components(energy, level))
      end
    end)
  end)
end

describe("a percentile", function()
  it("of nine values at 25 and 75 is an element", function()
    local x = { 0.1, 0.7, 0.3, 0.9, 0.2, 0.8, 0.4, 0.6, 1 / 3 }
    assert.same({ 0.3, 0.7 }, stats.percentile(x, { 25, 75 }))
  end)

  it("leaves its argument in order", function()
    local x = { 3, 1, 2 }
    stats.percentile(x, 50)
    stats.median(x)
    assert.same({ 3, 1, 2 }, x)
  end)

  it("names one outside of 0 to 100", function()
    assert.error_matches(function() stats.percentile({ 1 }, 101) end,
      "percentile 101 is outside [0, 100]", 1, true)
    assert.has_error(function() stats.percentile({ 1 }, NAN) end)
  end)
end)

describe("without values", function()
  it("counts and sums to zero, and is NaN else", function()
    assert.equal(0, stats.count {})
    assert.equal(0, stats.sum {})
    for _, name in ipairs { "mean", "std", "var", "min", "max", "range",
      "median", "cv", "first", "last" } do
      is_nan(stats[name] {})
    end
    is_nan(stats.percentile({}, 25))
    is_nan(stats.percentile({}, { 25 })[1])
    assert.same({}, stats.cumulative_energy {})
    is_nan(stats.components({}, 0.5))
  end)
end)

describe("a NaN among the values", function()
  local mixed = { { NAN, 1, 2 }, { 1, NAN, 2 }, { 1, 2, NAN } }

  it("makes every statistic NaN, wherever it stands", function()
    for _, x in ipairs(mixed) do
      for _, name in ipairs { "sum", "mean", "std", "var", "min", "max",
        "range", "median", "cv" } do
        is_nan(stats[name](x))
      end
      is_nan(stats.percentile(x, 50))
    end
  end)

  it("does not break sorting a long array", function()
    local x = {}
    for i = 1, 200 do
      x[i] = i % 3 == 0 and NAN or (i * 7919) % 101
    end
    is_nan(stats.percentile(x, 75))
    is_nan(stats.median(x))
  end)

  it("has no components", function()
    is_nan(stats.components(stats.cumulative_energy { 0, 0 }, 0.99))
  end)
end)

describe("deviation", function()
  it("of one value is 0 with ddof 0 and NaN with ddof 1", function()
    assert.equal(0, stats.std({ 5 }))
    is_nan(stats.std({ 5 }, 1))
    assert.equal(0, stats.cv({ 5 }))
  end)

  it("of equal values is nothing beside them", function()
    assert.is_true(stats.std { 0.1, 0.1, 0.1 } < 1e-16)
  end)
end)

describe("explained variance", function()
  it("is numpy's share between the groups", function()
    local share, chance = stats.explained(golden.groups)
    near(golden.explained, share, 1e-12)
    near(golden.shuffled, chance, 5e-3, "share of shuffled labels")
  end)

  it("is all of it where groups are constant, none where means agree",
    function()
      assert.equal(1, (stats.explained { { 1, 1 }, { 2, 2 } }))
      assert.equal(0, (stats.explained { { 1, 3 }, { 3, 1 } }))
    end)

  it("takes an empty group for none", function()
    local share, chance = stats.explained { { 1, 2 }, {}, { 3, 5 } }
    local share2, chance2 = stats.explained { { 1, 2 }, { 3, 5 } }
    assert.equal(share2, share)
    assert.equal(chance2, chance)
    assert.equal(1 / 3, chance)
  end)

  it("is NaN without variance and without numbers", function()
    is_nan((stats.explained { { 2, 2 }, { 2 } }))
    is_nan((stats.explained {}))
  end)
end)
