"""The whole chain on one screen: data, fit, curvature, spectrum, path, risk, choice, audit, study."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eigenshrink.archive import read_study
from eigenshrink.choice import check_select
from eigenshrink.data.checks import Table, check_table, column_names
from eigenshrink.data.splits import Splits, make_splits
from eigenshrink.errors import InputError
from eigenshrink.facts import Facts
from eigenshrink.fit import fit_loss, fit_squared
from eigenshrink.models import EFFICIENT, Loss, find_loss, needs_scale, prepare
from eigenshrink.models.huber import huber
from eigenshrink.models.squared import SQUARED
from eigenshrink.path import AnchoredPath, KrylovPath, Path, QuadraticPath
from eigenshrink.path.anchored import follow
from eigenshrink.penalty import penalty_factors, strengths
from eigenshrink.record import Asked, Study
from eigenshrink.risk import RISKS, row_errors
from eigenshrink.spectrum import decompose
from eigenshrink.trained import NetworkStudy

Array = NDArray[np.float64]

NORMAL_QUARTILE = 0.6745  # median size of a standard normal
EXACT = 1e-3  # share of the spread of the targets below which noise is not believed
ROUGHLY = 1e-4  # accuracy of a fit that only gives a scale


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

    ``w̃(α)`` minimises ``(1/S) Σ s_i ℓ(y_i, x_iᵀw + b) + (α/2) Σ d_j w_j²`` (M1), ℓ half the unit deviance:
    ``½(y − ŷ)²`` for squared loss.

    Parameters
    ----------
    X : (n, p) array, DataFrame or scipy.sparse
        float32 or float64 (others become float64); a sparse X stays sparse.
    y : (n,) or (n, t)
        A 1-d y gives results without target axis. Labels of any kind for "logistic" and "multinomial";
        for "binomial" fractions with the trials as weights, or successes and failures ``(n, 2)``.
    loss : str or Loss
        What is minimised: "squared", "logistic", "multinomial", "poisson", "gamma", "inverse_gaussian",
        "tweedie" ("tweedie:1.3"), "binomial" or "huber" ("huber:2.0").
    sample_weight : (n,), >= 0, optional
        Rows without weight are left out.
    weight_kind : {"precision", "frequency"}
        Whether a weight says how exact a row is or how often it occurred: decides what counts as an
        observation and what leave-one-out leaves out (M14).
    offset : (n,), optional
        Added to the linear predictor of each row and not fitted: the log exposure of counts. Predictions
        need it again.
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
    validation : None, (X, y[, sample_weight[, offset]]) or fraction in (0, 1)
        Rows that judge and are not fitted. A fraction is drawn from the rows, whole groups of them: the
        study is then of the other rows.
    tol : float, in (0, 1)
        Relative error in ``‖·‖_D`` that the path of any other loss keeps at every strength, proved by its
        certificate (M16); squared loss is solved directly.
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
    Cost: ``n p min(n, p)`` and one ``eigh`` of the smaller side, for all strengths; other losses about
    25 times that (M17). Hoerl & Kennard (1970), Technometrics 12(1).

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(50, 5))
    >>> s = study(X, X[:, 0] + rng.normal(size=50))
    >>> s.coef().shape, s.coef([0.1, 1.0]).shape, s.choice.criterion
    ((5,), (2, 5), 'combined')
    """
    _flags(fit_intercept=fit_intercept, standardize=standardize, per_target=per_target)
    wanted = _wanted(loss, offset)
    target = prepare(wanted, y, sample_weight)
    table = check_table(X, target.y, target.sample_weight, weight_kind, feature_names, groups, offset)
    table = replace(table, target_names=_target_names(y, table))
    factors = penalty_factors(penalty_factor, len(table.feature_names))
    judges, few_values = _judges(wanted, validation, target.classes), wanted.name != SQUARED.name
    table, splits = make_splits(table, folds, judges, random_state, few_values)
    given = _Given(table, factors, fit_intercept, standardize, splits)
    path = _path(wanted, given, _tolerance(tol), target.classes)
    asked = Asked(_asked_alpha(alpha), criterion, per_target, check_select(path, criterion, select))
    result = Study(
        path=path,
        facts=Facts.of(path, table.one_target, standardize, penalty_factor is not None),
        asked=asked,
        feature_names=table.feature_names,
        target_names=table.target_names,
        loss=path.loss.name,
        classes=target.classes,
    )
    if asked.alpha is not None:
        path.checked(result.alpha)  # what is wrong with it is said here, not when it is first used
    return result


def load(path: str | pathlib.Path) -> Study:
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
    parts = read_study(path)
    return (NetworkStudy if isinstance(parts["path"], KrylovPath) else Study)(**parts)


def _asked_alpha(alpha: ArrayLike | str) -> Any:
    if isinstance(alpha, str):
        if alpha == "auto":
            return None
        raise InputError(f"alpha must be 'auto' or a strength in [0, inf]; got {alpha!r}")
    return strengths(alpha)


@dataclass(frozen=True, eq=False)
class _Given:
    """What every kind of fit is made of."""

    table: Table
    penalty_factor: Array
    fit_intercept: bool
    standardize: bool
    splits: Splits


def _path(loss: Loss, given: _Given, tolerance: float, classes: tuple[Any, ...]) -> Path:
    """The path of a loss: one quadratic where that is exact, anchors elsewhere."""
    if loss.name == SQUARED.name:
        return _enough_rows(_squared(given))
    if needs_scale(loss):  # the scale of a first robust fit, whose own comes from a squared one
        first = huber(EFFICIENT * _noise_scale(_squared(given)))
        loss = huber(EFFICIENT * _noise_scale(_anchored(first, given, ROUGHLY)))
    return _enough_rows(_anchored(loss, given, tolerance, len(classes) if loss.classes > 2 else 1))


def _anchored(loss: Loss, given: _Given, tolerance: float, classes: int = 1) -> AnchoredPath:
    options = given.table, given.penalty_factor, given.fit_intercept, given.standardize
    return follow(fit_loss(*options, loss, given.splits), tolerance, classes)


def _squared(given: _Given) -> QuadraticPath:
    table, splits = given.table, given.splits
    held = splits.holdout
    if table.offset is not None:  # squared loss: what is added to every prediction is taken off every target
        table = replace(table, y=table.y - table.offset[:, None])
    if held is not None and held.offset is not None:
        splits = replace(splits, holdout=replace(held, y=held.y - held.offset[:, None]))
    fit = fit_squared(table, given.penalty_factor, given.fit_intercept, given.standardize, splits)
    return QuadraticPath(fit, decompose(fit))


def _noise_scale(path: Path) -> float:
    """Robust standard deviation of the residuals of a fit: their median size / 0.6745, not quite zero."""
    alpha = np.atleast_1d(RISKS["loo"](path).minimum.alpha)
    rows = row_errors(path, alpha)
    weight = path.fit.training.table.weight if path.fit.training else None
    y = (rows.fitted + rows.residual)[:, 0]
    spread = float(np.sqrt(np.average((y - np.average(y, weights=weight)) ** 2, weights=weight)))
    scale = max(_median(np.abs(rows.residual[:, 0]), weight) / NORMAL_QUARTILE, EXACT * spread)
    if not scale > 0:
        raise InputError("loss='huber' needs targets that differ: every one is the same here")
    return scale


def _median(values: Array, weight: Array | None) -> float:
    """The weighted median: where half of the weight is reached."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(np.ones(len(values)) if weight is None else weight[order])
    low, high = np.searchsorted(reached, reached[-1] * np.array([0.5 - 1e-12, 0.5 + 1e-12]))
    return float(0.5 * (values[order[low]] + values[order[min(high, len(values) - 1)]]))


def _judges(loss: Loss, validation: Any, classes: tuple[Any, ...]) -> Any:
    """Rows that judge, their targets as the loss takes them."""
    if not isinstance(validation, (tuple, list)) or len(validation) < 2 or loss.name == SQUARED.name:
        return validation
    X, y, *rest = validation
    try:
        target = prepare(loss, y, rest[0] if rest else None, classes or None)
    except InputError as error:
        raise InputError(f"validation: {error}") from error
    return (X, target.y, target.sample_weight, *rest[1:])


def _wanted(loss: Any, offset: ArrayLike | None) -> Loss:
    found = find_loss(loss)
    if offset is not None and found.classes > 2:
        raise InputError(
            f"offset moves the predictors of all classes alike, which changes nothing in a {found.name} "
            "loss: leave it at None"
        )
    return found


def _target_names(y: Any, table: Table) -> tuple[str, ...]:
    """The names that y carries; of successes and failures that of their share."""
    names = column_names(y)
    if len(names) == 2 and table.y.shape[1] == 1:
        return (f"{names[0]} / ({names[0]} + {names[1]})",)
    return names or table.target_names


def _tolerance(tol: Any) -> float:
    if isinstance(tol, (bool, np.bool_)) or not isinstance(tol, (int, float, np.number)) or not 0 < tol < 1:
        raise InputError(f"tol must be a relative error above 0 and below 1; got {tol!r}")
    return float(tol)


def _enough_rows(path: Path) -> Path:
    free, rows = path.free_rank // path.outputs_apart, path.sample.rows
    if rows <= free:
        raise InputError(
            f"{rows} rows cannot determine {free} weights without penalty (the intercept counts): "
            "give more rows, or give those columns a penalty_factor above 0"
        )
    return path


def _flags(**given: Any) -> None:
    for name, value in given.items():
        if not isinstance(value, (bool, np.bool_)):
            raise InputError(f"{name} must be True or False; got {value!r}")
