"""One thread for factorisations of small matrices.

LAPACK splits them into many tiny products, after each of which its threads wait for each other: where another
process has one of the cores, that is hundreds of times slower than working alone.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import numpy as np
import scipy.linalg
from threadpoolctl import ThreadpoolController

SMALL, LARGE = 100, 2000  # rows of matrices that are worth the trouble


@cache
def _controller() -> ThreadpoolController:
    np.linalg.cholesky(scipy.linalg.cholesky(np.eye(2)))  # both libraries must be there to be found
    return ThreadpoolController()


def one_thread(size: int) -> AbstractContextManager[Any]:
    """While it is entered, BLAS works alone, for matrices of ``size`` rows that are neither tiny nor huge."""
    if not SMALL <= size <= LARGE:
        return nullcontext()
    limited: AbstractContextManager[Any] = _controller().limit(limits=1, user_api="blas")
    return limited
