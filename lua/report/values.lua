-- The results as the plain tables of report.json.
local values = {}

-- A value that is not there is null.
local function step(s)
  return s and { from = s.from, to = s.to, value = s.value }
    or { value = 0 / 0 }
end

local function kernel(k)
  return {
    layer = k.layer, head = k.head, kv_head = k.kv_head, reason = k.reason,
    method = k.dense and "dense" or "exact", eig_real = k.re,
    eig_imag = k.im, magnitude = k.mag, asymmetry = k.asymmetry,
    symmetry = k.symmetry, frobenius = k.norm, n_complex = k.n_complex,
    n_nonzero = k.non_zero, top_energy = k.top_energy, eff_rank = k.eff_rank,
    n99 = k.n99, percentiles = k.percentiles, milestones = k.milestones,
  }
end

local function w_down(v)
  return { layer = v.layer, name = v.name, shape = v.shape,
    reason = v.reason or v.absent,
    singular_values = v.s, n99 = v.n99, condition = v.condition,
    milestones = v.milestones }
end

-- An estimate has the relative half-width of its 95 % interval with it.
local function weights(frame, half_widths)
  local list <const> = {}
  for i, row in frame:rows() do
    list[i] = { layer = row.layer_idx, type = row.weight_type,
      shape = row.shape, eff_rank = row.eff_rank,
      half_width = half_widths[i] or nil }
  end
  return list
end

local function phases(results)
  local list <const> = {}
  for i, phase in ipairs(results.phases) do
    local of_weight <const> = {}
    for j, row in phase.summary:rows() do
      of_weight[j] = row
    end
    list[i] = { name = phase.name, first = phase.first, last = phase.last,
      mean = phase.mean, std = phase.std, weights = of_weight }
  end
  return list
end

local function entries(list, out)
  for _, entry in ipairs(list) do
    out[#out + 1] = { layer = entry.layer, part = entry.part,
      reason = entry.reason }
  end
  return out
end

local STATISTICS <const> = { "name", "shape", "count", "min", "max", "mean",
  "median", "std", "range", "first", "last", "variance", "cv", "gaussian" }

local function pick(row, keys)
  local out <const> = {}
  for _, key in ipairs(keys) do
    out[key] = row[key]
  end
  return out
end

local function statistics(types)
  local list <const> = {}
  for i, row in ipairs(types) do
    list[i] = pick(row, STATISTICS)
  end
  return list
end

local function heads(map)
  return pick(map, { "global", "heads", "layers", "explained", "by_chance",
    "at_most", "reason" })
end

--- One table for json.encode; keys as the report's readers know them.
function values.of(results)
  local trends, gradients = {}, {}
  for i, row in ipairs(results.types) do
    trends[i] = { type = row.name, trend = row.trend, means = row.phases }
    gradients[i] = { type = row.name, drop = step(row.drop),
      jump = step(row.jump) }
  end
  local ledger <const> = results.ledger
  return {
    version = results.version, name = results.name, arch = results.arch,
    dims = results.dims, dtype = results.dtypes, layer = results.kernel.layer,
    head = results.kernel.head, findings = results.findings,
    kernel = kernel(results.kernel), heatmap = results.heatmap.ranks or {},
    heads = heads(results.heatmap), w_down = w_down(results.w_down),
    weights = weights(results.frame, results.half_widths),
    bound = results.bound, single = results.single,
    statistics = statistics(results.types),
    experts = results.experts, levels = results.levels,
    phases = phases(results), trends = trends, gradients = gradients,
    not_computed = {
      planned = ledger.planned, computed = ledger.computed,
      failed = ledger.failed, skipped = #ledger.skipped,
      parts = entries(ledger.skipped, entries(ledger.failures, {})),
    },
  }
end

return values
