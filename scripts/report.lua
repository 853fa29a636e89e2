-- weft report MODEL: the notebook's whole analysis of one model, as printed
-- lines, a CSV, figures, a markdown report and report.json.
local cli <const> = require "weft.cli"
local core <const> = require "weft.core"
local findings <const> = require "weft.report.findings"
local frame <const> = require "weft.frame"
local json <const> = require "weft.json"
local markdown <const> = require "weft.markdown"
local model <const> = require "weft.model"
local printed <const> = require "weft.report.printed"
local report <const> = require "weft.report"
local reuse <const> = require "weft.reuse"
local sections <const> = require "weft.report.sections"
local staging <const> = require "weft.staging"
local values <const> = require "weft.report.values"
local sys <const> = core.sys

local NOTEBOOK_LAYER <const> = 18
local VARIED <const> = "W_down" -- whose singular values are looked into

local parser <const> = cli.parser("report",
  "Recreate the notebook's analysis of a model: spectra of attention "
  .. "kernels and weights, phases, trends, figures and a report.")
parser:argument("model", "Folder, checkpoint file or hub id.")
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
parser:option("--precision", "Arithmetic of the weights' spectra.", "double")
  :choices { "double", "single" }
parser:flag("--estimate",
  "Estimate the effective ranks of large weights, with the "
  .. "relative half-widths of their 95 % intervals.")
parser:option("--kernel", "How the kernel's eigenvalues are taken.", "exact")
  :choices { "exact", "dense" }
parser:flag("--fresh", "Compute all again, and keep that.")
parser:flag("--quiet", "Print nothing but errors and warnings.")

local options <const> = cli.run(parser, arg)

local function say(lines)
  if not options.quiet then
    print(table.concat(lines, "\n"))
  end
end

local function warn_line(text)
  io.stderr:write("weft report: ", text, "\n")
end

local kept <const> = reuse.new(options.fresh, warn_line)

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
  if m.guessed or not m.family then
    warn_line(m.told)
  end
  if m.dims.L == 0 then
    stop(sys.escape(options.model) .. ": there is no matrix to analyse")
  end
  local function check(what, label, count)
    if label and count and label >= count then
      stop(("--%s %d is out of range, the model has %ss 0 to %d"):format(what,
        label, what, count - 1), 2)
    end
  end
  check("layer", options.layer, m.dims.L)
  check("head", options.head, m.dims.h)
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

-- Where the report's files grow until all are whole.
local area

-- What an earlier report left in DIR and this one replaces; CSVs are named
-- after their models and stay.
local function is_report_file(name)
  return name == "one_output.md" or name == "report.json"
    or name:find("^figures/[%w_]+%.[a-z]+$") ~= nil
end

local figures <const> = {} -- drawn ones, by name
local undrawn <const> = {} -- those that could not be, as failures

-- Draws one figure; one that can't be drawn costs the link to it.
local function draw(name, title, make)
  if options.figures == "none" then
    return
  end
  local plot <const> = require "weft.plot.report"
  local files <const> = {}
  for i, extension in ipairs { options.figures, "gp", "dat" } do
    files[i] = ("figures/%s.%s"):format(name, extension)
  end
  local path <const> = area:claim(files[1])
  area:claim(files[2])
  area:claim(files[3])
  local raised <const>, ok <const>, why <const> = pcall(function()
    return make(plot):save((path:gsub("%.%w+$", "")), options.figures)
  end)
  local message <const> = raised and why or ok
  if raised and ok then
    figures[name] = { title = title, path = files[1] }
    return
  end
  warn_line(("figure %s: %s"):format(name, message))
  undrawn[#undrawn + 1] = { layer = "all", part = "figure " .. name,
    reason = message }
  for _, file in ipairs(files) do
    area:drop(file)
  end
end

local function look_into_kernel(m, layer)
  say(printed.dims(m.dims))
  say(printed.shapes(m:weights(layer), m.dims))
  local k <const> = report.kernel(m, layer, options.head, kept:options {
    dense = options.kernel == "dense", threads = options.threads })
  say(printed.kernel(k))
  if not k.reason then
    draw("kernel", "Attention kernel", function(plot) return plot.kernel(k) end)
  end
  return k
end

local function map_heads(m)
  if m.no_heads then
    local map <const> = { reason = m.no_heads }
    say(printed.heatmap(map))
    return map
  end
  local heads <const> = m:heads {}
  local bars <close>, each <const> = progress_of(1, #heads)
  local map <const> = report.heatmap(m, heads, kept:options {
    threads = options.threads, each = each })
  bars:clear()
  draw("heatmap", "Effective rank of every layer's every head's kernel",
    function(plot)
      return plot.heatmap { z = map.ranks, L = map.L, h = map.h }
    end)
  say(printed.heatmap(map))
  return map
end

-- The weights come first, since the one that is looked into is among them.
local function vary(m, layer, found)
  local v <const> = report.variance(m, layer, VARIED,
    kept:options { threads = options.threads, found = found })
  if v.s then
    draw("w_down", "Singular values of W_down", function(plot)
      return plot.w_down { name = v.part, variance = v.variance,
        cumulative = v.cumulative, n99 = v.n99, count = #v.s }
    end)
  end
  return v
end

local CSV_COLUMNS <const> = { "layer_idx", "weight_type", "shape", "eff_rank" }

-- Measures all weights, writes the CSV and reads it back: what follows is of
-- the file's numbers.
local function measure_weights(m, layer)
  local parts <const> = m:weights {}
  local varied <const> = report.part(m, layer, VARIED)
  for _, part in ipairs(parts) do
    part.shown = varied and part.layer == layer and part.name == varied.name
  end
  local bars <close>, each <const> = progress_of(2, #parts)
  local weights <const> = report.weights(parts, kept:options {
    threads = options.threads, precision = options.precision,
    estimate = options.estimate, each = each })
  bars:clear()
  local file <const> = m.name:gsub("[/%c]", "_"):sub(1, 200)
    .. "_Layer_Weight_Eff_Ranks.csv"
  local path <const> = area:claim(file)
  must(sys.write(path, frame.from_rows(CSV_COLUMNS, weights.rows):csv()))
  local back <const> = must(frame.from_csv(must(sys.read(path))))
  return weights, back, options.out .. "/" .. file
end

-- Heads that fell out, a row for each layer and reason.
local function head_failures(map)
  local list <const> = {}
  for _, failure in ipairs(map.failures or {}) do
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

-- What was planned, and where it went: layers beyond the config's are skipped
-- by name, and heads that no known family tells how to cut.
local function ledger_of(m, weights, results)
  local skipped, failures = {}, {}
  for _, entry in ipairs(m:not_analysed()) do
    if entry.layer and #entry.shape == 2 then
      skipped[#skipped + 1] = { layer = entry.layer, part = entry.name,
        reason = entry.reason }
    end
  end
  local planned <const> = weights.planned + #skipped
  table.move(weights.failures, 1, #weights.failures, 1, failures)
  table.move(undrawn, 1, #undrawn, #failures + 1, failures)
  for _, entry in ipairs(head_failures(results.heatmap)) do
    failures[#failures + 1] = entry
  end
  local heads <const> = m.no_heads and { layer = "all", part = "heads",
    reason = m.no_heads }
  if heads and m.family and not m.guessed then
    failures[#failures + 1] = heads
  end
  return { planned = planned, computed = #weights.rows,
    failed = #weights.failures, skipped = skipped, failures = failures,
    unplanned = heads and #failures == 0 and { heads } or {} }
end

local function document(m, results)
  local doc <const> = sections.document()
  doc:add("# Transformer Weight Analysis: %s", markdown.escape(m.name))
  doc:add("## Findings")
  doc:add("- %s", table.concat(results.findings, "\n- "))
  sections.configuration(doc, m.dims)
  sections.kernel(doc, results.kernel, figures)
  sections.heatmap(doc, results.heatmap, figures)
  sections.variance(doc, results.w_down, figures)
  sections.weights(doc, results, figures)
  sections.phases(doc, results.types, results.phases)
  sections.experts(doc, results.experts, figures)
  sections.missing(doc, results.ledger)
  return doc:text()
end

local m <const> = open_model()
area = must(staging.new(options.out))
local layer <const> = choose_layer(m.dims.L)
local results <const> = { name = m.name, arch = m.arch, dims = m.dims,
  version = core.version.weft }
results.kernel = look_into_kernel(m, layer)
results.heatmap = map_heads(m)
local weights <const>, back <const>, csv_path <const> = measure_weights(m,
  layer)
results.w_down = vary(m, layer, weights.found)
results.frame, results.dtypes = back, weights.dtypes
results.bound, results.single = weights.bound, weights.single
results.half_widths = weights.half_widths
results.by_type, results.experts = report.by_type(back)
results.types, results.phases = report.statistics(m.dims.L, weights.types,
  results.by_type)
results.levels = report.levels(results.types)
say(printed.statistics(sys.escape(m.name), sys.escape(csv_path),
  sections.statistics_table(results.types)))
draw("by_layer", "Effective rank by layer", function(plot)
  return plot.by_layer { types = results.types, L = m.dims.L }
end)
if next(results.experts) then
  draw("experts", "Effective rank by layer and expert", function(plot)
    return plot.experts { types = results.types, experts = results.experts,
      L = m.dims.L }
  end)
end
say(printed.phases(results.types, results.phases))
results.ledger = ledger_of(m, weights, results)
results.findings = findings.sentences(results)
must(sys.write(area:claim("one_output.md"), document(m, results)))
must(sys.write(area:claim("report.json"), json.encode(values.of(results))))
must(area:commit(is_report_file, { "figures" }))
say { ("Markdown report written to: %s/one_output.md"):format(
  sys.escape(options.out)) }
if kept:sentence() and not options.quiet then
  warn_line(kept:sentence())
end
local ledger <const> = results.ledger
if #ledger.skipped > 0 then
  warn_line(("%d matrices in layers beyond the config's %d are skipped, as "
    .. "%s/one_output.md says"):format(#ledger.skipped, m.dims.L,
    options.out))
end
if #ledger.failures > 0 then
  local first <const> = ledger.failures[1]
  warn_line(("layer %s %s: %s"):format(first.layer, first.part,
    first.reason))
  warn_line(("%d %s missing"):format(ledger.failed,
    ledger.failed == 1 and "row" or "rows"))
end
os.exit(#ledger.failures > 0 and 1 or 0, true)
