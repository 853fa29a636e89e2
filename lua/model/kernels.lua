-- The two factors of attention heads' kernels, M = left^T right, from a
-- layer's parts.
--
-- A family's `kernels` says for "qk" and "ov" what each factor is stacked of:
-- blocks {part = "W_Q", first =, rows =, times = block}, the part's rows of
-- the head (columns, turned, where the heads are cut into columns), of these
-- `rows` from `first` on, times another block where there is one; `when` and
-- `unless` as a row's.
local kernels = {}

local core <const> = require "weft.core"
local parts <const> = require "weft.model.parts"

local STOCK <const> = {
  qk = { { { part = "W_Q" } }, { { part = "W_K" } } },
  ov = { { { part = "W_O" } }, { { part = "W_V" } } },
}

--- Whether there is a kernel of that name.
function kernels.known(of)
  return STOCK[of] ~= nil
end

-- How many rows (or columns) of a whole weight are a head's.
local function head_width(sizes, row)
  return sizes[row.head or "d_head"]
end

--- A head's rows (or columns) of a whole weight; W_K and W_V by query group.
function kernels.slice(sizes, row, tensor, head)
  local at <const> = row.split == "GQA" and head // (sizes.h // sizes.GQA)
    or head
  local width <const> = head_width(sizes, row)
  local first <const>, last <const> = at * width + 1, (at + 1) * width
  if row.axis == 2 then
    return tensor:cols(first, last)
  end
  return tensor:rows(first, last)
end

-- The rows of a layer by their names.
local function rows_by_name(model, layer)
  local named <const> = {}
  for _, row in ipairs(parts.rows(model, layer)) do
    named[row.name] = named[row.name] or row
  end
  return named
end

-- Calls fn with every block of the plan that counts, and those in products.
local function each_block(sizes, plan, fn)
  for _, factor in ipairs(plan) do
    for _, block in ipairs(factor) do
      local at = parts.applies(sizes, block) and block or nil
      while at do
        fn(at)
        at = at.times
      end
    end
  end
end

-- The parts that a plan needs, by name, and their dtypes, "F16" or
-- "Q4_K+Q6_K"; or nil and the reason. Of parts that come one a head the
-- first stands for all.
local function needed(model, layer, sizes, plan)
  local named <const> = rows_by_name(model, layer)
  local found, dtypes, seen, reason = {}, {}, {}, nil
  each_block(sizes, plan, function(block)
    local row <const> = named[block.part]
    local part <const> = found[block.part] or row and parts.make(model, layer,
      row, row.per and 0 or nil)
    found[block.part] = part
    if not part or not part.tensor then
      reason = reason or ("%s: %s"):format(block.part, part and part.reason
        or ("layer %d has none"):format(layer))
    elseif not seen[part.dtype] then
      seen[part.dtype] = true
      dtypes[#dtypes + 1] = part.dtype
    end
  end)
  if reason then
    return nil, reason
  end
  return found, table.concat(dtypes, "+")
end

-- The matrix that a block takes of its part.
local function matrix(model, sizes, found, block, head)
  local part = found[block.part]
  if part.row.per == "head" then
    part = parts.make(model, part.layer, part.row, head)
  end
  local tensor = part.tensor
  if part.row.split then
    tensor = kernels.slice(sizes, part.row, tensor, head)
  end
  if part.row.axis == 2 then
    tensor = tensor:t()
  end
  if block.rows then
    local first <const> = sizes[block.first] or block.first or 0
    tensor = tensor:rows(first + 1, first + sizes[block.rows])
  end
  return tensor
end

-- A factor as core.kernel takes it.
local function factor(model, sizes, found, blocks, head)
  local list <const> = {}
  for _, block in ipairs(blocks) do
    if parts.applies(sizes, block) then
      local tensor <const> = matrix(model, sizes, found, block, head)
      list[#list + 1] = block.times and { tensor, matrix(model, sizes, found,
        block.times, head) } or tensor
    end
  end
  local alone <const> = #list == 1 and type(list[1]) ~= "table"
  return alone and list[1] or list
end

-- How many rows a block takes of its part; nil where the sizes don't tell.
local function height(sizes, named, block)
  local row <const> = named[block.part]
  if block.rows or not row then
    return sizes[block.rows]
  end
  return row.split and head_width(sizes, row)
    or row.shape and sizes[row.shape[row.axis == 2 and 2 or 1]]
end

-- A factor's blocks {rows, inner}, or nil.
local function factor_sizes(sizes, named, blocks)
  local list <const> = {}
  for _, block in ipairs(blocks) do
    if parts.applies(sizes, block) then
      local rows <const> = height(sizes, named, block)
      local inner <const> = block.times and height(sizes, named, block.times)
      if not rows or block.times and not inner then
        return nil
      end
      list[#list + 1] = { rows = rows, inner = inner }
    end
  end
  return list
end

--- The sizes of a head's two factors, left and right, by a stack's dims: of
--- each a list of its blocks {rows, inner}, inner being the size that the two
--- matrices of a product share; nil where the dims don't tell.
function kernels.sizes(family, stack, of)
  local named <const> = {}
  for _, row in ipairs(stack.parts) do
    if parts.applies(stack.dims, row) then
      named[row.name] = named[row.name] or row
    end
  end
  local plan <const> = (family.kernels or STOCK)[of]
  return factor_sizes(stack.dims, named, plan[1]),
    factor_sizes(stack.dims, named, plan[2])
end

--- What makes the kernels of a layer's heads, a function of the head, and
--- their dtype; or nil and the reason why there are none.
function kernels.of(model, layer, of)
  local sizes <const> = model:stack_of(layer).dims
  local plan <const> = (model.family.kernels or STOCK)[of]
  local found <const>, dtype <const> = needed(model, layer, sizes, plan)
  if not found then
    return nil, dtype
  end
  return function(head)
    return core.kernel(factor(model, sizes, found, plan[1], head),
      factor(model, sizes, found, plan[2], head))
  end, dtype
end

return kernels
