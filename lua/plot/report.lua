-- The report's figures, with the titles and labels of the notebook.
local figure = require "weft.plot.figure"

local m = {}

-- The notebook's rows of panels and its share of variance and energy.
local ACROSS <const> = 4
local SHARE <const> = 0.99

-- "1.407", or n/a where there is no such number.
local function shown(format, v)
  return v and v == v and format:format(v) or "n/a"
end

-- Marks of the 99 % and of the component that reaches it.
local function marks(n99)
  local out = {
    { y = SHARE, style = "dashed", colour = "red", label = "99%" },
  }
  if n99 and n99 == n99 then
    out[2] = { x = n99, style = "dotted", label = ("n=%d"):format(n99) }
  end
  return out
end

-- Points of the complex plane with one at the origin: hundreds of exact zeros
-- on one spot would only make the file long.
local function without_zeros(re, im)
  local x, y, seen = {}, {}, false
  for i = 1, #re do
    local zero = re[i] == 0 and im[i] == 0
    if not (zero and seen) then
      x[#x + 1], y[#y + 1] = re[i], im[i]
    end
    seen = seen or zero
  end
  return x, y
end

-- Components 1, 2, …: where a mark of n components stands.
local function components(y)
  local x = {}
  for i = 1, #y do x[i] = i end
  return x
end

-- Magnitudes above 0 over their index, and how many are left out.
local function above_zero(mag)
  local x, y = {}, {}
  for i = 1, #mag do
    if mag[i] ~= 0 then x[#x + 1], y[#y + 1] = i - 1, mag[i] end
  end
  return x, y, #mag - #x
end

local function magnitudes_panel(t)
  local x, y, zeros = above_zero(t.mag)
  return {
    title = ("Eigenvalue magnitudes (layer %d, head %d)"):format(t.layer,
      t.head),
    xlabel = "Index",
    ylabel = "|λ|",
    logy = true,
    whole = true,
    legend = zeros > 0,
    series = {
      {
        x = x,
        y = y,
        label = ("%d non-zero, %d zeros not drawn"):format(#x, zeros),
      },
    },
  }
end

local function plane_panel(t)
  local x, y = without_zeros(t.re, t.im)
  return {
    title = ("Eigenvalues in complex plane\n(%d complex, asymmetry=%s)"):format(
      t.n_complex, shown("%.3f", t.asymmetry)),
    xlabel = "Real",
    ylabel = "Imaginary",
    aspect = "equal",
    series = { { x = x, y = y, style = "points" } },
    lines = { { x = 0 }, { y = 0 } },
  }
end

-- The eigenvalues of one head's kernel: {layer=, head=, re=, im=, mag=, d=,
-- n_complex=, asymmetry=, cumulative=, n99=}, magnitudes falling.
function m.kernel(t)
  return figure.new {
    title = ("Attention kernel W_Q^T W_K — Layer %d, Head %d"):format(t.layer,
      t.head),
    size = { 1800, 520 },
    panels = {
      magnitudes_panel(t),
      plane_panel(t),
      {
        title = ("Cumulative spectral energy (99%% at %s/%d components)")
          :format(shown("%d", t.n99), t.d),
        xlabel = "Component",
        ylabel = "Share of energy",
        legend = true,
        series = { { x = components(t.cumulative), y = t.cumulative } },
        lines = marks(t.n99),
      },
    },
  }
end

-- Layers to label, as the notebook picks them.
local function layer_ticks(layers)
  local out = {}
  for i = 0, layers - 1, math.max(1, layers // 12) do out[#out + 1] = i end
  return out
end

-- All cells of a matrix in which some, or whole rows, may be missing.
local function filled(z, rows, cols)
  local out = {}
  for i = 1, rows do
    out[i] = {}
    for k = 1, cols do out[i][k] = z[i] and z[i][k] or 0 / 0 end
  end
  return out
end

-- Effective ranks of all heads' kernels: {z= L rows of h, L=, h=}; NaN or
-- nothing is a head that could not be computed.
function m.heatmap(t)
  return figure.new {
    size = { 1400, 800 },
    panels = {
      {
        title = "Attention Kernel Effective Rank (W_Q_h^T @ W_K_h)"
          .. " — All Layers × Heads",
        xlabel = "Head",
        ylabel = "Layer",
        yticks = layer_ticks(t.L),
        image = {
          z = filled(t.z, t.L, t.h),
          label = "Effective rank",
          missing = "not computed",
        },
      },
    },
  }
end

-- The variance that each singular value of one weight carries: {variance=,
-- cumulative=, n99=, count=, name=}; a name other than W_down is shown.
function m.w_down(t)
  return figure.new {
    title = t.name ~= "W_down" and t.name or nil,
    size = { 1200, 420 },
    panels = {
      {
        title = "Variance explained per component",
        xlabel = "Component",
        ylabel = "Share of variance",
        series = { { x = components(t.variance), y = t.variance } },
      },
      {
        title = ("Cumulative variance (99%% at %s/%d components)"):format(
          shown("%d", t.n99), t.count),
        xlabel = "Component",
        ylabel = "Share of variance",
        legend = true,
        series = { { x = components(t.cumulative), y = t.cumulative } },
        lines = marks(t.n99),
      },
    },
  }
end

-- A type's ranks over all layers, with a gap where one is missing.
local function all_layers(t, L)
  local x, y = {}, {}
  for i = 1, L do x[i], y[i] = i - 1, 0 / 0 end
  for i, layer in ipairs(t.layers) do y[layer + 1] = t.ranks[i] end
  return x, y
end

local function type_panel(t, L)
  local x, y = all_layers(t, L)
  return {
    title = ("%s (%s)\nμ=%s, σ=%s, range=%s"):format(t.name, t.shape,
      shown("%.1f", t.mean), shown("%.1f", t.std), shown("%.1f", t.range)),
    xlabel = "Layer",
    ylabel = "Effective rank",
    whole = true,
    xrange = { -0.5, math.max(L, 2) - 0.5 },
    series = { { x = x, y = y, style = "linespoints" } },
  }
end

-- Effective rank over the L layers, a panel a type of weight: {L=, types=
-- {{name=, shape=, layers=, ranks=, mean=, std=, range=}, …}}.
function m.by_layer(t)
  local panels = {}
  for i, of_type in ipairs(t.types) do panels[i] = type_panel(of_type, t.L) end
  if #panels == 0 then panels[1] = { xlabel = "Layer" } end
  local cols = math.min(ACROSS, #panels)
  local rows = math.ceil(#panels / cols)
  return figure.new {
    title = "Effective rank by layer (entropy-based)",
    size = { math.max(800, 500 * cols), 420 * rows },
    layout = { rows, cols },
    share_y = true,
    panels = panels,
  }
end

-- Effective rank of every expert of every layer, a panel a type: {L=, types=
-- (in order, each with a name), experts= {name = L rows of experts}}.
function m.experts(t)
  local panels = {}
  for _, of_type in ipairs(t.types) do
    local z, most = t.experts[of_type.name], 0
    for i = 1, z and t.L or 0 do
      most = math.max(most, z[i] and #z[i] or 0)
    end
    if z then
      panels[#panels + 1] = {
        title = of_type.name,
        xlabel = "Expert",
        ylabel = "Layer",
        yticks = layer_ticks(t.L),
        image = {
          z = filled(z, t.L, most),
          label = "Effective rank",
          missing = "no expert",
        },
      }
    end
  end
  return figure.new {
    title = "Effective rank by layer and expert",
    size = { math.max(900, 620 * #panels), 700 },
    layout = { 1, #panels },
    panels = panels,
  }
end

return m
