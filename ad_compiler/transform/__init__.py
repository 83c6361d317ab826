"""From a function in normal form and its facts to its derivative program."""

from __future__ import annotations

from dataclasses import dataclass, replace

import gast

from ..analysis.activity import Activity
from ..analysis.operations import Operations, item_key, literal_key
from ..analysis.unset import unset_names
from ..frontend.normalize import is_merge
from ..kinds import Array, Dict, Kind, Scalar, Sequence, SequenceOf, carries, shape
from ..program import Function, Lines, Names, Origin, all_statements
from ..syntax import Stmts, Tree, assign, at, constant, name, quote, substitute, target, writes
from .bars import Bar, Bars, Slot
from .control import Control
from .reverse import Planner, Sweep
from .saving import definitions, merged, reads_of

BACKWARD, FORWARD = "@backward", "@forward"


@dataclass(frozen=True)
class Adjoint:
    """The two sweeps of one function, and the trees of its results."""

    f: Function
    forward: Stmts
    back: Stmts
    seed: str
    grads: dict[str, Tree]
    names: Names
    lines: Lines
    calls: dict[int, object]
    constants: dict[str, str]
    owned: frozenset[str]


def reverse(f: Function, operations: Operations, activity: Activity, active: tuple[str, ...], plan: Planner,
            public: bool, aux: bool = False) -> Adjoint:
    """Transform a function: `active` are the parameters to differentiate by.

    A `public` adjoint is given a seed by anyone, and its gradients alias neither seed, arguments nor each other. With
    `aux` the result is a pair, and only its first part is differentiated.
    """
    names = f.names.copy()
    lines = Lines(dict(f.origins), max(f.origins, default=0))
    bars = Bars(operations.inference, names, lines, dynamic_slots(f, operations))
    bars.unset = unset_names(f)
    bars.parts = {s.targets[0].id: (s.value.value.id, (item_key(s.value.slice, operations.kind(s.value.value.id)),))
                  for s in all_statements(f.body) if isinstance(s, gast.Assign) and operations.of(s).verb == "item"
                  and s.targets[0].id in names.temporary and literal_key(s.value.slice) is not ...}
    sweep = Sweep(f, operations, activity, bars, plan, names, lines)
    seed = names.label("out_bar")
    bars.origin = Origin()
    _seed(f, bars, activity, seed, public, aux)
    start, bars.out = bars.out, []
    forward, back = Control(sweep).block(f.body)
    bars.out = [*start, *back]
    bars.origin = Origin()
    grads = {p: _gradient(bars, (p, ()), public) for p in active}
    read = {**reads_of(bars.out), **reads_of([s for s in all_statements(forward) if _saves(s)])}
    forward = [*(_none(n, lines) for n in sorted(bars.unset) if n in read), *forward]
    owned = frozenset(p for p in active if (p, ()) in bars.state and bars.state[p, ()].owned)
    return Adjoint(f, forward, bars.out, seed, grads, names, lines, dict(f.calls), dict(activity.pruned), owned)


def _seed(f: Function, bars: Bars, activity: Activity, seed: str, public: bool,
          aux: bool) -> None:
    """The state in which the backward sweep begins: the adjoint of the result is the seed."""
    if not isinstance(f.result, gast.Name) or f.result.id not in activity:
        return
    result = f.result.id
    for slot in bars.slots(result, (0,) if aux else ()):
        value = name(seed)
        for key in slot[1][1:] if aux else slot[1]:
            value = quote("g[k]", g=value, k=constant(key))
        kind = bars.slot_kind(slot)
        if public and not isinstance(kind, Scalar):
            value = quote("cotangent(g, y)", g=value, y=bars.primal(slot), cotangent=name("@cotangent"))
        if isinstance(value, gast.Name):
            bars.inference.env[seed] = kind
            bars.state[slot] = Bar(seed)
        else:
            bars.state[slot] = Bar(bars.emit(bars.fresh(slot), value, kind))


def _gradient(bars: Bars, slot: Slot, public: bool) -> Tree:
    """The gradient with respect to a parameter, in its structure; None for what carries no derivative."""
    kind = bars.slot_kind(slot)
    if slot in bars.dynamic or isinstance(kind, SequenceOf):
        bar = bars.state.get(slot)
        value = name(bar.name) if bar else bars.zero(slot)
        return quote("as_tree(g, x)", g=value, x=bars.primal(slot), as_tree=name("@as_tree"))
    if isinstance(kind, Sequence):
        items = [_gradient(bars, (slot[0], (*slot[1], k)), public) for k in range(len(kind.items))]
        return (gast.List if kind.type == "list" else gast.Tuple)(elts=items, ctx=gast.Load())
    if isinstance(kind, Dict):
        return gast.Dict(keys=[constant(k) for k, _ in kind.items],
                         values=[_gradient(bars, (slot[0], (*slot[1], k)), public) for k, _ in kind.items])
    if not carries(kind):
        return constant(None)
    bar = bars.full_bar(slot)
    if bar is None:
        value = bars.zero(slot)
        if isinstance(value, gast.Constant) or slot[1]:
            return value
        return name(bars.emit(bars.fresh(slot), value, kind))
    if not public:
        return name(bar.name)
    return _public(bars, slot, bar, kind)


def _public(bars: Bars, slot: Slot, bar: Bar, kind: Kind) -> Tree:
    """A gradient that is handed out: of the argument's own type, and shared with nothing."""
    value = name(bar.name)
    if isinstance(kind, Scalar):
        have = bars.inference.env.get(bar.name)
        if kind.python and kind.dtype == "f8" and getattr(have, "dtype", None) == "f4":
            return quote("float(g)", g=value)
        return value
    if bar.owned or bars.out and _makes_new(bars.out, bar.name):
        return value
    copied = quote("g.copy()", g=value) if isinstance(kind, Array) and shape(kind) else \
        quote("copy(g)", g=value, copy=name("@copy_tree"))
    return name(bars.emit(bars.fresh(slot), copied, kind))


def _makes_new(body: Stmts, identifier: str) -> bool:
    """Whether a name was given an array made for it just now."""
    for s in body:
        if isinstance(s, gast.Assign) and isinstance(s.targets[0], gast.Name) and s.targets[0].id == identifier:
            call = s.value
            makes = isinstance(call, gast.Call) and isinstance(call.func, gast.Attribute)
            return isinstance(call, gast.BinOp) or (
                makes and call.func.attr in ("full_like", "zeros_like", "outer", "sum"))
    return False


def dynamic_slots(f: Function, operations: Operations) -> frozenset[Slot]:
    """Containers, and parts of such, that are somewhere indexed by what isn't known when the gradient is compiled."""
    found: set[Slot] = set()
    ties: list[tuple[str, str, tuple[object, ...]]] = []  # (whole, part, path): `part` is another name for whole[path]
    for s in all_statements(f.body):
        if not isinstance(s, gast.Assign):
            continue
        operation, target, value = operations.of(s), s.targets[0], s.value
        if operation.verb == "item":
            key = item_key(value.slice, operations.kind(value.value.id))
            if key is ... or isinstance(key, tuple):
                found.add((value.value.id, ()))
            ties.append((value.value.id, target.id, (key,)))
        elif operation.verb == "merge":
            ties += [(v.id, t.id, ()) for t, v in zip(target.elts, value.elts, strict=True) if isinstance(v, gast.Name)]
        elif operation.verb == "copy":
            ties.append((operation.operands[0], target.id, ()))
        elif operation.verb == "unpack":
            ties += [(value.id, t.id, (k,)) for k, t in enumerate(target.elts)]
        elif operation.verb == "build":
            parts = zip(map(literal_key, value.keys), value.values, strict=True) if isinstance(value, gast.Dict) else \
                enumerate(value.elts)
            ties += [(target.id, v.id, (k,)) for k, v in parts if isinstance(v, gast.Name)]
    size = -1
    while size != len(found):
        size = len(found)
        for whole, part, path in ties:
            for identifier, below in list(found):
                if identifier == part and isinstance(operations.kind(part), (Sequence, Dict, SequenceOf)):
                    found.add((whole, (*path, *below)))
                elif identifier == whole and below[:len(path)] == path:
                    found.add((part, below[len(path):]))
    return frozenset(found)


def fused(a: Adjoint, label: str, value: bool, single: bool) -> Function:
    """One function for both sweeps: it runs once, and may use up what it saves."""
    grads = next(iter(a.grads.values())) if single else gast.Tuple(elts=list(a.grads.values()), ctx=gast.Load())
    result = gast.Tuple(elts=[a.f.result, grads], ctx=gast.Load()) if value else grads
    sections = Lines(a.lines.origins, a.lines.last)
    back: Stmts = [at(gast.Expr(value=name(BACKWARD)), sections.new(Origin())), *a.back] if a.back else []
    body = [*a.forward, *back]
    last = a.forward[-1] if a.forward else None
    first = next((s for s in a.back if not isinstance(s, gast.Assign)), None)
    if isinstance(last, gast.If) and isinstance(first, gast.If) and isinstance(last.test, gast.Name) and \
            isinstance(first.test, gast.Name) and first.test.id == last.test.id and \
            not set(reads_of(a.back[:a.back.index(first)])) & set(definitions([last])):
        body = _jammed(a, last, first, sections)
    if any(_saves(s) for s in all_statements(a.forward)):
        body = [at(gast.Expr(value=name(FORWARD)), sections.new(Origin())), *body]
    return _finished(a, label, (*a.f.params, a.seed), body, result)


def _saves(s: Tree) -> bool:
    """Whether a statement of the forward sweep is ours."""
    call = getattr(s, "value", None)
    return isinstance(s, gast.Expr) and isinstance(call, gast.Call) and getattr(call.func, "id", "") == "@save"


def _jammed(a: Adjoint, last: Tree, first: Tree, sections: Lines) -> Stmts:
    """Both sweeps through a branch that ends the forward sweep, in one `if`."""
    k = next(k for k, s in enumerate(a.back) if s is first)
    branches = []
    for forward, back in ((last.body, first.body), (last.orelse, first.orelse)):
        mark: Stmts = [at(gast.Expr(value=name(BACKWARD)), sections.new(Origin()))] if back else []
        branches.append([*forward, *mark, *back])
    merged = at(gast.If(test=last.test, body=branches[0], orelse=branches[1]), last.lineno)
    rest = a.back[k + 1:]
    end: Stmts = [at(gast.Expr(value=name(BACKWARD)), sections.new(Origin()))] if rest else []
    return [*a.forward[:-1], *a.back[:k], merged, *end, *rest]


def split(a: Adjoint, forward_label: str, backward_label: str,
          general: bool) -> tuple[Function | None, Function, tuple[str, ...], bool]:
    """Two functions, the second of which may run many times.

    Returns (forward or None where the primal itself will do, backward, what the backward function is given of the
    parameters and the result, whether there is more that is saved).
    """
    made = {n for s in all_statements(a.forward) for n in writes(s)}
    grads = gast.Expr(value=gast.Tuple(elts=list(a.grads.values()), ctx=gast.Load()))
    wanted = [n for n in reads_of([*a.back, at(grads, 0)]) if n in made or n in a.f.params]
    inside = {n for s in all_statements(a.back) for n in writes(s)}
    wanted = [n for n in wanted if n not in inside]
    result = a.f.result.id if isinstance(a.f.result, gast.Name) else ""
    needs = tuple(n for n in a.f.params if n in wanted)
    if result in wanted and result not in a.f.params:
        needs = (*needs, "")
    rest = [n for n in wanted if n not in a.f.params and n != result]
    if general:
        needs, rest = (), wanted
    stacks = {t.id for s in all_statements(a.forward) if isinstance(s, gast.Assign) and isinstance(s.value, gast.Call)
              and isinstance(s.value.func, gast.Name) and s.value.func.id == "@stack" for t in s.targets}
    lines = Lines(a.lines.origins, a.lines.last)
    saved = gast.Tuple(elts=[name(n) for n in rest], ctx=gast.Load())
    forward = None
    if rest or general:
        both = gast.Tuple(elts=[a.f.result, saved], ctx=gast.Load())
        maybe = unset_names(a.f)
        always = {n for s in a.forward for n in (writes(s) if isinstance(s, gast.Assign) else merged(s)
                                                 if isinstance(s, gast.If) else []) if n not in maybe or is_merge(s)}
        unset = [assign(n, quote("stack()", stack=name("@stack")), lines.new(Origin())) if n in stacks else
                 _none(n, lines) for n in rest if n not in always and n not in a.f.params]
        forward = _finished(a, forward_label, a.f.params, [*unset, *a.forward], both)
    names = [result if not n else n for n in needs]
    bundle = a.names.label("saved")
    body: Stmts = []
    if rest:
        parts = [gast.Name(id=n, ctx=gast.Store(), annotation=None, type_comment=None) for n in rest]
        unpack = gast.Assign(targets=[gast.Tuple(elts=parts, ctx=gast.Store())], value=name(bundle), type_comment=None)
        body.append(at(unpack, lines.new(Origin())))
        for n in rest:
            if n in stacks:  # a private copy: the backward sweep uses it up, and may run again
                body.append(_recopied(a, n, lines))
    parts = [name(_stack_copy(n)) if n in stacks else name(n) for n in rest]
    renames = {n: p for n, p in zip(rest, parts, strict=True) if n in stacks}
    grads = a.grads
    back = a.back
    if renames:
        back = [substitute(s, renames) for s in back]
    outcome = next(iter(grads.values())) if len(grads) == 1 else gast.Tuple(elts=list(grads.values()), ctx=gast.Load())
    params = [*names, *([bundle] if rest or general else []), a.seed]
    return forward, _finished(a, backward_label, tuple(params), [*body, *back], outcome), needs, bool(rest or general)


def _none(n: str, lines: Lines) -> Tree:
    """`n = None`, for what only some paths through the function define."""
    merge = gast.Assign(targets=[gast.Tuple(elts=[target(n)], ctx=gast.Store())],
                        value=gast.Tuple(elts=[constant(None)], ctx=gast.Load()), type_comment=None)
    return at(merge, lines.new(Origin()))


def _stack_copy(n: str) -> str:
    return n + "_copy"


def _recopied(a: Adjoint, n: str, lines: Lines) -> Tree:
    copy = _stack_copy(n)
    a.names.taken.add(copy)
    a.names.base[copy] = a.names.base.get(n, n)
    return assign(copy, quote("s.copy()", s=name(n)), lines.new(Origin(why="a private copy")))


def _finished(a: Adjoint, label: str, params: tuple[str, ...], body: Stmts, result: Tree) -> Function:
    return replace(a.f, name=label, params=params, body=body, result=result, names=a.names, origins=a.lines.origins)
