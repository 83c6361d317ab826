"""Branches and loops backwards: the same branch is taken again, and the steps of a loop run in reverse order."""

from __future__ import annotations

from dataclasses import replace

import gast

from ..analysis.operations import item_key
from ..frontend.normalize import has_break, is_merge, raises
from ..kinds import INT, Dict, Sequence
from ..program import Origin, all_statements
from ..syntax import Stmts, Tree, assign, at, constant, name, quote, reads, substitute, target, writes
from .bars import INPLACE, Bar, Slot, State
from .reverse import Sweep, backward, forward_call
from .saving import STACK, Saver, merged, reads_of


class Control:
    """Transforms blocks; returns their forward and backward statements."""

    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep
        self.saver = Saver(sweep)
        self.heads: list[set[str]] = []  # what the loops around this place carry

    def block(self, body: Stmts) -> tuple[Stmts, Stmts]:
        """Transform statements from last to first, from the state of adjoints at their end to that at their start."""
        bars = self.sweep.bars
        forward: list[Stmts] = []
        outer, bars.out = bars.out, []
        for k in range(len(body) - 1, -1, -1):
            statement = body[k]
            if isinstance(statement, gast.If):
                forward.append([self._if(statement)])
            elif isinstance(statement, (gast.For, gast.While)):
                first = set(writes(body[k - 1])) if k and is_merge(body[k - 1]) else set()
                forward.append(self._loop(statement, first))
            elif isinstance(statement, gast.Assign):
                backward(self.sweep, statement)
                forward.append(forward_call(self.sweep, statement))
            else:
                forward.append([statement])
        back, bars.out = bars.out, outer
        return [s for part in reversed(forward) for s in part], back

    # Branches

    def _if(self, statement: Tree) -> Tree:
        bars = self.sweep.bars
        before = dict(bars.state)
        carried = {h for heads in self.heads for h in heads}
        sides: list[tuple[Stmts, Stmts, State]] = []
        for branch in (statement.body, statement.orelse):
            bars.state = dict(before)
            forward, back = self.block(branch)
            sides.append((forward, back, bars.state))
        if raises(statement.body) or raises(statement.orelse):
            kept = 1 if raises(statement.body) else 0
            bars.out += sides[kept][1]
            bars.state = sides[kept][2]
            return at(gast.If(test=statement.test, body=sides[0][0], orelse=sides[1][0]), statement.lineno)
        local = {n for s in all_statements([*statement.body, *statement.orelse]) for n in writes(s)} - carried
        for side in sides:
            for slot in [s for s in side[2] if s[0] in local]:
                del side[2][slot]
        bars.state = self._meet(sides)
        forwards, backs = [side[0] for side in sides], [side[1] for side in sides]
        if self.heads:
            out = frozenset(merged(statement)) | carried
            closed = [self.saver.close(f, b, [], out) for f, b in zip(forwards, backs, strict=True)]
            forwards, backs = [c[0] for c in closed], [c[1] for c in closed]
        if backs[0] or backs[1]:
            bars.out.append(at(gast.If(test=statement.test, body=backs[0], orelse=backs[1]),
                               self.sweep.lines.new(self.sweep.f.origin(statement))))
        return at(gast.If(test=statement.test, body=forwards[0], orelse=forwards[1]), statement.lineno)

    def _meet(self, sides: list[tuple[Stmts, Stmts, State]]) -> State:
        """One state for both branches: slots that differ are merged, zeros written where a branch gives nothing."""
        bars = self.sweep.bars
        states = [side[2] for side in sides]
        slots = list(dict.fromkeys([*states[0], *states[1]]))
        result = {s: states[0][s] for s in slots if states[0].get(s) == states[1].get(s)}
        differ = [s for s in slots if s not in result]
        if not differ:
            return result
        targets = {s: bars.fresh(s) for s in differ}
        bars.inference.env.update({targets[s]: bars.slot_kind(s) for s in differ})
        owned = dict.fromkeys(differ, True)
        outer = bars.out
        bars.origin = Origin()
        for _, back, state in sides:
            bars.state, bars.out = state, back
            values = self._ends(differ, {})
            for s in differ:
                owned[s] = owned[s] and bars.state[s].owned
            back.append(self.merge([targets[s] for s in differ], values))
        bars.out = outer
        result.update({s: Bar(targets[s], owned[s]) for s in differ})
        return result

    def _ends(self, slots: list[Slot], before: dict[Slot, Bar]) -> list[Tree]:
        """The adjoints of slots where a block's backward statements end, in full shape, zeros written out."""
        bars = self.sweep.bars
        values: list[Tree] = []
        for slot in slots:
            bar = bars.full_bar(slot)
            if bar is None:
                zero = bars.zero(slot, before.get(slot))
                bar = Bar(bars.emit(bars.fresh(slot), zero, bars.slot_kind(slot)), True)
                bars.state[slot] = bar
            values.append(name(bar.name))
        return values

    def merge(self, targets: list[str], values: list[Tree]) -> Tree:
        """The parallel assignment `(targets) = (values)`."""
        statement = gast.Assign(targets=[gast.Tuple(elts=[target(t) for t in targets], ctx=gast.Store())],
                                value=gast.Tuple(elts=list(values), ctx=gast.Load()), type_comment=None)
        return at(statement, self._line(""))

    def _line(self, why: str) -> int:
        return self.sweep.lines.new(replace(self.sweep.bars.origin, why=why, rule=""))

    # Loops

    def _loop(self, loop: Tree, first: set[str]) -> Stmts:
        sweep, bars = self.sweep, self.sweep.bars
        heads = tail_merged(loop.body)
        inside = {n for s in all_statements(loop.body) for n in writes(s)} | set(heads)
        active = [s for h in heads if h in sweep.activity for s in bars.slots(h)]
        receivers = [s for s in self._receivers(loop.body, inside) if s not in active]
        if not active and not receivers:
            return [loop]
        bars.origin = Origin()
        steady: dict[Slot, Bar] = {}
        for slots, own in ((active, False), (receivers, True)):
            entering = [name(bars.owned(s)) for s in slots] if own else self._ends(slots, {})
            fresh_bars = {s: Bar(bars.fresh(s), own) for s in slots}
            bars.inference.env.update({b.name: bars.slot_kind(s) for s, b in fresh_bars.items()})
            if slots:
                bars.out.append(self.merge([b.name for b in fresh_bars.values()], entering))
            steady |= fresh_bars
        outside = dict(bars.state)
        bars.state = dict(steady)
        prefix, rest = self._head_exit(loop)
        self.heads.append(set(heads))
        stacks, self.saver.stacks = self.saver.stacks, []
        forward, back = self.block(rest)
        outer, bars.out = bars.out, back
        bars.origin = Origin()
        ends = self._ends(list(steady), steady)
        back.append(self.merge([b.name for b in steady.values()], ends))
        bars.out = outer
        self.heads.pop()
        before = [n for s in prefix for n in writes(s)]
        carried = frozenset(h for hs in self.heads for h in hs)
        forward, back = self.saver.close(forward, back, [*heads, *before], carried - set(heads))
        saved = {n for s in forward for n in _pushed(s)}
        unset = [h for h in heads if h in saved and h not in first]
        made, self.saver.stacks = self.saver.stacks, stacks
        new = forward if not prefix else [*prefix[:-1], at(gast.If(
            test=prefix[-1].test, body=prefix[-1].body, orelse=forward), prefix[-1].lineno)]
        start: Stmts = [self.merge([h], [constant(None)]) for h in unset]
        if self.heads:
            self.saver.stacks += made
        else:
            start += [assign(s, quote("stack()", stack=name(STACK)), self._line("")) for s in made]
        fresh, again = self._reversed(loop, new, back, start, bool(prefix))
        bars.out.append(again)
        bars.state = {**{s: b for s, b in outside.items() if s not in steady}, **steady}
        return [*start, fresh]

    def _receivers(self, body: Stmts, inside: set[str]) -> list[Slot]:
        """The slots of outer names that get contributions in each step."""
        sweep, found = self.sweep, dict[Slot, None]()
        for statement in all_statements(body):
            if not isinstance(statement, gast.Assign) or not any(n in sweep.activity for n in writes(statement)):
                continue
            operation = sweep.operations.of(statement)
            if operation.verb == "whole":
                continue
            for n in operation.operands:
                if n in sweep.activity and n not in inside:
                    path: tuple[object, ...] = ()
                    if operation.verb == "item" and isinstance(sweep.kind(n), (Sequence, Dict)) and \
                            (n, ()) not in sweep.bars.dynamic:
                        path = (item_key(statement.value.slice, sweep.kind(n)),)
                    found.update(dict.fromkeys(s for s in sweep.bars.slots(n) if s[1][:len(path)] == path[:len(s[1])]))
        return list(found)

    def _head_exit(self, loop: Tree) -> tuple[Stmts, Stmts]:
        """A loop that is left before anything is differentiated in its step: (what precedes and tests, the step)."""
        for k, statement in enumerate(loop.body):
            if isinstance(statement, gast.If) and k == len(loop.body) - 1 and _only_leaves(statement.body):
                return loop.body[:k + 1], statement.orelse
            if not isinstance(statement, gast.Assign) or any(n in self.sweep.activity for n in writes(statement)):
                break
        return [], loop.body

    def _reversed(self, loop: Tree, body: Stmts, back: Stmts, start: Stmts, head_exit: bool) -> tuple[Tree, Tree]:
        """The forward loop, counting its steps where that isn't known, and the backward loop."""
        names = self.sweep.names
        used = reads_of(back)
        counted = isinstance(loop, gast.While) or any(has_break(s) for s in loop.body)
        trips = names.label("trips") if counted else ""
        if counted:
            self.sweep.bars.inference.env[trips] = INT
            following = names.label("trips")
            self.sweep.bars.inference.env[following] = INT
            step = assign(following, quote("n + 1", n=name(trips)), self._line(INPLACE))
            start.append(self.merge([trips], [constant(0)]))
            if head_exit:
                last = body[-1]
                orelse = [step, *_extended(self, last.orelse, trips, following)]
                body = [*body[:-1], at(gast.If(test=last.test, body=last.body, orelse=orelse), last.lineno)]
            else:
                body = [step, *_extended(self, body, trips, following)]
        if isinstance(loop, gast.While):
            fresh = at(gast.While(test=loop.test, body=body, orelse=[]), loop.lineno)
            index, iterate = names.label("_"), quote("range(n)", n=name(trips))
        else:
            fresh = at(gast.For(target=loop.target, iter=loop.iter, body=body, orelse=[], type_comment=None),
                       loop.lineno)
            index = names.fresh(loop.target.id)
            iterate = quote("r[:n]", r=loop.iter, n=name(trips)) if counted else loop.iter
            if loop.target.id in used:
                iterate = _backwards(iterate)
                back = [substitute(s, {loop.target.id: name(index)}) for s in back]
            elif counted:
                iterate = quote("range(n)", n=name(trips))
        self.sweep.bars.inference.env[index] = INT
        again = gast.For(target=target(index), iter=iterate, body=back, orelse=[], type_comment=None)
        return fresh, at(again, self.sweep.lines.new(self.sweep.f.origin(loop)))


def _backwards(iterate: Tree) -> Tree:
    if isinstance(iterate, gast.Subscript) and isinstance(iterate.slice, gast.Slice) and iterate.slice.upper is None:
        return iterate.value
    return quote("r[::-1]", r=iterate)


def _only_leaves(body: Stmts) -> bool:
    """A path that changes nothing and leaves the loop."""
    return bool(body) and isinstance(body[-1], gast.Break) and all(
        is_merge(s) and all(isinstance(v, gast.Name) and v.id == t.id for t, v in
                            zip(s.targets[0].elts, s.value.elts, strict=True)) for s in body[:-1])


def tail_merged(body: Stmts) -> list[str]:
    """The names that a loop carries: those merged at the ends of its body."""
    if not body:
        return []
    last = body[-1]
    if is_merge(last):
        return writes(last)
    if isinstance(last, gast.Break) and len(body) > 1 and is_merge(body[-2]):
        return writes(body[-2])
    if isinstance(last, gast.If) and has_break(last):
        found = [*tail_merged(last.body), *tail_merged(last.orelse)]
        if not found and len(body) > 1 and is_merge(body[-2]):
            found = writes(body[-2])
        return list(dict.fromkeys(found))
    return []


def _extended(control: Control, body: Stmts, head: str, value: str) -> Stmts:
    """A loop body that carries one more name."""
    last = body[-1] if body else None
    if last is not None and is_merge(last):
        return [*body[:-1], control.merge([*writes(last), head], [*last.value.elts, name(value)])]
    if isinstance(last, gast.Break):
        return [*_extended(control, body[:-1], head, value), last]
    if isinstance(last, gast.If) and has_break(last):
        if len(body) > 1 and is_merge(body[-2]) and not tail_merged(last.body) and not tail_merged(last.orelse):
            return [*_extended(control, body[:-1], head, value), last]
        return [*body[:-1], at(gast.If(test=last.test, body=_extended(control, last.body, head, value),
                                       orelse=_extended(control, last.orelse, head, value)), last.lineno)]
    return [*body, control.merge([head], [name(value)])]


def _pushed(statement: Tree) -> list[str]:
    call = getattr(statement, "value", None)
    return reads(call.args[1]) if isinstance(statement, gast.Expr) and isinstance(call, gast.Call) and \
        isinstance(call.func, gast.Name) and call.func.id == "@save" else []

