-- How far words are from each other, for what may be a slip of the keyboard.
local near = {}

--- Edits (a character put in, taken out or changed) from one word to another.
function near.distance(a, b)
  local row <const> = {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local corner = row[0]
    row[0] = i
    for j = 1, #b do
      local cost <const> = a:byte(i) == b:byte(j) and 0 or 1
      corner, row[j] = row[j], math.min(row[j] + 1, row[j - 1] + 1,
        corner + cost)
    end
  end
  return row[#b]
end

return near
