"""Second names for one value disappear: `t_bar = r_bar` says nothing that `r_bar` doesn't say."""

from __future__ import annotations

from typing import Any

import gast

from ..frontend.normalize import is_merge
from ..program import Function, all_statements
from ..syntax import Stmts, Tree, at, name, rebuilt, substitute, target, writes


def without_copies(f: Function) -> Function:
    """The function with copies resolved: to the value's first name, or to the copy's name if the first is a temporary.

    Every name has one value while it lives, and a buffer is complete before it is read, so both names always agree.
    """
    merged = {n for s in all_statements(f.body) if is_merge(s) for n in writes(s)}
    made = {n for s in all_statements(f.body) if isinstance(s, gast.Assign) and not is_merge(s)
            and isinstance(s.targets[0], gast.Name) for n in writes(s)}
    meaning: dict[str, str] = {}

    def now(identifier: str) -> str:
        while identifier in meaning:
            identifier = meaning[identifier]
        return identifier

    for s in all_statements(f.body):
        if isinstance(s, gast.Assign) and isinstance(s.targets[0], gast.Name) and isinstance(s.value, gast.Name):
            copy, first = now(s.targets[0].id), now(s.value.id)
            if copy == first or s.targets[0].id in merged or first.startswith("@"):
                continue
            if first in f.names.temporary and copy not in f.names.temporary and first in made and first not in merged:
                meaning[first] = copy
            else:
                meaning[copy] = first
    if not meaning:
        return f
    final = {n: now(n) for n in meaning}
    reads = {old: name(new) for old, new in final.items()}
    return f.with_body(_renamed(f.body, final, reads), substitute(f.result, reads))


def _renamed(body: Stmts, final: dict[str, str], reads: dict[str, Tree]) -> Stmts:
    out: Stmts = []
    for s in body:
        if isinstance(s, (gast.If, gast.For, gast.While)):
            fields: dict[str, Any] = {f: getattr(s, f, None) for f in s._fields}
            for block in ("body", "orelse"):
                if fields.get(block):
                    fields[block] = _renamed(fields[block], final, reads)
            for part in ("test", "iter"):
                if fields.get(part) is not None:
                    fields[part] = substitute(fields[part], reads)
            out.append(at(type(s)(**fields), s.lineno))
            continue
        fresh = substitute(s, reads)
        if isinstance(fresh, gast.Assign):
            to = _target(fresh.targets[0], final)
            fresh = at(gast.Assign(targets=[to], value=fresh.value, type_comment=None), s.lineno)
            if isinstance(fresh.value, gast.Name) and isinstance(fresh.targets[0], gast.Name) and \
                    fresh.value.id == fresh.targets[0].id:
                continue
        out.append(fresh)
    return out


def _target(tree: Tree, final: dict[str, str]) -> Tree:
    if isinstance(tree, gast.Name):
        return target(final[tree.id]) if tree.id in final else tree
    return rebuilt(tree, lambda child: _target(child, final))
