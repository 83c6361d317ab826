"""The grammar of the derivative table: a row shows a call and, for each argument, what the cotangent `g` sends back.

    elementwise("y = np.sin(x)", x="g * np.cos(x)", cases="R")
    linear("y = np.sum(x, axis=None, keepdims=False)", also="x.sum(axis, keepdims)", x="unreduce(g, x, axis, keepdims)")
    general("w, v = np.linalg.eigh(a)", a="eigh_pull(g_w, g_v, w, v)", cases=("S(3)",))

Words of a row:
    call      `result = head(parameters)`: a function, a method `x.sum(axis)`, an attribute `x.T`, an operator `x * y`
              or `x[i]`. Defaults stand in the first form; `*xs` takes all further arguments as one sequence.
    also      further forms with the same parameter names
    <name>=   the contribution to that parameter: an expression over parameters, results, `g` (`g_<result>` where there
              are several results), the `let` names, `np`, `math` and the helpers of `ad_compiler.support`. A parameter
              that is a sequence gets a sequence. Alternatives are a tuple ((condition, expression), ..., expression):
              a condition is Python over the parameters' facts, see `kinds.Fact`: `x.ndim == 2`, `axis.literal is None`
    let       shared terms, "v = expression", separated by newlines or semicolons
    push      tangents for forward mode where they don't follow from the verb: {parameter: expression over `d`}
    kind      the name of the function in `analysis.results` that tells the kind of the result
    cases     arguments to test with: domains of an elementwise row ("R, P"), or texts of argument lists

Verbs: `elementwise` (contributions have the result's shape and are matched to the argument; the tangent is the
contribution with `g` read as the argument's tangent), `linear` (in the arguments that have contributions; the tangent
is the call itself), `general`, `zero` (differentiable, with derivative zero almost everywhere), `constant` (no
derivative at all: indices, shapes, truth values).
"""

from __future__ import annotations

import builtins
import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import gast
import numpy as np

from ..errors import InternalError
from ..kinds import Facts
from ..syntax import Tree, dotted, quote, quote_statements, reads

Pull = str | tuple[Any, ...]
Key = object  # a function, or a pair ("operator" | "method" | "attribute", name)


@dataclass(frozen=True)
class Form:
    """One way to write the call: what it is looked up by, and its parameters in order."""

    key: Key
    params: tuple[str, ...]
    star: str | None


@dataclass(frozen=True, eq=False)
class Row:
    """One function's derivative, as written in the table."""

    verb: str
    text: str
    form: Form
    also: tuple[Form, ...]
    results: tuple[str, ...]
    defaults: Mapping[str, Tree]
    pulls: Mapping[str, Pull]
    let: str = ""
    push: Mapping[str, str] = field(default_factory=dict)
    kind: str = "unknown"
    cases: str | tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name that people know it by: `multiply` for `x * y`, `sin` for `np.sin(x)`."""
        key = self.form.key
        return str(key[1]) if isinstance(key, tuple) else str(getattr(key, "__name__", key))

    @functools.cached_property
    def lets(self) -> dict[str, Tree]:
        """The shared terms, in order."""
        return {s.targets[0].id: s.value for s in quote_statements(self.let)}

    def pull(self, parameter: str, facts: Facts) -> Tree:
        """The contribution to a parameter, as a tree over the row's own names; `facts` decide among alternatives."""
        choice = self.pulls[parameter]
        if isinstance(choice, str):
            return quote(choice)
        for option in choice:
            if isinstance(option, str):
                return quote(option)
            condition, expression = option
            if holds(condition, facts):
                return quote(expression)
        raise InternalError(f"no alternative of {self.text!r} fits for {parameter}")

    def bind(self, form: Form, arguments: list[Tree], keywords: Mapping[str, Tree]) -> dict[str, Tree]:
        """The tree given for each parameter, defaults included; LookupError names an argument that has no place."""
        bound: dict[str, Tree] = dict(zip(form.params, arguments, strict=False))
        extra = arguments[len(form.params):]
        if form.star:
            bound[form.star] = gast.Tuple(elts=list(extra), ctx=gast.Load())
        elif extra:
            raise LookupError(f"{len(arguments)} positional arguments")
        for keyword, tree in keywords.items():
            if keyword in bound or (keyword not in form.params and keyword not in self.defaults):
                raise LookupError(f"the argument {keyword}=")
            bound[keyword] = tree
        for parameter, tree in self.defaults.items():
            bound.setdefault(parameter, tree)
        missing = [p for p in form.params if p not in bound]
        if missing:
            raise LookupError(f"no argument {missing[0]}")
        return bound


def holds(condition: str, facts: Facts) -> bool:
    """Whether a row's condition is known to hold; what is unknown (None) doesn't."""
    try:
        return bool(eval(_code(condition), {"__builtins__": {}, "len": len, "isinstance": isinstance, "int": int,
                                            "tuple": tuple, "str": str, "float": float}, dict(facts)))
    except (TypeError, AttributeError, NameError):  # NameError: code that can't be reached has no facts
        return False


@functools.lru_cache(maxsize=1024)
def _code(condition: str) -> Any:
    return compile(condition, "<condition>", "eval")


ROWS: list[Row] = []
_BY_KEY: dict[Key, tuple[Row, Form]] = {}
_SCOPE = {"np": np, "numpy": np, "math": math, **vars(builtins)}


def lookup(key: Key) -> tuple[Row, Form] | None:
    """The row for a function, or for ("operator", "Mult"), ("method", "sum"), ("attribute", "T")."""
    try:
        return _BY_KEY.get(key)
    except TypeError:  # an unhashable callable
        return None


def add(verb: str, text: str, also: str | tuple[str, ...], kind: str, let: str, push: Mapping[str, str] | None,
        cases: str | tuple[str, ...], pulls: Mapping[str, Pull]) -> Row:
    """Put a row into the table."""
    statement = quote_statements(text)[0]
    defaults: dict[str, Tree] = {}
    form = _form(statement.value, defaults)
    result = statement.targets[0]
    results = tuple(n.id for n in result.elts) if isinstance(result, gast.Tuple) else (result.id,)
    extra = tuple(_form(quote(other), {}) for other in ((also,) if isinstance(also, str) else also))
    row = Row(verb, text, form, extra, results, defaults, dict(pulls), let, dict(push or {}), kind, cases)
    known = {*form.params, *([form.star] if form.star else []), *defaults}
    if not set(pulls) <= known:
        raise InternalError(f"{text!r} has no parameter {sorted(set(pulls) - known)}")
    ROWS.append(row)
    for each in (form, *extra):
        _BY_KEY[each.key] = (row, each)
    return row


def _form(call: Tree, defaults: dict[str, Tree]) -> Form:
    if isinstance(call, gast.BinOp):
        return Form(("operator", type(call.op).__name__), (call.left.id, call.right.id), None)
    if isinstance(call, gast.UnaryOp):
        return Form(("operator", type(call.op).__name__), (call.operand.id,), None)
    if isinstance(call, gast.Subscript):
        return Form(("operator", "Subscript"), (call.value.id, call.slice.id), None)
    if isinstance(call, gast.Attribute):
        return Form(("attribute", call.attr), (call.value.id,), None)
    params: list[str] = []
    star: str | None = None
    if isinstance(call.func, gast.Attribute) and dotted(call.func).split(".")[0] not in _SCOPE:  # type: ignore[union-attr]
        key: Key = ("method", call.func.attr)
        params.append(call.func.value.id)
    else:
        key = eval(dotted(call.func) or "", dict(_SCOPE))
    for argument in call.args:
        if isinstance(argument, gast.Starred):
            star = argument.value.id
        else:
            params.append(argument.id)
    for keyword in call.keywords:
        params.append(keyword.arg)
        defaults[keyword.arg] = keyword.value
    return Form(key, tuple(params), star)


def elementwise(text: str, *, also: str | tuple[str, ...] = (), kind: str = "broadcast", let: str = "",
                push: Mapping[str, str] | None = None, cases: str | tuple[str, ...] = (), **pulls: Pull) -> Row:
    """A function that acts element by element with broadcasting."""
    return add("elementwise", text, also, kind, let, push, cases, pulls)


def linear(text: str, *, also: str | tuple[str, ...] = (), kind: str = "unknown", let: str = "",
           push: Mapping[str, str] | None = None, cases: tuple[str, ...] = (), **pulls: Pull) -> Row:
    """A function linear in the arguments that have contributions, taken together."""
    return add("linear", text, also, kind, let, push, cases, pulls)


def general(text: str, *, also: str | tuple[str, ...] = (), kind: str = "unknown", let: str = "",
            push: Mapping[str, str] | None = None, cases: tuple[str, ...] = (), **pulls: Pull) -> Row:
    """Any other differentiable function; contributions have the shape of the argument."""
    return add("general", text, also, kind, let, push, cases, pulls)


def zero(*texts: str, kind: str = "broadcast") -> None:
    """Functions whose derivative is zero wherever it exists."""
    for text in texts:
        add("zero", text, (), kind, "", None, (), {})


def constant_rows(*functions: Callable[..., Any], kind: str = "inactive") -> None:
    """Functions that carry no derivative, whatever they are given: indices, shapes, truth values, creation."""
    for function in functions:
        label = getattr(function, "__name__", str(function))
        row = Row("constant", label, Form(function, (), None), (), ("y",), {}, {}, kind=kind)
        ROWS.append(row)
        _BY_KEY[function] = (row, row.form)


def constant_names(what: str, *names: str, kind: str = "inactive") -> None:
    """The same for methods and attributes: `constant_names("attribute", "shape", "ndim")`."""
    for each in names:
        key = (what, each)
        row = Row("constant", f"x.{each}", Form(key, ("x",), None), (), ("y",), {}, {}, kind=kind)
        ROWS.append(row)
        _BY_KEY[key] = (row, row.form)


def names_used(row: Row) -> set[str]:
    """Every name that the row's formulas read."""
    texts = [e if isinstance(e, str) else e[1] for p in row.pulls.values() for e in ((p,) if isinstance(p, str) else p)]
    found = {n for text in [*texts, *row.push.values()] for n in reads(quote(text))}
    return found.union(*(reads(t) for t in row.lets.values()))
