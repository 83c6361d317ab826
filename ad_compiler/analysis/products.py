"""The kind of matrix products, of einsum, and of what `np.linalg` computes."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import UnsupportedError
from ..kinds import Array, Dim, Facts, Kind, Scalar, Sequence, Shape, shape
from .promotion import (
    Numeric,
    as_numeric,
    broadcast,
    literal,
    made,
    product,
    promote,
    stretched,
    strong,
)


def _pair(facts: Facts, one: str = "x", other: str = "y") -> tuple[str | None, Shape | None, Shape | None]:
    """The dtype of a product, whose factors' numbers aren't weak, and the shapes of the factors."""
    x, y = (as_numeric(facts[p].kind) or Array(None, None) for p in (one, other))
    return promote([strong(x), strong(y)]), shape(x), shape(y)


def _matmul(facts: Facts) -> Kind:
    dtype, x, y = _pair(facts)
    if not x or not y:
        return Array(dtype, None)
    rows = x[-2:-1]  # a vector has none
    columns = y[-1:] if len(y) > 1 else ()
    batch = broadcast([x[:-2], y[:-2]])
    return made(dtype, None if batch is None else (*batch, *rows, *columns))


def _dot(facts: Facts) -> Kind:
    dtype, x, y = _pair(facts)
    if x is None or y is None:
        return Array(dtype, None)
    if not x or not y:
        return made(dtype, x or y)
    return made(dtype, (*x[:-1], *y[:-2], *(y[-1:] if len(y) > 1 else ())))


def _inner(facts: Facts) -> Kind:
    dtype, x, y = _pair(facts)
    if x is None or y is None:
        return Array(dtype, None)
    return made(dtype, (*x[:-1], *y[:-1]) if x and y else x or y)


def _outer(facts: Facts) -> Kind:
    dtype, x, y = _pair(facts)
    return Array(dtype, (None if x is None else product(x), None if y is None else product(y)))


def _vdot(facts: Facts) -> Kind:
    return Scalar(_pair(facts)[0], python=False)


def _tensordot(facts: Facts) -> Kind:
    dtype, x, y = _pair(facts)
    axes = literal(facts.get("axes"), 2)
    if x is None or y is None or axes is ...:
        return Array(dtype, None)
    if isinstance(axes, int):
        mine, theirs = tuple(range(len(x) - axes, len(x))), tuple(range(axes))
    else:
        mine, theirs = (tuple(a) if isinstance(a, (tuple, list)) else (a,) for a in axes)
    mine, theirs = tuple(a % len(x) for a in mine), tuple(a % len(y) for a in theirs)
    left = [d for k, d in enumerate(x) if k not in mine]
    return Array(dtype, (*left, *(d for k, d in enumerate(y) if k not in theirs)))


def _kron(facts: Facts) -> Kind:
    dtype, x, y = _pair(facts)
    if x is None or y is None:
        return Array(dtype, None)
    rank = max(len(x), len(y))
    x, y = (1,) * (rank - len(x)) + x, (1,) * (rank - len(y)) + y
    return made(dtype, tuple(product(pair) for pair in zip(x, y, strict=True)))


def _cross(facts: Facts) -> Kind:
    """Of three-dimensional vectors; a product of two-dimensional ones isn't a vector, and isn't in NumPy 2 any more."""
    dtype, x, y = _pair(facts)
    if (x and x[-1] == 2) or (y and y[-1] == 2):
        raise UnsupportedError("np.cross of two-dimensional vectors isn't supported", "write x[0] * y[1] - x[1] * y[0]")
    together = broadcast([x, y])
    return Array(dtype, (*together[:-1], 3) if together else None)


def _einsum(facts: Facts) -> Kind:
    operands, subscripts = facts["operands"].kind, literal(facts["subscripts"])
    if isinstance(facts["subscripts"].kind, (Array, Sequence)) or not isinstance(subscripts, (str, type(...))):
        raise UnsupportedError("np.einsum with lists of subscripts isn't supported", "write the subscripts as a string")
    items: list[Numeric] = []
    if isinstance(operands, Sequence):
        items = [as_numeric(item) or Array(None, None) for item in operands.items]
    dtype = promote([strong(item) for item in items]) if items else None
    if not isinstance(subscripts, str) or not items:
        return Array(dtype, None)
    terms, _, out = subscripts.replace(" ", "").partition("->")
    words = terms.split(",")
    if len(words) != len(items):
        return Array(dtype, None)
    if "->" not in subscripts:
        letters = "".join(words).replace(".", "")
        out = ("..." if "..." in terms else "") + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    dims: dict[str, Dim] = {}
    batches: list[Shape | None] = []
    for word, item in zip(words, items, strict=True):
        known = shape(item)
        before, dots, after = word.partition("...")
        if known is None:
            batches += [None] if dots else []
            labelled: list[tuple[str, Dim]] = [(label, None) for label in before + after]
        else:
            batches += [known[len(before):len(known) - len(after)]] if dots else []
            labelled = [*zip(before, known, strict=False), *zip(after[::-1], known[::-1], strict=False)]
        for label, dim in labelled:
            dims[label] = stretched(dims.get(label, 1), dim)
    before, dots, after = out.partition("...")
    batch = broadcast(batches) if dots else ()
    if batch is None:
        return Array(dtype, None)
    return made(dtype, (*(dims[c] for c in before), *batch, *(dims[c] for c in after)))


# Linear algebra: integers become float64, and what isn't float64 or complex is kept

def _exact(kind: Numeric) -> str | None:
    return "f8" if kind.dtype in ("i8", "b1") else kind.dtype


def _matrix(facts: Facts) -> tuple[str | None, Shape | None]:
    a = as_numeric(facts["a"].kind) or Array(None, None)
    return _exact(a), shape(a)


def _solve(facts: Facts) -> Kind:
    a, b = (as_numeric(facts[p].kind) or Array(None, None) for p in ("a", "b"))
    dtype = promote([Array(_exact(a), None), Array(_exact(b), None)])
    x, y = shape(a), shape(b)
    if not x or not y:
        return Array(dtype, None)
    if len(y) == 1:
        return Array(dtype, x[:-1])
    batch = broadcast([x[:-2], y[:-2]])
    return Array(dtype, None if batch is None else (*batch, x[-1], y[-1]))


def _square(facts: Facts) -> Kind:
    return Array(*_matrix(facts))


def _pinv(facts: Facts) -> Kind:
    dtype, dims = _matrix(facts)
    return Array(dtype, (*dims[:-2], dims[-1], dims[-2]) if dims and len(dims) > 1 else None)


def _det(facts: Facts) -> Kind:
    dtype, dims = _matrix(facts)
    return made(dtype, dims[:-2] if dims else None)


def _slogdet(facts: Facts) -> Kind:
    dtype, dims = _matrix(facts)
    batch = dims[:-2] if dims else None
    return Sequence("tuple", (made(dtype, batch), made(_modulus(dtype), batch)))


def _modulus(dtype: str | None) -> str | None:
    return {"c16": "f8", "c8": "f4"}.get(dtype or "", dtype)


def _eigh(facts: Facts) -> Kind:
    dtype, dims = _matrix(facts)
    return Sequence("tuple", (Array(_modulus(dtype), dims[:-1] if dims else None), Array(dtype, dims)))


def _eigvalsh(facts: Facts) -> Kind:
    dtype, dims = _matrix(facts)
    return Array(_modulus(dtype), dims[:-1] if dims else None)


def _norm(facts: Facts) -> Kind:
    x = as_numeric(facts["x"].kind) or Array(None, None)
    dtype, dims = _modulus(_exact(x)), shape(x)
    axis, keepdims = literal(facts.get("axis"), None), literal(facts.get("keepdims"), False)
    if keepdims is ... or (axis is None and keepdims and dims is None):
        return Array(dtype, None)
    if axis is None:
        return made(dtype, (1,) * len(dims or ()) if keepdims else ())
    if dims is None or axis is ...:
        single = isinstance(facts["axis"].kind, Scalar) and dims is not None and len(dims) == 1 and not keepdims
        return made(dtype, () if single else None)
    axes = {a % len(dims) for a in (axis if isinstance(axis, tuple) else (axis,))}
    return made(dtype, tuple(1 if k in axes else d for k, d in enumerate(dims) if keepdims or k not in axes))


KINDS: dict[str, Callable[[Facts], Kind]] = {
    "matmul": _matmul, "dot": _dot, "inner": _inner, "outer": _outer, "vdot": _vdot, "tensordot": _tensordot,
    "kron": _kron, "cross": _cross, "einsum": _einsum,
    "solve": _solve, "square": _square, "pinv": _pinv, "det": _det, "slogdet": _slogdet,
    "eigh": _eigh, "eigvalsh": _eigvalsh, "norm": _norm,
}
