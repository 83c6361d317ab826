"""Random programs in the supported subset of Python and NumPy, by seed; biased to values carried around loops.

Every float variable is a number, every vector has 3 elements, every matrix is 3 by 3, so that all of them broadcast.
A program may read an undefined name, overflow, or have a kink at its example arguments: its user finds out.
"""

from __future__ import annotations

import random
import textwrap
from dataclasses import dataclass

import numpy as np
from random_forms import (
    FLOATS,
    FROM_MATRICES,
    FROM_VECTORS,
    MATRICES,
    OF_MATRICES,
    PAIRS,
    REDUCED,
    SAFE,
    SQUASHED,
    VECTORS,
    Scope,
)

IMPORTS = """import math

import numpy as np

from ad_compiler import detach, enable_grad, no_grad, set_grad_enabled"""


@dataclass(frozen=True)
class Helper:
    """A function that a program calls: the call with holes for floats and vectors, and the kinds of its results."""

    call: str
    results: str
    holes: str


@dataclass(frozen=True)
class RandomProgram:
    """The text of a module whose `f` is to be differentiated, two tuples of arguments, and which are not integers."""

    seed: int
    text: str
    points: tuple[tuple, ...]

    @property
    def argnums(self) -> tuple[int, ...]:
        """The arguments to differentiate by: all but integers."""
        return tuple(k for k, value in enumerate(self.points[0]) if not isinstance(value, int))


def random_program(seed: int) -> RandomProgram:
    """Make the program of a seed."""
    return _Writer(seed).program()


class _Writer:
    def __init__(self, seed: int) -> None:
        self.seed, self.rng = seed, random.Random(seed)
        self.helpers: list[Helper] = []
        self.counters = 0
        self.returns = "f"
        self.budget = 0

    def chance(self, p: float) -> bool:
        return self.rng.random() < p

    def pick(self, options):
        return self.rng.choice(options)

    def program(self) -> RandomProgram:
        parts = [IMPORTS]
        for number in range(self.pick((0, 0, 1, 1, 2, 3))):
            parts.append(self.helper(f"h{number}"))
        scope, params, makers = self.parameters()
        self.returns = self.pick(("f", "f", "f", "f", "fv", "ff", "v", "dict"))
        self.budget = self.pick((4, 6, 9, 13))
        start = [f"{n} = {self.number(scope, 1)}" for n in FLOATS[:2] if n not in params and self.chance(0.6)]
        scope.floats += [s.split(" = ")[0] for s in start]
        body = start + self.block(scope.inner(exits=True), self.pick((3, 4, 5, 6)), scope) + [self.result(scope)]
        parts.append(f"def f({', '.join(params)}):\n" + textwrap.indent("\n".join(body), "    "))
        numbers = np.random.default_rng(self.seed)
        points = tuple(tuple(make(numbers) for make in makers) for _ in range(2))
        return RandomProgram(self.seed, "\n\n\n".join(parts) + "\n", points)

    def parameters(self):
        scope, params, makers = Scope(), [], []

        def value(g, *shape):
            made = np.round(g.uniform(-1.2, 1.5, shape), 3)
            return made if shape else float(made)

        rows = (("x", "floats", lambda g: value(g), 0.8), ("y", "floats", lambda g: value(g), 0.4),
                ("u", "vectors", lambda g: value(g, 3), 0.6), ("v", "vectors", lambda g: value(g, 3), 0.25),
                ("A", "matrices", lambda g: value(g, 3, 3), 0.3))
        for label, group, make, p in rows:
            if self.chance(p):
                params.append(label)
                getattr(scope, group).append(label)
                makers.append(make)
        containers = (
            ("p", ["p[0]", "p[-1]"], [], lambda g: (value(g), value(g), value(g)), "p"),
            ("p", ["p[1]"], [], lambda g: [value(g), value(g), value(g)], "p"),
            ("q", ['q["a"]', 'q["b"][1]', 'q["b"][0][2]'], ['q["b"][0]'],
             lambda g: {"a": value(g), "b": [value(g, 3), value(g)]}, ""),
            ("q", ["q[0][0]", "q[1][1]"], ["q[2]"],
             lambda g: ((value(g), value(g)), [value(g), value(g)], value(g, 3)), ""))
        if self.chance(0.35) or not params:
            label, floats, vectors, make, sequence = self.pick(containers)
            params.append(label)
            makers.append(make)
            scope.parts += floats
            scope.vectors += vectors
            scope.sequences += [sequence] if sequence else []
        if self.chance(0.3):
            params.append("n")
            makers.append(lambda g: int(g.integers(0, 4)))
        return scope, params, makers

    # Helpers

    def helper(self, label: str) -> str:
        form = self.pick(("plain", "plain", "pair", "vector", "recursive", "default", "dict"))
        off = "@no_grad()\n" if self.chance(0.12) else ""
        self.returns, self.budget = {"pair": "ff", "vector": "v", "dict": "dict"}.get(form, "f"), 5
        scope = Scope(floats=["a", "b"], vectors=["u"] if form == "vector" else [])
        signature, call, holes, results = "a, b", "{0}, {1}", "ff", self.returns
        if form == "vector":
            signature, call, holes = "u, a, b=0.5", self.pick(("{0}, {1}", "{0}, b={1}, a=0.3", "a={1}, u={0}")), "vf"
        elif form == "default":
            signature, call = "a, b=0.7, *, c=1.5", self.pick(("{0}", "{0}, {1}", "{0}, c={1}", "b={0}, a={1}"))
            scope.floats.append("c")
        elif form == "recursive":
            signature, call = "a, n, b=0.4", self.pick(("{0}, 3, {1}", "{0}, 2", "{0}, b={1}, n=1"))
        body = self.block(scope.inner(exits=self.chance(0.6)), self.pick((1, 2, 3)), scope)
        if form == "recursive":
            again = self.pick((f"{label}({{0}}, n - 1, {{1}})", f"{{1}} * {label}({{0}}, n - 1)",
                               f"{label}({{0}}, n - 1) + {label}({{1}}, n - 2, b)"))
            end = self.pick(("a", "a * b", "b"))
            last = again.format(self.number(scope, 1), self.number(scope, 1))
            body = ["if n <= 0:", f"    return {end}", *body, f"return {last}"]
        else:
            body.append(self.result(scope))
        self.helpers.append(Helper(f"{label}({call})", results, holes))
        return f"{off}def {label}({signature}):\n" + textwrap.indent("\n".join(body), "    ")

    def called(self, scope: Scope, results: tuple[str, ...]) -> tuple[str, str] | None:
        fitting = [h for h in self.helpers if h.results in results and ("v" not in h.holes or scope.vectors)]
        if not fitting:
            return None
        h = self.pick(fitting)
        values = [self.number(scope, 1) if hole == "f" else self.vector(scope, 1) for hole in h.holes]
        return h.call.format(*values), h.results

    def result(self, scope: Scope) -> str:
        if self.returns == "f":
            many = [self.number(scope, 0) for _ in range(self.pick((1, 2, 3)))]
            many += [f"np.sum({v})" for v in scope.vectors[-2:]] + [f"np.sum({m})" for m in scope.matrices[-1:]]
            return "return " + " + ".join(many)
        if self.returns == "ff":
            return f"return {self.number(scope, 1)}, {self.number(scope, 1)}"
        if self.returns == "fv":
            return f"return {self.number(scope, 1)}, {self.vector(scope, 1)}"
        if self.returns == "v":
            return f"return {self.vector(scope, 1)}"
        return f'return {{"s": {self.number(scope, 1)}, "t": [{self.number(scope, 1)}, {self.number(scope, 0)}]}}'

    # Expressions

    def number(self, scope: Scope, size: int) -> str:
        if size <= 0:
            leaves = [*scope.floats * 3, *scope.parts]
            leaves += [f"{v}[{self.index(scope)}]" for v in scope.vectors]
            leaves += [f"{m}[{self.index(scope)}, {self.index(scope)}]" for m in scope.matrices]
            leaves += [f"{s}[{self.index(scope)}]" for s in scope.sequences]
            return self.pick(leaves) if leaves and self.chance(0.93) else self.pick(("0.5", "1.3", "-0.8", "2", "0.0"))
        roll = self.rng.random()
        if roll < 0.3:
            return self.of(SAFE, [self.number(scope, size - 1)])
        if roll < 0.62:
            return "(" + self.of(PAIRS, [self.number(scope, size - 1), self.number(scope, size - 1)]) + ")"
        if roll < 0.75 and scope.vectors:
            return self.of(REDUCED, [self.vector(scope, 0), self.vector(scope, 0)])
        if roll < 0.79:
            return f"({self.number(scope, size - 1)} if {self.condition(scope)} else {self.number(scope, size - 1)})"
        if roll < 0.83:
            return self.pick(("abs({0})", "max({0}, {1})", "min({0}, {1})", "max({0}, {1}, 0.1)")).format(
                self.number(scope, 0), self.number(scope, 0))
        if roll < 0.85:
            return f"detach({self.number(scope, 0)})"
        if roll < 0.87:
            return f"({self.condition(scope)}) * {self.number(scope, 0)}"
        if roll < 0.93:
            call = self.called(scope, ("f",))
            if call is not None:
                return call[0]
        return self.number(scope, 0)

    def of(self, forms: tuple[str, ...], parts: list[str]) -> str:
        text = self.pick(forms)
        parts = [p if text.count(f"{{{k}}}") == 1 and "(" not in p or p.isidentifier() else self.wrapped(p)
                 for k, p in enumerate(parts)]
        return text.format(*parts, m=self.pick(("np", "math")))

    @staticmethod
    def wrapped(text: str) -> str:
        return text if text.isalnum() or text.startswith("(") and text.endswith(")") and text.count("(") == 1 \
            else f"({text})"

    def arrays(self, forms: tuple[str, ...], parts: list[str]) -> str:
        return self.pick(forms).format(*map(self.wrapped, parts), m="np")

    def vector(self, scope: Scope, size: int) -> str:
        if not scope.vectors:
            return f"np.array([{self.number(scope, 0)}, {self.number(scope, 0)}, 0.6])"
        if size <= 0:
            return self.pick(scope.vectors)
        roll = self.rng.random()
        one = self.vector(scope, size - 1)
        if roll < 0.25:
            return self.arrays(SAFE, [one])
        if roll < 0.5:
            other = self.vector(scope, 0) if self.chance(0.6) else self.number(scope, 0)
            return self.arrays(PAIRS, [one, other])
        if roll < 0.7:
            return self.arrays(FROM_VECTORS, [one, self.vector(scope, 0)])
        if roll < 0.85 and scope.matrices:
            return self.arrays(FROM_MATRICES, [self.pick(scope.matrices), self.pick(scope.matrices), one])
        if roll < 0.9:
            return f"np.array([{self.number(scope, 1)}, {self.number(scope, 0)}, {self.number(scope, 0)}])"
        if roll < 0.95:
            call = self.called(scope, ("v",))
            if call is not None:
                return call[0]
        return f"({one} if {self.condition(scope)} else {self.vector(scope, 0)})"

    def index(self, scope: Scope) -> str:
        if scope.indices and self.chance(0.8):
            i = self.pick(scope.indices)
            return self.pick((i, i, i, f"2 - {i}", f"{i} - 1", f"({i} + 1) % 3"))
        return self.pick(("0", "1", "2", "-1"))

    def condition(self, scope: Scope) -> str:
        roll = self.rng.random()
        if roll < 0.25 and scope.indices:
            i = self.pick(scope.indices)
            return self.pick((f"{i} == 1", f"{i} > 0", f"{i} % 2 == 0", f"{i} != 2", f"{i} < 1"))
        if roll < 0.32 and scope.flags:
            return self.pick(("{0}", "not {0}")).format(self.pick(scope.flags))
        if roll < 0.42:
            return self.pick(("{0} < {1} < {2}", "{0} > 0.2 and {1} < 0.9", "{0} > 0.8 or {1} < {2}",
                              "not ({0} > {1} and {2} > -0.5)")).format(*(self.number(scope, 0) for _ in range(3)))
        return self.pick(("{0} > {1}", "{0} < 0.4", "{0} >= {1}", "{0} > 0.1")).format(
            self.number(scope, 0), self.number(scope, 0))

    # Statements

    def block(self, scope: Scope, size: int, outer: Scope | None = None) -> list[str]:
        """Statements; what they surely define is added to `outer`."""
        lines: list[str] = []
        for _ in range(size):
            self.budget -= 1
            lines += self.statement(scope)
        if outer is not None:
            for group in ("floats", "vectors", "matrices", "parts", "sequences", "flags"):
                known = getattr(outer, group)
                known += [n for n in getattr(scope, group) if n not in known]
        return lines or ["pass"]

    def statement(self, scope: Scope) -> list[str]:
        roll = self.rng.random()
        compound = self.budget > 0 and scope.depth < 4
        if compound and roll < 0.3 and scope.loops < 3:
            return self.loop(scope)
        if compound and roll < 0.44:
            return self.branch(scope)
        if compound and roll < 0.49:
            return self.mode(scope)
        if scope.exits and scope.depth and roll < 0.58:
            return self.exit(scope)
        return self.pick((self.assign, self.assign, self.assign, self.assign, self.several, self.several, self.augment,
                          self.container, self.unpack, self.flag, self.harmless))(scope)

    def assign(self, scope: Scope) -> list[str]:
        roll = self.rng.random()
        if roll < 0.6 or not (scope.vectors or scope.matrices):
            target, value = self.target(scope.floats, FLOATS), self.number(scope, 2)
            if scope.loops and self.chance(0.7):
                value = self.of(SQUASHED, [f"({value})"])
        elif roll < 0.88 or not scope.matrices:
            target, value = self.target(scope.vectors, VECTORS), self.vector(scope, 2)
            if scope.loops and self.chance(0.7):
                value = self.arrays(SQUASHED, [value])
        else:
            target = self.target(scope.matrices, MATRICES)
            value = self.arrays(OF_MATRICES, [self.pick(scope.matrices), self.pick(scope.matrices),
                                              self.vector(scope, 0)])
            value = self.arrays(SQUASHED, [value]) if scope.loops else value
        self.defined(scope, target)
        return [f"{target} = {value}"]

    def target(self, known: list[str], pool: str) -> str:
        names = [n for n in known if n.isidentifier()]
        return self.pick(names) if names and self.chance(0.65) else self.pick(pool)

    def defined(self, scope: Scope, label: str) -> None:
        group = scope.floats if label in (*FLOATS, "x", "y") else scope.vectors if label in VECTORS else scope.matrices
        if label not in group:
            group.append(label)

    def several(self, scope: Scope) -> list[str]:
        call = self.called(scope, ("ff",))
        if call is not None and self.chance(0.4):
            targets = self.rng.sample(FLOATS, 2)
            values = call[0]
        else:
            known = [n for n in scope.floats if n.isidentifier()]
            if len(known) > 1 and self.chance(0.6):
                targets = self.rng.sample(known, 2)
                values = f"{targets[1]}, {self.pick((targets[0], self.number(scope, 1)))}"
            elif len({n for n in scope.vectors if n.isidentifier()}) > 1:
                targets = self.rng.sample(sorted({n for n in scope.vectors if n.isidentifier()}), 2)
                values = f"{targets[1]}, {self.pick((targets[0], f'0.5 * {targets[0]} + {self.number(scope, 0)}'))}"
            else:
                targets = self.rng.sample(FLOATS, 3)
                values = ", ".join(self.number(scope, 1) for _ in targets)
        for target in targets:
            self.defined(scope, target)
        return [f"{', '.join(targets)} = {values}"]

    def augment(self, scope: Scope) -> list[str]:
        names = [n for n in scope.floats if n.isidentifier()]
        if scope.vectors and self.chance(0.35):
            fresh = self.pick(VECTORS)
            lines = [f"{fresh} = {self.vector(scope, 0)} * {self.number(scope, 0)}"]
            self.defined(scope, fresh)
            return [*lines, f"{fresh} {self.pick(('+=', '-=', '*='))} {self.vector(scope, 1)}"]
        if not names:
            return self.assign(scope)
        return [f"{self.pick(names)} {self.pick(('+=', '-=', '*=', '+='))} {self.squashed(scope)}"]

    def squashed(self, scope: Scope) -> str:
        return self.of(SQUASHED, [f"({self.number(scope, 1)})"])

    def container(self, scope: Scope) -> list[str]:
        values = [self.number(scope, 1) for _ in range(3)]
        label = self.pick(("r", "p"))
        if self.chance(0.55):
            if label in scope.sequences and self.chance(0.6):
                values = [f"{label}[1]", f"{label}[2]", self.of(SQUASHED, [f"({values[0]} + {label}[0])"])]
            text = self.pick(("({}, {}, {})", "[{}, {}, {}]")) if label == "r" else "({}, {}, {})"
            scope.sequences += [label] if label not in scope.sequences else []
            return [f"{label} = {text.format(*values)}"]
        if self.chance(0.6):
            scope.parts += ['o["a"]', 'o["b"][1]']
            return [f'o = {{"a": {values[0]}, "b": ({values[1]}, {values[2]})}}']
        scope.parts += ["m[0][1]", "m[1]"]
        return [f"m = [({values[0]}, {values[1]}), {values[2]}]"]

    def unpack(self, scope: Scope) -> list[str]:
        targets = self.rng.sample(FLOATS, 3)
        for target in targets:
            self.defined(scope, target)
        sources = [*scope.sequences, *scope.vectors]
        if sources and self.chance(0.6):
            return [f"{', '.join(targets)} = {self.pick(sources)}"]
        values = [self.number(scope, 1) for _ in targets]
        return [f"{targets[0]}, ({targets[1]}, {targets[2]}) = {values[0]}, ({values[1]}, {values[2]})"]

    def flag(self, scope: Scope) -> list[str]:
        label = self.pick(("ok", "done"))
        line = f"{label} = {self.condition(scope)}"
        scope.flags += [label]
        return [line]

    def harmless(self, scope: Scope) -> list[str]:
        return [self.pick((f"assert {self.number(scope, 0)} < 1000.0", f'print("at", {self.index(scope)})', "pass"))]

    def branch(self, scope: Scope) -> list[str]:
        lines, kept = [], []
        for head in self.pick((("if",), ("if", "else"), ("if", "elif", "else"), ("if", "else"), ("if", "elif"))):
            test = "" if head == "else" else " " + self.condition(scope)
            inner = scope.inner(depth=scope.depth + 1)
            lines += [f"{head}{test}:", *self.indented(self.block(inner, self.pick((1, 1, 2, 3))))]
            kept.append(inner)
        if lines[-1] and ("else:" in lines or self.chance(0.15)):
            for label in kept[0].floats:
                if label not in scope.floats and all(label in k.floats for k in kept):
                    scope.floats.append(label)
        return lines

    def exit(self, scope: Scope) -> list[str]:
        leave = [self.result(scope)]
        if scope.loops:
            leave = self.pick((["break"], ["break"], ["continue"], leave))
        before = self.assign(scope.inner()) if self.chance(0.5) else []
        return [f"if {self.condition(scope)}:", *self.indented([*before, *leave])]

    def mode(self, scope: Scope) -> list[str]:
        head = self.pick(("no_grad()", "no_grad()", "no_grad()", "enable_grad()", "set_grad_enabled(False)"))
        inner = scope.inner(depth=scope.depth + 1, exits=scope.exits and self.chance(0.3))
        body = self.block(inner, self.pick((1, 2, 3)), scope)
        return [f"with {head}:", *self.indented(body)]

    def indented(self, lines: list[str]) -> list[str]:
        return ["    " + line for line in lines]

    # Loops

    def loop(self, scope: Scope) -> list[str]:
        inner = scope.inner(loops=scope.loops + 1, depth=scope.depth + 1, exits=True)
        if self.chance(0.22):
            return self.while_loop(scope, inner)
        header, sure = self.header(scope, inner)
        known_after = scope if self.chance(0.35) or sure and self.chance(0.5) else None
        body = self.block(inner, self.pick((1, 2, 3, 4)), known_after)
        return [header, *self.indented(body)]

    def header(self, scope: Scope, inner: Scope) -> tuple[str, bool]:
        i = "ijl"[scope.loops]
        if self.chance(0.5):
            over = ["range(3)", "range(1, 3)", "range(2, -1, -1)", "range(0, 3, 2)", "reversed(range(3))",
                    "range(-1, 2)", "[2, 0, 1]", "range(2, 0, -2)"]
            over += [f"range({k})" for k in scope.indices] + [f"range({k}, 3)" for k in scope.indices]
            over += [f"range(len({v}))" for v in scope.vectors]
            inner.indices.append(i)
            return f"for {i} in {self.pick(over)}:", True
        one, two = self.rng.sample(FLOATS, 2)
        sources = [*scope.vectors, *scope.sequences, f"[{self.number(scope, 1)}, {self.number(scope, 0)}, 0.3]",
                   f"({self.number(scope, 0)}, {self.number(scope, 1)})", "(0.5, -1.1, 0.8)"]
        sources += [f"{m}[{self.index(scope)}]" for m in scope.matrices]
        a, b = self.pick(sources), self.pick(sources)
        form = self.pick(("{a}", "{a}", "enumerate({a})", "zip({a}, {b})", "reversed({a})", "enumerate(zip({a}, {b}))",
                          "enumerate({a}, 1)"))
        if scope.matrices and self.chance(0.3):
            inner.vectors.append(self.pick(VECTORS))
            return f"for {inner.vectors[-1]} in {self.pick(scope.matrices)}:", True
        targets = {"{a}": one, "enumerate({a})": f"{i}, {one}", "zip({a}, {b})": f"{one}, {two}", "reversed({a})": one,
                   "enumerate(zip({a}, {b}))": f"{i}, ({one}, {two})", "enumerate({a}, 1)": f"_, {one}"}[form]
        if i in targets:
            inner.indices.append(i)
        for label in (one, two)[:1 + (two in targets)]:
            self.defined(inner, label)
        return f"for {targets} in {form.format(a=a, b=b)}:", True

    def while_loop(self, scope: Scope, inner: Scope) -> list[str]:
        self.counters += 1
        k = f"k{self.counters}"
        inner.indices.append(f"({k} % 3)" if self.chance(0.5) else f"({k} - 1)")
        body = self.block(inner, self.pick((1, 2, 3)), scope if self.chance(0.4) else None)
        test = self.pick((f"{k} < 3", f"{k} < 2", f"{k} < 3 and ({self.condition(scope)})", "True"))
        stop = [f"if {k} > 2:", "    break"] if test == "True" else []
        return [f"{k} = 0", f"while {test}:", *self.indented([*stop, f"{k} += 1", *body])]
