"""One heading where the backward sweep begins: a branch that does nothing forwards needs none of its own."""

from __future__ import annotations

import gast

from ..program import Function
from ..syntax import Stmts, Tree, at

BACKWARD = "@backward"


def with_one_heading(f: Function) -> Function:
    """The function with the heading before an `if` whose branches have nothing but backward statements."""
    return f.with_body(_hoisted(f.body))


def _hoisted(body: Stmts) -> Stmts:
    out: Stmts = []
    seen = False
    for s in body:
        if _is_heading(s):
            if not seen:
                out.append(s)
            seen = True
        elif isinstance(s, gast.If) and any(b and _is_heading(b[0]) for b in (s.body, s.orelse)):
            sides = [b for b in (s.body, s.orelse) if b]
            if all(_is_heading(b[0]) for b in sides):
                out.append(sides[0][0])
                s = at(gast.If(test=s.test, body=_bare(s.body), orelse=_bare(s.orelse)), s.lineno)
                seen = True
            out.append(s)
        else:
            out.append(s)
    return out


def _bare(body: Stmts) -> Stmts:
    return [s for s in body if not _is_heading(s)]


def _is_heading(s: Tree) -> bool:
    return isinstance(s, gast.Expr) and isinstance(s.value, gast.Name) and s.value.id == BACKWARD
