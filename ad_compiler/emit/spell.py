"""From a function of single assignments to the lines that a person would write: names, loops, `+=`, comments."""

from __future__ import annotations

from collections.abc import Mapping

import gast

from ..frontend.normalize import is_merge
from ..program import Function, Origin
from ..syntax import Stmts, Tree, equal, name, quote, reads, substitute, target, without_minus
from . import printer

BACKWARD, FORWARD = "@backward", "@forward"  # statements that stand for the section comments
INPLACE = "added in place"
PAD = " " * 6


class Speller:
    """Writes the body of one function as lines."""

    def __init__(self, f: Function, final: Mapping[str, str], constants: Mapping[str, str]) -> None:
        self.f = f
        self.parts = {old: name(new) for old, new in final.items()}
        self.final = final
        self.constants = constants  # why a forward name carries no derivative
        self.lines: list[str] = []
        self.backward = False
        self.commented = _needs_comments(f, f.body)
        self.last: int = 0
        self.used = _used(f.body, f.result)

    def function(self, label: str, params: str) -> list[str]:
        """The whole function."""
        self.lines.append(f"def {label}({params}):")
        self.block(self.f.body, 1)
        result = substitute(self.f.result, self.parts)
        self.lines.append("    " + printer.statement(gast.Return(value=result)))
        return self.lines

    def write(self, depth: int, text: str, tail: str = "") -> None:
        pad = "    " * depth
        rows = text.rstrip("\n").split("\n")
        self.lines += [pad + row for row in rows[:-1]] + [pad + rows[-1] + tail]

    def block(self, body: Stmts, depth: int) -> None:
        count = len(self.lines)
        for statement in body:
            self.statement(statement, depth)
        if len(self.lines) == count or self.lines[-1].lstrip().startswith("#") and len(self.lines) == count + 1:
            self.write(depth, "pass")

    def statement(self, s: Tree, depth: int) -> None:
        origin = self.f.origin(s)
        if isinstance(s, gast.Expr) and isinstance(s.value, gast.Name) and s.value.id in (BACKWARD, FORWARD):
            self.backward = s.value.id == BACKWARD
            self.last = 0
            self.write(depth, "# " + s.value.id[1:])
            return
        texts = self._texts(s)
        if texts and self.backward and self.commented and origin.line != self.last and \
                not isinstance(s, (gast.For, gast.While, gast.If)):
            if origin.line and origin.text:
                self.write(depth, "# " + origin.text)
            self.last = origin.line
        if isinstance(s, gast.If):
            self._if(s, depth)
        elif isinstance(s, (gast.For, gast.While)):
            self._loop(s, depth)
        else:
            for text in texts:
                self.write(depth, text, self._tail(s))

    def _tail(self, s: Tree) -> str:
        if self.backward or not isinstance(s, gast.Assign) or not isinstance(s.targets[0], gast.Name):
            return ""
        why = self.constants.get(s.targets[0].id)
        return f"{PAD}# constant: {why}" if why else ""

    # Control

    def _if(self, s: Tree, depth: int, chained: bool = False) -> None:
        test = substitute(s.test, self.parts)
        body, orelse = self._shown(s.body), self._shown(s.orelse)
        if not body and orelse:
            test, body, orelse = gast.UnaryOp(op=gast.Not(), operand=test), orelse, []
        if not body and not orelse:
            return
        self.write(depth, printer.header(gast.If(test=_plain_not(test), body=[gast.Pass()], orelse=[])))
        self._inner(body, depth + 1)
        if not orelse:
            return
        if isinstance(body[-1], (gast.Break, gast.Raise)) and not chained:
            self._inner(orelse, depth)
        elif len(orelse) == 1 and isinstance(orelse[0], gast.If):
            at = len(self.lines)
            # What follows an `elif` that leaves can't stand after the chain: other branches would come to it.
            self._if(orelse[0], depth, chained=True)
            self.lines[at] = "    " * depth + "el" + self.lines[at].lstrip()
        else:
            self.write(depth, "else:")
            self._inner(orelse, depth + 1)

    def _inner(self, body: Stmts, depth: int) -> None:
        outer, self.last = self.last, 0
        backward = self.backward
        self.block(body, depth)
        self.last = outer
        self.backward = backward

    def _shown(self, body: Stmts) -> Stmts:
        """The statements of a block that come out as text."""
        return [s for s in body if isinstance(s, (gast.For, gast.While, gast.Break)) or (
            bool(self._shown(s.body) or self._shown(s.orelse)) if isinstance(s, gast.If) else
            isinstance(s, gast.Expr) and isinstance(s.value, gast.Name) or bool(self._texts(s)))]

    def _loop(self, s: Tree, depth: int) -> None:
        if isinstance(s, gast.For):
            iterate = substitute(s.iter, self.parts)
            iterate = iterate if "reversed" in self.f.names.base else _iterated(iterate)  # the user may have the name
            to = self.final.get(s.target.id, s.target.id)
            self.write(depth, printer.header(gast.For(target=target(to), iter=iterate, body=[gast.Pass()], orelse=[],
                                                      type_comment=None)))
            self._inner(s.body, depth + 1)
            return
        body = self._shown(s.body)
        first = body[0] if body else None
        test: Tree = gast.Constant(value=True, kind=None)
        if isinstance(first, gast.If) and len(self._shown(first.body)) == 1 and isinstance(first.body[-1], gast.Break):
            test = _plain_not(gast.UnaryOp(op=gast.Not(), operand=substitute(first.test, self.parts)))
            body = [*self._shown(first.orelse), *body[1:]]
        self.write(depth, printer.header(gast.While(test=test, body=[gast.Pass()], orelse=[])))
        self._inner(body, depth + 1)

    # Simple statements

    def _texts(self, s: Tree) -> list[str]:
        if isinstance(s, gast.Break):
            return ["break"]
        if is_merge(s):
            return self._merge(s)
        if isinstance(s, gast.Assign):
            return self._assign(s)
        if isinstance(s, gast.Expr):
            call = s.value
            if isinstance(call, gast.Call) and isinstance(call.func, gast.Name) and call.func.id == "@save":
                stack, value = (substitute(a, self.parts) for a in call.args)
                return [f"{printer.expression(stack)}.append({printer.expression(value)})"]
            if isinstance(call, gast.Name):
                return []
        if isinstance(s, (gast.If, gast.For, gast.While)):
            return [""]
        return [printer.statement(substitute(s, self.parts))]

    def _merge(self, s: Tree) -> list[str]:
        pairs = []
        for to, value in zip(s.targets[0].elts, s.value.elts, strict=True):
            left, right = self.final.get(to.id, to.id), substitute(value, self.parts)
            if to.id in self.used and not (isinstance(right, gast.Name) and right.id == left):
                pairs.append((left, right))
        if not pairs:
            return []
        if not any(left in reads(right) for k, (_, right) in enumerate(pairs) for left, _ in pairs[:k]):
            return [f"{left} = {printer.expression(right)}" for left, right in pairs]
        values = gast.Tuple(elts=[right for _, right in pairs], ctx=gast.Load())
        return [", ".join(left for left, _ in pairs) + " = " + printer.expression(values)]

    def _assign(self, s: Tree) -> list[str]:
        to, value = s.targets[0], s.value
        if isinstance(to, gast.Tuple):
            names = [self.final.get(e.id, e.id) if e.id in self.used else "_" for e in to.elts]
            fresh = gast.Tuple(elts=[target(n) for n in names], ctx=gast.Store())
            value = substitute(value, self.parts)
            return [printer.statement(gast.Assign(targets=[fresh], value=value, type_comment=None))]
        label = self.final.get(to.id, to.id)
        special = self._special(label, value)
        if special is not None:
            return special
        right = substitute(value, self.parts)
        if isinstance(right, gast.Name) and right.id == label:
            return []
        origin: Origin = self.f.origin(s)
        if isinstance(right, gast.BinOp) and isinstance(right.op, (gast.Add, gast.Sub)) and origin.why == INPLACE and \
                isinstance(right.left, gast.Name) and right.left.id == label and label not in reads(right.right):
            return [printer.statement(gast.AugAssign(target=target(label), op=right.op, value=right.right))]
        return [printer.statement(gast.Assign(targets=[target(label)], value=_iterated(right), type_comment=None))]

    def _special(self, label: str, value: Tree) -> list[str] | None:
        if not isinstance(value, gast.Call) or not isinstance(value.func, gast.Name):
            return None
        kind = value.func.id
        if kind == "@stack":
            return [f"{label} = []"]
        if kind == "@load":
            return [f"{label} = {printer.expression(substitute(value.args[0], self.parts))}.pop()"]
        if kind not in ("@add_at", "@np_add_at"):
            return None
        buffer, index, g = (substitute(a, self.parts) for a in value.args[:3])
        root = substitute(value.args[3], self.parts) if len(value.args) > 3 else buffer
        lines = []
        if not (isinstance(root, gast.Name) and root.id == label):
            lines.append(f"{label} = {printer.expression(root)}")
            buffer = substitute(buffer, {root.id: name(label)})
        if kind == "@np_add_at":
            call = quote("np.add.at(b, i, g)", b=buffer, i=_as_value(index), g=g, np=self.parts.get("@np", name("np")))
            return [*lines, printer.statement(gast.Expr(value=call))]
        place = gast.Subscript(value=buffer, slice=index, ctx=gast.Store())
        positive = without_minus(g)
        change = gast.AugAssign(target=place, op=gast.Add(), value=g) if positive is None else \
            gast.AugAssign(target=place, op=gast.Sub(), value=positive)
        return [*lines, printer.statement(change)]


def _as_value(index: Tree) -> Tree:
    """An index as an argument of a call: slices become `slice(...)`."""
    if isinstance(index, gast.Tuple):
        return gast.Tuple(elts=[_as_value(e) for e in index.elts], ctx=gast.Load())
    if isinstance(index, gast.Slice):
        parts = [p or gast.Constant(value=None, kind=None) for p in (index.lower, index.upper, index.step)]
        return gast.Call(func=name("slice"), args=parts, keywords=[])
    return index


def _iterated(tree: Tree) -> Tree:
    """`range(n)[::-1]` as `reversed(range(n))`."""
    if isinstance(tree, gast.Subscript) and isinstance(tree.slice, gast.Slice) and tree.slice.upper is None and \
            tree.slice.lower is None and tree.slice.step is not None and \
            equal(tree.slice.step, quote("r[::-1]").slice.step):
        inner = tree.value
        base = inner.value if isinstance(inner, gast.Subscript) else inner
        if isinstance(base, gast.Call) and isinstance(base.func, gast.Name) and base.func.id == "range":
            return gast.Call(func=name("reversed"), args=[inner], keywords=[])
    return tree


def _plain_not(tree: Tree) -> Tree:
    """`not not c` is `c`, where a truth value is all that counts."""
    if isinstance(tree, gast.UnaryOp) and isinstance(tree.op, gast.Not) and isinstance(tree.operand, gast.UnaryOp) and \
            isinstance(tree.operand.op, gast.Not):
        return tree.operand.operand
    return tree


def _used(body: Stmts, result: Tree) -> set[str]:
    found = set(reads(result))
    for s in body:
        for field in ("value", "test", "iter", "msg", "exc", "cause"):
            part = getattr(s, field, None)
            if isinstance(part, gast.AST):
                found.update(reads(part))
        for block in ("body", "orelse"):
            inner = getattr(s, block, None)
            if isinstance(inner, list):
                found |= _used(inner, gast.Constant(value=None, kind=None))
    return found


def _needs_comments(f: Function, body: Stmts, backward: bool = False) -> bool:
    """Whether some user's line has more than one backward statement: then every block stands under its line."""
    last = 0
    for s in body:
        if isinstance(s, gast.Expr) and isinstance(s.value, gast.Name):
            backward, last = s.value.id == BACKWARD, 0
        elif isinstance(s, (gast.If, gast.For, gast.While)):
            last = 0
            if _needs_comments(f, s.body, backward) or _needs_comments(f, s.orelse, backward):
                return True
        elif backward and isinstance(s, gast.Assign) and not is_merge(s):
            line = f.origin(s).line
            if line and line == last:
                return True
            last = line
    return False
