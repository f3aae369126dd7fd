"""Where a fit stopped: weights, gradient, curvature, strength (M4, M5). All that a path needs.

Squared loss needs no training at all: the general form of M5 holds from any point, and from ``w₀ = 0``
the gradient is ``−Zᵀỹ/S``, so that the path *is* the fit, for every strength at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from eigenshrink.curvature import Curvature, Gram
from eigenshrink.data.checks import Table
from eigenshrink.data.memory import column_means, make_rows
from eigenshrink.data.rows import BLOCK, Rows, slices
from eigenshrink.data.splits import Splits
from eigenshrink.errors import InputError
from eigenshrink.models.loss import Loss
from eigenshrink.models.squared import SQUARED

Array = NDArray[np.float64]

CONSTANT = 1e-13  # a column whose sd is below this share of |mean| is called constant


@dataclass(frozen=True, eq=False)
class Training:
    """The rows that a fit was made of, weighted and centred.

    Attributes
    ----------
    table : Table
        The checked data.
    rows : Rows
        Z.
    target_mean : (t,)
        Weighted means of the targets, zero without an intercept.
    fit_intercept : bool
    mark : tuple of floats
        Of the data, so that a change in place is noticed.
    splits : Splits or None
        Which rows leave together.
    """

    table: Table
    rows: Rows
    target_mean: Array
    fit_intercept: bool
    mark: tuple[float, ...]
    splits: Splits | None = None

    def targets(self, rows: slice | NDArray[np.intp] = slice(None)) -> Array:
        """Centred, weighted targets Ỹ of some rows, ``(b, t)``."""
        return self.rows.targets(self.table.y, self.target_mean, rows)

    def unchanged(self) -> None:
        """Refuse to go on when the user's arrays were changed in place since the fit.

        They are read again when something is asked for that needs the rows, and are not copied.

        Raises
        ------
        InputError
            If a sample of 256 rows or the targets do not add up to what they did.
        """
        if self.mark != marks(self.table, self.splits):
            raise InputError(
                "X or y has changed in place since the study was made, held-out rows included, and they are "
                "read again for this: make the study of copies, es.study(X.copy(), y.copy())"
            )

    @property
    def target_sd(self) -> Array:
        """Weighted standard deviations of the targets, divisor S, ``(t,)``."""
        n, t = self.table.y.shape
        total = np.zeros(t)
        for rows in slices(n, BLOCK // t):
            Y = self.targets(rows)
            total += np.einsum("ij,ij->j", Y, Y)
        return np.sqrt(total / self.table.weight_sum)


@dataclass(frozen=True, eq=False)
class Sample:
    """What is remembered of the data when the rows are gone.

    Attributes
    ----------
    rows : int
        n with positive weight.
    weight_sum, observations : float
        S and ν (M14).
    weight_kind : str
    fit_intercept : bool
    column_mean, target_mean : (p,), (t,)
        Zero without an intercept.
    column_sd : (p,)
        Weighted, divisor S; the root mean square without an intercept.
    target_sd : (t,)
        Weighted, divisor S; the root mean square without an intercept.
    dtype : str
        Of X, and so of the weights that are handed out.
    """

    rows: int
    weight_sum: float
    observations: float
    weight_kind: str
    fit_intercept: bool
    column_mean: Array
    column_sd: Array
    target_mean: Array
    target_sd: Array
    dtype: str

    @classmethod
    def of(cls, training: Training, column_sd: Array) -> Sample:
        """Summarise the rows."""
        table = training.table
        return cls(
            rows=len(table.y),
            weight_sum=table.weight_sum,
            observations=table.observations,
            weight_kind=table.weight_kind,
            fit_intercept=training.fit_intercept,
            column_mean=training.rows.mean,
            column_sd=column_sd,
            target_mean=training.target_mean,
            target_sd=training.target_sd,
            dtype=table.dtype,
        )


@dataclass(frozen=True, eq=False)
class Fit:
    """A model where its fit stopped (M4).

    Attributes
    ----------
    weights : (p, t)
        ``w₀``, without intercept.
    gradient : (p, t)
        ``∇L(w₀)``, without penalty.
    alpha : float
        ``α₀``, the strength it was trained with.
    curvature : Curvature
        H at ``w₀``, of dimension p.
    penalty_factor : (p,)
        d, zero for free weights.
    active : (p,) of bool
        False: a constant column, whose weight is 0.
    loss : Loss or None
        What was minimised, where it is known.
    sample : Sample or None
        What is remembered of the data.
    training : Training or None
        The data themselves, while they are at hand.
    """

    weights: Array
    gradient: Array
    alpha: float
    curvature: Curvature
    penalty_factor: Array
    active: NDArray[np.bool_]
    loss: Loss | None = None
    sample: Sample | None = None
    training: Training | None = None

    @property
    def penalised(self) -> NDArray[np.intp]:
        """Indices of the weights that the penalty sees, ``(p_pen,)``."""
        return np.flatnonzero(self.active & (self.penalty_factor > 0))

    @property
    def free(self) -> NDArray[np.intp]:
        """Indices of the weights that it does not see, without the intercept."""
        return np.flatnonzero(self.active & (self.penalty_factor == 0))

    @property
    def scale(self) -> Array:
        """``d^{-½}`` of the penalised weights, ``(p_pen,)`` (M12)."""
        return 1.0 / np.sqrt(self.penalty_factor[self.penalised])


def fit_squared(
    table: Table,
    penalty_factor: Array,
    fit_intercept: bool,
    standardize: bool,
    splits: Splits | None = None,
) -> Fit:
    """The squared-loss fit that starts every path: ``w₀ = 0``, ``g = −Zᵀỹ/S``.

    Parameters
    ----------
    table : Table
    penalty_factor : (p,), >= 0
    fit_intercept : bool
        The intercept is free: it is eliminated by centring (M12).
    standardize : bool
        ``d_j ← d_j · sd_n(x_j)²``: nothing but a penalty factor.
    splits : Splits, optional
        Which rows leave together, for the criteria that leave more than one out.

    Raises
    ------
    InputError
        If a column is so large that its square overflows, or the rows cannot determine the free weights.
    """
    rows = make_rows(table.X, table.weight, fit_intercept)
    mean = np.zeros(table.y.shape[1])
    if fit_intercept:
        mean = column_means(table.y, table.weight)
    training = Training(table, rows, mean, bool(fit_intercept), marks(table, splits), splits)
    curvature = Gram(rows, table.weight_sum)
    tall = rows.shape[1] <= rows.shape[0]
    sd, active, factor = _columns(training, penalty_factor, standardize, curvature if tall else None)
    gradient = rows.cross(table.y, mean) / -table.weight_sum
    return Fit(
        weights=np.broadcast_to(0.0, gradient.shape),
        gradient=gradient,
        alpha=0.0,
        curvature=curvature,
        penalty_factor=factor,
        active=active,
        loss=SQUARED,
        sample=Sample.of(training, sd),
        training=training,
    )


def fit_loss(
    table: Table,
    penalty_factor: Array,
    fit_intercept: bool,
    standardize: bool,
    loss: Loss,
    splits: Splits | None = None,
) -> Fit:
    """Where the path of any other loss starts: no weights, every row predicted by its mean (M4).

    Parameters
    ----------
    table : Table
        Targets checked by the loss; codes of classes.
    penalty_factor, fit_intercept, standardize, splits
        As in :func:`fit_squared`.
    loss : Loss
    """
    rows = make_rows(table.X, table.weight, fit_intercept)
    training = Training(table, rows, np.zeros(1), bool(fit_intercept), marks(table, splits), splits)
    sd, active, factor = _columns(training, penalty_factor, standardize)
    return Fit(
        weights=np.broadcast_to(0.0, (len(sd), 1)),
        gradient=np.broadcast_to(np.nan, (len(sd), 1)),
        alpha=float("inf"),
        curvature=Gram(rows, table.weight_sum),
        penalty_factor=factor,
        active=active,
        loss=loss,
        sample=Sample.of(training, sd),
        training=training,
    )


def _columns(
    training: Training, penalty_factor: Array, standardize: bool, gram: Gram | None = None
) -> tuple[Array, NDArray[np.bool_], Array]:
    """Standard deviations, which columns vary, and penalty factors, ``(p,)`` each."""
    rows, S = training.rows, training.table.weight_sum
    with np.errstate(over="ignore", invalid="ignore"):
        squares = rows.squares() / S if gram is None else np.diag(gram.dense)
        sd = np.sqrt(np.maximum(squares, 0.0))
    _representable(sd, training)
    active = sd > CONSTANT * np.abs(rows.mean)
    factor = penalty_factor * np.where(active, sd, 1.0) ** 2 if standardize else penalty_factor
    return sd, active, factor


def marks(table: Table, splits: Splits | None) -> tuple[float, ...]:
    """Of all rows that are read again."""
    held = None if splits is None else splits.holdout
    return fingerprint(table) + (() if held is None else fingerprint(held))


def fingerprint(table: Table) -> tuple[float, float]:
    """Sums of a sample of X and of y: cheap, and different after ``X *= 2`` or ``y += 1``."""
    values = table.X.data if issparse(table.X) else table.X
    with np.errstate(over="ignore", invalid="ignore"):
        sample = values[:: max(1, len(values) // 256)].sum(dtype=np.float64)
        return float(sample), float(table.y.sum(dtype=np.float64))


def _representable(sd: Array, training: Training) -> None:
    """Refuse columns and targets whose squares leave float64."""
    table = training.table
    still = np.flatnonzero(sd == 0)
    spread = table.X[:, still].max(axis=0) - table.X[:, still].min(axis=0)
    moves = np.zeros(len(sd), dtype=bool)
    moves[still] = np.ravel(spread.toarray() if issparse(spread) else spread) > 0
    for names, bad, word, unit in (
        (table.feature_names, ~np.isfinite(sd), "large", "larger"),
        (table.feature_names, moves, "small", "smaller"),
        (table.target_names, ~np.isfinite(training.target_sd), "large", "larger"),
    ):
        for name in np.asarray(names)[bad][:1]:
            raise InputError(
                f"column {str(name)!r} is too {word}: its squares leave the range of float64. "
                f"Give it in a {unit} unit"
            )
