-- Statistics of plain arrays, with numpy's and pandas' conventions said by
-- name: ddof 0 is numpy's std, ddof 1 pandas'; percentiles interpolate
-- linearly. What needs values that are not there is NaN, printed n/a.
local stats = {}

local check <const> = require "weft.check"

local NAN <const> = 0 / 0

--- Sum, left to right; 0 for an empty array.
function stats.sum(x)
  x = check.numbers("x", x)
  local total = 0.0
  for i = 1, #x do
    total = total + x[i]
  end
  return total
end

function stats.mean(x)
  x = check.numbers("x", x)
  return #x > 0 and stats.sum(x) / #x or NAN
end

--- Mean squared deviation with divisor n - ddof (0 when not given).
function stats.var(x, ddof)
  x = check.numbers("x", x)
  check.optional("ddof", ddof, "number")
  local n <const> = #x - (ddof or 0)
  if #x == 0 or n <= 0 then
    return NAN
  end
  local mean <const> = stats.mean(x)
  local total = 0.0
  for i = 1, #x do
    total = total + (x[i] - mean) ^ 2
  end
  return total / n
end

function stats.std(x, ddof)
  x = check.numbers("x", x)
  check.optional("ddof", ddof, "number")
  return math.sqrt(stats.var(x, ddof))
end

-- The element that `better` prefers to all others; NaN for an empty array and
-- where one is NaN, wherever it stands.
local function extreme(x, better)
  local best = x[1] or NAN
  for i = 2, #x do
    if better(x[i], best) or x[i] ~= x[i] then
      best = x[i]
    end
  end
  return best
end

function stats.min(x)
  x = check.numbers("x", x)
  return extreme(x, function(a, b) return a < b end)
end

function stats.max(x)
  x = check.numbers("x", x)
  return extreme(x, function(a, b) return a > b end)
end

function stats.range(x)
  x = check.numbers("x", x)
  return stats.max(x) - stats.min(x)
end

-- A sorted copy; empty where a NaN, which has no place, makes all unknown.
local function sorted(x)
  local copy <const> = {}
  for i = 1, #x do
    if x[i] ~= x[i] then
      return {}
    end
    copy[i] = x[i]
  end
  table.sort(copy)
  return copy
end

-- numpy's lerp: exact at both ends, so that a percentile which falls on an
-- element is that element bit for bit.
local function lerp(a, b, t)
  if t == 0 then
    return a
  end
  return t < 0.5 and a + (b - a) * t or b - (b - a) * (1 - t)
end

local function at_percentile(ordered, q)
  local place <const> = q / 100 * (#ordered - 1)
  local low <const> = math.floor(place)
  local a <const> = ordered[low + 1]
  return lerp(a, ordered[low + 2] or a, place - low)
end

--- numpy.percentile with linear interpolation; q in [0, 100], a number or an
--- array of numbers.
function stats.percentile(x, q)
  x = check.numbers("x", x)
  local qs <const> = check.numbers("q", type(q) == "number" and { q } or q)
  local ordered <const> = sorted(x)
  local values <const> = {}
  for i, p in ipairs(qs) do
    if not (p >= 0 and p <= 100) then
      error(("percentile %s is outside [0, 100]"):format(p), 2)
    end
    values[i] = #ordered > 0 and at_percentile(ordered, p) or NAN
  end
  return type(q) == "number" and values[1] or values
end

--- The middle element, or the mean of the two, as numpy and pandas round it.
function stats.median(x)
  x = check.numbers("x", x)
  local ordered <const> = sorted(x)
  local middle <const> = #ordered // 2
  if #ordered == 0 then
    return NAN
  elseif #ordered % 2 == 1 then
    return ordered[middle + 1]
  end
  return (ordered[middle] + ordered[middle + 1]) / 2
end

--- Coefficient of variation, std / mean, with the std's ddof.
function stats.cv(x, ddof)
  x = check.numbers("x", x)
  check.optional("ddof", ddof, "number")
  return stats.std(x, ddof) / stats.mean(x)
end

function stats.count(x)
  x = check.array("x", x)
  return #x
end

function stats.first(x)
  x = check.array("x", x)
  return x[1] or NAN
end

function stats.last(x)
  x = check.array("x", x)
  return x[#x] or NAN
end

--- Running sum.
function stats.cumsum(x)
  x = check.numbers("x", x)
  local out, total = {}, 0.0
  for i = 1, #x do
    total = total + x[i]
    out[i] = total
  end
  return out
end

--- Running share of the sum of squares, as numpy.cumsum(x**2) / (x**2).sum().
function stats.cumulative_energy(x)
  x = check.numbers("x", x)
  local squares <const> = {}
  for i = 1, #x do
    squares[i] = x[i] * x[i]
  end
  local out <const> = stats.cumsum(squares)
  local total <const> = out[#out]
  for i = 1, #out do
    out[i] = out[i] / total
  end
  return out
end

--- How many leading components hold the share `level` of a running share;
--- NaN where there are none.
function stats.components(cumulative, level)
  cumulative = check.numbers("cumulative", cumulative)
  check.type("level", level, "number")
  local below = #cumulative > 0 and 0 or NAN
  for i = 1, #cumulative do
    if cumulative[i] ~= cumulative[i] then
      return NAN
    end
    below = below + (cumulative[i] < level and 1 or 0)
  end
  return below + 1
end

-- One-sided 95 % of a normal distribution.
local ONE_SIDED <const> = 1.6449

--- Share of the variance of the numbers in `groups` (a list of arrays) that
--- group means explain, SS_between / SS_total; the share that shuffled labels
--- would on average, (g - 1) / (n - 1); and the share that they exceed once in
--- 20 times, by the variance of the beta distribution that normal numbers
--- give. A group without numbers is none.
function stats.explained(groups)
  check.list("groups", groups, "table", "arrays of numbers")
  for i, group in ipairs(groups) do
    check.numbers(("groups[%d]"):format(i), group)
  end
  local all, between, g = {}, 0.0, 0
  for _, group in ipairs(groups) do
    table.move(group, 1, #group, #all + 1, all)
    g = g + (#group > 0 and 1 or 0)
  end
  local n <const>, mean <const> = #all, stats.mean(all)
  for _, group in ipairs(groups) do
    if #group > 0 then
      between = between + #group * (stats.mean(group) - mean) ^ 2
    end
  end
  local spread <const> = 2 * (g - 1) * (n - g) / ((n - 1) ^ 2 * (n + 1))
  local chance <const> = (g - 1) / (n - 1)
  return between / (stats.var(all) * n), chance,
    chance + ONE_SIDED * math.sqrt(spread)
end

return stats
