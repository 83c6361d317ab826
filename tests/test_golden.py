"""Emitted gradients kept as files: what they are, that they are right, and how long they are beside those by hand.

`GOLDEN=write pytest tests/test_golden.py` writes them anew; read the difference before you keep it.
"""

import importlib.util
import inspect
import io
import os
import sys
import tokenize
from pathlib import Path

import numpy as np
import pytest

import ad_compiler as ad

FOLDER = Path(__file__).parent / "golden"


def load(name):
    """A module of the golden folder."""
    spec = importlib.util.spec_from_file_location(f"golden_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


primals, hand = load("primals"), load("hand")
rng = np.random.default_rng(0)
w, x, y = rng.normal(size=3), rng.normal(size=(5, 3)), rng.normal(size=5)
params = {"w1": rng.normal(size=(3, 4)), "b1": rng.normal(size=4), "w2": rng.normal(size=(4, 2)),
          "b2": rng.normal(size=2)}
NETWORK = "params: {'w1': f8[d, h], 'b1': f8[h], 'w2': f8[h, k], 'b2': f8[k]}, x: f8[n, d], y: f8[n, k]"

ROWS = {
    "rollout": (("x", "a"), "x: float, a: float, n: int", (0.4, 1.3, 6)),
    "loss": ("w", "w: f8[d], x: f8[n, d], y: f8[n]", (w, x, y)),
    "gated": ("w", "x: f8[n, d], w: f8[d], smooth: bool", (x, w, True)),
    "peaks": (("c1", "c2", "width"), "c1: float, c2: float, width: float, x: f8[n], y: f8[n]",
              (0.1, 1.1, 0.7, y, y * y)),
    "network": ("params", NETWORK, (params, x, rng.normal(size=(5, 2)))),
    "newton": ("a", "a: float, x: float", (2.0, 1.0)),
    "robust": ("w", "w: f8[d], x: f8[n, d], y: f8[n], delta: float", (w, x, y, 0.5)),
}
MARKS = ("rollout", "loss")  # these two are literally what was written by hand, comments included


def emitted(name):
    wrt, like, _ = ROWS[name]
    return ad.gradient_source(getattr(primals, name), wrt=wrt, like=like)


def functions(text):
    """The part of a module that isn't heading and imports."""
    return text[text.index("def "):]


def by_hand(name):
    names = {"peaks": ("bump", "bump_backward", "peaks_vjp")}.get(name, (f"{name}_vjp",))
    return "\n\n".join(inspect.getsource(getattr(hand, n)) for n in names)


def tokens(text):
    kinds = (tokenize.NAME, tokenize.NUMBER, tokenize.STRING, tokenize.OP)
    return sum(t.type in kinds for t in tokenize.generate_tokens(io.StringIO(text).readline))


@pytest.mark.parametrize("name", ROWS)
def test_the_text_is_the_golden_file(name):
    path = FOLDER / f"{name}_gradient.py"
    if os.environ.get("GOLDEN") == "write":
        path.write_text(emitted(name))
    assert emitted(name) == path.read_text()


@pytest.mark.parametrize("name", MARKS)
def test_the_marks_are_reached_literally(name):
    assert functions(emitted(name)) == by_hand(name)


@pytest.mark.parametrize("name", ROWS)
def test_at_most_a_fifth_longer_than_by_hand(name):
    assert tokens(functions(emitted(name))) <= 1.2 * tokens(by_hand(name))


@pytest.mark.parametrize("name", ROWS)
def test_the_numbers_are_those_by_hand(name):
    module = load(f"{name}_gradient")
    args = ROWS[name][2]
    found, expected = getattr(module, f"{name}_vjp")(*args), getattr(hand, f"{name}_vjp")(*args)
    for one, other in zip(leaves(found), leaves(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


@pytest.mark.parametrize("name", [n for n in ROWS if n != "loss"])  # differences don't see no_grad
def test_the_numbers_are_those_of_central_differences(name):
    wrt, _, args = ROWS[name]
    names = (wrt,) if isinstance(wrt, str) else wrt
    order = list(inspect.signature(getattr(primals, name)).parameters)
    chosen = [order.index(n) for n in names]

    def of_chosen(*values):
        full = list(args)
        for k, value in zip(chosen, values, strict=True):
            full[k] = value
        return getattr(primals, name)(*full)

    found = ad.grad(getattr(primals, name), wrt=names)(*args)
    for k, gradient in enumerate(found):
        flat = list(leaves(args[chosen[k]]))
        for leaf, g in zip(flat, leaves(gradient), strict=True):
            for i in np.ndindex(np.shape(leaf)):
                values = [args[c] for c in chosen]
                up = of_chosen(*values[:k], moved(values[k], leaf, i, 1e-6), *values[k + 1:])
                down = of_chosen(*values[:k], moved(values[k], leaf, i, -1e-6), *values[k + 1:])
                assert np.asarray(g)[i] == pytest.approx((up - down) / 2e-6, rel=1e-5, abs=1e-7)


def leaves(tree):
    if isinstance(tree, dict):
        return [leaf for v in tree.values() for leaf in leaves(v)]
    if isinstance(tree, (tuple, list)):
        return [leaf for v in tree for leaf in leaves(v)]
    return [tree]


def moved(tree, leaf, index, step):
    """The tree with one entry of one leaf moved."""
    if isinstance(tree, dict):
        return {k: moved(v, leaf, index, step) for k, v in tree.items()}
    if tree is not leaf:
        return tree
    if isinstance(tree, float):
        return tree + step
    copy = tree.copy()
    copy[index] += step
    return copy
