-- A tensor as text: what it is, and at most a screen of its numbers in
-- columns, with … where some are left out.
local numbers = {}

local markdown <const> = require "weft.markdown"

local EDGE <const> = 3         -- rows and columns kept at either end
local THRESHOLD <const> = 1000 -- elements, up to which all are shown
local DIGITS <const> = 5       -- significant ones of the largest number
local LEAST <const> = 4        -- and at least so many of the smallest
local BLOCKS <const> = 2       -- matrices kept at either end of other axes

-- ---- which ----

-- Subscripts first and last of the runs of 1 to n that are shown: all, or
-- the first and the last `edge`.
local function runs_shown(n, edge)
  if n <= 2 * edge then
    return n > 0 and { { 1, n } } or {}
  end
  return { { 1, edge }, { n - edge + 1, n } }
end

local function edge_for(n, room, all)
  local most <const> = math.max(1, room // 2)
  return math.min(all and n or EDGE, n <= room and n or most)
end

-- ---- how ----

-- The largest and least magnitude of finite numbers but zero, and whether all
-- are whole.
local function scan(rows)
  local high, low, whole = 0, math.huge, true
  for _, row in ipairs(rows) do
    for _, x in ipairs(row) do
      local size <const> = x and math.abs(x) or 0
      if size > 0 and size < math.huge then
        high, low = math.max(high, size), math.min(low, size)
        whole = whole and size % 1 == 0
      end
    end
  end
  return high, low, whole
end

local function magnitude(x)
  return math.floor(math.log(x, 10) + 1e-12)
end

-- One printf format for all: no decimals for whole numbers, else so many that
-- the largest has DIGITS and the smallest LEAST; powers of ten where that
-- would take more room than they do.
local function format_for(rows)
  local high <const>, low <const>, whole <const> = scan(rows)
  if high == 0 or whole and high < 1e9 then
    return "%.0f"
  end
  local decimals <const> = math.max(1, DIGITS - 1 - magnitude(high),
    LEAST - 1 - magnitude(low))
  if high >= 1e6 or high < 1e-3 or magnitude(high) + decimals > 2 * DIGITS then
    return "%." .. DIGITS - 1 .. "e"
  end
  return "%." .. decimals .. "f"
end

local function number_text(format, x)
  if not x then
    return "…"
  elseif x ~= x then
    return "nan"
  elseif math.type(x) == "integer" then
    return tostring(x)
  end
  return format:format(x)
end

local function pad(text, room)
  return (" "):rep(room - markdown.width(text)) .. text
end

-- Rows of numbers (false stands for …) as lines of columns.
local function aligned(rows, format)
  local cells, room = {}, {}
  for i, row in ipairs(rows) do
    cells[i] = {}
    for j, x in ipairs(row) do
      local text <const> = number_text(format, x)
      cells[i][j] = text
      room[j] = math.max(room[j] or 0, markdown.width(text))
    end
  end
  for i, row in ipairs(cells) do
    for j = 1, #row do
      row[j] = pad(row[j], room[j])
    end
    cells[i] = "  " .. table.concat(row, "  ")
  end
  return cells
end

-- ---- reading ----

-- The shown rows and columns of a matrix, read as blocks of it: a file's is
-- never read whole.
local function read_matrix(t, row_runs, col_runs)
  local rows <const> = {}
  for i, run in ipairs(row_runs) do
    local part <const> = t:rows(run[1], run[2])
    local first <const> = #rows
    for j, window in ipairs(col_runs) do
      local block <const> = part:cols(window[1], window[2]):totable()
      for k, line in ipairs(block) do
        local row <const> = rows[first + k] or {}
        rows[first + k] = row
        if j > 1 then
          row[#row + 1] = false
        end
        table.move(line, 1, #line, #row + 1, row)
      end
    end
    if i < #row_runs then
      rows[#rows + 1] = "gap"
    end
  end
  for i, row in ipairs(rows) do
    if row == "gap" then
      rows[i] = {}
      for j = 1, #rows[1] do
        rows[i][j] = false
      end
    end
  end
  return rows
end

-- ---- one axis, two, and more ----

-- A vector in lines as wide as the screen.
local function vector_lines(t, options, all)
  local n <const> = t.shape[1]
  local runs, values = runs_shown(n, all and n or EDGE), {}
  for i, run in ipairs(runs) do
    if i > 1 then
      values[#values + 1] = false
    end
    local part <const> = t:rows(run[1], run[2]):totable()
    table.move(part, 1, #part, #values + 1, values)
  end
  local format <const> = format_for { values }
  local room = 0
  for _, x in ipairs(values) do
    room = math.max(room, markdown.width(number_text(format, x)) + 2)
  end
  local per_line <const> = math.max(1, options.width // room)
  local lines <const> = {}
  for i = 1, #values, per_line do
    local line <const> = {}
    for j = i, math.min(#values, i + per_line - 1) do
      line[#line + 1] = pad(number_text(format, values[j]), room)
    end
    lines[#lines + 1] = table.concat(line)
  end
  return lines
end

local function widest(lines)
  local most = 0
  for _, line in ipairs(lines) do
    most = math.max(most, markdown.width(line))
  end
  return most
end

-- A matrix: fewer columns are tried until its lines fit the screen.
local function matrix_lines(t, options, all, room)
  local n <const>, m <const> = t.shape[1], t.shape[2]
  local row_runs <const> = runs_shown(n, edge_for(n, room, all))
  -- 3 columns of the screen are the least that a number takes
  local edge = edge_for(m, options.width // 3, all)
  while true do
    local rows <const> = read_matrix(t, row_runs, runs_shown(m, edge))
    local lines <const> = aligned(rows, format_for(rows))
    local over <const> = widest(lines)
    if over <= options.width or edge <= 1 then
      return lines
    end
    edge = math.max(1, math.min(m // 2, edge - 1,
      math.floor(edge * options.width / over) + 1))
  end
end

-- More axes: the matrices of the last two, under their subscripts.
local function block_lines(t, options, all, room, label, lines)
  if #t.shape == 2 then
    lines[#lines + 1] = ("  [%s, :, :]"):format(label)
    for _, line in ipairs(matrix_lines(t, options, all, room)) do
      lines[#lines + 1] = line
    end
    return lines
  end
  local runs <const> = runs_shown(t.shape[1], all and t.shape[1] or BLOCKS)
  for i, run in ipairs(runs) do
    if i > 1 then
      lines[#lines + 1] = "  …"
    end
    for k = run[1], run[2] do
      if #lines > options.rows then
        return lines
      end
      block_lines(t[k], options, all, room,
        label and label .. ", " .. k or tostring(k), lines)
    end
  end
  return lines
end

local function body_lines(t, options)
  local shape <const> = t.shape
  local count = 1
  for _, size in ipairs(shape) do
    count = count * size
  end
  local all <const> = count <= THRESHOLD
  if count == 0 then
    return {}
  elseif #shape == 0 then
    return { "  " .. number_text("%.14g", t:get()) }
  elseif #shape == 1 then
    return vector_lines(t, options, all)
  end
  local room <const> = options.rows - 1
  if #shape == 2 then
    return matrix_lines(t, options, all, room)
  end
  return block_lines(t, options, all, room // 3, nil, {})
end

--- A tensor's text: its shape and dtype, then numbers; a closed one and one
--- whose numbers can't be read say so.
function numbers.tensor(t, options)
  local head <const> = tostring(t)
  if head:find "closed" then
    return head
  end
  local ok <const>, lines <const> = pcall(body_lines, t, options)
  if not ok then
    return ("%s (no numbers: %s)"):format(head, tostring(lines))
  end
  table.insert(lines, 1, head)
  if #lines <= options.rows then
    return table.concat(lines, "\n")
  end
  return table.concat(lines, "\n", 1, options.rows - 1) .. "\n  …"
end

return numbers
