"""Measure gradients against the primal, by hand, autograd and PyTorch; and how long compiling takes.

`python benchmarks/run.py [--quick] [--write]`: --quick takes fewer rounds, --write keeps the tables in RESULTS.md.
"""

import os

# Read by NumPy's and PyTorch's libraries when they are loaded, hence before any other import.
os.environ.update(dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"], "1"))

# ruff: noqa: E402
import argparse
import gc
import importlib.metadata
import importlib.util
import platform
import random
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import peers
from programs import programs, straight_line

import ad_compiler as ad

SECONDS = 12.0  # that the rounds of one program take in all, at the least
SIZES = (40, 80, 160, 320)
LIMITS = {40: 0.08, 160: 0.3}  # seconds that the first `gradient_source` may take
COLUMNS = ("by hand", "ours", "ours, emitted", "autograd", "PyTorch")


def main():
    options = arguments()
    seconds = SECONDS / 8 if options.quick else SECONDS
    with tempfile.TemporaryDirectory() as folder:
        tables = [versions(), speed(Path(folder), seconds), compiling(Path(folder), 3 if options.quick else 7)]
    text = "\n\n".join(tables) + "\n"
    print("\n" + text)
    if options.write:
        target = Path(__file__).with_name("RESULTS.md")
        target.write_text(f"# Results\n\nWritten by `make bench BENCH=--write`.\n\n{text}", encoding="utf-8")
        print(f"Written to {target}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--write", action="store_true", help="write the tables to RESULTS.md")
    return parser.parse_args()


def versions():
    return (f"Python {platform.python_version()}, NumPy {np.__version__}, autograd "
            f"{importlib.metadata.version('autograd')}, PyTorch {peers.torch.__version__}; {platform.machine()}, "
            "one thread, float64.")


def speed(folder, seconds):
    """Return the table of times, as multiples of the primal's."""
    lines = [
        "## Value and gradient, in times of the primal", "",
        "Medians of interleaved runs. Every column returns the value and the gradients; all are divided by the time of "
        "the plain NumPy primal.", "",
        f"| program | primal | {' | '.join(COLUMNS)} | ours / by hand | emitted / by hand |",
        "|---|" + "---:|" * (len(COLUMNS) + 3),
    ]
    for program in programs():
        print(f"measuring: {program.title}", flush=True)
        primal = {"primal": lambda p=program: p.primal(*p.args)}
        near = {"by hand": lambda p=program: p.by_hand(*p.args), "ours": in_memory(program),
                "ours, emitted": emitted(program, folder)}
        # Apart, because a tape of thousands of nodes leaves caches and heap in a state that slows what runs next.
        far = {"autograd": peers.autograd_gradient(program), "PyTorch": peers.torch_gradient(program)}
        must_agree(program, near | far)
        times, ratios = {}, {}
        for group in (near, far):
            found = medians(primal | group, seconds / 2)
            ratios |= {name: found[name] / found["primal"] for name in group}
            times = found | times
        row = " | ".join(f"{ratios[name]:.2f}" for name in COLUMNS)
        ours, alone = (times[name] / times["by hand"] for name in ("ours", "ours, emitted"))
        lines.append(f"| {program.title} | {milliseconds(times['primal'])} | {row} | {ours:.2f} | {alone:.2f} |")
    return "\n".join(lines)


def in_memory(program):
    gradient = ad.value_and_grad(program.primal, argnums=program.argnums)
    return lambda: gradient(*program.args)


def emitted(program, folder):
    """Return a function without arguments that calls the standalone file's gradient."""
    text = ad.gradient_source(program.primal, argnums=program.argnums, value=True, like=program.args)
    name = program.primal.__name__ + "_vjp"
    gradient = getattr(load(folder / f"{name}.py", text), name)
    return lambda: gradient(*program.args)


def load(path, text):
    """Write a module and return it, imported."""
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def must_agree(program, contestants):
    """Compare all values and gradients with those by hand, and those by hand with a central difference."""
    value, gradients = program.by_hand(*program.args)
    np.testing.assert_allclose(value, program.primal(*program.args), rtol=1e-12)
    expected = [value, *leaves(gradients)]
    check_direction(program, leaves(gradients))
    for name, contestant in contestants.items():
        value, gradients = contestant()
        for found, by_hand in zip([value, *leaves(gradients)], expected, strict=True):
            found = found.detach().numpy() if isinstance(found, peers.torch.Tensor) else found
            np.testing.assert_allclose(found, by_hand, rtol=1e-8, atol=1e-12 * np.max(np.abs(by_hand)),
                                       err_msg=f"{program.title}: {name}")


def check_direction(program, gradients, step=1e-6):
    """Compare the gradients by hand with a central difference in one random direction of all arguments."""
    rng = np.random.default_rng(1)
    chosen = program.argnums if isinstance(program.argnums, tuple) else (program.argnums,)
    directions = [rng.standard_normal(np.shape(program.args[k])) for k in chosen]

    def moved(distance):
        args = list(program.args)
        for k, direction in zip(chosen, directions, strict=True):
            args[k] = args[k] + distance * direction
        return program.primal(*args)

    difference = (moved(step) - moved(-step)) / (2 * step)
    slope = sum(np.sum(g * d) for g, d in zip(gradients, directions, strict=True))
    np.testing.assert_allclose(slope, difference, rtol=1e-5, atol=1e-8, err_msg=f"{program.title}: by hand")


def leaves(gradients):
    return gradients if isinstance(gradients, tuple) else (gradients,)


def medians(functions, seconds):
    """Return the median seconds of each function.

    They take turns, in another order each round, so that the machine's moods reach all of them. As in `timeit`, the
    garbage collector doesn't run meanwhile.
    """
    for function in functions.values():
        function()
    samples = {name: [] for name in functions}
    order = random.Random(0)
    gc.collect()
    gc.disable()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(samples["primal"]) < 7:
        for name, function in order.sample(list(functions.items()), len(functions)):
            began = time.perf_counter()
            function()
            samples[name].append(time.perf_counter() - began)
    gc.enable()
    return {name: statistics.median(values) for name, values in samples.items()}


def milliseconds(seconds):
    return f"{1e3 * seconds:.2f} ms"


def compiling(folder, repeats):
    """Return the table of compile times of straight-line functions."""
    began = time.perf_counter()
    first_compile(folder, "warm", 3)
    print(f"compiling: a function of 3 statements took {time.perf_counter() - began:.2f} s", flush=True)
    lines = [
        "## Compiling straight-line functions", "",
        f"Medians of {repeats} functions never seen before. A linear compiler takes as long for each statement.", "",
        "| statements | `gradient_source` | per statement | limit | first call of `ad.grad` | per statement |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    found = {}
    for size in SIZES:
        pairs = [first_compile(folder, f"f{size}_{k}", size) for k in range(repeats)]
        source, call = found[size] = tuple(statistics.median(column) for column in zip(*pairs, strict=True))
        limit = f"{LIMITS[size]} s: {'kept' if source < LIMITS[size] else 'MISSED'}" if size in LIMITS else ""
        lines.append(f"| {size} | {milliseconds(source)} | {milliseconds(source / size)} | {limit} "
                     f"| {milliseconds(call)} | {milliseconds(call / size)} |")
    small, large = SIZES[0], SIZES[-1]
    growth = [exponent(found[large][k], found[small][k], large / small) for k in (0, 1)]
    lines += ["", f"Time grows as statements to the power {growth[0]:.2f} (`gradient_source`) and {growth[1]:.2f} "
                  "(`ad.grad`); 1 is linear."]
    return "\n".join(lines)


def first_compile(folder, name, statements):
    """Return the seconds of the first `gradient_source`, and of the first call of `ad.grad` for a function like it."""
    x, y = np.linspace(0.1, 1.0, 5), np.linspace(1.0, 2.0, 5)
    seconds = []
    for use in (lambda f: ad.gradient_source(f, like=(x, y)), lambda f: ad.grad(f)(x, y)):
        own = f"{name}_{len(seconds)}"
        function = getattr(load(folder / f"{own}.py", straight_line(own, statements)), own)
        began = time.perf_counter()
        use(function)
        seconds.append(time.perf_counter() - began)
    return seconds


def exponent(large, small, growth):
    return np.log(large / small) / np.log(growth)


if __name__ == "__main__":
    main()
