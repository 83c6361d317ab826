"""What a free name is: data that is read at each call, or a function, module or class known at compile time."""

from __future__ import annotations

import builtins
import functools
import inspect
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import gast
import numpy as np

from .. import modes
from ..program import Data, Fixed, Meaning, Undefined
from ..rules.table import Key, lookup
from ..syntax import Tree

MISSING = object()


@dataclass(frozen=True)
class Callee:
    """What a call calls: a rule of the table, a Python function with source, or something opaque."""

    kind: str  # "rule" | "function" | "detach" | "opaque"
    value: Any
    key: Key = None
    bound: tuple[tuple[str, Any], ...] = ()  # parameters that the call doesn't give: `self`, those of a partial
    fixed: tuple[tuple[str, Any], ...] = ()  # functions among its arguments: the callee is derived for these
    mode: bool | None = None  # of a function decorated by no_grad (False) or enable_grad (True)


@dataclass(frozen=True)
class Scope:
    """The free names of one function, resolved as Python does: closure, globals, builtins."""

    function: types.FunctionType
    bound: Mapping[str, Any] = field(default_factory=dict)  # parameters with fixed values: `self`, of functools.partial

    def meaning(self, name: str) -> Meaning:
        """What the name means; data is never frozen into the meaning, only the way to read it."""
        if name in self.bound:
            value = self.bound[name]
            return Fixed(value) if _is_code(value) else Data(name, lambda: value, id(value))
        code, closure = self.function.__code__, self.function.__closure__ or ()
        if name in code.co_freevars:
            cell = closure[code.co_freevars.index(name)]
            return _meaning(name, lambda: cell.cell_contents, id(cell))
        space = self.function.__globals__
        if name in space:
            return _meaning(name, lambda: space[name], id(space))
        if hasattr(builtins, name):
            return Fixed(getattr(builtins, name))
        return Undefined()

    def value(self, tree: Tree) -> Any:
        """The function, module or class that a dotted free expression stands for; MISSING if it isn't one."""
        if isinstance(tree, gast.Name):
            meaning = self.meaning(tree.id)
            return meaning.value if isinstance(meaning, Fixed) else MISSING
        if isinstance(tree, gast.Attribute):
            base = self.value(tree.value)
            if base is MISSING:
                return self._method_of_data(tree)
            return getattr(base, tree.attr, MISSING) if isinstance(base, (types.ModuleType, type)) else MISSING
        return MISSING

    def _method_of_data(self, tree: Tree) -> Any:
        """`self.step` of a bound instance, where the class says that it is a function."""
        if not isinstance(tree.value, gast.Name):
            return MISSING
        meaning = self.meaning(tree.value.id)
        if isinstance(meaning, Data):
            owner = meaning.read()
            if isinstance(getattr(type(owner), tree.attr, None), types.FunctionType) and \
                    not isinstance(owner, types.ModuleType):
                return getattr(owner, tree.attr)
        return MISSING


def _meaning(name: str, read: Callable[[], Any], owner: int) -> Meaning:
    try:
        value = read()
    except ValueError:  # an empty cell
        return Undefined()
    if callable(value) or isinstance(value, types.ModuleType):
        return Fixed(value)
    return Data(name, read, owner)


def callee(value: Any) -> Callee:
    """Classify what is called."""
    if value is modes.detach:
        return Callee("detach", value)
    row = lookup(value)
    if row is not None:
        return Callee("rule", value, row[1].key)
    if isinstance(value, functools.partial):
        return _partial(value)
    bound: tuple[tuple[str, Any], ...] = ()
    if isinstance(value, types.MethodType) and isinstance(value.__func__, types.FunctionType):
        bound, value = ((_parameters(value.__func__)[0], value.__self__),), value.__func__
    mode = getattr(value, "__grad_mode__", None)
    if mode is not None:
        inner = callee(value.__wrapped__)
        return replace(inner, bound=bound or inner.bound, mode=mode)
    if isinstance(value, types.FunctionType):
        return Callee("opaque" if of_a_library(value) else "function", value, bound=bound)
    call = type(value).__call__
    if isinstance(call, types.FunctionType) and not isinstance(value, type) and not of_a_library(call):
        return Callee("function", call, bound=((_parameters(call)[0], value),))
    return Callee("opaque", value)


def _partial(value: functools.partial[Any]) -> Callee:
    """A partial of a user's function: the same function with some parameters given."""
    inner = callee(value.func)
    if inner.kind != "function":
        return Callee("opaque", value)
    taken = dict(inner.bound)
    free = [p for p in _parameters(inner.value) if p not in taken]
    given = dict(zip(free, value.args, strict=False)) | value.keywords
    return replace(inner, bound=(*inner.bound, *given.items()))


def _parameters(function: types.FunctionType) -> list[str]:
    return list(inspect.signature(function, follow_wrapped=False).parameters)


def of_a_library(function: types.FunctionType) -> bool:
    """Whether a function belongs to Python or NumPy: these are derived by rules, never from their source."""
    package = (function.__module__ or "").split(".")[0]
    return package in sys.stdlib_module_names and package != "__main__" or package in ("numpy", "scipy")


def _is_code(value: Any) -> bool:
    return isinstance(value, (types.FunctionType, types.BuiltinFunctionType, types.ModuleType, type, np.ufunc))
