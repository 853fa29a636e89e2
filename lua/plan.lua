-- What an analysis of a model will cost, before it is run: matrices, flops,
-- bytes, memory, and the time on a machine of given rates and processors.
--
-- A job is {kind = "weight" or "kernels", name, m, n (long and short side),
-- elements, bytes (both of all that is read), count}; of kernels n is d_head, m
-- is d, and one job is a group's heads, whose factors' blocks are in left and
-- right. Its seconds come from rates (plan/rates.lua measures them).
local plan <const> = {}

local core <const> = require "weft.core"
local family <const> = require "weft.model.family"
local kernels <const> = require "weft.model.kernels"
local parts <const> = require "weft.model.parts"
local shapes <const> = require "weft.plan.shapes"

local DOUBLE <const> = 8
local BASE_BYTES <const> = 30 << 20 -- of the program and its libraries

-- Bytes an element where no file tells: of the config's torch_dtype.
local DTYPE_BYTES <const> = { float32 = 4, float64 = 8, float8_e4m3fn = 1 }

-- Flops of a factor's products.
local function product_flops(blocks, d)
  local sum = 0.0
  for _, block in ipairs(blocks) do
    sum = sum + (block.inner
      and core.product_flops(block.rows, block.inner, d) or 0)
  end
  return sum
end

--- Flops of a job, as the core counts them: of its Gram matrix, of the
--- reduction of that, and of its kernels.
function plan.flops(job)
  if job.kind == "kernels" then
    return 0.0, 0.0, core.kernel_flops(job.n, job.m, job.heads,
      product_flops(job.left, job.m), product_flops(job.right, job.m))
  end
  local gram <const>, reduction <const> = core.weight_flops(job.m, job.n)
  return gram, reduction, 0.0
end

-- ---- the work ----

-- Jobs of one shape and kind are one entry with a count.
local function collector()
  local list, by_key = {}, {}
  return list, function(job, count)
    local key <const> = table.concat({ job.kind, job.name, job.m, job.n,
      job.heads or 0, job.bytes }, " ")
    local entry = by_key[key]
    if not entry then
      entry = job
      entry.count = 0
      by_key[key], list[#list + 1] = entry, entry
    end
    entry.count = entry.count + count
  end
end

-- Elements of the matrices that a factor is made of.
local function factor_elements(blocks, d)
  local sum = 0
  for _, block in ipairs(blocks) do
    sum = sum + (block.inner and (block.rows + d) * block.inner
      or block.rows * d)
  end
  return sum
end

-- The kernels of a stack's layers: a job a group of key-value heads, each of
-- which reads all that its own factor is made of.
local function add_kernels(add, whole, stack, bytes)
  local dims <const> = stack.dims
  if stack.no_heads or not dims.d_head then
    return
  end
  local left <const>, right <const> = kernels.sizes(whole, stack, "qk")
  if not left or not right then
    return
  end
  local heads <const> = dims.h // dims.GQA
  local elements <const> = heads * factor_elements(left, dims.d)
    + factor_elements(right, dims.d)
  add({ kind = "kernels", name = "QK", m = dims.d, n = dims.d_head,
    heads = heads, left = left, right = right, elements = elements,
    bytes = elements * bytes }, stack.count * dims.GQA)
end

local function add_weight(add, name, shape, bytes, count)
  local elements <const> = shape[1] * shape[2]
  add({ kind = "weight", name = name, m = math.max(shape[1], shape[2]),
    n = math.min(shape[1], shape[2]), elements = elements,
    bytes = elements * bytes }, count)
end

-- Bytes an element of a tensor of the file.
local function bytes_of(entry)
  local elements = 1
  for _, size in ipairs(entry.shape) do
    elements = elements * size
  end
  return elements > 0 and entry.bytes / elements or 0
end

--- The work of an opened model: a list of jobs, and matrices that are missing.
function plan.of_model(m)
  local list <const>, add <const> = collector()
  local missing, sum, count = 0, 0, 0
  for _, part in ipairs(m:weights {}) do
    if part.tensor then
      local bytes <const> = bytes_of(m.checkpoint:entry(part.source))
      add_weight(add, part.type, part.tensor.shape, bytes, 1)
      sum, count = sum + bytes, count + 1
    else
      missing = missing + 1
    end
  end
  for _, stack in ipairs(m.stacks) do
    add_kernels(add, m.family, stack, count > 0 and sum / count or 2)
  end
  return list, missing
end

-- A row's sizes, where the dims tell them.
local function row_shape(dims, row)
  local shape <const> = {}
  for i, key in ipairs(row.shape or {}) do
    shape[i] = type(key) == "number" and key or dims[key]
  end
  return shape[1] and shape[2] and shape or nil
end

-- Which rows a layer of a mixture, or a dense one, has: of one name the first.
local function rows_of(stack, mixture)
  local taken, list = {}, {}
  for _, row in ipairs(stack.parts) do
    local shared <const> = row.optional and row.name:find("%.shared$")
    local expert <const> = row.per == "expert" or shared
    local is_mlp <const> = row.name:find("^W_gate") or row.name:find("^W_up")
      or row.name:find("^W_down")
    local fits <const> = not is_mlp or mixture and expert
      or not mixture and not expert
    if row.tensor and fits and not taken[row.name]
        and (shared or not row.optional)
        and parts.applies(stack.dims, row) and row_shape(stack.dims, row) then
      taken[row.name] = true
      list[#list + 1] = row
    end
  end
  return list
end

-- Layers before the first mixture.
local function dense_layers(config, stack)
  local experts <const> = stack.dims.E
  if not experts or experts == 0 then
    return stack.count
  end
  return math.min(config.first_k_dense_replace or 0, stack.count)
end

-- The weights of a stack's layers, those of mixtures or the dense ones.
local function add_layers(add, stack, layers, mixture, bytes)
  for _, row in ipairs(layers > 0 and rows_of(stack, mixture) or {}) do
    local shape <const> = row_shape(stack.dims, row)
    local experts <const> = row.per == "expert" and stack.dims.E or 1
    add_weight(add, row.name, shape, bytes, layers * experts)
  end
end

--- The work of a model of which there is a config alone (a table of
--- config.json's keys): a list of jobs and the model's sizes; nil and a
--- sentence where the config tells too little.
function plan.of_config(config)
  local m <const> = { format = "safetensors", checkpoint = {
    entry = function() return nil end, values = function() return {} end } }
  local told <const>, message <const> = family.tell(m, config)
  if not told then
    return nil, message
  elseif not m.family then
    return nil, m.told
  end
  local quantised <const> = type(config.quantization_config) == "table"
    and config.quantization_config.quant_method == "fp8"
  local bytes <const> = quantised and 1 or DTYPE_BYTES[config.torch_dtype
    or config.dtype] or 2
  local list <const>, add <const> = collector()
  for _, stack in ipairs(m.stacks) do
    local dense <const> = dense_layers(config, stack)
    add_layers(add, stack, dense, false, bytes)
    add_layers(add, stack, stack.count - dense, true, bytes)
    add_kernels(add, m.family, stack, bytes)
  end
  plan.sort(list)
  return list, m
end

--- The work of one of the known shapes, by its name.
function plan.of_shape(name)
  local config <const> = shapes[name]
  if not config then
    return nil, ("no shape '%s'; there are %s"):format(name,
      table.concat(plan.shapes(), ", "))
  end
  return plan.of_config(config)
end

--- The names of the known shapes, sorted.
function plan.shapes()
  local names <const> = {}
  for name in pairs(shapes) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

--- Sorts jobs as a table shows them: weights before kernels, the largest
--- first.
function plan.sort(list)
  table.sort(list, function(a, b)
    if a.kind ~= b.kind then
      return a.kind == "weight"
    end
    local left <const>, right <const> = a.m * a.n * a.n, b.m * b.n * b.n
    return left > right or left == right and a.name < b.name
  end)
  return list
end

-- ---- sums ----

--- What all jobs come to: matrices, kernels, flops = {gram, reduction,
--- kernels}, bytes read, and the largest short side.
function plan.totals(list)
  local sum <const> = { matrices = 0, kernels = 0, bytes = 0, n = 0, m = 0,
    flops = { gram = 0.0, reduction = 0.0, kernels = 0.0 } }
  for _, job in ipairs(list) do
    local count <const> = job.count
    local gram <const>, reduction <const>, small <const> = plan.flops(job)
    sum.bytes = sum.bytes + count * job.bytes
    sum.flops.gram = sum.flops.gram + count * gram
    sum.flops.reduction = sum.flops.reduction + count * reduction
    sum.flops.kernels = sum.flops.kernels + count * small
    if job.kind == "kernels" then
      sum.kernels = sum.kernels + count * job.heads
    else
      sum.matrices = sum.matrices + count
      if job.n > sum.n then
        sum.n, sum.m = job.n, job.m
      end
    end
  end
  return sum
end

-- Bytes that one worker holds of a job: of kernels A^T, B^T, where M is nearly
-- symmetric both again, and what is small.
local function worker_bytes(job)
  local n <const> = job.n
  if job.kind == "kernels" then
    return (4 * job.m + 8 * n) * n * DOUBLE
  end
  return (3 * n * n + core.panel(job.m, n)) * DOUBLE
end

--- Bytes that workers hold, whatever the number of layers: each 3 n^2 doubles
--- and a panel; where `splits` matrices of a short side up to `side` are taken
--- in slices, of these each worker one more sum, and each of them one.
function plan.memory(list, workers, splits, side)
  local most = 0
  for _, job in ipairs(list) do
    most = math.max(most, worker_bytes(job))
  end
  local sums <const> = splits and splits > 0 and workers + splits or 0
  return BASE_BYTES + workers * most + sums * (side or 0) ^ 2 * DOUBLE, most
end

-- ---- time ----

--- A job's seconds on one processor, those of them that slices come to, and
--- how many slices it has.
function plan.seconds(job, rates)
  local decode <const> = job.elements * rates.decode
  local gram <const>, _, small <const> = plan.flops(job)
  if job.kind == "kernels" then
    return small / rates.kernels + decode, 0.0, 1
  end
  local fluid <const> = gram / rates.gram(job.n) + decode
  return fluid + rates.reduction(job.n), fluid, core.slices(job.m, job.n)
end

--- Every single job, as core.schedule_time takes them: {costs, fluids, slices},
--- and side, the largest short side of those that can be split.
function plan.costs(list, rates)
  local work <const> = { costs = {}, fluids = {}, slices = {}, side = 0 }
  for _, job in ipairs(list) do
    local seconds <const>, fluid <const>, slices <const> =
      plan.seconds(job, rates)
    for _ = 1, job.count do
      local at <const> = #work.costs + 1
      work.costs[at], work.fluids[at], work.slices[at] = seconds, fluid, slices
    end
    work.side = slices > 1 and math.max(work.side, job.n) or work.side
  end
  return work
end

--- No schedule that splits no job takes less: total / workers, or the largest.
function plan.bound(work, workers)
  local total, largest = 0.0, 0.0
  for _, cost in ipairs(work.costs) do
    total = total + cost
    largest = math.max(largest, cost)
  end
  return math.max(total / workers, largest)
end

--- How many matrices the memory that this process may use lets `cores` workers
--- split; nil, as many as there are, of a machine that has more of them: nobody
--- knows its memory.
function plan.held(work, cores)
  return cores <= core.sys.cpus() and core.split_room(work.side, cores) or nil
end

--- Expected seconds on `cores` workers of each of `ranks` machines, of which
--- one splits at most `held` matrices (nil: any), and how many it splits.
--- Between machines no matrix is split.
function plan.time(work, cores, ranks, held)
  ranks = ranks or 1
  return core.schedule_time(work.costs, work.fluids, work.slices,
    cores * ranks, ranks > 1 and 0 or held)
end

return plan
