-- weft.trends: what a weight does over depth.
local trends = require "weft.trends"

local NAN = 0 / 0

describe("a trend", function()
  it("is the notebook's of three means", function()
    assert.equal("U-SHAPE", trends.classify(3, 1, 2))
    assert.equal("U-SHAPE", trends.classify(2, 1, 3))
    assert.equal("MONOTONE DOWN", trends.classify(3, 2, 1))
    assert.equal("MONOTONE UP", trends.classify(1, 2, 3))
    assert.equal("OTHER", trends.classify(1, 3, 2))
  end)

  it("is OTHER where two means are equal", function()
    for _, means in ipairs { { 1, 1, 2 }, { 2, 1, 1 }, { 1, 1, 1 },
      { 2, 2, 1 }, { 1, 2, 2 } } do
      assert.equal("OTHER", trends.classify(table.unpack(means)))
    end
    assert.equal("U-SHAPE", trends.classify(2, 1, 2))
  end)

  it("is n/a where a mean is missing", function()
    assert.equal("n/a", trends.classify(NAN, 1, 2))
    assert.equal("n/a", trends.classify(1, NAN, 2))
    assert.equal("n/a", trends.classify(1, 2, NAN))
  end)

  it("has a mark for the screen", function()
    for means, mark in pairs { [{ 3, 1, 2 }] = "U-SHAPE ✓",
      [{ 3, 2, 1 }] = "MONOTONE ↓", [{ 1, 2, 3 }] = "MONOTONE ↑",
      [{ 1, 1, 1 }] = "OTHER", [{ NAN, 1, 1 }] = "n/a" } do
      assert.equal(mark, trends.marks[trends.classify(table.unpack(means))])
    end
  end)
end)

describe("the largest steps", function()
  it("are the most negative and the most positive one", function()
    local drop, jump = trends.gradient({ 0, 1, 2, 3 }, { 5, 3, 7, 6 })
    assert.same({ from = 0, to = 1, value = -2 }, drop)
    assert.same({ from = 1, to = 2, value = 4 }, jump)
  end)

  it("are the first of equals, as argmin and argmax", function()
    local drop, jump = trends.gradient({ 0, 1, 2, 3, 4 }, { 2, 1, 2, 1, 2 })
    assert.equal(0, drop.from)
    assert.equal(1, jump.from)
  end)

  it("are one step of a series that only rises", function()
    local drop, jump = trends.gradient({ 0, 1, 2 }, { 1, 2, 4 })
    assert.same({ from = 0, to = 1, value = 1 }, drop)
    assert.same({ from = 1, to = 2, value = 2 }, jump)
  end)

  it("are not taken over a gap", function()
    local layers, ranks = { 0, 1, 3, 4, 6 }, { 1, 2, 50, 49, 0 }
    assert.same({ { from = 0, to = 1, value = 1 },
      { from = 3, to = 4, value = -1 } }, trends.steps(layers, ranks))
    local drop, jump = trends.gradient(layers, ranks)
    assert.equal(3, drop.from)
    assert.equal(0, jump.from)
  end)

  it("are not taken from or to a rank that is not there", function()
    local drop, jump = trends.gradient({ 0, 1, 2, 3 }, { NAN, 2, 1, 4 })
    assert.same({ from = 1, to = 2, value = -1 }, drop)
    assert.same({ from = 2, to = 3, value = 3 }, jump)
  end)

  it("are none of one layer or of none", function()
    for _, layers in ipairs { {}, { 0 }, { 0, 2, 4 } } do
      local drop, jump = trends.gradient(layers, { 1, 2, 3 })
      assert.is_nil(drop)
      assert.is_nil(jump)
    end
  end)
end)
