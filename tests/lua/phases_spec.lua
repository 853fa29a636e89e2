-- weft.phases: the layers in thirds.
local frame = require "weft.frame"
local phases = require "weft.phases"
local support = dofile "tests/lua/support.lua"

local near = support.near
local NAN = 0 / 0

local function spans(L)
  local list = {}
  for i, phase in ipairs(phases.of(L)) do
    list[i] = { phase.name, phase.span, phase.first, phase.last, phase.empty }
  end
  return list
end

describe("the thirds", function()
  it("are the notebook's, whatever the number of layers", function()
    assert.same({ { "Early (0-11)", "0–11", 0, 11, false },
      { "Middle (12-23)", "12–23", 12, 23, false },
      { "Late (24-35)", "24–35", 24, 35, false } }, spans(36))
    assert.same({ { "Early (0-9)", "0–9", 0, 9, false },
      { "Middle (10-19)", "10–19", 10, 19, false },
      { "Late (20-29)", "20–29", 20, 29, false } }, spans(30))
    assert.same({ { "Early (0-1)", "0–1", 0, 1, false },
      { "Middle (2-3)", "2–3", 2, 3, false },
      { "Late (4-6)", "4–6", 4, 6, false } }, spans(7))
    assert.same({ { "Early (0-0)", "0–0", 0, 0, false },
      { "Middle (1-1)", "1–1", 1, 1, false },
      { "Late (2-2)", "2–2", 2, 2, false } }, spans(3))
  end)

  it("are none where there are too few layers", function()
    for L = 1, 2 do
      assert.same({ { "Early (none)", "none", 0, -1, true },
        { "Middle (none)", "none", 0, -1, true },
        { ("Late (0-%d)"):format(L - 1), ("0–%d"):format(L - 1), 0, L - 1,
          false } }, spans(L))
    end
  end)

  it("take every layer once", function()
    for L = 1, 100 do
      local next_layer = 0
      for _, phase in ipairs(phases.of(L)) do
        assert.is_true(phase.empty or phase.first == next_layer)
        next_layer = phase.last + 1
      end
      assert.equal(L, next_layer)
    end
  end)

  it("have words", function()
    local words = {}
    for i, phase in ipairs(phases.of(9)) do
      words[i] = phase.word
    end
    assert.same({ "early", "middle", "late" }, words)
  end)
end)

describe("a phase's summary", function()
  local golden = support.json "tests/golden/frame/pandas.json"
  local f = assert(frame.from_csv(support.read
    "tests/golden/notebook/tiny-qwen2/weights_exact.csv"))

  it("is pandas'", function()
    for i, phase in ipairs(phases.of(7)) do
      local want = golden.phases[i]
      assert.equal(want.first, phase.first)
      assert.equal(want.last, phase.last)
      local summary = phases.summary(f, phase)
      assert.equal(#want.weights, #summary)
      for j, row in summary:rows() do
        for name, value in pairs(want.weights[j]) do
          if name == "weight_type" then
            assert.equal(value, row[name])
          else
            near(value, row[name], 1e-13, name)
          end
        end
      end
    end
  end)

  it("of one layer has no deviation; of none no rows", function()
    local summary = phases.summary(f, phases.of(3)[1])
    assert.equal(7, #summary)
    near(NAN, summary:row(1).std)
    near(NAN, summary:row(1).cv)
    assert.equal(summary:row(1).min, summary:row(1).max)
    assert.equal(0, #phases.summary(f, phases.of(2)[1]))
    assert.equal("| weight_type | mean | std | min | max | median | range |  "
      .. "cv |", phases.summary(f, phases.of(2)[1]):markdown():match "^[^\n]+")
  end)
end)
