-- An own architecture: a family that weft does not know is one table. To have
-- something to read, two weights of a model are saved in a family's way that
-- nobody has: its own names, and keys of config.json.
--
--   weft examples/05-architecture.lua [MODEL]
local m <const> = assert(weft.open(arg[1] or "build/demo"))
local sys <const>, folder <const> = weft.core.sys, "output/05-toy"
assert(sys.mkdir(folder))
assert(sys.write(folder .. "/config.json", weft.json.encode {
  model_type = "toy", blocks = 1, width = m.dims.d, heads = m.dims.h,
  groups = m.dims.GQA, head_width = m.dims.d_head }))
assert(weft.save.safetensors(folder .. "/model.safetensors", {
  { name = "block.0.query", tensor = m:weight(0, "W_Q"), dtype = "F32" },
  { name = "block.0.key", tensor = m:weight(0, "W_K"), dtype = "F32" } }))

-- Which models are its, where their dims stand, how a layer's tensors are
-- called; `split` says which heads the rows (axis 1) are cut into. A family
-- shaped like another says `like` and what differs.
weft.arch { name = "toy",
  match = { model_type = { "toy" } },
  dims = { L = "blocks", d = "width", h = "heads", GQA = "groups",
    d_head = "head_width" },
  layer = "block.%d.",
  parts = {
    { name = "W_Q", tensor = "query", shape = { "d_q", "d" }, split = "h",
      axis = 1 },
    { name = "W_K", tensor = "key", shape = { "d_kv", "d" }, split = "GQA",
      axis = 1 },
  } }

local toy <const> = assert(weft.open(folder))
print(toy)
print("the kernel as it was", weft.effective_rank(m:qk(0, 0):svdvals()))
print("the kernel of toy", weft.effective_rank(toy:qk(0, 0):svdvals()))
