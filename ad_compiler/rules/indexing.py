"""Rows of reads at an index; a read of arrays in user code is added in place, so these formulas stand for the rest."""

from __future__ import annotations

from .table import linear

linear("y = x[i]", x="scatter(g, x, i)", kind="index",
       cases=("R(5), 2", "R(5), -1", "R(5), slice(1, 4)", "R(5), slice(None, None, -2)", "R(5), slice(4, 1)",
              "R(3, 4), 1", "R(3, 4), (1, 2)", "R(3, 4), (slice(None), 1)",
              "R(3, 4), (slice(1, None), slice(None, -1))", "R(3), None", "R(3), ...", "R(3), (..., None)",
              "R(2, 3, 4), (..., 1)", "R(2, 3, 4), (0, ..., slice(2))",
              "R(5), [0, 2, 2]", "R(5), np.array([1, 1, 3])", "R(4, 3), np.array([[0, 1], [3, 3]])",
              "R(4, 3), (np.array([0, 1, 1]), np.array([2, 2, 2]))", "R(4, 3), (slice(None), np.array([2, 0]))",
              "R(3, 4, 2), (np.array([0, 2]), slice(None), np.array([1, 1]))",
              "R(4), np.array([True, False, True, True])",
              "R(2, 2), np.array([[True, False], [True, True]])", "R(2, 3), np.array([False, False])",
              "R(4).astype('f4'), slice(2)", "R(4).astype('f4'), np.array([0, 0])", "np.array(R()), ()", "C(3), 1"))
linear("y = np.take(x, indices, axis=None, out=None, mode='raise')", also="x.take(indices, axis, out, mode)",
       x="untake(g, x, indices, axis, mode)", kind="take",
       cases=("R(5), 2", "R(5), [0, 2, 2]", "R(2, 3), [5, 0]", "R(2, 3), [1, 1], 0", "R(2, 3), 2, -1",
              "R(2, 3, 4), np.array([[0, 1], [2, 2]]), 1", "R(4), [5, -1], None, None, 'wrap'",
              "R(3).astype('f4'), [0]"))
linear("y = np.take_along_axis(x, indices, axis=-1)", x="untake_along(g, x, indices, axis)", kind="take_along_axis",
       cases=("R(4), np.array([1, 1, 3])", "R(2, 3), np.array([[2], [0]])", "R(2, 3), np.array([[0, 1, 0]]), 0",
              "R(1, 3), np.array([[2, 2], [0, 1]]), 1", "R(2, 3), np.array([5, 0]), None"))

# The helpers named above: reading is the adjoint of scattering

linear("y = scatter(v, x, i)", v="g[i]", kind="same_x",
       cases=("R(), np.ones(3), 1", "R(2), np.ones(3), slice(2)", "R(3), np.ones(3), np.array([0, 0, 2])",
              "R(2), np.ones((2, 3)), (slice(None), 1)"))
linear("y = untake(v, x, indices, axis=None, mode='raise')", v="np.take(g, indices, axis=axis, mode=mode)",
       kind="same_x",
       cases=("R(2), np.ones(3), [1, 1]", "R(2, 2), np.ones((2, 3)), [0, 2], 1", "R(), np.ones(3), 4, None, 'clip'"))
