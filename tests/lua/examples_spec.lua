-- examples/: each runs on a small model and prints what it promises; each says
-- at its top what it shows, and is short.
local core = require "weft.core"
local lfs = require "lfs"
local model = require "weft.model"
local support = require "tests.lua.support"
local sys = core.sys

local PROGRAM <const> = lfs.currentdir() .. "/build/weft"
local NAMES <const> = { "01-open", "02-kernel", "03-spectra", "04-metric",
  "05-architecture", "06-frame", "07-figure", "08-layers", "09-heads" }

-- a folder with the model that the examples are run on, and what they draw
local folder
local m

setup(function()
  folder = support.folder()
  assert(sys.run { PROGRAM, "demo", folder .. "/demo", "--num-hidden-layers",
    "4", "--hidden-size", "48", "--intermediate-size", "80", "--vocab-size",
    "32" } == 0)
  m = assert(model.open(folder .. "/demo"))
end)

teardown(function()
  m:close()
  support.clean()
end)

-- the output of an example on the model, and its lines
local function run(name, ...)
  local status, output = sys.run({ PROGRAM,
    ("%s/examples/%s.lua"):format(lfs.currentdir(), name), "demo", ... },
    { cwd = folder })
  assert.equal(0, status, output)
  local lines = {}
  for line in output:gmatch "[^\n]+" do
    lines[#lines + 1] = line
  end
  return output, lines
end

local function has(output, line)
  assert(("\n" .. output):find("\n" .. line .. "\n", 1, true),
    ("no line '%s' in\n%s"):format(line, output))
end

-- the cells of a table's row whose first cells are these words
local function row_of(lines, ...)
  local words = { ... }
  for _, line in ipairs(lines) do
    local cells = {}
    for cell in line:gmatch "|%s*([^|]-)%s*%f[|]" do
      cells[#cells + 1] = cell
    end
    local same = #cells > 0
    for i, word in ipairs(words) do
      same = same and cells[i] == word
    end
    if same then
      return cells
    end
  end
  error("no row " .. table.concat(words, " "))
end

local function effective_rank(s)
  local total, entropy = 0, 0
  for i = 1, #s do
    total = total + s[i]
  end
  for i = 1, #s do
    entropy = entropy - s[i] / total * math.log(s[i] / total)
  end
  return math.exp(entropy)
end

describe("every example", function()
  it("is one of those that are run here", function()
    local found = {}
    for file in lfs.dir "examples" do
      found[#found + 1] = file:match "^(.*)%.lua$"
    end
    table.sort(found)
    assert.same(NAMES, found)
  end)

  it("starts with what it shows and has under 40 lines", function()
    for _, name in ipairs(NAMES) do
      local text = support.read(("examples/%s.lua"):format(name))
      assert.truthy(text:find "^%-%- %u[^\n]+\n%-%-", name)
      assert.truthy(text:find("weft examples/" .. name, 1, true), name)
      local _, lines = text:gsub("\n", "")
      assert(lines < 40, ("%s has %d lines"):format(name, lines))
    end
  end)

  it("takes build/demo where no model is named, and says when it is not there",
    function()
      for _, name in ipairs(NAMES) do
        local status, output = sys.run({ PROGRAM, ("%s/examples/%s.lua")
          :format(lfs.currentdir(), name) }, { cwd = folder })
        assert.equal(1, status, name)
        assert.truthy(output:find("build/demo", 1, true), name)
      end
    end)
end)

describe("example", function()
  it("01 opens a model", function()
    local output = run "01-open"
    has(output, tostring(m))
    has(output, "W_Q of layer 0\ttensor [48, 48] F16")
    has(output, "rows of its head 1\ttensor [8, 48] F16")
    has(output, "its first element\t" .. m:weight(0, "W_Q")[1][1])
    local squares = 0
    for _, s in ipairs(core.svdvals(m:weight(0, "W_Q")):totable()) do
      squares = squares + s * s
    end
    has(output, ("its norm\t%.6g"):format(squares ^ 0.5))
    has(output, "W_down\t48 x 80\tF16")
  end)

  it("02 looks into a kernel", function()
    local output = run "02-kernel"
    local k = m:qk(2, 0)
    has(output, "layer 2, head 0:\t" .. tostring(k))
    has(output, ("rank 8, effective rank %.2f"):format(
      effective_rank(k:svdvals())))
    has(output, ("asymmetry %.4f of 1.4142"):format(k:asymmetry()))
    has(output, "   8 directions hold 100.0 %")
    has(run("02-kernel", "1", "5"), "layer 1, head 5:\t" .. tostring(k))
  end)

  it("03 takes all spectra", function()
    local output, lines = run "03-spectra"
    assert.equal("28 spectra", lines[1])
    assert.equal(29, #lines)
    local s = core.svdvals(m:weight(3, "W_up"))
    has(output, (" 3 W_up  \t%.4g … %.4g"):format(s[1], s[48]))
  end)

  it("04 adds metrics", function()
    local output, lines = run "04-metric"
    local squares, fourths = 0, 0
    for _, s in ipairs(core.svdvals(m:weight(0, "W_O")):totable()) do
      squares, fourths = squares + s ^ 2, fourths + s ^ 4
    end
    local row = row_of(lines, "0", "W_O", "48x48")
    assert.equal(("%.6g"):format(squares ^ 2 / fourths), row[5])
    local k, trace = m:qk(0, 3), 0
    local dense = k:dense()
    for i = 1, 48 do
      trace = trace + dense[i][i]
    end
    row = row_of(lines, "0", "3", "48x48")
    support.near(math.abs(trace) / (k:svdvals()[1] * 8), tonumber(row[5]),
      1e-4)
    has(output, "3.0")
  end)

  it("05 teaches a family", function()
    local output, lines = run "05-architecture"
    has(output, "05-toy (toy, safetensors) L: 1, d: 48, d_ff: n/a, h: 6, "
      .. "GQA: 2, V: n/a, d_head: 8")
    local before = lines[2]:match "^the kernel as it was\t(.*)$"
    assert.equal("the kernel of toy\t" .. before, lines[3])
    support.near(effective_rank(m:qk(0, 0):svdvals()), tonumber(before), 1e-12)
  end)

  it("06 asks a frame", function()
    local output, lines = run "06-frame"
    assert.same({ "layer", "W_K", "W_O", "W_Q", "W_V", "W_down", "W_gate",
      "W_up" }, row_of(lines, "layer", "W_K"))
    local sum = 0
    for layer = 0, 3 do
      local rank = effective_rank(core.svdvals(m:weight(layer, "W_Q")))
      assert.equal(("%.6g"):format(rank),
        row_of(lines, tostring(layer))[4])
      sum = sum + rank
    end
    assert.equal(("%.6g"):format(sum / 4), row_of(lines, "W_Q")[2])
    assert.equal("lost (digits)", row_of(lines, "layer", "name", "shape")[4])
    has(output, "layer,name,shape,effective_rank,condition,error")
  end)

  it("07 draws a figure", function()
    has(run "07-figure", "output/07-figure.svg, and beside it .gp and .dat")
    assert.truthy(support.read(folder .. "/output/07-figure.svg")
      :find("Effective rank over depth: weft/demo", 1, true))
    for _, ending in ipairs { "gp", "dat" } do
      assert.truthy(lfs.attributes(folder .. "/output/07-figure." .. ending))
    end
  end)

  it("08 compares two layers", function()
    local _, lines = run "08-layers"
    assert.equal("layers 0 and 3 of weft/demo", lines[1])
    assert.equal("0.166667", row_of(lines, "W_Q")[4])
    assert.equal("0.1", row_of(lines, "W_down")[4])
    _, lines = run("08-layers", "2", "2")
    for _, name in ipairs { "W_Q", "W_K", "W_V", "W_O", "W_gate", "W_up",
      "W_down" } do
      local row = row_of(lines, name)
      support.near(1, tonumber(row[2]), 1e-5)
      support.near(1, tonumber(row[3]), 1e-5)
    end
  end)

  it("09 sweeps over heads", function()
    local output, lines = run "09-heads"
    local least, id = math.huge, nil
    for _, part in ipairs(m:heads {}) do
      local rank = effective_rank(part.kernel:svdvals())
      if rank < least then
        least, id = rank, ("%d.%d"):format(part.layer, part.head)
      end
    end
    assert.equal(("%.6g"):format(least), row_of(lines, id)[2])
    has(output, "output/09-heads.svg")
    assert.truthy(support.read(folder .. "/output/09-heads.svg")
      :find("<svg", 1, true))
  end)
end)
