"""Refuses, before anything else is done, what a differentiated function can't be: a generator, a coroutine, ..."""

from __future__ import annotations

import inspect
import types
from typing import NoReturn

import gast

from ..errors import UnsupportedError
from ..syntax import Tree, walk
from .source import Source

STATEMENTS = {
    "FunctionDef": ("a nested function", "define it outside and pass what it reads as arguments"),
    "AsyncFunctionDef": ("an async function", "define it outside"),
    "ClassDef": ("a class definition", "define it outside"),
    "Try": ("`try`", "test for the exception's cause with `if`"),
    "TryStar": ("`try`", "test for the exceptions' causes with `if`"),
    "Global": ("`global`", "return the value instead of assigning a global variable"),
    "Nonlocal": ("`nonlocal`", "return the value instead"),
    "Delete": ("`del`", "leave it out: values are released when the gradient has been computed"),
    "Match": ("`match`", "use `if` and `elif`"),
    "Import": ("an import inside of the function", "import at the top of the module"),
    "ImportFrom": ("an import inside of the function", "import at the top of the module"),
    "AsyncFor": ("`async for`", "use `for`"),
    "AsyncWith": ("`async with`", "use `with`"),
    "NamedExpr": ("`:=`", "assign in a statement of its own"),
    "Yield": ("a generator", "return a list or an array"),
    "YieldFrom": ("a generator", "return a list or an array"),
    "Await": ("`await`", "await outside, and pass the value"),
}


def check(source: Source, function: types.FunctionType) -> None:
    """Raise UnsupportedError for the first construct that no function of ours may contain."""
    tree = source.tree
    if isinstance(tree, gast.AsyncFunctionDef):
        _refuse(source, tree, "an async function", "differentiate a plain function, and await its arguments outside")
    for parameter in inspect.signature(function, follow_wrapped=False).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            _refuse(source, tree, f"the parameter *{parameter.name}", "name the parameters")
    for statement in tree.body if isinstance(tree.body, list) else [tree.body]:
        for node in walk(statement):
            found = STATEMENTS.get(type(node).__name__)
            if found is not None:
                _refuse(source, node, *found)


def _refuse(source: Source, node: Tree, what: str, remedy: str) -> NoReturn:
    raise UnsupportedError(f"{what} can't be differentiated yet", remedy, source.place(node))
