"""How sure the weights are at one strength: dispersion, covariance, standard errors, predictions (M15).

Everything is read off G, what one step along each eigen-direction does to the coefficients: G is made in
slices of directions, so that no p×p array exists unless one is asked for, and no row is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, vstack

from eigenshrink.curvature import DENSE_LIMIT
from eigenshrink.data.memory import make_rows
from eigenshrink.data.rows import BLOCK, Rows, slices
from eigenshrink.errors import InputError
from eigenshrink.fit import Sample
from eigenshrink.path import QuadraticPath, kept_share, squeeze
from eigenshrink.penalty import some_strengths, strengths
from eigenshrink.spectrum.record import DenseBasis

Array = NDArray[np.float64]

KINDS = ("frequentist", "bayesian")


def dispersion(
    path: QuadraticPath, alpha: ArrayLike | None = None, per_target: ArrayLike | None = None
) -> Any:
    """``φ̂ = RSS_s/(ν − γ)`` at a strength: the variance of one observation of weight 1 (M15).

    Parameters
    ----------
    path : QuadraticPath
        Of the squared loss, with data.
    alpha : scalar or (a,), in [0, inf]
        House units.
    per_target : (t,), in [0, inf]
        A strength for each target, in the place of ``alpha``.

    Returns
    -------
    () or (t,)
        With a leading axis for ``(a,)``. NaN where no residual degree of freedom is left: α = 0 with as
        many weights as observations.
    """
    strength, axes = _asked(path, alpha, per_target)
    return squeeze(_dispersion(path, strength), axes, path.spectrum.one_target)


def residual_df(
    path: QuadraticPath, alpha: ArrayLike | None = None, per_target: ArrayLike | None = None
) -> Any:
    """``ν − γ(α)``, what the weights leave of the observations (M9, M15): ``()``, ``(a,)`` or ``(t,)``."""
    strength, axes = _asked(path, alpha, per_target)
    values = _residual_df(path, strength.ravel()).reshape(strength.shape)
    return squeeze(values, axes, per_target is None or path.spectrum.one_target)


def covariance(
    path: QuadraticPath,
    alpha: ArrayLike | None = None,
    kind: str = "frequentist",
    per_target: ArrayLike | None = None,
) -> Any:
    """``(φ/S) H_α⁻¹HH_α⁻¹`` or ``(φ/S) H_α⁻¹`` of all coefficients, the intercept last (M15).

    Parameters
    ----------
    path : QuadraticPath
        Of the squared loss, with data.
    alpha : scalar or (a,), in [0, inf]
        House units; at ``inf`` only what is not penalised still varies.
    kind : {"frequentist", "bayesian"}
        The scatter of the shrunken estimate over new targets, which says nothing of its bias; or the
        posterior of the true weights under the prior that the penalty is.
    per_target : (t,), in [0, inf]
        A strength for each target, in the place of ``alpha``.

    Returns
    -------
    (p+1, p+1) or (t, p+1, p+1)
        In the unit of the columns; p without an intercept; a leading axis for ``(a,)``. Zero for
        constant columns. Free columns that repeat each other vary as their least-norm solution does.

    Raises
    ------
    InputError
        If the result has more numbers than a square array of 20 000 rows; if kind is "bayesian" and
        α = 0 while the rows leave weights undetermined, whose variance ``φ/(Sα)`` is then infinite.

    Notes
    -----
    O(p² k) each. Directions that the rows do not see take part in the Bayesian one with ``φ/(Sαd)``,
    up to rounding of that size times 1e-16. Hoerl & Kennard (1970), Technometrics 12(1).
    """
    strength, axes = _asked(path, alpha, per_target)
    flat, lift, own = strength.ravel(), _lift(path), _own(path)
    _fits(len(own), len(strength) * path.spectrum.numerators.shape[1])
    size, lacking = _scatter(path, flat, kind), _lacking(path, kind, flat)
    G = np.hstack([np.zeros((len(own), 0)), *(lift @ Q for _, Q in _directions(path))])
    unseen = (lift @ lift.T).toarray() - G @ G.T if lacking else np.zeros((0, 0))
    np.fill_diagonal(unseen, np.maximum(np.diag(unseen), 0.0))
    unit = np.empty((len(flat), len(own), len(own)))
    for j in range(len(flat)):
        factor = np.hstack([G * np.sqrt(size[:, j]), own])
        np.matmul(factor, factor.T, out=unit[j])
        if lacking:
            unit[j] += unseen / flat[j]
    return _finished(path, unit, strength, axes)


def standard_errors(
    path: QuadraticPath,
    alpha: ArrayLike | None = None,
    kind: str = "frequentist",
    per_target: ArrayLike | None = None,
) -> Any:
    """Roots of the diagonal of :func:`covariance`, without that array: ``(p+1,)`` or ``(t, p+1)``.

    Arguments as there, a leading axis for ``(a,)``. O(p k) each; no p×p and no p×k array is held.
    """
    strength, axes = _asked(path, alpha, per_target)
    flat, lift = strength.ravel(), _lift(path)
    size, lacking = _scatter(path, flat, kind), _lacking(path, kind, flat)
    unit = np.repeat(np.sum(_own(path) ** 2, axis=1)[:, None], len(flat), axis=1)
    unseen = lift.multiply(lift).sum(axis=1)
    for picked, Q in _directions(path):
        squares = (lift @ Q) ** 2
        unit += squares @ size[picked]
        unseen -= squares.sum(axis=1)
    if lacking:
        unit += np.maximum(unseen, 0.0)[:, None] / flat
    return _finished(path, unit.T, strength, axes, root=True)


def prediction_std(
    path: QuadraticPath,
    X: Any,
    alpha: ArrayLike | None = None,
    kind: str = "frequentist",
    noise: bool = False,
    per_target: ArrayLike | None = None,
) -> NDArray[np.floating]:
    """Standard error of the prediction for each row, ``(xᵀ Cov x)^{½}``, ``(n,)`` or ``(n, t)`` (M15).

    Parameters
    ----------
    path : QuadraticPath
        Of the squared loss, with data.
    X : (n, p)
        Checked rows, dense or CSR; read in blocks, a sparse X stays sparse unless kind is "bayesian" and
        the training rows left weights undetermined.
    alpha : scalar, in [0, inf]
        House units.
    kind : {"frequentist", "bayesian"}
        As in :func:`covariance`, and with the same errors.
    noise : bool
        Add φ: of a new observation of weight 1, and no longer of its mean.
    per_target : (t,), in [0, inf]
        A strength for each target, in the place of ``alpha``.
    """
    strength, axes = _asked(path, alpha, per_target)
    if axes:
        raise InputError(f"alpha has {strength.size} strengths; predictions need one: ask for them in turn")
    sample = _sample(path)
    rows = replace(make_rows(X, None, sample.fit_intercept), mean=sample.column_mean)
    variance = _variance_of_rows(path, rows, strength.ravel(), kind)
    phi = _dispersion(path, strength)
    variance = variance * (phi / sample.weight_sum) + (phi if noise else 0.0)
    result = np.sqrt(variance).astype(sample.dtype, copy=False)
    return result[:, 0] if path.spectrum.one_target else result


def kept_per_column(
    path: QuadraticPath, alpha: ArrayLike | None = None, per_target: ArrayLike | None = None
) -> Any:
    """Share of each column's own weight that is kept, ``(p,)``, ``(a, p)`` or ``(t, p)``, in [0, 1].

    The diagonal of ``D^{-½} Q diag(λ/(λ+α)) Qᵀ D^{½}``: 1 for free columns, 0 for constant ones; over
    the penalised columns it sums to ``γ_pen`` (M9). O(p k) each.
    """
    strength, axes = _asked(path, alpha, per_target)
    flat = strength.ravel()
    share = kept_share(path.spectrum.eigenvalues[:, None], flat)
    kept = np.zeros((len(path.fit.penalised), len(flat)))
    for picked, Q in _directions(path):
        kept += Q**2 @ share[picked]
    result = np.zeros((*strength.shape, len(path.fit.penalty_factor)))
    result[..., path.fit.penalised] = np.minimum(kept, 1.0).T.reshape(*strength.shape, -1)
    result[..., path.fit.free] = 1.0
    return squeeze(result, axes, per_target is None or path.spectrum.one_target)


def _sample(path: QuadraticPath) -> Sample:
    if path.fit.sample is None:
        raise InputError(
            "this path has no data, so that nothing is known of their scatter: use es.study(X, y)"
        )
    return path.fit.sample


def _dispersion(path: QuadraticPath, strength: Array) -> Array:
    """φ for strengths (m, 1) or (1, t), ``(m, t)``."""
    sample, spectrum = _sample(path), path.spectrum
    flat = strength.ravel()
    lost = kept_share(flat[:, None], spectrum.eigenvalues) ** 2
    if len(strength) == 1 and len(flat) > 1:
        mean_square = np.einsum("tk,kt->t", lost, spectrum.squares)[None]
    else:
        mean_square = lost @ spectrum.squares
    df = _residual_df(path, flat).reshape(strength.shape)
    df = np.where(df > 0, df, np.nan)
    return np.asarray(sample.weight_sum * (mean_square + spectrum.outside) / df)


def _residual_df(path: QuadraticPath, flat: Array) -> Array:
    """``ν − m − k + Σ α/(λ+α)``: nothing cancels where all of it is used up."""
    values = path.spectrum.eigenvalues
    spare = _sample(path).observations - path.spectrum.free.rank - len(values)
    return np.asarray(spare + kept_share(flat[:, None], values).sum(axis=1))


def _scatter(path: QuadraticPath, flat: Array, kind: str) -> Array:
    """Variance along each direction in units of φ/S, ``(k, m)``: ``λ/(λ+α)²`` or ``1/(λ+α)``."""
    if kind not in KINDS:
        raise InputError(f"kind must be {' or '.join(map(repr, KINDS))}; got {kind!r}")
    values = path.spectrum.eigenvalues[:, None]
    return np.square(np.sqrt(values) / (values + flat)) if kind == "frequentist" else 1.0 / (values + flat)


def _lacking(path: QuadraticPath, kind: str, flat: Array) -> bool:
    """Whether the prior alone speaks along some directions."""
    lacking = len(path.fit.penalised) - len(path.spectrum.eigenvalues)
    if kind == "frequentist" or not lacking:
        return False
    if np.any(flat == 0):
        raise InputError(
            f"the rows leave {lacking} of {len(path.fit.penalised)} penalised weights undetermined, so that "
            "their Bayesian variance is infinite at alpha = 0: give alpha > 0, or kind='frequentist'"
        )
    return True


def _directions(path: QuadraticPath) -> Iterator[tuple[slice, Array]]:
    """Slices of Q, ``(p_pen, b)``."""
    spectrum = path.spectrum
    k = len(spectrum.eigenvalues)
    for picked in slices(k, 16 * BLOCK // len(path.fit.penalty_factor)):
        if isinstance(spectrum.directions, DenseBasis):
            yield picked, spectrum.directions.array[:, picked]
        else:
            yield picked, spectrum.directions.back(np.eye(k, picked.stop - picked.start, -picked.start))


def _lift(path: QuadraticPath) -> Any:
    """L, sparse ``(p+1, p_pen)``: coefficients, the intercept last, as ``D^{½}w_P`` moves them (M12)."""
    fit, sample = path.fit, _sample(path)
    p, pen, f = len(fit.penalty_factor), len(fit.penalised), len(fit.free)
    lift = csr_array((fit.scale, (fit.penalised, np.arange(pen))), shape=(p, pen))
    if f:
        place = csr_array((np.ones(f), (fit.free, np.arange(f))), shape=(p, f))
        lift = lift - place @ csr_array(path.spectrum.free.onto * fit.scale)
    if not sample.fit_intercept:
        return lift
    return vstack([lift, csr_array(-(sample.column_mean @ lift)[None])]).tocsr()


def _own(path: QuadraticPath) -> Array:
    """What free columns and the intercept vary by themselves, ``(p+1, m)``: a root of their covariance."""
    fit, sample, root = path.fit, _sample(path), path.spectrum.free.root
    p, m = len(fit.penalty_factor), root.shape[1]
    own = np.zeros((p + sample.fit_intercept, m + sample.fit_intercept))
    own[fit.free, :m] = root
    own[p:, :m] = -sample.column_mean[fit.free] @ root
    own[p:, m:] = 1.0
    return own


def _variance_of_rows(path: QuadraticPath, rows: Rows, flat: Array, kind: str) -> Array:
    """``xᵀ Cov x`` in units of φ/S, ``(n, m)``."""
    p, fit_intercept = rows.shape[1], _sample(path).fit_intercept
    lift, own = _lift(path)[:p], _own(path)[:p, : -1 if fit_intercept else None]
    size, lacking = _scatter(path, flat, kind), _lacking(path, kind, flat)
    variance = np.full((rows.shape[0], len(flat)), float(fit_intercept))
    unseen = np.zeros(rows.shape[0])
    if lacking:
        for part, block in rows.blocks():
            unseen[part] = np.sum((block @ lift) ** 2, axis=1)
    for picked, Q in _directions(path):
        for part, scores in rows.times(lift @ Q):
            squares = scores**2
            variance[part] += squares @ size[picked]
            unseen[part] -= squares.sum(axis=1)
    if own.shape[1]:
        for part, scores in rows.times(own):
            variance[part] += np.sum(scores**2, axis=1)[:, None]
    return variance + np.maximum(unseen, 0.0)[:, None] / flat if lacking else variance


def _asked(path: QuadraticPath, alpha: Any, per_target: Any) -> tuple[Array, int]:
    """Strengths (m, 1) with their number of axes, or (1, t) where each target has its own."""
    if (alpha is None) == (per_target is None):
        raise InputError("give alpha or per_target, one of the two")
    if per_target is None:
        strength = some_strengths(alpha)
        return strength.reshape(-1, 1), strength.ndim
    each, targets = strengths(per_target, "per_target"), path.spectrum.numerators.shape[1]
    if each.shape != (targets,):
        raise InputError(f"per_target has shape {each.shape}; a strength per target is needed: {(targets,)}")
    return each[None], 0


def _fits(size: int, count: int) -> None:
    if count * size**2 > DENSE_LIMIT**2:
        raise InputError(
            f"{count} covariance(s) of {size} coefficients are {count * size**2:.2g} numbers; the limit is "
            f"{DENSE_LIMIT**2:.2g}: ask for standard_errors, or for fewer strengths at a time"
        )


def _finished(path: QuadraticPath, unit: Array, strength: Array, axes: int, root: bool = False) -> Any:
    """``(φ/S) · unit`` in its public shape, for unit of shape (m or t, ...)."""
    sample = _sample(path)
    phi = _dispersion(path, strength) / sample.weight_sum
    result = unit.reshape(*strength.shape, *unit.shape[1:]) * phi.reshape(*phi.shape, *[1] * (unit.ndim - 1))
    result = np.sqrt(result, out=result) if root else result
    return squeeze(result.astype(sample.dtype, copy=False), axes, path.spectrum.one_target)
