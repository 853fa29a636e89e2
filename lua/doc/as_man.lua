-- The man page weft(1).
local as_man = {}

local cli <const> = require "weft.cli"
local core <const> = require "weft.core"
local doc <const> = require "weft.doc"

-- Text that roff prints as it stands: no request at a line's start, no hyphen
-- that becomes a dash, no character beyond ASCII that a locale could lose.
local function plain(text)
  text = text:gsub("\\", "\\e"):gsub("%-", "\\-")
  text = text:gsub(utf8.charpattern, function(char)
    return #char > 1 and ("\\[u%04X]"):format(utf8.codepoint(char)) or nil
  end)
  return (("\n" .. text):gsub("\n([.'])", "\n\\&%1"):sub(2))
end

local function squeezed(text)
  return plain((text:gsub("%s+", " "):gsub("^ ", "")))
end

-- A paragraph under a tag.
local function tagged(tag, text)
  return (".TP\n.B %s\n%s"):format(plain(tag), squeezed(text))
end

-- Lines that keep their breaks and their places.
local function verbatim(text)
  return ".PP\n.nf\n.RS\n" .. plain(text) .. "\n.RE\n.fi"
end

local function options(noun)
  local lines <const> = {}
  for i, option in ipairs(noun.options) do
    lines[i] = tagged(option[1] .. (option[2] and " " .. option[2] or ""),
      option[3] .. ".")
  end
  return table.concat(lines, "\n")
end

-- A command: what it does, then its options as its own parser has them.
local function command(entry)
  local name <const> = entry.name:match "%S+$"
  local parts <const> = { (".SS %s"):format(plain(entry.name)),
    squeezed(entry.summary) }
  for _, option in ipairs(cli.options_of(cli.parser_of(name))) do
    parts[#parts + 1] = tagged(option.words, option.text)
  end
  parts[#parts + 1] = verbatim(entry.example)
  return table.concat(parts, "\n")
end

-- A topic's functions: how each is called and what it does.
local function topic(noun)
  local parts <const> = { (".SS %s"):format(plain(noun.title)),
    squeezed(noun.text) }
  for _, entry in ipairs(doc.of_noun(noun.name)) do
    parts[#parts + 1] = tagged(entry.signature, entry.summary)
  end
  return table.concat(parts, "\n")
end

local function pairs_of(list)
  local lines <const> = {}
  for i, row in ipairs(list) do
    lines[i] = tagged(row[1], row[2] .. ".")
  end
  return table.concat(lines, "\n")
end

local SYNOPSIS <const> = [=[
.B weft
[options] [script [arguments]]
.br
.B weft
command [arguments]
.br
.B weft help
[topic]]=]

--- The page in roff.
function as_man.text()
  local noun <const> = doc.noun("commands")
  local commands, topics = {}, {}
  for i, entry in ipairs(doc.of_noun("commands")) do
    commands[i] = command(entry)
  end
  for _, other in ipairs(doc.nouns()) do
    topics[#topics + 1] = other ~= noun and topic(other) or nil
  end
  return table.concat({
    ('.TH WEFT 1 "" "weft %s"'):format(core.version.weft),
    ".SH NAME\n" .. plain("weft - look into the weights of transformers"),
    ".SH SYNOPSIS\n" .. SYNOPSIS,
    ".SH DESCRIPTION",
    squeezed([[weft is Lua's interpreter with a module, weft, for the weights
      of transformers: spectra of attention kernels and weight matrices,
      effective ranks, statistics and figures. Alone on a terminal it is a
      prompt. A first word with a / or ending in .lua is a script; else it is
      the stock command of that name, else a file.]]),
    ".SH OPTIONS\n" .. options(noun),
    ".SH COMMANDS\n" .. squeezed(noun.text), table.concat(commands, "\n"),
    ".SH THE MODULE\n" .. squeezed([[help "NAME" at the prompt, or weft help
      NAME, tells parameters, results, errors and an example.]]),
    table.concat(topics, "\n"),
    ".SH ENVIRONMENT\n" .. pairs_of(noun.variables),
    ".SH FILES\n" .. pairs_of(noun.files),
    ".SH SEE ALSO\n.BR lua (1),\n.BR gnuplot (1)",
  }, "\n") .. "\n"
end

return as_man
