"""Finds the text of a live function as a tree, and proves that it is this function's: it compiles to the same code.

Finding text by file name and line is a guess: the file may have been edited, a name like `<string>` may belong to
somebody else's text. The derivative of another function would be wrong silently, so what was found is compiled and
compared with the code object that runs. What a code object doesn't hold isn't proved: read default values, decorators
and annotations from the live function, not from the tree.
"""

from __future__ import annotations
import __future__

import ast
import copy
import functools
import linecache
import sys
import types
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import gast

from ad_compiler.errors import Place, SourceError

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

# Flags that change what text means; every code object carries those that it was compiled with.
_FUTURE = functools.reduce(
    lambda flags, name: flags | getattr(__future__, name).compiler_flag, __future__.all_feature_names, 0)

# *args, **kwargs, generator, coroutine, asynchronous generator: what else co_flags says follows from the text around.
_SHAPE = 0x04 | 0x08 | 0x20 | 0x80 | 0x200

# Far outside any file: marks one of several lambdas that begin on one line.
_SHIFT = 10_000_000

_REGISTER = "define it in a file, or register its text in `linecache.cache` under the file name it was compiled with"
_RELOAD = "save the file, import it again (`importlib.reload`) and define the function anew"


@dataclass(frozen=True, eq=False)
class Source:
    """A function's tree (gast; positions are those of its file) and the text around it."""

    tree: Any
    file: str
    lines: tuple[str, ...]
    first_line: int
    segment: str

    def place(self, node: Any = None) -> Place:
        """Where a node of the tree stands; the function itself for a node that was never written by anybody."""
        if getattr(node, "lineno", None) is None or getattr(node, "col_offset", None) is None:
            node = self.tree
        text = self.lines[node.lineno - 1] if 0 < node.lineno <= len(self.lines) else ""
        ends_here = node.end_lineno == node.lineno and node.end_col_offset is not None
        end = _characters(text, node.end_col_offset) if ends_here else len(text)
        return Place(self.file, node.lineno, _characters(text, node.col_offset) + 1, end + 1, text)


def find(function: types.FunctionType) -> Source:
    """Return the source of a function, method or lambda; decorators that wrap it are not looked through.

    Raises SourceError where there is no text, or where the text isn't that of the live function.
    """
    if isinstance(function, types.MethodType) and isinstance(function.__func__, types.FunctionType):
        function = function.__func__
    if not isinstance(function, types.FunctionType):
        _refuse_object(function)
    code = function.__code__
    problem: SourceError | None = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the user's text was warned about when it was imported
        for text in _texts(code.co_filename, function.__globals__):
            read = _read(text)
            if read is None:
                problem = _unreadable(code)
                continue
            matches = _matches(read, code, function.__globals__)
            if len(matches) == 1:
                return _source(matches[0], code.co_filename, read.lines)
            problem = _ambiguous(code, read.lines) if matches else _mismatch(code, read.lines)
    raise problem or _missing(code)


def _texts(file: str, namespace: dict[str, Any]) -> Iterator[str]:
    """The text as linecache remembers it, then, where the file has changed on disk, the present one."""
    # Through the module's attributes: doctest replaces `linecache.getlines` while it runs.
    remembered = "".join(linecache.getlines(file, namespace))
    if remembered:
        yield remembered
    linecache.checkcache(file)
    present = "".join(linecache.getlines(file, namespace))
    if present and present != remembered:
        yield present


@dataclass(frozen=True, eq=False)
class _Text:
    module: ast.Module
    lines: tuple[str, ...]
    imports: list[ast.stmt]
    raw: str


@functools.lru_cache(maxsize=8)
def _read(text: str) -> _Text | None:
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError):
        return None
    # Not str.splitlines, which knows more line ends (form feed, U+2028) than Python's grammar.
    lines = tuple(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    names = sorted(set(_imported(module.body)))
    aliases = [ast.alias(name=name, lineno=1, col_offset=0) for name in names]
    return _Text(module, lines, [ast.Import(names=aliases, lineno=1, col_offset=0)] if aliases else [], text)


def _imported(statements: list[Any]) -> Iterator[str]:
    """The names that a module's own statements import."""
    for statement in statements:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            yield from (a.asname or a.name.partition(".")[0] for a in statement.names if a.name != "*")
        elif not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for field in ("body", "orelse", "finalbody", "handlers", "cases"):
                blocks = getattr(statement, field, None)
                if isinstance(blocks, list):
                    yield from _imported(blocks)


def _matches(text: _Text, code: types.CodeType, namespace: dict[str, Any]) -> list[_Function]:
    """The functions in a text that compile to `code`: one, or those that nothing tells apart."""
    line = code.co_firstlineno
    statements = [s for s in text.module.body if _first_line(s) <= line <= (s.end_lineno or s.lineno)]
    found = [(s, i, node) for s in statements for i, node in enumerate(_candidates(s, code))]
    shift = _SHIFT if len(found) > 1 else 0
    moved = [(node, s, _moved(s, i, code) if shift else s) for s, i, node in found]
    same: list[tuple[_Function, types.CodeType]] = []
    for around in (_statement_alone, _whole_module):
        for node, statement, copied in moved:
            for module in _variants(around(text, statement, copied), text, namespace):
                compiled = next(_nested(_compile(module, code), code.co_name, line + shift), None)
                if compiled is not None and _same(code, compiled):
                    same.append((node, compiled))
                    break
        if same:
            break
    if len(same) > 1:  # equal lambdas on one line: their columns tell them apart
        same = [pair for pair in same if _positions(pair[1]) == _positions(code)] or same
    if len({ast.dump(node) for node, _ in same}) == 1:
        return [same[0][0]]
    return [node for node, _ in same]


def _first_line(node: ast.AST) -> int:
    """The first line of a statement as code objects count: that of the first decorator."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return decorators[0].lineno if decorators else int(getattr(node, "lineno", 0))


def _candidates(statement: ast.stmt, code: types.CodeType) -> list[_Function]:
    return [node for node in ast.walk(statement) if _first_line(node) == code.co_firstlineno and (
        isinstance(node, ast.Lambda) and code.co_name == "<lambda>"
        or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == code.co_name)]


def _moved(statement: ast.stmt, index: int, code: types.CodeType) -> ast.stmt:
    """A copy of a statement with one of its candidates on lines of its own, so that its code can be told."""
    statement = copy.deepcopy(statement)
    node = _candidates(statement, code)[index]
    # Lambdas among the defaults would come first on the new line; defaults change nothing in a function's own code.
    node.args.defaults = [ast.copy_location(ast.Constant(None), default) for default in node.args.defaults]
    node.args.kw_defaults = [d and ast.copy_location(ast.Constant(None), d) for d in node.args.kw_defaults]
    ast.increment_lineno(node, _SHIFT)
    return statement


def _statement_alone(text: _Text, statement: ast.stmt, moved: ast.stmt) -> ast.Module:
    """What should do: CPython compiles `name.method()` differently where the module imports the name."""
    return ast.Module(body=[*text.imports, moved], type_ignores=[])


def _whole_module(text: _Text, statement: ast.stmt, moved: ast.stmt) -> ast.Module:
    """What is tried before giving up; a large file takes some tenths of a second."""
    return ast.Module(body=[moved if s is statement else s for s in text.module.body], type_ignores=[])


def _variants(module: ast.Module, text: _Text, namespace: dict[str, Any]) -> Iterator[ast.Module]:
    """A module as it stands and, where pytest imported it, with its assertions as pytest compiles them."""
    yield module
    rewrite: Any = sys.modules.get("_pytest.assertion.rewrite")
    loader = namespace.get("__loader__")
    if rewrite is not None and isinstance(loader, rewrite.AssertionRewritingHook):
        module = copy.deepcopy(module)
        rewrite.rewrite_asserts(module, text.raw.encode(), namespace.get("__file__"), loader.config)
        yield module


def _compile(module: ast.Module, code: types.CodeType) -> types.CodeType | None:
    # Notebooks allow `await` outside functions; the flag changes nothing inside them.
    flags = code.co_flags & _FUTURE | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        compiled: types.CodeType = compile(module, code.co_filename, "exec", flags=flags, dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
    return compiled


def _nested(code: types.CodeType | None, name: str, line: int) -> Iterator[types.CodeType]:
    """The code objects of a name and line inside another one, outermost first."""
    for constant in code.co_consts if code else ():
        if isinstance(constant, types.CodeType):
            if constant.co_name == name and constant.co_firstlineno == line:
                yield constant
            yield from _nested(constant, name, line)


def _same(live: types.CodeType, found: types.CodeType) -> bool:
    """Whether two code objects do the same, wherever they stand."""
    # `co_code` is without the specialisations and instrumentation of a running interpreter.
    return (
        live.co_code == found.co_code
        and live.co_exceptiontable == found.co_exceptiontable
        and live.co_name == found.co_name
        and live.co_names == found.co_names
        and live.co_varnames == found.co_varnames
        and live.co_freevars == found.co_freevars
        and live.co_cellvars == found.co_cellvars
        and live.co_argcount == found.co_argcount
        and live.co_posonlyargcount == found.co_posonlyargcount
        and live.co_kwonlyargcount == found.co_kwonlyargcount
        and live.co_flags & _SHAPE == found.co_flags & _SHAPE
        and _same_constants(live.co_consts, found.co_consts))


def _same_constants(live: tuple[object, ...], found: tuple[object, ...]) -> bool:
    return len(live) == len(found) and all(map(_same_constant, live, found))


def _same_constant(live: object, found: object) -> bool:
    if type(live) is not type(found):
        return False
    if isinstance(live, types.CodeType) and isinstance(found, types.CodeType):
        return _same(live, found)
    if isinstance(live, tuple) and isinstance(found, tuple):
        return _same_constants(live, found)
    if isinstance(live, frozenset) and isinstance(found, frozenset):
        return sorted(map(repr, live)) == sorted(map(repr, found))
    return repr(live) == repr(found)  # -0.0 is not 0.0, and nan is nan


def _positions(code: types.CodeType) -> list[tuple[int | None, ...]]:
    first = code.co_firstlineno
    return [(None if line is None else line - first, *columns) for line, _, *columns in code.co_positions()]


def _source(node: _Function, file: str, lines: tuple[str, ...]) -> Source:
    return Source(gast.ast_to_gast(node), file, lines, node.lineno, _segment(node, lines))


def _segment(node: _Function, lines: tuple[str, ...]) -> str:
    """The function's own text without decorators; a `def` stands in column 0 where that changes no string."""
    last = node.end_lineno or node.lineno
    mine = list(lines[node.lineno - 1:last])
    start, end = _characters(mine[0], node.col_offset), _characters(mine[-1], node.end_col_offset or 0)
    mine[-1] = mine[-1][:end]
    indent = mine[0][:start]
    if isinstance(node, ast.Lambda):
        mine[0] = mine[0][start:]
    elif all(line.startswith(indent) or not line.strip() for line in mine) and not _multiline_strings(node):
        mine = [line[len(indent):] for line in mine]
    return "\n".join(mine)


def _multiline_strings(node: _Function) -> bool:
    """Whether a string over several lines, other than the docstring, would change if lines were shifted."""
    first = node.body[0] if isinstance(node.body, list) else None
    docstring = first.value if isinstance(first, ast.Expr) else None
    return any(isinstance(n, (ast.Constant, ast.JoinedStr)) and n.end_lineno != n.lineno
               for n in ast.walk(node) if n is not docstring)


def _characters(line: str, offset: int) -> int:
    """A column of a tree, which counts bytes of UTF-8, as a number of characters."""
    return offset if line.isascii() else len(line.encode()[:offset].decode(errors="ignore"))


# What can go wrong. Each message says what is missing, and what helps.

def _refuse_object(thing: Any) -> NoReturn:
    name = getattr(thing, "__qualname__", None) or getattr(thing, "__name__", None) or type(thing).__name__
    if isinstance(thing, type):
        raise SourceError(f"`{name}` is a class, not a function",
                          "pass one of its methods, or `lambda x: ...` around it")
    if isinstance(thing, (types.BuiltinFunctionType, types.MethodWrapperType, types.WrapperDescriptorType,
                          types.MethodDescriptorType, types.ClassMethodDescriptorType)):
        raise SourceError(f"`{name}` is built in (written in C), so it has no Python source",
                          f"write a Python function that calls it: `lambda x: {name}(x)`")
    raise SourceError(f"`{name}` is a `{type(thing).__name__}`, not a function written in Python",
                      "write a Python function that calls it, and pass that")


def _called(code: types.CodeType) -> str:
    return "this lambda" if code.co_name == "<lambda>" else f"`{code.co_qualname}`"


def _error(code: types.CodeType, lines: tuple[str, ...], what: str, remedy: str) -> SourceError:
    line = code.co_firstlineno
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    column = len(text) - len(text.lstrip()) + 1
    return SourceError(what, remedy, Place(code.co_filename, line, column, len(text.rstrip()) + 1, text))


def _missing(code: types.CodeType) -> SourceError:
    file = code.co_filename
    if file.startswith("<frozen"):
        return _error(code, (), f"{_called(code)} belongs to a frozen module, whose text isn't at hand",
                      "write a function of your own that does the same")
    if file == "<stdin>":
        return _error(code, (), f"{_called(code)} was typed at the prompt or piped in, and its text wasn't kept",
                      "define it in a file or in a notebook")
    if file.startswith("<") and file.endswith(">"):
        return _error(code, (), f"{_called(code)} was made by `python -c`, `exec` or `eval`, which keep no text",
                      _REGISTER)
    return _error(code, (), f"the file of {_called(code)} isn't there or can't be read",
                  "put the .py file where it was when it was imported or compiled")


def _unreadable(code: types.CodeType) -> SourceError:
    return _error(code, (), f"the text around {_called(code)} can't be parsed: it has changed since it was imported",
                  _RELOAD)


def _mismatch(code: types.CodeType, lines: tuple[str, ...]) -> SourceError:
    file = code.co_filename
    if file.startswith("<") and file.endswith(">"):
        return _error(code, lines, f"the text known as {file} isn't that of {_called(code)}, but of something else",
                      f"compile each text under a name of its own; {_REGISTER}")
    return _error(code, lines, f"the text of {_called(code)} isn't what the function was compiled from: the file has "
                  "changed since it was imported, or something rewrote the code", _RELOAD)


def _ambiguous(code: types.CodeType, lines: tuple[str, ...]) -> SourceError:
    return _error(code, lines, f"several functions on this line could be {_called(code)}, and its code has no columns "
                  "to tell", "write them on lines of their own, or run Python without `-X no_debug_ranges`")
