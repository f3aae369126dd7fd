"""What a reader wants to know of the data and of the question, as one small record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.path import KrylovPath, Path

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
    groups : int
        Groups of rows that leave together; 0: there are none.
    groups_source : str
        "given", "found" (rows that are exact copies of others share a group) or "none".
    folds : int
        K of ``kfold``.
    held_out : int
        Rows that judge and were not fitted; they are not among ``rows``.
    held_out_source : str
        "given", "fraction" (drawn from the rows: the study is of the other rows) or "none".
    class_shares : tuple of floats
        Share of each class among the rows, by weight; empty where the target is a number.
    offset : bool
        Whether something known is added to the linear predictor of each row.
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
    groups: int = 0
    groups_source: str = "none"
    folds: int = 0
    held_out: int = 0
    held_out_source: str = "none"
    class_shares: tuple[float, ...] = ()
    offset: bool = False

    @classmethod
    def of(cls, path: Path, one_target: bool, standardize: bool, penalty_factor: bool) -> Facts:
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
            free_rank=path.free_rank,
            target_sd=sample.target_sd,
            class_shares=_class_shares(path),
            offset=path.fit.training is not None and path.fit.training.table.offset is not None,
            **_splits(path),
        )


def _splits(path: Path) -> dict[str, Any]:
    """How the rows of a path are split, by field."""
    if isinstance(path, KrylovPath):
        judges = _judges(path)
        return {"held_out": judges, "held_out_source": "given" if judges else "none"}
    splits = None if path.fit.training is None else path.fit.training.splits
    if splits is None:
        return {}
    held = splits.holdout
    return {
        "groups": 0 if splits.groups is None else int(splits.groups.max()) + 1,
        "groups_source": splits.source or "none",
        "folds": splits.fold_count,
        "held_out": 0 if held is None else len(held.y),
        "held_out_source": "none" if held is None else "fraction" if splits.fraction else "given",
    }


def _judges(path: KrylovPath) -> int:
    """Rows that judge a network."""
    if path.measure is not None:
        return path.measure.judges
    known = path.measured.judges if path.measured is not None else None
    return 0 if known is None else len(known)


def _class_shares(path: Path) -> tuple[float, ...]:
    """Share of each class by weight, in the order of the codes."""
    if path.fit.training is None or not path.loss.classes:
        return ()
    table = path.fit.training.table
    total = np.bincount(table.y[:, 0].astype(np.intp), table.weight, minlength=2)
    return tuple((total / total.sum()).tolist())
