"""The whole chain on one screen: data, fit, curvature, spectrum, path, risk, choice, audit, study."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from eigenshrink.archive import read_study
from eigenshrink.choice import check_select
from eigenshrink.data.checks import check_table
from eigenshrink.data.splits import make_splits
from eigenshrink.errors import InputError
from eigenshrink.facts import Facts
from eigenshrink.fit import fit_squared
from eigenshrink.models import LOSSES
from eigenshrink.path import QuadraticPath
from eigenshrink.penalty import penalty_factors, strengths
from eigenshrink.record import Asked, Study
from eigenshrink.spectrum import decompose


def study(
    X: Any,
    y: Any,
    *,
    loss: str = "squared",
    sample_weight: ArrayLike | None = None,
    weight_kind: str = "precision",
    offset: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    penalty_factor: ArrayLike | None = None,
    fit_intercept: bool = True,
    standardize: bool = False,
    alpha: ArrayLike | str = "auto",
    criterion: str = "auto",
    select: str = "best",
    per_target: bool = True,
    folds: int = 5,
    validation: Any = None,
    tol: float = 1e-8,
    random_state: Any = None,
    feature_names: Sequence[str] | None = None,
) -> Study:
    """Answer for every strength of L2 regularisation at once, from one fit (M5).

    ``w̃(α)`` minimises ``(1/S) Σ s_i ½(y_i − x_iᵀw − b)² + (α/2) Σ d_j w_j²`` (M1).

    Parameters
    ----------
    X : (n, p) array, DataFrame or scipy.sparse
        float32 or float64 (others become float64); a sparse X stays sparse.
    y : (n,) or (n, t)
        A 1-d y gives results without target axis.
    loss : {"squared"}
        What is minimised.
    sample_weight : (n,), >= 0, optional
        Rows without weight are left out.
    weight_kind : {"precision", "frequency"}
        Whether a weight says how exact a row is or how often it occurred: decides what counts as an
        observation and what leave-one-out leaves out (M14).
    offset : None
        Not available yet.
    groups : (n,) of labels, optional
        Rows that belong together (a patient, a site): what is asked for is the error on a *new* group, and
        rows of one group leave together. Rows that are exact copies are found without being told.
    penalty_factor : (p,), >= 0, optional
        d, relative strength per column; 0 leaves a column free (M12).
    fit_intercept : bool
        The intercept is never penalised.
    standardize : bool
        ``d_j ← d_j · sd(x_j)²``; results stay in original units.
    alpha : "auto", scalar or (t,), in [0, inf]
        House units; :func:`eigenshrink.convert` knows other people's.
    criterion : {"auto", "combined", "loo", "leave_group_out", "kfold", "gcv", "cp", "evidence", "validation"}
        What chooses alpha; :func:`eigenshrink.choice.resolve` says what auto is and why.
    select : {"best", "strongest-equivalent"}
        The minimum, or the strongest strength that the paired interval cannot tell from it.
    per_target : bool
        Each target gets its own strength; False: one for all, by the sum over targets.
    folds : int, >= 2
        Of ``kfold``; at most one per row (per group) is made.
    validation : None, (X, y), (X, y, sample_weight) or fraction in (0, 1)
        Rows that judge and are not fitted. A fraction is drawn from the rows, whole groups of them: the
        study is then of the other rows.
    tol : float
        Accepted for later losses; squared loss is solved directly.
    random_state : None, int or numpy generator
        Of the folds, the rows that are held out and the bootstrap; None: the same draw each time.
    feature_names : sequence of str, optional
        Default: the columns of a DataFrame, else x0, x1, ...

    Returns
    -------
    Study

    Raises
    ------
    InputError
        Naming the item that cannot be used and what to do.

    Notes
    -----
    Cost: ``n p min(n, p)`` and one ``eigh`` of the smaller side, for all strengths. Hoerl & Kennard
    (1970), Technometrics 12(1).

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(50, 5))
    >>> s = study(X, X[:, 0] + rng.normal(size=50))
    >>> s.coef().shape, s.coef([0.1, 1.0]).shape, s.choice.criterion
    ((5,), (2, 5), 'combined')
    """
    if offset is not None:
        raise InputError("offset is not available in this version: leave it at None")
    _flags(fit_intercept=fit_intercept, standardize=standardize, per_target=per_target)
    if not isinstance(loss, str) or loss not in LOSSES:
        raise InputError(f"loss must be {' or '.join(map(repr, LOSSES))}; got {loss!r}")
    table = check_table(X, y, sample_weight, weight_kind, feature_names, groups)
    factors = penalty_factors(penalty_factor, len(table.feature_names))
    table, splits = make_splits(table, folds, validation, random_state)
    fit = fit_squared(table, factors, fit_intercept, standardize, splits)
    path = QuadraticPath(fit, decompose(fit))
    _enough_rows(path)
    asked = Asked(_asked_alpha(alpha), criterion, per_target, check_select(path, criterion, select))
    result = Study(
        path=path,
        facts=Facts.of(path, table.one_target, standardize, penalty_factor is not None),
        asked=asked,
        feature_names=table.feature_names,
        target_names=table.target_names,
    )
    if asked.alpha is not None:
        _ = result.choice  # a wrong shape is said here, not when the choice is first used
    return result


def load(path: str | Path) -> Study:
    """Read a study that :meth:`eigenshrink.Study.save` wrote; nothing in the file is executed.

    Parameters
    ----------
    path : str or Path
        The file.

    Raises
    ------
    InputError
        If the file is missing or is not such a study.
    """
    return Study(**read_study(path))


def _asked_alpha(alpha: ArrayLike | str) -> Any:
    if isinstance(alpha, str):
        if alpha == "auto":
            return None
        raise InputError(f"alpha must be 'auto' or a strength in [0, inf]; got {alpha!r}")
    return strengths(alpha)


def _enough_rows(path: QuadraticPath) -> None:
    free, rows = path.spectrum.free.rank, path.sample.rows
    if rows <= free:
        raise InputError(
            f"{rows} rows cannot determine {free} weights without penalty (the intercept counts): "
            "give more rows, or give those columns a penalty_factor above 0"
        )


def _flags(**given: Any) -> None:
    for name, value in given.items():
        if not isinstance(value, (bool, np.bool_)):
            raise InputError(f"{name} must be True or False; got {value!r}")
