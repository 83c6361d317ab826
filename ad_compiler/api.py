"""The public transformations: `grad`, `value_and_grad`, `vjp`, `elementwise_grad`, `gradient_source`."""

from __future__ import annotations

import copy
import functools
import inspect
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import support
from .analysis.signature import from_annotations, kinds_of, parse_signature
from .arguments import bound_arguments, has_floats, refuse_arguments
from .calling import Compiler, Program, Subject, subject
from .errors import SignatureError
from .kinds import UNKNOWN, Kind, describe
from .pullback import fitted, own_memory, result_shape

Argnums = int | tuple[int, ...]
Wrt = str | Sequence[str] | None


class Transformed:
    """A function made from another one; compiled at the first call for the kinds of its arguments, and kept."""

    _ad_transformed = True
    __name__: str
    __qualname__: str

    def __init__(self, form: str, f: Any, argnums: Argnums = 0, wrt: Wrt = None, has_aux: bool = False) -> None:
        self._form, self._f, self._argnums, self._wrt, self._aux = form, f, argnums, wrt, has_aux
        self._subject: Subject = subject(f)
        self._names, self._single = chosen(self._subject, argnums, wrt)
        # Not __wrapped__: inspect.getsource would show f.
        for attribute in ("__module__", "__name__", "__qualname__", "__doc__"):
            self.__dict__[attribute] = getattr(f, attribute, None) or getattr(self._subject.function, attribute, None)
        self.__signature__ = self._subject.signature
        self._compiler = Compiler(self._subject, self._names, inner_form(form, has_aux), self._single, has_aux)
        positional = all(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
                         for p in self.__signature__.parameters.values())
        self._defaults = (self._subject.function.__defaults__, self._subject.function.__kwdefaults__)
        self._count = len(self._subject.params) if positional else -1
        self._tail = _trailing_defaults(self.__signature__)
        self._last: Program | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) != self._count:
            args = self._bound(args, kwargs)
        self._last = program = self._compiler.program(args)
        entry = program.space[program.entry[0]]
        if self._form == "elementwise_grad":
            out, saved = entry(*args)
            return program.space[program.entry[1]](saved, _ones(out))
        try:
            result = entry(*args)
        except ValueError as error:
            raise _advised(error, self._form) from None
        return (result[1], result[0][1]) if self._aux and self._form == "grad" else result

    def _bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """All arguments in the order of the parameters; with new defaults, if the function was given new ones."""
        f = self._subject.function
        if f.__defaults__ is not self._defaults[0] or f.__kwdefaults__ is not self._defaults[1]:
            self.__signature__ = subject(self._f).signature
            self._defaults = (f.__defaults__, f.__kwdefaults__)
            self._tail = _trailing_defaults(self.__signature__)
        missing = self._count - len(args)
        if not kwargs and 0 < missing <= len(self._tail):
            return args + self._tail[-missing:]
        return bound_arguments(self.__signature__, self._subject.label, args, kwargs)

    @property
    def source(self) -> str:
        """The generated text of the program that was compiled last."""
        if self._last is None:
            raise SignatureError("nothing has been compiled yet: a program is made for the kinds of the arguments",
                                 "call the function once, or use gradient_source(f, like=...)")
        return self._last.text

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """The gradient of an object's method; `argnums` counted `self`, except that 0 means what follows it."""
        if instance is None or not hasattr(type(self._f), "__get__"):
            return self
        method = self._f.__get__(instance, owner)
        if not isinstance(method, types.MethodType):  # a static method
            return self
        return Transformed(self._form, method, _after_self(self._argnums, self._wrt, self._subject.label), self._wrt,
                           self._aux)

    def __reduce__(self) -> Any:
        found: Any = sys.modules.get(self.__module__)
        for part in self.__qualname__.split("."):
            found = getattr(found, part, None)
        return self.__qualname__ if found is self else (Transformed, self._options(self._f))

    def _options(self, f: Any) -> tuple[Any, ...]:
        return self._form, f, self._argnums, self._wrt, self._aux

    def __copy__(self) -> Transformed:
        return self

    def __deepcopy__(self, memo: Any) -> Transformed:
        f = copy.deepcopy(self._f, memo)  # a method's object is copied, a function isn't
        return self if f is self._f else Transformed(*self._options(f))

    def __repr__(self) -> str:
        return f"<{self._form} of {self.__qualname__} with respect to {', '.join(self._names)}>"


def _trailing_defaults(signature: inspect.Signature) -> tuple[Any, ...]:
    return tuple(p.default for p in signature.parameters.values() if p.default is not p.empty)


def inner_form(form: str, has_aux: bool) -> str:
    """The form of program that a transformation calls."""
    if form == "grad":
        return "value" if has_aux else "fused"
    return {"value_and_grad": "value", "elementwise_grad": "pair"}[form]


def _after_self(argnums: Argnums, wrt: Wrt, label: str) -> Argnums:
    """What `argnums` of a method is where the object is given already."""
    if wrt is not None or argnums == 0:
        return argnums
    numbers = argnums if isinstance(argnums, tuple) else (argnums,)
    if 0 in numbers:
        raise ValueError(f"argnums={argnums}: 0 is the object of the method {label}; name arguments with wrt=")
    shifted = tuple(n - 1 if n > 0 else n for n in numbers)
    return shifted if isinstance(argnums, tuple) else shifted[0]


def chosen(s: Subject, argnums: Argnums, wrt: Wrt) -> tuple[tuple[str, ...], bool]:
    """The parameters to differentiate by, and whether the gradient is single (no tuple)."""
    params = s.params
    if wrt is not None:
        if argnums != 0:
            raise ValueError("argnums and wrt both say what to differentiate by: give one of them")
        names = (wrt,) if isinstance(wrt, str) else tuple(wrt)
        for wanted in names:
            if wanted not in params:
                raise ValueError(f"{s.label} has no parameter {wanted!r}; it has {', '.join(params) or 'none'}")
        single = isinstance(wrt, str)
    else:
        numbers = argnums if isinstance(argnums, tuple) else (argnums,)
        params = tuple(p for p in params if p not in s.given)
        for n in numbers:
            if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
                raise TypeError(f"argnums={argnums!r}: an int is needed, or a tuple of ints; names are given with wrt=")
            if not -len(params) <= n < len(params):
                raise ValueError(f"argnums={argnums}: {s.label} has {len(params)} parameter{'s' * (len(params) != 1)}"
                                 + (f": {', '.join(params)}" if params else ""))
        names, single = tuple(params[n] for n in numbers), not isinstance(argnums, tuple)
    if not names:
        raise ValueError("no argument to differentiate by is named")
    if len(set(names)) != len(names):
        raise ValueError(f"{s.label}: an argument to differentiate by is named twice: {', '.join(names)}")
    return names, single


def _ones(out: Any) -> Any:
    """The seed of elementwise_grad."""
    if isinstance(out, (tuple, list, dict)):
        raise ValueError("elementwise_grad needs an array or a number as the result; "
                         f"this one is a {type(out).__name__}")
    return np.ones_like(out)[()]


def _advised(error: ValueError, form: str) -> ValueError:
    """The error itself, unless it is that of a result with several elements: that one in the words of `form`."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or trace.tb_frame.f_code is not support.cotangent.__code__:
        return error
    shape = np.shape(trace.tb_frame.f_locals["y"])
    return ValueError(f"{form} needs a result with one element; this one has shape {shape}: use vjp, or sum it")


def _transformation(form: str, f: Any, argnums: Argnums, wrt: Wrt, has_aux: bool, backend: str) -> Any:
    if backend != "numpy":
        raise ValueError(f"backend={backend!r}: only 'numpy' is built")
    if f is None:
        return lambda function: Transformed(form, function, argnums, wrt, has_aux)
    return Transformed(form, f, argnums, wrt, has_aux)


def grad(f: Any = None, argnums: Argnums = 0, *, wrt: Wrt = None, has_aux: bool = False, backend: str = "numpy") -> Any:
    """Make the function that returns the gradient of `f`.

    Arguments: `f`, a function of floats, arrays and containers of them, whose result has one element; `argnums`, which
    positional arguments to differentiate by (a tuple gives a tuple of gradients); `wrt`, their names instead;
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
    args = bound_arguments(s.signature, s.label, primals, {})
    given = s.params[:len(primals)]
    names = tuple(p for p, value in zip(given, args, strict=False) if has_floats(value))
    out, back = _evaluated(s, args, names, has_aux)

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        """Send a cotangent of the result back to the primals."""
        found = back(cotangent)
        return tuple([found.get(p) for p in given])

    return (out[0], pullback, out[1]) if has_aux else (out, pullback)


def pulled(f: Any, named: dict[str, Any], wrt: tuple[str, ...]) -> tuple[Any, Callable[[Any], dict[str, Any]]]:
    """The result of `f` for arguments by name, and its pullback to those in `wrt`, as a dict."""
    s = subject(f)
    defaults = {n: p.default for n, p in s.signature.parameters.items()}
    return _evaluated(s, tuple({**defaults, **named}[p] for p in s.params), wrt, False)


def _evaluated(s: Subject, args: tuple[Any, ...], names: tuple[str, ...], has_aux: bool) -> tuple[Any, Any]:
    program = Compiler(s, names, "pair", False, has_aux).program(args)
    out, saved = program.space[program.entry[0]](*args)
    shape = result_shape(out[0] if has_aux else out)
    backward = program.space[program.entry[1]]
    saved = own_memory(program, saved, [*args, out])

    def back(cotangent: Any) -> dict[str, Any]:
        result = backward(saved, fitted(cotangent, shape))
        return dict(zip(names, result if len(names) > 1 else (result,), strict=True)) if names else {}

    return out, back


def differentiable(f: Callable[..., Any]) -> Callable[..., Any]:
    """Leave `f` as it is, and add `f.grad`, `f.value_and_grad`, `f.vjp` and `f.gradient_source`, with the same options.

    >>> @differentiable
    ... def square(x):
    ...     return x * x
    >>> square(3.0), square.grad()(3.0)
    (9.0, 6.0)
    """
    if not isinstance(f, types.FunctionType):
        raise TypeError(f"differentiable needs a Python function, and {f!r} isn't one: use grad or vjp")
    members: dict[str, Any] = {"grad": grad, "value_and_grad": value_and_grad, "vjp": vjp,
                               "gradient_source": gradient_source}
    for label, transformation in members.items():
        setattr(f, label, functools.partial(transformation, f))
    return f


def gradient_source(f: Any, argnums: Argnums = 0, *, wrt: Wrt = None, mode: str = "reverse", value: bool = False,
                    like: tuple[Any, ...] | str | None = None, header: str = "") -> str:
    """Return the gradient of `f` as the text of a module that imports NumPy and nothing of ours.

    Arguments: `argnums` and `wrt` as for `grad`; `value`: the function returns `(value, gradients)`; `like`: example
    arguments, or a signature `"w: f8[d], x: f8[n, d], n: int, p: float"`; without it annotations are used, and what
    they leave open stays general. The function is called `<name>_vjp`: the primal's arguments, then `out_bar=1.0`.

    >>> def square(x):
    ...     return x * x
    >>> print(gradient_source(square, like="x: float").split("\\n\\n\\n")[-1], end="")
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
    workshop, _, functions = compiler.derived(kinds, compiler.defaults())
    return workshop.module(functions, standalone=True).text(header or _header(s, kinds))


def signature_kinds(s: Subject, like: tuple[Any, ...] | str | None, wrt: tuple[str, ...]) -> dict[str, Kind]:
    """The kinds of the parameters: from example arguments, from a signature text, or from annotations."""
    if isinstance(like, str):
        parsed = parse_signature(like)
        unknown = [n for n in parsed if n not in s.params]
        if unknown:
            raise SignatureError(f"{s.label} has no parameter {unknown[0]}", f"it has {', '.join(s.params)}")
        return {p: parsed.get(p, UNKNOWN) for p in s.params}
    if like is not None:
        if not isinstance(like, tuple):
            raise TypeError(f"like={like!r}: a tuple of example arguments is needed, or a signature as text")
        arguments = dict(zip(s.params, bound_arguments(s.signature, s.label, like, {}), strict=True))
        refuse_arguments(arguments, wrt)
        return kinds_of(arguments)
    known = from_annotations(s.function)
    return {p: known.get(p, UNKNOWN) for p in s.params}


def _header(s: Subject, kinds: dict[str, Kind]) -> str:
    stated = ", ".join(f"{p}: {describe(k)}" for p, k in kinds.items() if k != UNKNOWN)
    signature = f" for {stated}" if stated else ""
    return f'"""The gradient of {s.label}{signature}. Made by ad_compiler; this text belongs to its user."""'
