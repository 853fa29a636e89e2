-- The families of models: a registry of tables, one file a family in arch/.
-- A family says which models are its, where their dims stand and how the
-- tensors of a layer are called.
local arch = {}

local check <const> = require "weft.check"
local lfs <const> = require "weft.folders"

local families <const> = {} -- by name
local order <const> = {}    -- of registration: later ones are asked first
local loaded = false

-- How deep the tables of a description nest at most.
local DEEPEST <const> = 16

-- The fields that a family is useless without, and their types.
local NEEDED <const> = {
  { "match", "table" }, { "dims", "table" }, { "layer", "string" },
  { "parts", "table" },
}

-- `like` inherits: what a family does not say, the one it is like says.
local function inherit(family, parent)
  for key, value in pairs(parent) do
    if family[key] == nil then
      family[key] = value
    elseif key == "gguf" or key == "dims" then
      inherit(family[key], value)
    end
  end
  return family
end

local function copy(value, depth)
  if type(value) ~= "table" then
    return value
  elseif depth > DEEPEST then
    error("an architecture's tables nest too deep, or hold themselves", 0)
  end
  local out <const> = {}
  for key, item in pairs(value) do
    out[key] = copy(item, depth + 1)
  end
  return out
end

local function stock_folder()
  return debug.getinfo(1, "S").source:match("^@(.*)%.lua$")
end

-- The stock families, each file once; a family that is like another waits
-- for it, whatever the order of the files.
local function load_stock()
  if loaded then
    return
  end
  loaded = true
  local names <const> = {}
  for file in lfs.dir(stock_folder()) do
    names[#names + 1] = file:match("^([%w_]+)%.lua$")
  end
  table.sort(names)
  for _, name in ipairs(names) do
    arch.get(name)
  end
end

-- Raises at the caller of arch.add.
local function register(family)
  if type(family) ~= "table" or type(family.name) ~= "string" then
    error("an architecture is a table with a name", 3)
  end
  check.optional("like", family.like, "string", "a family's name")
  for _, field in ipairs(NEEDED) do
    if field[1] ~= "layer" or type(family.layer) ~= "table" then
      check.optional(field[1], family[field[1]], field[2])
    end
  end
  local whole <const> = copy(family, 1)
  if whole.like then
    local parent <const> = arch.get(whole.like)
    if not parent then
      error(("architecture '%s' is like '%s', which is not known")
        :format(whole.name, whole.like), 3)
    end
    inherit(whole, copy(parent, 1))
  end
  for _, field in ipairs(NEEDED) do
    if not whole[field[1]] then
      error(("architecture '%s' has no '%s'"):format(whole.name, field[1]), 3)
    end
  end
  if not families[whole.name] then
    order[#order + 1] = whole.name
  end
  families[whole.name] = whole
  return whole
end

--- Registers a family (design: name, like, match, dims, layer, parts, gguf)
--- and returns it whole. It is asked before those registered earlier, and all
--- stock ones are.
function arch.add(family)
  load_stock()
  local whole <const> = register(family)
  return whole
end

--- The family of that name, or nil.
function arch.get(name)
  local path <const> = ("%s/%s.lua"):format(stock_folder(), name)
  if not families[name] and lfs.attributes(path, "mode") == "file" then
    register(require("weft.arch." .. name))
  end
  return families[name]
end

--- All names, sorted.
function arch.names()
  load_stock()
  local names <const> = table.move(order, 1, #order, 1, {})
  table.sort(names)
  return names
end

--- The families that tensors' names alone may tell (match.names), those that
--- were registered later first.
function arch.guessable()
  load_stock()
  local list <const> = {}
  for i = #order, 1, -1 do
    local family <const> = families[order[i]]
    list[#list + 1] = family.match.names and family or nil
  end
  return list
end

--- The family whose match lists `value` under `key` ("model_type", "gguf")
--- and that `fits`, a function of the family, says yes to.
function arch.find(key, value, fits)
  load_stock()
  for i = #order, 1, -1 do
    local family <const> = families[order[i]]
    for _, name in ipairs(family.match[key] or {}) do
      if name == value and fits(family) then
        return family
      end
    end
  end
  return nil
end

return arch
