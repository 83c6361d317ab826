"""The grammar of rows: forms, binding, alternatives, errors; and what holds of all rows together."""

import builtins
import math

import gast
import numpy as np
import pytest

from ad_compiler import kinds, rules, support
from ad_compiler.errors import InternalError
from ad_compiler.rules import table
from ad_compiler.rules.table import ROWS, Row, holds, lookup, names_used
from ad_compiler.syntax import key, quote, reads, walk

DERIVED = [row for row in ROWS if row.verb not in ("zero", "constant")]
HELPERS = {name for name, value in vars(support).items() if callable(value)}


@pytest.fixture
def apart(monkeypatch):
    """A table of its own for the rows of a test."""
    monkeypatch.setattr(table, "ROWS", [])
    monkeypatch.setattr(table, "_BY_KEY", {})


def bound(text, call, row=None):
    row = row or table.general(text, x="g")
    form = row.form
    tree = quote(call)
    found = row.bind(form, list(tree.args), {k.arg: k.value for k in tree.keywords})
    return {parameter: key(value) for parameter, value in found.items()}


BINDINGS = [
    ("y = np.sum(x, axis=None, keepdims=False)", "f(a)", {"x": "a", "axis": "None", "keepdims": "False"}),
    ("y = np.sum(x, axis=None, keepdims=False)", "f(a, 1)", {"x": "a", "axis": "1", "keepdims": "False"}),
    ("y = np.sum(x, axis=None, keepdims=False)", "f(a, keepdims=k)", {"x": "a", "axis": "None", "keepdims": "k"}),
    ("y = math.hypot(*x)", "f(a, b, c)", {"x": "(a, b, c)"}),
    ("y = x.sum(axis)", "f(a, 0)", {"x": "a", "axis": "0"}),
]


@pytest.mark.parametrize("text, call, expected", BINDINGS)
def test_arguments_find_their_parameters(apart, text, call, expected):
    assert bound(text, call) == expected


MISFITS = [
    ("y = np.sin(x)", "f(a, b)", "2 positional arguments"),
    ("y = np.sin(x)", "f(a, out=b)", "the argument out="),
    ("y = np.sin(x)", "f(a, x=b)", "the argument x="),
    ("y = np.power(x, y)", "f(a)", "no argument y"),
]


@pytest.mark.parametrize("text, call, message", MISFITS)
def test_arguments_without_a_place_are_named(apart, text, call, message):
    with pytest.raises(LookupError, match=message):
        bound(text, call)


KEYS = [
    ("y = np.sin(x)", np.sin), ("y = math.sin(x)", math.sin), ("y = abs(x)", abs), ("z = x * y", ("operator", "Mult")),
    ("y = -x", ("operator", "USub")), ("y = x[i]", ("operator", "Subscript")), ("y = x.T", ("attribute", "T")),
    ("y = x.sum(axis)", ("method", "sum")), ("y = np.linalg.inv(x)", np.linalg.inv),
]


@pytest.mark.parametrize("text, expected", KEYS)
def test_a_row_is_found_by_its_head(apart, text, expected):
    row = table.general(text, x="g")
    assert row.form.key == expected and lookup(expected) == (row, row.form)


def test_further_forms_lead_to_the_same_row():
    pairs = [(np.multiply, ("operator", "Mult")), (np.abs, abs), (np.power, pow), (np.imag, ("attribute", "imag"))]
    for one, other in pairs:
        assert lookup(one)[0] is lookup(other)[0]
    assert lookup(("operator", "Mult"))[0].name == "multiply"
    assert lookup([]) is None and lookup(lambda: 0) is None


def test_alternatives_are_decided_by_facts():
    row = lookup(np.power)[0]
    exponents = {2: "2 * g * x", 1: "g", 0: "0.0", 3: "g * y * x ** (y - 1)", 0.5: "divide(g * y, x ** (1 - y))",
                 ...: "g * power_slope(x, y)"}
    for literal, formula in exponents.items():
        facts = {"x": kinds.Fact(kinds.FLOAT), "y": kinds.Fact(kinds.FLOAT, literal)}
        assert key(row.pull("x", facts)) == formula


CONDITIONS = [("x.ndim == 2", True), ("x.ndim > 2", False), ("x.is_python", False), ("x.is_real", True),
              ("u.ndim > 1", False), ("u.is_real", False), ("n.literal == 2", True), ("u.literal > 0", False),
              ("not u.given", True)]


@pytest.mark.parametrize("condition, expected", CONDITIONS)
def test_what_is_unknown_does_not_hold(condition, expected):
    facts = {"x": kinds.Fact(kinds.Array("f8", ("n", 3))), "u": kinds.Fact(kinds.UNKNOWN, given=False),
             "n": kinds.Fact(kinds.INT, 2)}
    assert holds(condition, facts) is expected


def test_a_row_without_a_fitting_alternative_is_a_fault(apart):
    row = table.general("y = np.sin(x)", x=(("x.ndim == 1", "g"),))
    with pytest.raises(InternalError, match="no alternative"):
        row.pull("x", {"x": kinds.Fact(kinds.FLOAT)})


def test_a_contribution_to_nothing_is_a_fault(apart):
    with pytest.raises(InternalError, match="has no parameter"):
        table.general("y = np.sin(x)", z="g")


def test_shared_terms_keep_their_order(apart):
    row = table.general("y = np.sin(x)", let="a = x + 1\nb = a * 2", x="g * b")
    assert list(row.lets) == ["a", "b"] and names_used(row) == {"g", "a", "b", "x"}


# All rows

@pytest.mark.parametrize("row", DERIVED, ids=lambda row: row.text)
def test_every_row_has_cases(row):
    assert row.cases or row.text in ("y = np.float32(x)", "y = np.complex64(x)")


@pytest.mark.parametrize("row", DERIVED, ids=lambda row: row.text)
def test_every_name_in_a_row_means_something(row):
    own = {*row.form.params, row.form.star, *row.defaults, *row.results, *row.lets, "g", "d", "np", "math"}
    own |= {f"g_{result}" for result in row.results}
    assert names_used(row) - own - HELPERS <= set(vars(builtins))


@pytest.mark.parametrize("row", DERIVED, ids=lambda row: row.text)
def test_the_last_alternative_needs_no_condition(row):
    assert row.pulls
    for choice in row.pulls.values():
        assert isinstance(choice, str) or isinstance(choice[-1], str)


@pytest.mark.parametrize("row", DERIVED, ids=lambda row: row.text)
def test_what_a_further_form_takes_has_a_parameter(row):
    known = {*row.form.params, row.form.star, *row.defaults}
    for form in row.also:
        assert set(form.params) <= known and form.star in (None, row.form.star)


def test_no_two_rows_claim_the_same_call():
    seen: dict = {}
    for row in ROWS:
        for form in (row.form, *row.also):
            other = seen.setdefault(form.key, row)
            assert other is row, f"{form.key} stands in {other.text!r} and in {row.text!r}"


CONSTANT = [row for row in ROWS if row.verb == "constant"]


def test_constant_rows_send_nothing_back():
    assert CONSTANT and not any(row.pulls or row.push or row.cases for row in CONSTANT)


SAMPLES = {
    np.isin: (np.arange(3.0), np.arange(2.0)), np.searchsorted: (np.arange(3.0), 1.5),
    np.digitize: (0.5, np.arange(3.0)), np.lexsort: ((np.array([2.0, 1.0]),),),
    np.argpartition: (np.array([2.0, 1.0, 3.0]), 1),
    np.unravel_index: (3, (2, 2)), np.ravel_multi_index: ((1, 1), (2, 2)), np.zeros: (3,), np.ones: (3,),
    np.eye: (3,), np.identity: (3,), np.tri: (3,), math.isclose: (0.3, 0.4), math.gcd: (4, 6), math.lcm: (4, 6),
    math.factorial: (4,), math.comb: (4, 2), math.perm: (4, 2), math.isqrt: (17,), int: (2.5,), bool: (2.5,),
}


@pytest.mark.parametrize("row", CONSTANT, ids=lambda row: str(row.form.key))
def test_constant_rows_are_constants(row):
    """The result doesn't change with a small change of the argument."""
    function = row.form.key
    x = np.array([1.3, -0.4, 2.6])
    if isinstance(function, tuple):
        what, name = function
        rest = {"argpartition": (1,), "searchsorted": (1.5,)}.get(name, ())
        read = lambda v: getattr(v, name)(*rest) if what == "method" else getattr(v, name)
        assert what == "operator" or str(read(x)) == str(read(x + 1e-9))
        return
    if function in SAMPLES:
        before = after = SAMPLES[function]
        if isinstance(before[0], float):
            after = (before[0] + 1e-9, *before[1:])
    elif isinstance(function, np.ufunc):
        ints = all(set(t.split("->")[0]) <= set("?bBhHiIlLqQpPO") for t in function.types)
        sample = np.array([1, 2, 3]) if ints else x
        before, after = (sample,) * function.nin, (sample if ints else x + 1e-9,) * function.nin
    elif getattr(function, "__module__", "") == "math":
        before, after = (1.3,), (1.3 + 1e-9,)
    else:
        assert callable(function)
        return
    assert np.array_equal(function(*before), function(*after))


# Without a rule of their own: derivatives of a second order through them are refused.
LATER = {"others_product", "norm_slope", "range"}


def test_the_table_is_closed_under_differentiation():
    missing = set()
    scope = {"np": np, "math": math, **vars(builtins), **vars(support)}
    for row in DERIVED:
        for parameter in row.pulls:
            for node in _expressions(row, parameter):
                if isinstance(node, gast.Call):
                    text = key(node.func)
                    if reads(node.func)[0] in scope and lookup(eval(text, dict(scope))) is None:
                        missing.add(text)
    assert missing <= LATER


def _expressions(row: Row, parameter):
    choice = row.pulls[parameter]
    for option in (choice,) if isinstance(choice, str) else choice:
        yield from walk(quote(option if isinstance(option, str) else option[1]))
    for term in row.lets.values():
        yield from walk(term)


def test_importing_the_package_fills_the_table():
    assert rules.elementwise and len(ROWS) > 250
