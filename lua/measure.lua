-- Many parts and many metrics at a time: spectra on the pool's workers, then
-- one tidy frame. A part that can't be measured costs its own row, with the
-- reason in it.
local measure = {}

local check <const> = require "weft.check"
local core <const> = require "weft.core"
local estimate <const> = require "weft.estimate"
local frame <const> = require "weft.frame"
local metrics <const> = require "weft.metrics"

local sys <const> = core.sys
local NAN <const> = 0 / 0

--- The sentence of a raised error, without the place in a script before it.
function measure.reason(message)
  return (tostring(message):gsub("^[^\n]-%.lua:%d+: ", ""))
end

-- What a part holds: a tensor, a kernel, or neither.
local function matter(part)
  return part.tensor or part.kernel or nil
end

-- What tells of each part that is done: the caller's function, and a bar
-- where one is wanted.
local function teller(options, total)
  local bar <const> = core.progress(not options.progress)
  bar:open(type(options.progress) == "string"
    and sys.escape(options.progress) or "Measuring", total)
  local done = 0
  return bar, function(i, s, reason, info)
    done = done + 1
    bar:set(done)
    if options.each then
      options.each(i, s, reason, info)
    end
  end
end

local function note_line(sentence)
  io.stderr:write("weft: ", sentence, "\n")
end

-- Spectra of the parts that have something to take one of; reasons for all
-- others.
local function spectra_of(parts, options)
  local list, places, shown = {}, {}, {}
  for i, part in ipairs(parts) do
    if matter(part) then
      list[#list + 1] = matter(part)
      places[#places + 1] = i
      shown[#places] = part.shown
    end
  end
  local spectra, reasons = {}, {}
  local _ <close>, tell <const> = teller(options, #parts)
  local function told(i, s, reason, info)
    spectra[i] = s and (options.estimate and s or s:totable())
    reasons[i] = reason or nil
    tell(i, spectra[i], reason, info)
  end
  for i, part in ipairs(parts) do
    if not matter(part) then
      told(i, false, part.reason or "there is nothing to measure")
    end
  end
  local options_of <const> = {
    threads = options.threads,
    shown = options.shown or not options.estimate and shown or nil,
    precision = options.precision, method = options.method,
    cache = options.cache, note = options.note or note_line,
    each = function(j, s, reason, info)
      told(places[j], s, reason, info)
    end }
  local take <const> = options.estimate and estimate.of or core.spectra
  local _, _, told_of <const> = take(list, options_of)
  local infos <const> = {}
  for j, info in ipairs(told_of) do
    infos[places[j]] = info
  end
  return spectra, reasons, infos
end

-- One guard turns a raise into the row's error, so that one bad part never
-- costs the others; an interrupt goes on up.
local function guarded(metric, value, part)
  local ok <const>, result <const> = pcall(metric.fn, value, part)
  if not ok and core.interrupted(result) then
    error(result, 0)
  elseif not ok then
    return NAN, measure.reason(result)
  elseif type(result) ~= "number" then
    return NAN, ("%s gave a %s, a number was expected"):format(metric.name,
      type(result))
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

-- A part's row where effective ranks are estimated.
local function estimated_row(part, result, reason)
  local shape <const> = part.shape or matter(part) and matter(part).shape or {}
  local rank <const> = result and result.effective_rank or NAN
  return { layer = part.layer, name = part.name, head = part.head,
    shape = table.concat(shape, "x"), effective_rank = rank,
    half_width = result and result.half_width or NAN,
    error = reason or rank ~= rank and "effective_rank is not defined" or "" }
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

-- Options beside those of every batch; progress is of two types.
local OPTIONS <const> = { estimate = "boolean", progress = false }

--- weft.measure(parts, {"effective_rank", …}, {threads=, precision=,
--- progress=, each=}): a frame with a row a part: layer, name or head, shape,
--- a column a metric, and error ("" where all is well). progress is true or
--- the label of a bar; each(i, s, reason) is called once for each part, as
--- results come. Its field infos has by the part's index what core.spectra says
--- of the spectrum (bound, single, …). A part with shown = true gets small
--- values that are exact too. With estimate = true effective ranks of
--- large matrices are estimates, with their relative half-widths in a column.
function measure.parts(parts, names, options)
  if type(parts) ~= "table" or parts[1] == nil and next(parts) ~= nil then
    error(("parts are a %s, a list such as m:weights{} was expected"):format(
      type(parts)), 2)
  end
  check.list("parts", parts, "table", "parts such as m:weights{} gives")
  check.optional("names", names, "table", "an array of metrics' names")
  check.batch_options(options, OPTIONS)
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
  local estimated <const> = options and options.estimate
  if estimated and (#chosen ~= 1 or chosen[1].name ~= "effective_rank") then
    error("of metrics effective_rank alone is estimated", 2)
  end
  columns[#columns + 1] = estimated and "half_width" or nil
  columns[#columns + 1] = "error"
  local spectra <const>, reasons <const>, infos <const> = spectra_of(parts,
    options or {})
  local rows <const> = {}
  for i, part in ipairs(parts) do
    rows[i] = estimated
      and estimated_row(part, spectra[i], reasons[i])
      or row_of(part, chosen, spectra[i], reasons[i])
  end
  local out <const> = frame.from_rows(columns, rows, units)
  out.infos = infos
  return out
end

return measure
