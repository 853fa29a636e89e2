-- Statistics of arrays, depth trends.
local X <const> = { "x", "numbers" }
local GIVES <const> = { { "value", "number" } }

return {
  name = "stats",
  title = "Statistics",
  text = [[
    Statistics of plain arrays of numbers, with numpy's and pandas'
    conventions said by name: ddof 0 is numpy's standard deviation, ddof 1
    pandas'; percentiles interpolate linearly. What needs values that are
    not there is NaN. Tensors have the same by methods: t:mean(), t:std().]],
  { name = "weft.stats.sum", summary = "Sum, left to right; 0 of nothing.",
    params = { X }, returns = GIVES, see = { "tensor:sum" },
    example = [[print(weft.stats.sum { 1, 2, 3.5 })  --> 6.5]] },
  { name = "weft.stats.mean", summary = "Arithmetic mean.",
    params = { X }, returns = GIVES, see = { "weft.stats.median" },
    example = [[print(weft.stats.mean { 1, 2 })  --> 1.5]] },
  { name = "weft.stats.var",
    summary = "Mean squared deviation from the mean, over n - ddof.",
    params = { X, { "ddof?", "number", "0 where left out, as in numpy" } },
    returns = GIVES, source = "numpy.var", see = { "weft.stats.std" },
    example = [[print(weft.stats.var({ 1, 3 }, 1))  --> 2.0]] },
  { name = "weft.stats.std", summary = "Standard deviation, over n - ddof.",
    params = { X, { "ddof?", "number", "0 where left out, as in numpy" } },
    returns = GIVES, source = "numpy.std; ddof 1: pandas.Series.std",
    see = { "weft.stats.var", "weft.stats.cv" },
    example = [[print(weft.stats.std { 1, 3 })  --> 1.0]] },
  { name = "weft.stats.min", summary = "Least value; NaN where one is NaN.",
    params = { X }, returns = GIVES, see = { "weft.stats.max" },
    example = [[print(weft.stats.min { 3, 1, 2 })  --> 1]] },
  { name = "weft.stats.max", summary = "Largest value; NaN where one is NaN.",
    params = { X }, returns = GIVES, see = { "weft.stats.min" },
    example = [[print(weft.stats.max { 3, 1, 2 })  --> 3]] },
  { name = "weft.stats.range", summary = "Largest less least value.",
    params = { X }, returns = GIVES, see = { "weft.stats.min" },
    example = [[print(weft.stats.range { 3, 1, 2 })  --> 2]] },
  { name = "weft.stats.percentile",
    summary = "Percentiles, linear between two elements.",
    params = { X, { "q", "number|numbers", "0 to 100" } },
    returns = { { "value", "number|numbers" } }, source = "numpy.percentile",
    see = { "weft.stats.median" },
    example = [[
      print(weft.stats.percentile({ 1, 2, 3, 4 }, 25))  --> 1.75
    ]] },
  { name = "weft.stats.median",
    summary = "The middle element, or the mean of the two.",
    params = { X }, returns = GIVES, source = "numpy.median",
    see = { "weft.stats.percentile" },
    example = [[print(weft.stats.median { 4, 1, 2 })  --> 2]] },
  { name = "weft.stats.cv",
    summary = "Coefficient of variation: standard deviation over mean.",
    params = { X, { "ddof?", "number", "0 where left out" } },
    returns = GIVES, see = { "weft.stats.std" },
    example = [[print(weft.stats.cv { 1, 3 })  --> 0.5]] },
  { name = "weft.stats.count", summary = "How many there are.",
    params = { X }, returns = { { "n", "integer" } },
    example = [[print(weft.stats.count { 4, 5 })  --> 2]] },
  { name = "weft.stats.first", summary = "The first value; NaN of nothing.",
    params = { X }, returns = GIVES, see = { "weft.stats.last" },
    example = [[print(weft.stats.first { 4, 5 })  --> 4]] },
  { name = "weft.stats.last", summary = "The last value; NaN of nothing.",
    params = { X }, returns = GIVES, see = { "weft.stats.first" },
    example = [[print(weft.stats.last { 4, 5 })  --> 5]] },
  { name = "weft.stats.cumsum", summary = "Running sum.",
    params = { X }, returns = { { "sums", "numbers" } },
    source = "numpy.cumsum", see = { "weft.stats.cumulative_energy" },
    example = [[print(weft.stats.cumsum({ 1, 2, 3 })[3])  --> 6.0]] },
  { name = "weft.stats.cumulative_energy",
    summary = "Running share of the sum of squares.",
    params = { X }, returns = { { "shares", "numbers", "the last is 1" } },
    source = "numpy.cumsum(x**2) / (x**2).sum()",
    see = { "weft.stats.components" },
    example = [[print(weft.stats.cumulative_energy({ 1, 1 })[1])  --> 0.5]] },
  { name = "weft.stats.components",
    summary = "How many leading components hold a share of a running share.",
    params = { { "cumulative", "numbers" }, { "level", "number", "0 to 1" } },
    returns = { { "n", "integer", "NaN of nothing" } },
    see = { "weft.stats.cumulative_energy", "weft.n99" },
    example = [[print(weft.stats.components({ 0.5, 0.9, 1 }, 0.9))  --> 2]] },
  { name = "weft.stats.explained",
    summary = "Share of the variance that the means of groups explain, and the "
      .. "share that chance alone would give.",
    params = { { "groups", "table", "arrays of numbers" } },
    returns = { { "share", "number", "between / total sum of squares" },
      { "by_chance", "number", "(groups - 1) / (numbers - 1)" },
      { "rarely", "number", "what chance exceeds once in 20 times" } },
    example = [[
      print(weft.stats.explained { { 1, 1, 1 }, { 3, 3 } })
      --> 1.0  0.25  0.661225
    ]] },
  { name = "weft.phases.of",
    summary = "The thirds of the layers: early, middle, late.",
    params = { { "L", "integer", "layers" } },
    returns = { { "phases", "table",
      "{name, span, word, first, last, empty}; first and last are labels" } },
    see = { "weft.phases.rows", "weft.trends.classify" },
    example = [[print(weft.phases.of(12)[2].name)  --> Middle (4-7)]] },
  { name = "weft.phases.rows",
    summary = "The rows of a frame whose layer_idx lies in a phase.",
    params = { { "f", "frame", "with a column layer_idx" },
      { "phase", "table", "of weft.phases.of" } },
    returns = { { "f", "frame" } }, see = { "weft.phases.of" },
    example = [[
      local f = weft.frame.new({ "layer_idx" }, { layer_idx = { 0, 1, 2 } })
      print(weft.phases.rows(f, weft.phases.of(3)[3]).n)  --> 1
    ]] },
  { name = "weft.phases.summary",
    summary = "Statistics of eff_rank by weight_type within a phase.",
    params = { { "f", "frame", "with layer_idx, weight_type, eff_rank" },
      { "phase", "table", "of weft.phases.of" } },
    returns = {
      { "f", "frame", "mean, std (ddof 1), min, max, median, range, cv" },
    },
    see = { "weft.phases.rows" },
    example = [[
      local f = weft.frame.new({ "layer_idx", "weight_type", "eff_rank" },
        { layer_idx = { 0, 0 }, weight_type = { "W_Q", "W_Q" },
          eff_rank = { 2, 4 } })
      print(weft.phases.summary(f, weft.phases.of(1)[3]):row(1).mean)  --> 3.0
    ]] },
  { name = "weft.trends.classify",
    summary = "The trend of three phase means: U-SHAPE, MONOTONE DOWN, "
      .. "MONOTONE UP or OTHER; n/a where one is missing.",
    params = { { "early", "number" }, { "middle", "number" },
      { "late", "number" } },
    returns = { { "trend", "text" } }, see = { "weft.trends.steps" },
    example = [[print(weft.trends.classify(3, 1, 2))  --> U-SHAPE]] },
  { name = "weft.trends.steps",
    summary = "Steps between layers i and i + 1 that are both there.",
    params = { { "layers", "labels", "rising" }, { "ranks", "numbers" } },
    returns = { { "steps", "table", "{from, to, value}" } },
    see = { "weft.trends.gradient" },
    example = [[
      local steps = weft.trends.steps({ 0, 1, 3 }, { 5, 7, 9 })
      print(#steps, steps[1].value)  --> 1  2
    ]] },
  { name = "weft.trends.gradient",
    summary = "The largest fall and the largest rise between neighbours.",
    params = { { "layers", "labels", "rising" }, { "ranks", "numbers" } },
    returns = { { "drop", "table", "{from, to, value}, nil without a step" },
      { "jump", "table", "the same" } },
    see = { "weft.trends.steps" },
    example = [[
      local drop, jump = weft.trends.gradient({ 0, 1, 2 }, { 5, 7, 3 })
      print(drop.value, jump.value)  --> -4  2
    ]] },
}
