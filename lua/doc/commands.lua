-- The stock commands. Their options are those of their own parsers; the
-- example of a command is lines of a shell.
return {
  name = "commands",
  title = "Commands",
  text = [[
    `weft NAME …` runs a stock command; NAME --help tells its options. MODEL
    is a folder (config.json beside safetensors, PyTorch or .npy files), a
    .safetensors, .gguf, .bin, .pt, .npz or .npy file, or a hub id that lies
    in the local cache. Exit status: 0 done, 1 something could not be done
    and is named, 2 wrong usage, 130 interrupted.]],
  -- The program's own options: word, argument, meaning, as --help has them.
  options = {
    { "-e", "code", "run code" },
    { "-i", nil, "prompt after the script" },
    { "-l", "name", "require a library into the global name" },
    { "-v", nil, "print versions" },
    { "-E", nil, "ignore the environment's variables" },
    { "-W", nil, "turn warnings on" },
    { "--", nil, "end of the options" },
    { "-", nil, "end of the options, run standard input" },
    { "--help", nil, "print this and the commands" },
    { "--version", nil, "print the versions of all that weft stands on" },
  },
  variables = {
    { "LUA_INIT, LUA_PATH, LUA_CPATH", "as lua(1) reads them" },
    { "HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME",
      "where the hub's local cache is looked for; else ~/.cache" },
    { "XDG_CACHE_HOME", "where spectra and estimates are kept, in "
      .. "weft/spectra; else ~/.cache" },
    { "WEFT_CACHE_MAX", "bytes of them that are kept, 1 GiB where it is not "
      .. "set; 0: none are, nor looked for" },
    { "NO_COLOR", "where it is set and not empty, no colours" },
    { "XDG_CONFIG_HOME, XDG_STATE_HOME",
      "where the prompt's init.lua and its history lie; else ~/.config and "
      .. "~/.local/state" },
  },
  files = {
    { "~/.config/weft/init.lua", "run at the start of the prompt" },
    { "~/.local/state/weft/history", "the prompt's history" },
    { "~/.cache/weft/spectra", "spectra and estimates that were computed, by "
      .. "their file's size, time and inode" },
  },
  {
    name = "weft report", kind = "command", call = "weft report MODEL "
      .. "[options]",
    summary = "Recreates the notebook's whole analysis of a model: findings, "
      .. "tables, a CSV, figures, report.json.",
    example = [[
      weft report build/demo --out out --figures none --quiet
      test -s out/one_output.md
    ]],
    see = { "weft weights", "weft heads" },
  },
  {
    name = "weft info", kind = "command", call = "weft info MODEL [--json]",
    summary = "Shows a checkpoint's family, dims and tensors, and what is not "
      .. "analysed.",
    example = [[
      weft info build/demo | grep '^family: qwen2'
    ]],
    see = { "weft.open", "model:not_analysed" },
  },
  {
    name = "weft weights", kind = "command", call = "weft weights MODEL "
      .. "[options]",
    summary = "Measures the weights of all layers: one tidy table on standard "
      .. "output.",
    example = [[
      weft weights build/demo --metric effective_rank,condition --layers 0,3-5
      weft weights build/demo --names W_Q,W_K --top 5 --format csv
    ]],
    see = { "weft heads", "weft.measure" },
  },
  {
    name = "weft plan", kind = "command", call = "weft plan MODEL "
      .. "[--cores N] [--ranks R]",
    summary = "Tells what an analysis costs before it is run: matrices, flops, "
      .. "memory, and the time on this machine's rates. A folder with a "
      .. "config.json alone will do, or a known shape.",
    example = [[
      weft plan build/demo | grep '^memory: '
      weft plan --shape smollm2-135m --cores 16 | grep '^time: .* on 16 cores'
    ]],
    see = { "weft report", "weft info" },
  },
  {
    name = "weft heads", kind = "command", call = "weft heads MODEL [options]",
    summary = "Measures the kernels of all attention heads: one tidy table on "
      .. "standard output.",
    example = [[
      weft heads build/demo --metric effective_rank,asymmetry --layers 0
    ]],
    see = { "weft weights", "model:heads" },
  },
  {
    name = "weft spectra", kind = "command", call = "weft spectra MODEL "
      .. "[options]",
    summary = "Writes the singular values of all weights and heads to an "
      .. ".npz file: an array a matrix, such as layer.00.W_Q and "
      .. "layer.00.head.03.qk.",
    example = [[
      weft spectra build/demo --out demo.npz --layers 0-2
      test -s demo.npz
    ]],
    see = { "weft.spectra", "weft weights" },
  },
  {
    name = "weft cache", kind = "command", call = "weft cache [list|clear] "
      .. "[--older DAYS]",
    summary = "Lists the spectra and estimates that earlier commands left in "
      .. "the cache, or clears it.",
    example = [[
      weft cache | grep '^records: '
      weft cache clear --older 90
    ]],
    see = { "weft.core.cache.list", "weft.core.cache.clear" },
  },
  {
    name = "weft demo", kind = "command", call = "weft demo [DIR] [options]",
    summary = "Writes a small checkpoint with planted spectra, the same bytes "
      .. "on every machine.",
    example = [[
      weft demo small --num-hidden-layers 2
      weft info small >small.txt
    ]],
    see = { "weft.planted", "weft report" },
  },
  {
    name = "weft help", kind = "command", call = "weft help [TOPIC]",
    summary = "Prints the help of a function, a noun or a command.",
    example = [[
      weft help svdvals | grep 'Singular values of a matrix'
    ]],
    see = { "help", "apropos" },
  },
}
