"""What a program depends on besides its arguments: globals, closures, attributes of modules and classes, defaults.

A gradient is compiled for functions that were found by name. Each of those names is watched: what they stand for is
compared at every call, in C, so that a replaced function, a changed kind of data or a name defined later is seen. Where
a function is made anew from the same code (a lambda in a loop), equal fingerprints say that its program may be reused.
"""

from __future__ import annotations

import builtins
import dis
import functools
import inspect
import operator
import os
import types
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .arguments import shape_key

OURS = __name__.partition(".")[0]
LIBRARIES = ("numpy", "scipy", "math", "builtins", OURS)
STANDARD = os.path.dirname(os.__file__)


@dataclass(frozen=True, eq=False)
class Entry:
    """One thing that was found: whose it is, under which name, and what of it the compiled text depends on."""

    kind: str  # "fixed" (compared by identity), "data" (by shape_key), "absent"
    owner: Any
    name: str
    value: Any
    key: Hashable  # equal for what the same text fits
    label: str  # its name in the function that reads it

    def read(self) -> Any:
        """What it stands for now."""
        if self.owner is None:
            return self.value
        return self.owner[self.name] if isinstance(self.owner, dict) else getattr(self.owner, self.name)


def entries(function: types.FunctionType, bound: Mapping[str, Any]) -> list[Entry]:
    """Everything that `function` finds by name, and what the functions among it find, in a fixed order."""
    return list(_Search(_package(function.__globals__.get("__name__"))).function(function, bound))


@functools.lru_cache(maxsize=1024)
def _names(identity: _Identity) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The global names that a code object reads, and the names of attributes."""
    reads: dict[str, None] = {}
    found: dict[str, None] = {}
    codes = [identity.code]
    for code in codes:
        codes += [c for c in code.co_consts if isinstance(c, types.CodeType)]
        found.update(dict.fromkeys(code.co_names))
        reads.update({i.argval: None for i in dis.get_instructions(code)
                      if i.opname.startswith("LOAD_") and ("GLOBAL" in i.opname or "NAME" in i.opname)
                      and isinstance(i.argval, str)})
    return tuple(reads), tuple(found)


@dataclass(frozen=True, eq=False)
class _Identity:
    code: types.CodeType

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and other.code is self.code

    def __hash__(self) -> int:
        return id(self.code)


class _Search:
    """A walk from a function through what it finds by name."""

    def __init__(self, home: str) -> None:
        self.home = home  # the package of the first function, which may be an installed one
        self.seen: set[tuple[int, int]] = set()

    def function(self, f: types.FunctionType, bound: Mapping[str, Any], root: bool = True) -> Iterator[Entry]:
        mine = (id(f), id(next(iter(bound.values()), None)))
        if mine in self.seen:
            return
        self.seen.add(mine)
        code, space = f.__code__, f.__globals__
        yield Entry("fixed", f, "__code__", code, ("code", id(code), id(space)), "")
        reads, attributes = _names(_Identity(code))
        if not root:
            yield from self.defaults(f)
        for name, value in bound.items():
            yield from self.data(None, name, value, name, attributes)
        for name, cell in zip(code.co_freevars, f.__closure__ or (), strict=True):
            try:
                value = cell.cell_contents
            except ValueError:  # an empty cell: NameError in the primal, too; looked at again at the next call
                yield Entry("data", cell, "cell_contents", None, "empty", name)
                continue
            yield from self.value(cell, "cell_contents", value, name, attributes)
        for name in reads:
            if name in space:
                yield from self.value(space, name, space[name], name, attributes)
            else:
                yield Entry("absent", space, name, None, ("absent", name, hasattr(builtins, name)), name)

    def defaults(self, f: types.FunctionType) -> Iterator[Entry]:
        """Defaults of a called function: literal ones stand in the text, others are data."""
        keys: list[Hashable] = []
        for p in inspect.signature(f, follow_wrapped=False).parameters.values():
            if p.default is None or isinstance(p.default, (bool, int, float, str)):
                keys.append((p.name, type(p.default), repr(p.default)))
            elif p.default is not p.empty:
                keys.append(p.name)
                yield Entry("data", None, p.name, p.default, shape_key(p.default), p.name)
        yield Entry("fixed", f, "__defaults__", f.__defaults__, ("defaults", *keys), "")
        yield Entry("fixed", f, "__kwdefaults__", f.__kwdefaults__, (), "")

    def value(self, owner: Any, name: str, value: Any, label: str, attributes: tuple[str, ...]) -> Iterator[Entry]:
        """What a name stands for, and what is reached through it."""
        if isinstance(value, (types.ModuleType, type)):
            yield Entry("fixed", owner, name, value, id(value), label)
            mine = (id(value), id(attributes))
            if not self.foreign(value) and mine not in self.seen:
                self.seen.add(mine)
                for attribute in attributes:
                    if attribute in vars(value):
                        yield from self.value(value, attribute, getattr(value, attribute), attribute, attributes)
        elif not callable(value):
            yield from self.data(owner, name, value, label, attributes)
        else:
            called, bound, key = _called(value)
            if called is None or self.foreign(called):
                yield Entry("fixed", owner, name, value, id(value), label)
            else:
                yield Entry("fixed", owner, name, value, key, label)
                yield from self.function(called, bound, False)

    def data(self, owner: Any, name: str, value: Any, label: str, attributes: tuple[str, ...]) -> Iterator[Entry]:
        """Data, and the methods that the function may call of it."""
        yield Entry("data", owner, name, value, shape_key(value), label)
        own = type(value)
        if isinstance(value, types.ModuleType) or self.foreign(own):
            return
        yield Entry("data", None, "", None, id(own), "")
        for attribute in attributes:
            method = getattr(own, attribute, None)
            if not isinstance(method, types.FunctionType):
                continue
            if attribute in getattr(value, "__dict__", ()):
                yield from self.value(vars(value), attribute, vars(value)[attribute], attribute, attributes)
                continue
            if hasattr(value, "__dict__"):
                yield Entry("absent", vars(value), attribute, None, ("absent", attribute), attribute)
            called, bound, key = _called(types.MethodType(method, value))
            yield Entry("fixed", own, attribute, method, key, attribute)
            if called is not None and not self.foreign(called):
                yield from self.function(called, bound, False)

    def foreign(self, value: Any) -> bool:
        """Whether something belongs to Python, to NumPy or to us: watched as a whole, not looked into.

        Other installed packages are foreign, too: their globals don't change between calls, and there are many of them.
        """
        if isinstance(value, types.FunctionType):
            module, file = str(value.__globals__.get("__name__")), value.__code__.co_filename
        else:
            module = str(value.__name__ if isinstance(value, types.ModuleType) else value.__module__)
            file = getattr(value, "__file__", None) or ""
        package = _package(module)
        return package in LIBRARIES or package != self.home and (
            "site-packages" in file or file.startswith((STANDARD + os.sep, "<frozen")))


def _package(module: Any) -> str:
    return str(module).partition(".")[0]


def _called(value: Any) -> tuple[types.FunctionType | None, dict[str, Any], Hashable]:
    """The Python function that a call of `value` runs, the parameter it has bound, and how it is called."""
    bound: dict[str, Any] = {}
    key: tuple[Hashable, ...] = ()
    while True:
        if isinstance(value, types.MethodType):
            bound["self"] = value.__self__
            key, value = (*key, "method"), value.__func__
        elif getattr(value, "__grad_mode__", None) is not None and hasattr(value, "__wrapped__"):
            key, value = (*key, value.__grad_mode__), value.__wrapped__
        elif isinstance(value, types.FunctionType):
            if bound:
                first = next(iter(inspect.signature(value, follow_wrapped=False).parameters), "self")
                bound = {first: bound["self"]}
            return value, bound, ("function", *key)
        elif isinstance(type(value).__call__, types.FunctionType):
            value = types.MethodType(type(value).__call__, value)
        else:
            return None, {}, id(value)


def guard(found: list[Entry]) -> Callable[[], bool]:
    """Make the function that tells whether everything that was found is still what it was."""
    groups: dict[int, list[Entry]] = {}
    for entry in found:
        if entry.kind == "fixed" and entry.owner is not None:
            groups.setdefault(id(entry.owner), []).append(entry)
    present = []
    for group in groups.values():
        unique = {e.name: e for e in group}
        names = [*unique, next(iter(unique))]  # at least two, so that a getter gives a tuple
        getter = operator.itemgetter if isinstance(group[0].owner, dict) else operator.attrgetter
        present.append((getter(*names), group[0].owner, tuple(unique[n].value for n in names)))
    missing: dict[int, tuple[dict[str, Any], set[str]]] = {}
    for entry in found:
        if entry.kind == "absent":
            missing.setdefault(id(entry.owner), (entry.owner, set()))[1].add(entry.name)
    absent = [(space, tuple(sorted(names))) for space, names in missing.values()]
    same = operator.is_

    def holds() -> bool:
        try:
            for get, owner, expected in present:
                if not all(map(same, get(owner), expected)):
                    return False
        except (KeyError, AttributeError, ValueError):
            return False
        for space, names in absent:
            if not space.keys().isdisjoint(names):
                return False
        return True

    return holds
