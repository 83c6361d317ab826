"""Show a loss beside its emitted gradient, check that gradient, and fit a model with the emitted file alone.

Run it with `make demo`, or with `python examples/demo.py [FILE]`: FILE is where the gradient is written.
"""

import ast
import inspect
import itertools
import subprocess
import sys
import time
from pathlib import Path

import fit
import model
import numpy as np

import ad_compiler as ad

HERE = Path(__file__).parent


def main():
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parent / "build" / "sunspots_gradient.py"
    years, z = model.load()
    params = model.start()

    title("1. A loss, and its gradient as the compiler writes it")
    began = time.perf_counter()
    text = ad.gradient_source(model.loss, value=True, like=(params, z))
    seconds = time.perf_counter() - began
    print_side_by_side(inspect.getsource(model.loss), function_text(text, "loss_vjp"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    print(f"\nCompiled in {seconds:.2f} s and written to {path.resolve()}: {len(text.splitlines())} lines of NumPy.")

    title("2. The same numbers as central differences")
    check(fit.load(path), params, z)

    title(f"3. Fit {len(model.pack(params))} parameters to the sunspots of {years[0]:.0f} to {years[-1]:.0f}")
    sys.stdout.flush()
    subprocess.run([sys.executable, str(HERE / "fit.py"), str(path)], check=True)


def title(text):
    print(f"\n{text}\n{'=' * len(text)}\n")


def print_side_by_side(left, right):
    """Print two texts in two columns."""
    rows = [text.rstrip().splitlines() for text in (left, right)]
    width = max(map(len, rows[0]))
    for one, other in itertools.zip_longest(*rows, fillvalue=""):
        print(f"{one:<{width}}  |  {other}".rstrip())


def function_text(module, name):
    """Return one function of a module's text, with its comments."""
    for node in ast.parse(module).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return ast.get_source_segment(module, node)
    raise LookupError(f"the emitted module has no function {name}")


def check(gradient, params, z):
    """Compare the gradient that was written, and the one made in memory, with central differences; time them."""
    def loss(vector):
        return model.loss(model.unpack(vector), z)

    # Away from the start, so that nothing is compared that is only zero.
    vector = model.pack(params) + 0.01 * np.sin(np.arange(len(model.pack(params))))
    value, written = fit.value_and_gradient(gradient, vector, z)
    in_memory = model.pack(ad.grad(model.loss)(model.unpack(vector), z))
    expected = fit.central_differences(loss, vector)
    worst = np.max(np.abs(written - expected) / (1.0 + np.abs(expected)))
    print(f"  loss                                  {value:.10f}  (the function itself: {loss(vector):.10f})")
    print(f"  largest difference from differences   {worst:.1e}")
    print(f"  file and ad.grad differ by            {np.max(np.abs(written - in_memory)):.1e}")
    assert np.isclose(value, loss(vector), rtol=1e-12), "the emitted file computes another loss"
    assert worst < 1e-6, "the gradient disagrees with central differences"
    assert np.allclose(written, in_memory, rtol=1e-12, atol=1e-12), "the file and the function in memory disagree"

    once = fastest(lambda: loss(vector))
    both = fastest(lambda: fit.value_and_gradient(gradient, vector, z))
    print(f"  loss alone                            {1e3 * once:.2f} ms")
    print(f"  loss and gradient                     {1e3 * both:.2f} ms, {both / once:.1f} times as long "
          f"(one-sided differences: {len(vector) + 1} times)")


def fastest(function, repeats=20):
    """Return the seconds of the fastest of some runs."""
    def seconds():
        began = time.perf_counter()
        function()
        return time.perf_counter() - began

    return min(seconds() for _ in range(repeats))


if __name__ == "__main__":
    main()
