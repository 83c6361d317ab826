"""Names that hold an array made here, which nothing else refers to: `x += y` may then be read as a rebinding."""

from __future__ import annotations

import gast

from ..kinds import Scalar
from ..program import Function, all_statements
from ..syntax import Tree, reads, walk
from .infer import Inference

MAKERS = frozenset("zeros ones full empty zeros_like ones_like full_like empty_like array copy sin cos tan exp log "
                   "sqrt tanh sum dot matmul outer arange linspace eye where maximum minimum abs square".split())


def fresh_names(f: Function, inference: Inference) -> set[str]:
    """The names with a fresh and unshared array, whatever the path."""
    statements = [s for s in all_statements(f.body) if isinstance(s, gast.Assign)]
    passing = _passing_views(f, statements)
    given = {f.result.id} & set(f.params) if isinstance(f.result, gast.Name) else set()
    shared = _shared(statements, inference, passing) | given
    names = {t.id: s for s in statements for t in walk(s.targets[0]) if isinstance(t, gast.Name)}
    fresh = set(names) - shared - f.aliased - _renamed(statements, f, passing)
    size = -1
    while size != len(fresh):
        size = len(fresh)
        for s in statements:
            for t, v in _pairs(s):
                if t in fresh and not _makes(v, fresh, inference):
                    fresh.discard(t)
    return fresh


def _renamed(statements: list[Tree], f: Function, passing: set[str]) -> set[str]:
    """Versions that are merged under another of the user's names, which then stands for the same array."""
    found: set[str] = set()
    for s in statements:
        if isinstance(s.targets[0], gast.Tuple) and isinstance(s.value, gast.Tuple):
            for t, v in _pairs(s):
                if isinstance(v, gast.Name) and t not in passing and f.names.base.get(v.id) != f.names.base.get(t):
                    found |= {v.id, t}
    return found


def _pairs(s: Tree) -> list[tuple[str, Tree]]:
    t = s.targets[0]
    if isinstance(t, gast.Name):
        return [(t.id, s.value)]
    if isinstance(s.value, gast.Tuple):
        return [(e.id, v) for e, v in zip(t.elts, s.value.elts, strict=True)]
    return [(e.id, s.value) for e in t.elts if isinstance(e, gast.Name)]


def _makes(v: Tree, fresh: set[str], inference: Inference) -> bool:
    """Whether an expression gives an array (or number) that nothing else refers to."""
    if isinstance(v, gast.Name):
        return v.id in fresh  # a merge: the name before it is dead, or is shared below
    if isinstance(v, (gast.Constant, gast.BinOp, gast.UnaryOp)):
        return True
    if isinstance(v, gast.Call):
        last = v.func.attr if isinstance(v.func, gast.Attribute) else getattr(v.func, "id", "")
        return last in MAKERS
    return isinstance(inference.infer(v), Scalar)


def _passing_views(f: Function, statements: list[Tree]) -> set[str]:
    """Temporaries that are only operands of arithmetic: a view in such a name doesn't outlive its expression."""
    kept = {n for s in statements if not isinstance(s.value, (gast.BinOp, gast.UnaryOp, gast.Compare))
            for n in reads(s.value)}
    kept |= {n for s in all_statements(f.body) if not isinstance(s, gast.Assign) for field in ("value", "test", "iter")
             if isinstance(getattr(s, field, None), gast.AST) for n in reads(getattr(s, field))}
    return f.names.temporary - kept - set(reads(f.result))


def _shared(statements: list[Tree], inference: Inference, passing: set[str]) -> set[str]:
    """Names that a view, container, or function may keep hold of, or that two names of different lives stand for."""
    found: set[str] = set()
    for s in statements:
        v = s.value
        if isinstance(s.targets[0], gast.Name) and s.targets[0].id in passing:
            continue
        if isinstance(v, (gast.List, gast.Dict)) or (isinstance(v, gast.Tuple) and isinstance(s.targets[0], gast.Name)):
            found.update(reads(v))
        elif isinstance(v, (gast.Subscript, gast.Attribute)) and not isinstance(inference.infer(v), Scalar):
            found.update(reads(v))
        elif isinstance(v, gast.Call):
            last = v.func.attr if isinstance(v.func, gast.Attribute) else getattr(v.func, "id", "")
            if last not in MAKERS and not isinstance(inference.infer(v), Scalar):
                found.update(reads(v))
    return found
