"""Each construct in each position: the compiled gradient and the emitted text against the primal and two oracles."""

from __future__ import annotations

import copy
import functools
import inspect
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ad_compiler import gradient_source, value_and_grad

from .build import CASES, Case, load, load_reference
from .oracles import central, complex_step, leaves

CENTRAL, COMPLEX, SINGLE = 1e-6, 1e-12, 2e-4  # relative tolerances of the two oracles, and of float32

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@pytest.fixture(scope="session")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("zoo")


@pytest.fixture(autouse=True)
def cell(request, record_property):
    """What the matrix at the end of the run says of this test."""
    case = request.node.callspec.params.get("case")
    if case is not None:
        record_property("zoo", (case.construct.name, case.position))


@every_case
def test_oracles(case, directory):
    """The rows are well posed: the oracles agree with themselves, and with each other; no gradient is all zero."""
    module = load_reference(case, directory)
    const = getattr(module, "const", None)
    for args in case.points:
        expected = central(module.f, args, case.argnums, const)
        assert_close(central(module.f, args, case.argnums, const, step=1e-4), expected, CENTRAL)
        if case.construct.analytic:
            assert_close(complex_step(module.f, args, case.argnums, const), expected, CENTRAL)
        assert max(np.max(np.abs(leaf)) for leaf in leaves(expected) if leaf is not None) > 1e-3


@every_case
def test_compiled(case, directory):
    f = load(case, directory).f
    transformed = value_and_grad(f, argnums=case.argnums)
    for args, expected in zip(case.points, oracle(case, directory), strict=True):
        before = copy.deepcopy(args)
        primal = f(*args)
        value, gradient = transformed(*args)
        assert_same(value, primal)
        assert_same(args, before)
        again = transformed(*args)
        assert_same(again, (value, gradient))
        assert_gradient(case, gradient, args, expected)


@every_case
def test_standalone(case, directory, standalone):
    answer = standalone[case.name]
    assert not isinstance(answer, str), answer
    for gradient, args, expected in zip(answer, case.points, oracle(case, directory), strict=True):
        assert_gradient(case, gradient if len(case.argnums) > 1 else (gradient,), args, expected)


@pytest.mark.parametrize("position", ("straight", "branch", "loop", "callee"))
def test_an_exception_of_the_primal_comes_out(position, directory):
    case = next(case for case in CASES if case.name == f"raise-not-taken-vector-{position}")
    f = load(case, directory).f
    transformed = value_and_grad(f)
    with pytest.raises(ValueError, match="x is too large"):
        transformed(np.full(4, 1e4))
    value, _ = transformed(*case.points[0])
    assert value == f(*case.points[0])


@pytest.mark.parametrize("position", ("straight", "branch", "loop", "callee"))
def test_a_failing_assertion_comes_out(position, directory):
    case = next(case for case in CASES if case.name == f"assert-vector-{position}")
    with pytest.raises(AssertionError, match="x is too large"):
        value_and_grad(load(case, directory).f)(np.full(4, 1e4))


@pytest.mark.parametrize("row", ("print-vector", "call-for-its-message-vector"))
@pytest.mark.parametrize("position", ("straight", "branch", "loop", "callee"))
def test_printing_happens_as_often_as_in_the_primal(row, position, directory, capsys):
    case = next(case for case in CASES if case.name == f"{row}-{position}")
    f = load(case, directory).f
    f(*case.points[0])
    printed = capsys.readouterr().out
    value_and_grad(f)(*case.points[0])
    assert printed
    assert capsys.readouterr().out == printed


@functools.cache
def oracle(case: Case, directory: Path) -> tuple:
    """The expected gradients at each point, with the tolerance that they allow."""
    module = load_reference(case, directory)
    const = getattr(module, "const", None)
    by = complex_step if case.construct.analytic else central
    return tuple(by(module.f, args, case.argnums, const) for args in case.points)


@pytest.fixture(scope="session")
def standalone(request, directory):
    """The gradients from emitted text, all computed in one process that can't import the compiler."""
    params = (item.callspec.params for item in request.session.items if getattr(item, "originalname", "") ==
              "test_standalone")
    answers, jobs = {}, []
    for case in (param["case"] for param in params):
        try:
            f = load(case, directory).f
            argnums = case.argnums if len(case.argnums) > 1 else case.argnums[0]
            text = gradient_source(f, argnums=argnums, like=case.points[0])
            name = getattr(f, "__name__", type(f).__name__)
            jobs.append((case.name, name, text, pickle.dumps(_offered(f)), case.points))
        except Exception as error:
            answers[case.name] = f"{type(error).__name__}: {error}"
    (directory / "jobs.pickle").write_bytes(pickle.dumps(jobs))
    command = [sys.executable, "-I", str(Path(__file__).with_name("worker.py")), str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return answers | pickle.loads((directory / "answers.pickle").read_bytes())


def _offered(f) -> dict[str, object]:
    """Arrays and instances that f reads: emitted text takes them as keyword parameters."""
    bare = getattr(f, "func", f)
    bare = bare if inspect.isroutine(bare) else bare.__call__
    around = {**vars(sys.modules[bare.__module__]), **inspect.getclosurevars(inspect.unwrap(
        getattr(bare, "__func__", bare))).nonlocals, "self": getattr(bare, "__self__", None)}
    for method in [value for value in around.values() if inspect.ismethod(value)]:
        around["self"] = method.__self__
    return {name: value for name, value in around.items() if not name.startswith("__") and (
        isinstance(value, np.ndarray) or type(value).__module__ == bare.__module__)}


def assert_gradient(case, gradient, args, expected):
    """The gradient has its argument's structure, shapes and dtypes, and the oracle's numbers."""
    assert isinstance(gradient, tuple)
    assert_like(gradient, tuple(args[i] for i in case.argnums))
    exact = COMPLEX if case.construct.analytic else CENTRAL
    assert_close(gradient, expected, SINGLE if case.kind == "single" else exact)


def assert_like(gradient, argument):
    if isinstance(argument, (tuple, list, dict)):
        assert type(gradient) is type(argument) and len(gradient) == len(argument)
        keys = argument if isinstance(argument, dict) else range(len(argument))
        for key in keys:
            assert_like(gradient[key], argument[key])
    elif isinstance(argument, int):
        assert gradient is None
    else:
        assert np.shape(gradient) == np.shape(argument)
        assert np.asarray(gradient).dtype == np.asarray(argument).dtype
        assert isinstance(gradient, np.ndarray if isinstance(argument, np.ndarray) else (float, np.floating))


def assert_close(one, other, relative):
    pairs = [(a, b) for a, b in zip(leaves(one), leaves(other), strict=True) if a is not None or b is not None]
    scale = max(1e-3, *(np.max(np.abs(leaf), initial=0.0) for _, leaf in pairs))
    for a, b in pairs:
        np.testing.assert_allclose(a, b, rtol=0.0, atol=relative * scale)


def assert_same(one, other):
    """Bit for bit the same values."""
    for a, b in zip(leaves(one), leaves(other), strict=True):
        np.testing.assert_array_equal(a, b, strict=isinstance(a, np.ndarray))
