"""The public transformations: `grad`, `value_and_grad`, `vjp`, `elementwise_grad`, `differentiable`, `gradient_source`."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from .analysis.signature import from_annotations, kinds_of, parse_signature
from .calling import Compiler, Program, Subject, refuse_integers, subject
from .errors import ADError, SignatureError
from .kinds import UNKNOWN, Kind

Argnums = int | tuple[int, ...]
Wrt = str | Sequence[str] | None


class Transformed:
    """A function made from another one; compiled at the first call for the kinds of its arguments, and kept."""

    _ad_transformed = True

    def __init__(self, form: str, f: Any, argnums: Argnums = 0, wrt: Wrt = None, has_aux: bool = False) -> None:
        self._form, self._f, self._argnums, self._wrt, self._aux = form, f, argnums, wrt, has_aux
        self._subject: Subject = subject(f)
        self._names, self._single = chosen(self._subject, argnums, wrt)
        target = getattr(f, "__wrapped__", f) if hasattr(f, "__grad_mode__") else f
        functools.update_wrapper(self, target, assigned=("__module__", "__name__", "__qualname__", "__doc__"), updated=())
        self.__dict__.pop("__wrapped__", None)  # inspect.getsource would show the primal
        self.__signature__ = self._subject.signature
        inner = {"grad": "fused", "value_and_grad": "value", "elementwise_grad": "pair"}[form]
        self._compiler = Compiler(self._subject, self._names, inner, self._single, has_aux)
        self._params = self._subject.params
        self._simple = all(p.kind is p.POSITIONAL_OR_KEYWORD for p in self._subject.signature.parameters.values())
        self._last: Program | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) != len(self._params):
            args = _bound_arguments(self._subject, args, kwargs)
        self._last = program = self._compiler.program(args)
        entry = program.space[program.entry[0]]
        if self._form == "elementwise_grad":
            out, saved = entry(*args)
            return program.space[program.entry[1]](saved, np.ones_like(out)[()])
        result = entry(*args)
        if self._form == "grad" and self._aux:
            return result[1], result[0][1]
        return result

    @property
    def source(self) -> str:
        """The generated text of the program that was compiled last."""
        if self._last is None:
            raise SignatureError("nothing has been compiled yet: a program is made for the kinds of the arguments",
                                 "call the function once, or use gradient_source(f, like=...)")
        return self._last.text

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        argnums = tuple(n - 1 for n in self._argnums) if isinstance(self._argnums, tuple) else self._argnums
        return Transformed(self._form, self._f.__get__(instance, owner), argnums, self._wrt, self._aux)

    def __reduce__(self) -> Any:
        module = sys.modules.get(self.__module__)
        if functools.reduce(lambda a, b: getattr(a, b, None), self.__qualname__.split("."), cast(Any, module)) is self:
            return self.__qualname__
        return Transformed, (self._form, self._f, self._argnums, self._wrt, self._aux)

    def __copy__(self) -> Transformed:
        return self

    def __deepcopy__(self, memo: Any) -> Transformed:
        return self

    def __repr__(self) -> str:
        return f"<{self._form} of {self.__qualname__} with respect to {', '.join(self._names)}>"


def chosen(s: Subject, argnums: Argnums, wrt: Wrt) -> tuple[tuple[str, ...], bool]:
    """The parameters to differentiate by, and whether the gradient is single (no tuple)."""
    params = s.params
    if wrt is not None:
        names = (wrt,) if isinstance(wrt, str) else tuple(wrt)
        unknown = [n for n in names if n not in params]
        if unknown:
            raise ValueError(f"{s.function.__name__} has no parameter {unknown[0]}; it has {', '.join(params)}")
        return names, isinstance(wrt, str)
    numbers = argnums if isinstance(argnums, tuple) else (argnums,)
    for n in numbers:
        if not isinstance(n, int) or not -len(params) <= n < len(params):
            raise ValueError(f"argnums={argnums}: {s.function.__name__} has {len(params)} parameters")
    return tuple(params[n] for n in numbers), not isinstance(argnums, tuple)


def _bound_arguments(s: Subject, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    given = s.signature.bind(*args, **kwargs)
    given.apply_defaults()
    return tuple(given.arguments[p] for p in s.params)


def _transformation(form: str, f: Any, argnums: Argnums, wrt: Wrt, has_aux: bool, backend: str) -> Any:
    if backend != "numpy":
        raise ValueError(f"backend={backend!r}: only 'numpy' is built")
    if f is None:
        return lambda function: Transformed(form, function, argnums, wrt, has_aux)
    return Transformed(form, f, argnums, wrt, has_aux)


def grad(f: Any = None, argnums: Argnums = 0, *, wrt: Wrt = None, has_aux: bool = False, backend: str = "numpy") -> Any:
    """Make the function that returns the gradient of `f`.

    Arguments: `f`, a function of floats, arrays and containers of them, whose result has one element; `argnums`, which
    positional arguments to differentiate by (for a tuple, a tuple of gradients is returned); `wrt`, their names instead;
    `has_aux`: `f` returns `(value, aux)`, and `(gradient, aux)` is returned. Also a decorator, bare or with options.
    A gradient has the structure, shapes and dtypes of its argument. TypeError for integer arguments; ADError, with file
    and line, for what can't be differentiated. Reverse mode: Griewank & Walther, Evaluating Derivatives, chapter 3.

    >>> def square(x):
    ...     return x * x
    >>> grad(square)(3.0)
    6.0
    """
    return _transformation("grad", f, argnums, wrt, has_aux, backend)


def value_and_grad(f: Any = None, argnums: Argnums = 0, *, wrt: Wrt = None, has_aux: bool = False,
                   backend: str = "numpy") -> Any:
    """Make the function that returns `(value, gradient)` of `f`; with `has_aux`, `((value, aux), gradient)`.

    Arguments as for `grad`. The order is that of `scipy.optimize.minimize(..., jac=True)`.

    >>> def square(x):
    ...     return x * x
    >>> value_and_grad(square)(3.0)
    (9.0, 6.0)
    """
    return _transformation("value_and_grad", f, argnums, wrt, has_aux, backend)


def elementwise_grad(f: Any = None, argnums: Argnums = 0, *, wrt: Wrt = None, backend: str = "numpy") -> Any:
    """Make the gradient of the sum of `f`: the derivative at each element, for functions that act element by element.

    >>> def square(x):
    ...     return x * x
    >>> elementwise_grad(square)(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    return _transformation("elementwise_grad", f, argnums, wrt, False, backend)


def vjp(f: Any, *primals: Any, has_aux: bool = False, backend: str = "numpy") -> Any:
    """Evaluate `f` and return `(out, pullback)`; with `has_aux`, `(out, pullback, aux)`.

    `pullback(cotangent)` takes an array of the shape of `out` (or its structure) and returns a tuple of cotangents, one
    for each primal, None for integers. It may be called many times, and gives the same answer each time.

    >>> def square(x):
    ...     return x * x
    >>> out, pullback = vjp(square, 3.0)
    >>> out, pullback(1.0)
    (9.0, (6.0,))
    """
    if backend != "numpy":
        raise ValueError(f"backend={backend!r}: only 'numpy' is built")
    s = subject(f)
    args = _bound_arguments(s, primals, {})
    given = s.params[:len(primals)]
    names = tuple(p for p, value in zip(given, args, strict=False) if _floats(value))
    program = Compiler(s, names, "pair", False, has_aux).program(args)
    out, saved = program.space[program.entry[0]](*args)
    saved = _private(saved, [*args, out])
    backward = program.space[program.entry[1]]

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        """Send a cotangent of the result back to the primals."""
        result = backward(saved, cotangent)
        found = dict(zip(names, result if len(names) > 1 else (result,), strict=True)) if names else {}
        return tuple(found.get(p) for p in given)

    return (out[0], pullback, out[1]) if has_aux else (out, pullback)


def _floats(value: Any) -> bool:
    """Whether a value has a part that can be differentiated by."""
    if isinstance(value, (list, tuple)):
        return any(map(_floats, value))
    if isinstance(value, dict):
        return any(map(_floats, value.values()))
    try:
        refuse_integers("x", value)
    except TypeError:
        return False
    return isinstance(value, (float, complex, np.generic, np.ndarray))


def _private(saved: Any, outside: list[Any]) -> Any:
    """Saved values that share memory with arguments or result, copied: the caller may write into those."""
    arrays = [a for value in outside for a in _arrays(value)]

    def own(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return value.copy() if any(np.may_share_memory(value, a) for a in arrays) else value
        if type(value) in (list, tuple):
            return type(value)(map(own, value))
        return {k: own(v) for k, v in value.items()} if type(value) is dict else value

    return own(saved)


def _arrays(value: Any) -> list[Any]:
    if isinstance(value, np.ndarray):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [a for v in inner for a in _arrays(v)]


def differentiable(f: Callable[..., Any]) -> Callable[..., Any]:
    """Leave `f` as it is, and add `f.grad`, `f.value_and_grad`, `f.vjp` and `f.gradient_source`, with the same options.

    >>> @differentiable
    ... def square(x):
    ...     return x * x
    >>> square(3.0), square.grad()(3.0)
    (9.0, 6.0)
    """
    members: dict[str, Any] = {"grad": grad, "value_and_grad": value_and_grad, "vjp": vjp, "gradient_source": gradient_source}
    for label, transformation in members.items():
        setattr(f, label, functools.partial(transformation, f))
    return f


def gradient_source(f: Any, argnums: Argnums = 0, *, wrt: Wrt = None, mode: str = "reverse", value: bool = False,
                    like: tuple[Any, ...] | str | None = None, header: str = "") -> str:
    """Return the gradient of `f` as the text of a module that imports NumPy and nothing of ours.

    Arguments: `argnums` and `wrt` as for `grad`; `value`: the function returns `(value, gradients)`; `like`: example
    arguments, or a signature `"w: f8[d], x: f8[n, d], n: int, p: float"`; without it annotations are used, and what they
    leave open stays general. The function is called `<name>_vjp`: the primal's arguments, then `out_bar=1.0`.

    >>> def square(x):
    ...     return x * x
    >>> print(gradient_source(square, like="x: float").split("\\n\\n")[-1], end="")
    def square_vjp(x, out_bar=1.0):
        # backward
        x_bar = 2 * out_bar * x
        return x_bar
    """
    if mode != "reverse":
        raise ValueError(f"mode={mode!r}: only 'reverse' is built")
    s = subject(f)
    names, single = chosen(s, argnums, wrt)
    compiler = Compiler(s, names, "value" if value else "fused", single)
    kinds = signature_kinds(s, like, names)
    workshop, _, functions = compiler.derived(kinds)
    return workshop.module(functions, standalone=True).text(header or _header(s, kinds))


def signature_kinds(s: Subject, like: tuple[Any, ...] | str | None, wrt: tuple[str, ...]) -> dict[str, Kind]:
    """The kinds of the parameters: from example arguments, from a signature text, or from annotations."""
    if isinstance(like, str):
        parsed = parse_signature(like)
        unknown = [n for n in parsed if n not in s.params]
        if unknown:
            raise SignatureError(f"{s.function.__name__} has no parameter {unknown[0]}", f"it has {', '.join(s.params)}")
        return {p: parsed.get(p, UNKNOWN) for p in s.params}
    if like is not None:
        arguments = dict(zip(s.params, _bound_arguments(s, tuple(like), {}), strict=True))
        for name in wrt:
            refuse_integers(name, arguments[name])
        return kinds_of(arguments)
    known = from_annotations(s.function)
    return {p: known.get(p, UNKNOWN) for p in s.params}


def _header(s: Subject, kinds: dict[str, Kind]) -> str:
    from .kinds import describe
    stated = ", ".join(f"{p}: {describe(k)}" for p, k in kinds.items() if k != UNKNOWN)
    signature = f" for {stated}" if stated else ""
    return f'"""The gradient of {s.function.__name__}{signature}. Made by ad_compiler; this text belongs to its user."""'


__all__ = ["ADError", "Transformed", "differentiable", "elementwise_grad", "grad", "gradient_source", "value_and_grad", "vjp"]
