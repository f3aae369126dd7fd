"""Where the signal sits: in the directions that vary least, which ridge removes first, or evenly (M8)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtri

from eigenshrink.inference import dispersion, residual_df
from eigenshrink.path import QuadraticPath, kept_share
from eigenshrink.risk.signal import Signal

Array = NDArray[np.float64]

WEAK = 0.1  # share of the variance of the columns in the directions that are called weak
CHANCE = 1e-3  # probability with which noise alone may look like such signal
NOISE_ROWS = 32  # spare observations for which the standard error of φ, √(2/rows), is a quarter


def spare_observations(path: QuadraticPath) -> float:
    """``ν − rank``, what an unpenalised fit leaves to judge by; copies of one row count once."""
    sample, rank = path.sample, path.spectrum.free.rank + len(path.spectrum.eigenvalues)
    return float(max(min(sample.rows, sample.observations) - rank, 0.0))


def weak_directions(eigenvalues: Array) -> NDArray[np.intp]:
    """The most directions, smallest first, that together hold at most a tenth of the sum of eigenvalues."""
    order = np.argsort(eigenvalues, kind="stable")
    total = np.cumsum(np.maximum(eigenvalues[order], 0.0))
    return order[: int(np.sum(total <= WEAK * total[-1]))] if len(total) else order


def signal_shares(
    path: QuadraticPath, alphas: Array, weak: NDArray[np.intp]
) -> tuple[Array, NDArray[np.bool_], Array]:
    """Per target: share of the explained signal in some directions, clear of noise?, share kept, ``(t,)``.

    The noise along a direction is φ/S on average: of the unpenalised fit, or at the chosen strength where
    too few observations are left for that.
    """
    sample, squares = path.sample, path.spectrum.squares
    enough = spare_observations(path) >= NOISE_ROWS
    at = np.zeros_like(alphas) if enough else alphas
    spare = np.atleast_1d(residual_df(path, per_target=at))
    noise = np.atleast_1d(dispersion(path, per_target=at)) / sample.weight_sum
    signal = squares - noise
    there, total = signal[weak].sum(axis=0), signal.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where((total > 0) & (there > 0), np.minimum(there / total, 1.0), 0.0)
        ratio = squares[weak].mean(axis=0) / noise
        limit = fdtri(len(weak), np.maximum(spare, 1.0), 1.0 - CHANCE / len(alphas))
        visible = np.maximum(signal[weak], 0.0)
        kept = (kept_share(path.spectrum.eigenvalues[weak], alphas[:, None]) * visible.T).sum(axis=1)
        kept = np.where(visible.sum(axis=0) > 0, kept / visible.sum(axis=0), 1.0)
    return share, np.asarray(ratio > limit), kept


def tilt(along: Signal, target: int, alpha: float) -> float:
    """How many standard deviations the signal leans to strong (+) or weak (−) directions; 0: nothing to say.

    Evidence expects weights ``w_i²`` alike in every direction. This is the score test of ``w_i² ∝ λ_i^q``
    against ``q = 0``, the mean size profiled out, at the strength where evidence is highest.
    """
    values = along.eigenvalues
    if not (0 < alpha < np.inf and len(values) > 1):
        return 0.0
    kept, squares = kept_share(values, np.array(alpha)), along.squares[:, target]
    noise = ((1.0 - kept) @ squares + along.outside[target]) / (along.observations - along.free_rank)
    weight = kept**2
    apart = np.log(values) - weight @ np.log(values) / weight.sum()
    spread = np.sqrt(2 * weight @ apart**2)
    if not (noise > 0 and spread > 0):
        return 0.0
    return float((squares * (1.0 - kept) / noise - 1.0) @ (kept * apart) / spread)
