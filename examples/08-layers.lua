-- Compares two layers: for each weight, the angle between the two matrices,
-- and how far their leading directions agree.
--
--   weft examples/08-layers.lua [MODEL [LAYER [LAYER]]]
local m <const> = assert(weft.open(arg[1] or "build/demo"))
local a <const> = math.tointeger(arg[2] or 0)
local b <const> = math.tointeger(arg[3] or m.dims.L - 1)
local K <const> = 8 -- leading directions that are compared

-- The first K right singular vectors: what a weight reads of its input.
local function directions(w)
  local _, _, v <const> = weft.svd(w)
  return v:cols(1, math.min(K, v.shape[2]))
end

-- Mean squared cosine of the principal angles between two subspaces: 1 where
-- they are the same, K / n where they are random ones of n dimensions.
local function overlap(u, v)
  local cosines <const> = weft.svdvals(u:t():matmul(v))
  return cosines:dot(cosines) / #cosines
end

local rows <const> = {}
for i, part in ipairs(m:weights(a)) do
  local x <const>, y <const> = m:weight(a, part.name), m:weight(b, part.name)
  rows[i] = {
    name = part.name,
    cosine = (x * y):sum() / (x:norm() * y:norm()),
    overlap = overlap(directions(x), directions(y)),
    random = K / x.shape[2],
  }
end
print(("layers %d and %d of %s"):format(a, b, m.name))
print(weft.frame.from_rows({ "name", "cosine", "overlap", "random" }, rows))
