"""The text of a gradient: from a compiled function, from a signature, from examples; it stands alone."""

from __future__ import annotations

import numpy as np
import pytest

import ad_compiler as ad

X = np.array([0.5, -1.0, 2.0])


def square(x):
    return x * x


def loss(w, x, scale=2.0):
    return np.sum(w * x) * scale


def test_source_is_the_text_that_runs():
    g = ad.grad(lambda x: x * x)
    with pytest.raises(ad.SignatureError, match="nothing has been compiled"):
        assert g.source
    assert g(2.0) == 4.0
    assert "x_bar = 2 * out_bar * x" in g.source


@pytest.mark.parametrize("like, error, says", [
    ("z: float", ad.SignatureError, "no parameter z"), ("x: what", ad.SignatureError, "can't be read"),
    ((1,), TypeError, "needs floats"), (3.0, TypeError, "tuple"), ((), TypeError, "missing")])
def test_signatures_that_are_refused(like, error, says):
    with pytest.raises(error, match=says):
        ad.gradient_source(square, like=like)


def test_gradient_source_stands_alone():
    for like in (None, "w: f8[n], x: f8[n]", (X, X)):
        space = {}
        text = ad.gradient_source(loss, value=True, like=like)
        exec(text, space)
        assert "ad_compiler.support" not in text
        value, slope = space["loss_vjp"](X, X)
        assert value == loss(X, X) and slope.tolist() == (2 * X).tolist()
        assert text == ad.gradient_source(loss, value=True, like=like)
