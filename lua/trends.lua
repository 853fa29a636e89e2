-- What a weight's effective rank does over depth: its trend over the phases
-- and its largest steps between neighbouring layers.
local trends = {}

local check <const> = require "weft.check"

--- The mark that the notebook prints after each trend's name on the screen.
trends.marks = {
  ["U-SHAPE"] = "U-SHAPE ✓", ["MONOTONE DOWN"] = "MONOTONE ↓",
  ["MONOTONE UP"] = "MONOTONE ↑", OTHER = "OTHER", ["n/a"] = "n/a",
}

--- U-SHAPE, MONOTONE DOWN, MONOTONE UP or OTHER from three phase means; n/a
--- where one of them is missing.
function trends.classify(early, middle, late)
  check.type("early", early, "number")
  check.type("middle", middle, "number")
  check.type("late", late, "number")
  if early ~= early or middle ~= middle or late ~= late then
    return "n/a"
  elseif middle < early and middle < late then
    return "U-SHAPE"
  elseif early > middle and middle > late then
    return "MONOTONE DOWN"
  elseif early < middle and middle < late then
    return "MONOTONE UP"
  end
  return "OTHER"
end

--- The steps of a series: list of {from=, to=, value=}, only between layers i
--- and i + 1 that are both there, with a rank each. `layers` rises.
function trends.steps(layers, ranks)
  layers = check.numbers("layers", layers)
  ranks = check.numbers("ranks", ranks)
  if #ranks < #layers then
    error(("%d ranks, expected one for each of %d layers"):format(#ranks,
      #layers), 2)
  end
  local steps <const> = {}
  for i = 1, #layers - 1 do
    local value <const> = ranks[i + 1] - ranks[i]
    if layers[i + 1] == layers[i] + 1 and value == value then
      steps[#steps + 1] = { from = layers[i], to = layers[i + 1],
        value = value }
    end
  end
  return steps
end

--- The most negative and the most positive step (the first of equals); nil
--- where there is no step.
function trends.gradient(layers, ranks)
  local drop, jump
  for _, step in ipairs(trends.steps(layers, ranks)) do
    if not drop or step.value < drop.value then
      drop = step
    end
    if not jump or step.value > jump.value then
      jump = step
    end
  end
  return drop, jump
end

return trends
