-- A simulated schedule: jobs largest first on whichever worker is free, and so
-- that none idles at the end a few matrices' Gram matrices in tiles.
--
-- A job is {cost, split}: seconds, and the share of them that can be cut into
-- tiles. Those that are cut come first: all workers share their tiles, and
-- what is left of them (the reduction) is a smaller job among the others. How
-- many are cut is found by trying, as the scheduler that knows all costs can.
local schedule <const> = {}

local TILES <const> = 64 -- of a Gram matrix
local GOOD <const> = 1.045 -- times the lower bound: no more is tried
local ROUNDS <const> = 40
-- What counts as too late, in lower bounds, and the part of as many jobs as
-- there are workers that are cut at once where none is.
local LATE <const> = { 1.04, 1.0, 1.02, 1.08 }
local PARTS <const> = { 8, 24 }

--- The least time of any schedule that cuts no job: total / workers, or the
--- largest.
function schedule.lower_bound(jobs, workers)
  local total, largest = 0.0, 0.0
  for _, job in ipairs(jobs) do
    total = total + job.cost
    largest = math.max(largest, job.cost)
  end
  return math.max(total / workers, largest)
end

-- Workers are a heap by the time they are free, the earliest on top: moves
-- that down to its place.
local function sink(heap)
  local at, count <const> = 1, #heap
  while 2 * at <= count do
    local child = 2 * at
    if child < count and heap[child + 1] < heap[child] then
      child = child + 1
    end
    if heap[at] <= heap[child] then
      return
    end
    heap[at], heap[child] = heap[child], heap[at]
    at = child
  end
end

-- Jobs in order, each to the earliest worker, all free at `start`: when the
-- last ends, and the jobs that end after `late`.
local function run(jobs, workers, start, late)
  local heap, over, last = {}, {}, start
  for i = 1, workers do
    heap[i] = start
  end
  for _, job in ipairs(jobs) do
    local ends <const> = heap[1] + job.cost
    heap[1] = ends
    sink(heap)
    last = math.max(last, ends)
    over[#over + 1] = ends > late and job or nil
  end
  return last, over
end

local function falling(jobs)
  table.sort(jobs, function(a, b)
    return a.cost > b.cost or a.cost == b.cost and a.number < b.number
  end)
  return jobs
end

local function copy_of(jobs)
  local list <const> = {}
  for i, job in ipairs(jobs) do
    list[i] = { cost = job.cost, split = job.split or 0, number = i }
  end
  return falling(list)
end

-- Cuts up to `most` jobs of the list: the seconds that their tiles take on all
-- workers, with a tile's that may be left over; nil where none can be cut.
local function cut(list, most, workers)
  local seconds, tile, count = 0.0, 0.0, 0
  for _, job in ipairs(list) do
    if count < most and job.split > 0 then
      local part <const> = job.cost * job.split
      seconds, count = seconds + part / workers, count + 1
      tile = math.max(tile, part / TILES)
      job.cost, job.split = job.cost - part, 0
    end
  end
  return count > 0 and seconds, tile
end

-- Cuts those that come too late, else the largest, until it is good or no
-- more can be cut: the least time found.
local function try(jobs, workers, bound, late, part)
  local list <const> = copy_of(jobs)
  local best, start, tile = math.huge, 0.0, 0.0
  for _ = 1, ROUNDS do
    local last <const>, over <const> = run(list, workers, start + tile,
      bound * late)
    best = math.min(best, last)
    if #over == 0 or best <= bound * GOOD then
      return best
    end
    local more, left = cut(over, math.huge, workers)
    if not more then
      more, left = cut(list, math.max(1, workers // part), workers)
    end
    if not more then
      return best
    end
    start, tile = start + more, math.max(tile, left)
    falling(list)
  end
  return best
end

--- Seconds until the last of `workers` is done; `whole`: no job is cut.
function schedule.time(jobs, workers, whole)
  local bound <const> = schedule.lower_bound(jobs, workers)
  local best = run(copy_of(jobs), workers, 0.0, math.huge)
  for _, part in ipairs(whole and {} or PARTS) do
    for _, late in ipairs(LATE) do
      if best <= bound * GOOD then
        return best
      end
      best = math.min(best, try(jobs, workers, bound, late, part))
    end
  end
  return best
end

return schedule
