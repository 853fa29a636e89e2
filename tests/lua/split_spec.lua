-- Matrices whose slices many workers take: the same bytes as one gives.
local core <const> = require "weft.core"

local SIDE <const>, LONG <const> = 1024, 1600 -- two slices

local function matrix(seed)
  return (core.uniform(seed, SIDE, LONG) - 0.5):to("f32")
end

-- The spectra of a list as bytes, and its reasons; each is told once.
local function bytes_of(list, threads)
  local told <const>, texts <const> = {}, {}
  local results <const>, why <const> = core.spectra(list, {
    threads = threads,
    each = function(i)
      assert.is_nil(told[i])
      told[i] = true
    end,
  })
  assert.equal(#list, #told)
  for i, s in ipairs(results) do
    texts[i] = s and core.encode(s, "F64") or "none"
  end
  return table.concat(texts, ";"), why
end

describe("a batch of few large matrices", function()
  local all <const> = {}

  setup(function()
    for i = 1, 5 do
      all[i] = matrix(i)
    end
    all[3] = all[3]:to "f64"
  end)

  it("has the same bytes with any number of workers", function()
    for _, count in ipairs { 1, 3, 5 } do
      local list <const> = table.move(all, 1, count, 1, {})
      local one <const> = bytes_of(list, 1)
      for _, threads in ipairs { 2, 3, 7 } do
        assert.is_true(one == bytes_of(list, threads),
          ("%d matrices, %d threads"):format(count, threads))
      end
    end
  end)

  it("tells what is not finite in a later slice, and of it alone", function()
    local bad <const> = matrix(9)
    bad:set(7, 1590, 0 / 0)
    bad:set(9, 801, 1 / 0)
    local list <const> = { all[1], bad, all[2] }
    for _, threads in ipairs { 1, 2 } do
      local results <const>, why <const> = core.spectra(list,
        { threads = threads })
      assert.is_false(results[2])
      assert.equal("2 non-finite values, the first at row 7, column 1590",
        why[2])
      assert.equal(SIDE, #results[1])
      assert.equal(SIDE, #results[3])
    end
  end)
end)
