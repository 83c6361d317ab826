"""Rows of functions that make arrays of numbers, of sequences and of other arrays, or give them another type."""

from __future__ import annotations

from .table import elementwise, general, linear

# Copies and changes of dtype: the contribution is matched to the argument's own dtype.

elementwise("y = np.copy(a, order='K')", kind="copied", a="g", cases=("R", "C"))
elementwise("y = a.copy(order='C')", kind="same_a", a="g", cases=("R", "C"))
elementwise("y = np.float64(x)", kind="float64", x="g", cases="R")
elementwise("y = np.float32(x)", kind="float32", x="g")
elementwise("y = np.complex128(x)", kind="complex128", x="g", cases=("R", "C"))
elementwise("y = np.complex64(x)", kind="complex64", x="g")
general("y = x.astype(dtype)", kind="astype", x="unbroadcast(g, x)", push={"x": "d"},
        cases=("R(3), float", "C(2), complex", "R(2).astype('f4'), float", "R(0), np.float64"))
general("y = x.item()", kind="python_float", x="unbroadcast(g, x)", push={"x": "d.item()"},
        cases=("R(1, 1)", "np.float64(R())", "np.array(R())"))

# Arrays of numbers and sequences. What is an array already passes through, unless its dtype changes.

ITEMS = (("a.ndim is not None and dtype.literal is None", "g"), "unstack(g, a)")
ARRAYS = ("R(3)", "R(2, 3), dtype=float", "R(2).astype('f4'), float", "[R(), R()]", "(R(2), R(2))", "R()",
          "[[R(), 1.0], [2, R()]]", "np.float64(R())", "C(2)")

linear("y = np.array(a, dtype=None, copy=True)", kind="array_of", a=ITEMS, cases=ARRAYS)
linear("y = np.asarray(a, dtype=None)", kind="array_of", a=ITEMS, cases=ARRAYS)
linear("y = np.asanyarray(a, dtype=None)", kind="array_of", a=ITEMS, cases=ARRAYS)
linear("y = np.ascontiguousarray(a, dtype=None)", kind="array_of", a="unstack(np.reshape(g, np.shape(a)), a)",
       cases=ARRAYS)

# Arrays that are filled with values which may carry a derivative.

linear("y = np.full(shape, fill_value, dtype=None)", kind="creation", fill_value="unbroadcast(g, fill_value)",
       cases=("3, R()", "(2, 3), R(3)", "(2, 3), R(2, 1), float", "(0, 2), R()"))
linear("y = np.full_like(a, fill_value, dtype=None)", kind="like_a", fill_value="unbroadcast(g, fill_value)",
       cases=("R(3), R()", "R(2, 3), R(3)", "I(2), R(), float"))
linear("y = np.linspace(start, stop, num=50, endpoint=True)", kind="creation",
       let="t = np.linspace(0.0, 1.0, num, endpoint=endpoint)",
       start="unbroadcast(np.tensordot(1 - t, g, 1), start)", stop="unbroadcast(np.tensordot(t, g, 1), stop)",
       cases=("R(), R()", "R(), R(), 5", "R(2), R(), 4, endpoint=False", "R(3), R(2, 3), 4", "0.0, R(), 1",
              "R(), R(), 0"))

# A single argument of arange is where it stops, on which the values themselves don't depend.

general("y = np.arange(start, stop=None, step=1, dtype=None)", kind="creation",
        start=(("stop.literal is None", "0.0"), "np.sum(g)"), stop="0.0", step="np.dot(g, np.arange(np.size(g)))",
        push={"start": "np.zeros(y.shape) if stop is None else np.full(y.shape, d)", "stop": "np.zeros(y.shape)",
              "step": "d * np.arange(np.size(y))"},
        cases=("2.5", "P()", "U(), 4.0", "U(), 4.0, 0.3", "0.0, 2 + P(), 0.5 + 0.1 * U()"))
