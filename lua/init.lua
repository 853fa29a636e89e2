-- weft: what scripts and the prompt see. Everything is loaded when it is
-- first asked for, so that starting stays cheap.
local weft <const> = {}

-- Public functions by name: the module that has them, and their name there.
local FUNCTIONS <const> = {
  open = { "model", "open" },
  measure = { "measure", "parts" },
  metric = { "metrics", "add" },
  arch = { "arch", "add" },
  gaussian_effective_rank = { "metrics", "gaussian_effective_rank" },
  spectra = { "core", "spectra" },
  estimate = { "estimate", "of" },
  svdvals = { "core", "svdvals" },
  eigvals = { "core", "eigvals" },
  svd = { "core", "svd" },
  eigh = { "core", "eigh" },
  eigvalsh = { "core", "eigvalsh" },
  qr = { "core", "qr" },
  solve = { "core", "solve" },
  lstsq = { "core", "lstsq" },
  matrix_rank = { "core", "matrix_rank" },
  norm = { "core", "norm" },
  cond = { "core", "cond" },
  trace = { "core", "trace" },
  tensor = { "core", "tensor" },
  zeros = { "core", "zeros" },
  ones = { "core", "ones" },
  eye = { "core", "eye" },
  arange = { "core", "arange" },
  linspace = { "core", "linspace" },
  randn = { "core", "randn" },
  uniform = { "core", "uniform" },
  concat = { "core", "concat" },
  load = { "core", "load" },
  kernel = { "core", "kernel" },
  planted = { "core", "planted" },
  progress = { "core", "progress" },
}

-- Modules that are public as they are.
local MODULES <const> = {
  core = true, csv = true, frame = true, json = true, markdown = true,
  metrics = true, phases = true, plot = true, save = true,
  stats = true, trends = true,
}

local function find(name)
  local place <const> = FUNCTIONS[name]
  if place then
    return require("weft." .. place[1])[place[2]]
  elseif MODULES[name] then
    return require("weft." .. name)
  elseif name == "version" then
    return require("weft.core").version.weft
  end
  local metrics <const> = require "weft.metrics"
  for _, row in ipairs(metrics.list()) do
    if row.name == name and row.of == "singular" then
      return metrics.of_spectrum(name)
    end
  end
  return nil
end

-- All public names, sorted; of a string among the arguments of measure the
-- metrics that may stand there.
local function names(_, method)
  if method and method ~= "measure" then
    return nil
  end
  local list <const> = { not method and "version" or nil }
  for _, places in ipairs(method and {} or { FUNCTIONS, MODULES }) do
    for name in pairs(places) do
      list[#list + 1] = name
    end
  end
  for _, row in ipairs(require("weft.metrics").list()) do
    list[#list + 1] = row.of == "singular" and row.name or nil
  end
  table.sort(list)
  return list
end

return setmetatable(weft, {
  __index = function(self, name)
    local value <const> = find(name)
    rawset(self, name, value)
    return value
  end,
  __complete = names,
  __pretty = function()
    return ("weft %s: %d names; help() tells of them, TAB lists them"):format(
      weft.version, #names())
  end,
})
