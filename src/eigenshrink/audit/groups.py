"""Checks of rows that belong together: neighbours in the table, ids among the columns, given groups (M14)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from eigenshrink.audit.finding import Examined, Finding
from eigenshrink.audit.residuals import LEVEL, Array, Codes, LeaveOut, no_rows
from eigenshrink.audit.rows import leaves_together, units
from eigenshrink.data.relatives import id_columns
from eigenshrink.risk import criterion_name

ALIKE = 0.1  # correlation of consecutive errors from which their order matters
AGREE = 0.02  # intra-class correlation from which groups matter
FEWEST_GROUPS = 5
FEWEST_ROWS = 10  # by whose squares a correlation can be told
JUDGED_BY_OTHERS = {"given": "alpha was given", "validation": "rows that were not fitted judge"}


def time_order(examined: Examined) -> Finding:
    """Whether errors of consecutive rows are alike, as in a table ordered by time or place.

    Lag-1 correlation of the normal scores of the leave-out errors, against ``1/√n``. Pairs that the
    criterion leaves out together do not count. Other losses: of Pearson residuals, against the root of the
    sum of the squared products.
    """
    check, left = "time order", LeaveOut.of(examined)
    if left is None:
        return no_rows(check, examined)
    scores, t = left.scores, left.error.shape[1]
    apart = _apart(examined, left.places[:-1], left.places[1:])
    if apart.sum() < FEWEST_GROUPS:
        return Finding(check, "pass", 0, ALIKE, "Consecutive rows are left out together.", "")
    products = scores[:-1][apart] * scores[1:][apart]
    alike = products.mean(axis=0)
    noise = np.ones(t) if left.ranked else np.sqrt(np.mean(products**2, axis=0))
    limits = np.maximum(ALIKE, float(stats.norm.isf(LEVEL / t)) * noise / np.sqrt(apart.sum()))
    worst = int(np.argmax(alike - limits))
    value, threshold, where = float(alike[worst]), float(limits[worst]), left.of_target(worst)
    if value <= threshold:
        meaning = f"Leave-out errors{where} do not follow the order of the rows."
        return Finding(check, "pass", value, threshold, meaning, "")
    return Finding(
        check,
        "warn",
        value,
        threshold,
        f"Leave-out errors{where} of consecutive rows correlate with {value:.2f}: rows are in order of time "
        "or place, or sorted by what the columns do not say. Errors on rows further away will be larger.",
        "Give groups= (--groups) one label per stretch of rows, or validation= (--validation) the last rows.",
    )


def likely_groups(examined: Examined) -> Finding:
    """Columns that look like ids: rows with the same value have errors of the same sign.

    Every column with repeated values, 5 or more different ones and at most half as many as rows: F test
    of the means of the leave-out errors (as normal scores) at each value about their straight line, at
    the level 0.001 shared out over columns and targets. It warns from an intra-class correlation of 0.02.
    A column whose equal values are left out together by the criterion is not looked at. Other losses: the
    sum of the products of Pearson residuals over all pairs of rows of one value, over its own root mean
    square, so that a few large residuals do not decide.
    """
    check, left = "likely groups", LeaveOut.of(examined)
    if left is None:
        return no_rows(check, examined)
    scores, columns = left.scores, id_columns(left.table.X, left.places, FEWEST_GROUPS)
    found = [
        _Agreement.of(j, codes, values, scores) if left.ranked else _Agreement.of_pairs(j, codes, scores)
        for j, codes, values in columns
        if not leaves_together(examined, codes, left.places)
    ]
    if not found:
        return Finding(check, "pass", 0, AGREE, "No column has values that would make groups of rows.", "")
    level = LEVEL / (len(found) * scores.shape[1])
    sure = sorted((a for a in found if a.chance < level and a.alike > AGREE), key=lambda a: -a.alike)
    top = max(found, key=lambda a: a.alike) if not sure else sure[0]
    if not sure:
        meaning = "Rows with the same value in some column do not have errors that are alike."
        return Finding(check, "pass", top.alike, max(AGREE, top.needed(level)), meaning, "")
    shown = "; ".join(
        f"{examined.names[a.column]!r} ({a.groups} values, {a.alike:.2f}{left.of_target(a.target)})"
        for a in sure[:3]
    )
    more = f"; and {len(sure) - 3} more columns" if len(sure) > 3 else ""
    return Finding(
        check,
        "warn",
        top.alike,
        max(AGREE, top.needed(level)),
        f"Errors of rows with the same value are alike, with an intra-class correlation: {shown}{more}."
        " The value stands for a group of rows, or acts in another way than along a straight line.",
        f"If {examined.names[top.column]!r} tells groups apart, give groups= (--groups) that column; else "
        "code it as a category (--category).",
    )


def given_groups(examined: Examined) -> Finding:
    """Whether the groups that were given matter, and whether the criterion leaves them out together."""
    check, splits = "groups", examined.splits
    if splits is None or splits.groups is None or splits.source != "given":
        return Finding(check, "pass", 0, AGREE, "No groups were given.", "")
    left = LeaveOut.of(examined)
    if left is None:
        return no_rows(check, examined)
    codes = np.unique(splits.groups[left.places], return_inverse=True)[1]
    if not 1 <= codes.max() < len(codes) - 1:
        return Finding(check, "pass", 0, AGREE, "Every different row has a group of its own, or all one.", "")
    scores = left.scores
    found = _Agreement.of(0, codes, None, scores) if left.ranked else _Agreement.of_pairs(0, codes, scores)
    level = LEVEL / left.error.shape[1]
    matter = found.chance < level and found.alike > AGREE
    threshold = max(AGREE, found.needed(level))
    alike = f"intra-class correlation {found.alike:.2f}{left.of_target(found.target)}"
    criterion = examined.choice.criterion
    if leaves_together(examined, splits.groups) or criterion in JUDGED_BY_OTHERS:
        meaning = f"{'Rows of a group are alike' if matter else 'Groups do not matter'} ({alike})"
        how = JUDGED_BY_OTHERS.get(criterion, "groups are left out together")
        return Finding(check, "pass", found.alike, threshold, f"{meaning}; {how}.", "")
    return Finding(
        check,
        "fail" if matter else "warn",
        found.alike,
        threshold,
        f"Groups were given, but {criterion_name(criterion)} does not leave them out together; rows of a "
        f"group are {'alike' if matter else 'hardly alike'} ({alike})"
        f"{', so that the error on a new group is understated' if matter else ''}.",
        "Use criterion='leave_group_out' (--criterion leave_group_out), or give no groups if new rows will "
        "be of the same ones.",
    )


def _apart(examined: Examined, here: Codes, there: Codes) -> NDArray[np.bool_]:
    """Pairs of rows that are not left out together, as a mask."""
    codes = units(examined)
    return np.ones(len(here), dtype=bool) if codes is None else codes[here] != codes[there]


@dataclass(frozen=True)
class _Agreement:
    """How alike the errors of rows with one value are, for the target where they are most."""

    column: int
    groups: int
    target: int
    alike: float  #   intra-class correlation
    chance: float  #  that independent errors would be as alike
    freedom: tuple[float, float]
    size: float  #    of a group, on average
    noise: float = 0.0  # standard deviation of ``alike``, where pairs are compared

    @classmethod
    def of(cls, column: int, codes: Codes, values: Array | None, scores: Array) -> _Agreement:
        """One-way analysis of variance of scores ``(m, t)``, about their straight line in ``values``."""
        m, sizes = len(scores), np.bincount(codes)
        order = np.argsort(codes, kind="stable")
        sums = np.add.reduceat(scores[order], np.append(0, np.cumsum(sizes)[:-1]), axis=0)
        between = np.sum(sums**2 / sizes[:, None], axis=0)
        within = np.einsum("it,it->t", scores, scores) - between
        freedom = len(sizes) - 1.0
        if values is not None:
            line = values - values.mean()
            between = between - np.einsum("i,it->t", line, scores) ** 2 / (line @ line)
            freedom -= 1.0
        ratio = (between / freedom) / np.maximum(within / (m - len(sizes)), 1e-300)
        target = int(np.argmax(ratio))
        size = float((m - np.sum(sizes**2) / m) / (len(sizes) - 1))
        chance = float(stats.f.sf(ratio[target], freedom, m - len(sizes)))
        alike = _class_correlation(float(ratio[target]), size)
        return cls(column, len(sizes), target, alike, chance, (freedom, m - len(sizes)), size)

    @classmethod
    def of_pairs(cls, column: int, codes: Codes, scores: Array) -> _Agreement:
        """``Σ_g Σ_{i≠j∈g} r_i r_j`` of residuals ``(m, t)``, over its root mean square by chance.

        Its distribution lies between a normal one (many groups) and χ² (few large ones), which is more
        skewed: χ² with the skewness of group sums is used. Where fewer than 10 rows have nearly all of the
        squares, as with a class of few rows, nothing is told.
        """
        sizes = np.bincount(codes)
        order, starts = np.argsort(codes, kind="stable"), np.append(0, np.cumsum(sizes)[:-1])
        sums, squares, fourths = (
            np.add.reduceat(scores[order] ** power, starts, axis=0) for power in (1, 2, 4)
        )
        together = np.sum(sums**2 - squares, axis=0)
        noise = np.sqrt(2 * np.sum(np.maximum(squares**2 - fourths, 0.0), axis=0))
        clear = together / np.maximum(noise, 1e-300)
        target = int(np.argmax(clear))
        own = squares[:, target]
        freedom = float(np.sum(own**2) ** 3 / max(np.sum(own**3) ** 2, 1e-300))
        pairs = float(np.sum(sizes * (sizes - 1.0))) * float(np.mean(scores[:, target] ** 2))
        chance = float(stats.chi2.sf(freedom + clear[target] * np.sqrt(2 * freedom), freedom))
        if own.sum() ** 2 < FEWEST_ROWS * np.sum(fourths[:, target]):
            chance = 1.0
        size = float(np.mean(sizes))
        alike, noise_of = float(together[target]) / pairs, float(noise[target]) / pairs
        return cls(column, len(sizes), target, alike, chance, (freedom, 0.0), size, noise_of)

    def needed(self, level: float) -> float:
        """Intra-class correlation that chance exceeds with probability ``level``."""
        if self.noise:
            freedom = self.freedom[0]
            return float(self.noise * (stats.chi2.isf(level, freedom) - freedom) / np.sqrt(2 * freedom))
        return _class_correlation(float(stats.f.isf(level, *self.freedom)), self.size)


def _class_correlation(ratio: float, size: float) -> float:
    return (ratio - 1.0) / (ratio + size - 1.0)
