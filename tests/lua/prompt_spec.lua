-- The prompt: on a pseudo-terminal, and its printer and completer by
-- themselves.
local complete = require "weft.complete"
local core = require "weft.core"
local frame = require "weft.frame"
local print_ = require "weft.print"
local prompt = require "weft.prompt"
local support = dofile "tests/lua/support.lua"
local weft = require "weft"

local MODEL <const> = "tests/golden/archs/qwen2"

local folder

-- Variables that keep a session away from the user's own files.
local function environment(more)
  return ("env -u NO_COLOR -u LUA_INIT XDG_STATE_HOME=%s/state "
    .. "XDG_CONFIG_HOME=%s/config TERM=xterm LC_ALL=C.UTF-8 %s "):format(
      folder, folder, more or "")
end

-- Drives the prompt; gives the screen, without the marks for pasting, and
-- raises where something did not come. The end of such a mark is what comes
-- before the first line that is printed: "expect \\n" waits for it.
local function session(script, options, more)
  local path <const> = folder .. "/script.txt"
  support.write(path, (script:gsub("expect \\n", "expect \\e[?2004l")))
  local screen <const>, status <const> = support.sh(
    "build/tests/shell/pty --timeout 20 " .. path .. " -- "
    .. environment(more) .. "build/weft " .. (options or "") .. " 2>&1")
  assert(status == 0, screen)
  return (screen:gsub("\27%[%?2004[hl]", ""))
end

-- The same of lines that are typed, up to Ctrl-D.
local function typed(lines, options, more)
  return session("expect >\n" .. lines .. "\nkey ctrl-d\nstatus 0\n", options,
    more)
end

local function history_path()
  return folder .. "/state/weft/history"
end

before_each(function()
  folder = support.folder()
end)

teardown(support.clean)

describe("the prompt", function()
  it("greets with one line", function()
    local screen <const> = typed ""
    assert.matches("^weft %d+%.%d+%.%d+, Lua 5%.4%.%d; %?name or help%(%) for "
      .. "help[^\n]*\r\n> ", screen)
  end)

  it("prints all values of an expression", function()
    typed [[
send 6 * 7
expect \n42\r
send 1, nil, "a"
expect \n1\r\nnil\r\n\e[32m"a"\e[0m\r
expect >]]
  end)

  it("keeps quiet after a semicolon", function()
    local screen <const> = typed [[
send 41 + 1;
expect >
send 40 + 3; -- said nothing
expect >
send x = 3;
expect >
send 'end' .. "ed"
expect "ended"
expect >]]
    assert.is_nil(screen:find("\n42", 1, true))
    assert.is_nil(screen:find("\n43", 1, true))
  end)

  it("keeps the last value in ans, and no other", function()
    typed [[
send 20 + 1
expect \n21
send ans * 2
expect \n42
send 7, 8;
expect >
send ans
expect \n7\r
send weak = setmetatable({}, {__mode = "k"})
expect >
send weft.zeros(1000)
expect tensor [1000] f64
send weak[ans] = true
expect >
send x = 1; collectgarbage() collectgarbage()
expect >
send next(weak) ~= nil
expect true
send 1
expect \n1\r
send collectgarbage() collectgarbage()
expect >
send next(weak) == nil
expect true]]
  end)

  it("goes on over lines until a chunk is complete", function()
    typed [[
send for i = 1, 2 do
expect >>
send print("i" .. i)
expect >>
send end
expect i1
expect i2
send math.max(3,
expect >>
send 9)
expect \n9\r
send 40 +
expect >>
send 2
expect \n42]]
  end)

  it("takes a pasted block as one chunk", function()
    typed [[
type \e[200~local a = 20\nfor i = 1, 2 do\n\ta = a + 11\nend\nprint("a"..a)
type \n\e[201~
expect \na42
expect >
type x = \e[200~5 * 3\e[201~
key enter
expect >
send x
expect \n15
type print(\e[200~"p",\n"q"\e[201~
expect >>
send )
expect p	q]]
  end)

  it("runs a pasted text of expressions one by one", function()
    typed [[
type \e[200~y = 5\ny * 2\n\n"é"\n\e[201~
expect \n10\r
expect "é"
type \e[200~z = 1\nerror "stop"\nz = 2 z, 3\n\e[201~
expect unexpected symbol
send z
expect nil]]
  end)

  it("strips the prompts of a pasted session", function()
    typed [[
type \e[200~> z = 3\n> z + 1\n4\n> if z then\n>> print("z" .. z)\n
type >> end\nz3\n\e[201~
expect \n4\r\nz3\r
expect >]]
  end)

  it("completes names, fields, methods, files and weights", function()
    typed [[
type weft.svdv
key tab
expect als
key ctrl-u
type weft.s
key tab
expect svd
expect svdvals
key ctrl-u
type m = assert(weft.open "tests/golden/arc
key tab
expect hs/
type qwen2")
key enter
expect >
type m:qk(0,
key ctrl-u
type m:hea
key tab
expect ds
key ctrl-u
type m:weight(0, "W_u
key tab
expect p"
type ).shape
key enter
expect {80, 48}
type m:tensor("lm
key tab
expect _head.weight"
type ).shape
key enter
expect {96, 48}
type m.dims.n_
key tab
key tab
expect n_heads
expect n_kv_heads
expect n_layers
key ctrl-u
type whi
key tab
expect le
key ctrl-u
key enter
expect >]]
  end)

  it("searches the history with Ctrl-R", function()
    typed [[
send first = 11
expect >
send second = 22
expect >
key ctrl-r
type rst
key enter
expect >
key up
key home
type print(
key end
type  + 1)
key ctrl-u
type first + second
key enter
expect \n33]]
  end)

  it("edits lines", function()
    typed [[
type 10 + 1
key left
key left
key left
key left
type 0
key enter
expect 101
key up
key end
type 1
key enter
expect 111]]
  end)

  it("prints a time from half a second on", function()
    local screen <const> = typed [[
send local t = os.clock() while os.clock() - t < 0.6 do end
expect  s\e[0m
send local t = os.clock() while os.clock() - t < 0.01 do end
expect >
send 1
expect 1]]
    local _, count = screen:gsub("%d%.%d%d s", "")
    assert.equal(1, count)
  end)

  it("has who, timeit, show", function()
    typed [[
send who()
expect no variables yet
send t = weft.zeros(2, 3) name = "x" f = print
expect >
send who()
expect | f    | function |        |       |       |
expect | name | string   |        |       | 1     |
expect | t    | tensor   | [2, 3] | f64   | 48    |
send timeit(function() end, 5)
expect  of 5 runs
send timeit(3)
expect stdin:1: bad argument #1 to 'timeit' (a function was expected, got
send show({{{1}}}, {depth = 2})
expect {{{…}}}
send show(1, {rows = 0})
expect stdin:1: bad argument #2 to 'show' (rows is a whole number]]
    local output <const> = support.sh
      "build/weft -e 'print(who, timeit, show)'"
    assert.equal("nil\tnil\tnil\n", output)
  end)

  it("shows help with a question mark", function()
    typed [[
send ?svdvals
expect svdvals(
expect >
send ?
expect >]]
  end)

  it("leaves with Ctrl-D, also after a wrong line", function()
    session [[
expect >
send x = = 1
expect near '='
expect >
send f(
expect >>
key ctrl-d
expect near <eof>
expect >
key ctrl-d
status 0
]]
  end)

  it("is lua's off a terminal", function()
    local output <const> = support.sh(
      "printf '1\\n\"a\"\\nans, who\\n?x\\n' | build/weft -i 2>&1")
    assert.matches("\n> 1\n1\n> \"a\"\na\n> ans, who\nnil\tnil\n> %?x\n"
      .. "stdin:1: unexpected symbol near '%?'\n> \n$", output)
  end)
end)

describe("Ctrl-C at the prompt", function()
  for what, code in pairs {
    ["a loop"] = "while true do end",
    ["a coroutine"] = "coroutine.wrap(function() while true do end end)()",
    ["a loop of pcall"] =
      "while true do pcall(function() while true do end end) end",
    ["a printer"] =
      "setmetatable({}, {__tostring = function() while true do end end})",
  } do
    it("stops " .. what, function()
      typed("send " .. code .. "\nwait 0.3\nkey ctrl-c\nexpect interrupted\n"
        .. "expect > \nsend 40 + 2\nexpect \\n42")
    end)
  end

  it("stops a long spectrum within two seconds, and nothing leaks", function()
    -- the abandoned work keeps its matrix until it ends: that is no leak, and
    -- the next spectrum does not wait for it
    typed [[
send t = weft.randn(1, 3000, 3000);
expect >
send t0 = weft.core.sys.time() weft.svdvals(t)
wait 0.5
key ctrl-c
expect interrupted
expect >
send weft.core.sys.time() - t0 < 2.5
expect true
send weft.svdvals(weft.eye(3))
expect 1  1  1]]
  end)

  it("pressed twice does not kill the shell", function()
    typed [[
send while true do end
wait 0.3
key ctrl-c
key ctrl-c
expect interrupted
expect >
send local s = string.rep("a", 2000); while true do s:find(".*b") end
wait 0.3
key ctrl-c
key ctrl-c
expect interrupted
expect >
send 40 + 2
expect \n42]]
  end)

  it("drops the line that is typed", function()
    typed [[
type half a line
key ctrl-c
expect >
send for i = 1, 3 do
expect >>
key ctrl-c
expect >
send 40 + 2
expect \n42]]
  end)
end)

describe("errors at the prompt", function()
  it("are one line and the user's frames", function()
    local screen <const> = typed [[
send function f() error "boo" end
expect >
send f()
expect stdin:1: boo
expect stack traceback:
expect in function 'f'
expect in main chunk
expect >
send timeit(f)
expect stdin:1: boo
expect in function
expect >
send weft.svdvals(3)
expect stdin:1:
expect >]]
    assert.is_nil(screen:find("[C]: in ?", 1, true))
    assert.is_nil(screen:find("function 'error'", 1, true))
    assert.is_nil(screen:find("prompt.lua", 1, true))
  end)

  it("name the line of a wrong argument to weft", function()
    typed(([[
send m = assert(weft.open "%s")
expect >
send m:weight(99, "W_Q")
expect stdin:1: layer 99, one of 0 to 3 was expected]]):format(MODEL))
  end)

  it("tell what is wrong with an expression", function()
    typed "send 6 * * 7\nexpect unexpected symbol near '*'"
  end)

  it("show control codes escaped", function()
    local screen <const> = typed(
      [[send error("a\\27]2;title\\7b", 0)]]
      .. "\nexpect a\\\\x1B]2;title\\\\x07b")
    assert.is_nil(screen:find "\27]2")
  end)
end)

describe("colours", function()
  local script <const> = 'send "a"\nexpect "a"\nsend error "b"\nexpect 1: b'

  it("are there on a terminal", function()
    local screen <const> = typed(script)
    assert.is_truthy(screen:find('\27[32m"a"\27[0m', 1, true))
    assert.is_truthy(screen:find("\27[31mstdin:1: b\27[0m", 1, true))
  end)

  it("are there with an empty NO_COLOR", function()
    assert.is_truthy(typed(script, "", "NO_COLOR="):find("\27[32m", 1, true))
  end)

  for _, variable in ipairs { "NO_COLOR=1", "TERM=dumb" } do
    it("are not there with " .. variable, function()
      local screen <const> = typed(script, "", variable)
      assert.is_nil(screen:find "\27%[[%d;]*m")
    end)
  end
end)

describe("init.lua", function()
  local function write_init(text)
    support.sh(("mkdir -p %s/config/weft"):format(folder))
    support.write(folder .. "/config/weft/init.lua", text)
  end

  it("runs at the start of the prompt", function()
    write_init "mine = 42 who_was_there = who"
    typed "send mine, who_was_there == who\nexpect \\n42\\r\\ntrue"
  end)

  it("is skipped with -E", function()
    write_init "mine = 42"
    typed("send mine\nexpect nil", "-E -i")
  end)

  it("is not run for scripts", function()
    write_init "print 'ran'"
    assert.equal("1\n", (support.sh(environment()
      .. "build/weft -e 'print(1)'")))
  end)

  it("may fail", function()
    write_init "error 'my own fault'"
    typed "send 40 + 2\nexpect \\n42"
    local screen <const> = session("expect init.lua:1: my own fault\n"
      .. "expect > \nkey ctrl-d\nstatus 0\n")
    assert.is_truthy(screen)
  end)
end)

describe("the history", function()
  it("is kept from one session to the next", function()
    typed "send x = 1\nexpect >\nsend x = 2\nexpect >\nsend x = 1"
    assert.equal("x = 2\nx = 1\n", support.read(history_path()))
    typed "key up\nkey up\nkey enter\nexpect > \nsend x\nexpect \\n2"
    assert.equal("x = 1\nx = 2\nx\n", support.read(history_path()))
    assert.equal("600\n", (support.sh("stat -c %a " .. history_path())))
  end)

  it("keeps a chunk of several lines as one entry", function()
    typed "send f = function()\nexpect >>\nsend return 42 end\nexpect > "
    assert.equal("f = function()\\nreturn 42 end\n",
      support.read(history_path()))
    typed "key up\nkey enter\nexpect > \nsend f()\nexpect \\n42"
  end)

  it("is bounded and has no duplicates", function()
    support.sh(("mkdir -p %s/state/weft"):format(folder))
    local lines <const> = {}
    for i = 1, 12000 do
      lines[i] = "x = " .. (i <= 11000 and i or i - 1000) .. "\n"
    end
    support.write(history_path(), table.concat(lines))
    typed "send 'last'\nexpect last"
    local text <const> = support.read(history_path())
    local _, count = text:gsub("\n", "")
    assert.equal(10000, count)
    assert.matches("^x = 1002\n", text)
    assert.matches("\nx = 11000\n'last'\n$", text)
  end)

  it("keeps the lines of two prompts at once", function()
    local path <const> = folder .. "/inner.txt"
    support.write(path, "expect >\nsend inner = 1\nexpect >\nkey ctrl-d\n"
      .. "status 0\n")
    typed(([[
send outer = 1
expect >
send os.execute("build/tests/shell/pty %s -- %s build/weft >/dev/null")
expect true
send outer = 2
expect >]]):format(path, environment():gsub('"', "'")))
    local text <const> = support.read(history_path())
    assert.matches("^outer = 1\n", text)
    assert.matches("\ninner = 1\n", text)
    assert.matches("\nouter = 2\n$", text)
  end)

  it("is not needed", function()
    support.write(folder .. "/state", "a file, and no folder")
    typed "send 40 + 2\nexpect \\n42\nkey up\nkey enter\nexpect \\n42"
  end)
end)

-- ---- the printer ----

local PLAIN <const> = { width = 80, rows = 24, colour = false }

local function shown(value, more)
  local options <const> = {}
  for key, item in pairs(PLAIN) do
    options[key] = item
  end
  for key, item in pairs(more or {}) do
    options[key] = item
  end
  return print_.text(value, options)
end

describe("print", function()
  it("writes numbers and words as lua does", function()
    assert.equal("42", shown(42))
    assert.equal("0.1", shown(0.1))
    assert.equal("2.0", shown(2.0))
    assert.equal("nan", shown(0 / 0))
    assert.equal("nil", shown(nil))
    assert.equal("true", shown(true))
  end)

  it("quotes and escapes strings", function()
    assert.equal([["a\n\"b\"\\\t\x1B[31m\x00"]],
      shown 'a\n"b"\\\t\27[31m\0')
    assert.equal([["é\xC2\x85\xFF"]], shown "é\u{85}\xFF")
    assert.matches('^"a+"… %(5000 bytes%)$', shown(("a"):rep(5000)))
  end)

  it("writes tables nested, keys sorted, on one line where that fits",
    function()
      assert.equal('{1, 2, [2.5] = 4, ["a b"] = 3, ["end"] = 5, x = {y = {}}}',
        shown { 1, 2, x = { y = {} }, ["a b"] = 3, ["end"] = 5, [2.5] = 4 })
    end)

  it("breaks lines that are too long", function()
    assert.equal('{\n  "aaaaaaaa", "aaaaaaaa", "aaaaaaaa",\n  "aaaaaaaa"\n}',
      shown({ ("a"):rep(8), ("a"):rep(8), ("a"):rep(8), ("a"):rep(8) },
        { width = 40 }))
    assert.equal('{\n  first = "aaaaaaaaaa",\n  second = {"bbbbbbbbbb"}\n}',
      shown({ first = ("a"):rep(10), second = { ("b"):rep(10) } },
        { width = 40 }))
  end)

  it("cuts cycles, depth and length", function()
    local ring <const> = { name = "ring" }
    ring.self = ring
    assert.equal('{name = "ring", self = {cycle}}', shown(ring))
    local twice <const> = { 1 }
    assert.equal("{{1}, {1}}", shown { twice, twice })
    assert.equal("{{{{{…}}}}}", shown { { { { { 1 } } } } })
    assert.equal("{{…}}", shown({ { { 1 } } }, { depth = 1 }))
    local long <const> = {}
    for i = 1, 1000 do
      long[i] = i
    end
    assert.matches("99, 100,%s+… 900 more\n}$", shown(long))
    local wide <const> = {}
    for i = 1, 90 do
      wide["key" .. i] = ("x"):rep(60)
    end
    local text <const> = shown(wide)
    local _, count = text:gsub("\n", "")
    assert.equal(23, count)
    assert.matches("… %d+ more lines; show%(ans, {rows = 92}%) shows all$",
      text)
  end)

  it("does not take forever on what is wide and deep", function()
    local deep = 1
    for _ = 1, 4 do
      local level <const> = {}
      for i = 1, 100 do
        level[i] = deep
      end
      deep = level
    end
    local start <const> = os.clock()
    shown(deep)
    assert.is_true(os.clock() - start < 2)
  end)

  it("names functions", function()
    assert.equal("function print", shown(print))
    assert.equal("function string.rep", shown(string.rep))
    assert.equal("function weft.svdvals", shown(weft.svdvals))
    assert.matches("^function %(.*prompt_spec.lua:%d+%)$",
      shown(function() end))
  end)

  it("asks __pretty, then __tostring", function()
    local seen
    local value <const> = setmetatable({}, {
      __tostring = function() return "no" end,
      __pretty = function(_, options)
        seen = options.width
        return "line one\nline \27[31mtwo\27[0m\7"
      end,
    })
    assert.equal("line one\nline two\\x07", shown(value))
    assert.equal(80, seen)
    assert.equal("line one\nline \27[31mtwo\27[0m\\x07",
      shown(value, { colour = true }))
    assert.equal("{line one}", shown { value })
    assert.equal("told", shown(setmetatable({}, {
      __tostring = function() return "told" end,
    })))
    assert.matches("^<error in __tostring: .*oh>$", shown(setmetatable({}, {
      __tostring = function() error "oh" end,
    })))
    assert.equal("<error in __pretty: no string was returned>",
      shown(setmetatable({}, { __pretty = function() end })))
  end)
end)

describe("print of tensors", function()
  it("shows small ones whole", function()
    assert.equal("tensor [2, 3] f64\n  1  2   3\n  4  5  60",
      shown(core.tensor { { 1, 2, 3 }, { 4, 5, 60 } }))
    assert.equal("tensor [3] f64\n  -0.50000   0.25000   0.12500",
      shown(core.tensor { -0.5, 0.25, 0.125 }))
    assert.equal("tensor [2] i64\n  9007199254740993                 1",
      shown(core.tensor({ 9007199254740993, 1 }, "i64")))
    assert.equal("tensor [4] f64\n     nan     inf    -inf  1.5000",
      shown(core.tensor { 0 / 0, 1 / 0, -1 / 0, 1.5 }))
    assert.equal("tensor [2] f64\n  1.0000e-12  2.5000e+00",
      shown(core.tensor { 1e-12, 2.5 }))
    assert.equal("tensor [0, 3] f64", shown(core.zeros { 0, 3 }))
  end)

  it("leaves out the middle of large ones", function()
    assert.equal(table.concat({ "tensor [100, 100] f64",
      "  1  0  0  …  0  0  0", "  0  1  0  …  0  0  0",
      "  0  0  1  …  0  0  0", "  …  …  …  …  …  …  …",
      "  0  0  0  …  1  0  0", "  0  0  0  …  0  1  0",
      "  0  0  0  …  0  0  1" }, "\n"), shown(weft.eye(100)))
    assert.equal("tensor [2000] f64\n"
      .. "     0     1     2     …  1997  1998  1999", shown(weft.arange(2000)))
  end)

  it("fits the width and the screen", function()
    for _, width in ipairs { 30, 40, 80, 200 } do
      for _, shape in ipairs { { 30, 30 }, { 900, 1 }, { 1, 900 }, { 7, 100 },
        { 5, 6, 7 }, { 100, 100, 100 }, { 2, 2, 2, 2, 2, 2 } } do
        local text <const> = shown(weft.randn(1, table.unpack(shape)),
          { width = width })
        local count = 0
        for line in text:gmatch "[^\n]+" do
          count = count + 1
          assert.is_true(utf8.len(line) <= width or count == 1, text)
        end
        assert.is_true(count <= 24, text)
      end
    end
  end)

  it("shows more axes as matrices", function()
    assert.equal("tensor [2, 1, 2] f64\n  [1, :, :]\n  0  0\n  [2, :, :]\n"
      .. "  0  0", shown(core.zeros { 2, 1, 2 }))
  end)

  it("reads a little of a file's", function()
    local m <close> = assert(weft.open(MODEL))
    local t <const> = m:tensor "lm_head.weight"
    local text <const> = shown(t)
    local first <const> = ("%.5f"):format(t:get(1, 1)):gsub("%-", "%%-")
    assert.matches("^tensor %[96, 48%] BF16\n +" .. first, text)
    assert.equal("tensor (closed)", (function()
      t:close()
      return shown(t)
    end)())
  end)

  it("shows views", function()
    local t <const> = core.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
    assert.equal("tensor [3, 2] f64\n  1  4\n  2  5\n  3  6", shown(t:t()))
  end)
end)

describe("print of weft's own", function()
  it("shows a model's dims", function()
    local m <close> = assert(weft.open(MODEL))
    local text <const> = shown(m)
    for key, value in pairs { L = 4, d = 48, h = 6, GQA = 2, d_head = 8 } do
      assert.matches("\n  " .. key .. " +" .. value .. "%f[%D]", text)
    end
    assert.matches("^qwen2 %(qwen2, safetensors%)\n", text)
  end)

  it("shows a checkpoint's first tensors", function()
    local m <close> = assert(weft.open(MODEL))
    assert.matches("^checkpoint safetensors, 51 tensors\n"
      .. "  lm_head.weight  %[96, 48%] BF16\n.*\n  … 41 more$",
      shown(m.checkpoint))
  end)

  it("shows a kernel", function()
    local m <close> = assert(weft.open(MODEL))
    assert.equal("kernel [48, 48] of 8 rows", shown(m:qk(0, 0)))
  end)

  it("shows a frame that fits the width", function()
    local names <const>, columns <const> = {}, {}
    for i = 1, 30 do
      names[i] = "column" .. i
      columns[names[i]] = { i, i + 0.5 }
    end
    local f <const> = frame.new(names, columns)
    for line in shown(f, { width = 60 }):gmatch "[^\n]+" do
      assert.is_true(utf8.len(line) <= 60, line)
    end
    assert.equal("{frame of 2 rows, 30 columns}", shown { f })
  end)
end)

-- ---- the completer ----

describe("complete", function()
  local env

  local function find(text)
    return (complete.find(text, env))
  end

  before_each(function()
    env = {
      weft = weft, print = print, string = string,
      words = { alpha = 1, alps = { deep = { deeper = 1 } }, beta = print,
        ["not a name"] = 1 },
      text = "some text", list = { { inner = 1 } },
    }
  end)

  it("finds globals and keywords", function()
    assert.same({ "print" }, find "pri")
    assert.same({ "while" }, find "x = whi")
    assert.same({ "text", "then", "true" }, find "if t")
  end)

  it("finds fields", function()
    assert.same({ "alpha", "alps" }, find "words.al")
    assert.same({ "deeper" }, find "y = {words.alps.deep.")
    assert.same({ "inner" }, find "list[1].")
    assert.same({ "deep" }, find 'words["alps"].')
    assert.same({ "svdvals" }, find "weft.svdv")
    assert.same({ "words" }, find "'a'..wo")
    assert.same({ "alpha", "alps" }, find "text..words.al")
  end)

  it("finds methods", function()
    assert.same({ "beta" }, find "words:")
    assert.same({ "rep", "reverse" }, find "text:re")
    assert.same({ "rep", "reverse" }, find '("x"):re')
    env.t = core.zeros { 2, 2 }
    assert.same({ "totable" }, find "t:tot")
    assert.same({ "shape" }, find "t.sha")
    assert.same({}, find "t:sha")
    env.k = core.kernel(env.t, env.t)
    assert.same({ "svdvals" }, find "k:svdv")
    env.m = assert(weft.open(MODEL))
    assert.same({ "weight", "weights" }, find "m:wei")
    assert.same({ "dims" }, find "m.di")
    env.m:close()
  end)

  it("walks metatables and asks __complete", function()
    local base <const> = { inherited = print }
    env.object = setmetatable({ own = 1 }, { __index = setmetatable({},
      { __index = base }) })
    assert.same({ "inherited" }, find "object.inh")
    env.asked = setmetatable({}, { __complete = function(_, method)
      return method and { "one", 'a"b' } or { "lazy" }
    end })
    assert.same({ "lazy" }, find "asked:la")
    assert.same({ "one" }, find 'asked:any("o')
    assert.same({ [[a\"b]] }, find 'asked:any("a')
  end)

  it("finds weights, tensors and columns in strings", function()
    env.m = assert(weft.open(MODEL))
    assert.same({ "W_K", "W_O", "W_Q", "W_V", "W_down", "W_gate", "W_up" },
      find 'm:weight(0, "')
    assert.same({ "lm_head.weight" }, find "m:tensor('lm")
    assert.same({ "W_Q" }, find 'm:weights{names = {"W_Q')
    assert.same({ "alpha", "alps" }, find 'words["al')
    env.f = frame.new({ "layer", "name" }, { layer = {}, name = {} })
    assert.same({ "layer" }, find 'f:column("la')
    assert.same({ "effective_rank" }, find 'weft.measure(parts, {"effec')
    env.m:close()
  end)

  it("finds files in other strings", function()
    support.write(folder .. "/one.txt", "")
    support.write(folder .. '/t"o', "")
    support.write(folder .. "/.hidden", "")
    support.sh(("mkdir %s/sub"):format(folder))
    assert.same({ folder .. "/one.txt" }, find('io.open("' .. folder .. "/on"))
    assert.same({ folder .. "/one.txt", folder .. "/sub/",
      folder .. '/t\\"o' }, find('io.open("' .. folder .. "/"))
    assert.same({ folder .. "/.hidden" }, find('"' .. folder .. "/.h"))
    assert.same({}, find '"/no/such/folder/')
  end)

  it("finds what help can be asked for, commands too", function()
    assert.same({ "report" }, find "?repo")
    assert.same({ "weft.svdvals" }, find "?weft.svdv")
    assert.same({ "weft weights" }, find 'help "weft we')
    assert.same({ "weft.svdvals" }, find 'help("weft.svdv')
  end)

  it("finds what methods known by name give", function()
    assert.same({ "totable" }, find 'm:weight(0, "W_Q"):totab')
    assert.same({ "asymmetry" }, find "m:qk(0, 0):asym")
  end)

  it("finds nothing in comments, numbers, after calls", function()
    assert.same({}, find "-- pri")
    assert.same({}, find "--[[ pri")
    assert.same({}, find "x = 12.")
    assert.same({}, find "f().x")
    assert.same({}, find "nothing.at.all")
    assert.same({}, find "text:nothing().x")
  end)

  it("answers with what to insert, or with a list", function()
    assert.equal("nt", (complete.answer("pri", env, 80)))
    assert.equal("als", (complete.answer("weft.svdv", env, 80)))
    assert.equal("p", (complete.answer("words.al", env, 80)))
    local more <const>, list <const> = complete.answer("words.alp", env, 80)
    assert.is_nil(more)
    assert.equal("alpha  alps", list)
    assert.same({ nil, nil }, { complete.answer("zzz", env, 80) })
    assert.equal("  ", (complete.answer("", env, 80)))
    assert.equal('t"', (complete.answer('io.open("' .. (function()
      support.write(folder .. "/a.txt", "")
      return folder
    end)() .. "/a.tx", env, 80)))
  end)

  it("lists in columns that fit", function()
    env.many = {}
    for i = 1, 300 do
      env.many[("name%03d"):format(i)] = i
    end
    local _, list <const> = complete.answer("many.name", env, 40)
    if list then
      for line in list:gmatch "[^\n]+" do
        assert.is_true(utf8.len(line) <= 40)
      end
      assert.matches("… 100 more$", list)
    end
  end)

  it("calls nothing for long, and nothing that fails", function()
    env.slow = setmetatable({}, { __index = function()
      while true do
        pcall(function() while true do end end)
      end
    end })
    local start <const> = core.sys.time()
    assert.is_nil((complete.answer("slow.x.", env, 80)))
    assert.is_true(core.sys.time() - start < 1)
    env.bad = setmetatable({}, {
      __index = function() error "no" end,
      __complete = function() error "no" end,
    })
    assert.same({}, find "bad.x.")
    assert.same({}, find "bad.")
  end)
end)

describe("prompt.chunks", function()
  it("leaves a chunk whole", function()
    assert.same({ "x = 1\ny = 2" }, prompt.chunks "x = 1\ny = 2")
    assert.same({ "for i = 1, 2 do" }, prompt.chunks "for i = 1, 2 do")
  end)

  it("cuts lines with expressions", function()
    assert.same({ "x = 1", "x", "for i = 1, 2 do\n  x = 2\nend", "x" },
      prompt.chunks "x = 1\nx\n\nfor i = 1, 2 do\n  x = 2\nend\nx")
  end)

  it("does not run half of what is wrong", function()
    assert.same({ "x = 1\nx\ny y" }, prompt.chunks "x = 1\nx\ny y")
  end)

  it("takes a session's prompts away", function()
    assert.same({ "x = 1", "if x then\nprint(x)\nend" },
      prompt.chunks "> x = 1\n> if x then\n>> print(x)\n>> end\n1")
  end)
end)
