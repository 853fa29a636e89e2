-- Options of the stock commands: argparse, with weft's own way to refuse.
local cli = {}

local argparse <const> = require "argparse"
local sys <const> = require("weft.core").sys

-- argparse's own error() exits with 1, which means a failed run here.
local function refuse(parser, message)
  io.stderr:write(parser:get_usage():match("^Usage: (weft %S+)"), ": ",
    sys.escape(message), "\n", parser:get_usage(), "\n")
  os.exit(2, true)
end

--- An argparse parser for `weft NAME` whose error(message) prints one line
--- and the usage to standard error and exits with 2.
function cli.parser(name, description)
  local parser <const> = argparse("weft " .. name, description)
  parser.error = refuse
  return parser:help_max_width(80)
end

--- A converter of an option's text to an integer from low to high.
function cli.integer(low, high)
  return function(text)
    local value <const> = text:find("^%-?%d+$")
      and math.tointeger(tonumber(text))
    if value and value >= low and value <= high then
      return value
    end
    return nil, ("'%s', expected an integer from %d to %d"):format(text, low,
      high)
  end
end

-- A converter is not told whose text it converts, but its message should say.
local function name_in_messages(element)
  local convert <const> = element._convert
  if type(convert) ~= "function" then
    return
  end
  element:convert(function(text)
    local value, message = convert(text)
    if value == nil and message then
      message = ("%s: %s"):format(element._name, message)
    end
    return value, message
  end)
end

--- The command line's options by name; does not return where they are wrong
--- (exits with 2) or ask for help (exits with 0).
function cli.run(parser, args)
  for _, elements in ipairs { parser._options, parser._arguments } do
    for _, element in ipairs(elements) do
      name_in_messages(element)
    end
  end
  return parser:parse(args)
end

return cli
