"""Rows that leave: what every formula of leaving rows out needs of a path (M14)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from eigenshrink.errors import InputError
from eigenshrink.fit import Sample, Training
from eigenshrink.path import QuadraticPath
from eigenshrink.risk.signal import Signal
from eigenshrink.spectrum import Spectrum
from eigenshrink.spectrum.triangular import EPS

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

ROUNDING = 1e-11  # 1 − h below this is rounding of a row that only itself determines


@dataclass(frozen=True, eq=False)
class Leaving:
    """The rows of a path in its eigenbasis, ready to be left out.

    Attributes
    ----------
    path : QuadraticPath
    training : Training
    along : Signal
    rounding : float
        ``1 − h`` that may be rounding.
    used_up : bool
        Every row is used up by a direction, so that nothing is left as α → 0.
    """

    path: QuadraticPath
    training: Training
    along: Signal
    rounding: float
    used_up: bool

    @classmethod
    def of(cls, path: QuadraticPath) -> Leaving:
        """Collect it.

        Raises
        ------
        InputError
            If the path has no rows.
        """
        training, along = path.fit.training, Signal.of(path)
        if training is None or path.spectrum.scores is None:
            raise InputError("rows can only be left out where they are at hand: use es.study(X, y)")
        return cls(
            path=path,
            training=training,
            along=along,
            rounding=_rounding(path.sample, path.spectrum),
            used_up=len(along.eigenvalues) + along.free_rank == path.sample.rows,
        )

    @cached_property
    def signal(self) -> Array:
        """``Uᵀ Ỹ`` of all rows, ``(k, t)``."""
        return self.path.spectrum.numerators * self.scale

    @property
    def scale(self) -> Array:
        """What makes ``Uᵀ Ỹ`` of the numerators of the path, ``(k, 1)``."""
        return np.sqrt(self.along.weight_sum / self.along.eigenvalues)[:, None]

    @property
    def copies(self) -> Array | None:
        """How often each row occurred, ``(n,)``, where weights say that."""
        table = self.training.table
        return table.weight if table.weight_kind == "frequency" else None

    def intercept_share(self, rows: slice | Codes) -> Array | float:
        """Leverage ``s_i/S`` of a fitted intercept."""
        if not self.training.fit_intercept:
            return 0.0
        weight = self.training.table.weight
        return (1.0 if weight is None else weight[rows]) / self.training.table.weight_sum

    def unchanged(self) -> None:
        """Refuse to read rows that were changed in place since the fit."""
        self.training.unchanged()

    def outside(self, rows: slice | Codes, U: Array, F: Array) -> Array:
        """Residuals of some rows as α → 0, ``(b, t)``."""
        scores = self.path.spectrum.scores
        left = self.training.targets(rows)
        numerators = self.path.spectrum.numerators
        if numerators.shape[1] > len(U):  # the smaller product is held
            left -= (U * self.scale.T) @ numerators
        else:
            left -= U @ (self.scale * numerators)
        if scores is not None and F.shape[1]:
            left -= F @ scores.free_signal
        left[:, self.along.outside == 0] = 0.0
        return left

    def pick(self, rows: Codes) -> tuple[Array, Array, Array]:
        """U ``(b, k)``, an orthonormal basis G ``(b, m)`` of what is free, and residuals ``(b, t)``."""
        scores = self.path.spectrum.scores
        assert scores is not None
        U, F = scores.pick(rows)
        outside = self.outside(rows, U, F)
        if self.training.fit_intercept:
            root = self.training.rows.root
            column = np.ones(len(rows)) if root is None else root[rows]
            F = np.column_stack([F, column / np.sqrt(self.training.table.weight_sum)])
        return U, F, outside


def rows_of(labels: Codes, which: Codes) -> list[Codes]:
    """Rows of each label that is meant, in the order of the table."""
    order = np.argsort(labels, kind="stable")
    ends = np.cumsum(np.bincount(labels))
    return [
        order[end - count : end] for end, count in zip(ends[which], np.bincount(labels)[which], strict=True)
    ]


def _rounding(sample: Sample, spectrum: Spectrum) -> float:
    """``1 − h`` that may be rounding: of means beside their spread, of a Gram matrix by its condition."""
    sd = np.where(sample.column_sd > 0, sample.column_sd, np.inf)
    far = np.max(np.abs(sample.column_mean) / sd, initial=0.0)
    values = spectrum.eigenvalues
    condition = values[0] / values[-1] if spectrum.route.endswith("gram") and len(values) else 1.0
    return float(np.clip(100 * EPS * max(far, condition), ROUNDING, 1e-6))
