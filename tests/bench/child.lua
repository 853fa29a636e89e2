-- What the bench runs in a process of its own:
--   build/weft tests/bench/child.lua product N        GFLOP/s of one core
--   build/weft tests/bench/child.lua peak SCRIPT ...   a command; its peak, MB
local core <const> = require "weft.core"
local weft <const> = require "weft"
local sys <const> = core.sys

local TRIES <const> = 5

local tasks <const> = {}

-- The rate of the median of a few products.
function tasks.product(side)
  local n <const> = tonumber(side)
  local a <const> = weft.uniform(1, n, n)
  a:matmul(a)
  local times <const> = {}
  for i = 1, TRIES do
    local start <const> = sys.time()
    a:matmul(a):close()
    times[i] = sys.time() - start
  end
  table.sort(times)
  print(2 * n ^ 3 / times[TRIES // 2 + 1] / 1e9)
end

local function peak()
  for line in io.lines "/proc/self/status" do
    local kilobytes <const> = line:match "^VmHWM:%s*(%d+) kB"
    if kilobytes then
      return tonumber(kilobytes) * 1024 / 1e6
    end
  end
end

-- A stock command, as the program itself starts it; its last line is the peak.
function tasks.peak(script, ...)
  local exit <const> = os.exit
  os.exit = function(status) -- luacheck: ignore 122
    print(peak())
    exit(status == true and 0 or status or 0, true)
  end
  arg = { [0] = script, ... } -- luacheck: ignore 121
  dofile(script)
  os.exit(0)
end

tasks[arg[1]](table.unpack(arg, 2))
