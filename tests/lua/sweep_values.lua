-- Good arguments of functions whose parameters' types do not say enough, for
-- sweep.lua: by function and parameter. `exempt` names kinds of values that a
-- function is right to work on for long.

-- A matrix in FP8 and its scale, of a file made here.
local function scaled_pair(core)
  local header <const> = '{"w":{"dtype":"F8_E4M3","shape":[2,2],'
    .. '"data_offsets":[0,4]},"s":{"dtype":"F32","shape":[1],'
    .. '"data_offsets":[4,8]}}'
  local file <close> = assert(io.open("scaled.safetensors", "wb"))
  file:write(string.pack("<I8", #header), header, "\x38\x38\x38\x38",
    string.pack("<f", 2))
  file:close()
  local checkpoint <const> = assert(core.open "scaled.safetensors")
  return { checkpoint:tensor "w", checkpoint:tensor "s" }
end

return function(weft, m)
  local phases <const> = weft.phases.of(2)
  local own <const> = { name = "swept", like = "llama",
    match = { model_type = { "swept" } }, dims = {}, layer = "l.%d.",
    parts = {} }
  local two <const> = weft.frame.new({ "layer", "name", "x" }, {
    layer = { 0, 1 }, name = { "W_Q", "W_K" }, x = { 1.5, 2.5 } })
  local column <const> = { name = "x", frame = two }
  local matrix <const> = weft.tensor { { 4, 0 }, { 0, 9 } }
  local scaled <const> = scaled_pair(weft.core)
  return {
    exempt = { timeit = "huge", ["model:stack_of"] = "closed" },
    ["weft.open"] = { MODEL = "demo" },
    ["weft.arch"] = { family = own },
    ["model:weights"] = { options = { layers = 0 } },
    ["model:weight"] = { name = "W_Q" },
    ["model:tensor"] = { name = "model.norm.weight" },
    ["weft.measure"] = { names = { "effective_rank" } },
    ["weft.spectra"] = { list = { matrix } },
    ["weft.metric"] = {
      row = { name = "swept", fn = function() return 1 end },
    },
    ["weft.metrics.get"] = { name = "rank" },
    ["weft.metrics.of_spectrum"] = { name = "rank" },
    ["weft.kernel"] = { A = matrix, B = matrix },
    ["weft.core.packed"] = { kind = "scaled", tensors = scaled,
      options = {} },
    ["checkpoint:axes"] = { name = "model.norm.weight" },
    ["weft.tensor"] = { values = { 1, 2 }, dtype = "f64" },
    ["weft.zeros"] = { dtype = "f64" }, ["weft.ones"] = { dtype = "f64" },
    ["weft.planted"] = { rows = 3, cols = 3 },
    ["weft.concat"] = { list = { matrix, matrix } },
    ["weft.save"] = { path = "saved.npy" },
    ["weft.load"] = { path = "good.npy" },
    ["tensor:get"] = { tensor = weft.tensor { 1, 2 } },
    ["tensor:set"] = { tensor = weft.tensor { 1, 2 } },
    ["tensor:runs"] = { tensor = m:weight(0, "W_Q"),
      list = { { 0, 1, 1, 1 } } },
    ["tensor:reshape"] = { tensor = weft.zeros(2) },
    ["tensor:to"] = { dtype = "f32" },
    ["tensor:matmul"] = { u = weft.eye(3) },
    ["tensor:norm"] = { tensor = weft.tensor { 1, 2 } },
    ["tensor:sort"] = { falling = true },
    ["tensor:histogram"] = { low = 0, high = 1 },
    ["weft.solve"] = { b = weft.tensor { 1, 2, 3 } },
    ["weft.lstsq"] = { b = weft.tensor { 1, 2, 3 } },
    ["weft.frame.new"] = { names = { "a" }, columns = { a = { 1 } } },
    ["weft.frame.from_csv"] = { text = "a,b\n1,2\n" },
    ["weft.frame.from_json"] = { text = '[{"a": 1}]' },
    ["frame:column"] = column, ["frame:sort"] = column,
    ["frame:unique"] = column, ["frame:groups"] = column,
    ["frame:describe"] = column,
    ["frame:select"] = { frame = two, names = { "x" } },
    ["frame:with"] = { name = "y", value = function() return 1 end },
    ["frame:aggregate"] = { frame = two, by = "name", value = "x",
      aggregates = { "mean" } },
    ["frame:pivot"] = { frame = two, index = "layer", columns = "name",
      values = "x" },
    ["frame:join"] = { frame = two, other = two, on = "layer" },
    ["weft.phases.rows"] = { phase = phases[3] },
    ["weft.phases.summary"] = { phase = phases[3] },
    ["weft.trends.steps"] = { layers = { 0, 1, 2 } },
    ["weft.trends.gradient"] = { layers = { 0, 1, 2 } },
    ["weft.stats.explained"] = { groups = { { 1, 2 }, { 3, 4 } } },
    ["checkpoint:entry"] = { name = "model.norm.weight" },
    ["checkpoint:tensor"] = { name = "model.norm.weight" },
    ["weft.core.open"] = { path = "demo" },
    ["weft.core.encode"] = { dtype = "F16" },
    ["weft.core.json"] = { text = "[1]" },
    ["weft.save.safetensors"] = { list = { { name = "a", tensor = matrix } } },
    ["weft.csv.encode"] = { rows = { { 1, "a" } } },
    ["weft.csv.decode"] = { text = "a\n" },
    ["weft.markdown.table"] = { header = { "a" }, align = { "l" },
      rows = { { "b" } } },
    ["weft.markdown.number"] = { format = "%.1f" },
    ["weft.plot"] = { y = { 1, 2, 3 }, x = { 1, 2, 3 } },
    ["weft.plot.line"] = { y = { 1, 2, 3 } },
    ["weft.plot.scatter"] = { y = { 1, 2, 3 } },
    ["weft.plot.bars"] = { labels = { "a", "b" }, values = { 1, 2 } },
    ["weft.plot.figure"] = { description = { panels = { {} } } },
    ["weft.plot.panels"] = { list = { { series = { { y = { 1, 2 } } } } } },
    ["figure:save"] = { path = "swept", format = "svg" },
    ["figure:script"] = { format = "svg", name = "a" },
    ["weft.core.sys.read"] = { path = "good.npy" },
    ["weft.core.sys.mkdir"] = { path = "made" },
    ["weft.core.sys.remove"] = { path = "made" },
    ["weft.core.sys.run"] = { argv = { "true" } },
    ["weft.core.sys.terminal_query"] = { text = "", seconds = 0 },
    ["progress:open"] = { label = "x" },
    ["timeit"] = { n = 1 },
  }
end
