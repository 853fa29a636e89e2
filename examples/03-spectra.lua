-- The singular values of every weight of every layer, on all processors, with
-- a progress bar: a matrix is one job, the largest first.
--
--   weft examples/03-spectra.lua [MODEL]
local m <const> = assert(weft.open(arg[1] or "build/demo"))
local parts, tensors = {}, {}
for _, part in ipairs(m:weights {}) do
  if part.tensor then -- false where the file does not have it
    parts[#parts + 1], tensors[#tensors + 1] = part, part.tensor
  end
end

-- The bar shows on a terminal only; `each` is called as results come, in any
-- order, always on this thread.
local bar <close> = weft.progress()
bar:open("Spectra", #tensors)
local done = 0
local spectra <const>, why <const> = weft.spectra(tensors, {
  each = function()
    done = done + 1
    bar:set(done)
  end,
})
bar:clear()

-- spectra[i] is a tensor of falling values, or false, and why[i] says why.
print(("%d spectra"):format(#spectra))
for i, part in ipairs(parts) do
  local s <const> = spectra[i]
  print(("%2d %-6s"):format(part.layer, part.name), s and
    ("%.4g … %.4g"):format(s[1], s[#s]) or why[i])
end
