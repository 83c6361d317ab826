"""Rows of reductions: sums, means, extrema, products, and what accumulates along an axis.

Where the shape of the argument is known, the contribution of a sum may be smaller than the argument, if broadcasting
does the rest; `unreduce` is the general form. Ties of extrema are shared equally; the standard deviation of a constant
has slope 0; products are exact also where elements are 0.
"""

from __future__ import annotations

from typing import Any

from .. import support
from .table import constant_rows, general, linear, zero

SHAPED = "dtype.literal is None and x.ndim and None not in x.kind.shape"
WHOLE = f"{SHAPED} and (axis.literal is None or keepdims.literal is True)"
LEADING = f"{SHAPED} and axis.literal == 0 and keepdims.literal is False"
LAST = f"{SHAPED} and x.ndim == 2 and axis.literal in (1, -1) and keepdims.literal is False"
FLAT = "axis.literal is None and dtype.literal is None"

REDUCED = ("R(3)", "R(2, 3)", "R(2, 3), axis=0", "R(2, 3), axis=1", "R(2, 3), axis=-1, keepdims=True",
           "R(2, 3, 4), axis=(0, 2)", "R(2, 3, 4), axis=(0, -1), keepdims=True", "R(2, 3), keepdims=True",
           "R(2, 3, 2), axis=1", "R(2, 3).astype('f4'), axis=1", "R(4).astype('f4')", "np.array(R())",
           "np.float64(R())")
NUMBERS = (*REDUCED, "R()", "[R(), R(), 2.0]")
EMPTY = ("R(0)", "R(0, 3), axis=0", "R(3, 0), axis=0")

# Sums and means

linear("y = np.sum(x, axis=None, dtype=None, out=None, keepdims=False)", also="x.sum(axis, dtype, out, keepdims)",
       kind="reduce", cases=(*NUMBERS, *EMPTY, "C(2, 3), axis=0", "R(3).astype('f4'), dtype=float"),
       x=((WHOLE, "g"), (LEADING, "g"), (LAST, "g[:, None]"), "unreduce(g, x, axis, keepdims)"))
linear("y = np.mean(x, axis=None, dtype=None, out=None, keepdims=False)", also="x.mean(axis, dtype, out, keepdims)",
       kind="reduce_float", cases=(*NUMBERS, "R(3, 0), axis=0", "C(2, 3), axis=0", "R(3).astype('f4'), dtype=float"),
       x=((f"{WHOLE} and axis.literal is None", "g / x.size"), (LEADING, "g / x.shape[0]"),
          (LAST, "g[:, None] / x.shape[1]"), "unreduce(g, x, axis, keepdims) / reduced_size(x, axis)"))
general("y = np.nansum(x, axis=None, dtype=None, out=None, keepdims=False)", kind="reduce",
        cases=(*REDUCED, *EMPTY, "np.array([1.0, np.nan, 2.0])"),
        x="np.where(np.isnan(x), 0, unreduce(g, x, axis, keepdims))",
        push={"x": "np.sum(np.where(np.isnan(x), 0, d), axis=axis, keepdims=keepdims)"})
general("y = np.nanmean(x, axis=None, dtype=None, out=None, keepdims=False)", kind="reduce_float",
        cases=(*REDUCED, "np.array([[1.0, np.nan, 2.0], [0.0, 1.0, 2.0]]), axis=1"),
        let="n = np.sum(~np.isnan(x), axis=axis, keepdims=True)",
        x="cast(np.where(np.isnan(x), 0, unreduce(g, x, axis, keepdims)) / n, x)",
        push={"x": "np.sum(np.where(np.isnan(x), 0, d) / n, axis=axis, keepdims=keepdims)"})
general("y = np.average(x, axis=None, weights=None, returned=False, keepdims=False)", kind="average",
        cases=(*REDUCED, "R(3), weights=P(3)", "R(2, 3), 1, P(3)", "R(2, 3), axis=0, weights=P(2, 3), keepdims=True",
               "R(2, 3, 4), axis=(0, 1), weights=P(2, 3)", "R(2, 3), weights=P(2, 3)", "R(2, 3), -1, P(3)"),
        let="s = spread(weights, x, axis)\n"
            "r = unreduce(g, x, axis, keepdims) / np.sum(np.broadcast_to(s, np.shape(x)), axis=axis, keepdims=True)",
        x=(("weights.literal is None", "unreduce(g, x, axis, keepdims) / reduced_size(x, axis)"), "cast(r * s, x)"),
        weights="np.reshape(unbroadcast(r * (x - unreduce(y, x, axis, keepdims)), s), np.shape(weights))",
        push={"x": "np.average(d, axis=axis, weights=weights, keepdims=keepdims)",
              "weights": "np.sum(spread(d, x, axis) * (x - unreduce(y, x, axis, keepdims)), axis=axis,"
                         " keepdims=keepdims) / np.sum(np.broadcast_to(s, np.shape(x)), axis=axis, keepdims=keepdims)"})

# Variances. A real argument needs no conjugate.

SPREADS = (*NUMBERS, "R(4), ddof=1", "R(2, 3), axis=1, ddof=1", "R(2, 3), axis=0, ddof=1, keepdims=True", "C(4)",
           "C(2, 3), axis=1")

general("y = np.var(x, axis=None, dtype=None, out=None, ddof=0, keepdims=False)",
        also="x.var(axis, dtype, out, ddof, keepdims)", kind="reduce_real", cases=SPREADS,
        x=((f"x.is_real and x.ndim and {FLAT} and ddof.literal == 0", "2 * g * (x - np.mean(x)) / x.size"),
           (f"x.is_real and x.ndim and {FLAT}", "2 * g * (x - np.mean(x)) / (x.size - ddof)"),
           ("x.is_real", "2 * unreduce(g, x, axis, keepdims) * (x - np.mean(x, axis=axis, keepdims=True))"
                         " / (reduced_size(x, axis) - ddof)"),
           "2 * unreduce(g, x, axis, keepdims) * np.conj(x - np.mean(x, axis=axis, keepdims=True))"
           " / (reduced_size(x, axis) - ddof)"),
        push={"x": "2 * np.sum(np.real(d * np.conj(x - np.mean(x, axis=axis, keepdims=True))), axis=axis,"
                   " keepdims=keepdims) / (reduced_size(x, axis) - ddof)"})
general("y = np.std(x, axis=None, dtype=None, out=None, ddof=0, keepdims=False)",
        also="x.std(axis, dtype, out, ddof, keepdims)", kind="reduce_real",
        cases=tuple(c for c in SPREADS if c not in ("R()", "np.array(R())", "np.float64(R())")),
        x=((f"x.is_real and x.ndim and {FLAT} and ddof.literal == 0", "divide(g * (x - np.mean(x)), y * x.size)"),
           (f"x.is_real and x.ndim and {FLAT}", "divide(g * (x - np.mean(x)), y * (x.size - ddof))"),
           "divide(unreduce(g, x, axis, keepdims) * np.conj(x - np.mean(x, axis=axis, keepdims=True)),"
           " unreduce(y, x, axis, keepdims) * (reduced_size(x, axis) - ddof))"),
        push={"x": "divide(np.sum(np.real(d * np.conj(x - np.mean(x, axis=axis, keepdims=True))), axis=axis,"
                   " keepdims=keepdims), y * (reduced_size(x, axis) - ddof))"})

# Extrema and the median

EXTREME: dict[str, Any] = dict(
    kind="reduce_same", cases=(*NUMBERS, "R(3, 0), axis=0"),
    x=(("axis.literal is None and keepdims.literal is False and x.ndim", "g * ties(x, y)"),
       ("keepdims.literal is True and x.ndim", "g * ties(x, y, axis, True)"),
       "unreduce(g, x, axis, keepdims) * ties(x, y, axis, keepdims)"),
    push={"x": "np.sum(d * ties(x, y, axis, keepdims), axis=axis, keepdims=keepdims)"})

general("y = np.max(x, axis=None, out=None, keepdims=False)", also="x.max(axis, out, keepdims)", **EXTREME)
general("y = np.min(x, axis=None, out=None, keepdims=False)", also="x.min(axis, out, keepdims)", **EXTREME)
general("y = np.nanmax(x, axis=None, out=None, keepdims=False)", **EXTREME)
general("y = np.nanmin(x, axis=None, out=None, keepdims=False)", **EXTREME)
general("y = np.ptp(x, axis=None, out=None, keepdims=False)", kind="reduce_same", cases=(*REDUCED, "[R(), R(), 2.0]"),
        let="w = ties(x, np.max(x, axis=axis, keepdims=True), axis, True)"
            " - ties(x, np.min(x, axis=axis, keepdims=True), axis, True)",
        x="unreduce(g, x, axis, keepdims) * w", push={"x": "np.sum(d * w, axis=axis, keepdims=keepdims)"})
general("y = np.median(x, axis=None, out=None, overwrite_input=False, keepdims=False)", kind="reduce_float",
        cases=(*NUMBERS, "R(4)", "R(4, 3), axis=0", "R(2, 4, 3), axis=(1, 2)"),
        x="unreduce(g, x, axis, keepdims) * middle(x, axis)",
        push={"x": "np.sum(d * middle(x, axis), axis=axis, keepdims=keepdims)"})

# Products

general("y = np.prod(x, axis=None, dtype=None, out=None, keepdims=False)", also="x.prod(axis, dtype, out, keepdims)",
        kind="reduce", cases=(*NUMBERS, *EMPTY, "C(2, 3), axis=1", "R(4) * [1, 0, 1, 1]", "R(4) * [1, 0, 0, 1]"),
        x=((f"{FLAT} and keepdims.literal is False and x.ndim", "g * others(x)"),
           "unreduce(g, x, axis, keepdims) * others(x, (), axis)"),
        push={"x": "np.sum(d * others(x, (), axis), axis=axis, keepdims=keepdims)"})

# Running sums and products, differences

RUNNING = ("R(4)", "R(2, 3)", "R(2, 3), axis=0", "R(2, 3, 2), axis=-2", "R(0)", "R(4).astype('f4')", "R()",
           "np.array(R())", "C(3), 0")

linear("y = np.cumsum(x, axis=None, dtype=None, out=None)", also="x.cumsum(axis, dtype, out)", kind="cumulative",
       cases=RUNNING,
       x=(("x.ndim == 1 and dtype.literal is None", "np.cumsum(g[::-1])[::-1]"), "uncumulate(g, x, axis)"))
general("y = np.cumprod(x, axis=None, dtype=None, out=None)", also="x.cumprod(axis, dtype, out)", kind="cumulative",
        cases=(*RUNNING, "R(4) * [1, 0, 1, 1]", "R(5) * [1, 0, 1, 0, 1]"),
        let="k = 0 if axis is None else axis\nr = np.ravel(x) if axis is None else np.asarray(x)",
        x="cast(np.reshape(shifted(y, 1, 1.0, k) * np.flip(accumulate(np.flip(g, k),"
          " np.flip(shifted(r, -1, 0.0, k), k), k), k), np.shape(x)), x)",
        push={"x": "accumulate(shifted(y, 1, 1.0, k) * np.reshape(d, r.shape), r, k)"})
linear("y = np.diff(x, n=1, axis=-1)", kind="diff", x="undiff(g, x, n, axis)",
       cases=("R(4)", "R(5), 2", "R(3, 4), axis=0", "R(3, 4), 2, 1", "R(2), 3", "R(3), 0", "R(1)", "R(4).astype('f4')"))
linear("y = np.trace(x, offset=0, axis1=0, axis2=1, dtype=None, out=None)",
       also="x.trace(offset, axis1, axis2, dtype, out)", kind="trace",
       x=(("x.ndim == 2 and x.dtype == 'f8' and offset.literal == 0 and axis1.literal == 0 and axis2.literal == 1",
           "g * np.eye(x.shape[0], x.shape[1])"),
          "undiagonal(np.expand_dims(g, -1), x, offset, axis1, axis2)"),
       cases=("R(3, 3)", "R(3, 4)", "R(3, 4), 1", "R(3, 4), -1", "R(3, 4), 9", "R(2, 3, 4), 0, 1, 2",
              "R(2, 3, 2), 0, 0, -1", "R(3, 3).astype('f4')", "C(3, 3)"))

# The helpers named above

constant_rows(support.reduced_size, kind="integer")
zero("w = ties(x, y, axis=None, keepdims=False)", "w = middle(x, axis=None)", kind="same_x")
linear("y = unreduce(v, x, axis=None, keepdims=False)", v="unbroadcast(np.sum(g, axis=axis, keepdims=keepdims), v)",
       kind="same_x", cases=("R(), np.ones(3)", "R(3), np.ones((2, 3)), 0", "R(2, 1), np.ones((2, 3)), 1, True",
                             "R(2), np.ones((2, 3, 4)), (1, -1)", "R(), 1.0"))
general("y = others(x, vs=(), axis=None)", x="unbroadcast(others(x, (*vs, g), axis), x)",
        vs="[unbroadcast(others(x, (*vs[:k], *vs[k + 1:], g), axis), vs[k]) for k in range(len(vs))]",
        push={"x": "others(x, (*vs, d), axis)",
              "vs": "sum(others(x, (*vs[:k], *vs[k + 1:], d[k]), axis) for k in range(len(vs)))"},
        kind="same_x",
        cases=("R(4)", "R(2, 3), (), 1", "R(4), (R(4),)", "R(3, 2), (R(3, 2), R(3, 2)), 0", "R(3) * [0, 1, 1]"))
general("y = accumulate(v, x, axis=0)", kind="same_x",
        let="u = np.flip(accumulate(np.flip(g, axis), np.flip(shifted(x, -1, 0.0, axis), axis), axis), axis)",
        v="unbroadcast(u, v)", x="unbroadcast(u * shifted(y, 1, 0.0, axis), x)",
        push={"v": "accumulate(d, x, axis)", "x": "accumulate(d * shifted(y, 1, 0.0, axis), x, axis)"},
        cases=("R(4), R(4)", "R(3, 4), R(3, 4), 1", "R(3, 4), R(3, 4), -2"))
general("y = shifted(v, by, fill=0.0, axis=0)", v="shifted(g, -by, 0.0, axis)",
        push={"v": "shifted(d, by, 0.0, axis)"}, kind="same_v",
        cases=("R(4), 1", "R(4), -1, 1.0", "R(3, 4), 1, 1.0, 1"))
linear("y = uncumulate(v, x, axis=None)", v="np.reshape(np.cumsum(g, axis=axis), np.shape(v))", kind="same_x",
       cases=("R(4), np.ones(4)", "R(6), np.ones((2, 3))", "R(2, 3), np.ones((2, 3)), -1"))
linear("y = undiff(v, x, n=1, axis=-1)", v="np.diff(g, n=n, axis=axis)", kind="same_x",
       cases=("R(3), np.ones(4)", "R(2, 2), np.ones((2, 4)), 2", "R(1, 3), np.ones((2, 3)), 1, 0", "R(0), np.ones(1)"))
linear("y = spread(weights, x, axis=None)", weights="np.reshape(g, np.shape(weights))",
       cases=("R(3), np.ones((2, 3)), 1", "R(2, 3), np.ones((2, 3)), 0", "R(2, 3), np.ones((2, 4, 3)), (0, 2)"))
