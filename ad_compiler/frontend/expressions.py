"""Expressions in normal form: one operation a statement for what carries a derivative, whole trees for all the rest."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NoReturn

import gast
import numpy as np

from .. import modes
from ..errors import Place, UnsupportedError
from ..kinds import Kind
from ..program import Data, Lines, Names, Origin
from ..syntax import Stmts, Tree, assign, at, constant, dotted, literal, name, reads, substitute, walk
from .purity import WRITERS, pure_call, writes_arguments
from .resolve import MISSING, Callee, Scope, callee
from .source import Source
from .taint import Taint

MODES = {modes.no_grad: False, modes.enable_grad: True}


class Expressions:
    """State and verbs for the statements being written: `env` has the current version of each user name."""

    def __init__(self, source: Source, scope: Scope, taint: Taint, names: Names, env: dict[str, Tree],
                 kinds: Mapping[str, Kind]) -> None:
        self.source, self.scope, self.taint, self.names, self.env = source, scope, taint, names, env
        self.kinds = kinds
        self.out: Stmts = []
        self.lines = Lines({})
        self.origin = Origin()
        self.mode: tuple[bool, str] = (True, "")
        self.augmented = False
        self.aliased: set[str] = set()  # versions with two names where one of them is augmented
        self.wanted = ""
        self.carried: list[dict[str, str]] = []
        self.calls: dict[int, Callee] = {}
        self._callee: Callee | None = None  # what the operation at hand calls
        self.data: dict[str, Data] = {}

    # Places and errors

    def here(self, statement: Tree) -> None:
        """What is written from now on comes from this statement."""
        place = self.source.place(statement) if hasattr(statement, "lineno") else self.origin.place
        text = " ".join(self.source.lines[statement.lineno - 1].split()) if hasattr(statement, "lineno") else ""
        self.origin = Origin(self.relative(statement), text, place)

    def relative(self, statement: Tree) -> int:
        """The line of a statement, where the `def` is line 1."""
        return int(statement.lineno - self.source.first_line + 1) if hasattr(statement, "lineno") else self.origin.line

    def line(self, tree: Tree) -> int:
        """The identity for a new statement that comes from `tree`, in the mode that holds here."""
        place = self.source.place(tree) if hasattr(tree, "lineno") else self.origin.place
        off = "" if self.mode[0] else self.mode[1]
        return self.lines.new(replace(self.origin, place=place, off=off, augmented=self.augmented))

    def stamped(self, statement: Tree, tree: Tree) -> Tree:
        return at(statement, self.line(tree))

    def emit(self, statement: Tree, tree: Tree | None = None) -> Tree:
        """Write a statement."""
        self.out.append(self.stamped(statement, statement if tree is None else tree))
        return statement

    def refuse(self, tree: Tree, what: str, remedy: str = "") -> NoReturn:
        """Raise the error for a construct that isn't supported, at its place."""
        place: Place | None = self.source.place(tree) if hasattr(tree, "lineno") else self.origin.place
        raise UnsupportedError(what, remedy, place)

    def refuse_write(self, to: Tree) -> NoReturn:
        what = "writing into an array or container" if isinstance(to, gast.Subscript) else "assigning an attribute"
        self.refuse(to, f"{what} can't be differentiated yet",
                    "build a new value: np.where, np.concatenate, np.stack, or a new name")

    # Operands

    def atom(self, tree: Tree) -> Tree:
        """A name or literal that holds the value of `tree`."""
        if isinstance(tree, gast.Name) and tree.id in self.env:
            return self.env[tree.id]
        try:
            literal(tree)
            if not isinstance(tree, gast.Tuple):
                return tree
        except LookupError:
            pass
        if isinstance(tree, gast.Name) and tree.id not in self.taint.names or self._is_function(tree):
            return self.whole(tree)
        return self._hold(tree)

    def _hold(self, tree: Tree) -> Tree:
        augmented, self.augmented = self.augmented, False  # `x += f(y) * z` changes x, and no temporary
        held = self._held(tree)
        self.augmented = augmented
        return held

    def _held(self, tree: Tree) -> Tree:
        if isinstance(tree, gast.BoolOp) and not self.stays_whole(tree):
            return self._either(tree)
        if isinstance(tree, gast.IfExp) and not self.stays_whole(tree):
            return self._choice(tree, gast.If(test=tree.test, body=[tree.body], orelse=[tree.orelse]))
        return name(self._named(self.names.label(self._hint(tree), temporary=True), tree))

    def _named(self, version: str, tree: Tree) -> str:
        value = self.operation(tree)
        statement = assign(version, value)
        self.emit(statement, tree)
        if self._callee is not None:
            self.calls[statement.lineno] = self._callee
            self._callee = None
        return version

    def bound_to(self, user: str, tree: Tree) -> Tree:
        """The version of a user name that a value is bound to."""
        if isinstance(tree, gast.Name) and tree.id in self.env:
            return self.env[tree.id]
        if isinstance(tree, (gast.BoolOp, gast.IfExp)) and not self.stays_whole(tree):
            self.wanted = user
            return self.atom(tree)
        return name(self._named(self.names.fresh(user), tree))

    def bound_to_atom(self, user: str, value: Tree) -> Tree:
        """The version of a user name that an atom is bound to."""
        if isinstance(value, gast.Name):
            return value
        version = self.names.fresh(user)
        self.emit(assign(version, value))
        return name(version)

    def _hint(self, tree: Tree) -> str:
        """A readable name for a temporary: `sin_x` for np.sin(x), else `t`."""
        if isinstance(tree, gast.Call):
            last = tree.func.attr if isinstance(tree.func, gast.Attribute) else getattr(tree.func, "id", "t")
            simple = len(tree.args) == 1 and isinstance(tree.args[0], gast.Name)
            return f"{last}_{tree.args[0].id}" if simple else f"{last}_of"
        return "t"

    # Operations

    def stays_whole(self, tree: Tree) -> bool:
        """Whether an expression carries no derivative, so that it is kept as the user wrote it."""
        return not self.taint.carries(tree)

    def whole(self, tree: Tree) -> Tree:
        """The user's own expression over current versions."""
        for node in walk(tree):
            if isinstance(node, gast.NamedExpr):
                self.refuse(node, "`:=` can't be differentiated yet", "assign in a statement of its own")
            if isinstance(node, (gast.Yield, gast.YieldFrom)):
                self.refuse(node, "a generator can't be differentiated", "return a list or an array")
            if isinstance(node, gast.Await):
                self.refuse(node, "`await` can't be differentiated", "await outside, and pass the value")
            if isinstance(node, gast.Call):
                self._check_opaque(node)
        return substitute(tree, self.env)

    def operation(self, tree: Tree) -> Tree:
        """The right side for `tree`: one operation over atoms, or the whole expression if it carries nothing."""
        self._callee = None
        if self.stays_whole(tree) and not isinstance(tree, (gast.Tuple, gast.List, gast.Dict)):
            return self.whole(tree)
        return getattr(self, "op_" + type(tree).__name__, self._no_operation)(tree)

    def _no_operation(self, tree: Tree) -> Tree:
        what, remedy = REFUSED.get(type(tree).__name__, (f"`{type(tree).__name__}`", ""))
        self.refuse(tree, f"{what} can't be differentiated yet", remedy)

    def op_Name(self, tree: Tree) -> Tree:
        return self.env.get(tree.id, tree)

    def op_Constant(self, tree: Tree) -> Tree:
        return tree

    def op_BinOp(self, tree: Tree) -> Tree:
        left = self.atom(tree.left)
        return gast.BinOp(left=left, op=tree.op, right=self.atom(tree.right))

    def op_UnaryOp(self, tree: Tree) -> Tree:
        return gast.UnaryOp(op=tree.op, operand=self.atom(tree.operand))

    def op_Attribute(self, tree: Tree) -> Tree:
        return gast.Attribute(value=self.atom(tree.value), attr=tree.attr, ctx=tree.ctx)

    def op_Subscript(self, tree: Tree) -> Tree:
        return gast.Subscript(value=self.atom(tree.value), slice=self.index(tree.slice), ctx=tree.ctx)

    def op_Tuple(self, tree: Tree) -> Tree:
        self._no_stars(tree.elts)
        return type(tree)(elts=[self.atom(e) for e in tree.elts], ctx=tree.ctx)

    op_List = op_Tuple

    def op_Dict(self, tree: Tree) -> Tree:
        if any(k is None for k in tree.keys):
            self.refuse(tree, "`**` in a dict can't be differentiated yet", "write the keys out")
        return gast.Dict(keys=[self.index(k) for k in tree.keys], values=[self.atom(v) for v in tree.values])

    def op_Call(self, tree: Tree) -> Tree:
        self._no_stars(tree.args)
        if any(k.arg is None for k in tree.keywords):
            self.refuse(tree, "`**kwargs` in a call can't be differentiated yet", "write the arguments out")
        value = self.scope.value(tree.func)
        if value is MISSING:
            return self._method(tree)
        found = callee(value)
        mode = self._inline_mode(tree)
        if mode is not None:
            found = replace(callee(mode[0]), mode=mode[1])
        arguments = [self.atom(a) for a in tree.args]
        keywords = {k.arg: self.atom(k.value) for k in tree.keywords}
        if found.kind == "function":
            arguments, keywords = self._bind(tree, found, arguments, keywords)
        else:
            self._callee = found
        return gast.Call(func=tree.func, args=arguments, keywords=[_keyword(k, v) for k, v in keywords.items()])

    def _inline_mode(self, tree: Tree) -> tuple[Any, bool] | None:
        """`no_grad(f)(x)`: the function and its mode."""
        return None

    def _method(self, tree: Tree) -> Tree:
        if not isinstance(tree.func, gast.Attribute):
            self.refuse(tree.func, "the function that is called here isn't known when the gradient is compiled",
                        "call a function of the module by its name")
        receiver = self.atom(tree.func.value)
        arguments = [self.atom(a) for a in tree.args]
        keywords = [_keyword(k.arg, self.atom(k.value)) for k in tree.keywords]
        return gast.Call(func=gast.Attribute(value=receiver, attr=tree.func.attr, ctx=gast.Load()), args=arguments,
                         keywords=keywords)

    def _bind(self, tree: Tree, found: Callee, arguments: list[Tree],
              keywords: Mapping[str, Tree]) -> tuple[list[Tree], dict[str, Tree]]:
        """The arguments of a user's function in the order of its parameters, with its defaults filled in."""
        signature = inspect.signature(found.value, follow_wrapped=False)
        parameters = list(signature.parameters.values())
        if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
            self.refuse(tree, f"{found.value.__name__} takes *args or **kwargs, which can't be differentiated yet",
                        "name its parameters")
        free = [p for p in parameters if p.name not in dict(found.bound)]
        if any(p.kind is p.POSITIONAL_OR_KEYWORD for p in free[:-1]):  # a partial may leave a gap before the last one
            free = _after_gaps(parameters, free, dict(found.bound))
        try:
            given = inspect.Signature(free).bind(*arguments, **keywords).arguments
        except TypeError as error:
            self.refuse(tree, f"{found.value.__name__}(): {error}")
        for p in free:
            if p.name not in given:
                given[p.name] = self._default(found, p)
        fixed = {n: self.scope.value(t) for n, t in given.items() if self._is_function(t)}
        self._callee = replace(found, fixed=tuple(fixed.items()))
        return ([given[p.name] for p in free if p.kind is not p.KEYWORD_ONLY],
                {p.name: given[p.name] for p in free if p.kind is p.KEYWORD_ONLY})

    def _is_function(self, tree: Tree) -> bool:
        """Whether an argument is a function that is known now: `repeat(np.sin, x)`."""
        root = (dotted(tree) or "").split(".")[0]
        local = root in self.env or any(isinstance(v, gast.Name) and v.id == root for v in self.env.values())
        return bool(root) and not local and callable(self.scope.value(tree))

    def _default(self, found: Callee, parameter: inspect.Parameter) -> Tree:
        value = parameter.default
        if value is None or isinstance(value, (bool, int, float, str)):
            return constant(value)
        label = self.names.fresh(f"{found.value.__name__}_{parameter.name}")
        self.data[label] = Data(label, lambda: value, id(value))
        return name(label)

    def index(self, tree: Tree) -> Tree:
        """An index: slices, literals and cheap expressions stay in place, all else is held in a name."""
        if isinstance(tree, gast.Slice):
            parts = {f: getattr(tree, f) for f in ("lower", "upper", "step")}
            return gast.Slice(**{f: None if p is None else self.index(p) for f, p in parts.items()})
        if isinstance(tree, gast.Tuple):
            return gast.Tuple(elts=[self.index(e) for e in tree.elts], ctx=tree.ctx)
        cheap = (gast.Name, gast.Constant, gast.UnaryOp, gast.BinOp, gast.Attribute)
        if self.stays_whole(tree) and all(isinstance(n, (*cheap, gast.operator, gast.unaryop, gast.expr_context))
                                          for n in walk(tree)):
            return self.whole(tree)
        return self.atom(tree)

    def condition(self, tree: Tree) -> Tree:
        """A name that holds a truth value; conditions carry no derivative, and stay whole."""
        if isinstance(tree, gast.Name):
            return self.whole(tree)
        version = self.names.label("condition", temporary=True)
        self.emit(assign(version, self.whole(tree)), tree)
        return name(version)

    def effect(self, tree: Tree) -> None:
        """An expression for its effect: kept whole, in its place."""
        if isinstance(tree, gast.Call):
            value = self.scope.value(tree.func)
            if isinstance(value, modes.set_grad_enabled) or value is modes.set_grad_enabled:
                self.mode = (self.mode_of(tree), f"set_grad_enabled, line {self.origin.line}")
                return
            if value is MISSING and isinstance(tree.func, gast.Attribute):
                self._receiver_unchanged(tree)
        self.emit(gast.Expr(value=self.whole(tree)), tree)

    def _receiver_unchanged(self, call: Tree) -> None:
        if set(reads(call.func.value)) & set(self.env):
            self.refuse(call, f"the method `{call.func.attr}` called for its effect may write into its object, which "
                        "can't be differentiated yet", "build a new value instead")

    # `a or b`, `a if c else b`

    def _either(self, tree: Tree) -> Tree:
        """`a and b and c`, by value: the last one looked at."""
        first = self.atom(tree.values[0])
        if len(tree.values) == 1:
            return first
        rest = gast.copy_location(gast.BoolOp(op=tree.op, values=tree.values[1:]), tree)
        slot = self.names.label("either", temporary=True)
        self.env[slot] = first
        again = name(slot)
        more, stop = ([rest], [again]) if isinstance(tree.op, gast.And) else ([again], [rest])
        result = self._choice(tree, gast.If(test=again, body=more, orelse=stop))
        del self.env[slot]
        return result

    def _choice(self, tree: Tree, choice: Tree) -> Tree:
        wanted, self.wanted = self.wanted, ""
        test = self.condition(choice.test)
        branches: list[Stmts] = []
        atoms: list[Tree] = []
        outer = self.out
        for part in (choice.body[0], choice.orelse[0]):
            self.out = []
            atoms.append(self._held_once(part))
            branches.append(self.out)
        self.out = outer
        result = self.names.fresh(wanted) if wanted else self.names.label("chosen", temporary=True)
        for block, value in zip(branches, atoms, strict=True):
            block.append(self.merge([result], [value]))  # type: ignore[attr-defined]
        self.emit(gast.If(test=test, body=branches[0], orelse=branches[1]), tree)
        return name(result)

    def _held_once(self, part: Tree) -> Tree:
        return self.atom(part.values[0] if isinstance(part, gast.BoolOp) and len(part.values) == 1 else part)

    # What a call may do

    def _check_opaque(self, call: Tree) -> None:
        """Refuse a call that might write into a value that carries a derivative, or hide its way through."""
        value = self.scope.value(call.func)
        if value in (eval, exec, locals, vars, globals, compile):
            self.refuse(call, f"{value.__name__}() hides what it reads", "write the expression out")
        if any(k.arg == "out" and not isinstance(k.value, gast.Constant) for k in call.keywords):
            self.refuse(call, "`out=` writes into an array, which can't be differentiated yet", "use the result")
        if value in (float, complex) and any(
                isinstance(n, gast.JoinedStr) or
                isinstance(n, gast.Call) and self.scope.value(n.func) in (str, repr, format)
                for a in call.args for n in walk(a)):
            self.refuse(call, f"{value.__name__}() of a text: the derivative doesn't pass through text",
                        "use the number itself")
        given = [*call.args, *(k.value for k in call.keywords)]
        active = any(self.taint.carries(a.value if isinstance(a, gast.Starred) else a) for a in given)
        if value is MISSING:
            if isinstance(call.func, gast.Attribute) and self.taint.carries(call.func.value) \
                    and call.func.attr in WRITERS:
                self.refuse(call, f"`.{call.func.attr}` writes into its array, which can't be differentiated yet",
                            "build a new array instead")
            if isinstance(call.func, gast.Attribute) and call.func.attr == "at" and \
                    isinstance(self.scope.value(call.func.value), np.ufunc):
                self.refuse(call, "`.at` writes into an array, which can't be differentiated yet", "build a new array")
            return
        found = callee(value)
        if found.kind == "function" and active and writes_arguments(found.value):
            self.refuse(call, f"{found.value.__name__} writes into what it is given, which can't be differentiated yet",
                        "let it return a new value")
        if active and found.kind == "opaque" and not pure_call(value):
            self.refuse(call, f"{getattr(value, '__name__', value)} has no derivative rule and no Python source, and "
                        "might write into the value that it is given", "pass it detach(...) of a copy")

    def _no_stars(self, trees: list[Tree]) -> None:
        for tree in trees:
            if isinstance(tree, gast.Starred):
                self.refuse(tree, "`*` of a value that carries a derivative can't be differentiated yet",
                            "write the arguments out")

    def mode_of(self, tree: Tree) -> bool:
        """The flag that a context manager of a `with` sets; other context managers are refused."""
        call = tree if isinstance(tree, gast.Call) else None
        value = self.scope.value(call.func if call is not None else tree)
        if value in (modes.no_grad, modes.enable_grad):
            return MODES[value]
        if value is modes.set_grad_enabled and call is not None and len(call.args) + len(call.keywords) == 1:
            given = (call.args or [k.value for k in call.keywords])[0]
            if isinstance(given, gast.Constant):
                return bool(given.value)
            self.refuse(given, "the flag of set_grad_enabled isn't known when the gradient is compiled",
                        "write True or False, or branch on the flag")
        self.refuse(tree, "this context manager can't be differentiated yet", "enter it outside of the function")


REFUSED = {
    "Lambda": ("a lambda", "define a function and call it by its name"),
    "ListComp": ("a list comprehension over values that carry a derivative", "write the loop out"),
    "SetComp": ("a set comprehension", "write the loop out"),
    "DictComp": ("a dict comprehension over values that carry a derivative", "write the dict out"),
    "GeneratorExp": ("a generator expression over values that carry a derivative", "write the loop out"),
    "NamedExpr": ("`:=`", "assign in a statement of its own"),
    "Await": ("`await`", "await outside, and pass the value"),
    "Yield": ("a generator", "return a list or an array"),
    "Set": ("a set of values that carry a derivative", "use a list or tuple"),
    "Starred": ("`*`", "write the arguments out"),
}


def _after_gaps(parameters: list[inspect.Parameter], free: list[inspect.Parameter], bound: Mapping[str, Any]
                ) -> list[inspect.Parameter]:
    """As functools.partial does: what follows a parameter given by keyword can itself only be given by keyword."""
    result, gap = [], False
    for p in parameters:
        if p.name in bound:
            gap = gap or any(q in result for q in free)
        else:
            result.append(p.replace(kind=p.KEYWORD_ONLY) if gap and p.kind is p.POSITIONAL_OR_KEYWORD else p)
    return result


def _keyword(key: str, value: Tree) -> Tree:
    return gast.keyword(arg=key, value=value)

