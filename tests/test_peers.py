"""Gradients against autograd, JAX and PyTorch: the same text, once with NumPy as `np` and once with each of them."""

from __future__ import annotations

import itertools
import linecache
import types

import numpy as np
import pytest

import ad_compiler as ad

pytestmark = pytest.mark.peers
NUMBER = itertools.count()
RANDOM = np.random.default_rng(7)
# What a parameter is called says what it is given.
VALUES = {
    "x": RANDOM.normal(size=4), "y": RANDOM.normal(size=4), "p": RANDOM.uniform(0.5, 2.0, size=4),
    "u": RANDOM.uniform(-0.9, 0.9, size=4), "m": RANDOM.normal(size=(3, 4)), "n": RANDOM.normal(size=(4, 2)),
    "a": RANDOM.normal(size=(3, 3)) + 3 * np.eye(3), "b": RANDOM.normal(size=3), "c": RANDOM.normal(size=(3, 2)),
    "t": RANDOM.normal(size=(2, 3, 4)), "w": RANDOM.normal(size=(4, 4)), "v": RANDOM.normal(size=(2, 4)),
}
ALL = ("autograd", "jax", "torch")

# parameters, what is computed (an expression, or statements), peers that have all functions it calls
FUNCTIONS = [
    ("x, p", "np.sum(np.sin(x) * np.cos(p) + np.tan(x * 0.1))", ALL),
    ("x", "np.sum(np.exp(x) / (1.0 + np.exp(x)))", ALL),
    ("p", "np.sum(np.log(p) * np.sqrt(p) + p ** -1.5)", ALL),
    ("p, y", "np.sum(p ** y)", ALL),
    ("x", "np.sum(x ** 3 - 2.0 * x ** 2 + 1.0 / (1.0 + x * x))", ALL),
    ("u", "np.sum(np.arcsin(u) + np.arccos(u) * u + np.arctan(u))", ALL),
    ("x, y", "np.sum(np.arctan2(x, y) * x)", ALL),
    ("x", "np.sum(np.sinh(x) * np.tanh(x) - np.cosh(x))", ALL),
    ("u", "np.sum(np.expm1(u) + np.log1p(u) * np.exp2(u))", ALL),
    ("x, y", "np.sum(np.logaddexp(x, y) * y)", ALL),
    ("x", "np.sum(np.abs(x) * np.sign(x) + np.square(x))", ALL),
    ("p", "np.sum(np.log2(p) + np.log10(p) + np.reciprocal(p))", ("autograd", "jax")),
    ("x, p", "np.sum(x % p + np.hypot(x, p))", ("jax",)),
    ("m", "np.sum(np.sum(m, axis=0) ** 2)", ALL),
    ("m", "np.sum(m * np.mean(m, axis=1, keepdims=True))", ALL),
    ("t", "np.sum(np.sin(np.sum(t, axis=(0, 2))))", ALL),
    ("m", "np.sum(np.max(m, axis=1) * np.min(m, axis=1))", ALL),
    ("m", "np.sum(np.prod(m, axis=0) ** 2)", ALL),
    ("m", "np.sum(np.std(m, axis=0) * np.var(m, axis=0))", ("autograd", "jax")),
    ("m", "np.sum(np.cumsum(m, axis=1) ** 2)", ALL),
    ("m, x", "np.sum(np.sin(m @ x))", ALL),
    ("m, n", "np.sum(np.tanh(m @ n))", ALL),
    ("t, n", "np.sum(np.matmul(t, n) ** 2)", ALL),
    ("x, y", "np.dot(x, y) * np.sum(np.outer(x, y) ** 2)", ALL),
    ("m, n", "np.sum(np.sin(np.einsum('ij,jk->ik', m, n)))", ALL),
    ("t, m", "np.sum(np.einsum('bij,ij->b', t, m) ** 2)", ALL),
    ("t, n", "np.sum(np.tensordot(t, n, 1) ** 2)", ALL),
    ("a, b", "np.sum(np.linalg.solve(a, b) ** 2)", ALL),
    ("a, c", "np.sum(np.sin(np.linalg.solve(a, c)))", ALL),
    ("a", "np.sum(np.linalg.inv(a) ** 2)", ALL),
    ("a", "np.linalg.det(a) + np.linalg.slogdet(a)[1]", ALL),
    ("a", "np.sum(np.linalg.eigh(a @ a.T)[0] ** 1.5)", ALL),
    ("a", "np.sum(np.linalg.cholesky(a @ a.T) ** 3)", ALL),
    ("a", "np.linalg.norm(a) + np.trace(a @ a)", ALL),
    ("x, y", "np.sum(np.concatenate((x, y * y)) ** 3)", ALL),
    ("x, y", "np.sum(np.sin(np.stack((x, y), axis=1)) @ np.stack((x, y), axis=0))", ALL),
    ("m, n", "np.sum(np.reshape(m, (2, 6)) ** 3) + np.sum(n.T * np.transpose(n))", ALL),
    ("x, y", "np.sum(np.where(x > 0, x * y, np.sin(y)))", ALL),
    ("x, y", "np.sum(np.maximum(x, y) * np.minimum(x, 2.0 * y))", ALL),
    ("x", "np.sum(np.clip(x, -0.5, 0.5) ** 2 * x)", ALL),
    ("m", "np.sum(m[1:, ::2] ** 2) * m[0, 1] + np.sum(m[-1])", ALL),
    ("x, y", "np.sum(x[[0, 2, 2, 1, 2]] ** 2 * y[[3, 3, 0, 0, 1]])", ("autograd", "torch")),  # JAX refuses lists
    ("x, y", "np.sum(x[np.array([0, 2, 2, 1])] ** 2 * y[np.array([[3, 3, 0, 0], [1, 1, 1, 2]])])", ALL),
    ("m", "np.sum(m[np.array([0, 2, 2]), np.array([1, 3, 3])] ** 3)", ALL),
    ("x", "np.sum(np.sort(x) * np.sort(x) ** 2)", ("autograd", "jax")),
    ("x", "np.sum(np.roll(x, 1) * x) + np.sum(np.diff(x) ** 3)", ("autograd", "jax")),
    ("m, x", "np.sum(np.exp(m - x[None, :]) / np.sum(np.exp(m), axis=1)[:, None])", ALL),
    ("m, b, x", """
        z = b[:, None] - 0.5 * (m - x) ** 2
        top = np.max(z, axis=0)
        return np.sum(top + np.log(np.sum(np.exp(z - top), axis=0)))""", ALL),
    ("v, w, n, x", """
        hidden = np.tanh(v @ w + x)
        out = hidden @ n
        out = out - np.max(out, axis=1, keepdims=True)
        return -np.sum(out[:, 0] - np.log(np.sum(np.exp(out), axis=1)))""", ALL),
    ("m, w, x", """
        h = x
        loss = 0.0
        for k in range(3):
            h = np.tanh(w @ h + m[k])
            loss = loss + np.sum(h * h)
        return loss""", ALL),
    ("x, y", """
        total = 0.0
        for k in range(4):
            if x[k] > y[k]:
                total = total + x[k] * y[k]
            else:
                total = total - np.sin(x[k])
        return total""", ALL),
    ("p", """
        root = 1.0 + 0.0 * p
        while np.max(np.abs(root * root - p)) > 1e-3:
            root = 0.5 * (root + p / root)
        return np.sum(root ** 3)""", ALL),
    ("a, b", """
        x = b
        for k in range(20):
            x = x / np.sqrt(np.sum(x * x))
            x = a @ x
        return np.sum(x ** 2)""", ALL),
]

# the function of x, the point, the slope there; without the peers that have another opinion
SINGULAR = [
    ("np.sum(np.abs(x))", [0.0, -1.0], [0.0, -1.0], ("autograd", "torch")),
    ("np.sum(np.maximum(x, 0.0))", [0.0, 1.0], [0.5, 1.0], ALL),
    ("np.sum(np.minimum(x, 0.0))", [0.0, 1.0], [0.5, 0.0], ALL),
    ("np.sum(np.maximum(x, x * x))", [1.0, 0.0], [1.5, 0.5], ALL),
    ("np.max(x)", [2.0, 2.0, 1.0], [0.5, 0.5, 0.0], ALL),
    ("np.min(x)", [2.0, 1.0, 1.0], [0.0, 0.5, 0.5], ALL),
    ("np.sum(np.sqrt(x))", [0.0, 4.0], [np.inf, 0.25], ALL),
    ("np.sum(x ** 2)", [0.0, 1.0], [0.0, 2.0], ALL),
    ("np.sum(x ** 0)", [0.0, 1.0], [0.0, 0.0], ALL),
    ("np.sum(x ** 1)", [0.0, 1.0], [1.0, 1.0], ALL),
    ("np.sum(np.sign(x) + np.floor(x))", [0.0, 1.0], [0.0, 0.0], ALL),
    ("np.sum(np.logaddexp(x, x))", [0.0, 1.0], [1.0, 1.0], ALL),
    ("np.prod(x)", [0.0, 2.0, 3.0], [6.0, 0.0, 0.0], ("jax", "torch")),
    ("np.prod(x)", [0.0, 0.0, 3.0], [0.0, 0.0, 0.0], ("jax", "torch")),
    ("np.sum(np.where(x > 0, x, 0.0))", [0.0, 1.0], [0.0, 1.0], ALL),
    ("np.sum(np.tanh(x))", [400.0, -400.0], [0.0, 0.0], ALL),
]

MODES = {
    "no_grad cuts": """
        with no_grad():
            scale = np.sum(x * x)
        return np.sum(x * scale)""",
    "nested enable_grad": """
        with no_grad():
            scale = np.sum(x * x)
            with enable_grad():
                y = np.sin(x) * scale
            z = y * 2.0
        return np.sum(y * z)""",
    "enable_grad brings no history back": """
        with no_grad():
            y = x * x
            with enable_grad():
                z = y * x
        return np.sum(z)""",
    "decorator on the callee": """
        return np.sum(quiet(x) * x)""",
    "enabled callee within no_grad": """
        with no_grad():
            y = loud(x)
            z = y * 3.0
        return np.sum(y * z)""",
    "alias keeps its history": """
        y = x * 2.0
        with no_grad():
            z = y
        return np.sum(z * z)""",
    "view under no_grad": """
        y = x * 2.0
        with no_grad():
            z = y[1:]
        return np.sum(z * y[1:])""",
    "detach": """
        y = np.sin(x)
        return np.sum(detach(y) * y + detach(x * y))""",
    "everything detached but one": """
        return np.sum(np.exp(detach(x)) * x)""",
    "set_grad_enabled as a block": """
        with set_grad_enabled(False):
            y = x * x
        with set_grad_enabled(True):
            z = x * y
        return np.sum(z)""",
    "reassigned in a loop": """
        y = x
        for k in range(3):
            with no_grad():
                scale = np.sum(y * y)
            y = np.sin(y) / (1.0 + scale)
        return np.sum(y)""",
    "updated in place": """
        y = x * 1.5
        with no_grad():
            y += 1.0
        return np.sum(y * y)""",
    "branch": """
        y = x * x
        if np.sum(x) > -100.0:
            with no_grad():
                y = y * 2.0
        return np.sum(y * x)""",
    "running average": """
        mean = 0.0
        total = 0.0
        for k in range(4):
            with no_grad():
                mean = 0.9 * mean + 0.1 * x[k]
            total = total + (x[k] - mean) ** 2
        return total""",
}
CALLEES = """
@no_grad()
def quiet(x):
    return np.sin(x) * x


@enable_grad()
def loud(x):
    return np.cos(x) * x


"""


def made(params, body, before="", **space):
    """The function of a text whose free names are in `space`, with a source that can be found."""
    body = body if "return" in body else f"\n        return {body}"
    text = f"{before}def f({params}):{body}\n"
    file = f"<peer {next(NUMBER)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    space["__name__"] = "peers"
    exec(compile(text, file, "exec"), space)
    return space["f"]


def peer(name):
    """A peer as a pair: its `np`, and the function that gives gradients with respect to all arguments."""
    return {"autograd": _autograd, "jax": _jax, "torch": _torch}[name]()


def _autograd():
    import autograd
    import autograd.numpy

    return autograd.numpy, lambda f, args: autograd.grad(f, tuple(range(len(args))))(*args)


def _jax():
    import jax
    import jax.numpy

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_numpy_rank_promotion", "allow")
    plain = types.SimpleNamespace(**{n: getattr(jax.numpy, n) for n in dir(jax.numpy) if not n.startswith("__")})
    given = lambda args: [jax.numpy.asarray(arg) for arg in args]
    return plain, lambda f, args: jax.grad(f, tuple(range(len(args))))(*given(args))


def _torch():
    import torch

    def of_all(f, args):
        leaves = [torch.tensor(arg, requires_grad=True) for arg in args]
        grads = torch.autograd.grad(f(*leaves), leaves, allow_unused=True)
        return [np.zeros_like(arg) if g is None else g.numpy() for arg, g in zip(args, grads, strict=True)]

    return _translated(torch), of_all


def _translated(torch):
    """NumPy's names for PyTorch's functions; what takes numbers in NumPy takes them here."""
    wide = lambda value, other: value if torch.is_tensor(value) else torch.as_tensor(value, dtype=other.dtype)
    pair = lambda function: lambda a, b: function(wide(a, b), wide(b, a))
    same = ("sin", "cos", "tan", "exp", "log", "sqrt", "arcsin", "arccos", "arctan", "arctan2", "sinh", "tanh", "cosh",
            "expm1", "log1p", "exp2", "logaddexp", "abs", "sign", "square", "floor", "mean", "matmul", "dot", "outer",
            "einsum", "sum", "reshape", "where", "trace", "stack", "prod", "cumsum")
    return types.SimpleNamespace(
        **{name: getattr(torch, name) for name in same}, maximum=pair(torch.maximum), minimum=pair(torch.minimum),
        array=torch.tensor, clip=torch.clamp, concatenate=torch.cat, transpose=torch.t, linalg=torch.linalg,
        tensordot=lambda a, b, axes: torch.tensordot(a, b, dims=axes),
        max=lambda a, axis=(), keepdims=False: torch.amax(a, axis, keepdims),
        min=lambda a, axis=(), keepdims=False: torch.amin(a, axis, keepdims))


def agree(ours, theirs, rtol=1e-8):
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, np.asarray(other), rtol=rtol, atol=rtol)


@pytest.mark.parametrize("params, body, name", [(p, b, name) for p, b, peers in FUNCTIONS for name in peers])
def test_gradients(params, body, name):
    args = [VALUES[p] for p in params.split(", ")]
    ours = ad.grad(made(params, body, np=np), argnums=tuple(range(len(args))))(*args)
    module, gradients = peer(name)
    agree(ours, gradients(made(params, body, np=module), args))


@pytest.mark.parametrize("body, at, wanted, name", [(*row[:3], name) for row in SINGULAR for name in row[3]])
@pytest.mark.filterwarnings("ignore:divide by zero")  # autograd's own formula at sqrt(0)
def test_singular_points(body, at, wanted, name):
    point = np.array(at)
    np.testing.assert_allclose(ad.grad(made("x", body, np=np))(point), wanted, rtol=1e-15)
    module, gradients = peer(name)
    np.testing.assert_allclose(np.asarray(gradients(made("x", body, np=module), [point])[0]), wanted, rtol=1e-15)


@pytest.mark.parametrize("params, body, name", [
    (p, b, name) for p, b, peers in FUNCTIONS[::3] for name in peers if name != "autograd"])
def test_single_precision(params, body, name):
    args = [VALUES[p].astype(np.float32) for p in params.split(", ")]
    ours = ad.grad(made(params, body, np=np), argnums=tuple(range(len(args))))(*args)
    module, gradients = peer(name)
    theirs = [np.asarray(g) for g in gradients(made(params, body, np=module), args)]
    assert {g.dtype for g in ours} == {g.dtype for g in theirs} == {np.dtype(np.float32)}
    agree(ours, theirs, rtol=2e-3)


@pytest.mark.parametrize("body", MODES.values(), ids=MODES)
def test_grad_modes(body):
    import torch

    names = ("no_grad", "enable_grad", "set_grad_enabled")
    f = made("x", body, CALLEES, np=np, detach=ad.detach, **{n: getattr(ad, n) for n in names})
    module, gradients = peer("torch")
    other = made("x", body, CALLEES, np=module, detach=torch.detach, **{n: getattr(torch, n) for n in names})
    point = VALUES["x"]
    assert f(point) == pytest.approx(float(other(torch.tensor(point))), rel=1e-12)
    agree([ad.grad(f)(point)], gradients(other, [point]))
