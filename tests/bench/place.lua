-- Where the bench works and what it runs there: weft's commands, the peers
-- that it is measured beside, and the checkpoints that both read.
local place <const> = {}

local lfs <const> = require "lfs"

local core <const> = require "weft.core"
local json <const> = require "weft.json"
local save <const> = require "weft.save"
local weft <const> = require "weft"
local sys <const> = core.sys

local WEFT <const> = "build/weft"
local MPI_MODULE <const> = "build/lua/weft/mpi.so"
local CHILD <const> = "tests/bench/child.lua"
local PEER <const> = "tests/bench/torch_spectra.py"

-- Names of a layer's weights in a folder of safetensors.
local NAMES <const> = { W_Q = "self_attn.q_proj", W_K = "self_attn.k_proj",
  W_V = "self_attn.v_proj", W_O = "self_attn.o_proj",
  W_gate = "mlp.gate_proj", W_up = "mlp.up_proj", W_down = "mlp.down_proj" }

local function last_line(text)
  return text:match "([^\n]*)\n*$"
end

-- ---- running ----

--- Seconds of a program and its output, or nil and why.
function place.time(argv)
  local start <const> = sys.time()
  local status <const>, output <const> = sys.run(argv)
  local took <const> = sys.time() - start
  if not status then
    return nil, sys.escape(output)
  elseif status ~= 0 then
    return nil, sys.escape(("%s: %s"):format(argv[1], last_line(output)))
  end
  return took, output
end

-- A weft command's line; `cache` is a folder for its spectra, or none is kept.
-- A relative XDG_CACHE_HOME would not count.
local function command(cache, ...)
  local absolute <const> = cache and (cache:sub(1, 1) == "/" and cache
    or lfs.currentdir() .. "/" .. cache)
  local first <const> = absolute and "XDG_CACHE_HOME=" .. absolute
    or "WEFT_CACHE_MAX=0"
  return { "env", first, WEFT, ... }
end

--- Seconds of a weft command that takes and keeps no spectra.
function place.weft(...)
  return place.time(command(nil, ...))
end

--- Seconds of a weft command with a cache in that folder.
function place.weft_cached(cache, ...)
  return place.time(command(cache, ...))
end

--- The peak memory of a weft command, in MB.
function place.peak(name, ...)
  local took <const>, output <const> = place.time(command(nil, CHILD, "peak",
    "scripts/" .. name .. ".lua", ...))
  return took and tonumber(last_line(output)), output
end

-- As root, with more ranks than processors, and without a way of copying
-- between processes that containers forbid.
local MPIRUN <const> = { "OMPI_MCA_btl_vader_single_copy_mechanism=none",
  "mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none",
  "-n" }

--- Seconds of a weft command on so many ranks of one thread.
function place.ranks(count, ...)
  local argv <const> = command(nil)
  argv[#argv] = nil -- the program, which comes after mpirun's own words
  for _, words in ipairs { MPIRUN, { tostring(count), WEFT, ... },
    { "--threads", "1" } }
  do
    table.move(words, 1, #words, #argv + 1, argv)
  end
  return place.time(argv)
end

--- GFLOP/s of float64 products on `cores` processors, one product each.
function place.product(cores)
  local one <const> = WEFT .. " " .. CHILD .. " product 2048"
  local took <const>, output <const> = place.time { "sh", "-c",
    (one .. " & "):rep(cores) .. "wait" }
  if not took then
    return nil, output
  end
  local sum = 0.0
  for rate in output:gmatch "[%d.]+" do
    sum = sum + tonumber(rate)
  end
  return sum
end

--- Seconds that a processor or more take for flops at the products' rate.
function place.limit(flops, cores)
  local rate <const>, why <const> = place.product(cores)
  return rate and flops / rate / 1e9, why
end

--- What the python half measured, as a table; nil and why there is none.
function place.python(...)
  local took <const>, output <const> = place.time { place.python_path, PEER,
    ... }
  if not took then
    return nil, output
  end
  local result <const>, why <const> = core.json(last_line(output))
  return result, why
end

-- The number that one of the bench's own programs prints.
local function number_of(name, ...)
  local took <const>, output <const> = place.time { place.programs .. "/"
    .. name, ... }
  return took and tonumber(output), output
end

--- GB/s of float32 that one core decodes from a type.
function place.decode(dtype)
  return number_of("decode", dtype)
end

--- Seconds in which one core reduces a symmetric matrix of side n to its
--- eigenvalues: "weft" or "lapack", by dsytrd and dsterf.
function place.reduce(way, n)
  return number_of("reduce", way, tostring(n))
end

--- The names of all types that can be decoded.
function place.decoded()
  local list <const> = {}
  local _, names <const> = assert(place.time { place.programs .. "/decode" })
  for name in names:gmatch "%S+" do
    list[#list + 1] = name
  end
  return list
end

--- Seconds of the notebook on a folder, from its start to its report.
function place.run_notebook(folder, ...)
  return place.time { place.python_path, place.notebook, folder,
    place.folder .. "/notebook", ... }
end

-- ---- checkpoints ----

local function write_folder(folder, config, list)
  assert(sys.mkdir(folder))
  assert(save.safetensors(folder .. "/model.safetensors", list))
  assert(sys.write(folder .. "/config.json", json.encode(config)))
  place.time { "sync", folder .. "/model.safetensors" }
  return folder
end

local function config_of(dims, dtype)
  return { _name_or_path = "bench", model_type = dims.family,
    torch_dtype = dtype, num_hidden_layers = dims.L, hidden_size = dims.d,
    intermediate_size = dims.d_ff, num_attention_heads = dims.h,
    num_key_value_heads = dims.GQA, vocab_size = dims.V }
end

--- A model's weights as a folder that the peers read, in float32.
function place.dense_folder(path, name)
  local m <close> = assert(weft.open(path))
  local list <const> = {}
  for i, part in ipairs(m:weights {}) do
    list[i] = { tensor = part.tensor, dtype = "F32",
      name = ("model.layers.%d.%s.weight"):format(part.layer,
        NAMES[part.name]) }
  end
  local dims <const> = setmetatable({ family = "llama" },
    { __index = m.dims })
  return write_folder(place.folder .. "/" .. name,
    config_of(dims, "float32"), list)
end

-- Random columns of unlike size: a spectrum that falls as weights' do.
local function random_weight(seed, rows, cols)
  local scale <const> = (weft.randn(seed + 1, 1, cols) * 0.5):exp()
  return weft.randn(seed, rows, cols) * scale * 0.02
end

--- A folder of random BF16 weights of a model's shape: dims as weft's names
--- them.
function place.random_folder(name, dims)
  local kv <const> = dims.d // dims.h * dims.GQA
  local shapes <const> = { { "W_Q", dims.d, dims.d }, { "W_K", kv, dims.d },
    { "W_V", kv, dims.d }, { "W_O", dims.d, dims.d },
    { "W_gate", dims.d_ff, dims.d }, { "W_up", dims.d_ff, dims.d },
    { "W_down", dims.d, dims.d_ff } }
  local list <const> = {}
  for layer = 0, dims.L - 1 do
    for i, shape in ipairs(shapes) do
      list[#list + 1] = { dtype = "BF16",
        name = ("model.layers.%d.%s.weight"):format(layer, NAMES[shape[1]]),
        tensor = random_weight(100 * layer + 2 * i, shape[2], shape[3]) }
    end
  end
  list[#list + 1] = { name = "model.embed_tokens.weight", dtype = "BF16",
    tensor = random_weight(99999, dims.V, dims.d) }
  return write_folder(place.folder .. "/" .. name,
    config_of(dims, "bfloat16"), list)
end

--- A file with one random F16 matrix, written in parts: it may be large.
function place.random_matrix(name, rows, cols)
  local path <const> = place.folder .. "/" .. name
  local header <const> = ('{"w":{"dtype":"F16","shape":[%d,%d],'
    .. '"data_offsets":[0,%d]}}'):format(rows, cols, 2 * rows * cols)
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(("<I8"):pack(#header), header))
  for row = 1, rows, 256 do
    local part <close> = weft.randn(row, math.min(256, rows - row + 1), cols)
    assert(file:write(core.encode(part * 0.02, "F16")))
  end
  return path
end

--- A file of n tensors of one number each.
function place.many_tensors(name, n)
  local path <const>, entries <const> = place.folder .. "/" .. name, {}
  for i = 0, n - 1 do
    entries[i + 1] = ('"model.layers.%d.w.%d":{"dtype":"F32","shape":[1],'
      .. '"data_offsets":[%d,%d]}'):format(i % 100, i, 4 * i, 4 * i + 4)
  end
  local header <const> = "{" .. table.concat(entries, ",") .. "}"
  assert(sys.write(path, ("<I8"):pack(#header) .. header
    .. ("\0"):rep(4 * n)))
  return path
end

-- ---- setting up ----

-- Why nothing can be run on ranks, or nil.
local function no_ranks()
  if not place.time { "mpirun", "--version" } then
    return "no mpirun"
  elseif not lfs.attributes(MPI_MODULE, "mode") then
    return "no mpi.so: built without MPI"
  end
  return place.cores < 2 and "one processor" or nil
end

--- options: folder, programs (where the bench's own are), and python and
--- notebook, which may be missing.
function place.set(options)
  place.folder = options.folder
  assert(sys.mkdir(place.folder))
  place.cores = sys.cpus()
  place.programs = options.programs
  place.no_ranks = no_ranks()
  place.python_path, place.notebook = options.python, options.notebook
  place.no_python = not options.python and "BENCH_PYTHON names no python"
    or nil
  place.no_notebook = place.no_python or not options.notebook
    and "BENCH_NOTEBOOK names no notebook" or nil
  return place
end

return place
