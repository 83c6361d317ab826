"""The verbs for trees: quote text, substitute names, read what a tree reads. Trees are never changed once made.

Because no pass changes a tree, programs share them freely and nothing is ever copied for safety.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import gast

Tree = Any  # a gast node: gast has no types
Stmts = list[Tree]

LOAD, STORE = gast.Load(), gast.Store()


def name(identifier: str) -> Tree:
    """A name that is read."""
    return gast.Name(id=identifier, ctx=LOAD, annotation=None, type_comment=None)


def target(identifier: str) -> Tree:
    """A name that is assigned."""
    return gast.Name(id=identifier, ctx=STORE, annotation=None, type_comment=None)


def constant(value: object) -> Tree:
    """A literal; negative numbers become a unary minus, since printers lose the parentheses of a negative constant."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and (value < 0 or str(value).startswith("-")):
        return gast.UnaryOp(op=gast.USub(), operand=gast.Constant(value=-value, kind=None))
    return gast.Constant(value=value, kind=None)


def assign(identifier: str, value: Tree, line: int = 0) -> Tree:
    """The statement `identifier = value`, known by its line."""
    return at(gast.Assign(targets=[target(identifier)], value=value, type_comment=None), line)


def at(statement: Tree, line: int) -> Tree:
    """Give a new statement its line, which is its identity."""
    statement.lineno = line
    return statement


@functools.lru_cache(maxsize=4096)
def _parsed(text: str) -> Tree:
    return gast.ast_to_gast(ast.parse(text))


def quote(text: str, **parts: Tree) -> Tree:
    """Parse one expression; names among `parts` are replaced by those trees."""
    return substitute(_parsed(text).body[0].value, parts) if parts else _parsed(text).body[0].value


def quote_statements(text: str) -> Stmts:
    """Parse statements."""
    return list(_parsed(text).body)


def rebuilt(tree: Tree, change: Callable[[Tree], Tree]) -> Tree:
    """The tree with `change` applied to each child expression; the same object where nothing changed."""
    fresh: dict[str, Any] = {}
    for field in tree._fields:
        old = getattr(tree, field, None)
        new: Any
        if isinstance(old, gast.AST):
            new = change(old)
            if new is not old:
                fresh[field] = new
        elif isinstance(old, list):
            new = [change(item) if isinstance(item, gast.AST) else item for item in old]
            if any(a is not b for a, b in zip(new, old, strict=True)):
                fresh[field] = new
    if not fresh:
        return tree
    copy = type(tree)(**{field: fresh.get(field, getattr(tree, field, None)) for field in tree._fields})
    for attribute in ("lineno", "col_offset", "end_lineno", "end_col_offset"):
        if hasattr(tree, attribute):
            setattr(copy, attribute, getattr(tree, attribute))
    return copy


def substitute(tree: Tree, parts: Mapping[str, Tree]) -> Tree:
    """Replace the names that are keys of `parts`; scopes of lambdas and comprehensions keep their own names."""
    if not parts:
        return tree
    if isinstance(tree, gast.Name):
        return parts.get(tree.id, tree) if isinstance(tree.ctx, gast.Load) else tree
    bound = scope_names(tree)
    if bound:
        inner = {key: part for key, part in parts.items() if key not in bound}
        return rebuilt(tree, lambda child: substitute(child, inner))
    return rebuilt(tree, lambda child: substitute(child, parts))


def scope_names(tree: Tree) -> frozenset[str]:
    """The names that a lambda or comprehension binds for itself."""
    if isinstance(tree, gast.Lambda):
        a = tree.args
        every = [*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg]
        return frozenset(argument.id for argument in every if argument is not None)
    if isinstance(tree, (gast.ListComp, gast.SetComp, gast.GeneratorExp, gast.DictComp)):
        return frozenset(n.id for g in tree.generators for n in walk(g.target) if isinstance(n, gast.Name))
    return frozenset()


def walk(tree: Tree) -> Iterator[Tree]:
    """Every node of a tree, outermost first, left to right."""
    yield tree
    for field in tree._fields:
        value = getattr(tree, field, None)
        if isinstance(value, gast.AST):
            yield from walk(value)
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, gast.AST):
                    yield from walk(item)


def reads(tree: Tree) -> list[str]:
    """The free names that an expression reads, in order, each once."""
    found: dict[str, None] = {}
    _collect_reads(tree, frozenset(), found)
    return list(found)


def _collect_reads(tree: Tree, bound: frozenset[str], found: dict[str, None]) -> None:
    if isinstance(tree, gast.Name):
        if isinstance(tree.ctx, gast.Load) and tree.id not in bound:
            found[tree.id] = None
        return
    if not isinstance(tree, (gast.Constant, gast.operator, gast.expr_context)):
        inner = bound | scope_names(tree)
        for field in tree._fields:
            value = getattr(tree, field, None)
            if isinstance(value, gast.AST):
                _collect_reads(value, inner, found)
            elif isinstance(value, list):
                for item in value:
                    if isinstance(item, gast.AST):
                        _collect_reads(item, inner, found)


def writes(statement: Tree) -> list[str]:
    """The names that a simple statement binds."""
    if isinstance(statement, gast.Assign):
        return [node.id for t in statement.targets for node in walk(t) if isinstance(node, gast.Name)]
    if isinstance(statement, gast.For):
        return [node.id for node in walk(statement.target) if isinstance(node, gast.Name)]
    return []


def dotted(tree: Tree) -> str | None:
    """`a.b.c` as text, or None where the tree is anything else."""
    if isinstance(tree, gast.Name):
        return str(tree.id)
    if isinstance(tree, gast.Attribute):
        base = dotted(tree.value)
        return f"{base}.{tree.attr}" if base else None
    return None


def equal(one: Tree, other: Tree) -> bool:
    """Structural equality of two trees."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, gast.Name):
        return bool(one.id == other.id)
    if isinstance(one, gast.Constant):
        return type(one.value) is type(other.value) and repr(one.value) == repr(other.value)
    if isinstance(one, gast.AST):
        return all(equal(getattr(one, f, None), getattr(other, f, None)) for f in one._fields if f != "ctx")
    if isinstance(one, list):
        return len(one) == len(other) and all(equal(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)


def key(tree: Tree) -> str:
    """A text that is equal exactly for structurally equal expressions."""
    return ast.unparse(gast.gast_to_ast(tree)) if not isinstance(tree, gast.Name) else str(tree.id)


def literal(tree: Tree) -> object:
    """The value of a literal expression (numbers, strings, None, tuples of them); LookupError otherwise."""
    if isinstance(tree, gast.Constant):
        return tree.value
    if isinstance(tree, gast.UnaryOp) and isinstance(tree.op, gast.USub):
        value = literal(tree.operand)
        if isinstance(value, (int, float, complex)):
            return -value
    if isinstance(tree, gast.Tuple):
        return tuple(literal(item) for item in tree.elts)
    raise LookupError("not a literal")


def without_minus(tree: Tree) -> Tree | None:
    """`b * c` for `-b * c`: a product or quotient whose first factor is negative."""
    if isinstance(tree, gast.UnaryOp) and isinstance(tree.op, gast.USub) and \
            not isinstance(tree.operand, gast.Constant):
        return tree.operand
    if isinstance(tree, gast.BinOp) and isinstance(tree.op, (gast.Mult, gast.Div, gast.MatMult)):
        left = without_minus(tree.left)
        return None if left is None else gast.BinOp(left=left, op=tree.op, right=tree.right)
    return None
