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
    n99 = k.n99,
  }
end

local function w_down(v)
  return { layer = v.layer, name = v.name, shape = v.shape, reason = v.reason,
    singular_values = v.s, n99 = v.n99, condition = v.condition }
end

local function weights(frame)
  local list <const> = {}
  for i, row in frame:rows() do
    list[i] = { layer = row.layer_idx, type = row.weight_type,
      shape = row.shape, eff_rank = row.eff_rank }
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

--- One table for json.encode; keys as the report's readers know them.
function values.of(results)
  local trends, gradients = {}, {}
  for i, row in ipairs(results.types) do
    trends[i] = { type = row.name, trend = row.trend, means = row.phases,
      gaussian = row.gaussian }
    gradients[i] = { type = row.name, drop = step(row.drop),
      jump = step(row.jump) }
  end
  local ledger <const> = results.ledger
  return {
    version = results.version, name = results.name, arch = results.arch,
    dims = results.dims, dtype = results.dtypes, layer = results.kernel.layer,
    head = results.kernel.head, kernel = kernel(results.kernel),
    heatmap = results.heatmap and results.heatmap.ranks or {},
    w_down = w_down(results.w_down), weights = weights(results.frame),
    phases = phases(results), trends = trends, gradients = gradients,
    not_computed = {
      planned = ledger.planned, computed = ledger.computed,
      failed = ledger.failed, skipped = #ledger.skipped,
      parts = entries(ledger.skipped, entries(ledger.failures, {})),
    },
  }
end

return values
