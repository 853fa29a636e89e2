"""The same numbers as weft's report, by torch and by scipy; seconds as JSON.

  torch_spectra.py torch MODEL_DIR [--layers N] [--kernels-only] [--eigen N]
  torch_spectra.py scipy MODEL_DIR [--layers N]
  torch_spectra.py torch-square N | scipy-square N
  torch_spectra.py open FILE.safetensors
  torch_spectra.py version

MODEL_DIR holds a config.json and one model.safetensors, named as llama's are.
torch computes in float32, as the notebook does: singular values of all
weights, and of each head's kernel, which is formed, d x d; --eigen asks for
the eigenvalues of N kernels too. Of one thread, all threads, and one thread
for each of several matrices at once, every part takes what is fastest on its
first few matrices, which warm it up. Loading is not in the times.
"""
import concurrent.futures
import json
import os
import resource
import struct
import sys
import time

NAMES = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
         "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")
CORES = len(os.sched_getaffinity(0))


def load(folder, layers):
    """The config, and {(layer, name): float32 torch tensor}."""
    import torch
    dtypes = {"F32": torch.float32, "F16": torch.float16,
              "BF16": torch.bfloat16}
    with open(os.path.join(folder, "config.json")) as file:
        config = json.load(file)
    weights = {}
    with open(os.path.join(folder, "model.safetensors"), "rb") as file:
        size, = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
        for layer in range(min(layers, config["num_hidden_layers"])):
            for name in NAMES:
                entry = header[f"model.layers.{layer}.{name}.weight"]
                begin, end = entry["data_offsets"]
                file.seek(8 + size + begin)
                flat = torch.frombuffer(bytearray(file.read(end - begin)),
                                        dtype=dtypes[entry["dtype"]])
                weights[layer, name] = flat.reshape(entry["shape"]).float()
    return config, weights


def kernel_of(config, weights, layer, head):
    """W_Q_h^T W_K_h, dense, as the notebook forms it."""
    heads, groups = config["num_attention_heads"], config["num_key_value_heads"]
    size = config.get("head_dim") or config["hidden_size"] // heads
    group = head // (heads // groups)
    q = weights[layer, NAMES[0]][head * size:(head + 1) * size]
    k = weights[layer, NAMES[1]][group * size:(group + 1) * size]
    return q.T @ k


def run(jobs, setting):
    """Seconds of all jobs under (threads, jobs at once)."""
    import torch
    threads, at_once = setting
    torch.set_num_threads(threads)
    start = time.perf_counter()
    if at_once == 1:
        for job in jobs:
            job()
    else:
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            for future in [pool.submit(job) for job in jobs]:
                future.result()
    return time.perf_counter() - start


def best(jobs, times, name):
    """Notes the seconds of all jobs under the setting that a trial chose."""
    settings = list(dict.fromkeys([(1, 1), (CORES, 1), (1, CORES)]))
    trial = jobs[:CORES]
    chosen = min(settings, key=lambda setting: run(trial, setting))
    times[name] = run(jobs, chosen)
    times[name + "_setting"] = chosen


def model_torch(folder, layers, eigen):
    import torch
    config, weights = load(folder, layers)
    linalg, times = torch.linalg, {}
    places = [(layer, head) for layer in sorted({key[0] for key in weights})
              for head in range(config["num_attention_heads"])]

    def kernel_job(place, solve):
        return lambda: solve(kernel_of(config, weights, *place))

    largest = sorted(weights.values(), key=lambda w: -w.numel())
    with torch.inference_mode():
        if "--kernels-only" not in sys.argv:
            best([lambda w=w: linalg.svdvals(w) for w in largest], times,
                 "weights")
        best([kernel_job(place, linalg.svdvals) for place in places], times,
             "kernels")
        if eigen:
            best([kernel_job(place, linalg.eigvals)
                  for place in places[:eigen]], times, "eigen")
    times["layers"] = len({key[0] for key in weights})
    times["heads"] = len(places)
    times["eigen_heads"] = min(eigen, len(places))
    return times


def model_scipy(folder, layers):
    import scipy.linalg
    weights = load(folder, layers)[1]
    arrays = [w.double().numpy() for w in weights.values()]
    start = time.perf_counter()
    for array in arrays:
        scipy.linalg.svdvals(array)
    return {"weights": time.perf_counter() - start,
            "layers": len({key[0] for key in weights})}


def square_torch(n):
    import torch
    matrix, times = torch.rand(n, n) - 0.5, {}
    small, least = torch.rand(512, 512), {}
    for threads in dict.fromkeys([CORES, 1]):
        torch.set_num_threads(threads)
        torch.linalg.svdvals(small)
        if threads == 1 and n > 2048:
            continue
        start = time.perf_counter()
        torch.linalg.svdvals(matrix)
        least[threads] = time.perf_counter() - start
    times["seconds"] = min(least.values())
    return times


def square_scipy(n):
    import numpy
    import scipy.linalg
    matrix = numpy.random.default_rng(1).random((n, n)) - 0.5
    scipy.linalg.svdvals(matrix[:256, :256])
    start = time.perf_counter()
    scipy.linalg.svdvals(matrix)
    return {"seconds": time.perf_counter() - start}


def open_many(path):
    import safetensors
    start = time.perf_counter()
    with safetensors.safe_open(path, framework="np") as file:
        count = len(list(file.keys()))
    return {"seconds": time.perf_counter() - start, "count": count}


def versions():
    import scipy
    import torch
    return {"text": f"torch {torch.__version__}, scipy {scipy.__version__}"}


def option(name, default):
    if name in sys.argv:
        return int(sys.argv[sys.argv.index(name) + 1])
    return default


def main():
    task, what = sys.argv[1], (sys.argv + [""])[2]
    layers = option("--layers", 1 << 30)
    tasks = {
        "torch": lambda: model_torch(what, layers, option("--eigen", 0)),
        "scipy": lambda: model_scipy(what, layers),
        "torch-square": lambda: square_torch(int(what)),
        "scipy-square": lambda: square_scipy(int(what)),
        "open": lambda: open_many(what),
        "version": versions,
    }
    result = tasks[task]()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    result["peak_mb"] = usage.ru_maxrss * 1024 / 1e6
    print(json.dumps(result))


if __name__ == "__main__":
    main()
