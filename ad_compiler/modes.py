"""Grad modes: `no_grad`, `enable_grad`, `set_grad_enabled`, `detach`. Compiled code reads them at compile time.

Outside a differentiated function they are what they are in PyTorch: a flag of the context, in effect in the current
thread or asynchronous task only.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, overload

F = TypeVar("F", bound=Callable[..., Any])

_enabled: contextvars.ContextVar[bool] = contextvars.ContextVar("grad_enabled", default=True)


def is_grad_enabled() -> bool:
    """Tell whether gradients are recorded in the current context.

    >>> is_grad_enabled()
    True
    """
    return _enabled.get()


class _Mode:
    """A context manager and decorator that sets the flag, and sets it back."""

    flag: bool

    def __init__(self) -> None:
        self._before: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(_enabled.get())
        _enabled.set(self.flag)

    def __exit__(self, *exception: object) -> None:
        _enabled.set(self._before.pop())

    def __call__(self, function: F) -> F:
        return _decorated(function, self.flag)


def _decorated(function: F, flag: bool) -> F:
    @functools.wraps(function)
    def under_mode(*args: Any, **kwargs: Any) -> Any:
        with _switched(flag):
            return function(*args, **kwargs)

    under_mode.__grad_mode__ = flag  # type: ignore[attr-defined]
    return under_mode  # type: ignore[return-value]


@contextlib.contextmanager
def _switched(flag: bool) -> Iterator[None]:
    before = _enabled.get()
    _enabled.set(flag)
    try:
        yield
    finally:
        _enabled.set(before)


class _Bare(type):
    """Lets `@no_grad` stand without parentheses."""

    @overload
    def __call__(cls) -> Any: ...
    @overload
    def __call__(cls, function: F) -> F: ...
    def __call__(cls, function: Any = None) -> Any:
        mode = super().__call__()
        return mode if function is None else mode(function)


class no_grad(_Mode, metaclass=_Bare):
    """Prune: what is computed inside carries no derivative.

    A context manager and a decorator, with and without parentheses. In a compiled function it is read at compile time
    and leaves no trace in the output: statements inside have no backward code.

    >>> with no_grad():
    ...     is_grad_enabled()
    False
    """

    flag = False


class enable_grad(_Mode, metaclass=_Bare):
    """Record again inside of `no_grad`. What never depended on a differentiated input stays without a derivative.

    >>> with no_grad():
    ...     with enable_grad():
    ...         is_grad_enabled()
    True
    """

    flag = True


class set_grad_enabled:
    """Switch recording on or off: at once as a plain call, until the end of the block as a context manager.

    >>> with set_grad_enabled(False):
    ...     is_grad_enabled()
    False
    """

    def __init__(self, flag: bool) -> None:
        self.flag = bool(flag)
        self._before = _enabled.get()
        _enabled.set(self.flag)

    def __enter__(self) -> None:
        _enabled.set(self.flag)

    def __exit__(self, *exception: object) -> None:
        _enabled.set(self._before)

    def __call__(self, function: F) -> F:
        _enabled.set(self._before)  # decorating does not switch the caller's mode
        return _decorated(function, self.flag)


def detach(x: Any) -> Any:
    """Return the value of `x`, cut from its history: its derivative is zero from here on.

    Arguments: `x`, a number or an array of any shape; it is returned as it is (an array is not copied).

    >>> detach(2.5)
    2.5
    """
    return x


stop_gradient = detach
