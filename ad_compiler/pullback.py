"""What a pullback keeps, so that it gives the same answer each time, and the cotangents that it takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .calling import Program

NUMBERS = (bool, int, float, complex, str, bytes, type(None), np.generic)


@dataclass(frozen=True)
class Leaf:
    """Shape and dtype of an array or number in a result."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    array: bool


def result_shape(value: Any) -> Any:
    """The structure of a result, without its values."""
    if isinstance(value, (tuple, list)):
        return [result_shape(item) for item in value]
    if isinstance(value, dict):
        return {key: result_shape(item) for key, item in value.items()}
    if isinstance(value, (np.ndarray, np.generic, float, complex, int)):
        return Leaf(np.shape(value), np.asarray(value).dtype, isinstance(value, np.ndarray))
    return None


def fitted(g: Any, shape: Any, where: str = "the cotangent") -> Any:
    """A cotangent in the structure, shapes and dtypes of the result; ValueError or TypeError if it doesn't fit."""
    if isinstance(shape, list):
        if not isinstance(g, (tuple, list)) or len(g) != len(shape):
            raise ValueError(f"{where} needs the structure of the result, {len(shape)} parts, and is {_what(g)}")
        return tuple(fitted(item, part, f"{where}[{k}]") for k, (item, part) in enumerate(zip(g, shape, strict=True)))
    if isinstance(shape, dict):
        if not isinstance(g, dict) or g.keys() != shape.keys():
            raise ValueError(f"{where} needs the keys of the result, {', '.join(map(repr, shape))}, and is {_what(g)}")
        return {key: fitted(g[key], part, f"{where}[{key!r}]") for key, part in shape.items()}
    if shape is None or shape.dtype.kind not in "fc":
        return g
    array = np.asarray(g)
    if array.dtype.kind not in "fciub":
        raise TypeError(f"{where} needs numbers of shape {shape.shape}, and is {_what(g)}")
    if array.dtype.kind == "c" and shape.dtype.kind == "f":
        raise TypeError(f"{where} is complex, and the result is real: pass its real part")
    if array.shape != shape.shape:
        if array.ndim or int(np.prod(shape.shape)) != 1:
            raise ValueError(f"{where} has shape {array.shape}, and the result has shape {shape.shape}")
        array = np.full(shape.shape, array)
    if shape.array:
        return array.astype(shape.dtype, copy=False)
    return array.astype(shape.dtype)[()] if isinstance(g, np.generic) or shape.dtype != np.float64 else float(array)


def _what(g: Any) -> str:
    if isinstance(g, (tuple, list, dict)):
        return f"a {type(g).__name__} of {len(g)}"
    return f"an array of shape {g.shape}" if isinstance(g, np.ndarray) else f"a {type(g).__name__}"


def own_memory(program: Program, saved: Any, outside: list[Any]) -> Any:
    """Copies of what was saved, and of data read again, where anybody else could write into it."""
    data = [program.space[label] for label, _, _ in program.data if label]
    shared = list(_arrays([*outside, *data]))
    opaque = not all(_plain(value) for value in data)  # an object's arrays can't be found, so everything is copied

    def own(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return value.copy() if opaque or any(np.may_share_memory(value, a) for a in shared) else value
        if type(value) in (list, tuple):
            return type(value)(map(own, value))
        return {k: own(v) for k, v in value.items()} if type(value) is dict else value

    for label, _, _ in program.data:
        if label:
            program.space[label] = own(program.space[label])
    return own(saved)


def _plain(value: Any) -> bool:
    if type(value) in (list, tuple):
        return all(map(_plain, value))
    if type(value) is dict:
        return all(map(_plain, value.values()))
    return isinstance(value, (*NUMBERS, np.ndarray))


def _arrays(value: Any) -> Iterator[np.ndarray[Any, Any]]:
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _arrays(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _arrays(item)
