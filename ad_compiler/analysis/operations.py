"""What each statement of a normal form does, in the words that activity and the transformations share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import gast

from ..errors import MissingRuleError, SignatureError
from ..frontend.normalize import is_merge
from ..frontend.resolve import MISSING, Callee
from ..kinds import UNKNOWN, Array, Dict, Fact, Kind, Sequence, SequenceOf, Unknown, carries
from ..program import Function
from ..rules.table import Form, Row, lookup
from ..syntax import Tree, literal, reads
from .infer import Inference


@dataclass(frozen=True)
class Operation:
    """One statement, read: `verb` is row, call, build, item, unpack, merge, copy, or whole (carries no derivative)."""

    verb: str
    operands: tuple[str, ...] = ()  # names through which a derivative may pass
    row: Row | None = None
    bound: Mapping[str, Tree] = field(default_factory=dict)
    facts: Mapping[str, Fact] = field(default_factory=dict)
    callee: Callee | None = None
    keeps_history: bool = False  # another name for the same value: not cut by no_grad
    missing: str = ""  # why it has no derivative although one would be needed


WHOLE = Operation("whole")


class Operations:
    """Reads the statements of one function, whose kinds are known."""

    def __init__(self, f: Function, inference: Inference) -> None:
        self.f, self.inference = f, inference
        self.known: dict[int, Operation] = {}

    def kind(self, name: str) -> Kind:
        return self.inference.env.get(name) or UNKNOWN

    def of(self, statement: Tree) -> Operation:
        """What an assignment does."""
        if statement.lineno not in self.known:
            self.known[statement.lineno] = self._read(statement)
        return self.known[statement.lineno]

    def _read(self, statement: Tree) -> Operation:
        value = statement.value
        origin = self.f.origin(statement)
        if origin.augmented and origin.off and isinstance(value, gast.BinOp) and isinstance(value.left, gast.Name) and \
                isinstance(self.inference.infer(value.left), Array):
            # In place: the value changes, the history stays.
            return Operation("copy", (value.left.id,), keeps_history=True)
        if is_merge(statement):
            return Operation("merge", _names(value.elts), keeps_history=True)
        if isinstance(statement.targets[0], gast.Tuple):
            container = isinstance(self.inference.infer(value), (Sequence, SequenceOf))
            return Operation("unpack", _names([value]), keeps_history=container)
        if isinstance(value, gast.Name):
            return Operation("copy", (value.id,), keeps_history=True)
        if isinstance(value, (gast.Tuple, gast.List)):
            return Operation("build", _names(value.elts), keeps_history=True)
        if isinstance(value, gast.Dict):
            return Operation("build", _names(value.values), keeps_history=True)
        if isinstance(value, gast.Subscript) and isinstance(value.value, gast.Name):
            base = self.inference.infer(value.value)
            if isinstance(base, (Sequence, SequenceOf, Dict)) and not isinstance(value.slice, gast.Slice):
                return Operation("item", (value.value.id,), keeps_history=True)
            if isinstance(base, Unknown) and isinstance(value.slice, gast.Constant) and \
                    isinstance(value.slice.value, str):
                raise SignatureError(f"what `{value.value.id}` is decides what this index means, and isn't known",
                                     "give example arguments or a signature: like=...", self.f.origin(statement).place)
        return self._call(statement, value)

    def _call(self, statement: Tree, value: Tree) -> Operation:
        inference = self.inference
        found: tuple[Row, Form] | None = None
        arguments: list[Tree] = []
        keywords: dict[str, Tree] = {}
        text = ""
        if isinstance(value, gast.BinOp):
            kinds = [inference.infer(value.left), inference.infer(value.right)]
            if any(isinstance(k, (Sequence, SequenceOf)) for k in kinds):
                return Operation("concat", _names([value.left, value.right]), keeps_history=True)
            found, arguments = lookup(("operator", type(value.op).__name__)), [value.left, value.right]
        elif isinstance(value, gast.UnaryOp) and not isinstance(value.op, gast.Not):
            found, arguments = lookup(("operator", type(value.op).__name__)), [value.operand]
        elif isinstance(value, gast.Subscript):
            found, arguments = lookup(("operator", "Subscript")), [value.value, value.slice]
        elif isinstance(value, gast.Attribute):
            found, arguments, text = lookup(("attribute", value.attr)), [value.value], f"the attribute .{value.attr}"
        elif isinstance(value, gast.Call):
            arguments, keywords = list(value.args), {k.arg: k.value for k in value.keywords}
            callee = self.f.calls.get(statement.lineno)
            if callee is not None:
                if callee.kind == "function":
                    return Operation("call", _names([*arguments, *keywords.values()]), callee=callee)
                if callee.kind == "detach":
                    return WHOLE
                if callee.kind == "opaque" and callee.value in (list, tuple) and len(arguments) == 1 and \
                        isinstance(inference.infer(arguments[0]), (Sequence, SequenceOf)):
                    return Operation("copy", _names(arguments), keeps_history=True)
                found, text = lookup(callee.key), _called(callee.value)
            elif isinstance(value.func, gast.Attribute) and inference.scope is not None and \
                    (inference._is_method(value.func) or inference.scope.value(value.func) is MISSING):
                found, arguments = lookup(("method", value.func.attr)), [value.func.value, *arguments]
                text = f"the method .{value.func.attr}()"
            else:
                return WHOLE
        else:
            return WHOLE
        return self._row(found, arguments, keywords, text, value)

    def _row(self, found: tuple[Row, Form] | None, arguments: list[Tree], keywords: dict[str, Tree], text: str,
             value: Tree) -> Operation:
        if found is None:
            return Operation("whole", tuple(reads(value)), missing=f"{text} has no derivative rule")
        row, form = found
        if row.verb in ("constant", "zero"):
            return Operation("whole", row=row)
        try:
            bound = row.bind(form, arguments, keywords)
        except LookupError as error:
            return Operation("whole", tuple(reads(value)),
                             missing=f"{text or row.name}: {error.args[0]} isn't supported")
        through = [n for p, tree in bound.items() if p in row.pulls for n in _names(_parts(tree))]
        blocked = [n for p, tree in bound.items() if p not in row.pulls for n in reads(tree)]
        facts = self.inference.facts(found, arguments, keywords) or {}
        return Operation("row", tuple(dict.fromkeys(through)), row, bound, facts,
                         missing=f"{row.name} has no derivative with respect to its argument" if blocked else "")

    def blocked(self, operation: Operation) -> list[str]:
        """Operands that the row has no contribution for."""
        if operation.row is None or operation.verb != "row":
            return list(operation.operands) if operation.missing else []
        return [n for p, tree in operation.bound.items() if p not in operation.row.pulls for n in reads(tree)
                if carries(self.kind(n))]

    def missing_rule(self, statement: Tree, operation: Operation) -> MissingRuleError:
        """The error for an active value that goes where no derivative follows it."""
        return MissingRuleError(operation.missing, "write it with functions of the table (`ad-compiler rules`), or cut "
                                "it off by detach(...) if its derivative isn't wanted", self.f.origin(statement).place)


def _parts(tree: Tree) -> list[Tree]:
    return list(tree.elts) if isinstance(tree, gast.Tuple) else [tree]


def _names(trees: list[Tree]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(t.id for t in trees if isinstance(t, gast.Name)))


def _called(value: object) -> str:
    module = getattr(value, "__module__", "") or ""
    return f"{module + '.' if module not in ('builtins', '') else ''}{getattr(value, '__name__', repr(value))}"


def literal_key(tree: Tree) -> object:
    """A literal index of a container, or ... where it isn't literal."""
    try:
        return literal(tree)
    except LookupError:
        return ...


def item_key(tree: Tree, kind: Kind) -> object:
    """The literal key of `container[key]`, counted from the front; ... where it isn't literal."""
    key = literal_key(tree)
    return key + len(kind.items) if isinstance(kind, Sequence) and isinstance(key, int) and key < 0 else key
