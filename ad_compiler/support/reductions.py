"""Adjoints of reductions: a cotangent is put back over the elements that were added up, multiplied or compared."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .values import cast


def unreduce(g: Any, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """Repeat `g`, the cotangent of a reduction of `x`, over the reduced axes, in the shape and dtype of `x`."""
    if axis is not None and not keepdims and np.ndim(x):
        g = np.expand_dims(g, axis)
    if np.ndim(x) == 0:
        return cast(np.reshape(g, ())[()], x)
    return cast(np.array(np.broadcast_to(g, np.shape(x))), x)


def reduced_size(x: Any, axis: Any = None) -> int:
    """How many elements of `x` go into one element of a reduction."""
    shape = np.shape(x)
    if axis is None or not shape:
        return math.prod(shape)
    return math.prod(shape[k] for k in (axis if isinstance(axis, (tuple, list)) else (axis,)))


def ties(x: Any, y: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """The share of each element in a maximum or minimum `y` of `x`: equal for those that are equal to it, else 0."""
    if axis is not None and not keepdims and np.ndim(x):
        y = np.expand_dims(y, axis)
    hits = np.equal(x, y)
    if np.count_nonzero(hits) == np.size(y) and not np.any(np.isnan(y)):  # one in each: nothing to share
        return cast(hits * 1.0, x)
    share = hits / np.maximum(np.sum(hits, axis=axis, keepdims=True), 1)
    return cast(np.reshape(share, np.shape(x))[()], x)


def middle(x: Any, axis: Any = None) -> Any:
    """The share of each element in the median: 1 for the middle one, 1/2 for each of two; for NaN the NaN's."""
    x = np.asarray(x)
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    axes = tuple(a % x.ndim for a in axes)
    rest = tuple(k for k in range(x.ndim) if k not in axes)
    rows = np.transpose(x, rest + axes)
    shape, n = rows.shape, reduced_size(x, axes)
    rows = rows.reshape(math.prod(shape[:len(rest)]), n)
    share = np.zeros(rows.shape, x.dtype)
    if n:
        order = np.argsort(rows, axis=1, kind="stable")
        for place in {(n - 1) // 2, n // 2}:
            np.put_along_axis(share, order[:, place:place + 1], 1.0 if n % 2 else 0.5, axis=1)
        share = np.where(np.isnan(rows).any(axis=1, keepdims=True), np.where(np.isnan(rows), rows, 0), share)
    return np.transpose(share.reshape(shape), np.argsort(rest + axes))[()]


def others(x: Any, vs: Any = (), axis: Any = None) -> Any:
    """For each element the product of the others along `axis`, exact also where some are zero.

    With directions `vs` it is the mixed derivative of that product along all of them: the coefficient of t₁ t₂ ... in
    Πⱼ (xⱼ + t₁ v₁ⱼ + t₂ v₂ⱼ + ...) without the element itself, from such products before it and after it.
    """
    x = np.asarray(x)
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    axes = tuple(a % x.ndim for a in axes)
    rest = tuple(k for k in range(x.ndim) if k not in axes)
    shape = np.transpose(x, axes + rest).shape
    n = math.prod(shape[:len(axes)])
    rows = [np.transpose(np.broadcast_to(v, x.shape), axes + rest).reshape(n, *shape[len(axes):]) for v in (x, *vs)]
    every = range(2 ** len(vs))  # sets of directions, as bits
    sides = []
    for order in (range(n), range(n - 1, -1, -1)):
        side = np.zeros((len(every), *rows[0].shape), np.result_type(*rows))
        part = [np.full(rows[0].shape[1:], float(subset == 0), side.dtype) for subset in every]
        for k in order:
            for subset in every:
                side[subset, k] = part[subset]
            part = [part[subset] * rows[0][k] + sum(part[subset ^ bit] * rows[j + 1][k] for j, bit in
                                                    enumerate(1 << b for b in range(len(vs))) if subset & bit)
                    for subset in every]
        sides.append(side)
    found = sum(sides[0][subset] * sides[1][every[-1] ^ subset] for subset in every)
    return np.transpose(np.reshape(found, shape), np.argsort(axes + rest))[()]


def accumulate(v: Any, x: Any, axis: int = 0) -> Any:
    """The linear recurrence `y[k] = v[k] + x[k] * y[k - 1]` along an axis; the first `x` has no part in it."""
    v, x = np.moveaxis(np.asarray(v), axis, 0), np.moveaxis(np.asarray(x), axis, 0)
    y = np.array(np.broadcast_to(v, np.broadcast_shapes(v.shape, x.shape)), np.result_type(v, x))
    for k in range(1, len(y)):
        y[k] = v[k] + x[k] * y[k - 1]
    return np.moveaxis(y, 0, axis)


def shifted(v: Any, by: int, fill: float = 0.0, axis: int = 0) -> Any:
    """Move elements by one place along an axis, up (`by=1`) or down (`by=-1`); `fill` takes the place that is left."""
    v = np.moveaxis(np.asarray(v), axis, 0)
    y = np.full(v.shape, fill, v.dtype)
    if by > 0:
        y[1:] = v[:-1]
    else:
        y[:-1] = v[1:]
    return np.moveaxis(y, 0, axis)


def uncumulate(g: Any, x: Any, axis: Any = None) -> Any:
    """The adjoint of np.cumsum: each element is part of all sums from its own place on."""
    along = 0 if axis is None else axis
    total = np.flip(np.cumsum(np.flip(np.reshape(g, np.shape(g) or 1), along), axis=along), along)
    return cast(np.reshape(total, np.shape(x))[()], x)


def undiff(g: Any, x: Any, n: int = 1, axis: int = -1) -> Any:
    """The adjoint of np.diff, taken n times."""
    if np.size(g) == 0:
        return np.zeros_like(x)
    for _ in range(n):
        edge = np.zeros_like(np.take(g, [0], axis=axis))
        g = -np.diff(g, axis=axis, prepend=edge, append=edge)
    return cast(g, x)


def spread(weights: Any, x: Any, axis: Any = None) -> Any:
    """Weights of np.average, in a shape that broadcasts against `x`: they may stand for the reduced axes alone."""
    if axis is None or np.shape(weights) == np.shape(x):
        return np.asarray(weights)
    axes = [a % np.ndim(x) for a in (axis if isinstance(axis, (tuple, list)) else (axis,))]
    if axes != sorted(axes):
        raise ValueError("give the axes of np.average in ascending order")
    return np.reshape(weights, [np.shape(x)[k] if k in axes else 1 for k in range(np.ndim(x))])
