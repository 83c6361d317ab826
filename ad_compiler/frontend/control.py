"""Exits become nesting: after this pass a function has one return, at its end, and `break` stands last on its path.

`if c: return a` followed by more is `if c: out = a` / `else: more`. A path that leaves a loop sets what it has to say
and ends in `break`; what follows the loop stands under a test of the flag. No statement is written twice: where both
branches may fall through and one may exit, the exit sets a flag and what follows stands under `if not leave`.
"""

from __future__ import annotations

from collections.abc import Callable

import gast

from ..syntax import Stmts, Tree, constant, name, quote, target

RESULT, RETURNED, LEAVE = "out", "returned", "leave"


class Structure:
    """Rewrites the body of one function; `fresh` supplies names that the user doesn't have."""

    def __init__(self, fresh: Callable[[str], str]) -> None:
        self.fresh = fresh
        self.result = ""

    def function(self, body: Stmts) -> tuple[Stmts, Tree]:
        """The body without exits, and the expression to return."""
        last = body[-1] if body else None
        if isinstance(last, gast.Return) and not any(exits(s, in_loop=False) for s in body[:-1]):
            before = self._flat(body[:-1], self._return_at_top)
            if last.value is None:
                return before, constant(None)
            self.result = self.fresh(RESULT)
            return [*before, self._bind(self.result, last.value, last)], name(self.result)
        if not any(exits(s, in_loop=False) for s in body):
            return self._flat(body, self._return_at_top), constant(None)
        self.result = self.fresh(RESULT)
        if falls(body):
            where = body[-1]
            body = [*body, gast.copy_location(gast.Return(value=constant(None)), where)]
        return self._flat(body, self._return_at_top), name(self.result)

    def _bind(self, identifier: str, value: Tree, where: Tree) -> Tree:
        statement = gast.Assign(targets=[target(identifier)], value=value, type_comment=None)
        return gast.copy_location(statement, where)

    # What an exit turns into depends on where it stands: a function from the exit to statements that end the path.

    def _return_at_top(self, leave: Tree) -> Stmts:
        return [self._bind(self.result, leave.value, leave)] if leave.value is not None else (
            [] if getattr(leave, "done", False) else [self._bind(self.result, constant(None), leave)])

    def _flat(self, body: Stmts, leave: Callable[[Tree], Stmts]) -> Stmts:
        """Statements whose exits have been turned by `leave`, with what follows an `if` moved into its branches."""
        out: Stmts = []
        for k, statement in enumerate(body):
            rest = body[k + 1:]
            if isinstance(statement, (gast.Return, gast.Break, gast.Continue)):
                return out + leave(statement)
            if isinstance(statement, gast.Raise):
                return [*out, statement]
            if isinstance(statement, (gast.For, gast.While)):
                loop, after = self._loop(statement)
                out += loop
                if after is not None:
                    return out + self._flat([after, *rest], leave)
                continue
            if isinstance(statement, gast.With) and exits(statement, in_loop=True):
                inner = self._under_flag(statement, rest)
                return out + self._flat(inner, leave)
            if isinstance(statement, gast.If) and exits(statement, in_loop=True):
                yes, no = falls(statement.body), falls(statement.orelse)
                if yes and no and rest:
                    return out + self._flat(self._under_flag(statement, rest), leave)
                branches = [self._flat([*branch, *rest] if falling else branch, leave)
                            for branch, falling in ((statement.body, yes), (statement.orelse, no))]
                return [*out, _if(statement.test, branches[0], branches[1], statement)]
            if isinstance(statement, (gast.If, gast.With)):
                out.append(self._inside(statement, leave))
                continue
            out.append(statement)
        return out

    def _inside(self, statement: Tree, leave: Callable[[Tree], Stmts]) -> Tree:
        """A compound statement without exits of its own; loops inside of it may still have some."""
        if isinstance(statement, gast.If):
            body, orelse = self._flat(statement.body, leave), self._flat(statement.orelse, leave)
            return _if(statement.test, body, orelse, statement)
        return gast.copy_location(
            gast.With(items=statement.items, body=self._flat(statement.body, leave), type_comment=None), statement)

    def _under_flag(self, statement: Tree, rest: Stmts) -> Stmts:
        """The statement with its exits as flags, then the exits that the flag asks for, then what follows."""
        flag = self.fresh(LEAVE)
        kinds: dict[type, Tree] = {}

        def note(leave: Tree) -> Stmts:
            kinds[type(leave)] = leave
            returns = isinstance(leave, gast.Return) and leave.value
            out = [self._bind(self.result, leave.value, leave)] if returns else []
            return [*out, self._bind(flag, constant(_CODES[type(leave)]), leave)]

        if isinstance(statement, gast.If):
            body, orelse = self._flat(statement.body, note), self._flat(statement.orelse, note)
            marked = _if(statement.test, body, orelse, statement)
        else:
            marked = gast.copy_location(
                gast.With(items=statement.items, body=self._flat(statement.body, note), type_comment=None), statement)
        tests: Stmts = []
        for kind, leave in kinds.items():
            again = gast.copy_location(kind(value=None) if kind is gast.Return else kind(), leave)
            again.done = True
            tests.append(_if(quote(f"{flag} == {_CODES[kind]}"), [again], [], statement))
        return [self._bind(flag, constant(0), statement), marked, *tests, *rest]

    def _loop(self, loop: Tree) -> tuple[Stmts, Tree | None]:
        """The loop without returns, and, where it had some, the exit that follows it."""
        returns = any(isinstance(e, gast.Return) for s in loop.body for e in exits_of(s, in_loop=False))
        flag = self.fresh(RETURNED) if returns else ""

        def leave(exit: Tree) -> Stmts:
            if isinstance(exit, gast.Continue):
                return []
            if isinstance(exit, gast.Break):
                return [gast.copy_location(gast.Break(), exit)]
            bind = [] if getattr(exit, "done", False) else [self._bind(self.result, exit.value or constant(None), exit)]
            return [*bind, self._bind(flag, constant(True), exit), gast.copy_location(gast.Break(), exit)]

        body = self._flat(loop.body, leave)
        fields = {f: getattr(loop, f, None) for f in loop._fields} | {"body": body}
        fresh = gast.copy_location(type(loop)(**fields), loop)
        if not returns:
            return [fresh], None
        done = gast.copy_location(gast.Return(value=None), loop)
        done.done = True
        after = _if(name(flag), [done], [], loop)
        return [self._bind(flag, constant(False), loop), fresh], after


_CODES: dict[type, int] = {gast.Return: 1, gast.Break: 2, gast.Continue: 3}


def _if(test: Tree, body: Stmts, orelse: Stmts, where: Tree) -> Tree:
    return gast.copy_location(gast.If(test=test, body=body, orelse=orelse), where)


def exits_of(statement: Tree, in_loop: bool) -> Stmts:
    """The returns of a statement, and with `in_loop` the breaks and continues that belong to the loop around it."""
    if isinstance(statement, gast.Return):
        return [statement]
    if isinstance(statement, (gast.Break, gast.Continue)):
        return [statement] if in_loop else []
    if isinstance(statement, (gast.For, gast.While)):
        return [e for s in statement.body for e in exits_of(s, in_loop=False)]
    return [e for field in ("body", "orelse") for s in getattr(statement, field, []) or []
            for e in exits_of(s, in_loop)] if isinstance(statement, (gast.If, gast.With)) else []


def exits(statement: Tree, in_loop: bool) -> bool:
    """Whether a path through the statement may leave it by return (or, `in_loop`, by break or continue)."""
    return bool(exits_of(statement, in_loop))


def falls(body: Stmts) -> bool:
    """Whether control may come to the end of a body."""
    for statement in body:
        if isinstance(statement, (gast.Return, gast.Break, gast.Continue, gast.Raise)):
            return False
        if isinstance(statement, gast.If) and not falls(statement.body) and not falls(statement.orelse):
            return False
        if isinstance(statement, gast.With) and not falls(statement.body):
            return False
        if isinstance(statement, gast.While) and _endless(statement):
            return False
    return True


def _endless(loop: Tree) -> bool:
    """`while True` without a break never falls through."""
    always = isinstance(loop.test, gast.Constant) and bool(loop.test.value)
    return always and not any(isinstance(e, gast.Break) for s in loop.body for e in exits_of(s, in_loop=True))
