-- The Lua face of the C core: what each function gives for good values, and
-- that no bad one gets further than an error that names it.
local core = require "weft.core"
local sys = core.sys

local NAN <const> = 0 / 0
local INF <const> = 1 / 0

-- a folder that is gone after the tests
local folder

setup(function()
  local _, name = sys.run { "mktemp", "-d" }
  folder = name:gsub("\n", "")
end)

teardown(function()
  sys.run { "rm", "-rf", folder }
end)

local function approx(expected, got, tolerance, what)
  local bound <const> = (tolerance or 1e-12) * math.max(1, math.abs(expected))
  assert(math.abs(expected - got) <= bound,
    ("%s: expected %.17g, got %.17g"):format(what or "value", expected, got))
end

-- Raises unless f(...) raises a text that holds `part`.
local function raises(part, f, ...)
  local ok <const>, message <const> = pcall(f, ...)
  assert(not ok, "no error, expected: " .. part)
  assert(tostring(message):find(part, 1, true),
    ("expected '%s' in '%s'"):format(part, message))
end

local function range(n, f)
  local list <const> = {}
  for i = 1, n do
    list[i] = f and f(i) or i
  end
  return list
end

-- this process, for programs that look at it
local function pid()
  local stat <close> = assert(io.open "/proc/self/stat")
  return stat:read "a":match "^%d+"
end

-- A safetensors file: list of {name, dtype, shape, bytes}.
local function write_safetensors(path, tensors, extra)
  local heads <const>, bodies <const>, at = {}, {}, 0
  for i, t in ipairs(tensors) do
    heads[i] = ('"%s":{"dtype":"%s","shape":[%s],"data_offsets":[%d,%d]}')
      :format(t[1], t[2], table.concat(t[3], ","), at, at + #t[4])
    bodies[i] = t[4]
    at = at + #t[4]
  end
  local header <const> = "{" .. (extra or "") .. table.concat(heads, ",") .. "}"
  assert(sys.write(path, string.pack("<I8", #header) .. header
    .. table.concat(bodies)))
  return path
end

-- [4, 6] of F32 that counts 1, 2, … and [3] of I64, in a file
local function counting_file()
  local counts <const> = core.tensor { range(24) }
  return write_safetensors(folder .. "/counting.safetensors", {
    { "m", "F32", { 4, 6 }, core.encode(counts, "F32") },
    { "v", "I64", { 3 }, string.pack("<i8i8i8", 5, -6, 7) },
    { "cube", "F32", { 2, 3, 4 }, core.encode(counts, "F32") },
  }, '"__metadata__":{"format":"pt"},')
end

describe("tensors in memory", function()
  it("are made of nested tables", function()
    local t <const> = core.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
    assert.same({ 2, 3 }, t.shape)
    assert.equal("f64", t.dtype)
    assert.equal(2, #t)
    assert.equal(6.0, t[2][3])
    assert.equal(2.0, t:get(1, 2))
    assert.same({ { 1, 2, 3 }, { 4, 5, 6 } }, t:totable())
    assert.equal("tensor [2, 3] f64", tostring(t))
    assert.same({ 0 }, core.tensor({}).shape)
    assert.same({ 2, 0 }, core.tensor({ {}, {} }).shape)
    assert.same({ 1, 1, 1, 1, 1, 1, 1, 1 },
      core.tensor({ { { { { { { { 1 } } } } } } } }).shape)
  end)

  it("keep 64-bit integers whole", function()
    local t <const> = core.tensor({ 1, math.maxinteger, math.mininteger },
      "i64")
    assert.equal("i64", t.dtype)
    assert.equal(math.maxinteger, t[2])
    assert.equal("integer", math.type(t[1]))
    t[1] = 2 ^ 53 | 0
    t:set(2, math.maxinteger - 1)
    assert.same({ 1 << 53, math.maxinteger - 1, math.mininteger },
      t:totable())
    raises("no integer representation", t.set, t, 1, 0.5)
    raises("no integer representation", t.set, t, 1, NAN)
  end)

  it("convert", function()
    local t <const> = core.tensor { 1, 0.1, -3 }
    assert.equal(0.1, t:to("f64")[2])
    assert.equal(string.unpack("<f", string.pack("<f", 0.1)),
      t:to("f32")[2])
    assert.same({ 1, 0, -3 }, t:to("i64"):totable())
    raises("element [1] is nan", core.tensor({ NAN }).to,
      core.tensor { NAN }, "i64")
    raises("invalid option 'F16'", t.to, t, "F16")
  end)

  it("give views that share", function()
    local t <const> = core.tensor { range(4), range(4, function(i)
      return 10 * i
    end), range(4, function(i)
      return 100 * i
    end) }
    assert.same({ { 1, 2, 3, 4 }, { 100, 200, 300, 400 } },
      t:rows(1, 3, 2):totable())
    assert.same({ { 2, 4 }, { 20, 40 }, { 200, 400 } },
      t:cols(2, 4, 2):totable())
    assert.same({ 3, 30, 300 }, t:t()[3]:totable())
    assert.same({ 0, 4 }, t:rows(2, 1).shape)
    assert.same({ 3, 0 }, t:cols(5, 4).shape)
    assert.same({ { 20 } }, t:rows(2, 2):cols(2, 2):totable())
    local row <const> = t[2]
    t:close()
    assert.equal(20.0, row[2])
    row[2] = 7
    assert.equal(7.0, row[2])
  end)

  it("are equal where they are one view", function()
    local t <const> = core.zeros { 3, 3 }
    assert.is_true(t:rows(1, 2) == t:rows(1, 2))
    assert.is_true(t:t():t() == t)
    assert.is_false(t:rows(1, 2) == t:rows(2, 3))
    assert.is_false(core.zeros { 3, 3 } == t)
  end)

  it("end where ipairs looks for one more", function()
    local seen <const> = {}
    for i, x in ipairs(core.tensor { 4, 5 }) do
      seen[i] = x
    end
    assert.same({ 4.0, 5.0 }, seen)
    assert.is_nil(core.zeros { 2, 3 }[3])
    assert.is_nil(core.zeros { 0 }[1])
  end)

  it("refuse what is no subscript", function()
    local t <const> = core.tensor { { 1, 2 }, { 3, 4 } }
    for _, i in ipairs { 0, 3, -1, math.mininteger, math.maxinteger } do
      local why <const> = ("subscript %d is outside 1 to 2"):format(i)
      if i ~= 3 then
        raises(why, function() return t[i] end)
      end
      raises(why, t.get, t, 1, i)
      raises(why, t.set, t, i, 1, 0)
    end
    raises("no integer representation", function() return t[1.5] end)
    raises("no integer representation", function() return t[NAN] end)
    raises("no integer representation", function() return t[1e300] end)
    raises("1 subscripts, expected 2", t.get, t, 1)
    raises("3 subscripts, expected 2", t.get, t, 1, 1, 1)
    raises("number expected", t.set, t, 1, 1, "x")
    raises("number expected", t.get, t, {}, 1)
    raises("t[i] = v needs 1 axis", function() t[1] = 5 end)
    raises("fields can't be set", function() t.shape = {} end)
    raises("0, expected 1 to 3", t.rows, t, 0, 1)
    raises("3, expected 0 to 2", t.rows, t, 1, 3)
    raises("-1, expected 1 to 2", t.rows, t, 2, -1)
    raises("0, expected at least 1", t.rows, t, 1, 2, 0)
    raises("no value", t.cols, t, 1)
    assert.same({ { 1, 2 } }, t:rows(1, 2, math.maxinteger):totable())
    assert.is_nil(t.nothing)
  end)

  it("refuse tables that are no tensor", function()
    raises("ragged tables: axis 2 has 1 elements", core.tensor,
      { { 1 }, { 2, 3 } })
    raises("ragged tables", core.tensor, { { 1 }, 2 })
    raises("an element is table", core.tensor, { 1, { 2 } })
    raises("an element is x, expected a number", core.tensor, { "x" })
    raises("an element is 1, expected a number", core.tensor, { "1" })
    raises("an element is 0.5, expected an integer", core.tensor, { 0.5 },
      "i64")
    raises("invalid option 'f16'", core.tensor, { 1 }, "f16")
    raises("table expected", core.tensor, 5)
    raises("table expected", core.tensor)
    local knot <const> = {}
    knot[1] = knot
    raises("tables nest deeper than 8", core.tensor, knot)
    raises("size 2 is -1", core.zeros, { 2, -1 })
    raises("size 1 is 1.5", core.zeros, { 1.5 })
    raises("size 1 is nan", core.zeros, { math.abs(NAN) })
    raises("size 1 is x", core.zeros, { "x" })
    raises("9 axes, expected at most 8", core.zeros, range(9))
    raises("2^63", core.zeros, { math.maxinteger, math.maxinteger })
    raises("2^63", core.zeros, { 1 << 60, 2 })
    raises("not enough memory", core.zeros, { 1 << 50 })
  end)

  it("are closed once and for all", function()
    local t <const> = core.zeros { 2 }
    t:close()
    t:close()
    assert.equal("tensor (closed)", tostring(t))
    for _, f in ipairs { "get", "set", "rows", "cols", "t", "to", "totable",
      "runs" } do
      raises("tensor is closed", t[f], t, 1, 1)
    end
    raises("tensor is closed", function() return t.shape end)
    raises("tensor is closed", function() return #t end)
    raises("tensor is closed", function() return t[1] end)
    raises("tensor is closed", core.svdvals, t)
    raises("tensor is closed", core.encode, t, "F32")
    raises("a closed tensor", core.spectra, { t })
    do
      local kept <close> = core.zeros { 1 }
      assert.equal(0.0, kept[1])
    end
    raises("weft.tensor expected", t.rows, {}, 1, 1)
    raises("weft.tensor expected", getmetatable(t).__gc, io.stdout)
  end)

  it("are accounted to the collector", function()
    if sys.run { "grep", "-q", "libasan", "/proc/" .. pid() .. "/maps" } == 0
    then
      pending "a sanitizer keeps freed memory"
      return
    end
    local function resident()
      local status <const> = assert(io.open("/proc/self/status"))
      local text <const> = status:read "a"
      status:close()
      return tonumber(text:match("VmRSS:%s*(%d+)")) / 1024
    end
    collectgarbage()
    local most = 0
    for i = 1, 2000 do
      core.zeros { 1024, 1024 }
      if i % 10 == 0 then
        most = math.max(most, resident())
      end
    end
    assert(most < 100, ("2,000 tensors of 8 MB: %.0f MB"):format(most))
  end)
end)

describe("encoding", function()
  it("rounds to nearest even", function()
    local t <const> = core.tensor { 1, 1 + 2 ^ -11, 1 + 3 * 2 ^ -11, -0.0,
      65520, 2 ^ -25 }
    assert.equal(string.pack("<I2I2I2I2I2I2", 0x3C00, 0x3C00, 0x3C02, 0x8000,
      0x7C00, 0), core.encode(t, "F16"))
    assert.equal(string.pack("<I2I2", 0x3F80, 0xC000),
      core.encode(core.tensor { 1 + 2 ^ -9, -2 }, "BF16"))
    assert.equal(string.pack("<ff", 0.1, -5), core.encode(
      core.tensor { 0.1, -5 }, "F32"))
    assert.equal(string.pack("<dd", 2, 3),
      core.encode(core.tensor { { 1, 2 }, { 0, 3 } }:t()[2], "F64"))
    assert.equal("", core.encode(core.zeros { 0, 4 }, "F32"))
    raises("invalid option 'Q4_K'", core.encode, t, "Q4_K")
  end)
end)

describe("planted matrices", function()
  it("have the spectrum asked for, and the same bytes each time", function()
    local s <const> = range(12, function(i)
      return 1 / i
    end)
    local t <const> = core.planted(12, 30, s, 7)
    assert.same({ 12, 30 }, t.shape)
    local got <const> = core.svdvals(t)
    for i = 1, 12 do
      approx(s[i], got[i], 1e-14, "s" .. i)
    end
    local again <const> = core.planted(12, 30, core.tensor(s), 7)
    assert.equal(core.encode(t, "F64"), core.encode(again, "F64"))
    assert.not_equal(core.encode(t, "F64"),
      core.encode(core.planted(12, 30, s, 8), "F64"))
  end)

  it("refuse bad arguments", function()
    raises("#1", core.planted, -1, 2, {}, 1)
    raises("#2", core.planted, 2, 2 ^ 40, {}, 1)
    raises("1 singular values, expected 2", core.planted, 2, 2, { 1 }, 1)
    raises("element 2 is string", core.planted, 2, 2, { 1, "2" }, 1)
    raises("finite", core.planted, 2, 2, { 1, NAN }, 1)
    raises("#4", core.planted, 2, 2, { 1, 1 })
    raises("1 axis", core.planted, 2, 2, core.zeros { 2, 2 }, 1)
  end)
end)

describe("checkpoints", function()
  it("are directories of named tensors", function()
    local path <const> = counting_file()
    local ck <close> = assert(core.open(path))
    assert.equal("safetensors", ck.format)
    assert.equal(path, ck.path)
    assert.equal(3, #ck)
    assert.same({ "m", "v", "cube" }, ck:names())
    assert.same({ name = "m", dtype = "F32", shape = { 4, 6 }, bytes = 96,
      offset = ck:entry("m").offset, file = path }, ck:entry "m")
    assert.same({ format = "pt" }, ck:meta())
    assert.same({}, ck:notes())
    assert.equal("checkpoint safetensors, 3 tensors", tostring(ck))
  end)

  it("give tensors that stay in the file", function()
    local ck <close> = assert(core.open(counting_file()))
    local m <const> = assert(ck:tensor "m")
    assert.equal("F32", m.dtype)
    assert.same({ 4, 6 }, m.shape)
    assert.equal("tensor [4, 6] F32", tostring(m))
    assert.equal(9.0, m[2][3])
    assert.equal(9.0, m:get(2, 3))
    assert.same({ { 7, 8, 9, 10, 11, 12 } }, m:rows(2, 2):totable())
    assert.same({ 3, 9, 15, 21 }, m:t()[3]:totable())
    assert.same({ { 1, 4 }, { 7, 10 }, { 13, 16 }, { 19, 22 } },
      m:cols(1, 5, 3):totable())
    assert.same({ { 2, 3 }, { 14, 15 } },
      m:rows(1, 4, 2):cols(2, 3):totable())
    assert.same({ 5, -6, 7 }, ck:tensor("v"):totable())
    assert.equal(-6.0, ck:tensor("v")[2])
    assert.same({ 17, 18, 19, 20 }, ck:tensor("cube")[2][2]:totable())
    assert.same({ { 13, 14, 15, 16, 17, 18 }, { 1, 2, 3, 4, 5, 6 } },
      m:runs({ { 2, 1, 0, 1 }, { 0, 1, 0, 1 } }):totable())
    raises("a file's tensor", m.set, m, 1, 1, 0)
    raises("subscript 6 is outside 1 to 4", function() return m[6] end)
  end)

  it("refuse runs that are none", function()
    local ck <close> = assert(core.open(counting_file()))
    local m <const> = assert(ck:tensor "m")
    raises("table expected", m.runs, m)
    raises("run 1: table expected, got number", m.runs, m, { 1 })
    raises("run 1: first is -1", m.runs, m, { { -1, 1, 1, 1 } })
    raises("run 1: n is nil", m.runs, m, { { 0, 1, 1 } })
    raises("run 1: len is 0.5", m.runs, m, { { 0, 0.5, 1, 1 } })
    assert.is_false(pcall(m.runs, m, { { 0, 5, 0, 1 } }))
    assert.is_false(pcall(m.runs, m,
      { { 0, 1, math.maxinteger, math.maxinteger } }))
    raises("row runs of", core.zeros({ 2, 2 }).runs, core.zeros { 2, 2 },
      { { 0, 1, 0, 1 } })
  end)

  it("name what is not there", function()
    local path <const> = counting_file()
    local ck <close> = assert(core.open(path))
    local t <const>, message <const>, code <const> = ck:tensor "no\27pe"
    assert.is_nil(t)
    assert.equal(path .. ": no tensor 'no\\x1Bpe'", message)
    assert.equal("argument", code)
    assert.is_nil((ck:entry "m\0"))
    raises("string expected", ck.tensor, ck, {})
  end)

  it("that can't be opened give nil, a message and a code", function()
    local ck <const>, message <const>, code <const> =
      core.open(folder .. "/absent.safetensors")
    assert.is_nil(ck)
    assert(message:find(folder .. "/absent.safetensors", 1, true), message)
    assert.equal("io", code)
    assert(sys.write(folder .. "/bad.safetensors", "12345"))
    assert.equal("format", (select(3, core.open(folder
      .. "/bad.safetensors"))))
    raises("NUL", core.open, "a\0b")
    raises("string expected", core.open)
  end)

  it("close their tensors", function()
    local ck <const> = assert(core.open(counting_file()))
    local m <const> = assert(ck:tensor "m")
    local kernel <const> = core.kernel(m, m)
    ck:close()
    ck:close()
    assert.equal("checkpoint (closed)", tostring(ck))
    raises("tensor is closed", function() return m[1][1] end)
    raises("tensor is closed", m.totable, m)
    raises("tensor is closed", kernel.svdvals, kernel)
    for _, f in ipairs { "names", "entry", "tensor", "meta", "notes" } do
      raises("checkpoint is closed", ck[f], ck, "m")
    end
    raises("checkpoint is closed", function() return ck.path end)
    raises("checkpoint is closed", function() return #ck end)
    local _, why <const> = core.spectra { m }
    assert(why[1]:find("tensor is closed", 1, true), why[1])
  end)

  it("live as long as a view of theirs", function()
    local view <const> = assert(core.open(counting_file())):tensor("m")
      :rows(1, 2):t()
    local kernel <const> = core.kernel(view, view)
    collectgarbage()
    collectgarbage()
    assert.same({ 1, 7 }, view[1]:totable())
    assert.equal(2, #core.svdvals(view))
    assert.equal(6, #kernel:svdvals())
  end)
end)

-- [k, d] with a spectrum that falls slowly
local function factor(k, d, seed)
  return core.planted(k, d, range(k, function(i)
    return 1 + 1 / i
  end), seed)
end

describe("kernels", function()
  it("agree with the matrix they stand for", function()
    local k <const> = core.kernel(factor(8, 20, 1), factor(8, 20, 2))
    assert.same({ 20, 20 }, k.shape)
    assert.equal(8, k.rows)
    assert.equal("kernel [20, 20] of 8 rows", tostring(k))
    local dense <const> = k:dense()
    local s <const>, truth <const> = k:svdvals(), core.svdvals(dense)
    assert.same({ 8 }, s.shape)
    local squares = 0
    for i = 1, 8 do
      approx(truth[i], s[i], 1e-13, "s" .. i)
      squares = squares + s[i] ^ 2
    end
    approx(math.sqrt(squares), k:norm(), 1e-13, "norm")
    local re <const>, im <const> = k:eigvals()
    local dre <const>, dim <const> = k:dense_eigvals()
    assert.same({ 20 }, dre.shape)
    for i = 1, 8 do
      approx(dre[i], re[i], 1e-12, "re" .. i)
      approx(dim[i], im[i], 1e-12, "im" .. i)
    end
    local trace = 0
    for i = 1, 20 do
      for j = 1, 20 do
        trace = trace + dense[i][j] * dense[j][i]
      end
    end
    local symmetry <const> = trace / squares
    approx(symmetry, k:symmetry(), 1e-12, "symmetry")
    approx(math.sqrt(2 - 2 * symmetry), k:asymmetry(), 1e-12, "asymmetry")
  end)

  it("of one factor twice are symmetric", function()
    local a <const> = factor(6, 15, 3)
    local k <const> = core.kernel(a, a)
    approx(1, k:symmetry(), 1e-14, "symmetry")
    assert(k:asymmetry() < 1e-12)
    assert.is_true(k == core.kernel(a, a))
    assert.is_false(k == core.kernel(factor(6, 15, 3), a))
  end)

  it("of stacked blocks and products are those of the whole", function()
    local x <const>, y <const> = factor(4, 9, 7), factor(9, 15, 8)
    local z <const>, b <const> = factor(2, 15, 9), factor(6, 15, 10)
    local rows <const> = x:matmul(y):totable()
    table.move(z:totable(), 1, 2, 5, rows)
    local k <const> = core.kernel({ { x, y }, z }, b)
    local whole <const> = core.kernel(core.tensor(rows), b)
    assert.same(whole.shape, k.shape)
    assert.equal(6, k.rows)
    for i, s in ipairs(whole:svdvals():totable()) do
      approx(s, k:svdvals()[i], 1e-12, "singular value")
    end
    approx(whole:asymmetry(), k:asymmetry(), 1e-12, "asymmetry")
    assert.is_true(k == core.kernel({ { x, y }, z }, b))
    assert.is_false(k == core.kernel({ { x, y }, factor(2, 15, 9) }, b))
    -- as a right factor, which kernels of a list share
    local list <const> = { core.kernel(b, { { x, y }, z }),
      core.kernel(factor(6, 15, 11), { { x, y }, z }), whole }
    local found <const> = core.spectra(list)
    for i, kernel in ipairs(list) do
      assert.same(kernel:svdvals():totable(), found[i]:totable())
    end
    for _, case in ipairs {
      { "a block is a tensor or two of them to multiply, got a number",
        { 3 } },
      { "a block is a tensor or two of them to multiply, got a nil",
        { { x } } },
      { "[4, 9] and [2, 15] can't be multiplied", { { x, z } } },
      { "a block of 9 columns under one of 15", { z, x } } } do
      raises(case[1], core.kernel, case[2], b)
    end
    x:close()
    raises("tensor is closed", core.kernel, { { x, y } }, b)
    assert.equal(6, #k:svdvals())
  end)

  it("keep their factors, and refuse what is none", function()
    local a <const> = factor(3, 7, 4)
    local k <const> = core.kernel(a, a)
    a:close()
    assert.equal(3, #k:svdvals())
    raises("tensor is closed", core.kernel, a, a)
    raises("#2", core.kernel, core.zeros { 2, 3 }, core.zeros { 2, 4 })
    raises("expected, as the first, got [3, 3]", core.kernel,
      core.zeros { 2, 3 }, core.zeros { 3, 3 })
    raises("a matrix of 2 axes expected, got [3]", core.kernel,
      core.zeros { 3 }, core.zeros { 3 })
    raises("a list of blocks expected, got an empty table", core.kernel, {},
      core.zeros { 3 })
    raises("weft.tensor expected", core.kernel, 3, core.zeros { 3 })
    raises("3 non-finite values, the first at row",
      core.kernel(core.tensor { { 1, NAN, INF, -INF } },
        core.zeros { 1, 4 }).svdvals,
      core.kernel(core.tensor { { 1, NAN, INF, -INF } },
        core.zeros { 1, 4 }))
    k:close()
    assert.equal("kernel (closed)", tostring(k))
    for _, f in ipairs { "svdvals", "eigvals", "norm", "symmetry",
      "asymmetry", "dense", "dense_eigvals" } do
      raises("kernel is closed", k[f], k)
    end
    raises("kernel is closed", function() return k.rows end)
    raises("a closed kernel", core.spectra, { k })
  end)
end)

describe("direct values", function()
  it("are LAPACK's", function()
    local s <const> = core.svdvals(core.tensor { { 3, 0 }, { 0, -4 } })
    approx(4, s[1])
    approx(3, s[2])
    local gram <const> = core.svdvals(factor(9, 40, 5), { method = "gram" })
    local direct <const> = core.svdvals(factor(9, 40, 5):t())
    for i = 1, 9 do
      approx(1 + 1 / i, gram[i], 1e-13)
      approx(1 + 1 / i, direct[i], 1e-14)
    end
    assert.same({ 0 }, core.svdvals(core.zeros { 0, 5 }).shape)
  end)

  it("of eigenvalues are in order", function()
    -- a rotation by 90 degrees beside -1, 2 and 0.5
    local re <const>, im <const> = core.eigvals(core.tensor {
      { 0.5, 0, 0, 0, 0 }, { 0, -1, 0, 0, 0 }, { 0, 0, 0, -1, 0 },
      { 0, 0, 1, 0, 0 }, { 0, 0, 0, 0, 2 },
    })
    assert.same({ 2, 0, 0, -1, 0.5 }, re:totable())
    assert.same({ 0, 1, -1, 0, 0 }, im:totable())
    assert.same({ 0 }, core.eigvals(core.zeros { 0, 0 }).shape)
  end)

  it("refuse bad arguments", function()
    raises("a square matrix expected, got [2, 3]", core.eigvals,
      core.zeros { 2, 3 })
    raises("a matrix of 2 axes expected, got [2]", core.svdvals,
      core.zeros { 2 })
    raises("1 non-finite value, at row", core.eigvals,
      core.tensor { { 1, 2 }, { NAN, 1 } })
    raises("non-finite", core.svdvals, core.tensor { { INF } })
    raises("option 'method': 'lanczos', expected 'gram' or 'direct'",
      core.svdvals, core.zeros { 2, 2 }, { method = "lanczos" })
    raises("unknown option 'methods'", core.svdvals, core.zeros { 2, 2 },
      { methods = "gram" })
    raises("table expected", core.svdvals, core.zeros { 2, 2 }, "gram")
    raises("weft.tensor expected", core.eigvals)
  end)
end)

describe("spectra", function()
  it("come in list order, told one by one", function()
    local a <const>, b <const> = factor(6, 25, 1), factor(6, 25, 2)
    local list <const> = { factor(10, 30, 3), core.kernel(a, b),
      core.tensor { { 1, NAN } }, core.kernel(b, b), core.zeros { 4 },
      core.kernel(a, a), core.kernel(core.tensor { { NAN } },
        core.tensor { { 1 } }), core.zeros { 0, 3 } }
    for _, threads in ipairs { 1, 3 } do
      local told <const>, count = {}, 0
      local s <const>, why <const>, info <const> = core.spectra(list, {
        threads = threads,
        each = function(i, values, reason)
          told[i] = { values, reason }
          count = count + 1
        end,
      })
      assert.equal(8, count)
      for i = 1, 8 do
        assert.equal(told[i][1], s[i])
        assert.equal(told[i][2], why[i])
      end
      for _, i in ipairs { 3, 5, 7 } do
        assert.is_false(s[i])
        assert.is_false(info[i])
      end
      assert(why[3]:find "^1 non%-finite value, at row %d, column %d$",
        why[3])
      assert.equal("a tensor of shape [4] has no singular values: "
        .. "expected 2 axes", why[5])
      for i = 1, 10 do
        approx(1 + 1 / i, s[1][i], 1e-13)
      end
      for _, i in ipairs { 2, 4, 6 } do
        local truth <const> = core.svdvals(list[i]:dense())
        assert.is_true(info[i].direct)
        for j = 1, 6 do
          approx(truth[j], s[i][j], 1e-13)
        end
      end
      assert.same({ 0 }, s[8].shape)
      assert.is_false(why[1])
      assert(info[1].bound < 1e-9)
      assert.is_false(info[1].single)
    end
  end)

  it("take options", function()
    local list <const> = { factor(20, 60, 9) }
    local s <const>, _, info <const> = core.spectra(list,
      { precision = "single" })
    assert.is_true(info[1].single)
    approx(2, s[1][1], 1e-5)
    local _, _, how <const> = core.spectra(list, { method = "direct" })
    assert.is_true(how[1].direct)
    assert.same({ {}, {}, {} }, { core.spectra {} })
  end)

  it("pass on an error of the callback, and go on after it", function()
    local list <const> = range(40, function(i)
      return factor(20, 50, i)
    end)
    local calls = 0
    local ok <const>, message <const> = pcall(core.spectra, list, {
      each = function()
        calls = calls + 1
        error({ "mine" })
      end,
    })
    assert.is_false(ok)
    assert.same({ "mine" }, message)
    assert.equal(1, calls)
    assert.equal(40, #core.spectra(list))
  end)

  it("may be asked for inside a callback", function()
    local inner <const> = {}
    core.spectra({ factor(5, 9, 1), factor(5, 9, 2), factor(5, 9, 3) }, {
      threads = 2,
      each = function(i)
        inner[i] = core.spectra({ factor(4, 8, i) }, { threads = i })[1]
      end,
    })
    for i = 1, 3 do
      approx(2, inner[i][1], 1e-13)
    end
  end)

  it("outlive their tensors' names", function()
    local list <const> = range(6, function(i)
      return factor(8, 30, i)
    end)
    local s <const> = core.spectra(list, {
      each = function()
        for i = 1, 6 do
          if list[i] then
            list[i]:close()
          end
          list[i] = nil
        end
        collectgarbage()
      end,
    })
    for i = 1, 6 do
      approx(2, s[i][1], 1e-13)
    end
  end)

  it("make small values exact where they are to be shown", function()
    local low <const> = core.planted(9, 6, { 1, 1e-1, 1e-2, 1e-3, 1e-4, 2e-6 },
      3)
    local some <const> = core.spectra({ low, low }, { shown = { [2] = true } })
    local none <const> = core.spectra({ low, low }, {})
    local all <const> = core.spectra({ low, low }, { shown = true })
    assert.same(none[1]:totable(), some[1]:totable())
    assert.same(all[2]:totable(), some[2]:totable())
    assert.is_true(math.abs(some[2][6] / 2e-6 - 1) < 1e-9)
    assert.is_false(some[1][6] == some[2][6])
  end)

  it("refuse bad arguments", function()
    raises("table expected", core.spectra)
    raises("element 2 is number, expected a tensor or a kernel",
      core.spectra, { core.zeros { 1, 1 }, 5 })
    for _, threads in ipairs { 0, -1, 1.5, NAN, INF, 1 << 40 } do
      raises("option 'threads'", core.spectra, {}, { threads = threads })
    end
    raises("option 'threads': number expected, got string", core.spectra, {},
      { threads = "4" })
    raises("option 'precision': 'half'", core.spectra, {},
      { precision = "half" })
    raises("option 'method': string expected, got boolean", core.spectra, {},
      { method = true })
    raises("option 'shown': 1, expected true, false or a table", core.spectra,
      {}, { shown = 1 })
    raises("option 'each': function expected", core.spectra, {},
      { each = {} })
    raises("unknown option 'thread'", core.spectra, {}, { thread = 1 })
    raises("options have names", core.spectra, {}, { 1 })
  end)
end)

describe("Ctrl-C", function()
  it("leaves a running spectrum at once", function()
    local _, program <const> = sys.run { "readlink", "/proc/" .. pid()
      .. "/exe" }
    if not program:find("/weft\n$") then
      pending "only weft's own program sets the flag"
      return
    end
    assert(sys.write(folder .. "/long.lua", [[
      local core = require "weft.core"
      local big = core.zeros { 3000, 3000 }
      for i = 1, 3000 do big:set(i, i, i) big:set(i, 3001 - i, 1) end
      io.stderr:write("ready\n")
      local started = core.sys.time()
      local ok, message = pcall(core.eigvals, big)
      io.write(tostring(ok), " ", tostring(core.interrupted(message)), " ",
        tostring(core.sys.time() - started < 1.5), "\n")
      io.stdout:flush()
      os.exit(0, false)
    ]]))
    local status <const>, output <const> = sys.run { "sh", "-c", ([[
      %s %s/long.lua 2> %s/ready & pid=$!
      until grep -qs ready %s/ready; do sleep 0.05; done
      sleep 0.3; kill -INT $pid; wait $pid
    ]]):format(program:gsub("\n", ""), folder, folder, folder) }
    assert.equal("false true true\n", output)
    assert.equal(0, status)
  end)

  it("is told from other errors", function()
    assert.is_true(core.interrupted "x.lua:1: interrupted!")
    assert.is_true(core.interrupted "interrupted")
    assert.is_false(core.interrupted "no")
    assert.is_false(core.interrupted(nil))
    assert.is_false(core.interrupted {})
  end)
end)

describe("JSON", function()
  it("becomes Lua values", function()
    local v <const> = core.json
      '{"a":[1,2.5,null,{"b":true}],"c":null,"d":1e3,"e":"\\u00e9"}'
    assert.equal(core.null, v.a[3])
    assert.equal(4, #v.a)
    assert.is_true(v.a[4].b)
    assert.is_nil(v.c)
    assert.equal("integer", math.type(v.d))
    assert.equal(1000, v.d)
    assert.equal("é", v.e)
    assert.equal(2.5, v.a[2])
    assert.equal(1 << 53, core.json "9007199254740992")
    assert.equal("float", math.type(core.json "1e300"))
    assert.equal(core.null, core.json "null")
    assert.is_false(core.json "false")
    local deep = core.json(("["):rep(128) .. ("]"):rep(128))
    local levels = 0
    while deep do
      deep, levels = deep[1], levels + 1
    end
    assert.equal(128, levels)
  end)

  it("is held to the letter", function()
    for _, text in ipairs { "", "{", '{"a":1}x', "[1,]", "01", "{'a':1}",
      "NaN", '{"a":1,"a":2}', '"\\u0000"', "[1]\0", "\xEF\xBB\xBF{}",
      '"\xFF"', "1e999", ("["):rep(129) .. ("]"):rep(129) } do
      local v <const>, message <const>, code <const> = core.json(text)
      assert.is_nil(v)
      assert.equal("string", type(message))
      assert.equal("format", code)
    end
    raises("string expected", core.json)
  end)
end)

describe("files", function()
  it("appear whole", function()
    local path <const> = folder .. "/file.bin"
    assert.is_true(sys.write(path, "a\0b"))
    assert.equal("a\0b", sys.read(path))
    assert.is_true(sys.write(path, ""))
    assert.equal("", sys.read(path))
    local _, names <const> = sys.run({ "ls", "-a", folder })
    assert.is_nil(names:find("tmp-", 1, true))
    local _, mode <const> = sys.run({ "sh", "-c", "umask 077; stat -c %a "
      .. path })
    assert.equal("644\n", mode)
  end)

  it("that can't be written leave nothing behind", function()
    local cases <const> = {
      [folder .. "/no/file"] = "cannot create: No such file or directory",
      [folder] = "cannot write: it is a folder, expected a regular file",
      ["/dev/null"] = "cannot write: it is a special file, expected a "
        .. "regular file",
      [folder .. "/" .. ("x"):rep(250)] = "cannot create: File name too long",
    }
    for path, why in pairs(cases) do
      local ok <const>, message <const>, code <const> = sys.write(path, "x")
      assert.is_nil(ok)
      assert.equal(path .. ": " .. why, message)
      assert.equal("io", code)
    end
    local _, names <const> = sys.run({ "ls", "-a", folder })
    assert.is_nil(names:find("tmp-", 1, true))
    raises("NUL", sys.write, "a\0b", "")
    raises("#2", sys.write, folder .. "/x")
  end)

  it("are read and removed", function()
    local text <const>, message <const>, code <const> =
      sys.read(folder .. "/none\27")
    assert.is_nil(text)
    assert(message:find("/none\\x1B", 1, true), message)
    assert.equal("io", code)
    assert.is_nil((sys.read(folder)))
    assert.is_nil((sys.read "/dev/zero"))
    assert.is_true(sys.write(folder .. "/gone", "x"))
    assert.is_true(sys.remove(folder .. "/gone"))
    assert.equal(folder .. "/gone: cannot remove: No such file or directory",
      (select(2, sys.remove(folder .. "/gone"))))
  end)

  it("have folders", function()
    assert.is_true(sys.mkdir(folder .. "/a/b//c/"))
    assert.is_true(sys.mkdir(folder .. "/a/b/c"))
    assert.is_true(sys.write(folder .. "/a/b/c/x", "x"))
    assert.equal(folder .. "/a/b/c/x: cannot make the folder: File exists",
      (select(2, sys.mkdir(folder .. "/a/b/c/x"))))
    assert.is_nil((sys.mkdir(folder .. "/a/b/c/x/y")))
    assert.is_nil((sys.mkdir ""))
    assert.is_true(sys.mkdir "/")
  end)
end)

describe("programs", function()
  it("run without a shell", function()
    assert.same({ 0, "$HOME `id`\n" },
      { sys.run { "echo", "$HOME `id`" } })
    assert.same({ 3, "out\nerr\n" },
      { sys.run { "sh", "-c", "echo out; echo err >&2; exit 3" } })
    assert.same({ 0, "hello" },
      { sys.run({ "cat" }, { input = "hello" }) })
    assert.same({ 0, "" }, { sys.run { "cat" } })
    assert.same({ 0, "/\n" }, { sys.run({ "pwd" }, { cwd = "/" }) })
    assert.same({ 128 + 9, "" }, { sys.run { "sh", "-c", "kill -9 $$" } })
  end)

  it("may print or leave more than is kept", function()
    local status <const>, output <const> =
      sys.run { "head", "-c", "3000000", "/dev/zero" }
    assert.equal(0, status)
    assert.equal(1 << 20, #output)
    assert.same({ 0, "" },
      { sys.run({ "true" }, { input = ("x"):rep(1 << 20) }) })
  end)

  it("that can't be run say so", function()
    assert.same({ "nowhere: cannot run it: No such file or directory", "io" },
      { select(2, sys.run { "nowhere" }) })
    assert.is_nil((sys.run({ "true" }, { cwd = folder .. "/nowhere" })))
    raises("a program's name expected", sys.run, {})
    raises("element 2 is number", sys.run, { "echo", 5 })
    raises("a string with NUL", sys.run, { "echo", "a\0b" })
    raises("table expected", sys.run, "ls")
    raises("unknown option 'env'", sys.run, { "ls" }, { env = {} })
    raises("option 'cwd': string expected", sys.run, { "ls" }, { cwd = 1 })
  end)
end)

describe("numbers as text", function()
  it("are the shortest that read back", function()
    local cases <const> = {
      { 0.1, "0.1" }, { 1e5, "100000" }, { 1e15, "1000000000000000" },
      { 123456789012345680.0, "1.2345678901234568e+17" }, { 1e16, "1e+16" },
      { 1.5e-7, "1.5e-07" }, { 1e-5, "1e-05" }, { 0.0001, "0.0001" },
      { 0.00012345, "0.00012345" }, { 5e-324, "5e-324" }, { 1.0, "1" },
      { 1.7976931348623157e308, "1.7976931348623157e+308" }, { -2.5, "-2.5" },
      { 0.1 + 0.2, "0.30000000000000004" }, { 0.0, "0" }, { -0.0, "-0" },
      { INF, "inf" }, { -INF, "-inf" }, { NAN, "nan" }, { -NAN, "nan" },
      { 9007199254740993, "9007199254740993" }, { 12, "12" },
      { math.mininteger, "-9223372036854775808" }, { 120.0, "120" },
      { 1 / 3, "0.3333333333333333" }, { 2 ^ 53, "9007199254740992" },
    }
    for _, case in ipairs(cases) do
      assert.equal(case[2], sys.number(case[1]))
    end
    local state = 12345
    for _ = 1, 20000 do
      state = state * 6364136223846793005 + 1442695040888963407
      local x <const> = string.unpack("<d", string.pack("<i8", state))
      if x == x then
        assert(tonumber(sys.number(x)) == x, sys.number(x))
      end
    end
    raises("number expected", sys.number, "1")
    raises("number expected", sys.number)
  end)
end)

describe("the rest of sys", function()
  it("answers", function()
    assert.equal("a\\x00b\\x1B[0m\\xFFé", sys.escape "a\0b\27[0m\xFFé")
    assert.equal("", sys.escape "")
    assert.equal("\\x00", sys.escape "\0")
    assert.is_boolean(sys.isatty(0))
    assert.is_false(sys.isatty(1000))
    assert(sys.columns(1) >= 1)
    raises("-1, expected 0 to 2147483647", sys.isatty, -1)
    raises("expected 0 to 2147483647", sys.columns, 1 << 31)
    local t <const> = sys.time()
    assert(sys.time() >= t)
    assert(sys.cpus() >= 1)
  end)
end)

describe("progress", function()
  it("is silent off a terminal", function()
    local p <const> = core.progress(true)
    p:open("layers", 10)
    p:set(3)
    for i = 1, 9 do
      p:open("deep " .. i, i)
    end
    assert.equal(10, #p)
    p:close()
    p:clear()
    p:close()
    p:set(1)
    assert.equal("progress, 0 bars open", tostring(p))
    raises("#2", p.open, p, nil, 1)
    raises("a finite number of at least 0 expected", p.open, p, "x", NAN)
    raises("a finite number of at least 0 expected", p.open, p, "x", -1)
    raises("a finite number of at least 0 expected", p.set, p, INF)
    raises("weft.progress expected", p.set, {}, 1)
  end)
end)

describe("the module", function()
  it("knows its versions", function()
    assert.equal("0.1.0", core.version.weft)
    assert.equal(_VERSION, "Lua " .. core.version.lua:match "^%d+%.%d+")
    assert(core.version.blas:find "^OpenBLAS")
    assert(core.version.lapack:find "^%d+%.%d+")
  end)

  it("lets Lua add methods", function()
    function core.methods.tensor:double_first()
      return 2 * self[1]
    end
    assert.equal(6.0, core.tensor({ 3 }):double_first())
    core.methods.tensor.double_first = nil
  end)
end)
