"""The rows of what can be differentiated itself: `target` is a lambda, a method, a closure, ... (notation: rows.py).

`<body>` stands for the function's body in each position. In the position "callee" a function calls the target twice.
Without `<body>` the module is given whole for each position.
"""

from .rows import read

TARGETS = read('''
#= target: function | float vector
y = np.sin(x) * x
#- module
def target(x):
    <body>
#= target: lambda | float vector
#- straight
f = lambda x: np.sum(np.sin(x) * x)
#- branch
f = lambda x: np.sum(np.sin(x) * x) if np.sum(x) > 0.5 else np.sum(x * 0.5)
#- loop
def repeat(x):
    for k in range(3):
        x = 0.5 * x + 0.1 * np.sin(x) * x
    return np.sum(x * x)
f = lambda x: repeat(x) * 2.0
#- callee
target = lambda x: np.sin(x) * x
f = lambda x: np.sum(target(x) + target(0.5 * x))
#= target: lambda among lambdas | float
#- straight
square, cube = (lambda x: x * x), (lambda x: x * x * x)
f = cube
#- branch
square, cube = (lambda x: x * x if x > 0.5 else x), (lambda x: x ** 3 if x > 0.5 else x * 0.5)
f = cube
#- loop
def repeat(act, x):
    for k in range(3):
        x = act(x) * 0.5 + 0.1
    return x
square, cube = (lambda x: repeat(np.sin, x)), (lambda x: repeat(np.cos, x))
f = cube
#- callee
square, cube = (lambda x: x * x), (lambda x: x * x * x)
f = lambda x: square(x) * cube(x)
#= target: method | float vector
y = np.sin(x * self.a) * x
#- module
class Model:
    def __init__(self, a):
        self.a = a

    def run(self, x):
        <body>
target = Model(1.5).run
#= target: method that calls methods | float vector
y = self.scale(x) * self.shift(x)
#- module
class Model:
    rate = 0.7

    def __init__(self, a):
        self.a = a

    def scale(self, v):
        return np.sin(v) * self.a

    def shift(self, v):
        return v + self.rate

    def run(self, x):
        <body>
target = Model(1.5).run
#= target: static method | float vector
y = np.sin(x) * x
#- module
class Model:
    @staticmethod
    def run(x):
        <body>
target = Model.run
#= target: class method | float vector
y = np.sin(x * cls.rate) * x
#- module
class Model:
    rate = 0.7

    @classmethod
    def run(cls, x):
        <body>
target = Model.run
#= target: callable object | float vector
y = np.tanh(x * self.a) * x
#- module
class Model:
    def __init__(self, a):
        self.a = a

    def __call__(self, x):
        <body>
target = Model(0.8)
#= target: object with an array | vector
y = np.tanh(x * self.w) * self.w
#- module
class Model:
    def __init__(self, w):
        self.w = w

    def __call__(self, x):
        <body>
target = Model(np.array([0.5, -1.5, 2.0, 0.3]))
#= target: partial | float vector
y = np.sin(x * a) * b
#- module
def general(a, x, b=1.0):
    <body>
target = functools.partial(general, 1.5, b=0.7)
#= target: default arguments | float vector
y = np.sin(x * a) * n
#- module
def target(x, a=1.5, *, n=2):
    <body>
#= target: closure over a float | float vector
y = np.sin(x * a) * x
#- module
def make(a):
    def target(x):
        <body>
    return target
target = make(1.5)
#= target: closure over an array | vector
y = np.sin(x * w) * w
#- module
def make(w):
    def target(x):
        <body>
    return target
target = make(np.array([0.5, -1.5, 2.0, 0.3]))
#= target: closure over a function | float vector
y = act(x) * x
#- module
def make(act):
    def target(x):
        <body>
    return target
target = make(lambda v: np.sin(v) * 2.0)
#= target: closure over a module | float vector
y = lib.sin(x) * lib.pi
#- module
def make(lib):
    def target(x):
        <body>
    return target
target = make(np)
#= target: twice closed | float vector
y = np.sin(x * a) * b
#- module
def make(a):
    def closer(b):
        def target(x):
            <body>
        return target
    return closer
target = make(1.5)(0.6)
#= target: annotated | float vector
y = np.sin(x) * x
#- module
def target(x: "np.ndarray") -> float:
    """A docstring."""
    <body>
#= target: names of our own | float vector
x_bar = np.sin(x)
out_bar = x_bar * x
y_bar = out_bar + x
y = y_bar * out_bar
#- module
def target(x):
    <body>
''')
