"""Runs emitted gradient modules where `ad_compiler` can't be imported: `python -I worker.py DIRECTORY`.

The directory holds `jobs.pickle`, a list of (name, function, text, offered values, points); the answers, by name
gradients or an error as text, go to `answers.pickle` beside it.
"""

from __future__ import annotations

import inspect
import pickle
import sys
import traceback
from pathlib import Path


class Blocked:
    """A finder that hides the compiler from everything in this process."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("ad_compiler", "gast", "astor"):
            raise ModuleNotFoundError(f"{name} is not to be imported here")
        return None


def main(directory: Path) -> None:
    sys.meta_path.insert(0, Blocked())
    sys.path.insert(0, str(directory))
    jobs = pickle.loads((directory / "jobs.pickle").read_bytes())
    answers = {name: _answer(name, *job, directory) for name, *job in jobs}
    assert "ad_compiler" not in sys.modules
    (directory / "answers.pickle").write_bytes(pickle.dumps(answers))


def _answer(name, function, text, offered, points, directory):
    try:
        path = directory / f"standalone_{name}.py"
        path.write_text(text)
        space = {"__name__": path.stem}
        exec(compile(text, str(path), "exec"), space)
        gradient = _entry(space, function)
        known = list(inspect.signature(gradient).parameters)
        given = pickle.loads(offered)
        more = {key: value for key, value in given.items() if key in known[len(points[0]):]}
        return [gradient(*point, **more) for point in points]
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno}: {last.line})"


def _entry(space, function):
    """The function by its name, or, for what has no usable name, the last one called `..._vjp`."""
    if f"{function}_vjp" in space:
        return space[f"{function}_vjp"]
    return [value for key, value in space.items() if key.endswith("_vjp")][-1]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
