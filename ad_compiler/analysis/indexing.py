"""The kind of `x[i]`: NumPy's rules of basic and advanced indexing on shapes with symbolic dimensions."""

from __future__ import annotations

from typing import Any

from ..kinds import (
    UNKNOWN,
    Array,
    Dict,
    Dim,
    Fact,
    Facts,
    Kind,
    Other,
    Scalar,
    Sequence,
    SequenceOf,
    Shape,
    Static,
    element,
)
from .promotion import as_numeric, broadcast, literal, made, shorter


def index(facts: Facts) -> Kind:
    """`x[i]` for arrays and containers; slices are known where they are literal."""
    base, i = facts["x"].kind, facts["i"]
    value = literal(i)
    if isinstance(base, (Sequence, SequenceOf)):
        if isinstance(base, Sequence) and isinstance(value, slice):
            return Sequence(base.type, base.items[value])
        if isinstance(base, Sequence) and isinstance(value, int):
            return base.items[value] if -len(base.items) <= value < len(base.items) else UNKNOWN
        if isinstance(i.kind, Scalar):
            return element(base)
        return SequenceOf(base.type, element(base)) if _is_slice(i.kind, value) else UNKNOWN
    if isinstance(base, Dict):
        return UNKNOWN if value is ... else base.get(value)
    if not isinstance(base, Array):
        return Array(base.dtype, None) if isinstance(base, Scalar) else UNKNOWN
    entries = [_entry(fact) for fact in _entries(i)]
    if base.shape is None or any(entry is None for entry in entries):
        return Array(base.dtype, None)
    found = _indexed(base.shape, [entry for entry in entries if entry is not None])
    if found == () and any(what == "ellipsis" for what, _ in filter(None, entries)):
        return Array(base.dtype, ())  # x[..., 0] of a vector is a 0-d array, x[0] a number
    return Array(base.dtype, None) if found is None else made(base.dtype, found)


Entry = tuple[str, Any]


def _entries(i: Fact) -> list[Fact]:
    if isinstance(i.kind, Sequence) and i.kind.type == "tuple":
        values = i.literal if isinstance(i.literal, tuple) else (...,) * len(i.kind.items)
        return [Fact(kind, value) for kind, value in zip(i.kind.items, values, strict=True)]
    if isinstance(i.literal, tuple):
        return [Fact(Static(value), value) for value in i.literal]
    return [i]


def _is_slice(kind: Kind, value: object) -> bool:
    return isinstance(value, slice) or value is slice or (isinstance(kind, Other) and kind.type == "slice")


def _entry(fact: Fact) -> Entry | None:
    """What one index does: integer, slice, new axis, ellipsis, array of integers, mask; None where that isn't known."""
    kind, value = fact.kind, literal(fact)
    if _is_slice(kind, value):
        return "slice", value if isinstance(value, slice) else None
    if isinstance(kind, Static) or kind == UNKNOWN:
        if isinstance(kind, Static) and kind.value is ...:
            return "ellipsis", None
        if value is None:
            return "new", None
        return ("integer", ()) if isinstance(value, int) and not isinstance(value, bool) else None
    if isinstance(kind, Scalar):
        return ("integer", ()) if kind.dtype == "i8" else None
    array = as_numeric(kind)
    if not isinstance(array, Array) or array.shape is None or (isinstance(kind, Sequence) and kind.type == "tuple"):
        return None
    if array.dtype == "i8":
        return "array", array.shape
    return ("mask", len(array.shape)) if array.dtype == "b1" and array.shape else None


def _indexed(dims: Shape, entries: list[Entry]) -> Shape | None:
    takes = {"integer": 1, "slice": 1, "array": 1, "new": 0, "ellipsis": 0}
    taken = sum(value if what == "mask" else takes[what] for what, value in entries)
    if taken > len(dims) or sum(what == "ellipsis" for what, _ in entries) > 1:
        return None
    if not any(what == "ellipsis" for what, _ in entries):
        entries = [*entries, ("ellipsis", None)]
    fancy = any(what in ("array", "mask") for what, _ in entries)
    result: list[Dim] = []
    advanced: list[Shape | None] = []
    places: list[int] = []  # where advanced indices stand, counted in indices; apart, their axes come first
    start, rest = 0, iter(dims)
    for place, (what, value) in enumerate(entries):
        if what == "slice":
            result.append(sliced(next(rest), value))
        elif what == "new":
            result.append(1)
        elif what == "ellipsis":
            result.extend(next(rest) for _ in range(len(dims) - taken))
        else:
            for _ in range(value if what == "mask" else 1):
                next(rest)
            if fancy:
                advanced.append((None,) if what == "mask" else value)
                start = start if places else len(result)
                places.append(place)
    if not fancy:
        return tuple(result)
    together = broadcast(advanced)
    if together is None:
        return None
    if places[-1] - places[0] >= len(places):
        start = 0
    return (*result[:start], *together, *result[start:])


def sliced(dim: Dim, cut: slice | None) -> Dim:
    """The length of `u[cut]`, for u of length `dim`."""
    if cut is None or not all(part is None or isinstance(part, int) for part in (cut.start, cut.stop, cut.step)):
        return None
    if isinstance(dim, int):
        return len(range(*cut.indices(dim)))
    start, stop = cut.start or 0, cut.stop
    if cut.step not in (None, 1):
        return dim if cut == slice(None, None, -1) else None
    if start < 0 or (stop is not None and stop >= 0):
        return 0 if stop == 0 else None
    return shorter(dim, start - (stop or 0))
