"""Prints the matrix of the zoo at the end of a run: a row a construct, a column a position."""

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
    for reason in dict.fromkeys(reason for results in RESULTS.values() for reason in results if reason):
        terminalreporter.line(f"  {reason[:150]}")


def _cell(results):
    if results is None:
        return "-"
    bad = [reason for reason in results if reason]
    return "ok" if not bad else bad[0].partition(":")[0].upper()[:10] if len(bad) == len(results) else "part"


def _reason(report):
    crash = getattr(report.longrepr, "reprcrash", None)
    lines = (crash.message if crash else str(report.longrepr)).strip().splitlines()
    return " ".join(line.strip() for line in lines[:2])
