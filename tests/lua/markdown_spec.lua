-- weft.markdown: hostile text, alignment, numbers that are not there.
local markdown = require "weft.markdown"

describe("escaping", function()
  it("leaves one cell of a name that would be a link, code or HTML", function()
    assert.equal("a\\|b\\`c\\`\\](javascript:x)\\<b\\>\\*i\\* \\\\ W_Q",
      markdown.escape "a|b`c`](javascript:x)<b>*i* \\ W_Q")
    local text = markdown.table({ "Name" }, { "l" },
      { { markdown.escape "x|`y`](javascript:alert(1))\n| next |" } })
    local lines = {}
    for line in (text .. "\n"):gmatch "(.-)\n" do
      lines[#lines + 1] = line
    end
    assert.equal(3, #lines)
    assert.equal("| x\\|\\`y\\`\\](javascript:alert(1)) \\| next \\| |",
      lines[3])
  end)

  it("makes spaces of control codes", function()
    assert.equal("a b c d e", markdown.escape "a\nb\rc\0d\27e")
  end)

  it("shows bytes that are no UTF-8", function()
    local text = markdown.escape "a\xFFb\xC3"
    assert.equal("a\\\\xFFb\\\\xC3", text)
    assert.equal("ü→✓", markdown.escape "ü→✓")
  end)

  it("takes numbers and truth values", function()
    assert.equal("12", markdown.escape(12))
    assert.equal("true", markdown.escape(true))
  end)
end)

describe("width", function()
  it("counts columns of a terminal", function()
    assert.equal(5, markdown.width "Wörte")
    assert.equal(4, markdown.width "→ ✓…")
    assert.equal(4, markdown.width "模型")
    assert.equal(4, markdown.width "ｈａ")
    assert.equal(2, markdown.width "👍")
    assert.equal(1, markdown.width "e\u{301}")
    assert.equal(2, markdown.width "\xFF\xFE")
  end)
end)

describe("a table", function()
  it("aligns left and right, whatever the characters", function()
    local lines = { "| Name |    σ |", "| :--- | ---: |", "| 模型 |  1.5 |",
      "| Δx   | 12.5 |" }
    assert.equal(table.concat(lines, "\n"), markdown.table({ "Name", "σ" },
      { "l", "r" }, { { "模型", "1.5" }, { "Δx", "12.5" } }))
  end)

  it("has a rule of three characters at least, and no rows if need be",
    function()
      assert.equal("| a   |   b |\n| :-- | --: |",
        markdown.table({ "a", "b" }, { "l", "r" }, {}))
    end)
end)

describe("a number", function()
  it("is n/a where there is none", function()
    assert.equal("n/a", markdown.number("%.1f", nil))
    assert.equal("n/a", markdown.number("%.1f", false))
    assert.equal("n/a", markdown.number("%d", 0 / 0))
    assert.equal("n/a", markdown.number("%.1f", -(0 / 0)))
    assert.equal("2.5", markdown.number("%.1f", 2.5))
    assert.equal("-0.3", markdown.number("%+.1f", -0.25001))
    assert.equal("inf", markdown.number("%.1f", math.huge))
  end)
end)

describe("an anchor", function()
  it("is what renderers make of the report's headings", function()
    for heading, anchor in pairs {
      ["Layer-over-Layer Gradient (Sharp Transitions)"] =
        "layer-over-layer-gradient-sharp-transitions",
      ["Attention Kernel Analysis (Layer 3, Head 0)"] =
        "attention-kernel-analysis-layer-3-head-0",
      ["Phase Analysis: Encode → Compute → Decode"] =
        "phase-analysis-encode--compute--decode",
      ["W_down SVD Analysis (Layer 18)"] = "w_down-svd-analysis-layer-18",
      ["Größe"] = "größe",
    } do
      assert.equal(anchor, markdown.anchor(heading))
    end
  end)
end)
