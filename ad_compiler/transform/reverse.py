"""The reverse transformation, statement by statement: each sends the adjoint of its result back to its operands."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import gast

from .. import support
from ..analysis.activity import Activity
from ..analysis.operations import Operation, Operations, item_key, literal_key
from ..frontend.resolve import Callee
from ..kinds import UNKNOWN, Array, Dict, Kind, Scalar, Sequence, SequenceOf, Static, Unknown, carries
from ..program import Function, Lines, Names
from ..rules.table import Row
from ..syntax import Stmts, Tree, constant, name, quote, reads, substitute
from .bars import Bar, Bars, Slot, fresh_value

MODULES = {"np": name("@np"), "math": name("@math")}


@dataclass(frozen=True)
class Plan:
    """How a called function is derived: what to call forwards and backwards, and what the backward call is given."""

    forward: str | None  # None: the primal itself
    backward: str
    needs: tuple[str, ...]  # parameters, or the result (""), that the backward function reads
    saves: bool  # whether forward returns (result, saved)
    active: tuple[str, ...]  # the parameters that get an adjoint, in order
    params: tuple[str, ...] = ()
    owned: frozenset[str] = frozenset()  # parameters whose adjoint is an array that nothing else refers to


Planner = Callable[[Operation, Tree, frozenset[str]], Plan]


@dataclass
class Sweep:
    """What the transformation has read and is writing; the verbs of `control` and `calls` work on it too."""

    f: Function
    operations: Operations
    activity: Activity
    bars: Bars
    plan: Planner
    names: Names
    lines: Lines
    forward_calls: dict[int, str] = field(default_factory=dict)

    def active(self, tree: Tree) -> bool:
        return isinstance(tree, gast.Name) and tree.id in self.activity

    def kind(self, identifier: str) -> Kind:
        return self.bars.kind(identifier)


def instantiate(tree: Tree, parts: dict[str, Tree]) -> Tree:
    """A row's expression with its own names replaced, its helpers among them."""
    helpers = {n: name("@" + n) for n in reads(tree) if n not in parts and n not in MODULES and hasattr(support, n)}
    return substitute(tree, {**MODULES, **helpers, **parts})


def backward(sweep: Sweep, statement: Tree) -> None:
    """Write the backward statements of one assignment."""
    bars, operation = sweep.bars, sweep.operations.of(statement)
    bars.origin = sweep.f.origin(statement)
    if operation.row is not None:
        bars.origin = replace(bars.origin, rule=operation.row.text)
    if operation.verb == "merge":
        return _merge(sweep, statement)
    target = statement.targets[0]
    targets = [e.id for e in target.elts] if isinstance(target, gast.Tuple) else [target.id]
    given: dict[Slot, Bar] = {}
    for each in targets:
        for slot in bars.slots(each):
            bar = bars.state.pop(slot, None)
            if bar is not None:
                given[slot] = bar
    if not given or not any(t in sweep.activity for t in targets):
        return
    if (bars.origin.off and not operation.keeps_history) and operation.verb != "call":
        return
    {"row": _row, "build": _build, "item": _item, "copy": _copy, "unpack": _unpack, "concat": _concat,
     "call": _call}.get(operation.verb, _nothing)(sweep, statement, operation, given)


def _nothing(sweep: Sweep, statement: Tree, operation: Operation, given: dict[Slot, Bar]) -> None:
    """What carries no derivative sends nothing back."""


def _merge(sweep: Sweep, statement: Tree) -> None:
    """`(a, b) = (x, y)`, all at once: adjoints of the targets are taken before any is given."""
    bars = sweep.bars
    moved: list[tuple[str, dict[Slot, Bar]]] = []
    for target, value in zip(statement.targets[0].elts, statement.value.elts, strict=True):
        taken = {slot: bars.state.pop(slot) for slot in bars.slots(target.id) if slot in bars.state}
        if isinstance(value, gast.Name) and value.id in sweep.activity:
            moved.append((value.id, taken))
    for identifier, taken in moved:
        for (_, path), bar in taken.items():
            pass_on(sweep, (identifier, path), bar)


def pass_on(sweep: Sweep, slot: Slot, bar: Bar) -> None:
    """Give an adjoint as it is to another slot: the same object, so that no code is needed for the first one."""
    bars = sweep.bars
    if slot not in bars.state and bars.is_leaf(slot) and \
            not isinstance(bars.slot_kind(slot), (SequenceOf, Sequence, Dict)):
        bars.state[slot] = bar
    else:
        bars.contribute(slot, name(bar.name), partial=bar.partial)


def _copy(sweep: Sweep, statement: Tree, operation: Operation, given: dict[Slot, Bar]) -> None:
    for (_, path), bar in given.items():
        pass_on(sweep, (operation.operands[0], path), bar)


def _build(sweep: Sweep, statement: Tree, operation: Operation, given: dict[Slot, Bar]) -> None:
    value = statement.value
    elements: dict[Any, Tree] = dict(enumerate(value.elts)) if not isinstance(value, gast.Dict) else \
        {literal_key(k): v for k, v in zip(value.keys, value.values, strict=True)}
    bars, target = sweep.bars, statement.targets[0].id
    if (target, ()) in given:  # one adjoint for the whole: a list that is indexed by a variable, or of unknown kind
        whole = given[(target, ())]
        for key, element in elements.items():
            if sweep.active(element):
                part = quote("g[k]", g=name(whole.name), k=constant(key))
                bars.contribute((element.id, ()), part)
        return
    # Two elements may be one name: each of them gets the adjoint, which is then shared.
    seen: set[str] = set()
    for (_, path), bar in given.items():
        element = elements.get(path[0])
        if element is not None and sweep.active(element):
            shared = bar if bar.name not in seen else replace(bar, owned=False)
            seen.add(bar.name)
            pass_on(sweep, (element.id, path[1:]), shared)


def _item(sweep: Sweep, statement: Tree, operation: Operation, given: dict[Slot, Bar]) -> None:
    bars, container, target = sweep.bars, operation.operands[0], statement.targets[0].id
    kind = sweep.kind(container)
    key = item_key(statement.value.slice, kind)
    if (container, ()) in bars.dynamic or isinstance(kind, SequenceOf):
        for (_, path), bar in given.items():
            full = bar if not bar.partial else _full(sweep, (target, path), bar)
            bars.contribute_inside((container, ()), [statement.value.slice, *map(constant, path)], name(full.name))
        return
    for (_, path), bar in given.items():
        pass_on(sweep, (container, (key, *path)), bar)


def _full(sweep: Sweep, slot: Slot, bar: Bar) -> Bar:
    value = sweep.bars.full(name(bar.name), sweep.bars.primal(slot), own=False)
    return Bar(sweep.bars.emit(sweep.bars.fresh(slot), value, sweep.bars.slot_kind(slot)))


def _unpack(sweep: Sweep, statement: Tree, operation: Operation, given: dict[Slot, Bar]) -> None:
    bars, source = sweep.bars, statement.value.id
    position = {e.id: k for k, e in enumerate(statement.targets[0].elts)}
    kind = sweep.kind(source)
    for (identifier, path), bar in given.items():
        k = position[identifier]
        if isinstance(kind, (Sequence, Dict)):
            pass_on(sweep, (source, (k, *path)), bar)
        else:
            full = bar if not bar.partial else _full(sweep, (identifier, path), bar)
            bars.contribute_at((source, ()), constant(k), name(full.name), repeated=False)


def _concat(sweep: Sweep, statement: Tree, operation: Operation, given: dict[Slot, Bar]) -> None:
    """`xs + ys` of sequences of known length."""
    left = sweep.kind(statement.value.left.id) if isinstance(statement.value.left, gast.Name) else UNKNOWN
    if not isinstance(left, Sequence) or not isinstance(statement.value.op, gast.Add):
        operation = replace(operation, missing="this operation on a list")
        raise sweep.operations.missing_rule(statement, operation)
    for (_, path), bar in given.items():
        key: Any = path[0]
        first = key < len(left.items)
        side, k = (statement.value.left, key) if first else (statement.value.right, key - len(left.items))
        if sweep.active(side):
            pass_on(sweep, (side.id, (k, *path[1:])), bar)


def _row(sweep: Sweep, statement: Tree, operation: Operation, given: dict[Slot, Bar]) -> None:
    row = operation.row
    assert row is not None
    bars, target = sweep.bars, statement.targets[0]
    result = name(target.id)
    if row.form.key == ("operator", "Subscript") and \
            _read_in_place(sweep, statement, operation, given[(target.id, ())]):
        return
    parts, partial = _seeds(sweep, row, target.id, given)
    parts |= dict(operation.bound)
    if len(row.results) == 1:
        parts[row.results[0]] = result
    used = [p for p in row.pulls if p in operation.bound and _receives(sweep, operation.bound[p])]
    pulls = {p: row.pull(p, operation.facts) for p in used}
    parts |= _lets(sweep, row, pulls, parts)
    contributions: dict[str, list[tuple[Tree, bool]]] = {}
    for parameter in used:
        value, operand = instantiate(pulls[parameter], parts), operation.bound[parameter]
        if not isinstance(operand, gast.Name) or isinstance(sweep.kind(operand.id), (Sequence, SequenceOf, Dict)):
            _distribute(sweep, operand, value)
        else:
            contributions.setdefault(operand.id, []).append(
                _fitted(sweep, row, operation, value, operand, result, partial))
    totals = {identifier: _together(values) for identifier, values in contributions.items()}
    bare = sum(isinstance(value, gast.Name) for value, _ in totals.values())
    for identifier, (value, partly) in totals.items():
        sole = bare == 1 and isinstance(value, gast.Name)  # the cotangent itself goes to one operand only
        owned = fresh_value(value) or (sole and any(b.owned and b.name == value.id for b in given.values()))
        bars.contribute((identifier, ()), value, owned, partly)


def _seeds(sweep: Sweep, row: Row, target: str, given: dict[Slot, Bar]) -> tuple[dict[str, Tree], bool]:
    """The cotangents that a row's formulas name: `g`, or `g_w` and `g_v` for a tuple."""
    bars = sweep.bars
    if len(row.results) > 1:
        parts: dict[str, Tree] = {}
        for k, each in enumerate(row.results):
            slot: Slot = (target, (k,))
            bar = given.get(slot)
            if bar is not None and bar.partial:
                bar = _full(sweep, slot, bar)
            parts["g_" + each] = name(bar.name) if bar else bars.zero(slot)
            parts[each] = bars.primal(slot)
        return parts, False
    if (target, ()) not in given:  # the result is a sequence, e.g. of np.split
        elements = []
        for slot in bars._all_slots((target, ())):
            bar = given.get(slot)
            if bar is not None and bar.partial:
                bar = _full(sweep, slot, bar)
            elements.append(name(bar.name) if bar else bars.zero(slot))
        return {"g": gast.Tuple(elts=elements, ctx=gast.Load())}, False
    bar = given[(target, ())]
    if bar.partial and row.verb != "elementwise":
        bar = _full(sweep, (target, ()), bar)
    return {"g": name(bar.name)}, bar.partial


def _receives(sweep: Sweep, operand: Tree) -> bool:
    if isinstance(operand, gast.Tuple):
        return any(sweep.active(e) for e in operand.elts)
    return sweep.active(operand)


def _lets(sweep: Sweep, row: Row, pulls: dict[str, Tree], parts: dict[str, Tree]) -> dict[str, Tree]:
    """Shared terms: computed once under a name if several formulas read them, else written where they are read."""
    terms: dict[str, Tree] = {}
    for identifier, tree in row.lets.items():
        wanted = sum(identifier in reads(p) for p in [*pulls.values(), *row.lets.values()])
        if not wanted:
            continue
        value = instantiate(tree, {**parts, **terms})
        terms[identifier] = value if wanted == 1 else \
            sweep.bars.held(identifier, value, sweep.operations.inference.infer(value) or UNKNOWN)
    return terms


def _fitted(sweep: Sweep, row: Row, operation: Operation, value: Tree, operand: Tree, result: Tree,
            partial: bool) -> tuple[Tree, bool]:
    bars, slot = sweep.bars, (operand.id, ())
    if row.verb == "elementwise":
        return bars.matched(value, operand, slot, result, sweep.kind(result.id), partial)
    kinds = [f.kind for f in operation.facts.values()
             if carries(f.kind) and isinstance(f.kind, (Scalar, Array, Unknown))]
    dtypes = {getattr(k, "dtype", None) for k in [*kinds, sweep.kind(result.id)] if not isinstance(k, Static)}
    return bars.casted(value, operand, slot, mixed=len(dtypes - {"i8", "b1"}) != 1 or None in dtypes)


def _together(values: list[tuple[Tree, bool]]) -> tuple[Tree, bool]:
    """One expression for all that a statement sends to one operand."""
    total, partial = values[0]
    for value, partly in values[1:]:
        total = gast.BinOp(left=total, op=gast.Add(), right=value)
        partial = partial and partly
    return total, partial


def _distribute(sweep: Sweep, operand: Tree, value: Tree) -> None:
    """A sequence of contributions to a sequence of arguments."""
    bars = sweep.bars
    if isinstance(operand, gast.Name):
        held = bars.held("parts", value, UNKNOWN)
        return bars.contribute((operand.id, ()), held)
    apart = isinstance(value, (gast.Tuple, gast.List))
    if not apart:
        value = bars.held("parts", value, UNKNOWN)
    for k, element in enumerate(operand.elts):
        if sweep.active(element):
            part = value.elts[k] if apart else quote("g[k]", g=value, k=constant(k))
            bars.contribute((element.id, ()), part)


def _read_in_place(sweep: Sweep, statement: Tree, operation: Operation, bar: Bar) -> bool:
    """`y = x[i]`: its adjoint is added into a buffer of x's shape."""
    bars, source, target = sweep.bars, statement.value.value, statement.targets[0].id
    index = statement.value.slice
    if isinstance(sweep.kind(source.id), Scalar):  # x[()] of a number
        pass_on(sweep, (source.id, ()), bar)
        return True
    repeated = _may_repeat(sweep, index)
    if bar.partial and repeated:
        bar = _full(sweep, (target, ()), bar)
    bars.contribute_at((source.id, ()), index, name(bar.name), repeated)
    return True


def _may_repeat(sweep: Sweep, index: Tree) -> bool:
    """Whether an index may name an element more than once: integer arrays, and what isn't known."""
    if isinstance(index, gast.Tuple):
        return any(_may_repeat(sweep, e) for e in index.elts)
    if isinstance(index, (gast.Slice, gast.Constant)):
        return False
    kind = sweep.operations.inference.infer(index)
    if isinstance(kind, Array):
        return kind.dtype != "b1"
    if isinstance(index, gast.Attribute) and index.attr == "newaxis":
        return False
    return not isinstance(kind, (Scalar, Static))


def _call(sweep: Sweep, statement: Tree, operation: Operation, given: dict[Slot, Bar]) -> None:
    """A call of a user's function: its own backward function gives the adjoints of its arguments."""
    bars, target, call = sweep.bars, statement.targets[0].id, statement.value
    plan = sweep.plan(operation, statement, frozenset(sweep.activity.active))
    operands = operands_of(found_callee(operation), call)
    seed = _seed_tree(sweep, (target, ()), given)
    arguments = [name(target) if not n else operands[n] for n in plan.needs]
    if plan.saves:
        arguments.append(name(saved_name(sweep, statement)))
    value = gast.Call(func=name("@" + plan.backward), args=[*arguments, seed], keywords=[])
    wanted = [p for p in plan.active if sweep.active(operands[p])]
    if len(plan.active) == 1:
        results = {plan.active[0]: bars.held("part_bar", value, bars.kind(operands[plan.active[0]].id))}
    else:
        fresh = {p: bars.names.label(f"{sweep.names.base.get(operands[p].id, p)}_bar" if sweep.active(operands[p])
                                     else "unused", True) for p in plan.active}
        targets = [gast.Name(id=n, ctx=gast.Store(), annotation=None, type_comment=None) for n in fresh.values()]
        statement = gast.Assign(targets=[gast.Tuple(elts=targets, ctx=gast.Store())], value=value, type_comment=None)
        statement.lineno = bars.lines.new(bars.origin)
        bars.out.append(statement)
        for p, n in fresh.items():
            bars.inference.env[n] = bars.kind(operands[p].id) if isinstance(operands[p], gast.Name) else UNKNOWN
        results = {p: name(n) for p, n in fresh.items()}
    for p in wanted:
        bars.contribute((operands[p].id, ()), results[p], owned=p in plan.owned)


def found_callee(operation: Operation) -> Callee:
    """The function that a call calls."""
    assert operation.callee is not None
    return operation.callee


def operands_of(found: Callee, call: Tree) -> dict[str, Tree]:
    """What a call gives for each parameter, in the order of the parameters, functions left out."""
    names = [p for p in inspect.signature(found.value, follow_wrapped=False).parameters if p not in dict(found.bound)]
    by_keyword = {k.arg: k.value for k in call.keywords}
    positional = [n for n in names if n not in by_keyword]
    given = dict(zip(positional, call.args, strict=True)) | by_keyword
    return {n: given[n] for n in names if n not in dict(found.fixed)}


def _seed_tree(sweep: Sweep, slot: Slot, given: dict[Slot, Bar]) -> Tree:
    """The cotangent of a result in its own structure, zeros where nothing has come back."""
    bars, kind = sweep.bars, sweep.bars.slot_kind(slot)
    if isinstance(kind, Sequence) and slot not in bars.dynamic:
        return gast.Tuple(elts=[_seed_tree(sweep, (slot[0], (*slot[1], k)), given) for k in range(len(kind.items))],
                          ctx=gast.Load())
    if isinstance(kind, Dict) and slot not in bars.dynamic:
        return gast.Dict(keys=[constant(k) for k, _ in kind.items],
                         values=[_seed_tree(sweep, (slot[0], (*slot[1], k)), given) for k, _ in kind.items])
    if not carries(kind):
        return constant(None)
    bar = given.get(slot)
    if bar is None:
        return bars.zero(slot)
    return name((_full(sweep, slot, bar) if bar.partial else bar).name)


def saved_name(sweep: Sweep, statement: Tree) -> str:
    """The name that holds what a called function has saved; the forward sweep assigns it."""
    if statement.lineno not in sweep.forward_calls:
        called = sweep.operations.of(statement).callee
        label = getattr(called.value, "__name__", "call") if called is not None else "call"
        sweep.forward_calls[statement.lineno] = sweep.names.label(f"{label if label.isidentifier() else 'call'}_saved")
    return sweep.forward_calls[statement.lineno]


def forward_call(sweep: Sweep, statement: Tree) -> Stmts:
    """A call of a user's function in the forward sweep: the primal, or the forward function that also saves."""
    operation = sweep.operations.of(statement)
    if operation.verb != "call" or statement.targets[0].id not in sweep.activity:
        return [statement]
    plan = sweep.plan(operation, statement, frozenset(sweep.activity.active))
    if not plan.saves:
        return [statement]
    call = statement.value
    given = list(operands_of(found_callee(operation), call).values())
    value = gast.Call(func=name("@" + str(plan.forward)), args=given, keywords=[])
    both = gast.Tuple(elts=[gast.Name(id=n, ctx=gast.Store(), annotation=None, type_comment=None)
                            for n in (statement.targets[0].id, saved_name(sweep, statement))], ctx=gast.Store())
    fresh = gast.Assign(targets=[both], value=value, type_comment=None)
    fresh.lineno = sweep.lines.new(sweep.f.origin(statement))
    return [fresh]
