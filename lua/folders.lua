-- LuaFileSystem, without the global that loading it leaves behind.
local before <const> = rawget(_G, "lfs")
local lfs <const> = require "lfs"
rawset(_G, "lfs", before)
return lfs
