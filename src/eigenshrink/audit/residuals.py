"""Checks of the leave-out errors: spread, tails, single rows that decide.

Each test is made at the level 0.001, shared out over targets, rows or columns (Bonferroni), and what it
finds must also be large enough to matter. Rows that are equal in X and y count once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from eigenshrink.audit.finding import Examined, Finding, counted, list_rows
from eigenshrink.data.checks import Table
from eigenshrink.data.digits import number
from eigenshrink.data.relatives import equal_rows, first_rows, is_continuous

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

LEVEL = 1e-3  # chance of a false alarm of one test
FEWEST = 20  # rows below which the errors tell nothing
EXACT = 1e-10  # leave-out errors below this share of y are rounding
ROUNDING = 1e-20  # share of a mean square below which a variance is rounding
SPREAD = 1e-2  # share of the squared errors' variance that predictions must explain
TAILS = 1.0  # excess kurtosis from which tails matter


@dataclass(frozen=True, eq=False)
class LeaveOut:
    """Leave-out errors of the rows that are different from each other.

    Attributes
    ----------
    table : Table
    places : (m,)
        Which rows of the table.
    error : (m, t)
        ``√s e √(1−h)``, which has one spread where the noise has, on the scale of e. Other losses:
        Pearson residuals over ``√(1−h)``, a column per class.
    predicted : (m, t)
        By a fit without the row, its influence on the intercept put back. Other losses: the mean.
    ranked : bool
        Scores are ranks. Not for other losses, whose residuals have mean 0 given X, but not their ranks.
    outputs : tuple of str
        Classes that have a column each.
    """

    table: Table
    places: Codes
    error: Array
    predicted: Array
    ranked: bool = True
    outputs: tuple[str, ...] = ()

    @classmethod
    def of(cls, examined: Examined) -> LeaveOut | None:
        """Collect them; None where there are no rows, too few, or where they are fitted exactly."""
        if not examined.squared:
            return cls._other(examined)
        table, rows = examined.table, examined.rows
        if table is None or rows is None or examined.training is None:
            return None
        known: NDArray[np.bool_] = np.asarray(np.isfinite(rows.left_out).all(axis=1))
        places = first_rows(equal_rows(table.X, table.y))
        places = places[known[places]]
        error, y = rows.left_out[places], table.y[places].astype(np.float64)
        if len(places) < FEWEST or np.any(_size(error) <= EXACT * _size(y)):
            return None
        weight = np.ones((len(places), 1))
        if table.weight is not None and table.weight_kind == "precision":
            weight = table.weight[places, None]
        share = weight / table.weight_sum if examined.training.fit_intercept else 0.0
        even = error == 0  # else 1 − h is taken from the errors, which keep its digits as α → 0
        spare = np.where(
            even, 1.0 - rows.leverage[places], rows.residual[places] / np.where(even, 1.0, error)
        )
        scale = np.sqrt(weight * np.maximum(spare, 0.0))
        return cls(table, places, error * scale / _size(scale), predicted=y - error * (1.0 - share))

    @classmethod
    def _other(cls, examined: Examined) -> LeaveOut | None:
        """Rows of a loss that is not quadratic. Equal ones count each, where targets are discrete."""
        table = examined.table
        if table is None:
            return None
        residuals = examined.answers.residuals
        places = (
            first_rows(equal_rows(table.X, table.y)) if is_continuous(table.y) else np.arange(len(table.y))
        )
        error = residuals[places]
        if len(places) < FEWEST or not np.isfinite(error).all() or np.any(_size(error) == 0):
            return None
        mean = examined.answers.mean.reshape(residuals.shape)[places]
        names = tuple(map(repr, examined.classes)) if residuals.shape[1] > 1 else ()
        return cls(table, places, error / _size(error), mean, ranked=False, outputs=names)

    def of_target(self, place: int) -> str:
        """``" of target 'y1'"``, or nothing where there is one target."""
        if self.outputs:
            return f" of class {self.outputs[place]}"
        return f" of target {self.table.target_names[place]!r}" if self.table.y.shape[1] > 1 else ""

    @cached_property
    def scores(self) -> Array:
        """Errors by rank, as normal scores of mean 0 and variance 1, ``(m, t)``."""
        return normal_scores(self.error) if self.ranked else self.error


def no_rows(check: str, examined: Examined) -> Finding:
    """What is said where nothing can be checked."""
    if examined.table is None:
        meaning = "No rows to look at."
    elif len(examined.table.y) < FEWEST:
        meaning = f"Fewer than {FEWEST} rows: too few to tell."
    else:
        meaning = "The rows are fitted exactly, or too few are different: there are no errors to look at."
    return Finding(check, "pass", 0, 0, meaning, "")


def heteroscedasticity(examined: Examined) -> Finding:
    """Whether errors spread more where predictions are large, small or extreme.

    Score test of Breusch & Pagan (1979) in the studentised form of Koenker (1981): squared leave-out
    errors, their linear trend taken off, against normal scores of the predictions and their squares;
    ``n R²`` is χ² with 2 degrees of freedom. It warns where that is significant and R² at least 0.01.
    """
    check, left = "heteroscedasticity", LeaveOut.of(examined)
    if left is None:
        return no_rows(check, examined)
    n, t = left.error.shape
    threshold = max(SPREAD, float(stats.chi2.isf(LEVEL / t, 2)) / n)
    shares = [_explained(left.error[:, j], left.predicted[:, j]) for j in range(t)]
    worst = int(np.argmax(shares))
    where = left.of_target(worst)
    if shares[worst] <= threshold:
        meaning = f"The leave-out errors{where} spread alike, whatever is predicted."
        return Finding(check, "pass", shares[worst], threshold, meaning, "")
    low, middle, high = _thirds(left.error[:, worst], left.predicted[:, worst])
    return Finding(
        check,
        "warn",
        shares[worst],
        threshold,
        f"The typical leave-out error{where} is {number(low, 3)} where predictions are low, "
        f"{number(middle, 3)} in the middle and {number(high, 3)} where they are high: standard errors are "
        "wrong, noisy rows count too much.",
        "Model log(y) if errors grow with y, or give sample_weight= (--weights) 1/variance where that is "
        "known.",
    )


def heavy_tails(examined: Examined) -> Finding:
    """Whether errors have heavier tails than normal ones: excess kurtosis, and who makes the error.

    It warns where the kurtosis exceeds what Anscombe & Glynn (1983) allow for normal errors, and is at
    least 1 above theirs.
    """
    check, left = "heavy tails", LeaveOut.of(examined)
    if left is None:
        return no_rows(check, examined)
    n, t = left.error.shape
    threshold = max(TAILS, kurtosis_limit(n, LEVEL / t))
    excess = _excess_kurtosis(left.error)
    worst = int(np.argmax(excess))
    squares = np.sort(left.error[:, worst] ** 2)[::-1]
    few = max(1, n // 100)
    share = float(squares[:few].sum() / squares.sum())
    who = "1 row makes" if few == 1 else f"{few} rows make"
    said = f"excess kurtosis {number(excess[worst], 2)}; {who} {share:.0%} of the squared error"
    where = left.of_target(worst)
    if excess[worst] <= threshold:
        meaning = f"The tails of the leave-out errors{where} are not heavier than normal ({said})."
        return Finding(check, "pass", float(excess[worst]), threshold, meaning, "")
    return Finding(
        check,
        "warn",
        float(excess[worst]),
        threshold,
        f"The leave-out errors{where} have heavy tails ({said}): few rows decide weights and strength.",
        "Transform y, for example log(y), or look at the rows with the largest errors.",
    )


def _excess_kurtosis(error: Array) -> Array:
    """``mean(e⁴)/mean(e²)² − 3`` of centred columns, ``(t,)``; 0 where they do not vary beside their mean."""
    centred = error - error.mean(axis=0)
    square = np.mean(centred**2, axis=0)
    varies = square > ROUNDING * np.mean(error**2, axis=0)
    unit = centred / np.sqrt(np.where(varies, square, 1.0))  # first: fourth powers of y may leave float64
    return np.where(varies, np.mean(np.where(varies, unit, 0.0) ** 4, axis=0) - 3.0, 0.0)


def extreme_rows(examined: Examined) -> Finding:
    """Whether a single row is off by more than the largest of so many normal errors.

    Largest leave-out error over the spread of the others, against Student's t with n − 2 degrees of
    freedom, shared out over rows and targets. Other losses: the half deviance ℓ of a row when it is left
    out, over the dispersion of the others (at least 1 where it is known, 1 for classes). Chernoff's bound
    ``P(ℓ/φ > x) ≤ 2e⁻ˣ`` sets the threshold.
    """
    check, left = "extreme rows", LeaveOut.of(examined)
    if left is None:
        return no_rows(check, examined)
    if not examined.squared:
        return _improbable_rows(check, examined, left.places)
    n, t = left.error.shape
    threshold = float(stats.t.isf(LEVEL / (2 * n * t), n - 2))
    squares = left.error**2
    share = squares / squares.sum(axis=0)
    off = np.sqrt((n - 2) * share / np.maximum(1.0 - share, 1e-300))
    row, worst = np.unravel_index(int(np.argmax(off)), off.shape)
    many = int((off[:, worst] > threshold).sum())
    where = left.of_target(int(worst))
    if not many:
        meaning = (
            f"The largest leave-out error is {off[row, worst]:.1f} times the others' spread: not extreme."
        )
        return Finding(check, "pass", float(off[row, worst]), threshold, meaning, "")
    found = np.argsort(-off[:, worst])[:many]
    total = float(share[found, worst].sum())
    return Finding(
        check,
        "warn",
        float(off[row, worst]),
        threshold,
        f"{list_rows(examined, left.places[found])}: off by up to {off[row, worst]:.1f} times the others' "
        f"spread{where}, which makes {total:.0%} of the squared leave-out error ({counted(examined)}).",
        "Check these rows for mistakes; compare alpha without them.",
    )


def _improbable_rows(check: str, examined: Examined, places: Codes) -> Finding:
    answers = examined.answers
    weight = np.ones(len(places)) if answers.copies else answers.weight[places]
    off = weight * answers.deviances[places]
    if not answers.loss.classes:
        squares = answers.residuals[places, 0] ** 2
        spread = (squares.sum() - squares) / (len(places) - 1)
        off = off / np.maximum(spread, 1.0 if answers.loss.known_dispersion else 1e-300)
    threshold = float(np.log(2 * len(places) / LEVEL))
    found = np.flatnonzero(~(off <= threshold))
    row = int(np.argmax(np.where(np.isnan(off), np.inf, off)))
    how = "infinite" if not np.isfinite(off[row]) else f"{off[row]:.1f}"
    if not len(found):
        meaning = f"The least probable row has a half deviance of {how} when it is left out: not extreme."
        return Finding(check, "pass", float(off[row]), threshold, meaning, "")
    found = found[np.argsort(-off[found], kind="stable")]
    total = float(off[found].sum() / off.sum()) if np.isfinite(off.sum()) else 1.0
    return Finding(
        check,
        "warn",
        float(off[row]),
        threshold,
        f"{list_rows(examined, places[found])}: nearly impossible for the model without "
        f"{'it' if len(found) == 1 else 'each'}: a half deviance of up to {how}, which makes {total:.0%} of "
        f"the left-out loss ({counted(examined)}).",
        "Check these rows for mistakes, the target first; compare alpha without them.",
    )


def normal_scores(values: Array) -> Array:
    """Ranks of each column as quantiles of the normal distribution, mean 0 and variance 1, ``(m, t)``."""
    ranks = stats.rankdata(values, axis=0)
    scores = stats.norm.ppf((ranks - 0.5) / len(values))
    scores -= scores.mean(axis=0)
    spread = scores.std(axis=0)
    return np.asarray(scores / np.where(spread > 0, spread, 1.0))


def kurtosis_limit(n: int, level: float) -> float:
    """Excess kurtosis that ``n`` normal values exceed with probability ``level``.

    Anscombe & Glynn (1983), Biometrika 70(1), solved for the kurtosis; n of 20 or more.
    """
    mean = 3.0 * (n - 1) / (n + 1)
    spread = np.sqrt(24.0 * n * (n - 2) * (n - 3) / ((n + 1) ** 2 * (n + 3) * (n + 5)))
    skew = 6.0 * (n * n - 5 * n + 2) / ((n + 7) * (n + 9))
    skew *= np.sqrt(6.0 * (n + 3) * (n + 5) / (n * (n - 2) * (n - 3)))
    freedom = 6.0 + 8.0 / skew * (2.0 / skew + np.sqrt(1.0 + 4.0 / skew**2))
    part = 2.0 / (9.0 * freedom)
    root = 1.0 - part - float(stats.norm.isf(level)) * np.sqrt(part)
    if root <= 0:
        return np.inf
    above = ((1.0 - 2.0 / freedom) / root**3 - 1.0) / np.sqrt(2.0 / (freedom - 4.0))
    return float(mean + spread * above - 3.0)


def _size(values: Array) -> Array:
    """Root mean square over the rows."""
    return np.asarray(np.sqrt(np.mean(np.square(values), axis=0)))


def _explained(error: Array, predicted: Array) -> float:
    """R² of squared errors on the level of predictions and its square; 0 where all predictions are equal."""
    if np.std(predicted) <= 1e-6 * _size(error):
        return 0.0
    level = normal_scores(predicted[:, None])
    trend = predicted - predicted.mean()
    line = np.column_stack([np.ones(len(error)), trend / _size(trend)])
    error = error / _size(error)  # whatever the unit of y
    squares = (error - line @ np.linalg.lstsq(line, error)[0]) ** 2
    curve = np.column_stack([np.ones(len(error)), level, level**2])
    rest = squares - curve @ np.linalg.lstsq(curve, squares)[0]
    return float(1.0 - rest @ rest / np.sum((squares - squares.mean()) ** 2))


def _thirds(error: Array, predicted: Array) -> list[float]:
    """Root mean square errors of the rows with low, middling and high predictions."""
    parts = np.array_split(np.argsort(predicted), 3)
    return [float(_size(error[part])) for part in parts]
