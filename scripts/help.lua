-- weft help [TOPIC]: explains a function or a command; without a topic it says
-- what there is.
local cli <const> = require "weft.cli"
local help <const> = require "weft.help"

local parser <const> = cli.parser("help",
  "Print the help of a function, a topic or a command.")
parser:argument("topic", "A name such as svdvals, tensor:rows or report.")
  :args("?"):argname("TOPIC")

help.show(cli.run(parser, arg).topic)
