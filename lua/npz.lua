-- Arrays to an .npz file: numpy's zip of one .npy a member, stored.
local npz = {}

local check <const> = require "weft.check"
local core <const> = require "weft.core"

local sys <const> = core.sys

local DESCR <const> = { f64 = "<f8", f32 = "<f4" }
-- The first of January 1980: the same arrays are the same bytes.
local DATE <const> = 0x21
local UTF8_NAME <const> = 0x800
local COUNT_MOST <const>, OFFSET_MOST <const> = 0xFFFF, 0xFFFFFFFF

-- What is wrong with an entry, or nil.
local function fault(entry, seen)
  local name <const> = entry.name
  if type(name) ~= "string" or name == "" or #name > 60000
      or not utf8.len(name) or name:find("\0", 1, true) then
    return "has no name, expected UTF-8 text without NUL"
  elseif seen[name] then
    return "is there twice"
  elseif type(entry.tensor) ~= "userdata" then
    return ("is a %s, expected a tensor"):format(type(entry.tensor))
  elseif entry.tensor.dtype == "i64" then
    return "has dtype i64, expected f64 or f32"
  end
end

-- The .npy text of a tensor, as numpy writes it; a file's becomes F64.
local function npy(tensor)
  local dtype <const> = DESCR[tensor.dtype] and tensor.dtype or "f64"
  local shape <const> = table.concat(tensor.shape, ", ")
  local header <const> =
    ("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }"):format(
      DESCR[dtype], #tensor.shape == 1 and shape .. "," or shape)
  -- magic, version and length are 10 bytes; the data begin at a multiple of 64
  local padded <const> = header .. (" "):rep(-(10 + #header + 1) % 64) .. "\n"
  return "\x93NUMPY\1\0" .. ("<s2"):pack(padded)
    .. core.encode(tensor, dtype:upper())
end

-- The fields that a member's two headers share.
local function common(name, crc, size)
  local flags <const> = name:find "[\x80-\xff]" and UTF8_NAME or 0
  return ("<I2I2I2I2I2I4I4I4I2I2"):pack(20, flags, 0, 0, DATE, crc, size, size,
    #name, 0)
end

-- The end of the directory, in the large form too where the small one can't
-- count the members.
local function ending(count, size, offset)
  local small <const> = ("<I4I2I2I2I2I4I4I2"):pack(0x06054b50, 0, 0,
    math.min(count, COUNT_MOST), math.min(count, COUNT_MOST), size, offset, 0)
  if count < COUNT_MOST then
    return small
  end
  return ("<I4I8I2I2I4I4I8I8I8I8"):pack(0x06064b50, 44, 45, 45, 0, 0, count,
    count, size, offset) .. ("<I4I4I8I4"):pack(0x07064b50, 0, offset + size, 1)
    .. small
end

--- Writes {name=, tensor=} records to an .npz file in the order given, whole
--- or not at all: numpy.load(path)[name] is the array. Returns true, or nil,
--- message, code.
function npz.write(path, list)
  check.path("path", path)
  check.list("list", list, "table", "{name=, tensor=} tables")
  local pieces <const>, directory <const> = {}, {}
  local seen <const>, offset = {}, 0
  for i, entry in ipairs(list) do
    local reason <const> = fault(entry, seen)
    if reason then
      return nil, ("array %d '%s' %s"):format(i,
        sys.escape(tostring(entry.name)), reason), "argument"
    end
    seen[entry.name] = true
    local name <const>, bytes <const> = entry.name .. ".npy", npy(entry.tensor)
    local fields <const> = common(name, sys.crc32(bytes), #bytes)
    directory[i] = ("<I4I2"):pack(0x02014b50, 3 << 8 | 20) .. fields
      .. ("<I2I2I2I4I4"):pack(0, 0, 0, 0x81A4 << 16, offset) .. name
    local head <const> = ("<I4"):pack(0x04034b50) .. fields .. name
    pieces[#pieces + 1], pieces[#pieces + 2] = head, bytes
    offset = offset + #head + #bytes
    if offset > OFFSET_MOST then
      return nil, ("more than %d bytes of arrays"):format(OFFSET_MOST),
        "argument"
    end
  end
  local names <const> = table.concat(directory)
  pieces[#pieces + 1] = names
  pieces[#pieces + 1] = ending(#list, #names, offset)
  return sys.write(path, table.concat(pieces))
end

return npz
