-- weft plan MODEL: what an analysis will cost, before it is run.
local cli <const> = require "weft.cli"
local core <const> = require "weft.core"
local frame <const> = require "weft.frame"
local lfs <const> = require "weft.folders"
local model <const> = require "weft.model"
local plan <const> = require "weft.plan"
local rates <const> = require "weft.plan.rates"
local sys <const> = core.sys

-- Names of files with weights.
local WEIGHTS <const> = { "%.safetensors$", "%.gguf$", "%.bin$", "%.pt$",
  "%.np[yz]$", "%.index%.json$" }

local parser <const> = cli.parser("plan",
  "Tell what an analysis of a model costs: matrices, flops, memory, time.")
parser:argument("model", "Folder (a config.json is enough), file or hub id.")
  :args("?"):argname("MODEL")
parser:option("--shape", "Instead of MODEL: " .. table.concat(plan.shapes(),
  ", ") .. "."):argname("NAME")
parser:option("--cores", "Processors of a machine (those of this one). Where "
  .. "they are more than this one's, memory is taken to suffice.")
  :convert(cli.integer(1, 1024)):argname("N")
parser:option("--ranks", "Machines.", "1"):convert(cli.integer(1, 1024))
  :argname("R")

local options <const> = cli.run(parser, arg)

local function stop(message, status)
  io.stderr:write("weft plan: ", message, "\n")
  os.exit(status or 1, true)
end

if (options.model == nil) == (options.shape == nil) then
  parser:error("expected MODEL or --shape, one of them")
end

-- Whether the folder holds a file that may have weights. Of one that can't be
-- listed model.open says why.
local function has_weights(folder)
  local ok <const>, next_name <const>, handle <const> = pcall(lfs.dir, folder)
  for name in ok and next_name or function() return nil end, handle do
    for _, pattern in ipairs(WEIGHTS) do
      if name:find(pattern) then
        return true
      end
    end
  end
  return not ok
end

-- The config of a folder that has no weights, or nil.
local function lone_config(path)
  if lfs.attributes(path, "mode") ~= "directory" or has_weights(path) then
    return nil
  end
  local config <const>, message <const> = model.config(path)
  if config == false then
    stop(message)
  end
  return config
end

-- The jobs, the model's name and, where there are weights, one of them.
local function work()
  if options.shape then
    local list <const>, message <const> = plan.of_shape(options.shape)
    if not list then
      stop(message, 2)
    end
    return list, options.shape
  end
  local config <const> = lone_config(options.model)
  if config then
    local list <const>, message <const> = plan.of_config(config)
    if not list then
      stop(("%s: %s"):format(sys.escape(options.model), message))
    end
    return list, options.model:gsub("/+$", ""):match("[^/]+$") or "."
  end
  local m <const>, message <const> = model.open(options.model)
  if not m then
    stop(message)
  end
  local list <const>, missing <const> = plan.of_model(m)
  if missing > 0 then
    io.stderr:write(("weft plan: %d matrices are missing\n"):format(missing))
  end
  local largest
  for _, part in ipairs(m:weights {}) do
    if part.tensor and (not largest or #part.tensor > #largest) then
      largest = part.tensor
    end
  end
  return plan.sort(list), m.name, largest
end

local function giga(x)
  return ("%.3g"):format(x / 1e9)
end

-- "3.2 s", "14 min", "5.1 h", "12 d": two digits are more than is known.
local function duration(seconds)
  for _, unit in ipairs { { 86400, "d" }, { 3600, "h" }, { 60, "min" } } do
    if seconds >= 2 * unit[1] then
      return ("%.1f %s"):format(seconds / unit[1], unit[2])
    end
  end
  return ("%.2g s"):format(seconds)
end

local function size(bytes)
  if bytes >= 1e9 then
    return ("%.3g GB"):format(bytes / 1e9)
  end
  return ("%.3g MB"):format(bytes / 1e6)
end

-- A row a kind of job: how many, how large, what each costs.
local function job_table(list, machine)
  local rows <const> = {}
  for i, job in ipairs(list) do
    local gram <const>, reduction <const>, kernels <const> = plan.flops(job)
    rows[i] = { part = job.name, count = job.count,
      shape = ("%dx%d"):format(job.m, job.n), heads = job.heads or "",
      GFLOP = giga(gram + reduction + kernels),
      seconds = ("%.2g"):format(plan.seconds(job, machine)) }
  end
  return frame.from_rows({ "part", "count", "shape", "heads", "GFLOP",
    "seconds" }, rows)
end

local list <const>, name <const>, tensor <const> = work()
if #list == 0 then
  stop(sys.escape(name) .. ": there is no matrix to analyse")
end
local here <const> = sys.cpus()
local cores <const> = options.cores or here
local machine <const> = rates.measure(list, math.min(cores, here), tensor)
local costs <const> = plan.costs(list, machine)
local totals <const> = plan.totals(list)
local seconds <const>, splits <const> = plan.time(costs, cores, options.ranks,
  plan.held(costs, cores))
local memory <const>, one <const> = plan.memory(list, cores, splits,
  costs.side)
local last <const> = machine.points.gram[#machine.points.gram]
local reduced <const> =
  machine.points.reduction[#machine.points.reduction]

print(("model: %s"):format(sys.escape(name)))
print(("matrices: %d"):format(totals.matrices))
print(("kernels: %d"):format(totals.kernels))
print(("flops: %s G (Gram %s, reduction %s, kernels %s)"):format(
  giga(totals.flops.gram + totals.flops.reduction + totals.flops.kernels),
  giga(totals.flops.gram), giga(totals.flops.reduction),
  giga(totals.flops.kernels)))
print(("bytes read: %s"):format(size(totals.bytes)))
print(("memory: %s (%s a worker)"):format(size(memory), size(one)))
print(("calibration: %.1f s; a core: Gram %s GFLOP/s, reduction %.2g s "
  .. "at n = %d, kernels %s GFLOP/s"):format(machine.took, giga(last[2]),
  reduced[2], reduced[1], machine.kernels < math.huge
    and giga(machine.kernels) or "n/a"))
print(("time: %s on %d core%s%s"):format(duration(seconds), cores,
  cores == 1 and "" or "s", options.ranks > 1
    and (" of each of %d machines"):format(options.ranks) or ""))
print()
print(job_table(list, machine):markdown {})
