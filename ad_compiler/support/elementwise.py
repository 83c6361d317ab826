"""Partials of elementwise functions that need more than a formula: at singular points, and without warnings."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .values import cast, unbroadcast


def divide(a: Any, b: Any) -> Any:
    """Divide as IEEE arithmetic does, without errors and warnings; but 0 / 0 is 0.

    A cotangent that is exactly zero stays zero where it meets an infinite partial, so that what a mask or a `where`
    took out of a result doesn't come back as NaN.
    """
    with np.errstate(all="ignore"):
        quotient = np.true_divide(a, b)
    hollow = np.equal(a, 0) & np.equal(b, 0)
    if np.any(hollow):
        quotient = np.where(hollow, 0, quotient)[()]
    return quotient if hasattr(a, "dtype") or hasattr(b, "dtype") else quotient.item()


def power_slope(x: Any, y: Any, by_base: int = 1, by_exponent: int = 0) -> Any:
    """The derivative of `x ** y`, taken `by_base` times by x and `by_exponent` times by y.

    At `x = 0` a factor that vanishes wins over an infinite power (`x ** 0` has slope 0), a power over the logarithm.
    By Leibniz, with the falling factorial `c = y (y - 1) ...`: Σⱼ binomial(n, j) c⁽ʲ⁾(y) x^(y - m) log(x)^(n - j).
    """
    base = x if hasattr(x, "dtype") and x.dtype.kind in "fc" else np.multiply(1.0, x)
    exponent, falling = y - by_base, np.atleast_1d(np.poly(range(by_base)))
    slope: Any = 0.0
    with np.errstate(all="ignore"):
        power, logarithm = np.power(base, exponent), np.log(base) if by_exponent else 1.0
        fixed = np.equal(x, 0) & (np.real(exponent) >= 0)
        for j in range(min(by_base, by_exponent) + 1):
            factor: Any = 0.0
            for coefficient in np.polyder(falling, j).tolist():
                factor = factor * y + math.comb(by_exponent, j) * coefficient
            still = np.equal(factor, 0) | fixed if j < by_exponent else np.equal(factor, 0)
            slope = slope + np.where(still, 0, factor * power * logarithm ** (by_exponent - j))[()]
    return slope if hasattr(x, "dtype") or hasattr(y, "dtype") else slope.item()


def exponent_slope(x: Any, y: Any) -> Any:
    """The derivative of `x ** y` by `y`: `x ** y * log(x)`, and 0 at `x = 0` for `y >= 0`."""
    return power_slope(x, y, 0, 1)


def share(x: Any, z: Any) -> Any:
    """The share `exp(x - z)` that `x` has in `z = log(Σ exp)`; nothing for `x = -inf`, even where `z` is -inf too."""
    with np.errstate(invalid="ignore"):
        weight = np.where(np.isneginf(x), 0, np.exp(np.subtract(x, z)))[()]
    return weight if hasattr(x, "dtype") or hasattr(z, "dtype") else weight.item()


def sinc_slope(x: Any, order: int) -> Any:
    """The derivative of `np.sinc` of the given order, accurate near 0, where the closed form cancels.

    From `x sinc(x) = sin(πx) / π`, differentiated n times: `x f⁽ⁿ⁾ = πⁿ⁻¹ sin(πx + nπ/2) - n f⁽ⁿ⁻¹⁾`.
    """
    x = np.asarray(x) * 1.0
    near = np.abs(x) < 0.5 + 0.25 * order
    far = np.where(near, 1.0, x)
    small = np.where(near, x, 0.0)
    closed, series = np.sinc(far), np.zeros(x.shape)
    for n in range(1, order + 1):
        closed = (math.pi ** (n - 1) * np.sin(math.pi * far + n * math.pi / 2) - n * closed) / far
    for k in range((order + 1) // 2, 25 + 2 * order):
        factor = (-1) ** k * math.pi ** (2 * k) / ((2 * k + 1) * math.factorial(2 * k - order))
        series = series + factor * small ** (2 * k - order)
    return np.where(near, series, closed).astype(x.dtype)[()]


def polygamma(order: int, x: float) -> float:
    """The derivative of the given order of the digamma function ψ, for a real number; NaN at its poles.

    Recurrence up to where the asymptotic series holds, reflection for ψ of negative numbers; Abramowitz and Stegun,
    Handbook of Mathematical Functions, 6.3.5, 6.3.7, 6.3.18, 6.4.6, 6.4.11.
    """
    x = float(x)  # a 0-d array would be counted up in place
    if x <= 0 and x == math.floor(x):
        return math.nan
    if order == 0 and x < 0:
        return polygamma(0, 1 - x) - math.pi / math.tan(math.pi * x)
    below = 0.0
    while x < 15 + order:
        below += math.factorial(order) / x ** (order + 1)
        x += 1
    bernoulli = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)
    tail = math.factorial(order) / (2 * x ** (order + 1))
    for k, b in enumerate(bernoulli, start=1):
        tail += b * math.factorial(2 * k + order - 1) / (math.factorial(2 * k) * x ** (2 * k + order))
    lead = -math.log(x) if order == 0 else math.factorial(order - 1) / x**order
    total = lead + tail + below
    return total if order % 2 else -total


def split_ties(g: Any, y: Any, xs: Any) -> list[Any]:
    """Share `g` equally among the arguments of `max` or `min` (or the items of the only one) that equal the result."""
    items = xs[0] if len(xs) == 1 else xs
    hits = [bool(x == y) for x in items]
    shares = [cast(g / sum(hits), x) if hit else cast(0.0, x) for hit, x in zip(hits, items, strict=True)]
    if len(xs) > 1:
        return shares
    return [np.array(shares, items.dtype) if isinstance(items, np.ndarray) else shares]


def others_product(xs: Any) -> Any:
    """For each of a sequence of numbers the product of all others, exact also where some are zero."""
    xs = np.asarray(xs)
    before, after = np.ones(xs.shape, xs.dtype), np.ones(xs.shape, xs.dtype)
    before[1:] = np.cumprod(xs[:-1])
    after[:-1] = np.cumprod(xs[:0:-1])[::-1]
    return before * after


def unsum(g: Any, xs: Any) -> Any:
    """The cotangents of the items that the built-in `sum` has added up, as a sequence like `xs`."""
    if isinstance(xs, np.ndarray):
        return np.array(np.broadcast_to(unbroadcast(g, xs[0]), xs.shape)) if len(xs) else np.zeros_like(xs)
    return [unbroadcast(g, x) for x in xs]


def unstack(g: Any, x: Any) -> Any:
    """Give the cotangent of `np.array(x)` the structure of `x`: a list for a sequence, else an array or a number."""
    if isinstance(x, (list, tuple)):
        return [unstack(part, item) for part, item in zip(g, x, strict=True)]
    return unbroadcast(g, x)
