"""The path of anybody's fit, from its weights and its Hessian."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigenshrink.curvature import DENSE_LIMIT, MatrixCurvature, as_curvature
from eigenshrink.errors import InputError
from eigenshrink.fit import Fit
from eigenshrink.path import KrylovPath, QuadraticPath
from eigenshrink.path.products import krylov_path
from eigenshrink.penalty import penalty_factors, strengths
from eigenshrink.spectrum import decompose

Array = NDArray[np.float64]


def quadratic(
    weights: ArrayLike,
    hessian: Any,
    alpha: float = 0.0,
    gradient: ArrayLike | None = None,
    penalty_factor: ArrayLike | None = None,
) -> QuadraticPath | KrylovPath:
    """The path of anybody's fit: ``w̃(α) = w₀ − (H + αD)⁻¹(g + αDw₀)`` (M5).

    Parameters
    ----------
    weights : (p,)
        ``w₀``, where the fit stopped.
    hessian : (p, p) array or operator
        H of the mean loss without penalty at ``w₀``; an operator has ``shape`` and ``matvec``.
    alpha : float, >= 0
        ``α₀``, the strength it was trained with, house units.
    gradient : (p,), optional
        ``∇L(w₀)`` without penalty, for a fit that stopped early. None: stationary, ``g = −α₀Dw₀``.
    penalty_factor : (p,), >= 0, optional
        d; zero for free weights. None: all one.

    Returns
    -------
    QuadraticPath or KrylovPath
        The latter from products, where an operator has more than 20 000 weights.

    Raises
    ------
    InputError
        If shapes do not agree, a value is not finite, or H is not square and symmetric.

    Notes
    -----
    Exact if the loss is quadratic between ``w₀`` and ``w̃`` (M11). O(p³) once, or some hundred products.
    Below ``α₀`` the path extrapolates: factors ``(λ+α₀)/(λ+α)`` exceed one. Hoerl & Kennard (1970),
    Technometrics 12(1).

    Examples
    --------
    >>> path = quadratic([1.0, 1.0], [[3.0, 0.0], [0.0, 1.0]])
    >>> path.weights(1.0)
    array([0.75, 0.5 ])
    >>> path.effective_parameters([0.0, 1.0])
    array([2.  , 1.25])
    """
    start = _vector(weights, "weights")
    strength = strengths(alpha)
    if strength.ndim or not np.isfinite(strength):
        raise InputError(f"alpha must be one finite strength, the one of the fit; got {alpha!r}")
    curvature = as_curvature(hessian)
    if curvature.dim != len(start):
        raise InputError(
            f"hessian is {curvature.dim} x {curvature.dim}, weights has {len(start)}: they must match"
        )
    factor = penalty_factors(penalty_factor, len(start))
    slope = -float(strength) * factor * start if gradient is None else _vector(gradient, "gradient")
    if slope.shape != start.shape:
        raise InputError(f"gradient has {len(slope)} values for {len(start)} weights: give one per weight")
    fit = Fit(
        weights=start[:, None],
        gradient=slope[:, None],
        alpha=float(strength),
        curvature=curvature,
        penalty_factor=factor,
        active=np.ones(len(start), dtype=bool),
    )
    if curvature.dim > DENSE_LIMIT and not isinstance(curvature, MatrixCurvature):
        return krylov_path(fit)
    return QuadraticPath(fit, decompose(fit))


def _vector(values: ArrayLike, name: str) -> Array:
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be numbers; got {type(values).__name__}") from error
    if array.ndim != 1 or not len(array):
        raise InputError(f"{name} must have shape (p,), p ≥ 1; got {array.shape}: flatten it first")
    if not np.isfinite(array).all():
        raise InputError(f"{name}[{int(np.argmin(np.isfinite(array)))}] is not finite")
    return array
