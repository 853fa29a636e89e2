-- weft demo [DIR]: a small checkpoint whose weights have known spectra, so
-- that every analysis has something to find and a truth to compare with.
local cli <const> = require "weft.cli"
local core <const> = require "weft.core"
local json <const> = require "weft.json"
local lfs <const> = require "weft.folders"
local save <const> = require "weft.save"
local staging <const> = require "weft.staging"
local sys <const> = core.sys

local NAME <const> = "weft/demo"
local SCALE <const> = 2.0
local PARAMETERS_MAX <const> = 1 << 30
local DTYPES <const> = { float16 = "F16", bfloat16 = "BF16", float32 = "F32" }
local WIDTHS <const> = { F16 = 2, BF16 = 2, F32 = 4 }
local FAMILIES <const> = {
  qwen2 = { class = "Qwen2ForCausalLM", bias = true },
  llama = { class = "LlamaForCausalLM" },
  mistral = { class = "MistralForCausalLM" },
}
-- Options that are numbers: name, least, most, default, meaning.
local NUMBERS <const> = {
  { "--num-hidden-layers", 1, 512, 12, "Layers." },
  { "--hidden-size", 1, 16384, 192, "Width of the residual stream." },
  { "--intermediate-size", 1, 65536, 512, "Width of the MLP." },
  { "--num-attention-heads", 1, 1024, 6, "Attention heads." },
  { "--num-key-value-heads", 1, 1024, 2, "Heads of keys and values." },
  { "--head-dim", 1, 1024, nil, "Width of a head (hidden size / heads)." },
  { "--vocab-size", 1, 262144, 512, "Rows of the embedding." },
  { "--shards", 1, 512, nil, "Files, one layer or more in each (2, or 1)." },
  { "--seed", 0, 1 << 53, 1, "Another seed, other weights." },
}

-- 0 at both ends and 1 in the middle of 0 <= x <= 1; the square, since an
-- effective rank falls most where the spectrum is still nearly flat.
local function hill(x)
  local height <const> = 1 - math.abs(2 * x - 1)
  return height * height
end

local function valley(x)
  return (2 * x - 1) * (2 * x - 1)
end

-- A layer's matrices: their tensor, (rows, cols) by the names that `sizes`
-- gives, whether a bias goes with it, and how steeply singular values fall at
-- depth x (late: from the middle layer on). The steeper, the lower the
-- effective rank.
local PARTS <const> = {
  { tensor = "self_attn.q_proj", rows = "q", cols = "d", bias = true,
    fall = function(x) return 4 + 200 * hill(x) end },
  { tensor = "self_attn.k_proj", rows = "kv", cols = "d", bias = true,
    fall = function(x) return 2 + 150 * x * x end },
  { tensor = "self_attn.v_proj", rows = "kv", cols = "d", bias = true,
    fall = function(x) return 2 + 150 * (1 - x) * (1 - x) end },
  { tensor = "self_attn.o_proj", rows = "d", cols = "q",
    fall = function(x) return 4 + 120 * valley(x) end },
  { tensor = "mlp.gate_proj", rows = "ff", cols = "d",
    fall = function(x, late) return 4 + x + (late and 90 or 0) end },
  { tensor = "mlp.up_proj", rows = "ff", cols = "d",
    fall = function(_, _, layer) return 10 + layer * 3 % 5 / 4 end },
  { tensor = "mlp.down_proj", rows = "d", cols = "ff",
    fall = function(x) return 3 + 60 * hill(x) end },
}

local parser <const> = cli.parser("demo",
  "Write a small checkpoint with planted spectra; its options are the keys "
  .. "of config.json. The same options give the same bytes on every machine.")
parser:argument("dir", "Folder to write."):argname("DIR")
  :default("demo"):defmode("arg")
for _, row in ipairs(NUMBERS) do
  local name, least, most, default, meaning = table.unpack(row, 1, 5)
  local option <const> = parser:option(name, meaning)
    :convert(cli.integer(least, most)):argname("N")
  if default then
    option:default(tostring(default))
  end
end
parser:option("--torch-dtype", "Type of the weights.", "float16")
  :choices { "float16", "bfloat16", "float32" }
parser:option("--model-type", "Family.", "qwen2")
  :choices { "qwen2", "llama", "mistral" }

local options <const> = cli.run(parser, arg)
options.shards = options.shards or math.min(2, options.num_hidden_layers)

-- One line on standard error, and the end.
local function stop(message)
  io.stderr:write("weft demo: ", message, "\n")
  os.exit(1, true)
end

-- Options that are wrong only together.
local function check_together(o)
  if o.dir == "" then
    parser:error("DIR: an empty name, expected a folder's")
  elseif not o.head_dim and o.hidden_size % o.num_attention_heads ~= 0 then
    parser:error(("--num-attention-heads: %d, expected a divisor of "
      .. "--hidden-size %d, or a --head-dim"):format(o.num_attention_heads,
      o.hidden_size))
  elseif o.num_attention_heads % o.num_key_value_heads ~= 0 then
    parser:error(("--num-key-value-heads: %d, expected a divisor of "
      .. "--num-attention-heads %d"):format(o.num_key_value_heads,
      o.num_attention_heads))
  elseif o.shards > o.num_hidden_layers then
    parser:error(("--shards: %d, expected 1 to --num-hidden-layers %d"):format(
      o.shards, o.num_hidden_layers))
  end
end

local function sizes_of(o)
  local head <const> = o.head_dim or o.hidden_size // o.num_attention_heads
  return { d = o.hidden_size, ff = o.intermediate_size, head = head,
    q = head * o.num_attention_heads, kv = head * o.num_key_value_heads }
end

local function parameters(o, sizes)
  local layer = 2 * sizes.d
  for _, part in ipairs(PARTS) do
    layer = layer + sizes[part.rows] * sizes[part.cols]
    if part.bias and FAMILIES[o.model_type].bias then
      layer = layer + sizes[part.rows]
    end
  end
  return layer * o.num_hidden_layers + (o.vocab_size + 1) * sizes.d
end

-- U diag(s) V^T with s falling from SCALE to about SCALE / (1 + fall): only
-- sums, products and quotients, which are the same on every machine.
local function planted(rows, cols, fall, seed)
  local n <const>, s <const> = math.min(rows, cols), {}
  for k = 1, n do
    s[k] = SCALE / (1 + fall * (k - 1) / n)
  end
  return core.planted(rows, cols, s, seed)
end

-- n numbers in [-scale, scale), from a splitmix64 stream.
local function noise(n, scale, seed)
  local values <const>, state = {}, seed
  for i = 1, n do
    state = state + 0x9E3779B97F4A7C15
    local z = (state ~ state >> 30) * 0xBF58476D1CE4E5B9
    z = (z ~ z >> 27) * 0x94D049BB133111EB
    values[i] = ((z ~ z >> 31) >> 11) * 0x1p-52 * scale - scale
  end
  return core.tensor(values)
end

local function ones(n)
  local values <const> = {}
  for i = 1, n do
    values[i] = 1.0
  end
  return core.tensor(values)
end

-- Every fourth head, from head 1 on, keeps a quarter of its query rows at full
-- strength: the heads that a heatmap should show as low-rank.
local function damp_heads(w_q, heads, head_dim)
  local cols <const> = w_q.shape[2]
  for head = 1, heads - 1, 4 do
    for row = head * head_dim + 1 + (head_dim + 3) // 4,
        (head + 1) * head_dim do
      for col = 1, cols do
        w_q:set(row, col, w_q:get(row, col) * 0.0625)
      end
    end
  end
end

-- Appends one layer's tensors to list.
local function add_layer(list, o, sizes, layer)
  local prefix <const> = ("model.layers.%d."):format(layer)
  local x <const> = o.num_hidden_layers > 1
    and layer / (o.num_hidden_layers - 1) or 0.0
  local late <const> = layer >= o.num_hidden_layers // 2
  local function add(name, tensor)
    list[#list + 1] = { name = prefix .. name, tensor = tensor }
  end
  for i, part in ipairs(PARTS) do
    local seed <const> = o.seed * 1000003 + 32 * (layer + 1) + 2 * i
    local rows <const> = sizes[part.rows]
    local w <const> = planted(rows, sizes[part.cols], part.fall(x, late, layer),
      seed)
    if part.tensor == "self_attn.q_proj" then
      damp_heads(w, o.num_attention_heads, sizes.head)
    end
    add(part.tensor .. ".weight", w)
    if part.bias and FAMILIES[o.model_type].bias then
      add(part.tensor .. ".bias", noise(rows, 0.01, seed + 1))
    end
  end
  add("input_layernorm.weight", ones(sizes.d))
  add("post_attention_layernorm.weight", ones(sizes.d))
end

-- The tensors of shard 0, 1, …, in file order.
local function shard_tensors(o, sizes, shard, each)
  local list <const> = {}
  if shard == 0 then
    list[1] = { name = "model.embed_tokens.weight",
      tensor = planted(o.vocab_size, sizes.d, 1, o.seed * 1000003) }
  end
  for layer = 0, o.num_hidden_layers - 1 do
    if layer * o.shards // o.num_hidden_layers == shard then
      add_layer(list, o, sizes, layer)
      each(layer + 1)
    end
  end
  if shard == o.shards - 1 then
    list[#list + 1] = { name = "model.norm.weight", tensor = ones(sizes.d) }
  end
  return list
end

local function config_of(o)
  return {
    _name_or_path = NAME, architectures = { FAMILIES[o.model_type].class },
    model_type = o.model_type, torch_dtype = o.torch_dtype,
    num_hidden_layers = o.num_hidden_layers, hidden_size = o.hidden_size,
    intermediate_size = o.intermediate_size, head_dim = o.head_dim,
    num_attention_heads = o.num_attention_heads,
    num_key_value_heads = o.num_key_value_heads, vocab_size = o.vocab_size,
    hidden_act = "silu", max_position_embeddings = 2048, rms_norm_eps = 1e-6,
    rope_theta = 10000, tie_word_embeddings = true,
  }
end

-- A file that an earlier run may have written and this one may take away.
local function is_demo_file(name)
  return name == "config.json" or name == "model.safetensors"
    or name == "model.safetensors.index.json"
    or name:find("^model%-%d%d%d%d%d%-of%-%d%d%d%d%d%.safetensors$") ~= nil
end

-- What the folder holds, without an interrupted run's part; nil where there
-- is no such folder.
local function count_files(dir)
  if lfs.attributes(dir, "mode") ~= "directory" then
    return nil
  end
  local ok, next_name, handle = pcall(lfs.dir, dir)
  if not ok then
    stop(sys.escape(next_name))
  end
  local count = 0
  for name in next_name, handle do
    if name ~= "." and name ~= ".." and name ~= staging.PART then
      count = count + 1
    end
  end
  return count
end

local function is_demo(dir)
  local text <const> = sys.read(dir .. "/config.json")
  local config <const> = text and core.json(text)
  return type(config) == "table" and config._name_or_path == NAME
end

local function must(ok, message)
  if not ok then
    stop(message)
  end
  return ok
end

-- A staging area for dir, which is new, empty or an earlier demo: a folder
-- that holds anything else is not touched.
local function prepare(dir)
  local shown <const>, count <const> = sys.escape(dir), count_files(dir)
  if not count and lfs.attributes(dir, "mode") then
    stop(("%s: is no folder"):format(shown))
  elseif count and count > 0 and not is_demo(dir) then
    stop(("%s: holds files and no demo's config.json, expected an empty or a "
      .. "new folder"):format(shown))
  end
  return must(staging.new(dir))
end

local function shard_name(o, shard)
  if o.shards == 1 then
    return "model.safetensors"
  end
  return ("model-%05d-of-%05d.safetensors"):format(shard + 1, o.shards)
end

local function bytes_of(tensor, dtype)
  local count = 1
  for _, size in ipairs(tensor.shape) do
    count = count * size
  end
  return count * WIDTHS[dtype]
end

-- Writes everything into the staging area, config.json last.
local function write(area, o, sizes)
  local dtype <const> = DTYPES[o.torch_dtype]
  local weight_map <const>, total = {}, 0
  local bar <const> = core.progress(false)
  bar:open("Layers", o.num_hidden_layers)
  for shard = 0, o.shards - 1 do
    local name <const> = shard_name(o, shard)
    local list <const> = shard_tensors(o, sizes, shard, function(done)
      bar:set(done)
    end)
    for _, entry in ipairs(list) do
      entry.dtype = dtype
      weight_map[entry.name] = name
      total = total + bytes_of(entry.tensor, dtype)
    end
    local ok, message = save.safetensors(area:claim(name), list)
    if not ok then
      bar:clear()
      stop(message)
    end
  end
  bar:clear()
  if o.shards > 1 then
    must(sys.write(area:claim("model.safetensors.index.json"), json.encode {
      metadata = { total_size = total }, weight_map = weight_map }))
  end
  must(sys.write(area:claim("config.json"), json.encode(config_of(o))))
end

check_together(options)
local sizes <const> = sizes_of(options)
local count <const> = parameters(options, sizes)
if count > PARAMETERS_MAX then
  parser:error(("%d parameters together, expected at most %d"):format(count,
    PARAMETERS_MAX))
end
local dir <const> = #options.dir > 1 and options.dir:gsub("/+$", "")
  or options.dir
local area <const> = prepare(dir)
write(area, options, sizes)
must(area:commit(is_demo_file))
print(("%s: %s, %d layers, %d parameters in %s"):format(sys.escape(dir),
  options.model_type, options.num_hidden_layers, count, options.torch_dtype))
for _, name in ipairs(area.files) do
  print(("  %s %d bytes"):format(name, lfs.attributes(dir .. "/" .. name,
    "size")))
end
