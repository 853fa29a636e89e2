-- Which family a checkpoint is of, how that was told, and its stacks of
-- layers: one for most, an encoder's and a decoder's, or two towers.
local family = {}

local arch <const> = require "weft.arch"
local dims <const> = require "weft.model.dims"
local sys <const> = require("weft.core").sys

-- Layers that may be dense before the first with experts.
local FIRST_LAYERS <const> = 8

local function list_of(value)
  return type(value) == "table" and value or { value }
end

-- Whether the file has a tensor of one of the rows in a layer of a prefix.
local function has_layer(checkpoint, prefix, rows, key, index)
  for _, row in ipairs(prefix and rows or {}) do
    for _, name in ipairs(list_of(row[key])) do
      local tail <const> = name:find("%d", 1, true) and name:format(0) or name
      if checkpoint:entry(prefix:format(index) .. tail) then
        return true
      end
    end
  end
  return false
end

-- The prefixes that a stack's layers may have in a file of this format.
local function prefixes(whole, stack, format)
  if format == "gguf" then
    return list_of(stack.gguf or whole.gguf and whole.gguf.layer or {})
  end
  return list_of(stack.layer or whole.layer)
end

-- The stack as it stands in the file: its prefix is the first that names a
-- tensor there.
local function make_stack(checkpoint, whole, stack, format)
  local rows <const> = stack.parts or whole.parts
  local names <const> = prefixes(whole, stack, format)
  local prefix = names[1]
  for _, name in ipairs(names) do
    if has_layer(checkpoint, name, rows, format == "gguf" and "gguf"
        or "tensor", 0) then
      prefix = name
      break
    end
  end
  return { name = stack.name, parts = rows, prefix = prefix }
end

-- How many layers in a row the file has, from layer 0 on.
local function count_layers(checkpoint, stack, format)
  local key <const> = format == "gguf" and "gguf" or "tensor"
  local count = 0
  while has_layer(checkpoint, stack.prefix, stack.parts, key, count) do
    count = count + 1
  end
  return count
end

-- A size that the config does not give, from the shape of a tensor of layer
-- 0; only of parts that are stored as they are.
local function sizes_of_shapes(checkpoint, stack, format, sizes)
  for _, row in ipairs(stack.parts) do
    local name <const> = list_of(format == "gguf" and row.gguf
      or row.tensor)[1]
    local entry <const> = name and not row.per and not row.fused and row.shape
      and checkpoint:entry(stack.prefix:format(0) .. name)
    if entry and #entry.shape == 2 then
      local out <const>, into <const> = entry.shape[row.transpose and 2 or 1],
        entry.shape[row.transpose and 1 or 2]
      sizes[row.shape[1]] = sizes[row.shape[1]] or out
      sizes[row.shape[2]] = sizes[row.shape[2]] or into
    end
  end
end

-- How many experts a layer has, by the tensors of one of its rows: all in one,
-- or numbered.
local function experts_of(checkpoint, prefix, row)
  local most = 0
  for _, name in ipairs(list_of(row.tensor)) do
    local count = 0
    if name:find("%d", 1, true) then
      while checkpoint:entry(prefix .. name:format(count)) do
        count = count + 1
      end
    else
      local entry <const> = checkpoint:entry(prefix .. name)
      count = entry and #entry.shape == 3 and entry.shape[1] or 0
    end
    most = math.max(most, count)
  end
  return most
end

-- The same of the first layer that has any; 0 where none of the first few
-- has.
local function count_experts(checkpoint, stack)
  local most = 0
  for layer = 0, FIRST_LAYERS - 1 do
    for _, row in ipairs(most == 0 and stack.parts or {}) do
      if row.per == "expert" then
        most = math.max(most, experts_of(checkpoint,
          stack.prefix:format(layer), row))
      end
    end
  end
  return most
end

-- Heads from what shapes tell, where the config gives their number alone.
local function heads_of_shapes(sizes)
  if sizes.h and sizes.d_q and not sizes.d_head then
    if sizes.d_q % sizes.h == 0 then
      sizes.d_head = sizes.d_q // sizes.h
    end
  end
  if sizes.d_head and sizes.d_head > 0 and sizes.d_kv and not sizes.GQA then
    sizes.GQA = sizes.d_kv // sizes.d_head
  end
end

-- The config's table that a stack's sizes stand in.
local function config_of(config, key)
  if key and type(config[key]) == "table" then
    return config[key]
  end
  return config
end

-- The reader of a config's keys, or of a GGUF's "llama.block_count" and so on.
local function lookup_in(source, format, key)
  if format == "gguf" then
    return function(name)
      local value <const> = source[("%s.%s"):format(
        source["general.architecture"], name)]
      if value == nil and name == "vocab_size" then
        local tokens <const> = source["tokenizer.ggml.tokens"]
        return type(tokens) == "table" and tokens.length or nil
      end
      return value
    end
  end
  local own <const> = config_of(source, key)
  return function(name)
    if own[name] ~= nil then
      return own[name]
    end
    return source[name]
  end
end

-- The names of a stack's sizes in a file of this format: the family's, and the
-- stack's own.
local function names_of(whole, description, format)
  local gguf <const> = format == "gguf"
  local own <const> = {}
  for key, name in pairs(gguf and whole.gguf.dims or whole.dims) do
    own[key] = name
  end
  for key, name in pairs(gguf and description.gguf_dims
    or description.dims or {}) do
    own[key] = name
  end
  return own
end

-- Sizes that a config may leave out, since the family has a preset for them.
local function add_defaults(sizes, whole, description)
  for key, value in pairs(description.defaults or whole.defaults or {}) do
    sizes[key] = sizes[key] or value
  end
end

-- One stack with its sizes; nil and a sentence where they are wrong.
local function read_stack(model, whole, description, source)
  local format <const>, guessed <const> = model.format, model.guessed
  local stack <const> = make_stack(model.checkpoint, whole, description,
    format)
  local sizes <const>, message <const> = dims.read(names_of(whole, description,
    format), lookup_in(source, format, description.config or whole.config))
  if not sizes then
    return nil, message
  end
  if guessed then
    sizes_of_shapes(model.checkpoint, stack, format, sizes)
    heads_of_shapes(sizes)
    local experts <const> = count_experts(model.checkpoint, stack)
    sizes.E = sizes.E or experts > 0 and experts or nil
  elseif format ~= "gguf" then
    add_defaults(sizes, whole, description)
  end
  if guessed or not sizes.L then
    sizes.L = sizes.L or count_layers(model.checkpoint, stack, format)
  end
  local done <const>, why <const> = dims.complete(sizes, whole, source, format)
  if not done then
    return nil, why
  end
  stack.dims = done
  stack.no_heads = why or not (done.d_head and done.h)
    and "the number of heads stands nowhere" or nil
  return stack
end

-- The family's stacks that the file has: half of an encoder-decoder, or one of
-- two towers, is a model too. One that has nothing at all lacks all.
local function stacks_there(model, whole)
  local all <const> = whole.stacks or { {} }
  local list <const> = {}
  for _, description in ipairs(all) do
    if count_layers(model.checkpoint, make_stack(model.checkpoint, whole,
        description, model.format), model.format) > 0 then
      list[#list + 1] = description
    end
  end
  return #list > 0 and list or all
end

-- Reads and completes the sizes of a family's stacks; nil and a sentence
-- where they are wrong.
local function read_stacks(model, whole, source)
  local stacks <const> = {}
  for i, description in ipairs(stacks_there(model, whole)) do
    local stack <const>, message <const> = read_stack(model, whole,
      description, source)
    if not stack then
      return nil, message
    end
    stacks[i] = stack
  end
  return stacks
end

-- The sizes of the whole model: those of its first stack, but all layers and
-- the most heads.
local function whole_dims(stacks)
  local sizes, layers, heads = {}, 0, nil
  for i, stack in ipairs(stacks) do
    for key, value in pairs(stack.dims) do
      sizes[key] = i == 1 and value or sizes[key]
    end
    stack.first, stack.count = layers, stack.dims.L or 0
    layers = layers + stack.count
    heads = math.max(heads or 0, stack.dims.h or 0)
  end
  sizes.L, sizes.n_layers = layers, layers
  if heads > 0 then
    sizes.h, sizes.n_heads = heads, heads
  end
  return sizes
end

-- Whether layer 0 of a stack has all that is not optional; of rows that stand
-- in for one another one is enough. A mixture must have experts.
local function has_all(checkpoint, stack)
  local filled, mixture = {}, false
  for _, row in ipairs(stack.parts) do
    local slot <const> = row.slot or row.name
    filled[slot] = filled[slot] or row.optional or row.when ~= nil
      or has_layer(checkpoint, stack.prefix, { row }, "tensor", 0)
    mixture = mixture or row.per == "expert"
  end
  for _, row in ipairs(stack.parts) do
    if not filled[row.slot or row.name] then
      return false
    end
  end
  return not mixture or count_experts(checkpoint, stack) > 0
end

-- The family whose tensors' names the file uses; later registered ones are
-- asked first.
local function by_names(checkpoint, format)
  for _, whole in ipairs(format ~= "gguf" and arch.guessable() or {}) do
    local all = true
    for _, description in ipairs(whole.stacks or { {} }) do
      all = all and has_all(checkpoint, make_stack(checkpoint, whole,
        description, format))
    end
    if all then
      return whole
    end
  end
  return nil
end

-- A matrix's row in a checkpoint of no known family: the name with its first
-- number as #, and that number as the layer.
local function pattern_of(name)
  local before <const>, digits <const>, after <const> = name:match(
    "^(.-)(%d+)(.*)$")
  if not digits or #digits > 4 then
    return name, 0
  end
  return before .. "#" .. after, math.tointeger(digits)
end

-- One stack of all matrices by pattern, where no family fits.
local function matrices(model)
  local by_layer, last = {}, -1
  for _, name in ipairs(model.checkpoint:values()) do
    if model.checkpoint:axes(name) == 2 then
      local pattern <const>, layer <const> = pattern_of(name)
      by_layer[layer] = by_layer[layer] or {}
      table.insert(by_layer[layer], { name = pattern, literal = name })
      last = math.max(last, layer)
    end
  end
  return { { prefix = "", parts = {}, by_layer = by_layer,
    dims = { L = last + 1, n_layers = last + 1 },
    no_heads = "no known family tells how heads are cut" } }
end

-- What a file says of its family itself.
local function stated(model, config)
  if model.format == "gguf" then
    local meta <const> = model.checkpoint:meta()
    return "gguf", meta["general.architecture"], "general.architecture", meta
  elseif config then
    return "model_type", config.model_type, "model_type", config
  end
  return nil
end

-- Whether the file states the size that a family can't be without
-- (match.needs): mixtures and others may call themselves the same.
local function states(model, whole, source)
  local key <const> = whole.match.needs
  local sizes <const> = key and dims.read({ [key] = names_of(whole, {},
    model.format)[key] }, lookup_in(source, model.format, whole.config))
  return not key or sizes and sizes[key] ~= nil and sizes[key] > 0
end

--- Gives a model its family, how it was told, its stacks and dims; or nil and
--- a sentence where the file contradicts itself.
function family.tell(model, config)
  local key <const>, value <const>, word <const>, source <const> =
    stated(model, config)
  local whole = key and arch.find(key, value, function(candidate)
    return states(model, candidate, source)
  end)
  local told
  if whole then
    told = ("%s '%s'"):format(word, value)
  else
    told = value and ("%s '%s' is no known family"):format(word,
      sys.escape(tostring(value))) or key and "config.json names no model_type"
      or "there is no config.json to tell the family"
    whole = by_names(model.checkpoint, model.format)
    if whole then
      model.guessed = true
      told = ("%s, but its tensors are named as %s's"):format(told, whole.name)
    end
  end
  model.told = told
  local stacks, message
  if whole then
    stacks, message = read_stacks(model, whole, source or {})
  else
    stacks = matrices(model)
    stacks[1].no_heads = told
  end
  if not stacks then
    return nil, message
  end
  model.family, model.arch = whole, whole and whole.name
  model.note = whole and whole.note
  model.stacks, model.dims = stacks, whole_dims(stacks)
  model.no_heads = nil
  for _, stack in ipairs(stacks) do
    model.no_heads = model.no_heads or stack.no_heads
  end
  return model
end

return family
