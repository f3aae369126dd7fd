"""Which loss a column asks for, where nobody said: one rule, read off the values of the target alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eigenshrink.data.columns import MOSTLY_NUMBERS, is_text, looks_numeric
from eigenshrink.data.names import option, shown
from eigenshrink.errors import InputError

if TYPE_CHECKING:
    import polars

MOST_CLASSES = 20  # more different texts than this are no classes unless somebody says so
REPEATED = 2  # times that each value occurs, on average, where values are classes or counts
LEAST_VALUES = 4  # different whole numbers before they can be counts
LEAST_SPREAD, POISSON_SPREAD = 0.8, 3.0  # variance / mean: counts have 1 or more, ratings have less
LEAST_SKEW = 0.5  # skewness / coefficient of variation: 1 for a Poisson variable, 0 for a symmetric one
CROWD, NEAR = 0.3, 0.5  # share of the rows that are at most this share of the mean, where there is more
RARE_ROWS, RARE_SHARE = 2, 0.02  # how often the largest value may occur: counts end in a thin tail


@dataclass(frozen=True)
class Suggestion:
    """A loss, and what about the target asks for it."""

    loss: str
    reason: str


def suggest_loss(column: polars.Series, forced: bool = False) -> Suggestion:
    """Choose a loss for a target by what its values are; rows where it is missing do not count.

    - two different values, of any kind: ``logistic`` (numbers: each twice on average);
    - 3 to 20 different texts, each twice on average: ``multinomial``;
    - whole numbers that look like counts (:func:`look_like_counts`): ``poisson``;
    - other numbers: ``squared``.

    Parameters
    ----------
    column : Series
        The target as read. Text of which most looks like numbers is taken as numbers with mistakes.
    forced : bool
        Whether the user said that its values are names, whatever they look like.

    Raises
    ------
    InputError
        If it holds too many texts to be classes, or only one.

    Examples
    --------
    >>> import polars
    >>> suggest_loss(polars.Series("paid", ["yes", "no", "yes", None])).loss
    'logistic'
    """
    known = (column.fill_nan(None) if column.dtype.is_float() else column).drop_nulls()
    if known.len() == 0 or known.dtype.is_temporal() or known.dtype.is_nested():
        return Suggestion("squared", "nothing else is possible")  # reading it says what is wrong
    text = forced or (is_text(known) and looks_numeric(known) < MOSTLY_NUMBERS)
    if text:
        return _for_text(known)
    if is_text(known):
        return Suggestion("squared", "it holds numbers")
    return _for_numbers(known)


def look_like_counts(values: NDArray[np.float64]) -> bool:
    """Whether numbers ``(n,)`` look like counts of events, by their values alone.

    All of: whole numbers, the smallest 0 or 1, at least 4 different ones, each twice on average; the
    largest rare (in 2 rows, or in 2 % of them), as it is not on a scale or where values are capped; a
    variance of at least 0.8 times the mean, as ratings have not; a skewness of at least half the
    coefficient of variation (a Poisson variable has both equal), as scores have not; and where the
    variance is above 3 times the mean, at least 30 % of the rows at most half the mean, as ages and
    hours of work have not.

    Examples
    --------
    >>> look_like_counts(np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 5.0]))
    True
    >>> look_like_counts(np.array([1, 2, 3, 4, 5, 3, 4, 5, 4, 5.0]))
    False
    """
    if not np.all((values >= 0) & (values == np.rint(values))) or values.min() > 1:
        return False
    _, occurs = np.unique(values, return_counts=True)
    if len(occurs) < LEAST_VALUES or len(values) < REPEATED * len(occurs):
        return False
    mean, spread = float(values.mean()), float(values.var())
    skew = float(np.mean((values - mean) ** 3)) * mean >= LEAST_SKEW * spread**2
    thin = bool(occurs[-1] <= max(RARE_ROWS, RARE_SHARE * len(values)))
    crowded = spread <= POISSON_SPREAD * mean or float(np.mean(values <= NEAR * mean)) >= CROWD
    return thin and skew and crowded and spread >= LEAST_SPREAD * mean


def _for_text(known: polars.Series) -> Suggestion:
    count, name = known.n_unique(), shown(known.name)
    if count == 1:
        raise InputError(f"target {name} has one value, {shown(known[0])}: there is nothing to explain")
    if count == 2:
        return Suggestion("logistic", "it has two different values")
    if count <= MOST_CLASSES and known.len() >= REPEATED * count:
        return Suggestion("multinomial", f"it has {count} different texts")
    raise InputError(
        f"target {name} has {count} different texts in {known.len()} rows, such as {shown(known[0])}: if "
        f"they are classes, say so with {option('--loss', 'multinomial')}; otherwise name a column of "
        "numbers, or merge the rare ones"
    )


def _for_numbers(known: polars.Series) -> Suggestion:
    import polars

    values = known.cast(polars.Float64).to_numpy()
    count = known.n_unique()
    if not np.isfinite(values).all():
        return Suggestion("squared", "it holds numbers")  # reading it names the infinite one
    flags = known.dtype.base_type().__name__ == "Boolean"
    if count == 2 and (flags or len(values) >= REPEATED * count):
        return Suggestion("logistic", "it has two different values")
    if look_like_counts(values):
        return Suggestion("poisson", f"its whole numbers from {values.min():.0f} on look like counts")
    whole = count > 2 and bool((values == np.rint(values)).all())
    if whole and count <= MOST_CLASSES and len(values) >= REPEATED * count:
        return Suggestion("squared", f"its {count} different whole numbers do not look like counts")
    return Suggestion("squared", "it holds numbers")
