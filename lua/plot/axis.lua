-- Ranges and tics of one axis, worked out here rather than by gnuplot, whose
-- automatic ranges stop the script where nothing can be drawn.
local core = require "weft.core"
local text = require "weft.plot.text"

local m = {}

-- Beyond the one, sums and differences of a range would overflow; below the
-- other, logarithms leave the numbers of full precision.
local MOST <const>, LEAST <const> = 1e300, 1e-300

local PAD <const> = 0.05

-- Px that a tic's own label may take.
local LONGEST <const> = 160
local MANTISSAS = { 1, 2, 2.5, 5, 10 }

-- mantissa * 10^power as its literal reads: a product may be off by a bit.
local function decimal(mantissa, power)
  return tonumber(("%ge%d"):format(mantissa, power))
end

-- True for a number that can be drawn on such an axis.
function m.drawable(v, log)
  return v == v and math.abs(v) <= MOST and (not log or v >= LEAST)
end

-- Widens {lo, hi} (either may be nil) to hold every drawable number of a
-- column.
function m.extend(range, column, log)
  for _, v in ipairs(column) do
    if m.drawable(v, log) then
      range[1] = math.min(range[1] or v, v)
      range[2] = math.max(range[2] or v, v)
    end
  end
end

-- The range in as many digits as its width deserves: what a script shows can
-- be read, and does not hang on a last bit.
function m.rounded(lo, hi)
  local largest = math.max(math.abs(lo), math.abs(hi))
  local digits = math.floor(math.log(largest / (hi - lo), 10)) + 7
  local format = ("%%.%dg"):format(math.max(6, math.min(17, digits)))
  return { tonumber(format:format(lo)), tonumber(format:format(hi)) }
end

-- The range of the axis around what the data covers: a margin on both sides,
-- and some width where all values are one.
function m.padded(range, log)
  local lo, hi = range[1], range[2]
  if log then
    lo, hi = math.log(lo, 10), math.log(hi, 10)
    local pad = hi - lo > 1e-3 and PAD * (hi - lo) or 0.5
    lo, hi = ("%.6g"):format(10 ^ (lo - pad)), ("%.6g"):format(10 ^ (hi + pad))
    return { tonumber(lo), tonumber(hi) }
  end
  local least = 1e-9 * math.max(math.abs(lo), math.abs(hi))
  local pad = PAD * (hi - lo)
  if hi - lo <= least then
    pad = lo == 0 and hi == 0 and 0.5 or PAD * math.abs(hi)
  end
  return m.rounded(lo - pad, hi + pad)
end

-- The smallest round step that cuts the range into at most `count` pieces.
local function round_step(span, count, whole)
  local raw = span / count
  local power = math.floor(math.log(raw, 10))
  for _, mantissa in ipairs(MANTISSAS) do
    local step = decimal(mantissa, power)
    if step >= raw * (1 - 1e-9) and (not whole or step % 1 == 0) then
      return step
    end
  end
  return whole and 1.0 or decimal(100, power)
end

-- printf's format that shows multiples of the step and no digit more.
local function format_for(range, step)
  local largest = math.max(math.abs(range[1]), math.abs(range[2]))
  local exponent = math.floor(math.log(step, 10) + 1e-9)
  local half = step / 10.0 ^ exponent
  local more = math.abs(half - 2.5) < 1e-6 and 1 or 0
  if largest >= 1e6 or exponent < -5 then
    local first = math.floor(math.log(largest, 10))
    return ("%%.%dg"):format(math.min(16, first - exponent + more + 1))
  end
  return ("%%.%df"):format(math.max(0, more - exponent))
end

-- Width in px of the longest label among the multiples of the step.
local function labels_width(range, step, format, size)
  local widest = 0
  local first = math.ceil(range[1] / step)
  for i = 0, math.floor(range[2] / step) - first do
    local label = format:format((first + i) * step)
    widest = math.max(widest, text.width(label, size))
  end
  return widest
end

-- Linear tics for an axis of `room` px: {set=, format=, width=}. A horizontal
-- axis takes fewer where its labels would touch.
function m.linear(range, room, size, opts)
  local span = range[2] - range[1]
  local count = math.max(1, math.min(8, room // (opts.across and 45 or 34)))
  local step, format, width
  repeat
    step = round_step(span, count, opts.whole)
    format = format_for(range, step)
    width = labels_width(range, step, format, size)
    count = count - 1
  until count < 1 or not opts.across
    or width + 1.5 * size <= room * step / span
  return { set = core.sys.number(step), format = format, width = width }
end

-- Numbers lo, lo + step … for the tics between two powers of ten.
local function between(lo, hi)
  local out = {}
  for power = math.floor(lo), math.floor(hi) do
    for _, mantissa in ipairs { 1, 2, 5 } do
      local v = decimal(mantissa, power)
      if v >= 10 ^ lo and v <= 10 ^ hi then out[#out + 1] = v end
    end
  end
  return out
end

-- Tics of a logarithmic axis: powers of ten, or 1 2 5 where the range holds
-- fewer than two of them, or plain steps where it is narrower still.
function m.log(range, room, size, opts)
  local lo, hi = math.log(range[1], 10), math.log(range[2], 10)
  local first, last = math.ceil(lo - 1e-9), math.floor(hi + 1e-9)
  local out, format = {}, "10^{%T}"
  local most = math.max(2, math.min(9, room // (opts.across and 60 or 30)))
  for power = first, last, math.max(1, math.ceil((last - first + 1) / most)) do
    out[#out + 1] = decimal(1, power)
  end
  if #out < 2 then
    out, format = between(lo, hi), "%g"
    if #out < 2 then return m.linear(range, room, size, opts) end
  end
  local widest = 0
  for i, v in ipairs(out) do
    local label = format == "%g" and format:format(v) or "10-99"
    widest = math.max(widest, text.width(label, size))
    out[i] = core.sys.number(v)
  end
  return {
    set = "(" .. table.concat(out, ", ") .. ")",
    format = format,
    width = widest,
    enhanced = format ~= "%g",
  }
end

-- Multiples of the step within a range, and their labels.
local function multiples(range, step)
  local out, format = {}, format_for(range, step)
  local first = math.ceil(range[1] / step - 1e-9)
  for i = first, math.floor(range[2] / step + 1e-9) do
    out[#out + 1] = { i * step, format:format(i * step) }
  end
  return out
end

local function longest(pairs_of)
  local columns = 0
  for _, pair in ipairs(pairs_of) do
    columns = math.max(columns, utf8.len(pair[2]))
  end
  return columns
end

-- {value, label} pairs for an axis of `room` characters: at most so many, and
-- across with a space between.
function m.marks(range, room, most, opts)
  range = { math.min(range[1], range[2]), math.max(range[1], range[2]) }
  local function fits(list)
    return not opts.across or #list < 2
      or (longest(list) + 2) * (#list - 1) <= room
  end
  if opts.log then
    local list = m.powers(range, most)
    while #list > 2 and not fits(list) do
      most = most - 1
      list = m.powers(range, most)
    end
    if #list > 1 then return list end
  end
  local list
  repeat
    list = multiples(range,
      round_step(range[2] - range[1], math.max(1, most), opts.whole))
    most = most - 1
  until most < 1 or fits(list)
  return list
end

-- Powers of ten within the range, at most so many, or 1 2 5 between them.
function m.powers(range, most)
  local lo, hi = math.log(range[1], 10), math.log(range[2], 10)
  local first, last = math.ceil(lo - 1e-9), math.floor(hi + 1e-9)
  local out = {}
  for power = first, last, math.max(1, math.ceil((last - first + 1) / most)) do
    out[#out + 1] = { decimal(1, power), ("1e%d"):format(power) }
  end
  if #out > 1 then return out end
  out = {}
  for i, v in ipairs(between(lo, hi)) do out[i] = { v, ("%g"):format(v) } end
  return #out <= most and out or {}
end

-- The next of 1 2 5 10 20 … that is not below k.
function m.round_stride(k)
  local power = 1
  while true do
    for _, mantissa in ipairs { 1, 2, 5 } do
      if mantissa * power >= k then return mantissa * power end
    end
    power = power * 10
  end
end

-- Tics with given labels ({value, label} pairs) on an axis of `room` px; with
-- opts.thin they are thinned out evenly where they would touch.
function m.labelled(marks, room, size, opts)
  local widest, out, bare, labels = 0, {}, {}, {}
  for i, pair in ipairs(marks) do
    labels[i] = text.fit(pair[2], size, LONGEST)
    widest = math.max(widest, text.width(labels[i], size))
  end
  local each = opts.across and widest + 0.7 * size or 1.3 * size
  local stride = 1
  if opts.thin then
    stride = m.round_stride(math.ceil(#marks * each / math.max(1, room)))
  end
  for i = 1, #marks, stride do
    local at = core.sys.number(marks[i][1])
    out[#out + 1] = text.quote_tic(labels[i]) .. " " .. at
    bare[#bare + 1] = "'' " .. at
  end
  return {
    set = "(" .. table.concat(out, ", ") .. ")",
    bare = "(" .. table.concat(bare, ", ") .. ")",
    format = "%g",
    width = widest,
  }
end

return m
