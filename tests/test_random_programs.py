"""Random programs: values and gradients against the complex step, twice, and those of the emitted text.

FUZZ=N in the environment runs N programs instead of the usual ones.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import io
import linecache
import os
from dataclasses import dataclass

import numpy as np
import pytest
from random_programs import RandomProgram, random_program
from random_reference import Kink, gradients, leaves, rebuild

from ad_compiler import gradient_source, value_and_grad, vjp

COUNT = int(os.environ.get("FUZZ", "150"))
TOLERANCE = 1e-9


class Unfit(Exception):
    """The program has no derivative at its points, or none that means anything."""


@dataclass(frozen=True)
class Expected:
    """What a program gives at some arguments."""

    args: tuple
    value: object
    printed: str
    cotangent: object
    gradients: tuple

    @property
    def scalar(self) -> bool:
        """Whether the result is one number."""
        return isinstance(self.cotangent, float)


@pytest.mark.parametrize("seed", range(COUNT))
def test_random_program(seed):
    program, points = fit_program(seed)
    f = load(program)
    check_vjp(f, program, points)
    if points[0].scalar:
        check_gradient(f, program, points)
        check_text(f, program, points)


def fit_program(seed: int) -> tuple[RandomProgram, list[Expected]]:
    """The first program from a seed on that can be differentiated at its points, and what it should give there."""
    for attempt in range(100):
        program = random_program(100 * seed + attempt)
        try:
            return program, [expected(program, args) for args in program.points]
        except Unfit:
            continue
    raise AssertionError("the generator writes nothing that can be differentiated")


def expected(program: RandomProgram, args: tuple) -> Expected:
    """What the primal and the complex step say; raises Unfit."""
    try:
        with np.errstate(all="raise"):
            value, printed = run(load(program), args)
            cotangent = rebuild(value, [np.round(np.cos(3.0 * np.arange(np.size(y)) + k), 2).reshape(np.shape(y))[()]
                                        for k, y in enumerate(leaves(value))])
            if not isinstance(value, (tuple, dict, np.ndarray)):
                cotangent = 1.0
            again, found = gradients(program.text, args, program.argnums, cotangent)
    except (ArithmeticError, NameError, IndexError, Kink) as error:
        raise Unfit(str(error)) from None
    if not all(np.max(np.abs(y), initial=0.0) < 1e6 for y in [*leaves(value), *leaves(found)]):
        raise Unfit("large")
    if not all(np.allclose(y, np.real(z), rtol=1e-9, atol=1e-9)
               for y, z in zip(leaves(value), leaves(again), strict=True)):
        raise Unfit("a condition is decided by rounding")
    return Expected(args, value, printed, cotangent, found)


def load(program: RandomProgram):
    """The function `f` of a program, with its text where `inspect` finds it."""
    file = f"<random program {program.seed}>"
    linecache.cache[file] = (len(program.text), None, program.text.splitlines(keepends=True), file)
    space = {"__name__": "random_program"}
    exec(compile(program.text, file, "exec"), space)
    return space["f"]


def run(f, args):
    """The result of a call on a copy of the arguments, and what it printed."""
    args = copy.deepcopy(args)
    before = copy.deepcopy(args)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        result = f(*args)
    assert_same(args, before, "arguments")
    return result, out.getvalue()


def check_vjp(f, program: RandomProgram, points: list[Expected]) -> None:
    """`vjp` gives value and gradients, and the same gradients when its pullback is called again."""
    for e in points:
        (out, pullback), printed = run(functools.partial(vjp, f), e.args)
        assert_same(out, e.value, "value of vjp")
        assert printed == e.printed, "what vjp prints"
        seed = copy.deepcopy(e.cotangent)
        found = pullback(seed)
        assert_close(tuple(found[k] for k in program.argnums), e.gradients, "vjp")
        assert_same(pullback(seed), found, "pullback called twice")
        assert_same(seed, e.cotangent, "the cotangent afterwards")


def check_gradient(f, program: RandomProgram, points: list[Expected]) -> None:
    """`value_and_grad` gives value and gradients, and gives them again."""
    transformed = value_and_grad(f, argnums=program.argnums)
    for e in points:
        (out, found), printed = run(transformed, e.args)
        assert_same(out, e.value, "value of value_and_grad")
        assert printed == e.printed, "what value_and_grad prints"
        assert_close(found, e.gradients, "value_and_grad")
        assert_same(run(transformed, e.args)[0], (out, found), "second call")


def check_text(f, program: RandomProgram, points: list[Expected]) -> None:
    """The emitted text alone gives the same gradients."""
    text = gradient_source(f, argnums=program.argnums, like=points[0].args)
    assert "import ad_compiler" not in text and "from ad_compiler" not in text, "emitted text imports the compiler"
    space: dict[str, object] = {"__name__": "emitted"}
    exec(compile(text, "<emitted>", "exec"), space)
    for e in points:
        found, printed = run(space["f_vjp"], e.args)
        assert printed == e.printed, "what the emitted text prints"
        assert_close(found, e.gradients, "emitted text")


def assert_close(found, wanted, what):
    assert len(leaves(found)) == len(leaves(wanted)), what
    scale = max(1.0, *(float(np.max(np.abs(y), initial=0.0)) for y in leaves(wanted)))
    for x, y in zip(leaves(found), leaves(wanted), strict=True):
        assert np.shape(x) == np.shape(y), what
        np.testing.assert_allclose(x, y, rtol=0.0, atol=TOLERANCE * scale, err_msg=what)


def assert_same(one, other, what):
    for x, y in zip(leaves(one), leaves(other), strict=True):
        np.testing.assert_array_equal(x, y, err_msg=what)
