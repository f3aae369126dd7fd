"""The error on rows that were held out (M14)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from eigenshrink.data.checks import Table
from eigenshrink.errors import InputError
from eigenshrink.path import QuadraticPath, kept_share
from eigenshrink.risk.curve import Array, RiskCurve, loss_curve
from eigenshrink.risk.signal import Signal
from eigenshrink.risk.uncertainty import Piece


def validation(path: QuadraticPath) -> RiskCurve:
    """``Σ s_i (y_i − ŷ_i(α))²/(2 Σ s_i)`` over rows that were not fitted; one pass over them.

    Raises
    ------
    InputError
        If no rows were held out.
    """
    splits = None if path.fit.training is None else path.fit.training.splits
    if splits is None or splits.holdout is None:
        raise InputError(
            "validation needs rows that were not fitted: give es.study(..., validation=(X, y)) or the "
            "fraction of rows to hold out"
        )
    held, along = splits.holdout, Signal.of(path)
    coordinates = path.spectrum.numerators / along.eigenvalues[:, None]
    t = coordinates.shape[1]
    size = 2 * held.weight_sum

    def evaluate(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        total = np.zeros((2, len(alphas), t))
        for root, V, outside in _rows(path, held):
            for j, strength in enumerate(alphas):
                kept = kept_share(along.eigenvalues[:, None], strength)
                error = root * (outside - V @ (coordinates * kept))
                total[0, j] += np.einsum("ij,ij->j", error, error)
                if slopes:
                    lost = along.lost_slope(strength[:, None]).T
                    total[1, j] += 2 * np.einsum("ij,ij->j", error, root * (V @ (coordinates * lost)))
        return total[0] / size, total[1] / size if slopes else np.full_like(total[1], np.nan)

    def units(reference: Array, alphas: Array) -> Iterator[Piece]:
        for root, V, outside in _rows(path, held):

            def part(strength: Array, root: Array = root, V: Array = V, outside: Array = outside) -> Array:
                kept = kept_share(along.eigenvalues[:, None], strength)
                return np.square(root * (outside - V @ (coordinates * kept))) / size

            copies = root[:, 0] ** 2 if held.weight_kind == "frequency" else None
            yield copies, part(reference), (part(strength) for strength in alphas)

    return loss_curve("validation", path, evaluate, along.span, units)


def _rows(path: QuadraticPath, held: Table) -> Iterator[tuple[Array, Array, Array]]:
    """``√s`` ``(b, 1)``, rows along the directions ``(b, k)``, targets beside the free weights ``(b, t)``."""
    sample, free = path.sample, path.spectrum.free
    if path.fit.training is not None:
        path.fit.training.unchanged()
    for rows, V, F in path.project(held.X):
        root = np.ones((len(V), 1)) if held.weight is None else np.sqrt(held.weight[rows, None])
        yield root, V, held.y[rows] - sample.target_mean - F @ free.offset
