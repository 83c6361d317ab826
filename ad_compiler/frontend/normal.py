"""The verifier of normal form: what `normalize` promises, checked, so that a pass that breaks it fails at once.

Beyond the grammar of `normalize` it holds that

- each statement has a line of its own, and an origin;
- a name is assigned by one statement, but for the targets of merges, which only merges assign;
- a name is assigned on every path to where it is read, unless it is a parameter, free, or the target of a merge that
  stands before (such a name is defined on the paths that merged it, as `analysis.unset` tells);
- `break` stands last on a path through a loop's body, right after the merge of the names that the loop carries, and
  each path to the end of the body that doesn't raise ends in a merge of the same names;
- a merge stands last in a branch or loop body, before such a `break`, or right before a loop (its first values).

A derived program differs: it has the pseudo-operations (names that begin with `@`), rule expressions may be nested, and
conditions and merged values too once temporaries are folded. Its merges stand anywhere outside of the last place, since
a dropped loop leaves its first values. A path may merge fewer names, since a merge of a name with itself is dropped.
What is saved and may be undefined is preset, to None by a merge or to `@stack()`, before the one statement that assigns
it. What a branch has assigned may be read under the same condition again: the backward sweep takes the branches of the
forward one.
"""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable, Iterable
from typing import NoReturn

import gast

from ..errors import InternalError
from ..program import Function, all_statements
from ..syntax import Stmts, Tree, dotted, equal, key, literal, quote, reads, walk, writes
from .normalize import has_break, is_merge
from .taint import Taint

KINDS = (gast.Assign, gast.If, gast.For, gast.While, gast.Break, gast.Expr, gast.Assert, gast.Raise)
SIMPLE_INDEX = (gast.Name, gast.Constant, gast.UnaryOp, gast.BinOp, gast.Attribute, gast.Slice, gast.Tuple)
PSEUDO = frozenset(["@save", "@load", "@stack", "@add_at", "@np_add_at"])


def check_normal(f: Function, derived: bool = False, active: Iterable[str] = ()) -> None:
    """Raise InternalError, naming the statement, unless `f` is in normal form.

    `derived` programs come from `transform` and `optimize`. An expression that carries no derivative may be of any
    form; which do is told from the `active` parameters: without them, the operands of operations aren't looked at.
    """
    Checker(f, derived, active).function()


class Checker:
    """Walks statements with the names that are assigned on every path to this point (None: no path leads here)."""

    def __init__(self, f: Function, derived: bool, active: Iterable[str]) -> None:
        self.f, self.derived = f, derived
        self.free = {*f.params, *f.meanings}
        self.merged = {n for s in all_statements(f.body) if is_merge(s) and not self._is_preset(s)
                       for n in writes(s)}
        self.seen: set[str] = set()  # assigned on some path
        self.ends: list[list[tuple[Tree, frozenset[str]]]] = []  # of each loop around: (statement, names merged there)
        self.under: dict[tuple[str, bool], set[str]] = {}  # what was assigned where a condition was true, or false
        self.carries: Callable[[Tree], bool] = lambda tree: False
        if not derived and f.scope is not None:
            self.carries = Taint(f.scope, f.body, active).carries

    def fail(self, s: Tree, what: str) -> NoReturn:
        head = {gast.If: "body", gast.For: "body", gast.While: "body"}.get(type(s))
        text = key(s).split("\n")[0] if head else key(s)
        raise InternalError(f"{self.f.name}: `{text}`: {what}", place=self.f.origin(s).place)

    def function(self) -> None:
        self._identities()
        have = self.block(self.f.body, set(), in_tail=False)
        if have is not None:
            self.reads(gast.Return(value=self.f.result), self.f.result, have)

    def _identities(self) -> None:
        lines: set[int] = set()
        once: set[str] = set()
        for s in all_statements(self.f.body):
            if not isinstance(s, KINDS):
                self.fail(s, "no statement of the normal form")
            line = getattr(s, "lineno", None)
            if line is None or line in lines:
                self.fail(s, f"has line {line}, which isn't its own")
            if line not in self.f.origins:
                self.fail(s, f"has line {line}, which has no origin")
            lines.add(line)
            for n in writes(s):
                if n in self.f.params:
                    self.fail(s, f"the parameter {n} is assigned")
                if self._is_preset(s) or is_merge(s):
                    continue
                if n in once or n in self.merged:
                    self.fail(s, f"{n} is assigned twice")
                once.add(n)

    def _is_preset(self, s: Tree) -> bool:
        if not self.derived or not isinstance(s, gast.Assign):
            return False
        if is_merge(s):
            return all(isinstance(v, gast.Constant) and v.value is None for v in s.value.elts)
        return isinstance(s.value, gast.Call) and getattr(s.value.func, "id", "") == "@stack"

    # Blocks

    def block(self, body: Stmts, have: set[str] | None, in_tail: bool) -> set[str] | None:
        """Check statements; `in_tail` says that the block's end is the end of a path through a loop's body."""
        for k, s in enumerate(body):
            rest = body[k + 1:]
            if isinstance(s, (gast.Break, gast.Raise)) and rest:
                self.fail(s, "isn't the last statement of its path")
            if isinstance(s, gast.Break):
                if not in_tail:
                    self.fail(s, "isn't the last statement of a path through a loop")
                self._end(s, body[k - 1] if k else None)
                return None
            if is_merge(s):
                self._place_of_merge(s, rest)
            if isinstance(s, gast.If):
                if has_break(s) and (rest or not in_tail):
                    self.fail(s, "holds a break, and isn't the last statement of a path through a loop")
                have = self._if(s, have, in_tail and has_break(s))
            elif isinstance(s, (gast.For, gast.While)):
                self._loop(s, have)
            else:
                have = self._simple(s, have)
        if in_tail and have is not None and not (body and has_break(body[-1])):
            self._end(body[-1] if body else gast.Pass(), body[-1] if body else None)
        return have

    def _end(self, s: Tree, before: Tree | None) -> None:
        names = frozenset(writes(before)) if before is not None and is_merge(before) else frozenset()
        others = self.ends[-1]
        if not self.derived and others and others[0][1] != names:
            self.fail(s, f"merges {sorted(names)} where another path through the loop merges {sorted(others[0][1])}")
        others.append((s, names))

    def _place_of_merge(self, s: Tree, rest: Stmts) -> None:
        targets, values = writes(s), s.value.elts
        if len(targets) != len(values) or len(set(targets)) != len(targets):
            self.fail(s, "a merge gives each of its targets one value")
        if self.derived:
            return
        if not all(_is_atom(v) for v in values):
            self.fail(s, "a merge of more than names and literals")
        if rest and not isinstance(rest[0], (gast.Break, gast.For, gast.While)):
            self.fail(s, "a merge that is neither last nor before a loop")

    def _if(self, s: Tree, have: set[str] | None, in_tail: bool) -> set[str] | None:
        if not self.derived and not _is_atom(s.test):
            self.fail(s, "its condition is no atom")
        self.reads(s, s.test, have)
        sides: list[set[str]] = []
        for side, branch in ((True, s.body), (False, s.orelse)):
            known = (key(s.test), side)
            start = None if have is None else have | (self.under.get(known, set()) if self.derived else set())
            after = self.block(branch, start, in_tail)
            if after is not None:
                sides.append(after)
                if self.derived:
                    self.under[known] = after
        return set.intersection(*sides) if sides else None

    def _loop(self, s: Tree, have: set[str] | None) -> None:
        self.seen.update(n for inner in all_statements(s.body) if is_merge(inner) for n in writes(inner))
        if isinstance(s, gast.For):
            if not isinstance(s.target, gast.Name):
                self.fail(s, "its target is no name")
            if not _is_range(s.iter):
                self.fail(s, "doesn't run over a range")
            self.reads(s, s.iter, have)
            self.seen.add(s.target.id)
        elif not (isinstance(s.test, gast.Constant) and s.test.value is True):
            self.fail(s, "its test isn't True")
        if s.orelse:
            self.fail(s, "a loop with an `else`")
        self.ends.append([])
        self.block(s.body, None if have is None else {*have, *writes(s)}, in_tail=True)
        self.ends.pop()

    # Simple statements

    def _simple(self, s: Tree, have: set[str] | None) -> set[str] | None:
        for part in (getattr(s, f, None) for f in ("value", "test", "msg", "exc", "cause")):
            if part is not None:
                self.reads(s, part, have)
                self._pseudo(s, part)
        if isinstance(s, gast.Raise):
            return None
        if isinstance(s, gast.Assign):
            self._assign(s)
            self.seen.update(writes(s))
            return None if have is None else {*have, *writes(s)}
        return have

    def _assign(self, s: Tree) -> None:
        if len(s.targets) != 1:
            self.fail(s, "more than one target")
        to = s.targets[0]
        if isinstance(to, gast.Tuple):
            if not all(isinstance(e, gast.Name) for e in to.elts):
                self.fail(s, "a target that is no name")
            if not isinstance(s.value, (gast.Name, gast.Tuple)) and not self.derived:
                self.fail(s, "what is unpacked is no name")
        elif not isinstance(to, gast.Name):
            self.fail(s, "a target that is no name")
        elif self.carries(s.value) and not self._is_operation(s.value):
            self.fail(s, "more than one operation")

    def _is_operation(self, tree: Tree) -> bool:
        """Whether an expression that carries a derivative is one operation over atoms."""
        if isinstance(tree, gast.BinOp):
            return _is_atom(tree.left) and _is_atom(tree.right)
        if isinstance(tree, gast.UnaryOp):
            return _is_atom(tree.operand)
        if isinstance(tree, gast.Attribute):
            return _is_atom(tree.value)
        if isinstance(tree, gast.Subscript):
            return _is_atom(tree.value) and all(isinstance(n, SIMPLE_INDEX) for n in walk(tree.slice)
                                                if isinstance(n, gast.expr))
        if isinstance(tree, (gast.Tuple, gast.List)):
            return all(map(_is_atom, tree.elts))
        if isinstance(tree, gast.Dict):
            return all(map(_is_atom, tree.values))
        if isinstance(tree, gast.Call):
            receiver = tree.func.value if isinstance(tree.func, gast.Attribute) and self.carries(tree.func) else None
            return (receiver is None or _is_atom(receiver)) and all(
                _is_atom(a) for a in [*tree.args, *(k.value for k in tree.keywords)])
        return _is_atom(tree)

    def _pseudo(self, s: Tree, tree: Tree) -> None:
        """Pseudo-operations are spelled as statements: they stand outermost."""
        ours, inner = _facts(tree)[1:]
        if ours and not self.derived:
            self.fail(s, f"{ours[0]} in a program that isn't derived")
        if inner:
            self.fail(s, f"{inner[0]} within an expression")

    def reads(self, s: Tree, tree: Tree, have: set[str] | None) -> None:
        """Check that what an expression reads is there."""
        if have is None:
            return
        for n in _facts(tree)[0]:
            if n in have or n in self.free or n.startswith("@") or n in self.merged and n in self.seen:
                continue
            if self.derived and hasattr(builtins, n):
                continue
            self.fail(s, f"{n} is read, and isn't assigned on every path to here")


@functools.lru_cache(maxsize=1 << 14)  # trees are never changed, and passes share them
def _facts(tree: Tree) -> tuple[list[str], list[str], list[str]]:
    """What an expression reads, its names that begin with `@`, and the pseudo-operations within it."""
    names = reads(tree)
    ours = [n for n in names if n.startswith("@")]
    inner = [node.func.id for node in walk(tree) if isinstance(node, gast.Call) and node is not tree
             and getattr(node.func, "id", "") in PSEUDO] if PSEUDO.intersection(ours) else []
    return names, ours, inner


def _is_atom(tree: Tree) -> bool:
    """A name, a literal, or a function that is known when the gradient is compiled."""
    try:
        literal(tree)
        return True
    except LookupError:
        return dotted(tree) is not None


def _is_range(tree: Tree) -> bool:
    """`range(...)`, maybe sliced: `range(n)[:trips][::-1]`."""
    while isinstance(tree, gast.Subscript) and isinstance(tree.slice, gast.Slice):
        tree = tree.value
    return isinstance(tree, gast.Call) and equal(tree.func, quote("range"))
