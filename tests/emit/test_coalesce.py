"""Versions share a name where they may, and never where they may not; the user's names stay the user's."""

import ast
import itertools
import linecache

import numpy as np
import pytest

from ad_compiler import gradient_source, value_and_grad
from ad_compiler.emit.coalesce import final_names
from ad_compiler.program import Function, Names, Origin
from ad_compiler.syntax import at, name, quote_statements

COUNT = itertools.count()

# Modules whose `f` is differentiated by all of its parameters; `np` is NumPy unless the module says otherwise.
ROWS = """
#= swap in a loop
def f(x):
    u, v = x, np.sin(x)
    for k in range(5):
        u, v = v, u * v
    return u * v
#= rotation in a loop
def f(x):
    a, b, c = x, x * x, np.sin(x)
    for k in range(4):
        a, b, c = b, c, a * b + x
    return a * b * c
#= swap in a branch in a loop
def f(x):
    u, v = x, x * x
    for k in range(4):
        if k % 2 == 0:
            u, v = v, u
        u = u * v
    return u - v
#= swap in a while loop
def f(x):
    u, v = x, 1.0
    while u < 20.0:
        u, v = u + v * x, u
    return u * v
#= old value read after the loop
def f(x):
    a, b = x, x
    for k in range(5):
        a, b = b, a + b * x
    old = a
    a = b * old
    return a + old
#= two names meet with each other's values
def f(x):
    y = x
    z = y
    if x > 0:
        y = y * z
    else:
        z = y * 3.0
    return y * z
#= old value read after a branch
def f(x):
    y = x * x
    old = y
    if x > 0.0:
        y = np.sin(y)
    return y * old
#= x_bar, out_bar, trips, x_saved and t as variables
def f(x):
    x_bar = x * x
    out_bar = np.sin(x_bar) * x
    trips = 2.0
    x_saved = x
    for t in range(3):
        x_saved = x_saved * x_bar + trips * t
    return x_saved * out_bar
#= np as a parameter
def f(x, np):
    y = x * np
    for k in range(3):
        y = y * x + np
    return y
#= out_bar and out as parameters
def f(out_bar, out):
    y = out_bar * out
    y_bar = y * y
    return y_bar * out_bar
#= x_bar as a parameter
def f(x, x_bar):
    return x * x_bar * x
#= t, t_ and t_bar
def f(t, t_bar):
    t_ = t * t_bar + t * t
    return (t_ + 1.0) * (t + t_bar)
#= math, unbroadcast, cast and copy
def f(x, math):
    unbroadcast = x * math
    cast = unbroadcast * x
    copy = cast
    return cast * math + copy
#= unbroadcast as a parameter
def f(x, unbroadcast):
    return np.sum(x * unbroadcast + unbroadcast)
#= trips as a parameter
def f(x, trips):
    n = x
    while n < 9.0:
        n = n * trips
    return n
#= a function called f_vjp
def f_vjp(x):
    return x * x

def f(x):
    return f_vjp(x) * np.sin(f_vjp(x))
#= a function called cast
def cast(x, y):
    return x * y * y

def f(x):
    return cast(x, np.sin(x))
#= a function called g_forward
def g_forward(x):
    return np.exp(x)

def g(x):
    return np.sin(x) * g_forward(x)

def f(x):
    return g(x) * g_forward(x)
#= a function called g_backward
def g_backward(x):
    return x * x

def g(x):
    y = x
    for k in range(3):
        y = np.sin(y) * g_backward(x)
    return y

def f(x):
    return g(x) * g_backward(x)
#= np is a number of the module
import numpy
np = 3.0

def f(x):
    return numpy.sin(x) * np * numpy.cosh(x)
#= np as a variable
import numpy

def f(x):
    np = x * 2.0
    return numpy.tanh(np) * numpy.log(x * x + 1.0)
#= math and sin_x as variables
def f(x):
    math = np.sqrt(x * x + 1.0)
    sin_x = 2.0
    return np.sin(x) * math * sin_x
#= y_saved and saved as parameters
def f(x, y_saved, saved):
    y = x
    for k in range(3):
        y = np.sin(y) * y_saved * saved
    return y
#= an underscore as a parameter
def f(x, _):
    y = x
    while y < 5.0:
        y = y * 2.0 + _
    return y
#= condition as a parameter
def f(x, condition):
    if x * condition > 0.5:
        y = x * condition
    else:
        y = x
    return y * condition
#= sum as a parameter
def f(x, sum):
    return np.sum(x) * sum
#= reversed as a parameter
def f(x, reversed):
    y = x
    for k in range(3):
        y = y * y * reversed + k * y
    return y
#= float and len as parameters
def f(x, float, len):
    return x * float * len
"""
NUMBERS, VECTOR = (0.7, 1.3, 0.9), np.array([0.7, 1.3])
ARGUMENTS = {"unbroadcast as a parameter": (VECTOR, 0.6), "sum as a parameter": (VECTOR, 0.6)}


def rows():
    for block in ROWS.strip().removeprefix("#= ").split("\n#= "):
        title, _, text = block.partition("\n")
        yield pytest.param(title, text, id=title)


def loaded(text):
    file = f"<coalesced {next(COUNT)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    space = {"np": np, "__name__": "coalesced"}
    exec(compile(text, file, "exec"), space)
    return space["f"]


def differences(f, args, step=1e-6):
    """Central differences by each argument."""
    def moved(k, place, by):
        x = np.array(args[k], dtype=float)
        x[place] += by
        return f(*args[:k], x if x.ndim else float(x), *args[k + 1:])
    return [np.array([(moved(k, place, step) - moved(k, place, -step)) / (2 * step)
                      for place in np.ndindex(np.shape(x))]).reshape(np.shape(x)) for k, x in enumerate(args)]


def case(title, text):
    f = loaded(text)
    count = f.__code__.co_argcount
    return f, ARGUMENTS.get(title, NUMBERS[:count]), tuple(range(count))


@pytest.mark.parametrize("title, text", rows())
def test_gradients(title, text):
    f, args, argnums = case(title, text)
    value, grads = value_and_grad(f, argnums=argnums)(*args)
    assert value == f(*args)
    for got, want in zip(grads, differences(f, args), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6)


@pytest.mark.parametrize("title, text", rows())
def test_the_printed_program_stands_alone(title, text):
    f, args, argnums = case(title, text)
    space = {}
    source = gradient_source(f, argnums=argnums, like=args)
    exec(source, space)
    label = [s.name for s in ast.parse(source).body if isinstance(s, ast.FunctionDef)][-1]
    assert label not in text
    grads = space[label](*args)
    for got, want in zip(grads if len(argnums) > 1 else [grads], differences(f, args), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6)


@pytest.mark.parametrize("title, text", [pytest.param(*row.values, id=row.id) for row in rows()])
def test_the_user_s_parameters_keep_their_names(title, text):
    f, args, argnums = case(title, text)
    module = ast.parse(gradient_source(f, argnums=argnums, like=args))
    parameters = [a.arg for a in [s for s in module.body if isinstance(s, ast.FunctionDef)][-1].args.args]
    assert parameters[:-1] == list(f.__code__.co_varnames[:len(args)])


# Names

NAMED = [
    # a chain of versions shares its base
    ("y_2 = y * 2\ny_3 = y_2 + 1", "y_3", {"y_2": "y", "y_3": "y"}),
    # an older version that is still read keeps its own
    ("y_2 = y * 2\nz = y_2 + y", "z", {"y_2": "y_2"}),
    # carried through a loop
    ("(y_2,) = (y,)\nfor k in range(3):\n    y_3 = y_2 * 2\n    (y_2,) = (y_3,)", "y_2", {"y_2": "y", "y_3": "y"}),
    # the next value is there while the present one is still read
    ("(y_2,) = (y,)\nfor k in range(3):\n    y_3 = y_2 * 2\n    z = y_3 + y_2\n    (y_2,) = (y_3,)", "y_2",
     {"y_2": "y", "y_3": "y_2"}),
    # both sides of a branch
    ("if y:\n    y_2 = y * 2\n    (y_3,) = (y_2,)\nelse:\n    (y_3,) = (y,)", "y_3", {"y_2": "y", "y_3": "y"}),
    # what is merged must not take the name of what is read after it
    ("if y:\n    y_2 = y * 2\n    (y_3,) = (y_2,)\nelse:\n    (y_3,) = (y,)\nz = y_3 + y", "z", {"y_3": "y_2"}),
]


@pytest.mark.parametrize("text, result, expected", NAMED)
def test_final_names(text, result, expected):
    lines = itertools.count(1)

    def numbered(s):
        for field in ("body", "orelse"):
            if hasattr(s, field):
                setattr(s, field, [numbered(b) for b in getattr(s, field)])
        return at(s, next(lines))

    body = [numbered(s) for s in quote_statements(text)]
    names = Names(base={"y": "y", "y_2": "y", "y_3": "y", "z": "z", "k": "k"})
    f = Function("f", ("y",), body, name(result), names, {k: Origin() for k in range(1, next(lines))}, {})
    found = final_names(f, set())
    assert {n: found[n] for n in ("y", *expected)} == {"y": "y"} | expected
