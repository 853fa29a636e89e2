-- weft cache: what the cache of spectra and estimates holds, and clearing it.
local cli <const> = require "weft.cli"
local core <const> = require "weft.core"
local lfs <const> = require "weft.folders"
local sys <const> = core.sys

local parser <const> = cli.parser("cache",
  "List the spectra and estimates that earlier commands left in the cache, or "
    .. "clear it.")
parser:argument("action", "list (left out) or clear."):args("?")
  :choices { "list", "clear" }:argname("ACTION")
parser:option("--older", "Clear only what was not used for so many days.")
  :convert(cli.integer(0, 100000)):argname("DAYS")

local options <const> = cli.run(parser, arg)

local function must(value, message, ...)
  if value == nil then
    io.stderr:write("weft cache: ", message, "\n")
    os.exit(1, true)
  end
  return value, message, ...
end

local function plural(count, noun)
  return ("%d %s%s"):format(count, noun, count == 1 and "" or "s")
end

-- What has become of the file that the records were made of.
local function state_of(group)
  local now <const> = lfs.attributes(group.path)
  if not now then
    return "gone"
  end
  return now.size == group.size and now.ino == group.inode
    and now.modification == group.mtime_ns // 1000000000 and "current"
    or "changed"
end

-- The records by their file as it was, the last used first.
local function groups_of(records)
  local groups, by_key = {}, {}
  for _, record in ipairs(records) do
    local key <const> = ("%s %s %s %s"):format(record.size, record.mtime_ns,
      record.inode, record.path)
    local group = by_key[key]
    if not group then
      group = { path = record.path, size = record.size, used = record.used,
        mtime_ns = record.mtime_ns, inode = record.inode, records = 0,
        bytes = 0 }
      by_key[key], groups[#groups + 1] = group, group
    end
    group.records, group.bytes = group.records + 1, group.bytes + record.bytes
    group.used = math.max(group.used, record.used)
  end
  table.sort(groups, function(a, b)
    if a.used ~= b.used then
      return a.used > b.used
    end
    return (a.path or "") < (b.path or "")
  end)
  return groups
end

local function list()
  local folder <const> = must(core.cache.folder())
  local records <const> = must(core.cache.list())
  local bytes = 0
  for _, record in ipairs(records) do
    bytes = bytes + record.bytes
  end
  print("folder: " .. sys.escape(folder))
  print(("records: %d"):format(#records))
  print(("bytes: %d of at most %d"):format(bytes, must(core.cache.most())))
  if #records == 0 then
    return
  end
  print("\nRECORDS       BYTES  LAST USED         STATE    FILE")
  for _, group in ipairs(groups_of(records)) do
    print(("%7d  %10d  %s  %-7s  %s"):format(group.records, group.bytes,
      os.date("%Y-%m-%d %H:%M", group.used),
      group.path and state_of(group) or "damaged",
      sys.escape(group.path or "")))
  end
end

if options.action == "clear" then
  local records <const>, bytes <const> = must(core.cache.clear(options.older))
  print(("%s removed, %d bytes"):format(plural(records, "record"), bytes))
elseif options.older then
  parser:error("--older goes with clear")
else
  list()
end
os.exit(0, true)
