"""Errors name the place, what it is and the remedy; the caret stands under the user's text."""

from __future__ import annotations

import importlib.util
import pickle
import traceback

import numpy as np
import pytest

import ad_compiler as ad
from ad_compiler.errors import InternalError, Place

CLASSES = (ad.UnsupportedError, ad.MissingRuleError, ad.SourceError, ad.SignatureError, InternalError)

MODULE = '''import numpy as np


def opaque(x):
    return np.frompyfunc(float, 1, 1)(x)


class Model:
    def loss(self, x):
        y = 2.0 * x
        y[0] = 1.0; return y


def écrit(ä, x):
    ß = ä; x[0] = 1.0
    return ß


def waits(x):
    return (x for _ in x)


def adds(x):
    x += 1.0
    return x
'''


@pytest.fixture
def module(tmp_path):
    path = tmp_path / "texts.py"
    path.write_text(MODULE, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("texts", path)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.mark.parametrize("find, arguments, line, under", [
    (lambda m: m.Model().loss, (np.ones(2),), 11, "y[0]"),
    (lambda m: m.écrit, (1.0, np.ones(2)), 15, "x[0]"),
    (lambda m: m.waits, (np.ones(2),), 20, "(x for _ in x)"),
    (lambda m: m.adds, (np.ones(2),), 24, "x += 1.0")])
def test_the_caret_stands_under_the_text(module, find, arguments, line, under):
    with pytest.raises(ad.UnsupportedError) as info:
        ad.grad(find(module))(*arguments)
    error = info.value
    text = MODULE.splitlines()[line - 1]
    first, shown, carets, *rest = str(error).splitlines()
    assert first == f"{module.__file__}:{line}:{text.index(under) + 1}: {error.what}"
    assert shown == "    " + text.strip()
    assert shown[carets.index("^"):carets.rindex("^") + 1] == under
    assert rest == [f"    remedy: {error.remedy}"] and error.remedy


def test_an_unsupported_error_is_a_syntax_error(module):
    with pytest.raises(SyntaxError) as info:
        ad.grad(module.adds)(np.ones(2))
    error = info.value
    assert isinstance(error, ad.UnsupportedError) and isinstance(error, ad.ADError)
    assert (error.filename, error.lineno, error.offset) == (module.__file__, 24, 5)
    assert error.text.strip() == "x += 1.0" and error.msg == error.what
    assert (error.end_lineno, error.end_offset) == (24, 13)
    assert "x += 1.0" in "".join(traceback.format_exception(error))


def test_a_missing_rule_names_the_function():
    with pytest.raises((ad.MissingRuleError, ad.UnsupportedError), match="(?s)unwrap.*remedy") as info:
        ad.grad(lambda x: np.sum(np.unwrap(x)))(np.ones(3))
    assert info.value.place.file == __file__ and "np.unwrap(x)" in info.value.place.text


def test_a_function_without_source():
    space = {}
    exec(compile("def f(x):\n    return x * x\n", "<nowhere>", "exec"), space)
    with pytest.raises(ad.SourceError, match="(?s)<nowhere>:1:1: `f` .*remedy"):
        ad.grad(space["f"])(2.0)


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_has_the_same_form(kind):
    place = Place("file.py", 3, 5, 8, "    y = abc + 1\n")
    error = kind("what is wrong", "what to do", place)
    assert isinstance(error, ad.ADError)
    assert (error.what, error.remedy, error.place) == ("what is wrong", "what to do", place)
    assert str(error) == ("file.py:3:5: what is wrong\n    y = abc + 1\n    ^^^\n    remedy: what to do")
    assert str(kind("what is wrong")) == "what is wrong"
    assert str(kind("what is wrong", "what to do")) == "what is wrong\n    remedy: what to do"


@pytest.mark.parametrize("kind", CLASSES)
def test_a_place_is_given_once(kind):
    first, second = Place("a.py", 1), Place("b.py", 2)
    error = kind("what").at(None).at(first).at(second)
    assert error.place == first and str(error) == "a.py:1:1: what" and error.args == (str(error),)


def test_a_place_may_be_wider_than_its_line():
    assert Place("a.py", 1, 3, 99, "  abc").pointing() == "    abc\n    ^^^"
    assert Place("a.py", 1, 1, None, "abc").pointing() == "    abc\n    ^"


@pytest.mark.parametrize("kind", CLASSES)
def test_errors_can_be_pickled(kind):
    error = kind("what", "remedy", Place("a.py", 1, 1, 2, "x"))
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind and str(again) == str(error) and again.place == error.place
