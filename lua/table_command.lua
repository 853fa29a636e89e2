-- What `weft weights` and `weft heads` share: options, and the way from a list
-- of parts to one tidy table on standard output.
local table_command = {}

local cli <const> = require "weft.cli"
local core <const> = require "weft.core"
local estimate <const> = require "weft.estimate"
local measure <const> = require "weft.measure"
local metrics <const> = require "weft.metrics"
local model <const> = require "weft.model"
local reuse <const> = require "weft.reuse"
local sys <const> = core.sys

local FORMATS <const> = {
  md = function(frame) return frame:markdown() .. "\n" end,
  csv = function(frame) return frame:csv() end,
  json = function(frame) return frame:json() end,
  latex = function(frame) return frame:latex() .. "\n" end,
}

local Command <const> = {}
Command.__index = Command

-- The names of the metrics that can be taken of what a command measures.
local function known_metrics(of)
  local names <const> = {}
  for _, row in ipairs(metrics.list()) do
    names[#names + 1] = of[row.of] and row.name or nil
  end
  return names
end

--- The command `weft NAME MODEL`. `of` holds true for the kinds of metrics
--- ("singular", "kernel") that it knows. More options go to its parser.
function table_command.new(name, description, of)
  local parser <const> = cli.parser(name, description)
  local known <const> = table.concat(known_metrics(of), ", ")
  parser:argument("model", "Folder, checkpoint file or hub id.")
    :argname("MODEL")
  parser:option("--metric", ("Columns, of %s (effective_rank)."):format(known))
    :convert(cli.words):argname("METRICS")
  parser:option("--layers", "Layers, such as 0,3,5-8 (all).")
    :convert(cli.labels(4095)):argname("LABELS")
  parser:option("--top", "The first N rows, by --sort or the first metric.")
    :convert(cli.integer(1, 1 << 31)):argname("N")
  parser:option("--sort", "Rows by a metric, the largest first.")
    :argname("METRIC")
  parser:flag("--ascending", "Sort the smallest first.")
  parser:option("--format", "How the table is written.", "md")
    :choices { "md", "csv", "json", "latex" }
  parser:option("--threads", "Worker threads (all processors).")
    :convert(cli.integer(1, 1024)):argname("N")
  parser:flag("--fresh", "Compute all again, and keep that.")
  parser:flag("--quiet", "Show no progress.")
  return setmetatable({ name = name, parser = parser, of = of }, Command)
end

function Command:warn(message)
  io.stderr:write("weft ", self.name, ": ", message, "\n")
end

-- One line on standard error, and the end.
function Command:stop(message, status)
  self:warn(message)
  os.exit(status or 1, true)
end

--- Refuses words of an option that are not among those known; the refusal
--- lists those to show (all where left out).
function Command:check_words(option, what, words, known, shown)
  local is_known <const> = {}
  for _, name in ipairs(known) do
    is_known[name] = true
  end
  for _, word in ipairs(words or {}) do
    if not is_known[word] then
      self.parser:error(("%s: %s"):format(option, cli.unknown(what, word,
        shown or known)))
    end
  end
end

--- Refuses labels of layers or heads that the model does not have, where it
--- is known how many it has.
function Command:check_labels(option, what, labels, count)
  for _, label in ipairs(count and labels or {}) do
    if label >= count then
      self:stop(("%s %d is out of range, the model has %ss 0 to %d"):format(
        option, label, what, count - 1), 2)
    end
  end
end

-- The metrics to take: those asked for, and the one to sort by.
function Command:choose_metrics(options)
  local known <const> = known_metrics(self.of)
  self:check_words("--metric", "metric", options.metric, known)
  self:check_words("--sort", "metric", { options.sort }, known)
  local chosen <const> = options.metric or { options.sort or "effective_rank" }
  for _, name in ipairs(chosen) do
    if name == options.sort then
      return chosen
    end
  end
  chosen[#chosen + 1] = options.sort
  return chosen
end

--- The opened model and the options; does not return where either is wrong.
function Command:start(args)
  local options <const> = cli.run(self.parser, args)
  self.options, self.metrics = options, self:choose_metrics(options)
  if options.estimate and (#self.metrics ~= 1
      or self.metrics[1] ~= "effective_rank") then
    self.parser:error("--estimate: of metrics effective_rank alone is "
      .. "estimated")
  end
  local m <const>, message <const> = model.open(options.model)
  if not m then
    self:stop(message)
  end
  for _, note in ipairs(m.checkpoint:notes()) do
    self:warn(note)
  end
  self:check_labels("--layers", "layer", options.layers, m.dims.L)
  self.model = m
  return m, options
end

-- Says how many estimates are too wide for a first look.
function Command:warn_wide(frame)
  local wide <const> = frame:filter(function(row)
    return row.half_width > estimate.WIDE
  end)
  if #wide > 0 then
    self:warn(("%d of %d estimates have intervals wider than 2 %%; without "
      .. "--estimate they are exact"):format(#wide, #frame))
  end
end

-- The frame of the parts, with the model and the dtype before it.
function Command:measure(parts)
  local label <const> = self.name:gsub("^%l", string.upper)
  local kept <const> = reuse.new(self.options.fresh, function(sentence)
    self:warn(sentence)
  end)
  local frame <const> = measure.parts(parts, self.metrics, kept:options {
    threads = self.options.threads, estimate = self.options.estimate,
    progress = not self.options.quiet and label,
  })
  if self.options.estimate then
    self:warn_wide(frame)
  end
  if kept:sentence() and not self.options.quiet then
    self:warn(kept:sentence())
  end
  local name <const> = sys.escape(self.model.name)
  local columns <const> = { "model", "dtype", table.unpack(frame.names) }
  return frame
    :with("model", function() return name end)
    :with("dtype", function(_, i) return parts[i].dtype or "" end)
    :select(columns)
end

-- Says on standard error how many rows failed and gives the exit status.
function Command:verdict(frame)
  local failed <const> = frame:filter(function(row)
    return row.error ~= ""
  end)
  if #failed == 0 then
    return 0
  end
  local first <const> = failed:row(1)
  self:warn(("%d of %d rows failed, the first is layer %d %s: %s"):format(
    #failed, #frame, first.layer, first.name or "head " .. first.head,
    first.error))
  return 1
end

--- Measures the parts, writes the table and ends the program: with 1 where a
--- row failed.
function Command:finish(parts)
  local options <const> = self.options
  local whole <const> = self:measure(parts)
  local shown = whole
  if options.sort or options.top then
    shown = whole:sort(options.sort or self.metrics[1], not options.ascending)
  end
  if options.top then
    shown = shown:head(options.top)
  end
  io.stdout:write(FORMATS[options.format](shown))
  os.exit(self:verdict(whole), true)
end

return table_command
