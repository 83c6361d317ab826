"""The oracle for random programs: the complex step, over a program rewritten to be analytic where it is smooth.

Comparisons look at real parts; `abs`, `max`, `%` choose by the real part; where grad mode is off, an operation drops
the imaginary part of its result, which is the derivative, as it happens and not as a compiler would plan it.
"""

from __future__ import annotations

import ast
import copy
import types

import numpy as np

from ad_compiler import is_grad_enabled

STEP = 1e-30


class Kink(Exception):
    """The program isn't differentiable at this point."""


def reference(text: str) -> types.FunctionType:
    """The function `f` of a module's text, for complex arguments."""
    tree = ast.fix_missing_locations(_Rewriter().visit(ast.parse(text)))
    space: dict[str, object] = {}
    exec(compile(tree, "<reference>", "exec"), space)
    space |= {"np": _Functions(), "math": _Functions(), "_mode": _mode, "_real": np.real, "_item": _item,
              "_Each": _Each, "_aug": _aug, "abs": _abs, "max": _max, "min": _min, "detach": _detach, "print": _silent}
    return space["f"]


def gradients(text: str, args: tuple, argnums: tuple[int, ...], cotangent: object) -> tuple[object, tuple]:
    """The value of `f`, and the gradients of its result's product with a cotangent."""
    f = reference(text)
    value = f(*(_complex(arg) for arg in args))
    weights = leaves(cotangent)

    def slope(number: int, position: int, index: tuple[int, ...]) -> float:
        moved = [_complex(arg) for arg in args]
        flat = leaves(moved[number])
        if np.ndim(flat[position]):
            flat[position][index] += 1j * STEP
        else:
            flat[position] += 1j * STEP
        moved[number] = rebuild(moved[number], flat)
        return sum(float(np.sum(w * np.imag(y))) for w, y in zip(weights, leaves(f(*moved)), strict=True)) / STEP

    def gradient(number: int) -> object:
        slopes = []
        for position, leaf in enumerate(leaves(args[number])):
            out = np.empty(np.shape(leaf))
            for index in np.ndindex(out.shape):
                out[index] = slope(number, position, index)
            slopes.append(out)
        return rebuild(args[number], slopes)

    return value, tuple(gradient(number) for number in argnums)


def leaves(tree: object) -> list:
    """The leaves of nested tuples, lists and dicts, in order."""
    if isinstance(tree, (tuple, list)):
        return [leaf for item in tree for leaf in leaves(item)]
    if isinstance(tree, dict):
        return [leaf for key in tree for leaf in leaves(tree[key])]
    return [tree]


def rebuild(tree: object, new: list) -> object:
    """A tree of the same structure with new leaves."""
    return _rebuild(tree, iter(new))


def _rebuild(tree, new):
    if isinstance(tree, (tuple, list)):
        return type(tree)([_rebuild(item, new) for item in tree])
    if isinstance(tree, dict):
        return {key: _rebuild(item, new) for key, item in tree.items()}
    return next(new)


def _complex(tree):
    return rebuild(tree, [leaf if isinstance(leaf, int) else np.array(leaf, complex)[()] for leaf in leaves(tree)])


class _Rewriter(ast.NodeTransformer):
    """Wraps every operation, so that it sees the grad mode that holds when it runs."""

    def visit_BinOp(self, node):
        self.generic_visit(node)
        return _call("_mode", node)

    def visit_UnaryOp(self, node):
        self.generic_visit(node)
        return node if isinstance(node.op, ast.Not) else _call("_mode", node)

    def visit_Compare(self, node):
        self.generic_visit(node)
        node.left, node.comparators = _call("_real", node.left), [_call("_real", c) for c in node.comparators]
        return node

    def visit_Call(self, node):
        self.generic_visit(node)
        ours = isinstance(node.func, ast.Name) and node.func.id not in ("abs", "max", "min")
        return node if ours else _call("_mode", node)

    def visit_Subscript(self, node):
        self.generic_visit(node)
        if isinstance(node.slice, (ast.Slice, ast.Tuple)):
            return _call("_mode", node)
        return _call("_item", node.value, node.slice)

    def visit_Attribute(self, node):
        self.generic_visit(node)
        return _call("_mode", node) if node.attr == "T" else node

    def visit_For(self, node):
        self.generic_visit(node)
        node.iter = self._each(node.iter)
        return node

    def visit_Assign(self, node):
        self.generic_visit(node)
        if isinstance(node.targets[0], ast.Tuple):
            node.value = self._each(node.value)
        return node

    def _each(self, node):
        called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        if called in ("zip", "enumerate", "reversed"):
            node.args = [self._each(arg) for arg in node.args]
            return node
        display = isinstance(node, (ast.Tuple, ast.List, ast.Constant))
        return node if display or called == "range" else _call("_Each", node)

    def visit_AugAssign(self, node):
        self.generic_visit(node)
        old = ast.Name(node.target.id, ast.Load())
        new = ast.BinOp(copy.copy(old), node.op, node.value)
        return ast.Assign([node.target], _call("_aug", old, new))


def _call(function: str, *args: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(function, ast.Load()), list(args), [])


def _detach(value):
    return np.real(value) + 0j


def _mode(value):
    if is_grad_enabled() or not np.iscomplexobj(value):
        return value
    return _detach(value)


def _item(whole, key):
    return _mode(whole[key]) if isinstance(whole, np.ndarray) else whole[key]


class _Each:
    """The elements of an array or a container, each in the mode that it is asked for in."""

    def __init__(self, whole):
        self.whole = whole

    def __len__(self):
        return len(self.whole)

    def __getitem__(self, k):
        return _item(self.whole, k)


def _aug(old, new):
    """`old += ...`: an array keeps its memory and, where grad mode is off, its derivative; a number is rebound."""
    if not isinstance(old, np.ndarray):
        return _mode(new)
    if old.dtype.kind != "c":
        raise Kink("an array of constants, written")
    old[...] = new if is_grad_enabled() else np.real(new) + 1j * np.imag(old)
    return old


def _abs(x):
    if np.any((np.real(x) == 0) & (np.imag(x) != 0)):
        raise Kink("abs(0)")
    return np.where(np.real(x) < 0, -x, x)[()]


def _maximum(x, y):
    if np.any((np.real(x) == np.real(y)) & (np.imag(x) != np.imag(y))):
        raise Kink("a tie")
    return np.where(np.real(x) < np.real(y), y, x)[()]


def _minimum(x, y):
    return -_maximum(-np.asarray(x), -np.asarray(y))


def _max(*xs):
    best = xs[0]
    for x in xs[1:]:
        best = _maximum(best, x)
    return best


def _min(*xs):
    return -_max(*(-np.asarray(x) for x in xs))


def _max_along(x, axis=None):
    found = np.max(np.real(x), axis=axis, keepdims=True)
    if np.any((np.real(x) == found).sum(axis=axis) > 1):
        raise Kink("a tie")
    return np.where(np.real(x) == found, x, 0).sum(axis=axis)


def _silent(*args):
    """Prints nothing."""


class _Functions:
    """NumPy's functions for complex numbers, in place of `np` and `math`."""

    def __getattr__(self, label):
        own = {"abs": _abs, "maximum": _maximum, "minimum": _minimum, "max": _max_along}
        return own[label] if label in own else getattr(np, label)
