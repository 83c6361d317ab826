"""Exits become nesting, as texts before and after; and each function in normal form computes what its original does."""

import ast
import builtins
import inspect
import itertools
import linecache
import textwrap
import types

import gast
import numpy as np
import pytest

from ad_compiler.analysis.unset import unset_names
from ad_compiler.frontend import normal_form
from ad_compiler.frontend.control import Structure, exits, falls
from ad_compiler.frontend.normal import check_normal
from ad_compiler.program import Data, Fixed
from ad_compiler.syntax import quote_statements

COUNT = itertools.count()

# What a function's body becomes, and the expression that it returns.
FLATTENED = [
    # no exits: nothing happens
    ("y = x\nreturn y", "y = x\nout = y", "out"),
    ("y = x", "y = x", "None"),
    ("y = x\nreturn", "y = x", "None"),
    ("if c:\n    y = 1\nelse:\n    y = 2\nreturn y", "if c:\n    y = 1\nelse:\n    y = 2\nout = y", "out"),
    ("for k in r:\n    y = k\nreturn y", "for k in r:\n    y = k\nout = y", "out"),
    # early return
    ("if c:\n    return a\nreturn b", "if c:\n    out = a\nelse:\n    out = b", "out"),
    ("if c:\n    return a\nelse:\n    return b", "if c:\n    out = a\nelse:\n    out = b", "out"),
    ("if c:\n    return a\ny = b", "if c:\n    out = a\nelse:\n    y = b\n    out = None", "out"),
    ("if c:\n    return a\nif d:\n    return b\nreturn e",
     "if c:\n    out = a\nelif d:\n    out = b\nelse:\n    out = e", "out"),
    ("return a\ny = b", "out = a", "out"),
    ("if c:\n    raise e\nreturn a", "if c:\n    raise e\nout = a", "out"),
    # both branches may fall through, and one may exit: a flag, so that what follows stands there once
    ("if c:\n    if d:\n        return a\ny = b\nreturn y",
     "leave = 0\nif c:\n    if d:\n        out = a\n        leave = 1\n"
     "if leave == 1:\n    pass\nelse:\n    y = b\n    out = y", "out"),
    # break and continue
    ("for k in r:\n    if c:\n        break\n    y = k\nreturn y",
     "for k in r:\n    if c:\n        break\n    else:\n        y = k\nout = y", "out"),
    ("for k in r:\n    if c:\n        continue\n    y = k\nreturn y",
     "for k in r:\n    if c:\n        pass\n    else:\n        y = k\nout = y", "out"),
    ("while c:\n    y = a\n    break\nreturn y", "while c:\n    y = a\n    break\nout = y", "out"),
    ("for k in r:\n    if c:\n        if d:\n            break\n    y = k\nreturn y",
     "for k in r:\n    leave = 0\n    if c:\n        if d:\n            leave = 2\n    if leave == 2:\n        break\n"
     "    else:\n        y = k\nout = y", "out"),
    # return from a loop, and from a loop in a loop
    ("for k in r:\n    if c:\n        return k\nreturn b",
     "returned = False\nfor k in r:\n    if c:\n        out = k\n        returned = True\n        break\n"
     "if returned:\n    pass\nelse:\n    out = b", "out"),
    ("for k in r:\n    for j in s:\n        if c:\n            return j\nreturn b",
     "returned = False\nfor k in r:\n    returned_2 = False\n    for j in s:\n        if c:\n            out = j\n"
     "            returned_2 = True\n            break\n    if returned_2:\n        returned = True\n        break\n"
     "if returned:\n    pass\nelse:\n    out = b", "out"),
]


def fresh_names():
    taken = set()

    def fresh(base):
        found = next(n for n in itertools.chain([base], (f"{base}_{k}" for k in itertools.count(2))) if n not in taken)
        taken.add(found)
        return found
    return fresh


def text(body):
    """Statements as text; an empty branch is `pass`."""
    def whole(s):
        if isinstance(s, (gast.If, gast.For, gast.While)):
            fields = {f: getattr(s, f, None) for f in s._fields}
            fields |= {"body": [whole(b) for b in s.body] or [gast.Pass()], "orelse": [whole(b) for b in s.orelse]}
            return gast.copy_location(type(s)(**fields), s)
        return s
    module = gast.Module(body=[whole(s) for s in body], type_ignores=[])
    return ast.unparse(ast.fix_missing_locations(gast.gast_to_ast(module)))


@pytest.mark.parametrize("before, after, result", FLATTENED)
def test_exits_become_nesting(before, after, result):
    body, value = Structure(fresh_names()).function(quote_statements(before))
    assert text(body) == ast.unparse(ast.parse(after))
    assert text([gast.Expr(value=value)]) == result
    assert not any(isinstance(node, (gast.Return, gast.Continue)) for s in body for node in gast.walk(s))


def test_no_statement_is_written_twice():
    before = quote_statements(FLATTENED[-1][0])
    body, _ = Structure(fresh_names()).function(before)
    nodes = [id(n) for s in body for n in gast.walk(s) if isinstance(n, gast.stmt)]
    assert len(nodes) == len(set(nodes))


@pytest.mark.parametrize("source, leaves, goes_on", [
    ("return a", True, False), ("if c:\n    return a", True, True), ("y = a", False, True),
    ("if c:\n    return a\nelse:\n    raise e", True, False), ("raise e", False, False),
    ("while True:\n    y = a", False, False), ("while True:\n    break", False, True),
    ("for k in r:\n    return k", True, True), ("for k in r:\n    break", False, True)])
def test_exits_and_falls(source, leaves, goes_on):
    body = quote_statements(source)
    assert exits(body[0], in_loop=False) == leaves
    assert falls(body) == goes_on


# The normal form is a program

LIMIT = 3.0


def helper(v, w=2.0):
    return v * w


RUNNABLE = """
def early(x):
    if x[0] > 0:
        return x * 2.0
    y = x * 3.0
    return y

def falls_off(x):
    if x[0] > 0:
        return x

def leaves_loop(x):
    y = x
    for k in range(5):
        if y[0] > 4.0 or k == 3:
            break
        y = y * 1.5 + k
    return y, k

def skips(x):
    y = x
    for k in range(6):
        if k % 2 == 0:
            continue
        y = y * k
    return y

def returns_from_loops(x):
    for k in range(3):
        for j in range(3):
            y = x * k - j
            if y[0] + j > 1.0:
                return y, k, j
    return x

def flags(x):
    y = x
    for k in range(4):
        if k > 0:
            if y[0] < 0:
                break
            if k == 2:
                continue
            y = y - 1.0
        y = y * 2.0
    return y

def whiles(x):
    n = 0
    while x[0] < LIMIT and n < 6:
        x = x + 1.0
        n += 1
    return x * n

def endless(x):
    while True:
        x = x * 2.0
        if x[0] > 9.0 or x[0] < -9.0:
            return x

def chosen(x):
    a = x if x[0] > 0 else -x
    b = (x * 2.0)[0] if x[1] > 0 else (x[1] * 3.0 if x[0] > 0 else 5.0)
    return a * b

def truth(x):
    s = x[0]
    return (s or x[1]) + (s and x[1]) + (s > 0 and s * 2.0 or 7.0)

def zipped(x):
    t = 0.0
    for k, (a, b) in enumerate(zip(x, x[1:]), 2):
        t = t + a * b * k
    for a in reversed(x):
        t = t * a
    for k in reversed(range(2, 5)):
        t = t + x[0] * k
    return t

def unpacked(x):
    (a, b), c = (x[0], x[1]), helper(x[0], w=x[1])
    a, b = b, a
    p = q = a * c
    q += b
    [r, s, u] = [p, q, p]
    v, w, z = x * 2.0
    return r * s + u - v * w * z

def swaps(x):
    u, v = x, x * 2.0
    for k in range(3):
        u, v = v, u + v
    return u - v

def undefined_on_a_path(x):
    if x[0] > 0:
        t = x * 2.0
    for k in range(2):
        if x[0] > 0:
            x = x + t
        s = x
    return s

def raises(x):
    if x[0] > 0:
        y = x
    elif x[0] < -50.0:
        raise ValueError("small")
    else:
        y = -x
    assert y[0] >= 0, "sign"
    return y

def collides(x):
    out, leave, returned, condition, t = x, 1.0, 2.0, 3.0, 4.0
    for k in range(3):
        if k:
            if x[0] * k > 1.0:
                return out * leave
        t = t + k
    return x * returned * condition * t
"""
NAMES = [s.name for s in ast.parse(RUNNABLE).body]


@pytest.fixture(scope="module")
def functions():
    file = f"<runnable {next(COUNT)}>"
    linecache.cache[file] = (len(RUNNABLE), None, RUNNABLE.splitlines(True), file)
    space = {"__name__": "runnable", "LIMIT": LIMIT, "helper": helper}
    exec(compile(RUNNABLE, file, "exec"), space)
    return space


def executed(f):
    """A normal form as a function."""
    names = {n: m.read() if isinstance(m, Data) else m.value for n, m in f.meanings.items()
             if isinstance(m, (Data, Fixed))}
    unset = "".join(f"    {n} = None\n" for n in sorted(unset_names(f)))  # merges copy them
    written = unset + textwrap.indent(text(f.body), "    ") + f"\n    return {ast.unparse(gast.gast_to_ast(f.result))}"
    space = {"__builtins__": builtins, **names}
    exec(f"def {f.name}({', '.join(f.params)}):\n{written}", space)
    assert isinstance(space[f.name], types.FunctionType)
    return space[f.name]


@pytest.mark.parametrize("active", [True, False], ids=["active", "inactive"])
@pytest.mark.parametrize("label", NAMES)
def test_the_normal_form_is_a_program(label, active, functions):
    function = functions[label]
    params = list(inspect.signature(function).parameters)
    f = normal_form(function, {}, {}, params if active else [])
    check_normal(f, active=params if active else [])
    again = executed(f)
    for x in (np.array([0.3, -1.2, 0.7]), np.array([-0.4, 2.5, 1.1]), np.array([2.0, 0.0, 0.5]), np.zeros(3)):
        if label in ("endless", "undefined_on_a_path") and (not x[0] or label != "endless" and x[0] < 0):
            continue
        np.testing.assert_equal(again(x), function(x))
