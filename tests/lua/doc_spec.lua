-- The documentation against what there is: every public function has its
-- entry and every entry its function, examples run and print what they say,
-- and what is generated is well-formed.
local cli = require "weft.cli"
local core = require "weft.core"
local doc = require "weft.doc"
local help = require "weft.help"
local support = require "tests.lua.support"
local weft = require "weft"

local quoted, sh = support.quoted, support.sh

local KINDS <const> = { ["function"] = true, method = true, operator = true,
  callable = true, command = true }

-- Words that a parameter's or a result's type is made of.
local TYPES <const> = {}
for word in ([[any array boolean checkpoint figure frame function integer
  integers kernel label labels matrix model number numbers parts progress
  sizes square subscript table tensor text texts]]):gmatch "%S+" do
  TYPES[word] = true
end

-- the interpreter that runs this, and a folder with a small model in build/demo
local program, folder

setup(function()
  require("weft.prompt").start()
  program = sh("readlink /proc/$PPID/exe"):gsub("\n", "")
  if not program:find "/weft$" then
    program = sh("realpath build/weft"):gsub("\n", "")
  end
  folder = support.folder()
  local output <const>, status <const> = sh(("cd %s && %s demo build/demo 2>&1")
    :format(folder, quoted(program)))
  assert(status == 0, output)
end)

teardown(support.clean)

local function callable(value)
  local meta <const> = getmetatable(value)
  return type(value) == "function"
    or type(value) == "table" and meta ~= nil and meta.__call ~= nil
end

-- "weft.svd", "weft.stats.mean", …: all functions that weft leads to
local function public_functions()
  local list <const> = {}
  local function add(path, value)
    if callable(value) then
      list[#list + 1] = path
    end
    for name, item in pairs(type(value) == "table" and value or {}) do
      if path ~= "weft.core" or name ~= "methods" then
        add(path .. "." .. name, item)
      end
    end
  end
  for _, name in ipairs(getmetatable(weft).__complete()) do
    add("weft." .. name, weft[name])
  end
  table.sort(list)
  return list
end

-- "tensor:rows", …: the methods of everything
local function public_methods()
  local list <const> = {}
  local function add(class)
    for name in pairs(doc.methods(class)) do
      if not name:find "^__" then
        list[#list + 1] = class .. ":" .. name
      end
    end
  end
  for class in pairs(core.methods) do
    add(class)
  end
  add "model"
  add "frame"
  add "figure"
  table.sort(list)
  return list
end

local function missing_entries(names)
  local list <const> = {}
  for _, name in ipairs(names) do
    local entry <const> = doc.get(name)
    local known = entry and entry.name == name
    for _, also in ipairs(entry and entry.also or {}) do
      known = known or also == name
    end
    list[#list + 1] = not known and name or nil
  end
  return list
end

describe("entries", function()
  it("are there for every function", function()
    local names <const> = public_functions()
    assert(#names > 100)
    assert.same({}, missing_entries(names))
  end)

  it("are there for every method", function()
    local names <const> = public_methods()
    assert(#names > 80)
    assert.same({}, missing_entries(names))
  end)

  it("are there for every command", function()
    local names = {}
    for name in sh("ls scripts"):gmatch "([%w_]+)%.lua" do
      names[#names + 1] = not doc.get("weft " .. name) and name or nil
    end
    assert.same({}, names)
  end)

  it("stand for something", function()
    local dead = {}
    for _, entry in ipairs(doc.entries()) do
      for _, name in ipairs { entry.name, table.unpack(entry.also) } do
        local there <const> = entry.kind == "operator"
          or entry.kind == "command" and cli.parser_of(name:match "%S+$")
          or callable(doc.value(name))
        dead[#dead + 1] = not there and name or nil
      end
    end
    assert.same({}, dead)
  end)

  it("have the parameters of their functions", function()
    local wrong = {}
    for _, entry in ipairs(doc.entries()) do
      local value <const> = doc.value(entry.name)
      local info <const> = type(value) == "function"
        and debug.getinfo(value, "Su") or { what = "C" }
      local count = entry.kind == "method" and 1 or 0
      for _, param in ipairs(entry.params) do
        count = count + (param[1]:find "%w%.%w" and 0 or 1)
      end
      if info.what == "Lua" and not info.isvararg
        and info.nparams ~= count then
        wrong[#wrong + 1] = ("%s: %d, it takes %d"):format(entry.name, count,
          info.nparams)
      end
    end
    assert.same({}, wrong)
  end)

  it("of measuring have the options that their functions take", function()
    local all, wrong = {}, {}
    local function own_options(entry)
      local own = {}
      for _, param in ipairs(entry.params) do
        local name <const> = param[1]:match "^options%.(.-)%?$"
        if name then
          own[name], all[name] = true, true
        end
      end
      return own
    end
    for _, entry in ipairs(doc.of_noun "measure") do
      own_options(entry)
    end
    for _, entry in ipairs(doc.of_noun "measure") do
      local own <const> = own_options(entry)
      for name in pairs(next(own) and all or {}) do
        local options <const> = { [name] = true }
        local _, message <const> = pcall(doc.value(entry.name), {},
          entry.params[2][1] == "options?" and options or nil, options)
        if (own[name] or false) == (tostring(message):find("unknown option '"
          .. name, 1, true) ~= nil) then
          wrong[#wrong + 1] = entry.name .. " " .. name
        end
      end
    end
    assert.same({}, wrong)
  end)

  it("say all that is asked of them", function()
    local wrong = {}
    local function need(entry, fine, what)
      wrong[#wrong + 1] = not fine and entry.name .. ": " .. what or nil
    end
    for _, entry in ipairs(doc.entries()) do
      need(entry, KINDS[entry.kind], "kind")
      need(entry, entry.summary:find "^[^%s].*[%.:]$", "summary")
      need(entry, entry.example ~= "", "example")
      for _, list in ipairs { entry.params, entry.returns } do
        for _, row in ipairs(list) do
          for word in row[2]:gmatch "[^|]+" do
            need(entry, TYPES[word], "type " .. word)
          end
        end
      end
      for _, name in ipairs(entry.see) do
        need(entry, #help.find(name) > 0, "see " .. name)
      end
    end
    assert.same({}, wrong)
  end)

  it("mark layers and heads as labels, subscripts as subscripts", function()
    local wrong = {}
    for _, entry in ipairs(doc.entries()) do
      for _, param in ipairs(entry.params) do
        local name <const> = param[1]:match "([%w_]+)%p*$"
        local label <const> = param[2]:find "label" ~= nil
        local own <const> = entry.name ~= "weft.arch"
        if own and (name == "layer" or name == "head" or name == "layers"
          or name == "heads") ~= label and name ~= "options" then
          wrong[#wrong + 1] = entry.name .. " " .. name
        end
        if name == "axis" and not param[2]:find "subscript" then
          wrong[#wrong + 1] = entry.name .. " " .. name
        end
      end
    end
    assert.same({}, wrong)
  end)
end)

-- Runs all examples but the commands', a line === NAME before each.
local DRIVER <const> = [[
require("weft.prompt").start()
local doc = require "weft.doc"
for _, entry in ipairs(doc.entries()) do
  if entry.kind ~= "command" then
    print("=== " .. entry.name)
    local ok, message = pcall(function()
      assert(load(entry.example, "=" .. entry.name))()
    end)
    if not ok then print("failed: " .. message) end
  end
end
print "=== end"
]]

-- What an example says that it prints: the words behind each -->.
local function promised(example)
  local lines <const> = {}
  for line in example:gmatch "%-%->%s*([^\n]*)" do
    lines[#lines + 1] = line
  end
  return table.concat(lines, "\n")
end

local function squeezed(text)
  return (text:gsub("[ \t]+", " "):gsub(" ?\n ?", "\n"):gsub("^%s+", "")
    :gsub("%s+$", ""))
end

describe("examples", function()
  local printed

  setup(function()
    support.write(folder .. "/driver.lua", DRIVER)
    local output <const> = sh(("cd %s && %s driver.lua 2>&1"):format(folder,
      quoted(program)))
    printed = {}
    -- what stands between two lines of ===
    local at = 1
    output:gsub("()=== ([^\n]*)\n()", function(first, name, last)
      if at > 1 then
        printed[printed.last] = output:sub(at, first - 1)
      end
      at, printed.last = last, name
    end)
    assert(printed.last == "end", output:sub(-2000))
  end)

  for _, entry in ipairs(doc.entries()) do
    if entry.kind == "command" then
      it("run: " .. entry.name, function()
        local output <const>, status <const> = sh(("cd %s && PATH=%s:$PATH && "
          .. "(set -e\n%s\n) 2>&1"):format(folder,
          quoted(program:match "^(.*)/"), entry.example))
        assert(status == 0, output)
      end)
    else
      it("run: " .. entry.name, function()
        local found <const> = squeezed(printed[entry.name])
        local expected <const> = squeezed(promised(entry.example))
        assert(not found:find "^failed: " and not found:find "\nfailed: ",
          found)
        if entry.noun == "prompt" then
          assert(found:find(expected, 1, true), found)
        else
          assert(expected ~= "" or entry.example:find "assert", "says nothing")
          assert.equal(expected, found)
        end
      end)
    end
  end
end)

describe("help", function()
  local function lines_of(text)
    local list = {}
    for line in (text .. "\n"):gmatch "([^\n]*)\n" do
      list[#list + 1] = line
    end
    return list
  end

  it("finds by name, by the last word, by value", function()
    local text <const> = help.text("weft.matrix_rank", 80)
    assert.equal("weft.matrix_rank(t [, tolerance]) -> rank",
      lines_of(text)[1])
    assert.equal(text, help.text("matrix_rank", 80))
    assert.equal(text, help.text(weft.matrix_rank, 80))
    assert.truthy(help.text("svd", 80)
      :find "^weft%.svd.*\nthere is also\n  kernel:svd ")
    assert.equal(help.text("tensor:rows", 80),
      help.text(core.methods.tensor.rows, 80))
    assert.equal("t:rows(first, last [, step]) -> view",
      lines_of(help.text("tensor:rows", 80))[1])
  end)

  it("tells labels from subscripts", function()
    assert.truthy(help.text("model:weight", 80)
      :find("layer%s+label %(from 0%)"))
    assert.truthy(help.text("frame:row", 80)
      :find("i%s+subscript %(from 1%): 1 to f%.n"))
  end)

  it("tells of what a value can do", function()
    local text <const> = help.text(weft.zeros(2, 3), 80)
    assert.truthy(text:find("^tensor"))
    assert.truthy(text:find("\n  tensor:rows +Some rows"))
    assert.truthy(help.text(weft.stats, 80):find "weft%.stats%.mean")
    assert.truthy(help.text(weft, 80):find "\nTopics\n")
    assert.truthy(help.text(nil, 80):find "\nTopics\n")
    assert.equal("a number, of which nothing is known; help() lists what "
      .. "there is", help.text(3, 80))
  end)

  it("says where an unknown function is from", function()
    assert.truthy(help.text(function() end, 80)
      :find "^a function without documentation, defined at .*doc_spec.lua:%d+$")
    assert.equal("a function in C without documentation",
      help.text(math.sin, 80))
  end)

  it("offers what is near to a name", function()
    local text <const> = help.text("sdvals", 80)
    assert.equal("nothing is called 'sdvals'; near to it:", lines_of(text)[1])
    assert.truthy(text:find "weft%.svdvals")
    assert.equal("nothing is called 'qqqqqqqq'; help() lists what there is",
      help.text("qqqqqqqq", 80))
    assert.equal("nothing is called 'a\\x1Bb'; help() lists what there is",
      help.text("a\27b", 80))
  end)

  it("knows a metric that was added", function()
    assert.truthy(sh(quoted(program) .. [[ -e '
      weft.metric { name = "own", doc = "a number", fn = math.max }
      require("weft.help").show(weft.own)' 2>&1]]):find "\n  A number%.\n")
  end)

  it("fits the width", function()
    for _, width in ipairs { 80, 88 } do
      for _, noun in ipairs(doc.nouns()) do
        for _, line in ipairs(lines_of(help.text(noun.name, width))) do
          assert(utf8.len(line) <= width, line)
        end
      end
    end
  end)

  it("finds what is about a word", function()
    local names = {}
    for _, entry in ipairs(help.matching "EFFECTIVE rank") do
      names[entry.name] = true
    end
    assert.is_true(names["weft.gaussian_effective_rank"])
    assert.is_nil(names["weft.svd"])
    assert.has_error(function() help.apropos() end,
      "word is a nil, expected text such as \"rank\"")
    assert.has_error(function() help.apropos "" end,
      "word is empty, expected text such as \"rank\"")
  end)

  it("is a command", function()
    local output <const>, status <const> = sh(quoted(program)
      .. " help tensor:rows")
    assert.equal(0, status)
    assert.equal(help.text("tensor:rows", 80) .. "\n", output)
    assert.truthy(sh(quoted(program) .. " help"):find "\nCommands\n")
  end)
end)

describe("what is made of it", function()
  local function made(kind)
    local output <const>, status <const> = sh(
      ("%s lua/doc/generate.lua %s 2>&1"):format(quoted(program), kind))
    assert(status == 0, output)
    local path <const> = folder .. "/made." .. kind
    support.write(path, output)
    return output, path
  end

  local function has(tool)
    return select(2, sh("command -v " .. tool .. " >/dev/null 2>&1")) == 0
  end

  it("says the program's own options as --help does", function()
    local usage <const> = sh(quoted(program) .. " --help")
    for _, option in ipairs(doc.noun("commands").options) do
      local words <const> = option[1] .. (option[2] and " " .. option[2] or "")
      local line <const> = ("\n  %s *%s\n"):format(words:gsub("%p", "%%%0"),
        option[3]:gsub("%p", "%%%0"))
      assert(usage:find(line), words)
    end
    local count = 0
    for _ in usage:match("options.-\n\ncommands"):gmatch "\n  %-" do
      count = count + 1
    end
    -- -l has two lines there
    assert.equal(#doc.noun("commands").options + 1, count)
  end)

  it("is a man page without warnings", function()
    local text, path = made "man"
    assert.truthy(text:find "^%.TH WEFT 1 ")
    assert.is_nil(text:find "[\128-\255]")
    for _, entry in ipairs(doc.of_noun("commands")) do
      assert(text:find("\n.SS " .. entry.name .. "\n", 1, true), entry.name)
    end
    if has "groff" then
      assert.equal("", (sh("groff -ww -man -Tutf8 " .. path
        .. " 2>&1 >/dev/null")))
    elseif has "man" then
      assert.equal("", (sh("man --warnings -l " .. path
        .. " 2>&1 >/dev/null")))
    else
      pending "there is neither groff nor man"
    end
  end)

  it("is a reference of all entries", function()
    local text = made "markdown"
    for _, entry in ipairs(doc.entries()) do
      assert(text:find("\n### " .. entry.name .. "\n", 1, true), entry.name)
    end
    for anchor in text:gmatch "%]%(#([^)]+)%)" do
      assert(anchor:find "^[%w_-]+$" or anchor:find "^tensor", anchor)
    end
  end)

  it("is Lua that defines every function", function()
    local text, path = made "luacats"
    assert(loadfile(path))
    for _, entry in ipairs(doc.entries()) do
      if entry.kind == "function" or entry.kind == "method" then
        assert(text:find("\nfunction " .. entry.name .. "(", 1, true),
          entry.name)
      end
    end
  end)

  it("completes in bash", function()
    local _, path = made "bash"
    assert.equal("", (sh("bash -n " .. path .. " 2>&1")))
    local function completed(...)
      local words <const> = { ... }
      for i, word in ipairs(words) do
        words[i] = quoted(word)
      end
      support.write(folder .. "/complete.sh", ([[
        . %s
        COMP_WORDS=(%s); COMP_CWORD=%d; COMPREPLY=()
        _weft; echo "${COMPREPLY[*]}"]]):format(path,
        table.concat(words, " "), #words - 1))
      return (sh("bash " .. folder .. "/complete.sh 2>&1"):gsub("\n", ""))
    end
    assert.equal("report", completed("weft", "rep"))
    assert.equal("--figures", completed("weft", "report", "--fi"))
    assert.equal("svg png pdf none", completed("weft", "report", "--figures",
      ""))
    assert.equal("--version", completed("weft", "--ve"))
    assert.equal("--ascending", completed("weft", "weights", "x", "--asc"))
  end)

  for _, shell in ipairs { "zsh", "fish" } do
    it("completes in " .. shell, function()
      local text, path = made(shell)
      for _, entry in ipairs(doc.of_noun("commands")) do
        assert(text:find(entry.name:match "%S+$", 1, true), entry.name)
      end
      if not has(shell) then
        pending("there is no " .. shell)
        return
      end
      assert.equal("", (sh(("%s -n %s 2>&1"):format(shell, path))))
    end)
  end
end)
