"""Kinds travel through every statement: what each name of a function in normal form is."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import gast
import numpy as np

from ..errors import SignatureError
from ..frontend.normalize import is_merge
from ..frontend.resolve import MISSING, Callee, Scope, callee
from ..kinds import (
    BOOL,
    FLOAT,
    INT,
    OTHER,
    UNKNOWN,
    Array,
    Dict,
    Fact,
    Kind,
    Scalar,
    Sequence,
    SequenceOf,
    Static,
    element,
    join,
    join_all,
)
from ..program import Data, Function
from ..rules.table import Form, Row, lookup
from ..syntax import Stmts, Tree, literal
from .results import result_kind
from .signature import Reader

CallKind = Callable[[Callee, list[Kind]], Kind | None]
Env = dict[str, Kind | None]  # None: nothing has come here yet


class Inference:
    """The kinds of a function's names, found by running it on kinds until nothing changes."""

    def __init__(self, scope: Scope | None, calls: Mapping[int, Callee], call_kind: CallKind) -> None:
        self.scope, self.calls, self.call_kind = scope, calls, call_kind
        self.env: Env = {}
        self.fresh: set[str] = set()  # names that hold arrays made here, which nothing else refers to
        self.meanings: Mapping[str, Any] = {}

    def function(self, f: Function) -> Env:
        """Kinds for every name of `f`, whose parameters' kinds are known."""
        self.meanings = f.meanings
        self.f = f
        reader = Reader()
        for free, meaning in f.meanings.items():
            if isinstance(meaning, Data):
                self.env[free] = reader.kind(meaning.read(), free)
        self.env.update({p: f.kinds.get(p, UNKNOWN) for p in f.params})
        self.block(f.body)
        return self.env

    def block(self, body: Stmts) -> None:
        for statement in body:
            if isinstance(statement, gast.Assign):
                self._assign(statement)
            elif isinstance(statement, gast.If):
                self.block(statement.body)
                self.block(statement.orelse)
            elif isinstance(statement, gast.For):
                self.env[statement.target.id] = INT
                self._repeat(statement)
            elif isinstance(statement, gast.While):
                self._repeat(statement)

    def _repeat(self, loop: Tree) -> None:
        for _ in range(12):
            before = dict(self.env)
            self.block(loop.body)
            if self.env == before:
                return
        raise SignatureError("the kinds of a loop's variables don't settle", "write them as arrays",
                             self.f.origin(loop).place)

    def _assign(self, statement: Tree) -> None:
        target = statement.targets[0]
        if is_merge(statement):
            for one, value in zip(target.elts, statement.value.elts, strict=True):
                kind, old = self.infer(value), self.env.get(one.id)
                self.env[one.id] = old if kind is None else kind if old is None else join(old, kind)
            return
        kind = self.infer(statement.value, self.calls.get(statement.lineno))
        if isinstance(target, gast.Tuple):
            items = list(kind.items) if isinstance(kind, Sequence) and len(kind.items) == len(target.elts) else \
                [None if kind is None else element(kind)] * len(target.elts)
            for one, each in zip(target.elts, items, strict=True):
                self.env[one.id] = each
            return
        self.env[target.id] = kind

    # Expressions: also those of rules, where names of the row have been replaced

    def infer(self, tree: Tree, found: Callee | None = None) -> Kind | None:
        """The kind of an expression; None if it can't be reached yet."""
        return getattr(self, "_" + type(tree).__name__, self._other)(tree) if found is None else self._call(tree, found)

    def _other(self, tree: Tree) -> Kind:
        return UNKNOWN

    def _Name(self, tree: Tree) -> Kind | None:
        return self.env[tree.id] if tree.id in self.env else (
            None if self.scope is not None and tree.id not in self.meanings else UNKNOWN)

    def _Constant(self, tree: Tree) -> Kind:
        value = tree.value
        if isinstance(value, bool):
            return BOOL
        if isinstance(value, int):
            return Scalar("i8", dim=value)
        if isinstance(value, float):
            return FLOAT
        return Scalar("c16") if isinstance(value, complex) else Static(value)

    def _Compare(self, tree: Tree) -> Kind:
        if any(isinstance(op, (gast.In, gast.NotIn, gast.Is, gast.IsNot)) for op in tree.ops):
            return BOOL
        sides = [self.infer(t) for t in (tree.left, *tree.comparators)]
        if any(s is None for s in sides):
            return BOOL
        if all(isinstance(s, (Scalar, Array)) for s in sides):
            return result_kind("boolean", {f"x{k}": Fact(s) for k, s in enumerate(sides) if s is not None})
        return BOOL if all(not isinstance(s, (Array, type(UNKNOWN))) for s in sides) else UNKNOWN

    def _BoolOp(self, tree: Tree) -> Kind:
        return join_all([k for k in map(self.infer, tree.values) if k is not None])

    def _IfExp(self, tree: Tree) -> Kind:
        return join_all([k for k in (self.infer(tree.body), self.infer(tree.orelse)) if k is not None])

    def _UnaryOp(self, tree: Tree) -> Kind | None:
        if isinstance(tree.op, gast.Not):
            return BOOL
        if isinstance(tree.operand, gast.Constant):
            return self.infer(tree.operand)
        return self._operator(tree.op, [tree.operand])

    def _BinOp(self, tree: Tree) -> Kind | None:
        left, right = self.infer(tree.left), self.infer(tree.right)
        if left is None or right is None:
            return None
        containers = (Sequence, SequenceOf)
        if isinstance(left, containers) and isinstance(right, containers) and left.type == right.type:
            if isinstance(left, Sequence) and isinstance(right, Sequence):
                return Sequence(left.type, left.items + right.items)
            return SequenceOf(left.type, join(element(left), element(right)))
        if isinstance(left, containers) or isinstance(right, containers):
            return SequenceOf("list", element(left if isinstance(left, containers) else right)) \
                if isinstance(tree.op, gast.Mult) else UNKNOWN
        if isinstance(left, Static) or isinstance(right, Static):
            return OTHER
        return self._operator(tree.op, [tree.left, tree.right])

    def _operator(self, op: Tree, operands: list[Tree]) -> Kind | None:
        found = lookup(("operator", type(op).__name__))
        return self._row(found, operands, {}) if found else UNKNOWN

    def _Tuple(self, tree: Tree) -> Kind | None:
        kinds = [self.infer(e) for e in tree.elts]
        if any(k is None for k in kinds):
            return None
        return Sequence("list" if isinstance(tree, gast.List) else "tuple", tuple(k for k in kinds if k is not None))

    _List = _Tuple

    def _Dict(self, tree: Tree) -> Kind | None:
        try:
            keys = [literal(k) for k in tree.keys]
        except (LookupError, AttributeError):
            return OTHER
        kinds = [self.infer(v) for v in tree.values]
        return None if None in kinds else Dict(tuple((k, v) for k, v in zip(keys, kinds, strict=True) if v is not None))

    def _Subscript(self, tree: Tree) -> Kind | None:
        base = self.infer(tree.value)
        if base is None:
            return None
        if isinstance(base, (Static, type(OTHER))):
            return INT if base == RANGE else UNKNOWN
        index = self._index_fact(tree.slice)
        return None if index is None else result_kind("index", {"x": Fact(base), "i": index})

    def _index_fact(self, tree: Tree) -> Fact | None:
        kind = self.infer(tree) if not isinstance(tree, gast.Slice) else Static(None)
        if isinstance(tree, gast.Tuple):
            facts = [self._index_fact(e) for e in tree.elts]
            if any(f is None for f in facts):
                return None
            return Fact(Sequence("tuple", tuple(f.kind for f in facts if f)), tuple(f.literal for f in facts if f))
        if isinstance(tree, gast.Slice):
            try:
                parts = [None if p is None else literal(p) for p in (tree.lower, tree.upper, tree.step)]
            except LookupError:
                return Fact(Static(slice), slice)
            return Fact(Static(slice), slice(*parts))
        if self._dotted_value(tree) is None and isinstance(tree, gast.Attribute):  # np.newaxis
            return Fact(Static(None), None)
        try:
            return Fact(kind or UNKNOWN, literal(tree))
        except LookupError:
            return None if kind is None else Fact(kind)

    def _Attribute(self, tree: Tree) -> Kind | None:
        value = self._dotted_value(tree)
        if value is not MISSING:
            return OTHER if callable(value) else Reader().kind(value, tree.attr)
        base = self.infer(tree.value)
        if base is None:
            return None
        if tree.attr == "shape" and isinstance(base, Array) and base.shape is not None:
            return Sequence("tuple", tuple(Scalar("i8", dim=d) for d in base.shape))
        if tree.attr in ("ndim", "size", "nbytes", "itemsize") and isinstance(base, Array):
            return INT
        if isinstance(base, (Static, type(OTHER))):
            return UNKNOWN
        found = lookup(("attribute", tree.attr))
        return self._row(found, [tree.value], {}) if found else UNKNOWN

    def _dotted_value(self, tree: Tree) -> Any:
        """The value of a dotted free name, such as np.pi; MISSING for all else."""
        if self.scope is None or not isinstance(tree, gast.Attribute):
            return MISSING
        base = self.scope.value(tree.value) if not self._local(tree.value) else MISSING
        return getattr(base, tree.attr, MISSING) if base is not MISSING else MISSING

    def _local(self, tree: Tree) -> bool:
        return isinstance(tree, gast.Name) and tree.id not in self.meanings

    def _Call(self, tree: Tree) -> Kind | None:
        func = tree.func
        if isinstance(func, gast.Name) and func.id.startswith("@"):
            return self._helper(func.id, tree.args)
        if isinstance(func, gast.Attribute) and isinstance(func.value, gast.Name) and func.value.id in RULE_SCOPE:
            value = RULE_SCOPE[func.value.id].get(func.attr, MISSING)
        else:
            value = MISSING if self.scope is None or self._is_method(func) else self.scope.value(func)
        if value is not MISSING:
            return self._call(tree, callee(value))
        if isinstance(func, gast.Attribute):
            found = lookup(("method", func.attr))
            return self._row(found, [func.value, *tree.args], _keywords(tree)) if found else UNKNOWN
        return UNKNOWN

    def _helper(self, label: str, arguments: list[Tree]) -> Kind:
        """What a helper of ours gives: these act element by element, or match their second argument."""
        kinds = [self.infer(a) for a in arguments]
        if label in ("@unbroadcast", "@cast"):
            return kinds[1] or UNKNOWN
        if label in ELEMENTWISE:
            known = [k for k in kinds if isinstance(k, (Scalar, Array))]
            if len(known) == len(kinds):
                return result_kind("broadcast", {f"x{n}": Fact(k) for n, k in enumerate(known)})
        return UNKNOWN

    def _is_method(self, func: Tree) -> bool:
        return isinstance(func, gast.Attribute) and self._local(func.value)

    def _call(self, tree: Tree, found: Callee) -> Kind | None:
        if found.value is len and len(tree.args) == 1:
            return self._length(tree.args[0])
        if found.kind == "rule":
            row = lookup(found.value)
            return self._row(row, tree.args, _keywords(tree)) if row else UNKNOWN
        if found.kind == "detach":
            return self.infer(tree.args[0])
        if found.kind == "function":
            kinds = [self.infer(a) for a in given_of(found, tree)]
            if any(k is None for k in kinds):
                return None
            if len(kinds) < len(_explicit(found)):  # a call that is kept whole leaves its defaults out
                return UNKNOWN
            return self.call_kind(found, [k for k in kinds if k is not None])
        if found.value in (list, tuple) and len(tree.args) == 1:
            kind = self.infer(tree.args[0])
            if isinstance(kind, Sequence):
                return Sequence(found.value.__name__, kind.items)
            return None if kind is None else SequenceOf(found.value.__name__, element(kind))
        if found.value is range:
            return RANGE
        return OTHER if found.value is slice else UNKNOWN

    def _length(self, tree: Tree) -> Kind:
        kind = self.infer(tree)
        return Scalar("i8", dim=kind.shape[0]) if isinstance(kind, Array) and kind.shape else INT

    def _row(self, found: tuple[Row, Form], arguments: list[Tree], keywords: dict[str, Tree]) -> Kind | None:
        facts = self.facts(found, arguments, keywords)
        try:
            return None if facts is None else result_kind(found[0].kind, facts)
        except (IndexError, ValueError):  # a call that can't be: in a branch of a formula that isn't taken
            return UNKNOWN

    def facts(self, found: tuple[Row, Form], arguments: list[Tree],
              keywords: dict[str, Tree]) -> dict[str, Fact] | None:
        """What is known of each argument of a row; None if one can't be reached yet."""
        row, form = found
        if row.verb == "constant":
            names = ["x", *(f"x{k}" for k in range(9))]
            trees: dict[str, Tree] = dict(zip(names, arguments, strict=False))
            trees |= keywords
        else:
            try:
                trees = row.bind(form, arguments, keywords)
            except LookupError:
                return {p: Fact(UNKNOWN) for p in (*form.params, *([form.star] if form.star else []))}
        facts: dict[str, Fact] = {}
        for parameter, tree in trees.items():
            index = form.key == ("operator", "Subscript") and isinstance(tree, (gast.Slice, gast.Tuple))
            fact = self._index_fact(tree) if index else self._fact(tree)
            if fact is None:
                return None
            facts[parameter] = fact
        return facts

    def _fact(self, tree: Tree) -> Fact | None:
        kind = self.infer(tree)
        if kind is None:
            return None
        try:
            return Fact(kind, literal(tree))
        except LookupError:
            pass
        value = self.scope.value(tree) if self.scope is not None and isinstance(tree, (gast.Name, gast.Attribute)) and \
            not self._local(tree) else MISSING
        return Fact(kind, value) if isinstance(value, type) else Fact(kind)


def given_of(found: Callee, call: Tree) -> list[Tree]:
    """What a call gives to a user's function, in the order of its parameters."""
    names = _explicit(found)
    by_keyword = _keywords(call)
    given = dict(zip([n for n in names if n not in by_keyword], call.args, strict=False)) | by_keyword
    return [given[n] for n in names if n in given]


def _explicit(found: Callee) -> list[str]:
    return [p for p in inspect.signature(found.value, follow_wrapped=False).parameters if p not in dict(found.bound)]


def _keywords(tree: Tree) -> dict[str, Tree]:
    return {k.arg: k.value for k in tree.keywords if k.arg is not None}


RANGE = type(OTHER)("range")
ELEMENTWISE = frozenset(["@divide", "@power_slope", "@exponent_slope", "@sinc_slope"])
RULE_SCOPE: dict[str, dict[str, Any]] = {"@np": vars(np), "@math": vars(math)}

