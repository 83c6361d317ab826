"""Program: what goes from room to room: functions in normal form, what their names mean, where lines come from."""

from __future__ import annotations

import keyword
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .errors import Place
from .kinds import Kind
from .syntax import Stmts, Tree


@dataclass(frozen=True)
class Origin:
    """Where a statement comes from, and why it is there."""

    line: int = 0  # counted from the function's `def`, which is line 1
    text: str = ""  # the user's own line
    place: Place | None = None
    off: str = ""  # why no derivative is recorded here: "no_grad, line 3"; empty in grad mode
    augmented: bool = False  # `x += y` was written: on an array that is a write in place
    rule: str = ""  # the row of the table that made this statement
    why: str = ""  # saved, restored, recomputed, accumulated: and for whom


@dataclass(frozen=True)
class Data:
    """A free name that stands for data: read anew at each call, from the closure or the module that owns it."""

    name: str
    read: Callable[[], Any] = field(compare=False)
    owner: int = 0  # identity of the namespace it lives in


@dataclass(frozen=True)
class Fixed:
    """A free name that stands for a function, module or class, known when the gradient is compiled."""

    value: Any


@dataclass(frozen=True)
class Undefined:
    """A free name that nothing defines: it raises NameError as in the primal."""


Meaning = Data | Fixed | Undefined


@dataclass
class Names:
    """Supplies names that collide with nothing, and remembers what each is a version of."""

    taken: set[str] = field(default_factory=set)
    base: dict[str, str] = field(default_factory=dict)
    temporary: set[str] = field(default_factory=set)
    labels: dict[str, str] = field(default_factory=dict)

    def label(self, text: str, temporary: bool = False) -> str:
        """A new name of our own, such as `x_bar`: never a version of a name that the user has."""
        if text not in self.labels:
            root = text
            while root in self.base and self.base[root] == root:
                root += "_"
            self.labels[text] = root
            self.base.setdefault(root, "")
        root = self.labels[text]
        if self.base.get(root) == "":
            del self.base[root]
        return self.fresh(root, temporary)

    def fresh(self, base: str, temporary: bool | None = None) -> str:
        """A new version of `base`; a version of a temporary is one too."""
        root = self.base.get(base, base)
        candidate, count = root, 1
        while candidate in self.taken or keyword.iskeyword(candidate):
            count += 1
            candidate = f"{root}_{count}"
        self.taken.add(candidate)
        self.base[candidate] = root
        if temporary or (temporary is None and base in self.temporary):
            self.temporary.add(candidate)
        return candidate

    def copy(self) -> Names:
        """An independent copy, for a pass that adds names."""
        return Names(set(self.taken), dict(self.base), set(self.temporary), dict(self.labels))


@dataclass(frozen=True)
class Function:
    """A function in normal form: parameters, statements, the name of its result, and the facts beside them."""

    name: str
    params: tuple[str, ...]
    body: Stmts
    result: Tree
    names: Names
    origins: dict[int, Origin]
    meanings: Mapping[str, Meaning]
    defaults: Mapping[str, Tree] = field(default_factory=dict)
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    calls: Mapping[int, Any] = field(default_factory=dict)  # what each call of a function calls, by line
    aliased: frozenset[str] = frozenset()  # versions that two of the user's names stand for where one is augmented
    source: Any = None
    scope: Any = None

    def with_body(self, body: Stmts, result: Tree | None = None) -> Function:
        """The same function with other statements."""
        return replace(self, body=body, result=self.result if result is None else result)

    def origin(self, statement: Tree) -> Origin:
        """Where a statement comes from."""
        return self.origins.get(statement.lineno, NOWHERE)


@dataclass
class Lines:
    """Hands out the identities of statements together with their origins."""

    origins: dict[int, Origin]
    last: int = 0

    def new(self, origin: Origin) -> int:
        """The identity of a new statement that comes from `origin`."""
        self.last += 1
        self.origins[self.last] = origin
        return self.last


NOWHERE = Origin()


def all_statements(body: Iterable[Tree]) -> Iterable[Tree]:
    """Every statement of a body, those inside of branches and loops included."""
    for statement in body:
        yield statement
        for block in ("body", "orelse"):
            inner = getattr(statement, block, None)
            if isinstance(inner, list):
                yield from all_statements(inner)
