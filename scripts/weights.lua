-- weft weights MODEL: metrics of the weights of all layers, as one table.
local cli <const> = require "weft.cli"
local table_command <const> = require "weft.table_command"

local command <const> = table_command.new("weights",
  "Measure the weights of a model's layers: one table on standard output.",
  { singular = true })
command.parser:flag("--estimate",
  "Estimate effective ranks of large matrices, with the "
  .. "relative half-widths of their 95 % intervals.")
command.parser:option("--names", "Weights, such as W_Q,W_O (all).")
  :convert(cli.words):argname("NAMES")

-- What --names may hold: the kinds of weights that some layer has, and each
-- single one (an expert's) by its number. Gives all, and the kinds.
local function known_names(m)
  local names, kinds, seen = {}, {}, {}
  local function add(list, name)
    list[#list + 1] = not seen[name] and name or nil
    seen[name] = true
  end
  for _, part in ipairs(m:weights {}) do
    add(kinds, part.type)
    add(names, part.name)
  end
  return table.move(kinds, 1, #kinds, #names + 1, names), kinds
end

local m <const>, options <const> = command:start(arg)
if options.names then
  local names <const>, kinds <const> = known_names(m)
  command:check_words("--names", "weight", options.names, names, kinds)
end
command:finish(m:weights { layers = options.layers, names = options.names })
