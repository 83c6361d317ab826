"""Shapes and dtypes as NumPy computes them, on kinds: broadcasting with symbolic dimensions, promotion by NEP 50."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..kinds import UNKNOWN, Array, Dim, Fact, Kind, Scalar, Sequence, SequenceOf, Shape, Static, Unknown, shape

Numeric = Scalar | Array

_RANKS = ("b1", "i8", "f4", "f8", "c8", "c16")


def broadcast_kinds(kinds: list[Kind], floating: bool) -> Kind:
    """The kind of an elementwise operation's result; `floating` where integers give floats (division, sin)."""
    numeric = [as_numeric(kind) for kind in kinds]
    known = [kind for kind in numeric if kind is not None]
    if len(known) < len(kinds):
        # A list or a number beside an array becomes an array, but nobody knows of which rank.
        unknown = all(isinstance(k, Unknown) for k, n in zip(kinds, numeric, strict=True) if n is None)
        return Array(None, None) if unknown and any(isinstance(k, Array) for k in known) else UNKNOWN
    dtype = promote(known)
    if floating and dtype in ("i8", "b1"):
        # A transcendental function of booleans gives float16; quotients of booleans and integers give float64.
        dtype = None if dtype == "b1" and len(known) == 1 and not isinstance(known[0], Scalar) else "f8"
    if all(isinstance(kind, Scalar) and kind.python for kind in known):
        return Scalar(dtype)
    return made(dtype, broadcast([shape(kind) for kind in known]))


def made(dtype: str | None, dims: Shape | None) -> Numeric:
    """The result of a ufunc or a reduction: a NumPy scalar where the rank is 0, else an array."""
    return Scalar(dtype, python=False) if dims == () else Array(dtype, dims)


def as_numeric(kind: Kind) -> Numeric | None:
    """The number or array that NumPy makes of an operand; None where that isn't known."""
    if isinstance(kind, (Scalar, Array)):
        return kind
    if isinstance(kind, Static) and isinstance(kind.value, (bool, int, float, complex)):
        return Scalar(dtype_class(type(kind.value)))
    if isinstance(kind, Sequence) and kind.items:
        items = [as_numeric(item) for item in kind.items]
        known = [item for item in items if item is not None]
        if len(known) < len(items):
            return None
        # Inside a list, Python's numbers aren't weak.
        dtype = promote([Scalar(item.dtype, python=False) for item in known])
        first = shape(known[0])
        for item in known[1:]:
            dims = shape(item)
            if first is None or dims is None or len(dims) != len(first):
                return Array(dtype, None)
            first = tuple(same_dim(a, b) for a, b in zip(first, dims, strict=True))
        return Array(dtype, None if first is None else (len(items), *first))
    if isinstance(kind, SequenceOf):
        inner = as_numeric(kind.item)
        rest = None if inner is None else shape(inner)
        return None if inner is None else Array(inner.dtype, None if rest is None else (None, *rest))
    return None


def strong(kind: Numeric) -> Numeric:
    """The kind as an operand that isn't weak in promotion, as where NumPy makes an array of it first."""
    return Array(kind.dtype, ()) if isinstance(kind, Scalar) else kind


def promote(kinds: Iterable[Numeric]) -> str | None:
    """The dtype of a mixture; Python numbers are weak (NEP 50). None where it depends on the size of an integer."""
    kinds = list(kinds)
    firm = {k.dtype for k in kinds if not (isinstance(k, Scalar) and k.python)}
    weak = {k.dtype for k in kinds if isinstance(k, Scalar) and k.python}
    if None in firm or None in weak:
        return None
    loudest = max((d for d in weak if d), key=_RANKS.index, default=None)
    if not firm:
        return loudest
    dtype = max((d for d in firm if d), key=_RANKS.index)
    if dtype == "c8" and "f8" in firm:
        dtype = "c16"
    if dtype in ("f4", "c8") and "i8" in firm:
        return None  # an int8 leaves float32 as it is, an int64 doesn't
    if loudest in ("i8", "f8", "c16") and dtype in ("b1", "i8"):
        return max(loudest, dtype, key=_RANKS.index)
    if loudest == "c16":
        return {"f4": "c8", "f8": "c16"}.get(dtype, dtype)
    return dtype


def dtype_class(value: Any) -> str | None:
    """The class of a dtype (or of what names one): "f8", "f4", "c16", "c8", "i8" for any integer, "b1", else None."""
    try:
        dtype = np.dtype(value)
    except TypeError:
        return None
    if dtype.kind in "iu":
        return "i8"
    name = f"{dtype.kind}{dtype.itemsize}"
    return name if name in _RANKS else None


def broadcast(shapes: list[Shape | None]) -> Shape | None:
    """The shape of operands taken together."""
    known = [dims for dims in shapes if dims is not None]
    if len(known) < len(shapes):
        return None
    rank = max(map(len, known), default=0)
    result: list[Dim] = [1] * rank
    for dims in known:
        for k, dim in enumerate(dims, start=rank - len(dims)):
            result[k] = stretched(result[k], dim)
    return tuple(result)


def stretched(one: Dim, other: Dim) -> Dim:
    """The dimension of two that are broadcast together."""
    if one == other or other == 1:
        return one
    if one == 1:
        return other
    if isinstance(one, int) != isinstance(other, int):
        return one if isinstance(one, int) else other  # the other one is either equal or 1
    return None


def same_dim(one: Dim, other: Dim) -> Dim:
    """A dimension that two arrays share, since the call would raise otherwise: the one that says more."""
    if isinstance(other, int) or one is None:
        return other
    return one


def shorter(dim: Dim, by: int) -> Dim:
    """A dimension less a number, never negative."""
    if isinstance(dim, int):
        return max(dim - by, 0)
    if dim is None or by == 0:
        return dim
    if by < 0:
        return None
    return (dim, by) if isinstance(dim, str) else (dim[0], dim[1] + by)


def longer(dim: Dim, by: int) -> Dim:
    """A dimension and a number."""
    if isinstance(dim, int):
        return dim + by
    return dim if by == 0 else None


def product(dims: Iterable[Dim]) -> Dim:
    """The number of elements."""
    rest: list[Dim] = []
    number = 1
    for dim in dims:
        if isinstance(dim, int):
            number *= dim
        else:
            rest.append(dim)
    if not rest or number == 0:
        return number
    return rest[0] if number == 1 and len(rest) == 1 else None


def total(dims: list[Dim]) -> Dim:
    """The sum of dimensions: the length of things joined."""
    if len(dims) == 1:
        return dims[0]
    numbers = [dim for dim in dims if isinstance(dim, int)]
    rest = [dim for dim in dims if not isinstance(dim, int)]
    if not rest:
        return sum(numbers)
    return rest[0] if len(rest) == 1 and sum(numbers) == 0 else None


def literal(fact: Fact | None, missing: object = ...) -> Any:
    """The value of an argument where it is known, `...` where it isn't, `missing` where there is no such argument."""
    if fact is None:
        return missing
    if fact.literal is not ...:
        return fact.literal
    return known_value(fact.kind)


def known_value(kind: Kind) -> Any:
    """The value of a static thing, of an integer that is known as a dimension, of a tuple of such; else `...`."""
    if isinstance(kind, Static):
        return kind.value
    if isinstance(kind, Scalar) and isinstance(kind.dim, int):
        return kind.dim
    if isinstance(kind, Sequence) and kind.type == "tuple":
        values = tuple(known_value(item) for item in kind.items)
        return ... if any(value is ... for value in values) else values
    return ...


def dims_of(fact: Fact | None) -> Shape | None:
    """A shape given as an argument: a number, a tuple or list of numbers, or one of these inside a tuple (`*shape`)."""
    if fact is None:
        return None
    if isinstance(fact.kind, Sequence):
        items = fact.kind.items
        if len(items) == 1 and isinstance(items[0], (Sequence, SequenceOf, Array)):
            return dims_of(Fact(items[0]))
        if all(isinstance(item, Scalar) for item in items):
            values = fact.literal if isinstance(fact.literal, (tuple, list)) else [known_value(i) for i in items]
            return tuple(v if isinstance(v, int) else i.dim if isinstance(i, Scalar) else None
                         for i, v in zip(items, values, strict=True))
    value = literal(fact)
    if isinstance(value, (tuple, list)) and len(value) == 1 and isinstance(value[0], (tuple, list)):
        value = value[0]
    if isinstance(value, (tuple, list)) and all(isinstance(item, int) for item in value):
        return tuple(value)
    if isinstance(value, int):
        return (value,)
    return (fact.kind.dim,) if isinstance(fact.kind, Scalar) else None
