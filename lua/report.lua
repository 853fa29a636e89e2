-- The report: every number of the notebook, from a model and a few choices to
-- one table of results. What is said of them is in report/*.lua.
local report = {}

local core <const> = require "weft.core"
local frames <const> = require "weft.frame"
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

-- Singular values of a kernel, and what goes with its eigenvalues.
local function solve(kernel, options)
  local s, why, info = core.spectra({ kernel }, {
    eigen = options.dense and "dense" or true, threads = options.threads,
    cache = options.cache, note = options.note, each = options.each })
  if not s[1] then
    error(why[1], 0)
  end
  return s[1]:totable(), info[1]
end

-- Eigenvalues as three arrays of d numbers; the d - d_head zeros that the
-- factors' shape forces are added here.
local function eigenvalues(found, d)
  local re <const>, im <const> = found.re:totable(), found.im:totable()
  local mag <const> = {}
  for i = 1, d do
    re[i], im[i] = (re[i] or 0.0) + 0.0, (im[i] or 0.0) + 0.0
    mag[i] = (re[i] * re[i] + im[i] * im[i]) ^ 0.5
  end
  return re, im, mag
end

--- The kernel of one layer and head: eigenvalues by falling magnitude (options
--- {dense =}: of the dense matrix; others as core.spectra has them) and what
--- the notebook says of them; `reason` instead where it can't be had.
function report.kernel(model, layer, head, options)
  local stack <const> = model:stack_of(layer)
  local dims <const> = stack.dims
  local k <const> = { layer = layer, head = head,
    dense = options and options.dense or false,
    d = dims.d, d_head = dims.d_head, reason = stack.no_heads,
    note = model.note }
  if not k.reason and head >= dims.h then
    k.reason = ("layer %d has heads 0 to %d"):format(layer, dims.h - 1)
  end
  local part <const> = not k.reason
    and model:heads { layers = layer, heads = head }[1] or {}
  k.reason = k.reason or part.reason
  if k.reason then
    return k
  end
  local ok <const>, s <const>, found <const> = pcall(solve, part.kernel,
    options or {})
  if not ok and core.interrupted(s) then
    error(s, 0)
  elseif not ok then
    k.reason = measure.reason(s)
    return k
  end
  k.norm = found.norm
  if k.norm == 0 then
    k.reason = "all eigenvalues are zero"
    return k
  end
  k.kv_head = head // (dims.h // dims.GQA)
  k.re, k.im, k.mag = eigenvalues(found, dims.d)
  k.asymmetry, k.symmetry = found.asymmetry, found.symmetry
  -- what the heatmap shows of the same head
  k.singular_rank = metrics.get("effective_rank").fn(s)
  k.n_complex = count(k.im, function(x) return math.abs(x) > COMPLEX end)
  k.eff_rank = rank_of_magnitudes(k.mag)
  k.cumulative = stats.cumulative_energy(k.mag)
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

-- The L x h table of NaN that the heads' ranks are put into: layers of a
-- smaller tower have fewer heads.
local function empty_map(L, h)
  local ranks <const> = {}
  for layer = 1, L do
    ranks[layer] = {}
    for head = 1, h do
      ranks[layer][head] = NAN
    end
  end
  return ranks
end

--- Effective rank of the kernels of `heads` (m:heads{}): ranks[layer][head]
--- (1-based, NaN where there is none), summaries, categories, failures.
function report.heatmap(model, heads, options)
  local L <const>, h <const> = model.dims.L, model.dims.h
  local map <const> = { L = L, h = h, ranks = empty_map(L, h), heads = {},
    layers = {}, columns = {}, failures = {} }
  local frame <const> = measure.parts(heads, { "effective_rank" }, options)
  for _, row in frame:rows() do
    map.ranks[row.layer + 1][row.head + 1] = row.effective_rank
    if row.error ~= "" then
      table.insert(map.failures, { layer = row.layer, head = row.head,
        reason = row.error })
    end
  end
  map.global = summary(frame:column("effective_rank"))
  for layer = 1, L do
    map.layers[layer] = summary(map.ranks[layer])
  end
  for head = 1, h do
    local column <const> = {}
    for layer = 1, L do
      column[layer] = map.ranks[layer][head]
    end
    map.columns[head] = finite(column)
    map.heads[head] = summary(column)
  end
  categorise(map.heads)
  map.explained, map.by_chance, map.at_most = stats.explained(map.columns)
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

--- The layer's part of that type to show: the dense one, else the shared
--- expert, else the first expert.
function report.part(model, layer, name)
  local shared, first
  for _, part in ipairs(model:weights(layer)) do
    if part.name == name then
      return part
    elseif part.name == name .. ".shared" then
      shared = part
    elseif part.type == name then
      first = first or part
    end
  end
  return shared or first
end

-- The part's values, exact also where they are small: those that report.weights
-- has found of it, or computed here.
local function shown_values(part, options)
  if options.found then
    return options.found
  end
  local s
  local frame <const> = measure.parts({ part }, { "effective_rank" }, {
    shown = true, threads = options.threads, cache = options.cache,
    note = options.note,
    each = function(i, values, reason, info)
      s = values or nil
      if options.each then
        options.each(i, values, reason, info)
      end
    end })
  return s, frame:row(1).error
end

--- Singular values of one weight of a layer and how its variance is spread;
--- options as measure has them, and `found`, the values that report.weights
--- has found.
function report.variance(model, layer, name, options)
  options = options or {}
  local v <const> = { layer = layer, name = name }
  local part <const> = report.part(model, layer, name)
  if not part then
    v.absent = ("layer %d has no %s"):format(layer, name)
    return v
  end
  local why
  v.s, why = shown_values(part, options)
  v.shape, v.part = part.shape, part.name
  if not v.s or v.s[1] == 0 then
    v.reason = v.s and "all singular values are zero" or why
    v.s = nil
    return v
  end
  v.condition = metrics.get("condition").fn(v.s)
  v.cumulative = stats.cumulative_energy(v.s)
  v.variance = shares(v.s)
  v.n99 = stats.components(v.cumulative, 0.99)
  v.milestones = milestones(v.cumulative)
  return v
end

-- The types of the parts in order of appearance, each with its first shape.
local function types_of(parts)
  local types, seen = {}, {}
  for _, part in ipairs(parts) do
    if not seen[part.type] then
      seen[part.type] = true
      types[#types + 1] = { name = part.type,
        shape = table.concat(part.shape or {}, "x") }
    end
  end
  return types
end

--- Effective rank of `parts` (m:weights{}): the rows of the CSV and the parts
--- that failed, each {layer, part, reason}; the types and the dtypes there are;
--- and of a part that has shown = true its singular values, `found`.
function report.weights(parts, options)
  local found
  local each <const> = options.each
  options.each = function(i, s, reason, info)
    found = not options.estimate and parts[i].shown and s or found
    if each then
      each(i, s, reason, info)
    end
  end
  local frame <const> = measure.parts(parts, { "effective_rank" }, options)
  local rows, failures, dtypes = {}, {}, {}
  local bound, single, half_widths = 0.0, 0, {}
  for i, row in frame:rows() do
    local info <const> = frame.infos[i] or {}
    bound = math.max(bound, info.bound or 0)
    single = single + (info.single and 1 or 0)
    if row.error == "" then
      rows[#rows + 1] = { layer_idx = row.layer, weight_type = row.name,
        shape = row.shape, eff_rank = row.effective_rank }
      half_widths[#rows] = info.half_width or false
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
    dtypes = dtypes, types = types_of(parts), bound = bound, single = single,
    half_widths = half_widths, found = found }
end

--- The CSV's frame with one row a layer and type: of numbered experts the
--- mean. `experts` lists their ranks by type: z[layer][expert], 1-based.
function report.by_type(frame)
  local rows, at, experts = {}, {}, {}
  for _, row in frame:rows() do
    local name <const>, expert <const> = row.weight_type:match("^(.-)%.(%d+)$")
    local key <const> = ("%d %s"):format(row.layer_idx, name or "")
    if not name then
      rows[#rows + 1] = row
    elseif at[key] then
      table.insert(at[key].ranks, row.eff_rank)
    else
      at[key] = { layer_idx = row.layer_idx, weight_type = name,
        shape = row.shape, ranks = { row.eff_rank } }
      rows[#rows + 1] = at[key]
    end
    if name then
      experts[name] = experts[name] or {}
      local z <const> = experts[name]
      z[row.layer_idx + 1] = z[row.layer_idx + 1] or {}
      z[row.layer_idx + 1][math.tointeger(tonumber(expert)) + 1] = row.eff_rank
    end
  end
  for _, row in ipairs(rows) do
    row.eff_rank = row.eff_rank or stats.mean(row.ranks)
    row.ranks = nil
  end
  return frames.from_rows(frame.names, rows), experts
end

-- A type's effective ranks over the layers that have it.
local function statistics_of(frame, name, shape)
  local sub <const> = frame:filter { weight_type = name }:sort("layer_idx")
  local x <const> = sub:column("eff_rank")
  return {
    name = name, shape = sub.n > 0 and sub:row(1).shape or shape,
    shapes = sub:column("shape"), layers = sub:column("layer_idx"),
    ranks = x, count = #x,
    min = stats.min(x), max = stats.max(x), mean = stats.mean(x),
    median = stats.median(x), std = stats.std(x), range = stats.range(x),
    first = stats.first(x), last = stats.last(x), variance = stats.var(x),
    cv = stats.cv(x),
  }
end

-- The median size of the steps between neighbouring layers.
local function median_step(row)
  local sizes <const> = {}
  for i, step in ipairs(trends.steps(row.layers, row.ranks)) do
    sizes[i] = math.abs(step.value)
  end
  return stats.median(sizes)
end

-- What a Gaussian matrix of a shape's text would have; NaN for no shape.
local function gaussian_of(shape)
  local rows <const>, cols <const> = shape:match("^(%d+)x(%d+)$")
  return rows and metrics.gaussian_effective_rank(math.tointeger(rows),
    math.tointeger(cols)) or NAN
end

-- The share of a Gaussian's rank that a type's mean reaches; layers may
-- differ in shape, so the Gaussian's is a mean over layers too.
local function against_gaussian(row, known)
  local ranks <const> = {}
  for i, shape in ipairs(row.shapes) do
    known[shape] = known[shape] or gaussian_of(shape)
    ranks[i] = known[shape]
  end
  row.gaussian = stats.mean(ranks)
  row.share = row.mean / row.gaussian
end

--- Statistics of the types over a frame of one row a layer and type, in the
--- family's order; with each type's trend over the phases and its largest
--- steps; and the phases with their summaries.
function report.statistics(L, order, frame)
  local types, of_phase, known = {}, {}, {}
  local list <const> = phases.of(L)
  for i, phase in ipairs(list) do
    of_phase[i] = phases.rows(frame, phase)
    local x <const> = of_phase[i]:column("eff_rank")
    phase.mean, phase.std = stats.mean(x), stats.std(x, 1)
    phase.summary = phases.summary(frame, phase)
  end
  for i, description in ipairs(order) do
    local row <const> = statistics_of(frame, description.name,
      description.shape)
    row.phases = {}
    for j = 1, #list do
      local sub <const> = of_phase[j]:filter { weight_type = row.name }
      row.phases[j] = stats.mean(sub:column("eff_rank"))
    end
    row.trend = trends.classify(table.unpack(row.phases))
    row.drop, row.jump = trends.gradient(row.layers, row.ranks)
    row.median_step = median_step(row)
    against_gaussian(row, known)
    types[i] = row
  end
  return types, list
end

-- A layer stands apart where it lies further from the layers' median than
-- this many robust standard deviations (Iglewicz and Hoaglin 1993).
local APART <const> = 3.5
-- Median absolute deviation to standard deviation of a normal distribution.
local MAD_TO_STD <const> = 1.4826

--- Each layer's level: the mean over its weights of effective rank over the
--- weight's median; with the levels' median, their robust standard deviation
--- (1.4826 times the median absolute deviation), and which stand apart.
function report.levels(types)
  local of_layer, layers = {}, {}
  for _, row in ipairs(types) do
    for i, layer in ipairs(row.layers) do
      if not of_layer[layer] then
        of_layer[layer] = {}
        layers[#layers + 1] = layer
      end
      table.insert(of_layer[layer], row.ranks[i] / row.median)
    end
  end
  table.sort(layers)
  local values, distances = {}, {}
  for i, layer in ipairs(layers) do
    values[i] = stats.mean(of_layer[layer])
  end
  local median <const> = stats.median(values)
  for i, value in ipairs(values) do
    distances[i] = math.abs(value - median)
  end
  local scale <const> = MAD_TO_STD * stats.median(distances)
  local list <const> = {}
  for i, layer in ipairs(layers) do
    list[i] = { layer = layer, level = values[i],
      difference = values[i] / median - 1,
      apart = scale > 0 and distances[i] > APART * scale }
  end
  return { list = list, median = median, scale = scale / median,
    apart = APART }
end

return report
