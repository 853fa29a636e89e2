-- The cache of spectra: what is taken from it is what would be computed, to
-- the bit; a run that was killed goes on; what is broken in it costs nothing
-- but time.
local core = require "weft.core"
local lfs = require "lfs"
local npz = require "weft.npz"
local save = require "weft.save"
local support = require "tests.lua.support"

local quoted, sh = support.quoted, support.sh

-- the interpreter that runs this, a model whose file is old enough, and a
-- folder for all else
local program, model, place

setup(function()
  program = sh("readlink /proc/$PPID/exe"):gsub("\n", "")
  if not program:find "/weft$" then
    program = sh("realpath build/weft"):gsub("\n", "")
  end
  place = support.folder()
  model = place .. "/model"
  sh(("cp -r tests/golden/tiny-qwen2 %s"):format(quoted(model)))
  sh(("touch -d '2020-01-02 03:04:05.678' %s/*"):format(quoted(model)))
end)

teardown(support.clean)

-- A new folder for a cache.
local caches = 0
local function new_cache()
  caches = caches + 1
  return ("%s/cache-%d"):format(place, caches)
end

-- Runs a command of weft's with a cache; `before` is a shell's command before
-- it. Gives exit status, standard output, standard error.
local function weft(cache, words, before)
  local list = {}
  for i, word in ipairs(words) do
    list[i] = quoted(word)
  end
  local errors = place .. "/errors"
  local output, status = sh(("%s XDG_CACHE_HOME=%s WEFT_CACHE_MAX=%s %s %s "
    .. "2>%s"):format(before or "", quoted(cache), words.most or "1000000000",
    quoted(program), table.concat(list, " "), quoted(errors)))
  return status, output, support.read(errors)
end

local function records(cache)
  local list = {}
  for path in sh(("find %s -type f 2>/dev/null | sort"):format(quoted(cache)))
    :gmatch "[^\n]+"
  do
    list[#list + 1] = path
  end
  return list
end

local function report(cache, out, more, before)
  local words = { "report", model, "--layer", "3", "--out", out, "--figures",
    "none", table.unpack(more or {}) }
  return weft(cache, words, before)
end

-- All files of a folder as one text.
local function contents(folder)
  return (sh(("cd %s && find . -type f | sort | xargs cksum"):format(
    quoted(folder))))
end

-- A script that takes all spectra of the model and tells: how many came from
-- the cache, how many there are, the checksum of all, the notes.
local SCRIPT <const> = [[
local core = require "weft.core"
local m = assert(weft.open(%q))
local list, out = {}, {}
for _, part in ipairs(m:weights {}) do list[#list + 1] = part.tensor end
for _, part in ipairs(m:heads {}) do list[#list + 1] = part.kernel end
local s, why, info = core.spectra(list, %s)
local cached = 0
for i, x in ipairs(s) do
  out[i] = core.encode(x, "F64") .. tostring(info[i].bound)
  cached = cached + (info[i].cached and 1 or 0)
end
print(cached, #s, core.sys.crc32(table.concat(out)))
for _, note in ipairs(info.notes or {}) do print(note) end
]]

local function spectra(cache, options, change)
  local text = SCRIPT:format(model, options)
  local status, output, errors = weft(cache, { "-e", change or "", "-e",
    text, most = "1000000000" })
  assert.same({ 0, "" }, { status, errors })
  local cached, count, sum, notes = output:match "^(%d+)\t(%d+)\t(%d+)\n(.*)$"
  return tonumber(cached), tonumber(count), sum, notes
end

describe("core.spectra", function()
  it("takes from the cache what it would compute", function()
    local cache = new_cache()
    local _, count, sum = spectra(cache, "{}")
    assert.equal(0, #records(cache))
    assert.same({ 0, count, sum, "" },
      { spectra(cache, "{ cache = true }") })
    assert.equal(count, #records(cache))
    assert.same({ count, count, sum, "" },
      { spectra(cache, "{ cache = true, threads = 1 }") })
    assert.same({ 0, count, sum, "" },
      { spectra(cache, "{ cache = 'fresh' }") })
    assert.same({ 0, count, sum, "" },
      { spectra(cache, "{ cache = false }") })
    assert.equal(count, #records(cache))
  end)

  it("tells apart how they were computed", function()
    local cache = new_cache()
    local _, count = spectra(cache, "{ cache = true }")
    local cached = spectra(cache, "{ cache = true, method = 'direct' }")
    assert.is_true(cached < count)
    cached = spectra(cache, "{ cache = true, precision = 'single' }")
    assert.is_true(cached < count)
    assert.equal(count, (spectra(cache, "{ cache = true }")))
  end)

  it("shares values that are good to show", function()
    local plain, shown = new_cache(), new_cache()
    local _, count, sum = spectra(plain, "{ cache = true }")
    local _, _, other = spectra(shown, "{ cache = true, shown = true }")
    local cached, _, again = spectra(plain, "{ cache = true, shown = true }")
    assert.equal(other, again)
    assert.is_true(cached > count / 2)
    cached, _, again = spectra(shown, "{ cache = true }")
    assert.equal(sum, again)
    assert.is_true(cached > count / 2)
  end)

  it("computes again when the file has changed", function()
    local cache = new_cache()
    local _, count, sum = spectra(cache, "{ cache = true }")
    sh(("touch -d '2021-01-02 03:04:05.678' %s/*"):format(quoted(model)))
    assert.same({ 0, count, sum, "" },
      { spectra(cache, "{ cache = true }") })
    assert.equal(2 * count, #records(cache))
    sh(("touch -d '2020-01-02 03:04:05.678' %s/*"):format(quoted(model)))
    assert.equal(count, (spectra(cache, "{ cache = true }")))
  end)

  it("keeps nothing of memory", function()
    local cache = new_cache()
    local status, output = weft(cache, { "-e", [[
      local t = weft.randn(1, 5, 4)
      for i = 1, 2 do
        local _, _, info = weft.spectra({ t, weft.kernel(t, t) },
          { cache = true })
        print(info[1].cached, info[2].cached)
      end]] })
    assert.same({ 0, "false\tfalse\nfalse\tfalse\n" }, { status, output })
    assert.equal(0, #records(cache))
  end)

  it("names a damaged record and computes it again", function()
    local cache = new_cache()
    local _, count, sum = spectra(cache, "{ cache = true }")
    local list = records(cache)
    local text = support.read(list[3])
    local at = #text // 2
    support.write(list[3], text:sub(1, at - 1)
      .. string.char(text:byte(at) ~ 16) .. text:sub(at + 1))
    assert.same({ count - 1, count, sum, ("the cache's %s: a damaged record: "
      .. "computed again\n"):format(list[3]) },
      { spectra(cache, "{ cache = true }") })
    assert.equal(text, support.read(list[3]))
    -- of many the first is named
    for i = 1, 5 do
      support.write(list[i], "")
    end
    local cached, _, again, notes = spectra(cache, "{ cache = true }")
    assert.same({ count - 5, sum }, { cached, again })
    assert.truthy(notes:find(": computed again, as are 4 more\n", 1, true))
    assert.same({ count, count, sum, "" },
      { spectra(cache, "{ cache = true }") })
  end)

  it("gives eigenvalues and shape of kernels, from the cache too", function()
    local cache = new_cache()
    local script = ([[
      local m = assert(weft.open(%q))
      local list = {}
      for i, part in ipairs(m:heads { layers = 0 }) do
        list[i] = part.kernel
      end
      for _, eigen in ipairs { true, "dense" } do
        local s, _, info = weft.spectra(list, { eigen = eigen, cache = true })
        for i, k in ipairs(list) do
          local re, im = k:eigvals()
          if eigen == "dense" then re, im = k:dense_eigvals() end
          local told = info[i]
          assert(weft.core.encode(s[i], "F64")
            == weft.core.encode(k:svdvals(), "F64"))
          assert(weft.core.encode(told.re, "F64")
            == weft.core.encode(re, "F64"))
          assert(weft.core.encode(told.im, "F64")
            == weft.core.encode(im, "F64"))
          assert(told.norm == k:norm() and told.symmetry == k:symmetry()
            and told.asymmetry == k:asymmetry())
          io.write(told.cached and "c" or "n")
        end
      end]]):format(model)
    local status, output, errors = weft(cache, { "-e", script })
    assert.same({ 0, ("n"):rep(12), "" }, { status, output, errors })
    status, output = weft(cache, { "-e", script })
    assert.same({ 0, ("c"):rep(12) }, { status, output })
  end)

  it("refuses options it does not know", function()
    local function refused(message, options, list)
      local ok, found = pcall(core.spectra, list or {}, options)
      assert.is_false(ok)
      assert.truthy(found:find(message, 1, true), found)
    end
    refused("option 'cache': old, expected true, false or \"fresh\"",
      { cache = "old" })
    refused("option 'cache': 1, expected", { cache = 1 })
    refused("option 'eigen': sparse, expected true, false or \"dense\"",
      { eigen = "sparse" })
    refused("option 'note': function expected", { note = 1 })
    refused("element 1 is a tensor, expected a kernel with option 'eigen'",
      { eigen = true }, { core.zeros { 2, 2 } })
  end)
end)

describe("weft.estimate", function()
  -- 14 weights, of which 10 are large enough, as their sides are 192 or 512
  local COUNT <const>, LARGE <const> = 14, 10
  local demo

  setup(function()
    demo = place .. "/demo"
    sh(("%s demo %s --num-hidden-layers 2 --shards 1 >/dev/null"):format(
      quoted(program), quoted(demo)))
    sh(("touch -d '2020-01-02 03:04:05.678' %s/*"):format(quoted(demo)))
  end)

  -- Tells how many estimates and how many spectra came from the cache, what all
  -- results come to, and the notes. `each` is a chunk that has them as they
  -- come.
  local ESTIMATES <const> = [[
  local json = require "weft.json"
  local m = assert(weft.open(%q))
  local list, notes, cached, exact = {}, {}, 0, 0
  for i, part in ipairs(m:weights {}) do list[i] = part.tensor end
  local options = { %s }
  options.exact_below = 128
  options.note = function(sentence) notes[#notes + 1] = sentence end
  options.each = function(i, result, reason, info) %s end
  local results, why, infos = weft.estimate(list, options)
  for i, info in ipairs(infos) do
    if results[i].exact then
      exact = exact + (info.cached and 1 or 0)
    else
      assert(info.half_width == results[i].half_width)
      cached = cached + (info.cached and 1 or 0)
    end
  end
  print(cached, exact, weft.core.sys.crc32(json.encode(results)))
  for _, note in ipairs(notes) do print(note) end
  ]]

  local function estimates(cache, options, each, before)
    local status, output, errors = weft(cache, { "-e", ESTIMATES:format(demo,
      options, each or "") }, before)
    local cached, exact, sum, notes =
      output:match "^(%d+)\t(%d+)\t(%d+)\n(.*)$"
    return { tonumber(cached), tonumber(exact), sum, notes }, status, errors
  end

  it("takes from the cache what it would compute", function()
    local cache = new_cache()
    local sum = estimates(cache, "")[3]
    assert.equal(0, #records(cache))
    assert.same({ 0, 0, sum, "" }, estimates(cache, "cache = true"))
    assert.equal(COUNT, #records(cache))
    for _, options in ipairs { "", ", threads = 1", ", seed = 1" } do
      assert.same({ LARGE, COUNT - LARGE, sum, "" },
        estimates(cache, "cache = true" .. options))
    end
    assert.same({ 0, 0, sum, "" }, estimates(cache, "cache = 'fresh'"))
    assert.equal(COUNT, #records(cache))
    local other = estimates(cache, "cache = true, seed = 2")
    assert.same({ 0, COUNT - LARGE }, { other[1], other[2] })
    assert.is_true(other[3] ~= sum)
    -- 24 records of one file, with those of the other seed
    assert.truthy(select(2, weft(cache, { "cache" })):find
      "\n     24 +%d+  [%d-]+ [%d:]+  current  [^\n]*safetensors\n$")
  end)

  it("goes on after kill -9, where it was", function()
    local cache = new_cache()
    local sum = estimates(cache, "")[3]
    local _, status = estimates(cache, "cache = true", [[
      done = (done or 0) + (result.exact and 0 or 1)
      if done == 3 then os.execute "kill -9 $PPID" end]])
    assert.is_true(status ~= 0)
    assert.same({ 3, COUNT - LARGE, sum, "" },
      estimates(cache, "cache = true"))
  end)

  it("names a damaged record and computes it again", function()
    local cache = new_cache()
    local sum = estimates(cache, "cache = true")[3]
    for _, path in ipairs(records(cache)) do
      local text = support.read(path)
      support.write(path, text:sub(1, -2) .. (text:sub(-1) == "x" and "y"
        or "x"))
    end
    local got = estimates(cache, "cache = true")
    assert.same({ 0, 0, sum }, { got[1], got[2], got[3] })
    local _, count = got[4]:gsub("a damaged record: computed again, as are "
      .. "%d more\n", "")
    assert.equal(2, count) -- of the spectra, of the estimates
    assert.same({ LARGE, COUNT - LARGE, sum, "" },
      estimates(cache, "cache = true"))
  end)

  it("says once that it can't write", function()
    local blocked = place .. "/blocked"
    support.write(blocked, "")
    local got = estimates(blocked, "cache = true")
    assert.equal(("nothing is kept: %s: cannot make the folder: File "
      .. "exists\n"):format(blocked), got[4])
  end)

  it("keeps nothing of memory, nor what failed", function()
    local cache = new_cache()
    local status, output = weft(cache, { "-e", [[
      local list = { weft.randn(1, 130, 140), weft.zeros(3) }
      for _ = 1, 2 do
        local _, why, infos = weft.core.estimate(list, { cache = true })
        print(infos[1].cached, infos[2], why[2])
      end]] })
    local line = "false\tfalse\ta tensor of shape [3] has no singular values: "
      .. "expected 2 axes\n"
    assert.same({ 0, line .. line }, { status, output })
    assert.equal(0, #records(cache))
  end)

  it("is told of by the commands", function()
    local cache, large = new_cache(), place .. "/large"
    sh(("%s demo %s --num-hidden-layers 1 --hidden-size 2048 --head-dim 64 "
      .. "--num-attention-heads 1 --num-key-value-heads 1 "
      .. "--intermediate-size 2048 --vocab-size 64 >/dev/null"):format(
      quoted(program), quoted(large)))
    sh(("touch -d '2020-01-02 03:04:05.678' %s/*"):format(quoted(large)))
    local words = { "weights", large, "--estimate" }
    local status, first, errors = weft(cache, words)
    assert.same({ 0, "" }, { status, errors })
    assert.same({ 0, first, "weft weights: reused 7 of 7 spectra and "
      .. "estimates\n" }, { weft(cache, words) })
    words[4] = "--fresh"
    assert.same({ 0, first, "" }, { weft(cache, words) })
  end)
end)

describe("a report", function()
  local cold, out
  setup(function()
    out = place .. "/report"
    local status, _, errors = report(new_cache(), out .. "-cold", { "--fresh" })
    assert.same({ 0, "" }, { status, errors })
    cold = contents(out .. "-cold")
  end)

  it("has the same bytes from the cache, whatever the threads", function()
    local cache = new_cache()
    for i, more in ipairs { { "--threads", "1" }, { "--threads", "2" }, {},
      { "--fresh" }, { "--quiet" } }
    do
      local folder = ("%s-%d"):format(out, i)
      local status, _, errors = report(cache, folder, more)
      assert.equal(0, status)
      assert.equal(cold, contents(folder))
      local reused, asked = errors:match "reused (%d+) of (%d+) spectra\n$"
      if i == 2 or i == 3 then
        assert.equal(asked, reused)
      elseif i > 3 then
        assert.equal("", errors)
      end
    end
  end)

  it("keeps the dense kernel's eigenvalues too", function()
    local cache = new_cache()
    local first, second = out .. "-dense", out .. "-dense-again"
    assert.equal(0, (report(cache, first, { "--kernel", "dense" })))
    local status, _, errors = report(cache, second, { "--kernel", "dense" })
    assert.equal(0, status)
    assert.equal(contents(first), contents(second))
    local reused, asked = errors:match "reused (%d+) of (%d+) spectra\n$"
    assert.equal(asked, reused)
  end)

  it("says once that it can't write", function()
    local folder = out .. "-unwritten"
    local blocked = place .. "/file"
    support.write(blocked, "")
    local status, _, errors = report(blocked, folder)
    assert.equal(0, status)
    assert.equal(("weft report: nothing is kept: %s: cannot make the "
      .. "folder: File exists\n"):format(blocked), errors)
    assert.equal(cold, contents(folder))
    status, _, errors = report("relative", folder, {}, "HOME=")
    assert.equal(0, status)
    assert.equal("weft report: nothing is kept: neither XDG_CACHE_HOME "
      .. "nor HOME is an absolute path\n", errors)
  end)

  it("goes on after kill -9 at any time", function()
    local seed = 20240607
    local function random(n)
      seed = (seed * 1103515245 + 12345) % 2147483648
      return seed >> 8, (seed >> 8) % n
    end
    local left = 0
    for turn = 1, 8 do
      local cache, folder = new_cache(), ("%s-kill-%d"):format(out, turn)
      for _ = 1, 3 do
        local _, wait = random(60)
        report(cache, folder, {}, ("timeout -s KILL 0.%03d env"):format(
          5 + wait * turn)) -- later each turn: a busy machine starts slowly
      end
      left = left + #records(cache)
      local status = report(cache, folder)
      assert.equal(0, status)
      assert.equal(cold, contents(folder))
    end
    assert(left > 0, "nothing was kept before a kill")
  end)

  -- Why no call can be made to kill here, or nil.
  local function no_strace()
    if sh "command -v strace" == "" then
      return "no strace to kill it with"
    end
    local _, status = sh "strace -f -o /dev/null true 2>&1"
    return status ~= 0 and "ptrace is not permitted here" or nil
  end

  -- One worker keeps all records, and the main thread writes nothing before
  -- they are there: strace counts each thread's calls for itself, so that all
  -- of the worker's come first, and from a full cache those of the main thread.
  it("goes on after kill -9 at each write and rename", function()
    local reason = no_strace()
    if reason then
      pending(reason)
      return
    end
    local small, folder = place .. "/small", out .. "-strace"
    sh(("%s demo %s --num-hidden-layers 1 --hidden-size 64 "
      .. "--num-attention-heads 2 --num-key-value-heads 1 && "
      .. "touch -d '2020-01-02 03:04:05.678' %s/*"):format(quoted(program),
      quoted(small), quoted(small)))
    local function report_small(cache, before)
      return weft(cache, { "report", small, "--layer", "0", "--out", folder,
        "--figures", "none", "--quiet", "--threads", "1" }, before)
    end
    local full = new_cache()
    assert.equal(0, (report_small(full)))
    local expected = contents(folder)
    -- how many calls there are: each of them kills a run once
    local function kill_at_each(call, cache)
      local n = 0
      repeat
        n = n + 1
        local used = cache or new_cache()
        sh("rm -rf " .. quoted(folder))
        local status = report_small(used, ("strace -f -qq -o /dev/null "
          .. "-e trace=%s -e inject=%s:signal=SIGKILL:when=%d env"):format(call,
          call, n))
        assert.equal(0, (report_small(used)))
        assert.equal(expected, contents(folder))
        assert.falsy(select(2, weft(used, { "cache" })):find "damaged")
      until status == 0
      return n - 1
    end
    -- seven weights, two heads and the eigenvalues of one
    assert.equal(10, kill_at_each "write")
    assert.equal(10, kill_at_each "rename")
    assert(kill_at_each("write", full) >= 3)
    assert(kill_at_each("rename", full) >= 3)
  end)

  it("shares the cache with another one", function()
    local cache = new_cache()
    local words = ("XDG_CACHE_HOME=%s WEFT_CACHE_MAX=1000000000 %s report %s "
      .. "--layer 3 --figures none --quiet --out"):format(quoted(cache),
      quoted(program), quoted(model))
    local output, status = sh(("%s %s-a 2>&1 & %s %s-b 2>&1; one=$?; "
      .. "wait $! && exit $one"):format(words, out, words, out))
    assert.same({ "", 0 }, { output, status })
    assert.equal(cold, contents(out .. "-a"))
    assert.equal(cold, contents(out .. "-b"))
    assert.falsy(select(2, weft(cache, { "cache" })):find "damaged")
  end)
end)

describe("weights and heads", function()
  it("use the cache and say so", function()
    local cache = new_cache()
    for _, command in ipairs { "weights", "heads" } do
      local _, first, errors = weft(cache, { command, model, "--quiet" })
      assert.equal("", errors)
      local status, second, said = weft(cache, { command, model })
      assert.same({ 0, first }, { status, second })
      assert.truthy(said:find(("^weft %s: reused (%%d+) of %%1 spectra\n$")
        :format(command)), said)
      status, second, said = weft(cache, { command, model, "--fresh" })
      assert.same({ 0, first, "" }, { status, second, said })
    end
  end)

  it("go on when the disk is full", function()
    local cache = new_cache()
    local _, whole = weft(cache, { "weights", model, most = "0" })
    assert.equal(0, #records(cache))
    -- where a file may have no byte at all, standard error is a pipe
    local output, status = sh(("(trap '' XFSZ; ulimit -f 0; "
      .. "XDG_CACHE_HOME=%s WEFT_CACHE_MAX=1000000 %s weights %s "
      .. "2>&1 >&3 | cat >&4) 3>&1 4>&1"):format(quoted(cache),
      quoted(program), quoted(model)))
    assert.equal(0, status)
    local note = "weft weights: nothing is kept: [^\n]*: cannot write: "
      .. "File too large\n"
    assert.truthy(output:find(note), output)
    assert.equal(whole, (output:gsub(note, "")))
    assert.equal(0, #records(cache))
  end)

  it("are kept within WEFT_CACHE_MAX", function()
    local cache = new_cache()
    weft(cache, { "weights", model })
    local all, bytes = records(cache), 0
    for _, path in ipairs(all) do
      bytes = bytes + lfs.attributes(path, "size")
    end
    weft(cache, { "heads", model, "--quiet", most = tostring(bytes // 2) })
    local left = 0
    for _, path in ipairs(records(cache)) do
      left = left + lfs.attributes(path, "size")
    end
    assert(left > 0 and left <= bytes // 2 * 0.9)
    local _, _, errors = weft(cache, { "weights", model, most = "12k" })
    assert.equal("weft weights: nothing is kept: WEFT_CACHE_MAX is '12k'"
      .. ": expected a number of bytes\n", errors)
  end)
end)

describe("weft cache", function()
  local function lines(cache, ...)
    local status, output, errors = weft(cache, { "cache", ... })
    assert.same({ 0, "" }, { status, errors })
    return output
  end

  it("lists files by their state, and clears", function()
    local cache = new_cache()
    assert.equal(("folder: %s/weft/spectra\nrecords: 0\nbytes: 0 of at most "
      .. "1000000000\n"):format(cache), lines(cache))
    weft(cache, { "weights", model, "--layers", "0" })
    local text = lines(cache, "list")
    assert.truthy(text:find("\nrecords: 7\nbytes: %d+ of"), text)
    assert.truthy(text:find(("\n      7 +%%d+  [%%d-]+ [%%d:]+  current  %s/"
      .. "model[%%w-]*.safetensors\n$"):format(model:gsub("%-", "%%-"))), text)
    sh(("touch -d '2021-01-02 03:04:05.678' %s/*"):format(quoted(model)))
    assert.truthy(lines(cache):find("  changed  ", 1, true))
    sh(("touch -d '2020-01-02 03:04:05.678' %s/*"):format(quoted(model)))
    support.write(records(cache)[1], "x")
    text = lines(cache)
    assert.truthy(text:find("\n      1 +1  [%d-]+ [%d:]+  damaged  \n"), text)
    sh(("touch -d '3 days ago' %s"):format(quoted(records(cache)[2])))
    assert.truthy(lines(cache, "clear", "--older", "2"):find
      "^1 record removed, %d+ bytes\n$")
    assert.equal(6, #records(cache))
    assert.truthy(lines(cache, "clear"):find "^6 records removed, %d+ bytes\n")
    assert.same({}, records(cache))
  end)

  it("does not know what is gone by name", function()
    local cache = new_cache()
    local copy = place .. "/copy"
    sh(("cp -rp %s %s"):format(quoted(model), quoted(copy)))
    weft(cache, { "weights", copy, "--layers", "0" })
    sh("rm -r " .. quoted(copy))
    assert.truthy(lines(cache):find("  gone     ", 1, true))
  end)

  it("refuses what it can't do", function()
    local cache = new_cache()
    local function refused(message, status, words, most)
      local found, _, errors = weft(cache, { "cache", most = most,
        table.unpack(words) })
      assert.equal(status, found)
      assert.truthy(errors:find("weft cache: " .. message, 1, true), errors)
    end
    refused("--older goes with clear", 2, { "--older", "3" })
    refused("--older: 'x', expected an integer", 2, { "clear", "--older",
      "x" })
    refused("WEFT_CACHE_MAX is 'x'", 1, {}, "x")
  end)
end)

describe("weft spectra", function()
  local function wanted(m)
    local list = {}
    for _, part in ipairs(m:weights {}) do
      list[("layer.%02d.%s"):format(part.layer, part.name)] = part.tensor
    end
    for _, part in ipairs(m:heads {}) do
      list[("layer.%02d.head.%02d.qk"):format(part.layer, part.head)] =
        part.kernel
    end
    return list
  end

  it("hands out an array a matrix", function()
    local cache, path = new_cache(), place .. "/s.npz"
    weft(cache, { "report", model, "--out", place .. "/s", "--layer", "3",
      "--figures", "none" })
    local status, output, errors = weft(cache, { "spectra", model, "--out",
      path })
    assert.equal(0, status)
    local m = require("weft.model").open(model)
    local list, count = wanted(m), 0
    local file = assert(require("weft.model").open(path))
    for name, matter in pairs(list) do
      local s = file:tensor(name)
      local expected = matter.svdvals and matter:svdvals()
        or core.svdvals(matter)
      assert.same(expected.shape, s.shape)
      for i = 1, #expected do
        support.near(expected[i], s[i], 1e-9, name)
      end
      count = count + 1
    end
    assert.equal(count, #file:tensors())
    assert.equal(("%d spectra written to %s\n"):format(count, path), output)
    assert.truthy(errors:find "^weft spectra: reused %d+ of %d+ spectra\n$")
  end)

  it("takes some of them, and all again", function()
    local cache, path = new_cache(), place .. "/some.npz"
    local status, output, errors = weft(cache, { "spectra", model, "--out",
      path, "--of", "ov", "--layers", "1,2", "--fresh", "--quiet" })
    assert.same({ 0, "", "" }, { status, output, errors })
    local m = require("weft.model").open(path)
    local names = m:tensors()
    table.sort(names)
    assert.equal("layer.01.head.00.ov", names[1])
    assert.equal(2 * require("weft.model").open(model).dims.h, #names)
    for option, message in pairs { ["--of"] = "--of: no kind '7'",
      ["--layers"] = "--layers 7 is out of range, the model has layers 0 to " }
    do
      status, output, errors = weft(cache, { "spectra", model, option, "7" })
      assert.same({ 2, "" }, { status, output })
      assert.truthy(errors:find(message, 1, true), errors)
    end
  end)

  it("names what is missing and writes the others", function()
    local folder = support.checkpoint({ model_type = "llama",
      num_hidden_layers = 1, hidden_size = 4, intermediate_size = 6,
      num_attention_heads = 2, num_key_value_heads = 1, vocab_size = 3 }, {
      { name = "model.layers.0.self_attn.q_proj.weight", dtype = "F32",
        tensor = support.matrix(4, 4) },
      { name = "model.layers.0.mlp.up_proj.weight", dtype = "F32",
        tensor = support.matrix(6, 4, function() return 0 / 0 end) },
    })
    local path = place .. "/part.npz"
    local status, _, errors = weft(new_cache(), { "spectra", folder, "--out",
      path })
    assert.equal(1, status)
    assert.truthy(errors:find("spectra are missing, the first is layer.00.W_",
      1, true), errors)
    assert.same({ "layer.00.W_Q" }, require("weft.model").open(path):tensors())
  end)

  it("is read by numpy", function()
    local path = place .. "/numpy.npz"
    local python = os.getenv "BENCH_PYTHON" or "python3"
    if select(2, sh(quoted(python) .. " -c 'import numpy' 2>&1")) ~= 0 then
      pending "no python3 with numpy"
      return
    end
    local cache = new_cache()
    assert.equal(0, (weft(cache, { "spectra", model, "--out", path })))
    local text, status = sh(("%s -c 'import json, sys, numpy; z = numpy.load("
      .. "sys.argv[1]); print(json.dumps({n: z[n].tolist() for n in z.files}))'"
      .. " %s"):format(quoted(python), quoted(path)))
    assert.equal(0, status)
    local read = assert(core.json(text))
    local m = assert(require("weft.model").open(path))
    for _, name in ipairs(m:tensors()) do
      local s = m:tensor(name)
      assert.equal(#s, #read[name])
      for i = 1, #s do
        assert.equal(s[i], read[name][i])
      end
    end
  end)
end)

describe("an .npz file", function()
  it("holds what was saved", function()
    local path = place .. "/saved.npz"
    local list = { { name = "a", tensor = core.tensor { { 1, 2 }, { 3, 4 } } },
      { name = "b/ü.c", tensor = core.tensor({ 0.5, 1.5, 2.5 }, "f32") },
      { name = "none", tensor = core.zeros { 0 } } }
    assert.is_true(save(path, list))
    local ck <close> = assert(core.open(path))
    assert.same({ 2, 2 }, ck:tensor("a").shape)
    assert.same({ { 1, 2 }, { 3, 4 } }, ck:tensor("a"):totable())
    assert.same({ 0.5, 1.5, 2.5 }, ck:tensor("b/ü.c"):totable())
    assert.equal("F32", ck:tensor("b/ü.c").dtype)
    local first = support.read(path)
    assert.is_true(npz.write(path, list))
    assert.equal(first, support.read(path))
  end)

  it("holds more arrays than the small directory counts", function()
    local path, list = place .. "/many.npz", {}
    local one = core.tensor { 1 }
    for i = 1, 65536 do
      list[i] = { name = tostring(i), tensor = one }
    end
    assert.is_true(npz.write(path, list))
    local ck <close> = assert(core.open(path))
    assert.equal(65536, #ck)
  end)

  it("refuses what it can't hold", function()
    local path, t = place .. "/refused.npz", core.tensor { 1 }
    local function refused(message, list)
      local ok, found, code = npz.write(path, list)
      assert.same({ nil, message, "argument" }, { ok, found, code })
      assert.is_nil(lfs.attributes(path))
    end
    refused("array 1 'nil' has no name, expected UTF-8 text without NUL",
      { { tensor = t } })
    refused("array 2 'a' is there twice", { { name = "a", tensor = t },
      { name = "a", tensor = t } })
    refused("array 1 'a' is a number, expected a tensor",
      { { name = "a", tensor = 5 } })
    refused("array 1 'a' has dtype i64, expected f64 or f32",
      { { name = "a", tensor = core.tensor({ 1 }, "i64") } })
    assert.same({ nil, "io" }, { (npz.write("/not/there.npz", {})),
      (select(3, npz.write("/not/there.npz", {}))) })
  end)
end)
