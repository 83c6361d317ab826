"""Iterating in normal form: a `for` runs over a range; arrays, lists, `enumerate`, `zip`, `reversed` are indexed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import gast
import numpy as np

from ..kinds import Array, Sequence, SequenceOf
from ..program import Data, Fixed
from ..syntax import Tree, assign, constant, name, quote

if TYPE_CHECKING:
    from .normalize import Normalizer

At = Callable[["Normalizer", Tree], Tree]  # the element for an index, as an atom


@dataclass(frozen=True)
class Iteration:
    """A range to run over, and how the user's loop variables come from its index (None: they are the index)."""

    range: Tree
    element: At | None

    def index(self, to: Tree) -> str:
        """The name to make a version of, for the loop's index."""
        return to.id if self.element is None and isinstance(to, gast.Name) else "k"

    def hidden(self, to: Tree) -> bool:
        """Whether the index is none of the user's names."""
        return self.index(to) != getattr(to, "id", None)

    def bind(self, nz: Normalizer, to: Tree, index: Tree) -> None:
        """Assign the loop's variables for this step."""
        if self.element is None:
            nz._assign_atom(to, index)
        else:
            nz._assign_atom(to, self.element(nz, index) if not isinstance(to, gast.Name)
                            else _renamed(nz, to.id, self.element, index))


def _renamed(nz: Normalizer, user: str, element: At, index: Tree) -> Tree:
    """The element under the user's name: a temporary that was made for it just now takes the name."""
    before = len(nz.out)
    atom = element(nz, index)
    if len(nz.out) > before and isinstance(atom, gast.Name):
        last = nz.out[-1]
        if last.targets[0].id == atom.id:
            version = nz.names.fresh(user)
            nz.out[-1] = assign(version, last.value, last.lineno)
            return name(version)
    return atom


def iteration(nz: Normalizer, tree: Tree) -> Iteration:
    """What a `for` over `tree` becomes; evaluates the iterable once, before the loop."""
    call = _builtin(nz, tree)
    if call == "range":
        return Iteration(nz.whole(tree), None)
    if call == "reversed" and _builtin(nz, tree.args[0]) == "range":
        return Iteration(quote("r[::-1]", r=nz.whole(tree.args[0])), None)
    hidden = [n for n in ("range", "len", "min", "list") if n in nz.env]
    if hidden:
        nz.refuse(tree, f"this loop is written with {hidden[0]}(), which the variable {hidden[0]} hides",
                  f"give the variable {hidden[0]} another name")
    length, element = _cursor(nz, tree)
    return Iteration(quote("range(n)", n=length), element)


def _cursor(nz: Normalizer, tree: Tree) -> tuple[Tree, At]:
    call = _builtin(nz, tree)
    if call in ("enumerate", "zip", "reversed") and any(isinstance(a, gast.Starred) for a in tree.args):
        nz.refuse(tree, f"`*` in {call}() can't be differentiated yet", "write the arguments out")
    if call == "enumerate":
        length, element = _cursor(nz, tree.args[0])
        start = nz.whole((tree.args[1:] + [k.value for k in tree.keywords] + [constant(0)])[0])
        return length, lambda nz, k: _pair(nz, [_shifted(nz, k, start), element(nz, k)])
    if call == "zip":
        if tree.keywords:
            nz.refuse(tree, "zip(strict=...) can't be differentiated yet", "compare the lengths before the loop")
        cursors = [_cursor(nz, a) for a in tree.args]
        if not cursors:
            nz.refuse(tree, "zip() without arguments", "give it sequences")
        lengths = [length for length, _ in cursors]
        shortest = lengths[0] if len(lengths) == 1 else gast.Call(func=name("min"), args=lengths, keywords=[])
        return shortest, lambda nz, k: _pair(nz, [element(nz, k) for _, element in cursors])
    if call == "reversed":
        length, element = _cursor(nz, tree.args[0])
        count = nz.names.label("n", temporary=True)
        nz.emit(assign(count, length))
        return name(count), lambda nz, k: element(nz, _held(nz, "j", quote("n - 1 - k", n=name(count), k=k)))
    sequence = nz.atom(tree) if _indexable(nz, tree) else _listed(nz, tree)
    return quote("len(s)", s=sequence), lambda nz, k: _held(nz, "element", quote("s[k]", s=sequence, k=k))


def _held(nz: Normalizer, hint: str, tree: Tree) -> Tree:
    version = nz.names.label(hint, temporary=True)
    nz.emit(assign(version, tree))
    return name(version)


def _pair(nz: Normalizer, atoms: list[Tree]) -> Tree:
    return gast.Tuple(elts=atoms, ctx=gast.Load())


def _shifted(nz: Normalizer, k: Tree, start: Tree) -> Tree:
    if isinstance(start, gast.Constant) and start.value == 0:
        return k
    return _held(nz, "j", quote("k + s", k=k, s=start))


def _builtin(nz: Normalizer, tree: Tree) -> str | None:
    """Which of Python's own iterators a call makes."""
    if not isinstance(tree, gast.Call) or not isinstance(tree.func, gast.Name) or tree.func.id in nz.env:
        return None
    value = nz.scope.value(tree.func)
    return {range: "range", enumerate: "enumerate", zip: "zip", reversed: "reversed"}.get(value)


def _indexable(nz: Normalizer, tree: Tree) -> bool:
    """Whether the iterable is known to be a sequence (a generator, dict or set isn't, and is listed first)."""
    if isinstance(tree, gast.Name):
        if tree.id in nz.kinds:
            return isinstance(nz.kinds[tree.id], (Array, Sequence, SequenceOf))
        if tree.id in nz.env:
            return nz.taint.carries(tree)
        meaning = nz.scope.meaning(tree.id)
        return isinstance(meaning, Data) and isinstance(meaning.read(), (list, tuple, np.ndarray, range))
    if isinstance(tree, (gast.List, gast.Tuple, gast.BinOp)):
        return True
    if isinstance(tree, gast.Call):
        value = nz.scope.value(tree.func)
        fixed = isinstance(tree.func, gast.Name) and isinstance(nz.scope.meaning(tree.func.id), Fixed)
        numpy = getattr(value, "__module__", "") in ("numpy", None) and not fixed
        return nz.taint.carries(tree) or numpy
    return nz.taint.carries(tree)


def _listed(nz: Normalizer, tree: Tree) -> Tree:
    return _held(nz, "items", gast.Call(func=name("list"), args=[nz.whole(tree)], keywords=[]))
