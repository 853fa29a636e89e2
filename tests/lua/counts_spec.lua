-- What is counted of a whole report: each weight's bytes are read once for
-- every use that is meant, and not at all where the cache has what is wanted;
-- workers' memory is bounded, and kept from one matrix to the next.
local core = require "weft.core"
local save = require "weft.save"
local support = require "tests.lua.support"

local quoted, sh = support.quoted, support.sh

teardown(support.clean)

describe("a report", function()
  local place, program, model

  setup(function()
    program = sh("realpath build/weft"):gsub("\n", "")
    place = support.folder()
    model = place .. "/model"
    assert.equal("", sh(("%s demo %s >%s/log 2>&1 || cat %s/log"):format(
      quoted(program), quoted(model), quoted(place), quoted(place))))
    -- what was written just now is not kept
    sh(("touch -d '2020-01-02 03:04:05.678' %s/*"):format(quoted(model)))
  end)

  -- Runs a report, and tells what it read beyond opening the model and its
  -- own table, which it reads back; and the bytes of all weights, of all
  -- heads' W_Q and W_K, of the kernel looked into, and of its layer's W_down.
  local SCRIPT <const> = [[
local sys = require "weft.core".sys
local start = sys.counts().read
local m = assert(weft.open(%q))
local opening = sys.counts().read - start
local weights, heads = 0, 0
for _, part in ipairs(m:weights {}) do
  local bytes = 2 * part.shape[1] * part.shape[2]
  weights = weights + bytes
  if part.name == "W_Q" or part.name == "W_K" then
    heads = heads + bytes
  end
end
local kernel = 2 * 2 * m.dims.d_head * m.dims.d
m:close()
local before = sys.counts().read
os.exit = function(code)
  print(("counts: %%d %%d %%d %%d %%d"):format(code,
    sys.counts().read - before - opening, weights, heads, kernel))
end
arg = { [0] = "report", %q, "--layer", "3", "--out", %q, "--threads", "2",
  "--figures", "none", "--quiet" }
dofile "scripts/report.lua"
]]

  local function report(most)
    local text = SCRIPT:format(model, model, place .. "/out")
    local output, status = sh(("XDG_CACHE_HOME=%s/cache WEFT_CACHE_MAX=%d "
      .. "%s -e %s 2>&1"):format(quoted(place), most, quoted(program),
      quoted(text)))
    assert.equal(0, status, output)
    local code, read, weights, heads, kernel = output:match
      "counts: (%d+) (%-?%d+) (%d+) (%d+) (%d+)"
    assert.equal("0", code, output)
    local int <const> = math.tointeger
    local csv = #sh(("cat %s/out/*.csv"):format(quoted(place)))
    assert.is_true(csv > 0)
    return int(read) - csv, int(weights), int(heads), int(kernel)
  end

  it("reads every tensor once for every use", function()
    -- the W_down that is looked into is one of the weights
    local read, weights, heads, kernel = report(0)
    assert.is_true(heads > 0 and weights > 2 * heads)
    assert.equal(weights + heads + kernel, read)
  end)

  it("reads no weights where the cache has their spectra", function()
    local read, weights, heads, kernel = report(1 << 30)
    assert.equal(weights + heads + kernel, read)
    assert.equal(0, (report(1 << 30)))
  end)
end)

describe("spectra of a file's matrices", function()
  local M <const>, N <const> = 3200, 800
  local PANEL <const>, SQUARE <const> = 8 * 512 * N, 8 * N * N
  local checkpoint, list

  setup(function()
    local path = support.folder() .. "/random.safetensors"
    local wide = core.randn(2, N, M)
    assert(save.safetensors(path, {
      { name = "a", tensor = wide, dtype = "F32" },
      { name = "b", tensor = wide:t(), dtype = "F32" } }))
    wide:close()
    checkpoint = assert(core.open(path))
    list = { checkpoint:tensor "a", checkpoint:tensor "b" }
  end)

  -- Bytes read, most memory taken meanwhile.
  local function count(options)
    collectgarbage()
    local before = core.sys.counts(true)
    local s, why = core.spectra(list, options)
    assert.same({ false, false }, why)
    assert.equal(N, #s[1])
    local after = core.sys.counts()
    return after.read - before.read, after.peak - before.held
  end

  for _, method in ipairs { "gram", "direct" } do
    it("take 3 n^2 and a panel a worker: " .. method, function()
      local read, peak = count { threads = 2, method = method, cache = false }
      assert.equal(2 * 4 * M * N, read)
      -- and what is read is decoded from 1 MB of bytes
      assert.is_true(peak <= 2 * (3 * SQUARE + PANEL + (2 << 20)), peak)
    end)
  end

  it("take no more when they are taken again", function()
    for _, method in ipairs { "gram", "direct" } do
      local options = { threads = 1, method = method, cache = false }
      count(options)
      local _, peak = count(options)
      assert.is_true(peak < 1 << 20, peak)
    end
  end)
end)
