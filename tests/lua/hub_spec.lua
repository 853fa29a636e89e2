-- weft.hub: which cache is looked into, and what may stand for a model.
-- The environment is the process's, so every case is a process.
local support = dofile "tests/lua/support.lua"

local COMMIT = "0123456789abcdef0123456789abcdef01234567"
local OTHER = "fedcba98765432100123456789abcdeffedcba98"
local folder, cwd

local function touch(path)
  support.sh(("mkdir -p '%s'"):format(path:match "^(.*)/"))
  support.write(path, "")
end

-- a snapshot of demo/tiny in a cache, which refs/main names
local function snapshot(cache, commit)
  local model = cache .. "/models--demo--tiny"
  local path = ("%s/snapshots/%s"):format(model, commit or COMMIT)
  touch(path .. "/config.json")
  touch(model .. "/refs/main")
  support.write(model .. "/refs/main", commit or COMMIT)
  return path
end

-- what hub.resolve gives under an environment: its values, a line each
local function resolve(environment, model, where)
  local code = [[
    local hub = require "weft.hub"
    for _, value in ipairs { hub.resolve(arg[1]) } do print(value) end
    local path, message, code = hub.resolve(arg[1])
    if not path then print("nil", message, code) end]]
  local script = folder .. "/resolve.lua"
  support.write(script, code)
  local command = ("cd %s && env -i %s %s/build/weft %s %s 2>&1"):format(
    support.quoted(where or folder), environment, cwd, script,
    support.quoted(model))
  return (support.sh(command):gsub("\n$", ""))
end

setup(function()
  folder = support.folder()
  cwd = support.sh("pwd"):gsub("\n", "")
end)

teardown(support.clean)

describe("the cache", function()
  it("is HF_HUB_CACHE, else HF_HOME, else XDG_CACHE_HOME, else HOME",
    function()
      local places = {
        snapshot(folder .. "/cache"), snapshot(folder .. "/hf/hub"),
        snapshot(folder .. "/xdg/huggingface/hub"),
        snapshot(folder .. "/home/.cache/huggingface/hub"),
      }
      local words = { "HF_HUB_CACHE=" .. folder .. "/cache",
        "HF_HOME=" .. folder .. "/hf", "XDG_CACHE_HOME=" .. folder .. "/xdg",
        "HOME=" .. folder .. "/home" }
      for i, place in ipairs(places) do
        assert.equal(place .. "\ndemo/tiny",
          resolve(table.concat(words, " ", i), "demo/tiny"))
        -- an empty variable is none
        assert.equal(place .. "\ndemo/tiny", resolve(
          (table.concat(words, " ", 1, i - 1):gsub("=%S*", "="))
          .. " " .. table.concat(words, " ", i), "demo/tiny"))
      end
    end)

  it("takes an id of one word", function()
    local path = folder .. "/word/models--gpt2/snapshots/" .. COMMIT
    touch(path .. "/config.json")
    touch(folder .. "/word/models--gpt2/refs/main")
    support.write(folder .. "/word/models--gpt2/refs/main", COMMIT .. "\n")
    assert.equal(path .. "\ngpt2",
      resolve("HF_HUB_CACHE=" .. folder .. "/word", "gpt2"))
  end)

  it("has no model of that name", function()
    assert.equal(("nil\tno/such: no such file or folder, and the hub's cache "
      .. "has no %s/none/models--no--such\tio"):format(folder),
      resolve("HF_HUB_CACHE=" .. folder .. "/none", "no/such"))
  end)
end)

describe("a revision", function()
  local cache, environment

  setup(function()
    cache = folder .. "/revisions"
    environment = "HF_HUB_CACHE=" .. cache
    snapshot(cache, OTHER)
    snapshot(cache, COMMIT)
    local refs = cache .. "/models--demo--tiny/refs/"
    touch(refs .. "pr/7")
    support.write(refs .. "pr/7", OTHER .. "\n")
    support.write(refs .. "gone", ("9"):rep(40))
    support.write(refs .. "evil", "../../../..")
  end)

  local function path_of(commit)
    return ("%s/models--demo--tiny/snapshots/%s\ndemo/tiny"):format(cache,
      commit)
  end

  it("is main, a name, or a commit", function()
    assert.equal(path_of(COMMIT), resolve(environment, "demo/tiny"))
    assert.equal(path_of(COMMIT), resolve(environment, "demo/tiny@main"))
    assert.equal(path_of(COMMIT), resolve(environment, "demo/tiny@"))
    assert.equal(path_of(OTHER), resolve(environment, "demo/tiny@pr/7"))
    assert.equal(path_of(OTHER), resolve(environment, "demo/tiny@" .. OTHER))
  end)

  it("is refused where it is not there or leads out of the cache", function()
    for _, name in ipairs { "nope", "gone", "evil", "../refs", "..", ".",
      "../../../etc", "/etc" } do
      assert.equal(("nil\tdemo/tiny@%s: %s/models--demo--tiny has no "
        .. "snapshot of revision '%s'\tio"):format(name, cache, name),
        resolve(environment, "demo/tiny@" .. name))
    end
  end)
end)

describe("an id", function()
  it("that leads out of the cache is none", function()
    touch(folder .. "/out/secret/config.json")
    for _, id in ipairs { "../out/secret", "a/../../b", "a/b/c", "/etc/nope",
      "a b", "a/", "models--x/..", "", "a\nb", "~/x", "$(id)" } do
      assert.equal(("nil\t%s: no such file or folder\tio"):format(
        (id:gsub("\n", "\\x0A"))),
        resolve("HF_HUB_CACHE=" .. folder .. "/cache", id, "/"))
    end
  end)

  it("gives way to a path of that name", function()
    local cache = folder .. "/wins"
    snapshot(cache)
    touch(folder .. "/here/demo/tiny/config.json")
    assert.equal("demo/tiny", resolve("HF_HUB_CACHE=" .. cache, "demo/tiny",
      folder .. "/here"))
  end)
end)

describe("a snapshot", function()
  it("may be of links into the cache's blobs", function()
    local core = require "weft.core"
    local from = support.checkpoint(nil, { { name = "x",
      tensor = core.tensor { { 1, 2 }, { 3, 4 } } } })
    local model = folder .. "/links/models--demo--linked"
    local path = model .. "/snapshots/" .. COMMIT
    support.sh(([[mkdir -p '%s/blobs' '%s' '%s/refs'
      mv '%s/model.safetensors' '%s/blobs/abc'
      printf '{"model_type": "nobody"}' > '%s/blobs/def'
      printf %s > '%s/refs/main'
      ln -s ../../blobs/abc '%s/model.safetensors'
      ln -s ../../blobs/def '%s/config.json']]):format(model, path, model,
      from, model, model, COMMIT, model, path, path))
    local script = folder .. "/open.lua"
    support.write(script, [[
      local m = assert(weft.open "demo/linked")
      print(m.name, m.path, m:tensor("x"):get(2, 1), m.told)]])
    local shown = support.sh(("env -i HF_HUB_CACHE=%s/links build/weft %s 2>&1")
      :format(folder, script))
    assert.equal(("demo/linked\t%s\t3.0\tmodel_type 'nobody' is no known "
      .. "family\n"):format(path), shown)
  end)
end)
