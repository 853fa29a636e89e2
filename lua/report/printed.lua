-- The lines that the notebook prints, stage by stage, as lists of text.
local printed = {}

local markdown <const> = require "weft.markdown"
local trends <const> = require "weft.trends"

local number <const> = markdown.number

local function bar(width)
  return ("="):rep(width)
end

local function shape(list)
  return list and ("[%s]"):format(table.concat(list, ", ")) or "n/a"
end

--- Dims and the shapes of the layer's first weights.
function printed.dims(dims)
  local texts <const> = {}
  for i, key in ipairs { "L", "d", "d_ff", "h", "GQA", "V" } do
    texts[i] = ("%s: %s"):format(key, dims[key] or "n/a")
  end
  return { table.concat(texts, ", ") }
end

-- The feed-forward weight that the notebook shows: W_gate, or W_up where the
-- family has no gate.
local function first_of(parts, ...)
  for _, name in ipairs { ... } do
    for _, part in ipairs(parts) do
      if part.name == name then
        return ("%s: %s"):format(name, part.tensor and shape(part.shape)
          or "n/a")
      end
    end
  end
  return nil
end

--- Shapes of the layer's weights and of the head's slices.
function printed.shapes(parts, dims)
  local weights <const> = {}
  weights[1] = first_of(parts, "W_Q", "W_Q_b")
  weights[#weights + 1] = first_of(parts, "W_gate", "W_gate.0", "W_up",
    "W_up.0")
  local lines <const> = {}
  if #weights > 0 then
    lines[1] = table.concat(weights, ", ")
  end
  if dims.d_head and dims.d then
    local text <const> = "W_Q_h: [%d, %d], W_K_h: [%d, %d], kernel: [%d, %d]"
    lines[#lines + 1] = text:format(dims.d_head, dims.d, dims.d_head, dims.d,
      dims.d, dims.d)
  end
  return lines
end

--- The kernel of one head.
function printed.kernel(k)
  local lines <const> = { "" }
  local function add(text, ...)
    lines[#lines + 1] = text:format(...)
  end
  if k.reason then
    add("Layer %d, Head %d: n/a (%s)", k.layer, k.head, k.reason)
    return lines
  end
  local total <const> = #k.mag
  add("Layer %d, Head %d (KV head %d)", k.layer, k.head, k.kv_head)
  add("  Kernel shape: [%d, %d]", k.d, k.d)
  add("  Asymmetry: ||A - A^T|| / ||A|| = %s", number("%.4f", k.asymmetry))
  add("  Complex eigenvalues: %d/%d (%.1f%%)", k.n_complex, total,
    100 * k.n_complex / total)
  add("  Top %d eigenvalues capture %s%% of spectral energy", k.d_head,
    number("%.1f", 100 * k.top_energy))
  add("  Effective rank (eigenvalue mag): %s", number("%.1f", k.eff_rank))
  add("  Top 10 eigenvalues (real, imag, mag):")
  for i = 1, math.min(10, total) do
    add("    %d: real=%+.6f  imag=%+.6f  |λ|=%.6f", i - 1, k.re[i], k.im[i],
      k.mag[i])
  end
  return lines
end

local TAGS <const> = {
  ["LOW-RANK"] = " ← LOW-RANK (structured/relational?)",
  ["HIGH-RANK"] = " ← HIGH-RANK (soft lookup?)",
}

--- The heatmap's summary.
function printed.heatmap(map)
  if map.reason then
    return { ("Attention kernel effective rank heatmap: n/a (%s)"):format(
      map.reason) }
  end
  local g <const> = map.global
  local lines <const> = {
    ("Attention kernel effective rank heatmap: shape (%d, %d)"):format(map.L,
      map.h),
    ("  Global: min=%s, max=%s, mean=%s, std=%s"):format(
      number("%.1f", g.min), number("%.1f", g.max), number("%.1f", g.mean),
      number("%.1f", g.std)),
    "", "  Per-head mean eff rank (across layers):",
  }
  for i, head in ipairs(map.heads) do
    lines[#lines + 1] = ("    Head %2d: mean=%s, std=%s%s"):format(i - 1,
      number("%.1f", head.mean), number("%.1f", head.std),
      TAGS[head.category] or "")
  end
  return lines
end

--- Where the CSV lies, and the statistics table.
function printed.statistics(name, path, text)
  return {
    ("%s [%s] effective ranks saved to: %s"):format(name, name, path),
    "", bar(80), "EFFECTIVE RANK STATISTICS BY WEIGHT TYPE", bar(80), "", text,
    "", bar(80), "",
  }
end

local function heading(lines, text)
  table.move({ "", bar(60), "  " .. text, bar(60) }, 1, 4, #lines + 1, lines)
end

-- A phase's summary as pandas prints it: names to the left, six decimals.
local function phase_lines(lines, phase)
  local columns <const> = { "mean", "std", "min", "max", "median", "range",
    "cv" }
  local head = ("%-11s"):format("")
  for _, column in ipairs(columns) do
    head = head .. (" %11s"):format(column)
  end
  lines[#lines + 1] = head
  lines[#lines + 1] = "weight_type"
  for _, row in phase.summary:rows() do
    local text = ("%-11s"):format(row.weight_type)
    for _, column in ipairs(columns) do
      text = text .. (" %11s"):format(number("%.6f", row[column]))
    end
    lines[#lines + 1] = text
  end
end

local function phase_mean(row, j)
  return number("%.1f", row.phases[j])
end

local function trend_line(row)
  return ("  %-8s: early=%s  mid=%s  late=%s  → %s"):format(row.name,
    phase_mean(row, 1), phase_mean(row, 2), phase_mean(row, 3),
    trends.marks[row.trend])
end

local function step(what, s)
  return s and ("max %s at layer %d→%d (%+.1f)"):format(what, s.from, s.to,
    s.value) or ("max %s n/a"):format(what)
end

--- Phases, their aggregate, trends and gradients.
function printed.phases(types, phases)
  local lines <const> = {}
  for _, phase in ipairs(phases) do
    heading(lines, phase.name)
    phase_lines(lines, phase)
  end
  heading(lines, "AGGREGATE: mean eff_rank by phase")
  for _, phase in ipairs(phases) do
    lines[#lines + 1] = ("  %s: %s ± %s"):format(phase.name,
      number("%.2f", phase.mean), number("%.2f", phase.std))
  end
  heading(lines, "PER-WEIGHT PHASE MEANS (looking for U-shape: "
    .. "high→low→high)")
  for _, row in ipairs(types) do
    lines[#lines + 1] = trend_line(row)
  end
  heading(lines, "LAYER-OVER-LAYER GRADIENT (looking for sharp transitions)")
  for _, row in ipairs(types) do
    lines[#lines + 1] = ("  %-8s: %s, %s"):format(row.name,
      step("drop", row.drop), step("jump", row.jump))
  end
  return lines
end

return printed
