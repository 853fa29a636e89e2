-- weft lua/doc/generate.lua KIND: what is made of the documentation when weft
-- is built, on standard output.
local KINDS <const> = {
  markdown = function() return require("weft.doc.as_markdown").text() end,
  man = function() return require("weft.doc.as_man").text() end,
  luacats = function() return require("weft.doc.as_luacats").text() end,
  bash = function() return require("weft.doc.as_completion").text "bash" end,
  zsh = function() return require("weft.doc.as_completion").text "zsh" end,
  fish = function() return require("weft.doc.as_completion").text "fish" end,
}

local make <const> = KINDS[arg[1]]
if not make then
  io.stderr:write("usage: weft generate.lua ",
    "markdown|man|luacats|bash|zsh|fish\n")
  os.exit(2, true)
end
assert(io.stdout:write(make()))
