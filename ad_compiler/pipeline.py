"""The staircase: every stage by name, in order, and the worklist of functions to derive."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import gast

from . import modes
from .analysis.activity import Activity, activity
from .analysis.fresh import fresh_names
from .analysis.infer import Inference
from .analysis.operations import Operation, Operations
from .emit.module import Module
from .errors import UnsupportedError
from .frontend import normal_form
from .frontend.purity import pure_call
from .frontend.resolve import MISSING, Callee
from .kinds import UNKNOWN, Kind, Scalar, carries
from .optimize.copies import without_copies
from .optimize.dead import without_dead_code
from .optimize.fold import folded
from .optimize.prototypes import with_prototypes
from .optimize.sections import with_one_heading
from .optimize.simplify import simplified
from .optimize.sink import sunk
from .program import Function, all_statements
from .rules.table import lookup
from .syntax import Tree, constant, rebuilt, walk
from .transform import Adjoint, fused, reverse, split
from .transform.reverse import Plan, operands_of

Key = tuple[Any, ...]
T = TypeVar("T")


@dataclass(frozen=True)
class Instance:
    """One function for one signature, with all that is known of it."""

    f: Function
    inference: Inference
    operations: Operations
    activity: Activity
    active: tuple[str, ...]


class Summaries(Generic[T]):
    """What callers know of called functions, grown from the least value to a fixed point where functions recur."""

    def __init__(self, least: T) -> None:
        self.least = least
        self.known: dict[Key, T] = {}
        self.settled: set[Key] = set()
        self.looking: set[Key] = set()

    def value(self, key: Key, look: Callable[[], T]) -> T:
        """The summary for a key; while it is being looked for, what is known so far."""
        if key in self.settled or key in self.looking:
            return self.known.get(key, self.least)
        outermost = not self.looking
        for _ in range(20):
            before = dict(self.known)
            if outermost:
                self.looking.clear()
            self.looking.add(key)
            self.known[key] = look()
            if not outermost or self.known == before:
                break
        if outermost:
            self.settled |= self.looking
            self.looking.clear()
        return self.known[key]


@dataclass
class Workshop:
    """Derives a function and all that it calls; one workshop makes one module."""

    instances: dict[Key, Instance | None] = field(default_factory=dict)
    kinds: Summaries[Kind | None] = field(default_factory=lambda: Summaries(None))
    varies: Summaries[bool] = field(default_factory=lambda: Summaries(False))
    plans: dict[Key, Plan] = field(default_factory=dict)
    recursive: set[Key] = field(default_factory=set)
    adjoints: dict[Key, Adjoint] = field(default_factory=dict)
    done: list[Function] = field(default_factory=list)
    constants: dict[str, dict[str, str]] = field(default_factory=dict)
    labels: set[str] = field(default_factory=set)
    called: dict[int, Any] = field(default_factory=dict)  # functions that the derived code depends on

    # Facts

    def instance(self, function: types.FunctionType, bound: Mapping[str, Any], kinds: Mapping[str, Kind],
                 active: tuple[str, ...], off: str = "") -> Instance:
        """Normal form and facts of a function for a signature."""
        key = (function, _bound_key(bound), tuple(kinds.items()), active, bool(off))
        known = self.instances.get(key)
        if known is not None:
            return known
        f = normal_form(function, bound, kinds, active, off)
        inference = Inference(f.scope, f.calls, self.call_kind)
        inference.function(f)
        operations = Operations(f, inference)
        _refuse_writes(f, inference)
        facts = activity(f, operations, active, lambda c, o, s, v: self.call_varies(f, inference, c, s, v))
        self.instances[key] = Instance(f, inference, operations, facts, active)
        return self.instances[key]  # type: ignore[return-value]

    def call_kind(self, found: Callee, kinds: list[Kind]) -> Kind | None:
        """The kind of what a call returns; None while a recursion is being looked through."""
        bound = {**dict(found.bound), **dict(found.fixed)}
        params = _free_params(found.value, dict(found.bound))
        given = {p: _any_size(k) for p, k in zip(params, kinds, strict=True) if p not in bound}
        key = (found.value, _bound_key(bound), tuple(given.items()))

        def look() -> Kind | None:
            f = normal_form(found.value, bound, given, [p for p in given if carries(given[p])])
            inference = Inference(f.scope, f.calls, self.call_kind)
            inference.function(f)
            return inference.infer(f.result)

        return self.kinds.value(key, look)

    def call_varies(self, f: Function, inference: Inference, found: Callee, statement: Tree,
                    varied: frozenset[str]) -> bool:
        """Whether the result of a call depends differentiably on what varies here."""
        off = _off(f, statement, found)
        function, bound, kinds, active = self._signature(inference, found, statement, varied)
        key = (function, _bound_key(bound), tuple(kinds.items()), active, bool(off))

        def look() -> bool:
            self.instances.pop(key, None)
            inner = self.instance(function, bound, kinds, active, off)
            result = inner.f.result
            return isinstance(result, gast.Name) and result.id in inner.activity.varied

        return self.varies.value(key, look)

    def _signature(self, inference: Inference, found: Callee, statement: Tree, varied: frozenset[str]
                   ) -> tuple[types.FunctionType, dict[str, Any], dict[str, Kind], tuple[str, ...]]:
        bound = {**dict(found.bound), **dict(found.fixed)}
        trees = list(operands_of(found, statement.value).values())
        params = _free_params(found.value, bound)
        kinds = {p: _any_size(inference.infer(t) or UNKNOWN) for p, t in zip(params, trees, strict=True)}
        active = tuple(p for p, t in zip(params, trees, strict=True)
                       if isinstance(t, gast.Name) and t.id in varied and carries(kinds[p]))
        return found.value, bound, kinds, active

    # Derivation

    def plan(self, owner: Instance, operation: Operation, statement: Tree, active_names: frozenset[str]) -> Plan:
        """How a call is derived: its callee's forward and backward functions, made on first use."""
        found = operation.callee
        assert found is not None
        off = _off(owner.f, statement, found)
        function, bound, kinds, active = self._signature(owner.inference, found, statement, active_names)
        key = (function, _bound_key(bound), tuple(kinds.items()), active, bool(off))
        if key in self.plans:
            if key not in self.adjoints:
                self.recursive.add(key)
            return self.plans[key]
        self.called[id(function)] = function
        label = self._label(function.__name__ if "<" not in function.__name__ else "function")
        params = tuple(_free_params(function, bound))
        # In a recursion the plan is used before it is known what is saved: all of it is.
        self.plans[key] = Plan(f"{label}_forward", f"{label}_backward", (), True, active, params)
        inner = self.instance(function, bound, kinds, active, off)
        adjoint = self._adjoint(inner, False)
        self.adjoints[key] = adjoint
        forward, backward, needs, saves = split(adjoint, f"{label}_forward", f"{label}_backward", key in self.recursive)
        if key not in self.recursive:
            self.plans[key] = Plan(f"{label}_forward" if saves else None, f"{label}_backward", needs, saves, active,
                                   params, adjoint.owned)
        for part in (forward, backward):
            if part is not None:
                self.done.append(self.polished(part, inner.inference))
                self.constants[part.name] = adjoint.constants
        return self.plans[key]

    def _label(self, wanted: str) -> str:
        users = {n for inner in self.instances.values() if inner is not None for n in inner.f.meanings}
        label, count = wanted, 1
        while label in self.labels or {f"{label}_forward", f"{label}_backward"} & users:
            count += 1
            label = f"{wanted}_{count}"
        self.labels.add(label)
        return label

    def _adjoint(self, inner: Instance, public: bool, aux: bool = False) -> Adjoint:
        return reverse(inner.f, inner.operations, inner.activity, inner.active,
                       lambda o, s, a: self.plan(inner, o, s, a), public, aux)

    def fused(self, inner: Instance, value: bool, single: bool, defaults: Mapping[str, Tree],
              aux: bool = False) -> Function:
        """The gradient function: both sweeps in one."""
        adjoint = self._adjoint(inner, True, aux)
        label = self._label(f"{inner.f.name}_vjp")
        whole = fused(adjoint, label, value, single)
        whole = replace(whole, defaults={**defaults, adjoint.seed: constant(1.0)})
        self.constants[label] = adjoint.constants
        return self.polished(whole, inner.inference)

    def pair(self, inner: Instance, aux: bool = False) -> tuple[Function, Function]:
        """The primal that saves, and the pullback that may be called many times."""
        adjoint = self._adjoint(inner, True, aux)
        label = self._label(inner.f.name)
        forward, backward, _, _ = split(adjoint, f"{label}_forward", f"{label}_pullback", general=True)
        assert forward is not None
        self.constants[forward.name] = adjoint.constants
        return self.polished(forward, inner.inference), self.polished(backward, inner.inference)

    def polished(self, f: Function, inference: Inference) -> Function:
        """The optimizer's passes, in order."""
        pure = _purity(f)
        f = without_copies(with_prototypes(_without_detach(f), inference.env.get))
        f = without_dead_code(f, pure)
        f = sunk(simplified(f), pure)
        f = folded(f, pure, lambda tree: _cheap(tree, inference))
        # an identity may leave a second name: `x_bar = - -y_bar`
        return with_one_heading(without_copies(simplified(f)))

    def module(self, main: list[Function], standalone: bool) -> Module:
        """The module of the main functions and of all that they call."""
        return Module([*self.done, *main], self.constants, standalone)


def _any_size(kind: Kind) -> Kind:
    """The kind of an argument, for a callee that serves every literal integer alike."""
    return Scalar(kind.dtype, kind.python) if isinstance(kind, Scalar) and isinstance(kind.dim, int) else kind


def _bound_key(bound: Mapping[str, Any]) -> Key:
    return tuple((n, id(v)) for n, v in bound.items())


def _free_params(function: types.FunctionType, bound: Mapping[str, Any]) -> list[str]:
    return [p for p in inspect.signature(function, follow_wrapped=False).parameters if p not in bound]


def _off(f: Function, statement: Tree, found: Callee) -> str:
    """Why a called function's body is in no_grad mode, if it is."""
    if found.mode is not None:
        return "" if found.mode else f"no_grad, decorator of {found.value.__name__}"
    return f.origin(statement).off


def _purity(f: Function) -> Any:
    """Whether an expression may be dropped, moved or repeated."""
    def pure(tree: Tree) -> bool:
        return all(_pure_node(node) for node in walk(tree) if isinstance(node, gast.Call))

    def _pure_node(call: Tree) -> bool:
        func = call.func
        if isinstance(func, gast.Name) and func.id.startswith("@"):
            return True
        if isinstance(func, gast.Attribute) and isinstance(func.value, gast.Name) and func.value.id.startswith("@"):
            return True
        value = f.scope.value(func) if f.scope is not None and _root(func) in f.meanings else MISSING
        if value is not MISSING:
            return pure_call(value)
        return isinstance(func, gast.Attribute) and (lookup(("method", func.attr)) is not None or func.attr == "copy")

    return pure


def _without_detach(f: Function) -> Function:
    """`detach(x)` has been read, and is `x`."""
    def plain(tree: Tree) -> Tree:
        tree = rebuilt(tree, plain)
        if isinstance(tree, gast.Call) and len(tree.args) == 1 and _root(tree.func) in f.meanings and \
                f.scope.value(tree.func) is modes.detach:
            return tree.args[0]
        return tree

    return f.with_body([plain(s) for s in f.body], plain(f.result))


def _root(tree: Tree) -> str:
    while isinstance(tree, gast.Attribute):
        tree = tree.value
    return tree.id if isinstance(tree, gast.Name) else ""


def _cheap(tree: Tree, inference: Inference) -> bool:
    """Whether an expression may be written out at each use: a part of a container, a comparison of numbers."""
    if isinstance(tree, gast.Constant):
        return True
    if isinstance(tree, gast.Subscript):
        return isinstance(tree.value, gast.Name) and isinstance(tree.slice, gast.Constant) and \
            not isinstance(inference.infer(tree.value), (Scalar, type(UNKNOWN))) and \
            getattr(inference.infer(tree.value), "shape", ...) is ...
    if isinstance(tree, gast.Compare):
        return all(isinstance(t, (gast.Name, gast.Constant)) and isinstance(inference.infer(t), Scalar)
                   for t in (tree.left, *tree.comparators)) and len(tree.ops) == 1
    return False


def _refuse_writes(f: Function, inference: Inference) -> None:
    """`x += y` rebinds a number, but writes into an array: refused, unless it is fresh and nobody else has it."""
    for s in all_statements(f.body):
        origin = f.origin(s)
        if origin.augmented and isinstance(s, gast.Assign) and isinstance(s.value, gast.BinOp) and \
                isinstance(s.value.left, gast.Name):
            kind = inference.infer(s.value.left)
            if isinstance(kind, Scalar) or kind is None or _is_fresh(f, s.value.left.id, inference):
                continue
            if kind == UNKNOWN:
                raise UnsupportedError(
                    f"whether `{origin.text}` writes into an array or rebinds a number isn't known",
                    "give example arguments or a signature: like=...", origin.place)
            raise UnsupportedError(f"`{origin.text}` writes into an array in place, which can't be differentiated yet",
                                   f"write `{s.value.left.id} = {s.value.left.id} ...` instead", origin.place)


def _is_fresh(f: Function, identifier: str, inference: Inference) -> bool:
    """Whether a name holds an array that was made here, and that no other name, view or container shares."""
    return identifier in fresh_names(f, inference)
