"""From a callable and arguments to a compiled program: what is differentiated, and what has been compiled."""

from __future__ import annotations

import functools
import inspect
import linecache
import threading
import types
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .analysis.signature import kinds_of
from .arguments import refuse_arguments, refuse_foreign, shape_key
from .emit.load import loaded
from .errors import InternalError, SourceError, UnsupportedError
from .kinds import UNKNOWN, Array, Dict, Kind, Scalar, Sequence, SequenceOf, Static, carries
from .pipeline import Instance, Workshop
from .program import Data
from .rules.table import lookup
from .syntax import Tree, constant
from .watching import Entry, entries, guard


@dataclass(frozen=True)
class Subject:
    """What a transformation is applied to: a Python function, and parameters with fixed values."""

    function: types.FunctionType
    bound: Mapping[str, Any]
    off: str
    signature: inspect.Signature
    given: frozenset[str] = frozenset()  # parameters that a partial gives a default by name: argnums don't count them

    @functools.cached_property
    def params(self) -> tuple[str, ...]:
        """The parameters that arguments are given for, in order."""
        return tuple(self.signature.parameters)

    @property
    def label(self) -> str:
        """The name to call it by in messages."""
        return "the lambda" if self.function.__name__ == "<lambda>" else self.function.__name__


def subject(f: Any) -> Subject:
    """Find the Python function behind a callable: methods, callable objects, partials, decorated by a grad mode."""
    if isinstance(f, types.MethodType):
        return _without_first(subject(f.__func__), f.__self__)
    if isinstance(f, staticmethod):
        return subject(f.__func__)
    mode = getattr(f, "__grad_mode__", None)
    if mode is not None and hasattr(f, "__wrapped__"):
        inner = subject(f.__wrapped__)
        off = "" if mode else f"no_grad, decorator of {inner.label}"
        return replace(inner, off=off)
    if isinstance(f, functools.partial):
        return _partial(f)
    if isinstance(f, types.FunctionType):
        return Subject(f, {}, "", inspect.signature(f, follow_wrapped=False))
    if lookup(f) is not None:
        f = _spelled(f)
        return Subject(f, {}, "", inspect.signature(f))
    if hasattr(type(f), "_ad_transformed"):
        raise UnsupportedError("the gradient of a gradient can't be compiled yet",
                               "differentiate the text that gradient_source gives")
    if not callable(f):
        raise TypeError(f"a function is needed, and {f!r} isn't one: pass the function itself, f, not its value f(x)")
    if isinstance(type(f).__call__, types.FunctionType) and not isinstance(f, type):
        return _without_first(subject(type(f).__call__), f)
    raise SourceError(f"{f!r} has no Python source that could be differentiated, and no derivative rule",
                      "wrap it in a function of your own, whose calls have rules (`ad-compiler rules`)")


def _without_first(inner: Subject, value: Any) -> Subject:
    """A method with its object."""
    parameters = list(inner.signature.parameters.values())
    if not parameters or parameters[0].kind not in (inspect.Parameter.POSITIONAL_ONLY,
                                                    inspect.Parameter.POSITIONAL_OR_KEYWORD):
        raise UnsupportedError(f"{inner.label} is a method without a parameter for its object",
                               "name the parameter: self")
    return replace(inner, bound={**inner.bound, parameters[0].name: value},
                   signature=inner.signature.replace(parameters=parameters[1:]))


def _partial(f: functools.partial[Any]) -> Subject:
    """Positional values of a partial are fixed; those given by name are defaults, which a call may replace."""
    inner = subject(f.func)
    try:
        given = inner.signature.bind_partial(*f.args).arguments
        inner.signature.bind_partial(*f.args, **f.keywords)
    except TypeError as error:
        raise TypeError(f"the partial doesn't fit its function {inner.label}: {error}") from None
    parameters: list[inspect.Parameter] = []
    named = False
    for p in inner.signature.parameters.values():
        if p.name in given:
            continue
        named = named or p.name in f.keywords
        if named and p.kind is p.POSITIONAL_OR_KEYWORD:
            p = p.replace(kind=p.KEYWORD_ONLY)
        parameters.append(p.replace(default=f.keywords[p.name]) if p.name in f.keywords else p)
    return Subject(inner.function, {**inner.bound, **given}, inner.off, inner.signature.replace(parameters=parameters),
                   inner.given | set(f.keywords))


@functools.lru_cache(maxsize=256)
def _spelled(f: Any) -> types.FunctionType:
    """A rule's own function as a Python function: `def sin(x): return np.sin(x)`."""
    found = lookup(f)
    assert found is not None
    row, form = found
    if form.star or row.verb == "constant":
        raise SourceError(f"{f!r} has no Python source, and no derivative on its own",
                          "wrap it in a function of your own")
    needed = [p for p in form.params if p not in row.defaults]
    name = row.name if row.name.isidentifier() else "function"
    text = f"def {name}({', '.join(needed)}):\n    return function({', '.join(needed)})\n"
    file = f"<the function {row.name} of {getattr(f, '__module__', None) or 'numpy'}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    space: dict[str, Any] = {"function": f, "__name__": "spelled"}
    exec(compile(text, file, "exec"), space)
    made: types.FunctionType = space[name]
    return made


@dataclass(eq=False)
class Program:
    """Compiled text with its namespace, ready to be called."""

    text: str
    space: dict[str, Any]
    entry: tuple[str, ...]
    data: tuple[tuple[str, Callable[[], Any], Any], ...]  # the name in the namespace ("" for none), how to read it, key
    holds: Callable[[], bool]

    def fresh(self) -> bool:
        """Whether what the program was compiled for still holds; puts the current data into its namespace."""
        if not self.holds():
            return False
        try:
            for label, read, key in self.data:
                value = read()
                if shape_key(value) != key:
                    return False
                if label:
                    self.space[label] = value
        except (KeyError, AttributeError, ValueError):  # a global, attribute or cell that is gone
            return False
        return True


@dataclass(frozen=True, eq=False)
class _Text:
    """What is kept of a compilation, for all functions that share its code; it holds no closure and no data."""

    text: str
    entry: tuple[str, ...]
    objects: Mapping[str, int | _Kept]  # the entry that the object of a name is found at
    data: Mapping[str, int | _Kept]
    held: tuple[Any, ...]  # what the key knows by identity


@dataclass(frozen=True, eq=False)
class _Kept:
    """An object that isn't found by name: the text then fits one function only."""

    value: Any


_texts: OrderedDict[Any, _Text] = OrderedDict()
_lock = threading.RLock()
KEPT = 512


@dataclass(eq=False)
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
        try:
            known = self.programs.get(key)
        except TypeError:  # a dict whose keys are hashable has a key that is; anything else isn't one of ours
            raise TypeError("an argument has a key that can't be hashed") from None
        if known is not None and known.fresh():
            return known
        with _lock:
            known = self.programs.get(key)
            if known is not None and known.fresh():  # compiled by another thread meanwhile
                return known
            if len(self.programs) >= KEPT:
                self.programs.clear()
            program = self.programs[key] = self._compiled(arguments)
            return program

    def _compiled(self, arguments: tuple[Any, ...]) -> Program:
        named = dict(zip(self.subject.params, arguments, strict=True))
        refuse_arguments(named, self.wrt)
        return self.for_kinds(kinds_of(named))

    def for_kinds(self, kinds: dict[str, Kind]) -> Program:
        """The program for arguments of these kinds; its text is made once for all functions that it fits."""
        s = self.subject
        found = entries(s.function, s.bound)
        for entry in found:
            if entry.kind == "data":
                refuse_foreign(entry.label, entry.value)
        key = (tuple(e.key for e in found), tuple(s.bound), s.off, tuple(kinds.items()), self.wrt, self.form,
               self.single, self.aux)
        own = (*key, id(s.function))
        known = _texts.get(key) or _texts.get(own)
        if known is None:
            known = self._text(kinds, found)
            alone = any(isinstance(place, _Kept) for place in (*known.objects.values(), *known.data.values()))
            _texts[own if alone else key] = known
            while len(_texts) > KEPT:
                _texts.popitem(last=False)
        return _program(known, s, found)

    def _text(self, kinds: dict[str, Kind], found: list[Entry]) -> _Text:
        workshop, _, functions = self.derived(kinds, {})
        module = workshop.module(functions, standalone=False)
        text = module.text("")
        objects = {label: _place(found, value) for label, value in module.objects.items()}
        data = {label: _data_place(found, d) for label, d in module.data.items()}
        alone = any(isinstance(place, _Kept) for place in (*objects.values(), *data.values()))
        held: list[Any] = [self.subject.function] if alone else []
        for e in found:
            if e.name == "__code__":
                held += [e.value, e.owner.__globals__]
            elif e.kind == "fixed" and e.key == id(e.value):
                held.append(e.value)
            elif e.kind == "data":
                held.append(type(e.value))
        return _Text(text, tuple(f.name for f in functions), objects, data, tuple(held))

    def derived(self, kinds: dict[str, Kind], defaults: Mapping[str, Tree]) -> tuple[Workshop, Instance, list[Any]]:
        """The derivative program in memory, not yet text."""
        s = self.subject
        workshop = Workshop()
        inner = workshop.instance(s.function, s.bound, kinds, self.wrt, s.off)
        _refuse_result(inner, self.aux, self.form != "pair")
        if self.form == "pair":
            return workshop, inner, list(workshop.pair(inner, self.aux))
        return workshop, inner, [workshop.fused(inner, self.form == "value", self.single, defaults, self.aux)]

    def defaults(self) -> dict[str, Tree]:
        """The literal defaults of trailing parameters."""
        found: dict[str, Tree] = {}
        for p in reversed(list(self.subject.signature.parameters.values())):
            if p.default is p.empty or not (p.default is None or type(p.default) in (bool, int, float, str)):
                break
            found[p.name] = constant(p.default)
        return found


def _program(known: _Text, s: Subject, found: list[Entry]) -> Program:
    """A text made live for one function: its own objects and data in a namespace of its own."""
    objects = {label: place.value if isinstance(place, _Kept) else found[place].value
               for label, place in known.objects.items()}
    data: list[tuple[str, Callable[[], Any], Any]] = []
    shown: set[int] = set()
    for label, place in known.data.items():
        if isinstance(place, _Kept):
            data.append((label, place.value.read, shape_key(place.value.read())))
        else:
            shown.add(place)
            data.append((label, found[place].read, found[place].key))
    data += [("", e.read, e.key) for k, e in enumerate(found)
             if e.kind == "data" and k not in shown and e.owner is not None and e.key != "empty"]
    space = loaded(known.text, s.function.__name__, objects)
    program = Program(known.text, space, known.entry, tuple(data), guard(found))
    if not program.fresh():
        raise InternalError(f"the globals of {s.label} changed while its gradient was compiled", "call it again")
    return program


def _place(found: list[Entry], value: Any) -> int | _Kept:
    return next((k for k, e in enumerate(found) if e.kind == "fixed" and e.value is value and e.name != "__code__"),
                _Kept(value))


def _data_place(found: list[Entry], d: Data) -> int | _Kept:
    """The entry that data is read at: by its owner and name; what is bound, or a default, by name and identity."""
    for k, e in enumerate(found):
        if e.kind == "data" and id(e.owner) == d.owner and e.label == d.name:
            return k
    value = d.read()
    candidates = [k for k, e in enumerate(found)
                  if e.kind == "data" and e.owner is None and e.label == d.name and e.value is value]
    return candidates[0] if candidates else _Kept(d)


def _refuse_result(inner: Instance, aux: bool, single: bool) -> None:
    kind = inner.inference.infer(inner.f.result)
    place = inner.f.source.place()
    if aux:
        if kind is not None and kind != UNKNOWN and not (
                isinstance(kind, (Sequence, SequenceOf)) and len(getattr(kind, "items", "12")) == 2):
            raise UnsupportedError(f"has_aux=True, and {inner.f.name} doesn't return a pair (value, aux)",
                                   "return value, aux", place)
        kind = kind.items[0] if isinstance(kind, Sequence) else None
    if kind is not None and not carries(kind):
        what = "nothing" if kind == Static(None) else "a value that isn't made of floats"
        if isinstance(kind, (Scalar, Array)):
            what = f"{'a number that isn' if isinstance(kind, Scalar) else 'an array whose elements aren'}'t " \
                   f"{'a float' if isinstance(kind, Scalar) else 'floats'}"
        raise UnsupportedError(f"{inner.f.name} returns {what}: that has no derivative", "return a float or an array",
                               place)
    if single and isinstance(kind, (Sequence, SequenceOf, Dict)):
        what = "dict" if isinstance(kind, Dict) else kind.type
        raise UnsupportedError(f"{inner.f.name} returns a {what}, and a gradient is that of one number",
                               "return one of its parts, or has_aux=True for (value, aux), or use vjp", place)
