-- weft spectra MODEL: the singular values of all weights and heads, each an
-- array of an .npz file. What an earlier command computed is taken from the
-- cache.
local cli <const> = require "weft.cli"
local core <const> = require "weft.core"
local measure <const> = require "weft.measure"
local model <const> = require "weft.model"
local npz <const> = require "weft.npz"
local reuse <const> = require "weft.reuse"
local sys <const> = core.sys

local KINDS <const> = { "weights", "qk", "ov" }

local parser <const> = cli.parser("spectra",
  "Write singular values to an .npz file: an array a matrix, such as "
  .. "layer.00.W_Q and layer.00.head.03.qk.")
parser:argument("model", "Folder, checkpoint file or hub id.")
  :argname("MODEL")
parser:option("--out", "The file to write.", "spectra.npz"):argname("FILE")
parser:option("--of", "Which of weights,qk,ov (weights,qk).")
  :convert(cli.words):argname("KINDS")
parser:option("--layers", "Layers, such as 0,3,5-8 (all).")
  :convert(cli.labels(4095)):argname("LABELS")
parser:option("--threads", "Worker threads (all processors).")
  :convert(cli.integer(1, 1024)):argname("N")
parser:flag("--fresh", "Compute all again, and keep that.")
parser:flag("--quiet", "Print nothing but errors and warnings.")

local options <const> = cli.run(parser, arg)

local function warn_line(text)
  io.stderr:write("weft spectra: ", text, "\n")
end

local function stop(message, code)
  warn_line(message)
  os.exit(code or 1, true)
end

-- The kinds asked for, as a set.
local function chosen_kinds()
  local chosen, known = {}, {}
  for _, kind in ipairs(KINDS) do
    known[kind] = true
  end
  for _, kind in ipairs(options.of or { "weights", "qk" }) do
    if not known[kind] then
      parser:error("--of: " .. cli.unknown("kind", kind, KINDS))
    end
    chosen[kind] = true
  end
  return chosen
end

local function open_model()
  local m <const>, message <const> = model.open(options.model)
  if not m then
    stop(message)
  end
  for _, note in ipairs(m.checkpoint:notes()) do
    warn_line(note)
  end
  for _, layer in ipairs(m.dims.L and options.layers or {}) do
    if layer >= m.dims.L then
      stop(("--layers %d is out of range, the model has layers 0 to %d")
        :format(layer, m.dims.L - 1), 2)
    end
  end
  return m
end

-- The heads' parts; a model whose heads nobody knows has none.
local function heads_of(m, of)
  local ok <const>, parts <const> = pcall(m.heads, m, {
    layers = options.layers, of = of })
  if ok then
    return parts
  end
  warn_line(("no %s spectra: %s"):format(of, measure.reason(parts)))
  return {}
end

-- All that is wanted: names of arrays, and what they are the spectra of.
local function plan(m)
  local chosen <const>, list <const> = chosen_kinds(), {}
  for _, part in ipairs(chosen.weights
      and m:weights { layers = options.layers } or {}) do
    list[#list + 1] = { name = ("layer.%02d.%s"):format(part.layer, part.name),
      matter = part.tensor, reason = part.reason }
  end
  for _, of in ipairs { "qk", "ov" } do
    for _, part in ipairs(chosen[of] and heads_of(m, of) or {}) do
      list[#list + 1] = { matter = part.kernel, reason = part.reason,
        name = ("layer.%02d.head.%02d.%s"):format(part.layer, part.head, of) }
    end
  end
  return list
end

-- Fills in each entry's `tensor`, or its reason.
local function solve(list)
  local matters, entries = {}, {}
  for _, entry in ipairs(list) do
    if entry.matter then
      matters[#matters + 1], entries[#entries + 1] = entry.matter, entry
    end
  end
  local kept <const> = reuse.new(options.fresh, warn_line)
  local bar <close> = core.progress(options.quiet)
  bar:open("Spectra", #matters)
  local done = 0
  core.spectra(matters, kept:options { threads = options.threads, shown = true,
    each = function(i, s, reason)
      entries[i].tensor, entries[i].reason = s, reason
      done = done + 1
      bar:set(done)
    end })
  bar:clear()
  if kept:sentence() and not options.quiet then
    warn_line(kept:sentence())
  end
end

local list <const> = plan(open_model())
solve(list)
local arrays, failures = {}, {}
for _, entry in ipairs(list) do
  local to <const> = entry.tensor and arrays or failures
  to[#to + 1] = entry
end
local ok <const>, message <const> = npz.write(options.out, arrays)
if not ok then
  stop(message)
elseif not options.quiet then
  print(("%d spectra written to %s"):format(#arrays, sys.escape(options.out)))
end
if #failures > 0 then
  warn_line(("%d of %d spectra are missing, the first is %s: %s"):format(
    #failures, #list, sys.escape(failures[1].name),
    failures[1].reason or "there is nothing to measure"))
end
os.exit(#failures > 0 and 1 or 0, true)
