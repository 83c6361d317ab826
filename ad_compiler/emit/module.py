"""A module of derivative programs: the names at its top level, its imports, helpers and pasted functions, its text."""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import math
import textwrap
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import gast
import numpy as np

from .. import modes, support
from ..analysis.unset import unset_names
from ..errors import SourceError
from ..frontend.normalize import is_merge
from ..frontend.resolve import Scope
from ..frontend.source import find
from ..program import Data, Fixed, Function, Meaning, all_statements
from ..syntax import Tree, at, constant, name, rebuilt, substitute, target, walk, writes
from . import printer
from .coalesce import final_names
from .spell import Speller

PSEUDO = {"@save", "@load", "@stack", "@add_at", "@np_add_at", "@backward", "@forward"}
PRELUDE = {"@np": np, "@math": math}


@dataclass
class Module:
    """Top-level names of one generated module: what each stands for, and how it comes to be there."""

    functions: list[Function]
    constants: Mapping[str, Mapping[str, str]]  # for each function: why a name carries no derivative
    standalone: bool
    names: dict[str, Any] = field(default_factory=dict)  # final name -> what it stands for
    imports: dict[str, str] = field(default_factory=dict)
    pasted: dict[str, str] = field(default_factory=dict)
    literals: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Data] = field(default_factory=dict)  # arrays and instances, in a standalone file
    data: dict[str, Data] = field(default_factory=dict)  # in memory: read anew at each call
    objects: dict[str, Any] = field(default_factory=dict)  # in memory: functions and classes put into the namespace
    users: set[str] = field(default_factory=set)
    free: dict[str, list[str]] = field(default_factory=dict)

    def text(self, header: str) -> str:
        """The module as text."""
        self.users = {n for f in self.functions for n in f.names.base if n not in f.meanings}
        self.users |= {p for f in self.functions for p in f.params}
        for f in self.functions:  # the user's own names come first
            for identifier in self._free(f):
                if not identifier.startswith("@") and isinstance(f.meanings[identifier], Fixed):
                    self._outer(identifier, f.meanings[identifier])
        labels = {f.name for f in self.functions}
        needs = self._needs(labels)
        bodies = [self._function(f, labels, needs) for f in self.functions]
        parts = [header.rstrip()] if header else []
        if self.imports:
            parts.append("\n".join(sorted(self.imports.values(), key=lambda t: (t.startswith("from"), t))))
        if self.literals:
            parts.append("\n".join(f"{n} = {v}" for n, v in self.literals.items()))
        parts += [*self.pasted.values(), *bodies]
        return "\n\n\n".join(parts).replace("\n\n\n", "\n\n", 1 if header and self.imports else 0) + "\n"

    def _needs(self, labels: set[str]) -> dict[str, list[str]]:
        """Arrays and instances that each function must be given: those that it reads, and those that it passes on."""
        needs: dict[str, set[str]] = {}
        for f in self.functions:
            found = {i: self._outer(i, f.meanings[i]) for i in self._free(f) if not i.startswith("@")}
            needs[f.name] = {label for label in found.values() if label in self.parameters}
        size = -1
        while size != sum(map(len, needs.values())):
            size = sum(map(len, needs.values()))
            for f in self.functions:
                needs[f.name] |= {n for i in self._free(f) if i[1:] in labels and i[0] == "@" for n in needs[i[1:]]}
        return {label: sorted(found) for label, found in needs.items()}

    def _function(self, f: Function, labels: set[str], needs: Mapping[str, list[str]]) -> str:
        free: dict[str, str] = {}
        for identifier in self._free(f):
            if identifier.startswith("@"):
                free[identifier] = self._own(identifier, labels)
            elif identifier in f.meanings:
                free[identifier] = self._outer(identifier, f.meanings[identifier])
        f, named = _settled(f, set(free.values()) | labels | set(needs[f.name]))
        final = {**named, **free}
        params = [_parameter(p, final.get(p, p), f) for p in f.params]
        if needs[f.name]:
            params += ["*", *needs[f.name]]
        given = {"@" + label: wanted for label, wanted in needs.items() if wanted}
        passing = f.with_body([_passing(s, given) for s in f.body]) if given else f
        speller = Speller(passing, final, self.constants.get(f.name, {}))
        return "\n".join(speller.function(f.name, ", ".join(params)))

    def _free(self, f: Function) -> list[str]:
        """The free names of a function, ours and the user's, in order."""
        if f.name in self.free:
            return self.free[f.name]
        found: dict[str, None] = {}
        for tree in [*f.body, f.result]:
            for node in walk(tree):
                if isinstance(node, gast.Name) and isinstance(node.ctx, gast.Load) and (
                        node.id.startswith("@") or node.id in f.meanings) and node.id not in PSEUDO:
                    found[node.id] = None
                if isinstance(node, gast.Call) and isinstance(node.func, gast.Name) and node.func.id == "@np_add_at":
                    found["@np"] = None
        self.free[f.name] = list(found)
        return self.free[f.name]

    # Names

    def _take(self, wanted: str, value: Any, ours: bool) -> str:
        """A top-level name for a value: the wanted one, unless it stands for something else."""
        label, count = wanted, 1
        while (label in self.names and self.names[label] is not value) or (ours and label in self.users and
                                                                           self.names.get(label) is not value):
            count += 1
            label = f"{wanted}_{count}"
        self.names[label] = value
        return label

    def _own(self, identifier: str, labels: set[str]) -> str:
        """A name of ours: NumPy, a helper, another derivative."""
        bare = identifier[1:]
        if identifier in PRELUDE:
            for known, value in self.names.items():
                if value is PRELUDE[identifier]:
                    return known
            return self._import(bare, PRELUDE[identifier], ours=True)
        if bare in labels:
            return bare
        helper = getattr(support, bare)
        return self._paste_helper(helper) if self.standalone else self._import(bare, helper, ours=True)

    def _import(self, wanted: str, value: Any, ours: bool) -> str:
        label = self._take(wanted, value, ours)
        if isinstance(value, types.ModuleType):
            path = value.__name__
            self.imports[label] = f"import {path}" if path == label else f"import {path} as {label}"
        else:
            home = "ad_compiler.support" if (value.__module__ or "").startswith("ad_compiler.support") else _home(value)
            own = value.__name__
            self.imports[label] = f"from {home} import {own}" + ("" if own == label else f" as {label}")
        return label

    def _paste_helper(self, helper: Any) -> str:
        label = self._take(helper.__name__, helper, ours=True)
        if label not in self.pasted:
            text = textwrap.dedent(inspect.getsource(helper)).rstrip()
            self.pasted[label] = ""
            tree = gast.parse(text).body[0]
            for inner in dict.fromkeys(n.id for n in walk(tree) if isinstance(n, gast.Name)):
                value = helper.__globals__.get(inner)
                if isinstance(value, types.FunctionType) and value is not helper:
                    self._paste_helper(value)
                elif isinstance(value, types.ModuleType):
                    self._import(inner, value, ours=False)
            if label != helper.__name__:
                text = text.replace(f"def {helper.__name__}(", f"def {label}(", 1)
            del self.pasted[label]
            self.pasted[label] = _unannotated(text)
        return label

    def _outer(self, identifier: str, meaning: Meaning) -> str:
        """A free name of the user's."""
        if isinstance(meaning, Data):
            return self._data(identifier, meaning)
        if isinstance(meaning, Fixed) and self.standalone and isinstance(meaning.value, functools.partial):
            return self._partial(identifier, meaning.value)
        if isinstance(meaning, Fixed) and self.standalone and not hasattr(meaning.value, "__name__"):
            value = meaning.value  # an object that can be called: it is a parameter of the file's functions
            return self._data(identifier, Data(identifier, lambda: value, id(value)))
        if not isinstance(meaning, Fixed) or getattr(builtins, identifier, None) is meaning.value:
            return identifier
        value = meaning.value
        if isinstance(value, types.ModuleType) and (self.standalone or value in (np, math)):
            return self._import(identifier, value, ours=False)
        if not self.standalone:
            label = self._take(identifier, value, ours=False)
            self.objects[label] = value
            return label
        if isinstance(value, types.FunctionType) and not _library(value):
            return self._paste(identifier, value)
        return self._import_as(identifier, value)

    def _import_as(self, identifier: str, value: Any) -> str:
        label = self._take(identifier, value, ours=False)
        own = getattr(value, "__name__", None)
        home = _home(value)
        if own is None or home is None:
            raise SourceError(f"{identifier} is an object that a standalone file can't hold",
                              "pass it as an argument, or use the gradient in memory")
        self.imports[label] = f"from {home} import {own}" + ("" if own == label else f" as {label}")
        return label

    def _data(self, identifier: str, meaning: Data) -> str:
        """Data of the user's; an instance has the name that the differentiated function has for it, not `self`."""
        value = meaning.read()
        if meaning.owner == id(value):
            for other, m in ((o, m) for f in reversed(self.functions) for o, m in f.meanings.items()):
                if other != identifier and getattr(m, "value", None) is value or \
                        isinstance(m, Data) and m.read() is value:
                    identifier, meaning = other, Data(other, meaning.read, id(value))
                    break
        key = (meaning.name, meaning.owner)
        label, count = identifier, 1
        while label in self.names and self.names[label] != key:
            count += 1
            label = f"{identifier}_{count}"
        self.names[label] = key
        if not self.standalone:
            self.data[label] = meaning
            return label
        text = _literal(value)
        if text is not None:
            self.literals[label] = text
        elif isinstance(value, np.ndarray) and value.size <= 64 and value.dtype.kind in "fiub":
            numpy = self._own("@np", set())
            text = f"{numpy}.array({value.tolist()!r}, dtype={value.dtype.name!r})"
            self.literals[label] = text.replace("nan", "float('nan')")
        else:
            self.parameters[label] = meaning
        return label

    def _partial(self, identifier: str, value: functools.partial[Any]) -> str:
        """A partial of a function, written out if what it is given can be."""
        label = self._take(identifier, value, ours=False)
        if label not in self.pasted:
            inner = self._outer(value.func.__name__, Fixed(value.func))
            texts = [_literal(a) for a in value.args] + [(k, _literal(v)) for k, v in value.keywords.items()]
            parts = [t if isinstance(t, str) else f"{t[0]}={t[1]}" for t in texts if t is not None and t[1] is not None]
            if len(parts) != len(texts):
                raise SourceError(f"{identifier} is a partial with values that a standalone file can't hold",
                                  "pass them as arguments")
            module = self._import("functools", functools, ours=True)
            self.pasted[label] = f"{label} = {module}.partial({', '.join([inner, *parts])})"
        return label

    def _paste(self, identifier: str, function: types.FunctionType) -> str:
        """A user's function that is called as it is, with what it reads."""
        mode = getattr(function, "__grad_mode__", None)
        inner = function.__wrapped__ if mode is not None else function  # type: ignore[attr-defined]
        label = self._take(identifier, function, ours=False)
        if label in self.pasted:
            return label
        self.pasted[label] = ""
        source = find(inner)
        tree = source.tree
        if isinstance(tree, gast.Lambda):
            tree = gast.FunctionDef(name=label, args=tree.args, body=[gast.Return(value=tree.body)], decorator_list=[],
                                    returns=None, type_comment=None, type_params=[])
        scope = Scope(inner)
        own = {n.id for n in walk(tree) if isinstance(n, gast.Name) and not isinstance(n.ctx, gast.Load)}
        own |= {a.id for a in [*tree.args.posonlyargs, *tree.args.args, *tree.args.kwonlyargs]}
        parts: dict[str, Tree] = {}
        for free in (n for plain in tree.body for s in _without_modes(plain, scope) for n in _reads_all(s)):
            if free not in own and free not in parts:
                meaning = scope.meaning(free)
                parts[free] = name(self._outer(free, meaning))
        body = [substitute(s, parts) for plain in tree.body for s in _without_modes(plain, scope)]
        plain = [_unhinted(s) for s in body]
        fresh = gast.FunctionDef(name=label, args=_bare_arguments(tree.args), body=plain, decorator_list=[],
                                 returns=None, type_comment=None, type_params=[])
        del self.pasted[label]
        self.pasted[label] = printer.function(fresh).rstrip()
        return label


def _without_modes(tree: Tree, scope: Scope) -> list[Tree]:
    """A statement of a function that is only evaluated, without the grad modes, which mean nothing there."""
    if isinstance(tree, gast.With) and all(_is_mode(item.context_expr, scope) for item in tree.items):
        return [inner for s in tree.body for inner in _without_modes(s, scope)]
    if isinstance(tree, gast.Expr) and _is_mode(tree.value, scope):
        return []
    if isinstance(tree, (gast.If, gast.For, gast.While, gast.With)):
        fields: dict[str, Any] = {f: getattr(tree, f, None) for f in tree._fields}
        for block in ("body", "orelse"):
            if fields.get(block):
                inner = [s for plain in fields[block] for s in _without_modes(plain, scope)]
                fields[block] = inner or ([gast.Pass()] if block == "body" else [])
        tree = type(tree)(**fields)
    return [_without_detach(tree, scope)]


def _without_detach(tree: Tree, scope: Scope) -> Tree:
    tree = rebuilt(tree, lambda child: _without_detach(child, scope))
    if isinstance(tree, gast.Call) and isinstance(tree.func, (gast.Name, gast.Attribute)) and \
            scope.value(tree.func) is modes.detach and len(tree.args) == 1:
        return tree.args[0]
    return tree


def _is_mode(tree: Tree, scope: Scope) -> bool:
    value = scope.value(tree.func if isinstance(tree, gast.Call) else tree)
    return value in (modes.no_grad, modes.enable_grad, modes.set_grad_enabled)


def _settled(f: Function, reserved: set[str]) -> tuple[Function, dict[str, str]]:
    """The function and its final names; what a path may leave undefined is None where it is copied to another name."""
    unset = unset_names(f) - set(f.params)
    while True:
        final = final_names(f, reserved)
        made = {t for s in f.body[:len(unset)] if is_merge(s) for t in writes(s)}
        copied = {v.id for s in all_statements(f.body) if is_merge(s)
                  for t, v in zip(s.targets[0].elts, s.value.elts, strict=True)
                  if isinstance(v, gast.Name) and v.id in unset - made and final.get(v.id) != final.get(t.id)}
        if not copied:
            return f, final
        first = [at(gast.Assign(targets=[gast.Tuple(elts=[target(n)], ctx=gast.Store())],
                                value=gast.Tuple(elts=[constant(None)], ctx=gast.Load()), type_comment=None), 0)
                 for n in sorted(copied)]
        f = f.with_body([*first, *f.body])


def _bare_arguments(arguments: Tree) -> Tree:
    """Parameters without annotations: what these name isn't in a standalone file."""
    if isinstance(arguments, gast.Name):
        return gast.Name(id=arguments.id, ctx=arguments.ctx, annotation=None, type_comment=None)
    return rebuilt(arguments, lambda child: _bare_arguments(child) if isinstance(child, gast.Name) and
                   isinstance(child.ctx, gast.Param) else child)


def _unhinted(tree: Tree) -> Tree:
    """A statement whose annotated assignments are plain ones."""
    if isinstance(tree, gast.AnnAssign):
        if tree.value is None:
            return gast.Pass()
        return gast.Assign(targets=[tree.target], value=tree.value, type_comment=None)
    return rebuilt(tree, _unhinted)


def _passing(tree: Tree, given: Mapping[str, list[str]]) -> Tree:
    """A statement whose calls of derived functions pass on the data that these need."""
    tree = rebuilt(tree, lambda child: _passing(child, given))
    if isinstance(tree, gast.Call) and isinstance(tree.func, gast.Name) and tree.func.id in given:
        extra = [gast.keyword(arg=n, value=name(n)) for n in given[tree.func.id]]
        return gast.Call(func=tree.func, args=tree.args, keywords=[*tree.keywords, *extra])
    return tree


def _reads_all(tree: Tree) -> list[str]:
    return list(dict.fromkeys(n.id for n in walk(tree) if isinstance(n, gast.Name) and isinstance(n.ctx, gast.Load)))


def _library(function: types.FunctionType) -> bool:
    return (function.__module__ or "").split(".")[0] in ("numpy", "math", "scipy")


def _home(value: Any) -> str:
    module = getattr(value, "__module__", None)
    if isinstance(value, np.ufunc) or module is None:
        return "numpy" if getattr(np, getattr(value, "__name__", ""), None) is value else "math"
    return "numpy" if getattr(np, value.__name__, None) is value else str(module)


def _literal(value: Any) -> str | None:
    if isinstance(value, float) and (value != value or value in (math.inf, -math.inf)):
        return f"float({str(value)!r})"
    if isinstance(value, np.generic):
        return _literal(value.item()) if value.dtype.kind in "fiubc" and value.dtype.itemsize in (1, 8, 16) else None
    if value is None or isinstance(value, (bool, int, float, complex, str)):
        return repr(value)
    if isinstance(value, (tuple, list)):
        items = [_literal(v) for v in value]
        if any(i is None for i in items):
            return None
        inside = ", ".join(i for i in items if i)
        return f"[{inside}]" if isinstance(value, list) else f"({inside}{',' if len(items) == 1 else ''})"
    if isinstance(value, dict):
        pairs = [(_literal(k), _literal(v)) for k, v in value.items()]
        return None if any(None in p for p in pairs) else "{" + ", ".join(f"{k}: {v}" for k, v in pairs) + "}"
    return None


def _parameter(p: str, label: str, f: Function) -> str:
    default = f.defaults.get(p)
    return label if default is None else f"{label}={printer.expression(default)}"


def _unannotated(text: str) -> str:
    """A helper's text without type annotations: the file that it goes into has none."""
    function = ast.parse(text).body[0]
    assert isinstance(function, ast.FunctionDef)
    lines = text.split("\n")
    a = function.args
    cuts = [(p.lineno, p.col_offset + len(p.arg), p.annotation.end_col_offset or 0)
            for p in (*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg)
            if p is not None and p.annotation is not None]
    for line, start, end in sorted(cuts, reverse=True):
        rest = lines[line - 1][end:]
        lines[line - 1] = lines[line - 1][:start] + (rest.replace(" = ", "=", 1) if rest.startswith(" = ") else rest)
    if function.returns is not None:
        k = function.returns.lineno - 1
        lines[k] = lines[k][:lines[k].rindex("->")].rstrip() + ":"
    return "\n".join(lines)
