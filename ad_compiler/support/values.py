"""Helpers that bring a cotangent into the shape and dtype of what it belongs to. They take a prototype, not a shape."""

from __future__ import annotations

from typing import Any

import numpy as np


def unbroadcast(g: Any, x: Any) -> Any:
    """Bring `g` into the shape and dtype of `x`: the adjoint of broadcasting (and of promotion) `x` in an operation.

    Axes along which `x` was stretched are summed; axes that `g` lacks, because it is constant along them, are repeated.
    """
    shape = np.shape(x)
    if np.shape(g) != shape:
        g = np.asarray(g)
        if g.ndim > len(shape):
            g = g.sum(axis=tuple(range(g.ndim - len(shape))))
        stretched = tuple(k for k, n in enumerate(shape[len(shape) - g.ndim:]) if n == 1 and g.shape[k] != 1)
        if stretched:
            g = g.sum(axis=stretched, keepdims=True)
        if g.shape != shape:
            g = np.broadcast_to(g, shape)
        if g.ndim == 0:
            g = g[()]
    return cast(g, x)


def cast(g: Any, x: Any) -> Any:
    """Bring `g` into the dtype of `x`: real for real, float32 for float32; Python numbers stay as they are."""
    if isinstance(x, float):
        return np.asarray(g).real[()] if np.iscomplexobj(g) else g
    dtype = np.result_type(x) if isinstance(x, (complex, np.generic)) else getattr(x, "dtype", None)
    given = getattr(g, "dtype", None)
    if dtype is None or dtype == given or dtype.kind not in "fc":
        return g
    if dtype.kind == "f" and np.iscomplexobj(g):
        g = g.real
    return np.asarray(g).astype(dtype)[()] if np.ndim(g) == 0 else np.asarray(g).astype(dtype, copy=False)


def zeros(x: Any) -> Any:
    """The zero cotangent of `x`: zeros of its shape, floats for integers; for containers, a list or dict of them."""
    if isinstance(x, (list, tuple)):
        return [zeros(item) for item in x]
    if isinstance(x, dict):
        return {key: zeros(item) for key, item in x.items()}
    if isinstance(x, np.ndarray):
        return np.zeros_like(x, dtype=x.dtype if x.dtype.kind in "fc" else float)
    if isinstance(x, np.inexact):
        return x.dtype.type(0)
    if isinstance(x, complex):
        return 0j
    return 0.0 if isinstance(x, (float, int, np.integer)) else None


def cotangent(g: Any, y: Any) -> Any:
    """The seed for a result: of its shape; a single number will do for a result of one element."""
    if isinstance(y, (list, tuple)):
        return [cotangent(p, q) for p, q in zip(g, y, strict=True)]
    if np.shape(g) == np.shape(y):
        return g
    if np.ndim(g) == 0 and np.size(y) == 1:
        return np.full_like(y, g)
    raise ValueError(f"the result has shape {np.shape(y)}: give its cotangent, of this shape, as the last argument")


def add_trees(a: Any, b: Any) -> Any:
    """The sum of two cotangents, leaf by leaf; None is zero."""
    if a is None or b is None:
        return b if a is None else a
    if isinstance(a, dict):
        return {key: add_trees(a[key], b[key]) for key in a}
    if isinstance(a, (list, tuple)):
        return [add_trees(p, q) for p, q in zip(a, b, strict=True)]
    return a + b


def copy_tree(g: Any) -> Any:
    """A copy of a cotangent that shares no memory with it."""
    if isinstance(g, dict):
        return {key: copy_tree(item) for key, item in g.items()}
    if isinstance(g, (list, tuple)):
        return [copy_tree(item) for item in g]
    return g.copy() if isinstance(g, np.ndarray) else g


def as_tree(g: Any, x: Any) -> Any:
    """A cotangent made of lists and dicts in the structure of `x`; what carries no derivative is None."""
    if isinstance(x, dict):
        return {key: as_tree(g[key], item) for key, item in x.items()}
    if isinstance(x, (list, tuple)):
        return type(x)(as_tree(p, q) for p, q in zip(g, x, strict=True))
    return copy_tree(g) if isinstance(x, (float, complex)) or getattr(x, "dtype", np.dtype(int)).kind in "fc" else None


def part(x: Any, *path: Any) -> Any:
    """The part of a container under a path of keys; None for what the path that was taken left undefined."""
    for key in path:
        x = None if x is None else x[key]
    return x
