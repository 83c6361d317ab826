"""Activity: what carries a derivative. Forwards a name varies with an input, backwards the result depends on it.

Varied:  V_out = (V_in \\ MustKill) ∪ {lhs | a differentiable operand ∈ V_in}, in grad mode (Hascoët & Pascual 2013);
useful:  U_in = U_out ∪ {operands | lhs ∈ U_out}. In normal form every name is one value, so both are plain sets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import gast

from ..frontend.resolve import Callee
from ..kinds import carries
from ..program import Function, all_statements
from ..syntax import Stmts, Tree, reads
from .operations import Operation, Operations

# Whether the result of a call varies, when the arguments with these positions do.
CallVaries = Callable[[Callee, tuple[str, ...], Tree, frozenset[str]], bool]


@dataclass(frozen=True)
class Activity:
    """The active names of a function, and for the pruned ones the reason."""

    varied: frozenset[str]
    useful: frozenset[str]
    pruned: dict[str, str] = field(default_factory=dict)

    @property
    def active(self) -> frozenset[str]:
        """Names that vary and are useful: these have adjoints."""
        return self.varied & self.useful

    def __contains__(self, name: object) -> bool:
        return name in self.varied and name in self.useful


def activity(f: Function, operations: Operations, active: Iterable[str], call_varies: CallVaries) -> Activity:
    """The activity of every name, with respect to the active parameters."""
    statements = [s for s in all_statements(f.body) if isinstance(s, gast.Assign)]
    pruned: dict[str, str] = {}
    varied = {p for p in active if carries(operations.kind(p))}
    size = -1
    while size != len(varied):
        size = len(varied)
        for statement in statements:
            _vary(f, operations, statement, varied, pruned, call_varies)
    useful = _useful(f, operations, statements)
    for statement in statements:
        operation = operations.of(statement)
        if operation.missing and not f.origin(statement).off:
            _refuse_missing(operations, statement, operation, varied, useful)
    return Activity(frozenset(varied), frozenset(useful), {n: why for n, why in pruned.items() if n not in varied})


def _vary(f: Function, operations: Operations, statement: Tree, varied: set[str], pruned: dict[str, str],
          call_varies: CallVaries) -> None:
    operation = operations.of(statement)
    target, value = statement.targets[0], statement.value
    off = f.origin(statement).off
    if operation.verb == "merge":
        varied.update(t.id for t, v in zip(target.elts, value.elts, strict=True)
                      if isinstance(v, gast.Name) and v.id in varied and carries(operations.kind(t.id)))
        return
    targets = [e.id for e in target.elts] if isinstance(target, gast.Tuple) else [target.id]
    if off and set(pruned).intersection(reads(value)):
        pruned.update((t, off) for t in targets if t not in pruned and carries(operations.kind(t)))
    if not varied.intersection(operation.operands) or operation.verb == "whole":
        return
    if off and not operation.keeps_history:
        if operation.verb != "call" or not call_varies(operation.callee, operation.operands, statement,  # type: ignore[arg-type]
                                                       frozenset(varied)):
            pruned.update(dict.fromkeys(targets, off))
            return
    elif operation.verb == "call" and operation.callee is not None and \
            not call_varies(operation.callee, operation.operands, statement, frozenset(varied)):
        pruned.update(dict.fromkeys(targets, "the called function carries no derivative"))
        return
    varied.update(t for t in targets if carries(operations.kind(t)))


def _useful(f: Function, operations: Operations, statements: Stmts) -> set[str]:
    useful = {f.result.id} if isinstance(f.result, gast.Name) else set()
    size = -1
    while size != len(useful):
        size = len(useful)
        for statement in reversed(statements):
            operation = operations.of(statement)
            target, value = statement.targets[0], statement.value
            if operation.verb == "merge":
                useful.update(v.id for t, v in zip(target.elts, value.elts, strict=True)
                              if isinstance(v, gast.Name) and t.id in useful)
            elif operation.verb != "whole":
                targets = [e.id for e in target.elts] if isinstance(target, gast.Tuple) else [target.id]
                if useful.intersection(targets):
                    useful.update(operation.operands)
    return useful


def _refuse_missing(operations: Operations, statement: Tree, operation: Operation, varied: set[str],
                    useful: set[str]) -> None:
    target = statement.targets[0]
    targets = [e.id for e in target.elts] if isinstance(target, gast.Tuple) else [target.id]
    needed = operation.verb == "whole" or useful.intersection(targets)
    if needed and varied.intersection(operations.blocked(operation)) and \
            any(carries(operations.kind(t)) for t in targets):
        raise operations.missing_rule(statement, operation)
