"""From a callable and arguments to a compiled program: what is differentiated, which kinds, and what has been compiled."""

from __future__ import annotations

import functools
import inspect
import linecache
import threading
import types
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .analysis.signature import kinds_of
from .emit.load import loaded
from .errors import ADError, InternalError, SourceError, UnsupportedError
from .frontend.resolve import Scope
from .kinds import Kind, Scalar, Static, carries
from .pipeline import Instance, Workshop
from .program import Data, Fixed
from .rules.table import lookup
from .syntax import Tree, constant

Rebind = Callable[[], Any]


@dataclass(frozen=True)
class Subject:
    """What a transformation is applied to: a Python function, and parameters with fixed values."""

    function: types.FunctionType
    bound: Mapping[str, Any]
    off: str
    signature: inspect.Signature

    @property
    def params(self) -> list[str]:
        return list(self.signature.parameters)


def subject(f: Any) -> Subject:
    """Find the Python function behind a callable: methods, callable objects, partials, decorated by a grad mode."""
    bound: dict[str, Any] = {}
    off = ""
    while True:
        mode = getattr(f, "__grad_mode__", None)
        if mode is not None:
            off = "" if mode else f"no_grad, decorator of {getattr(f, '__name__', 'the function')}"
            f = f.__wrapped__
        elif isinstance(f, functools.partial):
            inner = subject(f.func)
            try:
                given = inner.signature.bind_partial(*f.args, **f.keywords).arguments
            except TypeError as error:
                raise SourceError(f"the partial doesn't fit its function: {error}") from None
            bound = {**inner.bound, **given, **bound}
            return _made(inner.function, bound, off or inner.off)
        elif isinstance(f, types.MethodType):
            first = next(iter(inspect.signature(f.__func__).parameters))
            bound[first] = f.__self__
            f = f.__func__
        elif isinstance(f, types.FunctionType):
            return _made(f, bound, off)
        elif lookup(f) is not None:
            f = _spelled(f)
        elif isinstance(getattr(type(f), "__call__", None), types.FunctionType) and not isinstance(f, type):
            if hasattr(f, "_ad_transformed"):
                raise UnsupportedError("the gradient of a gradient can't be compiled yet",
                                       "differentiate the text that gradient_source gives")
            f = types.MethodType(type(f).__call__, f)
        else:
            raise SourceError(f"{f!r} has no Python source that could be differentiated, and no derivative rule",
                              "wrap it in a function of your own, whose calls have rules (`ad-compiler rules`)")


def _made(function: types.FunctionType, bound: dict[str, Any], off: str) -> Subject:
    whole = inspect.signature(function, follow_wrapped=False)
    return Subject(function, bound, off, whole.replace(parameters=[p for n, p in whole.parameters.items() if n not in bound]))


@functools.lru_cache(maxsize=256)
def _spelled(f: Any) -> types.FunctionType:
    """A rule's own function as a Python function: `def sin(x): return np.sin(x)`."""
    found = lookup(f)
    assert found is not None
    row, form = found
    if form.star or row.verb == "constant":
        raise SourceError(f"{f!r} can't be differentiated on its own", "wrap it in a function of your own")
    needed = [p for p in form.params if p not in row.defaults]
    text = f"def {row.name}({', '.join(needed)}):\n    return function({', '.join(needed)})\n"
    file = f"<the function {row.name} of {getattr(f, '__module__', None) or 'numpy'}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    space: dict[str, Any] = {"function": f, "__name__": "spelled"}
    exec(compile(text, file, "exec"), space)
    made: types.FunctionType = space[row.name]
    return made


def shape_key(value: Any) -> Any:
    """What a program depends on of a value: its type, dtype and shape; the value itself of a string or None."""
    kind = type(value)
    if kind is np.ndarray:
        return (value.dtype, value.shape)
    if kind is tuple or kind is list:
        return (kind, *map(shape_key, value))
    if kind is dict:
        return (dict, *((k, shape_key(v)) for k, v in value.items()))
    return value if value is None or kind is str else kind


@dataclass
class Program:
    """Compiled text with its namespace, ready to be called."""

    text: str
    space: dict[str, Any]
    entry: tuple[str, ...]
    data: tuple[tuple[str, Data, Any], ...]
    guards: tuple[tuple[Callable[[], Any], Any], ...]
    instance: Instance

    def fresh(self) -> bool:
        """Whether what the program was compiled for still holds; puts the current data into its namespace."""
        for label, data, key in self.data:
            value = data.read()
            if shape_key(value) != key:
                return False
            self.space[label] = value
        return all(read() is value for read, value in self.guards)


@dataclass
class _Text:
    """What is kept of a compilation for all functions that share its code."""

    text: str
    entry: tuple[str, ...]
    objects: Mapping[str, Any]
    data: tuple[tuple[str, str | None, Data, Any], ...]  # label, name in the main function (or None), how to read it, key
    workshop: Workshop
    instance: Instance


_texts: OrderedDict[Any, _Text] = OrderedDict()
_lock = threading.RLock()
KEPT = 512


@dataclass
class Compiler:
    """Programs of one transformed function, by the kinds of its arguments."""

    subject: Subject
    wrt: tuple[str, ...]
    form: str  # "fused", "value", "pair"
    single: bool
    aux: bool = False
    programs: dict[Any, Program] = field(default_factory=dict)

    def program(self, arguments: tuple[Any, ...]) -> Program:
        """The program for these arguments, compiled if it is the first time."""
        key = tuple(map(shape_key, arguments))
        known = self.programs.get(key)
        if known is not None and known.fresh():
            return known
        with _lock:
            if len(self.programs) > KEPT:
                self.programs.clear()
            program = self.programs[key] = self._compiled(arguments)
            return program

    def _compiled(self, arguments: tuple[Any, ...]) -> Program:
        for name, value in zip(self.subject.params, arguments, strict=True):
            if name in self.wrt:
                refuse_integers(name, value)
        kinds = kinds_of(dict(zip(self.subject.params, arguments, strict=True)))
        return self.for_kinds(kinds)

    def for_kinds(self, kinds: dict[str, Kind]) -> Program:
        s = self.subject
        scope = Scope(s.function, s.bound)
        # Code objects of equal text compare equal: the identity is what counts, and is held alive by the cache.
        code = s.function.__code__
        key = (id(code), id(s.function.__globals__), tuple((n, type(v)) for n, v in s.bound.items()), s.off,
               tuple(kinds.items()), self.wrt, self.form, self.single, self.aux)
        known = _texts.get(key)
        if known is None or not self._fits(known, scope):
            known = _texts[key] = self._text(kinds)
            if len(_texts) > KEPT:
                _texts.popitem(last=False)
        data = []
        for label, own, reader, shape in known.data:
            meaning = scope.meaning(own) if own is not None else reader
            if not isinstance(meaning, Data):
                raise InternalError(f"{label} was data when the gradient was compiled")
            data.append((label, meaning, shape))
        space = loaded(known.text, s.function.__name__, known.objects)
        program = Program(known.text, space, known.entry, tuple(data), _guards(known.workshop, known.instance, scope),
                          known.instance)
        if not program.fresh():
            raise InternalError("a program doesn't fit the values that it was compiled for")
        return program

    def _fits(self, known: _Text, scope: Scope) -> bool:
        """Whether free names of this function mean what they meant for the function that was compiled."""
        for identifier, meaning in known.instance.f.meanings.items():
            now = scope.meaning(identifier) if identifier not in known.instance.f.calls else meaning
            if isinstance(meaning, Fixed) and (not isinstance(now, Fixed) or now.value is not meaning.value):
                return False
        keys = (shape_key(m.read()) == key for _, own, d, key in known.data
                for m in [scope.meaning(own) if own is not None else d] if isinstance(m, Data))
        return all(keys) and all(read() is value for read, value in _guards(known.workshop, known.instance, scope))

    def _text(self, kinds: dict[str, Kind]) -> _Text:
        workshop, inner, functions = self.derived(kinds)
        module = workshop.module(functions, standalone=False)
        text = module.text("")
        data = tuple((label, d.name if _is_own(d, inner) else None, d, shape_key(d.read()))
                     for label, d in module.data.items())
        return _Text(text, tuple(f.name for f in functions), module.objects, data, workshop, inner)

    def derived(self, kinds: dict[str, Kind]) -> tuple[Workshop, Instance, list[Any]]:
        """The derivative program in memory, not yet text."""
        s = self.subject
        workshop = Workshop()
        inner = workshop.instance(s.function, s.bound, kinds, self.wrt, s.off)
        _refuse_result(inner)
        if self.form == "pair":
            return workshop, inner, list(workshop.pair(inner, self.aux))
        return workshop, inner, [workshop.fused(inner, self.form == "value", self.single, self.defaults(), self.aux)]

    def defaults(self) -> dict[str, Tree]:
        """The literal defaults of trailing parameters."""
        found: dict[str, Tree] = {}
        for p in reversed(list(self.subject.signature.parameters.values())):
            if p.default is p.empty or not (p.default is None or isinstance(p.default, (bool, int, float, str))):
                break
            found[p.name] = constant(p.default)
        return found


def _is_own(d: Data, inner: Instance) -> bool:
    return inner.f.meanings.get(d.name) == d and d.name not in getattr(inner.f, "own_data", ())


def _guards(workshop: Workshop, main: Instance, scope: Scope) -> tuple[tuple[Callable[[], Any], Any], ...]:
    """Global functions that the program was compiled for: a program is used only while they are the same objects."""
    found: dict[Any, tuple[Callable[[], Any], Any]] = {}
    for inner in workshop.instances.values():
        if inner is None:
            continue
        space = (scope if inner is main else inner.f.scope).function.__globals__
        for identifier, meaning in inner.f.meanings.items():
            if isinstance(meaning, Fixed) and identifier in space and not isinstance(meaning.value, types.ModuleType):
                found[id(space), identifier] = (functools.partial(space.get, identifier), meaning.value)
    return tuple(found.values())


def _refuse_result(inner: Instance) -> None:
    kind = inner.inference.infer(inner.f.result)
    if kind is not None and not carries(kind):
        what = "nothing" if kind == Static(None) else "a number that isn't a float" if isinstance(kind, Scalar) else \
            "a value that isn't made of floats"
        raise UnsupportedError(f"{inner.f.name} returns {what}: that has no derivative", "return a float or an array",
                               inner.f.source.place())


def refuse_integers(name: str, value: Any) -> None:
    """Raise TypeError for an argument that can't be differentiated by."""
    integer = isinstance(value, (int, np.integer, np.bool_)) or (isinstance(value, np.ndarray) and value.dtype.kind in "iub")
    if integer:
        what = f"{value.dtype} array" if isinstance(value, np.ndarray) else type(value).__name__
        raise TypeError(f"the gradient with respect to {name} needs floats, and {name} is a{'n' if what[0] in 'aeiou' else ''} "
                        f"{what}: pass float({name})" + (f", or {name}.astype(float)" if isinstance(value, np.ndarray) else ""))
    if value is None or isinstance(value, (str, bytes)):
        raise TypeError(f"the gradient with respect to {name} needs floats, and {name} is {value!r}")


__all__ = ["ADError", "Compiler", "Program", "Subject", "refuse_integers", "shape_key", "subject"]
