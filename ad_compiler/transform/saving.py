"""What a backward sweep inside a loop reads: saved in the forward sweep, or computed again.

A save and a load are paired operations on a stack of their own: `@save(stack, x)` in the forward block,
`x = @load(stack)` in the backward one. Names that a loop carries are saved where it begins a step; what is cheap and
has its operands at hand is computed again (Hascoët & Pascual 2013, "cheap re-evaluation"); results of products,
reductions and calls are saved.
"""

from __future__ import annotations

from dataclasses import replace

import gast

from ..analysis.operations import Operation
from ..frontend.normalize import is_merge, raises
from ..frontend.purity import pure_in
from ..kinds import Array, Scalar, Sequence, Static
from ..program import Origin, all_statements
from ..syntax import Stmts, Tree, assign, at, name, reads, substitute, walk, writes
from .reverse import Sweep

SAVE, LOAD, STACK = "@save", "@load", "@stack"


def reads_of(body: Stmts) -> dict[str, None]:
    """The names that statements read, those of inner blocks included, in order."""
    found: dict[str, None] = {}
    for statement in all_statements(body):
        for field in ("value", "test", "iter", "msg", "exc"):
            part = getattr(statement, field, None)
            if isinstance(part, gast.AST):
                found.update(dict.fromkeys(reads(part)))
    return found


def definitions(block: Stmts) -> dict[str, Tree]:
    """The statement that defines each name of a block itself; names merged by its branches and loops belong to it."""
    found: dict[str, Tree] = {}
    for statement in block:
        if isinstance(statement, gast.Assign):
            found.update(dict.fromkeys(writes(statement), statement))
        elif isinstance(statement, gast.If):
            found.update({n: statement for n in merged(statement)})
            for branch, other in ((statement.body, statement.orelse), (statement.orelse, statement.body)):
                if raises(other):  # what the only branch that goes on defines is there afterwards
                    found.update(dict.fromkeys(definitions(branch), statement))
        elif isinstance(statement, (gast.For, gast.While)):
            found.update({n: statement for s in all_statements(statement.body) if is_merge(s) for n in writes(s)})
    return found


def merged(statement: Tree) -> list[str]:
    """The names that the branches of an `if` end by assigning."""
    found: dict[str, None] = {}
    for branch in (statement.body, statement.orelse):
        ending = branch[:-1] if branch and isinstance(branch[-1], gast.Break) else branch
        if ending and is_merge(ending[-1]):
            found.update(dict.fromkeys(writes(ending[-1])))
        elif ending and isinstance(ending[-1], gast.If):
            found.update(dict.fromkeys(merged(ending[-1])))
    return list(found)


class Saver:
    """Closes the backward block of one execution of a forward block over the values that it reads."""

    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep
        self.stacks: list[str] = []  # of the outermost loop that is being transformed

    def close(self, forward: Stmts, back: Stmts, heads: list[str],
              leave_out: frozenset[str] = frozenset()) -> tuple[Stmts, Stmts]:
        """The blocks with saves, and with loads and recomputations at the backward block's start.

        `heads` are names that have their value when the forward block begins, and another one when it ends.
        """
        local = {n: s for n, s in definitions(forward).items() if n not in leave_out}
        for head in heads:
            local[head] = None
        needed = [n for n in reads_of(back) if n in local]
        saved, again = self._decide(needed, local)
        new = {n: self.sweep.names.fresh(n) for n in [*saved, *again]}
        for old, fresh in new.items():
            self.sweep.bars.inference.env[fresh] = self.sweep.kind(old)
        parts = {old: name(fresh) for old, fresh in new.items()}
        start: Stmts = []
        for n in saved:
            stack = self.sweep.names.label(f"{self.sweep.names.base.get(n, n)}_saved")
            self.stacks.append(stack)
            forward = self._push(forward, n, stack, local[n])
            load = gast.Call(func=name(LOAD), args=[name(stack)], keywords=[])
            start.append(assign(new[n], load, self._line(f"saved: the backward step reads {n}")))
        for n in again:
            start.append(assign(new[n], substitute(local[n].value, parts), self._line("computed again")))
        return forward, start + renamed(back, parts)

    def _line(self, why: str) -> int:
        return self.sweep.lines.new(replace(Origin(), why=why))

    def _push(self, block: Stmts, n: str, stack: str, definition: Tree | None) -> Stmts:
        call = gast.Call(func=name(SAVE), args=[name(stack), name(n)], keywords=[])
        push = at(gast.Expr(value=call), self._line(f"{n} is saved for the backward sweep"))
        if definition is None:
            return [push, *block]
        k = next(k for k, s in enumerate(block) if s is definition)
        return [*block[:k + 1], push, *block[k + 1:]]

    def _decide(self, needed: list[str], local: dict[str, Tree]) -> tuple[list[str], list[str]]:
        saved = [n for n in needed if not self._cheap(n, local.get(n))]
        again: dict[str, None] = {}
        for n in needed:
            if n not in saved and not self._recompute(n, local, saved, again, 0):
                saved.append(n)
        order = {n: k for k, n in enumerate(local)}
        return sorted(saved, key=order.__getitem__), sorted(again, key=order.__getitem__)

    def _recompute(self, n: str, local: dict[str, Tree], saved: list[str], again: dict[str, None], depth: int) -> bool:
        """Whether a name can be computed again from what is at hand; notes the chain if so."""
        if n in again:
            return True
        chain = dict(again)
        for operand in reads(local[n].value):
            if operand not in local or operand in saved:
                continue
            if depth > 5 or not self._cheap(operand, local[operand]) or \
                    not self._recompute(operand, local, saved, chain, depth + 1):
                return False
        again.update(chain)
        again[n] = None
        return True

    def _cheap(self, n: str, definition: Tree | None) -> bool:
        """Whether computing again costs less than storing: scalar arithmetic, and views of arrays."""
        if not isinstance(definition, gast.Assign) or is_merge(definition) or \
                isinstance(definition.targets[0], gast.Tuple):
            return False
        value = definition.value
        if isinstance(value, gast.Call) and isinstance(value.func, gast.Name) and value.func.id.startswith("@"):
            return False
        if definition.lineno in self.sweep.f.calls and self.sweep.f.calls[definition.lineno].kind == "function":
            return False
        if any(isinstance(node, gast.Call) and not self._pure(node) for node in walk(value)):
            return False
        if isinstance(value, (gast.Constant, gast.Attribute)) or _view(value):
            return True
        operation: Operation = self.sweep.operations.of(definition)
        kind = self.sweep.kind(n)
        if isinstance(kind, Scalar):
            operands = [self.sweep.kind(r) for r in reads(value)]
            arrays = any(isinstance(k, Array) for k in operands) and not isinstance(value, gast.Subscript)
            return not arrays and (operation.row is None or isinstance(value, gast.Subscript)
                                   or operation.row.verb in ("elementwise", "zero", "constant", "linear"))
        return isinstance(kind, (Sequence, Static)) and isinstance(value, (gast.Tuple, gast.Attribute))

    def _pure(self, call: Tree) -> bool:
        scope = self.sweep.f.scope
        return scope is not None and pure_in(scope, call)


def _view(value: Tree) -> bool:
    """`x[1:]`, `x[i]`: no copy is made."""
    return isinstance(value, gast.Subscript) and all(
        isinstance(p, (gast.Slice, gast.Constant, gast.UnaryOp, gast.Name)) for p in
        (value.slice.elts if isinstance(value.slice, gast.Tuple) else [value.slice]))


def renamed(body: Stmts, parts: dict[str, Tree]) -> Stmts:
    """Statements that read other names; what they assign keeps its name."""
    return [substitute(s, parts) for s in body] if parts else body
