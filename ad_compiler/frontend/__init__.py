"""The front end: from a live function to a `Function` in normal form."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterable, Mapping
from typing import Any

import gast

from ..kinds import Kind
from ..program import Function, Meaning, Names, all_statements
from ..syntax import Tree, name, walk, writes
from .check import check
from .control import Structure
from .normalize import Normalizer
from .resolve import Scope
from .source import find
from .taint import Taint


def normal_form(function: types.FunctionType, bound: Mapping[str, Any], kinds: Mapping[str, Kind],
                active: Iterable[str], off: str = "") -> Function:
    """Reduce a function to normal form.

    Arguments: `bound` holds parameters with fixed values (`self` of a method); `kinds` what is known of the others;
    `active` the parameters that carry a derivative; `off` says why the body starts in no_grad mode, if it does.
    """
    source = find(function)
    check(source, function)
    tree = source.tree
    body = [gast.copy_location(gast.Return(value=tree.body), tree.body)] if isinstance(tree, gast.Lambda) else tree.body
    params = [p for p in inspect.signature(function, follow_wrapped=False).parameters if p not in bound]
    names = Names(taken={n.id for n in walk(tree) if isinstance(n, gast.Name)} | set(params))
    names.base.update({p: p for p in names.taken})
    structure = Structure(names.fresh)
    flat, result = structure.function(list(body))
    scope = Scope(function, bound)
    taint = Taint(scope, flat, active)
    nz = Normalizer(source, scope, taint, names, {p: name(p) for p in params}, kinds)
    nz.mode = (not off, off)
    done = nz.block(flat)
    out = nz.env.get(result.id, result) if isinstance(result, gast.Name) else result
    label = getattr(tree, "name", None) or _lambda_name(function)
    return Function(label, tuple(params), done, out, names, nz.lines.origins,
                    _meanings(nz, params, done, out), kinds=dict(kinds), calls=nz.calls, source=source, scope=scope,
                    aliased=frozenset(nz.aliased))


def _lambda_name(function: types.FunctionType) -> str:
    return "function" if "<lambda>" in function.__name__ else function.__name__


def _meanings(nz: Normalizer, params: list[str], body: list[Tree], result: Tree) -> dict[str, Meaning]:
    """What each free name of the normalized body means."""
    free: dict[str, Meaning] = dict(nz.data)
    bound = {n for s in all_statements(body) for n in writes(s)} | set(params)
    for tree in [*body, result]:
        for node in walk(tree):
            if isinstance(node, gast.Name) and isinstance(node.ctx, gast.Load) and node.id not in bound:
                free.setdefault(node.id, nz.scope.meaning(node.id))
    return free
