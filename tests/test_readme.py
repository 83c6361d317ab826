"""The README's examples run, in order, and print what stands under them; its numbers are those of the code."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import ad_compiler as ad
from ad_compiler.cli import main
from ad_compiler.rules.table import ROWS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.M | re.S)


def test_the_examples_print_what_stands_under_them(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)  # so that errors name files as in the text
    space = {"__name__": "readme"}
    for k, (language, text) in enumerate(BLOCKS):
        if language != "python":
            continue
        first = re.match(r"# (\w+\.py)\n", text)
        path = Path(first[1] if first else f"block_{k}.py")
        path.write_text(text, encoding="utf-8")
        exec(compile(text, str(path), "exec"), space)
        expected = BLOCKS[k + 1][1] if k + 1 < len(BLOCKS) and BLOCKS[k + 1][0] == "text" else ""
        assert capsys.readouterr().out.rstrip() == expected.rstrip(), f"{path} of the README prints something else"


def test_a_function_and_its_gradient_come_first():
    assert [language for language, _ in BLOCKS[:2]] == ["python", "text"]
    assert README.index("```python") < 80, "something stands before the first example"


def test_the_lines_are_short_enough():
    assert [line for line in README.splitlines() if len(line) > 120] == []


def test_all_public_names_are_there():
    assert [name for name in ad.__all__ if not re.search(rf"\b{name}\b", README)] == []


def test_no_name_is_there_that_is_not_built():
    named = set(re.findall(r"\bad\.(\w+)", README))
    assert named - set(ad.__all__) == set()


def test_the_numbers_of_rows():
    ours = [r for r in ROWS if str(getattr(r.form.key, "__module__", "")).startswith("ad_compiler")]
    constant = [r for r in ROWS if r.verb == "constant"]
    stated = re.search(r"has about (\d+) rows .*? about\s(\d+) more", README, re.S)
    counts = len(ROWS) - len(ours) - len(constant), len(constant)
    assert tuple(map(int, stated.groups())) == tuple(n // 10 * 10 for n in counts), f"there are {counts}"


@pytest.mark.parametrize("command", re.findall(r"^    ad-compiler (\w+)", README, re.M))
def test_the_commands_have_the_options_that_are_shown(command, capsys):
    shown = re.search(rf"^    ad-compiler {command} .*$", README, re.M)[0]
    assert main([command, "--help"]) == 0
    text = capsys.readouterr().out
    assert [option for option in re.findall(r"(?<=[ \[])--?\w+", shown) if option not in text] == []


def test_the_command_line_is_a_module():
    command = [sys.executable, "-m", "ad_compiler", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert (done.returncode, done.stdout) == (0, f"ad-compiler {ad.__version__}\n")


SIGNATURE = "w: f8[d], x: f8[n, d], y: f8[n]"
EXITS = (
    (["emit", "model.py:loss", "--like", SIGNATURE], 0),
    (["check", "model.py:loss", "--wrt", "y", "--at", "w=np.ones(2), x=np.eye(2), y=np.zeros(2)"], 0),
    (["emit", "model.py:loss", "--like", SIGNATURE, "-o", "absent.py", "--check"], 1),
    (["rules", "no_such_function"], 1),
    (["emit", "model.py:nothing"], 2),
    (["emit", "model.py:writes"], 3),
)


@pytest.mark.parametrize("arguments, code", EXITS, ids=lambda value: str(value) if isinstance(value, int) else value[0])
def test_the_exit_codes(arguments, code, tmp_path, monkeypatch, capsys):
    assert f"| {code} |" in README
    body = BLOCKS[0][1].partition("print(")[0] + "def writes(x):\n    x[0] = 0.0\n    return x[0]\n"
    (tmp_path / "model.py").write_text(body)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "model", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert main(arguments) == code
    sys.modules.pop("model", None)
    if code == 3:
        assert re.match(r".*model\.py:\d+:\d+: ", capsys.readouterr().err)


@pytest.mark.parametrize("target", re.findall(r"make ([\w-]+)", README))
def test_the_make_targets(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.M)
