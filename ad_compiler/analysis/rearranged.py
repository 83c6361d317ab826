"""The kind of a result whose elements are its arguments' own, in another order: reshaped, joined, repeated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import UnsupportedError
from ..kinds import (
    UNKNOWN,
    Array,
    Dim,
    Fact,
    Facts,
    Kind,
    Scalar,
    Sequence,
    SequenceOf,
    Shape,
    element,
    ndim,
    shape,
)
from .indexing import sliced
from .promotion import (
    Numeric,
    as_numeric,
    broadcast,
    dims_of,
    literal,
    longer,
    made,
    product,
    promote,
    same_dim,
    shorter,
    total,
)


def size(kind: Kind) -> Dim:
    """The number of elements."""
    known = dims(kind)
    return None if known is None else product(known)


def dims(kind: Kind) -> Shape | None:
    """The shape of what NumPy makes of a value."""
    numeric = as_numeric(kind)
    return None if numeric is None else shape(numeric)


def _operand(facts: Facts, parameter: str = "x") -> Numeric:
    return as_numeric(facts[parameter].kind) or Array(None, None)


# Axes and shapes

def _transpose(facts: Facts) -> Kind:
    x = _operand(facts)
    if isinstance(x, Scalar):
        return Array(x.dtype, ())
    axes = _flat(literal(facts.get("axes"), None))
    if x.shape is None:
        return x
    if axes is None or axes == ():
        return Array(x.dtype, x.shape[::-1])
    if isinstance(axes, tuple) and len(axes) == len(x.shape):
        return Array(x.dtype, tuple(x.shape[a] for a in axes))
    return Array(x.dtype, (None,) * len(x.shape))


def _flat(value: Any) -> Any:
    """Axes, also where they are a tuple in a tuple: x.transpose((1, 0)) as well as x.transpose(1, 0)."""
    if isinstance(value, (tuple, list)) and len(value) == 1 and not isinstance(value[0], int):
        value = value[0]
    return tuple(value) if isinstance(value, list) else value


def _matrix_transpose(facts: Facts) -> Kind:
    x = _operand(facts)
    known = shape(x)
    return Array(x.dtype, (*known[:-2], known[-1], known[-2]) if known and len(known) > 1 else None)


def _swapaxes(facts: Facts) -> Kind:
    x, one, two = _operand(facts), literal(facts["axis1"]), literal(facts["axis2"])
    known = shape(x)
    if known is None or not isinstance(one, int) or not isinstance(two, int):
        return Array(x.dtype, None if known is None else (None,) * len(known))
    moved = list(known)
    moved[one], moved[two] = moved[two], moved[one]
    return Array(x.dtype, tuple(moved))


def _moveaxis(facts: Facts) -> Kind:
    x = _operand(facts)
    known, ends = shape(x), [literal(facts[p]) for p in ("source", "destination")]
    if known is None or any(end is ... for end in ends):
        return Array(x.dtype, None if known is None else (None,) * len(known))
    source, destination = ([a % len(known) for a in (e if isinstance(e, tuple) else (e,))] for e in ends)
    order = [k for k in range(len(known)) if k not in source]
    for to, axis in sorted(zip(destination, source, strict=True)):
        order.insert(to, axis)
    return Array(x.dtype, tuple(known[k] for k in order))


def _reshape(facts: Facts) -> Kind:
    x, new = _operand(facts), dims_of(facts["shape"])
    if new is None or new.count(-1) == 0:
        return Array(x.dtype, new)
    left, rest = list(shape(x) or (None,)), [d for d in new if d != -1]
    if shape(x) == ():
        left = [1]
    for dim in list(rest):
        if dim in left and dim is not None:
            left.remove(dim)
            rest.remove(dim)
    free, others = product(left), product(rest)
    if others != 1:
        free = free // others if isinstance(free, int) and isinstance(others, int) and others else None
    return Array(x.dtype, tuple(free if d == -1 else d for d in new))


def _ravel(facts: Facts) -> Kind:
    x = _operand(facts)
    return Array(x.dtype, (size(x),))


def _squeeze(facts: Facts) -> Kind:
    x, axis = _operand(facts), literal(facts.get("axis"), None)
    known = shape(x)
    if known is None or axis is ... or (axis is None and not all(isinstance(d, int) for d in known)):
        return Array(x.dtype, None)
    gone = [k for k, d in enumerate(known) if d == 1] if axis is None else \
        [a % len(known) for a in (axis if isinstance(axis, tuple) else (axis,))]
    return Array(x.dtype, tuple(d for k, d in enumerate(known) if k not in gone))


def _expand_dims(facts: Facts) -> Kind:
    x, axis = _operand(facts), literal(facts["axis"])
    known = shape(x)
    if known is None or axis is ...:
        return Array(x.dtype, None)
    axes = axis if isinstance(axis, tuple) else (axis,)
    rank, rest = len(known) + len(axes), iter(known)
    new = {a % rank for a in axes}
    return Array(x.dtype, tuple(1 if k in new else next(rest) for k in range(rank)))


def _broadcast_to(facts: Facts) -> Kind:
    return Array(_operand(facts).dtype, dims_of(facts["shape"]))


def _at_least(rank: int) -> Callable[[Facts], Kind]:
    def at_least(facts: Facts) -> Kind:
        x = _operand(facts)
        return Array(x.dtype, lifted(shape(x), rank))
    return at_least


def lifted(dims: Shape | None, rank: int) -> Shape | None:
    """What np.atleast_1d, 2d, 3d make of a shape."""
    if dims is None or len(dims) >= rank:
        return dims
    if rank == 3 and dims:
        return (1, *dims, 1) if len(dims) == 1 else (*dims, 1)
    return (1,) * (rank - len(dims)) + dims


# Joining and splitting

def _join(shapes: list[Shape | None], dtype: str | None, axis: int) -> Kind:
    """Arrays of equal rank one after the other along an axis."""
    known = [s for s in shapes if s is not None]
    if not shapes or len(known) < len(shapes) or len({len(s) for s in known}) > 1 or not known[0]:
        return Array(dtype, None)
    axis %= len(known[0])
    result: list[Dim] = []
    for k in range(len(known[0])):
        dim = known[0][k]
        for other in known[1:]:
            dim = same_dim(dim, other[k])
        result.append(total([s[k] for s in known]) if k == axis else dim)
    return Array(dtype, tuple(result))


def _parts(facts: Facts) -> tuple[list[Shape | None], str | None] | None:
    """The shapes of the arrays in a sequence, and their common dtype."""
    kind = facts["xs"].kind
    if not isinstance(kind, Sequence):
        return None
    items = [as_numeric(item) or Array(None, None) for item in kind.items]
    dtype = promote([Array(item.dtype, None) for item in items]) if items else None
    return [shape(item) for item in items], dtype


def _concatenate(facts: Facts) -> Kind:
    parts, axis = _parts(facts), literal(facts.get("axis"), 0)
    if parts is None:
        kind = facts["xs"].kind
        return Array(element(kind).dtype if isinstance(kind, SequenceOf) and isinstance(element(kind), Array) else None,  # type: ignore[union-attr]
                     None if axis is not None else (None,))
    if axis is None:
        return Array(parts[1], (total([None if s is None else product(s) for s in parts[0]]),))
    return Array(parts[1], None) if axis is ... else _join(*parts, axis)


def _stack(facts: Facts) -> Kind:
    parts, axis = _parts(facts), literal(facts.get("axis"), 0)
    if parts is None or axis is ...:
        return Array(None if parts is None else parts[1], None)
    known = [s for s in parts[0] if s is not None]
    if len(known) < len(parts[0]) or not known:
        return Array(parts[1], None)
    axis %= len(known[0]) + 1
    return _join([(*s[:axis], 1, *s[axis:]) for s in known], parts[1], axis)


def _hstack(facts: Facts) -> Kind:
    parts = _parts(facts)
    if parts is None:
        return Array(None, None)
    shapes = [lifted(s, 1) for s in parts[0]]
    return _join(shapes, parts[1], 0 if shapes and shapes[0] is not None and len(shapes[0]) == 1 else 1)


def _lifted_join(lift: Callable[[Shape | None], Shape | None], axis: int) -> Callable[[Facts], Kind]:
    def join(facts: Facts) -> Kind:
        parts = _parts(facts)
        if parts is None:
            return Array(None, None)
        return _join([lift(s) for s in parts[0]], parts[1], axis)
    return join


def _column(dims: Shape | None) -> Shape | None:
    if dims is None or len(dims) > 1:
        return dims
    return (*(dims or (1,)), 1)


def _append(facts: Facts) -> Kind:
    both = Sequence("tuple", (facts["x"].kind, facts["values"].kind))
    return _concatenate({"xs": Fact(both), "axis": facts["axis"]})


def _split(facts: Facts) -> Kind:
    x, where, axis = _operand(facts), literal(facts["indices_or_sections"]), literal(facts.get("axis"), 0)
    known = shape(x)
    if isinstance(where, tuple) and known is not None and isinstance(axis, int):
        axis %= len(known)
        cuts = [slice(a, b) for a, b in zip((None, *where), (*where, None), strict=True)]
        shapes = [tuple(sliced(d, c) if k == axis else d for k, d in enumerate(known)) for c in cuts]
        return Sequence("list", tuple(Array(x.dtype, dims) for dims in shapes))
    if isinstance(where, int) and not isinstance(where, bool):
        part: Shape | None = None
        if known is not None and isinstance(axis, int):
            axis %= len(known)
            length = known[axis]
            each = length // where if isinstance(length, int) and where and length % where == 0 else None
            part = tuple(each if k == axis else d for k, d in enumerate(known))
        return Sequence("list", (Array(x.dtype, part),) * where)
    return SequenceOf("list", Array(x.dtype, None if known is None else (None,) * len(known)))


def _split_along(axis: int) -> Callable[[Facts], Kind]:
    def split(facts: Facts) -> Kind:
        known = dims(facts["x"].kind)
        along = ... if known is None and axis else 0 if known is not None and len(known) == 1 else axis
        return _split({**facts, "axis": Fact(UNKNOWN, along)})
    return split


# Repeating, padding, diagonals, choosing

def _tile(facts: Facts) -> Kind:
    x, reps = _operand(facts), dims_of(facts["reps"])
    known = shape(x)
    if known is None or reps is None:
        return Array(x.dtype, None)
    rank = max(len(known), len(reps))
    known, reps = (1,) * (rank - len(known)) + known, (1,) * (rank - len(reps)) + reps
    return Array(x.dtype, tuple(product(pair) for pair in zip(known, reps, strict=True)))


def _repeat(facts: Facts) -> Kind:
    x, repeats, axis = _operand(facts), literal(facts["repeats"]), literal(facts.get("axis"), None)
    known: Shape | None = (size(x),) if axis is None else shape(x)
    if known is None or axis is ...:
        return Array(x.dtype, None)
    along = (axis or 0) % len(known)
    times = repeats if isinstance(repeats, int) else None
    return Array(x.dtype, tuple(product((d, times)) if k == along else d for k, d in enumerate(known)))


def _rot90(facts: Facts) -> Kind:
    x, k, axes = _operand(facts), literal(facts.get("k"), 1), literal(facts.get("axes"), (0, 1))
    known = shape(x)
    if known is None or not isinstance(k, int) or not isinstance(axes, tuple):
        return Array(x.dtype, None if known is None else (None,) * len(known))
    if k % 2 == 0:
        return Array(x.dtype, known)
    return _swapaxes({"x": Fact(x), "axis1": Fact(UNKNOWN, axes[0]), "axis2": Fact(UNKNOWN, axes[1])})


def _pad(facts: Facts) -> Kind:
    x, width, mode = _operand(facts), literal(facts["pad_width"]), literal(facts.get("mode"), "constant")
    modes = ("constant", "edge", "reflect", "symmetric", "wrap")
    if mode is not ... and mode not in modes:
        raise UnsupportedError(f"np.pad with mode={mode!r} isn't supported", f"use one of {', '.join(modes)}")
    known = shape(x)
    if known is None:
        return Array(x.dtype, None)
    rows = width if isinstance(width, tuple) else (width,)
    if all(isinstance(w, int) for w in rows):
        rows = ((rows[0], rows[-1]),) if len(rows) <= 2 else ()
    rows = rows * len(known) if len(rows) == 1 else rows
    if len(rows) != len(known) or not all(isinstance(r, tuple) and len(r) == 2 for r in rows):
        return Array(x.dtype, (None,) * len(known))
    return Array(x.dtype, tuple(longer(d, a + b) for d, (a, b) in zip(known, rows, strict=True)))


def _diag(facts: Facts) -> Kind:
    x, k = _operand(facts), literal(facts.get("k"), 0)
    known = shape(x)
    if known is None or not 1 <= len(known) <= 2:
        return Array(x.dtype, None)
    if len(known) == 2:
        return _diagonal({"x": Fact(x), "offset": Fact(UNKNOWN, k)})
    side = longer(known[0], abs(k)) if isinstance(k, int) else None
    return Array(x.dtype, (side, side))


def _diagonal(facts: Facts) -> Kind:
    x, offset = _operand(facts), literal(facts.get("offset"), 0)
    known = shape(x)
    one, two = literal(facts.get("axis1"), 0), literal(facts.get("axis2"), 1)
    if known is None or not isinstance(one, int) or not isinstance(two, int):
        return Array(x.dtype, None)
    one, two = one % len(known), two % len(known)
    rows, columns, length = known[one], known[two], None
    if isinstance(offset, int) and isinstance(rows, int) and isinstance(columns, int):
        length = max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
    elif isinstance(offset, int) and rows == columns:
        return Array(x.dtype, (*(d for k, d in enumerate(known) if k not in (one, two)), shorter(rows, abs(offset))))
    return Array(x.dtype, (*(d for k, d in enumerate(known) if k not in (one, two)), length))


def _trace(facts: Facts) -> Kind:
    kind = _diagonal(facts)
    known = shape(kind)
    dtype = getattr(kind, "dtype", None)
    return made("i8" if dtype == "b1" else dtype, None if known is None else known[:-1])


def _triangle(facts: Facts) -> Kind:
    x = _operand(facts)
    known = shape(x)
    return Array(x.dtype, (*known, *known) if known is not None and len(known) == 1 else known)


def _take(facts: Facts) -> Kind:
    x, axis, indices = _operand(facts), literal(facts.get("axis"), None), dims(facts["indices"].kind)
    known: Shape | None = (size(x),) if axis is None else shape(x)
    if known is None or indices is None or axis is ...:
        return Array(x.dtype, None)
    axis = (axis or 0) % len(known)
    return made(x.dtype, (*known[:axis], *indices, *known[axis + 1:]))


def _take_along_axis(facts: Facts) -> Kind:
    x, indices, axis = _operand(facts), dims(facts["indices"].kind), literal(facts.get("axis"), -1)
    if axis is None:
        return Array(x.dtype, indices)
    known = shape(x)
    if known is None or indices is None or axis is ... or len(known) != len(indices):
        return Array(x.dtype, None)
    both = broadcast([known, indices]) or ()
    axis %= len(known)
    return Array(x.dtype, tuple(indices[k] if k == axis else d for k, d in enumerate(both)))


def _diff(facts: Facts) -> Kind:
    x, n, axis = _operand(facts), literal(facts.get("n"), 1), literal(facts.get("axis"), -1)
    known = shape(x)
    if not known or not isinstance(axis, int):
        return Array(x.dtype, None if known is None else (None,) * len(known))
    axis %= len(known)
    dim = shorter(known[axis], n) if isinstance(n, int) else None
    return Array(x.dtype, tuple(dim if k == axis else d for k, d in enumerate(known)))


def _sorted(facts: Facts) -> Kind:
    x = _operand(facts)
    return Array(x.dtype, (size(x),) if literal(facts.get("axis"), -1) is None else
                 None if literal(facts.get("axis"), -1) is ... and ndim(x) != 1 else shape(x))


def _meshgrid(facts: Facts) -> Kind:
    xs, indexing = facts["xs"].kind, literal(facts.get("indexing"), "xy")
    if not isinstance(xs, Sequence):
        return SequenceOf("tuple", Array(None, None))
    items = [as_numeric(item) or Array(None, None) for item in xs.items]
    sides = [size(item) for item in items]
    if indexing is ...:
        sides = [None] * len(sides)
    elif indexing == "xy":
        sides[:2] = sides[:2][::-1]
    return Sequence("tuple", tuple(Array(item.dtype, tuple(sides)) for item in items))


KINDS: dict[str, Callable[[Facts], Kind]] = {
    "transpose": _transpose, "matrix_transpose": _matrix_transpose, "swapaxes": _swapaxes, "moveaxis": _moveaxis,
    "reshape": _reshape, "ravel": _ravel, "squeeze": _squeeze, "expand_dims": _expand_dims,
    "broadcast_to": _broadcast_to,
    "atleast_1d": _at_least(1), "atleast_2d": _at_least(2), "atleast_3d": _at_least(3),
    "concatenate": _concatenate, "stack": _stack, "hstack": _hstack, "append": _append,
    "vstack": _lifted_join(lambda dims: lifted(dims, 2), 0), "dstack": _lifted_join(lambda dims: lifted(dims, 3), 2),
    "column_stack": _lifted_join(_column, 1),
    "split": _split, "vsplit": _split_along(0), "hsplit": _split_along(1),
    "tile": _tile, "repeat": _repeat, "rot90": _rot90, "pad": _pad,
    "diag": _diag, "diagonal": _diagonal, "trace": _trace, "triangle": _triangle,
    "take": _take, "take_along_axis": _take_along_axis, "diff": _diff, "sorted": _sorted, "meshgrid": _meshgrid,
}
