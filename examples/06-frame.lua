-- A frame and a pivot: measure every weight, then ask the table.
--
--   weft examples/06-frame.lua [MODEL]
local m <const> = assert(weft.open(arg[1] or "build/demo"))
local f <const> = weft.measure(m:weights {}, { "effective_rank", "condition" },
  { progress = "Weights" })

-- A layer a row, a weight a column.
print(f:pivot("layer", "name", "effective_rank"))

-- groupby("name").agg(…), and the weight that varies most over the depth
-- first: cv is std / mean, std as pandas has it (ddof 1).
print(f:aggregate("name", "effective_rank", { "mean", "std", "min", "max",
  "cv" }):sort("cv", true))

-- Every method gives a new frame: rows that pass, a column more, rows in
-- order, the first few of them, some columns.
print(f:filter(function(row) return row.condition > 100 end)
  :with("lost", function(row) return math.log(row.condition, 10) end, "digits")
  :sort("lost", true)
  :head(5)
  :select { "layer", "name", "shape", "lost" })

-- And text for elsewhere; f:json(), f:markdown() and f:latex() do the same.
io.write(f:filter { layer = 0 }:csv())
