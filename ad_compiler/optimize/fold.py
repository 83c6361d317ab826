"""Temporaries used once go back into the expression that uses them, as one would have written it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import gast

from ..frontend.normalize import is_merge
from ..program import Function, all_statements
from ..syntax import Stmts, Tree, at, reads, substitute, walk

LARGEST = 48  # nodes of an expression, about a line: longer ones keep their temporaries


def folded(f: Function, pure: Callable[[Tree], bool], cheap: Callable[[Tree], bool]) -> Function:
    """The function with its temporaries folded; the user's own names keep their statements."""
    f = _inlined(f, cheap)
    return f.with_body(Folder(f, pure).block(f.body))


def _inlined(f: Function, cheap: Callable[[Tree], bool]) -> Function:
    """The function with cheap temporaries written out at each use: parts of containers, comparisons of numbers."""
    merges = {t.id for s in all_statements(f.body) if is_merge(s) for t in s.targets[0].elts}
    merges |= {n for s in all_statements(f.body) if isinstance(s, gast.Assign) and _special(s.value) and s.value.args
               for n in reads(s.value.args[0])}  # a buffer has a name
    parts: dict[str, Tree] = {}
    for s in all_statements(f.body):
        if isinstance(s, gast.Assign) and isinstance(s.targets[0], gast.Name) and not _special(s.value) and \
                s.targets[0].id in f.names.temporary - merges and cheap(s.value):
            parts[s.targets[0].id] = substitute(s.value, parts)
    return f.with_body(_without(f.body, parts), substitute(f.result, parts)) if parts else f


def _without(body: Stmts, parts: dict[str, Tree]) -> Stmts:
    out: Stmts = []
    for s in body:
        if isinstance(s, gast.Assign) and isinstance(s.targets[0], gast.Name) and s.targets[0].id in parts:
            continue
        if isinstance(s, (gast.If, gast.For, gast.While)):
            fields: dict[str, Any] = {f: getattr(s, f, None) for f in s._fields}
            for block in ("body", "orelse"):
                if fields.get(block):
                    fields[block] = _without(fields[block], parts)
            for part in ("test", "iter"):
                if fields.get(part) is not None:
                    fields[part] = substitute(fields[part], parts)
            out.append(at(type(s)(**fields), s.lineno))
        else:
            out.append(substitute(s, parts))
    return out


class Folder:
    """Counts uses, then folds block by block, from each block's end."""

    def __init__(self, f: Function, pure: Callable[[Tree], bool]) -> None:
        self.f, self.pure = f, pure
        self.uses: Counter[str] = Counter()
        for tree in [*f.body, f.result]:
            self._count(tree)
        merges = {t.id for s in all_statements(f.body) if is_merge(s) for t in s.targets[0].elts}
        self.candidates = (f.names.temporary - merges) | {n for n in f.names.base if n.startswith("@")}
        self.candidates |= self._first_parts()

    def _first_parts(self) -> set[str]:
        """Adjoints that are no more than the first part of a sum which the same line of the user's completes."""
        made = {s.targets[0].id: s for s in all_statements(self.f.body)
                if isinstance(s, gast.Assign) and isinstance(s.targets[0], gast.Name)}
        found: set[str] = set()
        for s in made.values():
            v = s.value
            if isinstance(v, gast.BinOp) and isinstance(v.op, (gast.Add, gast.Sub)) and isinstance(v.left, gast.Name):
                first = made.get(v.left.id)
                if first is not None and self.uses[v.left.id] == 1 and self.f.origin(first).line and \
                        self.f.origin(first).line == self.f.origin(s).line and self.f.origin(first).rule and \
                        not self.f.origin(first).why and not _special(first.value):
                    found.add(v.left.id)
        return found

    def _count(self, tree: Tree) -> None:
        for node in walk(tree):
            if isinstance(node, gast.Name) and isinstance(node.ctx, gast.Load):
                self.uses[node.id] += 1

    def block(self, body: Stmts) -> Stmts:
        out: list[Tree | None] = []
        waiting: dict[str, int] = {}  # temporaries that the next statements may take up, by their place in `out`
        for statement in body:
            fresh = self._absorbing(statement, out, waiting)
            if not isinstance(fresh, gast.Assign):
                waiting.clear()
            elif _special(fresh.value) and fresh.value.args:
                changed = set(reads(fresh.value.args[0]))  # what reads the buffer must stay before it changes
                for label in [n for n, k in waiting.items() if changed & set(reads(out[k].value))]:  # type: ignore[union-attr]
                    del waiting[label]
            elif self._is_candidate(fresh) and self.uses[fresh.targets[0].id] == 1 and not _special(fresh.value):
                waiting[fresh.targets[0].id] = len(out)
            out.append(fresh)
        return [self._inner(s) for s in out if s is not None]

    def _inner(self, statement: Tree) -> Tree:
        if not isinstance(statement, (gast.If, gast.For, gast.While)):
            return statement
        fields: dict[str, Any] = {f: getattr(statement, f, None) for f in statement._fields}
        for block in ("body", "orelse"):
            if fields.get(block):
                fields[block] = self.block(fields[block])
        return at(type(statement)(**fields), statement.lineno)

    def _is_candidate(self, statement: Tree) -> bool:
        return isinstance(statement, gast.Assign) and isinstance(statement.targets[0], gast.Name) and \
            statement.targets[0].id in self.candidates

    def _absorbing(self, statement: Tree, before: list[Tree | None], waiting: dict[str, int]) -> Tree:
        """The statement with single-use temporaries of the statements before it; these are taken out of `before`."""
        own = "value" if hasattr(statement, "value") else "test" if hasattr(statement, "test") else "iter"
        tree = getattr(statement, own, None)
        if not isinstance(tree, gast.AST) or isinstance(statement, (gast.While, gast.Assert)):
            return statement
        buffers = reads(tree.args[0]) if _special(tree) and tree.args else []
        # From the last one made to the first: what an expression calls then runs in its old order.
        for k in sorted((waiting[n] for n in reads(tree) if n in waiting and n not in buffers), reverse=True):
            earlier = before[k]
            if earlier is None or not self._movable(earlier, k, before) or self._too_long(statement, earlier, tree):
                continue
            label = earlier.targets[0].id
            tree = substitute(tree, {label: earlier.value})
            before[k] = None
            del waiting[label]
        if tree is getattr(statement, own):
            return statement
        fields = {f: getattr(statement, f, None) for f in statement._fields} | {own: tree}
        return at(type(statement)(**fields), statement.lineno)

    def _movable(self, earlier: Tree, k: int, before: list[Tree | None]) -> bool:
        """What isn't pure moves only past nothing."""
        return self.pure(earlier.value) or all(s is None for s in before[k + 1:])

    def _too_long(self, statement: Tree, earlier: Tree, tree: Tree) -> bool:
        one, other = self.f.origin(statement), self.f.origin(earlier)
        if one.line == other.line and one.line and not one.rule and not other.rule:
            return False  # the user wrote it as one expression
        return _size(tree) + _size(earlier.value) > LARGEST


def _special(tree: Tree) -> bool:
    """Pseudo-operations that are spelled as statements."""
    return isinstance(tree, gast.Call) and isinstance(tree.func, gast.Name) and \
        tree.func.id in ("@load", "@stack", "@add_at", "@np_add_at")


def _size(tree: Tree) -> int:
    return sum(1 for node in walk(tree) if not isinstance(node, (gast.expr_context, gast.operator)))
