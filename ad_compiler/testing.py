"""Checks derivatives against central differences: what a function's slope is, measured, beside what was compiled."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np

from .api import pulled
from .arguments import has_floats
from .calling import subject

Path = tuple[Any, ...]


def check_grads(f: Callable[..., Any], args: tuple[Any, ...], order: int = 1, modes: tuple[str, ...] = ("rev",),
                atol: float | None = None, rtol: float | None = None, eps: float | None = None) -> None:
    """Raise AssertionError, with the worst entry, where the derivatives of `f` disagree with central differences.

    Arguments: `args`, a tuple of positional arguments: floats, real or complex arrays, containers of them, and whatever
    else `f` takes; each entry of each float is checked. `order=1` and `modes=("rev",)` are what is built; ValueError
    for others. `atol`, `rtol`: tolerances (1e-6; with float32 1e-2); `eps`: the step (2e-4; with float32 2⁻⁶), times
    the size of entries greater than 1. The result may have any shape or structure: it is paired with a fixed cotangent
    of numbers in [0.5, 1.5] of both signs. Two steps are combined (Richardson): the difference's error is O(eps⁴).

    >>> check_grads(lambda x: np.sin(x) * x, (np.array([0.5, 2.0]),))
    """
    if order != 1:
        raise ValueError(f"order={order!r}: only order=1 is built")
    modes = (modes,) if isinstance(modes, str) else tuple(modes)
    for mode in modes:
        if mode != "rev":
            raise ValueError(f"modes={modes!r}: only 'rev' is built")
    if not modes:
        raise ValueError("modes is empty: there is nothing to check")
    if not isinstance(args, tuple):
        raise TypeError(f"args must be a tuple of arguments, and is a {type(args).__name__}: write (x,)")
    whole = inspect.signature(f) if _has_signature(f) else subject(f).signature
    named = dict(whole.bind(*args).arguments)
    wrt = tuple(name for name, value in named.items() if has_floats(value))
    compare(f, named, wrt, atol, rtol, eps)


def compare(f: Callable[..., Any], named: dict[str, Any], wrt: tuple[str, ...] | str, atol: float | None = None,
            rtol: float | None = None, eps: float | None = None) -> int:
    """Check the derivatives by the arguments `wrt`, and return how many there are; AssertionError as `check_grads`."""
    wrt = (wrt,) if isinstance(wrt, str) else wrt
    out, pullback = pulled(f, named, wrt)
    cotangent = _cotangent(out, np.random.default_rng(0))
    gradients = pullback(cotangent)
    chosen = {name: named[name] for name in wrt}
    coarse = _coarse(out) or _coarse(chosen)
    atol = (1e-2 if coarse else 1e-6) if atol is None else atol
    rtol = (1e-2 if coarse else 1e-6) if rtol is None else rtol
    call = functools.partial(_called, f, inspect.signature(f) if _has_signature(f) else subject(f).signature)
    worst, message, count = 0.0, "", 0
    for path, leaf in _leaves(chosen):
        found = _at(gradients, path)
        _check_form(path, found, leaf)
        for index in np.ndindex(np.shape(leaf)):
            step = (eps or (2.0**-6 if coarse else 2e-4)) * max(1.0, abs(complex(np.asarray(leaf)[index])))
            expected = _slope(call, named, path, index, cotangent, step, leaf)
            got = complex(np.asarray(found)[index])
            difference, allowed = abs(got - expected), atol + rtol * abs(expected)
            excess = difference / allowed if allowed else np.inf if difference else 0.0
            count += 1
            if not excess <= max(worst, 1.0):  # nan, too
                worst = excess if excess == excess else np.inf
                message = (f"{_spelled(path)}{list(index) if index else ''}: the gradient is {_number(got, leaf)}, "
                           f"the central difference {_number(expected, leaf)}")
    if message:
        raise AssertionError(f"derivatives disagree, worst at {message} (atol={atol:g}, rtol={rtol:g})")
    return count


def _has_signature(f: Callable[..., Any]) -> bool:
    try:
        inspect.signature(f)
    except (TypeError, ValueError):  # NumPy's functions
        return False
    return not isinstance(f, np.ufunc)


def _called(f: Callable[..., Any], signature: inspect.Signature, named: dict[str, Any]) -> Any:
    given = inspect.BoundArguments(signature, cast(Any, named))
    return f(*given.args, **given.kwargs)


def _slope(call: Callable[[Any], Any], named: dict[str, Any], path: Path, index: tuple[int, ...], cotangent: Any,
           step: float, leaf: Any) -> complex:
    """The derivative by one entry; by a complex one, ∂/∂x - i ∂/∂y, which is what complex gradients are here."""
    def difference(size: complex) -> float:
        up, down = (call(_moved(named, path, index, s)) for s in (size, -size))
        return _paired(cotangent, up, down) / (2 * abs(size))

    def refined(direction: complex) -> float:
        return (4 * difference(direction * step / 2) - difference(direction * step)) / 3

    return refined(1.0) - 1j * refined(1j) if np.iscomplexobj(leaf) else complex(refined(1.0))


def _moved(value: Any, path: Path, index: tuple[int, ...], size: complex) -> Any:
    """A copy of the arguments in which one entry is moved."""
    if path:
        if isinstance(value, dict):
            return {k: _moved(v, path[1:], index, size) if k == path[0] else _copied(v) for k, v in value.items()}
        return type(value)(_moved(v, path[1:], index, size) if k == path[0] else _copied(v)
                           for k, v in enumerate(value))
    change = size if np.iscomplexobj(value) else size.real
    if not isinstance(value, np.ndarray):
        return type(value)(value + change)
    moved = value.copy()
    moved[index] += change
    return moved


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _copied(v) for k, v in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(_copied, value))
    return value.copy() if isinstance(value, np.ndarray) else value


def _paired(g: Any, up: Any, down: Any) -> float:
    """⟨g, up - down⟩, the real part of the plain product; summed in double precision."""
    if isinstance(up, (tuple, list)):
        return sum(_paired(p, a, b) for p, a, b in zip(g, up, down, strict=True))
    if isinstance(up, dict):
        return sum(_paired(g[k], up[k], down[k]) for k in up)
    if g is None:
        return 0.0
    wide = np.complex128 if np.iscomplexobj(up) else np.float64
    return float(np.real(np.sum(g * (np.asarray(up, dtype=wide) - np.asarray(down, dtype=wide)))))


def _cotangent(out: Any, random: np.random.Generator) -> Any:
    """Numbers in the structure of a result; None for what carries no derivative."""
    if isinstance(out, (tuple, list)):
        return type(out)(_cotangent(item, random) for item in out)
    if isinstance(out, dict):
        return {key: _cotangent(item, random) for key, item in out.items()}
    if not _is_float(out):
        return None

    def some() -> Any:
        return random.uniform(0.5, 1.5, np.shape(out)) * random.choice([-1.0, 1.0], np.shape(out))
    dtype = np.asarray(out).dtype
    made = np.asarray(some() + 1j * some() if dtype.kind == "c" else some()).astype(dtype)
    return made if isinstance(out, np.ndarray) else made[()]


def _leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The floats in the arguments, and where they stand."""
    if isinstance(value, dict) or type(value) in (list, tuple):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(item, (*path, key))
    elif _is_float(value):
        yield path, value


def _is_float(value: Any) -> bool:
    if isinstance(value, (np.ndarray, np.generic)):
        return bool(value.dtype.kind in "fc")
    return isinstance(value, (float, complex))


def _coarse(value: Any) -> bool:
    """Whether a result, or a leaf, is in single precision somewhere."""
    return any(getattr(leaf, "dtype", None) in (np.float32, np.complex64) for _, leaf in _leaves(value))


def _at(value: Any, path: Path) -> Any:
    for key in path:
        value = None if value is None else value[key]
    return value


def _check_form(path: Path, found: Any, leaf: Any) -> None:
    """A gradient has the shape and dtype of its argument."""
    if found is None:
        raise AssertionError(f"{_spelled(path)}: there is no gradient (None)")
    if np.shape(found) != np.shape(leaf):
        raise AssertionError(f"{_spelled(path)}: the gradient has shape {np.shape(found)}, the argument "
                             f"{np.shape(leaf)}")
    if np.asarray(found).dtype != np.asarray(leaf).dtype:
        raise AssertionError(f"{_spelled(path)}: the gradient has dtype {np.asarray(found).dtype}, the argument "
                             f"{np.asarray(leaf).dtype}")


def _spelled(path: Path) -> str:
    return f"argument {path[0]}" + "".join(f"[{key!r}]" for key in path[1:])


def _number(value: complex, leaf: Any) -> str:
    return repr(value if np.iscomplexobj(leaf) else value.real)
