-- README's two tables of what was not run but forecast, of this machine's
-- rates; `make plan-table` prints them. The first says what `weft plan --shape
-- NAME --cores N --ranks R` does, for each shape of one calibration; the second
-- what ranks of one core each come to.
local core <const> = require "weft.core"
local plan <const> = require "weft.plan"
local rates <const> = require "weft.plan.rates"

local SHAPES <const> = { "qwen2.5-3b", "llama-8b", "llama-70b", "llama-405b",
  "deepseek-671b" }
-- Cores of a machine, and machines.
local MACHINES <const> = { { 2, 1 }, { 16, 1 }, { 64, 1 }, { 64, 8 } }

local SIMULATED <const> = { "llama-70b", "deepseek-671b" }
local MOST_RANKS <const> = 1024

local UNITS <const> = { { 86400, "d" }, { 3600, "h" }, { 60, "min" } }

-- Two digits, of a unit that leaves more than one.
local function duration(seconds)
  for _, unit in ipairs(UNITS) do
    if seconds >= 1.95 * unit[1] then
      local count <const> = seconds / unit[1]
      return (count < 9.95 and "%.1f %s" or "%.0f %s"):format(count, unit[2])
    end
  end
  return (seconds < 9.95 and "%.1f s" or "%.0f s"):format(seconds)
end

local function print_row(cells)
  print("| " .. table.concat(cells, " | ") .. " |")
end

-- Each shape's jobs and their costs at this machine's rates.
local function costs_of(name)
  local list <const> = assert(plan.of_shape(name))
  return plan.costs(list, rates.measure(list, core.sys.cpus())), list
end

local function machine_name(machine)
  return machine[2] == 1 and ("%d cores"):format(machine[1])
    or ("%d machines of %d"):format(machine[2], machine[1])
end

local function print_machines(costs)
  local head, rule = { "shape", "matrices" }, { ":---", "---:" }
  for i, machine in ipairs(MACHINES) do
    head[i + 2], rule[i + 2] = machine_name(machine), "---:"
  end
  print_row(head)
  print_row(rule)
  for _, name in ipairs(SHAPES) do
    local totals <const> = plan.totals(costs[name].list)
    local cells <const> = { name, tostring(totals.matrices) }
    for i, machine in ipairs(MACHINES) do
      local jobs <const> = costs[name].jobs
      cells[i + 2] = duration(plan.time(jobs, machine[1], machine[2],
        plan.held(jobs, machine[1])))
    end
    print_row(cells)
  end
end

-- How many times faster than one rank, and the share of what is possible.
local function print_ranks(costs)
  local head, rule = { "ranks" }, { "---:" }
  for _, name in ipairs(SIMULATED) do
    head[#head + 1], rule[#rule + 1] = name .. ", times faster", "---:"
    head[#head + 1], rule[#rule + 1] = "of the bound", "---:"
  end
  print_row(head)
  print_row(rule)
  local ranks = 2
  while ranks <= MOST_RANKS do
    local cells <const> = { tostring(ranks) }
    for _, name in ipairs(SIMULATED) do
      local jobs <const> = costs[name].jobs
      local time <const> = plan.time(jobs, 1, ranks)
      cells[#cells + 1] = ("%.1f"):format(plan.bound(jobs, 1) / time)
      cells[#cells + 1] = ("%.1f %%"):format(100
        * plan.bound(jobs, ranks) / time)
    end
    print_row(cells)
    ranks = ranks * 2
  end
end

local costs <const> = {}
for _, name in ipairs(SHAPES) do
  local jobs <const>, list <const> = costs_of(name)
  costs[name] = { jobs = jobs, list = list }
end
print_machines(costs)
print()
print_ranks(costs)
