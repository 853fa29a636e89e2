-- The cost model and the simulated schedule; nothing here is timed.
local core <const> = require "weft.core"
local plan <const> = require "weft.plan"
local rates <const> = require "weft.plan.rates"
local support <const> = require "tests.lua.support"
local weft <const> = require "weft"

-- Rates of a machine that never was.
local RATES <const> = { gram = function() return 45e9 end,
  reduction = function(n) return 4 / 3 * n ^ 3 / 27e9 end, kernels = 15e9,
  decode = 5e-10 }

local function job_named(list, name)
  for _, job in ipairs(list) do
    if job.name == name then
      return job
    end
  end
end

describe("the work", function()
  it("is that of a config alone", function()
    local list <const>, m <const> = plan.of_shape "smollm2-135m"
    local totals <const> = plan.totals(list)
    assert.equal("llama", m.arch)
    assert.equal(210, totals.matrices)
    assert.equal(270, totals.kernels)
    assert.equal(576, totals.n)
    local down <const> = job_named(list, "W_down")
    assert.same({ 30, 1536, 576 }, { down.count, down.m, down.n })
    local gram <const> = 3 * 1536 * 576 ^ 2 + 2 * 576 ^ 3 + 2 * 576 * 192 ^ 2
    assert.equal(30.0 * gram, totals.flops.gram)
    local cubes <const> = 5 * 576 ^ 3 + 2 * 192 ^ 3
    assert.is_true(math.abs(totals.flops.reduction / (40 * cubes) - 1) < 1e-12)
    local weights <const> = 30 * (3 * 1536 * 576 + 2 * 576 ^ 2 + 2 * 576 * 192)
    local kernels <const> = 30 * (576 ^ 2 + 576 * 192)
    assert.equal(2 * (weights + kernels), totals.bytes)
    local area <const> = 576 * 64
    local group <const> = 2 * area * 64 + 3 * (4 * area * 64 + 20 * 64 ^ 3)
    assert.equal(90 * group, totals.flops.kernels)
  end)

  it("counts experts, shared ones and dense layers", function()
    local list <const> = plan.of_shape "deepseek-671b"
    local counts <const> = {}
    for _, job in ipairs(list) do
      counts[job.name .. " " .. job.m .. "x" .. job.n] = job.count
    end
    assert.equal(3, counts["W_gate 18432x7168"])
    assert.equal(58 * 256, counts["W_up 7168x2048"])
    assert.equal(58, counts["W_down.shared 7168x2048"])
    assert.equal(61, counts["W_Q_b 24576x1536"])
    assert.equal(61, counts["W_KV_a 7168x576"])
    assert.equal(61 * 128, counts["QK 7168x192"])
  end)

  it("counts products that each head forms and reads anew", function()
    local list <const> = plan.of_shape "deepseek-671b"
    local job <const> = job_named(list, "QK")
    local area <const> = 7168 * 192
    local products <const> = 2 * 7168 * (192 * 1536 + 128 * 512)
    assert.equal(6.0 * area * 192 + 20 * 192 ^ 3 + products,
      select(3, plan.flops(job)))
    local head <const> = 1536 * (192 + 7168) + 512 * (128 + 7168) + 64 * 7168
    assert.equal(head, job.elements)
    local weights = 0
    for _, other in ipairs(list) do
      weights = weights + (other ~= job and other.count * other.m * other.n
        or 0)
    end
    assert.is_true(weights > 655e9 and weights < 700e9)
    assert.equal(weights + 61 * 128 * head, plan.totals(list).bytes)
    assert.equal(select(3, plan.flops(job)) / 15e9 + head * 5e-10,
      (plan.seconds(job, RATES)))
  end)

  it("has the same kernels of a model as of its config", function()
    for _, name in ipairs { "deepseek_v2", "deepseek_v2_lora", "gpt2",
        "qwen3" } do
      local path <const> = "tests/golden/archs/" .. name
      local m <close> = assert(weft.open(path))
      local job <const> = job_named(plan.of_model(m), "QK")
      local alone <const> = job_named(assert(plan.of_config(
        support.json(path .. "/config.json"))), "QK")
      alone.bytes = job.bytes -- the weights' own, and not all alike
      assert.same(alone, job)
      local heads <const> = m:heads {}
      assert.equal(#heads, job.count * job.heads)
      assert.equal(heads[1].kernel.rows, job.n)
    end
  end)

  it("knows the shapes of the table", function()
    for name, billions in pairs { ["qwen2.5-3b"] = 2.77, ["llama-8b"] = 6.98,
        ["llama-70b"] = 68.5, ["llama-405b"] = 401.7 } do
      local elements = 0
      for _, job in ipairs(assert(plan.of_shape(name))) do
        elements = elements + (job.kind == "weight"
          and job.count * job.m * job.n or 0)
      end
      assert.is_true(math.abs(elements / 1e9 / billions - 1) < 0.01, name)
    end
    local _, message <const> = plan.of_shape "gpt-9"
    assert.equal("no shape 'gpt-9'; there are deepseek-671b, llama-405b, "
      .. "llama-70b, llama-8b, qwen2.5-3b, smollm2-135m", message)
  end)

  it("says why a config is not enough", function()
    local none <const>, message <const> = plan.of_config { model_type = "x" }
    assert.is_nil(none)
    assert.equal("model_type 'x' is no known family", message)
  end)

  it("takes a worker's memory from its largest matrix", function()
    local list <const> = { { kind = "weight", name = "W", m = 9000, n = 2048,
      bytes = 1, count = 1000 } }
    local two <const>, one <const> = plan.memory(list, 2)
    assert.equal(8 * (3 * 2048 ^ 2 + 768 * 2048), one)
    assert.equal((30 << 20) + 2 * one, two)
    assert.is_true(two < 300e6)
    assert.equal(two, (plan.memory(list, 2, 0, 2048)))
    -- two workers' slices and three matrices' sums
    assert.equal(two + 5 * 8 * 2048 ^ 2, (plan.memory(list, 2, 3, 2048)))
  end)

  it("takes no memory for the number of heads", function()
    local list <const> = {}
    for i, heads in ipairs { 1, 64 } do
      list[i] = { kind = "kernels", m = 4096, n = 64, heads = heads, count = 1 }
    end
    local _, one <const> = plan.memory({ list[1] }, 1)
    assert.equal(one, select(2, plan.memory({ list[2] }, 1)))
    assert.is_true(one >= 8 * 4 * 4096 * 64 and one < 8 * 5 * 4096 * 64)
  end)
end)

describe("the calibration", function()
  it("takes no rate from the noise of two times", function()
    local n <const> = 1024
    -- at 5e10, where the reduction takes a tenth of a second
    local gram <const> = n ^ 3 / 5e10
    local square <const>, tall <const> = gram + 0.1, 3 * gram + 0.1
    local most <const> = 6e10
    local function near(want, got)
      assert.is_true(math.abs(got / want - 1) < 1e-9, got)
    end
    near(5e10, rates.gram(n, square, tall, most))
    near(most, rates.gram(n, square, square * 1.0001, most))
    near(most, rates.gram(n, square, square * 0.9, most))
    near((3 + 4 / 3) * n ^ 3 / 1.5, rates.gram(n, 0.1, 1.5, most))
  end)
end)

describe("a schedule", function()
  local function even(count, cost, split)
    local work <const> = { costs = {}, fluids = {}, slices = {} }
    for i = 1, count do
      work.costs[i], work.fluids[i] = cost, cost * split
      work.slices[i] = split > 0 and 16 or 1
    end
    return work
  end

  it("takes as long as its largest job, or as its share of all", function()
    assert.equal(2.0, plan.bound(even(3, 2, 0), 7))
    assert.equal(3.0, plan.bound(even(3, 2, 0), 2))
    assert.equal(6.0, plan.time(even(3, 2, 0), 1))
    assert.equal(2.0, plan.time(even(3, 2, 0), 7))
    assert.equal(4.0, plan.time(even(3, 2, 0), 2))
    assert.equal(0.0, plan.time(even(0, 2, 0), 3))
  end)

  it("splits what would overhang, but not between machines", function()
    local split <const> = plan.time(even(3, 2, 0.8), 2)
    assert.is_true(split >= 3 and split <= 3.15)
    assert.equal(4.0, plan.time(even(3, 2, 0.8), 1, 2))
    assert.equal(1, select(2, plan.time(even(3, 2, 0.8), 2)))
    assert.equal(0, select(2, plan.time(even(3, 2, 0.8), 1, 2)))
    assert.equal(0, select(2, plan.time(even(3, 2, 0.8), 3)))
  end)

  it("splits no more than memory holds", function()
    local jobs <const> = even(7, 2, 0.8)
    assert.equal(4.0, plan.time(even(3, 2, 0.8), 2, 1, 0))
    assert.equal(0, select(2, plan.time(jobs, 6, 1, 0)))
    assert.equal(1, select(2, plan.time(jobs, 6, 1, 1)))
    local bytes <const> = tonumber((support.sh "getconf _PHYS_PAGES"))
      * tonumber((support.sh "getconf PAGE_SIZE"))
    local cores <const> = core.sys.cpus()
    for _, name in ipairs { "qwen2.5-3b", "llama-405b" } do
      local list <const> = plan.of_shape(name)
      local work <const> = plan.costs(list, RATES)
      assert.equal(plan.totals(list).n, work.side)
      local held <const> = plan.held(work, cores)
      assert.equal(core.split_room(work.side, cores), held)
      -- a control group may leave less than half of the memory
      assert.is_true(held == 0
        or (held + 2 * cores) * 8 * work.side ^ 2 <= bytes / 2)
      assert.is_nil(plan.held(work, cores + 1))
    end
  end)

  it("has no side where nothing can be split", function()
    local work <const> = plan.costs(plan.of_shape "smollm2-135m", RATES)
    assert.equal(0, work.side)
    assert.equal(0, plan.held(work, 1))
  end)

  -- SmolLM2's matrices are too small to be split: it waits for milliseconds.
  it("is within 5 % of the bound for real shapes", function()
    for _, name in ipairs { "qwen2.5-3b", "llama-8b", "llama-70b",
        "llama-405b", "deepseek-671b" } do
      local work <const> = plan.costs(plan.of_shape(name), RATES)
      local step <const> = #work.costs > 10000 and 85 or 5
      for workers = 1, 256, step do
        local ratio <const> = plan.time(work, workers)
          / plan.bound(work, workers)
        assert.is_true(ratio <= 1.05, ("%s, %d: %f"):format(name, workers,
          ratio))
      end
    end
  end)

  it("is faster on more machines", function()
    local work <const> = plan.costs(plan.of_shape "llama-405b", RATES)
    local one <const> = plan.time(work, 64, 1)
    local eight <const> = plan.time(work, 64, 8)
    assert.is_true(one / eight > 5 and one / eight <= 8.4)
  end)

  it("refuses what is no list of jobs", function()
    for message, args in pairs {
      ["%(1 elements, expected 2%)"] = { { 1, 2 }, { 1 }, { 1, 1 }, 2 },
      ["%(element 2 is boolean, expected a number%)"] = { { 1, true },
        { 1, 1 }, { 1, 1 }, 2 },
      ["%(element 1 is %-1.0, expected 0 to 1024%)"] = { { 1 }, { 1 },
        { -1 }, 2 },
      ["%(0, expected 1 to 1048576%)"] = { {}, {}, {}, 0 },
      ["%(%-1, expected at least 0%)"] = { {}, {}, {}, 1, -1 },
    } do
      assert.error_matches(function()
        core.schedule_time(table.unpack(args))
      end, message)
    end
    assert.error_matches(function() core.slices(-1, 3) end,
      "%(%-1, expected 0 to 2147483647%)")
  end)
end)

-- What the command prints, and its status; `before` is a command before it.
local function command(words, before)
  return support.sh(("%s %s plan %s 2>&1"):format(before or "",
    support.quoted(arg[-1]), words))
end

describe("weft plan", function()
  local folder

  setup(function()
    folder = support.folder()
    support.write(folder .. "/config.json", [[{"model_type": "llama",
      "num_hidden_layers": 2, "hidden_size": 64, "intermediate_size": 160,
      "num_attention_heads": 4, "num_key_value_heads": 2,
      "vocab_size": 10}]])
  end)

  teardown(support.clean)

  it("needs no weights", function()
    local output <const>, status <const> = command(folder .. " --cores 2")
    assert.equal(0, status, output)
    assert.matches("\nmatrices: 14\nkernels: 8\nflops: ", output)
    assert.matches("\ntime: [%d.]+ s on 2 cores\n", output)
    assert.is_truthy(output:find("| W_down |     2 | 160x64 ", 1, true))
  end)

  it("refuses what it does not know", function()
    local output, status = command "--shape gpt-9"
    assert.equal(2, status)
    assert.matches("no shape 'gpt%-9'; there are deepseek%-671b", output)
    output, status = command ""
    assert.equal(2, status)
    assert.matches("expected MODEL or %-%-shape, one of them", output)
    output, status = command(folder .. " --cores 0")
    assert.equal(2, status)
    assert.matches("expected an integer from 1 to 1024", output)
    output, status = command(folder .. "/none")
    assert.equal(1, status)
    assert.matches("no such file or folder", output)
  end)

  it("says in one line what is no config", function()
    local odd <const> = folder .. "/odd"
    local file <const> = odd .. "/config.json"
    assert(core.sys.mkdir(file))
    assert.same({ ("weft plan: %s: a file of at most 64 MB was expected\n")
      :format(file), 1 }, { command(odd) })
    assert(core.sys.remove(file))
    support.write(file, "[]")
    assert.same({ ("weft plan: %s: an object was expected\n"):format(file),
      1 }, { command(odd) })
    support.sh(("ln -sf nowhere %s"):format(support.quoted(file)))
    local output <const>, status <const> = command(odd)
    assert.equal(1, status)
    assert.matches("^weft plan: [^\n]*: no model%.safetensors[^\n]*\n$",
      output)
  end)

  it("says in one line what it may not read", function()
    -- another user, where this one is root, whom no mode keeps out
    local other <const> = support.sh "id -u" == "0\n"
      and "setpriv --reuid=65534 --regid=65534 --clear-groups" or ""
    if select(2, command("--help", other)) ~= 0 then
      pending "no other user can run weft here"
      return
    end
    local closed <const> = folder .. "/closed"
    assert(core.sys.mkdir(closed))
    support.write(closed .. "/config.json", "{}")
    local function with_mode(mode, path)
      support.sh(("chmod %s %s"):format(mode, support.quoted(path)))
      local output <const>, status <const> = command(closed, other)
      support.sh(("chmod 755 %s"):format(support.quoted(path)))
      return { output, status }
    end
    support.sh(("chmod 755 %s"):format(support.quoted(folder)))
    assert.same({ ("weft plan: %s/config.json: cannot open: Permission "
      .. "denied\n"):format(closed), 1 }, with_mode("000", closed
      .. "/config.json"))
    assert.same({ ("weft plan: %s: cannot open the folder: Permission "
      .. "denied\n"):format(closed), 1 }, with_mode("311", closed))
  end)
end)
