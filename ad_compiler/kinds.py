"""Kinds: what the compiler knows of a value before anything runs. Frozen values, ordered by how much they say.

A dimension is an int, a symbol (`"n"`), a symbol less a number (`("n", 2)`: max(n - 2, 0), the length of a slice), or
None where nothing is known. Two dimensions are known to be equal only if both are known and equal; nothing is ever
concluded from two symbols being different.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Dim = int | str | tuple[str, int] | None
Shape = tuple[Dim, ...]


@dataclass(frozen=True)
class Unknown:
    """Nothing is known."""


@dataclass(frozen=True)
class Scalar:
    """A number, immutable: Python's (`python=True`, which is weak in promotion) or NumPy's.

    `dtype` is "f8", "f4", "c16", "c8", "i8" (any integer), "b1" or None; `dim` is an integer's value as a dimension.
    """

    dtype: str | None
    python: bool = True
    dim: Dim = None


@dataclass(frozen=True)
class Array:
    """A NumPy array; `shape` is None where the rank isn't known (it may then also be a NumPy scalar)."""

    dtype: str | None
    shape: Shape | None


@dataclass(frozen=True)
class Sequence:
    """A tuple or list of known length: `type` is "tuple" or "list"."""

    type: str
    items: tuple[Kind, ...]


@dataclass(frozen=True)
class SequenceOf:
    """A tuple, list or other sequence of unknown length with items of one kind."""

    type: str
    item: Kind


@dataclass(frozen=True)
class Dict:
    """A dict with known keys (hashable literals), in order."""

    items: tuple[tuple[object, Kind], ...]

    def get(self, key: object) -> Kind:
        return dict(self.items).get(key, UNKNOWN)


@dataclass(frozen=True)
class Static:
    """A value that carries no derivative and is known: None, a string, a dtype, a flag; `value` is hashable."""

    value: object


@dataclass(frozen=True)
class Other:
    """A value that carries no derivative: a range, a slice, a generator, a random state, ..."""

    type: str = "object"


Kind = Unknown | Scalar | Array | Sequence | SequenceOf | Dict | Static | Other

UNKNOWN = Unknown()
FLOAT = Scalar("f8")
INT = Scalar("i8")
BOOL = Scalar("b1")
OTHER = Other()


@dataclass(frozen=True)
class Fact:
    """What a row's condition, or a result kind, can ask of an argument: its kind, and its value where it is literal."""

    kind: Kind
    literal: object = ...
    given: bool = True

    @property
    def ndim(self) -> int | None:
        """The rank; 0 for scalars; None where unknown."""
        return ndim(self.kind)

    @property
    def dtype(self) -> str | None:
        return getattr(self.kind, "dtype", None)

    @property
    def is_scalar(self) -> bool:
        return isinstance(self.kind, Scalar)

    @property
    def is_python(self) -> bool:
        """Whether it is known to be a Python number."""
        return isinstance(self.kind, Scalar) and self.kind.python

    @property
    def is_real(self) -> bool:
        return self.dtype is not None and not self.dtype.startswith("c")


Facts = Mapping[str, Fact]


def ndim(kind: Kind) -> int | None:
    """The rank of a kind, None where unknown."""
    if isinstance(kind, Scalar):
        return 0
    return len(kind.shape) if isinstance(kind, Array) and kind.shape is not None else None


def shape(kind: Kind) -> Shape | None:
    """The shape of a kind, None where the rank is unknown."""
    return () if isinstance(kind, Scalar) else getattr(kind, "shape", None)


def same_shape(one: Kind, other: Kind) -> bool:
    """Whether two kinds are known to have equal shapes."""
    a, b = shape(one), shape(other)
    return a is not None and b is not None and len(a) == len(b) and all(
        p == q and p is not None for p, q in zip(a, b, strict=True))


def carries(kind: Kind) -> bool:
    """Whether a value of this kind can carry a derivative."""
    if isinstance(kind, (Static, Other)):
        return False
    if isinstance(kind, (Scalar, Array)):
        return kind.dtype not in ("i8", "b1")
    if isinstance(kind, Sequence):
        return any(carries(item) for item in kind.items)
    if isinstance(kind, SequenceOf):
        return carries(kind.item)
    if isinstance(kind, Dict):
        return any(carries(item) for _, item in kind.items)
    return True


def join(one: Kind, other: Kind) -> Kind:
    """The most that holds of both: the kind where two paths meet."""
    if one == other:
        return one
    if isinstance(one, Sequence) and isinstance(other, Sequence):
        if len(one.items) == len(other.items):  # a list or a tuple: what is read of it is the same
            return Sequence(one.type, tuple(join(a, b) for a, b in zip(one.items, other.items, strict=True)))
        return SequenceOf(one.type, join_all([*one.items, *other.items]))
    if isinstance(one, (Sequence, SequenceOf)) and isinstance(other, (Sequence, SequenceOf)):
        return SequenceOf(one.type, join(element(one), element(other)))
    if isinstance(one, Scalar) and isinstance(other, Scalar):
        dtype = one.dtype if one.dtype == other.dtype else None
        if dtype is None and None not in (one.dtype, other.dtype) and one.python and other.python:
            dtype = max(one.dtype or "", other.dtype or "", key="b1 i8 f4 f8 c8 c16".split().index)
        return Scalar(dtype, one.python and other.python, one.dim if one.dim == other.dim else None)
    if isinstance(one, (Scalar, Array)) and isinstance(other, (Scalar, Array)):
        a, b = shape(one), shape(other)
        dtype = one.dtype if one.dtype == other.dtype else None
        if a is None or b is None or len(a) != len(b) or isinstance(one, Scalar) or isinstance(other, Scalar):
            return Array(dtype, None)
        return Array(dtype, tuple(p if p == q else None for p, q in zip(a, b, strict=True)))
    if isinstance(one, Dict) and isinstance(other, Dict) and [k for k, _ in one.items] == [k for k, _ in other.items]:
        return Dict(tuple((k, join(a, b)) for (k, a), (_, b) in zip(one.items, other.items, strict=True)))
    if isinstance(one, (Static, Other)) and isinstance(other, (Static, Other)):
        return OTHER
    return UNKNOWN


def join_all(kinds: list[Kind]) -> Kind:
    """The join of several kinds; unknown for none."""
    if not kinds:
        return UNKNOWN
    result = kinds[0]
    for kind in kinds[1:]:
        result = join(result, kind)
    return result


def element(kind: Kind) -> Kind:
    """The kind of what iterating over a value yields."""
    if isinstance(kind, Sequence):
        return join_all(list(kind.items))
    if isinstance(kind, SequenceOf):
        return kind.item
    if isinstance(kind, Array):
        if kind.shape is None:
            return Array(kind.dtype, None)
        return Scalar(kind.dtype, python=False) if len(kind.shape) == 1 else Array(kind.dtype, kind.shape[1:])
    if isinstance(kind, Dict):
        return OTHER
    if isinstance(kind, Other) and kind.type == "range":
        return INT
    return UNKNOWN


def describe(kind: Kind) -> str:
    """A kind in the words of a signature: `f8[n, d]`, `float`, `(f8[n], int)`."""
    if isinstance(kind, Scalar):
        words: dict[str | None, str] = {"f8": "float", "i8": "int", "b1": "bool", "c16": "complex"}
        known = kind.dtype or "number"
        return words.get(kind.dtype, known) if kind.python or kind.dtype in ("i8", "b1") else known
    if isinstance(kind, Array):
        if kind.shape is None:
            return f"{kind.dtype or 'any'}[...]"
        return f"{kind.dtype or 'any'}[{', '.join(_dim(d) for d in kind.shape)}]"
    if isinstance(kind, Sequence):
        inside = ", ".join(describe(item) for item in kind.items)
        if kind.type == "list":
            return f"[{inside}]"
        return f"({inside},)" if len(kind.items) == 1 else f"({inside})"
    if isinstance(kind, SequenceOf):
        return f"{kind.type}[{describe(kind.item)}]"
    if isinstance(kind, Dict):
        return "{" + ", ".join(f"{key!r}: {describe(item)}" for key, item in kind.items) + "}"
    if isinstance(kind, Static):
        return repr(kind.value)
    return kind.type if isinstance(kind, Other) else "any"


def _dim(dim: Any) -> str:
    if isinstance(dim, tuple):
        return f"{dim[0]}-{dim[1]}"
    return "?" if dim is None else str(dim)
