"""Adjoints of matrix products of any rank, of einsum, and of what `np.linalg` computes."""

from __future__ import annotations

from typing import Any

import numpy as np

from .reductions import ties, unreduce
from .values import cast, unbroadcast


def matmul_left(g: Any, x: Any, y: Any) -> Any:
    """What `x @ y` sends back to `x`, for vectors, matrices and batches of matrices."""
    if np.ndim(x) == 1 and np.ndim(y) == 1:
        return cast(g * np.asarray(y), x)
    g = np.expand_dims(g, -1) if np.ndim(y) == 1 else np.asarray(g)
    g = np.expand_dims(g, -2) if np.ndim(x) == 1 else g
    matrices = np.asarray(y)[:, None] if np.ndim(y) == 1 else np.asarray(y)
    part = np.matmul(g, np.swapaxes(matrices, -1, -2))
    return unbroadcast(part[..., 0, :] if np.ndim(x) == 1 else part, x)


def matmul_right(g: Any, x: Any, y: Any) -> Any:
    """What `x @ y` sends back to `y`, for vectors, matrices and batches of matrices."""
    if np.ndim(x) == 1 and np.ndim(y) == 1:
        return cast(g * np.asarray(x), y)
    g = np.expand_dims(g, -1) if np.ndim(y) == 1 else np.asarray(g)
    g = np.expand_dims(g, -2) if np.ndim(x) == 1 else g
    matrices = np.asarray(x)[None, :] if np.ndim(x) == 1 else np.asarray(x)
    part = np.matmul(np.swapaxes(matrices, -1, -2), g)
    return unbroadcast(part[..., 0] if np.ndim(y) == 1 else part, y)


def dot_left(g: Any, x: Any, y: Any) -> Any:
    """What `np.dot(x, y)` sends back to `x`."""
    if np.ndim(x) == 0 or np.ndim(y) == 0:
        return unbroadcast(np.multiply(g, y), x)
    return tensordot_left(g, x, y, (-1, -1 if np.ndim(y) == 1 else -2))


def dot_right(g: Any, x: Any, y: Any) -> Any:
    """What `np.dot(x, y)` sends back to `y`."""
    if np.ndim(x) == 0 or np.ndim(y) == 0:
        return unbroadcast(np.multiply(x, g), y)
    return tensordot_right(g, x, y, (-1, -1 if np.ndim(y) == 1 else -2))


def summed_axes(x: Any, y: Any, axes: Any) -> tuple[list[int], list[int]]:
    """The axes of `x` and of `y` that np.tensordot sums over, from the forms in which they may be given."""
    if isinstance(axes, (int, np.integer)):
        return list(range(np.ndim(x) - axes, np.ndim(x))), list(range(axes))
    one, other = ([a] if np.ndim(a) == 0 else list(a) for a in axes)
    return [a % np.ndim(x) for a in one], [a % np.ndim(y) for a in other]


def tensordot_left(g: Any, x: Any, y: Any, axes: Any = 2) -> Any:
    """What `np.tensordot(x, y, axes)` sends back to `x`."""
    mine, theirs = summed_axes(x, y, axes)
    free = [k for k in range(np.ndim(y)) if k not in theirs]
    g = np.asarray(g)
    part = np.tensordot(g, y, (list(range(g.ndim - len(free), g.ndim)), free))
    # Its axes are those of x that stay, then those summed over, in the order of y's.
    order = [k for k in range(np.ndim(x)) if k not in mine] + [mine[k] for k in np.argsort(theirs)]
    return cast(np.transpose(part, np.argsort(order)), x)


def tensordot_right(g: Any, x: Any, y: Any, axes: Any = 2) -> Any:
    """What `np.tensordot(x, y, axes)` sends back to `y`."""
    mine, theirs = summed_axes(x, y, axes)
    free = [k for k in range(np.ndim(x)) if k not in mine]
    part = np.tensordot(x, np.asarray(g), (free, list(range(len(free)))))
    order = [theirs[k] for k in np.argsort(mine)] + [k for k in range(np.ndim(y)) if k not in theirs]
    return cast(np.transpose(part, np.argsort(order)), y)


def kron_left(g: Any, x: Any, y: Any) -> Any:
    """What `np.kron(x, y)` sends back to `x`: each block, weighed with `y`."""
    rank = max(np.ndim(x), np.ndim(y))
    outer, inner = ((1,) * (rank - np.ndim(v)) + np.shape(v) for v in (x, y))
    blocks = np.reshape(g, [n for pair in zip(outer, inner, strict=True) for n in pair])
    part = np.tensordot(blocks, np.reshape(y, inner), (list(range(1, 2 * rank, 2)), list(range(rank))))
    return cast(np.reshape(part, np.shape(x))[()], x)


def kron_right(g: Any, x: Any, y: Any) -> Any:
    """What `np.kron(x, y)` sends back to `y`: the sum of the blocks, each weighed with its element of `x`."""
    rank = max(np.ndim(x), np.ndim(y))
    outer, inner = ((1,) * (rank - np.ndim(v)) + np.shape(v) for v in (x, y))
    blocks = np.reshape(g, [n for pair in zip(outer, inner, strict=True) for n in pair])
    part = np.tensordot(np.reshape(x, outer), blocks, (list(range(rank)), list(range(0, 2 * rank, 2))))
    return cast(np.reshape(part, np.shape(y))[()], y)


def einsum_terms(subscripts: str, operands: Any) -> tuple[list[str], str]:
    """The subscripts of each operand and of the result, with an implicit result and ellipses written out."""
    left, arrow, out = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    letters = left.replace(",", "").replace(".", "")
    if not arrow:
        once = "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
        out = "..." * ("..." in left) + once
    free = [c for c in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in letters]
    ranks = [np.ndim(x) - len(term) + 3 if "..." in term else 0 for term, x in zip(terms, operands, strict=True)]
    batch = "".join(free[:max(ranks)])
    full = [term.replace("...", batch[len(batch) - rank:]) for term, rank in zip(terms, ranks, strict=True)]
    return full, out.replace("...", batch)


def einsum_at(g: Any, subscripts: str, operands: Any, k: int) -> Any:
    """What `np.einsum(subscripts, *operands)` sends back to the operand number `k`."""
    terms, out = einsum_terms(subscripts, operands)
    own, x = "".join(dict.fromkeys(terms[k])), np.asarray(operands[k])
    rest = [(term, y) for j, (term, y) in enumerate(zip(terms, operands, strict=True)) if j != k]
    given = {c for term in (out, *(term for term, _ in rest)) for c in term}
    reached = "".join(c for c in own if c in given)
    words = ",".join((out, *(term for term, _ in rest)))
    part = np.einsum(f"{words}->{reached}", g, *(y for _, y in rest), optimize=len(rest) > 1)
    # An index that stands in this operand alone was summed: the cotangent is constant along it.
    part = np.reshape(part, [np.shape(part)[reached.index(c)] if c in given else 1 for c in own])
    if own == terms[k]:
        return unbroadcast(part, x if isinstance(operands[k], np.ndarray) else operands[k])
    y = np.zeros_like(x)  # a repeated index reads a diagonal
    diagonal = np.einsum(f"{terms[k]}->{own}", y)
    diagonal[...] = unbroadcast(part, diagonal)
    return y


def replaced(xs: Any, k: int, x: Any) -> list[Any]:
    """The items of a sequence, with `x` in the place `k`."""
    return [*xs[:k], x, *xs[k + 1:]]


def einsum_push(d: Any, subscripts: str, operands: Any) -> Any:
    """The tangent of `np.einsum(subscripts, *operands)`: one operand after the other is replaced by its tangent."""
    tangents = [(k, t) for k, t in enumerate(d) if t is not None and np.shape(t) == np.shape(operands[k])]
    return sum(np.einsum(subscripts, *replaced(operands, k, t)) for k, t in tangents)


def cofactors(a: Any) -> Any:
    """The derivative of the determinant, `det(a) inv(a)ᵀ`, also where `a` is singular: by its singular values."""
    u, s, v = np.linalg.svd(a)
    rows = np.broadcast_to(s[..., None, :], (*s.shape, s.shape[-1]))
    rest = np.prod(np.where(np.eye(s.shape[-1], dtype=bool), 1, rows), axis=-1)  # the products of all others
    sign = np.linalg.det(u) * np.linalg.det(v)
    return np.conj((u * rest[..., None, :]) @ v) * sign[..., None, None]


def solve_right(g: Any, a: Any, b: Any) -> Any:
    """Solve for the transposed matrices: what `np.linalg.solve(a, b)` sends back to `b`, not yet summed."""
    matrices = np.swapaxes(a, -1, -2)
    if np.ndim(b) == 1:  # one vector for each matrix
        return np.linalg.solve(matrices, np.expand_dims(g, -1))[..., 0]
    return np.linalg.solve(matrices, g)


def symmetric(a: Any) -> Any:
    """The symmetric (Hermitian) part of a matrix."""
    return (a + np.conj(np.swapaxes(a, -1, -2))) / 2


def lower_half(a: Any) -> Any:
    """The lower triangle of a matrix, with half of the diagonal."""
    return np.tril(a) - a * np.eye(np.shape(a)[-1], dtype=np.asarray(a).dtype) / 2


def gaps(w: Any) -> Any:
    """`1 / (w[j] - w[i])`, and 0 where two eigenvalues are equal, up to rounding: their vectors aren't determined."""
    difference = w[..., None, :] - w[..., :, None]
    scale = np.max(np.abs(w), axis=-1, initial=0)[..., None, None]
    equal = np.abs(difference) <= 10 * w.shape[-1] * np.finfo(w.dtype).eps * scale
    return np.where(equal, 0, 1 / np.where(equal, 1, difference)).astype(w.dtype)


def norm_slope(x: Any, y: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    """The derivative of `y = np.linalg.norm(x, ord, axis, keepdims)` by each element; 0 at `x = 0`, ties shared."""
    x = np.asarray(x)
    y = unreduce(y, x, axis, keepdims)
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    size = np.abs(x)
    direction = np.conj(x) / np.where(size == 0, 1, size)
    if ord is None or ord == "fro" or (ord == 2 and len(axes) == 1):
        return cast(np.conj(x) / np.where(y == 0, 1, y), x)
    if len(axes) == 2 and ord in (1, -1, np.inf, -np.inf):
        across = axes[0] if abs(ord) == 1 else axes[1]
        sums = np.sum(size, axis=across, keepdims=True)
        along = axes[1] if abs(ord) == 1 else axes[0]
        return cast(direction * ties(sums, np.take(y, [0], axis=across), along, True), x)
    if len(axes) == 2:
        if ord not in (2, -2, "nuc"):
            raise ValueError(f"a matrix norm with ord={ord!r} has no derivative")
        u, s, v = np.linalg.svd(np.moveaxis(x, axes, (-2, -1)), full_matrices=False)
        weight = s > 0 if ord == "nuc" else np.equal(s, (np.max if ord == 2 else np.min)(s, axis=-1, keepdims=True))
        weight = weight * (s > 0) / (1 if ord == "nuc" else np.sum(weight, axis=-1, keepdims=True))
        return cast(np.moveaxis(np.conj((u * weight[..., None, :]) @ v), (-2, -1), axes), x)
    if abs(ord) == np.inf:
        return cast(direction * ties(size, np.take(y, [0], axis=axes[0]), axes[0], True), x)
    if ord == 0:
        return np.zeros_like(x)
    with np.errstate(all="ignore"):
        slope = np.where(y == 0, 0, (size / np.where(y == 0, 1, y)) ** (ord - 1))
    return cast(np.where(size == 0, 0 if ord >= 1 else slope, direction * slope), x)
