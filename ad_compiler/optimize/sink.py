"""The next value of a carried name is computed last, after all that reads the present one: both can then share it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gast

from ..frontend.normalize import is_merge
from ..program import Function
from ..syntax import Stmts, Tree, at, reads, walk, writes

CHANGING = ("@add_at", "@np_add_at")


def sunk(f: Function, pure: Callable[[Tree], bool]) -> Function:
    """The function with such definitions moved to the end of their blocks."""
    return f.with_body(_block(f.body, pure))


def _block(body: Stmts, pure: Callable[[Tree], bool]) -> Stmts:
    body = [_inner(s, pure) for s in body]
    if not body or not is_merge(body[-1]):
        return body
    merge, rest = body[-1], body[:-1]
    pairs = {v.id: t.id for t, v in zip(merge.targets[0].elts, merge.value.elts, strict=True)
             if isinstance(v, gast.Name)}
    moved: Stmts = []
    for k in range(len(rest) - 1, -1, -1):
        s = rest[k]
        if not isinstance(s, gast.Assign) or not isinstance(s.targets[0], gast.Name) or s.targets[0].id not in pairs:
            continue
        version, later = s.targets[0].id, rest[k + 1:]
        present = pairs[version]
        used = [n for other in later for n in _all_reads(other)]
        if present not in used or version in used or not pure(s.value) or _changes(s):
            continue
        touched = {n for other in later for n in _buffers(other)}
        if touched.isdisjoint(reads(s.value)):
            moved.insert(0, rest.pop(k))
    return [*rest, *moved, merge]


def _inner(s: Tree, pure: Callable[[Tree], bool]) -> Tree:
    if not isinstance(s, (gast.If, gast.For, gast.While)):
        return s
    fields: dict[str, Any] = {f: getattr(s, f, None) for f in s._fields}
    for block in ("body", "orelse"):
        if fields.get(block):
            fields[block] = _block(fields[block], pure)
    return at(type(s)(**fields), s.lineno)


def _all_reads(s: Tree) -> list[str]:
    return [n.id for n in walk(s) if isinstance(n, gast.Name) and isinstance(n.ctx, gast.Load)]


def _buffers(s: Tree) -> list[str]:
    """The names whose arrays a statement changes; all that an effect reads may be changed by it."""
    if isinstance(s, gast.Expr):
        return _all_reads(s)
    calls = [n for n in walk(s) if isinstance(n, gast.Call) and isinstance(n.func, gast.Name) and n.func.id in CHANGING]
    return [n for call in calls for part in (call.args[0], *call.args[3:]) for n in reads(part)]


def _changes(s: Tree) -> bool:
    """Whether a statement changes a buffer, or takes from a stack."""
    return any(isinstance(n, gast.Name) and n.id in (*CHANGING, "@load") for n in walk(s)) or not writes(s) and not \
        isinstance(s, (gast.If, gast.For, gast.While))
