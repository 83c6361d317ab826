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
        return np.real(g)[()] if np.iscomplexobj(g) else g
    dtype = np.result_type(x) if isinstance(x, (complex, np.generic)) else getattr(x, "dtype", None)
    given = getattr(g, "dtype", None)
    if dtype is None or dtype == given or dtype.kind not in "fc":
        return g
    if dtype.kind == "f" and np.iscomplexobj(g):
        g = g.real
    return np.asarray(g).astype(dtype)[()] if np.ndim(g) == 0 else np.asarray(g).astype(dtype, copy=False)


def zeros(x: Any) -> Any:
    """The zero cotangent of `x`: zeros of its shape and dtype; for containers, a list or dict of them; else None."""
    if isinstance(x, (list, tuple)):
        return [zeros(item) for item in x]
    if isinstance(x, dict):
        return {key: zeros(item) for key, item in x.items()}
    if isinstance(x, np.ndarray):
        return np.zeros_like(x) if x.dtype.kind in "fc" else None
    if isinstance(x, np.inexact):
        return x.dtype.type(0)
    if isinstance(x, complex):
        return 0j
    return 0.0 if isinstance(x, float) else None
