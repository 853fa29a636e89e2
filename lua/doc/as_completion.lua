-- Completions of bash, zsh and fish for the program and its commands, in one.
local as_completion = {}

local argparse <const> = require "argparse"
local cli <const> = require "weft.cli"
local doc <const> = require "weft.doc"

-- argparse joins commands; each of them takes over what its own parser has.
local function joined()
  local root <const> = argparse("weft"):add_help(false)
  for _, option in ipairs(doc.noun("commands").options) do
    local word <const>, argument <const>, meaning <const> =
      table.unpack(option, 1, 3)
    if argument then
      root:option(word, meaning):argname(argument)
    elseif word:find "^%-%-?%a" then
      root:flag(word, meaning)
    end
  end
  for _, entry in ipairs(doc.of_noun("commands")) do
    local name <const> = entry.name:match "%S+$"
    local parser <const> = cli.parser_of(name)
    local command <const> = root:command(name, entry.summary)
    command._options = parser._options
    command._arguments = parser._arguments
  end
  return root
end

--- The script for a shell: "bash", "zsh" or "fish".
function as_completion.text(shell)
  local root <const> = joined()
  return root[("get_%s_complete"):format(shell)](root)
end

return as_completion
