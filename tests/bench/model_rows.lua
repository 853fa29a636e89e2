-- Rows that are measured of any model: its report beside the peers'.
local model_rows <const> = {}

local core <const> = require "weft.core"
local plan <const> = require "weft.plan"
local rates <const> = require "weft.plan.rates"
local weft <const> = require "weft"

-- Seconds of the whole of weft's report, without figures.
local function report(place, path, ...)
  return place.weft("report", path, "--figures", "none", "--quiet", "--out",
    place.folder .. "/report", ...)
end

--- Flops of the weights' Gram matrices and their reduction.
function model_rows.flops(path)
  local m <close> = assert(weft.open(path))
  local flops <const> = plan.totals(plan.of_model(m)).flops
  return flops.gram + flops.reduction
end

--- The report on two ranks of one thread beside one rank.
function model_rows.ranks(place, path)
  local function run(count)
    return place.ranks(count, "report", path, "--figures", "none", "--quiet",
      "--out", place.folder .. "/report")
  end
  return {
    what = "report, 2 ranks", beside = "1 rank",
    weft = function() return run(2) end,
    other = function() return run(1) end,
  }
end

-- Elements of the weights, and their type as `decode` calls it.
local function elements_of(path)
  local m <close> = assert(weft.open(path))
  local sum, dtype = 0, nil
  for _, part in ipairs(m:weights {}) do
    sum = sum + part.shape[1] * part.shape[2]
    dtype = part.tensor.dtype
  end
  return sum, dtype
end

--- What a layer costs weft, and a layer costs torch or scipy: the seconds that
--- torch_spectra.py gave, of some of its parts.
function model_rows.torch(place, path, folder, layers, of)
  return {
    what = ("report, a layer%s"):format(of.note or ""),
    weft = function()
      local took <const>, why <const> = report(place, path,
        table.unpack(of.options or {}))
      return took and took / layers, why
    end,
    beside = of.beside, goal = of.goal, reason = place.no_python,
    other = function()
      local result <const>, why <const> = place.python(of.task, folder,
        "--layers", tostring(of.layers))
      return result and (result.weights + (result.kernels or 0))
        / result.layers, why
    end,
  }
end

--- The whole report, figures and all, beside the notebook as it is written.
function model_rows.notebook(place, path, folder, options)
  return {
    what = "report with its figures, whole",
    weft = function()
      return place.weft("report", path, "--figures", "png", "--quiet",
        "--layer", "0", "--out", place.folder .. "/report")
    end,
    beside = "the notebook as written", reason = place.no_notebook,
    other = function()
      return place.run_notebook(folder, "0", "0", "--exact=0",
        table.unpack(options))
    end,
  }
end

--- The report's time beside that of products with as many flops.
function model_rows.limit(place, path, goal)
  local flops <const> = model_rows.flops(path)
  return {
    what = ("report, %d cores"):format(place.cores), ratio = "of",
    weft = function() return report(place, path) end,
    beside = "dgemm, m n² + 4/3 n³ flops a weight", goal = goal,
    other = function() return place.limit(flops, place.cores) end,
  }
end

--- --precision single beside double.
function model_rows.single(place, path)
  return {
    what = "report --precision single",
    weft = function() return report(place, path, "--precision", "single") end,
    beside = "double",
    other = function() return report(place, path) end,
  }
end

--- A second run beside the first, in a new cache each time.
function model_rows.cached(place, path, goal)
  local count, first = 0, nil
  local function run(cache)
    return place.weft_cached(cache, "report", path, "--figures", "none",
      "--quiet", "--out", place.folder .. "/report")
  end
  return {
    what = "report, a second time", beside = "the first time", goal = goal,
    weft = function()
      count = count + 1
      local cache <const> = ("%s/cache-%d"):format(place.folder, count)
      place.time { "rm", "-rf", cache }
      local why
      first, why = run(cache)
      if not first then
        return nil, why
      end
      return run(cache)
    end,
    other = function() return first end,
  }
end

--- The file out of memory beside the file in it.
function model_rows.cold(place, path, file)
  return {
    what = "report, file not in memory", ratio = "of",
    weft = function()
      local done <const>, why <const> = place.time { "dd", "if=" .. file,
        "iflag=nocache", "count=0", "status=none" }
      if not done then
        return nil, why
      end
      return report(place, path)
    end,
    beside = "in memory",
    other = function() return report(place, path) end,
  }
end

--- A worker's seconds of decoding, of all workers' seconds of a report.
function model_rows.decoding(place, path, goal)
  local elements <const>, dtype <const> = elements_of(path)
  return {
    what = "decoding " .. dtype .. ", share", ratio = "of",
    weft = function()
      local rate <const>, why <const> = place.decode(dtype)
      return rate and 4e-9 * elements / rate, why
    end,
    beside = "report, seconds of all cores", goal = goal,
    other = function()
      local took <const>, why <const> = report(place, path)
      return took and took * place.cores, why
    end,
  }
end

--- What weft plan expects beside what then is measured.
function model_rows.planned(place, path, goal)
  return {
    what = "weft plan's forecast", ratio = "of",
    weft = function()
      local m <close> = assert(weft.open(path))
      local list <const> = plan.sort((plan.of_model(m)))
      local tensor <const> = m:weights({ layers = 0 })[1].tensor
      local machine <const> = rates.measure(list, place.cores, tensor)
      local work <const> = plan.costs(list, machine)
      return (plan.time(work, place.cores, 1,
        plan.held(work, place.cores)))
    end,
    beside = "report", goal = goal,
    other = function() return report(place, path) end,
  }
end

--- The peak memory of a report with two workers beside a bound in MB.
function model_rows.memory(place, path, most)
  return {
    what = "report --threads 2, peak memory", unit = "MB", ratio = "of",
    weft = function()
      return place.peak("report", path, "--figures", "none", "--quiet",
        "--threads", "2", "--out", place.folder .. "/report")
    end,
    beside = "the goal", goal = "at most 1",
    other = function() return most end,
  }
end

--- The same beside torch's.
function model_rows.torch_memory(place, path, folder, layers)
  local row <const> = model_rows.memory(place, path)
  row.beside, row.goal, row.reason = "torch", nil, place.no_python
  row.other = function()
    local result <const>, why <const> = place.python("torch", folder,
      "--layers", tostring(layers))
    return result and result.peak_mb, why
  end
  return row
end

--- Seconds a head on one core, of layer 0's heads; `eigen` with eigenvalues.
--- Beside torch, on all cores, of the first `count` heads.
function model_rows.kernels(place, path, folder, of)
  local m <const> = assert(weft.open(path))
  local kernels <const> = {}
  for i, part in ipairs(m:heads { layers = 0 }) do
    kernels[i] = part.kernel
  end
  return {
    what = "a head's kernel, one core, " .. of.note, goal = of.goal,
    weft = function()
      local start <const> = core.sys.time()
      core.spectra(kernels, { threads = 1, eigen = of.eigen })
      return (core.sys.time() - start) / #kernels
    end,
    beside = ("torch, formed d x d, %d cores"):format(place.cores),
    reason = place.no_python,
    other = function()
      local result <const>, why <const> = place.python("torch", folder,
        "--layers", "1", "--kernels-only", "--eigen", of.eigen and "2" or "0")
      return result and result.kernels / result.heads
        + (of.eigen and result.eigen / result.eigen_heads or 0), why
    end,
  }
end

return model_rows
