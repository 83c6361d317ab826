"""Try a row of the derivative table directly, without the compiler: tangents, pairing, shapes and dtypes.

`check_row(row)` evaluates, for every form and case of a row and for every argument that has a contribution,

    the tangent    against central differences (where the verb or `push` gives one),
    the pairing    Re⟨g, push d⟩ = Re⟨pull g, d⟩ to 1e-10, or pull against central differences where there is no push,
    the kind       shape and dtype of the contribution are those of the argument,

once with the facts known that a compiler would know, and once with nothing known but the literals.

Cases of an elementwise row are domains, one for each argument; each string is expanded into Python numbers, NumPy
scalars, 0-d arrays, vectors, broadcasting pairs, empty arrays and float32:

    R any real    P positive (0.5, 2)    U (-0.9, 0.9)    G (1.1, 3)    C complex
    I integer 1, 2 or 3, not differentiated    B truth value    3, -0.5, ... a literal

Cases of other rows are texts of argument lists: `R(3, 4), axis=1`. There `R()` is a Python float, `R(2, 3)` an array;
P, U, G, C, I, B likewise, and S(n) symmetric, SPD(n) symmetric positive definite, each also with leading batch sizes.
Directions of an exactly symmetric (Hermitian) argument are symmetric (Hermitian).
"""

from __future__ import annotations

import ast
import builtins
import math
import operator
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import gast
import numpy as np

from ad_compiler import kinds, support
from ad_compiler.rules.table import Form, Row, lookup
from ad_compiler.support.values import cast, unbroadcast
from ad_compiler.syntax import key as text_of
from ad_compiler.syntax import reads

NAMESPACE = {"np": np, "math": math, **{n: f for n, f in vars(support).items() if not n.startswith("_")}}
_MATH = [f for f in vars(math).values() if callable(f)]
OPERATORS = {"Add": operator.add, "Sub": operator.sub, "Mult": operator.mul, "Div": operator.truediv,
             "Pow": operator.pow, "FloorDiv": operator.floordiv, "Mod": operator.mod, "MatMult": operator.matmul,
             "USub": operator.neg, "UAdd": operator.pos, "Invert": operator.invert, "Subscript": operator.getitem}
STEP = 1e-6


class Domains:
    """The generators that a case is written in, from one seeded source."""

    def __init__(self, seed: str) -> None:
        self.random = np.random.default_rng(zlib.crc32(seed.encode()))

    def R(self, *shape):
        return self._plain(self.random.normal(size=shape))

    def P(self, *shape):
        return self._plain(self.random.uniform(0.5, 2.0, size=shape))

    def U(self, *shape):
        return self._plain(self.random.uniform(-0.9, 0.9, size=shape))

    def G(self, *shape):
        return self._plain(self.random.uniform(1.1, 3.0, size=shape))

    def C(self, *shape):
        return self._plain(self.random.normal(size=shape) + 1j * self.random.normal(size=shape))

    def I(self, *shape):  # noqa: E743
        return self._plain(self.random.integers(1, 4, size=shape))

    def B(self, *shape):
        return self._plain(self.random.uniform(size=shape) > 0.5)

    def S(self, *shape):
        a = self.random.normal(size=(*shape, shape[-1]))
        return a + np.swapaxes(a, -1, -2)

    def SPD(self, *shape):
        a = self.random.normal(size=(*shape, shape[-1]))
        return a @ np.swapaxes(a, -1, -2) + shape[-1] * np.eye(shape[-1])

    @staticmethod
    def _plain(value):
        return value.item() if np.ndim(value) == 0 else value

    def namespace(self):
        return {"np": np, "math": math, **{n: getattr(self, n) for n in dir(self) if n.isupper()}}


@dataclass
class Case:
    """One call: a form of the row, the positional and keyword values, and which of them are literal."""

    text: str
    form: Form
    args: list
    keywords: dict
    literals: dict  # position or keyword -> literal value

    def slots(self):
        """Where each argument stands: (place, parameter); the further arguments of a starred form share one."""
        named = zip(range(len(self.args)), self.form.params, strict=False)
        return list(named) + [(k, k) for k in self.keywords]

    def bound(self, row):
        values = {p: self.args[i] if isinstance(i, int) else self.keywords[i] for i, p in self.slots()}
        if self.form.star:
            values[self.form.star] = tuple(self.args[len(self.form.params):])
        for parameter, tree in row.defaults.items():
            if parameter not in values:
                values[parameter] = eval(text_of(tree), dict(NAMESPACE))
        return values

    def facts(self, row, known):
        literal = {p: self.literals[i] for i, p in self.slots() if i in self.literals}
        given = {p for _, p in self.slots()}
        facts = {}
        for parameter, value in self.bound(row).items():
            if parameter not in given and parameter != self.form.star:
                facts[parameter] = kinds.Fact(kind_of(value), value, given=False)
            else:
                stated = known or parameter in literal
                facts[parameter] = kinds.Fact(kind_of(value) if stated else kinds.UNKNOWN, literal.get(parameter, ...))
        return facts

    def call(self, values):
        """Evaluate the primal with other values for the parameters."""
        args = [values[p] for i, p in self.slots() if isinstance(i, int)]
        keywords = {p: values[p] for i, p in self.slots() if not isinstance(i, int)}
        if self.form.star:
            args += values[self.form.star]
        key = self.form.key
        if not isinstance(key, tuple):
            return key(*args, **keywords)
        what, name = key
        if what == "operator":
            return OPERATORS[name](*args)
        return getattr(args[0], name) if what == "attribute" else getattr(args[0], name)(*args[1:], **keywords)


def kind_of(value):
    """The kind of a value, as a signature would state it."""
    codes = {"f8": "f8", "f4": "f4", "c16": "c16", "c8": "c8"}
    if isinstance(value, np.ndarray):
        plain = "b1" if value.dtype.kind == "b" else "i8" if value.dtype.kind in "iu" else None
        return kinds.Array(plain or codes.get(value.dtype.str[1:]), value.shape)
    if isinstance(value, (bool, np.bool_)):
        return kinds.BOOL
    if isinstance(value, (int, np.integer)):
        return kinds.Scalar("i8", python=isinstance(value, int))
    if isinstance(value, (float, complex, np.inexact)):
        python = not isinstance(value, np.generic)
        return kinds.Scalar(np.result_type(value).str[1:], python)
    if isinstance(value, (list, tuple)):
        return kinds.Sequence(type(value).__name__, tuple(kind_of(item) for item in value))
    return kinds.Static(value) if value is None or isinstance(value, str) else kinds.OTHER


def cases(row: Row) -> Iterator[Case]:
    """Every call that a row is tried with."""
    for text in [row.cases] if isinstance(row.cases, str) else row.cases:
        for form in (row.form, *row.also):
            yield from (_expanded(row, form, text) if row.verb == "elementwise" else _stated(row, form, text))


def _stated(row, form, text):
    source = Domains(row.text + text)
    call = ast.parse(f"f({text})", mode="eval").body
    value = lambda node: eval(compile(ast.Expression(node), "<case>", "eval"), source.namespace())
    args, keywords, literals = [], {}, {}
    for place, node in [*enumerate(call.args), *((k.arg, k.value) for k in call.keywords)]:
        try:
            literals[place] = ast.literal_eval(node)
        except ValueError:
            pass
        if isinstance(place, int):
            args.append(value(node))
        else:
            keywords[place] = value(node)
    if not _fits(row, form, args, keywords):
        assert form is not row.form, f"{row.text}: the case {text!r} doesn't fit"
        return
    yield Case(f"{form.key} ({text})", form, args, keywords, literals)


def _fits(row, form, args, keywords):
    try:
        row.bind(form, [gast.Constant(value=0, kind=None) for _ in args], dict.fromkeys(keywords))
    except LookupError:
        return False
    return not (_is_a(form, "method") or _is_a(form, "attribute")) or isinstance(args[0], (np.ndarray, np.generic))


def _is_a(form, what):
    return isinstance(form.key, tuple) and form.key[0] == what


def _expanded(row, form, text):
    domains = [word.strip() for word in text.split(",")]
    source = Domains(row.text + text)
    literals = {i: ast.literal_eval(word) for i, word in enumerate(domains) if not (word.isalpha() and len(word) == 1)}
    free = len(domains) - len(literals)

    def drawn(shapes, wrap=lambda v: v):
        pending = iter(shapes)
        args = [literals[i] if i in literals else wrap(getattr(source, word)(*next(pending)))
                for i, word in enumerate(domains)]
        return args

    def narrow(value):
        if isinstance(value, (bool, int)) or np.asarray(value).dtype.kind not in "fc":
            return value
        return np.asarray(value).astype("c8" if np.iscomplexobj(value) else "f4")[()]

    variants = {"Python numbers": drawn([()] * free)}
    if form.key not in _MATH and form.key not in (float, complex, round):
        variants |= {
            "NumPy scalars": drawn([()] * free, lambda v: np.asarray(v)[()]),
            "0-d arrays": drawn([()] * free, np.asarray),
            "vectors": drawn([(4,)] * free),
            "no elements": drawn([(0,)] * free),
            "no rows": drawn([(0, 3)] * free),
            "float32": drawn([(4,)] * free, narrow),
            "float32 scalars": drawn([()] * free, narrow),
        }
        if free > 1:
            variants |= {
                "broadcasting": drawn([(3, 1)] + [(4,)] * (free - 1)),
                "number with matrix": drawn([()] + [(2, 3)] * (free - 1)),
                "matrix with number": drawn([(2, 3)] + [()] * (free - 1)),
                "float32 broadcasting": drawn([(3, 1)] + [(4,)] * (free - 1), narrow),
            }
    for name, args in variants.items():
        if _fits(row, form, args, {}):
            yield Case(f"{form.key} ({text}: {name})", form, args, {}, literals)


def check_row(row: Row) -> int:
    """Try every case of a row in every way; the number of contributions that were tried."""
    tried = 0
    for case in cases(row):
        for known in (True, False):
            with np.errstate(all="ignore"):
                tried += _check(row, case, known)
    assert tried, f"{row.text}: no contribution was tried"
    return tried


def pulled(key, *args, g=1.0, literals=(), known=True):
    """The contributions that a call with these arguments sends back, by parameter; quiet where the primal is quiet."""
    row, form = lookup(key)
    case = Case(row.text, form, list(args), {}, {i: args[i] for i in literals})
    bound = case.bound(row)
    strict = dict(divide="raise", invalid="raise", over="raise")
    try:
        with np.errstate(**strict):
            result = case.call(bound)
    except FloatingPointError:
        strict = dict(all="ignore")
        with np.errstate(**strict):
            result = case.call(bound)
    facts, values = case.facts(row, known), {**NAMESPACE, **bound, row.results[0]: result, "g": g}
    given = {p for i, p in case.slots() if i not in literals} | {form.star}
    with np.errstate(**strict):
        found = {p: _evaluate(row, row.pull(p, facts), values) for p in row.pulls if p in given}
        return {p: unbroadcast(c, bound[p]) if row.verb == "elementwise" else c for p, c in found.items()}


def _check(row, case, known):
    where = f"{row.text} as {case.text}, facts {'known' if known else 'unknown'}"
    source = Domains(where)
    bound = case.bound(row)
    result = case.call(bound)
    results = dict(zip(row.results, result, strict=True)) if len(row.results) > 1 else {row.results[0]: result}
    seeds = {n: direction(source, r) for n, r in results.items()}
    cotangents = {f"g_{n}": s for n, s in seeds.items()} if len(results) > 1 else {"g": seeds[row.results[0]]}
    values = {**NAMESPACE, **bound, **results}
    narrow = any(_is_narrow(value) for value in bound.values())
    facts = case.facts(row, known)
    tried = 0
    given = {p for _, p in case.slots()} | {case.form.star}
    for parameter in row.pulls:
        d = direction(source, bound[parameter]) if parameter in given else None
        if d is None:
            continue
        tried += 1
        contribution = _evaluate(row, row.pull(parameter, facts), {**values, **cotangents})
        if row.verb == "elementwise":
            contribution = unbroadcast(contribution, bound[parameter])
        _same_kind(contribution, bound[parameter], f"{where}: contribution to {parameter}")
        plus, minus = (case.call({**bound, parameter: moved(bound[parameter], d, h)}) for h in (STEP, -STEP))
        slope = difference(plus, minus)
        tangent = _tangent(row, case, parameter, bound, values, facts, d)
        seed = list(seeds.values()) if len(results) > 1 else seeds[row.results[0]]
        tight, loose = (1e-3, 1e-1) if narrow else (1e-10, 1e-6)
        if tangent is None:
            _close(pairing(contribution, d), pairing(seed, slope), loose, f"{where}: pull to {parameter}")
            continue
        if not narrow:
            _near(tangent, slope, f"{where}: tangent of {parameter}")
        _close(pairing(contribution, d), pairing(seed, tangent), tight, f"{where}: pairing of {parameter}")
    return tried


def _evaluate(row, tree, values):
    values = dict(values)
    missing = set(reads(tree))
    for name in reversed(list(row.lets)):
        if name in missing:
            missing |= set(reads(row.lets[name]))
    for name, term in row.lets.items():
        if name in missing:
            values[name] = eval(text_of(term), values)
    return eval(text_of(tree), values)


def _tangent(row, case, parameter, bound, values, facts, d):
    if parameter in row.push:
        return _evaluate(row, _parsed(row.push[parameter]), {**values, "d": d})
    if row.push or row.verb == "general":
        return None
    if row.verb == "elementwise":
        return _evaluate(row, row.pull(parameter, facts), {**values, "g": d})
    still = {p: zeros(bound[p]) for p in row.pulls if p in bound and p != parameter and is_active(bound[p])}
    return case.call({**bound, **still, parameter: d})


def _parsed(text):
    return gast.ast_to_gast(ast.parse(text)).body[0].value


# Values that may be numbers, arrays, or sequences of these.

def is_active(value):
    if isinstance(value, (list, tuple)):
        return any(is_active(item) for item in value)
    return isinstance(value, (float, complex, np.ndarray, np.generic)) and np.asarray(value).dtype.kind in "fc"


def _is_narrow(value):
    if isinstance(value, (list, tuple)):
        return any(_is_narrow(item) for item in value)
    return getattr(value, "dtype", None) in (np.float32, np.complex64)


def direction(source, value):
    """A random tangent of a value; None where it has none."""
    if not is_active(value):
        return None
    if isinstance(value, (list, tuple)):
        return [direction(source, item) if is_active(item) else 0.0 for item in value]
    d = source.random.normal(size=np.shape(value))
    if np.iscomplexobj(value):
        d = d + 1j * source.random.normal(size=np.shape(value))
    v = np.asarray(value)
    if v.ndim > 1 and v.shape[-1] == v.shape[-2] > 1 and np.array_equal(v, np.conj(np.swapaxes(v, -1, -2))):
        d = (d + np.conj(np.swapaxes(d, -1, -2))) / 2
    if isinstance(value, (np.ndarray, np.generic)):
        d = np.asarray(d).astype(v.dtype)
        return d if isinstance(value, np.ndarray) else d[()]
    return d.item() if hasattr(d, "item") else d


def moved(value, d, h):
    """The value, moved along a direction; its type stays."""
    if isinstance(value, (list, tuple)):
        return type(value)(moved(v, e, h) if is_active(v) else v for v, e in zip(value, d, strict=True))
    new = value + h * d
    return np.asarray(new).astype(value.dtype) if isinstance(value, np.ndarray) else new


def zeros(value):
    if isinstance(value, (list, tuple)):
        return type(value)(zeros(item) for item in value)
    return np.zeros_like(value) if isinstance(value, np.ndarray) else value * 0.0


def difference(plus, minus):
    if isinstance(plus, (list, tuple)):
        return [difference(p, m) for p, m in zip(plus, minus, strict=True)]
    return (np.asarray(plus) - np.asarray(minus)) / (2 * STEP) if is_active(plus) else np.zeros(np.shape(plus))


def pairing(g, d):
    """Re Σ g d, without conjugation: how cotangents and tangents are paired."""
    if isinstance(g, (list, tuple)):
        return builtins.sum(pairing(a, b) for a, b in zip(g, d, strict=True))
    return 0.0 if g is None or d is None else float(np.sum(np.asarray(g) * np.asarray(d)).real)


def _same_kind(contribution, value, where):
    if isinstance(value, (list, tuple)):
        assert len(contribution) == len(value), f"{where}: {len(contribution)} parts for {len(value)}"
        for part, item in zip(contribution, value, strict=True):
            if is_active(item):
                _same_kind(part, item, where)
        return
    assert np.shape(contribution) == np.shape(value), f"{where}: shape {np.shape(contribution)}, not {np.shape(value)}"
    dtype = np.asarray(cast(contribution, value)).dtype
    if isinstance(value, (np.ndarray, np.generic)):
        assert dtype == value.dtype, f"{where}: dtype {dtype}"
    else:
        assert dtype.kind == "f" or isinstance(value, complex), f"{where}: dtype {dtype}"


def _near(got, wanted, where):
    if isinstance(wanted, (list, tuple)):
        for a, b in zip(got, wanted, strict=True):
            _near(a, b, where)
        return
    if got is None:
        got = 0.0
    np.testing.assert_allclose(np.broadcast_to(got, np.shape(wanted)), wanted, rtol=2e-6, atol=2e-7, err_msg=where)


def _close(got, wanted, tolerance, where):
    assert abs(got - wanted) <= tolerance * max(abs(got), abs(wanted), 1.0), f"{where}: {got} is not {wanted}"
