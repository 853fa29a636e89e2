-- Text that goes into a gnuplot script: quoted, measured, made a file name.
local m = {}

local MAX_LINES <const> = 3
local MAX_NAME <const> = 100

-- Widths in em, on the wide side of the usual sans-serif faces, because the
-- reader's font is not known: a margin too wide beats a label cut off.
local NARROW <const> = "[ !'(),%.:;I%[%]`ijl|frt/\\]"
local WIDE <const> = "[MWmw@%%]"

-- Names that some file systems keep for themselves.
local RESERVED = { con = true, prn = true, aux = true, nul = true }

-- Bytes that are no UTF-8 would make an SVG file that no reader takes.
local function repair(s)
  local out, at = {}, 1
  while at <= #s do
    local length, bad = utf8.len(s, at)
    if length then
      out[#out + 1] = s:sub(at)
      break
    end
    out[#out + 1] = s:sub(at, bad - 1)
    out[#out + 1] = "\u{FFFD}"
    at = bad + 1
  end
  return table.concat(out)
end

-- Makes text that is valid UTF-8, of one line, and allowed in XML; marks that
-- turn the direction of writing are no part of a label either.
function m.clean(s)
  s = repair(tostring(s))
  s = s:gsub("\u{FFFE}", "\u{FFFD}"):gsub("\u{FFFF}", "\u{FFFD}")
  s = s:gsub("\xC2[\x80-\x9F]", " "):gsub("\xE2\x80[\xA8-\xAE]", " ")
    :gsub("\xE2\x81[\xA6-\xA9]", " ")
  return (s:gsub("%c", " "))
end

-- The one door through which foreign text enters a script. gnuplot takes two
-- quotes at the beginning for an empty string and stumbles over the rest: a
-- space keeps a text's own first quote off them.
function m.quote(s)
  return "'" .. m.clean(s):gsub("^'", " '"):gsub("'", "''") .. "'"
end

-- A tic's label is a format to gnuplot, where a lone % ends the script.
function m.quote_tic(s)
  return (m.quote(s):gsub("%%", "%%%%"))
end

-- Splits a title at its newlines; single quotes know no \n.
function m.lines(s)
  local out = {}
  for line in (tostring(s) .. "\n"):gmatch("(.-)\n") do
    if #out < MAX_LINES then
      out[#out + 1] = line
    else
      out[#out] = out[#out] .. " " .. line
    end
  end
  return out
end

-- The width of one character in em.
local function em(char)
  if #char > 2 then return 1 end
  if char:find(NARROW) then return 0.36 end
  if char:find(WIDE) then return 0.98 end
  return char:find("%u") and 0.7 or 0.62
end

-- An estimate, in px, of the width of a line in a font of that size.
function m.width(s, size)
  local sum = 0
  for char in m.clean(s):gmatch(utf8.charpattern) do
    sum = sum + em(char)
  end
  return sum * size
end

-- Cuts a line that would run out of the picture, with an ellipsis.
function m.fit(s, size, room)
  s = m.clean(s)
  if m.width(s, size) <= room then return s end
  local out, left = {}, room / size - 1
  for char in s:gmatch(utf8.charpattern) do
    left = left - em(char)
    if left < 0 then break end
    out[#out + 1] = char
  end
  return table.concat(out) .. "…"
end

-- A title as a gnuplot expression, and the font size that its room allows.
function m.title(s, size, room)
  local lines, longest = m.lines(s), 1
  for _, line in ipairs(lines) do
    longest = math.max(longest, m.width(line, size))
  end
  local small = math.max(size * 0.75, math.min(size, size * room / longest))
  small = math.floor(small * 2) / 2
  for i, line in ipairs(lines) do
    lines[i] = m.quote(m.fit(line, small, room))
  end
  return table.concat(lines, [[ . "\n" . ]]), small
end

-- FNV-1a, 32 bits: tells names apart that become alike when made safe.
local function hash(s)
  local h = 0x811c9dc5
  for i = 1, #s do
    h = ((h ~ s:byte(i)) * 0x01000193) & 0xffffffff
  end
  return ("%08x"):format(h)
end

-- A file name for any text: itself where it is harmless, else what can be
-- kept of it and a hash.
function m.slug(name)
  name = tostring(name)
  local stem = name:lower():match("^[^.]*")
  local numbered = stem:find("^com%d$") or stem:find("^lpt%d$")
  local plain = name:find("^[A-Za-z0-9_][A-Za-z0-9._-]*$")
  if plain and #name <= MAX_NAME and not (RESERVED[stem] or numbered) then
    return name
  end
  local kept = name:gsub("[^A-Za-z0-9_-]+", "_"):gsub("^[_-]+", "")
  kept = kept == "" and "figure" or kept:sub(1, 60)
  return kept .. "-" .. hash(name)
end

return m
