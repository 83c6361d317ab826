"""Which calls do nothing but compute: these may be dropped, moved or repeated; all others run once, in their place."""

from __future__ import annotations

import builtins
import types
from typing import Any

import gast
import numpy as np

from ..rules.table import lookup
from ..syntax import Tree, walk
from .resolve import MISSING, Scope, callee
from .source import find

IMPURE = {print, input, open, next, exec, eval, setattr, delattr, breakpoint, __import__}
PURE_TYPES = (bool, int, float, complex, str, list, tuple, dict, set, frozenset, slice, range, np.generic, np.dtype)


def pure_call(value: Any) -> bool:
    """Whether calling `value` does nothing but compute its result from its arguments."""
    if isinstance(value, types.BuiltinFunctionType) and getattr(builtins, value.__name__, None) is value:
        return value not in IMPURE
    if isinstance(value, type):
        return issubclass(value, (*PURE_TYPES, BaseException)) or value in (zip, enumerate, reversed, map)
    if value in WRITING:
        return False
    found = callee(value)
    if found.kind == "opaque" and isinstance(value, types.FunctionType) and value.__module__.split(".")[0] == "numpy":
        return not value.__module__.startswith("numpy.random")
    if found.kind in ("rule", "detach"):
        return value not in IMPURE
    if found.kind == "function":
        return _pure_function(found.value)
    module = getattr(value, "__module__", None) or ""
    return isinstance(value, np.ufunc) or module == "math"


WRITING = {np.copyto, np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis}
WRITERS = frozenset("append clear extend fill insert itemset partition pop popitem put remove resize reverse "
                    "setdefault setfield setflags sort update".split())


def writes_arguments(function: types.FunctionType) -> bool:
    """Whether a user's function may write into what it is given: told from its text, and from those it calls."""
    code = function.__code__
    if id(code) not in _writers:
        _writers[id(code)] = (code, False)  # of a function that calls itself
        tree, scope = find(function).tree, Scope(function)
        params = set(code.co_varnames[:code.co_argcount + code.co_kwonlyargcount])
        _writers[id(code)] = (code, any(_writes(node, scope, params) for node in walk(tree)))
    return _writers[id(code)][1]


def _writes(node: Tree, scope: Scope, params: set[str]) -> bool:
    if isinstance(node, (gast.Subscript, gast.Attribute)) and not isinstance(node.ctx, gast.Load):
        return True
    if isinstance(node, gast.AugAssign):
        return isinstance(node.target, gast.Name) and node.target.id in params
    if not isinstance(node, gast.Call):
        return False
    if any(k.arg == "out" for k in node.keywords):
        return True
    value = scope.value(node.func)
    if value is MISSING:
        return isinstance(node.func, gast.Attribute) and (node.func.attr in WRITERS or node.func.attr == "at")
    found = callee(value)
    if found.kind == "function":
        return writes_arguments(found.value)
    return found.kind == "opaque" and value not in IMPURE and not pure_call(value)


# By identity, with the code held alive: code objects of equal text compare equal, but may see other globals.
_writers: dict[int, tuple[types.CodeType, bool]] = {}
_verdicts: dict[int, tuple[types.CodeType, bool]] = {}


def _pure_function(function: types.FunctionType) -> bool:
    """A Python function is pure if nothing in its text prints, raises, asserts, writes or calls what isn't pure."""
    code = function.__code__
    if id(code) not in _verdicts:
        _verdicts[id(code)] = (code, True)  # of a function that calls itself
        _verdicts[id(code)] = (code, _pure_text(function))
    return _verdicts[id(code)][1]


def _pure_text(function: types.FunctionType) -> bool:
    tree = find(function).tree
    impure = (gast.Raise, gast.Assert, gast.Global, gast.Nonlocal, gast.Yield, gast.YieldFrom, gast.Await, gast.Import)
    scope = Scope(function)
    for node in walk(tree):
        if isinstance(node, impure):
            return False
        if isinstance(node, (gast.Subscript, gast.Attribute)) and not isinstance(node.ctx, gast.Load):
            return False
        if isinstance(node, gast.Call) and not pure_in(scope, node):
            return False
        if isinstance(node, gast.Expr) and not isinstance(node.value, gast.Constant):
            return False
    return True


def pure_in(scope: Scope, call: Tree) -> bool:
    """Whether a call in a function's text is pure; a method of a local is, where the table knows its name."""
    value = scope.value(call.func)
    if value is not MISSING:
        return pure_call(value)
    return isinstance(call.func, gast.Attribute) and lookup(("method", call.func.attr)) is not None
