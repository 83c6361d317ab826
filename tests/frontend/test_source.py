"""The text that is found is that of the live function, and where it isn't, an error says so."""

import ast
import doctest
import functools
import importlib.util
import linecache
import math
import operator
import os
import pathlib
import random
import statistics
import subprocess
import sys
import textwrap
import types

import gast
import numpy as np
import pytest

import ad_compiler
from ad_compiler.errors import SourceError
from ad_compiler.frontend import source

ROOT = pathlib.Path(ad_compiler.__file__).parents[1]
COUNT = iter(range(10**6))


def load(tmp_path, text):
    """Import a text as a module of its own."""
    name = f"written_{next(COUNT)}"
    file = tmp_path / f"{name}.py"
    file.write_text(textwrap.dedent(text), encoding="utf-8", newline="")
    spec = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def registered(text, file):
    """Define the functions of a text that linecache knows under a name, as notebooks do."""
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    namespace = {}
    exec(compile(text, file, "exec"), namespace)
    return namespace


def body(found):
    """The text of what a function returns, or of a lambda's expression."""
    tree = gast.gast_to_ast(found.tree)
    return ast.unparse(tree.body if isinstance(tree, ast.Lambda) else tree.body[-1])


# Text of a module, an expression for the function, its last statement, its first line.
FOUND = {
    "plain": ("def f(x):\n    return x * 2", "f", "return x * 2", 1),
    "nested": ("def g(a):\n    def f(x):\n        return a * x\n    return f", "g(1)", "return a * x", 2),
    "method": ("class A:\n    def f(self, x):\n        return self.a * x", "A.f", "return self.a * x", 2),
    "bound method": ("class A:\n    def f(self, x):\n        return self.a * x", "A().f", "return self.a * x", 2),
    "static method": ("class A:\n    @staticmethod\n    def f(x):\n        return x", "A.f", "return x", 3),
    "private name": ("class A:\n    def __f(self):\n        return self.__x", "A._A__f", "return self.__x", 2),
    "lambda": ("f = lambda x: x + 1", "f", "x + 1", 1),
    "two lambdas, first": ("a, b = lambda x: x + 1, lambda x: x + 2", "a", "x + 1", 1),
    "two lambdas, second": ("a, b = lambda x: x + 1, lambda x: x + 2", "b", "x + 2", 1),
    "equal lambdas, other default": ("a, b = lambda x, k=1: x, lambda x, k=2: x", "b", "x", 1),
    "lambda of a lambda": ("f = lambda x: lambda y: x * y", "f", "lambda y: x * y", 1),
    "lambda in a lambda": ("f = lambda x: lambda y: x * y", "f(2)", "x * y", 1),
    "two statements on a line": ("a = lambda x: x + 1; b = lambda x: x - 1", "b", "x - 1", 1),
    "lambda over lines": ("f = (\n    lambda x:\n        x\n        + 1)", "f", "x + 1", 2),
    "lambda as a default": ("def g(f=lambda x: -x):\n    return f", "g()", "-x", 1),
    "lambda as a keyword": ("f = dict(a=lambda x: x,\n         b=lambda x: 2 * x)['b']", "f", "2 * x", 2),
    "lambda in a decorator": ("d = []\n@(lambda f: d.append(f) or f)\ndef g(x): return x", "d[0]", "return x", 3),
    "conditional, first": ("if True:\n    def f(x): return 1\nelse:\n    def f(x): return 2", "f", "return 1", 2),
    "conditional, second": ("if not True:\n    def f(x): return 1\nelse:\n    def f(x): return 2", "f", "return 2", 4),
    "redefined": ("def f(x): return 1\ng = f\ndef f(x): return 2", "g", "return 1", 1),
    "equal texts": ("def f(x): return 1\ng = f\ndef f(x): return 1", "f", "return 1", 3),
    "in finally": ("try:\n    pass\nfinally:\n    def f(x): return 1", "f", "return 1", 4),
    "imported names": ("import math\ndef f(x):\n    return math.sin(x)", "f", "return math.sin(x)", 2),
    "names imported below": ("def f(x):\n    return math.sin(x)\nif 1:\n    import math", "f", "return math.sin(x)", 1),
    "future": ("from __future__ import annotations\ndef f(x: int):\n    y: A = x\n    return y", "f", "return y", 2),
    "asserts": ("def f(x):\n    assert x, 'no'\n    return x", "f", "return x", 1),
    "inner class": ("def f(x):\n    class A:\n        b = x\n    return A.b", "f", "return A.b", 1),
    "constants": ("def f(x):\n    return x in {1, 2.0, 'c'}, -0.0, (1, (2.0, b'd'))", "f",
                  "return (x in {1, 2.0, 'c'}, -0.0, (1, (2.0, b'd')))", 1),
    "generator": ("def f(x):\n    yield x", "f", "yield x", 1),
    "coroutine": ("async def f(x):\n    return x", "f", "return x", 1),
    "not ASCII": ("é = 'ü'; f = lambda ä: ä + 1; g = lambda ä: ä + 2", "g", "ä + 2", 1),
    "form feed": ("a = 'x'\n\f\ndef f(x): return x  # \u2028 \f", "f", "return x", 3),
    "carriage returns": ("a = 1\r\n\r\ndef f(x):\r\n    return x\r\n", "f", "return x", 3),
    "warnings": ("def f(x):\n    return x is 1, '\\d'", "f", "return (x is 1, '\\\\d')", 1),
    "lambda as a lambda's default": ("f = lambda x, g=lambda x: x + 1: x + 2", "f", "x + 2", 1),
    "default of a lambda": ("f = lambda x, *, g=lambda x: x + 1, h: x + 2", "f.__kwdefaults__['g']", "x + 1", 1),
    "folded": ("f = (lambda x: (lambda: (True\n    and x))), lambda x: 0", "f[0]", "lambda: True and x", 1),
    "dead code": ("if 0:\n    lambda x: x\nf = lambda x: x, lambda x: x", "f[1]", "x", 3),
    "text in column 0": ("class A:\n    def f(self):\n        a = '''\nzero\n'''\n        return a",
                         "A.f", "return a", 2),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("text, name, last, line", FOUND.values(), ids=FOUND)
def test_found_in_a_file(tmp_path, text, name, last, line):
    module = load(tmp_path, text)
    found = source.find(eval(name, vars(module)))
    assert (body(found), found.first_line, found.file) == (last, line, module.__file__)
    assert found.tree.lineno == line and isinstance(found.tree, (gast.FunctionDef, gast.AsyncFunctionDef, gast.Lambda))


@pytest.mark.parametrize("text, name, last, line", FOUND.values(), ids=FOUND)
@pytest.mark.parametrize("file", ["/tmp/ipykernel_1/2.py", "<ipython-input-1-abc>", "<generated>"])
@pytest.mark.filterwarnings("ignore")
def test_found_in_a_registered_text(file, text, name, last, line):
    if "\f" in text:
        pytest.skip("str.splitlines, which registers the text here, breaks lines where Python doesn't")
    namespace = registered(text, file)
    found = source.find(eval(name, namespace))
    assert (body(found), found.first_line, found.file) == (last, line, file)


def test_found_in_a_cell_that_awaits():
    text = "def f(x): return x\nclass C:\n    def __await__(self): yield\nawait C()\n"
    linecache.cache["<cell>"] = (len(text), None, text.splitlines(True), "<cell>")
    namespace = {}
    cell = eval(compile(text, "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), namespace)
    cell.send(None)
    cell.close()
    assert body(source.find(namespace["f"])) == "return x"


def test_found_in_the_console_of_a_future_flag():
    # An interactive session keeps `from __future__ import annotations` for the texts that follow.
    text, namespace = "def f(x):\n    def g(a: b): return a\n    return g\n", {}
    linecache.cache["<input>"] = (len(text), None, text.splitlines(True), "<input>")
    import __future__
    exec(compile(text, "<input>", "exec", flags=__future__.annotations.compiler_flag), namespace)
    assert body(source.find(namespace["f"])) == "return g"


def test_found_in_a_doctest():
    text = ">>> def f(x):\n...     return x * 3\n>>> found.append(body(source.find(f)))\n"
    found = []
    test = doctest.DocTestParser().get_doctest(text, {"found": found, "source": source, "body": body}, "name", None, 0)
    result = doctest.DocTestRunner(verbose=False).run(test)
    assert (result.failed, found) == (0, ["return x * 3"])


def test_found_in_this_file_whose_assertions_pytest_rewrites():
    def checked(x, y):
        assert x > 0 and y, f"positive: {x}"
        z = [i for i in y if i]
        assert all(z)
        return z

    def unchecked(x):
        return x * ROOT

    assert body(source.find(checked)) == "return z"
    assert len(source.find(checked).tree.body) == 4
    assert body(source.find(unchecked)) == "return x * ROOT"
    first, second = lambda x: x.a, lambda x: x.b
    assert (body(source.find(first)), body(source.find(second))) == ("x.a", "x.b")
    assert source.find(first).segment == "lambda x: x.a"


@pytest.mark.parametrize("module", [textwrap, statistics, ast, random, functools, source, np.lib._function_base_impl])
def test_every_function_of_a_module_is_found(module):
    functions = [f for thing in (module, *vars(module).values()) if isinstance(thing, (type, types.ModuleType))
                 for f in vars(thing).values()
                 if isinstance(f, types.FunctionType) and f.__code__.co_filename == module.__file__]
    assert len(functions) > 5
    for f in functions:
        found = source.find(f)
        assert found.tree.name == f.__code__.co_name if isinstance(found.tree, gast.FunctionDef) else found.tree.args
        assert len(ast.parse("if 1:\n" * found.segment.startswith(" ") + found.segment).body) == 1


def test_a_wrapped_function_is_not_looked_through(tmp_path):
    module = load(tmp_path, """
        import functools
        def double(f):
            @functools.wraps(f)
            def wrapper(x):
                return 2 * f(x)
            return wrapper
        def same(f): return f
        @double
        def f(x):
            return x
        @same
        @same
        def g(x):
            return x + 1
        """)
    assert module.f.__name__ == "f" and body(source.find(module.f)) == "return 2 * f(x)"
    assert body(source.find(module.f.__wrapped__)) == "return x"
    found = source.find(module.g)
    assert (body(found), found.first_line, found.segment) == ("return x + 1", 14, "def g(x):\n    return x + 1")


def test_a_renamed_function_is_found_by_its_code(tmp_path):
    f = load(tmp_path, "def f(x): return x").f
    f.__name__ = f.__qualname__ = "other"
    assert source.find(f).tree.name == "f"


@pytest.mark.parametrize("text, name, segment", [
    ("class A:\n    @property\n    def f(self):\n\n        # why\n        return 1  # end\n", "A.f.fget",
     "def f(self):\n\n    # why\n    return 1"),
    ("class A:\n  def f(self):\n    a = '''\n    zero'''\n    return a", "A.f",
     "  def f(self):\n    a = '''\n    zero'''\n    return a"),
    ("class A:\n  def f(self):\n    '''Doc.\n\n    More.'''", "A.f", "def f(self):\n  '''Doc.\n\n  More.'''"),
    ("if 1:\n    def f(x):\n        return (x\n  + 1)", "f", "    def f(x):\n        return (x\n  + 1)"),
    ("é = 'é'; f = (lambda x: 'é'\n  + x), 2", "f[0]", "lambda x: 'é'\n  + x"),
])
def test_segments(tmp_path, text, name, segment):
    assert source.find(eval(name, vars(load(tmp_path, text)))).segment == segment


def test_places(tmp_path):
    module = load(tmp_path, "class A:\n    def f(self, x):\n        é = 'é' + x\n        return (x +\n            1)\n")
    found = source.find(module.A.f)
    assign, result = found.tree.body
    assert str(found.place(assign.value.right)) == f"{module.__file__}:3:19"
    assert found.place(assign.value).pointing() == "    é = 'é' + x\n        ^^^^^^^"
    assert found.place(result).pointing() == "    return (x +\n    ^^^^^^^^^^^", "to the end of its first line"
    assert found.place(gast.Name("made", gast.Load(), None, None)) == found.place() == found.place(found.tree)
    assert (found.place().line, found.place().column, found.place().text) == (2, 5, "    def f(self, x):")
    assert found.place(found.tree.args.args[1]).column == 17
    assert found.lines[2] == "        é = 'é' + x"


@pytest.mark.parametrize("thing, message", [
    (math.sin, "`sin` is built in"), (len, "`len` is built in"), ([].append, "`list.append` is built in"),
    (str.upper, "`str.upper` is built in"), ((1).__add__, "`int.__add__` is built in"),
    (np.sin, "`sin` is a `ufunc`, not a function written in Python"), (int, "`int` is a class"),
    (functools.partial(len), "`partial` is a `partial`"), (operator.itemgetter(1), "is a `.*itemgetter`"),
    (3, "`int` is a `int`"), (types.MethodType(len, []), "is a `method`"),
])
def test_what_is_not_a_python_function_is_refused(thing, message):
    with pytest.raises(SourceError, match=message) as caught:
        source.find(thing)
    assert caught.value.remedy and caught.value.place is None


@pytest.mark.parametrize("file, message", [
    ("<string>", "was made by `python -c`, `exec` or `eval`, which keep no text"),
    ("<stdin>", "was typed at the prompt or piped in"),
    ("<frozen thing>", "belongs to a frozen module"),
    ("/no/such/file.py", "isn't there or can't be read"),
])
def test_a_function_without_text_is_refused(file, message):
    namespace = {}
    linecache.cache.pop(file, None)
    exec(compile("\ndef f(x): return x", file, "exec"), namespace)
    with pytest.raises(SourceError, match=f"^{file}:2:1: `f` |^{file}:2:1: the file of `f` ") as caught:
        source.find(namespace["f"])
    assert message in caught.value.what and caught.value.remedy
    linecache.cache.pop(file, None)
    exec(compile("f = lambda x: x", file, "exec"), namespace)
    with pytest.raises(SourceError, match="this lambda"):
        source.find(namespace["f"])


@pytest.mark.parametrize("arguments, text", [(["-c", None], None), (["-"], True)])
def test_a_program_without_a_file(arguments, text):
    program = ("from ad_compiler.frontend.source import find\nfrom ad_compiler.errors import SourceError\n"
               "def f(x): return x * 2\ntry:\n    print(find(f).segment)\nexcept SourceError as e:\n    print(e)\n\n")
    command = [sys.executable, *(program if a is None else a for a in arguments)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, input=program if text else None)
    words = "def f(x): return x * 2", "<string>:3:1: `f` was made by `python -c`", "<stdin>:3:1: `f` was typed"
    assert run.stdout.startswith(words), run.stderr


# What stood in the file when it was imported, what stands there now; whether the function is still this one.
CHANGED = {
    "operator": ("def f(x): return x + 1", "def f(x): return x - 1", False),
    "constant": ("def f(x): return x + 1", "def f(x): return x + 2", False),
    "type of a constant": ("def f(x): return x + 1", "def f(x): return x + 1.0", False),
    "sign of zero": ("def f(x): return x + 0.0", "def f(x): return x + -0.0", False),
    "constant inside": ("def f(x): return (x, (1, 2))", "def f(x): return (x, (1, 2.0))", False),
    "set": ("def f(x): return x in {1, 2}", "def f(x): return x in {1, 3}", False),
    "attribute": ("def f(x): return x.a", "def f(x): return x.b", False),
    "inner function": ("def f(x): return lambda: x + 1", "def f(x): return lambda: x + 2", False),
    "variable": ("def f(x): return x", "def f(y): return y", False),
    "stars": ("def f(*x): return x", "def f(**x): return x", False),
    "star": ("def f(x): return x", "def f(*, x): return x", False),
    "slash": ("def f(x): return x", "def f(x, /): return x", False),
    "name": ("def f(x): return x", "def g(x): return x", False),
    "moved": ("def f(x): return x", "\ndef f(x): return x", False),
    "gone": ("def f(x): return x", "", False),
    "broken": ("def f(x): return x", "def f(x): return (", False),
    "null byte": ("def f(x): return x", "def f(x): return x\0", False),
    "assertion": ("def f(x):\n    assert x\n    return x", "def f(x):\n    return x", False),
    "lambda": ("f = lambda x: x + 1", "f = lambda x: x + 2", False),
    "import": ("import math\ndef f(x): return math.sin(x)", "math = 1\ndef f(x): return math.cos(x)", False),
    "comment": ("def f(x): return x", "def f(x): return x  # comment", True),
    "elsewhere": ("def f(x): return x\ndef g(x): return x", "def f(x): return x\ndef g(x): return 1", True),
    "spaces": ("def f(x): return x+1", "def f(x):\n    return (x + 1)", True),
}


@pytest.mark.parametrize("before, after, same", CHANGED.values(), ids=CHANGED)
def test_a_file_that_changed(tmp_path, before, after, same):
    module = load(tmp_path, before)
    pathlib.Path(module.__file__).write_text(after)
    if same:
        assert "\n".join(source.find(module.f).lines).strip() == after
    elif not after:
        with pytest.raises(SourceError, match="can't be read"):
            source.find(module.f)
    else:
        with pytest.raises(SourceError, match="changed since it was imported") as caught:
            source.find(module.f)
        assert "import it again" in caught.value.remedy
        assert caught.value.place.file == module.__file__


def test_a_text_that_linecache_remembers_is_still_that_of_the_function(tmp_path):
    module = load(tmp_path, "def f(x): return x + 1")
    source.find(module.f)
    pathlib.Path(module.__file__).write_text("def f(x): return x - 100")
    assert body(source.find(module.f)) == "return x + 1"
    fresh = load(tmp_path, "def f(x): return x - 100")
    assert body(source.find(fresh.f)) == "return x - 100"


def test_a_reloaded_module_is_read_again(tmp_path):
    module = load(tmp_path, "def f(x): return x + 1")
    assert body(source.find(module.f)) == "return x + 1"
    old = module.f
    file = pathlib.Path(module.__file__)
    file.write_text("def f(x): return x - 100")
    os.utime(file, (1, 1))
    exec(compile(file.read_text(), str(file), "exec"), vars(module))
    assert body(source.find(module.f)) == "return x - 100"
    with pytest.raises(SourceError, match="isn't what the function was compiled from"):
        source.find(old)


def test_a_text_of_somebody_else_under_the_same_name_is_refused():
    first = registered("def f(x): return x + 1", "<shared>")
    registered("def f(x): return x - 1", "<shared>")
    with pytest.raises(SourceError, match="the text known as <shared> isn't that of `f`") as caught:
        source.find(first["f"])
    assert "a name of its own" in caught.value.remedy
    assert caught.value.place.text == "def f(x): return x - 1"


def test_code_that_a_decorator_rewrote_is_refused(tmp_path):
    f = load(tmp_path, "def f(x):\n    return x + 1").f
    f.__code__ = f.__code__.replace(co_consts=(None, 2))
    with pytest.raises(SourceError, match="or something rewrote the code"):
        source.find(f)


def test_lambdas_that_nothing_tells_apart_are_refused(tmp_path):
    (tmp_path / "ambiguous.py").write_text(textwrap.dedent("""\
        from ad_compiler.frontend.source import find
        from ad_compiler.errors import SourceError
        a, b = lambda x, k=1: x * k, lambda x, k=2: x * k
        c, d = lambda x: x + 1, lambda x: (x + 1)
        e, f = lambda x: x + 1, lambda x: x + 2
        try:
            find(b)
        except SourceError as error:
            print(error)
        print(find(d).segment.count("lambda"), find(e).segment, find(f).segment)
        """))
    run = subprocess.run([sys.executable, "-X", "no_debug_ranges", tmp_path / "ambiguous.py"], cwd=ROOT, text=True,
                         env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True)
    first, *_, last = run.stdout.splitlines() or [run.stderr]
    assert first.endswith("ambiguous.py:3:1: several functions on this line could be this lambda, "
                          "and its code has no columns to tell")
    assert "lines of their own" in run.stdout
    assert last == "1 lambda x: x + 1 lambda x: x + 2"


def test_assertions_that_are_off_change_nothing(tmp_path):
    (tmp_path / "optimized.py").write_text(
        "from ad_compiler.frontend.source import find\ndef f(x):\n    'doc'\n    assert x\n    return x\n"
        "print(len(find(f).tree.body))")
    run = subprocess.run([sys.executable, "-OO", tmp_path / "optimized.py"], cwd=ROOT, capture_output=True, text=True,
                         env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert (run.stdout, run.stderr) == ("3\n", "")


def test_a_module_in_a_zip_file(tmp_path, monkeypatch):
    import zipfile
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr("zipped_module.py", "def f(x):\n    return x * 5\n")
    monkeypatch.syspath_prepend(tmp_path / "packed.zip")
    import zipped_module
    assert body(source.find(zipped_module.f)) == "return x * 5"


def test_a_traced_and_warm_function_is_found(tmp_path):
    f = load(tmp_path, "def f(x):\n    for i in range(100):\n        x = x + i\n    return x").f
    trace, seen = sys.gettrace(), []
    sys.settrace(lambda frame, event, value: seen.append(event))
    try:
        for _ in range(100):
            f(1.0)
    finally:
        sys.settrace(trace)
    assert body(source.find(f)) == "return x" and "call" in seen


def test_the_tree_is_in_the_coordinates_of_the_file(tmp_path):
    module = load(tmp_path, "\n\n@functools.cache\ndef g(): pass\n".replace("@functools.cache\n", "")
                  + "class A:\n    def f(self):\n        return [\n            self.x]\n")
    found = source.find(module.A.f)
    element = found.tree.body[0].value.elts[0]
    assert (element.lineno, element.col_offset) == (7, 12)
    assert found.lines[6][12:] == "self.x]"
