"""Each pass of the optimizer, as texts before and after; what must not change is tested as carefully as what must."""

import ast
import copy
import itertools

import gast
import numpy as np
import pytest

from ad_compiler.kinds import Array, Scalar
from ad_compiler.optimize.copies import without_copies
from ad_compiler.optimize.dead import without_dead_code
from ad_compiler.optimize.fold import folded
from ad_compiler.optimize.prototypes import with_prototypes
from ad_compiler.optimize.simplify import PAIRS, simple, simplified
from ad_compiler.optimize.sink import sunk
from ad_compiler.program import Function, Names, Origin, all_statements
from ad_compiler.syntax import at, quote, quote_statements

LONG = " + ".join(f"v{k}" for k in range(30))
KINDS = {"x": Array("f8", ("n",)), "t": Array("f8", ("n",)), "u": Array("f8", ("n",)), "s": Scalar("f8"),
         "w": Array("f4", ("n",))}


def function(text):
    """Statements, the last of which is `return ...`; `t`, `u`, `v` are temporaries, `@` is written `ours_`."""
    lines = itertools.count(1)
    origins = {}

    def numbered(s):
        for field in ("body", "orelse"):
            if hasattr(s, field):
                setattr(s, field, [numbered(b) for b in getattr(s, field)])
        line = next(lines)
        origins[line] = Origin()
        return at(s, line)

    body = [numbered(copy.deepcopy(s)) for s in quote_statements(text.replace("@", "ours_"))]
    for s in body:
        for node in gast.walk(s):
            if isinstance(node, gast.Name):
                node.id = node.id.replace("ours_", "@")
    names = Names(temporary={"t", "u", "v"})
    return Function("f", ("x",), body[:-1], body[-1].value, names, origins, {})


def shown(f):
    def whole(s):
        if not isinstance(s, (gast.If, gast.For, gast.While)):
            return s
        fields = {field: getattr(s, field, None) for field in s._fields}
        fields |= {"body": [whole(b) for b in s.body] or [gast.Pass()], "orelse": [whole(b) for b in s.orelse]}
        return gast.copy_location(type(s)(**fields), s)
    body = [*map(whole, f.body), gast.Return(value=f.result)]
    return ast.unparse(ast.fix_missing_locations(gast.gast_to_ast(gast.Module(body=body, type_ignores=[]))))


def pure(tree):
    return not any(isinstance(n, gast.Name) and n.id == "effect" for n in gast.walk(tree))


RUN = {
    "dead": lambda f: without_dead_code(f, pure),
    "copies": without_copies,
    "prototypes": lambda f: with_prototypes(f, KINDS.get),
    "fold": lambda f: folded(f, pure, lambda tree: isinstance(tree, gast.Constant)),
    "simplify": simplified,
    "sink": lambda f: sunk(f, pure),
}

CHANGED = [
    ("dead", "a = x\nb = x\nreturn a", "a = x\nreturn a"),
    ("dead", "a = x\nb = a\nreturn x", "return x"),
    ("dead", "if x:\n    b = x\nreturn x", "return x"),
    ("dead", "for k in r:\n    b = x\nreturn x", "return x"),
    ("dead", "a, b = (x, x)\nfor k in r:\n    a, b = (b, a)\nreturn x", "return x"),
    ("dead", "(a, b) = (x, x)\nfor k in r:\n    (a, b) = (a * x, b)\nreturn a",
     "(a,) = (x,)\nfor k in r:\n    (a,) = (a * x,)\nreturn a"),
    ("dead", "t = @stack()\nfor k in r:\n    @save(t, x)\nreturn x", "return x"),
    ("dead", "a = x\neffect(a)\nb = x\nreturn x", "a = x\neffect(a)\nreturn x"),
    ("copies", "a = x * x\nb = a\nreturn b", "a = x * x\nreturn a"),
    ("copies", "t = x * x\nb = t\nreturn b * t", "b = x * x\nreturn b * b"),
    ("copies", "a = x\nif a:\n    b = a\nreturn a", "if x:\n    pass\nreturn x"),
    ("copies", "a = x\nfor k in range(a):\n    y = k + 1\nreturn a",
     "for k in range(x):\n    y = k + 1\nreturn x"),
    ("prototypes", "t = x * x\ny = @np.zeros_like(t)\nreturn y", "t = x * x\ny = @np.zeros_like(x)\nreturn y"),
    ("prototypes", "t = x * x\ny = t.shape\nreturn y", "t = x * x\ny = x.shape\nreturn y"),
    ("prototypes", "t = x * x\nu = -t\ny = @unbroadcast(s, u)\nreturn y",
     "t = x * x\nu = -t\ny = @unbroadcast(s, x)\nreturn y"),
    ("fold", "t = x * x\ny = t + 1\nreturn y", "y = x * x + 1\nreturn y"),
    ("fold", "t = x * x\nif t:\n    y = x\nreturn x", "if x * x:\n    y = x\nreturn x"),
    ("fold", "t = 2\ny = t * x * t\nreturn y", "y = 2 * x * 2\nreturn y"),
    ("fold", "t = effect(x)\nu = effect(t)\ny = u + 1\nreturn y", "y = effect(effect(x)) + 1\nreturn y"),
    ("fold", "for k in r:\n    t = x * k\n    y = t + 1\nreturn x", "for k in r:\n    y = x * k + 1\nreturn x"),
    ("simplify", "y = a + -(b * c)\nreturn y", "y = a - b * c\nreturn y"),
    ("simplify", "y = a + -b * c\nreturn y", "y = a - b * c\nreturn y"),
    ("simplify", "y = a + a\nreturn y", "y = 2 * a\nreturn y"),
    ("simplify", "y = a * b + a * b\nreturn y", "y = 2 * a * b\nreturn y"),
    ("simplify", "y = 2 * a * 0.5 * b\nreturn y", "y = a * b\nreturn y"),
    ("simplify", "y = @np.sum(-a)\nreturn - -y", "y = -@np.sum(a)\nreturn y"),
    ("sink", "for k in r:\n    b = a * 2\n    c = a + 1\n    (a,) = (b,)\nreturn x",
     "for k in r:\n    c = a + 1\n    b = a * 2\n    (a,) = (b,)\nreturn x"),
]

KEPT = [
    ("dead", "a = effect(x)\nreturn x"),
    ("dead", "assert x > 0\nreturn x"),
    ("dead", "if x:\n    raise x\nreturn x"),
    ("dead", "(a,) = (x,)\nwhile True:\n    if x:\n        break\n    else:\n        (a,) = (a * x,)\nreturn a"),
    ("dead", "t = @stack()\nfor k in r:\n    @save(t, x)\nfor k in r:\n    effect(@load(t))\nreturn x"),
    ("copies", "(a,) = (x,)\nfor k in r:\n    b = a * x\n    (a,) = (b,)\nreturn a"),
    ("copies", "a = x * x\nb = a + a\nreturn b"),
    ("prototypes", "y = x * x\nz = @np.zeros_like(y)\nreturn z"),  # the user's own name
    ("prototypes", "t = w * s\nz = @np.zeros_like(t)\nreturn z"),  # another dtype
    ("prototypes", "t = x * x\ny = @np.sin(t)\nreturn y"),  # the values are read
    ("fold", "y = x * x\nz = y + 1\nreturn z"),
    ("fold", "t = x * x\ny = t + t\nreturn y"),
    ("fold", f"t = {LONG}\ny = t * x\nreturn y"),
    ("fold", "t = effect(x)\ny = effect(x)\nz = t + 1\nreturn z + y"),
    ("fold", "t = x * x\nfor k in r:\n    y = t + 1\nreturn x"),  # would be computed in each step
    ("fold", "t = a[0]\na_2 = @add_at(a, 0, x)\ny = t + 1\nreturn y"),
    ("simplify", "y = a + b - b\nreturn y"),
    ("simplify", "y = a * 0\nreturn y"),
    ("simplify", "y = a + 0\nreturn y"),  # -0.0 + 0 is 0.0
    ("simplify", "y = 3 * a * 0.1\nreturn y"),
    ("simplify", "y = a * 1.0\nreturn y"),  # makes an integer a float
    ("simplify", "y = 3 * (a * b)\nreturn y"),
    ("sink", "for k in r:\n    b = a * 2\n    c = b + 1\n    (a,) = (b,)\nreturn x"),
    ("sink", "for k in r:\n    b = effect(a)\n    c = a + 1\n    (a,) = (b,)\nreturn x"),
    ("sink", "for k in r:\n    b = a * d\n    d_2 = @add_at(d, 0, a)\n    (a,) = (b,)\nreturn x"),
]


@pytest.mark.parametrize("label, before, after", CHANGED)
def test_changed(label, before, after):
    f = function(before)
    texts = shown(f)
    result = RUN[label](f)
    assert shown(result) == shown(function(after))
    assert shown(f) == texts, "a pass never changes what it is given"
    assert shown(RUN[label](result)) == shown(result)
    lines = [s.lineno for s in all_statements(result.body)]
    assert len(lines) == len(set(lines)) and set(lines) <= set(f.origins)


@pytest.mark.parametrize("label, text", KEPT)
def test_kept(label, text):
    f = function(text)
    assert shown(RUN[label](f)) == shown(f)


@pytest.mark.parametrize("left", [left for left, _ in PAIRS])
def test_an_identity_holds_bit_by_bit(left):
    """On random floats and on special values; a power of two is exact where nothing over- or underflows."""
    before, after = quote(left), simple(quote(left))
    one, other = (ast.unparse(gast.gast_to_ast(t)) for t in (before, after))
    assert one != other
    random = np.random.default_rng(0)
    values = random.standard_normal((3, 1000)) * 10.0 ** random.integers(-150, 150, (3, 1000))
    special = np.array(list(itertools.product([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -3.0], repeat=2))).T
    for a, b in (values[:2], special, values[1:]):
        space = {"a": a, "b": b, "r": a}
        with np.errstate(all="ignore"):
            want, got = eval(one, space), eval(other, space)
        np.testing.assert_array_equal(got, want)
        known = ~np.isnan(want)
        np.testing.assert_array_equal(np.signbit(got[known]), np.signbit(want[known]))
