-- What the specs share: files, folders that go away, closeness of numbers.
local support = {}

local core = require "weft.core"
local save = require "weft.save"

function support.quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- standard output and exit status of a shell's command
function support.sh(command)
  local pipe <close> = assert(io.popen(command))
  local output = pipe:read "a"
  local _, _, status = pipe:close()
  return output, status
end

function support.read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

function support.write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(text))
end

function support.json(path)
  return assert(core.json(support.read(path)))
end

-- a new folder; support.clean takes all of them away
local folders = {}

function support.folder()
  local path = support.sh("mktemp -d"):gsub("\n", "")
  folders[#folders + 1] = path
  return path
end

function support.clean()
  for _, path in ipairs(folders) do
    support.sh("rm -rf " .. support.quoted(path))
  end
  folders = {}
end

-- equal, or within a relative error; NaN is equal to NaN
function support.near(expected, found, relative, what)
  if expected ~= expected and found ~= found then
    return
  end
  local bound = (relative or 1e-13) * math.max(math.abs(expected),
    math.abs(found))
  assert(expected == found or math.abs(expected - found) <= bound,
    ("%s: %.17g was expected, found %.17g"):format(what or "number", expected,
      found))
end

-- a matrix whose every element tells its place
function support.matrix(rows, cols, fn)
  local out = {}
  for i = 1, rows do
    out[i] = {}
    for j = 1, cols do
      out[i][j] = fn and fn(i, j) or i + j / 1000
    end
  end
  return core.tensor(out)
end

-- a folder with a config.json (text, or a table of whole numbers and words)
-- and a checkpoint of {name=, tensor=, dtype=}
function support.checkpoint(config, list)
  local folder = support.folder()
  if type(config) == "table" then
    local json = require "weft.json"
    config = json.encode(config)
  end
  if config then
    support.write(folder .. "/config.json", config)
  end
  assert(save.safetensors(folder .. "/model.safetensors", list))
  return folder
end

local GGUF_U32, GGUF_STRING, GGUF_ARRAY = 4, 8, 9

-- a key and its value: a whole number, a word or an array of words
local function gguf_pair(key, value)
  local head = ("<s8"):pack(key)
  if type(value) == "number" then
    return head .. ("<I4I4"):pack(GGUF_U32, value)
  elseif type(value) == "string" then
    return head .. ("<I4s8"):pack(GGUF_STRING, value)
  end
  local words = {}
  for i, word in ipairs(value) do
    words[i] = ("<s8"):pack(word)
  end
  return head .. ("<I4I4I8"):pack(GGUF_ARRAY, GGUF_STRING, #value)
    .. table.concat(words)
end

-- a GGUF of F32 tensors {name=, tensor=} and metadata {key, value} in a new
-- folder; its path
function support.gguf(meta, list, name)
  local infos, data, offset = {}, {}, 0
  for i, item in ipairs(list) do
    local bytes = core.encode(item.tensor, "F32")
    local shape = item.tensor.shape
    local info = ("<s8I4"):pack(item.name, #shape)
    for axis = #shape, 1, -1 do
      info = info .. ("<I8"):pack(shape[axis])
    end
    infos[i] = info .. ("<I4I8"):pack(0, offset)
    data[i] = bytes .. ("\0"):rep(-#bytes % 32)
    offset = offset + #data[i]
  end
  local pairs_of = {}
  for i, item in ipairs(meta) do
    pairs_of[i] = gguf_pair(item[1], item[2])
  end
  local head = "GGUF" .. ("<I4I8I8"):pack(3, #list, #meta)
    .. table.concat(pairs_of) .. table.concat(infos)
  local path = ("%s/%s.gguf"):format(support.folder(), name or "twin")
  support.write(path, head .. ("\0"):rep(-#head % 32) .. table.concat(data))
  return path
end

--- exp of the entropy of the shares of s, written out: what metrics is held to.
function support.effective_rank(s)
  local sum, entropy = 0, 0
  for _, value in ipairs(s) do
    sum = sum + value
  end
  for _, value in ipairs(s) do
    entropy = entropy - value / sum * math.log(value / sum)
  end
  return math.exp(entropy)
end

return support
