-- Many parts and many metrics at a time: spectra on the pool's workers, then
-- one tidy frame. A part that can't be measured costs its own row, with the
-- reason in it.
local measure = {}

local core <const> = require "weft.core"
local frame <const> = require "weft.frame"
local metrics <const> = require "weft.metrics"

local NAN <const> = 0 / 0

--- The sentence of a raised error, without the place in a script before it.
function measure.reason(message)
  return (tostring(message):gsub("^[^\n]-%.lua:%d+: ", ""))
end

-- What a part holds: a tensor, a kernel, or neither.
local function matter(part)
  return part.tensor or part.kernel or nil
end

-- Spectra of the parts that have something to take one of; reasons for all
-- others.
local function spectra_of(parts, options)
  local list, places = {}, {}
  for i, part in ipairs(parts) do
    if matter(part) then
      list[#list + 1] = matter(part)
      places[#places + 1] = i
    end
  end
  local spectra, reasons = {}, {}
  local function told(i, s, reason)
    spectra[i] = s and s:totable()
    reasons[i] = reason or nil
    if options.each then
      options.each(i, spectra[i], reason)
    end
  end
  for i, part in ipairs(parts) do
    if not matter(part) then
      told(i, false, part.reason or "there is nothing to measure")
    end
  end
  core.spectra(list, { threads = options.threads, shown = options.shown,
    precision = options.precision, method = options.method,
    each = function(j, s, reason) told(places[j], s, reason) end })
  return spectra, reasons
end

-- One guard turns a raise into the row's error, so that one bad part never
-- costs the others. (An interrupt is sticky and raises again right after.)
local function guarded(metric, value, part)
  local ok <const>, result <const> = pcall(metric.fn, value, part)
  if not ok then
    return NAN, measure.reason(result)
  end
  return result
end

-- Why a metric of a spectrum that is there is no number.
local function undefined(metric, spectrum)
  local why <const> = spectrum and (#spectrum == 0
    and ": there are no singular values" or spectrum[1] == 0
    and ": all singular values are zero") or ""
  return metric.name .. " is not defined" .. why
end

-- One metric of one part: the value, and a reason where there is none.
local function value_of(metric, part, shape, spectrum, reason)
  if metric.of == "singular" and not spectrum then
    return NAN, reason
  elseif metric.of == "kernel" and not part.kernel then
    return NAN, part.reason or metric.name .. " is of kernels alone"
  end
  local value <const>, failed <const> = guarded(metric,
    metric.of == "singular" and spectrum or part.kernel, { shape = shape })
  if value ~= value and not failed then
    return NAN, undefined(metric, spectrum)
  end
  return value, failed
end

-- One metric that can't be had costs no other: the row's error is the first.
local function row_of(part, chosen, spectrum, reason)
  local shape <const> = part.shape or matter(part) and matter(part).shape or {}
  local row <const> = { layer = part.layer, name = part.name, head = part.head,
    shape = table.concat(shape, "x") }
  for _, metric in ipairs(chosen) do
    local failed
    row[metric.name], failed = value_of(metric, part, shape, spectrum, reason)
    reason = reason or failed
  end
  row.error = reason or ""
  return row
end

--- weft.measure(parts, {"effective_rank", …}, {threads=, precision=, each=}):
--- a frame with a row a part: layer, name or head, shape, a column a metric,
--- and error ("" where all is well). options.each(i, s, reason) is called
--- once for each part, as results come.
function measure.parts(parts, names, options)
  local chosen, columns, units = {}, { "layer" }, {}
  for i, name in ipairs(names or { "effective_rank" }) do
    chosen[i] = metrics.get(name)
  end
  columns[2] = parts[1] and parts[1].head and "head" or "name"
  columns[3] = "shape"
  for _, metric in ipairs(chosen) do
    columns[#columns + 1] = metric.name
    units[metric.name] = metric.unit
  end
  columns[#columns + 1] = "error"
  local spectra <const>, reasons <const> = spectra_of(parts, options or {})
  local rows <const> = {}
  for i, part in ipairs(parts) do
    rows[i] = row_of(part, chosen, spectra[i], reasons[i])
  end
  return frame.from_rows(columns, rows, units)
end

return measure
