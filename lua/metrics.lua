-- What can be said of a spectrum: one row a metric.
--
-- `of` says what fn gets: "singular", an array of singular values, falling;
-- "kernel", a head's kernel. A value that is not defined is NaN.
local metrics = {}

local check <const> = require "weft.check"
local stats <const> = require "weft.stats"

local EPSILON <const> = 2.0 ^ -52
local NAN <const> = 0 / 0

local function sum_of(s, fn)
  local total = 0.0
  for i = 1, #s do
    total = total + fn(s[i])
  end
  return total
end

local function square(x)
  return x * x
end

-- Entropy of p = s / sum s with zeros dropped. A power of two keeps a sum of
-- huge values from overflowing.
local function entropy(s)
  local scale = 1.0
  local total = stats.sum(s)
  if total == math.huge then
    scale = 2.0 ^ -64
    total = sum_of(s, function(x) return x * scale end)
  end
  if total ~= total or total <= 0 or total == math.huge then
    return NAN
  end
  return -sum_of(s, function(x)
    local p <const> = x * scale / total
    return p > 0 and p * math.log(p) or 0
  end)
end

-- Squares relative to the largest value, so that huge ones do not overflow.
local function relative_energy(s)
  local largest <const> = s[1] or NAN
  return largest > 0 and sum_of(s, function(x) return square(x / largest) end)
    or NAN
end

local rows <const> = {
  { name = "effective_rank", of = "singular", unit = "",
    doc = "exp of the entropy of s / sum s",
    source = "Roy and Vetterli 2007",
    fn = function(s) return math.exp(entropy(s)) end },
  { name = "entropy", of = "singular", unit = "nat",
    doc = "-sum p ln p of p = s / sum s, zeros dropped",
    source = "Roy and Vetterli 2007", fn = entropy },
  { name = "stable_rank", of = "singular", unit = "",
    doc = "squared Frobenius norm over squared spectral norm",
    source = "Rudelson and Vershynin 2007", fn = relative_energy },
  { name = "rank", of = "singular", unit = "",
    doc = "singular values over max(shape) * 2^-52 * the largest",
    source = "numpy.linalg.matrix_rank",
    fn = function(s, part)
      local least <const> = math.max(table.unpack(part.shape)) * EPSILON
        * (s[1] or 0)
      local count = 0
      while count < #s and s[count + 1] > least do
        count = count + 1
      end
      return count
    end },
  { name = "frobenius_norm", of = "singular", unit = "",
    doc = "square root of the sum of squares", source = "definition",
    fn = function(s)
      return #s == 0 and 0.0 or s[1] == 0 and 0.0
        or s[1] * relative_energy(s) ^ 0.5
    end },
  { name = "spectral_norm", of = "singular", unit = "",
    doc = "largest singular value", source = "definition",
    fn = function(s) return s[1] or 0.0 end },
  { name = "nuclear_norm", of = "singular", unit = "",
    doc = "sum of the singular values", source = "definition",
    fn = stats.sum },
  { name = "condition", of = "singular", unit = "",
    doc = "largest over smallest singular value", source = "definition",
    fn = function(s) return #s > 0 and s[1] / s[#s] or NAN end },
  { name = "n99", of = "singular", unit = "components",
    doc = "leading components that hold 99 % of the sum of squares",
    source = "definition",
    fn = function(s)
      return #s > 0 and stats.components(stats.cumulative_energy(s), 0.99)
        or NAN
    end },
  { name = "asymmetry", of = "kernel", unit = "",
    doc = "|M - M^T| / |M| of a head's kernel; sqrt 2 without structure",
    source = "definition",
    fn = function(kernel) return kernel:asymmetry() end },
  { name = "symmetry", of = "kernel", unit = "",
    doc = "tr(M M) / |M|^2 of a head's kernel, from -1 to 1",
    source = "definition", fn = function(kernel) return kernel:symmetry() end },
}

local by_name <const> = {}
for _, row in ipairs(rows) do
  by_name[row.name] = row
end

--- All metrics in order of registration.
function metrics.list()
  return rows
end

--- The metric of that name; raises and names those there are.
function metrics.get(name)
  local row <const> = by_name[name]
  if not row then
    local names <const> = {}
    for i, known in ipairs(rows) do
      names[i] = known.name
    end
    error(("no metric '%s'; there are %s"):format(tostring(name),
      table.concat(names, ", ")), 2)
  end
  return row
end

--- weft.metric{name=, of="singular"|"kernel", unit=, doc=, source=, fn=}:
--- adds one everywhere, or replaces the one of that name. What is not given
--- is of singular values, without a unit, a doc and a source.
function metrics.add(row)
  if type(row) ~= "table" or type(row.name) ~= "string"
      or type(row.fn) ~= "function" then
    error("a metric is a table with a name and a function fn", 2)
  end
  row.of = row.of or "singular"
  for _, key in ipairs { "unit", "doc", "source" } do
    check.optional(key, row[key], "string")
    row[key] = row[key] or ""
  end
  if row.of ~= "singular" and row.of ~= "kernel" then
    error(("metric '%s' is of '%s', 'singular' or 'kernel' was expected")
      :format(row.name, tostring(row.of)), 2)
  end
  local old <const> = by_name[row.name]
  by_name[row.name] = row
  for i, known in ipairs(rows) do
    if known == old then
      rows[i] = row
      return row
    end
  end
  rows[#rows + 1] = row
  return row
end

--- weft.effective_rank(s) and so on: a metric of one spectrum.
function metrics.of_spectrum(name)
  metrics.get(name)
  return function(s)
    local values <const> = check.numbers("s", s)
    return by_name[name].fn(values, { shape = { #values, #values } })
  end
end

-- How finely the density's integrals are sampled: their error falls like the
-- inverse square, or exponentially where the matrix is not square.
local STEPS <const> = 20000

--- The effective rank of a (rows, cols) matrix of independent Gaussians, in
--- the limit of large sizes: n E[s] exp(-E[s ln s] / E[s]) over the
--- Marchenko-Pastur density of s^2, n the short side. Scale-free.
function metrics.gaussian_effective_rank(row_count, col_count)
  check.integer("rows", row_count, 1, 1 << 53)
  check.integer("cols", col_count, 1, 1 << 53)
  local n <const> = math.min(row_count, col_count)
  local ratio <const> = n / math.max(row_count, col_count)
  local low <const>, high <const> = (1 - ratio ^ 0.5) ^ 2, (1 + ratio ^ 0.5) ^ 2
  local mean, mean_log = 0.0, 0.0
  for i = 1, STEPS do
    -- x = low + (high - low) (1 - cos t) / 2 takes the edges' roots away
    local t <const> = math.pi * (i - 0.5) / STEPS
    local x <const> = low + (high - low) * (1 - math.cos(t)) / 2
    local weight <const> = ((high - low) / 2 * math.sin(t)) ^ 2
      / (2 * ratio * x * STEPS)
    local s <const> = x ^ 0.5
    mean = mean + weight * s
    mean_log = mean_log + weight * s * math.log(s)
  end
  -- the limit of large sizes falls short of 1 for a single row
  return math.max(1.0, n * mean * math.exp(-mean_log / mean))
end

return metrics
