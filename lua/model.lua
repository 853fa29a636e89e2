-- A model: a checkpoint whose tensors have been given their parts' names.
--
-- Layers and heads are labels and count from 0, as checkpoints and papers
-- number them; subscripts into tensors count from 1. An encoder's layers come
-- before its decoder's.
local model = {}

local check <const> = require "weft.check"
local core <const> = require "weft.core"
local dims <const> = require "weft.model.dims"
local family <const> = require "weft.model.family"
local hub <const> = require "weft.hub"
local kernels <const> = require "weft.model.kernels"
local lfs <const> = require "weft.folders"
local packed <const> = require "weft.packed"
local parts <const> = require "weft.model.parts"
local sys <const> = core.sys

local CONFIG_LIMIT <const> = 64 << 20 -- bytes of a config.json

local methods <const> = {}
local Model <const> = { __name = "weft.model", methods = methods }

function Model:__tostring()
  local shown <const> = {}
  for i, key in ipairs(dims.order) do
    shown[i] = ("%s: %s"):format(key, self.dims[key] or "n/a")
  end
  return ("%s (%s, %s) %s"):format(self.name, self.arch or "unknown family",
    self.format, table.concat(shown, ", "))
end

--- The folder's config.json as a table; nil where there is none; false, a
--- message and its code where it can't be read or is no object.
function model.config(folder)
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
  if type(config) ~= "table" or not text:find("^%s*{") then
    return false, ("%s: %s"):format(shown, why or "an object was expected"),
      "format"
  end
  return config
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

-- The model's name: the hub id, else what config calls itself, else the
-- folder's or file's own name without its extension.
local function name_of(path, id, config)
  local own <const> = config and config._name_or_path
  if id then
    return id
  elseif type(own) == "string" and (own:find("^[%w_-][%w._-]*$")
      or own:find("^[%w_-][%w._-]*/[%w_-][%w._-]*$")) then
    return own
  end
  local last <const> = path:gsub("/+$", ""):match("[^/]+$") or path
  local stem <const> = lfs.attributes(path, "mode") == "file"
    and last:match("^(.+)%.%w+$") or last
  return stem ~= "." and stem or lfs.currentdir():match("[^/]*$")
end

-- The list of parts that the model should have and has not.
local function missing_parts(self)
  local list <const> = {}
  for _, part in ipairs(self:weights {}) do
    list[#list + 1] = not part.tensor and part or nil
  end
  return list
end

-- What is missing is looked for when it is first asked for: opening a model of
-- a hundred thousand tensors should not wait for it.
function Model:__index(key)
  if key == "missing" then
    self.missing = missing_parts(self)
    return self.missing
  end
  return methods[key]
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
    config, problem, word = model.config(folder)
  end
  if config ~= false then
    local self <const> = setmetatable({ path = path,
      checkpoint = packed.over(checkpoint, config),
      format = checkpoint.format, name = name_of(path, id, config) }, Model)
    local told <const>, wrong <const> = family.tell(self, config)
    if told then
      return self
    end
    problem, word = ("%s: %s"):format(sys.escape(config and folder
      .. "/config.json" or path), wrong), "format"
  end
  checkpoint:close()
  return nil, problem, word
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
  else
    check.array(what .. "s", asked)
  end
  for _, label in ipairs(list) do
    check_label(what, label, count, 3)
  end
  return list
end

-- A misspelt option would silently ask for everything.
local function check_options(options, known, level)
  local names <const> = {}
  for name in pairs(known) do
    names[#names + 1] = name
  end
  table.sort(names)
  for name in pairs(options) do
    if not known[name] then
      error(("unknown option '%s'; there are %s"):format(tostring(name),
        table.concat(names, ", ")), level + 1)
    end
  end
end

-- Raises where no layer has a part or a type of one of the names.
local function check_names(self, names, level)
  local known, list = {}, {}
  for layer = 0, self.dims.L - 1 do
    for _, row in ipairs(parts.rows(self, layer)) do
      list[#list + 1] = not known[row.name] and row.name or nil
      known[row.name] = true
    end
  end
  for _, name in ipairs(names) do
    local type_name <const> = tostring(name):gsub("%.%d+$", "")
    if not known[name] and not known[type_name] then
      error(("no weight '%s'; there are %s"):format(tostring(name),
        table.concat(list, ", ")), level + 1)
    end
  end
end

--- The stack that a layer lies in, and its number there.
function methods:stack_of(layer)
  check_label("layer", layer, self.dims.L or 0, 2)
  for _, stack in ipairs(self.stacks) do
    if layer < stack.first + stack.count then
      return stack, layer - stack.first
    end
  end
  error(("layer %s of %d"):format(tostring(layer), self.dims.L), 2)
end

--- m:weights(18) or m:weights{layers=, names=}: a list of parts {layer, name,
--- type, expert, shape, tensor, dtype, source}, layer by layer in the family's
--- order. A part that is not there has tensor = false and a reason.
function methods:weights(arg)
  local options <const> = type(arg) == "table" and arg or { layers = arg }
  check_options(options, { layers = true, names = true }, 2)
  local wanted
  if options.names then
    wanted = {}
    local names <const> = type(options.names) == "string" and { options.names }
      or options.names
    check.array("names", names)
    for _, name in ipairs(names) do
      wanted[name] = true
    end
    check_names(self, names, 2)
  end
  local list <const> = {}
  for _, layer in ipairs(labels(options.layers, self.dims.L, "layer")) do
    local found <const> = parts.of_layer(self, layer, wanted)
    table.move(found, 1, #found, #list + 1, list)
  end
  return list
end

-- The part of that name in a layer; raises where the layer has none.
local function part_of(self, layer, name)
  local part <const> = parts.of_layer(self, layer, { [name] = true })[1]
  if part then
    return part
  end
  local names <const> = {}
  for i, other in ipairs(parts.of_layer(self, layer)) do
    names[i] = other.name
  end
  error(("no weight '%s' in layer %d; there are %s"):format(tostring(name),
    layer, table.concat(names, ", ")), 3)
end

-- The dims of a layer's stack; raises where its heads can't be told apart.
local function head_dims(self, layer, what, level)
  local stack <const> = self:stack_of(layer)
  if stack.no_heads then
    error(("%s needs d_head: %s"):format(what, stack.no_heads), level + 1)
  end
  return stack.dims
end

--- m:weight(18, "W_Q"[, head]): the tensor, (out, in) whatever the file's
--- layout; with a head its rows (W_O: its columns), W_K and W_V by group.
--- Raises with the reason where the part is not there.
function methods:weight(layer, name, head)
  check_label("layer", layer, self.dims.L, 2)
  local part <const> = part_of(self, layer, name)
  if not part.tensor then
    error(("layer %d %s: %s"):format(layer, name, part.reason), 2)
  elseif head == nil then
    return part.tensor
  end
  local sizes <const> = head_dims(self, layer, "a head", 2)
  check_label("head", head, sizes.h, 2)
  if not part.row.split then
    error(("%s is not cut into heads"):format(name), 2)
  end
  return kernels.slice(sizes, part.row, part.tensor, head)
end

--- m:heads{layers=, heads=, of="qk"|"ov"}: a list of parts {layer, head,
--- kernel, dtype}; kernel = false with a reason where a weight is not there.
function methods:heads(arg)
  local options <const> = type(arg) == "table" and arg or { layers = arg }
  check_options(options, { layers = true, heads = true, of = true }, 2)
  local of <const> = options.of or "qk"
  if not kernels.known(of) then
    error(("of is '%s', 'qk' or 'ov' was expected"):format(tostring(of)), 2)
  end
  local list <const> = {}
  for _, layer in ipairs(labels(options.layers, self.dims.L, "layer")) do
    local sizes <const> = head_dims(self, layer, "heads", 2)
    local make <const>, word <const> = kernels.of(self, layer, of)
    for _, head in ipairs(labels(options.heads, sizes.h, "head")) do
      list[#list + 1] = parts.new { layer = layer, head = head,
        reason = not make and word or nil, dtype = make and word or nil,
        kernel = make and make(head) or false }
    end
  end
  return list
end

-- Called two frames below the user's line, where errors point to.
local function one_kernel(self, layer, head, of)
  check_label("layer", layer, self.dims.L, 3)
  check_label("head", head, head_dims(self, layer, "a kernel", 3).h, 3)
  local part <const> = self:heads { layers = layer, heads = head, of = of }[1]
  if not part.kernel then
    error(("layer %d %s"):format(layer, part.reason), 3)
  end
  return part.kernel
end

--- The kernel W_Q_h^T W_K_h of one head, factored.
function methods:qk(layer, head)
  local found <const> = one_kernel(self, layer, head, "qk")
  return found
end
methods.kernel = methods.qk

--- The kernel W_O_h W_V_h of one head, factored.
function methods:ov(layer, head)
  local found <const> = one_kernel(self, layer, head, "ov")
  return found
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

-- The layer that a tensor's name speaks of and its stack, by the stacks'
-- prefixes.
local function layer_in(self, name)
  for _, stack in ipairs(self.stacks) do
    local from <const>, to <const> = stack.prefix:find("%d", 1, true)
    if from and name:sub(1, from - 1) == stack.prefix:sub(1, from - 1) then
      local digits <const>, rest <const> = name:sub(from):match(
        "^(%d+)(.*)$")
      local tail <const> = stack.prefix:sub(to + 1)
      if digits and rest:sub(1, #tail) == tail then
        return math.tointeger(tonumber(digits)), stack
      end
    end
  end
  return nil
end

local function why_not(self, entry, known)
  local layer <const>, stack <const> = layer_in(self, entry.name)
  if known[entry.part_of or entry.name] then
    return nil
  elseif entry.reason then
    return entry.reason
  elseif layer and layer >= stack.count then
    return ("layer %d is beyond the %d layers of the config"):format(layer,
      stack.count), layer
  elseif #entry.shape ~= 2 then
    return #entry.shape < 2 and "a vector" or "no matrix"
  end
  return layer and "no weight of this family" or "outside the layers"
end

--- Tensors that no analysis reads: a list of {name, shape, dtype, reason,
--- layer}, in file order; layer is that of one beyond the config's.
function methods:not_analysed()
  local known, list = {}, {}
  for _, part in ipairs(self:weights {}) do
    known[part.source] = true
  end
  for _, name in ipairs(self:tensors()) do
    local entry <const> = self.checkpoint:entry(name)
    local reason <const>, layer <const> = why_not(self, entry, known)
    if reason then
      list[#list + 1] = { name = name, shape = entry.shape,
        dtype = entry.dtype, reason = reason, layer = layer }
    end
  end
  return list
end

check.methods(methods, Model, "model")
Model.__close = methods.close

--- The metatable of models.
model.class = Model

return model
