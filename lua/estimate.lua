-- Effective ranks and densities for a first look: large matrices by probes and
-- with an interval, small ones and kernels exactly, since that is as fast.
local estimate <const> = {}

local check <const> = require "weft.check"
local core <const> = require "weft.core"
local metrics <const> = require "weft.metrics"
local reuse <const> = require "weft.reuse"

--- The short side from which on a matrix is estimated.
estimate.EXACT_BELOW = 2048
--- A relative half-width that is too much for a first look, too.
estimate.WIDE = 0.02

local BINS <const> = 64
local LEAST <const>, MOST <const> = 128, 1 << 31 -- of exact_below

-- Whether an element of the list is a matrix that is estimated.
local function is_large(item, limit)
  local meta <const> = debug.getmetatable(item)
  if type(meta) ~= "table" or meta.__name ~= "weft.tensor" then
    return false
  end
  local shape <const> = item.shape
  return #shape == 2 and math.min(shape[1], shape[2]) >= limit
end

-- How many singular values lie in each of equal parts of [0, largest].
local function density(s)
  local edges, weights = {}, {}
  local largest <const> = s[1] or 0
  for i = 0, BINS do
    edges[i + 1] = largest * i / BINS
  end
  for i = 1, BINS do
    weights[i] = 0.0
  end
  for _, value in ipairs(s) do
    local bin <const> = largest > 0
      and math.min(value / largest * BINS // 1, BINS - 1) or 0
    local at <const> = math.tointeger(bin) + 1
    weights[at] = weights[at] + 1
  end
  return { edges = edges, weights = weights }
end

-- What the spectrum of a small matrix or of a kernel comes to.
local function exact_result(spectrum)
  local s <const> = spectrum:totable()
  local rank <const> = metrics.get("effective_rank").fn(s, {})
  return { effective_rank = rank, low = rank, high = rank, half_width = 0.0,
    probes = 0, steps = 0, exact = true, density = density(s) }
end

-- Options beside those of every batch.
local OPTIONS <const> = { seed = "number", exact_below = "number" }

-- Raises at the caller of estimate.of: what the core refuses would name the
-- place in a list that the caller has not made.
local function check_list(list)
  for i, item in ipairs(list) do
    local meta <const> = debug.getmetatable(item)
    local name <const> = type(meta) == "table" and meta.__name
    if name ~= "weft.tensor" and name ~= "weft.kernel" then
      error(("list[%d] is a %s, expected a tensor or a kernel"):format(i,
        type(item)), 3)
    end
  end
end

-- The list's elements and their places, by how they are done.
local function sorted_out(list, limit)
  local small, large = { items = {}, at = {} }, { items = {}, at = {} }
  for i, item in ipairs(list) do
    local pile <const> = is_large(item, limit) and large or small
    pile.items[#pile.items + 1] = item
    pile.at[#pile.at + 1] = i
  end
  return small, large
end

--- weft.estimate: each of the list as is faster, all told in one way.
function estimate.of(list, options)
  check.type("list", list, "table", "an array of tensors and kernels")
  check_list(list)
  check.batch_options(options, OPTIONS)
  options = options or {}
  local limit <const> = check.integer("option 'exact_below'",
    options.exact_below or estimate.EXACT_BELOW, LEAST, MOST)
  local small <const>, large <const> = sorted_out(list, limit)
  local results, why, infos = {}, {}, {}
  -- both halves of the list may have the same to say
  local note <const> = options.note and reuse.once(options.note)
  local function told(i, result, reason, info)
    results[i], why[i], infos[i] = result, reason, info
    if options.each then
      options.each(i, result, reason, info)
    end
  end
  core.spectra(small.items, { threads = options.threads,
    precision = options.precision, method = options.method,
    shown = options.shown, cache = options.cache, note = note,
    each = function(j, s, reason, info)
      told(small.at[j], s and exact_result(s), reason, info)
    end })
  core.estimate(large.items, { threads = options.threads,
    seed = options.seed, cache = options.cache, note = note,
    each = function(j, result, reason, info)
      told(large.at[j], result, reason, info)
    end })
  return results, why, infos
end

return estimate
