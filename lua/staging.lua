-- Files that appear together: they grow in a hidden folder beside their place
-- and move in when all are whole. Where the run ends early, what it made is
-- taken away again, and what an earlier run left stays as it was.
local staging = {}

local lfs <const> = require "weft.folders"
local sys <const> = require("weft.core").sys

--- The hidden folder's name.
staging.PART = ".weft-part"

local methods <const> = {}

-- Last made, first removed. The collector calls it when Ctrl-C ends the run:
-- no hook interrupts it there.
local function undo(self)
  for i = #self.made, 1, -1 do
    sys.remove(self.made[i])
  end
  self.made = {}
end

local Staging <const> = { __index = methods, __gc = undo, __close = undo }

-- The folders on the way to dir that do not exist, outermost first.
local function missing_folders(dir)
  local list <const> = {}
  for stop_at in (dir .. "/"):gmatch("()/") do
    local part <const> = dir:sub(1, stop_at - 1)
    if part ~= "" and not lfs.attributes(part, "mode") then
      list[#list + 1] = part
    end
  end
  return list
end

-- Takes a folder and all in it away: what a killed run left behind.
local function clear(path)
  local mode <const> = lfs.symlinkattributes(path, "mode")
  if mode == "directory" then
    for name in lfs.dir(path) do
      if name ~= "." and name ~= ".." then
        clear(path .. "/" .. name)
      end
    end
  end
  return not mode or sys.remove(path)
end

--- A staging area for `dir`, which is made where it is not there; or nil,
--- message, code.
function staging.new(dir)
  local self <const> = setmetatable({ dir = dir, files = {},
    made = missing_folders(dir), part = dir .. "/" .. staging.PART }, Staging)
  self.made[#self.made + 1] = self.part
  clear(self.part)
  local ok <const>, message <const>, code <const> = sys.mkdir(self.part)
  if not ok then
    return nil, message, code
  end
  return self
end

--- Where the file `name` (which may lie in a folder of its own) is written
--- for now. It moves in with the others.
function methods:claim(name)
  local folder <const> = name:match("^(.*)/[^/]*$")
  if folder and not self.made[folder] then
    self.made[folder] = true
    self.made[#self.made + 1] = self.part .. "/" .. folder
    sys.mkdir(self.part .. "/" .. folder)
  end
  self.files[#self.files + 1] = name
  self.made[#self.made + 1] = self.part .. "/" .. name
  return self.made[#self.made]
end

--- Gives up a claim, so that the file is not missed.
function methods:drop(name)
  for i = #self.files, 1, -1 do
    if self.files[i] == name then
      table.remove(self.files, i)
    end
  end
  sys.remove(self.part .. "/" .. name)
end

-- Removes from a folder the files that stale(name) tells.
local function remove_stale(dir, folder, stale)
  local path <const> = folder == "" and dir or dir .. "/" .. folder
  if lfs.attributes(path, "mode") ~= "directory" then
    return true
  end
  for name in lfs.dir(path) do
    local relative <const> = folder == "" and name or folder .. "/" .. name
    if stale(relative) then
      local ok <const>, message <const>, code <const> =
        sys.remove(path .. "/" .. name)
      if not ok then
        return nil, message, code
      end
    end
  end
  return true
end

--- Moves all files in, after removing from dir and its `folders` what
--- stale(name) says an earlier run left; true, or nil, message, code.
function methods:commit(stale, folders)
  for _, folder in ipairs { "", table.unpack(folders or {}) } do
    local ok <const>, message <const>, code <const> = remove_stale(self.dir,
      folder, stale)
    if not ok then
      return nil, message, code
    end
  end
  for _, name in ipairs(self.files) do
    local folder <const> = name:match("^(.*)/[^/]*$")
    if folder then
      sys.mkdir(self.dir .. "/" .. folder)
    end
    local ok <const>, message <const> = os.rename(self.part .. "/" .. name,
      self.dir .. "/" .. name)
    if not ok then
      return nil, message, "io"
    end
  end
  clear(self.part)
  self.made = {}
  return true
end

return staging
