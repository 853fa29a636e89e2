-- A figure: the effective rank of each weight over the depth. It is saved with
-- the gnuplot script and the data that it is drawn from.
--
--   weft examples/07-figure.lua [MODEL]
local m <const> = assert(weft.open(arg[1] or "build/demo"))
local f <const> = weft.measure(m:weights {}, { "effective_rank" },
  { progress = "Weights" })

-- A panel a weight. The measure is a matrix of random numbers of the same
-- shape, which would lie at 1.
local panels <const> = {}
for i, group in ipairs(f:groups "name") do
  local layers <const> = group.frame:column "layer"
  local random <const> = weft.gaussian_effective_rank(
    table.unpack(m:weight(layers[1], group.key).shape))
  local shares <const> = group.frame:with("share", function(row)
    return row.effective_rank / random
  end)
  panels[i] = weft.plot.line(layers, shares:column "share", {
    title = group.key, xlabel = "Layer", ylabel = "Share of a random matrix's",
    style = "linespoints", whole = true,
    lines = { { y = 1, style = "dashed" } } })
end

local figure <const> = weft.plot.panels(panels, { cols = 4, share_y = true,
  title = ("Effective rank over depth: %s"):format(m.name) })
assert(figure:save "output/07-figure.svg")
print "output/07-figure.svg, and beside it .gp and .dat"
if weft.core.sys.isatty(1) then
  figure:show() -- the terminal draws too
end
