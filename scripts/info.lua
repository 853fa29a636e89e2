-- weft info MODEL: what a checkpoint holds and what weft makes of it, read
-- from its headers alone.
local cli <const> = require "weft.cli"
local json <const> = require "weft.json"
local markdown <const> = require "weft.markdown"
local model <const> = require "weft.model"
local sys <const> = require("weft.core").sys

local DIMS <const> = { "L", "d", "d_ff", "h", "GQA", "V", "d_head", "d_kv",
  "E" }
local HEADER <const> = { "NAME", "DTYPE", "SHAPE", "BYTES", "PART" }
local BYTES_COLUMN <const> = 4
-- Names that stand after a reason; the table has all of them.
local NAMES_SHOWN <const> = 3

local parser <const> = cli.parser("info",
  "Show a checkpoint's family, dims and tensors, and which are not analysed.")
parser:argument("model", "Folder, checkpoint file or hub id.")
  :argname("MODEL")
parser:flag("--json", "The same as one JSON object.")

-- The parts that lie in each tensor, by the tensor's name: {layer =, names};
-- of stacked experts the kind alone.
local function parts_of(m)
  local parts <const> = {}
  for _, part in ipairs(m:weights {}) do
    local held <const> = parts[part.source] or { layer = part.layer }
    local last <const> = held[#held]
    if part.expert and held.type == part.type then
      held[#held] = part.type
    elseif last ~= part.name then
      held[#held + 1] = part.name
    end
    held.type = part.type
    parts[part.source] = held
  end
  return parts
end

local function tensors_of(m)
  local list, parts = {}, parts_of(m)
  for i, name in ipairs(m:tensors()) do
    local entry <const> = m.checkpoint:entry(name)
    local held <const> = parts[entry.part_of or name]
    list[i] = { name = name, dtype = entry.dtype, shape = entry.shape,
      bytes = entry.bytes, file = entry.file:match("[^/]*$"),
      part = held and table.concat(held, ","), layer = held and held.layer }
  end
  return list
end

local function totals(tensors)
  local parameters, bytes = 0, 0
  for _, tensor in ipairs(tensors) do
    local count = 1
    for _, size in ipairs(tensor.shape) do
      count = count * size
    end
    parameters, bytes = parameters + count, bytes + tensor.bytes
  end
  return parameters, bytes
end

local function missing_of(m)
  local list <const> = {}
  for i, part in ipairs(m.missing) do
    list[i] = { layer = part.layer, part = part.name, tensor = part.source,
      reason = part.reason }
  end
  return list
end

-- Where a model has several stacks of layers: {name, first, last} of each.
local function stacks_of(m)
  local list <const> = {}
  for i, stack in ipairs(#m.stacks > 1 and m.stacks or {}) do
    list[i] = { name = stack.name, first = stack.first,
      last = stack.first + stack.count - 1 }
  end
  return list
end

-- All that is to be told, as the JSON object has it.
local function describe(m)
  local tensors <const> = tensors_of(m)
  local parameters <const>, bytes <const> = totals(tensors)
  local left_out <const> = {}
  for i, entry in ipairs(m:not_analysed()) do
    left_out[i] = { name = entry.name, reason = entry.reason }
  end
  local dims <const> = {}
  for _, key in ipairs(DIMS) do
    dims[key] = m.dims[key]
  end
  return { name = m.name, path = m.path, format = m.format, family = m.arch,
    told = m.told, dims = next(dims) and dims, stacks = stacks_of(m),
    no_heads = m.no_heads, note = m.note,
    tensors = tensors, parameters = parameters, bytes = bytes,
    notes = m.checkpoint:notes(), not_analysed = left_out,
    missing = missing_of(m) }
end

local function print_keys(info)
  local function say(key, value)
    print(("%s: %s"):format(key, sys.escape(tostring(value))))
  end
  say("name", info.name)
  say("path", info.path)
  say("format", info.format)
  say("family", ("%s (%s)"):format(info.family or "unknown", info.told))
  for _, key in ipairs(DIMS) do
    if info.dims and info.dims[key] then
      say(key, info.dims[key])
    end
  end
  for _, stack in ipairs(info.stacks) do
    say("layers", ("%d to %d, %s"):format(stack.first, stack.last, stack.name))
  end
  if info.family and info.no_heads then
    say("heads", ("unknown (%s)"):format(info.no_heads))
  end
  if info.note then
    say("note", info.note)
  end
  say("tensors", #info.tensors)
  say("parameters", info.parameters)
  say("bytes", info.bytes)
  for _, note in ipairs(info.notes) do
    say("note", note)
  end
end

local function print_table(tensors)
  local rows <const> = { HEADER }
  for i, tensor in ipairs(tensors) do
    local shape <const> = table.concat(tensor.shape, "x")
    rows[i + 1] = { sys.escape(tensor.name), tensor.dtype,
      shape == "" and "scalar" or shape, tostring(tensor.bytes),
      sys.escape(tensor.part or "-") }
  end
  local widths <const> = { 0, 0, 0, 0, 0 }
  for _, row in ipairs(rows) do
    for j, cell in ipairs(row) do
      widths[j] = math.max(widths[j], markdown.width(cell))
    end
  end
  for _, row in ipairs(rows) do
    for j, cell in ipairs(row) do
      local space <const> = (" "):rep(widths[j] - markdown.width(cell))
      row[j] = j == BYTES_COLUMN and space .. cell
        or j < #row and cell .. space or cell
    end
    print(table.concat(row, "  "))
  end
end

-- The first names and how many more there are.
local function names_text(names)
  local shown <const> = table.concat(names, ", ", 1,
    math.min(#names, NAMES_SHOWN))
  return #names <= NAMES_SHOWN and shown
    or ("%s and %d more"):format(shown, #names - NAMES_SHOWN)
end

-- A line a reason: how many tensors it holds for, and which.
local function print_not_analysed(list)
  local order, names = {}, {}
  for _, entry in ipairs(list) do
    if not names[entry.reason] then
      order[#order + 1], names[entry.reason] = entry.reason, {}
    end
    table.insert(names[entry.reason], sys.escape(entry.name))
  end
  print(("not analysed: %d"):format(#list))
  for _, reason in ipairs(order) do
    print(("  %d %s: %s"):format(#names[reason], reason,
      names_text(names[reason])))
  end
end

local function print_missing(list)
  if #list > 0 then
    print(("\nmissing: %d"):format(#list))
  end
  for _, entry in ipairs(list) do
    print(("  layer %d %s: %s"):format(entry.layer, entry.part, entry.reason))
  end
end

local options <const> = cli.run(parser, arg)
local m <const>, message <const> = model.open(options.model)
if not m then
  io.stderr:write("weft info: ", message, "\n")
  os.exit(1, true)
end
local info <const> = describe(m)
if options.json then
  io.stdout:write(json.encode(info))
else
  print_keys(info)
  print()
  print_table(info.tensors)
  print()
  print_not_analysed(info.not_analysed)
  print_missing(info.missing)
end
