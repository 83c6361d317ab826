"""Names that some path leaves undefined: they can be read only where the path that defines them was taken."""

from __future__ import annotations

import gast

from ..frontend.normalize import is_merge, raises
from ..program import Function, all_statements
from ..syntax import Stmts, Tree, writes


def unset_names(f: Function) -> frozenset[str]:
    """The names of a normal form that may be undefined after the statement that merges them."""
    found: set[str] = set()
    _block(f.body, found)
    merges = [s for s in all_statements(f.body) if is_merge(s)]
    size = -1
    while size != len(found):
        size = len(found)
        for s in merges:
            found.update(t.id for t, v in zip(s.targets[0].elts, s.value.elts, strict=True)
                         if isinstance(v, gast.Name) and v.id in found and v.id != t.id)
    return frozenset(found)


def _block(body: Stmts, found: set[str]) -> None:
    for k, s in enumerate(body):
        if isinstance(s, gast.If):
            sides = [_merged(branch) for branch in (s.body, s.orelse) if not raises(branch)]
            found.update(n for side in sides for n in side if any(n not in other for other in sides))
            _block(s.body, found)
            _block(s.orelse, found)
        elif isinstance(s, (gast.For, gast.While)):
            first = set(writes(body[k - 1])) if k and is_merge(body[k - 1]) else set()
            found.update(n for n in _merged(s.body) if n not in first)
            _block(s.body, found)


def _merged(body: Stmts) -> set[str]:
    """The names merged at the ends of a block."""
    ending: Stmts = body[:-1] if body and isinstance(body[-1], gast.Break) else body
    last: Tree = ending[-1] if ending else None
    if last is not None and is_merge(last):
        return set(writes(last))
    if isinstance(last, gast.If):
        return _merged(last.body) | _merged(last.orelse)
    return set()
