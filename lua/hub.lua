-- From what a user types to a path: an existing path, else a hub id looked up
-- in the local cache. Nothing ever goes to the network.
local hub = {}

local lfs <const> = require "weft.folders"
local sys <const> = require("weft.core").sys

local function environment(name)
  local value <const> = os.getenv(name)
  return value ~= "" and value or nil
end

--- The hub's local cache: HF_HUB_CACHE, else HF_HOME/hub, else
--- XDG_CACHE_HOME/huggingface/hub, else ~/.cache/huggingface/hub.
function hub.cache()
  local home <const> = environment("HF_HOME")
  local xdg <const> = environment("XDG_CACHE_HOME")
    or (environment("HOME") or "") .. "/.cache"
  return environment("HF_HUB_CACHE") or home and home .. "/hub"
    or xdg .. "/huggingface/hub"
end

-- ORG/NAME or NAME, each of A-Z a-z 0-9 . _ -, with an optional @revision.
local function parse(id)
  local name <const>, revision <const> = id:match("^([^@]+)@?(.*)$")
  local plain <const> = name and name:match("^[%w._-]+/?[%w._-]*$")
  if not plain or name:find("%.%.") or name:find("/$") then
    return nil
  end
  return name, revision ~= "" and revision or "main"
end

local function snapshot(folder, revision)
  local text <const> = not revision:find("%.%.")
    and sys.read(("%s/refs/%s"):format(folder, revision))
  local commit <const> = text and text:match("^%s*(%x+)%s*$") or revision
  local path <const> = ("%s/snapshots/%s"):format(folder, commit)
  local safe <const> = commit:find("^[%w._-]+$") and not commit:find("^%.+$")
  return safe and lfs.attributes(path, "mode") == "directory" and path or nil
end

--- The path behind MODEL and, where it was a hub id, the id; or nil, message,
--- code naming what was looked for and where.
function hub.resolve(model)
  if lfs.attributes(model, "mode") then
    return model
  end
  local shown <const> = sys.escape(model)
  local id <const>, revision <const> = parse(model)
  if not id then
    return nil, shown .. ": no such file or folder", "io"
  end
  local folder <const> = ("%s/models--%s"):format(hub.cache(),
    (id:gsub("/", "--")))
  if lfs.attributes(folder, "mode") ~= "directory" then
    return nil, ("%s: no such file or folder, and the hub's cache has no %s")
      :format(shown, sys.escape(folder)), "io"
  end
  local path <const> = snapshot(folder, revision)
  if not path then
    return nil, ("%s: %s has no snapshot of revision '%s'"):format(shown,
      sys.escape(folder), sys.escape(revision)), "io"
  end
  return path, id
end

return hub
