"""Rows of elementwise functions, of numbers, of creation, of helpers: each against its function; singular points."""

import builtins
import dis
import inspect
import math

import numpy as np
import pytest
from harness import check_row, pulled

from ad_compiler import support
from ad_compiler.rules import creation, elementwise, helpers, scalar
from ad_compiler.rules.table import ROWS, lookup
from ad_compiler.support import divide, polygamma, power_slope, sinc_slope

TEXTS = {module: inspect.getsource(module) for module in (elementwise, scalar, creation, helpers)}
MINE = [row for row in ROWS if any(f'"{row.text}"' in text for text in TEXTS.values())]
DERIVED = [row for row in MINE if row.verb not in ("zero", "constant")]
NARROWING = ("y = np.float32(x)", "y = np.complex64(x)")  # differences of float32 results say little

inf, nan = math.inf, math.nan


@pytest.mark.parametrize("row", [r for r in DERIVED if r.text not in NARROWING], ids=lambda row: row.text)
def test_row(row):
    assert check_row(row) > 0


@pytest.mark.parametrize("function, wide", [(np.float32, 0.1), (np.complex64, 0.1 + 1j)])
def test_narrowing_brings_the_cotangent_back_to_the_wide_dtype(function, wide):
    back = pulled(function, np.full(2, wide), g=np.ones(2, function))["x"]
    assert back.dtype == np.asarray(wide).dtype and np.array_equal(back, np.ones(2))


ZEROS = [row for row in MINE if row.verb == "zero"]


@pytest.mark.parametrize("row", ZEROS, ids=lambda row: row.text)
def test_rows_of_derivative_zero_are_step_functions(row):
    if isinstance(row.form.key, tuple):
        call = {"round": lambda x, *_: x.round(), "FloorDiv": lambda x, y: x // y}[row.form.key[1]]
    else:
        call = row.form.key
    numbers = [0.3] if row.form.params[1:] and row.form.params[1] in ("y", "x2") else []
    for point in np.array([-1.37, 0.21, 2.71]):
        assert call(point, *numbers) == call(point + 1e-6, *numbers) == call(point - 1e-6, *numbers)


def op(name):
    return ("operator", name)


POINTS = [
    # function, arguments, contributions in the order of the arguments
    (np.abs, (0.0,), (0,)), (math.fabs, (0.0,), (0,)), (abs, (0.0,), (0,)), (np.fabs, (0.0,), (0,)),
    (np.abs, (0j,), (0,)),
    (np.sqrt, (0.0,), (inf,)), (math.sqrt, (0.0,), (inf,)), (np.cbrt, (0.0,), (inf,)), (math.cbrt, (0.0,), (inf,)),
    (np.log, (0.0,), (inf,)), (np.log, (-1.0,), (-1,)), (np.log2, (0.0,), (inf,)), (np.log1p, (-1.0,), (inf,)),
    (np.log10, (0.0,), (inf,)),
    (np.power, (0.0, 0.0), (0, 0)), (np.power, (0.0, 2.0), (0, 0)), (np.power, (0.0, 1.0), (1, 0)),
    (np.power, (-2.0, 3.0), (12, nan)), (np.power, (0.0, 0.5), (inf, 0)), (np.power, (0.0, -1.0), (-inf, -inf)),
    (op("Pow"), (0.0, 0.0), (0, 0)), (op("Pow"), (0.0, 2), (0, 0)), (op("Pow"), (0.0, 0.5), (inf, 0)),
    (pow, (0.0, 0.0), (0, 0)), (pow, (0.0, 1.0), (1, 0)),
    (math.pow, (0.0, 0.0), (0, 0)), (math.pow, (0.0, 0.5), (inf, 0)), (math.pow, (-2.0, 3.0), (12, nan)),
    (np.maximum, (1.0, 1.0), (0.5, 0.5)), (np.minimum, (1.0, 1.0), (0.5, 0.5)), (np.maximum, (inf, inf), (0.5, 0.5)),
    (np.fmax, (1.0, 1.0), (0.5, 0.5)), (np.fmax, (1.0, nan), (1, 0)), (np.fmin, (nan, 1.0), (0, 1)),
    (np.clip, (0.0, 0.0, 1.0), (1, 0, 0)), (np.clip, (1.0, 0.0, 1.0), (1, 0, 0)),
    (np.clip, (2.0, 0.0, 1.0), (0, 0, 1)), (np.clip, (-2.0, 0.0, 1.0), (0, 1, 0)),
    (np.clip, (0.5, 1.0, 0.0), (0, 0, 1)), (np.clip, (-1.0, 0.0, 0.0), (0, 0, 1)),
    (np.hypot, (0.0, 0.0), (0, 0)), (np.arctan2, (0.0, 0.0), (0, 0)), (math.atan2, (0.0, 0.0), (0, 0)),
    (np.arcsin, (1.0,), (inf,)), (np.arccos, (1.0,), (-inf,)), (np.arccosh, (1.0,), (inf,)),
    (np.arctanh, (1.0,), (inf,)),
    (np.arcsin, (-1.0,), (inf,)), (math.asin, (1.0,), (inf,)), (math.acos, (-1.0,), (-inf,)),
    (math.acosh, (1.0,), (inf,)),
    (np.sinc, (0.0,), (0,)), (np.sinc, (1e-9,), (-1e-9 * math.pi**2 / 3,)),
    (np.remainder, (-5.0, 3.0), (1, 2)), (op("Mod"), (-5.0, 3.0), (1, 2)),
    (np.fmod, (-5.0, 3.0), (1, 1)), (math.fmod, (-5.0, 3.0), (1, 1)), (math.remainder, (5.0, 3.0), (1, -2)),
    (np.logaddexp, (-inf, -inf), (0, 0)), (np.logaddexp, (1000.0, 0.0), (1, 0)), (np.logaddexp, (0.0, -inf), (1, 0)),
    (np.logaddexp2, (-inf, -inf), (0, 0)),
    (np.nan_to_num, (nan,), (0,)), (np.heaviside, (0.0, 0.5), (0, 1)), (np.copysign, (0.0, -1.0), (0, 0)),
    (np.angle, (0j,), (0,)), (np.tanh, (1000.0,), (0,)), (math.tanh, (-1000.0,), (0,)),
]


@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: np.asarray(v)[()], np.asarray, lambda v: np.full(3, v)],
                         ids=["Python number", "NumPy scalar", "0-d array", "vector"])
@pytest.mark.parametrize("key, args, expected", POINTS, ids=lambda v: str(v))
def test_singular_points(key, args, expected, wrap):
    given = [wrap(a) for a in args]
    if getattr(key, "__module__", "") == "math" and np.ndim(given[0]):
        given = list(args)
    g = np.ones(np.shape(given[0]))[()] if np.ndim(given[0]) else 1.0
    for known in (True, False):
        if not known and type(given[0]) is float and key in (np.log, np.log2, np.log10, np.log1p, np.arctanh):
            continue  # a Python number of unknown kind: Python's own division raises
        found = list(pulled(key, *given, g=g, known=known).values())
        assert len(found) == len(expected)
        for got, wanted in zip(found, expected, strict=True):
            np.testing.assert_allclose(got, np.full(np.shape(got), wanted), rtol=1e-12, atol=1e-300)


LITERALS = [
    (op("Pow"), (0.0, 2), 0), (op("Pow"), (0.0, 0), 0), (op("Pow"), (0.0, 0.5), inf), (op("Pow"), (0.0, 1), 1),
    (op("Pow"), (0.0, 1.0), 1), (op("Pow"), (0.0, 1.5), 0), (np.power, (0.0, -1.0), -inf), (math.pow, (0.0, 0), 0),
    (np.maximum, (0.0, 0), 0.5), (np.minimum, (0.0, 0.0), 0.5),
]


@pytest.mark.parametrize("key, args, expected", LITERALS, ids=lambda v: str(v))
@pytest.mark.parametrize("kind", [float, np.float64, np.asarray])
def test_singular_points_with_a_literal(key, args, expected, kind):
    assert list(pulled(key, kind(args[0]), args[1], literals=(1,)).values()) == [expected]


SEQUENCES = [
    (math.hypot, (0.0, 0.0), [0, 0]), (math.prod, ([0.0, 2.0, 3.0],), [6, 0, 0]),
    (math.prod, ([0.0, 0.0, 3.0],), [0, 0, 0]),
    (math.prod, ([],), []), (math.fsum, ([],), []), (sum, ([],), []), (math.dist, ([1.0], [1.0]), [0]),
    (max, (1.0, 1.0), [0.5, 0.5]), (min, (1.0, 2.0), [1, 0]), (max, ([1.0, 1.0, 0.0],), [[0.5, 0.5, 0]]),
]


@pytest.mark.parametrize("key, args, expected", SEQUENCES, ids=lambda v: str(v))
def test_sequences_at_singular_points(key, args, expected):
    assert next(iter(pulled(key, *args).values())) == expected


def test_zero_cotangents_meet_no_infinite_partials():
    # np.where(x > 0, np.sqrt(x), 0) at 0: the mask has sent back zero
    for key in (np.sqrt, math.sqrt, np.arccosh, np.cbrt):
        assert pulled(key, 1.0 if key is np.arccosh else 0.0, g=0.0)["x"] == 0
    assert pulled(op("Pow"), 0.0, 0.5, g=0.0, literals=(1,))["x"] == 0
    assert divide(1.0, 0.0) == inf and divide(-1.0, 0.0) == -inf and divide(0.0, 0.0) == 0 and divide(0.0, 2.0) == 0
    assert type(divide(1.0, 0.0)) is float and divide(np.float32(1), 0.0).dtype == np.float32


def test_where_takes_the_branch():
    assert pulled(np.where, True, 1.0, 2.0, g=3.0) == {"condition": 0.0, "x": 3.0, "y": 0.0}
    back = pulled(np.where, np.array([True, False]), np.ones(2), 2.0, g=np.array([inf, 1.0]))
    assert back["x"].tolist() == [inf, 0] and back["y"] == 1


PYTHON = [(op("Add"), 2), (op("Mult"), 2), (op("Div"), 2), (op("Pow"), 2), (op("Mod"), 2), (op("USub"), 1),
          (math.sin, 1), (math.sqrt, 1), (math.exp, 1), (math.log, 1), (math.hypot, 2), (math.atan2, 2),
          (math.gamma, 1)]


@pytest.mark.parametrize("key, arity", PYTHON, ids=lambda v: str(v))
def test_python_numbers_stay_python_numbers(key, arity):
    for part in pulled(key, *[0.5] * arity).values():
        assert all(type(p) is float for p in (part if isinstance(part, list) else [part]))


ALIASES = ("acos acosh asin asinh atan atan2 atanh pow absolute conjugate true_divide mod around "
           "bitwise_invert bitwise_left_shift bitwise_right_shift").split()


@pytest.mark.parametrize("name", ALIASES)
def test_other_names_of_the_same_function_have_the_same_row(name):
    assert lookup(getattr(np, name)) is not None


def test_sinc_slopes_are_accurate_near_zero():
    assert sinc_slope(0.0, 2) == pytest.approx(-math.pi**2 / 3)
    assert sinc_slope(0.0, 4) == pytest.approx(math.pi**4 / 5)
    for order in (1, 2, 3, 4):
        edge = 0.5 + 0.25 * order
        inside, outside = sinc_slope(edge - 1e-13, order), sinc_slope(edge + 1e-13, order)
        assert inside == pytest.approx(outside, rel=1e-9, abs=1e-9)
    assert sinc_slope(np.float32(0.2), 1).dtype == np.float32 and sinc_slope(np.zeros((0, 2)), 1).shape == (0, 2)


def test_polygamma_has_the_values_of_the_tables():
    assert polygamma(0, 1.0) == pytest.approx(-0.5772156649015329, rel=1e-14)
    assert polygamma(1, 1.0) == pytest.approx(math.pi**2 / 6, rel=1e-14)
    assert polygamma(2, 1.0) == pytest.approx(-2 * 1.2020569031595943, rel=1e-13)
    assert polygamma(0, -0.5) == pytest.approx(0.03648997397857652, rel=1e-12)
    assert polygamma(1, -0.5) == pytest.approx(math.pi**2 / 2 + 4, rel=1e-13)
    assert math.isnan(polygamma(0, -2.0)) and math.isnan(polygamma(1, 0.0))


def test_power_slopes_of_higher_order():
    assert power_slope(0.0, 2.0, 2) == 2 and power_slope(0.0, 2.0, 3) == 0 and power_slope(0.0, 0.0, 2) == 0
    assert power_slope(2.0, 3.0, 0, 2) == pytest.approx(8 * math.log(2) ** 2)
    assert power_slope(2.0, 3.0, 1, 1) == pytest.approx(4 + 12 * math.log(2))
    assert power_slope(np.float32(2), 3).dtype == np.float32


HELPERS = [value for value in vars(support).values() if callable(value)]


@pytest.mark.parametrize("helper", HELPERS, ids=lambda helper: helper.__name__)
def test_helpers_can_be_pasted_into_a_file_of_their_own(helper):
    globals_read = {i.argval for i in dis.get_instructions(helper) if i.opname == "LOAD_GLOBAL"}
    assert globals_read <= {"np", "math", *(other.__name__ for other in HELPERS)} | set(dir(builtins))
    assert helper.__closure__ is None and helper.__doc__
