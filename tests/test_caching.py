"""What is compiled is kept, and what changes is seen: data, functions, methods, cells, defaults; in threads, too."""

from __future__ import annotations

import gc
import threading
import time
import types
import weakref

import numpy as np
import pytest

import ad_compiler as ad
from ad_compiler import calling

X = np.array([0.5, -1.0, 2.0])


def square(x):
    return x * x


def cube(x):
    return x * x * x


# What is seen

DATA = 2.0
REPLACED = square
INDIRECT = 2.0
WHICH = "square"


def indirect():
    return INDIRECT


@pytest.fixture
def world(monkeypatch):
    return lambda name, value: monkeypatch.setitem(globals(), name, value)


def test_data_that_changes_is_seen(world):
    g = ad.grad(lambda x: np.sum(x * DATA))
    assert g(1.0) == 2.0
    for value, expected in ((3.0, 3.0), (np.ones(4), 4.0), (np.ones((2, 3)), 6.0), (7, 7.0), (2.0, 2.0)):
        world("DATA", value)
        assert g(1.0) == expected


def test_data_of_a_called_function_is_seen(world):
    g = ad.grad(lambda x: np.sum(x * indirect()))
    assert g(1.0) == 2.0
    world("INDIRECT", np.ones(4))
    assert g(1.0) == 4.0


def test_text_that_decides_is_seen(world):
    def f(x):
        return x * x if WHICH == "square" else x

    g = ad.grad(f)
    assert g(3.0) == 6.0
    world("WHICH", "other")
    assert g(3.0) == 1.0


def test_a_replaced_function_is_seen(world):
    g = ad.grad(lambda x: REPLACED(x))
    assert g(2.0) == 4.0
    world("REPLACED", cube)
    assert g(2.0) == 12.0
    world("REPLACED", square)
    assert g(2.0) == 4.0


def test_a_replaced_function_of_a_module_is_seen():
    module = types.ModuleType("some_module")
    module.f = square
    g = ad.grad(lambda x: module.f(x))
    assert g(2.0) == 4.0
    module.f = cube
    assert g(2.0) == 12.0


def test_a_module_is_the_one_that_the_function_uses(tmp_path, monkeypatch):
    (tmp_path / "settings_of_test.py").write_text("factor = 5.0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    module = types.ModuleType("settings_of_test")
    module.factor = 2.0
    g = ad.grad(lambda x: np.sum(x * module.factor))
    assert g(1.0) == 2.0
    module.factor = np.ones(3)
    assert g(1.0) == 3.0


def test_a_replaced_method_is_seen(monkeypatch):
    class Layer:
        def step(self, x):
            return x * x

        def loss(self, x):
            return self.step(x)

    g = ad.grad(Layer().loss)
    assert g(2.0) == 4.0
    monkeypatch.setattr(Layer, "step", lambda self, x: x * x * x)
    assert g(2.0) == 12.0


def test_a_changed_cell_is_seen():
    inner = square

    def f(x):
        return inner(x)

    g = ad.grad(f)
    assert g(2.0) == 4.0
    inner = cube
    assert g(2.0) == 12.0


def test_changed_code_is_seen():
    def f(x):
        return x * x

    g = ad.grad(f)
    assert g(2.0) == 4.0
    f.__code__ = (lambda x: x * x * x).__code__
    f.__code__ = f.__code__.replace(co_name="<lambda>")
    assert g(2.0) == 12.0


def test_a_name_defined_later_is_seen(world):
    g = ad.grad(lambda x: x * LATER)  # noqa: F821
    with pytest.raises(NameError):
        g(2.0)
    world("LATER", 5.0)
    assert g(2.0) == 5.0


def test_a_builtin_that_is_covered_later_is_seen(world):
    g = ad.grad(lambda x: abs(x))
    assert g(-2.0) == -1.0
    world("abs", cube)
    assert g(-2.0) == 12.0


def test_changed_defaults_are_seen():
    def f(x, k=2.0):
        return x * k

    def caller(x):
        return f(x)

    g, h = ad.grad(f), ad.grad(caller)
    assert (g(1.0), h(1.0)) == (2.0, 2.0)
    f.__defaults__ = (3.0,)
    assert (g(1.0), h(1.0)) == (3.0, 3.0)


def test_closures_of_one_code():
    def power(n, f):
        return lambda x: f(x) ** n

    pairs = [power(n, f) for n, f in ((1.0, square), (2.0, square), (1.0, cube), (np.ones(3), square))]
    gradients = [ad.grad(f) if k < 3 else ad.elementwise_grad(f) for k, f in enumerate(pairs)]
    for _ in range(2):
        assert [g(2.0) for g in gradients[:3]] == [4.0, 32.0, 12.0]
        assert gradients[3](2.0) == 12.0


def test_functions_of_one_name():
    def one():
        def f(x):
            return x * x
        return f

    def other():
        def f(x):
            return x * x * x
        return f

    first, second = one(), other()
    assert (ad.grad(first)(2.0), ad.grad(second)(2.0)) == (4.0, 12.0)
    assert ad.grad(lambda x: first(x) + second(x))(2.0) == 16.0
    assert [ad.grad(f)(2.0) for f in (lambda x: x * x, lambda x: x * x * x)] == [4.0, 12.0]


@pytest.fixture
def compilations(monkeypatch):
    """Counts how often a program is derived."""
    count = [0]
    monkeypatch.setattr(calling, "_texts", type(calling._texts)())
    derived = calling.Compiler.derived

    def counted(self, *arguments):
        count[0] += 1
        return derived(self, *arguments)

    monkeypatch.setattr(calling.Compiler, "derived", counted)
    return count


def test_a_function_made_anew_is_compiled_once_and_let_go(compilations):
    class Big:
        def __init__(self):
            self.scale = 2.0

    def step(i):
        held = Big()
        helper = lambda y: y * held.scale
        return (lambda x, i=i: helper(x) * x + i), weakref.ref(held)

    alive = []
    for i in range(1000):
        f, reference = step(float(i))
        assert ad.grad(f)(3.0) == 12.0
        alive.append(reference)
    del f
    gc.collect()
    assert compilations[0] == 1
    assert sum(r() is not None for r in alive) == 0
    assert len(calling._texts) <= calling.KEPT


def test_a_program_is_kept_for_each_kind(compilations):
    g = ad.grad(lambda x: np.sum(x * x))
    for _ in range(3):
        for x in (2.0, X, np.ones((2, 2)), np.ones(7), [2.0, 3.0] and np.float32(1)):
            g(x)
    assert compilations[0] == 4  # two vectors are of one kind


def test_threads(compilations):
    barrier = threading.Barrier(8)
    functions = [square, cube]
    shared = [ad.grad(lambda x: np.sum(np.sin(x) * x)), ad.grad(lambda x: np.sum(np.cos(x) * x))]
    results, errors = [], []

    def work(k):
        try:
            barrier.wait()
            for n in range(50):
                x = X[:1 + (k + n) % 3]
                expected = (np.cos(x) * x + np.sin(x), np.cos(x) - np.sin(x) * x)[k % 2]
                results.append(np.allclose(shared[k % 2](x), expected))
                results.append(ad.grad(functions[k % 2])(2.0) == (4.0, 12.0)[k % 2])
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert errors == [] and len(results) == 800 and all(results)
    assert compilations[0] == 4


def reentrant(x):
    return np.sum(x * x) * DEPTH_FACTOR


DEPTH_FACTOR = 1.0


def test_gradients_are_reentrant(world):
    g = ad.grad(reentrant)

    def callback(x):
        return g(x * 2.0)[0]

    class Calls:
        def __init__(self):
            self.seen = []

        def __call__(self, x):
            self.seen.append(float(g(np.array([x]))[0]))
            return 1.0

    calls = Calls()
    assert g(np.array([1.0])).tolist() == [2.0] and callback(np.array([1.0])) == 4.0
    calls(3.0)
    assert calls.seen == [6.0] and g(np.array([1.0])).tolist() == [2.0]


def test_the_overhead_of_a_call_is_printed():
    g = ad.grad(square)
    g(2.0)
    emitted = g._last.space["square_vjp"]
    times = []
    for f in (g, emitted):
        best = float("inf")
        for _ in range(3):
            start = time.perf_counter()
            for _ in range(2000):
                f(2.0)
            best = min(best, time.perf_counter() - start)
        times.append(best / 2000 * 1e6)
    print(f"\na call costs {times[0]:.2f} µs, the emitted function {times[1]:.2f} µs")
    assert g(2.0) == emitted(2.0)
