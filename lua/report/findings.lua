-- What the numbers say, in at most six sentences: each has its number, what
-- it is measured against, and a link to where it stands. What was looked for
-- and not found is a finding too.
local findings = {}

local markdown <const> = require "weft.markdown"
local sections <const> = require "weft.report.sections"

-- The trends looked for, and how often three numbers in random order show
-- each.
local TRENDS <const> = { { "U-SHAPE", 1 / 3 }, { "MONOTONE DOWN", 1 / 6 },
  { "MONOTONE UP", 1 / 6 } }

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

local function layers_apart(results)
  local levels <const> = results.levels
  local where <const> = link(sections.titles.per_layer)
  if #levels.list < 3 then
    return ("Whether a layer stands apart can't be told from %d of them, see "
      .. "%s."):format(#levels.list, where)
  end
  local apart, furthest = {}, levels.list[1]
  for _, layer in ipairs(levels.list) do
    if math.abs(layer.difference) > math.abs(furthest.difference) then
      furthest = layer
    end
    if layer.apart then
      apart[#apart + 1] = ("layer %d (%+.1f %%)"):format(layer.layer,
        100 * layer.difference)
    end
  end
  if #apart == 0 then
    return ("No layer stands apart: the furthest from the layers' median "
      .. "level, layer %d, differs by %+.1f %%, within %.1f robust standard "
      .. "deviations of %.1f %%, see %s."):format(furthest.layer,
      100 * furthest.difference, levels.apart, 100 * levels.scale, where)
  end
  return ("Further from the layers' median level than %.1f robust standard "
    .. "deviations of %.1f %%: %s, see %s."):format(levels.apart,
    100 * levels.scale, table.concat(apart, ", "), where)
end

-- A weight's largest step either way.
local function largest_step(row)
  local drop <const>, jump <const> = row.drop, row.jump
  if not drop then
    return nil
  end
  return math.abs(drop.value) > math.abs(jump.value) and drop or jump
end

-- Where most weights have their largest step of one kind: between which
-- layers, and how many.
local function most_shared(types, kind)
  local count, best = {}, nil
  for _, row in ipairs(types) do
    local step <const> = row[kind]
    if step then
      count[step.from] = (count[step.from] or 0) + 1
      best = (not best or count[step.from] > count[best.from]) and step
        or best
    end
  end
  return best, best and count[best.from]
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
    return ("No transition was found: no weight was measured in two "
      .. "neighbouring layers, see %s."):format(link(sections.titles.gradient))
  end
  local drop <const>, drops <const> = most_shared(types, "drop")
  local jump <const>, jumps <const> = most_shared(types, "jump")
  return ("The sharpest transition is layer %d→%d, where %s changes by %+.1f "
    .. "(%.1f %% of its mean over the layers, %.1f times its median step); "
    .. "of %d weights %d have their largest drop at %d→%d and %d their "
    .. "largest jump at %d→%d, see %s."):format(best.from, best.to,
    best_row.name, best.value, 100 * math.abs(best.value) / best_row.mean,
    math.abs(best.value) / best_row.median_step, #types, drops, drop.from,
    drop.to, jumps, jump.from, jump.to, link(sections.titles.gradient))
end

local function heads(results)
  local map <const> = results.heatmap
  local where <const> = link(sections.titles.heads)
  if map.reason or map.explained ~= map.explained then
    return ("Whether heads differ could not be measured, see %s."):format(
      where)
  end
  local count <const> = { ["LOW-RANK"] = 0, ["HIGH-RANK"] = 0 }
  for _, head in ipairs(map.heads) do
    if count[head.category] then
      count[head.category] = count[head.category] + 1
    end
  end
  local verdict <const> = map.explained > map.at_most
    and "heads differ from one another over all layers"
    or "no lasting difference between heads was found"
  return ("By the quartiles %d of %d heads are LOW-RANK and %d HIGH-RANK; the "
    .. "head's index explains %.1f %% of the heatmap's variance, where "
    .. "shuffled labels explain %.1f %% on average and over %.1f %% once in "
    .. "20 times: %s, see %s."):format(count["LOW-RANK"], #map.heads,
    count["HIGH-RANK"], 100 * map.explained, 100 * map.by_chance,
    100 * map.at_most, verdict, where)
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
  local names, total = {}, 0
  for _, row in ipairs(measured(results.types)) do
    if row.trend ~= "n/a" then
      total = total + 1
      names[row.trend] = names[row.trend] or {}
      table.insert(names[row.trend], row.name)
    end
  end
  local where <const> = link(sections.titles.trend)
  if total == 0 then
    return ("No trend over the thirds can be told, 0 weights have all three, "
      .. "see %s."):format(where)
  end
  local parts <const> = {}
  for i, pair in ipairs(TRENDS) do
    local name <const>, chance <const> = table.unpack(pair)
    local found <const> = names[name]
    parts[i] = ("%s %s (%.1f by chance)"):format(name, found
      and ("in %d, %s"):format(#found, table.concat(found, " "))
      or "not found", total * chance)
  end
  return ("Over the thirds of the layers, of %d weights: %s, see %s."):format(
    total, table.concat(parts, "; "), where)
end

--- The sentences, in order.
function findings.sentences(results)
  return { against_gaussian(results), layers_apart(results), sharpest(results),
    heads(results), kernel(results), trend(results) }
end

return findings
