-- Measuring: spectra, metrics of them, many parts at a time.

-- Options that several have.
local THREADS <const> = { "options.threads?", "integer", "workers; all "
  .. "processors where left out" }
local PRECISION <const> = { "options.precision?", "text", "\"double\" (left "
  .. "out) or \"single\"" }
local METHOD <const> = { "options.method?", "text", "\"gram\" (left out) or "
  .. "\"direct\"" }
local SHOWN <const> = { "options.shown?", "boolean", "true: small values are "
  .. "exact too" }
local SEED <const> = { "options.seed?", "integer", "of the probes; 1 where "
  .. "left out" }
local EACH <const> = { "options.each?", "function", "each(i, s, reason, info) "
  .. "as results come" }
local EACH_ESTIMATE <const> = { "options.each?", "function", "each(i, result, "
  .. "reason, info) as results come" }
local CACHE <const> = { "options.cache?", "boolean|text", "true: what an "
  .. "earlier run computed is taken from the cache, and the rest kept there; "
  .. "\"fresh\": all is computed, and kept; false where left out" }
local NOTE <const> = { "options.note?", "function", "note(sentence), of what "
  .. "goes wrong with the cache" }

local ONE_FAILS <const> = "raises \"interrupted!\" at Ctrl-C; a matrix that "
  .. "can't be done costs only its own result"

-- What is estimated.
local ESTIMATES <const> = {
  { "results", "table", "results[i]: {effective_rank (NaN of zeros), low, "
    .. "high, half_width (of the 95 % interval from low to high, relative), "
    .. "probes, steps, exact, density = {edges (65, rising from 0), weights "
    .. "(64: how many singular values lie from an edge to the next)}}, or "
    .. "false" },
  { "why", "table", "why[i]: the reason, or false" },
  { "infos", "table", "infos[i]: {half_width, cached} of an estimate; of what "
    .. "is exact as weft.spectra's; false where there is no result" },
}
local LANCZOS <const> = "stochastic Lanczos quadrature: Ubaru, Chen, Saad, "
  .. "SIAM J. Matrix Anal. Appl. 38 (2017); deflated: Gambhir, Stathopoulos, "
  .. "Orginos, SIAM J. Sci. Comput. 39 (2017)"

return {
  name = "measure",
  title = "Measuring",
  text = [[
    Spectra of many matrices are taken on all processors, largest first, and
    metrics of them come as one frame. A metric is a row of a table:
    weft.metric adds one everywhere. weft.effective_rank and the like take
    one spectrum, an array or a tensor of singular values, falling.]],

  -- Examples of the metrics, whose other words stand in lua/metrics.lua.
  metrics = {
    effective_rank = [[
      print(weft.effective_rank { 1, 1, 1, 0 })       --> 3.0
      print(weft.effective_rank(weft.tensor { 5 }))   --> 1.0
    ]],
    entropy = [[
      print(weft.entropy { 1, 1 } == math.log(2))     --> true
    ]],
    stable_rank = [[
      print(weft.stable_rank { 2, 1, 1 })             --> 1.5
    ]],
    rank = [[
      print(weft.rank { 1, 0.5, 1e-17 })              --> 2
    ]],
    frobenius_norm = [[
      print(weft.frobenius_norm { 4, 3 })             --> 5.0
    ]],
    spectral_norm = [[
      print(weft.spectral_norm { 4, 3 })              --> 4
    ]],
    nuclear_norm = [[
      print(weft.nuclear_norm { 4, 3 })               --> 7.0
    ]],
    condition = [[
      print(weft.condition { 4, 2 })                  --> 2.0
    ]],
    n99 = [[
      print(weft.n99 { 10, 1, 0.5 })                  --> 2
    ]],
  },

  {
    name = "weft.measure",
    summary = "Metrics of many parts at a time, as one frame with a row a "
      .. "part.",
    params = {
      { "parts", "parts", "as model:weights and model:heads give them; of one "
        .. "with shown = true small values are exact too" },
      { "names?", "texts", "metrics; {\"effective_rank\"} where left out" },
      { "options?", "table" }, THREADS, PRECISION, METHOD, SHOWN,
      { "options.progress?", "boolean|text", "a bar, with that label" },
      EACH, CACHE,
      { "options.note?", "function", NOTE[3] .. "; on standard error where "
        .. "left out" },
      { "options.estimate?", "boolean", "true: effective ranks of large "
        .. "matrices are estimates, as weft.estimate's, and s is its result" },
    },
    returns = { { "f", "frame", "layer, name or head, shape, a column a "
      .. "metric, with estimate half_width (relative, of the 95 % interval), "
      .. "error (\"\" where all is well); f.infos[i]: what weft.spectra or "
      .. "weft.estimate tells of part i" } },
    errors = "raises for an unknown metric, and where another than "
      .. "effective_rank is to be estimated; a part that can't be measured "
      .. "says so in its row",
    example = [[
      local m = assert(weft.open("build/demo"))
      local f = weft.measure(m:weights(0), { "effective_rank", "condition" })
      print(f.n, table.concat(f.names, " "))
      --> 7  layer name shape effective_rank condition error
    ]],
    see = { "model:weights", "model:heads", "weft.metric", "weft.spectra",
      "weft.estimate" },
  },
  {
    name = "weft.estimate",
    summary = "Effective ranks and densities for a first look: of matrices "
      .. "whose short side is 2048 or more by stochastic Lanczos quadrature, "
      .. "with an interval, under MPI by rank 0 alone; exactly of smaller ones "
      .. "and of kernels.",
    params = {
      { "list", "table", "tensors of 2 axes and kernels" },
      { "options?", "table", "precision, method and shown are of what is "
        .. "exact" },
      THREADS, PRECISION, METHOD, SHOWN, SEED,
      { "options.exact_below?", "integer", "the short side from which on a "
        .. "matrix is estimated, at least 128; 2048 where left out" },
      EACH_ESTIMATE, CACHE, NOTE,
    },
    returns = ESTIMATES, errors = ONE_FAILS, source = LANCZOS,
    example = [[
      local list = weft.estimate({ weft.randn(1, 200, 160) },
        { exact_below = 128 })
      print(list[1].exact, list[1].half_width < 0.02)  --> false  true
    ]],
    see = { "weft.spectra", "weft.measure" },
  },
  {
    name = "weft.core.estimate",
    summary = "Estimates of matrices alone, of whatever size from 128 on: one "
      .. "after the other, each by all threads, whose number changes no bytes; "
      .. "under MPI by rank 0 alone.",
    params = {
      { "list", "table", "tensors of 2 axes" },
      { "options?", "table" }, THREADS, SEED,
      EACH_ESTIMATE, CACHE, NOTE,
    },
    returns = {
      { "results", "table", "as weft.estimate's, exact being false" },
      ESTIMATES[2],
      { "infos", "table", "infos[i]: {half_width, cached}, or false; notes: "
        .. "sentences on the cache, where there are any" },
    },
    errors = ONE_FAILS, source = LANCZOS,
    example = [[
      local list, why = weft.core.estimate { weft.zeros(3, 3) }
      print(list[1], why[1]:match("too small to estimate"))
      --> false  too small to estimate
    ]],
    see = { "weft.estimate" },
  },
  {
    name = "weft.core.schedule_time",
    summary = "When the last of some workers ends, if they take jobs as "
      .. "weft.spectra does: largest first, and some of them in slices, where "
      .. "workers would be idle at the end else. The same code, simulated.",
    params = {
      { "costs", "table", "numbers, of each job, in any unit" },
      { "fluids", "table", "of each cost, what its slices come to" },
      { "slices", "table", "of each job; 0 or 1: it can't be split" },
      { "workers", "integer" },
      { "held?", "integer", "so many jobs may be split; all where left out" },
    },
    returns = { { "time", "number", "in the costs' unit" },
      { "splits", "integer", "how many jobs are taken in slices" } },
    errors = "raises where the lists differ in length, a job has other than 0 "
      .. "to 1024 slices, or there is no worker",
    example = [[
      local time, costs, fluids = weft.core.schedule_time, {2, 2, 2}, {1, 1, 1}
      print(time(costs, fluids, {1, 1, 1}, 2))  --> 4.0 0
      print(time(costs, fluids, {4, 4, 4}, 2))  --> 3.0 1
    ]],
    see = { "weft.core.split_room", "weft.core.slices" },
  },
  {
    name = "weft.core.split_room",
    summary = "So many matrices of a short side may be in slices at a time, "
      .. "for half of the memory that this process may use.",
    params = { { "side", "integer" }, { "workers", "integer" } },
    returns = { { "held", "integer" } },
    example = [[
      print(weft.core.split_room(1024, 2) > weft.core.split_room(2048, 2))
      --> true
      print(weft.core.split_room(1 << 30, 2))  --> 0
    ]],
    see = { "weft.core.schedule_time" },
  },
  {
    name = "weft.core.panel",
    summary = "Numbers of a panel in which a matrix is read for its spectrum.",
    params = { { "rows", "integer" }, { "cols", "integer" } },
    returns = { { "count", "integer" } },
    example = [[
      print(weft.core.panel(2048, 9000))  --> 1572864
    ]],
    see = { "weft.core.weight_flops" },
  },
  {
    name = "weft.core.weight_flops",
    summary = "What a matrix's spectrum costs: its Gram matrix and the "
      .. "reduction of that to eigenvalues.",
    params = { { "rows", "integer" }, { "cols", "integer" } },
    returns = { { "gram", "number" }, { "reduction", "number" } },
    example = [[
      print(weft.core.weight_flops(20, 3))  --> 180.0  36.0
    ]],
    see = { "weft.core.kernel_flops" },
  },
  {
    name = "weft.core.kernel_flops",
    summary = "What kernels that share their right factor cost: their factors "
      .. "reduced to triangles, small products, their singular values.",
    params = {
      { "k", "integer", "rows of a factor" },
      { "d", "integer", "columns" },
      { "count", "integer", "heads" },
      { "left?", "number", "flops of each left factor's own products" },
      { "right?", "number", "of the right one's" },
    },
    returns = { { "flops", "number" } },
    example = [[
      local left = weft.core.product_flops(2, 4, 10)
      print(weft.core.kernel_flops(2, 10, 3))        --> 1040.0
      print(weft.core.kernel_flops(2, 10, 3, left))  --> 1520.0
    ]],
    see = { "weft.core.product_flops", "weft.core.weight_flops" },
  },
  {
    name = "weft.core.product_flops",
    summary = "What the product of a (rows, inner) and an (inner, cols) matrix "
      .. "costs.",
    params = { { "rows", "integer" }, { "inner", "integer" },
      { "cols", "integer" } },
    returns = { { "flops", "number" } },
    example = [[
      print(weft.core.product_flops(2, 4, 10))  --> 160.0
    ]],
    see = { "weft.core.kernel_flops" },
  },
  {
    name = "weft.core.slices",
    summary = "How many slices the Gram matrix of a matrix is summed from: by "
      .. "its shape alone, so that spectra have the same bytes whoever takes "
      .. "them.",
    params = { { "rows", "integer" }, { "cols", "integer" } },
    returns = { { "slices", "integer", "1 to 16" } },
    errors = "raises where a side is below 0 or above 2147483647",
    example = [[
      print(weft.core.slices(2048, 11008))  --> 8
      print(weft.core.slices(576, 9000))    --> 1
    ]],
    see = { "weft.core.schedule_time" },
  },
  {
    name = "weft.spectra", also = { "weft.core.spectra" },
    summary = "Singular values of many matrices and kernels on all processors.",
    params = {
      { "list", "table", "tensors of 2 axes and kernels" },
      { "options?", "table" }, THREADS, PRECISION, METHOD,
      { "options.shown?", "boolean|table", SHOWN[3] .. "; a table: of those "
        .. "places of the list where it is true" },
      { "options.eigen?", "boolean|text", "true: eigenvalues too, of kernels "
        .. "alone; \"dense\": those of the whole matrix" },
      EACH, CACHE, NOTE,
    },
    returns = {
      { "s", "table", "s[i]: tensor of singular values, falling, or false" },
      { "why", "table", "why[i]: the reason, or false" },
      { "info", "table", "info[i]: {bound, direct, low_end, single, cached, "
        .. "rank}, the last being the MPI rank that computed it, 0 without "
        .. "MPI; with eigen also {re, im, norm, symmetry, asymmetry}; notes: "
        .. "sentences on the cache, where there are any" },
    },
    errors = ONE_FAILS,
    source = "symmetric eigenvalues of the Gram matrix of the short side, with "
      .. "an error bound; dgesdd where the bound asks for it",
    example = [[
      local s, why = weft.spectra { weft.tensor { { 3, 0 }, { 0, 4 } },
        weft.tensor { 1, 2 } }
      print(s[1][1], s[1][2])  --> 4.0  3.0
      print(s[2], why[2]:match "expected 2 axes")  --> false  expected 2 axes
    ]],
    see = { "weft.measure", "weft.svdvals" },
  },
  {
    name = "weft.metric", also = { "weft.metrics.add" },
    summary = "Adds a metric everywhere, or replaces the one of that name.",
    params = {
      { "row", "table" },
      { "row.name", "text" },
      { "row.fn", "function",
        "fn(s, part): of an array of singular values; of a kernel for "
          .. "\"kernel\"" },
      { "row.of?", "text", "\"singular\" (left out) or \"kernel\"" },
      { "row.unit?", "text" }, { "row.doc?", "text" },
      { "row.source?", "text" },
    },
    returns = { { "row", "table" } },
    example = [[
      weft.metric { name = "participation",
        doc = "squared sum over sum of squares",
        fn = function(s)
          return weft.stats.sum(s) ^ 2 / weft.frobenius_norm(s) ^ 2
        end }
      print(weft.participation { 1, 1, 1, 1 })  --> 4.0
    ]],
    see = { "weft.measure", "weft.metrics.list" },
  },
  {
    name = "weft.metrics.list",
    summary = "All metrics, in order of registration.",
    returns = { { "rows", "table", "{name, of, unit, doc, source, fn}" } },
    example = [[
      print(weft.metrics.list()[1].name)  --> effective_rank
    ]],
    see = { "weft.metric" },
  },
  {
    name = "weft.metrics.get",
    summary = "The metric of that name.",
    params = { { "name", "text" } },
    returns = { { "row", "table", "{name, of, unit, doc, source, fn}" } },
    errors = "raises for an unknown name and lists the known ones",
    example = [[
      print(weft.metrics.get("entropy").unit)  --> nat
    ]],
    see = { "weft.metric" },
  },
  {
    name = "weft.metrics.of_spectrum",
    summary = "A metric as a function of one spectrum.",
    params = { { "name", "text" } },
    returns = { { "fn", "function", "fn(s): of an array or a tensor" } },
    errors = "raises for an unknown name and lists the known ones",
    example = [[
      print(weft.metrics.of_spectrum("rank") { 2, 1 })  --> 2
    ]],
    see = { "weft.metric" },
  },
  {
    name = "weft.gaussian_effective_rank",
    also = { "weft.metrics.gaussian_effective_rank" },
    summary = "Effective rank of a matrix of independent Gaussians, in the "
      .. "limit of large sizes: what a weight without structure would have.",
    params = { { "rows", "integer" }, { "cols", "integer" } },
    returns = { { "x", "number" } },
    source = "Marchenko and Pastur 1967",
    example = [[
      print(("%.1f"):format(weft.gaussian_effective_rank(576, 576)))  --> 463.7
    ]],
    see = { "weft.effective_rank" },
  },
}
