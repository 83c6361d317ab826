"""The derivative table as text: what is supported, and each rule."""

from __future__ import annotations

import builtins
import difflib
import math
import textwrap
from types import ModuleType
from typing import Any

import numpy as np

from . import rules as rules
from .rules.table import ROWS, Form, Pull, Row

VERBS = {
    "elementwise": "acts element by element, with broadcasting",
    "linear": "linear in the arguments that have contributions",
    "general": "any other differentiable function",
    "zero": "differentiable, with derivative zero wherever there is one",
    "constant": "carries no derivative: indices, shapes, truth values",
}
OPERATORS = {"Add": "+", "Sub": "-", "Mult": "*", "Div": "/", "FloorDiv": "//", "Mod": "%", "Pow": "**", "MatMult": "@",
             "USub": "-", "UAdd": "+", "Invert": "~", "Not": "not", "BitAnd": "&", "BitOr": "|", "BitXor": "^",
             "LShift": "<<", "RShift": ">>"}
MODULES: dict[str, ModuleType] = {"np": np, "np.linalg": np.linalg, "np.fft": np.fft, "np.random": np.random,
                                  "math": math}


def listed() -> str:
    """All rows by verb, and in it by what they belong to.

    >>> "np.sin(x)" in listed()
    True
    """
    sections = []
    for verb, meaning in VERBS.items():
        groups: dict[str, set[str]] = {}
        for row in _shown():
            if row.verb == verb:
                for text, form in zip(spellings(row), (row.form, *row.also), strict=True):
                    groups.setdefault(_home(form), set()).add(text)
        lines = [f"{verb}: {meaning}"]
        for home in sorted(groups):
            lines.append(textwrap.fill(", ".join(sorted(groups[home])), 118, initial_indent=f"  {home}: ",
                                       subsequent_indent="      ", break_long_words=False, break_on_hyphens=False))
        if groups:
            sections.append("\n".join(lines))
    return "\n\n".join(sections)


def rules_named(name: str) -> tuple[list[str], list[str]]:
    """The texts of the rows that a name stands for, and, if there are none, names like it.

    >>> rules_named("math.sin")[0][0].splitlines()[0]
    'y = math.sin(x)'
    """
    wanted = name.strip().removesuffix("()").replace("numpy.", "np.")
    found = [row for row in _shown() if any(wanted in _names(form) for form in (row.form, *row.also))]
    if found:
        return [shown(row) for row in found], []
    known = sorted({n for row in _shown() for form in (row.form, *row.also) for n in _names(form)})
    return [], difflib.get_close_matches(wanted, known)


def shown(row: Row) -> str:
    """A row: its call, its other spellings, and the contribution to each argument."""
    first, *others = spellings(row)
    lines = [row.text if "=" in row.text else first]
    if others:
        lines.append(f"    also {', '.join(others)}")
    lines.append(f"    {row.verb}: {VERBS[row.verb]}")
    for term in row.let.replace(";", "\n").splitlines():
        lines.append(f"    where {term.strip()}")
    for parameter, pull in row.pulls.items():
        lines += _pull(parameter, pull)
    for parameter, text in row.push.items():
        lines.append(f"    tangent of {parameter}    {text}")
    cases = (row.cases,) if isinstance(row.cases, str) else row.cases
    if cases and any(cases):
        lines.append(textwrap.fill("; ".join(cases), 118, initial_indent="    cases    ",
                                   subsequent_indent="             ", break_long_words=False, break_on_hyphens=False))
    return "\n".join(lines)


def spellings(row: Row) -> list[str]:
    """The call of a row, in each of its forms."""
    if row.verb == "constant":
        return [_call(row.form)]
    return [row.text.partition("=")[2].strip(), *map(_call, row.also)]


def _pull(parameter: str, pull: Pull) -> list[str]:
    if isinstance(pull, str):
        return [f"    {parameter}    {pull}"]
    lines = []
    for option in pull:
        condition, text = ("otherwise", option) if isinstance(option, str) else (f"if {option[0]}", option[1])
        lines.append(f"    {parameter}    {text}    {condition}")
    return lines


def _shown() -> list[Row]:
    """The rows for functions of Python and NumPy; those for our own helpers serve derivatives of derivatives."""
    return [row for row in ROWS if not str(getattr(row.form.key, "__module__", "")).startswith(__package__ or "")]


def _call(form: Form) -> str:
    """A form as it is written."""
    if isinstance(form.key, tuple):
        what, name = form.key
        first = form.params[0] if form.params else "x"
        if what == "attribute":
            return f"{first}.{name}"
        if what == "method":
            return f"{first}.{name}({', '.join(form.params[1:])})"
        if name == "Subscript":
            return f"{form.params[0]}[{form.params[1]}]"
        sign = OPERATORS.get(name, name)
        return f"{sign}{first}" if len(form.params) == 1 else f"{first} {sign} {form.params[1]}"
    star = [f"*{form.star}"] if form.star else []
    return f"{_dotted(form.key)}({', '.join([*form.params, *star])})"


def _dotted(key: Any) -> str:
    """A function as it is written: np.sin, math.sin, len."""
    name = str(getattr(key, "__name__", key))
    for prefix, module in MODULES.items():
        if vars(module).get(name) is key:
            return f"{prefix}.{name}"
    return name if vars(builtins).get(name) is key else f"{getattr(key, '__module__', '')}.{name}".strip(".")


def _home(form: Form) -> str:
    if isinstance(form.key, tuple):
        return {"operator": "operators", "method": "methods", "attribute": "attributes"}[form.key[0]]
    return _dotted(form.key).rpartition(".")[0] or "Python"


def _names(form: Form) -> set[str]:
    """What one may call a form by."""
    if isinstance(form.key, tuple):
        what, name = form.key
        if what == "operator":
            return {"[]", "x[i]", "subscript"} if name == "Subscript" else {str(OPERATORS.get(name, name))}
        return {name, f"x.{name}", f"{form.params[0]}.{name}" if form.params else name, f".{name}"}
    dotted = _dotted(form.key)
    return {dotted, dotted.rpartition(".")[2]}
