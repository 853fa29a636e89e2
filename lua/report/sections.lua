-- The markdown report: the notebook's sections in its order, with its titles,
-- columns and decimals. Each function appends lines to a document.
local sections = {}

local markdown <const> = require "weft.markdown"

local number <const> = markdown.number

--- The headings that findings link to.
sections.titles = {
  kernel = "Attention Kernel Analysis (Layer %d, Head %d)",
  spectrum = "Eigenvalue Magnitude Spectrum",
  heatmap = "Attention Kernel Effective Rank: All Layers x All Heads",
  heads = "Per-Head Summary (mean across layers)",
  weights = "Effective Rank by Layer and Weight Type",
  per_layer = "Effective Rank Per Layer",
  trend = "Per-Weight Phase Trend",
  gradient = "Layer-over-Layer Gradient (Sharp Transitions)",
  experts = "Effective Rank by Layer and Expert",
  missing = "Not computed",
}
local titles <const> = sections.titles

-- A growing list of lines.
local Document <const> = {}
Document.__index = Document

function sections.document()
  return setmetatable({ lines = {} }, Document)
end

--- A paragraph: text by a format, then an empty line.
function Document:add(text, ...)
  local paragraph <const> = select("#", ...) > 0 and text:format(...) or text
  table.insert(self.lines, paragraph)
  table.insert(self.lines, "")
end

function Document:table(header, align, rows)
  self:add("%s", markdown.table(header, align, rows))
end

function Document:figure(name, figures)
  if figures[name] then
    self:add("![%s](%s)", figures[name].title, figures[name].path)
  end
end

function Document:text()
  return table.concat(self.lines, "\n")
end

local function decimals(format, row, keys)
  local cells <const> = {}
  for i, key in ipairs(keys) do
    cells[i] = number(format, row[key])
  end
  return table.unpack(cells)
end

function sections.configuration(doc, dims)
  local rows <const> = {}
  for i, pair in ipairs {
    { "Layers (L)", dims.L }, { "Hidden size (d)", dims.d },
    { "FFN intermediate (d_ff)", dims.d_ff },
    { "Attention heads (h)", dims.h }, { "GQA heads", dims.GQA },
    { "Vocab size (V)", dims.V }, { "Head dim (d_head)", dims.d_head },
    { "KV dim (d_kv)", dims.d_kv },
  } do
    rows[i] = { pair[1], tostring(pair[2] or "n/a") }
  end
  doc:add("## Model Configuration")
  doc:table({ "Parameter", "Value" }, { "l", "l" }, rows)
end

local function kernel_table(doc, k)
  local total <const> = k.mag and #k.mag or 0
  local function value(format, ...)
    return k.mag and format:format(...) or "n/a"
  end
  doc:table({ "Metric", "Value" }, { "l", "l" }, {
    { "Kernel shape", value("%d x %d", k.d, k.d) },
    { "Asymmetry ‖A - Aᵀ‖/‖A‖", number("%.4f", k.asymmetry) },
    { "Complex eigenvalues", value("%d/%d (%.1f%%)", k.n_complex, total,
      100 * (k.n_complex or 0) / total) },
    { ("Top %s eigenvalues energy"):format(k.d_head or "d_head"),
      value("%s%%", number("%.1f", 100 * (k.top_energy or 0))) },
    { "Effective rank (entropy)", number("%.1f", k.eff_rank) },
    { "99% spectral energy at", value("%s/%d components",
      number("%d", k.n99), k.d) },
  })
  if k.mag then
    doc:add("weft: a kernel without structure has asymmetry √2 = 1.4142. This "
      .. "effective rank is of eigenvalue magnitudes; the heatmap's are of "
      .. "singular values, %s for this head. Energy is |λ|².",
      number("%.1f", k.singular_rank))
  end
end

local function eigenvalue_table(doc, k)
  local rows <const> = {}
  for i = 1, math.min(20, k.mag and #k.mag or 0) do
    rows[i] = { tostring(i - 1), ("%+.6f"):format(k.re[i]),
      ("%+.6f"):format(k.im[i]), ("%.6f"):format(k.mag[i]) }
  end
  doc:add("### Top 20 Eigenvalues")
  doc:table({ "Rank", "Real", "Imaginary", "Magnitude" },
    { "l", "l", "l", "l" }, rows)
end

local function magnitude_section(doc, k)
  doc:add("### " .. titles.spectrum)
  if not k.mag then
    doc:add("n/a")
    return
  end
  local total <const> = #k.mag
  doc:add("Of %d total eigenvalues, **%d are non-zero** (%d are effectively "
    .. "zero). The kernel is highly low-rank.", total, k.non_zero,
    total - k.non_zero)
  doc:add("Distribution of the **non-zero** eigenvalue magnitudes:")
  local rows <const> = {}
  for i, p in ipairs(k.percentiles) do
    rows[i] = { ("%d%%"):format(p.percent), number("%.6f", p.value) }
  end
  doc:table({ "Percentile", "Magnitude" }, { "l", "l" }, rows)
  if not k.dense and k.d_head < k.d then
    doc:add("weft: the kernel is a product of two %d x %d factors, so %d of "
      .. "its eigenvalues are exactly zero; float32 arithmetic shows noise "
      .. "in their place.", k.d_head, k.d, k.d - k.d_head)
  end
end

local function extent(values)
  local low, high = values[1], values[1]
  for _, x in ipairs(values) do
    low, high = math.min(low, x), math.max(high, x)
  end
  return ("[%.4f, %.4f]"):format(low, high)
end

local function plane_section(doc, k)
  doc:add("### Complex Plane Distribution")
  if not k.mag then
    doc:add("n/a")
    return
  end
  doc:add("- Real part range: %s\n- Imaginary part range: %s\n"
    .. "- %d eigenvalues have non-trivial imaginary components (|imag| > "
    .. "1e-6)\n- %d eigenvalues are essentially real\n"
    .. "- %d have positive real part, %d have negative real part",
    extent(k.re), extent(k.im), k.n_complex, #k.mag - k.n_complex, k.positive,
    k.negative)
end

local function percent(level)
  return ("%.0f%%"):format(100 * level)
end

local function energy_section(doc, k)
  local d <const> = k.d
  local rows <const> = {}
  for i, m in ipairs(k.milestones or {}) do
    rows[i] = { percent(m.level), number("%d", m.components),
      number("%.1f%%", 100 * m.components / d) }
  end
  doc:add("### Cumulative Spectral Energy")
  doc:table({ "Energy threshold", "Components needed",
    ("%% of total (%s)"):format(d or "n/a") }, { "l", "l", "l" }, rows)
end

function sections.kernel(doc, k, figures)
  doc:add("## " .. titles.kernel, k.layer, k.head)
  doc:add("The attention kernel W_Q_h^T @ W_K_h maps input space (d=%s) to "
    .. "itself, revealing what directions each head attends to.",
    k.d or "n/a")
  if k.reason then
    doc:add("weft: not computed: %s", markdown.escape(k.reason))
  end
  if k.note then
    doc:add("weft: %s.", k.note)
  end
  kernel_table(doc, k)
  eigenvalue_table(doc, k)
  magnitude_section(doc, k)
  plane_section(doc, k)
  energy_section(doc, k)
  doc:figure("kernel", figures)
end

local SUMMARY <const> = { "mean", "std", "min", "max" }

local function head_rows(map)
  local rows <const> = {}
  for i, head in ipairs(map.heads) do
    local mean <const>, std <const>, min <const>, max <const> =
      decimals("%.1f", head, SUMMARY)
    rows[i] = { tostring(i - 1), mean, std, min, max, head.category }
  end
  return rows
end

local function layer_rows(map)
  local rows <const> = {}
  for i, layer in ipairs(map.layers) do
    rows[i] = { tostring(i - 1), decimals("%.1f", layer, SUMMARY) }
  end
  return rows
end

local function full_heatmap(doc, map)
  local header, align, rows = { "Layer" }, { "r" }, {}
  for head = 1, map.h do
    header[head + 1], align[head + 1] = "H" .. head - 1, "r"
  end
  for layer = 1, map.L do
    rows[layer] = { tostring(layer - 1) }
    for head = 1, map.h do
      rows[layer][head + 1] = number("%.1f", map.ranks[layer][head])
    end
  end
  doc:add("### Full Heatmap Data (Layer x Head)")
  doc:table(header, align, rows)
end

function sections.heatmap(doc, map, figures)
  doc:add("## " .. titles.heatmap)
  if map.reason then
    doc:add("weft: not computed: %s", markdown.escape(map.reason))
    return
  end
  doc:add("Heatmap of effective rank of W_Q_h^T @ W_K_h for each of %d layers "
    .. "x %d heads. Low-rank heads perform structured relational operations "
    .. "(positional, syntactic). High-rank heads perform soft lookup.", map.L,
    map.h)
  doc:figure("heatmap", figures)
  local min <const>, max <const>, mean <const>, std <const> =
    decimals("%.1f", map.global, { "min", "max", "mean", "std" })
  doc:table({ "Metric", "Value" }, { "l", "l" }, {
    { "Global min", min }, { "Global max", max }, { "Global mean", mean },
    { "Global std", std } })
  doc:add("weft: the head's index explains %.1f %% of the variance in this "
    .. "map, shuffled labels %.1f %% on average; the categories below are the "
    .. "quartiles of the heads' means, what they are said to do is the "
    .. "notebook's guess.", 100 * map.explained, 100 * map.by_chance)
  doc:add("### " .. titles.heads)
  doc:table({ "Head", "Mean", "Std", "Min", "Max", "Category" },
    { "l", "l", "l", "l", "l", "l" }, head_rows(map))
  doc:add("### Per-Layer Summary (mean across heads)")
  doc:table({ "Layer", "Mean", "Std", "Min", "Max" },
    { "l", "l", "l", "l", "l" }, layer_rows(map))
  full_heatmap(doc, map)
end

function sections.variance(doc, v, figures)
  doc:add("## %s SVD Analysis (Layer %d)", v.name, v.layer)
  if v.reason or v.absent then
    doc:add("weft: not computed: %s", markdown.escape(v.reason or v.absent))
    return
  end
  doc:add("- Shape: %d x %d\n- 99%% variance captured by %s/%d singular "
    .. "values\n- Top singular value: %.4f\n- Smallest singular value: %.6f\n"
    .. "- Condition number: %s", v.shape[1], v.shape[2], number("%d", v.n99),
    #v.s, v.s[1], v.s[#v.s], number("%.1f", v.condition))
  local rows <const> = {}
  for i, m in ipairs(v.milestones) do
    rows[i] = { percent(m.level), number("%d", m.components) }
  end
  doc:table({ "Variance threshold", "Components needed" }, { "l", "l" }, rows)
  doc:figure("w_down", figures)
  if v.part ~= v.name then
    doc:add("weft: this layer has experts; the numbers are %s's.", v.part)
  end
end

--- The statistics table, which the notebook also prints.
function sections.statistics_table(types)
  local header <const> = { "Weight Type", "Shape", "Count", "Min", "Max",
    "Mean", "Median", "Std", "Range", "First", "Last", "Variance", "CV" }
  local align <const> = { "l", "l" }
  local rows <const> = {}
  for i = 3, #header do
    align[i] = "r"
  end
  for i, t in ipairs(types) do
    rows[i] = { t.name, t.shape, tostring(t.count), decimals("%.2f", t,
      { "min", "max", "mean", "median", "std", "range", "first", "last",
        "variance" }) }
    rows[i][#header] = number("%.4f", t.cv)
  end
  return markdown.table(header, align, rows)
end

-- "W_Q 375.4 of 463.7 (81.0 %), …"
local function against_gaussian(types)
  local texts <const> = {}
  for i, t in ipairs(types) do
    texts[i] = ("%s %s of %s (%s)"):format(t.name, number("%.1f", t.mean),
      number("%.1f", t.gaussian), number("%.1f %%", 100 * t.share))
  end
  return table.concat(texts, ", ")
end

-- In which precision how many spectra were taken.
local function precision(results)
  local single <const>, all <const> = results.single, results.ledger.computed
  if single == 0 then
    return "float64"
  end
  return ("float32 (%d of %d, the others in float64)"):format(single, all)
end

-- How a layer's level is told, and every layer that stands apart by it.
local function level_line(levels)
  local texts <const> = {}
  for i, layer in ipairs(levels.list) do
    texts[i] = ("%d %s"):format(layer.layer, number("%+.1f %%",
      100 * layer.difference))
  end
  return ("weft: a layer's level is the mean over its weights of effective "
    .. "rank over the weight's median; from the levels' median (robust "
    .. "standard deviation %s) the layers differ by: %s."):format(
    number("%.1f %%", 100 * levels.scale), table.concat(texts, ", "))
end

-- How far the ranks may be off: of those that are exact the bound on rounding,
-- of the others the interval.
local function add_errors(doc, results)
  local all <const> = #results.half_widths
  local count, widest = 0, 0.0
  for _, half_width in ipairs(results.half_widths) do
    count = count + (half_width and 1 or 0)
    widest = math.max(widest, half_width or 0)
  end
  if count < all or all == 0 then
    doc:add("weft: computed in %s; the bound on %s ranks' relative errors is "
      .. "%.1e at the most.", precision(results),
      count > 0 and ("the other %d"):format(all - count) or "these",
      results.bound)
  end
  if count > 0 then
    doc:add("weft: %d of %d ranks are estimates, by stochastic Lanczos "
      .. "quadrature; the largest half-width of their 95 %% intervals is "
      .. "%.2f %%%s.", count, all, 100 * widest,
      widest > 0.02 and "; without --estimate they are exact" or "")
  end
end

function sections.weights(doc, results, figures)
  local types <const> = results.types
  doc:add("## " .. titles.weights)
  doc:add("Effective rank = exp(entropy of normalized singular values). "
    .. "Higher = more spread out spectrum, lower = more low-rank.")
  doc:add("%s", sections.statistics_table(types))
  doc:add("weft: mean effective rank against that of a Gaussian matrix of the "
    .. "same shape: %s.", against_gaussian(types))
  add_errors(doc, results)
  doc:figure("by_layer", figures)
  doc:add("### " .. titles.per_layer)
  doc:add("%s", results.by_type:pivot("layer_idx", "weight_type",
    "eff_rank"):markdown {})
  doc:add("%s", level_line(results.levels))
end

local function aggregate_rows(phases)
  local rows <const> = {}
  for i, phase in ipairs(phases) do
    rows[i] = { phase.name, decimals("%.2f", phase, { "mean", "std" }) }
  end
  return rows
end

local function trend_rows(types)
  local rows <const> = {}
  for i, t in ipairs(types) do
    rows[i] = { t.name, number("%.1f", t.phases[1]),
      number("%.1f", t.phases[2]), number("%.1f", t.phases[3]), t.trend }
  end
  return rows
end

local function gradient_rows(types)
  local function layers(step)
    return step and ("%d→%d"):format(step.from, step.to) or "n/a"
  end
  local rows <const> = {}
  for i, t in ipairs(types) do
    local drop <const>, jump <const> = t.drop or {}, t.jump or {}
    rows[i] = { t.name, layers(t.drop), number("%+.1f", drop.value),
      layers(t.jump), number("%+.1f", jump.value) }
  end
  return rows
end

function sections.phases(doc, types, phases)
  doc:add("## Phase Analysis: Encode → Compute → Decode")
  doc:add("Layers split into thirds: early (%s), middle (%s), late (%s).",
    phases[1].span, phases[2].span, phases[3].span)
  doc:add("### Aggregate Mean Effective Rank by Phase")
  doc:table({ "Phase", "Mean eff_rank", "Std" }, { "l", "l", "l" },
    aggregate_rows(phases))
  doc:add("### Per-Phase, Per-Weight Statistics")
  for _, phase in ipairs(phases) do
    doc:add("#### %s", phase.name)
    doc:add("%s", phase.summary:markdown {})
  end
  doc:add("### " .. titles.trend)
  doc:add("Looking for U-shape pattern (high → low → high) which would "
    .. "indicate middle layers are more structured/low-rank.")
  doc:table({ "Weight", "Early", "Middle", "Late", "Trend" },
    { "l", "l", "l", "l", "l" }, trend_rows(types))
  doc:add("### " .. titles.gradient)
  doc:table({ "Weight", "Max Drop (layers)", "Drop Δ", "Max Jump (layers)",
    "Jump Δ" }, { "l", "l", "l", "l", "l" }, gradient_rows(types))
end

--- The layers' experts beside one another, where there are experts.
function sections.experts(doc, experts, figures)
  if next(experts) then
    doc:add("## %s", titles.experts)
    doc:add("Effective rank of every expert's weight in every layer. The "
      .. "tables, phases and trends above take the mean over a layer's "
      .. "experts; the CSV has a row for each.")
    doc:figure("experts", figures)
  end
end

--- What was planned and is not there, by name and reason; the counts stand
--- also where nothing is missing.
function sections.missing(doc, ledger)
  doc:add("## " .. titles.missing)
  doc:add("Planned %d, computed %d, skipped %d, failed %d.", ledger.planned,
    ledger.computed, #ledger.skipped, ledger.failed)
  local rows <const> = {}
  for _, list in ipairs { ledger.failures, ledger.skipped,
    ledger.unplanned } do
    for _, entry in ipairs(list) do
      rows[#rows + 1] = { tostring(entry.layer),
        markdown.escape(entry.part), markdown.escape(entry.reason) }
    end
  end
  if #rows > 0 then
    doc:table({ "Layer", "Part", "Reason" }, { "l", "l", "l" }, rows)
  end
end

return sections
