"""Identities of arithmetic, each a pair of texts, that make a formula shorter without changing its value."""

from __future__ import annotations

import math

import gast

from ..program import Function
from ..syntax import Tree, constant, equal, quote, rebuilt, without_minus

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
    if isinstance(tree, gast.UnaryOp) and isinstance(tree.op, gast.USub):
        positive = without_minus(tree.operand)
        return tree if positive is None else positive
    if isinstance(tree, gast.Call):
        return _sum_of_negative(tree)
    if not isinstance(tree, (gast.BinOp, gast.UnaryOp, gast.Subscript)):
        return tree
    if isinstance(tree, gast.BinOp) and isinstance(tree.op, gast.Add):
        positive = without_minus(tree.right)
        if positive is not None:
            return gast.BinOp(left=tree.left, op=gast.Sub(), right=positive)
    if isinstance(tree, gast.BinOp) and isinstance(tree.op, gast.Mult):
        tree = _one_factor(tree)
        if not isinstance(tree, gast.BinOp):
            return tree
    for left, right in _PATTERNS:
        found: dict[str, Tree] = {}
        if _matches(left, tree, found):
            if right is None:
                return doubled(found["a"])
            return simple(_filled(right, found))
    return tree


def _sum_of_negative(tree: Tree) -> Tree:
    """`-np.sum(a)` for `np.sum(-a)`: the same bits, and the sign is changed once."""
    func = tree.func
    ours = isinstance(func, gast.Attribute) and func.attr == "sum" and isinstance(func.value, gast.Name) and \
        func.value.id == "@np"
    positive = without_minus(tree.args[0]) if ours and tree.args else None
    if positive is None:
        return tree
    call = gast.Call(func=func, args=[positive, *tree.args[1:]], keywords=tree.keywords)
    return gast.UnaryOp(op=gast.USub(), operand=call)


def _one_factor(tree: Tree) -> Tree:
    """`-a * z` for `2 * -a * 0.5 * z`: factors that are powers of two are exact in any order."""
    if not isinstance(tree.right, gast.Constant) or not _power_of_two(tree.right.value):
        return tree
    first: Tree = tree.left
    while isinstance(first, gast.BinOp) and isinstance(first.op, (gast.Mult, gast.Div)):
        first = first.left
    if not isinstance(first, gast.Constant) or not _power_of_two(first.value) or first is tree.left:
        return tree
    return _with_first(tree.left, first.value * tree.right.value)


def _with_first(tree: Tree, factor: float) -> Tree:
    """A product with another first factor, which is left out if it is 1."""
    if isinstance(tree.left, gast.Constant):
        if factor == 1 and isinstance(tree.op, gast.Mult):
            return tree.right
        number = constant(int(factor) if factor == int(factor) and isinstance(tree.left.value, int) else factor)
        return gast.BinOp(left=number, op=tree.op, right=tree.right)
    return gast.BinOp(left=_with_first(tree.left, factor), op=tree.op, right=tree.right)


def _power_of_two(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0 and math.frexp(value)[0] == 0.5


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
