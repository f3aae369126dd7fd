"""How far coefficients and predictions scatter (M15), for every kind of path."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigenshrink.errors import InputError
from eigenshrink.inference import anchored, network, quadratic
from eigenshrink.inference.quadratic import KINDS
from eigenshrink.path import AnchoredPath, KrylovPath, Path
from eigenshrink.penalty import some_strengths, strengths

__all__ = [
    "KINDS",
    "covariance",
    "dispersion",
    "kept_per_column",
    "prediction_std",
    "residual_df",
    "standard_errors",
]


def dispersion(path: Path, alpha: ArrayLike | None = None, per_target: ArrayLike | None = None) -> Any:
    """φ per unit weight (M15); see :func:`eigenshrink.inference.quadratic.dispersion`."""
    if isinstance(path, AnchoredPath):
        return _each(alpha, per_target, lambda at: anchored.dispersion(path, at))
    if isinstance(path, KrylovPath):
        return _each(alpha, per_target, lambda at: network.dispersion(path, at))
    return quadratic.dispersion(path, alpha, per_target)


def residual_df(path: Path, alpha: ArrayLike | None = None, per_target: ArrayLike | None = None) -> Any:
    """``ν − γ(α)`` (M9); see :func:`eigenshrink.inference.quadratic.residual_df`."""
    if isinstance(path, AnchoredPath):
        return _each(alpha, per_target, lambda at: anchored.residual_df(path, at))
    if isinstance(path, KrylovPath):
        return _each(alpha, per_target, lambda at: network.residual_df(path, at))
    return quadratic.residual_df(path, alpha, per_target)


def covariance(
    path: Path, alpha: ArrayLike | None = None, kind: str = "frequentist", per_target: ArrayLike | None = None
) -> Any:
    """Covariance of all coefficients; see :func:`eigenshrink.inference.quadratic.covariance`."""
    if isinstance(path, AnchoredPath):
        return anchored.covariance(path, _one(alpha, per_target), kind)
    if isinstance(path, KrylovPath):
        raise network.refuse("covariance")
    return quadratic.covariance(path, alpha, kind, per_target)


def standard_errors(
    path: Path, alpha: ArrayLike | None = None, kind: str = "frequentist", per_target: ArrayLike | None = None
) -> Any:
    """Roots of its diagonal; see :func:`eigenshrink.inference.quadratic.standard_errors`."""
    if isinstance(path, AnchoredPath):
        return anchored.standard_errors(path, _one(alpha, per_target), kind)
    if isinstance(path, KrylovPath):
        raise network.refuse("standard errors")
    return quadratic.standard_errors(path, alpha, kind, per_target)


def prediction_std(
    path: Path,
    X: Any,
    alpha: ArrayLike | None = None,
    kind: str = "frequentist",
    noise: bool = False,
    per_target: ArrayLike | None = None,
) -> NDArray[np.floating]:
    """Standard error of each prediction; see :func:`eigenshrink.inference.quadratic.prediction_std`."""
    if isinstance(path, AnchoredPath):
        return anchored.prediction_std(path, X, float(_one(alpha, per_target)), kind, noise)
    if isinstance(path, KrylovPath):
        raise network.refuse("standard errors of predictions")
    return quadratic.prediction_std(path, X, alpha, kind, noise, per_target)


def kept_per_column(path: Path, alpha: ArrayLike | None = None, per_target: ArrayLike | None = None) -> Any:
    """Share of each column's own weight that is kept; ``(c, p)`` for several classes."""
    if isinstance(path, AnchoredPath):
        width = len(path.fit.penalty_factor)

        def one(at: float) -> Any:
            kept = quadratic.kept_per_column(path.local(at), at).reshape(-1, width)
            return kept if path.problem.response.classes > 1 or not path.one_target else kept[0]

        return _each(alpha, per_target, one)
    if isinstance(path, KrylovPath):
        raise network.refuse("share of each column that is kept")
    return quadratic.kept_per_column(path, alpha, per_target)


def _one(alpha: ArrayLike | None, per_target: ArrayLike | None) -> NDArray[np.float64]:
    """The strengths that are meant: those of ``alpha``, or the single one of ``per_target``."""
    if (alpha is None) == (per_target is None):
        raise InputError("give alpha or per_target, one of the two")
    if alpha is not None:
        return some_strengths(alpha)
    each = strengths(np.asarray(per_target), "per_target")
    if each.shape != (1,):
        raise InputError(f"per_target has shape {each.shape}; there is one target: (1,)")
    return np.asarray(each[0])


def _each(alpha: ArrayLike | None, per_target: ArrayLike | None, one: Any) -> Any:
    strength = _one(alpha, per_target)
    if not strength.ndim:
        return one(float(strength))
    return np.stack([np.asarray(one(float(at))) for at in strength])
