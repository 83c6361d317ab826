"""Fit the model with an emitted gradient, on its own, and again without it: `python fit.py GRADIENT_FILE`."""

import importlib.util
import sys
import time

import model
import numpy as np
from scipy.optimize import minimize


def main():
    sys.modules["ad_compiler"] = None  # Python's own way to say: importing this fails, whether it is installed or not
    prove_alone()
    gradient = load(sys.argv[1])
    _, z = model.load()
    loss = Counted(lambda vector: model.loss(model.unpack(vector), z))
    loss_and_gradient = Counted(lambda vector: value_and_gradient(gradient, vector, z))
    rows = {
        "emitted gradient": fit(loss_and_gradient, jac=True),
        "finite differences": fit(loss, jac="2-point"),
    }
    print(f"\n{'BFGS with':<20}{'loss':>12}{'R²':>9}{'|gradient|':>13}{'iterations':>12}{'calls':>7}{'seconds':>9}")
    for name, (found, calls, seconds) in rows.items():
        norm = np.linalg.norm(central_differences(loss, found.x))
        print(f"{name:<20}{found.fun:>12.8f}{r_squared(model.predict(model.unpack(found.x), z), z):>9.4f}{norm:>13.1e}"
              f"{found.nit:>12}{calls:>7}{seconds:>9.2f}")
    plain, rivals = linear_autoregression(z)
    print(f"{'(one linear regime)':<20}{rivals:>12.8f}{r_squared(plain, z):>9.4f}   least squares, for comparison")

    ours, theirs = (row[0] for row in rows.values())
    print("\nParameters found, with the emitted gradient and (with finite differences):")
    for name, value in model.unpack(ours.x).items():
        other = model.unpack(theirs.x)[name]
        pairs = zip(np.atleast_1d(value), np.atleast_1d(other), strict=True)
        print(f"  {name:<8}", *(f"{a:.4f} ({b:.4f})" for a, b in pairs))
    assert abs(ours.fun - theirs.fun) < 1e-6, "the two fits differ in their loss"
    assert np.allclose(ours.x, theirs.x, atol=1e-2), "the two fits differ in their parameters"
    assert np.linalg.norm(central_differences(loss, ours.x)) < 1e-4, "the fit isn't at a minimum"
    prove_alone()


def prove_alone():
    """Show that nothing here can import the compiler."""
    try:
        import ad_compiler  # noqa: F401
    except ImportError as error:
        print(f"The fit runs without the compiler: {error}")
    else:
        raise AssertionError("ad_compiler can be imported, so this proves nothing")


def load(path):
    """Return the function in an emitted file."""
    spec = importlib.util.spec_from_file_location("emitted", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.loss_vjp


def value_and_gradient(gradient, vector, z):
    value, params_bar = gradient(model.unpack(vector), z)
    return value, model.pack(params_bar)


class Counted:
    """A function that counts its calls."""

    def __init__(self, function):
        self.function, self.calls = function, 0

    def __call__(self, vector):
        self.calls += 1
        return self.function(vector)


def fit(function, jac):
    """Return what BFGS finds, the number of calls and the seconds; show where it is every two seconds."""
    began = shown = time.perf_counter()

    def progress(intermediate_result):
        nonlocal shown
        if time.perf_counter() - shown > 2.0:
            shown = time.perf_counter()
            print(f"  ... {shown - began:.0f} s, loss {intermediate_result.fun:.6f}", flush=True)

    calls = function.calls
    found = minimize(function, model.pack(model.start()), jac=jac, method="BFGS", callback=progress)
    return found, function.calls - calls, time.perf_counter() - began


def central_differences(function, vector, step=1e-6):
    """Return the gradient by central differences: the same referee for both fits."""
    rows = step * np.eye(len(vector))
    return np.array([function(vector + row) - function(vector - row) for row in rows]) / (2.0 * step)


def linear_autoregression(z):
    """Return the predictions of one autoregression by least squares, and their negative log-likelihood."""
    past = np.lib.stride_tricks.sliding_window_view(z[:-1], model.LAGS)
    design = np.column_stack([np.ones(len(past)), past])
    predicted = design @ np.linalg.lstsq(design, z[model.LAGS:], rcond=None)[0]
    return predicted, 0.5 * (np.log(np.mean((z[model.LAGS:] - predicted) ** 2)) + 1.0)


def r_squared(predicted, z):
    seen = z[model.LAGS:]
    return 1.0 - np.sum((seen - predicted) ** 2) / np.sum((seen - np.mean(seen)) ** 2)


if __name__ == "__main__":
    main()
