-- What the numbers say, in at most six sentences: each has its number, what
-- it is measured against, and a link to where it stands. What was looked for
-- and not found is a finding too.
local findings = {}

local markdown <const> = require "weft.markdown"
local sections <const> = require "weft.report.sections"
local stats <const> = require "weft.stats"

-- A layer stands apart where it lies further from the layers' median than
-- this many robust standard deviations (Iglewicz and Hoaglin 1993).
local APART <const> = 3.5
-- Median absolute deviation to standard deviation of a normal distribution.
local MAD_TO_STD <const> = 1.4826
local TRENDS <const> = { "U-SHAPE", "MONOTONE DOWN", "MONOTONE UP" }

local function link(title)
  return ("[%s](#%s)"):format(title, markdown.anchor(title))
end

local function measured(types)
  local list <const> = {}
  for _, row in ipairs(types) do
    if row.count > 0 then
      list[#list + 1] = row
    end
  end
  return list
end

-- "F16", or "Q4_1 and Q8_0" by falling number of weights.
local function dtype_text(dtypes)
  local names <const> = {}
  for name in pairs(dtypes) do
    names[#names + 1] = name
  end
  table.sort(names, function(a, b)
    if dtypes[a] ~= dtypes[b] then
      return dtypes[a] > dtypes[b]
    end
    return a < b
  end)
  return table.concat(names, " and ")
end

local function against_gaussian(results)
  local types <const> = measured(results.types)
  if #types == 0 then
    return "No weight could be measured."
  end
  local low, high = types[1], types[1]
  for _, row in ipairs(types) do
    low = row.share < low.share and row or low
    high = row.share > high.share and row or high
  end
  local text <const> = "The %s weights reach from %.1f %% (%s, mean %.1f of "
    .. "%.1f) to %.1f %% (%s, mean %.1f of %.1f) of the effective rank of a "
    .. "Gaussian matrix of the same shape, see %s."
  return text:format(dtype_text(results.dtypes), 100 * low.share, low.name,
    low.mean, low.gaussian, 100 * high.share, high.name, high.mean,
    high.gaussian, link(sections.titles.weights))
end

-- Each layer's mean over the weights of rank / the type's median.
local function layer_levels(types)
  local sums, layers = {}, {}
  for _, row in ipairs(types) do
    for i, layer in ipairs(row.layers) do
      if not sums[layer] then
        sums[layer] = {}
        layers[#layers + 1] = layer
      end
      table.insert(sums[layer], row.ranks[i] / row.median)
    end
  end
  table.sort(layers)
  local levels <const> = {}
  for i, layer in ipairs(layers) do
    levels[i] = stats.mean(sums[layer])
  end
  return layers, levels
end

local function layers_apart(results)
  local layers <const>, levels <const> = layer_levels(measured(results.types))
  if #layers < 3 then
    return ("Whether a layer stands apart can't be told from %d of them, see "
      .. "%s."):format(#layers, link(sections.titles.per_layer))
  end
  local middle <const> = stats.median(levels)
  local distances <const> = {}
  for i, level in ipairs(levels) do
    distances[i] = math.abs(level - middle)
  end
  local scale <const> = MAD_TO_STD * stats.median(distances)
  local apart, furthest = {}, 1
  for i, distance in ipairs(distances) do
    furthest = distance > distances[furthest] and i or furthest
    if distance > APART * scale and scale > 0 then
      apart[#apart + 1] = ("layer %d (%+.1f %%)"):format(layers[i],
        100 * (levels[i] / middle - 1))
    end
  end
  if #apart == 0 then
    return ("No layer stands apart: the furthest, layer %d, lies %+.1f %% "
      .. "from the layers' median level, within %.1f robust standard "
      .. "deviations of %.1f %%, see %s."):format(layers[furthest],
      100 * (levels[furthest] / middle - 1), APART, 100 * scale / middle,
      link(sections.titles.per_layer))
  end
  return ("Standing apart from the layers' median level by more than %.1f "
    .. "robust standard deviations (of %.1f %%): %s, see %s."):format(APART,
    100 * scale / middle, table.concat(apart, ", "),
    link(sections.titles.per_layer))
end

-- A weight's largest step either way.
local function largest_step(row)
  local drop <const>, jump <const> = row.drop, row.jump
  if not drop then
    return nil
  end
  return math.abs(drop.value) > math.abs(jump.value) and drop or jump
end

local function sharpest(results)
  local types <const> = measured(results.types)
  local best, best_row
  for _, row in ipairs(types) do
    local step <const> = largest_step(row)
    local size <const> = step and math.abs(step.value) / row.mean
    if size and (not best or size > math.abs(best.value) / best_row.mean) then
      best, best_row = step, row
    end
  end
  if not best then
    return ("No transition was found: there are no two neighbouring layers, "
      .. "see %s."):format(link(sections.titles.gradient))
  end
  local share = 0
  for _, row in ipairs(types) do
    local step <const> = largest_step(row)
    share = share + (step and step.from == best.from and 1 or 0)
  end
  return ("The sharpest transition is layer %d→%d, where %s changes by %+.1f "
    .. "(%.1f %% of its mean over the layers); %d of %d weights have their "
    .. "largest step there, see %s."):format(best.from, best.to,
    best_row.name, best.value, 100 * math.abs(best.value) / best_row.mean,
    share, #types, link(sections.titles.gradient))
end

local function heads(results)
  local map <const> = results.heatmap
  local where <const> = link(sections.titles.heads)
  if not map or map.explained ~= map.explained then
    return ("Whether heads differ could not be measured, see %s."):format(
      where)
  end
  local count <const> = { ["LOW-RANK"] = 0, ["HIGH-RANK"] = 0 }
  for _, head in ipairs(map.heads) do
    if count[head.category] then
      count[head.category] = count[head.category] + 1
    end
  end
  local verdict <const> = map.explained > 2 * map.by_chance
    and "heads differ from one another over all layers"
    or "no lasting difference between heads was found"
  return ("The quartiles name %d heads LOW-RANK and %d HIGH-RANK; the head's "
    .. "index explains %.1f %% of the heatmap's variance where shuffled "
    .. "labels would explain %.1f %%: %s, see %s."):format(count["LOW-RANK"],
    count["HIGH-RANK"], 100 * map.explained, 100 * map.by_chance, verdict,
    where)
end

local function kernel(results)
  local k <const> = results.kernel
  local where <const> = link(sections.titles.kernel:format(k.layer, k.head))
  if k.reason or k.asymmetry ~= k.asymmetry then
    return ("The kernel of layer %d, head %d could not be measured, see %s.")
      :format(k.layer, k.head, where)
  end
  return ("The kernel of layer %d, head %d has %d non-zero eigenvalues of %d "
    .. "(its factors allow %d) and an asymmetry of %.4f, where no structure "
    .. "gives 1.4142, see %s."):format(k.layer, k.head, k.non_zero, #k.mag,
    math.min(k.d_head, k.d), k.asymmetry, where)
end

local function trend(results)
  local names, found, missing = {}, {}, {}
  local types <const> = measured(results.types)
  for _, row in ipairs(types) do
    names[row.trend] = names[row.trend] or {}
    table.insert(names[row.trend], row.name)
  end
  for _, name in ipairs(TRENDS) do
    if names[name] then
      found[#found + 1] = ("%s in %d (%s)"):format(name, #names[name],
        table.concat(names[name], ", "))
    else
      missing[#missing + 1] = name
    end
  end
  local function list(items)
    return #items > 0 and table.concat(items, "; ") or "none"
  end
  return ("Of the trends looked for over the thirds, %d weights show: %s; not "
    .. "found: %s, see %s."):format(#types, list(found), list(missing),
    link(sections.titles.trend))
end

--- The sentences, in order.
function findings.sentences(results)
  return { against_gaussian(results), layers_apart(results), sharpest(results),
    heads(results), kernel(results), trend(results) }
end

return findings
