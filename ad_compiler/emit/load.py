"""Generated text becomes live functions, whose lines tracebacks, pdb and inspect.getsource can show."""

from __future__ import annotations

import hashlib
import linecache
from collections.abc import Mapping
from types import CodeType
from typing import Any

_codes: dict[str, CodeType] = {}


def compiled(text: str, label: str) -> CodeType:
    """The code of a module's text, under a file name of its own that linecache knows; once for each text."""
    known = _codes.get(text)
    if known is None:
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        file = f"<gradient of {label}, {digest}>"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        known = _codes[text] = compile(text, file, "exec")
    return known


def loaded(text: str, label: str, objects: Mapping[str, Any]) -> dict[str, Any]:
    """The namespace of a module, with the user's own functions and classes put into it."""
    space: dict[str, Any] = {"__name__": f"gradient_of_{label}", **objects}
    exec(compiled(text, label), space)
    return space
