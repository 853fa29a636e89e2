-- Tensors to files.
local save = {}

local check <const> = require "weft.check"
local core <const> = require "weft.core"
local json <const> = require "weft.json"

-- Bytes of an element.
local DTYPES <const> = { F64 = 8, F32 = 4, F16 = 2, BF16 = 2 }
-- What safetensors' own reader takes.
local HEADER_MAX <const> = 100000000

local function quote(text)
  return json.encode(text):sub(1, -2)
end

-- What is wrong with an entry, or nil.
local function fault(entry, seen)
  local name <const> = entry.name
  if type(name) ~= "string" or not utf8.len(name) or name:find("\0", 1, true)
  then
    return "is no name, expected UTF-8 text without NUL"
  elseif name == "__metadata__" then
    return "is a name that the format keeps for itself"
  elseif seen[name] then
    return "is there twice"
  elseif type(entry.tensor) ~= "userdata" then
    return ("is a %s, expected a tensor"):format(type(entry.tensor))
  elseif not DTYPES[entry.dtype or entry.tensor.dtype:upper()] then
    return ("has dtype %s, expected F64, F32, F16 or BF16")
      :format(entry.dtype or entry.tensor.dtype)
  end
end

-- One tensor's record in the header, and its bytes.
local function encode_entry(entry, offset)
  local dtype <const> = entry.dtype or entry.tensor.dtype:upper()
  local ok, bytes = pcall(core.encode, entry.tensor, dtype)
  if not ok then
    return nil, bytes
  end
  local record <const> = '%s:{"dtype":"%s","shape":[%s],"data_offsets":[%d,%d]}'
  return record:format(quote(entry.name), dtype,
    table.concat(entry.tensor.shape, ","), offset, offset + #bytes), bytes
end

--- Writes {name=, tensor=, dtype="F16"} records (dtype: F64, F32, F16 or BF16,
--- the tensor's own where it is left out) to a safetensors file, in the order
--- given, whole or not at all. Returns true, or nil, message, code.
function save.safetensors(path, list)
  check.path("path", path)
  check.list("list", list, "table", "{name=, tensor=} tables")
  local records <const> = { '"__metadata__":{"format":"pt"}' }
  local parts <const> = { "", "" }
  local seen <const>, offset = {}, 0
  for i, entry in ipairs(list) do
    local shown <const> = ("tensor %d '%s'"):format(i,
      core.sys.escape(tostring(entry.name)))
    local reason <const> = fault(entry, seen)
    if reason then
      return nil, ("%s %s"):format(shown, reason), "argument"
    end
    local record, bytes = encode_entry(entry, offset)
    if not record then
      return nil, ("%s: %s"):format(shown, bytes), "argument"
    end
    seen[entry.name] = true
    records[#records + 1], parts[#parts + 1] = record, bytes
    offset = offset + #bytes
  end
  local header = "{" .. table.concat(records, ",") .. "}"
  -- spaces to a multiple of 8, so that the data can be mapped aligned
  header = header .. (" "):rep(-#header % 8)
  if #header > HEADER_MAX then
    return nil, ("a header of %d bytes, expected at most %d"):format(#header,
      HEADER_MAX), "argument"
  end
  parts[1], parts[2] = ("<I8"):pack(#header), header
  return core.sys.write(path, table.concat(parts))
end

-- The records of a table { name = tensor }, wide elements first, so that each
-- lies aligned, and else by name; a list of records as it is.
local function records_of(what)
  if type(what) ~= "table" or math.type(next(what)) == "integer" then
    return what
  end
  local list, widths = {}, {}
  for name, tensor in pairs(what) do
    if type(name) ~= "string" then
      return what
    end
    list[#list + 1] = { name = name, tensor = tensor }
    local dtype <const> = type(tensor) == "userdata" and tensor.dtype
    widths[name] = DTYPES[tostring(dtype):upper()] or 0
  end
  table.sort(list, function(a, b)
    if widths[a.name] ~= widths[b.name] then
      return widths[a.name] > widths[b.name]
    end
    return a.name < b.name
  end)
  return list
end

-- The module is a function too, since weft.save is both.
local function any(_, path, what)
  check.path("path", path)
  local kind <const> = path:match "%.(%w+)$"
  if kind == "npy" then
    check.class("t", what, "tensor")
    return core.save(path, what)
  elseif kind == "safetensors" then
    return save.safetensors(path, records_of(what))
  elseif kind == "npz" then
    return require("weft.npz").write(path, records_of(what))
  end
  return nil, ("%s: expected a name in .npy, .npz or .safetensors")
    :format(core.sys.escape(path)), "argument"
end

return setmetatable(save, { __call = any })
