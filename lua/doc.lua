-- The documentation of all that is public, as one table. help(), the
-- reference, the man page, the completions and the editor's annotations are
-- made of it, and the tests compare it with what there is.
--
-- An entry of doc/NOUN.lua:
--
--   name      "weft.svd", "tensor:rows"; also = { other names of it }
--   summary   one sentence
--   params    { name, type, note }: shape, unit or default. A name that ends
--             in ? may be left out, one with a dot is a field of a table.
--             "label" is an integer that counts from 0 (layers, heads),
--             "subscript" one that counts from 1.
--   returns   { name, type, note }
--   errors    what raises beside a wrong argument, or gives nil, message, code
--   source    paper or routine
--   example   lines that run by themselves; what they print stands behind -->
--   see       names of other entries
--   kind      "function" where it is not said; else "method", "operator",
--             "command", "field"
--   call      how it is called, where name and params do not say it all
--
-- A noun has a name, a title, a text, the fields of its class' values besides
-- its entries; commands have the program's own options, variables, files.
local doc = {}

local metrics <const> = require "weft.metrics"

-- The nouns in the order of the reference.
local NOUNS <const> = { "model", "measure", "kernel", "tensor", "along",
  "linalg", "frame", "stats", "plot", "files", "system", "prompt",
  "commands" }

-- What the receiver of a method is called in signatures and examples.
doc.RECEIVERS = { tensor = "t", kernel = "k", model = "m", frame = "f",
  figure = "fig", checkpoint = "ck", progress = "p" }

local nouns, entries, by_name -- filled when first asked for

-- Lines without the indentation that they share, and without blank ends.
local function dedent(text)
  local least
  for space in ("\n" .. text):gmatch "\n( *)%S" do
    least = math.min(least or #space, #space)
  end
  text = ("\n" .. text):gsub("\n" .. (" "):rep(least or 0), "\n")
  return (text:gsub("^%s*\n", ""):gsub("%s+$", ""))
end

-- "t, first, last [, step]"
local function parameters(params)
  local out = ""
  for _, param in ipairs(params) do
    local name <const>, optional <const> = param[1]:match "^([^?]+)(%??)$"
    if not name:find("%w%.%w") then
      local comma <const> = out ~= "" and ", " or ""
      out = out .. (optional == "" and comma .. name
        or ("%s[%s%s]"):format(out ~= "" and " " or "", comma, name))
    end
  end
  return out
end

local function results(returns)
  local names <const> = {}
  for i, result in ipairs(returns) do
    names[i] = result[1]
  end
  return #names > 0 and " -> " .. table.concat(names, ", ") or ""
end

-- How it is called: "t:rows(first, last [, step]) -> view".
local function signature(entry)
  local class <const>, method <const> = entry.name:match "^(%l+):([%w_]+)$"
  local call = entry.call
  if not call then
    call = class and ("%s:%s"):format(doc.RECEIVERS[class], method)
      or entry.name
    call = ("%s(%s)"):format(call, parameters(entry.params))
  end
  return call .. results(entry.returns)
end

local function complete(entry, noun)
  entry.noun = noun
  entry.kind = entry.kind or entry.name:find(":", 1, true) and "method"
    or "function"
  for _, key in ipairs { "params", "returns", "see", "also" } do
    entry[key] = entry[key] or {}
  end
  entry.example = dedent(entry.example or "")
  entry.signature = signature(entry)
  return entry
end

-- Metrics tell of themselves; one added later has an entry too.
local function metric_entry(row, examples)
  return complete({ name = "weft." .. row.name,
    summary = row.doc:sub(1, 1):upper() .. row.doc:sub(2) .. ".",
    params = { { "s", "numbers", "singular values, falling" } },
    returns = { { "x", "number", row.unit ~= "" and row.unit or nil } },
    source = row.source, example = examples[row.name],
    see = { "weft.measure", "weft.metric" } }, "measure")
end

local function add(entry)
  entries[#entries + 1] = entry
  by_name[entry.name] = entry
  for _, name in ipairs(entry.also) do
    by_name[name] = entry
  end
end

local function load()
  nouns, entries, by_name = {}, {}, {}
  for i, name in ipairs(NOUNS) do
    local noun <const> = require("weft.doc." .. name)
    nouns[i] = noun
    for _, entry in ipairs(noun) do
      add(entry.noun and entry or complete(entry, name))
    end
  end
end

-- The metrics' examples lie beside the other entries of their noun.
local function add_metrics()
  local examples <const> = require("weft.doc.measure").metrics
  for _, row in ipairs(metrics.list()) do
    if row.of == "singular" and not by_name["weft." .. row.name] then
      add(metric_entry(row, examples))
    end
  end
end

local function fill()
  if not entries then
    load()
  end
  add_metrics()
end

--- All nouns: arrays of entries with a name, a title and a text.
function doc.nouns()
  fill()
  return nouns
end

--- All entries, noun by noun.
function doc.entries()
  fill()
  return entries
end

--- The entries of one noun.
function doc.of_noun(name)
  local list <const> = {}
  for _, entry in ipairs(doc.entries()) do
    if entry.noun == name then
      list[#list + 1] = entry
    end
  end
  return list
end

--- The noun of that name, or nil.
function doc.noun(name)
  for _, noun in ipairs(doc.nouns()) do
    if noun.name == name then
      return noun
    end
  end
  return nil
end

--- The entry of that name ("weft.svd", "tensor:rows", "frame.new"), or nil.
function doc.get(name)
  fill()
  return by_name[name] or by_name["weft." .. name]
end

--- What an entry's name stands for: a function, or nil where there is none.
--- A name without a prefix is a global, which the prompt has.
function doc.value(name)
  local class <const>, method <const> = name:match "^(%l+):([%w_]+)$"
  if class then
    local methods <const> = doc.methods(class)
    return methods and methods[method]
  end
  local path <const> = name:match "^weft%.(.+)$"
  local value = path and require "weft" or _G
  for key in (path or name):gmatch "[^.]+" do
    value = type(value) == "table" and value[key] or nil
  end
  return value
end

-- Metatables of what Lua modules make, by class.
local MADE <const> = {
  model = function() return require("weft.model").class end,
  frame = function() return getmetatable(require("weft.frame").new({}, {})) end,
  figure = function()
    return getmetatable(require("weft.plot.figure").new { panels = { {} } })
  end,
}

--- The methods of a class by name, or nil where there is no such class.
function doc.methods(class)
  if MADE[class] then
    local meta <const> = MADE[class]()
    return meta.methods or meta.__index
  end
  return require("weft.core").methods[class]
end

--- The entry of a function, or nil.
function doc.of_function(value)
  for _, entry in ipairs(doc.entries()) do
    if entry.kind ~= "command" and doc.value(entry.name) == value then
      return entry
    end
  end
  return nil
end

return doc
