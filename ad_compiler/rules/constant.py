"""What carries no derivative at all: indices, shapes, truth values, integers, fresh arrays; what looks or prints."""

from __future__ import annotations

import math

import numpy as np

from .table import constant_names, constant_rows

# Truth values, element by element

constant_rows(
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
    np.logical_and, np.logical_or, np.logical_xor, np.logical_not,
    np.isnan, np.isinf, np.isfinite, np.isposinf, np.isneginf, np.isreal, np.iscomplex, np.signbit,
    np.isclose, np.isin,
    kind="boolean",
)
constant_names("operator", "Eq", "NotEq", "Lt", "LtE", "Gt", "GtE", kind="boolean")

# One truth value, one integer

constant_rows(
    bool, isinstance, issubclass, callable, hasattr, any, all,
    math.isnan, math.isinf, math.isfinite, math.isclose,
    np.array_equal, np.array_equiv, np.allclose, np.isscalar, np.iscomplexobj, np.isrealobj, np.iterable,
    np.can_cast, np.issubdtype, np.shares_memory, np.may_share_memory,
    kind="truth",
)
constant_names("operator", "Is", "IsNot", "In", "NotIn", "Not", kind="truth")
constant_rows(
    len, int, id, hash, ord,
    math.floor, math.ceil, math.trunc, math.gcd, math.lcm, math.factorial, math.comb, math.perm, math.isqrt,
    np.ndim,
    kind="integer",
)
constant_names("attribute", "ndim", "size", "itemsize", "nbytes", kind="integer")

# Integers that follow the shapes of their arguments, masks

constant_rows(np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert, np.left_shift, np.right_shift, np.gcd, np.lcm,
              kind="broadcast")
constant_names("operator", "BitAnd", "BitOr", "BitXor", "Invert", "LShift", "RShift", kind="broadcast")
constant_rows(
    np.argmax, np.argmin, np.nanargmax, np.nanargmin, np.argsort, np.argpartition, np.lexsort, np.searchsorted,
    np.digitize, np.nonzero, np.flatnonzero, np.argwhere, np.count_nonzero, np.any, np.all, np.unravel_index,
    np.ravel_multi_index, np.triu_indices, np.tril_indices, np.diag_indices, np.indices, np.ix_,
    np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64, np.bool_,
)
constant_names("method", "argmax", "argmin", "argsort", "argpartition", "searchsorted", "any", "all", "nonzero")

# Shapes, types, text

constant_rows(np.shape, np.size, np.broadcast_shapes, np.result_type, np.promote_types, np.min_scalar_type, np.dtype,
              np.finfo, np.iinfo)
constant_names("attribute", "shape", "dtype", "strides", "flags")
constant_rows(str, repr, format, chr, ascii, bin, hex, oct, type, print,
              np.array2string, np.array_str, np.array_repr)

# Fresh arrays. `np.full`, `np.linspace` and `np.arange` have true rows: their values may carry a derivative.

constant_rows(np.zeros, np.ones, np.empty, kind="creation")
constant_rows(np.eye, np.identity, np.tri, np.hanning, np.hamming, np.blackman, np.bartlett)
constant_rows(np.zeros_like, np.ones_like, np.empty_like, kind="like_x")
