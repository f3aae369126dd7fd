"""What a reader wants to know of the data and of the question, as one small record."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eigenshrink.path import QuadraticPath

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Facts:
    """What a reader wants to know of the data and of the question.

    Attributes
    ----------
    rows, columns, targets : int
        n, p, t.
    weight_sum, observations : float
        S and ν (M14).
    weight_kind : str
    fit_intercept, standardize, penalty_factor, one_target : bool
        ``penalty_factor``: the user gave factors; ``one_target``: y was 1-d.
    free_rank : int
        m, what free weights and the intercept add to γ (M12).
    target_sd : (t,)
        Weighted standard deviations of the targets.
    """

    rows: int
    columns: int
    targets: int
    weight_sum: float
    observations: float
    weight_kind: str
    fit_intercept: bool
    standardize: bool
    penalty_factor: bool
    one_target: bool
    free_rank: int
    target_sd: Array

    @classmethod
    def of(cls, path: QuadraticPath, one_target: bool, standardize: bool, penalty_factor: bool) -> Facts:
        """Collect them from a path with data."""
        sample = path.sample
        return cls(
            rows=sample.rows,
            columns=len(sample.column_mean),
            targets=len(sample.target_mean),
            weight_sum=sample.weight_sum,
            observations=sample.observations,
            weight_kind=sample.weight_kind,
            fit_intercept=bool(sample.fit_intercept),
            standardize=bool(standardize),
            penalty_factor=penalty_factor,
            one_target=one_target,
            free_rank=path.spectrum.free.rank,
            target_sd=sample.target_sd,
        )
