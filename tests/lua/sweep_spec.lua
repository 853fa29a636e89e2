-- Every public function with wrong arguments in every place: an error that
-- says what is wrong, no crash, no wait. Each topic runs in a process of its
-- own (tests/lua/sweep.lua), with little memory, so that what is huge is
-- refused and not granted; `make sanitize` runs this one too.
local doc = require "weft.doc"
local support = require "tests.lua.support"

local quoted, sh = support.quoted, support.sh

local program, folder

-- Memory that a process may ask for: sanitizers take all addresses for
-- themselves and have an option instead.
local function limits()
  local options <const> = os.getenv "ASAN_OPTIONS"
  return options and ("export ASAN_OPTIONS=%s:allocator_may_return_null=1"
    .. ":max_allocation_size_mb=1024"):format(options)
    or "ulimit -v 4000000"
end

setup(function()
  program = sh("readlink /proc/$PPID/exe"):gsub("\n", "")
  folder = support.folder()
  for _, name in ipairs { "sweep.lua", "sweep_values.lua" } do
    support.write(folder .. "/" .. name, support.read("tests/lua/" .. name))
  end
  local output <const>, status <const> = sh(([[cd %s && %s demo demo \
    --num-hidden-layers 2 --hidden-size 32 --intermediate-size 48 \
    --num-attention-heads 4 --vocab-size 16 2>&1 &&
    %s -e 'assert(weft.core.save("good.npy", weft.zeros(2)))' 2>&1]]):format(
    folder, quoted(program), quoted(program)))
  assert(status == 0, output)
end)

teardown(support.clean)

describe("wrong arguments", function()
  for _, noun in ipairs(doc.nouns()) do
    if noun.name ~= "commands" then
      it("are refused: " .. noun.name, function()
        local path <const> = ("%s/%s.txt"):format(folder, noun.name)
        local output <const>, status <const> = sh(([[cd %s && %s &&
          timeout 300 %s sweep.lua %s %s 2>&1 >/dev/null </dev/null]]):format(
          folder, limits(), quoted(program), noun.name, path))
        local lines, at = {}, "nothing"
        for line in support.read(path):gmatch "[^\n]+" do
          at = line:match "^= (.*)$" or at
          lines[#lines + 1] = not line:find "^= " and line or nil
        end
        assert(status == 0, ("ended with status %d in %s: %s"):format(status,
          at, output:sub(-3000)))
        assert(lines[#lines]:match "^end %d+$", "did not end")
        lines[#lines] = nil
        assert(#lines == 0, table.concat(lines, "\n"))
      end)
    end
  end
end)
