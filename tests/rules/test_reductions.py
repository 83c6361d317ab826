"""Rows of reductions: each against its function, with axes and keepdims; conventions at ties, zeros and constants."""

import inspect

import harness
import numpy as np
import pytest
from harness import check_row

from ad_compiler.rules import reductions
from ad_compiler.rules.table import ROWS
from ad_compiler.support import unbroadcast

MINE = [row for row in ROWS if f'"{row.text}"' in inspect.getsource(reductions)]
DERIVED = [row for row in MINE if row.verb not in ("zero", "constant")]


@pytest.fixture
def small_contributions(monkeypatch):
    """The contribution of a sum may lack axes, or have them of length 1: broadcasting does the rest."""
    same_kind = harness._same_kind

    def stretched(contribution, value, where):
        if not isinstance(value, (list, tuple)):
            np.broadcast_to(contribution, np.shape(value))  # it never has to be summed
            contribution = unbroadcast(contribution, value)
        same_kind(contribution, value, where)

    monkeypatch.setattr(harness, "_same_kind", stretched)


@pytest.mark.parametrize("row", DERIVED, ids=lambda row: row.text)
def test_row(row, small_contributions):
    assert check_row(row) > 0
