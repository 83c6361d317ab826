"""The command line: targets, text, headers, exit codes, and what goes where."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ad_compiler
from ad_compiler.cli import main
from ad_compiler.rules.table import ROWS

MODULE = '''import numpy as np

print("imported")
FILE = __file__


def loss(w, x, p=2.0):
    return np.sum((x @ w) ** 2) * p


def wrong(x):
    return np.sum(x - x0(x))


def x0(x):
    return np.round(x * 1e9) / 1e9


def writes(x):
    x[0] = 1.0
    return np.sum(x)


def adds(x):
    y = x
    y += 1.0
    return y


def keyword(x, /, *, k):
    return x * x * k


class Model:
    a = 3.0

    def loss(self, w):
        return np.sum(self.a * w * w)


number = 3.0
broken = lambda: 1.0
'''


@pytest.fixture
def place(tmp_path, monkeypatch):
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    (tmp_path / "package" / "targets.py").write_text(MODULE)
    (tmp_path / "failing.py").write_text("raise RuntimeError('at import')\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words, **options):
    env = {**os.environ, "PYTHONPATH": str(Path(ad_compiler.__file__).parents[1]), **options}
    done = subprocess.run([sys.executable, "-m", "ad_compiler", *words], capture_output=True, text=True, env=env)
    return done.returncode, done.stdout, done.stderr


LIKE = "w: f8[d], x: f8[n, d], p: float"


@pytest.mark.parametrize("target", ["package.targets:loss", "package/targets.py:loss"])
def test_emit_prints_text_that_stands_alone(place, target):
    code, out, err = run("emit", target, "--like", LIKE, "--value", "--wrt", "w,x")
    assert code == 0 and err == "imported\n"
    space = {}
    exec(out, space)
    value, (w_bar, x_bar) = space["loss_vjp"](np.ones(2), np.eye(2))
    assert value == 4.0 and w_bar.tolist() == [4.0, 4.0] and x_bar.tolist() == [[4.0, 4.0], [4.0, 4.0]]
    assert "import ad_compiler" not in out and str(place) not in out


def test_the_header_names_target_hash_command_and_license(place):
    _, out, _ = run("emit", str(place / "package" / "targets.py") + ":loss", "--like", LIKE, "--wrt", "w,x", "--value")
    comments = [line for line in out.splitlines()[:6] if line.startswith("#")]
    text = "\n".join(comments)
    assert "package/targets.py:loss" in text and "belongs to its user without condition" in text
    assert re.search(r"sha256 [0-9a-f]{16}\b", text) and str(place) not in out
    command = next(line for line in comments if "ad-compiler emit" in line).removeprefix("#").split("ad-compiler ")[1]
    again = subprocess.run(f"{sys.executable} -m ad_compiler {command}", shell=True, capture_output=True, text=True,
                           env={**os.environ, "PYTHONPATH": str(Path(ad_compiler.__file__).parents[1])})
    assert again.stdout == out


def test_the_hash_is_that_of_the_function(place):
    def digest():
        return re.search(r"sha256 (\w+)", run("emit", "package.targets:loss", "--like", LIKE)[1])[1]

    first = digest()
    path = place / "package" / "targets.py"
    path.write_text("# another line\n" + MODULE)
    assert digest() == first
    path.write_text(MODULE.replace("** 2) * p", "** 2) * p * 1.0"))
    assert digest() != first


def test_the_same_input_gives_the_same_bytes(place):
    words = ("emit", "package.targets:loss", "--wrt", "x,w")
    assert len({run(*words, PYTHONHASHSEED=seed)[1] for seed in ("0", "1", "2")}) == 1


def test_a_signature_over_several_lines_does_not_break_the_header(place):
    code, out, _ = run("emit", "package.targets:loss", "--like", "w: f8[d],\n x: f8[n, d]")
    assert code == 0
    compile(out, "out", "exec")


def test_output_and_check(place):
    words = ("emit", "package.targets:loss", "--like", LIKE, "-o", "out.py")
    path = place / "out.py"
    assert run(*words, "--check")[0] == 1 and not path.exists()
    assert run(*words)[:2] == (0, "")
    text = path.read_text()
    assert text == run(*words[:-2])[1]
    assert run(*words, "--check")[:2] == (0, "")
    path.write_text(text.replace("return", "return 2 *"))
    code, out, err = run(*words, "--check")
    assert code == 1 and out == "" and re.search(r"(?m)^-    return 2 \* w_bar$", err) and "out.py (stale)" in err
    assert "return 2 *" in path.read_text()
    assert sorted(p.name for p in place.iterdir()) == ["failing.py", "out.py", "package"]


def test_output_keeps_the_old_file_when_it_fails(place):
    path = place / "out.py"
    path.write_text("old")
    assert run("emit", "package.targets:writes", "-o", "out.py")[0] == 3
    assert path.read_text() == "old"
    path.chmod(0o640)
    assert run("emit", "package.targets:loss", "-o", "out.py")[0] == 0
    assert path.stat().st_mode & 0o777 == 0o640


def test_methods_are_differentiated_by_what_follows_the_object(place):
    code, out, _ = run("emit", "package.targets:Model.loss")
    assert code == 0 and "def loss_vjp(self, w, out_bar=1.0):" in out and "return w_bar" in out


@pytest.mark.parametrize("words", [
    ("emit", "package.targets"), ("emit", ":loss"), ("emit", "package.targets:"), ("emit", "package.targets:nothing"),
    ("emit", "no_such_module:f"), ("emit", "none.py:f"), ("emit", "failing:f"), ("emit", "failing.py:f"),
    ("emit", "package.targets:number"), ("emit", "package.targets:loss", "--wrt", "z"),
    ("emit", "package.targets:loss", "--wrt", "w,w"), ("emit", "package.targets:loss", "--mode", "forward"),
    ("emit", "package.targets:loss", "--check"), ("emit", "package.targets:loss", "--like", "w: what"),
    ("emit", "package.targets:loss", "--like", "z: float"), ("emit", "package.targets:loss", "-o", "none/out.py"),
    ("emit", "package.targets:broken"), ("emit",), (), ("inspect", "package.targets:loss"),
    ("check", "package.targets:loss"), ("check", "package.targets:loss", "--at", "w=("),
    ("check", "package.targets:loss", "--at", "w=undefined"), ("check", "package.targets:loss", "--at", "z=1.0"),
    ("check", "package.targets:loss", "--at", "w=np.arange(2), x=np.eye(2)")], ids=" ".join)
def test_usage(place, words):
    code, out, err = run(*words)
    assert code == 2 and out == "" and "ad-compiler" in err and "Traceback" not in err


@pytest.mark.parametrize("name, line, column", [("writes", 20, 5), ("adds", 26, 5)])
def test_diagnostics_have_a_place(place, name, line, column):
    code, out, err = run("emit", f"package.targets:{name}")
    assert code == 3 and out == ""
    assert re.search(rf"(?m)^.*targets\.py:{line}:{column}: \w+", err) and "remedy:" in err and "Traceback" not in err


def test_an_internal_error(place, monkeypatch, capsys):
    def fails(*arguments, **options):
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr("ad_compiler.cli.gradient_source", fails)
    monkeypatch.syspath_prepend(str(place))
    assert main(["emit", "package/targets.py:loss"]) == 70
    assert "a fault of ours" in capsys.readouterr().err


def test_check(place):
    code, out, err = run("check", "package.targets:loss", "--wrt", "w,x", "--at", "w=np.ones(2), x=np.eye(2)")
    assert (code, out) == (0, "") and "6 derivatives by w, x agree" in err
    assert run("check", "package.targets:loss", "--at", "w=np.ones(2), x=np.eye(2), p=3.0")[0] == 0
    assert run("check", "package.targets:keyword", "--at", "x=2.0, k=3.0", "--wrt", "x,k")[0] == 0
    assert run("check", "package.targets:Model.loss", "--at", "self=Model(), w=np.ones(3)")[0] == 0


def test_check_finds_what_disagrees(place):
    code, out, err = run("check", "package.targets:wrong", "--at", "x=np.array([1.0, 2.0])")
    assert code == 1 and out == ""
    assert re.search(r"targets\.py:11:1: .*argument x\[\d\]: the gradient is .*, the central difference", err)


def test_rules_lists_all(capsys):
    assert main(["rules"]) == 0
    out = capsys.readouterr().out
    words = re.sub(r"\s+", " ", out)
    for text in ("np.sin(x)", "math.sin(x)", "x * y", "x.T", "np.linalg.solve(a, b)", "np.argmax(", "elementwise:"):
        assert text in words, text
    assert "unbroadcast" not in out and "\x1b" not in out


@pytest.mark.parametrize("name, says", [
    ("np.sin", "x    g * np.cos(x)"), ("numpy.sin", "np.sin(x)"), ("sin", "y = math.sin(x)"), ("x.T", "also x.T"),
    ("T", "also x.T"), ("*", "y    g * x"), ("math.sin", "g * math.cos(x)"), ("np.linalg.solve", "general"),
    ("x[i]", "scatter"), ("-", "z = np.subtract(x, y)"), ("-", "y = np.negative(x)"), ("@", "matmul"),
    ("x.sum", "np.sum"), ("np.power", "if y.literal == 2"), ("np.argmax", "carries no derivative"), ("len", "constant"),
    ("np.sin", "cases    R; C")])
def test_rules_shows_a_rule(name, says, capsys):
    assert main(["rules", name]) == 0
    assert says in capsys.readouterr().out


def test_every_rule_can_be_shown(capsys):
    from ad_compiler.listing import rules_named, shown
    assert all(shown(row) for row in ROWS)
    assert main(["rules", "np.sinn"]) == 1
    assert "near: np.sin" in capsys.readouterr().err
    assert rules_named("nothing like it at all") == ([], [])


def test_help_and_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"ad-compiler {ad_compiler.__version__}\n"
    for command in ("emit", "check"):
        assert main([command, "--help"]) == 0
        text = re.sub(r"\s+", " ", capsys.readouterr().out)
        assert "target is imported" in text and ("evaluated as Python" in text) == (command == "check")
    assert main(["--help"]) == 0
    assert "70 an internal error" in re.sub(r"\s+", " ", capsys.readouterr().out)
