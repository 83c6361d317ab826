"""Every row of the table through the whole compiler: calls are written out as functions, compiled and differentiated.

Each case of a row (harness.cases; three of them a row, all with DEEP=1 in the environment) becomes two functions:

    straight   def f(x, y): return np.arctan2(x, y)
    loop       the same call twice in a loop whose body changes the arguments, summed up to a number

Both are differentiated for the kinds of the arguments (`ad.vjp`), and as the text that `gradient_source` gives when it
knows nothing about them. That text may be refused; a number must be right in every case. Compared are directional
derivatives, one random direction for each argument, with central differences in float64; float32 must stay float32.
"""

import builtins
import itertools
import linecache
import math
import os
import random
import zlib

import numpy as np
import pytest
from harness import OPERATORS, STEP, Domains, cases, difference, direction, is_active, moved, pairing

import ad_compiler as ad
from ad_compiler import support
from ad_compiler.rules.table import ROWS

DEEP = os.environ.get("DEEP") == "1"
SAMPLE = 3
MINE = [row for row in ROWS if row.verb in ("elementwise", "linear", "general") and row.cases]
SYMBOLS = {"Add": "+", "Sub": "-", "Mult": "*", "Div": "/", "Pow": "**", "FloorDiv": "//", "Mod": "%", "MatMult": "@",
           "USub": "-", "UAdd": "+", "Invert": "~"}
PLACES = ((np, "np."), (np.linalg, "np.linalg."), (math, "math."), (builtins, ""), (support, ""))
SPACE = {"np": np, "math": math, **{n: f for n, f in vars(support).items() if not n.startswith("_")}}
NUMBER = itertools.count()


@pytest.mark.parametrize("row", MINE, ids=lambda row: row.text)
def test_compiled_row(row):
    every = [case for case in cases(row) if differentiated(case, row)]
    assert every, "no case has an argument to differentiate by"
    if not DEEP:
        every = random.Random(zlib.crc32(row.text.encode())).sample(every, min(SAMPLE, len(every)))
    wrong = []
    for case in every:
        with np.errstate(all="ignore"):
            result = case.call(case.bound(row))
            for write in (straight, loop):
                text, args = write(case, row, result)
                for way in (as_called, as_emitted):
                    trouble = way(text, args)
                    wrong += [f"{case.text}, {write.__name__}, {way.__name__}: {trouble}\n{text}"] if trouble else []
    assert not wrong, "\n".join(wrong)


def placed(case, row):
    """The arguments of a case in order, each with its parameter."""
    names = dict(case.slots())
    found = [(names.get(k, case.form.star), value) for k, value in enumerate(case.args)]
    return found + list(case.keywords.items())


def differentiated(case, row):
    """The arguments of a case that a gradient is asked for."""
    places = [*range(len(case.args)), *case.keywords]
    return [place for place, (p, value) in zip(places, placed(case, row), strict=True)
            if place not in case.literals and p in row.pulls and is_active(value)]


class Writer:
    """Collects the parameters of a function while the text of its call is written."""

    def __init__(self):
        self.args = {}

    def name(self, value):
        name = f"a{len(self.args)}"
        self.args[name] = value
        return name

    def argument(self, value, literal, active):
        """An argument as it stands in a straight function: arrays and floats are parameters, also within a list."""
        if literal or not (active or isinstance(value, np.ndarray)):
            return spelled(value)
        return self.name(value) if active or value.dtype.kind not in "fc" else spelled(value)

    def item(self, value, literal, active):
        """An argument as it stands in a loop: containers are written out, and what is no float, too."""
        if literal or not active or not is_active(value):
            return spelled(value)
        if isinstance(value, (list, tuple)):
            return written([self.item(v, False, True) for v in value], type(value))
        return self.name(value)


def straight(case, row, result):
    """The call alone, as a function of its arguments."""
    writer = Writer()
    text = call(case, row, writer.argument)
    return f"def f({', '.join(writer.args)}):\n    return {text}\n", tuple(writer.args.values())


def loop(case, row, result):
    """The call in a loop that shrinks the arguments a little after each turn, and adds up what is called."""
    writer = Writer()
    text = call(case, row, writer.item)
    leaves = [f"y[{k}]" for k in range(len(result))] if isinstance(result, (tuple, list)) else ["y"]
    values = result if isinstance(result, (tuple, list)) else [result]
    target = "y"
    if isinstance(result, tuple):
        leaves = [f"y{k}" for k in range(len(result))]
        target = ", ".join(leaves) + ("," if len(leaves) == 1 else "")
    body = [f"{target} = {text}"]
    for leaf, value in zip(leaves, values, strict=True):
        if is_active(value):
            body.append(f"t = t + np.sum(np.cos({leaf}))" if not np.iscomplexobj(value) else
                        f"t = t + np.sum(np.cos(np.real({leaf}))) + 0.5 * np.sum(np.imag({leaf}) ** 2)")
    body += [f"{name} = 0.95 * {name}" for name in writer.args]
    lines = "".join(f"        {line}\n" for line in body)
    return (f"def f({', '.join(writer.args)}):\n    t = 0.0\n    for k in range(2):\n{lines}    return t\n",
            tuple(writer.args.values()))


def call(case, row, write):
    """The text of a case's call; `write(value, literal, active)` gives that of an argument."""
    key, places = case.form.key, [*range(len(case.args)), *case.keywords]
    active = differentiated(case, row)
    found = [write(value, place in case.literals, place in active)
             for place, (_, value) in zip(places, placed(case, row), strict=True)]
    n = len(case.args)
    args, rest = found[:n], [f"{k}={text}" for k, text in zip(case.keywords, found[n:], strict=True)]
    if not isinstance(key, tuple):
        prefix = next(prefix for module, prefix in PLACES if getattr(module, key.__name__, None) is key)
        return f"{prefix}{key.__name__}({', '.join(args + rest)})"
    what, name = key
    if what == "method":
        return f"{args[0]}.{name}({', '.join(args[1:] + rest)})"
    if what == "attribute":
        return f"{args[0]}.{name}"
    assert name in OPERATORS
    if name == "Subscript":
        return f"{args[0]}[{index(case.args[1]) or args[1]}]"
    return f"{SYMBOLS[name]}{args[0]}" if len(args) == 1 else f"({args[0]}) {SYMBOLS[name]} ({args[1]})"


def spelled(value):
    """A value as an expression."""
    if isinstance(value, (list, tuple)):
        return written([spelled(v) for v in value], type(value))
    if isinstance(value, np.ndarray) and value.size == 0:
        return f"np.zeros({value.shape}, dtype='{value.dtype.name}')"
    if isinstance(value, np.ndarray):
        return f"np.array({value.tolist()!r}, dtype='{value.dtype.name}')"
    if isinstance(value, float) and not math.isfinite(value):
        return {"inf": "np.inf", "-inf": "-np.inf", "nan": "np.nan"}[str(float(value))]
    if isinstance(value, type):
        return value.__name__ if value.__module__ == "builtins" else f"np.{value.__name__}"
    return "..." if value is Ellipsis else repr(value)


def written(items, container):
    if container is list:
        return f"[{', '.join(items)}]"
    return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"


def index(value):
    """An index of slices and numbers in the notation of brackets; "" for one that is written as an expression."""
    if isinstance(value, slice):
        part = lambda v: "" if v is None else repr(v)
        return f"{part(value.start)}:{part(value.stop)}" + ("" if value.step is None else f":{value.step}")
    if isinstance(value, tuple) and value and not any(isinstance(v, np.ndarray) for v in value):
        return ", ".join(index(v) or spelled(v) for v in value) + ("," if len(value) == 1 else "")
    return ""


def made(text):
    """The function of a text, with a source that can be found."""
    file = f"<compiled row {next(NUMBER)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    space = {**SPACE, "__name__": "compiled_rows"}
    exec(compile(text, file, "exec"), space)
    return space["f"]


def as_called(text, args):
    """What is wrong with the pullback for these very arguments; "" if nothing is."""
    f = made(text)
    try:
        out, pullback = ad.vjp(f, *args)
        seed = direction(Domains(text), out)
        found = pullback(seed)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    if len(found) != len(args):
        return f"{len(found)} gradients for {len(args)} arguments"
    stray = [k for k, (g, arg) in enumerate(zip(found, args, strict=True)) if not is_active(arg) and g is not None]
    return f"gradient of a{stray[0]}, which has no floats" if stray else compared(f, args, seed, found)


def as_emitted(text, args):
    """What is wrong with the text for unknown arguments; "" also if it is refused."""
    f = made(text)
    active = tuple(k for k, arg in enumerate(args) if is_active(arg))
    try:
        source = ad.gradient_source(f, argnums=active)
    except (ad.SignatureError, ad.UnsupportedError):
        return ""
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    try:
        space = {}
        exec(source, space)
        seed = direction(Domains(text), f(*args))
        found = dict(zip(active, space["f_vjp"](*args, out_bar=seed), strict=True))
    except Exception as error:
        return f"{type(error).__name__}: {error}\n{source}"
    trouble = compared(f, args, seed, [like(found.get(k), arg) for k, arg in enumerate(args)])
    return f"{trouble}\n{source}" if trouble else ""


def like(g, arg):
    """A cotangent of the same entries in the containers of the argument: text for unknown kinds may give others."""
    if not isinstance(arg, (list, tuple)) or g is None or len(g) != len(arg):
        return g
    return type(arg)(like(p, a) for p, a in zip(g, arg, strict=True))


def compared(f, args, seed, found):
    """Compare gradients with central differences, in kind and along a random direction; "" if they agree."""
    source, wide_args = Domains(repr(len(args))), [widened(arg) for arg in args]
    narrow = any(map(is_narrow, args))
    for k, (arg, wide, g) in enumerate(zip(args, wide_args, found, strict=True)):
        if not is_active(arg):
            continue
        trouble = other_kind(g, arg)
        if trouble:
            return f"a{k}: {trouble}"
        d = direction(source, wide)
        at = lambda h, k=k, wide=wide, d=d: f(*wide_args[:k], moved(wide, d, h), *wide_args[k + 1:])
        got, wanted = pairing(g, d), [slope(seed, at, h) for h in (1e-4, 2e-6)]  # the short step is for steep functions
        if not any(abs(got - w) <= (1e-3 if narrow else 1e-6) * max(abs(w), 1.0) for w in wanted):
            return f"a{k}: the slope is {got}, not {wanted[0]}"
    return ""


def slope(seed, at, step):
    """The derivative of ⟨seed, at(h)⟩ at h = 0, by differences of fourth order."""
    near, far = (pairing(seed, difference(at(h), at(-h))) * STEP / h for h in (step, 2 * step))
    return (4 * near - far) / 3


def other_kind(g, arg):
    """Where a gradient isn't of the structure, shape and dtype of its argument."""
    if isinstance(arg, (list, tuple)):
        if not isinstance(g, type(arg)) or len(g) != len(arg):
            return f"{g!r} isn't of the structure of the argument"
        return next((t for p, a in zip(g, arg, strict=True) if is_active(a) for t in [other_kind(p, a)] if t), "")
    if np.shape(g) != np.shape(arg):
        return f"shape {np.shape(g)}, not {np.shape(arg)}"
    if np.asarray(g).dtype != np.asarray(arg).dtype:
        return f"dtype {np.asarray(g).dtype}, not {np.asarray(arg).dtype}"
    return ""


def widened(value):
    """A value in double precision."""
    if isinstance(value, (list, tuple)):
        return type(value)(map(widened, value))
    if getattr(value, "dtype", None) in (np.float32, np.complex64):
        return value.astype("c16" if np.iscomplexobj(value) else "f8")
    return value


def is_narrow(value):
    if isinstance(value, (list, tuple)):
        return any(map(is_narrow, value))
    return getattr(value, "dtype", None) in (np.float32, np.complex64)
