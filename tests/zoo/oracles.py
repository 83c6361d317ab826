"""Two oracles for gradients, over trees of arguments: central differences, and the complex step."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .build import Frozen

STEP = 1e-3
COMPLEX_STEP = 1e-30  # Squire and Trapp 1998: no subtraction, so no cancellation, however small the step


def leaves(tree: object) -> list:
    """The leaves of nested tuples, lists and dicts, in order."""
    if isinstance(tree, (tuple, list)):
        return [leaf for item in tree for leaf in leaves(item)]
    if isinstance(tree, dict):
        return [leaf for key in tree for leaf in leaves(tree[key])]
    return [tree]


def rebuild(tree: object, new: list) -> object:
    """A tree of the same structure with new leaves."""
    return _rebuild(tree, iter(new))


def central(f: Callable, args: tuple, argnums: tuple[int, ...], const: Frozen | None, step: float = STEP) -> tuple:
    """The gradient by central differences of fourth order, in float64."""
    weights = ((2, -1.0), (1, 8.0), (-1, -8.0), (-2, 1.0))

    def slope(at: Callable) -> float:
        return sum(w * float(at(k * step)) for k, w in weights) / (12 * step)

    return _gradient(f, args, argnums, const, slope, np.float64)


def complex_step(f: Callable, args: tuple, argnums: tuple[int, ...], const: Frozen | None) -> tuple:
    """The gradient by Im f(x + ih) / h, exact to rounding for analytic functions."""
    return _gradient(f, args, argnums, const, lambda at: np.imag(at(1j * COMPLEX_STEP)) / COMPLEX_STEP, np.complex128)


def _gradient(f, args, argnums, const, slope, dtype) -> tuple:
    if const is not None:
        const.record()
    wide = rebuild(args, [_as(leaf, np.float64) for leaf in leaves(args)])
    f(*wide)
    return tuple(_of_argument(f, wide, number, const, slope, dtype) for number in argnums)


def _of_argument(f, args, number, const, slope, dtype):
    flat, slopes = leaves(args[number]), []
    for position, leaf in enumerate(flat):
        if isinstance(leaf, int):
            slopes.append(None)
            continue
        out = np.empty(np.shape(leaf))
        for index in np.ndindex(out.shape):
            def at(shift, leaf=leaf, position=position, index=index):
                moved = np.array(leaf, dtype=dtype)
                moved[index] += shift
                new = [*flat[:position], moved[()] if np.ndim(leaf) == 0 else moved, *flat[position + 1:]]
                if const is not None:
                    const.replay()
                return f(*args[:number], rebuild(args[number], new), *args[number + 1:])
            out[index] = slope(at)
        slopes.append(out)
    return rebuild(args[number], slopes)


def _as(leaf: object, dtype: type) -> object:
    if isinstance(leaf, np.ndarray):
        return leaf.astype(dtype)
    return leaf


def _rebuild(tree, new):
    if isinstance(tree, (tuple, list)):
        return type(tree)([_rebuild(item, new) for item in tree])
    if isinstance(tree, dict):
        return {key: _rebuild(item, new) for key, item in tree.items()}
    return next(new)
