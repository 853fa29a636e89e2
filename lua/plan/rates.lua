-- What this machine does in a second, measured in about five: whole jobs of
-- weft's own on all workers at once, so that what they share is in it.
local rates <const> = {}

local core <const> = require "weft.core"
local plan <const> = require "weft.plan"

local sys <const> = core.sys

-- Sides of the matrices that are tried, as far as the model needs them.
local SIDES <const> = { 128, 256, 512, 1024, 2048, 3072 }
-- From here on one try is enough, and the last side has no second shape: its
-- Gram matrix runs at the rate of the one before.
local ONCE <const>, LAST <const> = 1024, 3072
local TALL <const> = 3 -- times longer is the second shape
local TRIES <const> = 5
local PRODUCT <const> = 1024

-- The least time of some tries of all spectra of a list.
local function seconds_of(list, workers, tries)
  local least = math.huge
  for _ = 1, tries do
    local start <const> = sys.time()
    core.spectra(list, { threads = workers })
    least = math.min(least, sys.time() - start)
  end
  return least
end

local function matrix(rows, cols)
  return (core.uniform(1, rows, cols) - 0.5):to("f32")
end

-- The least time of one matrix a worker.
local function matrix_seconds(rows, cols, workers, tries)
  local list <const>, item <const> = {}, matrix(rows, cols)
  for i = 1, workers do
    list[i] = item
  end
  return seconds_of(list, workers, tries)
end

-- Between points {x, y} straight in the logarithms of both; beyond the last
-- with the slope `after`, before the first with `before`.
local function curve(points, before, after)
  return function(x)
    local i = 1
    while points[i + 1] and points[i + 1][1] < x do
      i = i + 1
    end
    local from <const>, to <const> = points[i], points[i + 1]
    local slope = after
    if x < points[1][1] then
      slope = before
    elseif to then
      slope = math.log(to[2] / from[2]) / math.log(to[1] / from[1])
    end
    return from[2] * (x / from[1]) ^ slope
  end
end

-- Flops a second of one core's products of matrices: no Gram matrix is faster.
local function product_rate()
  local a <const> = core.uniform(1, PRODUCT, PRODUCT)
  local least = math.huge
  for _ = 1, TRIES do
    local start <const> = sys.time()
    a:matmul(a):close()
    least = math.min(least, sys.time() - start)
  end
  return 2 * PRODUCT ^ 3 / least
end

--- The rate of what the tall matrix has more than the square one, from the
--- seconds of both. On a busy machine their difference may be nothing, or all:
--- no more than `most`, nor less than if the reduction, too, were as fast.
function rates.gram(n, square, tall, most)
  local flops <const>, reduced <const> = core.weight_flops(TALL * n, n)
  local more <const> = flops - core.weight_flops(n, n)
  local rate <const> = tall > square and more / (tall - square) or most
  return math.min(math.max(rate, (flops + reduced) / tall), most)
end

-- Gram rates and reduction times by the side, as far as `most`.
local function measure_sides(most, workers)
  local gram, reduction = {}, {}
  local product <const> = product_rate()
  for i, n in ipairs(SIDES) do
    if i > 1 and SIDES[i - 1] >= most then
      break
    end
    local tries <const> = n >= ONCE and (n > ONCE and 1 or 2) or TRIES
    local square <const> = matrix_seconds(n, n, workers, tries)
    local flops <const> = core.weight_flops(n, n)
    local rate <const> = n < LAST and rates.gram(n, square,
      matrix_seconds(TALL * n, n, workers, tries), product) or gram[#gram][2]
    gram[#gram + 1] = { n, rate }
    reduction[#reduction + 1] = { n,
      math.max(square - flops / rate, square / 10) }
  end
  return gram, reduction
end

-- A factor of such blocks, as core.kernel takes it. What heads multiply theirs
-- by they share: `shared` has it by its rows.
local function factor(blocks, d, shared)
  local list <const> = {}
  for i, block in ipairs(blocks) do
    local inner <const> = block.inner
    if inner then
      shared[inner] = shared[inner] or matrix(inner, d)
      list[i] = { matrix(block.rows, inner), shared[inner] }
    else
      list[i] = matrix(block.rows, d)
    end
  end
  return list
end

-- A group of kernels a worker, of a job's shape.
local function kernel_items(job, workers)
  local items <const>, shared <const> = {}, {}
  for _ = 1, workers do
    local right <const> = factor(job.right, job.m, shared)
    for _ = 1, job.heads do
      items[#items + 1] = core.kernel(factor(job.left, job.m, shared), right)
    end
  end
  return items
end

-- Flops a second of the first kernels' shape; of large groups fewer heads are
-- tried.
local function measure_kernels(list, workers)
  for _, job in ipairs(list) do
    if job.kind == "kernels" then
      local few <const> = setmetatable({ heads = math.min(job.heads, 4) },
        { __index = job })
      local _, _, flops <const> = plan.flops(few)
      return flops / seconds_of(kernel_items(few, workers), workers, 2)
    end
  end
  return math.huge
end

-- Seconds that an element of the file takes more than one in memory.
local function measure_decode(tensor)
  local rows <const> = tensor and math.min(tensor.shape[1],
    (1 << 22) // tensor.shape[2])
  if not tensor or rows < 1 then
    return 0
  end
  local function time(item)
    local least = math.huge
    for _ = 1, 3 do
      local start <const> = sys.time()
      item:to("f64"):close()
      least = math.min(least, sys.time() - start)
    end
    return least / (rows * tensor.shape[2])
  end
  local file <const> = tensor:rows(1, rows)
  local memory <const> = file:to("f32")
  return math.max(time(file) - time(memory), 0)
end

--- Rates of this machine for a list of jobs: gram(n) in flops a second,
--- reduction(n) in seconds, kernels in flops a second, decode in seconds an
--- element (of `tensor`, one of the model's, or nil), and the seconds that it
--- took. All are of one worker of `workers` at work.
function rates.measure(list, workers, tensor)
  local start <const> = sys.time()
  local totals <const> = plan.totals(list)
  local gram <const>, reduction <const> = measure_sides(
    math.max(totals.n, SIDES[2]), workers)
  local result <const> = { gram = curve(gram, 0.5, 0),
    reduction = curve(reduction, 2, 3),
    kernels = measure_kernels(list, workers),
    decode = measure_decode(tensor) }
  result.took = sys.time() - start
  result.points = { gram = gram, reduction = reduction }
  return result
end

return rates
