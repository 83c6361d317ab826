"""The derivative table: importing this package fills it, one module of rows for each part of NumPy and Python."""

from . import constant as constant
from . import creation as creation
from . import elementwise as elementwise
from . import helpers as helpers
from . import indexing as indexing
from . import linalg as linalg
from . import reductions as reductions
from . import scalar as scalar
from . import shapes as shapes
