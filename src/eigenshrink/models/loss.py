"""What a loss is: value, slope and curvature of one row in its linear predictor η."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Loss:
    """Half the unit deviance of a row, up to a constant (docs/maths.md, symbols).

    Attributes
    ----------
    name : str
    convex : bool
        M11: only then may the certificate of M16 be claimed.
    value, slope, curvature : callable
        Of arrays ``(y, eta)`` of one shape: ``ℓ``, ``∂ℓ/∂η``, ``∂²ℓ/∂η²`` per row.
    """

    name: str
    convex: bool
    value: Callable[[Array, Array], Array]
    slope: Callable[[Array, Array], Array]
    curvature: Callable[[Array, Array], Array]
