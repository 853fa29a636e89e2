-- Weights that are stored in several tensors: which those are, by their names,
-- and the one tensor of values that they stand for. packed.over puts this
-- before a checkpoint: whoever asks that for "X.weight" gets the values,
-- whatever they are stored as.
local packed = {}

local core <const> = require "weft.core"

local STATE_LIMIT <const> = 1 << 16 -- bytes of a quant_state

local function set(words)
  local list <const> = {}
  for word in words:gmatch "%S+" do
    list[word] = true
  end
  return list
end

local FP8 <const> = set "F8_E4M3 F8_E5M2 F8_E4M3FNUZ F8_E5M2FNUZ"
local INTEGERS <const> = set "U8 I8 I32 U32"
local PACKED <const> = set "F8_E4M3 F8_E5M2 F8_E4M3FNUZ F8_E5M2FNUZ U8 I8"
local BARE <const> = "packed integers, no scales beside it"

-- The config's quantization_config, or an empty table.
local function quantization(config)
  local found = type(config) == "table" and config.quantization_config
  return type(found) == "table" and found or {}
end

local function positive(value)
  return math.type(value) == "integer" and value > 0 and value or nil
end

-- Rows and columns of an FP8 scale's block.
local function block_of(settings)
  local block <const> = settings.weight_block_size
  if type(block) == "table" and positive(block[1]) and positive(block[2]) then
    return { block[1], block[2] }
  end
  return { 128, 128 }
end

-- A number, a word or nothing, as a sentence shows it.
local function shown(value)
  return core.sys.escape(type(value) == "table" and "a table"
    or tostring(value))
end

local function scaled(ending)
  return function(weight)
    return "scaled", { weight.base, weight:name(ending) },
      { block = block_of(weight.settings) }
  end
end

-- compressed-tensors' int8: a scale a row, and zero points where asymmetric.
local function scaled_integers(weight)
  local settings <const> = weight.settings
  if settings.quant_method ~= "compressed-tensors"
      or settings.format ~= "int-quantized" then
    return nil, "integers with scales, and no quantization_config that says "
      .. "how"
  elseif weight:has "_zero_point" then
    return nil, "integers with zero points are not read"
  end
  return "scaled", { weight.base, weight:name "_scale" }
end

-- bitsandbytes' int8: 127 stands for a row's largest magnitude. Row by row is
-- the one layout that is saved by now.
local function row_scaled(weight)
  local format <const> = weight:has "_format"
    and weight:tensor("_format"):reshape(1)[1] or 0
  if format ~= 0 then
    return nil, ("bitsandbytes' int8 in layout %g is not read"):format(format)
  end
  return "scaled", { weight.base, weight:name "%SCB" }, { divisor = 127 }
end

-- bitsandbytes' four bits: quant_state is JSON with the weight's shape.
local function by_table(weight)
  local kind <const> = weight:has ".quant_state.bitsandbytes__nf4" and "nf4"
    or "fp4"
  local suffix <const> = ".quant_state.bitsandbytes__" .. kind
  local entry <const> = weight:has(suffix)
  if not entry or entry.bytes > STATE_LIMIT or #entry.shape ~= 1 then
    return nil, "bitsandbytes' four bits without their quant_state"
  end
  local bytes <const> = weight:tensor(suffix):totable()
  for i, byte in ipairs(bytes) do
    bytes[i] = string.char(byte)
  end
  local state <const> = core.json(table.concat(bytes))
  local shape <const> = type(state) == "table" and state.shape
  if weight:has ".nested_absmax" or weight:has(".absmax").dtype == "U8" then
    return nil, "bitsandbytes' four bits with a quantised absmax are not read"
  elseif type(shape) ~= "table" or #shape ~= 2 or not positive(shape[1])
      or not positive(shape[2]) or not positive(state.blocksize) then
    return nil, "bitsandbytes' four bits, and their quant_state gives no shape"
  end
  return "table", { weight.base, weight:name ".absmax",
    weight:name ".quant_map" },
    { shape = shape, block_size = state.blocksize, name = kind:upper() }
end

-- What GPTQ's checkpoint_format adds to the zero points.
local ZERO_ADD <const> = { gptq = 1, gptq_v2 = 0 }

local function gptq(weight, names)
  local settings <const> = weight.settings
  local format <const> = settings.checkpoint_format or "gptq"
  if settings.bits ~= 4 and settings.bits ~= 8 then
    return nil, ("GPTQ of %s bits is not read: expected 4 or 8"):format(
      shown(settings.bits))
  elseif not ZERO_ADD[format] then
    return nil, ("GPTQ's checkpoint_format '%s' is not known"):format(
      shown(format))
  end
  return "gptq", names, { bits = settings.bits, zero_add = ZERO_ADD[format],
    group = positive(settings.group_size) }
end

local function awq(weight, names)
  local settings <const> = weight.settings
  local version <const> = settings.version or settings.format or "gemm"
  if settings.bits ~= 4 then
    return nil, ("AWQ of %s bits is not read: expected 4"):format(
      shown(settings.bits))
  elseif tostring(version):lower() ~= "gemm" then
    return nil, ("AWQ's version '%s' is not known"):format(shown(version))
  end
  return "awq", { names[1], names[2], names[3] },
    { group = positive(settings.group_size) }
end

-- Words that are GPTQ's or AWQ's: only the config tells which.
local WORDS <const> = { gptq = gptq, awq = awq }

local function words(weight)
  local method <const> = weight.settings.quant_method
  if not WORDS[method] then
    return nil, method and ("integers packed by '%s' are not read"):format(
      shown(method)) or "packed integers, and no quantization_config that "
      .. "says how"
  end
  return WORDS[method](weight, { weight:name "%qweight",
    weight:name "%qzeros", weight:name "%scales", weight:name "%g_idx" })
end

local function refused(reason)
  return function()
    return nil, reason
  end
end

local function microscaled(weight)
  return "mxfp4", { weight:name "_blocks", weight:name "_scales" }
end

-- One row a packing, the first that fits counts. Its tensors are the values'
-- name and an ending, before which % takes the word "weight" away: the main
-- one (where that has another name than the values), of one of the dtypes,
-- one that must stand with it, and those that may. make gives core.packed's
-- arguments, names for tensors, or nil and why the values can't be had; reads
-- is the values' dtype in any case.
local PACKINGS <const> = {
  { dtypes = FP8, with = "_scale_inv", make = scaled "_scale_inv" },
  { dtypes = FP8, with = "_scale", make = scaled "_scale" },
  { dtypes = set "I8", with = "%SCB", may = { "_format" }, make = row_scaled },
  { dtypes = set "I8", with = "_scale", may = { "_zero_point" },
    make = scaled_integers },
  { dtypes = set "U8", with = ".absmax", may = { ".quant_map",
    ".nested_absmax", ".nested_quant_map", ".quant_state.bitsandbytes__nf4",
    ".quant_state.bitsandbytes__fp4" }, make = by_table },
  { main = "%qweight", may = { "%qzeros", "%scales", "%g_idx" },
    make = words },
  { main = "_packed", may = { "_scale", "_zero_point", "_shape", "_g_idx" },
    make = refused "compressed-tensors' packed integers are not read" },
  { main = "_blocks", may = { "_scales" }, reads = "MXFP4",
    make = microscaled },
}

-- All endings of a row, and the last words of all rows' endings.
local LAST_WORDS <const> = {}
for _, packing in ipairs(PACKINGS) do
  local list <const> = table.move(packing.may or {}, 1,
    #(packing.may or {}), 1, {})
  list[#list + 1] = packing.main
  list[#list + 1] = packing.with
  packing.endings = list
  for _, ending in ipairs(list) do
    LAST_WORDS[ending:match "%w+$"] = true
  end
end

-- The name with an ending of a row; nil where there is no "weight" to take
-- away.
local function beside(base, ending)
  if ending:sub(1, 1) ~= "%" then
    return base .. ending
  end
  local stem <const>, count <const> = base:gsub("weight$", "")
  return count == 1 and stem .. ending:sub(2) or nil
end

-- The values' name where a tensor's name has the ending.
local function without(name, ending)
  local word <const> = ending:gsub("^%%", "")
  if #name <= #word or name:sub(-#word) ~= word then
    return nil
  end
  return name:sub(1, -#word - 1) .. (word == ending and "" or "weight")
end

-- A weight under examination: base, the values' name; stored, the checkpoint;
-- settings, the quantization_config.
local Weight <const> = {}
Weight.__index = Weight

function Weight:name(ending)
  return beside(self.base, ending)
end

function Weight:has(ending)
  local name <const> = self:name(ending)
  return name and self.stored:entry(name)
end

function Weight:tensor(ending)
  return assert(self.stored:tensor(self:name(ending)))
end

-- The weight's packing and the entry of its main tensor, or nil.
local function packing_of(weight)
  for _, packing in ipairs(PACKINGS) do
    local entry <const> = weight:has(packing.main or "")
    if entry and (not packing.dtypes or packing.dtypes[entry.dtype])
        and (not packing.with or weight:has(packing.with)) then
      return packing, entry
    end
  end
  return nil
end

-- The tensor of a packed weight's values; or nil and why not.
local function build(weight, packing)
  local kind <const>, names <const>, options <const> = packing.make(weight)
  if not kind then
    return nil, names, "unsupported"
  end
  local tensors <const> = {}
  for i, name in ipairs(names) do
    tensors[i] = weight.stored:tensor(name)
  end
  return core.packed(kind, tensors, options)
end

-- What is known of the values of a name: {weight, packing, entry}; false where
-- they are not packed.
local function look_up(self, base)
  local known = self.known[base]
  if known ~= nil then
    return known
  end
  local weight <const> = setmetatable({ base = base, stored = self.stored,
    settings = self.settings }, Weight)
  local packing <const>, entry <const> = packing_of(weight)
  known = false
  if packing then
    local tensor <const>, reason <const> = build(weight, packing)
    entry.name = base
    entry.dtype = tensor and tensor.dtype or packing.reads or entry.dtype
    entry.shape = tensor and tensor.shape or packing.main and {}
      or entry.shape
    entry.reason = reason
    known = { weight = weight, packing = packing, entry = entry }
  end
  self.known[base] = known
  return known
end

-- The name of the values that a stored tensor of another name is a part of.
local function owner_of(self, name)
  if not LAST_WORDS[name:match "%w*$"] then
    return nil
  end
  for _, packing in ipairs(PACKINGS) do
    for _, ending in ipairs(packing.endings) do
      local base <const> = without(name, ending)
      local known <const> = base and look_up(self, base)
      if known and known.packing == packing then
        return base
      end
    end
  end
  return nil
end

local methods <const> = {}

--- ck:entry(name): as the stored checkpoint's, but of packed values their
--- dtype and shape, or `reason` where they can't be had; of a tensor that such
--- values are made of `part_of`, their name.
function methods:entry(name)
  local entry <const>, message <const>, code <const> =
    self.stored:entry(name)
  if self.plain then
    return entry, message, code
  end
  local known <const> = (not entry or PACKED[entry.dtype])
    and look_up(self, name)
  if known then
    return known.entry
  elseif not entry then
    return nil, message, code
  end
  entry.part_of = owner_of(self, name)
  if not entry.part_of and INTEGERS[entry.dtype] and #entry.shape > 1
      and name:find "weight" then
    entry.reason = BARE
  end
  return entry
end

--- ck:axes(name): how many the values have.
function methods:axes(name)
  if self.plain then
    return self.stored:axes(name)
  end
  local entry <const>, message <const>, code <const> = self:entry(name)
  return entry and #entry.shape, message, code
end

--- ck:tensor(name): of packed values the tensor of those, or nil and why they
--- can't be had.
function methods:tensor(name)
  if self.plain then
    return self.stored:tensor(name)
  end
  local entry <const> = self.stored:entry(name)
  local known <const> = (not entry or PACKED[entry.dtype])
    and look_up(self, name)
  if known then
    return build(known.weight, known.packing)
  end
  return self.stored:tensor(name)
end

--- ck:values(): the names of all values, in file order: packed ones by theirs,
--- once, not by those of the tensors that they are made of.
function methods:values()
  if self.plain then
    return self.stored:names()
  end
  local list, met = {}, {}
  for _, name in ipairs(self.stored:names()) do
    local value <const> = self:entry(name).part_of or name
    list[#list + 1] = not met[value] and value or nil
    met[value] = true
  end
  return list
end

for _, name in ipairs { "names", "meta", "notes", "close" } do
  methods[name] = function(self)
    return self.stored[name](self.stored)
  end
end

-- Printed as what it stands for.
local Over <const> = { __name = "weft.checkpoint", __close = methods.close }

function Over:__index(key)
  return methods[key] or self.stored[key]
end

function Over:__len()
  return #self.stored
end

function Over:__tostring()
  return tostring(self.stored)
end

-- Whether no tensor is of a dtype that values are packed into: most models,
-- whose many names then need no looking at.
local function is_plain(checkpoint)
  for dtype in pairs(checkpoint:dtypes()) do
    if PACKED[dtype] or INTEGERS[dtype] then
      return false
    end
  end
  return true
end

--- The checkpoint with its packed weights as their values; config is that of
--- the model, or nil.
function packed.over(checkpoint, config)
  return setmetatable({ stored = checkpoint, known = {},
    plain = is_plain(checkpoint),
    settings = quantization(config) }, Over)
end

return packed
