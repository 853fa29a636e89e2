-- The report: every number of the notebook, from a model and a few choices to
-- one table of results. What is said of them is in report/*.lua.
local report = {}

local measure <const> = require "weft.measure"
local metrics <const> = require "weft.metrics"
local phases <const> = require "weft.phases"
local stats <const> = require "weft.stats"
local trends <const> = require "weft.trends"

local NAN <const> = 0 / 0

-- The notebook's thresholds.
local NON_ZERO <const> = 1e-8
local COMPLEX <const> = 1e-6
local MILESTONES <const> = { 0.5, 0.75, 0.9, 0.95, 0.99 }
local PERCENTILES <const> = { 0, 5, 10, 25, 50, 75, 90, 95, 100 }

local function count(x, test)
  local n = 0
  for i = 1, #x do
    n = n + (test(x[i]) and 1 or 0)
  end
  return n
end

-- The notebook's effective rank of eigenvalue magnitudes: its 1e-12 stands
-- inside the logarithm.
local function rank_of_magnitudes(mag)
  local total <const> = stats.sum(mag)
  local entropy = 0.0
  for i = 1, #mag do
    local p <const> = mag[i] / total
    entropy = entropy - p * math.log(p + 1e-12)
  end
  return math.exp(entropy)
end

-- How many components each milestone's share takes.
local function milestones(cumulative)
  local list <const> = {}
  for i, level in ipairs(MILESTONES) do
    list[i] = { level = level,
      components = stats.components(cumulative, level) }
  end
  return list
end

-- Eigenvalues as three arrays of d numbers; the d - d_head zeros that the
-- factors' shape forces are added here.
local function eigenvalues(kernel, dense, d)
  local re, im
  if dense then
    re, im = kernel:dense_eigvals()
  else
    re, im = kernel:eigvals()
  end
  re, im = re:totable(), im:totable()
  local mag <const> = {}
  for i = 1, d do
    re[i], im[i] = (re[i] or 0.0) + 0.0, (im[i] or 0.0) + 0.0
    mag[i] = (re[i] * re[i] + im[i] * im[i]) ^ 0.5
  end
  return re, im, mag
end

--- The kernel of one layer and head: eigenvalues by falling magnitude and
--- what the notebook says of them; `reason` instead where it can't be had.
function report.kernel(model, layer, head, dense)
  local dims <const> = model.dims
  local k <const> = { layer = layer, head = head, dense = dense or false,
    d = dims.d, d_head = dims.d_head, reason = model.no_heads }
  local part <const> = not k.reason
    and model:heads { layers = layer, heads = head }[1] or {}
  k.reason = k.reason or part.reason
  local ok <const>, re <const>, im <const>, mag <const> = pcall(eigenvalues,
    part.kernel, dense, dims.d)
  if k.reason or not ok then
    k.reason = k.reason or measure.reason(re)
    return k
  end
  k.kv_head = head // (dims.h // dims.GQA)
  k.re, k.im, k.mag = re, im, mag
  k.asymmetry, k.symmetry = part.kernel:asymmetry(), part.kernel:symmetry()
  k.norm = part.kernel:norm()
  k.n_complex = count(im, function(x) return math.abs(x) > COMPLEX end)
  k.eff_rank = rank_of_magnitudes(mag)
  k.cumulative = stats.cumulative_energy(mag)
  k.top_energy = k.cumulative[math.min(k.d_head, k.d)]
  k.n99 = stats.components(k.cumulative, 0.99)
  k.milestones = milestones(k.cumulative)
  return report.magnitudes(k)
end

--- Adds the distribution of the magnitudes over the non-zero ones.
function report.magnitudes(k)
  local non_zero <const> = {}
  for _, x in ipairs(k.mag) do
    if x > NON_ZERO then
      non_zero[#non_zero + 1] = x
    end
  end
  k.non_zero = #non_zero
  k.percentiles = {}
  for i, value in ipairs(stats.percentile(non_zero, PERCENTILES)) do
    k.percentiles[i] = { percent = PERCENTILES[i], value = value }
  end
  k.positive = count(k.re, function(x) return x > 0 end)
  k.negative = count(k.re, function(x) return x < 0 end)
  return k
end

local function finite(values)
  local list <const> = {}
  for _, x in ipairs(values) do
    if x == x then
      list[#list + 1] = x
    end
  end
  return list
end

-- mean, std (ddof 0), min and max of what there is.
local function summary(values)
  local x <const> = finite(values)
  return { mean = stats.mean(x), std = stats.std(x), min = stats.min(x),
    max = stats.max(x) }
end

-- LOW-RANK at or below the 25th percentile of head means, HIGH-RANK at or
-- above the 75th, else MID.
local function categorise(heads)
  local means <const> = {}
  for i, head in ipairs(heads) do
    means[i] = head.mean
  end
  local low <const>, high <const> = table.unpack(
    stats.percentile(finite(means), { 25, 75 }))
  for _, head in ipairs(heads) do
    head.category = head.mean ~= head.mean and "n/a"
      or head.mean <= low and "LOW-RANK"
      or head.mean >= high and "HIGH-RANK" or "MID"
  end
end

--- Effective rank of every layer's every head's kernel: ranks[layer][head]
--- (1-based, NaN where there is none), summaries, categories, failures.
function report.heatmap(model, options)
  local L <const>, h <const> = model.dims.L, model.dims.h
  local map <const> = { L = L, h = h, ranks = {}, heads = {}, layers = {},
    failures = {}, errors = {} }
  local frame <const> = measure.parts(model:heads {}, { "effective_rank" },
    options)
  local all <const> = {}
  for i, row in frame:rows() do
    local layer <const> = row.layer + 1
    map.ranks[layer] = map.ranks[layer] or {}
    map.ranks[layer][row.head + 1] = row.effective_rank
    all[i] = row.effective_rank
    if row.error ~= "" then
      table.insert(map.failures, { layer = row.layer, head = row.head,
        reason = row.error })
    end
  end
  map.global = summary(all)
  for layer = 1, L do
    map.layers[layer] = summary(map.ranks[layer])
  end
  map.columns = {}
  for head = 1, h do
    local column <const> = {}
    for layer = 1, L do
      column[layer] = map.ranks[layer][head]
    end
    map.columns[head] = finite(column)
    map.heads[head] = summary(column)
  end
  categorise(map.heads)
  map.explained, map.by_chance = stats.explained(map.columns)
  return map
end

-- Each component's share of the sum of squares.
local function shares(s)
  local squares <const> = {}
  for i = 1, #s do
    squares[i] = s[i] * s[i]
  end
  local total <const> = stats.sum(squares)
  for i = 1, #s do
    squares[i] = squares[i] / total
  end
  return squares
end

--- Singular values of one weight of a layer and how its variance is spread.
function report.variance(model, layer, name, options)
  local v <const> = { layer = layer, name = name }
  local part <const> = model:weights { layers = layer, names = { name } }[1]
  if not part then
    v.reason = ("this family has no %s"):format(name)
    return v
  end
  local frame <const> = measure.parts({ part }, { "condition" }, {
    shown = true, threads = options.threads,
    each = function(_, s) v.s = s or nil end })
  v.shape = part.shape
  if not v.s then
    v.reason = frame:row(1).error
    return v
  end
  v.condition = frame:row(1).condition
  v.cumulative = stats.cumulative_energy(v.s)
  v.variance = shares(v.s)
  v.n99 = stats.components(v.cumulative, 0.99)
  v.milestones = milestones(v.cumulative)
  return v
end

--- Effective rank of every weight of every layer: the rows of the CSV and
--- the parts that failed, each {layer, part, reason}.
function report.weights(model, options)
  local parts <const> = model:weights {}
  local frame <const> = measure.parts(parts, { "effective_rank" }, options)
  local rows, failures, dtypes = {}, {}, {}
  for i, row in frame:rows() do
    if row.error == "" then
      rows[#rows + 1] = { layer_idx = row.layer, weight_type = row.name,
        shape = row.shape, eff_rank = row.effective_rank }
    else
      failures[#failures + 1] = { layer = row.layer, part = row.name,
        reason = row.error }
    end
    local dtype <const> = parts[i].dtype
    if dtype then
      dtypes[dtype] = (dtypes[dtype] or 0) + 1
    end
  end
  return { rows = rows, failures = failures, planned = #parts,
    dtypes = dtypes }
end

-- A type's effective ranks over the layers that have it.
local function statistics_of(frame, name, shape)
  local sub <const> = frame:filter { weight_type = name }:sort("layer_idx")
  local x <const> = sub:column("eff_rank")
  return {
    name = name, shape = sub.n > 0 and sub:row(1).shape or shape,
    layers = sub:column("layer_idx"), ranks = x, count = #x,
    min = stats.min(x), max = stats.max(x), mean = stats.mean(x),
    median = stats.median(x), std = stats.std(x), range = stats.range(x),
    first = stats.first(x), last = stats.last(x), variance = stats.var(x),
    cv = stats.cv(x),
  }
end

-- The share of the Gaussian rank of its shape that a type's mean reaches.
local function against_gaussian(row)
  local rows <const>, cols <const> = row.shape:match("^(%d+)x(%d+)$")
  if not rows or row.mean ~= row.mean then
    row.gaussian, row.share = NAN, NAN
    return
  end
  row.gaussian = metrics.gaussian_effective_rank(math.tointeger(rows),
    math.tointeger(cols))
  row.share = row.mean / row.gaussian
end

--- Statistics by weight type over the CSV's frame, in the family's order;
--- with each type's trend over the phases and its largest steps.
function report.statistics(model, frame)
  local types, of_phase = {}, {}
  local list <const> = phases.of(model.dims.L)
  for i, phase in ipairs(list) do
    of_phase[i] = phases.rows(frame, phase)
    local x <const> = of_phase[i]:column("eff_rank")
    phase.mean, phase.std = stats.mean(x), stats.std(x, 1)
    phase.summary = phases.summary(frame, phase)
  end
  for i, part in ipairs(model:weights(0)) do
    local shape <const> = table.concat(part.shape or {}, "x")
    local row <const> = statistics_of(frame, part.name, shape)
    row.phases = {}
    for j = 1, #list do
      local sub <const> = of_phase[j]:filter { weight_type = part.name }
      row.phases[j] = stats.mean(sub:column("eff_rank"))
    end
    row.trend = trends.classify(table.unpack(row.phases))
    row.drop, row.jump = trends.gradient(row.layers, row.ranks)
    against_gaussian(row)
    types[i] = row
  end
  return types, list
end

return report
