"""Which rows leave together: groups, folds and rows that are held out (M14)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.data.checks import Table, check_table, column_names
from eigenshrink.data.relatives import duplicate_rows, most_varied
from eigenshrink.errors import InputError

Codes = NDArray[np.intp]

ENOUGH_COPIES = 0.02  # share of observations that are copies, from which they leave together


@dataclass(frozen=True, eq=False)
class Splits:
    """Which rows leave together.

    Attributes
    ----------
    groups : (n,) or None
        Code of each row's group, counted from 0.
    source : str
        Where the groups come from: "given", "found" (rows that are exact copies) or "" without groups.
    rows, most_folds : int
        n, and how many folds were asked for.
    holdout : Table or None
        Rows that judge and were not fitted.
    fraction : float
        Share of the rows that was asked to be held out; 0 where they were given or there are none.
    seed : int
        Of everything that is drawn.
    """

    groups: Codes | None
    source: str
    rows: int
    most_folds: int
    holdout: Table | None
    fraction: float
    seed: int

    @cached_property
    def folds(self) -> Codes:
        """Code of each row's fold, ``(n,)``, counted from 0; groups stay whole. Drawn when asked for."""
        return _folds(self.rows, self.groups, self.fold_count, np.random.default_rng([self.seed, 1]))

    @property
    def fold_count(self) -> int:
        """How many folds there are: at most one per row or group."""
        units = self.rows if self.groups is None else int(self.groups.max()) + 1
        return min(self.most_folds, units)


def make_splits(
    table: Table,
    folds: int = 5,
    validation: Any = None,
    random_state: Any = None,
    few_values: bool = False,
) -> tuple[Table, Splits]:
    """The table that is fitted, and its splits.

    Parameters
    ----------
    table : Table
    folds : int, >= 2
        At most one per row (per group) is made.
    validation : None, (X, y[, sample_weight[, offset]]) or fraction in (0, 1)
    random_state : None, int, Generator or RandomState
        None: the same draw each time.
    few_values : bool
        Targets may take few values by nature, so that equal ones are no sign of a copy.

    Raises
    ------
    InputError
        Naming folds, validation or random_state.
    """
    seed = _seed(random_state)
    folds = _whole_folds(folds)
    holdout, fraction = None, 0.0
    groups, source = _belonging(table, few_values)
    if isinstance(validation, (tuple, list)):
        holdout = _given(validation, table)
    elif validation is not None:
        fraction = _fraction(validation)
        left, holdout = _cut(replace(table, groups=groups), fraction, seed)
        table = left if source == "given" else replace(left, groups=None)
        groups, source = _belonging(table, few_values)
    return table, Splits(groups, source, len(table.y), folds, holdout, fraction, seed)


def _belonging(table: Table, few_values: bool) -> tuple[Codes | None, str]:
    """Groups that were given, else those of exact copies where these are more than a few.

    Targets that take few values by nature, classes and counts, do not tell a copy from chance. The column
    with the most different values then has to.
    """
    if table.groups is not None:
        return table.groups, "given"
    copies = table.weight if table.weight_kind == "frequency" else None
    y = np.column_stack([table.y, most_varied(table.X)]) if few_values else table.y
    labels, redundant = duplicate_rows(table.X, y, copies)
    if redundant and table.offset is not None:  # copies have the same offset too
        both = np.column_stack([labels, table.offset])
        labels = np.unique(both, axis=0, return_inverse=True)[1].ravel()
        rows = table.observations if copies is not None else len(labels)
        redundant = round(rows) - (int(labels.max()) + 1)
    enough = redundant > ENOUGH_COPIES * table.observations and labels.max() > 0
    return (labels, "found") if enough else (None, "")


def _seed(random_state: Any) -> int:
    if random_state is None:
        return 0
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    if isinstance(random_state, (int, np.integer)) and random_state >= 0:
        return int(random_state)
    raise InputError(
        f"random_state must be None, a whole number that is 0 or more, or a numpy generator; "
        f"got {random_state!r}"
    )


def _whole_folds(folds: Any) -> int:
    if isinstance(folds, (bool, np.bool_)) or not isinstance(folds, (int, np.integer)) or folds < 2:
        raise InputError(f"folds must be a whole number from 2 on; got {folds!r}")
    return int(folds)


def _fraction(validation: Any) -> float:
    try:
        fraction = float(validation)
    except (TypeError, ValueError):
        fraction = np.nan
    if not 0.0 < fraction < 1.0 or isinstance(validation, str):
        raise InputError(
            "validation must be (X, y), (X, y, sample_weight) or the fraction of rows to hold out, "
            f"between 0 and 1; got {validation!r}"
        )
    return fraction


def _given(validation: Any, table: Table) -> Table:
    """Check rows that were given to judge by."""
    if len(validation) not in (2, 3, 4):
        raise InputError(
            f"validation has {len(validation)} parts: give (X, y), (X, y, sample_weight) or "
            "(X, y, sample_weight, offset)"
        )
    names = column_names(validation[0])
    if names and table.named and names != table.feature_names:
        raise InputError(
            f"validation: its columns {', '.join(names[:5])}... are not those of X, "
            f"{', '.join(table.feature_names[:5])}...: give them in that order"
        )
    if np.shape(validation[0])[:1] in ((0,), (1,)):
        raise InputError("validation has fewer than 2 rows: at least 2 are needed to judge by")
    try:
        X, y, weight, offset = (*validation, None, None)[:4]
        held = check_table(X, y, weight, "precision", offset=offset)
    except InputError as error:
        raise InputError(f"validation: {error}") from error
    if (table.offset is None) != (held.offset is None):
        has, has_not = ("study", "validation") if held.offset is None else ("validation", "study")
        raise InputError(
            f"the {has} has an offset and the {has_not} has none: give both, "
            "validation=(X, y, sample_weight or None, offset)"
        )
    for what, ours, theirs in (
        ("columns", table.X.shape[1], held.X.shape[1]),
        ("targets", table.y.shape[1], held.y.shape[1]),
    ):
        if ours != theirs:
            raise InputError(f"validation has {theirs} {what}; the study has {ours}")
    return held


def _cut(table: Table, fraction: float, seed: int) -> tuple[Table, Table]:
    """Hold out a share of the rows, whole groups of them."""
    n = len(table.y)
    groups = np.arange(n) if table.groups is None else table.groups
    order = np.random.default_rng([seed, 0]).permutation(int(groups.max()) + 1)
    size = np.bincount(groups)[order]
    before = np.cumsum(size) - size
    out = np.isin(groups, order[before + 0.5 * size <= fraction * n])
    left = len(np.unique(groups[~out])) if table.groups is not None else 2
    if min(out.sum(), (~out).sum(), left) < 2:
        what = f"{n} rows" if table.groups is None else f"{len(size)} groups"
        raise InputError(
            f"validation={fraction:g} leaves too few of {what} on one side: 2 rows are needed on each, "
            "and 2 groups on the fitted one"
        )
    return table.take(~out), table.take(out)


def _folds(n: int, groups: Codes | None, folds: int, rng: np.random.Generator) -> Codes:
    """Balanced folds of shuffled rows, or of whole groups: the largest first, into the lightest fold."""
    units = np.arange(n) if groups is None else groups
    sizes = np.bincount(units)
    count = min(folds, len(sizes))
    order = rng.permutation(len(sizes))
    if groups is None or np.all(sizes == sizes[0]):
        chosen = np.empty(len(sizes), dtype=np.intp)
        chosen[order] = np.arange(len(sizes)) % count
        return chosen[units]
    order = order[np.argsort(-sizes[order], kind="stable")]
    chosen, load = np.empty(len(sizes), dtype=np.intp), np.zeros(count)
    for unit in order:
        chosen[unit] = np.argmin(load)
        load[chosen[unit]] += sizes[unit]
    return chosen[units]
