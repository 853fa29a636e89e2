-- Pairs of measurements, interleaved A B A B, and the table they go into: a
-- row is printed, and written where a file is asked for, as soon as it is
-- known.
local harness <const> = {}

local core <const> = require "weft.core"
local sys <const> = core.sys

local HEADER <const> = "| what | weft | spread | beside | its | spread "
  .. "| ratio | goal | runs |\n"
  .. "| :--- | ---: | :----- | :----- | --: | :----- | :---- | :--- | ---: |"

-- Units by name: the factor that suits a median, and what it then is called.
local UNITS <const> = {
  s = function(median)
    if median < 1 then
      return 1e3, "ms"
    end
    return 1, "s"
  end,
  MB = function() return 1, "MB" end,
  ["GB/s"] = function() return 1, "GB/s" end,
}

-- Three digits, and no exponent.
local function digits(x)
  return x < 100 and ("%.3g"):format(x) or ("%.0f"):format(x)
end

-- What a ratio of weft's number a to the other's b is called.
local RATIOS <const> = {
  faster = { function(a, b) return b / a end, "%s times faster" },
  rate = { function(a, b) return a / b end, "%s times as fast" },
  of = { function(a, b) return a / b end, "%s of it" },
}

-- Median, least and most.
local function spread(values)
  local sorted <const> = table.move(values, 1, #values, 1, {})
  table.sort(sorted)
  local half <const> = #sorted // 2
  local median <const> = #sorted % 2 == 1 and sorted[half + 1]
    or (sorted[half] + sorted[half + 1]) / 2
  return median, sorted[1], sorted[#sorted]
end

-- A pair, by example:
--   {what = "report", weft = fn, beside = "torch", other = fn, unit = "s",
--    ratio = "faster", goal = "at least 6", reason = nil}
-- fn returns a number; or nil and a sentence, which then is the row's, as
-- `reason` is where it is known beforehand.
local methods <const> = {}

function methods:line(text)
  print(text)
  io.stdout:flush()
  if self.file then
    assert(self.file:write(text, "\n"))
    self.file:flush()
  end
end

function methods:row(...)
  self:line("| " .. table.concat({ ... }, " | ") .. " |")
end

--- Measures one pair and prints its row.
function methods:pair(row)
  local mine, other, ratios = {}, {}, {}
  local kind <const> = RATIOS[row.ratio or "faster"]
  local runs <const> = self.runs
  local not_run = row.reason
  for i = 1, not_run and 0 or runs do
    local a <const>, a_why <const> = row.weft()
    local b, b_why
    if a then
      b, b_why = row.other()
    end
    if not b then
      not_run = a_why or b_why
      break
    end
    mine[i], other[i], ratios[i] = a, b, kind[1](a, b)
  end
  if not_run then
    self:row(row.what, "", "", row.beside, "", "", "not run: " .. not_run,
      row.goal or "", 0)
    return nil
  end
  return self:write(row, mine, other, ratios)
end

-- The row of what was measured; the two medians.
function methods:write(row, mine, other, ratios)
  local function cells(values)
    local median <const>, least <const>, most <const> = spread(values)
    local factor <const>, unit <const> = UNITS[row.unit or "s"](median)
    return digits(median * factor) .. " " .. unit,
      ("%s to %s"):format(digits(least * factor), digits(most * factor)),
      median
  end
  local a <const>, a_spread <const>, a_median <const> = cells(mine)
  local b <const>, b_spread <const>, b_median <const> = cells(other)
  local median <const>, least <const>, most <const> = spread(ratios)
  local name <const> = RATIOS[row.ratio or "faster"][2]
  self:row(row.what, a, a_spread, row.beside, b, b_spread,
    ("%s (%s to %s)"):format(name:format(digits(median)), digits(least),
      digits(most)), row.goal or "", #mine)
  return a_median, b_median
end

--- A part's heading and the head of its table.
function methods:part(title)
  self:line(("\n## %s\n\n%s"):format(title, HEADER))
end

local function first_match(path, pattern)
  local file <close> = io.open(path)
  for line in file and file:lines() or next, {} do
    local found <const> = line:match(pattern)
    if found then
      return found
    end
  end
  return "unknown"
end

--- The machine, in one line.
function harness.machine(more)
  local version <const> = core.version
  return ("%s, %d cores, %.0f GB of memory; %s%s; weft %s"):format(
    first_match("/proc/cpuinfo", "^model name%s*:%s*(.+)"), sys.cpus(),
    (tonumber(first_match("/proc/meminfo", "^MemTotal:%s*(%d+)")) or 0)
      / 1e6, version.blas, more and "; " .. more or "", version.weft)
end

--- options: runs, and out, the file that is written too, or nil.
function harness.new(options)
  local self <const> = setmetatable({ runs = options.runs },
    { __index = methods })
  if options.out then
    self.file = assert(io.open(options.out, "w"))
  end
  return self
end

return harness
