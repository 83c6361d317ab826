"""What can't be differentiated is refused at the user's own line; nothing is ever silently wrong.

The rows of LATER belong to constructs that are to be supported: when one is, its row goes, and the zoo gets one.
"""

from __future__ import annotations

import importlib.util
import operator
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass

import numpy as np
import pytest

import ad_compiler as ad

X = np.array([0.8, -0.5, 1.3])
IMPORTS = """import contextlib, functools, math, operator, random
import numpy as np
from ad_compiler import set_grad_enabled
"""
OPAQUE = (ad.UnsupportedError, ad.MissingRuleError)


@dataclass(frozen=True)
class Row:
    """A text that defines `f`, or the body of f(x), with `#!` on the line that is to blame; and what the error says."""

    name: str
    text: str
    says: str
    error: type | tuple[type, ...] = ad.UnsupportedError

    @property
    def module(self) -> str:
        body = textwrap.dedent(self.text).strip("\n")
        whole = re.search(r"^(async )?def f\(|^f = ", body, re.M)
        return IMPORTS + "\n\n" + (body if whole else "def f(x):\n" + textwrap.indent(body, "    ")) + "\n"

    @property
    def line(self) -> int:
        return next(i for i, line in enumerate(self.module.splitlines(), 1) if "#!" in line)


WRITES = (
    Row("item", "y = x * 2.0\ny[0] = x[1]  #!\nreturn np.sum(y)", "writ"),
    Row("item added to", "y = x * 2.0\ny[0] += x[1]  #!\nreturn np.sum(y)", "writ"),
    Row("item in a loop", "y = np.zeros(3)\nfor i in range(3):\n    y[i] = x[i] ** 2  #!\nreturn np.sum(y)", "writ"),
    Row("item of the argument", "x[0] = 1.0  #!\nreturn np.sum(x)", "writ"),
    Row("all items", "x[:] = 0.0  #!\nreturn np.sum(x * x)", "writ"),
    Row("masked items", "y = x * 1.0\ny[y < 0.0] = 0.0  #!\nreturn np.sum(y)", "writ"),
    Row("tuple target", "y = x * 1.0\na, y[0] = x[0], x[1]  #!\nreturn np.sum(y) * a", "writ"),
    Row("augmented argument", "x += 1.0  #!\nreturn np.sum(x * x)", r"writ|in place|\+="),
    Row("augmented alias", "y = x\ny *= 2.0  #!\nreturn np.sum(y * x)", r"writ|in place|\*="),
    Row("augmented view", "y = x * 1.0\nz = y[1:]\nz += x[1:]  #!\nreturn np.sum(y)", r"writ|in place|\+="),
    Row("augmented, then the alias is read", "y = x * 1.0\nz = y\ny += x  #!\nreturn np.sum(z)", r"writ|in place|\+="),
    Row("augmented transpose", "y = np.outer(x, x)\nz = y.T\nz += 1.0  #!\nreturn np.sum(y * y)", r"writ|in place|\+="),
    Row("augmented item of a list", "p = [x * 1.0]\nq = p[0]\nq += x  #!\nreturn np.sum(p[0])", r"writ|in place|\+="),
    Row("augmented row in a loop", """
        y = np.outer(x, x)
        for row in y:
            row += x  #!
        return np.sum(y)
        """, r"writ|in place|\+="),
    Row("in a callee", """
        def change(v):
            v[0] = 3.0  #!
            return v
        def f(x):
            return np.sum(change(x * 1.0))
        """, "writ"),
    Row("augmented in a callee", """
        def change(v):
            v += 1.0  #!
            return np.sum(v)
        def f(x):
            y = x * 2.0
            return change(y) * np.sum(y)
        """, r"writ|in place|\+="),
    Row("sort", "y = x * 1.0\ny.sort()  #!\nreturn y[0]", "sort"),
    Row("fill", "y = x * 1.0\ny.fill(2.0)  #!\nreturn np.sum(y * x)", "fill"),
    Row("put", "y = x * 1.0\ny.put([0], [2.0])  #!\nreturn np.sum(y * x)", "put"),
    Row("resize", "y = x * 1.0\ny.resize(2)  #!\nreturn np.sum(y)", "resize"),
    Row("out", "y = np.zeros(3)\nnp.multiply(x, x, out=y)  #!\nreturn np.sum(y)", "out", OPAQUE),
    Row("out that is assigned", "y = np.zeros(3)\nz = np.square(x, out=y)  #!\nreturn np.sum(z * y)", "out", OPAQUE),
    Row("positional out", "y = np.zeros(3)\nz = np.sin(x, y)  #!\nreturn np.sum(z * y)", "sin", OPAQUE),
    Row("copyto", "y = np.zeros(3)\nnp.copyto(y, x)  #!\nreturn np.sum(y)", "copyto", OPAQUE),
    Row("add.at", "y = np.zeros(3)\nnp.add.at(y, [0, 0, 1], x)  #!\nreturn np.sum(y * y)", "at", OPAQUE),
    Row("put of numpy", "y = x * 1.0\nnp.put(y, [0], [2.0])  #!\nreturn np.sum(y)", "put", OPAQUE),
    Row("fill_diagonal", "y = np.outer(x, x)\nnp.fill_diagonal(y, 0.0)  #!\nreturn np.sum(y)", "fill_diagonal", OPAQUE),
    Row("shuffle", "y = x * 1.0\nrandom.shuffle(y)  #!\nreturn y[0]", "shuffle", OPAQUE),
    Row("item of a list", "p = [x, x]\np[0] = x * 2.0  #!\nreturn np.sum(p[0])", "writ"),
    Row("item of a dict", 'p = {"a": x}\np["b"] = x * 2.0  #!\nreturn np.sum(p["b"])', "writ"),
    Row("append", "p = [x]\np.append(x * x)  #!\nreturn np.sum(p[1])", "append"),
    Row("update", 'p = {"a": x}\np.update(a=x * x)  #!\nreturn np.sum(p["a"])', "update"),
    Row("attribute", """
        class Model:
            def run(self, x):
                self.x = x * x  #!
                return np.sum(self.x)
        f = Model().run
        """, "attribute"),
    Row("shape", "y = x * 1.0\ny.shape = (3, 1)  #!\nreturn np.sum(y * y.T)", "attribute"),
    Row("real part", "y = x * 1.0\ny.real = x  #!\nreturn np.sum(y * y)", "attribute"),
)

UNKNOWN = (
    Row("C function", "return np.sum(operator.attrgetter('T')(x))  #!", "attrgetter|known|rule", OPAQUE),
    Row("function without a rule", "y = np.busday_count(x, x)  #!\nreturn np.sum(y)", "busday_count", OPAQUE),
    Row("ufunc without a rule", "y = np.spacing(x)  #!\nreturn np.sum(y)", "spacing", OPAQUE),
    Row("unknown method", "y = x.frobnicate()  #!\nreturn np.sum(y)", "frobnicate", OPAQUE),
    Row("unknown method of a result", "y = (x * 2.0).frobnicate(3)  #!\nreturn np.sum(y)", "frobnicate", OPAQUE),
    Row("unknown attribute", "y = x.frobnicate  #!\nreturn np.sum(y)", "frobnicate", OPAQUE),
    Row("in a callee", """
        def g(v):
            return np.spacing(v)  #!
        def f(x):
            return np.sum(g(x))
        """, "spacing", OPAQUE),
    Row("in a branch", "y = x\nif x[0] > 100.0:\n    y = np.spacing(x)  #!\nreturn np.sum(y)", "spacing", OPAQUE),
    Row("in a loop", "y = x\nfor i in range(3):\n    y = np.spacing(y)  #!\nreturn np.sum(y)", "spacing", OPAQUE),
    Row("conversion to text", "y = float(str(x[0]))  #!\nreturn y * x[1]", "str|float", OPAQUE),
    Row("eval", "y = eval('x * 2.0')  #!\nreturn np.sum(y) + np.sum(x)", "eval", OPAQUE),
    Row("exec", "exec('y = x * 2.0')  #!\nreturn np.sum(x)", "exec", OPAQUE),
    Row("locals", "y = locals()['x']  #!\nreturn np.sum(y) + np.sum(x)", "locals", OPAQUE),
    Row("random choice from it", "y = random.choice(x)  #!\nreturn y * x[0]", "choice", OPAQUE),
)

NEVER = (
    Row("generator", "def f(x):\n    yield np.sum(x)  #!", "generator"),
    Row("generator by yield from", "def f(x):\n    yield from [np.sum(x)]  #!", "generator"),
    Row("async function", "async def f(x):  #!\n    return np.sum(x)", "async"),
    Row("global", "total = 0.0\ndef f(x):\n    global total  #!\n    total = np.sum(x)\n    return total", "global"),
    Row("nonlocal", """
        def make():
            total = 0.0
            def inner(x):
                nonlocal total  #!
                total = np.sum(x)
                return total
            return inner
        f = make()
        """, "nonlocal"),
    Row("class definition", "class Pair:  #!\n    pass\nreturn np.sum(x)", "class"),
    Row("import", "import numpy.linalg as la  #!\nreturn la.norm(x)", "import"),
    Row("import from", "from numpy import sin  #!\nreturn np.sum(sin(x))", "import"),
    Row("foreign context", "with contextlib.suppress(ValueError):  #!\n    y = np.sum(x)\nreturn y", "context|with"),
    Row("generator in a callee", """
        def parts(v):
            yield v * v  #!
        def f(x):
            y = 0.0
            for part in parts(x):
                y = y + np.sum(part)
            return y
        """, "generator"),
)

LATER = (
    Row("try", "try:  #!\n    y = np.sum(x)\nexcept ValueError:\n    y = 0.0\nreturn y", "try"),
    Row("try finally", "try:  #!\n    y = np.sum(x)\nfinally:\n    print(1)\nreturn y", "try"),
    Row("try in a callee", """
        def g(v):
            try:  #!
                return v * v
            except ValueError:
                return v
        def f(x):
            return np.sum(g(x))
        """, "try"),
    Row("del", "y = x * x\nz = np.sum(y)\ndel y  #!\nreturn z", "del"),
    Row("walrus", "if (y := np.sum(x)) > 0.5:  #!\n    return y * y\nreturn y", ":="),
    Row("match", "match len(x):  #!\n    case 3:\n        y = x[0]\n    case _:\n        y = 0.0\nreturn y", "match"),
    Row("list comprehension", "y = [v * v for v in x]  #!\nreturn y[0] * y[1]", "comprehension"),
    Row("comprehension with active values", "y = [x * i for i in range(3)]  #!\nreturn np.sum(y[1])", "comprehension"),
    Row("dict comprehension", "y = {i: x * i for i in range(3)}  #!\nreturn np.sum(y[1])", "comprehension"),
    Row("generator expression", "return sum(v * v for v in x)  #!", "generator"),
    Row("nested function", "def g(v):  #!\n    return v * v\nreturn np.sum(g(x))", "nested function"),
    Row("local lambda", "g = lambda v: v * x  #!\nreturn np.sum(g(x))", "lambda"),
    Row("starred target", "a, *rest = x, x * x, x  #!\nreturn np.sum(a * rest[0])", "star"),
    Row("starred argument", "p = (x, x * x)\nreturn np.sum(np.multiply(*p))  #!", r"\*"),
    Row("for else", "y = 0.0\nfor v in x:  #!\n    y = y + v * v\nelse:\n    y = y * 2.0\nreturn y", "else"),
    Row("while else", "y = np.sum(x)\nwhile y < 5.0:  #!\n    y = y * 2.0\nelse:\n    y = y * 3.0\nreturn y", "else"),
    Row("variadic parameters", "def f(*args):  #!\n    return np.sum(args[0])", "args"),
    Row("keyword parameters", "def f(x, **options):  #!\n    return np.sum(x)", "options"),
    Row("run-time flag", "with set_grad_enabled(bool(x[0] > 0.5)):  #!\n    y = x * x\nreturn np.sum(y)", "flag"),
)

ROWS = [pytest.param(row, id=f"{group}: {row.name}") for group, rows in (
    ("writes", WRITES), ("unknown", UNKNOWN), ("never", NEVER), ("later", LATER)) for row in rows]


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("transform", (
    lambda f: ad.grad(f)(X), lambda f: ad.gradient_source(f, like=(X,)), lambda f: ad.vjp(f, X)),
    ids=("grad", "gradient_source", "vjp"))
def test_refused_at_the_users_line(row, transform, tmp_path):
    f = load(row.module, tmp_path)
    with pytest.raises(row.error, match=f"(?is){row.says}") as info:
        transform(f)
    error, path = info.value, tmp_path / "user.py"
    assert isinstance(error, ad.ADError)
    assert str(error).startswith(f"{path}:{row.line}:")
    assert re.search(r"^ *\^+$", str(error), re.M), "no caret under the user's line"
    if isinstance(error, ad.UnsupportedError):
        assert isinstance(error, SyntaxError)
        assert (error.filename, error.lineno) == (str(path), row.line)
        assert "#!" in error.text and 1 <= error.offset <= error.text.index("#!")


# Unusual ways to compute with x: each is refused, or its gradient is right. (Body of f(x).)
REFUSED_OR_RIGHT = (
    "return getattr(x, 'sum')() * x[0]",
    "return x.__mul__(x).sum()",
    "return np.sum(operator.mul(x, x))",
    "return sum(map(math.sin, x))",
    "return functools.reduce(operator.mul, x)",
    "return functools.reduce(lambda a, b: a * b, x)",
    "return sorted(x)[0] * x[1]",
    "return x.tolist()[0] * x[1]",
    "return x[0].item() * x[1]",
    "return float(x[0]) * x[1]",
    "return math.fsum(x) * x[0]",
    "return math.prod(x)",
    "return np.sum(np.vectorize(lambda v: v * v)(x))",
    "return np.apply_along_axis(np.sum, 0, x) * x[0]",
    "return np.add.reduce(x) * x[0]",
    "return np.sum(np.multiply.outer(x, x) * np.arange(9.0).reshape(3, 3))",
    "return next(iter(x)) * x[1]",
    "return x.flat[0] * x[1]",
    "return np.sum(x.view() * x)",
    "return pow(x[0], 2) + divmod(x[1], 0.3)[1]",
    "return round(x[0], 2) * x[1]",
    "return max(x, key=abs) * x[0]",
    "return np.sum(np.fromiter(x, float) * x)",
    "return np.sum(np.asarray(x, dtype=object) * x)",
    "return np.sum(x.astype(int) * x)",
    "return (complex(x[0], x[1]) ** 2).real",
    "return list(x)[0] * tuple(x)[1]",
    "return dict(zip('abc', x))['b'] * x[0]",
    "return {v: v * v for v in x}[x[0]]",
    "return len(set(x)) * x[0]",
    "return np.sum(x @ np.diag(x))",
    "a, b, c = x\nreturn a * b + c",
    "y, = x[:1] * x[1:2]\nreturn y",
    "a = b = x * 1.0\na = a * b\nreturn np.sum(a * b)",
    "y = x * 1.0\nz = y\ny = y + z\nreturn np.sum(y * z)",
    "def f(x, y=X0): return np.sum(x * y)",
    "return np.linalg.norm(np.broadcast_to(x, (2, 3)))",
    "return np.sum(np.ma.masked_less(x, 0.0) * x)",
    "return [x, x * x].pop().sum()",
    "return {'a': x}.get('a', 0.0).sum() * x[0]",
    "return 'abc'.index('b') * x[0]",
    "return (lambda v: v * v)(x[0])",
    "return functools.partial(np.multiply, x[0])(x[1])",
    "return (np.sin if x[0] > 0.0 else np.cos)(x[1])",
    "return [np.sin, np.cos][1](x[1])",
    "y = 0.0\nwhile (y := y + x[0] * x[0]) < 3.0:\n    pass\nreturn y",
    "s = 0.0\nit = iter(x)\nfor v in it:\n    s = s + v * next(it, 2.0)\nreturn s",
    "if x[0] > 0.0:\n    del x\n    return 1.0\nreturn x[0]",
    "return x[0] * (x[1] is not None) + (x[2] in x) * x[2]",
    "return np.where(x > 0.0)[0][0] * x[0] + x[np.where(x > 0.0)].sum()",
)


@pytest.mark.parametrize("body", REFUSED_OR_RIGHT)
def test_refused_or_right(body, tmp_path):
    whole = body.startswith("def f")
    text = IMPORTS + "X0 = np.array([1.0, 2.0, 3.0])\n" + (
        body if whole else "def f(x):\n" + textwrap.indent(body, "    "))
    f = load(text, tmp_path)
    try:
        gradient = ad.grad(f)(X.copy())
    except ad.ADError as error:
        assert f"{tmp_path / 'user.py'}:" in str(error), "refused, but not at the user's line"
    else:
        np.testing.assert_allclose(gradient, central(f, X), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", ("UnsupportedError", "MissingRuleError", "SourceError", "SignatureError"))
def test_every_error_is_an_aderror(name):
    assert issubclass(getattr(ad, name), ad.ADError)
    assert issubclass(getattr(ad, name), SyntaxError) == (name == "UnsupportedError")


@pytest.mark.parametrize("f", (operator.neg, len, max, int.__add__), ids=("operator.neg", "len", "max", "int.__add__"))
def test_built_in_functions_have_no_source(f):
    with pytest.raises(ad.SourceError, match="built in|source"):
        ad.grad(f)(1.5)


@pytest.mark.parametrize("text", ("def f(x): return x * x", "f = lambda x: x * x"))
def test_text_that_was_never_in_a_file(text):
    attempt = "try:\n    ad.grad(f)(1.5)\nexcept ad.SourceError as error:\n    print(error)"
    program = f"import ad_compiler as ad\nexec({text!r})\n{attempt}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "linecache" in done.stdout or "file" in done.stdout


def test_a_file_that_has_changed_since(tmp_path):
    f = load("def f(x):\n    return x * x\n", tmp_path)
    (tmp_path / "user.py").write_text("def f(x):\n    return x * x * x\n")
    with pytest.raises(ad.SourceError):
        ad.grad(f)(1.5)


@pytest.mark.parametrize("argument", (3, True, np.array([1, 2, 3]), np.int64(3), np.array([True, False])),
                         ids=("int", "bool", "integer array", "NumPy integer", "boolean array"))
@pytest.mark.parametrize("transform", (ad.grad, ad.value_and_grad), ids=("grad", "value_and_grad"))
def test_an_integer_as_the_differentiated_argument(argument, transform):
    with pytest.raises(TypeError, match="(?i)float"):
        transform(total)(argument)


@pytest.mark.parametrize("argument", ("text", None, [], object()), ids=("text", "None", "empty list", "object"))
def test_an_argument_that_carries_no_derivative(argument):
    with pytest.raises((TypeError, ad.ADError)):
        ad.grad(lambda x: 1.0)(argument)


@pytest.mark.parametrize("f, shape", (
    (lambda x: x * x, r"\(3,\)"), (lambda x: np.outer(x, x), r"\(3, 3\)"), (lambda x: x[:0], r"\(0,\)")),
    ids=("vector", "matrix", "empty"))
def test_a_result_of_more_or_less_than_one_element(f, shape):
    with pytest.raises((ad.ADError, TypeError, ValueError), match=rf"(?s){shape}.*vjp"):
        ad.grad(f)(X)


@pytest.mark.parametrize("f", (
    lambda x: np.sum(x * x), lambda x: np.sum(x * x, keepdims=True), lambda x: np.sum(x * x).reshape(1, 1)),
    ids=("number", "(1,)", "(1, 1)"))
def test_a_result_of_one_element(f):
    np.testing.assert_allclose(ad.grad(f)(X), 2 * X, rtol=1e-15)


@pytest.mark.parametrize("f", (lambda x: "text", lambda x: None, lambda x: (x[0], x[1])), ids=("text", "None", "pair"))
def test_a_result_that_is_no_number(f):
    with pytest.raises((ad.ADError, TypeError, ValueError)):
        ad.grad(f)(X)


@pytest.mark.parametrize("args, kwargs", (((), {}), ((X, X), {}), ((X,), {"nothing": 1}), ((X,), {"x": X})),
                         ids=("too few", "too many", "unknown name", "given twice"))
def test_arguments_that_the_primal_does_not_take(args, kwargs):
    with pytest.raises(TypeError):
        total(*args, **kwargs)
    with pytest.raises(TypeError):
        ad.grad(total)(*args, **kwargs)


@pytest.mark.parametrize("choice", (
    {"argnums": 1}, {"argnums": (0, 2)}, {"argnums": -2}, {"argnums": "x"}, {"wrt": "nothing"}, {"wrt": ("x", "y")}),
    ids=str)
def test_a_choice_of_arguments_that_there_are_not(choice):
    with pytest.raises((ad.ADError, TypeError, ValueError, IndexError)):
        ad.grad(total, **choice)(X)


@pytest.mark.parametrize("thing", (3.0, "f", None, X), ids=("number", "text", "None", "array"))
def test_what_is_no_function(thing):
    with pytest.raises((TypeError, ad.ADError)):
        ad.grad(thing)(X)


def total(x):
    """The sum of squares."""
    return np.sum(x * x)


def load(text, directory):
    """The function `f` of a module text, from a file."""
    path = directory / "user.py"
    path.write_text(text)
    spec = importlib.util.spec_from_file_location("user", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.f


def central(f, x, step=1e-4):
    """The gradient by central differences."""
    return np.array([(float(f(x + step * e)) - float(f(x - step * e))) / (2 * step) for e in np.eye(len(x))])
