-- weft.json: what is written reads back through core.json.
local core = require "weft.core"
local json = require "weft.json"

local function back(value)
  return assert(core.json(json.encode(value)))
end

describe("encoding", function()
  it("round-trips through core.json", function()
    local value = {
      name = "demo/x", L = 7, ratio = 0.1 + 0.2, tiny = 5e-324, on = true,
      off = false, list = { 1, 2.5, -3 }, empty = {}, nested = { { 1 },
        { a = { b = { "deep" } } } }, text = 'q " \\ / \b\f\n\r\t \1 \127 ü→',
    }
    assert.same(value, back(value))
  end)

  it("writes keys in byte order, and the same bytes for the same value",
    function()
      local text = json.encode { b = 1, a = 2, B = 3, _ = 4, aa = 5 }
      assert.equal('{\n "B": 3,\n "_": 4,\n "a": 2,\n "aa": 5,\n "b": 1\n}\n',
        text)
    end)

  it("breaks lines at tables, not within a list of numbers", function()
    assert.equal('{\n "m": [\n  [1, 2],\n  [3, 4]\n ]\n}\n',
      json.encode { m = { { 1, 2 }, { 3, 4 } } })
    assert.equal("[]\n", json.encode {})
  end)

  it("makes null of numbers that JSON has not", function()
    assert.equal("[null, null, null, 1]\n",
      json.encode { 0 / 0, math.huge, -math.huge, 1 })
    assert.equal("[1, null]\n", json.encode { 1, core.null })
    assert.equal(core.null, back({ 0 / 0 })[1])
    assert.equal("null\n", json.encode(nil))
  end)

  it("prints numbers at full precision", function()
    for _, x in ipairs { 0.1, 1 / 3, 2 ^ 0.5, 1e300, 1e-300, 123456789.125,
      2 ^ 53 - 1 } do
      assert.equal(x, back({ x })[1])
    end
    assert.equal("[3, 3, -0]\n", json.encode { 3, 3.0, -0.0 })
  end)

  it("shows bytes that are no UTF-8, so that every reader takes the text",
    function()
      assert.equal('"a\\\\xFF"\n', json.encode "a\xFF")
      assert.equal("\\xED\\xA0\\x80", back({ "\xED\xA0\x80" })[1])
    end)

  it("takes labels for keys", function()
    assert.same({ ["0"] = "first", ["12"] = 1 }, back { [0] = "first",
      [12] = 1 })
  end)

  it("refuses what has no JSON", function()
    assert.has_error(function() json.encode { print } end,
      "a function has no JSON")
    assert.has_error(function() json.encode { t = core.zeros { 2 } } end,
      "a userdata has no JSON")
  end)
end)
