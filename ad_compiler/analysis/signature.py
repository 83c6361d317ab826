"""Signatures: the kinds of arguments, read off values, annotations or a text such as `w: f8[d], x: f8[n, d]`."""

from __future__ import annotations

import ast
import inspect
import types
import typing
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import SignatureError
from ..kinds import BOOL, FLOAT, INT, OTHER, UNKNOWN, Array, Dict, Dim, Kind, Scalar, Sequence, SequenceOf, Static

CODES = {"f": {8: "f8", 4: "f4"}, "c": {16: "c16", 8: "c8"}}


def dtype_code(dtype: np.dtype[Any]) -> str | None:
    """The code of a dtype in kinds: "i8" stands for every integer; None for what isn't told apart."""
    if dtype.kind in "iu":
        return "i8"
    return "b1" if dtype.kind == "b" else CODES.get(dtype.kind, {}).get(dtype.itemsize)


class Reader:
    """Reads the kinds of values; equal sizes share a symbol, so that equal shapes are known to be equal."""

    def __init__(self) -> None:
        self.symbols: dict[int, str] = {}

    def kind(self, value: Any, label: str) -> Kind:
        """The kind of a value that stands under `label`."""
        if isinstance(value, np.ndarray):
            return Array(dtype_code(value.dtype), tuple(self._dim(n, f"{label}{k}") for k, n in enumerate(value.shape)))
        if isinstance(value, np.generic):
            return Scalar(dtype_code(value.dtype), python=False)
        if isinstance(value, bool):
            return BOOL
        if isinstance(value, int):
            return Scalar("i8", dim=label if label.isidentifier() else None)
        if isinstance(value, float):
            return FLOAT
        if isinstance(value, complex):
            return Scalar("c16")
        if isinstance(value, (tuple, list)) and type(value) in (tuple, list):
            return Sequence(type(value).__name__, tuple(self.kind(v, f"{label}_{k}") for k, v in enumerate(value)))
        if type(value) is dict:
            return Dict(tuple((key, self.kind(v, f"{label}_{key}")) for key, v in value.items()))
        if value is None or isinstance(value, (str, bytes)):
            return Static(value)
        return OTHER

    def _dim(self, size: int, label: str) -> Dim:
        return self.symbols.setdefault(size, label)


def kinds_of(arguments: Mapping[str, Any]) -> dict[str, Kind]:
    """The kinds of named values.

    >>> kinds_of({"w": np.ones(3), "n": 2})["w"]
    Array(dtype='f8', shape=('w0',))
    """
    reader = Reader()
    return {name: reader.kind(value, name) for name, value in arguments.items()}


def from_annotations(function: types.FunctionType) -> dict[str, Kind]:
    """What the annotations of a function say of its parameters; unknown where they say nothing."""
    try:
        hints = typing.get_type_hints(function)
    except Exception:  # annotations may be anything, also names that don't exist at run time
        hints = {}
    return {name: _annotated(hints.get(name)) for name in inspect.signature(function, follow_wrapped=False).parameters}


def _annotated(hint: Any) -> Kind:
    simple: dict[Any, Kind] = {float: FLOAT, int: INT, bool: BOOL, complex: Scalar("c16"),
                               np.float64: Scalar("f8", python=False), np.float32: Scalar("f4", python=False),
                               np.ndarray: Array(None, None)}
    if isinstance(hint, type) and hint in simple:
        return simple[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is np.ndarray:  # NDArray[np.float64]
        inner = typing.get_args(arguments[1])
        known = inner and isinstance(inner[0], type) and issubclass(inner[0], np.generic)
        return Array(dtype_code(np.dtype(inner[0])) if known else None, None)
    if origin is tuple and arguments and arguments[-1] is not Ellipsis:
        return Sequence("tuple", tuple(_annotated(a) for a in arguments))
    if origin in (list, tuple) and arguments:
        return SequenceOf(origin.__name__, _annotated(arguments[0]))
    return UNKNOWN


def parse_signature(text: str) -> dict[str, Kind]:
    """Read a signature text.

    >>> parse_signature("w: f8[d], n: int")
    {'w': Array(dtype='f8', shape=('d',)), 'n': Scalar(dtype='i8', python=True, dim='n')}
    """
    try:
        arguments = ast.parse(f"def f({text}): pass").body[0].args  # type: ignore[attr-defined]
        named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        return {a.arg: _parsed(a.annotation, a.arg) for a in named}
    except (SyntaxError, KeyError, AttributeError) as error:
        raise SignatureError(f"the signature {text!r} can't be read: {error}",
                             'write it as "w: f8[d], x: f8[n, d], n: int, p: float, q: {\'a\': f8[d]}, '
                             'r: (float, f8[n])"') from None


def _parsed(tree: ast.expr | None, label: str) -> Kind:
    if tree is None:
        return UNKNOWN
    if isinstance(tree, ast.Name):
        if tree.id == "int":
            return Scalar("i8", dim=label)
        words: dict[str, Kind] = {"float": FLOAT, "bool": BOOL, "complex": Scalar("c16"), "any": UNKNOWN, "str": OTHER,
                                  "array": Array(None, None), "object": OTHER}
        return words[tree.id] if tree.id in words else Scalar(_code(tree.id), python=False)
    if isinstance(tree, ast.Subscript) and isinstance(tree.value, ast.Name):
        word = tree.value.id
        if word in ("list", "tuple"):
            return SequenceOf(word, _parsed(tree.slice, label))
        dims = tree.slice.elts if isinstance(tree.slice, ast.Tuple) else [tree.slice]
        code = None if word in ("any", "array") else _code(word)
        if len(dims) == 1 and isinstance(dims[0], ast.Constant) and dims[0].value is Ellipsis:
            return Array(code, None)
        return Array(code, tuple(_parsed_dim(d) for d in dims))
    if isinstance(tree, (ast.Tuple, ast.List)):
        return Sequence("tuple" if isinstance(tree, ast.Tuple) else "list",
                        tuple(_parsed(e, f"{label}_{k}") for k, e in enumerate(tree.elts)))
    if isinstance(tree, ast.Dict):
        return Dict(tuple((ast.literal_eval(k), _parsed(v, f"{label}_{k}"))
                          for k, v in zip(tree.keys, tree.values, strict=True) if k is not None))
    if isinstance(tree, ast.Constant):
        return Static(tree.value)
    raise KeyError(ast.unparse(tree))


def _code(word: str) -> str:
    aliases = {"float64": "f8", "float32": "f4", "complex128": "c16", "complex64": "c8", "int64": "i8", "bool": "b1",
               "int": "i8", "float": "f8", "i4": "i8", "i8": "i8", "f8": "f8", "f4": "f4", "c16": "c16", "c8": "c8",
               "b1": "b1"}
    if word not in aliases:
        raise KeyError(f"unknown kind {word!r}")
    return aliases[word]


def _parsed_dim(tree: ast.expr) -> Dim:
    if isinstance(tree, ast.Name):
        return tree.id
    if isinstance(tree, ast.Constant) and isinstance(tree.value, int):
        return tree.value
    return None
