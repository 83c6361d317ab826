"""check_grads: it passes what is right, and names the worst entry of what is wrong."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import ad_compiler as ad
from ad_compiler.testing import compare

X = np.array([0.5, -1.25, 2.0])


@pytest.mark.parametrize("f, args", [
    (lambda x: np.sin(x) * x, (X,)),
    (lambda x: x * x, (3.0,)),
    (lambda x: np.sum(x * x), (np.ones((2, 3)),)),
    (lambda x: x * x, (np.array(2.0),)),
    (lambda x: np.exp(x), (X.astype("f4"),)),
    (lambda x: x * x, (np.float32(3.0),)),
    (lambda x, n: x ** n, (2.0, 3)),
    (lambda x, y=2.0: x * y, (3.0,)),
    (lambda x: (x * x, {"a": x, "n": 3}), (X,)),
    (lambda p: p["a"] * p["b"][0] + p["b"][1], ({"a": 2.0, "b": [X, 3.0], "name": "text"},)),
    (lambda z: z * z * 1j, (X + 1j,)),
    (lambda z: np.abs(z), (np.array([1 + 2j, 3.0]),)),
    (lambda x: 1e8 * x, (1e8,)),
    (lambda x: np.sum(x), (np.ones((2, 0)),)),
    (functools.partial(lambda a, x: a * x * x, 3.0), (2.0,)),
    (np.sin, (X,)),
])
def test_what_is_right_passes(f, args):
    before = repr(args)
    assert ad.check_grads(f, args) is None
    assert repr(args) == before


def half(x):
    return ad.detach(x) * x


@pytest.mark.parametrize("f, args, says", [
    (half, (2.0,), r"worst at argument x: the gradient is -?[0-9.]+, the central difference -?[0-9.]+"),
    (half, (np.array([1.0, 2.0]),), r"argument x\[1\]: the gradient"),
    (lambda p: half(p["a"][1]), ({"a": [1.0, np.array([[1.0, 1.0], [9.0, 1.0]])]},), r"argument p\['a'\]\[1\]\[1, 0\]"),
    (half, (2.0 + 1j,), r"argument x: the gradient is .*j.*the central difference .*j"),
    (half, (np.float32(2.0),), "argument x"),
    (lambda x, y: x * half(y), (1.0, 3.0), "argument y"),
    (lambda x: np.sqrt(x), (np.array([1.0, 0.0]),), r"argument x\[1\]")])
@pytest.mark.filterwarnings("ignore:invalid value")
def test_what_is_wrong_is_named(f, args, says):
    with pytest.raises(AssertionError, match=says):
        ad.check_grads(f, args)


def test_both_values_of_the_worst_entry_are_told():
    with pytest.raises(AssertionError) as info:
        compare(lambda x: half(x), {"x": 2.0}, "x")
    words = str(info.value).replace(",", "").split()
    got, expected = float(words[words.index("is") + 1]), float(words[words.index("difference") + 1])
    assert expected == pytest.approx(2 * got)


def test_tolerances_and_step():
    with pytest.raises(AssertionError):
        ad.check_grads(lambda x: x ** 7, (1.0,), eps=0.5)
    assert ad.check_grads(lambda x: x ** 7, (1.0,), eps=0.5, rtol=10.0) is None
    assert ad.check_grads(half, (2.0,), atol=10.0) is None
    with pytest.raises(AssertionError):
        ad.check_grads(np.sin, (X,), atol=0.0, rtol=0.0)


@pytest.mark.parametrize("options, says", [
    ({"modes": ("fwd", "rev")}, "only 'rev' is built"), ({"modes": ("fwd",)}, "only 'rev'"),
    ({"modes": "fwd"}, "only 'rev'"),
    ({"order": 2}, "only order=1"), ({"order": 0}, "only order=1"), ({"modes": ()}, "nothing to check")])
def test_what_is_not_built_is_refused(options, says):
    with pytest.raises(ValueError, match=says):
        ad.check_grads(np.sin, (1.0,), **options)


def test_arguments_are_a_tuple():
    with pytest.raises(TypeError, match=r"\(x,\)"):
        ad.check_grads(np.sin, X)


def test_the_entries_are_counted():
    assert compare(lambda w, x: np.sum(w * x), {"w": X, "x": X}, "w") == 3
    assert compare(lambda w, x, *, k: np.sum(w * x) * k, {"w": X, "x": X, "k": 2.0}, ("w", "k")) == 4
