"""Adjoints while a backward sweep is written: which name holds the adjoint of what, and how contributions join it.

A slot is a name and a path into it: containers of known structure have one slot a leaf, all else has one slot. A slot
that isn't in the state has adjoint zero. `owned` says that nothing else refers to the buffer, so that it may be added
to in place: after `x_bar = y_bar`, `x_bar += ...` would corrupt `y_bar`. `partial` says that the adjoint is smaller
than what it belongs to, and constant along the axes that it lacks: broadcasting will do the rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import gast

from ..analysis.infer import Inference
from ..analysis.results import result_kind
from ..kinds import (
    UNKNOWN,
    Array,
    Dict,
    Fact,
    Kind,
    Scalar,
    Sequence,
    SequenceOf,
    carries,
    same_shape,
    shape,
)
from ..program import Lines, Names, Origin
from ..syntax import Stmts, Tree, assign, constant, name, quote

Slot = tuple[str, tuple[object, ...]]
MAKERS = frozenset("where outer sum zeros_like full_like sign exp sin cos tan sqrt tanh cosh sinh dot multiply divide "
                   "tile repeat cumsum".split())  # NumPy functions that always make a new array
ADD_AT, ADD_AT_ARRAY = "@add_at", "@np_add_at"  # spelled `x_bar[i] += g` and `np.add.at(x_bar, i, g)` when emitted
INPLACE = "added in place"


@dataclass(frozen=True)
class Bar:
    """The current adjoint of a slot."""

    name: str
    owned: bool = False
    partial: bool = False


State = dict[Slot, Bar]


class Bars:
    """Writes backward statements that change a state of adjoints."""

    def __init__(self, inference: Inference, names: Names, lines: Lines, dynamic: frozenset[Slot]) -> None:
        self.inference, self.names, self.lines = inference, names, lines
        self.dynamic = dynamic  # containers that are indexed by what isn't known: each is one slot, a list of adjoints
        self.parts: dict[str, Slot] = {}
        self.unset: frozenset[str] = frozenset()  # names that may be undefined, and are None then
        self.state: State = {}
        self.out: Stmts = []
        self.origin = Origin()

    # Slots

    def kind(self, identifier: str) -> Kind:
        return self.inference.env.get(identifier) or UNKNOWN

    def slot_kind(self, slot: Slot) -> Kind:
        kind = self.kind(slot[0])
        for key in slot[1]:
            if isinstance(kind, Sequence) and isinstance(key, int):
                kind = kind.items[key]
            else:
                kind = kind.get(key) if isinstance(kind, Dict) else UNKNOWN
        return kind

    def slots(self, identifier: str, path: tuple[object, ...] = ()) -> list[Slot]:
        """The slots of a name (or of what stands under a path in it) that can carry a derivative."""
        return [slot for slot in self._all_slots((identifier, path)) if carries(self.slot_kind(slot))]

    def _all_slots(self, slot: Slot) -> list[Slot]:
        kind = self.slot_kind(slot)
        if slot in self.dynamic:
            return [slot]
        if isinstance(kind, Sequence):
            return [s for k in range(len(kind.items)) for s in self._all_slots((slot[0], (*slot[1], k)))]
        if isinstance(kind, Dict):
            return [s for k, _ in kind.items for s in self._all_slots((slot[0], (*slot[1], k)))]
        return [slot]

    def primal(self, slot: Slot) -> Tree:
        """The expression that reads the value of a slot."""
        tree = name(slot[0])
        for key in slot[1]:
            tree = gast.Subscript(value=tree, slice=constant(key), ctx=gast.Load())
        return tree

    def fresh(self, slot: Slot) -> str:
        """A new version of the name of a slot's adjoint: `x_bar`, `w_bar` for `params["w"]`, `pair_0_bar`."""
        identifier, path = slot
        temporary = identifier in self.names.temporary
        while identifier in self.parts:  # the temporary that holds `params["w"]` has the adjoint `w_bar`
            identifier, path = self.parts[identifier][0], (*self.parts[identifier][1], *path)
        root = self.names.base.get(identifier, identifier)
        words = [re.sub(r"\W+", "_", str(k)).strip("_") for k in path]
        keyed = path and isinstance(path[-1], str) and path[-1].isidentifier()
        label = str(path[-1]) if keyed else "_".join([root, *words])
        return self.names.label(f"{re.sub('_+$', '', label) or 'part'}_bar", temporary)

    # Writing

    def emit(self, target: str, value: Tree, kind: Kind, why: str = "") -> str:
        self.out.append(assign(target, value, self.lines.new(replace(self.origin, why=why) if why else self.origin)))
        self.inference.env[target] = kind
        return target

    def held(self, hint: str, value: Tree, kind: Kind) -> Tree:
        """A temporary name for an expression; names stay as they are."""
        if isinstance(value, (gast.Name, gast.Constant)):
            return value
        return name(self.emit(self.names.label(hint, temporary=True), value, kind))

    def contribute(self, slot: Slot, value: Tree, owned: bool = False, partial: bool = False) -> None:
        """Add a contribution to a slot: the first one assigns, later ones add."""
        if not self.is_leaf(slot):
            return self._contribute_elsewhere(slot, value)
        kind = self.slot_kind(slot)
        old = self.state.get(slot)
        target = self.fresh(slot)
        inferred = self.inference.infer(value) if partial else kind
        if isinstance(kind, (SequenceOf, Sequence, Dict)):
            return self._contribute_tree(slot, target, value, old, kind)
        if old is None:
            self.emit(target, value, inferred or UNKNOWN)
            self.state[slot] = Bar(target, owned or isinstance(kind, Scalar), partial)
            return
        minus = isinstance(value, gast.UnaryOp) and isinstance(value.op, gast.USub)
        left = name(old.name)
        total = gast.BinOp(left=left, op=gast.Sub() if minus else gast.Add(), right=value.operand if minus else value)
        both = old.partial and partial
        inplace = (old.owned and not old.partial) or isinstance(kind, Scalar)
        self.emit(target, total, (self.inference.infer(total) or UNKNOWN) if both else kind, INPLACE if inplace else "")
        self.state[slot] = Bar(target, True, both)

    def is_leaf(self, slot: Slot) -> bool:
        """Whether a slot holds an adjoint itself: it is no part of one, and has no parts."""
        identifier, path = slot
        inside = any(self._holds((identifier, path[:n])) for n in range(len(path)))
        return not inside and self._all_slots(slot) == [slot]

    def _holds(self, slot: Slot) -> bool:
        return slot in self.dynamic or isinstance(self.slot_kind(slot), SequenceOf)

    def _contribute_elsewhere(self, slot: Slot, value: Tree) -> None:
        """A contribution to a part of a list of adjoints, or to a container that has one adjoint a part."""
        identifier, path = slot
        for n in range(len(path)):
            if self._holds((identifier, path[:n])):
                return self.contribute_inside((identifier, path[:n]), [constant(k) for k in path[n:]], value)
        for leaf in self.slots(identifier, path):
            part = value
            for key in leaf[1][len(path):]:
                part = quote("g[k]", g=part, k=constant(key))
            self.contribute(leaf, part)

    def contribute_inside(self, slot: Slot, path: list[Tree], value: Tree) -> None:
        """Add in place to a part of a list of adjoints: `ws_bar[k][0] += value`."""
        buffer = self.owned(slot)
        place = name(buffer)
        for step in path[:-1]:
            place = gast.Subscript(value=place, slice=step, ctx=gast.Load())
        call = gast.Call(func=name(ADD_AT), args=[place, path[-1], value, name(buffer)], keywords=[])
        target = self.emit(self.fresh(slot), call, self.slot_kind(slot), INPLACE)
        self.state[slot] = Bar(target, True)

    def _contribute_tree(self, slot: Slot, target: str, value: Tree, old: Bar | None, kind: Kind) -> None:
        if old is None:
            self.emit(target, value, kind)
        else:
            self.emit(target, quote("add(a, b)", a=name(old.name), b=value, add=name("@add_trees")), kind)
        self.state[slot] = Bar(target, False)

    def contribute_at(self, slot: Slot, index: Tree, value: Tree, repeated: bool) -> None:
        """Add in place at an index: one buffer for all reads of parts, so that reading n parts costs O(n) in all."""
        old = self.owned(slot)
        call = gast.Call(func=name(ADD_AT_ARRAY if repeated else ADD_AT), args=[name(old), index, value], keywords=[])
        target = self.emit(self.fresh(slot), call, self.slot_kind(slot), INPLACE)
        self.state[slot] = Bar(target, True)

    def owned(self, slot: Slot) -> str:
        """The name of a slot's adjoint, made a buffer of full shape that nothing else refers to."""
        bar = self.state.get(slot)
        kind = self.slot_kind(slot)
        if bar is None:
            bar = Bar(self.emit(self.fresh(slot), self.zero(slot), kind), True)
        elif bar.partial:
            bar = Bar(self.emit(self.fresh(slot), self.full(name(bar.name), self.primal(slot), own=True), kind), True)
        elif not bar.owned and not isinstance(kind, Scalar):
            copied = quote("b.copy()", b=name(bar.name)) if isinstance(kind, Array) and kind.shape else \
                quote("copy(b)", b=name(bar.name), copy=name("@copy_tree"))
            bar = Bar(self.emit(self.fresh(slot), copied, kind), True)
        self.state[slot] = bar
        return bar.name

    def full_bar(self, slot: Slot) -> Bar | None:
        """The adjoint of a slot in its full shape; None for zero."""
        bar = self.state.get(slot)
        if bar is not None and bar.partial:
            value = self.full(name(bar.name), self.primal(slot), own=False)
            bar = Bar(self.emit(self.fresh(slot), value, self.slot_kind(slot)))
            self.state[slot] = bar
        return bar

    def full(self, g: Tree, prototype: Tree, own: bool) -> Tree:
        """`g` stretched to the shape of the prototype."""
        kind = self.inference.infer(g)
        if isinstance(kind, Scalar):
            return quote("np.full_like(x, g)", x=prototype, g=g, np=name("@np"))
        stretched = quote("unbroadcast(g, x)", g=g, x=prototype, unbroadcast=name("@unbroadcast"))
        return quote("g.copy()", g=stretched) if own else stretched

    def zero(self, slot: Slot, like: Bar | None = None) -> Tree:
        """The zero adjoint of a slot; `like` is an earlier adjoint of it, of the same shape."""
        kind = self.slot_kind(slot)
        if slot[0] in self.unset and not (isinstance(kind, Scalar) and kind.dtype in ("f8", "c16")):
            value = self.primal(slot) if not slot[1] else gast.Call(
                func=name("@part"), args=[name(slot[0]), *map(constant, slot[1])], keywords=[])
            return quote("zeros(x)", x=value, zeros=name("@zeros"))
        if isinstance(kind, Scalar) and kind.dtype in ("f8", None) and (kind.python or kind.dtype == "f8"):
            return constant(0.0)
        if isinstance(kind, Scalar) and kind.dtype == "c16":
            return quote("0j")
        if isinstance(kind, Array) and kind.shape:
            known = like is not None and not like.partial and all(d is not None for d in kind.shape)
            prototype = name(like.name) if known and like is not None else self.primal(slot)
            return quote("np.zeros_like(x)", x=prototype, np=name("@np"))
        return quote("zeros(x)", x=self.primal(slot), zeros=name("@zeros"))

    # Matching a contribution to its operand

    def matched(self, value: Tree, operand: Tree, slot: Slot, result: Tree, result_name_kind: Kind,
                partial_seed: bool) -> tuple[Tree, bool]:
        """Bring an elementwise contribution into the shape and dtype of its operand; also whether it stays partial."""
        kind, have = self.slot_kind(slot), self.inference.infer(value) or UNKNOWN
        if isinstance(kind, Scalar) and isinstance(result_name_kind, Scalar):
            return self._dtype(value, have, kind, operand), False
        stretched = partial_seed and not same_shape(have, result_name_kind)
        if same_shape(have, kind) and not stretched:
            return self._dtype(value, have, kind, operand), False
        if same_shape(kind, result_name_kind) and stretched and _fits(have, kind) and _same_dtype(have, kind):
            return value, True
        if stretched:
            value = self.full(value, result, own=False)
            have = result_name_kind
        summed = self._summed(value, have, kind)
        if summed is not None:
            return self._dtype(summed, self.inference.infer(summed) or UNKNOWN, kind, operand), False
        return quote("unbroadcast(g, x)", g=value, x=operand, unbroadcast=name("@unbroadcast")), False

    def _summed(self, value: Tree, have: Kind, kind: Kind) -> Tree | None:
        a, b = shape(have), shape(kind)
        if a is None or b is None or len(a) < len(b) or not isinstance(have, Array):
            return None
        if b == ():
            return quote("np.sum(v)", v=value, np=name("@np")) if isinstance(kind, Scalar) else None
        extra = len(a) - len(b)
        if not extra:
            axes = tuple(k for k, (p, q) in enumerate(zip(a, b, strict=True)) if q == 1 and p != 1)
            if not axes or any(p is None or p != q for k, (p, q) in enumerate(zip(a, b, strict=True)) if k not in axes):
                return None
            return quote("np.sum(v, axis=k, keepdims=True)", v=value, np=name("@np"),
                         k=constant(axes[0]) if len(axes) == 1 else quote(repr(axes)))
        if extra and all(p == q and p is not None for p, q in zip(a[extra:], b, strict=True)):
            axis = constant(0) if extra == 1 else quote(repr(tuple(range(extra))))
            if isinstance(value, gast.BinOp) and isinstance(value.op, (gast.Mult, gast.Div)) and \
                    same_shape(self.inference.infer(value.right) or UNKNOWN, kind):
                # a factor common to all that is summed
                total = quote("np.sum(v, axis=k)", v=value.left, k=axis, np=name("@np"))
                return gast.BinOp(left=total, op=value.op, right=value.right)
            return quote("np.sum(v, axis=k)", v=value, k=axis, np=name("@np"))
        return None

    def _dtype(self, value: Tree, have: Kind, kind: Kind, operand: Tree) -> Tree:
        if _same_dtype(have, kind):
            return value
        return quote("cast(g, x)", g=value, x=operand, cast=name("@cast"))

    def casted(self, value: Tree, operand: Tree, slot: Slot, mixed: bool) -> tuple[Tree, bool]:
        """Bring a contribution that has the shape of its operand into its dtype; also whether it is partial."""
        kind, have = self.slot_kind(slot), self.inference.infer(value) or UNKNOWN
        partial = not isinstance(have, type(UNKNOWN)) and not same_shape(have, kind) and _fits(have, kind) and \
            bool(shape(kind))
        if isinstance(have, type(UNKNOWN)) and not mixed:
            return value, partial
        return (value if _same_dtype(have, kind) or not mixed else self._dtype(value, have, kind, operand)), partial


def _same_dtype(have: Kind, kind: Kind) -> bool:
    a, b = getattr(have, "dtype", None), getattr(kind, "dtype", None)
    if isinstance(have, Scalar) and have.python and a in ("f8", "i8", "b1") and b in ("f8", "f4", "c8", "c16"):
        return True
    if isinstance(kind, Scalar) and kind.python and b == "f8" and a == "f4":
        return False
    return a is not None and a == b


def _fits(small: Kind, large: Kind) -> bool:
    """Whether the smaller shape is known to broadcast to exactly the larger one."""
    if not isinstance(small, (Scalar, Array)) or shape(small) is None or not shape(large):
        return False
    return same_shape(result_kind("broadcast", {"x": Fact(small), "y": Fact(large)}), large)


def fresh_value(value: Tree) -> bool:
    """Whether an expression makes a new array, that nothing else refers to."""
    if isinstance(value, gast.BinOp):
        return True
    if isinstance(value, gast.Call) and isinstance(value.func, gast.Attribute) and \
            isinstance(value.func.value, gast.Name) and value.func.value.id == "@np":
        return value.func.attr in MAKERS
    return isinstance(value, gast.UnaryOp) and isinstance(value.op, gast.USub)



