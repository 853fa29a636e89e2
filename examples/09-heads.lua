-- A sweep over heads: what every head of every layer reads (its kernel
-- W_Q^T W_K) beside what it writes (W_O W_V), and a map of them all.
--
--   weft examples/09-heads.lua [MODEL]
local m <const> = assert(weft.open(arg[1] or "build/demo"))

-- One table of either kernel, with a key that both have.
local function sweep(of)
  return weft.measure(m:heads { of = of }, { "effective_rank", "asymmetry" },
    { progress = "Heads, " .. of }):with("id", function(row)
    return ("%d.%d"):format(row.layer, row.head)
  end)
end
local qk <const>, ov <const> = sweep "qk", sweep "ov"

-- The heads that read through the fewest directions; columns of the second
-- table that are in the first already end in _2.
print(qk:join(ov, "id"):sort("effective_rank"):head(5)
  :select { "id", "effective_rank", "asymmetry", "effective_rank_2" })

-- Heads whose kernel has no structure have an asymmetry of sqrt 2.
local least <const> = qk:sort("asymmetry"):row(1)
print(("the most symmetric: layer %d, head %d, asymmetry %.4f"):format(
  least.layer, least.head, least.asymmetry))

local ranks <const> = {}
for _, row in qk:rows() do
  ranks[row.layer + 1] = ranks[row.layer + 1] or {}
  ranks[row.layer + 1][row.head + 1] = row.effective_rank
end
assert(weft.plot.heatmap(ranks, { xlabel = "Head", ylabel = "Layer",
  title = "Effective rank of W_Q^T W_K", label = "Effective rank" })
  :save "output/09-heads.svg")
print "output/09-heads.svg"
