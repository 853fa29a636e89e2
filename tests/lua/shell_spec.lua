-- The program from outside: options, scripts, statuses, the prompt, Ctrl-C.
-- Where lua5.4 is installed it is the oracle for all that is lua's own.

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- standard output (and whatever the command sends there) and exit status
local function sh(command)
  local pipe <close> = assert(io.popen(command))
  local output = pipe:read "a"
  local _, _, status = pipe:close()
  return output, status
end

local function write(path, text)
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(text))
end

-- a folder that is gone after the tests
local folder

-- the exit status and output of a program that gets signals once it is ready
local function interrupted(program, words, signals)
  return sh(([[program=$(realpath %s); cd %s; >out
    "$program" %s >out 2>err & pid=$!
    until grep -q ready out; do sleep 0.02; done
    for i in %s; do sleep 0.1; kill -INT $pid; done 2>kills
    wait $pid; echo $?; cat out err]]):format(program, folder, words, signals))
end

-- drives a program on a terminal; raises with the screen where it differs
local function on_terminal(script, program)
  local path = folder .. "/pty.txt"
  write(path, script)
  local screen, status = sh(("build/tests/shell/pty --timeout 20 %s -- env "
    .. "XDG_STATE_HOME=%s XDG_CONFIG_HOME=%s %s 2>&1"):format(path, folder,
      folder, program or "build/weft"))
  assert(status == 0, screen)
  return screen
end

setup(function()
  folder = sh("mktemp -d"):gsub("\n", "")
end)

teardown(function()
  sh("rm -rf " .. folder)
end)

describe("beside lua5.4", function()
  local has_lua = os.execute("command -v lua5.4 >/dev/null 2>&1")

  -- the same words to both, called "lua": output and status are equal
  local function same(command)
    local function run(program)
      local bin = folder .. "/" .. program:gsub("/", "_")
      sh(("mkdir -p %s && ln -sf $(command -v %s || echo $PWD/%s) %s/lua")
        :format(bin, program, program, bin))
      if program == "build/weft" then
        sh(("ln -sf $PWD/build/weft %s/lua"):format(bin))
      end
      local line = ("PATH=%s:$PATH; %s"):format(bin, command)
      return sh("sh -c " .. quoted(line) .. " 2>&1")
    end
    local theirs, their_status = run "lua5.4"
    local ours, our_status = run "build/weft"
    -- the usage and the greeting are weft's own
    ours = ours:gsub("weft %d+%.%d+%.%d+\n(Lua 5)", "%1")
    assert.equal(theirs, ours)
    assert.equal(their_status, our_status)
  end

  local cases <const> = {
    ["runs -e in order"] = [[lua -e 'x = 1' -e 'print(x)' -e 'x.y.z = 1']],
    ["takes -e's code in one word"] = [[lua '-eprint(1)' -ea=3 -e 'print(a)']],
    ["requires libraries"] = [[lua -l s=string -lm=math -l io -e ]]
      .. [['print(s.rep("a", 3), m.pi, io)' | sed 's/0x.*//']],
    ["fails on a library that is not there"] = [[lua -l s.t -e 'print(1)' |]]
      .. [[ head -n 1]],
    ["shows its version"] = [[lua -v -e 'print "after"']],
    ["turns warnings on"] = [[lua -W -e 'warn("a", "b")']],
    ["keeps warnings off"] = [[lua -e 'warn("a") warn("@on") warn("b")']],
    ["gives arg to scripts"] = [[echo 'for i = -5, 5 do print(i, arg[i]) end
      print(...)' | lua -e '' - a 'b c']],
    ["gives arg to -e"] = [[lua -e 'for i = -5, 5 do print(i, arg[i]) end']],
    ["ends options"] = [[lua -e '' -- ./none.lua a]],
    ["runs standard input"] = [[echo 'print(1) error "x"' | lua]],
    ["runs a named standard input"] = [[echo 'print(...)' | lua - -h]],
    ["says that arg was broken"] = [[echo | lua -e 'arg = 1' -]],
    ["runs LUA_INIT"] = [[LUA_INIT='x = tonumber(arg[1])' lua -e 'print(x)']],
    ["prefers LUA_INIT_5_4"] = [[LUA_INIT_5_4='x = 1' LUA_INIT='x = 2' ]]
      .. [[lua -e 'print(x)']],
    ["fails with LUA_INIT"] = [[LUA_INIT='error "no"' lua -e 'print(x)']],
    ["fails with LUA_INIT's file"] = [[LUA_INIT=@/no/file lua -e 'print(x)']],
    ["ignores the environment"] = [[LUA_INIT='error "no"' LUA_PATH=xx ]]
      .. [[lua -E -e 'print(package.path, package.cpath)']],
    ["leaves the paths alone"] = [[LUA_PATH='a;;b' LUA_CPATH='c;;' ]]
      .. [[lua -e 'print(package.path, package.cpath)']],
    ["reports a syntax error"] = [[lua -e 'x =']],
    ["reports a table"] = [[lua -e 'error {}']],
    ["reports what tells itself"] = [[lua -e 'error(setmetatable({},
      {__tostring = function() return "told" end}))']],
    ["reports nil"] = [[lua -e 'error(nil)']],
    ["reports deep tracebacks"] = [[lua -e 'local function f(n)
      if n == 0 then error "deep" end f(n - 1) return 1 end f(40)']],
    ["exits by number"] = [[lua -e 'io.write "flushed" os.exit(7)']],
    ["exits by boolean"] = [[lua -e 'os.exit(false, true)']],
    ["runs finalizers at the end"] = [[lua -e 'setmetatable({},
      {__gc = function() print "gone" end})']],
    ["sets no hook"] = [[lua -e 'print(debug.gethook())']],
    ["counts as lua does"] = [[lua -e 'print(collectgarbage "incremental")']],
    ["prompts off a terminal"] = "printf '"
      .. [[a = 2\n=a\na, nil\nfor i = 1, 2 do\nprint(i)\nend\n]]
      .. [[error "x"\nx = \n\n1 +\n1\nx x\nlocal q <const> = 1; q = 2\n]]
      .. [[return 1, 2' | lua -i]],
    ["takes prompts from globals"] = "printf '"
      .. [[do\nend\n' | lua -e '_PROMPT = 1 _PROMPT2 = "more "' -i]],
    ["survives a print that is gone"] = "printf '"
      .. [[1\nio.write(2)' | lua -e 'print = nil' -i]],
    ["prompts after a script"] = [[echo 'print(x)' >%s/x.lua; ]]
      .. [[echo x | lua -e 'x = 1' -i %s/x.lua]],
    ["does not prompt after a failure"] = [[echo x | lua -i -e 'error "x"']],
  }
  local names = {}
  for name in pairs(cases) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    it(name, function()
      if not has_lua then
        pending "lua5.4 is not installed"
        return
      end
      same((cases[name]:gsub("%%s", folder)))
    end)
  end

  it("skips a first line with a hash", function()
    local path = folder .. "/hash.lua"
    write(path, "#!/usr/bin/env weft\nprint(debug.getinfo(1).currentline)\n")
    assert.equal("2\n", (sh("build/weft " .. path)))
  end)

  it("runs bytecode", function()
    local path = folder .. "/code.lua"
    write(path, string.dump(load "print 'from bytes'"))
    assert.equal("from bytes\n", (sh("build/weft " .. path)))
  end)
end)

describe("wrong options", function()
  for options, message in pairs {
    ["-h"] = "unrecognized option '-h'",
    ["---"] = "unrecognized option '---'",
    ["--helped"] = "unrecognized option '--helped'",
    ["-Ex"] = "unrecognized option '-Ex'",
    ["-iv"] = "unrecognized option '-iv'",
    ["-e"] = "'-e' needs argument",
    ["-l -e"] = "'-l' needs argument",
  } do
    it("names " .. options, function()
      local output, status = sh("build/weft " .. options .. " 2>&1")
      local first, rest = output:match "^(.-)\n(.*)$"
      assert.equal("build/weft: " .. message, first)
      assert.matches("^usage: build/weft %[options%]", rest)
      assert.equal(1, status)
    end)
  end
end)

describe("the first word", function()
  local weft

  -- the installed layout, with commands of our own
  setup(function()
    local module = folder .. "/lib/lua/5.4/weft"
    sh(("mkdir -p %s/bin %s/scripts && cp build/weft %s/bin/weft")
      :format(folder, module, folder))
    write(module .. "/init.lua", "return { place = ... , answer = 42 }")
    write(module .. "/part.lua", "return select(2, ...)")
    write(module .. "/bad.lua", "x = = 1")
    write(module .. "/scripts/hello.lua", [[
-- weft hello [WORDS]: says hello, and more
print("stock", arg[0], ...)]])
    write(module .. "/scripts/spin.lua", [[
local kind = ...
print "ready" io.stdout:flush()
local function loop() while true do end end
if kind == "pcall" then
  while true do pcall(loop) end
elseif kind == "coroutine" then
  coroutine.wrap(function() while true do pcall(loop) end end)()
end
loop()]])
    weft = folder .. "/bin/weft"
  end)

  -- in the folder, with files of names like the commands'
  local function there(words)
    return sh(("cd %s && %s %s 2>&1"):format(folder, weft, words))
  end

  it("is a stock command", function()
    write(folder .. "/hello", "print 'a file'")
    assert.equal("stock\thello\ta\tb\n", (there "hello a b"))
  end)

  it("is a file where it has a slash", function()
    assert.equal("a file\n", (there "./hello"))
  end)

  it("is a file where it ends in .lua", function()
    write(folder .. "/hello.lua", "print('lua', ...)")
    assert.equal("lua\tx\n", (there "hello.lua x"))
  end)

  it("is a file where there is no command", function()
    write(folder .. "/other", "print('other', arg[0], arg[-1])")
    assert.equal("other\tother\t" .. weft .. "\n", (there "other"))
  end)

  it("is an error else", function()
    local output, status = there "nothing a b"
    assert.equal(weft .. ": no command and no file is named 'nothing' ("
      .. weft .. " --help lists the commands)\n", output)
    assert.equal(1, status)
  end)

  it("may name a missing script", function()
    local output, status = there "./nothing.lua"
    assert.equal(weft .. ": cannot open ./nothing.lua: No such "
      .. "file or directory\n", output)
    assert.equal(1, status)
  end)

  it("finds modules beside the program", function()
    local output = there [[-e 'print(require "weft".answer)
      print(require "weft.part")']]
    local part = folder .. "/lib/lua/5.4/weft/part.lua"
    assert.equal(("42\n%s\t%s\n"):format(part, part), output)
  end)

  it("lets LUA_PATH come first", function()
    sh(("mkdir -p %s/own && echo 'return {answer = 7}' >%s/own/weft.lua")
      :format(folder, folder))
    assert.equal("7\n", (sh(("LUA_PATH=%s/own/?.lua %s -e 'print(weft.answer)'")
      :format(folder, weft))))
  end)

  it("tells a module's syntax error and a missing module", function()
    local output = there [[-e 'print(pcall(require, "weft.bad"))']]
    assert.matches("error loading module 'weft.bad' from file '"
      .. folder:gsub("%p", "%%%0") .. "/lib/lua/5.4/weft/bad.lua':\n\t", output)
    output = there [[-e 'print(pcall(require, "weft.none"))']]
    assert.matches("\n\tno file '" .. folder:gsub("%p", "%%%0")
      .. "/lib/lua/5.4/weft/none.lua'\n$", output)
  end)

  it("has the module in the global weft, loaded at its first use", function()
    assert.equal("nil\tnil\n42\ttrue\n", (there [[-e '
      print(package.loaded["weft"], package.loaded["weft.core"])
      print(weft.answer, weft == require "weft")']]))
    assert.equal("1\n", (there [[-e 'weft.own = 1
      print(require("weft").own)']]))
    assert.equal("answer\nplace\n", (there [[-e 'local t = {}
      for k in pairs(weft) do t[#t + 1] = k end table.sort(t)
      print(table.concat(t, "\n"))']]))
  end)

  it("lists the commands", function()
    local output, status = there "--help"
    assert.matches("^usage: ", output)
    assert.matches("\n  hello      says hello\n  spin\n$", output)
    assert.equal(0, status)
  end)

  for _, kind in ipairs { "plain", "pcall", "coroutine" } do
    it("stops at Ctrl-C in a command's loop: " .. kind, function()
      assert.equal("130\nready\ninterrupted\n",
        (interrupted(weft, "spin " .. kind, "1")))
    end)
  end

  it("is lua's way with Ctrl-C in a script", function()
    write(folder .. "/spin.lua", [[
      print "ready" io.stdout:flush()
      local function loop() while true do end end
      if ... then print(pcall(loop)) io.stdout:flush() end
      loop()]])
    local output = interrupted(weft, "spin.lua", "1")
    assert.matches("^130\nready\n[^\n]*/bin/weft: spin.lua:4: interrupted!\n"
      .. "stack traceback:\n", output)
    -- pcall catches it, and a second one ends the process
    assert.equal("130\nready\nfalse\tinterrupted!\n",
      (interrupted(weft, "spin.lua caught", "1 2")))
  end)

  it("dies of a second Ctrl-C in a script that can't be stopped", function()
    local output = interrupted(weft, [[-e 'print "ready" io.stdout:flush()
      string.find(string.rep("a", 300000), ".*b")']], "1 2")
    assert.matches("^130\n", output)
  end)

  it("tells other errors than Ctrl-C's by status 1", function()
    write(folder .. "/spin.lua", [[
      print "ready" io.stdout:flush()
      pcall(function() while true do end end)
      error "other"]])
    assert.matches("^1\nready\n[^\n]*spin.lua:3: other\n",
      (interrupted(weft, "spin.lua", "1")))
  end)
end)

describe("a long spectrum", function()
  -- some seconds of work on two workers
  local work <const> = [[
local core = require "weft.core"
local s, list = {}, {}
for i = 1, 700 do s[i] = i end
local t = core.planted(700, 700, core.tensor(s), 1)
for i = 1, 200 do list[i] = t end
local function work() core.spectra(list, {threads = 2}) end
]]

  it("stops at Ctrl-C in a script", function()
    write(folder .. "/long.lua", work .. [[
print "ready" io.stdout:flush()
if ... then print(pcall(work)) else work() end
print(core.svdvals(core.tensor {{3, 0}, {0, 4}})[1])
]])
    local output = interrupted("build/weft", "./long.lua", "1")
    assert.matches("^130\nready\n[^\n]*weft: [^\n]*interrupted!\nstack",
      output)
    assert.equal("0\nready\nfalse\t./long.lua:6: interrupted!\n4.0\n",
      (interrupted("build/weft", "./long.lua caught", "1")))
  end)

  it("stops at Ctrl-C at the prompt, which goes on", function()
    write(folder .. "/long.lua", work .. "_G.work, _G.core = work, core")
    on_terminal([[
expect >
send work()
wait 0.3
key ctrl-c
expect interrupted
expect >
send core.svdvals(core.tensor {{3, 0}, {0, 4}})[1]
expect 4.0
expect >
send work()
wait 0.3
key ctrl-c
expect interrupted
expect >
key ctrl-d
status 0
]], "build/weft -i " .. folder .. "/long.lua")
  end)
end)

describe("standard output", function()
  local lua = [[build/weft -e %s >/dev/full 2>%s/err; ]]
    .. [[echo $?; cat %s/err]]

  for name, code in pairs {
    print = "print(1)",
    write = "io.write(1)",
    ["os.exit"] = "io.write(1) os.exit(0)",
    ["os.exit with close"] = "io.write(1) os.exit(true, true)",
  } do
    it("that is full is an error: " .. name, function()
      local output = sh(lua:format(quoted(code), folder, folder))
      assert.matches("^1\nbuild/weft: standard output could not be written"
        .. "[^\n]*\n$", output)
    end)
  end

  it("may be closed where nothing is written", function()
    local _, status = sh "build/weft -e 'x = 1' >&-"
    assert.equal(0, status)
  end)
end)

describe("--version", function()
  it("names what weft stands on", function()
    local output, status = sh "build/weft --version"
    assert.matches("^weft %d+%.%d+%.%d+\nLua 5%.4%.%d+\nOpenBLAS [^\n]+\n"
      .. "LAPACK %d[^\n]*\ngnuplot[^\n]+\n$", output)
    assert.equal(0, status)
  end)
end)

describe("the prompt on a terminal", function()
  it("reads, prints and ends", function()
    local screen = on_terminal [[
expect Lua 5.4
expect >
send 6 * 7
expect 42
expect >
send =1, nil
expect 1\r\nnil
send for i = 1, 2 do
expect >>
send print("i" .. i) end
expect i1
expect i2
expect >
send error "boo"
expect stdin:1: boo
expect traceback
expect >
key ctrl-d
status 0
]]
    assert.matches("^weft %d", screen)
  end)

  it("edits lines and keeps a history", function()
    on_terminal [[
expect >
type 10 + 1
key left
key left
key left
key left
type 0
key enter
expect 101
expect >
key up
key end
type 1
key enter
expect 111
expect >
send #"é"
expect 2
key ctrl-d
status 0
]]
  end)

  it("stays after Ctrl-C", function()
    on_terminal [[
expect >
send while true do end
wait 0.3
key ctrl-c
expect interrupted
expect >
send while true do pcall(function() while true do end end) end
wait 0.3
key ctrl-c
expect interrupted
expect >
send coroutine.wrap(function() while true do end end)()
wait 0.3
key ctrl-c
key ctrl-c
expect interrupted
expect >
type half a line
key ctrl-c
expect >
send for i = 1, 3 do
expect >>
key ctrl-c
expect >
send 40 + 2
expect 42
key ctrl-d
status 0
]]
  end)

  it("follows a script with -i", function()
    local path = folder .. "/first.lua"
    write(path, "x = 41 print 'ran'")
    on_terminal("expect ran\nexpect >\nsend x + 1\nexpect 42\nkey ctrl-d\n"
      .. "status 0\n", "build/weft -i " .. path)
  end)
end)
