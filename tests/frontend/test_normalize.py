"""Normal form, as texts before and after; and the verifier, which finds what is no normal form."""

import ast
import copy
import itertools
import linecache
from dataclasses import replace

import gast
import numpy as np
import pytest

from ad_compiler.errors import InternalError
from ad_compiler.frontend import normal_form
from ad_compiler.frontend.normal import check_normal
from ad_compiler.program import Fixed, Function, Names, Origin
from ad_compiler.syntax import at, name, quote_statements

COUNT = itertools.count()

# The body of `def f(x, s, t, k)`, which ends in `return y` and is differentiated by x, s and t.
ROWS = """
#= y = np.sin(x) * x + 1.0
y = np.sin(x) * x + 1.0
#- becomes
sin_x = np.sin(x)
t_ = sin_x * x
y_2 = t_ + 1.0
return y_2
#= y = x if x > 0 else -x
y = x if x > 0 else -x
#- becomes
condition = x > 0
if condition:
    y_2, = (x,)
else:
    t_ = -x
    y_2, = (t_,)
return y_2
#= y = (x if x > 0 else 1.0) * 2.0
y = (x if x > 0 else 1.0) * 2.0
#- becomes
condition = x > 0
if condition:
    chosen, = (x,)
else:
    chosen, = (1.0,)
y_2 = chosen * 2.0
return y_2
#= y = x and x * 2.0
y = x and x * 2.0
#- becomes
if x:
    t_ = x * 2.0
    y_2, = (t_,)
else:
    y_2, = (x,)
return y_2
#= y = 1.0 < x < 2.0
y = 1.0 < x < 2.0
#- becomes
y_2 = 1.0 < x < 2.0
return y_2
#= a = b = x * x
a = b = x * x
y = a + b
#- becomes
t_ = x * x
y_2 = t_ + t_
return y_2
#= (a, b), c = (x, x), x * 2.0
(a, b), c = (x, x), x * 2.0
y = a * b * c
#- becomes
t__2 = (x, x)
t__3 = x * 2.0
t_ = (t__2, t__3)
part, c_2 = t_
a_2, b_2 = part
t__4 = a_2 * b_2
y_2 = t__4 * c_2
return y_2
#= a, b = s
a, b = s
y = a + b
#- becomes
a_2, b_2 = s
y_2 = a_2 + b_2
return y_2
#= [a, [b, c]] = s
[a, [b, c]] = s
y = a
#- becomes
a_2, part = s
b_2, c_2 = part
return a_2
#= y = 0.0
y = 0.0
for a, b in zip(s, t):
    y = y + a * b
#- becomes
y_2 = 0.0
y_3, = (y_2,)
for k_2 in range(min(len(s), len(t))):
    element = s[k_2]
    element_2 = t[k_2]
    t_ = element * element_2
    y_4 = y_3 + t_
    a_2, b_2, y_3 = (element, element_2, y_4)
return y_3
#= y = 0.0
y = 0.0
for k, a in enumerate(s, 1):
    y = y + a * k
#- becomes
y_2 = 0.0
k_2, y_3 = (k, y_2)
for k_3 in range(len(s)):
    j = k_3 + 1
    element = s[k_3]
    t_ = element * j
    y_4 = y_3 + t_
    k_2, a_2, y_3 = (j, element, y_4)
return y_3
#= y = 0.0
y = 0.0
for a in reversed(s):
    y = y * 2.0 + a
#- becomes
y_2 = 0.0
n = len(s)
y_3, = (y_2,)
for k_2 in range(n):
    j = n - 1 - k_2
    a_3 = s[j]
    t_ = y_3 * 2.0
    y_4 = t_ + a_3
    a_2, y_3 = (a_3, y_4)
return y_3
#= y = x
y = x
for k in reversed(range(3)):
    y = y * k
#- becomes
k_2, y_2 = (k, x)
for k_3 in range(3)[::-1]:
    y_3 = y_2 * k_3
    k_2, y_2 = (k_3, y_3)
return y_2
#= y = x
y = x
while y < 4.0:
    y = y * 2.0
#- becomes
y_2, = (x,)
while True:
    condition = not y_2 < 4.0
    if condition:
        y_2, = (y_2,)
        break
    else:
        y_3 = y_2 * 2.0
        y_2, = (y_3,)
return y_2
#= y = x
y = x
x = x * 2.0
y = y + x
#- becomes
x_2 = x * 2.0
y_2 = x + x_2
return y_2
#= y: float = x * 2.0
y: float = x * 2.0
#- becomes
y_2 = x * 2.0
return y_2
#= y = x
y = x
y += x
#- becomes
y_2 = x + x
return y_2
#= a = x
a = x
a, x = x, a
y = a*x
#- becomes
y_2 = x * x
return y_2
#= y = x
y = x
for k in range(3):
    if y > 2.0:
        break
    y = y * x
#- becomes
k_2, y_2 = (k, x)
for k_3 in range(3):
    condition = y_2 > 2.0
    if condition:
        k_2, y_2 = (k_3, y_2)
        break
    else:
        y_3 = y_2 * x
        k_2, y_2 = (k_3, y_3)
return y_2
#= if x > 0:
if x > 0:
    y = x
else:
    y = 2.0
#- becomes
condition = x > 0
if condition:
    y_3, = (x,)
else:
    y_2 = 2.0
    y_3, = (y_2,)
return y_3
#= for a in [x, x * 2.0]:
for a in [x, x * 2.0]:
    y = a
#- becomes
t__2 = x * 2.0
t_ = [x, t__2]
for k_2 in range(len(t_)):
    a_3 = t_[k_2]
    a_2, y_2 = (a_3, a_3)
return y_2
#= y = x * len(s) * (k + 1)
y = x * len(s) * (k + 1)
#- becomes
len_s = len(s)
t_ = x * len_s
t__2 = k + 1
y_2 = t_ * t__2
return y_2
#= y = s[0] + s[k + 1]
y = s[0] + s[k + 1]
#- becomes
t_ = s[0]
t__2 = s[k + 1]
y_2 = t_ + t__2
return y_2
#= y = -x ** 2
y = -x ** 2
#- becomes
t_ = x ** 2
y_2 = -t_
return y_2
#= assert x > 0, 'no'
assert x > 0, 'no'
print('hello')
y = x
#- becomes
assert x > 0, 'no'
print('hello')
return x
#= u, v = x, 1.0
u, v = x, 1.0
for k in range(3):
    u, v = v, u
y = u
#- becomes
v_2 = 1.0
k_2, u_2, v_3 = (k, x, v_2)
for k_3 in range(3):
    k_2, u_2, v_3 = (k_3, v_3, u_2)
return u_2
#= y = 0.0
y = 0.0
for a in {1.0, 2.0}:
    y = y + a * x
#- becomes
y_2 = 0.0
items = list({1.0, 2.0})
y_3, = (y_2,)
for k_2 in range(len(items)):
    a_3 = items[k_2]
    t_ = a_3 * x
    y_4 = y_3 + t_
    a_2, y_3 = (a_3, y_4)
return y_3
#= if x > 0:
if x > 0:
    y = x
else:
    raise ValueError('no')
#- becomes
condition = x > 0
if condition:
    pass
else:
    raise ValueError('no')
return x
"""


def rows():
    for block in ROWS.strip().removeprefix("#= ").split("\n#= "):
        title, _, rest = block.partition("\n")
        yield pytest.param(*rest.split("\n#- becomes\n"), id=title)


def normalized(body):
    text = "def f(x, s, t, k):\n" + "\n".join(f"    {line}" for line in body.split("\n")) + "\n    return y\n"
    file = f"<normalized {next(COUNT)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    space = {"np": np, "__name__": "normalized"}
    exec(compile(text, file, "exec"), space)
    return normal_form(space["f"], {}, {}, ["x", "s", "t"])


def shown(f):
    def whole(s):
        if not isinstance(s, (gast.If, gast.For, gast.While)):
            return s
        fields = {field: getattr(s, field, None) for field in s._fields}
        fields |= {"body": [whole(b) for b in s.body] or [gast.Pass()], "orelse": [whole(b) for b in s.orelse]}
        return gast.copy_location(type(s)(**fields), s)
    body = [*map(whole, f.body), gast.Return(value=f.result)]
    return ast.unparse(ast.fix_missing_locations(gast.gast_to_ast(gast.Module(body=body, type_ignores=[]))))


@pytest.mark.parametrize("before, after", rows())
def test_normal_form(before, after):
    f = normalized(before)
    check_normal(f, active=["x", "s", "t"])
    assert shown(f) == after


def test_the_user_s_names_are_the_bases_of_versions():
    f = normalized("y = x * x\ny = y + x\nfor k in range(2):\n    y = y * x")
    assert {n: f.names.base[n] for n in ("y_2", "y_3", "k_2")} == {"y_2": "y", "y_3": "y", "k_2": "k"}


# The verifier

WRONG = [
    ("y = x\ny = x", "`y = x`: y is assigned twice"),
    ("x = 1", "the parameter x is assigned"),
    ("y = z", "z is read, and isn't assigned on every path to here"),
    ("if x:\n    y = x\nz = y", "`z = y`: y is read"),
    ("y = x\n(y,) = (x,)", "y is assigned twice"),
    ("y += x", "no statement of the normal form"),
    ("y = (x + x) * x", "more than one operation"),
    ("y = np.sin(x * x)", "more than one operation"),
    ("y = z = x", "more than one target"),
    ("y[0] = x", "a target that is no name"),
    ("if x > 0:\n    y = x", "its condition is no atom"),
    ("while x:\n    break", "its test isn't True"),
    ("for k in x:\n    y = k", "doesn't run over a range"),
    ("for k, j in range(3):\n    y = k", "its target is no name"),
    ("for k in range(3):\n    y = k\nelse:\n    z = x", "a loop with an `else`"),
    ("break", "isn't the last statement of a path through a loop"),
    ("while True:\n    break\n    y = x", "isn't the last statement of its path"),
    ("raise x\ny = x", "isn't the last statement of its path"),
    ("while True:\n    if x:\n        break\n    y = x", "holds a break, and isn't the last"),
    ("(y,) = (x,)\nwhile True:\n    if x:\n        break\n    else:\n        (y,) = (x,)", "another path"),
    ("(y,) = (x,)\nz = y", "neither last nor before a loop"),
    ("(y,) = (x * x,)\nfor k in range(3):\n    (y,) = (x,)", "a merge of more than names and literals"),
    ("(y, y) = (x, x)", "one value"),
]


def function(text):
    body = quote_statements(text)
    origins, lines = {}, itertools.count(1)

    def numbered(s):
        for field in ("body", "orelse"):
            if hasattr(s, field):
                setattr(s, field, [numbered(b) for b in getattr(s, field)])
        line = next(lines)
        origins[line] = Origin()
        return at(s, line)

    class Scope:
        value = staticmethod(lambda tree: np.sin)

    body = [numbered(copy.deepcopy(s)) for s in body]
    return Function("f", ("x",), body, name("x"), Names(), origins, {"np": Fixed(np), "range": Fixed(range)},
                    scope=Scope)


@pytest.mark.parametrize("text, message", WRONG)
def test_the_verifier_names_what_is_wrong(text, message):
    with pytest.raises(InternalError) as caught:
        check_normal(function(text), active=["x"])
    assert message in str(caught.value)


def test_lines_are_the_identities_of_statements():
    f = function("y = x\nz = x")
    with pytest.raises(InternalError, match="`z = x`: has line 1, which isn't its own"):
        check_normal(replace(f, body=[f.body[0], at(f.body[1], 1)]))
    with pytest.raises(InternalError, match="`y = x`: has line 1, which has no origin"):
        check_normal(replace(function("y = x"), origins={}))


@pytest.mark.parametrize("text", [
    "y = (x + x) * x", "if x > 0:\n    y = x\nif x > 0:\n    z = y", "t = @stack()\n@save(t, x)",
    "(y,) = (None,)\nif x:\n    y = x\nz = y", "y = @np.sin(x)"])
def test_derived_programs_may_do_more(text):
    f = function(text.replace("@", "ours_"))
    f = replace(f, body=[_with_pseudo(s) for s in f.body])
    check_normal(f, derived=True)
    with pytest.raises(InternalError):
        check_normal(f, active=["x"])


def _with_pseudo(s):
    for node in gast.walk(s):
        if isinstance(node, gast.Name):
            node.id = node.id.replace("ours_", "@")
    return s


@pytest.mark.parametrize("text", [
    "if x:\n    y = x\nz = y", "y = f(@load(x))", "y = x\ny = x"])
def test_derived_programs_may_not_do_everything(text):
    f = function(text.replace("@", "ours_"))
    f = replace(f, body=[_with_pseudo(s) for s in f.body], meanings={"f": Fixed(abs)})
    with pytest.raises(InternalError):
        check_normal(f, derived=True)
