"""Rows of functions that act element by element: Python's operators and NumPy's elementwise functions.

Formulas are what one writes by hand. `divide` stands where a partial is infinite though the function itself is finite
and silent (sqrt at 0), or where Python's division would raise and NumPy's function doesn't (np.log(0.0)). Formulas of
holomorphic functions hold for complex numbers, in the pairing Re(g · Jd); `push` stands where a tangent isn't the same
formula. `0.0` is the contribution to an argument on which the result depends by steps only.
"""

from __future__ import annotations

from .table import elementwise, zero

# Arithmetic

elementwise("z = np.add(x, y)", also="x + y", x="g", y="g", cases=("R, R", "C, R"))
elementwise("z = np.subtract(x, y)", also="x - y", x="g", y="-g", cases=("R, R", "R, C"))
elementwise("z = np.multiply(x, y)", also="x * y", x="g * y", y="g * x", cases=("R, R", "C, C", "R, C", "3, R"))
elementwise("z = np.divide(x, y)", also="x / y", let="ratio = g / y", x="ratio", y="-ratio * z",
            cases=("R, P", "C, P", "1, C", "R, 2"))
elementwise("y = np.negative(x)", also="-x", x="-g", cases=("R", "C"))
elementwise("y = np.positive(x)", also="+x", x="g", cases=("R", "C"))
elementwise("z = np.remainder(x, y)", also="x % y", x="g", y="-g * (x // y)", cases=("R, P", "R, 0.75"))
elementwise("z = np.fmod(x, y)", x="g", y="-g * (x - z) / y", cases=("R, P",))
zero("z = np.floor_divide(x, y)", "z = x // y")

# Powers. A literal exponent gives the schoolbook formula; x ** 0 has no slope, not even at x = 0, and 0 < y < 1 an
# infinite one there. With an exponent below 0, Python's operator raises at 0 before we come to the slope.

POWER_BASE = (
    ("y.literal == 2", "2 * g * x"),
    ("y.literal == 1", "g"),
    ("y.literal == 0", "0.0"),
    ("y.literal > 1 or (y.literal < 0 and not x.is_python)", "g * y * x ** (y - 1)"),
    ("y.literal > 0", "divide(g * y, x ** (1 - y))"),
    "g * power_slope(x, y)",
)
POWER_EXPONENT = (("x.literal > 0", "g * z * math.log(x)"), "g * exponent_slope(x, y)")

elementwise("z = np.power(x, y)", also=("x ** y", "pow(x, y)"), x=POWER_BASE, y=POWER_EXPONENT,
            cases=("P, R", "P, P", "P, I", "R, 2", "R, 3", "R, 1", "R, 0", "P, 0.5", "P, -1", "P, -0.5", "P, 2.5",
                   "2, R", "0.5, R", "C, 2", "C, R"))
elementwise("z = np.float_power(x, y)", kind="unknown", x=POWER_BASE, y=POWER_EXPONENT,
            cases=("P, R", "R, 2", "P, 0.5", "2, R"))
elementwise("y = np.square(x)", x="2 * g * x", cases=("R", "C"))
elementwise("y = np.sqrt(x)", x="divide(g, 2 * y)", cases=("P", "C"))
elementwise("y = np.cbrt(x)", x="divide(g, 3 * y * y)", cases="R")
elementwise("y = np.reciprocal(x)", x="-g * y * y", cases=("P", "C"))

# Exponentials and logarithms. `math.log(2)` is a Python number, which leaves float32 as it is.

elementwise("y = np.exp(x)", x="g * y", cases=("R", "C"))
elementwise("y = np.exp2(x)", x="g * y * math.log(2)", cases="R")
elementwise("y = np.expm1(x)", x="g * np.exp(x)", cases=("R", "C"))
elementwise("y = np.log(x)", x=(("x.is_python", "divide(g, x)"), "g / x"), cases=("P", "C"))
elementwise("y = np.log2(x)", x=(("x.is_python", "divide(g, x * math.log(2))"), "g / (x * math.log(2))"), cases="P")
elementwise("y = np.log10(x)", x=(("x.is_python", "divide(g, x * math.log(10))"), "g / (x * math.log(10))"), cases="P")
elementwise("y = np.log1p(x)", x=(("x.is_python", "divide(g, 1 + x)"), "g / (1 + x)"), cases=("U", "C"))
elementwise("z = np.logaddexp(x, y)", x="g * share(x, z)", y="g * share(y, z)", cases="R, R")
elementwise("z = np.logaddexp2(x, y)", x="g * share(math.log(2) * x, math.log(2) * z)",
            y="g * share(math.log(2) * y, math.log(2) * z)", cases="R, R")

# Trigonometric and hyperbolic functions. (1 - x) * (1 + x) keeps its digits near ±1, where 1 - x * x loses them.

elementwise("y = np.sin(x)", x="g * np.cos(x)", cases=("R", "C"))
elementwise("y = np.cos(x)", x="-g * np.sin(x)", cases=("R", "C"))
elementwise("y = np.tan(x)", x="g * (1 + y * y)", cases=("U", "C"))
elementwise("y = np.arcsin(x)", x="divide(g, np.sqrt((1 - x) * (1 + x)))", cases="U")
elementwise("y = np.arccos(x)", x="-divide(g, np.sqrt((1 - x) * (1 + x)))", cases="U")
elementwise("y = np.arctan(x)", x="g / (1 + x * x)", cases=("R", "C"))
elementwise("y = np.arctan2(a, b)", let="r = a * a + b * b", a="divide(g * b, r)", b="-divide(g * a, r)", cases="R, R")
elementwise("z = np.hypot(x, y)", x="divide(g * x, z)", y="divide(g * y, z)", cases="R, R")
elementwise("y = np.sinh(x)", x="g * np.cosh(x)", cases=("R", "C"))
elementwise("y = np.cosh(x)", x="g * np.sinh(x)", cases=("R", "C"))
elementwise("y = np.tanh(x)", x="g * (1 - y * y)", cases=("R", "C"))
elementwise("y = np.arcsinh(x)", x="g / np.sqrt(1 + x * x)", cases="R")
elementwise("y = np.arccosh(x)", x="divide(g, np.sinh(y))", cases=("G", "C"))
elementwise("y = np.arctanh(x)", cases=("U", "C"),
            x=(("x.is_python", "divide(g, (1 - x) * (1 + x))"), "g / ((1 - x) * (1 + x))"))
elementwise("y = np.sinc(x)", x="g * sinc_slope(x, 1)", cases=("R", "U"))
elementwise("y = np.deg2rad(x)", x="np.deg2rad(g)", cases="R")
elementwise("y = np.radians(x)", x="np.radians(g)", cases="R")
elementwise("y = np.rad2deg(x)", x="np.rad2deg(g)", cases="R")
elementwise("y = np.degrees(x)", x="np.degrees(g)", cases="R")

# Absolute values, parts of complex numbers

elementwise("y = np.abs(x)", also="abs(x)", kind="real_x", cases=("R", "C"),
            x=(("x.is_real", "g * np.sign(x)"), "g * np.conj(np.sign(x))"),
            push={"x": "np.real(d * np.conj(np.sign(x)))"})
elementwise("y = np.fabs(x)", x="g * np.sign(x)", cases="R")
elementwise("z = np.copysign(x, y)", x="g * np.sign(x) * np.copysign(1.0, y)", y="0 * y", cases="R, R")
elementwise("y = np.real(x)", also="x.real", kind="real_x", x="g", push={"x": "np.real(d)"}, cases=("R", "C"))
elementwise("y = np.imag(x)", also="x.imag", kind="real_x", x=(("x.is_real", "0.0"), "-1j * g"),
            push={"x": "np.imag(d)"}, cases=("R", "C"))
elementwise("y = np.conj(x)", also=("x.conj()", "x.conjugate()"), kind="same_x", x=(("x.is_real", "g"), "np.conj(g)"),
            push={"x": "np.conj(d)"}, cases=("R", "C"))
elementwise("y = np.angle(z)", kind="real_x", let="r = np.square(np.abs(z))",
            z=(("z.is_real", "0.0"), "divide(-1j * g * np.conj(z), r)"),
            push={"z": "np.imag(divide(d * np.conj(z), r))"}, cases=("R", "C"))
zero("y = np.sign(x)", "y = np.floor(x)", "y = np.ceil(x)", "y = np.trunc(x)", "y = np.rint(x)", "y = np.fix(x)",
     "y = np.round(a, decimals=0)", "y = np.around(a, decimals=0)",
     "y = a.round(decimals=0)", "y = round(number, ndigits=None)")

# Selections. A tie of maximum or minimum is shared; inside of clip's closed interval the argument itself is the result.

elementwise("z = np.maximum(x, y)", x="g * ((x > y) + 0.5 * (x == y))", y="g * ((y > x) + 0.5 * (x == y))",
            cases=("R, R", "R, 0"))
elementwise("z = np.minimum(x, y)", x="g * ((x < y) + 0.5 * (x == y))", y="g * ((y < x) + 0.5 * (x == y))",
            cases=("R, R", "R, 0"))
elementwise("z = np.fmax(x, y)", x="g * ((x > y) + 0.5 * (x == y) + np.isnan(y))",
            y="g * ((y > x) + 0.5 * (x == y) + np.isnan(x))", cases="R, R")
elementwise("z = np.fmin(x, y)", x="g * ((x < y) + 0.5 * (x == y) + np.isnan(y))",
            y="g * ((y < x) + 0.5 * (x == y) + np.isnan(x))", cases="R, R")
elementwise("y = np.clip(a, a_min=None, a_max=None)", a="g * (y == a)",
            a_min="g * ((y == a_min) & (y != a) & (y != a_max))", a_max="g * ((y == a_max) & (y != a))",
            cases=("R, -0.5, 0.5", "R, U, G", "R, 0.25, None", "R, None, R", "R, R, None"))
elementwise("y = x.clip(min=None, max=None)", x="g * (y == x)",
            min="g * ((y == min) & (y != x) & (y != max))", max="g * ((y == max) & (y != x))",
            cases=("R, -0.5, 0.5", "R, U, G", "R, None, R"))
elementwise("z = np.where(condition, x, y)", kind="where", condition="0.0",
            cases=("B, R, R", "B, R, 0", "B, C, C", "R, R, R"),
            x=(("condition.is_scalar", "g if condition else 0.0"), "np.where(condition, g, 0)"),
            y=(("condition.is_scalar", "0.0 if condition else g"), "np.where(condition, 0, g)"))
elementwise("z = np.heaviside(x, y)", x="0 * x", y="g * (x == 0)", cases=("R, R", "0, R"))
elementwise("y = np.nan_to_num(x, copy=True, nan=0.0, posinf=None, neginf=None)", kind="same_x",
            x="g * np.isfinite(x)", cases="R")
elementwise("y = np.ldexp(x, i)", x="np.ldexp(g, i)", cases="R, I")
