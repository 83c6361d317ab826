"""Which expressions may carry a derivative, told from syntax alone; all others stay whole, as the user wrote them."""

from __future__ import annotations

from collections.abc import Iterable

import gast

from ..rules.table import lookup
from ..syntax import Stmts, Tree, walk
from .resolve import MISSING, Scope, callee


class Taint:
    """The names of a function body that may depend on its active parameters, whatever the path (flow-insensitive)."""

    def __init__(self, scope: Scope, body: Stmts, active: Iterable[str]) -> None:
        self.scope = scope
        self.names = set(active)
        bindings = [b for statement in body for b in _bindings(statement)]
        size = -1
        while size != len(self.names):
            size = len(self.names)
            for targets, value in bindings:
                if not self.names.issuperset(targets) and self.carries(value):
                    self.names.update(targets)

    def carries(self, tree: Tree) -> bool:
        """Whether the value of an expression may depend differentiably on an active parameter."""
        if isinstance(tree, gast.Name):
            return tree.id in self.names
        if isinstance(tree, (gast.Compare, gast.JoinedStr, gast.Constant)):
            return False
        if isinstance(tree, gast.UnaryOp) and isinstance(tree.op, gast.Not):
            return False
        if isinstance(tree, gast.Attribute) and is_constant(("attribute", tree.attr)):
            return False
        if isinstance(tree, gast.Call) and self._constant_call(tree):
            return False
        return any(self.carries(child) for child in children(tree))

    def _constant_call(self, call: Tree) -> bool:
        value = self.scope.value(call.func)
        if value is not MISSING:
            found = callee(value)
            return found.kind == "detach" or (found.kind == "rule" and is_constant(found.key))
        return isinstance(call.func, gast.Attribute) and is_constant(("method", call.func.attr))


def is_constant(key: object) -> bool:
    """Whether the table says that a function, method or attribute carries no derivative at all."""
    row = lookup(key)
    return row is not None and row[0].verb == "constant"


def children(tree: Tree) -> Iterable[Tree]:
    """The nodes directly below a node."""
    for field in tree._fields:
        value = getattr(tree, field, None)
        if isinstance(value, gast.AST):
            yield value
        elif isinstance(value, list):
            yield from (item for item in value if isinstance(item, gast.AST))


def _bindings(statement: Tree) -> Iterable[tuple[list[str], Tree]]:
    """(names, value) for each binding in a statement, those in its blocks included."""
    if isinstance(statement, gast.Assign):
        for one in statement.targets:
            yield _names(one), statement.value
    elif isinstance(statement, (gast.AugAssign, gast.AnnAssign)) and statement.value is not None:
        yield _names(statement.target), statement.value
    elif isinstance(statement, gast.For):
        yield _names(statement.target), statement.iter
    for block in ("body", "orelse"):
        for inner in getattr(statement, block, None) or []:
            yield from _bindings(inner)


def _names(tree: Tree) -> list[str]:
    return [node.id for node in walk(tree) if isinstance(node, gast.Name)]
