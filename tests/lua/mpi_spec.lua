-- Ranks that mpirun starts: what they find is what one process finds, to the
-- byte, and a job that a rank's death ended goes on where it was.
local support = require "tests.lua.support"

local quoted, sh = support.quoted, support.sh

-- the program, a checkpoint old enough to be kept in a cache, and a folder
-- for all else; `missing` says why nothing of this can be run
local program, model, place, missing

setup(function()
  program = sh("readlink /proc/$PPID/exe"):gsub("\n", "")
  if not program:find "/weft$" then
    program = sh("realpath build/weft"):gsub("\n", "")
  end
  place = support.folder()
  model = place .. "/model"
  local module = program:gsub("[^/]*$", "lua/weft/mpi.so")
  if sh("command -v mpirun") == "" then
    missing = "no mpirun"
  elseif not io.open(module) then
    missing = "no mpi.so: built without MPI"
  else
    sh(("%s demo %s >/dev/null"):format(quoted(program), quoted(model)))
    sh(("touch -d '2020-01-02 03:04:05.678' %s/*"):format(quoted(model)))
  end
end)

teardown(support.clean)

-- More ranks than processors, as root, and without a way of copying between
-- processes that containers forbid.
local MPIRUN <const> = "OMPI_MCA_btl_vader_single_copy_mechanism=none "
  .. "timeout 120 mpirun --allow-run-as-root --oversubscribe --bind-to none "

-- Runs `command` under mpirun; gives exit status, standard output, standard
-- error but for what Open MPI's hwloc says of a system without /sys.
local function ranks(n, command, before)
  local errors = place .. "/errors"
  local output, status = sh(("%s %s -n %d %s 2>%s </dev/null"):format(
    before or "", MPIRUN, n, command, quoted(errors)))
  return status, output, (support.read(errors):gsub("%[hwloc/[^\n]*\n", ""))
end

-- The command with something done before it on rank 1, by a shell.
local function elsewhere(before, command)
  local path = place .. "/elsewhere"
  support.write(path, ([[#!/bin/sh
[ "$OMPI_COMM_WORLD_RANK" != 1 ] || %s
exec "$@"
]]):format(before))
  sh("chmod +x " .. quoted(path))
  return quoted(path) .. " " .. command
end

local function report(out, more)
  return ("%s report %s --figures none --quiet --out %s %s"):format(
    quoted(program), quoted(model), quoted(out), more or "")
end

-- The report of one process, made once.
local alone
local function report_alone()
  if not alone then
    alone = place .. "/alone"
    assert.equal(0, (select(2, sh(report(alone) .. " 2>/dev/null"))))
  end
  return alone
end

local function differences(a, b)
  return (sh(("diff -r %s %s 2>&1"):format(quoted(a), quoted(b))))
end

-- All spectra of the model, and matrices in memory, in one batch; prints the
-- checksum, and whether another rank computed any. It is done again until that
-- is so.
local SCRIPT <const> = [[
local core = require "weft.core"
local m = assert(weft.open(%q))
%s
local function batch()
  local list, out, other = {}, {}, 0
  for _, part in ipairs(m:weights {}) do list[#list + 1] = part.tensor end
  for i = 1, 20 do list[#list + 1] = core.zeros { 30, 20 + i } end
  list[#list + 1] = core.zeros { 3 }
  local s, why, info = core.spectra(list)
  local heads = {}
  for _, part in ipairs(m:heads {}) do heads[#heads + 1] = part.kernel end
  local h, _, about = core.spectra(heads, { eigen = true })
  for i = 1, #list do
    out[#out + 1] = s[i] and core.encode(s[i], "F64") or why[i]
    out[#out + 1] = info[i] and tostring(info[i].bound) or "none"
    other = other + (info[i] and info[i].rank > 0 and 1 or 0)
  end
  for i = 1, #heads do
    local it = about[i]
    out[#out + 1] = core.encode(h[i], "F64") .. core.encode(it.re, "F64")
      .. core.encode(it.im, "F64") .. it.norm .. it.symmetry
    other = other + (it.rank > 0 and 1 or 0)
  end
  return core.sys.crc32(table.concat(out)), other
end
local sum, other = batch()
for _ = 1, %d do
  if other > 0 and not %s then break end
  sum, other = batch()
end
print(sum, other > 0)
]]

-- A command: `opened` is done once the model, at `from`, is open; it ends after
-- so many `tries`, where `all` not before.
local function script(options)
  local path = place .. "/script.lua"
  support.write(path, SCRIPT:format(options.from or model, options.opened or "",
    options.tries, options.all or false))
  return quoted(program) .. " " .. quoted(path)
end

-- A test that needs ranks, skipped with the reason where there can't be any;
-- `absent` tells of what else it needs.
local function on_ranks(name, fn, absent)
  it(name, function()
    local why <const> = missing or absent and absent()
    if why then
      pending(why)
      return
    end
    fn()
  end)
end

describe("mpirun", function()
  on_ranks("gives the report of one process", function()
    for _, n in ipairs { 1, 2, 4 } do
      local out = ("%s/out-%d"):format(place, n)
      local status, output, errors = ranks(n, report(out))
      assert.same({ 0, "" }, { status, output }, errors)
      assert.equal("", differences(report_alone(), out))
    end
  end)

  on_ranks("has other ranks compute a script's spectra", function()
    local sum = sh(script { tries = 0 }):match "^(%d+)\tfalse\n$"
    assert.is_string(sum)
    local status, output, errors = ranks(2, script { tries = 200 })
    assert.same({ 0, sum .. "\ttrue\n" }, { status, output }, errors)
  end)

  on_ranks("leaves to rank 0 what can't be sent", function()
    local sum = sh(script { tries = 0 }):match "^%d+"
    local copy <const> = place .. "/copy"
    sh(("cp -r %s %s"):format(quoted(model), quoted(copy)))
    local status, output, errors = ranks(2, script { tries = 200, from = copy,
      opened = ("assert(os.rename(%q, %q))"):format(copy, copy .. "-moved") })
    -- the matrices in memory are still sent
    assert.same({ 0, sum .. "\ttrue\n", "" }, { status, output, errors })
  end)

  on_ranks("does what a rank can't that does not see the files", function()
    local bare <const>, copy <const> = place .. "/nothing", place .. "/another"
    sh(("mkdir %s; cp -a %s %s"):format(quoted(bare), quoted(model),
      quoted(copy)))
    local sum = sh(script { tries = 0 }):match "^%d+"
    for folder, why in pairs { [bare] = "cannot open: No such file .*",
      [copy] = "another file on this rank than on rank 0 .*" } do
      local mount <const> = ([[exec unshare --mount sh -c \
        'mount --bind %s %s && exec "$@"' sh "$@"]]):format(folder, model)
      local status, output, errors = ranks(2, elsewhere(mount, script {
        tries = 20, all = true }))
      assert.same({ 0, sum }, { status, output:match "^%d+" }, errors)
      assert.matches("^weft: rank 1 on %S+: %S+/model/%S+: " .. why
        .. ": its jobs go to others\n$", errors)
      local out <const> = folder .. "-report"
      status, output, errors = ranks(2, elsewhere(mount, report(out)))
      assert.same({ 0, "" }, { status, output }, errors)
      assert.equal("", differences(report_alone(), out))
    end
  end, function()
    return select(2, sh "unshare --mount true 2>&1") ~= 0
      and "no mount namespaces" or nil
  end)

  local other <const> = "export OPENBLAS_CORETYPE=Nehalem"

  on_ranks("takes nothing from a rank whose last digits may differ", function()
    local sum = sh(script { tries = 0 }):match "^%d+"
    local status, output, errors = ranks(2, elsewhere(other,
      script { tries = 20 }))
    assert.same({ 0, sum .. "\tfalse\n" }, { status, output }, errors)
    assert.matches("^weft: rank 1 on %S+ computes by weft .* Nehalem, .*; "
      .. "rank 0 by weft .*: it gets no jobs\n$", errors)
  end, function()
    local function blas(before)
      return sh(before .. quoted(program) .. " --version"):match "OpenBLAS.-\n"
    end
    return blas "" == blas(other .. ";") and "this OpenBLAS has one kernel"
      or nil
  end)

  on_ranks("runs the script once, and gives its status", function()
    local say = quoted(program) .. " -e "
    assert.same({ 0, "once\n", "" }, { ranks(3, say .. "'print \"once\"'") })
    local status, output = ranks(3, say .. "'print(1) os.exit(7)'")
    assert.same({ 7, "1\n" }, { status, output })
    status = ranks(2, say .. "'error \"no\"'")
    assert.equal(1, status)
    -- and where work is left behind
    status = ranks(2, say .. quoted [[local core = require "weft.core"
      core.spectra({ core.zeros { 9, 9 }, core.zeros { 8, 8 } },
        { each = function() os.exit(5) end })]])
    assert.equal(5, status)
  end)

  on_ranks("goes on where a rank that died ended it", function()
    -- Rank 0 kills rank 1 as its fifth result comes, and would wait for long.
    local pids, init = place .. "/pid", place .. "/init.lua"
    support.write(init, ([[
      local core = require "weft.core"
      local spectra, count = core.spectra, 0
      function core.spectra(list, options)
        options = options or {}
        local each = options.each
        options.each = function(...)
          count = count + 1
          if count == 5 then
            os.execute "kill -9 $(cat %s.1) && sleep 100"
          end
          return each and each(...)
        end
        return spectra(list, options)
      end]]):format(pids))
    local cache = ("XDG_CACHE_HOME=%s/cache WEFT_CACHE_MAX=1000000000"):format(
      quoted(place))
    local run = report(place .. "/killed"):gsub("'", "")
    local command = ("sh -c 'echo $$ >%s.$OMPI_COMM_WORLD_RANK; exec %s'")
      :format(pids, run)
    local status = ranks(2, command, cache .. " LUA_INIT=@" .. init)
    assert.is_true(status ~= 0 and status ~= 124)
    assert.is_nil(io.open(place .. "/killed/report.json"))
    local kept = sh(("find %s/cache -type f | wc -l"):format(quoted(place)))
    assert.is_true(tonumber(kept) >= 5)
    status = ranks(2, report(place .. "/resumed"), cache)
    assert.equal(0, status)
    assert.equal("", differences(report_alone(), place .. "/resumed"))
  end)

  on_ranks("ends all ranks at Ctrl-C", function()
    local status, output, errors = ranks(2, quoted(program) .. " -e "
      .. quoted [[local core = require "weft.core"
      core.spectra({ core.zeros { 9, 9 }, core.zeros { 8, 8 } },
        { each = function()
          os.execute "rank=$PPID; (sleep 0.2; kill -INT $rank) &"
          while true do end
        end })
      print "not reached"]])
    assert.same({ 130, "" }, { status, output })
    assert.matches("interrupted!", errors)
  end)

  on_ranks("says what is missing on every rank", function()
    local bare = place .. "/bare"
    sh(("mkdir -p %s && cp %s %s/weft"):format(quoted(bare), quoted(program),
      quoted(bare)))
    local status, output, errors = ranks(2, quoted(bare .. "/weft") .. " -v")
    assert.same({ 1, "" }, { status, output })
    assert.matches("several ranks, but no MPI: .*mpi.so", errors)
  end)
end)

-- ---- two network namespaces as two hosts ----

-- Makes them; the reason where that can't be done.
local function make_hosts(name)
  local output, status = sh(([[exec 2>&1; set -e
    ip netns add %sa; ip netns add %sb
    ip link add %sa0 netns %sa type veth peer name %sb0 netns %sb
    ip -n %sa addr add 10.213.77.1/24 dev %sa0
    ip -n %sb addr add 10.213.77.2/24 dev %sb0
    for side in a b; do
      ip -n %s$side link set lo up; ip -n %s$side link set %s${side}0 up
      ip netns exec %s$side unshare --uts hostname %s$side
    done]]):gsub("%%s", name))
  return status ~= 0 and output:gsub("\n.*", "") or nil
end

local function drop_hosts(name)
  sh(("ip netns del %sa; ip netns del %sb"):gsub("%%s", name)
    :gsub("[^;]+", "%0 2>/dev/null"))
end

describe("two hosts", function()
  local name <const> = "wt" .. sh("echo $$"):gsub("%s", ""):sub(-6)
  -- ip mounts it with the first namespace, and leaves it
  local MOUNTED <const> = "grep -q ' /run/netns ' /proc/mounts"
  local _, absent = sh(MOUNTED)

  teardown(function()
    drop_hosts(name)
    if absent ~= 0 then
      sh(MOUNTED .. " && umount /run/netns")
    end
  end)

  on_ranks("give the report of one process", function()
    local agent, log = place .. "/agent", place .. "/agent.log"
    -- what ssh would do: run the words on the host
    support.write(agent, ([[#!/bin/sh
host=$1
shift
echo "$host" >>%s
exec ip netns exec %sb unshare --uts sh -c "hostname %sb; $*"
]]):format(log, name, name))
    sh("chmod +x " .. quoted(agent))
    local function both(command)
      local errors = place .. "/errors"
      local line = ("hostname %sa; timeout 120 mpirun --allow-run-as-root "
        .. "--host 10.213.77.1:1,10.213.77.2:1 -n 2 --bind-to none "
        .. "--mca plm_rsh_agent %s --mca btl tcp,self %s"):format(name, agent,
          command)
      local output, status = sh(("ip netns exec %sa unshare --uts sh -c %s "
        .. "2>%s </dev/null"):format(name, quoted(line), quoted(errors)))
      return status, output, support.read(errors)
    end
    local status, output, errors = both(report(place .. "/hosts"))
    assert.same({ 0, "" }, { status, output }, errors)
    assert.equal("", differences(report_alone(), place .. "/hosts"))
    assert.matches("^10.213.77.2\n", support.read(log))
    local sum = sh(script { tries = 0 }):match "^%d+"
    status, output, errors = both(script { tries = 200 })
    assert.same({ 0, sum .. "\ttrue\n" }, { status, output }, errors)
  end, function()
    local why <const> = make_hosts(name)
    return why and "no two hosts: " .. why
  end)
end)
