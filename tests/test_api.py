"""The public transformations: what they accept, what they return, what they refuse, and what they see of the world."""

from __future__ import annotations

import collections
import copy
import functools
import inspect
import itertools
import pickle
import warnings

import numpy as np
import pytest

import ad_compiler as ad

X = np.array([0.5, -1.0, 2.0])
with warnings.catch_warnings():
    warnings.simplefilter("ignore", PendingDeprecationWarning)
    MATRIX = np.matrix([[1.0]])


def square(x):
    return x * x


def cube(x):
    return x * x * x


def loss(w, x, scale=2.0):
    """A doc."""
    return np.sum(w * x) * scale


@ad.grad
def decorated(x):
    return x * x


@ad.value_and_grad(wrt="b")
def decorated_with_options(a, b):
    return a * b * b


class Model:
    def __init__(self, w):
        self.w = w

    def loss(self, x):
        return np.sum(self.w * x * x)

    def __call__(self, x):
        return np.sum(self.w * x)

    @ad.grad
    def bare(self, x):
        return np.sum(self.w * x * x)

    @ad.grad(argnums=2)
    def second(self, x, y):
        return np.sum(self.w * x * y * y)

    @ad.grad(wrt=("x", "y"))
    def named(self, x, y):
        return np.sum(self.w * x * y * y)

    @staticmethod
    @ad.grad
    def static(x):
        return x * x

    @classmethod
    @ad.grad
    def of_class(cls, x):
        return x * x

    @ad.no_grad
    def pruned(self, x):
        return np.sum(self.w * x)


def offset(a, b, x):
    return a * x * x + b


# Forms of arguments

@pytest.mark.parametrize("options, expected", [
    ({}, 12.0), ({"argnums": 1}, 4.0), ({"argnums": -1}, 4.0), ({"argnums": (0, 1)}, (12.0, 4.0)),
    ({"argnums": (1, 0)}, (4.0, 12.0)), ({"argnums": (0,)}, (12.0,)), ({"wrt": "y"}, 4.0), ({"wrt": ("y",)}, (4.0,)),
    ({"wrt": ["y", "x"]}, (4.0, 12.0)), ({"argnums": np.int64(1)}, 4.0)])
def test_what_to_differentiate_by(options, expected):
    assert ad.grad(lambda x, y: x * x * y, **options)(2.0, 3.0) == expected
    assert ad.value_and_grad(lambda x, y: x * x * y, **options)(2.0, 3.0) == (12.0, expected)


@pytest.mark.parametrize("options, error, says", [
    ({"argnums": 2}, ValueError, "2 parameters: x, y"), ({"argnums": -3}, ValueError, "2 parameters"),
    ({"argnums": True}, TypeError, "int"), ({"argnums": [0, 1]}, TypeError, "tuple"),
    ({"argnums": "x"}, TypeError, "wrt="), ({"argnums": 0.0}, TypeError, "int"),
    ({"argnums": (0, 0)}, ValueError, "twice"), ({"argnums": (0, -2)}, ValueError, "twice"),
    ({"argnums": ()}, ValueError, "no argument"), ({"wrt": "z"}, ValueError, "no parameter 'z'; it has x, y"),
    ({"wrt": ("x", "x")}, ValueError, "twice"), ({"wrt": "x", "argnums": 1}, ValueError, "one of them"),
    ({"backend": "jax"}, ValueError, "numpy")])
def test_options_that_are_refused(options, error, says):
    with pytest.raises(error, match=says):
        ad.grad(lambda x, y: x * y, **options)


@pytest.mark.parametrize("f, args, kwargs, expected", [
    (loss, (X,), {"x": X}, 2 * X),
    (loss, (), {"x": X, "w": X, "scale": 3.0}, 3 * X),
    (loss, (X, X, 5.0), {}, 5 * X),
    (lambda x, *, k=3.0: x * x * k, (2.0,), {}, 12.0),
    (lambda x, *, k: x * x * k, (2.0,), {"k": 5.0}, 20.0),
    (lambda x, /, y=2.0: x * x * y, (2.0,), {}, 8.0),
    (lambda x, y=X: np.sum(x * y), (X,), {}, X),
    (lambda x, y=(1.0, 2.0): x * y[1], (2.0,), {}, 2.0),
    (functools.partial(offset, 3.0), (1.0, 2.0), {}, 1.0),
    (functools.partial(offset, 3.0, 1.0), (2.0,), {}, 12.0),
    (functools.partial(offset, a=3.0, b=1.0), (), {"x": 2.0}, 12.0),
    (functools.partial(offset, b=1.0), (3.0,), {"x": 2.0}, 4.0),
    (functools.partial(functools.partial(offset, 3.0), 1.0), (2.0,), {}, 12.0),
    (functools.partial(square), (2.0,), {}, 4.0),
    (Model(3.0).loss, (2.0,), {}, 12.0), (Model(3.0), (2.0,), {}, 3.0), (Model(3.0).pruned, (2.0,), {}, 0.0),
    (functools.partial(Model.loss, Model(3.0)), (2.0,), {}, 12.0),
    (np.sin, (2.0,), {}, np.cos(2.0)), (np.sum, (X,), {}, np.ones(3)), (ad.no_grad(square), (2.0,), {}, 0.0),
    (ad.enable_grad(square), (2.0,), {}, 4.0), (staticmethod(square), (2.0,), {}, 4.0)])
def test_forms_of_functions(f, args, kwargs, expected):
    assert np.array_equal(ad.grad(f)(*args, **kwargs), expected)


def test_a_default_given_by_a_partial_can_be_replaced_and_named():
    f = functools.partial(offset, a=3.0, b=1.0)
    assert ad.grad(f)(a=5.0, x=2.0) == 20.0
    assert ad.grad(f, wrt="a")(x=2.0) == 4.0


@pytest.mark.parametrize("args, kwargs", [((), {}), ((1.0, 2.0), {}), ((1.0,), {"x": 2.0}), ((1.0,), {"z": 2.0})])
def test_wrong_calls_raise_as_the_function_does(args, kwargs):
    for f in (square, ad.grad(square)):
        with pytest.raises(TypeError, match="square"):
            f(*args, **kwargs)


@pytest.mark.parametrize("thing, error, says", [
    (3.0, TypeError, "the function itself"), (None, TypeError, "function"), (int, ad.SourceError, "own"),
    (dict.get, ad.SourceError, "no Python source"),
    (Model, ad.SourceError, "source"), (decorated, ad.UnsupportedError, "gradient of a gradient"),
    (np.argmax, ad.SourceError, "own")])
def test_what_is_not_a_function_that_can_be_differentiated(thing, error, says):
    with pytest.raises(error, match=says):
        ad.vjp(thing, 2.0) if thing is None else ad.grad(thing)


# Decorators and methods

def test_decorators():
    assert decorated(3.0) == 6.0
    assert decorated_with_options(2.0, 3.0) == (18.0, 12.0)
    assert ad.elementwise_grad()(square)(X).tolist() == (2 * X).tolist()
    assert decorated.__name__ == "decorated" and decorated.__module__ == __name__
    assert str(inspect.signature(ad.grad(loss))) == "(w, x, scale=2.0)" and ad.grad(loss).__doc__ == "A doc."
    assert not hasattr(ad.grad(loss), "__wrapped__")


def test_methods():
    model = Model(3.0)
    assert model.bare(2.0) == 12.0
    assert model.second(2.0, 5.0) == 60.0
    assert model.named(2.0, 5.0) == (75.0, 60.0)
    assert model.static(3.0) == Model.static(3.0) == 6.0
    assert Model.of_class(3.0) == 6.0
    assert Model.second(model, 2.0, 5.0) == 60.0
    assert ad.grad(Model.loss, 1)(model, 2.0) == 12.0
    with pytest.raises(TypeError, match="self is a.*Model"):
        Model.bare(model, 2.0)


def test_argnums_that_name_the_object_of_a_method():
    class Wrong:
        @ad.grad(argnums=(0, 1))
        def loss(self, x):
            return x * x

    with pytest.raises(ValueError, match="wrt="):
        Wrong().loss(2.0)


def test_a_changed_object_is_seen():
    model = Model(3.0)
    g = ad.grad(model.loss)
    assert g(2.0) == 12.0
    model.w = np.ones(5)
    assert g(2.0) == 20.0
    assert [ad.grad(Model(w).loss)(1.0) for w in (1.0, 2.0)] == [2.0, 4.0]


def test_differentiable_adds_members_and_leaves_the_function():
    @ad.differentiable
    def f(x, y):
        return x * x * y

    assert f(2.0, 3.0) == 12.0
    assert f.grad()(2.0, 3.0) == 12.0 and f.grad(wrt="y")(2.0, 3.0) == 4.0
    assert f.value_and_grad(1)(2.0, 3.0) == (12.0, 4.0)
    assert f.vjp(2.0, 3.0)[1](1.0) == (12.0, 4.0)
    assert "def f_vjp(" in f.gradient_source()
    with pytest.raises(TypeError, match="Python function"):
        ad.differentiable(np.sin)


def test_representations():
    assert repr(ad.grad(loss, (0, 1))) == "<grad of loss with respect to w, x>"
    for f in (functools.partial(square), Model(1.0), np.sin, Model(1.0).loss, lambda x: x):
        assert repr(ad.grad(f)).startswith("<grad of ")


# Types of arguments

@pytest.mark.parametrize("value", [3, True, np.int64(3), np.uint8(3), np.bool_(True), np.arange(3), np.array(3),
                                   np.array([True])], ids=repr)
def test_integers_get_advice(value):
    for transform in (ad.grad, ad.value_and_grad, ad.elementwise_grad):
        with pytest.raises(TypeError, match=r"needs floats, and x is an? .*(float\(x\)|astype\(float\))"):
            transform(lambda x: np.sum(x * x))(value)


Point = collections.namedtuple("Point", "x y")


class Series:
    def __array__(self, dtype=None, copy=None):
        return np.ones(3)

    def __mul__(self, other):
        return self


class Metres(float):
    def __mul__(self, other):
        return 0.0


@pytest.mark.parametrize("value, says", [
    ("text", "'text'"), (None, "None"), (b"a", "b'a'"), (np.array([1.0, 2.0], dtype=object), "objects"),
    (np.ma.array([1.0, 2.0], mask=[0, 1]), "MaskedArray"), (MATRIX, r"np.asarray\(x\)"),
    (Series(), r"Series.*np.asarray\(x\)"), (np.float16(1), "np.float32"), (np.ones(2, np.float16), "astype"),
    (np.longdouble(1), "np.float64"), (np.ones(2, np.clongdouble), "np.complex128"), ({1.0, 2.0}, "set"),
    (Point(1.0, 2.0), "Point"), (collections.OrderedDict(a=1.0), "OrderedDict"), (range(3), "range"),
    (np.array(["a"]), "floats"),
    ([1, 2], "none in x"),
    ({}, "none in x"), ([None, ("a", np.arange(2))], "none in x"), (np.array(["2020"], dtype="M8[D]"), "datetime64"),
    (Metres(2.0), r"float\(x\)"),
    (np.zeros(2, dtype=[("a", "f8")]), "dtype"), ([MATRIX], r"x\[0\] is a .*matrix"),
    ({"k": np.float16(1)}, r"x\['k'\] is a .*float16")], ids=lambda v: type(v).__name__)
def test_other_types_get_advice(value, says):
    with pytest.raises(TypeError, match=f"(?s){says}"):
        ad.grad(lambda x: np.sum(x))(value)


@pytest.mark.parametrize("value", [MATRIX, np.ma.array([1.0], mask=[1]), Series(),
                                   np.array([1.0], dtype=object)], ids=lambda v: type(v).__name__)
def test_foreign_arrays_are_refused_wherever_they_stand(value):
    with pytest.raises(TypeError, match="y is a"):
        ad.grad(lambda x, y: np.sum(x * y))(1.0, value)
    with pytest.raises(TypeError, match=r"y\[0\] is a"):
        ad.grad(lambda x, y: np.sum(x * y[0]))(1.0, [value])
    with pytest.raises(TypeError, match="value is a"):
        ad.grad(lambda x: np.sum(x * value))(1.0)


@pytest.mark.parametrize("value", [2.0, np.float64(2), np.float32(2), 2 + 1j, np.complex64(2 + 1j), np.array(2.0), X,
                                   X.astype("f4"), X + 1j, X[::-1], np.ones((2, 0)), np.ones((2, 3), order="F")],
                         ids=repr)
def test_a_gradient_has_the_form_of_its_argument(value):
    found = ad.grad(lambda x: np.sum(np.real(x * x)))(value)
    assert np.shape(found) == np.shape(value) and np.asarray(found).dtype == np.asarray(value).dtype
    assert isinstance(found, np.ndarray) == isinstance(value, np.ndarray) or np.ndim(value) == 0
    assert np.array_equal(found, 2 * value)


def test_containers():
    def f(p):
        return p["a"] * p["b"][0] + np.sum(p["b"][1][0])

    found = ad.grad(f)({"a": 2.0, "b": [3.0, (X, 4)], "c": "text", "d": None})
    assert found["a"] == 3.0 and found["b"][0] == 2.0 and found["c"] is None and found["d"] is None
    assert type(found["b"]) is list and type(found["b"][1]) is tuple
    assert found["b"][1][0].tolist() == [1.0, 1.0, 1.0] and found["b"][1][1] is None


def test_arguments_are_never_changed_and_never_shared():
    w, x = X.copy(), X.copy()
    for f in (lambda w, x: np.sum(w), lambda w, x: np.sum(w * x), lambda w, x: w @ x):
        found = ad.grad(f, (0, 1))(w, x)
        assert not any(np.shares_memory(a, b) for a, b in itertools.combinations((*found, w, x), 2))
        found[0][:] = found[1][:] = 99.0
        assert w.tolist() == x.tolist() == X.tolist()
        out, pull = ad.vjp(f, w, x)
        seed = np.ones_like(out)
        first = copy.deepcopy(pull(seed))
        pull(seed)[0][:] = 7.0
        assert all(np.array_equal(a, b) for a, b in zip(first, pull(seed), strict=True)) and np.all(seed == 1.0)


# Results

@pytest.mark.parametrize("x", [2.0, np.array(2.0), np.array([2.0]), np.array([[2.0]])], ids=repr)
def test_results_of_one_element(x):
    f = lambda x: x * x
    assert np.array_equal(ad.grad(f)(x), 2 * x) and np.shape(ad.grad(f)(x)) == np.shape(x)
    value, slope = ad.value_and_grad(f)(x)
    assert np.array_equal(value, x * x) and np.array_equal(slope, 2 * x)


@pytest.mark.parametrize("shape", [(3,), (2, 1), (0,), (1, 2)])
@pytest.mark.parametrize("transform", [ad.grad, ad.value_and_grad])
def test_results_of_other_shapes_are_named(transform, shape):
    with pytest.raises(ValueError) as info:
        transform(lambda x: x * x)(np.ones(shape))
    assert str(info.value) == f"{transform.__name__} needs a result with one element; this one has shape {shape}: " \
                              "use vjp, or sum it"


def test_a_value_error_of_the_function_itself_is_left_alone():
    def f(x):
        if x > 1.0:
            raise ValueError("too large")
        return x

    with pytest.raises(ValueError, match="^too large$"):
        ad.grad(f)(2.0)


@pytest.mark.parametrize("f, says", [
    (lambda x: (x, x), "returns a tuple"), (lambda x: [x], "returns a list"), (lambda x: {"a": x}, "returns a dict"),
    (lambda x: None, "nothing"), (lambda x: 3, "number that isn't a float"), (lambda x: "a", "isn't made of floats"),
    (lambda x: x > 1.0, "isn't a float")])
def test_results_without_a_gradient(f, says):
    with pytest.raises(ad.UnsupportedError, match=says):
        ad.grad(f)(2.0)


def test_auxiliary_results():
    def f(x):
        return x * x, {"twice": 2 * x, "n": 3}

    assert ad.grad(f, has_aux=True)(3.0) == (6.0, {"twice": 6.0, "n": 3})
    assert ad.value_and_grad(f, has_aux=True)(3.0) == ((9.0, {"twice": 6.0, "n": 3}), 6.0)
    assert ad.grad(f, (0,), has_aux=True)(3.0) == ((6.0,), {"twice": 6.0, "n": 3})
    out, pull, aux = ad.vjp(f, 3.0, has_aux=True)
    assert (out, pull(1.0), aux) == (9.0, (6.0,), {"twice": 6.0, "n": 3})
    for g in (square, lambda x: (x, x, x), lambda x: {"a": x, "b": x}):
        with pytest.raises(ad.UnsupportedError, match="has_aux"):
            ad.grad(g, has_aux=True)(3.0)


# vjp

def test_vjp_of_structures():
    out, pull = ad.vjp(lambda x, n: {"y": x ** n, "z": [x, X * x]}, 2.0, 3)
    assert out["y"] == 8.0 and out["z"][1].tolist() == (2 * X).tolist()
    assert pull({"y": 1.0, "z": [10.0, np.ones(3)]}) == (12.0 + 10.0 + 1.5, None)


@pytest.mark.parametrize("g, error, says", [
    (np.ones(2), ValueError, r"shape \(2,\), and the result has shape \(3,\)"), (1.0, ValueError, "shape"),
    (1j * np.ones(3), TypeError, "complex"), (None, TypeError, "NoneType"), ("a", TypeError, "str")])
def test_cotangents_that_do_not_fit(g, error, says):
    with pytest.raises(error, match=says):
        ad.vjp(square, X)[1](g)


def test_cotangents_that_do_not_fit_a_structure():
    pull = ad.vjp(lambda x: (x, {"a": x}), 2.0)[1]
    for g in (1.0, (1.0,), (1.0, 2.0), (1.0, {"b": 1.0}), [1.0, {"a": X}]):
        with pytest.raises(ValueError, match="cotangent"):
            pull(g)
    assert pull((1.0, {"a": 2.0})) == (3.0,)


def test_cotangents_are_brought_into_the_dtype_of_the_result():
    out, pull = ad.vjp(square, X.astype("f4"))
    assert pull(np.ones(3))[0].dtype == np.float32 and pull([1, 1, 1])[0].tolist() == (2 * X).tolist()
    assert pull(np.ones(3, int))[0].dtype == np.float32


WEIGHTS = X.copy()


def test_a_pullback_stays_what_it_was():
    model = Model(X.copy())
    x = X.copy()
    pulls = [ad.vjp(model.loss, x)[1], ad.vjp(lambda x: np.sum(WEIGHTS * x * x), x)[1]]
    try:
        x[:] = 0.0
        model.w[:] = 0.0
        WEIGHTS[:] = 0.0
        assert [p(1.0)[0].tolist() for p in pulls] == [(2 * X * X).tolist()] * 2
    finally:
        WEIGHTS[:] = X


def test_vjp_without_anything_to_differentiate_by():
    out, pull = ad.vjp(lambda n: 2.0 * n, 3)
    assert (out, pull(1.0)) == (6.0, (None,))


def test_elementwise_grad():
    assert ad.elementwise_grad(np.sin)(X).tolist() == np.cos(X).tolist()
    assert ad.elementwise_grad(lambda x, y: x * y, (0, 1))(X, 2.0)[0].tolist() == [2.0, 2.0, 2.0]
    assert ad.elementwise_grad(square)(3.0) == 6.0


# Pickling, copying

MODULE_LEVEL = ad.grad(loss, (0, 1))


@pytest.mark.parametrize("g", [MODULE_LEVEL, decorated, ad.grad(np.sin), ad.value_and_grad(square),
                               ad.grad(functools.partial(offset, 2.0, 1.0)), ad.grad(Model(2.0).loss)], ids=repr)
def test_pickling_and_copying(g):
    arguments = (X, X) if g is MODULE_LEVEL else (2.0,)
    before = g(*arguments)
    for again in (pickle.loads(pickle.dumps(g)), copy.copy(g), copy.deepcopy(g)):
        assert repr(again) == repr(g)
        pairs = zip(np.atleast_1d(before), np.atleast_1d(again(*arguments)), strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs)


def test_pickling_of_decorated_functions_is_by_reference():
    assert pickle.loads(pickle.dumps(decorated)) is decorated
    assert pickle.loads(pickle.dumps(Model.bare)) is Model.bare


def test_a_deep_copy_belongs_to_the_copied_object():
    class Owner(Model):
        def __init__(self):
            super().__init__(2.0)
            self.slope = ad.grad(self.loss)

    first = Owner()
    second = copy.deepcopy(first)
    second.w = 5.0
    assert (first.slope(1.0), second.slope(1.0)) == (4.0, 10.0)
