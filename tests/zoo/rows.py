"""How the rows of the zoo are written, and read: text blocks under a header line.

    #= name | kinds of x | flags
    #- before
    what stands at the top level of the module
    #- block
    statements over x (and the extra arguments) that compute y; they may be left out of the header's section line
    #- reference
    the same for the oracles, where `const(value)` freezes what must carry no derivative

Kinds: `float`, `vector`, `matrix`, `single` (a float32 vector). Flags: `scalar` (y is one number, otherwise it has
the shape of x), `real` (the primal doesn't run on complex numbers, or isn't analytic), `name=value` (one more
argument, an expression without spaces; it is differentiated too where it holds floats).
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

POSITIONS = ("straight", "branch", "loop", "callee")


@dataclass(frozen=True, eq=False)
class Construct:
    """One row: text by section, and what is known about it."""

    name: str
    kinds: tuple[str, ...]
    scalar: bool
    analytic: bool
    extra: tuple[tuple[str, str], ...]
    sections: dict[str, str]

    @property
    def names(self) -> str:
        """The parameters' names, as they stand in a signature and in a call."""
        return ", ".join(["x", *(name for name, _ in self.extra)])


def read(text: str) -> list[Construct]:
    """Read rows in the notation above."""
    constructs, section = [], "block"
    for line in textwrap.dedent(text).strip().splitlines():
        if line.startswith("#= "):
            constructs.append(_header(line[3:]))
            section = "block"
        elif line.startswith("#- "):
            section = line[3:].strip()
        else:
            sections = constructs[-1].sections
            sections[section] = sections.get(section, "") + line + "\n"
    return constructs


def _header(line: str) -> Construct:
    name, kinds, flags = ([part.strip() for part in line.split("|")] + [""])[:3]
    words = flags.split()
    unknown = {word for word in words if "=" not in word} - {"scalar", "real"}
    assert not unknown, f"unknown flags {unknown} of {name}"
    extra = tuple(tuple(word.split("=", 1)) for word in words if "=" in word)
    return Construct(name, tuple(kinds.split()), "scalar" in words, "real" not in words, extra, {})
