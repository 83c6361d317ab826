"""Adjoints of functions that move, repeat, choose or join elements."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .values import cast, unbroadcast


def scatter(v: Any, x: Any, i: Any) -> Any:
    """The adjoint of `x[i]`: zeros like `x`, with `v` added at `i`, as often as an element is named there."""
    y = np.zeros_like(x)
    np.add.at(y, i, v)
    return y


def unjoin(v: Any, xs: Any, axis: Any = 0) -> list[Any]:
    """Cut `v`, made of `xs` by joining or stacking along an axis, back into the parts, each in its own shape."""
    v = np.asarray(v)
    axis = 0 if axis is None else axis % v.ndim
    layer = math.prod(n for k, n in enumerate(v.shape) if k != axis)
    cuts = np.cumsum([np.size(x) // layer if layer else 0 for x in xs])
    parts = np.split(v, cuts[:-1], axis) if len(xs) else []
    return [cast(np.reshape(part, np.shape(x))[()], x) if layer else np.zeros_like(x)
            for part, x in zip(parts, xs, strict=True)]


def join(parts: Any, v: Any, axis: Any = 0) -> Any:
    """The adjoint of `unjoin`: the parts one after the other along an axis, in the shape and dtype of `v`."""
    v = np.asarray(v)
    if v.size == 0:
        return np.zeros_like(v)
    axis = 0 if axis is None else axis % v.ndim
    shape = (*v.shape[:axis], -1, *v.shape[axis + 1:])
    return cast(np.concatenate([np.reshape(part, shape) for part in parts], axis), v)


def untranspose(v: Any, axes: Any) -> Any:
    """The inverse of `np.transpose(x, axes)` and of `x.transpose(*axes)`, whose axes may be a tuple in a tuple."""
    if axes is not None and len(axes) == 1 and not isinstance(axes[0], (int, np.integer)):
        axes = axes[0]
    if axes is None or len(axes) == 0:
        return np.transpose(v)
    return np.transpose(v, np.argsort([a % len(axes) for a in axes]))


def untile(v: Any, x: Any, reps: Any) -> Any:
    """The adjoint of np.tile: the sum of all copies."""
    reps = reps if isinstance(reps, (tuple, list)) else (reps,)
    rank = max(np.ndim(x), len(reps))
    shape, times = (1,) * (rank - np.ndim(x)) + np.shape(x), (1,) * (rank - len(reps)) + tuple(reps)
    copies = np.reshape(v, [n for pair in zip(times, shape, strict=True) for n in pair])
    return cast(np.reshape(np.sum(copies, axis=tuple(range(0, 2 * rank, 2))), np.shape(x))[()], x)


def unrepeat(v: Any, x: Any, repeats: Any, axis: Any = None) -> Any:
    """The adjoint of np.repeat: the sum of the copies of each element."""
    flat = np.zeros(np.size(x), np.asarray(x).dtype) if axis is None else np.zeros_like(x)
    along = 0 if axis is None else axis
    rows = np.moveaxis(flat, along, 0)
    np.add.at(rows, np.repeat(np.arange(len(rows)), repeats), np.moveaxis(np.asarray(v), along, 0))
    return np.reshape(flat, np.shape(x))[()]


def unpad(v: Any, x: Any, pad_width: Any, mode: str = "constant") -> Any:
    """The adjoint of np.pad: the inner part, and for the modes that copy elements also what went into the margin."""
    labels = np.arange(1, np.size(x) + 1).reshape(np.shape(x))
    labels = np.pad(labels, pad_width, mode=mode)  # type: ignore[call-overload]
    flat = np.zeros(np.size(x) + 1, np.asarray(v).dtype)
    np.add.at(flat, labels, v)
    return cast(np.reshape(flat[1:], np.shape(x))[()], x)


def unpad_margin(v: Any, x: Any, pad_width: Any, constant_values: Any) -> Any:
    """The adjoint of the constant with which np.pad fills the margin, one value or one for each side."""
    sides = np.arange(1, 2 * np.ndim(x) + 1).reshape(np.ndim(x), 2)
    labels = np.pad(np.zeros(np.shape(x), int), pad_width, constant_values=sides)
    flat = np.zeros(2 * np.ndim(x) + 1, np.asarray(v).dtype)
    np.add.at(flat, labels, v)
    return unbroadcast(np.reshape(flat[1:], (np.ndim(x), 2)), constant_values)


def undiagonal(v: Any, x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Zeros like `x` with `v` on a diagonal: the adjoint of np.diagonal."""
    y = np.zeros_like(x)
    matrices = np.moveaxis(y, (axis1, axis2), (-2, -1))
    rows = np.arange(max(-offset, 0), min(matrices.shape[-2], matrices.shape[-1] - offset))
    matrices[..., rows, rows + offset] = v
    return y


def untake(v: Any, x: Any, indices: Any, axis: Any = None, mode: str = "raise") -> Any:
    """The adjoint of np.take: elements that were taken more than once get the sum."""
    flat = np.zeros(np.size(x), np.asarray(x).dtype) if axis is None else np.zeros_like(x)
    rows = np.moveaxis(flat, 0 if axis is None else axis, 0)
    places = np.take(np.arange(len(rows)), indices, mode=mode)  # type: ignore[call-overload]
    if axis is not None:
        axis = axis % np.ndim(x)
        rank = np.ndim(places)
        v = np.moveaxis(np.asarray(v), tuple(range(axis, axis + rank)), tuple(range(rank)))
    np.add.at(rows, places, v)
    return np.reshape(flat, np.shape(x))[()]


def untake_along(v: Any, x: Any, indices: Any, axis: Any = -1) -> Any:
    """The adjoint of np.take_along_axis."""
    if axis is None:
        return np.reshape(untake(v, np.ravel(x), indices, 0), np.shape(x))
    y = np.zeros_like(x)
    v = np.moveaxis(np.asarray(v), axis, 0)
    places: list[Any] = list(np.ogrid[tuple(slice(n) for n in np.shape(v))])
    places[0] = np.broadcast_to(np.moveaxis(np.asarray(indices), axis, 0), np.shape(v))
    rows = np.moveaxis(y, axis, 0)
    for k in range(1, rows.ndim):
        if rows.shape[k] == 1:  # broadcast against the indices
            places[k] = np.zeros_like(places[k])
    np.add.at(rows, tuple(places), v)
    return y


def unmeshgrid(v: Any, xs: Any, indexing: str = "xy") -> list[Any]:
    """The adjoint of np.meshgrid: the cotangent of each grid, summed over the axes of the others."""
    found = []
    for k, (part, x) in enumerate(zip(v, xs, strict=True)):
        axis = 1 - k if indexing == "xy" and k < 2 and len(xs) > 1 else k
        total = np.sum(part, axis=tuple(a for a in range(np.ndim(part)) if a != axis))
        found.append(cast(np.reshape(total, np.shape(x))[()], x))
    return found
