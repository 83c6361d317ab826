"""Where only the shape and dtype of a value are read, a value of the same kind that is there anyway is read instead."""

from __future__ import annotations

from collections.abc import Callable

import gast

from ..kinds import Array, Kind, same_shape
from ..program import Function, all_statements
from ..syntax import Tree, reads, rebuilt

SHAPES = ("size", "shape", "ndim")
LIKE = {"zeros_like": 0, "ones_like": 0, "full_like": 0, "size": 0, "shape": 0, "@zeros": 0, "@unbroadcast": 1,
        "@cast": 1, "@unreduce": 1}


def with_prototypes(f: Function, kind: Callable[[str], Kind | None]) -> Function:
    """The function with prototypes replaced by the earliest value of the same shape and dtype that they come from."""
    parents: dict[str, str] = {}
    for s in all_statements(f.body):
        if isinstance(s, gast.Assign) and isinstance(s.targets[0], gast.Name) and \
                isinstance(s.value, (gast.BinOp, gast.UnaryOp, gast.Call)) and s.targets[0].id in f.names.temporary:
            own = kind(s.targets[0].id)
            for n in reads(s.value):
                other = kind(n)
                if isinstance(own, Array) and isinstance(other, Array) and own.shape and same_shape(own, other) and \
                        own.dtype is not None and own.dtype == other.dtype:
                    parents[s.targets[0].id] = n
                    break
    if not parents:
        return f

    def earliest(tree: Tree) -> Tree:
        identifier = tree.id
        while identifier in parents:
            identifier = parents[identifier]
        if identifier == tree.id:
            return tree
        return gast.Name(id=identifier, ctx=tree.ctx, annotation=None, type_comment=None)

    def changed(tree: Tree) -> Tree:
        if isinstance(tree, gast.Attribute) and tree.attr in SHAPES and isinstance(tree.value, gast.Name):
            return gast.Attribute(value=earliest(tree.value), attr=tree.attr, ctx=tree.ctx)
        tree = rebuilt(tree, changed)
        if isinstance(tree, gast.Call):
            func = tree.func
            ours = isinstance(func, gast.Attribute) and isinstance(func.value, gast.Name) and func.value.id == "@np"
            label = func.attr if ours else getattr(func, "id", "")
            k = LIKE.get(label)
            if k is not None and k < len(tree.args) and isinstance(tree.args[k], gast.Name):
                arguments = list(tree.args)
                arguments[k] = earliest(tree.args[k])
                return gast.Call(func=tree.func, args=arguments, keywords=tree.keywords)
        return tree

    return f.with_body([changed(s) for s in f.body], changed(f.result))
