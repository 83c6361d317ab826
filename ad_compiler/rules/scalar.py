"""Rows of functions of Python numbers: the `math` module, and the built-in functions that add up and compare."""

from __future__ import annotations

from .elementwise import POWER_BASE, POWER_EXPONENT
from .table import elementwise, general, linear

# Where the function is finite at a point and its slope isn't, `divide` gives inf; elsewhere `math` itself has raised.

for _text, _slope, _cases in (
    ("y = math.exp(x)", "g * y", "R"),
    ("y = math.exp2(x)", "g * y * math.log(2)", "R"),
    ("y = math.expm1(x)", "g * math.exp(x)", "R"),
    ("y = math.log2(x)", "g / (x * math.log(2))", "P"),
    ("y = math.log10(x)", "g / (x * math.log(10))", "P"),
    ("y = math.log1p(x)", "g / (1 + x)", "U"),
    ("y = math.sqrt(x)", "divide(g, 2 * y)", "P"),
    ("y = math.cbrt(x)", "divide(g, 3 * y * y)", "R"),
    ("y = math.sin(x)", "g * math.cos(x)", "R"),
    ("y = math.cos(x)", "-g * math.sin(x)", "R"),
    ("y = math.tan(x)", "g * (1 + y * y)", "U"),
    ("y = math.asin(x)", "divide(g, math.sqrt((1 - x) * (1 + x)))", "U"),
    ("y = math.acos(x)", "-divide(g, math.sqrt((1 - x) * (1 + x)))", "U"),
    ("y = math.atan(x)", "g / (1 + x * x)", "R"),
    ("y = math.sinh(x)", "g * math.cosh(x)", "R"),
    ("y = math.cosh(x)", "g * math.sinh(x)", "R"),
    ("y = math.tanh(x)", "g * (1 - y * y)", "R"),
    ("y = math.asinh(x)", "g / math.sqrt(1 + x * x)", "R"),
    ("y = math.acosh(x)", "divide(g, math.sinh(y))", "G"),
    ("y = math.atanh(x)", "g / ((1 - x) * (1 + x))", "U"),
    ("y = math.fabs(x)", "g * np.sign(x)", "R"),
    ("y = math.degrees(x)", "math.degrees(g)", "R"),
    ("y = math.radians(x)", "math.radians(g)", "R"),
    ("y = math.erf(x)", "g * 2 / math.sqrt(math.pi) * math.exp(-x * x)", "R"),
    ("y = math.erfc(x)", "-g * 2 / math.sqrt(math.pi) * math.exp(-x * x)", "R"),
    ("y = math.gamma(x)", "g * y * polygamma(0, x)", "G"),
    ("y = math.lgamma(x)", "g * polygamma(0, x)", "G"),
    ("y = float(x)", "g", "R"),
):
    elementwise(_text, x=_slope, kind="python_float", cases=_cases)

elementwise("y = math.log(x, base=None)", kind="python_float",
            x=(("base.literal is None", "g / x"), "g / (x * math.log(base))"), base="-g * y / (base * math.log(base))",
            cases=("P", "P, 10", "P, G"))
elementwise("z = math.pow(x, y)", x=POWER_BASE, y=POWER_EXPONENT, kind="python_float",
            cases=("P, R", "R, 2", "R, 3", "P, 0.5", "R, 0", "2, R"))
elementwise("y = math.atan2(a, b)", let="r = a * a + b * b", a="divide(g * b, r)", b="-divide(g * a, r)",
            kind="python_float", cases="R, R")
elementwise("z = math.fmod(x, y)", x="g", y="-g * (x - z) / y", kind="python_float", cases="R, P")
elementwise("z = math.remainder(x, y)", x="g", y="-g * (x - z) / y", kind="python_float", cases="R, P")
elementwise("z = math.copysign(x, y)", x="g * np.sign(x) * math.copysign(1.0, y)", y="0 * y", kind="python_float",
            cases="R, R")
elementwise("y = math.ldexp(x, i)", x="math.ldexp(g, i)", kind="python_float", cases="R, I")
general("f, w = math.modf(x)", x="g_f", push={"x": "(d, 0.0)"}, kind="modf", cases=("R()", "-R()"))
general("f, w = np.modf(x)", x="g_f", push={"x": "(d, 0.0 * d)"}, kind="modf", cases=("R()", "R(3)", "R(2, 0)"))

# Several numbers. Ties of max and min are shared equally, as those of np.maximum.

general("y = math.hypot(*xs)", xs="[divide(g * x, y) for x in xs]",
        push={"xs": "divide(np.dot(xs, d), y)"}, kind="python_float",
        cases=("R(), R()", "R(), R(), R()", "R()"))
general("y = math.dist(p, q)", p="unstack(divide(g * np.subtract(p, q), y), p)",
        q="unstack(divide(g * np.subtract(q, p), y), q)", kind="python_float",
        push={"p": "np.dot(divide(np.subtract(p, q), y), d)", "q": "np.dot(divide(np.subtract(q, p), y), d)"},
        cases=("[R(), R()], [R(), R()]", "R(3), (R(), R(), R())"))
general("y = math.prod(xs, start=1)", xs="unstack(g * start * others_product(xs), xs)", start="g * math.prod(xs)",
        push={"xs": "start * np.dot(others_product(xs), d)", "start": "d * math.prod(xs)"}, kind="python_float",
        cases=("[R(), R(), R()]", "[R(), 0.0, R()]", "R(3), start=R()", "[R()]"))
linear("y = math.fsum(xs)", xs="unsum(g, xs)", kind="python_float", cases=("[R(), R(), R()]", "R(4)", "(R(),)"))
general("y = sum(xs, start=0)", xs="unsum(g, xs)", start="unbroadcast(g, start)", kind="sum",
        push={"xs": "sum(d)", "start": "d + 0 * y"},
        cases=("[R(), R(), R()]", "R(4)", "R(3, 2)", "[R(2), R(2)], R(2)", "(R(2), R()), R()", "[R(2), R(3, 2)]",
               "R(2, 3), R(4, 3)"))
general("y = max(*xs)", xs="split_ties(g, y, xs)", kind="extreme",
        push={"xs": "np.dot(np.ravel(split_ties(1.0, y, xs)), np.ravel(d))"},
        cases=("R(), R()", "R(), R(), 0.0", "[R(), R(), R()]", "R(5)", "P(), 0"))
general("y = min(*xs)", xs="split_ties(g, y, xs)", kind="extreme",
        push={"xs": "np.dot(np.ravel(split_ties(1.0, y, xs)), np.ravel(d))"},
        cases=("R(), R()", "R(), R(), 0.0", "[R(), R(), R()]", "R(5)", "-P(), 0"))
