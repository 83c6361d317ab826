"""Random programs: value and gradients against the complex step, twice, and those of the emitted text.

FUZZ=N in the environment runs N programs instead of the usual ones.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import io
import linecache
import os

import numpy as np
import pytest
from random_programs import RandomProgram, random_program
from random_reference import Kink, gradients, leaves, rebuild

from ad_compiler import gradient_source, value_and_grad, vjp

COUNT = int(os.environ.get("FUZZ", "150"))
TOLERANCE = 1e-9


class Unfit(Exception):
    """The program has no derivative at this point, or none that means anything."""


@pytest.mark.parametrize("seed", range(COUNT))
def test_random_program(seed):
    program = random_program(seed)
    try:
        expected = [expect(program, k) for k in range(2)]
    except Unfit:
        assert program.text  # one in a few: undefined names, overflow, ties
        return
    for args, wanted in zip(program.points, expected, strict=True):
        check(program, args, wanted)


def expect(program: RandomProgram, k: int) -> tuple:
    """Value, printed text, cotangent and gradients at the k-th point; raises Unfit."""
    args = program.points[k]
    try:
        with np.errstate(all="raise"):
            value, printed = run(load(program), args)
            cotangent = rebuild(value, [np.round(np.cos(3.0 * np.arange(np.size(y)) + j), 2).reshape(np.shape(y))[()]
                                        for j, y in enumerate(leaves(value))])
            if not isinstance(value, (tuple, dict, np.ndarray)):
                cotangent = 1.0
            again, found = gradients(program.text, args, program.argnums, cotangent)
    except (ArithmeticError, NameError, Kink) as error:
        raise Unfit(str(error)) from None
    if not all(np.max(np.abs(y), initial=0.0) < 1e6 for y in [*leaves(value), *leaves(found)]):
        raise Unfit("large")
    if not all(np.allclose(y, np.real(z), rtol=1e-9, atol=1e-9)
               for y, z in zip(leaves(value), leaves(again), strict=True)):
        raise Unfit("a condition is decided by rounding")
    return value, printed, cotangent, found


def load(program: RandomProgram):
    """The function `f` of a program, with its text where `inspect` finds it."""
    file = f"<random program {program.seed} {hash(program.text)}>"
    linecache.cache[file] = (len(program.text), None, program.text.splitlines(keepends=True), file)
    space = {"__name__": "random_program"}
    exec(compile(program.text, file, "exec"), space)
    return space["f"]


def run(f, args):
    """The result of a call, and what it printed."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        return f(*copy.deepcopy(args)), out.getvalue()


def check(program: RandomProgram, args: tuple, wanted: tuple) -> None:
    """Raises AssertionError where something about the compiled gradients is wrong."""
    check_vjp(program, args, wanted)
    if isinstance(wanted[2], float):
        check_gradient(program, args, wanted)
        check_text(program, args, wanted)


def check_vjp(program: RandomProgram, args: tuple, wanted: tuple) -> None:
    """`vjp` gives value and gradients, and the same gradients when its pullback is called again."""
    value, printed, cotangent, expected = wanted
    before = copy.deepcopy(args)
    (out, pullback), said = run(functools.partial(vjp, load(program)), args)
    assert_same(out, value, "value of vjp")
    assert said == printed, "what vjp prints"
    found = pullback(cotangent)
    assert_close(tuple(found[k] for k in program.argnums), expected, "vjp")
    assert_same(pullback(cotangent), found, "pullback called twice")
    assert_same(args, before, "arguments after vjp")


def check_gradient(program: RandomProgram, args: tuple, wanted: tuple) -> None:
    """`value_and_grad` gives value and gradients, and gives them again."""
    value, printed, _, expected = wanted
    before = copy.deepcopy(args)
    transformed = value_and_grad(load(program), argnums=program.argnums)
    (out, found), said = run(transformed, args)
    assert_same(out, value, "value of value_and_grad")
    assert said == printed, "what value_and_grad prints"
    assert_close(found, expected, "value_and_grad")
    assert_same(run(transformed, args)[0], (out, found), "second call")
    assert_same(args, before, "arguments after value_and_grad")


def check_text(program: RandomProgram, args: tuple, wanted: tuple) -> None:
    """The emitted text alone gives the same gradients."""
    _, printed, _, expected = wanted
    before = copy.deepcopy(args)
    text = gradient_source(load(program), argnums=program.argnums, like=args)
    assert "import ad_compiler" not in text and "from ad_compiler" not in text, "emitted text imports the compiler"
    space: dict[str, object] = {"__name__": "emitted"}
    exec(compile(text, "<emitted>", "exec"), space)
    found, said = run(space["f_vjp"], args)
    assert said == printed, "what the emitted text prints"
    assert_close(found, expected, "emitted text")
    assert_same(args, before, "arguments after emitted text")


def assert_close(found, expected, what):
    assert len(leaves(found)) == len(leaves(expected)), what
    scale = max(1e-3, *(float(np.max(np.abs(y), initial=0.0)) for y in leaves(expected)))
    for x, y in zip(leaves(found), leaves(expected), strict=True):
        np.testing.assert_allclose(x, y, rtol=0.0, atol=TOLERANCE * max(1.0, scale), err_msg=what)
        assert np.shape(x) == np.shape(y), what


def assert_same(one, other, what):
    for x, y in zip(leaves(one), leaves(other), strict=True):
        np.testing.assert_array_equal(x, y, err_msg=what)
