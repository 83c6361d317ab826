"""Arguments: which are accepted, what a program depends on of each, and how they are bound to parameters."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

ACCEPTED = (np.float64, np.float32, np.complex128, np.complex64)
ARRAY_LIKE = ("__array__", "__array_ufunc__", "__array_function__", "__array_interface__")


def shape_key(value: Any) -> Any:
    """What a program depends on of a value: its type, dtype and shape; the value itself of a string or None."""
    kind = type(value)
    if kind is np.ndarray:
        return (value.dtype, value.shape)
    if kind is float:
        return kind
    if kind is tuple or kind is list:
        return (kind, *map(shape_key, value))
    if kind is dict:
        return (dict, *((k, shape_key(v)) for k, v in value.items()))
    if isinstance(value, np.ndarray):
        return (kind, value.dtype, value.shape)
    return (kind, value) if isinstance(value, (str, bytes)) else kind


def refuse_arguments(arguments: Mapping[str, Any], wrt: tuple[str, ...]) -> None:
    """Raise TypeError for an argument that can't be differentiated by, or that no rule holds for."""
    for name, value in arguments.items():
        refuse_foreign(name, value)
        if name in wrt:
            _refuse_whole(name, value)


def refuse_foreign(name: str, value: Any) -> None:
    """Raise TypeError for what NumPy's functions treat otherwise than arrays, wherever it stands in a container."""
    if type(value) in (list, tuple):
        for k, item in enumerate(value):
            refuse_foreign(f"{name}[{k}]", item)
    elif type(value) is dict:
        for key, item in value.items():
            refuse_foreign(f"{name}[{key!r}]", item)
    elif isinstance(value, np.ndarray):
        if type(value) not in (np.ndarray, np.memmap):
            masked = isinstance(value, np.ma.MaskedArray)
            raise TypeError(f"{name} is a {_type(value)}, whose operators aren't those of an array: pass "
                            + (f"{name}.filled(...), and the mask as an argument of its own" if masked
                               else f"np.asarray({name})"))
        if value.dtype.kind == "O":
            raise TypeError(f"{name} is an array of Python objects: pass {name}.astype(float)")
    elif not isinstance(value, (np.generic, type)) and any(hasattr(type(value), word) for word in ARRAY_LIKE):
        raise TypeError(f"{name} is a {_type(value)}, for which derivatives aren't known: pass np.asarray({name})")


def _refuse_whole(name: str, value: Any) -> None:
    """Raise TypeError for a differentiated argument that isn't made of floats."""
    start = f"the gradient with respect to {name} needs floats, and {name} is "
    if isinstance(value, np.ndarray) and value.dtype.kind in "iub":
        raise TypeError(f"{start}{_article(value.dtype.name)} array: pass float({name}), or {name}.astype(float)"
                        if value.size == 1 else f"{start}{_article(value.dtype.name)} array: pass {name}.astype(float)")
    if isinstance(value, (int, np.integer, np.bool_)):
        raise TypeError(f"{start}{_article(_type(value))}: pass float({name})")
    if value is None or isinstance(value, (str, bytes)) or isinstance(value, np.ndarray) and value.dtype.kind in "SU":
        raise TypeError(f"{start}{value!r}: choose another argument with argnums or wrt")
    _refuse_leaves(name, value, start)
    if not has_floats(value):
        raise TypeError(f"{start.partition(', and ')[0]}, and there is none in {name}")


def _refuse_leaves(name: str, value: Any, start: str) -> None:
    """The same inside of containers, where integers, strings and None are accepted: their gradient is None."""
    if type(value) in (list, tuple):
        for k, item in enumerate(value):
            _refuse_leaves(f"{name}[{k}]", item, start)
    elif type(value) is dict:
        for key, item in value.items():
            _refuse_leaves(f"{name}[{key!r}]", item, start)
    elif isinstance(value, np.ndarray):
        if value.dtype.kind not in "iubSUfc" or (value.dtype.kind in "fc" and value.dtype.type not in ACCEPTED):
            raise TypeError(f"{name} has dtype {value.dtype}: gradients are made for float64, float32, complex128 and "
                            f"complex64; pass {name}.astype({_nearest(value.dtype)})")
    elif isinstance(value, np.generic):
        if isinstance(value, np.inexact) and type(value) not in ACCEPTED:
            raise TypeError(f"{name} is a {_type(value)}: gradients are made for float64, float32, complex128 and "
                            f"complex64; pass {_nearest(value.dtype)}({name})")
    elif not (value is None or type(value) in (float, complex) or isinstance(value, (int, str, bytes))):
        if isinstance(value, (float, complex)):
            plain = "float" if isinstance(value, float) else "complex"
            raise TypeError(f"{name} is {_article(_type(value))}: pass {plain}({name})")
        raise TypeError(f"{start.partition(', and ')[0]}, and {name} is {_article(_type(value))}: pass numbers, "
                        "arrays, or tuples, lists and dicts of them")


def has_floats(value: Any) -> bool:
    """Whether a value has a part that can be differentiated by."""
    if type(value) in (list, tuple):
        return any(map(has_floats, value))
    if type(value) is dict:
        return any(map(has_floats, value.values()))
    return getattr(value, "dtype", None) in ACCEPTED if isinstance(value, (np.generic, np.ndarray)) else \
        isinstance(value, (float, complex))


def _nearest(dtype: np.dtype[Any]) -> str:
    if dtype.kind == "c":
        return "np.complex128"
    return "np.float32" if dtype.itemsize == 2 else "np.float64"


def _type(value: Any) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__.split('.')[0]}.{kind.__name__}"


def _article(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


def bound_arguments(signature: inspect.Signature, label: str, args: tuple[Any, ...],
                    kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
    """The arguments in the order of the parameters, defaults included; TypeError as a call of the function."""
    try:
        given = signature.bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"{label}(): {error}") from None
    given.apply_defaults()
    return tuple(given.arguments[p] for p in signature.parameters)
