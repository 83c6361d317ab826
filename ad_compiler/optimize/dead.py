"""Dead code: a statement stays only if the result, an effect, or a statement that stays needs it."""

from __future__ import annotations

from collections.abc import Callable

import gast

from ..frontend.normalize import is_merge
from ..program import Function, all_statements
from ..syntax import Stmts, Tree, at, reads, writes

Pure = Callable[[Tree], bool]


def without_dead_code(f: Function, pure: Pure) -> Function:
    """Drop what nobody reads; saves live and die with the loads of their stack."""
    live = Liveness(pure)
    live.names.update(reads(f.result))
    size = -1
    while size != live.size():
        size = live.size()
        live.block(f.body, in_loop=False)
    return f.with_body(live.kept(f.body))


class Liveness:
    """The names and statements that stay, grown until nothing is added."""

    def __init__(self, pure: Pure) -> None:
        self.pure = pure
        self.names: set[str] = set()
        self.lines: set[int] = set()

    def size(self) -> int:
        return len(self.names) + len(self.lines)

    def block(self, body: Stmts, in_loop: bool) -> bool:
        """Mark what a block needs, from its end; whether anything in it stays."""
        stays = False
        for statement in reversed(body):
            stays = self.statement(statement, in_loop) or stays
        return stays

    def statement(self, statement: Tree, in_loop: bool) -> bool:
        if is_merge(statement):
            pairs = zip(statement.targets[0].elts, statement.value.elts, strict=True)
            alive = [v for t, v in pairs if t.id in self.names]
            for value in alive:
                self.names.update(reads(value))
            return bool([t for t in statement.targets[0].elts if t.id in self.names and t.id not in _same(statement)])
        if isinstance(statement, gast.Assign):
            if self.names.intersection(writes(statement)) or not self.pure(statement.value):
                self.names.update(reads(statement.value))
                self.lines.add(statement.lineno)
                return True
            return False
        if isinstance(statement, gast.Expr) and _is_save(statement):
            if statement.value.args[0].id in self.names:
                self.names.update(reads(statement.value))
                return True
            return False
        if isinstance(statement, (gast.Expr, gast.Assert, gast.Raise)):
            for part in (getattr(statement, f, None) for f in ("value", "test", "msg", "exc", "cause")):
                if part is not None:
                    self.names.update(reads(part))
            return True
        if isinstance(statement, gast.Break):
            return False
        if isinstance(statement, gast.If):
            stays = any([self.block(b, in_loop) for b in (statement.body, statement.orelse)])
            if stays or (in_loop and statement.lineno in self.lines):
                self.names.update(reads(statement.test))
            return stays
        stays = self.block(statement.body, in_loop=True)
        if stays:
            self.lines.add(statement.lineno)
            if isinstance(statement, gast.For):
                self.names.update(reads(statement.iter))
            self.lines.update(s.lineno for s in all_statements(statement.body) if isinstance(s, gast.If) and _leaves(s))
        return stays

    def kept(self, body: Stmts) -> Stmts:
        """The statements that stay."""
        out: Stmts = []
        for statement in body:
            out += self._kept(statement)
        return out

    def _kept(self, statement: Tree) -> Stmts:
        if is_merge(statement):
            return _restricted(statement, self.names)
        if isinstance(statement, gast.Assign):
            return [statement] if statement.lineno in self.lines else []
        if isinstance(statement, gast.Expr) and _is_save(statement):
            return [statement] if statement.value.args[0].id in self.names else []
        if isinstance(statement, gast.If):
            body, orelse = self.kept(statement.body), self.kept(statement.orelse)
            if not body and not orelse:
                return []
            return [at(gast.If(test=statement.test, body=body, orelse=orelse), statement.lineno)]
        if isinstance(statement, (gast.For, gast.While)):
            if statement.lineno not in self.lines:
                return []
            fields = {f: getattr(statement, f, None) for f in statement._fields} | {"body": self.kept(statement.body)}
            return [at(type(statement)(**fields), statement.lineno)]
        return [statement]


def _leaves(statement: Tree) -> bool:
    return any(isinstance(s, gast.Break) for s in all_statements([statement]))


def _is_save(statement: Tree) -> bool:
    call = statement.value
    return isinstance(call, gast.Call) and isinstance(call.func, gast.Name) and call.func.id == "@save"


def _same(statement: Tree) -> set[str]:
    """Targets of a merge that get their own value."""
    return {t.id for t, v in zip(statement.targets[0].elts, statement.value.elts, strict=True)
            if isinstance(v, gast.Name) and v.id == t.id}


def _restricted(merge: Tree, names: set[str]) -> Stmts:
    kept = [(t, v) for t, v in zip(merge.targets[0].elts, merge.value.elts, strict=True)
            if t.id in names and not (isinstance(v, gast.Name) and v.id == t.id)]
    if not kept:
        return []
    if len(kept) == len(merge.targets[0].elts):
        return [merge]
    to = gast.Tuple(elts=[t for t, _ in kept], ctx=gast.Store())
    value = gast.Tuple(elts=[v for _, v in kept], ctx=gast.Load())
    return [at(gast.Assign(targets=[to], value=value, type_comment=None), merge.lineno)]
