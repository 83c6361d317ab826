"""The command line: `ad-compiler emit`, `check` and `rules`; the same as `python -m ad_compiler`."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import hashlib
import importlib
import importlib.util
import inspect
import os
import shlex
import sys
import tempfile
import traceback
import types
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import __version__
from .analysis.signature import parse_signature
from .api import gradient_source
from .calling import Subject, subject
from .errors import ADError, InternalError, SignatureError
from .frontend.source import find
from .listing import listed, rules_named
from .testing import compare

DONE, FINDING, USAGE, REFUSED, INTERNAL = 0, 1, 2, 3, 70

TARGET_HELP = "package.module:function, package.module:Class.method or path/file.py:function; it is imported"
EPILOG = """exit codes: 0 done; 1 a finding (a stale file, derivatives that disagree, no such rule); 2 usage, or a
target that can't be loaded; 3 not differentiable, or the signature must be given; 70 an internal error"""


class UsageError(Exception):
    """What the user gave can't be used: exit code 2."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, and return its exit code; errors are printed as `file:line:col: message` to stderr.

    >>> main(["rules", "np.sin"])
    y = np.sin(x)
        elementwise: acts element by element, with broadcasting
        x    g * np.cos(x)
        cases    R; C
    0
    """
    parser = _parser()
    try:
        options = parser.parse_args(arguments)
    except SystemExit as stop:  # argparse has printed help, version or an error
        return stop.code if isinstance(stop.code, int) else USAGE
    try:
        return int(options.run(options))
    except UsageError as error:
        print(f"ad-compiler: {error}", file=sys.stderr)
        return USAGE
    except InternalError:
        traceback.print_exc()
        return INTERNAL
    except ADError as error:
        print(_diagnostic(error, getattr(options, "found", None)), file=sys.stderr)
        return REFUSED
    except BrokenPipeError:  # the reader of our output has gone: `ad-compiler rules | head`
        sys.stdout = open(os.devnull, "w")
        return DONE
    except Exception:
        traceback.print_exc()
        print("ad-compiler: an internal error; please report it with the text above", file=sys.stderr)
        return INTERNAL


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ad-compiler", epilog=EPILOG, description="Gradients of plain Python and "
                                     "NumPy functions, as plain Python and NumPy source.")
    parser.add_argument("--version", action="version", version=f"ad-compiler {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    emit = commands.add_parser("emit", help="write the source of a gradient", epilog=EPILOG,
                               description="Write the source of a function's gradient. The target is imported: its "
                                           "module runs. The text belongs to you without condition.")
    emit.add_argument("target", metavar="TARGET", help=TARGET_HELP)
    emit.add_argument("--wrt", metavar="w,b", help="arguments to differentiate by (the first one)")
    emit.add_argument("--mode", choices=["reverse"], default="reverse", help="reverse mode, which is the default")
    emit.add_argument("--value", action="store_true", help="return the value, too: (value, gradients)")
    emit.add_argument("--like", metavar="SIGNATURE", help='kinds of the arguments: "w: f8[d], x: f8[n, d], n: int"')
    emit.add_argument("-o", dest="output", metavar="FILE", help="write to FILE, at once or not at all; else to stdout")
    emit.add_argument("--check", action="store_true", help="write nothing; exit with 1 and a diff where FILE is stale")
    emit.set_defaults(run=_emit)

    check = commands.add_parser("check", help="compare derivatives with central differences", epilog=EPILOG,
                                description="Compare derivatives with central differences. The target is imported: its "
                                            "module runs; and the text of --at is evaluated as Python, with "
                                            "the names of the target's module and np.")
    check.add_argument("target", metavar="TARGET", help=TARGET_HELP)
    check.add_argument("--wrt", metavar="w,b", help="arguments to differentiate by (the first one)")
    check.add_argument("--at", required=True, metavar='"w=np.ones(3), n=4"', help="the arguments; evaluated as Python")
    check.set_defaults(run=_check)

    rules = commands.add_parser("rules", help="list what is supported, or show a rule", epilog=EPILOG,
                                description="List the functions, methods and operators that have derivative rules, or "
                                            "show the rules of one: np.sin, sin, x.T, '*', math.sin, np.linalg.solve.")
    rules.add_argument("name", metavar="NAME", nargs="?", help="a function, method, attribute or operator")
    rules.set_defaults(run=_rules)
    return parser


# emit

def _emit(options: argparse.Namespace) -> int:
    if options.check and not options.output:
        raise UsageError("--check compares with a file: name it with -o FILE")
    found = options.found = load(options.target)
    wrt = _wanted(found, options.wrt)
    _check_signature(found, options.like)
    text = gradient_source(found.function, wrt=wrt, mode=options.mode, value=options.value, like=options.like,
                           header=header(found, options))
    if options.check:
        return _compare_file(Path(options.output), text)
    if options.output:
        write(Path(options.output), text)
    else:
        sys.stdout.write(text)
    return DONE


def header(found: Target, options: argparse.Namespace) -> str:
    """Comments that name the target, the hash of its source, and the command that makes the text again."""
    digest = hashlib.sha256(find(found.subject.function).segment.encode()).hexdigest()[:16]
    words = ["ad-compiler", "emit", found.name]
    if options.wrt:
        words += ["--wrt", options.wrt]
    if options.value:
        words.append("--value")
    if options.like:
        words += ["--like", " ".join(options.like.split())]
    return (f"# The gradient of {found.name}, made by ad_compiler {__version__}. Don't edit: change it, and run\n"
            f"#     {shlex.join(words)}\n"
            f"# Source: sha256 {digest}\n"
            "# This text, its helper functions included, belongs to its user without condition.")


def write(path: Path, text: str) -> None:
    """Write a file at once: whoever reads it sees the old text or the new one, never a part."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise UsageError(f"can't write {path}: {error.strerror}") from None
    try:
        with open(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
        os.chmod(name, mode)
        os.replace(name, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise UsageError(f"can't write {path}: {error.strerror}") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _compare_file(path: Path, text: str) -> int:
    try:
        present = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        present = ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"can't read {path}: {error}") from None
    if present == text:
        return DONE
    lines = difflib.unified_diff(present.splitlines(keepends=True), text.splitlines(keepends=True), f"{path} (stale)",
                                 f"{path} (as it would be emitted)")
    sys.stderr.writelines(line if line.endswith("\n") else line + "\n" for line in lines)
    return FINDING


# check

def _check(options: argparse.Namespace) -> int:
    found = options.found = load(options.target)
    wrt = _wanted(found, options.wrt)
    with contextlib.redirect_stdout(sys.stderr):
        try:
            given = eval(f"dict({options.at}\n)", {"np": np, **vars(found.module)})  # noqa: S307 (the help says so)
        except Exception as error:
            raise UsageError(f"--at {options.at!r} can't be evaluated: {type(error).__name__}: {error}") from None
        try:
            bound = _bind(found.subject, given)
        except TypeError as error:
            raise UsageError(f"--at doesn't fit {found.name}: {error}") from None
        bound.apply_defaults()
        try:
            count = compare(found.function, dict(bound.arguments), wrt)
        except AssertionError as error:
            place = find(found.subject.function).place()
            print(f"{place}: {error}", file=sys.stderr)
            return FINDING
        except TypeError as error:
            if error.__traceback__ is not None and _from_user(error):
                raise
            raise UsageError(str(error)) from None
    names = wrt if isinstance(wrt, str) else ", ".join(wrt)
    print(f"{found.name}: {count} derivative{'s' * (count != 1)} by {names} agree{'s' * (count == 1)} with central "
          "differences", file=sys.stderr)
    return DONE


def _bind(s: Subject, given: dict[str, Any]) -> inspect.BoundArguments:
    """Arguments by name, also those of parameters that are positional only."""
    named = [p if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) else p.replace(kind=p.KEYWORD_ONLY)
             for p in s.signature.parameters.values()]
    arguments = inspect.Signature(sorted(named, key=lambda p: p.kind)).bind(**given).arguments
    return inspect.BoundArguments(s.signature, {p: arguments[p] for p in s.params if p in arguments})


# rules

def _rules(options: argparse.Namespace) -> int:
    if options.name is None:
        print(listed())
        return DONE
    texts, near = rules_named(options.name)
    if not texts:
        print(f"ad-compiler: there is no rule for {options.name}" + (f"; near: {', '.join(near)}" if near else ""),
              file=sys.stderr)
        return FINDING
    print("\n\n".join(texts))
    return DONE


# Targets

@dataclass(frozen=True)
class Target:
    """A function that was named on the command line."""

    name: str  # as in the header: without absolute paths
    module: types.ModuleType
    function: Any
    subject: Subject
    method: bool  # a plain function of a class, whose first parameter is the object


def load(target: str) -> Target:
    """Import what a target names."""
    place, colon, dotted = target.rpartition(":")
    if not colon or not dotted or not place:
        raise UsageError(f"TARGET {target!r} has no function: write package.module:function or path/file.py:function")
    try:
        with contextlib.redirect_stdout(sys.stderr):  # what a module prints doesn't belong into the text
            module = _module(place)
    except UsageError:
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        raise UsageError(f"can't import {place}: {type(error).__name__}: {error}") from None
    value: Any = module
    owner: Any = None
    for part in dotted.split("."):
        owner = value
        try:
            value = getattr(value, part)
        except AttributeError:
            names = difflib.get_close_matches(part, [n for n in dir(owner) if not n.startswith("_")])
            near = f"; near: {', '.join(names)}" if names else ""
            raise UsageError(f"{place} has no {dotted}{near}") from None
    if not callable(value):
        raise UsageError(f"{target} isn't a function but a {type(value).__name__}")
    method = isinstance(owner, type) and inspect.isfunction(inspect.getattr_static(owner, dotted.split(".")[-1]))
    return Target(f"{_relative(place)}:{dotted}", module, value, subject(value), method)


def _module(place: str) -> types.ModuleType:
    if not place.endswith(".py"):
        sys.path.insert(0, os.getcwd())
        return importlib.import_module(place)
    path = Path(place)
    if not path.is_file():
        raise UsageError(f"there is no file {place}")
    sys.path.insert(0, str(path.resolve().parent))
    known = sys.modules.get(path.stem)
    if known is not None and Path(getattr(known, "__file__", None) or ".").resolve() == path.resolve():
        return known
    name = path.stem if known is None else f"{path.stem}_of_file"
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    if spec is None or spec.loader is None:
        raise UsageError(f"{place} isn't a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _relative(place: str) -> str:
    """A path without what belongs to this machine."""
    if not place.endswith(".py"):
        return place
    path = Path(place)
    if path.is_absolute():
        path = path.relative_to(os.getcwd()) if path.is_relative_to(os.getcwd()) else Path(path.name)
    return path.as_posix()


def _wanted(found: Target, wrt: str | None) -> tuple[str, ...] | str:
    """The arguments to differentiate by: one name or, for several, a tuple."""
    params = found.subject.params
    if wrt is None:
        rest = params[1:] if found.method else params
        if not rest:
            raise UsageError(f"{found.name} has no argument to differentiate by")
        return rest[0]
    names = tuple(n.strip() for n in wrt.split(","))
    for n in names:
        if n not in params:
            raise UsageError(f"--wrt {wrt}: {found.name} has no argument {n!r}; it has {', '.join(params) or 'none'}")
    if len(set(names)) != len(names):
        raise UsageError(f"--wrt {wrt} names an argument twice")
    return names if len(names) > 1 else names[0]


def _check_signature(found: Target, like: str | None) -> None:
    if like is None:
        return
    try:
        unknown = [n for n in parse_signature(like) if n not in found.subject.params]
    except SignatureError as error:
        raise UsageError(f"--like: {error}") from None
    if unknown:
        raise UsageError(f"--like: {found.name} has no argument {unknown[0]!r}; it has "
                         f"{', '.join(found.subject.params) or 'none'}")


def _diagnostic(error: ADError, found: Target | None) -> str:
    """An error with its place, or with that of the function."""
    if error.place is None and found is not None:
        with contextlib.suppress(ADError):
            error.at(find(found.subject.function).place())
    return str(error) if error.place is not None else f"ad-compiler: {error}"


def _from_user(error: BaseException) -> bool:
    """Whether an exception was raised in code that isn't ours."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and Path(frames[-1].filename).parent != Path(__file__).parent


