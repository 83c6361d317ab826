"""The kind of a call's result, by the name that its row gives: what NumPy would return, said of kinds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..errors import InternalError, UnsupportedError
from ..kinds import (
    BOOL,
    FLOAT,
    INT,
    OTHER,
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
    join,
    join_all,
    ndim,
    shape,
)
from . import products, rearranged
from .indexing import index
from .promotion import (
    as_numeric,
    broadcast,
    broadcast_kinds,
    dims_of,
    dtype_class,
    literal,
    made,
    promote,
    shorter,
    strong,
)

Rule = Callable[[Facts], Kind]


def result_kind(row_kind: str, facts: Facts, key: object = None) -> Kind:
    """The kind of a result; `key` is what the row was looked up by, and tells NumPy's functions from operators.

    >>> result_kind("matmul", {"x": Fact(Array("f8", ("n", "d"))), "y": Fact(Array("f8", ("d",)))})
    Array(dtype='f8', shape=('n',))
    """
    rule = KINDS.get(row_kind)
    if rule is None:
        raise InternalError(f"no result kind {row_kind!r}")
    for name in ("out", "overwrite_input", "returned", "retstep"):
        if literal(facts.get(name), None) not in (None, False):
            raise UnsupportedError(f"the argument {name}= isn't supported", "assign the result to a name instead")
    if key == ("method", "item"):
        rule = _python_number
    kind = _operation(facts, key) if row_kind == "broadcast" else rule(facts)
    if isinstance(kind, Scalar) and kind.python and row_kind in _ELEMENTWISE and _is_numpy(key):
        return Scalar(kind.dtype, python=False)  # np.sin(2.0) is a NumPy number, which isn't weak
    return kind


# Elementwise operations

_ELEMENTWISE = ("broadcast", "broadcast_float", "broadcast_real", "real_x", "boolean", "same_x", "power")

# Operations that make integers of integers, and booleans of booleans; by the operator's or the ufunc's name.
_KEEP_INTEGERS = frozenset(
    "Add Sub Mult FloorDiv Mod Pow USub UAdd Invert LShift RShift BitAnd BitOr BitXor add subtract multiply "
    "floor_divide remainder fmod power pow negative positive absolute abs sign square maximum minimum fmax fmin clip "
    "conjugate floor ceil trunc round around gcd lcm invert left_shift right_shift bitwise_and bitwise_or bitwise_xor "
    "bitwise_invert bitwise_left_shift bitwise_right_shift".split())
_KEEP_BOOLEANS = frozenset(
    "BitAnd BitOr BitXor add multiply absolute maximum minimum fmax fmin clip logical_and logical_or bitwise_and "
    "bitwise_or bitwise_xor invert bitwise_invert conjugate".split())


def _name(key: object) -> str:
    return str(key[1]) if isinstance(key, tuple) else str(getattr(key, "__name__", ""))


def _is_numpy(key: object) -> bool:
    return isinstance(key, np.ufunc) or str(getattr(key, "__module__", "")).split(".")[0] == "numpy"


_OPTIONS = ("dtype", "casting", "order", "copy", "decimals", "out", "where", "rtol", "atol", "equal_nan")


def _operands(facts: Facts) -> list[Kind]:
    return [fact.kind for name, fact in facts.items() if name not in _OPTIONS
            and not (isinstance(fact.kind, Static) and fact.kind.value is None)]


def _operation(facts: Facts, key: object) -> Kind:
    operands = _operands(facts)
    name = _name(key)
    kind = broadcast_kinds(operands, floating=key is not None and name not in _KEEP_INTEGERS)
    if not isinstance(kind, (Scalar, Array)):
        return kind
    if kind.dtype == "b1" and name not in _KEEP_BOOLEANS:
        python = isinstance(kind, Scalar) and kind.python
        kind = replace(kind, dtype="i8" if python else "b1" if name in ("Add", "Mult") else None)
    if name in ("Pow", "power", "pow") and kind.dtype == "i8" and isinstance(kind, Scalar):
        exponent = literal(list(facts.values())[-1])
        if not (isinstance(exponent, int) and exponent >= 0):
            kind = replace(kind, dtype=None)  # 2 ** -1 is a float
    if isinstance(kind, Scalar) and kind.python and kind.dtype == "i8" and len(operands) == 2:
        return replace(kind, dim=_dim(name, *operands))
    return kind


def _dim(name: str, one: Kind, other: Kind) -> Dim:
    """What is known of a sum, difference or product of integers, so that `np.zeros(n - 1)` has a known shape."""
    a, b = getattr(one, "dim", None), getattr(other, "dim", None)
    if name == "Sub" and isinstance(b, int) and b >= 0 and a is not None:
        return a - b if isinstance(a, int) else shorter(a, b)
    if isinstance(a, int) and isinstance(b, int):
        return {"Add": a + b, "Mult": a * b}.get(name)
    return None


def _broadcast_float(facts: Facts) -> Kind:
    return broadcast_kinds(_operands(facts), floating=True)


def _real(kind: Kind) -> Kind:
    """The kind of absolute values and of real parts."""
    if isinstance(kind, (Scalar, Array)):
        return replace(kind, dtype={"c16": "f8", "c8": "f4"}.get(kind.dtype or "", kind.dtype))
    return kind


def _real_part(facts: Facts) -> Kind:
    operand = next(iter(facts.values())).kind
    kind = _real(broadcast_kinds([operand], floating=False))
    if isinstance(kind, Array) and isinstance(operand, Array) and operand.shape == ():
        return Array(kind.dtype, None)  # x.real of a 0-d array is an array, np.abs of it a number
    return replace(kind, dim=None) if isinstance(kind, Scalar) else kind


def _boolean(facts: Facts) -> Kind:
    kind = broadcast_kinds(_operands(facts), floating=False)
    if isinstance(kind, Scalar):
        return Scalar("b1", kind.python)
    return Array("b1", kind.shape) if isinstance(kind, Array) else UNKNOWN


def _where(facts: Facts) -> Kind:
    """np.where always makes an array, if only a 0-d one."""
    sides, condition = [facts[p].kind for p in ("x", "y")], as_numeric(facts["condition"].kind)
    kind = broadcast_kinds(sides, floating=False)
    if not isinstance(kind, (Scalar, Array)):
        return Array(None, None)
    dims = None if condition is None else broadcast([shape(kind), shape(condition)])
    return Array(kind.dtype, dims)


def _same(parameter: str) -> Rule:
    def same(facts: Facts) -> Kind:
        kind = facts[parameter].kind
        if isinstance(kind, Scalar):
            return replace(kind, dim=None)
        return kind if isinstance(kind, Array) else as_numeric(kind) or UNKNOWN
    return same


def _array(parameter: str) -> Rule:
    def array(facts: Facts) -> Kind:
        return _typed(as_numeric(facts[parameter].kind), facts.get("dtype"))
    return array


def _typed(kind: Scalar | Array | None, dtype: Fact | None) -> Array:
    """An array with the shape of `kind`, of another dtype if one is given."""
    if kind is None:
        return Array(_dtype(dtype, None), None)
    return Array(_dtype(dtype, kind.dtype), shape(kind))


def _dtype(fact: Fact | None, default: str | None) -> str | None:
    value = literal(fact, None)
    return default if value is None else None if value is ... else dtype_class(value)


def _astype(facts: Facts) -> Kind:
    kind = as_numeric(facts["x"].kind)
    new = _typed(kind, facts["dtype"])
    return Scalar(new.dtype, python=False) if isinstance(kind, Scalar) else new


def _converted(dtype: str) -> Rule:
    def converted(facts: Facts) -> Kind:
        kind = as_numeric(next(iter(facts.values())).kind)
        return Array(dtype, None) if kind is None else made(dtype, shape(kind))
    return converted


# Creation

def _creation(facts: Facts) -> Kind:
    """np.zeros, np.full, np.linspace, np.arange: told apart by their parameters."""
    dtype = facts.get("dtype") or facts.get("x0")
    if "num" in facts:
        ends = broadcast_kinds([facts["start"].kind, facts["stop"].kind], floating=True)
        if not isinstance(ends, (Scalar, Array)):
            return Array(None, None)
        rest, first = shape(ends), dims_of(facts["num"]) or (None,)
        axis = literal(facts.get("axis"), 0)
        both = [strong(k) for k in map(as_numeric, (facts["start"].kind, facts["stop"].kind)) if k is not None]
        known = _dtype(dtype, promote([replace(k, dtype=_floating(k.dtype)) for k in both]))
        return Array(known, (*first, *rest) if rest is not None and axis == 0 else None)
    if "step" in facts:
        return _arange(facts, dtype)
    if "fill_value" in facts:
        filled = as_numeric(facts["fill_value"].kind)
        return Array(_dtype(dtype, None if filled is None else filled.dtype), dims_of(facts["shape"]))
    return Array(_dtype(dtype, "f8"), dims_of(facts.get("shape") or facts.get("x")))


def _arange(facts: Facts, dtype: Fact | None) -> Kind:
    start, stop, step = (facts[p] for p in ("start", "stop", "step"))
    found = promote([strong(f.kind) for f in (start, stop, step) if isinstance(f.kind, (Scalar, Array))])
    length: Dim = None
    if found == "i8" and literal(step) == 1:
        if literal(stop) is None:
            length = start.kind.dim if isinstance(start.kind, Scalar) else None
        elif literal(start) == 0:
            length = stop.kind.dim if isinstance(stop.kind, Scalar) else None
    if isinstance(length, int):
        length = max(length, 0)
    return Array(_dtype(dtype, found), (length,))


def _eye(facts: Facts) -> Kind:
    rows = dims_of(facts.get("N") or facts.get("n") or facts.get("x"))
    columns = facts.get("M") or facts.get("x0")
    other = rows if columns is None or literal(columns) is None else dims_of(columns)
    return Array(_dtype(facts.get("dtype"), "f8"), (*(rows or (None,)), *(other or (None,))))


# Reductions

def _reduction(dtypes: Callable[[str | None], str | None]) -> Rule:
    def reduction(facts: Facts) -> Kind:
        x = as_numeric(facts["x"].kind)
        dtype = _dtype(facts.get("dtype"), None if x is None else dtypes(x.dtype))
        return made(dtype, _reduced(None if x is None else shape(x), facts.get("axis"), facts.get("keepdims")))
    return reduction


def _reduced(dims: Shape | None, axis_fact: Fact | None, keepdims_fact: Fact | None) -> Shape | None:
    """The shape that is left over."""
    axis, keepdims = literal(axis_fact, None), literal(keepdims_fact, False)
    if keepdims is ...:
        return None
    if axis is None:
        return () if not keepdims else None if dims is None else (1,) * len(dims)
    if dims is None:
        return None
    if axis is ...:
        single = axis_fact is not None and isinstance(axis_fact.kind, Scalar)
        return (None,) * len(dims) if keepdims else (None,) * (len(dims) - 1) if single and dims else None
    axes = {a % len(dims) if dims else a for a in (axis if isinstance(axis, (tuple, list)) else (axis,))}
    if keepdims:
        return tuple(1 if k in axes else d for k, d in enumerate(dims))
    return tuple(d for k, d in enumerate(dims) if k not in axes)


def _wide(dtype: str | None) -> str | None:
    return "i8" if dtype == "b1" else dtype


def _floating(dtype: str | None) -> str | None:
    return "f8" if dtype in ("b1", "i8") else dtype


def _modulus(dtype: str | None) -> str | None:
    return {"c16": "f8", "c8": "f4"}.get(dtype or "", _floating(dtype))


def _average(facts: Facts) -> Kind:
    kind = _reduction(_floating)(facts)
    if literal(facts.get("weights"), None) is None or not isinstance(kind, (Scalar, Array)):
        return kind
    weights = as_numeric(facts["weights"].kind)
    dtype = None if weights is None or kind.dtype is None else _floating(promote([strong(weights), kind]))
    return replace(kind, dtype=dtype)


def _cumulative(facts: Facts) -> Kind:
    x = as_numeric(facts["x"].kind)
    if x is None:
        return Array(None, None)
    dtype = _dtype(facts.get("dtype"), _wide(x.dtype))
    axis = literal(facts.get("axis"), None)
    if axis is None:
        return Array(dtype, (rearranged.size(x),))
    return Array(dtype, None if axis is ... and ndim(x) != 1 else shape(x))


# Python's own functions

def _sum(facts: Facts) -> Kind:
    xs, start = facts["xs"].kind, facts["start"].kind
    if isinstance(xs, Sequence):
        kind = start
        for item in xs.items:
            kind = broadcast_kinds([kind, item], floating=False)
        return replace(kind, dim=None) if isinstance(kind, Scalar) else kind
    item = element(xs)
    if isinstance(xs, SequenceOf):
        return join(start, broadcast_kinds([start, item, item], floating=False))  # it may be empty
    return broadcast_kinds([start, item], floating=False)


def _extreme(facts: Facts) -> Kind:
    xs = facts["xs"].kind
    if isinstance(xs, Sequence) and len(xs.items) == 1:
        xs = xs.items[0]
    kind = join_all(list(xs.items)) if isinstance(xs, Sequence) else element(xs)
    return replace(kind, dim=None) if isinstance(kind, Scalar) else kind


def _modf(facts: Facts) -> Kind:
    kind = broadcast_kinds([facts["x"].kind], floating=True)
    return Sequence("tuple", (kind, kind))


def _python_number(facts: Facts) -> Kind:
    """x.item() of a complex array is complex."""
    dtype = getattr(facts["x"].kind, "dtype", None) if "x" in facts else "f8"
    return Scalar({"f4": "f8", "c8": "c16"}.get(dtype or "", dtype))


def _shape(facts: Facts) -> Kind:
    dims = rearranged.dims(next(iter(facts.values())).kind)
    return SequenceOf("tuple", INT) if dims is None else Sequence("tuple", tuple(Scalar("i8", dim=d) for d in dims))


def _length(facts: Facts) -> Kind:
    kind = next(iter(facts.values())).kind
    if isinstance(kind, (Sequence, Dict)):
        return Scalar("i8", dim=len(kind.items))
    dims = rearranged.dims(kind)
    return Scalar("i8", dim=dims[0]) if dims else INT


def _fixed(kind: Kind) -> Rule:
    return lambda facts: kind


KINDS: dict[str, Rule] = {
    "unknown": _fixed(UNKNOWN), "array_split": _fixed(UNKNOWN), "same_y": _fixed(UNKNOWN),
    "like_values": _fixed(UNKNOWN),
    "inactive": _fixed(OTHER),
    "truth": _fixed(BOOL),
    "integer": _fixed(INT),
    "range": _fixed(Other("range")),
    "broadcast": lambda facts: _operation(facts, None),
    "power": lambda facts: _operation(facts, ("operator", "Pow")),
    "broadcast_float": _broadcast_float,
    "broadcast_real": lambda facts: _real(broadcast_kinds(_operands(facts), floating=False)),
    "boolean": _boolean,
    "where": _where,
    "real_x": _real_part,
    "python_float": _fixed(FLOAT),
    "python_number": _python_number,
    "same_x": _same("x"), "same_a": _same("a"), "same_v": _same("v"),
    "array_x": _array("x"), "array_of": _array("a"), "copied": _array("a"),
    "like_x": _array("x"), "like_a": _array("a"),
    "astype": _astype,
    "float64": _converted("f8"), "float32": _converted("f4"),
    "complex128": _converted("c16"), "complex64": _converted("c8"),
    "creation": _creation,
    "eye": _eye,
    "reduce": _reduction(_wide),
    "reduce_same": _reduction(lambda dtype: dtype),
    "reduce_float": _reduction(_floating),
    "reduce_real": _reduction(_modulus),
    "average": _average,
    "cumulative": _cumulative,
    "sum": _sum,
    "extreme": _extreme,
    "modf": _modf,
    "shape": _shape, "index": index,
    "length": _length,
    **rearranged.KINDS,
    **products.KINDS,
}
