-- Pairs of times, on this machine in one run: opening many tensors, starting,
-- and spectra against the flops' own limit. Run by `make bench`.
local core <const> = require "weft.core"
local weft <const> = require "weft"
local sys <const> = core.sys

local RUNS <const> = 5

local function median(fn)
  local times <const> = {}
  for i = 1, RUNS do
    local start <const> = sys.time()
    fn()
    times[i] = sys.time() - start
  end
  table.sort(times)
  return times[RUNS // 2 + 1], times[1], times[RUNS]
end

local function row(what, time, low, high, note)
  print(("| %s | %.4g s | %.4g to %.4g | %s |"):format(what, time, low, high,
    note or ""))
end

-- A checkpoint of n one-number tensors.
local function many(path, n)
  local entries <const> = {}
  for i = 0, n - 1 do
    entries[i + 1] = ('"model.layers.%d.w.%d":{"dtype":"F32","shape":[1],'
      .. '"data_offsets":[%d,%d]}'):format(i % 100, i, 4 * i, 4 * i + 4)
  end
  local header <const> = "{" .. table.concat(entries, ",") .. "}"
  assert(sys.write(path, string.pack("<I8", #header) .. header
    .. ("\0"):rep(4 * n)))
end

local folder <const> = assert(arg[1], "usage: bench.lua FOLDER")
assert(sys.mkdir(folder))

print("| what | median | spread | beside |\n|---|---|---|---|")
local path <const> = folder .. "/many.safetensors"
many(path, 100000)
row("open 100,000 tensors", median(function()
  weft.open(path):close()
end))

local lua, lua_low, lua_high = median(function()
  sys.run { "lua5.4", "-e", "" }
end)
row("start lua5.4", lua, lua_low, lua_high)
local start, low, high = median(function()
  sys.run { "build/weft", "-e", "" }
end)
row("start weft", start, low, high, ("%.2f of lua5.4"):format(start / lua))

-- One core's matrix product is the limit that a spectrum's flops have.
local square <const> = weft.uniform(1, 2048, 2048)
local product <const> = median(function() square:matmul(square) end)
local rate <const> = 2 * 2048 ^ 3 / product
row("matrix product, n = 2048", product, product, product,
  ("%.1f GFLOP/s"):format(rate / 1e9))
for _, n in ipairs { 1024, 2048, 4096 } do
  local a <const> = weft.uniform(2, n, n)
  local time, least, most = median(function()
    core.spectra({ a }, { threads = 1 })
  end)
  row(("spectrum, n = %d"):format(n), time, least, most,
    ("%.2f of the product's time for its flops"):format(
      time / ((n ^ 3 + 4 / 3 * n ^ 3) / rate)))
end
