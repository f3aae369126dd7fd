"""What a loss is: value, slope and curvature of one row in its linear predictor η."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Loss:
    """Half the unit deviance of a row as a function of its linear predictor (docs/maths.md, symbols).

    Attributes
    ----------
    name : str
        With its parameter where it has one: ``tweedie:1.5``.
    convex : bool
        M11: only then may the certificate of M16 be claimed.
    value, slope, curvature : callable
        Of ``(y, eta)``: ``ℓ``, ``∂ℓ/∂η``, ``∂²ℓ/∂η²``. Elementwise over arrays that broadcast. A loss of
        classes takes codes ``(n,)`` and η ``(n, c, ...)`` and gives ``(n, ...)``, ``(n, c, ...)`` and
        ``(n, c, c)`` (the last for η ``(n, c)`` only).
    mean : callable
        From η to what is predicted: the expected response, or probabilities ``(n, c, ...)`` of classes.
    link : callable
        From a mean inside its range to η.
    variance : callable
        Variance function V(μ) at dispersion one; for classes that of the class that was seen, μ(1−μ).
    known_dispersion : bool
        φ = 1 (M14, M15); otherwise it is estimated.
    unit : str
        Of its risk curves.
    check : callable
        Refuses targets ``(n,)`` that cannot be, by an InputError that names the first one.
    classes : int
        0: targets are numbers; 2: two classes, coded 0 and 1; 3: any number of classes, coded from 0.
    smooth : bool
        The curvature changes gently with η; where it does not, the path is solved at more strengths.
    steady : callable or None
        Of ``(y, eta)``: a curvature above 0 for steps from where the own one is not positive definite; None:
        it always is.
    """

    name: str
    convex: bool
    value: Callable[[Array, Array], Array]
    slope: Callable[[Array, Array], Array]
    curvature: Callable[[Array, Array], Array]
    mean: Callable[[Array], Array]
    link: Callable[[Array], Array]
    variance: Callable[[Array], Array]
    known_dispersion: bool
    unit: str
    check: Callable[[Array], None]
    classes: int = 0
    smooth: bool = True
    steady: Callable[[Array, Array], Array] | None = None
