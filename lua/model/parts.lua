-- From a family's rows to the parts of a layer: which tensor of the file a
-- part is, which of its rows, and what is wrong with it.
--
-- A row says: name; tensor (or a list of names, the first that is there), with
-- %d for an expert's number; gguf, the same in a GGUF; shape, the names of its
-- two sizes (out, in); split and axis, the heads that its rows (1) or columns
-- (2) are cut into, and head, the size of one where it is not d_head;
-- transpose, where the file has (in, out); fused = {sizes, index, groups},
-- where it is one of several in a tensor; gguf_transpose and gguf_fused, the
-- same in a GGUF, where (in, out) hardly ever stands; per = "expert" or "head",
-- where there are several; optional; slot, for rows that stand in for one
-- another, as those of one name do; when and unless, a size without or with
-- which there is no such row; dtype, the only one that it has; rotary, for rows
-- that llama.cpp's converter permutes. Of rows of one name that a tensor fits
-- the first counts.
local parts = {}

local sys <const> = require("weft.core").sys

local function shape_text(shape)
  return ("[%s]"):format(table.concat(shape, ", "))
end

-- A size by its name in the stack's dims, or the number itself.
local function size(stack, key)
  return type(key) == "number" and key or stack.dims[key]
end

local function sizes(stack, keys)
  local list <const> = {}
  for i, key in ipairs(keys) do
    list[i] = size(stack, key)
    if not list[i] then
      return nil
    end
  end
  return list
end

-- The name of a row's tensor in the file: of the names it may have the first
-- that is there, else the first.
local function tensor_name(model, stack, index, row, expert)
  if row.literal then
    return row.literal, true
  end
  local gguf <const> = model.format == "gguf"
  local names <const> = gguf and row.gguf or row.tensor
  local first
  for _, name in ipairs(type(names) == "table" and names or { names }) do
    local tail <const> = name:find("%d", 1, true) and name:format(expert or 0)
      or name
    local whole <const> = stack.prefix:format(index) .. tail
    if model.checkpoint:entry(whole) then
      return whole, true
    end
    first = first or whole
  end
  return first, false
end

--- Whether a row, or a block of a kernel, counts where these are the sizes.
function parts.applies(dims, row)
  return (not row.when or dims[row.when] ~= nil)
    and (not row.unless or dims[row.unless] == nil)
end

-- The size that says how many of a row's parts there are, by what they are.
local COUNTS <const> = { expert = "E", head = "h" }

-- How many parts a row has; nil for a row of one.
local function count_of(stack, row)
  return row.per and (stack.dims[COUNTS[row.per]] or 1) or nil
end

-- How the row's tensor is laid out in a file of this format: whether it is
-- one of several in it, and whether it is (in, out).
local function layout(model, row)
  if model.format ~= "gguf" then
    return row.fused, row.transpose
  end
  local fused = row.fused
  if row.gguf_fused ~= nil then
    fused = row.gguf_fused or nil
  end
  return fused, row.gguf_transpose
end

-- The rows (first, length, step, number of runs) of a fused tensor that are
-- this part's, and how many rows the whole has.
local function fused_run(stack, fused)
  local list <const> = sizes(stack, fused.sizes)
  local groups <const> = size(stack, fused.groups or 1)
  if not list or not groups then
    return nil
  end
  local first, step = 0, 0
  for i, length in ipairs(list) do
    first = i < fused.index and first + length or first
    step = step + length
  end
  return { first, list[fused.index], step, groups }, step * groups
end

-- The shape of the stored tensor that the dims ask for, slowest axis first;
-- nil where they can't tell. Stacked experts have one axis more.
local function stored_shape(model, stack, row, stacked)
  local fused <const>, transpose <const> = layout(model, row)
  local shape <const> = row.shape and sizes(stack, row.shape)
  if not shape then
    return nil
  end
  if fused then
    local run <const>, total <const> = fused_run(stack, fused)
    if not run then
      return nil
    end
    shape[1] = total
  end
  if transpose then
    shape[1], shape[2] = shape[2], shape[1]
  end
  if stacked then
    table.insert(shape, 1, count_of(stack, row))
  end
  return shape
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

-- The part's view of its tensor: (out, in), its own rows, in order.
local function view(model, stack, row, tensor, expert)
  local fused <const>, transpose <const> = layout(model, row)
  if expert and #tensor.shape == 3 then
    tensor = tensor[expert + 1]
  end
  if transpose then
    tensor = tensor:t()
  end
  if fused then
    local first <const>, length <const>, step <const>, groups <const> =
      table.unpack((fused_run(stack, fused)))
    if groups == 1 then
      tensor = tensor:rows(first + 1, first + length)
    elseif length == 1 then
      tensor = tensor:rows(first + 1, first + 1 + (groups - 1) * step, step)
    else
      tensor = tensor:runs { { first, length, step, groups } }
    end
  end
  local permuted <const> = model.format == "gguf" and row.rotary
    and model.family.gguf.permuted and stack.dims.d_head
  if permuted then
    tensor = tensor:runs(rotary_runs(stack.dims[row.split],
      stack.dims.d_head))
  end
  return tensor
end

-- What is wrong with the stored tensor, or nil.
local function fault(model, stack, row, name, expert)
  local entry <const> = model.checkpoint:entry(name)
  if not entry then
    return ("missing: there is no tensor '%s'"):format(sys.escape(name))
  elseif entry.reason then
    return entry.reason
  end
  local stacked <const> = expert and #entry.shape == 3
  local wanted <const> = stored_shape(model, stack, row, stacked)
  if wanted and shape_text(entry.shape) ~= shape_text(wanted) then
    return ("wrong shape: '%s' is %s, the dims say %s"):format(
      sys.escape(name), shape_text(entry.shape), shape_text(wanted))
  elseif not wanted and #entry.shape ~= (stacked and 3 or 2) then
    return ("wrong shape: '%s' is %s, a matrix was expected"):format(
      sys.escape(name), shape_text(entry.shape))
  elseif not wanted and layout(model, row) then
    return ("'%s' is fused, and the dims that part it can't be told"):format(
      sys.escape(name))
  end
  return nil
end

-- How the prompt shows a part: where it is and what it holds, in a line.
local function pretty(part)
  local place <const> = part.name or ("head %d"):format(part.head)
  return ("part: layer %d %s, %s"):format(part.layer, place,
    tostring(part.tensor or part.kernel or part.reason))
end

local Part <const> = { __pretty = pretty }

--- Makes a part of its fields.
function parts.new(fields)
  return setmetatable(fields, Part)
end

--- One part of one layer: {layer, name, type, expert, source, shape, dtype,
--- tensor, row}; tensor = false and a reason where it can't be had.
function parts.make(model, layer, row, expert)
  local stack <const>, index <const> = model:stack_of(layer)
  local name <const> = tensor_name(model, stack, index, row, expert)
  local part <const> = parts.new { layer = layer, type = row.name,
    expert = expert,
    name = expert and ("%s.%d"):format(row.name, expert) or row.name,
    source = name, row = row, tensor = false,
    shape = row.shape and sizes(stack, row.shape) or nil }
  part.reason = fault(model, stack, row, name, expert)
  if part.reason then
    return part
  end
  local tensor <const>, message <const> = model.checkpoint:tensor(name)
  if not tensor then
    part.reason = message
    return part
  end
  -- a packed weight may lie in the file so that a view can't part it
  local made <const>, whole <const> = pcall(view, model, stack, row, tensor,
    expert)
  if not made then
    part.reason = whole
    return part
  end
  part.tensor = whole
  part.shape = part.tensor.shape
  part.dtype = model.checkpoint:entry(name).dtype
  return part
end

-- The tensor of a row that a layer has, or false; of experts, one of them is
-- enough. Rows that are not in files of this format, or not where these are
-- the sizes, are nil.
local function present(model, stack, index, row)
  local named <const> = row.literal or row[model.format == "gguf" and "gguf"
    or "tensor"]
  if not named or not parts.applies(stack.dims, row) then
    return nil
  end
  for expert = 0, (count_of(stack, row) or 1) - 1 do
    local name <const>, there <const> = tensor_name(model, stack, index, row,
      expert)
    if there and (not row.dtype
        or model.checkpoint:entry(name).dtype == row.dtype) then
      return name
    end
  end
  return false
end

--- The rows that a layer has, each with its number of experts or nil: of
--- rows that stand in for one another those that are there, or else the
--- first, which then is missing. Optional rows are never missing.
function parts.rows(model, layer)
  local stack <const>, index <const> = model:stack_of(layer)
  local filled, taken, list = {}, {}, {}
  local rows <const> = stack.by_layer and (stack.by_layer[index] or {})
    or stack.parts
  for _, row in ipairs(rows) do
    local slot <const> = row.slot or row.name
    local here <const> = present(model, stack, index, row)
    local own <const> = here and ("%s %s"):format(row.name, here)
    filled[slot] = filled[slot] or here
    if here ~= nil and not taken[own] then
      list[#list + 1] = { row = row, slot = slot, here = here }
      taken[own or false] = here
    end
  end
  local chosen <const> = {}
  for _, item in ipairs(list) do
    local missing <const> = not filled[item.slot] and not item.row.optional
    if item.here or missing then
      filled[item.slot] = true
      chosen[#chosen + 1] = item.row
    end
  end
  return chosen
end

--- The parts of a layer, experts by number, in the family's order.
function parts.of_layer(model, layer, wanted)
  local stack <const> = model:stack_of(layer)
  local list <const> = {}
  for _, row in ipairs(parts.rows(model, layer)) do
    local experts <const> = count_of(stack, row)
    for expert = 0, (experts or 1) - 1 do
      local part <const> = not wanted or wanted[row.name]
        or wanted[("%s.%d"):format(row.name, expert)]
      if part then
        list[#list + 1] = parts.make(model, layer, row,
          row.per and expert or nil)
      end
    end
  end
  return list
end

return parts
