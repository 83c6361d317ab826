"""Back from single assignment: versions of one name share it wherever their live ranges don't interfere."""

from __future__ import annotations

import gast

from ..frontend.normalize import is_merge
from ..program import Function, all_statements
from ..syntax import Stmts, Tree, reads, writes

COPIES = ("@add_at", "@np_add_at")  # their result is their first argument, changed


class Interference:
    """Which versions of one base are alive at the same time, from liveness over the structured program."""

    def __init__(self, f: Function) -> None:
        self.f = f
        self.bits: dict[str, int] = {}
        self.order: list[str] = []
        self.family: dict[str, int] = {}
        self.against: dict[str, int] = {}
        self.related: dict[str, list[str]] = {}
        self.before: dict[int, int] = {}
        self._define_forward(f.body, self.mask(list(f.params)))
        live = self.mask(reads(f.result))
        live = self.block(f.body, live, 0)
        for p in f.params:
            self.define(p, live)

    def bit(self, identifier: str) -> int:
        if identifier not in self.bits:
            self.bits[identifier] = 1 << len(self.order)
            self.order.append(identifier)
            base = self.base(identifier)
            self.family[base] = self.family.get(base, 0) | self.bits[identifier]
        return self.bits[identifier]

    def base(self, identifier: str) -> str:
        return self.f.names.base.get(identifier, identifier)

    def mask(self, identifiers: list[str]) -> int:
        result = 0
        for identifier in identifiers:
            result |= self.bit(identifier)
        return result

    def define(self, identifier: str, live: int, copy_of: str | None = None) -> None:
        """A definition: it interferes with all of its family that is alive after it, but what it is a copy of."""
        own = self.bit(identifier)
        others = live & ~own
        if copy_of is not None:
            others &= ~self.bit(copy_of)
            if self.base(copy_of) == self.base(identifier):
                self.related.setdefault(identifier, []).append(copy_of)
                self.related.setdefault(copy_of, []).append(identifier)
        self.against[identifier] = self.against.get(identifier, 0) | others

    def _define_forward(self, body: Stmts, mask: int) -> int:
        """Note for each statement what may have been assigned before it: nothing else can interfere there."""
        for s in body:
            self.before[id(s)] = mask
            if isinstance(s, gast.Assign):
                mask |= self.mask(writes(s))
            elif isinstance(s, gast.If):
                mask = self._define_forward(s.body, mask) | self._define_forward(s.orelse, mask)
            elif isinstance(s, (gast.For, gast.While)):
                mask |= self.mask([n for inner in all_statements([s]) for n in writes(inner)])
                self._define_forward(s.body, mask)
        return mask

    def block(self, body: Stmts, live: int, at_break: int) -> int:
        for statement in reversed(body):
            live = self.statement(statement, live, at_break)
        return live

    def statement(self, s: Tree, live: int, at_break: int) -> int:
        if isinstance(s, gast.Assign):
            return self._assign(s, live)
        if isinstance(s, gast.If):
            return self.block(s.body, live, at_break) | self.block(s.orelse, live, at_break) | self.mask(reads(s.test))
        if isinstance(s, gast.Break):
            return at_break
        if isinstance(s, gast.Raise):
            return self.mask([n for part in (s.exc, s.cause) if part is not None for n in reads(part)])
        if isinstance(s, (gast.For, gast.While)):
            return self._loop(s, live)
        parts = [getattr(s, f, None) for f in ("value", "test", "msg")]
        return live | self.mask([n for part in parts if isinstance(part, gast.AST) for n in reads(part)])

    def _assign(self, s: Tree, live: int) -> int:
        targets = writes(s)
        after = live & (self.before[id(s)] | self.mask(targets))
        live &= ~self.mask(targets)
        if is_merge(s):
            sources = [v.id if isinstance(v, gast.Name) else None for v in s.value.elts]
            for one, source in zip(targets, sources, strict=True):
                self.define(one, after | self.mask(targets), source)
        else:
            value = s.value
            source = value.id if isinstance(value, gast.Name) else None
            if isinstance(value, gast.Call) and isinstance(value.func, gast.Name) and value.func.id in COPIES:
                inner = value.args[0]
                while isinstance(inner, gast.Subscript):
                    inner = inner.value
                source = inner.id
                # Spelled as two statements where the buffer has another name: what is added must still be there.
                after |= self.mask([n for part in value.args[1:3] for n in reads(part)])
            for one in targets:
                self.define(one, after | self.mask(targets), source)
        return live | self.mask(reads(s.value))

    def _loop(self, s: Tree, after: int) -> int:
        start = -1
        new = 0
        while new != start:
            start = new
            new = self.block(s.body, after | start if isinstance(s, gast.For) else start, after)
            if isinstance(s, gast.For):
                self.define(s.target.id, new)
                new &= ~self.bit(s.target.id)
        return after | start | self.mask(reads(s.iter)) if isinstance(s, gast.For) else start


def final_names(f: Function, reserved: set[str]) -> dict[str, str]:
    """The name that each version gets: its base where nothing interferes, else the base with a number."""
    found = Interference(f)
    symmetric: dict[str, int] = dict.fromkeys(found.order, 0)
    for one, mask in found.against.items():
        mask &= found.family[found.base(one)]
        symmetric[one] |= mask
        k = mask
        while k:
            low = k & -k
            symmetric[found.order[low.bit_length() - 1]] |= found.bits[one]
            k ^= low
    result: dict[str, str] = {}
    used = set(reserved) | set(f.params)
    families: dict[str, list[str]] = {}
    for identifier in sorted(found.order, key=lambda n: (n not in f.params, n in f.names.temporary)):
        if identifier in f.meanings or identifier.startswith("@"):
            continue
        families.setdefault(found.base(identifier), []).append(identifier)
    # A base belongs to its own family: no other family may take its name for a version.
    used |= {base for base in families if base.isidentifier()}
    for base, members in families.items():
        classes: list[tuple[str, int]] = []
        for identifier in members:
            _place(identifier, base, classes, found, symmetric, result, used, f)
    return result


def _place(identifier: str, base: str, classes: list[tuple[str, int]], found: Interference, symmetric: dict[str, int],
           result: dict[str, str], used: set[str], f: Function) -> None:
    if identifier in f.params:
        label = identifier if base in f.params or base in f.meanings or any(c[0] == base for c in classes) else base
        used.add(label)
        classes.append((label, found.bits[identifier]))
        result[identifier] = label
        return
    wanted = [result[r] for r in found.related.get(identifier, []) if r in result]
    order = sorted(range(len(classes)), key=lambda k: (classes[k][0] not in wanted, k))
    for k in order:
        label, mask = classes[k]
        if not symmetric[identifier] & mask:
            classes[k] = (label, mask | found.bits[identifier])
            result[identifier] = label
            return
    label, count = base, 1
    first = all(c[0] != base for c in classes) and base not in f.meanings and base not in f.params and \
        base.isidentifier()
    while not first and label in used or label in f.meanings:
        count += 1
        label = f"{base}_{count}"
    used.add(label)
    classes.append((label, found.bits[identifier]))
    result[identifier] = label
