"""From the user's tree to normal form: Python with the discipline of single assignment.

    body      = statement*
    statement = name = operation | (name, ...) = name             an unpacking
              | (name, ...) = (atom, ...)                         a merge: the last thing of a branch or of a loop body
              | if atom: body else: body
              | for name in range(...): body | while True: body   a path through a body may end in `break`
              | impure expression | assert ... | raise ...
    operation = atom operator atom | f(atom, ..., key=atom) | atom.method(atom, ...) | atom.attribute | atom[index]
              | (atom, ...) | [atom, ...] | {key: atom, ...} | an expression that carries no derivative, whole
    atom      = name | literal

Each name is assigned once, but for the targets of merges: names carried by a loop (their first values are merged in
before the loop) and names that meet after an `if`. A merge leaves out names that are undefined on its path.
"""

from __future__ import annotations

import gast

from ..program import Origin
from ..syntax import Stmts, Tree, at, name, target, walk
from .expressions import Expressions
from .loops import Iteration, iteration


class Normalizer(Expressions):
    """Walks statements in order, holding the version that each user name has at this point."""

    def block(self, body: Stmts, tail: list[str] | None = None) -> Stmts:
        """Normalize statements into a new list; `tail` names the variables to merge at the end of a loop body."""
        outer, self.out = self.out, []
        ended = False
        for statement in body:
            self.here(statement)
            if isinstance(statement, gast.Break):
                self._merge(tail or [])
                self.emit(gast.Break())
                ended = True
                break
            if isinstance(statement, gast.If) and tail is not None and has_break(statement):
                self._if(statement, tail)
                ended = True
                break
            getattr(self, "do_" + type(statement).__name__, self._unknown)(statement)
            if isinstance(statement, gast.Raise):
                ended = True
                break
        if tail is not None and not ended:
            self._merge(tail)
        done, self.out = self.out, outer
        return done

    def _unknown(self, statement: Tree) -> None:
        self.refuse(statement, f"`{type(statement).__name__}` can't be differentiated yet")

    # Bindings

    def do_Assign(self, statement: Tree) -> None:
        targets = statement.targets
        if len(targets) == 1:
            return self._assign(targets[0], statement.value)
        value = self.atom(statement.value)
        for each in targets:
            self._assign_atom(each, value)

    def do_AnnAssign(self, statement: Tree) -> None:
        if statement.value is not None:
            self._assign(statement.target, statement.value)

    def do_AugAssign(self, statement: Tree) -> None:
        if not isinstance(statement.target, gast.Name):
            self.refuse_write(statement.target)
        old = name(statement.target.id)
        value = gast.copy_location(gast.BinOp(left=old, op=statement.op, right=statement.value), statement)
        version: Tree = self.env.get(statement.target.id)
        if any(v is version or isinstance(v, gast.Name) and isinstance(version, gast.Name) and v.id == version.id
               for n, v in self.env.items() if n != statement.target.id):
            self.aliased.add(version.id)
        self.augmented = True
        self._assign(statement.target, value)
        self.augmented = False

    def _assign(self, to: Tree, value: Tree) -> None:
        if isinstance(to, gast.Name):
            self.env[to.id] = self.bound_to(to.id, value)
        elif (isinstance(to, (gast.Tuple, gast.List)) and isinstance(value, (gast.Tuple, gast.List))
              and len(to.elts) == len(value.elts) and all(isinstance(t, gast.Name) for t in to.elts)
              and not any(isinstance(v, gast.Starred) for v in value.elts)):
            versions = [self.bound_to(t.id, v) for t, v in zip(to.elts, value.elts, strict=True)]
            for each, version in zip(to.elts, versions, strict=True):
                self.env[each.id] = version
        else:
            self._assign_atom(to, self.atom(value))

    def _assign_atom(self, to: Tree, value: Tree) -> None:
        if isinstance(to, gast.Name):
            self.env[to.id] = self.bound_to(to.id, value) if isinstance(value, gast.Tuple) else \
                self.bound_to_atom(to.id, value)
        elif isinstance(to, (gast.Tuple, gast.List)):
            self.unpack(to, value)
        else:
            self.refuse_write(to)

    def unpack(self, to: Tree, value: Tree) -> None:
        """`a, (b, c) = value`, one level at a time, so that a wrong length raises as in the primal."""
        if any(isinstance(e, gast.Starred) for e in to.elts):
            self.refuse(to, "a starred target can't be differentiated yet", "take the rest by a slice")
        if isinstance(value, gast.Tuple):  # made by a loop over `zip` or `enumerate`
            if len(value.elts) != len(to.elts):
                self.refuse(to, f"{len(value.elts)} values for {len(to.elts)} targets")
            for element, part in zip(to.elts, value.elts, strict=True):
                self._assign_atom(element, part)
            return
        names = [self.names.fresh(e.id if isinstance(e, gast.Name) else "part", not isinstance(e, gast.Name))
                 for e in to.elts]
        self.emit(gast.Assign(targets=[gast.Tuple(elts=[target(n) for n in names], ctx=gast.Store())], value=value,
                              type_comment=None))
        for element, version in zip(to.elts, names, strict=True):
            self._assign_atom(element, name(version))

    # Control

    def do_If(self, statement: Tree) -> None:
        self._if(statement, None)

    def _if(self, statement: Tree, tail: list[str] | None) -> None:
        test = self.condition(statement.test)
        before = dict(self.env)
        body = self.block(statement.body, tail)
        after_body, self.env = self.env, dict(before)
        orelse = self.block(statement.orelse, tail)
        after_orelse = self.env
        self.here(statement)
        if tail is None:
            self.env = self._met(before, after_body, after_orelse, body, orelse)
        self.emit(gast.If(test=test, body=body, orelse=orelse))

    def _met(self, before: dict[str, Tree], one: dict[str, Tree], other: dict[str, Tree],
             body: Stmts, orelse: Stmts) -> dict[str, Tree]:
        """Merge what the branches of an `if` have assigned."""
        if raises(body):
            return other
        if raises(orelse):
            return one
        merged = [n for n in {**one, **other} if one.get(n) is not other.get(n)]
        result = {**one, **other}
        targets = {n: self.names.fresh(n) for n in merged}
        for env, block in ((one, body), (other, orelse)):
            here = [n for n in merged if n in env]
            if here:
                block.append(self.merge([targets[n] for n in here], [env[n] for n in here]))
        result.update({n: name(t) for n, t in targets.items()})
        return result

    def _merge(self, tail: list[str]) -> None:
        here = [n for n in tail if n in self.env]
        if here:
            self.out.append(self.merge([self.carried[-1][n] for n in here], [self.env[n] for n in here]))

    def do_For(self, statement: Tree) -> None:
        if statement.orelse:
            self.refuse(statement, "`for ... else` can't be differentiated yet", "use a flag")
        steps = iteration(self, statement.iter)
        self._loop(statement, assigned([statement]), steps)

    def do_While(self, statement: Tree) -> None:
        if statement.orelse:
            self.refuse(statement, "`while ... else` can't be differentiated yet", "use a flag")
        self._loop(statement, assigned(statement.body), None)

    def _loop(self, statement: Tree, changed: list[str], steps: Iteration | None) -> None:
        """A loop: carried names get a version that lives at its head, assigned before it and where its body ends."""
        heads = {n: self.names.fresh(n) for n in changed}
        first = [n for n in changed if n in self.env]
        if first:
            self.out.append(self.merge([heads[n] for n in first], [self.env[n] for n in first]))
        self.env.update({n: name(h) for n, h in heads.items()})
        self.carried.append(heads)
        outer, self.out = self.out, []
        if steps is not None:
            index = self.names.fresh(steps.index(statement.target), steps.hidden(statement.target))
            steps.bind(self, statement.target, name(index))
            rest = statement.body
        else:
            test, rest = statement.test, statement.body
            if not (isinstance(test, gast.Constant) and test.value):
                stop = self.condition(gast.copy_location(gast.UnaryOp(op=gast.Not(), operand=test), test))
                leave = self.merge([heads[n] for n in changed], [self.env[n] for n in changed])
                tail = self.block(rest, changed)
                self.out.append(at(gast.If(test=stop, body=[leave, self.stamped(gast.Break(), statement)], orelse=tail),
                                   self.line(statement)))
                rest = None
        body = self.out + (self.block(rest, changed) if rest is not None else [])
        self.out = outer
        self.carried.pop()
        self.here(statement)
        if steps is not None:
            self.emit(gast.For(target=target(index), iter=steps.range, body=body, orelse=[], type_comment=None))
        else:
            self.emit(gast.While(test=gast.Constant(value=True, kind=None), body=body, orelse=[]))
        self.env.update({n: name(h) for n, h in heads.items()})

    def do_With(self, statement: Tree) -> None:
        """Grad modes are read here, and vanish: each statement's origin remembers the mode it is in."""
        before = self.mode
        for item in statement.items:
            flag = self.mode_of(item.context_expr)
            if item.optional_vars is not None:
                self.refuse(item.context_expr, "a grad mode has no value to bind by `as`", "leave `as ...` out")
            self.mode = (flag, f"no_grad, line {self.relative(statement)}")
        for inner in statement.body:
            self.here(inner)
            getattr(self, "do_" + type(inner).__name__, self._unknown)(inner)
        self.mode = before

    # The rest

    def do_Pass(self, statement: Tree) -> None:
        """Nothing."""

    def do_Expr(self, statement: Tree) -> None:
        if isinstance(statement.value, gast.Constant):
            return
        self.effect(statement.value)

    def do_Assert(self, statement: Tree) -> None:
        message = None if statement.msg is None else self.whole(statement.msg)
        self.emit(gast.Assert(test=self.whole(statement.test), msg=message))

    def do_Raise(self, statement: Tree) -> None:
        cause = None if statement.cause is None else self.whole(statement.cause)
        self.emit(gast.Raise(exc=None if statement.exc is None else self.whole(statement.exc), cause=cause))

    def merge(self, targets: list[str], values: list[Tree]) -> Tree:
        """The parallel assignment `(targets) = (values)`."""
        statement = gast.Assign(targets=[gast.Tuple(elts=[target(t) for t in targets], ctx=gast.Store())],
                                value=gast.Tuple(elts=list(values), ctx=gast.Load()), type_comment=None)
        return at(statement, self.lines.new(Origin(self.origin.line, "", self.origin.place)))


def is_merge(statement: Tree) -> bool:
    """Whether a statement is a merge `(a, b) = (x, y)`."""
    return (isinstance(statement, gast.Assign) and isinstance(statement.targets[0], gast.Tuple)
            and isinstance(statement.value, gast.Tuple))


def raises(body: Stmts) -> bool:
    """Whether a normalized body always ends by raising."""
    if not body:
        return False
    last = body[-1]
    return isinstance(last, gast.Raise) or (isinstance(last, gast.If) and raises(last.body) and raises(last.orelse))


def has_break(statement: Tree) -> bool:
    """Whether an `if` holds a `break` of the loop around it."""
    if isinstance(statement, gast.Break):
        return True
    return isinstance(statement, gast.If) and any(has_break(s) for s in [*statement.body, *statement.orelse])


def assigned(body: Stmts) -> list[str]:
    """The user names that statements assign, in order, each once."""
    found: dict[str, None] = {}
    for statement in body:
        for node in walk(statement):
            if isinstance(node, gast.Name) and isinstance(node.ctx, gast.Store):
                found[node.id] = None
    return list(found)
