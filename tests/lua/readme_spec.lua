-- README.md: its tour runs as it stands there, block after block in one
-- state, and so do its command lines on models that are there.
local core = require "weft.core"
local lfs = require "lfs"
local support = require "tests.lua.support"
local sys = core.sys

local PROGRAM <const> = lfs.currentdir() .. "/build/weft"

-- Command lines on models that a test does not have.
local NOT_RUN <const> = {
  ["build/weft report ~/models/Qwen2.5-3B"] = true,
  ["build/weft report SmolLM2-135M-Instruct.Q4_1.gguf --layer 18 --head 0"] =
    true,
  ["build/weft report Qwen/Qwen2.5-3B --out qwen --figures png"] = true,
  ["build/weft report meta-llama/Llama-3.1-70B --estimate"] = true,
}

-- a folder with build/weft, build/demo and examples, as after `make demo`
local folder

setup(function()
  folder = support.folder()
  assert(sys.mkdir(folder .. "/build"))
  assert(lfs.link(PROGRAM, folder .. "/build/weft", true))
  assert(lfs.link(lfs.currentdir() .. "/examples", folder .. "/examples",
    true))
  assert(sys.run { PROGRAM, "demo", folder .. "/build/demo" } == 0)
end)

teardown(support.clean)

-- The indented lines of README, block by block; of one section alone where
-- its title is given.
local function blocks(title)
  local list, block, inside = {}, nil, title == nil
  for line in (support.read "README.md" .. "\n"):gmatch "([^\n]*)\n" do
    if line:find "^## " and title then
      inside = line == "## " .. title
    end
    local code = line:match "^    (.*)$"
    if inside and code then
      block = block or {}
      block[#block + 1] = code
    elseif line ~= "" and block then
      list[#list + 1], block = table.concat(block, "\n"), nil
    elseif block then
      block[#block + 1] = ""
    end
  end
  return list
end

describe("the tour in README", function()
  local tour = {}
  for _, block in ipairs(blocks "A tour in Lua") do
    tour[#tour + 1] = not block:find "^build/weft " and block or nil
  end

  it("is Lua, block by block", function()
    assert(#tour >= 2)
    for _, block in ipairs(tour) do
      assert(load(block))
    end
  end)

  it("runs from its first line to its last", function()
    support.write(folder .. "/tour.lua", table.concat(tour, "\n"))
    local status, output = sys.run({ "build/weft", "tour.lua" },
      { cwd = folder })
    assert.equal(0, status, output)
    assert.truthy(output:find("weft/demo (qwen2, safetensors) L: 12", 1, true))
    assert.truthy(output:find("\n192\ntensor [32, 192] F16\n", 1, true))
    for _, column in ipairs { "effective_rank", "stable_rank",
      "participation", "W_Q" } do
      assert.truthy(output:find("| " .. column, 1, true)
        or output:find(" " .. column .. " |", 1, true), column)
    end
  end)

  it("speaks of heads and metrics as they are", function()
    local model = require "weft.model"
    local m <close> = assert(model.open(folder .. "/build/demo"))
    local _, output = sys.run({ "build/weft", "tour.lua" }, { cwd = folder })
    local k = m:qk(3, 0)
    local rank, asymmetry = output:match
      "\n(%d+%.%d+)\t(%d+%.%d+)\n%-?%d"
    support.near(k:asymmetry(), tonumber(asymmetry), 1e-12)
    support.near(weft.effective_rank(core.svdvals(k:dense())),
      tonumber(rank), 1e-9)
  end)
end)

describe("the command lines in README", function()
  local lines = {}
  for _, block in ipairs(blocks()) do
    for line in block:gmatch "[^\n]+" do
      lines[#lines + 1] = line:match "^build/weft .*$"
    end
  end

  it("run, but for those on models that are not there", function()
    for _, line in ipairs(lines) do
      if not NOT_RUN[line] then
        local status, output = sys.run({ "sh", "-c", line },
          { cwd = folder })
        assert.equal(0, status, line .. "\n" .. output)
      end
    end
  end)

  it("hold all that are left out", function()
    local found = {}
    for _, line in ipairs(lines) do
      found[line] = true
    end
    for line in pairs(NOT_RUN) do
      assert(found[line], line)
    end
  end)

  it("have their scripts", function()
    for _, line in ipairs(lines) do
      local name = line:match "^build/weft ([^ ]+)"
      if not name:find "/" then
        name = ("scripts/%s.lua"):format(name)
      end
      assert.equal("file", lfs.attributes(name, "mode"), line)
    end
  end)
end)

describe("what README says of make", function()
  local text <const> = support.read "README.md"

  it("is of targets that there are", function()
    local makefile <const> = "\n" .. support.read "Makefile"
    local count = 0
    for _, pattern in ipairs { "`make ([%l-]+)", "\n    make ([%l-]+)" } do
      for target in text:gmatch(pattern) do
        assert(makefile:find("\n" .. target .. ":", 1, true), target)
        count = count + 1
      end
    end
    assert(count >= 5)
  end)

  it("lists all parts of the bench", function()
    local names <const> = {}
    local list <const> = support.read "tests/bench/rows.lua"
      :match "rows%.names = (%b{})"
    for name in list:gmatch '"(%w+)"' do
      names[#names + 1] = name
    end
    assert(#names >= 8)
    assert.equal(table.concat(names, ","), text:match "`BENCH=([%w,]+)`")
  end)
end)
