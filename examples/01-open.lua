-- Opens a model and looks around: its family and dims, its tensors by name,
-- a weight of a layer, the rows of one head.
--
--   weft examples/01-open.lua [MODEL]       a folder, a file or a hub id
local m <const> = assert(weft.open(arg[1] or "build/demo"))
print(m)
print("family told by", m.told)
print("tensors", #m:tensors(), "the first is " .. m:tensors()[1])

-- Layers and heads are labels and count from 0, as papers number them. A
-- weight is (out, in), whatever the file's layout.
local w_q <const> = m:weight(0, "W_Q")
print("W_Q of layer 0", w_q)
print("rows of its head 1", m:weight(0, "W_Q", 1))

-- Subscripts into a tensor count from 1. Nothing has been read until here:
-- a tensor of a file is a view, and numbers come when they are asked for.
print("its first element", w_q[1][1])
print("its norm", ("%.6g"):format(w_q:norm()))

-- All parts of a layer, in the family's order.
for _, part in ipairs(m:weights(0)) do
  print(part.name, table.concat(part.shape, " x "), part.dtype or part.reason)
end
