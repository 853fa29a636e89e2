-- weft report MODEL: the notebook's whole analysis of one model, as printed
-- lines, a CSV, figures, a markdown report and report.json.
local cli <const> = require "weft.cli"
local core <const> = require "weft.core"
local findings <const> = require "weft.report.findings"
local frame <const> = require "weft.frame"
local json <const> = require "weft.json"
local model <const> = require "weft.model"
local printed <const> = require "weft.report.printed"
local report <const> = require "weft.report"
local sections <const> = require "weft.report.sections"
local values <const> = require "weft.report.values"
local sys <const> = core.sys

local NOTEBOOK_LAYER <const> = 18

local parser <const> = cli.parser("report",
  "Recreate the notebook's analysis of a model: spectra of attention "
  .. "kernels and weights, phases, trends, figures and a report.")
parser:argument("model", "Folder, .safetensors or .gguf file, or hub id.")
  :argname("MODEL")
parser:option("--layer", "Layer to look into (18, or L // 2).")
  :convert(cli.integer(0, 4095)):argname("N")
parser:option("--head", "Head to look into.", "0")
  :convert(cli.integer(0, 65535)):argname("N")
parser:option("--out", "Folder to write into.", "output"):argname("DIR")
parser:option("--name", "The model's name in the report."):argname("NAME")
parser:option("--threads", "Worker threads (all processors).")
  :convert(cli.integer(1, 1024)):argname("N")
parser:option("--figures", "Format of the figures.", "svg")
  :choices { "svg", "png", "pdf", "none" }
parser:option("--kernel", "How the kernel's eigenvalues are taken.", "exact")
  :choices { "exact", "dense" }
parser:flag("--quiet", "Print nothing but errors and warnings.")

local options <const> = cli.run(parser, arg)
local status = 0

local function say(lines)
  if not options.quiet then
    print(table.concat(lines, "\n"))
  end
end

local function warn_line(text)
  io.stderr:write("weft report: ", text, "\n")
end

-- One line on standard error, and the end.
local function stop(message, code)
  warn_line(message)
  os.exit(code or 1, true)
end

local function must(ok, message)
  if not ok then
    stop(message)
  end
  return ok
end

-- The layer to look into: the one asked for, the notebook's, or the middle.
local function choose_layer(L)
  if options.layer then
    return options.layer
  elseif L > NOTEBOOK_LAYER then
    return NOTEBOOK_LAYER
  end
  warn_line(("the model has no layer %d, so layer %d is looked into")
    :format(NOTEBOOK_LAYER, L // 2))
  return L // 2
end

local function open_model()
  local m <const> = must(model.open(options.model))
  for _, note in ipairs(m.checkpoint:notes()) do
    warn_line(note)
  end
  local dims <const> = m.dims
  if not m.family or not dims.L or not dims.d or not dims.h then
    stop(("%s: a report needs a known family and its dims: %s"):format(
      sys.escape(options.model), m.reason or "L, d and h must be told"))
  end
  local function check(what, label, count)
    if label and label >= count then
      stop(("--%s %d is out of range, the model has %ss 0 to %d"):format(what,
        label, what, count - 1), 2)
    end
  end
  check("layer", options.layer, dims.L)
  check("head", options.head, dims.h)
  m.name = options.name or m.name
  return m
end

-- Two bars: the stages of the report (this one and those before it are under
-- way), and the stage's parts that are done. The bars go when they are closed.
local STAGES <const> = { "Kernels", "Effective ranks" }

local function progress_of(stage, total)
  local bars <const> = core.progress(options.quiet)
  local done = 0
  bars:open("Report", #STAGES)
  bars:set(stage - 1)
  bars:open(STAGES[stage], total)
  return bars, function()
    done = done + 1
    bars:set(done)
  end
end

local figures <const> = {}

-- Draws one figure; one that can't be drawn costs the link to it.
local function draw(name, title, make)
  if options.figures == "none" then
    return
  end
  local plot <const> = require "weft.plot.report"
  local ok, message = make(plot):save(options.out .. "/figures/" .. name,
    options.figures)
  if ok then
    figures[name] = { title = title,
      path = ("figures/%s.%s"):format(name, options.figures) }
  else
    warn_line(("figure %s: %s"):format(name, message))
    status = 1
  end
end

local function look_into_kernel(m, layer)
  say(printed.dims(m.dims))
  say(printed.shapes(m:weights(layer), m.dims))
  local k <const> = report.kernel(m, layer, options.head,
    options.kernel == "dense")
  say(printed.kernel(k))
  if not k.reason then
    draw("kernel", "Attention kernel", function(plot) return plot.kernel(k) end)
  end
  return k
end

local function map_heads(m)
  if m.no_heads then
    return nil
  end
  local bars <close>, each <const> = progress_of(1, m.dims.L * m.dims.h)
  local map <const> = report.heatmap(m, { threads = options.threads,
    each = each })
  bars:clear()
  draw("heatmap", "Effective rank of every layer's every head's kernel",
    function(plot)
      return plot.heatmap { z = map.ranks, L = map.L, h = map.h }
    end)
  say(printed.heatmap(map))
  return map
end

local function vary(m, layer)
  local v <const> = report.variance(m, layer, "W_down",
    { threads = options.threads })
  if not v.reason then
    draw("w_down", "Singular values of W_down", function(plot)
      return plot.w_down { name = v.name, variance = v.variance,
        cumulative = v.cumulative, n99 = v.n99, count = #v.s }
    end)
  end
  return v
end

local CSV_COLUMNS <const> = { "layer_idx", "weight_type", "shape", "eff_rank" }

-- Measures all weights, writes the CSV and reads it back: what follows is of
-- the file's numbers.
local function measure_weights(m)
  local bars <close>, each <const> = progress_of(2,
    m.dims.L * #m.family.parts)
  local weights <const> = report.weights(m, { threads = options.threads,
    each = each })
  bars:clear()
  local file <const> = m.name:gsub("[/%c]", "_"):sub(1, 200)
    .. "_Layer_Weight_Eff_Ranks.csv"
  local path <const> = options.out .. "/" .. file
  must(sys.write(path, frame.from_rows(CSV_COLUMNS, weights.rows):csv()))
  local back <const> = must(frame.from_csv(must(sys.read(path))))
  return weights, back, path
end

-- Heads that fell out, a row for each layer and reason.
local function head_failures(map)
  local list <const> = {}
  for _, failure in ipairs(map and map.failures or {}) do
    local last <const> = list[#list]
    if last and last.layer == failure.layer
        and last.reason == failure.reason then
      last.last = failure.head
    else
      list[#list + 1] = { layer = failure.layer, reason = failure.reason,
        first = failure.head, last = failure.head }
    end
  end
  for _, entry in ipairs(list) do
    entry.part = entry.first == entry.last
      and ("head %d"):format(entry.first)
      or ("heads %d–%d"):format(entry.first, entry.last)
  end
  return list
end

-- What was planned, and where it went; layers beyond the config's are skipped
-- by name.
local function ledger_of(m, weights, results)
  local skipped <const> = {}
  for _, entry in ipairs(m:not_analysed()) do
    if entry.extra and #entry.shape == 2 then
      skipped[#skipped + 1] = { layer = entry.layer, part = entry.name,
        reason = entry.reason }
    end
  end
  local failures <const> = table.move(weights.failures, 1, #weights.failures,
    1, {})
  for _, entry in ipairs(head_failures(results.heatmap)) do
    failures[#failures + 1] = entry
  end
  if m.no_heads then
    failures[#failures + 1] = { layer = "all", part = "heads",
      reason = m.no_heads }
  end
  return { planned = weights.planned + #skipped, computed = #weights.rows,
    failed = #weights.failures, skipped = skipped, failures = failures }
end

local function document(m, results)
  local doc <const> = sections.document()
  doc:add("# Transformer Weight Analysis: %s",
    (m.name:gsub("%c", " ")))
  doc:add("## Findings")
  doc:add("- %s", table.concat(findings.sentences(results), "\n- "))
  sections.configuration(doc, m.dims)
  sections.kernel(doc, results.kernel, m.dims.d, figures)
  if results.heatmap then
    sections.heatmap(doc, results.heatmap, figures)
  end
  sections.variance(doc, results.w_down, figures)
  sections.weights(doc, results.types, results.frame, figures)
  sections.phases(doc, results.types, results.phases)
  sections.missing(doc, results.ledger)
  return doc:text()
end

local m <const> = open_model()
must(sys.mkdir(options.out))
if options.figures ~= "none" then
  must(sys.mkdir(options.out .. "/figures"))
end
local layer <const> = choose_layer(m.dims.L)
local results <const> = { name = m.name, arch = m.arch, dims = m.dims,
  version = core.version.weft }
results.kernel = look_into_kernel(m, layer)
results.heatmap = map_heads(m)
results.w_down = vary(m, layer)
local weights <const>, back <const>, csv_path <const> = measure_weights(m)
results.frame, results.dtypes = back, weights.dtypes
results.types, results.phases = report.statistics(m, back)
say(printed.statistics(m.name, csv_path,
  sections.statistics_table(results.types)))
draw("by_layer", "Effective rank by layer", function(plot)
  return plot.by_layer { types = results.types }
end)
say(printed.phases(results.types, results.phases))
results.ledger = ledger_of(m, weights, results)
must(sys.write(options.out .. "/one_output.md", document(m, results)))
must(sys.write(options.out .. "/report.json", json.encode(values.of(results))))
say { ("Markdown report written to: %s/one_output.md"):format(options.out) }
if #results.ledger.failures > 0 then
  status = 1
  warn_line(("%d rows missing"):format(results.ledger.failed))
end
os.exit(status, true)
