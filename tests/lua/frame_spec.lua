-- weft.frame: every statement of the notebook that works on a table has its
-- line here, beside pandas' own results.
local core = require "weft.core"
local frame = require "weft.frame"
local markdown = require "weft.markdown"
local stats = require "weft.stats"
local support = dofile "tests/lua/support.lua"

local near = support.near
local golden = support.json "tests/golden/frame/pandas.json"
local PATH = "tests/golden/notebook/tiny-qwen2/"
local NAN = 0 / 0

-- what read_csv(path) is
local function weights()
  return assert(frame.from_csv(support.read(PATH .. "weights_exact.csv")))
end

-- rows of a frame, beside pandas' by name
local function same_rows(expected, f, names)
  assert.equal(#expected, #f)
  for i, row in f:rows() do
    for _, name in ipairs(names) do
      local want = expected[i][name]
      if type(want) == "string" then
        assert.equal(want, row[name])
      else
        near(want or NAN, row[name], 1e-13, name)
      end
    end
  end
end

-- the cells of a markdown table as numbers where they are any
local function cells(text)
  local rows = {}
  for line in (text .. "\n"):gmatch "(.-)\n" do
    if not line:find "^|[%s:|-]+|$" then
      local row = {}
      for cell in line:gmatch "|([^|]+)" do
        cell = cell:match "^%s*(.-)%s*$"
        row[#row + 1] = tonumber(cell) or cell
      end
      rows[#rows + 1] = row
    end
  end
  return rows
end

local function columns(f, names)
  local out = {}
  for _, name in ipairs(names) do
    out[name] = f:column(name)
  end
  return out
end

describe("read_csv and to_csv", function()
  it("give the notebook's file back byte for byte", function()
    for _, path in ipairs { PATH .. "weights_exact.csv",
      PATH .. "demo_tiny-qwen2_Layer_Weight_Eff_Ranks.csv",
      "tests/golden/notebook/smollm2-135m/"
        .. "SmolLM2-135M-Instruct_Layer_Weight_Eff_Ranks.csv" } do
      local text = support.read(path)
      assert.equal(text, frame.from_csv(text):csv())
    end
  end)

  it("tell numbers from text by the whole column", function()
    local f = frame.from_csv "a,b,c,d,e\n1,1,x,,nan\n2,2.5,3,,\n"
    assert.same({ 1, 2 }, f:column "a")
    assert.equal("integer", math.type(f:column("a")[1]))
    assert.equal("float", math.type(f:column("b")[1]))
    assert.same({ "x", "3" }, f:column "c")
    assert.same({ "", "" }, f:column "d")
    near(NAN, f:column("e")[1])
    near(NAN, f:column("e")[2])
  end)

  it("keep infinities, and no hexadecimal", function()
    local f = frame.new({ "x" }, { x = { math.huge, -math.huge, 0.5 } })
    assert.same(f:column "x", frame.from_csv(f:csv()):column "x")
    for _, cell in ipairs { "0x10", "-0x10", " 0x10", "1e", "x1", "--1" } do
      assert.same({ cell }, frame.from_csv("a\n" .. cell .. "\n"):column "a")
    end
  end)

  it("say what is wrong", function()
    local function fault(text)
      local f, message, code = frame.from_csv(text)
      assert.is_nil(f)
      assert.equal("format", code)
      return message
    end
    assert.equal("no line of column names", fault "")
    assert.equal("row 2 has 3 cells, the header has 2", fault "a,b\n1,2\n1,2,3")
    assert.equal("column 'a' stands twice", fault "a,b,a\n1,2,3\n")
    assert.equal("row 2: a quoted cell is not closed", fault 'a,b\n1,"2\n')
  end)

  it("keep columns without rows", function()
    local f = frame.from_csv "a,b\n"
    assert.equal(0, #f)
    assert.same({ "a", "b" }, f.names)
    assert.equal("a,b\n", f:csv())
  end)
end)

describe("unique, boolean masks and sort_values", function()
  it("are pandas'", function()
    local f = weights()
    assert.same(golden.unique, f:unique "weight_type")
    assert.same(golden.filtered,
      f:filter { weight_type = "W_up" }:column "eff_rank")
    assert.same(golden.filtered, f:filter(function(row)
      return row.weight_type == "W_up"
    end):column "eff_rank")
    for key, sorted in pairs { sorted = f:sort "eff_rank",
      falling = f:sort("eff_rank", true) } do
      local head = sorted:head(5)
      local found = head:column "eff_rank"
      table.move(head:column "weight_type", 1, 5, 6, found)
      assert.same(golden[key], found)
    end
  end)

  it("sort stably, missing ones last either way", function()
    local f = frame.new({ "x", "i" }, { x = { 2, NAN, 1, 2, NAN, 1 },
      i = { 1, 2, 3, 4, 5, 6 } })
    assert.same({ 3, 6, 1, 4, 2, 5 }, f:sort("x"):column "i")
    assert.same({ 1, 4, 3, 6, 2, 5 }, f:sort("x", true):column "i")
    assert.same({ 1, 2, 3, 4, 5, 6 }, f:column "i")
  end)

  it("take missing ones for one value", function()
    local f = frame.new({ "x" }, { x = { 1, NAN, 1, NAN } })
    local values = f:unique "x"
    assert.equal(2, #values)
    near(NAN, values[2])
  end)

  it("name a column that is not there", function()
    local f = weights()
    local message = "no column 'wieght'; there are layer_idx, weight_type, "
      .. "shape, eff_rank"
    for _, call in ipairs {
      function() f:filter { wieght = "W_Q" } end,
      function() f:unique "wieght" end,
      function() f:sort "wieght" end,
      function() f:pivot("layer_idx", "weight_type", "wieght") end,
      function() f:pivot("wieght", "weight_type", "eff_rank") end,
      function() f:aggregate("wieght", "eff_rank", { "mean" }) end,
      function() f:aggregate("layer_idx", "wieght", { "mean" }) end,
      function() f:select { "wieght" } end,
      function() f:describe "wieght" end,
    } do
      assert.error_matches(call, message, 1, true)
    end
  end)
end)

describe("groupby.agg", function()
  it("is pandas' in every phase, as is the table made of it", function()
    for _, phase in ipairs(golden.phases) do
      local part = weights():filter(function(row)
        return row.layer_idx >= phase.first and row.layer_idx <= phase.last
      end)
      local x = part:column "eff_rank"
      near(phase.mean, stats.mean(x), 1e-13)
      near(phase.std, stats.std(x, 1), 1e-13)
      local names = { "mean", "std", "min", "max", "median", "range", "cv" }
      local summary = part:aggregate("weight_type", "eff_rank", names)
      assert.same({ "weight_type", table.unpack(names) }, summary.names)
      same_rows(phase.weights, summary, summary.names)
      assert.same(cells(phase.markdown), cells(summary:markdown()))
    end
  end)

  it("knows count, sum, var, first and last", function()
    same_rows(golden.aggregate, weights():aggregate("weight_type", "eff_rank",
      { "count", "sum", "mean", "std", "var", "min", "max", "median", "first",
        "last" }),
      { "weight_type", "count", "sum", "mean", "std", "var", "min", "max",
        "median", "first", "last" })
  end)

  it("leaves missing values and keys out, as pandas does", function()
    local f = frame.new({ "k", "v" }, { k = { "b", "a", "b", NAN, "a", "c" },
      v = { 1.5, NAN, 2.5, 9.0, 4.0, NAN } })
    local names = { "count", "sum", "mean", "std", "min", "max", "median",
      "first", "last" }
    same_rows(golden.missing, f:aggregate("k", "v", names),
      { "k", table.unpack(names) })
  end)

  it("takes a function by name", function()
    local f = weights():aggregate("weight_type", "eff_rank",
      { { "n", function(x) return #x end }, "mean" })
    assert.same({ "weight_type", "n", "mean" }, f.names)
    assert.same({ 7, 7, 7, 7, 7, 7, 7 }, f:column "n")
  end)

  it("names an aggregate that is none", function()
    assert.error_matches(function()
      weights():aggregate("layer_idx", "eff_rank", { "meen" })
    end, "no aggregate 'meen'", 1, true)
  end)
end)

describe("pivot", function()
  it("is pandas', as is its to_markdown", function()
    local f = weights():pivot("layer_idx", "weight_type", "eff_rank")
    assert.same({ "layer_idx", table.unpack(golden.pivot.columns) }, f.names)
    assert.same(golden.pivot.index, f:column "layer_idx")
    for i, row in f:rows() do
      for j, name in ipairs(golden.pivot.columns) do
        assert.equal(golden.pivot.rows[i][j], row[name])
      end
    end
    assert.same(cells(golden.pivot.markdown), cells(f:markdown()))
  end)

  it("leaves NaN where a cell is not there", function()
    local f = weights():filter(function(row)
      return row.layer_idx ~= 2 or row.weight_type ~= "W_V"
    end):pivot("layer_idx", "weight_type", "eff_rank")
    local absent = 0
    for i, row in f:rows() do
      for j, name in ipairs(golden.pivot.columns) do
        local want = golden.pivot_without_W_V_2[i][j]
        want = want ~= core.null and want or NAN
        absent = absent + (want ~= want and 1 or 0)
        near(want, row[name], 0)
      end
    end
    assert.equal(1, absent)
    assert.is_truthy(f:markdown():find("n/a", 1, true))
  end)

  it("refuses a cell that is there twice", function()
    local f = frame.new({ "i", "c", "v" }, { i = { 0, 0 }, c = { "x", "x" },
      v = { 1, 2 } })
    assert.error_matches(function() f:pivot("i", "c", "v") end,
      "'i' 0 has 'c' x twice", 1, true)
  end)
end)

describe("describe", function()
  it("has pandas' numbers", function()
    local d = weights():describe "eff_rank"
    assert.equal(1, #d)
    assert.same({ "column", "count", "mean", "std", "min", "max", "median",
      "range", "cv" }, d.names)
    for name, value in pairs(golden.describe) do
      near(value, d:row(1)[name], 1e-13, name)
    end
  end)

  it("is a row for every column of numbers", function()
    assert.same({ "layer_idx", "eff_rank" }, weights():describe():column
      "column")
    assert.error_matches(function() weights():describe "shape" end,
      "column 'shape' is none of numbers", 1, true)
  end)

  it("counts what is there", function()
    local row = frame.new({ "x" }, { x = { 1, NAN } }):describe("x"):row(1)
    assert.equal(1, row.count)
    near(NAN, row.std)
    assert.equal(1, row.median)
    row = frame.new({ "x" }, { x = {} }):describe("x"):row(1)
    assert.equal(0, row.count)
    near(NAN, row.mean)
  end)
end)

describe("the statistics table's formats", function()
  it("give the notebook's texts, with ddof 0", function()
    local x = weights():filter { weight_type = "W_up" }:column "eff_rank"
    local number = markdown.number
    assert.same(golden.table, {
      min = number("%.2f", stats.min(x)), max = number("%.2f", stats.max(x)),
      median = number("%.2f", stats.median(x)),
      std = number("%.2f", stats.std(x)),
      variance = number("%.2f", stats.var(x)), cv = number("%.4f", stats.cv(x)),
    })
  end)
end)

describe("a frame", function()
  local function small()
    return frame.new({ "name", "x" }, { name = { "a", "b" }, x = { 1.5, 2 } },
      { x = "nat" })
  end

  it("gives rows by name and its length", function()
    local f = frame.from_rows({ "a", "b" }, { { a = 1 }, { a = 2, b = "x" } })
    assert.equal(2, #f)
    assert.same({ a = 2, b = "x" }, f:row(2))
    near(NAN, f:row(1).b)
    assert.error_matches(function() f:row(3) end, "row 3 of 2", 1, true)
    assert.error_matches(function() f:row(1.5) end, "row 1.5 of 2", 1, true)
  end)

  it("refuses columns that do not fit", function()
    for message, call in pairs {
      ["column 'b' is a nil, a table was expected"] = function()
        frame.new({ "a", "b" }, { a = {} })
      end,
      ["column 'b' has 1 rows, the first one has 2"] = function()
        frame.new({ "a", "b" }, { a = { 1, 2 }, b = { 1 } })
      end,
      ["column 'a' stands twice"] = function()
        frame.new({ "a", "a" }, { a = { 1 } })
      end,
    } do
      assert.error_matches(call, message, 1, true)
    end
  end)

  it("gets a column more, or another in its place", function()
    local f = small():with("y", function(row) return 2 * row.x end, "bit")
    assert.same({ "name", "x", "y" }, f.names)
    assert.same({ 3, 4 }, f:column "y")
    f = f:with("x", function(row) return row.x > 1.7 and row.x or nil end)
    assert.same({ "name", "x", "y" }, f.names)
    near(NAN, f:column("x")[1])
    assert.same({ y = "bit" }, f.units)
    assert.same({ 1.5, 2 }, small():column "x")
  end)

  it("selects and cuts", function()
    assert.same({ "x" }, small():select({ "x" }).names)
    assert.same({ "a" }, small():head(1):column "name")
    assert.equal(0, #small():head(0))
    assert.equal(2, #small():head(9))
  end)

  it("joins by a column", function()
    local other = frame.new({ "x", "name" }, { x = { 10, 20 },
      name = { "b", "c" } }, { x = "bit" })
    local f = small():join(other, "name")
    assert.same({ "name", "x", "x_2" }, f.names)
    assert.same({ name = { "b" }, x = { 2 }, x_2 = { 10 } },
      columns(f, f.names))
    assert.same({ x = "nat", x_2 = "bit" }, f.units)
    local twice = frame.new({ "name" }, { name = { "b", "b" } })
    assert.error_matches(function() small():join(twice, "name") end,
      "'name' b stands twice in the joined frame", 1, true)
    assert.has_error(function() twice:join(small(), "x") end)
  end)

  it("joins nothing by a missing key", function()
    local f = frame.new({ "k", "v" }, { k = { NAN, 1 }, v = { 1, 2 } })
    assert.same({ 2 }, f:join(frame.new({ "k", "w" }, { k = { NAN, 1 },
      w = { 5, 6 } }), "k"):column "v")
  end)
end)

describe("JSON", function()
  it("is an array of objects whose keys are in the columns' order", function()
    local f = frame.new({ "z", "a", "ok" }, { z = { 1, 2 }, a = { NAN, 0.1 },
      ok = { true, false } })
    assert.equal('[\n {"z": 1, "a": null, "ok": true},\n'
      .. ' {"z": 2, "a": 0.1, "ok": false}\n]\n', f:json())
    assert.equal("[]\n", f:head(0):json())
  end)

  it("reads back with order, types and numbers", function()
    local f = weights()
    local back = assert(frame.from_json(f:json()))
    assert.same(f.names, back.names)
    assert.same(columns(f, f.names), columns(back, f.names))
    f = frame.new({ 'q"', "\\", "ü", "b" }, { ['q"'] = { "a\"b\\", "}" },
      ["\\"] = { NAN, 0.5 }, ["ü"] = { 1, 2 }, b = { "x,", "{" } })
    back = assert(frame.from_json(f:json()))
    assert.same(f.names, back.names)
    assert.equal(f:json(), back:json())
  end)

  it("takes what others write", function()
    local f = assert(frame.from_json
      ' [ {"b" :1,"a":"x" , "n":null},{"a":"y","c":true, "b":2.5} ] ')
    assert.same({ "b", "a", "n", "c" }, f.names)
    assert.same({ 1, 2.5 }, f:column "b")
    assert.equal("float", math.type(f:column("b")[1]))
    near(NAN, f:column("c")[1])
    near(NAN, f:column("n")[2])
    assert.equal(0, #assert(frame.from_json "[]"))
  end)

  it("says what is wrong", function()
    for text, message in pairs {
      ['{"a": 1}'] = "an array of objects was expected",
      ["3"] = "an array of objects was expected",
      ["[1]"] = "row 1 is no object",
      ["[null]"] = "row 1 is no object",
      ["[[1]]"] = "row 1 is no object",
      ['[{"a": 1}, {"a": {"b": 1}}]'] =
        "row 2: 'a' is no number, text or truth value",
    } do
      local f, found, code = frame.from_json(text)
      assert.is_nil(f)
      assert.equal(message, found)
      assert.equal("format", code)
    end
    assert.is_nil((frame.from_json "[{"))
  end)
end)

describe("markdown", function()
  it("prints six digits, whole integers, n/a and formats", function()
    local f = frame.new({ "i", "x", "t" }, { i = { 1234567, 2 },
      x = { 1234567.0, NAN }, t = { "a|b", NAN } })
    assert.equal("|       i |           x | t    |\n"
      .. "| ------: | ----------: | :--- |\n"
      .. "| 1234567 | 1.23457e+06 | a\\|b |\n"
      .. "|       2 |         n/a | n/a  |", f:markdown())
    assert.equal("| Ranks |\n| ----: |\n|  12.0 |",
      frame.new({ "x" }, { x = { 12 } })
        :markdown { format = { x = "%.1f" }, title = { x = "Ranks" } })
  end)

  it("shows units that are there", function()
    local f = frame.new({ "a", "b", "c" }, { a = { 1 }, b = { 2 }, c = { 3 } },
      { a = "nat", b = "" })
    assert.equal("| a (nat) |   b |   c |",
      f:markdown():match "^[^\n]+")
    assert.equal("| entropy |   b |   c |",
      f:markdown({ title = { a = "entropy" } }):match "^[^\n]+")
  end)

  it("keeps units where the numbers keep them", function()
    local f = frame.new({ "k", "s" }, { k = { "a", "b" }, s = { 1, 2 } },
      { s = "nat" })
    assert.same({ mean = "nat", std = "nat" },
      f:aggregate("k", "s", { "mean", "std", "var", "cv", "count" }).units)
    assert.same({ s = "nat" }, f:filter({ k = "a" }).units)
    assert.same({ s = "nat" }, f:sort("s").units)
    assert.same({ a = "nat", b = "nat" },
      f:with("i", function() return 0 end):pivot("i", "k", "s").units)
  end)
end)

describe("what the prompt shows", function()
  local function lines(text)
    local list = {}
    for line in (text .. "\n"):gmatch "(.-)\n" do
      list[#list + 1] = line
    end
    return list
  end

  -- a frame of n rows and of columns c1, c2, …
  local function big(n, count)
    local names, data = {}, {}
    for j = 1, count do
      names[j] = "c" .. j
      data[names[j]] = {}
      for i = 1, n do
        data[names[j]][i] = i + j / 7
      end
    end
    return frame.new(names, data)
  end

  it("is all of a small frame", function()
    local f = frame.new({ "a" }, { a = { 1, 2 } })
    assert.equal("|   a |\n| --: |\n|   1 |\n|   2 |", tostring(f))
    assert.equal(23, #lines(tostring(big(21, 1))))
  end)

  it("is the rows of a screen, from both ends", function()
    local shown = lines(tostring(big(22, 1)))
    assert.equal(24, #shown)
    assert.is_truthy(shown[3]:find(" 1%.14286 "))
    assert.is_truthy(shown[12]:find(" 10%.1429 "))
    assert.is_truthy(shown[13]:find("…", 1, true))
    assert.is_truthy(shown[14]:find(" 13%.1429 "))
    assert.is_truthy(shown[23]:find(" 22%.1429 "))
    assert.equal("22 rows", shown[24])
    assert.equal(24, #lines(tostring(big(5000, 2))))
  end)

  it("fits the terminal, and names the columns that do not", function()
    local text = require "weft.frame.text"
    local f = big(30, 40)
    for _, width in ipairs { 20, 40, 80, 133 } do
      local shown = lines(text.show(f, width))
      assert.equal(24, #shown)
      for _, line in ipairs(shown) do
        assert.is_true(markdown.width(line) <= width, line)
      end
    end
    local shown = lines(text.show(big(2, 12), 80))
    assert.equal("| c1      | …", (shown[1]:gsub("|%s+c", "| c")
      :gsub("^(| c1) .*(| …).*$", "%1      %2")))
    assert.equal("2 rows; not shown: c8, c9, c10, c11, c12", shown[#shown])
  end)

  it("cuts long cells and shows control codes", function()
    local text = require "weft.frame.text"
    local f = frame.new({ "name", "x" }, { name = { ("模"):rep(50), "a\27[1m" },
      x = { 1, 2 } })
    local shown = text.show(f, 60)
    assert.is_truthy(shown:find("模… ", 1, true))
    assert.is_truthy(shown:find("a\\x1B[1m", 1, true))
    assert.is_nil(shown:find("\27", 1, true))
    for _, line in ipairs(lines(shown)) do
      assert.is_true(markdown.width(line) <= 60)
    end
  end)

  it("asks the terminal for its width", function()
    local code = 'print(require("weft.frame").new({"a", "b", "c"}, '
      .. '{a = {1234.5678}, b = {1234.5678}, c = {1}}))'
    local shown, status = support.sh("COLUMNS=24 build/weft -e "
      .. support.quoted(code))
    assert.equal(0, status)
    assert.is_truthy(shown:find("1 row; not shown: b, c", 1, true))
  end)
end)
