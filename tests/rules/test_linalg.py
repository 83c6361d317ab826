import inspect

import pytest
from harness import check_row

from ad_compiler.rules import linalg
from ad_compiler.rules.table import ROWS

MINE = [row for row in ROWS if f'"{row.text}"' in inspect.getsource(linalg)]


@pytest.mark.parametrize("row", MINE, ids=lambda row: row.text)
def test_row(row):
    assert check_row(row) > 0
