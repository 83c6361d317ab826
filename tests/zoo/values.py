"""The rows of values: calls, closures, containers, grad modes (notation: rows.py)."""

from .rows import read

CALLS = read('''
#= positional and keyword arguments | float vector
#- before
def mix(u, v, w):
    return u * v + w
#- block
y = mix(x, w=np.sin(x), v=2.0) + mix(np.cos(x), x, 1.0)
#= default arguments | float vector
#- before
def scale(u, a=1.5, *, b=0.5):
    return a * u * u + b
#- block
y = scale(x) + scale(x, 2.0) * scale(x, b=3.0)
#= extra arguments | float vector | a=1.3 b=0.4
y = np.sin(a * x) * b + x * a
#= array argument | vector | w=np.array([0.5,-1.5,2.0,0.3]) b=0.4
y = np.tanh(w * x + b) * w
#= user function | float vector matrix
#- before
def square(v):
    return v * v
#- block
y = square(x) * 2.0 + square(np.sin(x))
#= chain of calls | float vector
#- before
def inner(v):
    return np.sin(v) * v

def outer(v):
    return inner(v) + inner(v * 0.5)
#- block
y = outer(inner(x))
#= several results | float vector
#- before
def both(v):
    return np.sin(v), v * v
#- block
a, b = both(x)
y = a * b
#= result unused in part | vector
#- before
def both(v):
    return np.sin(v), np.exp(v)
#- block
a, _ = both(x)
y = a * x
#= call with inactive argument | float vector
#- before
def combine(c, v):
    return c * c * v
#- block
y = combine(2.0, x) + combine(x, 3.0)
#= call for its message | float vector
#- before
def report(v):
    print("called")
    return v
#- block
y = report(x * x)
#= recursion | float vector
#- before
def power(v, n):
    if n == 0:
        return v * 0.0 + 1.0
    return v * power(v, n - 1)
#- block
y = power(x, 3)
#= recursion on an active value | float | scalar real
#- before
def halve(v):
    if abs(v) < 0.3:
        return v * v
    return halve(v * 0.5) * 1.5
#- block
y = halve(x) + x
#= mutual recursion | float vector
#- before
def even(v, n):
    if n == 0:
        return v
    return np.sin(odd(v, n - 1))

def odd(v, n):
    return even(v, n - 1) * v if n > 0 else v
#- block
y = even(x, 4)
#= function as value | float vector
#- before
def twice(act, v):
    return act(act(v))

def bump(v):
    return v * v * 0.5
#- block
y = twice(np.sin, x) + twice(bump, x)
#= global lambda | float vector
#- before
act = lambda v, a=2.0: v * v * a
#- block
y = act(x) + act(x, 3.0)
#= partial | float vector
#- before
def mix(u, v, w=1.0):
    return u * v + w * v
half = functools.partial(mix, 0.5, w=0.3)
#- block
y = half(x) * np.sin(half(x))
#= method | float vector
#- before
class Model:
    def __init__(self, a):
        self.a = a

    def apply(self, v):
        return np.sin(v * self.a)
model = Model(1.5)
#- block
y = model.apply(x) * x
#= callable object | float vector
#- before
class Layer:
    def __init__(self, a):
        self.a = a

    def __call__(self, v):
        return np.tanh(v) * self.a
layer = Layer(0.7)
#- block
y = layer(x) + layer(x * x)
#= builtins | vector | scalar real
y = max(x[0], x[1]) * min(x[2], x[3]) + abs(x[0]) + sum(x) * float(x[3])
#= math functions | float | real
y = math.sin(x) * math.exp(x) + math.sqrt(x * x + 1.0)
''')

CLOSURES = read('''
#= global float | float vector
#- before
RATE = 1.7
#- block
y = np.sin(RATE * x) + RATE
#= global array | vector
#- before
W = np.array([0.5, -1.5, 2.0, 0.3])
#- block
y = np.tanh(W * x) * W
#= global module | float
#- before
import math as m
#- block
y = m.pi * x * x + m.sqrt(2.0) * x
#= global function | float vector
#- before
from numpy import sin as s, exp
#- block
y = s(x) * exp(x * 0.5)
#= global alias of a function | float vector
#- before
def square(v):
    return v * v
alias = square
#- block
y = alias(x) * x
#= global tuple | float vector
#- before
COEFFICIENTS = (0.5, -1.0, 2.0)
#- block
y = x * 0.0
for c in COEFFICIENTS:
    y = y * x + c
#= closure over a float | float vector
#- before
def make(a):
    def scaled(v):
        return np.sin(v) * a
    return scaled
scaled = make(1.5)
tripled = make(3.0)
#- block
y = scaled(x) * tripled(x)
#= closure over an array | vector
#- before
def make(w):
    def scaled(v):
        return v * v * w
    return scaled
scaled = make(np.array([0.5, -1.5, 2.0, 0.3]))
#- block
y = scaled(x) + x
#= closure over a function | float vector
#- before
def compose(outer, inner):
    def both(v):
        return outer(inner(v))
    return both
both = compose(np.sin, lambda v: v * v)
#- block
y = both(x) * x
#= closure over a module | float vector
#- before
def make(lib):
    def waves(v):
        return lib.sin(v) + lib.cos(v) * v
    return waves
waves = make(np)
#- block
y = waves(x)
''')

CONTAINERS = read('''
#= tuple | float vector
p = (x, np.sin(x), 2.0)
y = p[0] * p[1] + p[-1] * p[1]
#= list | float vector
p = [x, np.sin(x), 2.0]
y = p[0] * p[1] + p[2]
#= dict | float vector
p = {"a": x, "b": np.sin(x)}
y = p["a"] * p["b"] + p["a"]
#= nested containers | float vector
p = {"a": [x, (np.sin(x), x * x)], "b": 2.0}
y = p["a"][0] * p["a"][1][0] + p["a"][1][1] * p["b"]
#= unpacking of containers | float vector
p = (x, [np.sin(x), x * x])
a, (b, c) = p
y = a * b + c
#= tuple argument | float vector | p=(1.5,0.3)
y = p[0] * x * x + p[1]
#= tuple argument with an array | vector | p=(np.array([0.5,-1.5,2.0,0.3]),0.3)
w, b = p
y = np.sin(w * x + b)
#= list argument | float vector | p=[1.5,0.3]
y = p[0] * np.sin(x) + p[1] * p[0]
#= dict argument | vector | p={"w":np.array([0.5,-1.5,2.0,0.3]),"b":0.3}
y = np.tanh(x * p["w"] + p["b"])
#= nested argument | vector | p={"layers":[(np.array([0.5,-1.5,2.0,0.3]),0.1),(np.array([0.2,0.9,-1.1,0.6]),0.2)],"n":3}
y = x
for w, b in p["layers"]:
    y = np.tanh(y * w + b)
y = y * p["n"]
#= container passed on | float vector | p={"a":1.5,"b":(0.3,0.7)}
#- before
def apply(q, v):
    lo, hi = q["b"]
    return q["a"] * v * lo + np.sin(v) * hi
#- block
y = apply(p, x) * p["a"]
#= container results | float vector
#- before
def parts(v):
    return {"s": np.sin(v), "p": [v * v, (v, 2.0)]}
#- block
r = parts(x)
y = r["s"] * r["p"][0] + r["p"][1][0] * r["p"][1][1]
''')

MODES = read('''
#= no_grad | float vector
with no_grad():
    c = np.sin(x)
y = c * x
#- reference
c = const(np.sin(x))
y = c * x
#= no_grad over several statements | vector
with no_grad():
    m = np.max(x)
    c = np.sum(x * x) + m
y = x / c * np.sin(x - m)
#- reference
m = const(np.max(x))
c = const(np.sum(x * x) + m)
y = x / c * np.sin(x - m)
#= alias under no_grad | float vector
a = x * x
with no_grad():
    b = a
y = b * x
#- reference
b = x * x
y = b * x
#= number rebound under no_grad | float
a = x * x
with no_grad():
    a = a + 1.0
y = a * x
#- reference
a = const(x * x + 1.0)
y = a * x
#= branch under no_grad | vector | scalar
with no_grad():
    c = np.sum(x)
    if c > 0.3:
        c = c * c
y = c * np.sum(x)
#- reference
c = np.sum(x)
if c > 0.3:
    c = c * c
y = const(c) * np.sum(x)
#= call under no_grad | float vector
#- before
def square(v):
    return v * v
#- block
with no_grad():
    c = square(x)
y = square(x) * c
#- reference
y = x * x * const(x * x)
#= enable_grad within no_grad | float vector
with no_grad():
    s = np.sin(x)
    with enable_grad():
        t = s * x
    u = t * 2.0
y = t * x + u
#- reference
s = const(np.sin(x))
t = s * x
y = t * x + const(t * 2.0)
#= no_grad within enable_grad within no_grad | float vector
with no_grad():
    with enable_grad():
        a = x * x
        with no_grad():
            b = a * x
        a = a + b
    c = a * 3.0
y = a + c * x
#- reference
a = x * x
b = const(a * x)
a = a + b
c = const(a * 3.0)
y = a + c * x
#= set_grad_enabled | float vector
with set_grad_enabled(False):
    c = np.cos(x)
    with set_grad_enabled(True):
        d = x * x
y = c * x + d
#- reference
y = const(np.cos(x)) * x + x * x
#= no_grad on a callee | float vector
#- before
@no_grad()
def scale(v):
    return np.sin(v) + 2.0
#- block
y = x * scale(x)
#- reference
y = x * const(np.sin(x) + 2.0)
#= detach | float vector
y = x * detach(np.sin(x)) + detach(x) * 2.0 + x
#- reference
y = x * const(np.sin(x)) + const(x) * 2.0 + x
#= detach of a name | vector
a = x * x
b = detach(a)
y = a * b + b
#- reference
a = x * x
b = const(a)
y = a * b + b
''')

CONSTRUCTS = CALLS + CLOSURES + CONTAINERS + MODES
