"""Prints the matrix of the zoo at the end of a run: a row a construct, a column a position."""

import collections
import re

from .rows import POSITIONS

RESULTS: dict[tuple[str, str], list[str]] = {}


def pytest_runtest_logreport(report):
    cell = dict(report.user_properties).get("zoo")
    if cell is None or (report.when != "call" and report.passed):
        return
    test = report.nodeid.partition("::test_")[2].partition("[")[0]
    RESULTS.setdefault(tuple(cell), []).append("" if report.passed else f"{test}: {_reason(report)}")


def pytest_terminal_summary(terminalreporter):
    if not RESULTS:
        return
    names = list(dict.fromkeys(name for name, _ in RESULTS))
    width = max(len(name) for name in names)
    terminalreporter.section("zoo")
    terminalreporter.line(" ".join([" " * width, *(f"{position:10}" for position in POSITIONS)]).rstrip())
    for name in names:
        cells = [_cell(RESULTS.get((name, position))) for position in POSITIONS]
        terminalreporter.line(" ".join([f"{name:{width}}", *(f"{cell:10}" for cell in cells)]).rstrip())
    bad = sum(any(results) for results in RESULTS.values())
    terminalreporter.line(f"{len(RESULTS) - bad} of {len(RESULTS)} cells ok")
    reasons = collections.Counter(reason[:150] for results in RESULTS.values() for reason in results if reason)
    for reason, count in reasons.most_common(40):
        terminalreporter.line(f"{count:5} {reason}")


def _cell(results):
    if results is None:
        return "-"
    bad = sum(map(bool, results))
    return f"{bad}/{len(results)} bad" if bad else "ok"


def _reason(report):
    crash = getattr(report.longrepr, "reprcrash", None)
    message = (crash.message if crash else str(report.longrepr)).strip()
    message = re.sub(r"\S*/(\w+\.py)", r"\1", message)
    return " ".join(line.strip() for line in message.splitlines()[:2])
