-- An own metric: one table, known everywhere from then on.
--
--   weft examples/04-metric.lua [MODEL]
local m <const> = assert(weft.open(arg[1] or "build/demo"))

-- A metric of singular values gets an array of them, falling; one of kernels
-- (of = "kernel") a head's kernel. What is not defined is NaN.
weft.metric {
  name = "participation", of = "singular",
  doc = "squared sum of squares over sum of fourth powers",
  fn = function(s)
    local squares, fourths = 0, 0
    for _, x in ipairs(s) do
      squares, fourths = squares + x ^ 2, fourths + x ^ 4
    end
    return squares ^ 2 / fourths
  end,
}

weft.metric {
  name = "trace_share", of = "kernel",
  doc = "|tr M| over the largest singular value times the rank",
  fn = function(k)
    return math.abs(k:eigvals():sum()) / (k:svdvals()[1] * k:rank())
  end,
}

print(weft.measure(m:weights(0), { "effective_rank", "participation" }))
print(weft.measure(m:heads { layers = 0 }, { "participation", "trace_share" }))

-- It is a function of one spectrum too.
print(weft.participation { 1, 1, 1, 0 })
