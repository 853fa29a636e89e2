-- weft.csv: RFC 4180, beside Python's csv module.
local csv = require "weft.csv"
local support = dofile "tests/lua/support.lua"

local golden = support.json "tests/golden/frame/csv.json"

describe("beside Python's csv module", function()
  it("reads what it writes, whatever its line ends and quotes", function()
    assert.same(golden.rows, csv.decode(golden.crlf))
    assert.same(golden.lf_rows, csv.decode(golden.lf))
    assert.same(golden.rows, csv.decode(golden.all_quoted))
  end)

  it("writes what it writes", function()
    assert.equal(golden.lf, csv.encode(golden.lf_rows))
    assert.same(golden.rows, csv.decode(csv.encode(golden.rows)))
  end)

  it("quotes a lone empty cell, which else were an empty line", function()
    local rows = { { "x" }, { "" }, { "y" } }
    assert.equal(golden.single, csv.encode(rows))
    assert.same(rows, csv.decode(golden.single))
  end)
end)

describe("encoding", function()
  it("prints numbers so that they read back as the same double", function()
    local row = { 0.1 + 0.2, 1e-5, 5e-324, 1.7976931348623157e308, 1 / 3,
      -1.5, 3, 3.0, 2 ^ 53, -0.0 }
    local text = csv.encode { row }
    assert.equal("0.30000000000000004,1e-05,5e-324,1.7976931348623157e+308,"
      .. "0.3333333333333333,-1.5,3,3,9007199254740992,-0\n", text)
    for j, cell in ipairs(csv.decode(text)[1]) do
      assert.equal(row[j], tonumber(cell))
    end
    assert.equal("nan,nan,inf,-inf\n", csv.encode {
      { 0 / 0, -(0 / 0), math.huge, -math.huge } })
  end)

  it("takes the sting out of formulas, of text alone", function()
    local row = { "=1+1", "+x", "-x", "@x", "\tx", "\rx", "'=x", "'plain",
      -1.5 }
    local text = csv.encode { row }
    assert.equal("'=1+1,'+x,'-x,'@x,'\tx,\"'\rx\",''=x,'plain,-1.5\n", text)
    local back = csv.decode(text)[1]
    assert.equal("-1.5", table.remove(back))
    table.remove(row)
    assert.same(row, back)
  end)

  it("quotes a formula that needs it inside of the quotes", function()
    assert.equal("\"'=HYPERLINK(\"\"a\"\",\"\"b\"\")\"\n",
      csv.encode { { '=HYPERLINK("a","b")' } })
  end)

  it("makes nothing of no rows", function()
    assert.equal("", csv.encode {})
    assert.same({}, csv.decode "")
  end)
end)

describe("decoding", function()
  it("takes \\n, \\r\\n and \\r for ends of a line", function()
    local rows = { { "a", "b" }, { "1", "2" } }
    for _, text in ipairs { "a,b\n1,2\n", "a,b\r\n1,2\r\n", "a,b\r1,2\r",
      "a,b\n1,2", "\u{FEFF}a,b\n1,2\n", "a,b\n\n1,2\n\n", '"a",b\r\n1,"2"' } do
      assert.same(rows, csv.decode(text))
    end
  end)

  it("keeps empty cells", function()
    assert.same({ { "", "" }, { "", "", "" }, { "a", "" } },
      csv.decode ',\n"",,""\na,')
  end)

  it("names the row that is broken", function()
    local rows, message = csv.decode 'a,b\n1,"2'
    assert.is_nil(rows)
    assert.equal("row 2: a quoted cell is not closed", message)
    rows, message = csv.decode '"a"b\n'
    assert.is_nil(rows)
    assert.equal("row 1: text after a quoted cell", message)
  end)
end)
