"""Rows of the helpers that other rows name, so that a gradient can be differentiated again."""

from __future__ import annotations

from .. import support
from .table import _SCOPE, elementwise, general, linear

_SCOPE.update({name: helper for name, helper in vars(support).items() if callable(helper)})

elementwise("z = divide(x, y)", x="divide(g, y)", y="-divide(g * z, y)", cases=("R, P", "C, P", "1, P"))
elementwise("z = power_slope(x, y, by_base=1, by_exponent=0)", x="g * power_slope(x, y, by_base + 1, by_exponent)",
            y="g * power_slope(x, y, by_base, by_exponent + 1)",
            cases=("P, R", "R, 3", "P, R, 2, 1", "P, R, 1, 2", "P, I, 0, 1", "P, 2, 2, 1"))
elementwise("z = exponent_slope(x, y)", x="g * power_slope(x, y, 1, 1)", y="g * power_slope(x, y, 0, 2)", cases="P, R")
elementwise("w = share(x, z)", x="g * w", z="-g * w", cases="R, P")
elementwise("y = sinc_slope(x, order)", x="g * sinc_slope(x, order + 1)", cases=("R, 1", "U, 2", "R, 3"))
general("y = polygamma(order, x)", x="g * polygamma(order + 1, x)", push={"x": "d * polygamma(order + 1, x)"},
        kind="python_float", cases=("0, P()", "1, P()", "2, U()", "0, U() - 3"))

# The adjoint of matching a cotangent to a prototype matches it back; the prototype's values don't matter.

linear("y = unbroadcast(v, x)", v="unbroadcast(g, v)", kind="like_x",
       cases=("R(3, 4), np.ones(4)", "R(2, 3, 4), np.ones((3, 1))", "R(3), 1.0", "R(), np.ones((2, 3))", "R(), 1.0"))
linear("y = cast(v, x)", v="cast(g, v)", kind="like_x", cases=("R(3), np.ones(3)", "C(3), np.ones(3)", "R(), 1.0"))
general("y = unsum(v, xs)", v="unbroadcast(sum(g), v)", push={"v": "unsum(d, xs)"},
        cases=("R(), [1.0, 2.0]", "R(2), [np.ones(2), 1.0]", "R(3), np.ones((2, 3))"))
general("y = unstack(v, x)", v="unbroadcast(np.array(g), v)", push={"v": "unstack(d, x)"},
        cases=("R(3), [1.0, 2.0, 3.0]", "R(3), np.ones(3)", "R(2, 2), [[1.0, 2.0], (3.0, 4.0)]"))
general("y = split_ties(v, z, xs)", v="np.dot(np.ravel(split_ties(1.0, z, xs)), np.ravel(g))",
        push={"v": "split_ties(d, z, xs)"},
        cases=("R(), 2.0, (1.0, 2.0)", "R(), 2.0, (2.0, 2.0, 0.0)", "R(), 2.0, ([1.0, 2.0, 2.0],)"))
