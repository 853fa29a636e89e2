-- A model: a checkpoint whose tensors have been given their parts' names.
--
-- Layers and heads are labels and count from 0, as checkpoints and papers
-- number them; subscripts into tensors count from 1.
local model = {}

local arch <const> = require "weft.arch"
local core <const> = require "weft.core"
local hub <const> = require "weft.hub"
local lfs <const> = require "lfs"
local sys <const> = core.sys

local CONFIG_LIMIT <const> = 64 << 20 -- bytes of a config.json

-- What a dim may be; beyond it a config is broken, not large.
local RANGES <const> = {
  L = { 1, 4096 }, h = { 1, 65536 }, GQA = { 1, 65536 }, d = { 1, 1 << 24 },
  d_ff = { 1, 1 << 26 }, V = { 1, 1 << 31 }, d_head = { 1, 1 << 24 },
}
local ORDER <const> = { "L", "d", "d_ff", "h", "GQA", "V", "d_head" }

local methods <const> = {}
local Model <const> = { __name = "weft.model", __index = methods }

function Model:__tostring()
  local dims <const> = self.dims
  local shown <const> = {}
  for i, key in ipairs(ORDER) do
    shown[i] = ("%s: %s"):format(key, dims[key] or "n/a")
  end
  return ("%s (%s, %s) %s"):format(self.name, self.arch or "unknown family",
    self.format, table.concat(shown, ", "))
end

-- One dim as it stands in the config; false and a sentence where it is there
-- and no whole number of its range.
local function read_dim(key, value, where)
  if value == nil then
    return nil
  end
  local range <const> = RANGES[key]
  local whole <const> = math.type(value) == "float" and value % 1 == 0
    and math.tointeger(value) or value
  if math.type(whole) ~= "integer" or whole < range[1] or whole > range[2] then
    local found <const> = type(value) == "number" and sys.number(value)
      or type(value) == "string" and ("'%s'"):format(sys.escape(value))
      or ("a %s"):format(type(value))
    return false, ("%s is %s, a whole number from %d to %d was expected")
      :format(where, found, range[1], range[2])
  end
  return whole
end

-- Dims by an architecture's table of names. `lookup(name)` gives the value
-- that stands in the file.
local function read_dims(names, lookup)
  local dims <const> = {}
  for _, key in ipairs(ORDER) do
    local value <const>, message <const> = read_dim(key,
      lookup(names[key] or ""), names[key])
    if value == false then
      return nil, message
    end
    dims[key] = value
  end
  return dims
end

-- What follows from the dims that stand in a file. A size of a head that
-- cannot be told leaves d_head absent and says why.
local function derive_dims(dims)
  dims.GQA = dims.GQA or dims.h
  local why
  if dims.h and dims.GQA and dims.h % dims.GQA ~= 0 then
    return nil, ("%d heads cannot be shared by %d key-value heads")
      :format(dims.h, dims.GQA)
  end
  if not dims.d_head and dims.d and dims.h then
    if dims.d % dims.h == 0 then
      dims.d_head = dims.d // dims.h
    else
      why = ("d = %d is no multiple of h = %d, and there is no head_dim")
        :format(dims.d, dims.h)
    end
  end
  if dims.d_head and dims.h then
    dims.d_q = dims.d_head * dims.h
    dims.d_kv = dims.d_head * dims.GQA
  end
  dims.n_layers, dims.d_model = dims.L, dims.d
  dims.n_heads, dims.n_kv_heads = dims.h, dims.GQA
  return dims, why
end

-- The folder's config.json as a table; nil where there is none; false and a
-- message where it is broken.
local function read_config(folder)
  local path <const> = folder .. "/config.json"
  if not lfs.attributes(path, "mode") then
    return nil
  end
  local shown <const> = sys.escape(path)
  local size <const> = lfs.attributes(path, "size")
  if lfs.attributes(path, "mode") ~= "file" or size > CONFIG_LIMIT then
    return false, ("%s: a file of at most 64 MB was expected"):format(shown),
      "format"
  end
  local text <const>, message <const>, code <const> = sys.read(path)
  if not text then
    return false, message, code
  end
  local config <const>, why <const> = core.json(text)
  if not config or not text:find("^%s*{") then
    return false, ("%s: %s"):format(shown, why or "an object was expected"),
      "format"
  end
  return config
end

-- Dims of a folder's config by its family.
local function dims_of_config(self, config, path)
  local family <const> = arch.find("model_type", config.model_type)
  if not family then
    self.reason = config.model_type
      and ("model_type '%s' is no known family"):format(
        sys.escape(tostring(config.model_type)))
      or "config.json names no model_type"
    return {}
  end
  self.family, self.arch = family, family.name
  local dims <const>, message <const> = read_dims(family.dims,
    function(name) return config[name] end)
  return dims, message and ("%s/config.json: %s"):format(sys.escape(path),
    message)
end

-- Dims of a GGUF's own metadata: "llama.block_count" and so on.
local function dims_of_gguf(self, meta)
  local name <const> = meta["general.architecture"]
  local family <const> = arch.find("gguf", name)
  if not family then
    self.reason = ("general.architecture '%s' is no known family"):format(
      sys.escape(tostring(name)))
    return {}
  end
  self.family, self.arch = family, family.name
  local dims <const>, message <const> = read_dims(family.gguf.dims,
    function(key) return meta[("%s.%s"):format(name, key)] end)
  local tokens <const> = meta["tokenizer.ggml.tokens"]
  if dims and not dims.V and type(tokens) == "table" then
    dims.V = tokens.length
  end
  return dims, message and ("%s: %s.%s"):format(sys.escape(self.path), name,
    message)
end

-- The model's name: the hub id, else what config calls itself, else the
-- folder's or file's own name without its extension.
local function name_of(path, id, config)
  local own <const> = config and config._name_or_path
  if id then
    return id
  elseif type(own) == "string" and (own:find("^[%w._-]+$")
      or own:find("^[%w._-]+/[%w._-]+$"))
      and not ("/" .. own .. "/"):find("/%.+/") then
    return own
  end
  local last <const> = path:gsub("/+$", ""):match("[^/]+$") or path
  local stem <const> = lfs.attributes(path, "mode") == "file"
    and last:match("^(.+)%.%w+$") or last
  return stem ~= "." and stem or lfs.currentdir():match("[^/]*$")
end

-- Where the model's config.json would lie: in the folder, or beside a file
-- that has no metadata of its own.
local function config_folder(path, format)
  if lfs.attributes(path, "mode") == "directory" then
    return path
  elseif format ~= "gguf" then
    return path:match("^(.*)/[^/]*$") or "."
  end
  return nil
end

--- weft.open(MODEL): a folder, a file or a hub id; nil, message, code when it
--- can't be read.
function model.open(where)
  if type(where) ~= "string" then
    error(("MODEL is a %s, a path or a hub id was expected")
      :format(type(where)), 2)
  end
  local path <const>, id <const>, code <const> = hub.resolve(where)
  if not path then
    return nil, id, code
  end
  local checkpoint <const>, message <const>, kind <const> = core.open(path)
  if not checkpoint then
    return nil, message, kind
  end
  local folder <const> = config_folder(path, checkpoint.format)
  local config, problem, word
  if folder then
    config, problem, word = read_config(folder)
  end
  if config == false then
    checkpoint:close()
    return nil, problem, word
  end
  local self <const> = setmetatable({ path = path, format = checkpoint.format,
    checkpoint = checkpoint, name = name_of(path, id, config) }, Model)
  return model.name_parts(self, config, folder)
end

-- Which of the names a file's tensors can have: transformers' or llama.cpp's.
local function tensor_name(self, layer, part)
  local family <const> = self.family
  local gguf <const> = self.format == "gguf"
  local prefix <const> = gguf and family.gguf.layer or family.layer
  return prefix:format(layer) .. (gguf and part.gguf or part.tensor)
end

--- Gives a model its family, dims and the list of parts that are missing.
function model.name_parts(self, config, folder)
  local dims, problem
  if config then
    dims, problem = dims_of_config(self, config, folder)
  elseif self.format == "gguf" then
    dims, problem = dims_of_gguf(self, self.checkpoint:meta())
  else
    dims, self.reason = {}, "there is no config.json to tell the family"
  end
  local why
  if dims then
    dims, why = derive_dims(dims)
    problem = problem or not dims and ("%s: %s"):format(sys.escape(self.path),
      why)
  end
  if problem then
    self.checkpoint:close()
    return nil, problem, "format"
  end
  self.dims, self.no_heads = dims, why
  self.missing = {}
  for _, part in ipairs(self.family and dims.L and self:weights {} or {}) do
    if not part.tensor then
      self.missing[#self.missing + 1] = part
    end
  end
  return self
end

-- Raises where a call needs the family or a dim that could not be told.
local function need(self, what, key)
  if not self.family then
    error(("%s needs the model's family: %s"):format(what, self.reason), 3)
  end
  if not self.dims[key] then
    local why <const> = self.no_heads or ("'%s' stands nowhere")
      :format(self.family.dims[key] or key)
    error(("%s needs %s: %s"):format(what, key, why), 3)
  end
end

local function check_label(what, label, count, level)
  if math.type(label) ~= "integer" or label < 0 or label >= count then
    error(("%s %s, one of 0 to %d was expected"):format(what,
      tostring(label), count - 1), level + 1)
  end
end

-- The labels that a caller asked for: nil all, a number one, or a list.
local function labels(asked, count, what)
  local list = asked
  if asked == nil then
    list = {}
    for label = 0, count - 1 do
      list[#list + 1] = label
    end
  elseif type(asked) ~= "table" then
    list = { asked }
  end
  for _, label in ipairs(list) do
    check_label(what, label, count, 3)
  end
  return list
end

local function shape_text(shape)
  return ("[%s]"):format(table.concat(shape, ", "))
end

-- The shape that the dims give a part, or nil where a dim is unknown.
local function expected_shape(self, part)
  local shape <const> = {}
  for i, key in ipairs(part.shape) do
    shape[i] = self.dims[key]
  end
  return #shape == #part.shape and shape or nil
end

-- llama.cpp stores a head's rows 0, half, 1, half + 1, …: two runs of every
-- second row put them back.
local function rotary_runs(heads, d_head)
  local runs <const> = {}
  for head = 0, heads - 1 do
    for half = 0, 1 do
      runs[#runs + 1] = { head * d_head + half, 1, 2, d_head // 2 }
    end
  end
  return runs
end

local function in_order(self, row, tensor)
  local dims <const> = self.dims
  local permuted <const> = self.format == "gguf" and self.family.gguf.permuted
  if permuted and row.rotary and dims.d_head then
    return tensor:runs(rotary_runs(dims[row.split], dims.d_head))
  end
  return tensor
end

-- One part of one layer: its tensor, or the reason why there is none.
local function make_part(self, layer, row)
  local name <const> = tensor_name(self, layer, row)
  local part <const> = { layer = layer, name = row.name, source = name,
    shape = expected_shape(self, row), tensor = false }
  local entry <const> = self.checkpoint:entry(name)
  if not entry then
    part.reason = ("missing: there is no tensor '%s'"):format(sys.escape(name))
  elseif part.shape and shape_text(entry.shape) ~= shape_text(part.shape) then
    part.reason = ("wrong shape: '%s' is %s, the dims say %s"):format(
      sys.escape(name), shape_text(entry.shape), shape_text(part.shape))
  else
    part.shape = entry.shape
    part.tensor, part.reason = self.checkpoint:tensor(name)
    part.tensor = part.tensor and in_order(self, row, part.tensor) or false
    part.dtype = entry.dtype
  end
  return part
end

--- m:weights(18) or m:weights{layers=, names=}: a list of parts {layer, name,
--- shape, tensor, dtype}, layer by layer in the family's order. A part that
--- is not there has tensor = false and a reason.
function methods:weights(arg)
  need(self, "weights", "L")
  local options <const> = type(arg) == "table" and arg or { layers = arg }
  local wanted <const> = {}
  for _, name in ipairs(options.names or {}) do
    wanted[name] = true
  end
  local parts <const> = {}
  for _, layer in ipairs(labels(options.layers, self.dims.L, "layer")) do
    for _, row in ipairs(self.family.parts) do
      if not options.names or wanted[row.name] then
        parts[#parts + 1] = make_part(self, layer, row)
      end
    end
  end
  return parts
end

local function row_of(self, name)
  local names <const> = {}
  for i, row in ipairs(self.family.parts) do
    names[i] = row.name
    if row.name == name then
      return row
    end
  end
  error(("no weight '%s'; there are %s"):format(tostring(name),
    table.concat(names, ", ")), 3)
end

-- A head's rows (or columns) of a whole weight; W_K and W_V by query group.
local function slice(self, row, tensor, head)
  local dims <const> = self.dims
  local at <const> = row.split == "GQA" and head // (dims.h // dims.GQA)
    or head
  local first <const>, last <const> = at * dims.d_head + 1,
    (at + 1) * dims.d_head
  if row.axis == 2 then
    return tensor:cols(first, last)
  end
  return tensor:rows(first, last)
end

--- m:weight(18, "W_Q"[, head]): the tensor, (out, in) whatever the file's
--- layout; with a head its rows (W_O: its columns), W_K and W_V by group.
--- Raises with the reason where the part is not there.
function methods:weight(layer, name, head)
  need(self, "weight", "L")
  check_label("layer", layer, self.dims.L, 2)
  local row <const> = row_of(self, name)
  local part <const> = make_part(self, layer, row)
  if not part.tensor then
    error(("layer %d %s: %s"):format(layer, name, part.reason), 2)
  elseif head == nil then
    return part.tensor
  end
  need(self, "a head", "d_head")
  check_label("head", head, self.dims.h, 2)
  if not row.split then
    error(("%s is not cut into heads"):format(name), 2)
  end
  return slice(self, row, part.tensor, head)
end

--- The two factors' names of each kernel: M = left^T right.
local KERNELS <const> = { qk = { "W_Q", "W_K" }, ov = { "W_O", "W_V" } }

-- A head's factor of a kernel; what is wrong is told at the kernel's caller.
local function factor(self, layer, name, head)
  local ok <const>, tensor <const> = pcall(self.weight, self, layer, name,
    head == nil and "nil" or head)
  if not ok then
    error(tensor, 3)
  end
  return tensor
end

local function kernel(self, layer, head, of)
  local left <const> = factor(self, layer, KERNELS[of][1], head)
  local right <const> = factor(self, layer, KERNELS[of][2], head)
  return core.kernel(of == "ov" and left:t() or left, right)
end

--- The kernel W_Q_h^T W_K_h of one head, factored.
function methods:qk(layer, head)
  return kernel(self, layer, head, "qk")
end
methods.kernel = methods.qk

--- The kernel W_O_h W_V_h of one head, factored.
function methods:ov(layer, head)
  return kernel(self, layer, head, "ov")
end

-- The two whole factors of a layer's kernels, or nil and the reason.
local function factors(self, layer, of)
  local tensors <const> = {}
  for i, name in ipairs(KERNELS[of]) do
    local part <const> = make_part(self, layer, row_of(self, name))
    if not part.tensor then
      return nil, ("%s: %s"):format(name, part.reason)
    end
    tensors[i] = part.tensor
  end
  return tensors
end

--- m:heads{layers=, heads=, of="qk"|"ov"}: a list of parts {layer, head,
--- kernel}; kernel = false with a reason where a weight is not there.
function methods:heads(options)
  options = options or {}
  local of <const> = options.of or "qk"
  if not KERNELS[of] then
    error(("of is '%s', 'qk' or 'ov' was expected"):format(of), 2)
  end
  need(self, "heads", "L")
  need(self, "heads", "d_head")
  local parts <const> = {}
  local heads <const> = labels(options.heads, self.dims.h, "head")
  local row_l <const> = row_of(self, KERNELS[of][1])
  local row_r <const> = row_of(self, KERNELS[of][2])
  for _, layer in ipairs(labels(options.layers, self.dims.L, "layer")) do
    local tensors <const>, reason <const> = factors(self, layer, of)
    for _, head in ipairs(heads) do
      local part <const> = { layer = layer, head = head, kernel = false,
        reason = reason }
      if tensors then
        local left <const> = slice(self, row_l, tensors[1], head)
        part.kernel = core.kernel(of == "ov" and left:t() or left,
          slice(self, row_r, tensors[2], head))
      end
      parts[#parts + 1] = part
    end
  end
  return parts
end

--- Names of all tensors, in file order.
function methods:tensors()
  return self.checkpoint:names()
end

--- A tensor by its name in the file; raises where there is none.
function methods:tensor(name)
  local tensor <const>, message <const> = self.checkpoint:tensor(name)
  if not tensor then
    error(message, 2)
  end
  return tensor
end

--- Closes the files; tensors of the model then answer "tensor is closed".
function methods:close()
  self.checkpoint:close()
end
Model.__close = methods.close

-- The layer number in a tensor's name, by the family's pattern of names.
local function layer_in(self, name)
  local prefix <const> = self.format == "gguf" and self.family.gguf.layer
    or self.family.layer
  local from <const>, to <const> = prefix:find("%d", 1, true)
  local head <const>, tail <const> = prefix:sub(1, from - 1),
    prefix:sub(to + 1)
  if name:sub(1, #head) ~= head then
    return nil
  end
  local digits <const>, rest <const> = name:sub(#head + 1):match("^(%d+)(.*)$")
  return digits and rest:sub(1, #tail) == tail and math.tointeger(digits)
    or nil
end

local function why_not(self, entry, known)
  if not self.family then
    return self.reason
  end
  local layer <const> = layer_in(self, entry.name)
  local L <const> = self.dims.L
  if layer and L and layer >= L then
    return ("layer %d is beyond the %d layers of the config"):format(layer, L)
  elseif known[entry.name] then
    return nil
  elseif layer then
    return #entry.shape < 2 and "a vector" or "no weight of this family"
  end
  return "outside the layers"
end

--- Tensors that no analysis reads: a list of {name, shape, dtype, reason,
--- extra}, in file order; extra = true for a layer beyond the config's.
function methods:not_analysed()
  local known, list = {}, {}
  for _, part in ipairs(self.family and self.dims.L and self:weights {}
    or {}) do
    known[part.source] = true
  end
  for _, name in ipairs(self:tensors()) do
    local entry <const> = self.checkpoint:entry(name)
    local reason <const> = why_not(self, entry, known)
    if reason then
      local layer <const> = self.family and layer_in(self, name)
      list[#list + 1] = { name = name, shape = entry.shape,
        dtype = entry.dtype, reason = reason, layer = layer,
        extra = layer ~= nil and layer >= (self.dims.L or math.huge) }
    end
  end
  return list
end

return model
