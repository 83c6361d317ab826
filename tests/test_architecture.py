"""The house as ARCHITECTURE.md describes it: who imports whom, what stands in one file only, what no pass may do."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import gast
import numpy as np
import pytest

from ad_compiler import pipeline
from ad_compiler.api import signature_kinds
from ad_compiler.calling import subject
from ad_compiler.pipeline import Workshop
from ad_compiler.program import Function, all_statements

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ad_compiler"
FILES = sorted(PACKAGE.rglob("*.py"))
TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")

# A room may import from rows below, and in its own row from those that stand before it. `transform` and `optimize`
# don't know each other. `front door` is ad_compiler/__init__.py.
ROWS = (
    ("errors", "modes", "kinds", "support"),
    ("syntax", "program"),
    ("rules",),
    ("frontend",),
    ("analysis",),
    ("transform", "optimize"),
    ("emit",),
    ("pipeline",),
    ("arguments", "watching", "calling", "pullback"),
    ("api", "testing", "listing", "front door", "cli", "__main__"),
)
ORDER = {room: k for k, room in enumerate(room for row in ROWS for room in row)}
STRANGERS = {frozenset({"transform", "optimize"})}

LIBRARIES = {"numpy", "gast"}  # imported at the top; everything else is Python's own
OPTIONAL = {"scipy", "numba", "torch", "jax", "autograd", "matplotlib", "IPython", "dask", "pytest"}
CLOCKS = {"time", "datetime", "random", "uuid", "secrets"}

every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())


def room(path):
    """The room that a file of the package belongs to."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return "front door" if parts == ("__init__",) else parts[0]


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path, top=False):
    """(module in full, names) for each import that runs; with `top` only those that run when the file is imported."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in _running(tree(path), top):
        if isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[:len(package) - node.level + 1] if node.level else ()
            yield ".".join([*base, *([node.module] if node.module else [])]), tuple(a.name for a in node.names)


def _running(node, top):
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if not (top and isinstance(child, (ast.FunctionDef, ast.Lambda))):
            yield from _running(child, top)


def rooms_imported(path):
    for module, names in imports(path):
        first, *rest = module.split(".")
        if first == "ad_compiler":
            for found in [rest[0]] if rest else names:
                yield found if found in ORDER else "front door"


def calls(path):
    """The functions that a file calls, as text."""
    return {ast.unparse(node.func) for node in ast.walk(tree(path)) if isinstance(node, ast.Call)}


# Import order

def test_every_room_has_its_row():
    assert {room(path) for path in FILES} == set(ORDER)


@every_file
def test_only_earlier_rooms_are_imported(path):
    mine = room(path)
    for other in rooms_imported(path):
        assert other == mine or ORDER[other] < ORDER[mine], f"{mine} imports {other}"
        assert frozenset({mine, other}) not in STRANGERS


def test_the_table_is_that_of_the_text():
    table = re.findall(r"^\| (\d+) \| (.*?) \|", TEXT, re.M)
    assert [tuple(re.findall(r"`(\w+)`|(the front door)", rooms)) for _, rooms in table] == [
        tuple((r, "") if r != "front door" else ("", "the front door") for r in row) for row in ROWS]
    assert [int(number) for number, _ in table] == list(range(len(ROWS)))


# What stands in one place only

@every_file
def test_support_imports_numpy_and_math_only(path):
    if room(path) == "support":
        assert {m.split(".")[0] for m, _ in imports(path)} <= {"__future__", "typing", "math", "numpy", "ad_compiler"}
        assert set(rooms_imported(path)) <= {"support"}


@every_file
def test_what_is_imported_at_the_top(path):
    top = {module.split(".")[0] for module, _ in imports(path, top=True)}
    assert top <= LIBRARIES | set(sys.stdlib_module_names) | {"ad_compiler"}
    assert not top & OPTIONAL


@pytest.mark.parametrize("found, files", (
    (lambda path: any(m.split(".")[0] == "astor" for m, _ in imports(path)), {"emit/printer.py"}),
    (lambda path: "inspect.getsource" in calls(path), {"emit/module.py"}),
    (lambda path: "exec" in calls(path), {"emit/load.py", "calling.py"}),
    (lambda path: "eval" in calls(path), {"rules/table.py", "cli.py"}),
    (lambda path: "print" in calls(path), {"cli.py"}),
), ids=("astor", "inspect.getsource", "exec", "eval", "print"))
def test_what_stands_in_known_files_only(found, files):
    assert {path.relative_to(PACKAGE).as_posix() for path in FILES if found(path)} == files


# Files

@every_file
def test_a_file_is_a_room(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 450
    docstring = ast.get_docstring(tree(path))
    assert docstring, "one sentence at the top says what happens in the file"
    assert re.fullmatch(r".{10,120}[.:]", docstring.splitlines()[0]), "the first line is a sentence"


def test_the_text_has_a_line_for_every_file():
    named = []
    for first, rest in re.findall(r"^\| `([\w/.]+)` \|(.*)\|$", TEXT, re.M):
        folder = first.rpartition("/")[0]
        found = ([first] if first.endswith(".py") else []) + re.findall(r"`(\w+\.py)`", rest)
        named += [file if "/" in file or not folder else f"{folder}/{file}" for file in found]
    assert len(named) == len(set(named))
    there = {path.relative_to(PACKAGE).as_posix() for path in FILES}
    assert set(named) <= there
    assert [file for file in sorted(there - set(named)) if not file.endswith("__init__.py")] == []


def test_the_text_names_what_there_is():
    for name in set(re.findall(r"`((?:\w+/)*\w+\.py)`", TEXT)):
        assert list(ROOT.glob(f"**/{name}")), f"{name} isn't there"
    for folder, name in set(re.findall(r"`((?:\w+/)+\w+\.py):(\w+)`", TEXT)):
        found = [n.name for n in ast.walk(tree(ROOT / folder)) if isinstance(n, (ast.FunctionDef, ast.ClassDef))]
        assert name in found, f"{folder} has no {name}"


# Output depends on nothing but input

@every_file
def test_no_clock_and_no_chance(path):
    assert not {module.split(".")[0] for module, _ in imports(path)} & CLOCKS
    if room(path) == "emit":
        # An identity may be compared, or be a key for a look-up; it may be nothing that is sorted or printed.
        harmless = (ast.Subscript, ast.Compare)
        for node in ast.walk(tree(path)):
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.Call) and ast.unparse(child.func) == "id":
                    assert isinstance(node, harmless) or ast.unparse(node).startswith("Data("), ast.unparse(node)


def sample(x, p, n):
    y = x["a"] * p
    for _ in range(n):
        if y[0] > 0.5:
            y = np.sin(y) * x["b"]
        y = y + halved(y)
    return np.sum(y * y) + x["b"]


def halved(v):
    return v * v * 0.5


SIGNATURE = "x: {'a': f8[k], 'b': float}, p: float, n: int"
EMIT = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import ad_compiler, test_architecture
print(ad_compiler.gradient_source(test_architecture.sample, argnums=(0, 1), like={SIGNATURE!r}))
"""


def test_the_same_text_in_every_process():
    texts = set()
    for seed in ("0", "1", "2"):
        done = subprocess.run([sys.executable, "-c", EMIT], capture_output=True, text=True, timeout=120, cwd=ROOT,
                              env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)})
        assert done.returncode == 0, done.stderr
        texts.add(done.stdout)
    assert len(texts) == 1


# Passes

PASSES = ("reverse", "fused", "split", "with_prototypes", "without_copies", "without_dead_code", "sunk", "simplified",
          "folded")


def derived(monkeypatch):
    """All that passes are given and give while a gradient is made, as texts before and after."""
    seen = []

    def watched(name):
        run = getattr(pipeline, name)

        def around(*args, **kwargs):
            before = [gast.dump(s) for f in _functions(args) for s in f.body]
            result = run(*args, **kwargs)
            seen.append((name, before, [gast.dump(s) for f in _functions(args) for s in f.body]))
            return result
        monkeypatch.setattr(pipeline, name, around)

    for name in PASSES:
        watched(name)
    s = subject(sample)
    workshop = Workshop()
    inner = workshop.instance(s.function, {}, signature_kinds(s, SIGNATURE, ("x", "p")), ("x", "p"))
    workshop.module([workshop.fused(inner, True, False, {})], standalone=True).text("")
    return inner, seen


def _functions(args):
    return [f for a in args for f in (a, getattr(a, "f", None)) if isinstance(f, Function)]


def test_a_pass_never_changes_its_input(monkeypatch):
    _, seen = derived(monkeypatch)
    assert {name for name, *_ in seen} == set(PASSES)
    assert [name for name, before, after in seen if before != after] == []


def test_trees_carry_no_facts(monkeypatch):
    inner, _ = derived(monkeypatch)
    places = {"lineno", "col_offset", "end_lineno", "end_col_offset"}
    for statement in inner.f.body:
        for node in gast.walk(statement):
            assert set(vars(node)) <= {*node._fields, *places}


def test_every_name_is_assigned_once_but_by_merges(monkeypatch):
    inner, _ = derived(monkeypatch)
    names = [t.id for s in all_statements(inner.f.body) if isinstance(s, gast.Assign) for t in s.targets
             if isinstance(t, gast.Name)]
    assert len(names) == len(set(names))
    assert len({s.lineno for s in all_statements(inner.f.body)}) == len(list(all_statements(inner.f.body)))
