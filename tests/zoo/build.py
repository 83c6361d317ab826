"""Every case of the zoo: text of a module, example arguments, oracle; written to real files and imported from there."""

from __future__ import annotations

import importlib.util
import re
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np

from . import arrays, constructs, loops, targets, values
from .rows import POSITIONS, Construct

# Two points a kind: the sum of the first is above 0.5, that of the second below, so that both branches run.
POINTS = {
    "float": (0.9, -0.4),
    "vector": (np.array([0.8, -0.5, 1.3, 0.4]), np.array([-0.3, 0.25, -0.95, 0.55])),
    "matrix": (np.array([[0.8, -0.5], [1.3, 0.4], [-0.7, 0.3]]), np.array([[0.2, -0.6], [0.9, -1.1], [0.35, -0.45]])),
}
POINTS["single"] = tuple(point.astype(np.float32) for point in POINTS["vector"])

IMPORTS = (
    ("np", "import numpy as np"), ("math", "import math"), ("functools", "import functools"),
    *((name, f"from ad_compiler import {name}") for name in (
        "no_grad", "enable_grad", "set_grad_enabled", "detach")),
)


@dataclass(frozen=True)
class Case:
    """A construct for one kind of x, in one position."""

    construct: Construct
    kind: str
    position: str

    @property
    def name(self) -> str:
        """The test's id: `early-return-vector-loop`."""
        return "-".join([re.sub(r"\W+", "-", self.construct.name), self.kind, self.position])

    @property
    def points(self) -> list[tuple]:
        """Example arguments; the position "branch" has one tuple for each side."""
        xs = POINTS[self.kind] if self.position == "branch" else POINTS[self.kind][:1]
        return [(x, *self._extra()) for x in xs]

    @property
    def argnums(self) -> tuple[int, ...]:
        """Which arguments are differentiated: x, and all others that hold floats."""
        return tuple(i for i, arg in enumerate(self.points[0]) if not isinstance(arg, int))

    def _extra(self) -> list[object]:
        return [eval(text, {"np": np}) for _, text in self.construct.extra]


ALL = constructs.CONSTRUCTS + loops.CONSTRUCTS + values.CONSTRUCTS + arrays.CONSTRUCTS + targets.TARGETS
CASES = [Case(c, kind, position) for c in ALL for kind in c.kinds for position in POSITIONS]


def text(case: Case) -> str:
    """The module of a case; its `f` is to be differentiated."""
    return _with_imports(_module(case, case.construct.sections.get("block", "")))


def reference_text(case: Case) -> str:
    """The module that the oracles differentiate: what carries no derivative stands in `const(...)`."""
    return _with_imports(_module(case, case.construct.sections["reference"]))


def load(case: Case, directory: Path) -> ModuleType:
    """The module of a case, imported from a file."""
    return _load(case.name, text(case), directory, {})


def load_reference(case: Case, directory: Path) -> ModuleType:
    """The module for the oracles; its `const` is a `Frozen`."""
    if "reference" in case.construct.sections:
        return _load(case.name + "-reference", reference_text(case), directory, {"const": Frozen()})
    return _load(case.name, text(case), directory, {})


class Frozen:
    """Replays, call by call, the values that it saw while recording: so they stay constant when x is perturbed."""

    def __init__(self) -> None:
        self.values: list[object] = []
        self.position: int | None = None

    def __call__(self, value: object) -> object:
        if self.position is None:
            self.values.append(value)
            return value
        self.position += 1
        return self.values[self.position - 1]

    def record(self) -> None:
        self.values, self.position = [], None

    def replay(self) -> None:
        self.position = 0


def _module(case: Case, block: str) -> str:
    construct = case.construct
    if case.position in construct.sections:
        return construct.sections[case.position]
    if "module" in construct.sections:
        return _target_module(case, block)
    names, before = construct.names, construct.sections.get("before", "")
    parts = [before, "", ""] if before else []
    if case.position == "callee":
        parts.append(f"def g({names}):\n{_indent(block)}    return y\n\n")
    return "\n".join([*parts, f"def f({names}):\n{_indent(_body(case, block, 'g'))}"])


def _target_module(case: Case, block: str) -> str:
    template = case.construct.sections["module"]
    if case.position != "callee":
        return _fill(template, _body(case, block, "")) + "f = target\n"
    called = _fill(template, block + "return y\n")
    return f"{called}\n\ndef f(x):\n{_indent(_body(case, block, 'target'))}"


def _body(case: Case, block: str, callee: str) -> str:
    """The statements of f: the block in its position, and the result as a number."""
    construct, arguments = case.construct, ", ".join(["", *(name for name, _ in case.construct.extra)])
    number = construct.scalar or case.kind == "float"
    result = "return y\n" if number else "return np.sum(y * y)\n"
    total = "x" if case.kind == "float" else "np.sum(x)"
    if case.position == "straight":
        return block + result
    if case.position == "branch":
        other = f"y = {total if number else 'x'} * 0.5\n"
        return f"if {total} > 0.5:\n{_indent(block)}else:\n{_indent(other)}{result}"
    if case.position == "loop":
        mixed = "return x\n" if case.kind == "float" else "return np.sum(x * x)\n"
        return f"for k in range(3):\n{_indent(block)}    x = 0.5 * x + y * (1.0 + y * y) ** -0.5\n{mixed}"
    again = f"v = {callee}(0.5 * x + u * (1.0 + u * u) ** -0.5{arguments})\n"
    return f"u = {callee}(x{arguments})\n{again}y = u * v + v\n{result}"


def _fill(template: str, body: str) -> str:
    lines = []
    for line in template.splitlines():
        before, found, _ = line.partition("<body>")
        lines += textwrap.indent(body, before).splitlines() if found else [line]
    return "\n".join(lines) + "\n"


def _indent(block: str) -> str:
    return textwrap.indent(block, "    ")


def _with_imports(module: str) -> str:
    imports = [line for mark, line in IMPORTS if re.search(rf"(?<![\w.]){re.escape(mark)}(?!\w)", module)]
    return "\n".join([*imports, "", "", module])


_loaded: dict[Path, ModuleType] = {}


def _load(name: str, content: str, directory: Path, given: dict[str, object]) -> ModuleType:
    path = directory / f"{name.replace('-', '_')}.py"
    if path not in _loaded:
        path.write_text(content)
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        vars(module).update(given)
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)
        _loaded[path] = module
    return _loaded[path]
