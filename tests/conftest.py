"""Runs the verifier of normal form after the front end and after every pass, all through the test suite."""

import pytest

from ad_compiler import pipeline
from ad_compiler.frontend.normal import check_normal

PASSES = ("fused", "with_prototypes", "without_copies", "without_dead_code", "sunk", "simplified", "folded")


def _checked(run, check):
    def around(*args, **kwargs):
        result = run(*args, **kwargs)
        check(result, *args)
        return result
    return around


@pytest.fixture(scope="session", autouse=True)
def normal_form_between_passes():
    """Each stage of the pipeline hands on what it promises."""
    seen = set()

    def primal(f, function, bound, kinds, active, off=""):
        key = (id(function.__code__), function.__name__, tuple(kinds.items()), tuple(active), off)  # nothing kept alive
        if key not in seen:  # a function is looked at many times
            seen.add(key)
            check_normal(f, active=active)

    def derived(f, before, *given):
        if getattr(before, "body", None) is None or list(map(id, f.body)) != list(map(id, before.body)):
            check_normal(f, derived=True)

    def halves(result, *given):
        for f in result[:2]:
            if f is not None:
                check_normal(f, derived=True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "normal_form", _checked(pipeline.normal_form, primal))
        patch.setattr(pipeline, "split", _checked(pipeline.split, halves))
        for name in PASSES:
            patch.setattr(pipeline, name, _checked(getattr(pipeline, name), derived))
        yield
