"""What can go wrong, one class each: a message names the place, what it is, and the remedy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where in the user's text something stands; lines and columns count from 1."""

    file: str
    line: int
    column: int = 1
    end_column: int | None = None
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def pointing(self) -> str:
        """The user's line with carets under the part that is meant."""
        bare = self.text.rstrip("\n")
        shift = len(bare) - len(bare.lstrip())
        start = max(self.column - 1 - shift, 0)
        stop = (self.end_column or self.column + 1) - 1 - shift
        return f"    {bare.strip()}\n    {' ' * start}{'^' * max(min(stop, len(bare.strip())) - start, 1)}"


class ADError(Exception):
    """The base of all errors that `ad_compiler` raises itself."""

    def __init__(self, what: str, remedy: str = "", place: Place | None = None) -> None:
        self.what = what
        self.remedy = remedy
        self.place = place
        super().__init__(self._message())

    def _message(self) -> str:
        lines = [f"{self.place}: {self.what}" if self.place else self.what]
        if self.place and self.place.text:
            lines.append(self.place.pointing())
        if self.remedy:
            lines.append(f"    remedy: {self.remedy}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self._message()

    def at(self, place: Place | None) -> ADError:
        """Give the error its place, unless it has one already."""
        if self.place is None and place is not None:
            self.place = place
            self.args = (self._message(),)
        return self


class UnsupportedError(ADError, SyntaxError):
    """A construct that can't be differentiated (yet); also a SyntaxError, with file, line, column and text."""

    def __init__(self, what: str, remedy: str = "", place: Place | None = None) -> None:
        ADError.__init__(self, what, remedy, place)
        self._fill()

    def _fill(self) -> None:
        if self.place is not None:
            self.msg = self.what
            self.filename, self.lineno, self.offset = self.place.file, self.place.line, self.place.column
            self.end_lineno, self.end_offset = self.place.line, self.place.end_column
            self.text = self.place.text

    def at(self, place: Place | None) -> ADError:
        ADError.at(self, place)
        self._fill()
        return self


class MissingRuleError(ADError):
    """A function without a derivative rule is given a value that carries a derivative."""


class SourceError(ADError):
    """A function whose text can't be found, or whose text isn't that of the live function."""


class SignatureError(ADError):
    """The kind of something decides what the program means, and isn't known."""


class InternalError(ADError):
    """The compiler contradicts itself: a fault of ours, never of the user's program."""
