-- weft heads MODEL: metrics of the attention heads' kernels, as one table.
local cli <const> = require "weft.cli"
local measure <const> = require "weft.measure"
local table_command <const> = require "weft.table_command"

local command <const> = table_command.new("heads",
  "Measure the kernels of a model's attention heads: one table on standard "
  .. "output.", { singular = true, kernel = true })
command.parser:option("--of", "W_Q^T W_K or W_O W_V of each head.", "qk")
  :choices { "qk", "ov" }
command.parser:option("--heads", "Heads, such as 0,3,5-8 (all).")
  :convert(cli.labels(65535)):argname("LABELS")

local m <const>, options <const> = command:start(arg)
command:check_labels("--heads", "head", options.heads, m.dims.h)
local ok <const>, parts <const> = pcall(m.heads, m, {
  layers = options.layers, heads = options.heads, of = options.of })
if not ok then
  command:stop(measure.reason(parts))
end
command:finish(parts)
