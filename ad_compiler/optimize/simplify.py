"""Identities of arithmetic, each a pair of texts, that make a formula shorter without changing its value."""

from __future__ import annotations

import gast

from ..program import Function
from ..syntax import Tree, constant, equal, quote, rebuilt

# What holds for floats too, bit by bit: no reassociation, no dropping of terms.
PAIRS = [
    ("a + -b", "a - b"),
    ("a - -b", "a + b"),
    ("-a + b", "b - a"),
    ("- -a", "a"),
    ("a * 1", "a"),
    ("a / 1", "a"),
    ("1 * a", "a"),
    ("a + a", None),  # 2 * a, with the factor put first
    ("2 * (a * b)", "2 * a * b"),  # exact: a power of two
    ("2 * (a / b)", "2 * a / b"),
    ("r[::-1][::-1]", "r"),
]
_PATTERNS = [(quote(left), None if right is None else quote(right)) for left, right in PAIRS]


def simplified(f: Function) -> Function:
    """The function with every expression simplified."""
    return f.with_body([simple(s) for s in f.body], simple(f.result))


def simple(tree: Tree) -> Tree:
    """A tree with identities applied, innermost first."""
    tree = rebuilt(tree, simple)
    if not isinstance(tree, (gast.BinOp, gast.UnaryOp, gast.Subscript)):
        return tree
    if isinstance(tree, gast.BinOp) and isinstance(tree.op, gast.Add):
        positive = _without_minus(tree.right)
        if positive is not None:
            return gast.BinOp(left=tree.left, op=gast.Sub(), right=positive)
    for left, right in _PATTERNS:
        found: dict[str, Tree] = {}
        if _matches(left, tree, found):
            if right is None:
                return doubled(found["a"])
            return _filled(right, found)
    return tree


def _without_minus(tree: Tree) -> Tree | None:
    """`b * c` for `-b * c`: a product or quotient whose first factor is negative."""
    if isinstance(tree, gast.UnaryOp) and isinstance(tree.op, gast.USub) and not isinstance(tree.operand, gast.Constant):
        return tree.operand
    if isinstance(tree, gast.BinOp) and isinstance(tree.op, (gast.Mult, gast.Div, gast.MatMult)):
        left = _without_minus(tree.left)
        return None if left is None else gast.BinOp(left=left, op=tree.op, right=tree.right)
    return None


def doubled(tree: Tree) -> Tree:
    """`2 * tree`, with the factor at the front of a product, where it meets scalars first."""
    if isinstance(tree, gast.BinOp) and isinstance(tree.op, gast.Mult):
        return gast.BinOp(left=doubled(tree.left), op=tree.op, right=tree.right)
    if isinstance(tree, gast.Constant) and isinstance(tree.value, (int, float)):
        return constant(2 * tree.value)
    return gast.BinOp(left=constant(2), op=gast.Mult(), right=tree)


def _matches(pattern: Tree, tree: Tree, found: dict[str, Tree]) -> bool:
    if isinstance(pattern, gast.Name):
        if pattern.id in found:
            return equal(found[pattern.id], tree)
        found[pattern.id] = tree
        return True
    if type(pattern) is not type(tree):
        return False
    if isinstance(pattern, gast.Constant):
        return type(pattern.value) is type(tree.value) and bool(pattern.value == tree.value)
    for field in pattern._fields:
        one, other = getattr(pattern, field, None), getattr(tree, field, None)
        if isinstance(one, gast.expr_context):
            continue
        if isinstance(one, gast.AST):
            if not isinstance(other, gast.AST) or not _matches(one, other, found):
                return False
        elif one != other:
            return False
    return True


def _filled(pattern: Tree, found: dict[str, Tree]) -> Tree:
    if isinstance(pattern, gast.Name):
        return found[pattern.id]
    return rebuilt(pattern, lambda child: _filled(child, found))
