-- The notebook's phases: the layers in thirds, third = L // 3, the last one
-- taking what is left over.
local phases = {}

local check <const> = require "weft.check"

--- The three phases of L layers: name ("Early (0-9)"), word ("early"), first
--- and last layer; last < first where the third is empty ("Early (none)").
function phases.of(L)
  L = check.integer("L", L, 0, 1 << 53)
  local third <const> = L // 3
  local spans <const> = {
    { "Early", 0, third - 1 },
    { "Middle", third, 2 * third - 1 },
    { "Late", 2 * third, L - 1 },
  }
  local list <const> = {}
  for i, span in ipairs(spans) do
    local title <const>, first <const>, last <const> = table.unpack(span)
    local empty <const> = last < first
    list[i] = {
      name = empty and title .. " (none)"
        or ("%s (%d-%d)"):format(title, first, last),
      span = empty and "none" or ("%d–%d"):format(first, last),
      word = title:lower(), first = first, last = last, empty = empty,
    }
  end
  return list
end

local function check_phase(phase)
  if type(phase) ~= "table" or math.type(phase.first) ~= "integer"
    or math.type(phase.last) ~= "integer" then
    error(("phase is a %s, expected one of weft.phases.of(L)"):format(
      type(phase)), 3)
  end
end

--- The rows of a frame whose layer_idx lies in the phase.
function phases.rows(frame, phase)
  check.class("f", frame, "frame")
  check_phase(phase)
  check.numbers("layer_idx", frame:column "layer_idx")
  return frame:filter(function(row)
    return row.layer_idx >= phase.first and row.layer_idx <= phase.last
  end)
end

--- groupby("weight_type").eff_rank with mean, std (ddof 1), min, max, median,
--- range and cv = std / mean.
function phases.summary(frame, phase)
  return phases.rows(frame, phase):aggregate("weight_type", "eff_rank",
    { "mean", "std", "min", "max", "median", "range", "cv" })
end

return phases
