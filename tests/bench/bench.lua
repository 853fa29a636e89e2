-- Weft beside others, on this machine in one run. `make bench` calls it:
--   bench.lua FOLDER PROGRAMS
-- (where it works, and where its own programs are) with what it is to do in
-- the environment: BENCH (parts by name, with commas; all), BENCH_RUNS (5),
-- BENCH_PYTHON and BENCH_NOTEBOOK (the peers), BENCH_OUT (a file that the table
-- is written to as well).
package.path = arg[0]:match "^(.*)/" .. "/?.lua;" .. package.path

local harness <const> = require "harness"
local place <const> = require "place"
local rows <const> = require "rows"

-- A variable of the environment, where it says something.
local function variable(name)
  local value <const> = os.getenv(name)
  return value ~= "" and value or nil
end

local function stop(message)
  io.stderr:write("bench: ", message, "\n")
  os.exit(2, true)
end

-- The parts asked for, by name.
local function chosen()
  local list <const> = {}
  for name in (variable "BENCH" or table.concat(rows.names, ","))
    :gmatch "[^,%s]+" do
    if not (rows[name] and rows[name].pairs) then
      stop(("BENCH: no part '%s', expected some of %s"):format(name,
        table.concat(rows.names, ",")))
    end
    list[#list + 1] = name
  end
  return list
end

local runs <const> = math.tointeger(tonumber(variable "BENCH_RUNS" or 5))
if not runs or runs < 1 then
  stop("BENCH_RUNS: expected a number of runs, 1 or more")
end
local parts <const> = chosen()
place.set { folder = arg[1], programs = arg[2],
  python = variable "BENCH_PYTHON", notebook = variable "BENCH_NOTEBOOK" }
local bench <const> = harness.new { runs = runs, out = variable "BENCH_OUT" }
local peers <const> = place.python_path and place.python "version"
bench:line("# What `make bench` measured")
bench:line("\n" .. harness.machine(peers and peers.text))
bench:line("\nMedians of runs that alternate, weft, other, weft, other; the "
  .. "ratio is the median of the\nruns' own ratios. Spreads are least to most.")
for _, name in ipairs(parts) do
  bench:part(rows[name].title)
  for _, pair in ipairs(rows[name].pairs(place)) do
    bench:pair(pair)
  end
end
