-- The bench's parts by name: a title, and a function that prepares what is
-- measured and gives the pairs. Goals are those that were set before.
local rows <const> = {}

local core <const> = require "weft.core"
local model_rows <const> = require "model_rows"
local weft <const> = require "weft"
local sys <const> = core.sys

-- A report of Qwen2.5-3B's shape, of a few of its layers.
local SHAPE <const> = { family = "qwen2", L = 2, d = 2048, d_ff = 11008,
  h = 16, GQA = 2, V = 512 }
local SIDES <const> = { 1024, 2048, 4096, 8192 }
-- Sides of what is reduced, and goals.
local REDUCED <const> = { { 1024, "0.06 s" }, { 2048, "0.4 s" },
  { 4096, "2.8 s" } }
local WIDE <const> = { 8192, 28672 }
local MANY <const> = 100000
local STARTS <const> = 21

rows.names = { "smollm2", "layer", "ranks", "square", "reduction", "decode",
  "open", "start", "estimate" }

rows.smollm2 = { title = "SmolLM2-135M, all of its 30 layers" }

function rows.smollm2.pairs(place)
  local took <const>, output <const> = place.time { "tests/fetch", "smollm2" }
  if not took then
    return { { what = "report", beside = "", reason = output } }
  end
  local path <const> = output:match "([^\n]+)\n*$"
  local folder <const> = place.dense_folder(path, "smollm2")
  return {
    model_rows.limit(place, path),
    model_rows.torch(place, path, folder, 30, { layers = 30, task = "torch",
      beside = "torch, float32, a layer", goal = "at least 6" }),
    model_rows.torch(place, path, folder, 30, { layers = 30, task = "scipy",
      beside = "scipy svdvals, float64, weights alone" }),
    model_rows.notebook(place, path, folder, { "--fp16=0" }),
    model_rows.single(place, path),
    model_rows.cached(place, path, "under 1 s"),
    model_rows.decoding(place, path, "at most 0.05"),
    model_rows.planned(place, path, "0.75 to 1.25"),
  }
end

rows.layer = { title = "Two layers of Qwen2.5-3B's shape, BF16" }

function rows.layer.pairs(place)
  local folder <const> = place.random_folder("layers", SHAPE)
  local function torch(of)
    of.layers, of.task = 1, of.task or "torch"
    of.beside = of.beside or "torch, float32, a layer"
    return model_rows.torch(place, folder, folder, SHAPE.L, of)
  end
  return {
    model_rows.limit(place, folder, "at most 1.3"),
    torch { goal = "at least 6" },
    torch { goal = "at least 11", note = ", --precision single",
      options = { "--precision", "single" } },
    torch { task = "scipy", beside = "scipy svdvals, float64, weights alone" },
    model_rows.notebook(place, folder, folder, {}),
    model_rows.single(place, folder),
    model_rows.kernels(place, folder, folder,
      { note = "singular values", goal = "5 ms" }),
    model_rows.kernels(place, folder, folder,
      { note = "eigenvalues too", goal = "9 ms", eigen = true }),
    model_rows.memory(place, folder, 300),
    model_rows.torch_memory(place, folder, folder, SHAPE.L),
    model_rows.cached(place, folder),
    model_rows.cold(place, folder, folder .. "/model.safetensors"),
    model_rows.decoding(place, folder, "at most 0.05"),
    model_rows.planned(place, folder, "0.75 to 1.25"),
  }
end

rows.ranks = { title = "Two layers of Qwen2.5-3B's shape, ranks of one thread" }

function rows.ranks.pairs(place)
  if place.no_ranks then
    return { { what = "report, 2 ranks", beside = "1 rank",
      reason = place.no_ranks } }
  end
  return { model_rows.ranks(place, place.random_folder("layers", SHAPE)) }
end

rows.square = { title = "Singular values of one square matrix" }

-- Seconds of an n x n matrix on some workers.
local function square_seconds(n, threads)
  local a <close> = weft.uniform(2, n, n)
  local start <const> = sys.time()
  core.spectra({ a }, { threads = threads })
  return sys.time() - start
end

-- The pairs of one side: the limit, the peers, and half the side.
local function square_pairs(place, n)
  local function pair(beside, other, ratio, threads, reason)
    return { what = ("n = %d, %s"):format(n, threads == 1 and "one core"
        or "all cores"), beside = beside, ratio = ratio,
      weft = function() return square_seconds(n, threads) end,
      other = other, reason = reason }
  end
  local function peer(task)
    return function()
      local result <const>, why <const> = place.python(task .. "-square",
        tostring(n))
      return result and result.seconds, why
    end
  end
  local list <const> = {
    pair("dgemm, 7/3 n³ flops", function()
      return place.limit(7 / 3 * n ^ 3, 1)
    end, "of", 1),
    pair("torch, float32", peer "torch", nil, nil, place.no_python),
    pair("scipy, float64", peer "scipy", nil, nil, place.no_python),
  }
  if n > SIDES[1] then
    list[4] = pair(("n = %d, where n³ says 8"):format(n // 2), function()
      return square_seconds(n // 2, 1)
    end, "of", 1)
  end
  return list
end

function rows.square.pairs(place)
  local list <const> = {}
  for _, n in ipairs(SIDES) do
    table.move(square_pairs(place, n), 1, 4, #list + 1, list)
  end
  return list
end

rows.reduction = { title = "Eigenvalues of one symmetric matrix, one core" }

function rows.reduction.pairs(place)
  local list <const> = {}
  for i, item in ipairs(REDUCED) do
    local n <const> = item[1]
    list[i] = { what = ("n = %d"):format(n), goal = item[2],
      weft = function() return place.reduce("weft", n) end,
      beside = "LAPACK's dsytrd and dsterf",
      other = function() return place.reduce("lapack", n) end }
  end
  return list
end

rows.decode = { title = "Decoding to float32, output on one core" }

function rows.decode.pairs(place)
  local list <const> = {}
  for i, dtype in ipairs(place.decoded()) do
    list[i] = { what = dtype, unit = "GB/s", ratio = "rate",
      weft = function() return place.decode(dtype) end, beside = "F32, copied",
      other = function() return place.decode "F32" end }
  end
  return list
end

rows.open = { title = ("Opening a file of %d tensors"):format(MANY) }

function rows.open.pairs(place)
  local path <const> = place.many_tensors("many.safetensors", MANY)
  return { { what = "weft.open", beside = "safetensors' safe_open and keys",
    reason = place.no_python,
    weft = function()
      local start <const> = sys.time()
      weft.open(path):close()
      return sys.time() - start
    end,
    other = function()
      local result <const>, why <const> = place.python("open", path)
      return result and result.seconds, why
    end } }
end

rows.start = { title = "Starting the shell" }

function rows.start.pairs(place)
  local function start(...)
    local argv <const> = { ... }
    return function() -- the median, since one start is short
      local times <const> = {}
      for i = 1, STARTS do
        times[i] = assert(place.time(argv))
      end
      table.sort(times)
      return times[STARTS // 2 + 1]
    end
  end
  local function pair(what, argv, beside, other)
    return { what = what, ratio = "of", beside = beside,
      weft = start("build/weft", "-e", argv), other = other }
  end
  return {
    pair("weft -e ''", "", "lua5.4 -e ''", start("lua5.4", "-e", "")),
    pair("weft, with the core loaded", "require 'weft.core'", "lua5.4 -e ''",
      start("lua5.4", "-e", "")),
  }
end

rows.estimate = { title = ("An estimate of a random %d x %d F16 matrix")
  :format(table.unpack(WIDE)) }

function rows.estimate.pairs(place)
  local path <const> = place.random_matrix("wide.safetensors",
    table.unpack(WIDE))
  local function weights(...)
    return place.weft("weights", path, ...)
  end
  return { { what = "weft weights --estimate",
    weft = function() return weights "--estimate" end,
    beside = "exact, double", goal = "at least 8",
    other = function() return weights() end } }
end

return rows
