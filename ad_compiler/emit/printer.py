"""Prints trees as text, and reads every text again: what is printed is the tree that was meant, or an error.

This is the only file that knows astor. Neither astor nor `ast.unparse` prints every tree faithfully and each prints
some things better, so both are asked, and the shorter text that reads back as the same tree wins.
"""

from __future__ import annotations

import ast
import functools
import math
import re
import sys
import warnings
from collections.abc import Callable
from typing import Any

import gast
import numpy as np

from ad_compiler.errors import InternalError
from ad_compiler.syntax import Tree

WIDTH = 110  # a longer line is taken only where no printer breaks it


def statement(tree: Tree) -> str:
    """Print one statement, without the last line end; every line of it can be indented by the same amount.

    A definition with a docstring of several lines can't: that is for `function`.
    """
    return _printed(tree, indentable=True)


def expression(tree: Tree) -> str:
    """Print one expression."""
    return _printed(gast.Expr(value=tree), indentable=True)


def header(tree: Tree) -> str:
    """Print the first line of a compound statement or `except` clause up to its colon, without decorators."""
    if type(tree).__name__ == "ExceptHandler":
        whole = gast.Try(body=[gast.Pass()], handlers=[_emptied(tree)], orelse=[], finalbody=[])
        text = _printed(whole, indentable=True)
        return text.removeprefix("try:\n    pass\n").removesuffix("\n    pass")
    return _printed(_emptied(tree), indentable=True).removesuffix("\n    pass")


def function(tree: Tree) -> str:
    """Print a whole function definition, decorators and docstring included, to stand in column 0."""
    return _printed(tree, indentable=False)


def _emptied(tree: Tree) -> Tree:
    """A compound statement with nothing in its body."""
    kind = type(tree).__name__
    if kind not in _HEADED:
        raise InternalError(f"a {kind} has no header to print")
    replaced: dict[str, Any] = {"body": [gast.Pass()], "orelse": [], "decorator_list": []}
    fields = {field: replaced.get(field, getattr(tree, field, None)) for field in tree._fields}
    return type(tree)(**fields)


_HEADED = frozenset((
    "If", "For", "While", "With", "AsyncFor", "AsyncWith", "FunctionDef", "AsyncFunctionDef", "ClassDef",
    "ExceptHandler"))


def _printed(meant: Tree, indentable: bool) -> str:
    """The best text for a statement among those that read back as that statement."""
    try:
        tree = _plain(meant)
        texts = [text for text in (_by_astor(tree), _by_unparse(tree)) if text is not None]
        # A sort keeps the order of equals: astor's text first.
        for text in sorted(dict.fromkeys(texts), key=_badness):
            if _reads_back(text, tree) and (not indentable or "\n" not in text or _reads_back_indented(text, tree)):
                return text
        raise InternalError(f"no printer prints this tree faithfully: {ast.dump(tree)[:1000]}")
    except RecursionError:
        raise InternalError(f"a {type(meant).__name__} is nested too deeply to be printed",
                            "split the expression into several statements") from None


def _badness(text: str) -> tuple[bool, int]:
    return max(map(len, text.split("\n"))) > WIDTH, len(text)


def _by_astor(tree: ast.stmt) -> str | None:
    try:
        # astor writes `f(x) ->int`; were this within a string, the text would not read back.
        return re.sub(r"\) ->(?=\S)", ") -> ", _astor()(tree).strip("\n"))
    except Exception:  # what astor doesn't know (`match`, f-strings of Python 3.14) ends in errors of any class
        return None


def _by_unparse(tree: ast.stmt) -> str | None:
    try:
        return ast.unparse(tree).strip("\n")
    except ValueError:  # an f-string that this version of Python can't write
        return None


@functools.cache
def _astor() -> Callable[[ast.AST], str]:
    """astor's printer: imported late, since its import warns from Python 3.12 on, which `-W error` makes fatal."""
    def quiet(tree: ast.AST) -> str:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return str(to_source(tree))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from astor.code_gen import to_source
    # From 3.12 on its use warns too; before, changing the filters for each statement would be for nothing.
    return quiet if sys.version_info >= (3, 12) else to_source  # type: ignore[no-any-return, unused-ignore]


def _reads_back(text: str, tree: ast.stmt) -> bool:
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return False
    return len(body) == 1 and _same(tree, body[0])


def _reads_back_indented(text: str, tree: ast.stmt) -> bool:
    """Whether the text still means the same inside a block: lines within a string would not."""
    try:
        block = ast.parse("if 1:\n    " + text.replace("\n", "\n    ")).body[0]
    except (SyntaxError, ValueError):
        return False
    return isinstance(block, ast.If) and len(block.body) == 1 and _same(tree, block.body[0])


# Fields that print as nothing: the context follows from the place, `u"..."` means "...".
_SILENT = frozenset(("ctx", "kind", "type_comment", "type_ignores"))


@functools.cache
def _telling(fields: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(field for field in fields if field not in _SILENT)


def _same(one: Any, other: Any) -> bool:
    """Whether two trees mean the same text."""
    kind = type(one)
    if kind is not type(other):
        return not one and not other and {kind, type(other)} in _NOTHING
    if kind is list:
        return len(one) == len(other) and all(map(_same, one, other))
    if kind is ast.Constant:
        return type(one.value) is type(other.value) and repr(one.value) == repr(other.value)
    if isinstance(one, ast.AST):
        for field in _telling(one._fields):
            if not _same(getattr(one, field, None), getattr(other, field, None)):
                return False
        return True
    return bool(one == other)


_NOTHING = ({type(None), list}, {type(None), int})  # an absent list is an empty one, `level` None is 0


def _plain(tree: Any) -> Any:
    """A gast tree as a fresh tree of `ast`, with constants that have literals."""
    if tree.__class__ is list:
        return [_plain(item) for item in tree]
    if not isinstance(tree, ast.AST):
        return tree
    kind = type(tree).__name__
    special = _SPECIAL.get(kind)
    if special is not None:
        return special(tree)
    make, fields, shared = _constructor(kind)
    if shared is not None:
        return shared
    fresh = make(*[_plain(getattr(tree, field, None)) for field in fields])
    fresh.lineno = 1  # `ast.unparse` asks statements for it
    return fresh


@functools.cache
def _constructor(kind: str) -> tuple[Any, tuple[str, ...], ast.AST | None]:
    make = getattr(ast, kind, None)
    if make is None:
        raise InternalError(f"this version of Python has no {kind}")
    # Operators and contexts have no fields: one of each serves everywhere.
    return make, make._fields, None if make._fields else make()


_LOAD = ast.Load()


def _name(tree: Any) -> ast.expr:
    return ast.Name(tree.id, _LOAD)


def _arguments(tree: Any) -> ast.arguments:
    return ast.arguments(
        [_argument(a) for a in tree.posonlyargs or ()], [_argument(a) for a in tree.args or ()],
        tree.vararg and _argument(tree.vararg), [_argument(a) for a in tree.kwonlyargs or ()],
        _plain(tree.kw_defaults or []), tree.kwarg and _argument(tree.kwarg), _plain(tree.defaults or []))


def _argument(tree: Any) -> ast.arg:
    """An argument, which gast calls a Name."""
    return ast.arg(tree.arg if isinstance(tree, ast.arg) else tree.id, _plain(tree.annotation), None)


def _handler(tree: Any) -> ast.ExceptHandler:
    named = getattr(tree.name, "id", tree.name)  # a Name in gast, a string in ast
    return ast.ExceptHandler(_plain(tree.type), named, _plain(tree.body))


def _literal(value: Any) -> ast.expr:
    """An expression of literals that evaluates to a value; no literal is negative, a NumPy scalar, or truly complex."""
    if isinstance(value, np.generic):
        value = value.item()
    kind = type(value)
    if kind is str or kind is bytes or kind is bool or value is None or value is ...:
        return ast.Constant(value)
    if kind is int or kind is float and not math.isnan(value):
        if value < 0 or kind is float and math.copysign(1.0, value) < 0:
            return ast.UnaryOp(ast.USub(), ast.Constant(-value))
        return ast.Constant(value)
    if kind is complex:
        return _complex_literal(value)
    if kind is tuple:
        return ast.Tuple([_literal(item) for item in value], _LOAD)
    raise InternalError(f"there is no literal for {value!r} of type {kind.__name__}", "pass it as an argument")


def _complex_literal(value: complex) -> ast.expr:
    if repr(complex(0.0, value.imag)) == repr(value) and math.copysign(1.0, value.imag) > 0:
        return ast.Constant(value)
    if math.isnan(value.real) or math.isnan(value.imag):
        raise InternalError(f"there is no literal for {value!r}", "pass it as an argument")
    size = complex(0.0, abs(value.imag))
    if repr(-size) == repr(value):
        return ast.UnaryOp(ast.USub(), ast.Constant(size))
    if repr(value.real + size) == repr(value):
        return ast.BinOp(_literal(value.real), ast.Add(), ast.Constant(size))
    if repr(value.real - size) == repr(value):
        return ast.BinOp(_literal(value.real), ast.Sub(), ast.Constant(size))
    raise InternalError(f"there is no literal for {value!r}, for a zero's sign", "pass it as an argument")


_SPECIAL: dict[str, Callable[[Any], ast.AST]] = {
    "Name": _name, "Constant": lambda tree: _literal(tree.value), "arguments": _arguments, "ExceptHandler": _handler}
