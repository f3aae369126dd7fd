"""Checks of rows that are copies of others, exactly or nearly, and of rows that pull the fit (M14)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from eigenshrink.audit.finding import Examined, Finding, counted, list_rows
from eigenshrink.audit.residuals import LEVEL, Array, Codes, no_rows
from eigenshrink.data.checks import Table
from eigenshrink.data.relatives import (
    close_pairs,
    duplicate_rows,
    equal_rows,
    first_rows,
    is_continuous,
    near_rows,
    row_keys,
)
from eigenshrink.risk import criterion_name
from eigenshrink.risk.fold import make_folds
from eigenshrink.risk.leave_out import FEW, Part
from eigenshrink.risk.leaving import Leaving
from eigenshrink.risk.stack import stacks

UNDERSTATED = 0.1  # share of the error that leave-one-out may miss before the answer is wrong
CLOSE = 0.02  # of the spread of errors: values of y nearer than that are nearly equal
NEARLY = 0.1  # share of the pairs near in X that must be close in y too
MUCH = 0.1  # share of the left-out loss of rows that matter
HIGH, TIMES, ALONE = 0.5, 5.0, 0.99  # leverages that are high, in themselves and beside the average


def copied_rows(examined: Examined) -> Finding:
    """Rows that are exact copies: leave-one-out tests a row on its copy.

    A fail where the criterion that chose alpha does not leave copies out together, and leave-one-out
    misses more than a tenth of the error with copies left out together. Rows of classes and counts, whose
    targets agree by chance: :func:`copies_of_labels`.
    """
    check, table = "duplicate rows", examined.table
    if table is None:
        return no_rows(check, examined)
    counts = table.weight if table.weight_kind == "frequency" else None
    targets = table.y if table.offset is None else np.column_stack([table.y, table.offset])
    labels, redundant = duplicate_rows(table.X, targets, counts)
    if not redundant and not examined.squared:
        labels, redundant = copies_of_labels(examined, table)
    if not redundant:
        return Finding(check, "pass", 0, 0, _no_copies(examined, table), "")
    total = round(table.observations)
    said = f"{redundant} of {total} rows are exact copies of others, X and y"
    return _relatives(examined, check, redundant, said, labels, "drop the copies")


def near_copies(examined: Examined) -> Finding:
    """Rows that are copies up to noise: no column differs by more than 0.005 sd, and y hardly at all.

    Rows near in X may be so by design. They count as near copies only where y is practically continuous,
    and at least a tenth of the pairs, more than chance and rounding allow at the level 0.001, is closer in
    y than 0.02 spreads of the error with such rows left out together. Verdict as for exact copies.
    """
    check, table = "near-duplicate rows", examined.table
    if table is None:
        return no_rows(check, examined)
    labels = _near_labels(examined, table)
    if labels is None:
        return Finding(check, "pass", 0, 0, "No row is nearly a copy of another.", "")
    different = int(equal_rows(table.X, table.y).max()) + 1
    count = different - int(labels.max()) - 1
    said = f"{count} of {different} different rows are nearly copies of others, X and y"
    return _relatives(examined, check, count, said, labels, "drop all but one of each")


def leverage(examined: Examined) -> Finding:
    """Rows that determine their own fit: h ≥ ½ and 5 times the average, or h ≥ 0.99 beside an average ≤ ½.

    At the chosen strength. Huber (1981) calls rows with ``1/h`` below 2 observations to be avoided; where
    the average itself is high, all rows are alike and none is named. Other losses: rows whose curvature is
    large have a high leverage by nature, so that they must make a tenth of the left-out loss too.
    """
    check, table = "leverage", examined.table
    rows = examined.rows if examined.squared else examined.answers
    if table is None or rows is None:
        return no_rows(check, examined)
    outputs = 1 if examined.squared else examined.anchored.problem.shape[0]
    each = rows.leverage.reshape(len(table.y), -1)
    average = np.atleast_1d(examined.path.effective_parameters(examined.alphas)) / outputs
    average = average / table.observations
    limit = np.minimum(np.maximum(HIGH, TIMES * average), np.where(average <= HIGH, ALONE, np.inf))
    over = each >= limit
    worst = int(np.argmax(np.max(np.where(over, each, 0.0), axis=0) + 1e-9 * each.max(axis=0)))
    h = each[:, worst]
    where = f" for target {table.target_names[worst]!r}" if len(limit) > 1 else ""
    found = np.flatnonzero(over[:, worst])
    beside = f"on average {average[worst]:.2g}{where}"
    if not len(found):
        meaning = f"No row determines its own fit: leverage up to {h.max():.2g}, {beside}."
        return Finding(check, "pass", float(h.max()), float(limit[worst]), meaning, "")
    found = found[np.argsort(-h[found])]
    squares = _left_alone(examined)[:, worst]
    endless = bool(np.any(np.isinf(squares[found])))
    share = 1.0 if endless else float(squares[found].sum() / max(squares.sum(), 1e-300))
    if not examined.squared and share < MUCH:
        meaning = (
            f"{list_rows(examined, found)}: leverage up to {h.max():.2g}, {beside}, yet left out only "
            f"{share:.0%} of the loss ({counted(examined)})."
        )
        return Finding(check, "pass", float(h.max()), float(limit[worst]), meaning, "")
    return Finding(
        check,
        "warn",
        float(h.max()),
        float(limit[worst]),
        f"{list_rows(examined, found)}: leverage up to {h.max():.2g}, {beside}; left out, "
        f"{'it makes' if len(found) == 1 else 'they make'} {share:.0%} of the {_error(examined)} "
        f"({counted(examined)}).",
        "Check these rows for mistakes; transform columns with few large values; compare alpha without them.",
    )


def copies_of_labels(examined: Examined, table: Table) -> tuple[Codes, int]:
    """Copies among rows whose targets are classes or counts: codes ``(n,)``, and how many could go.

    Equal targets are no sign of a copy there, equal rows of X hardly where X is discrete too. Rows equal in
    X count as copies if they are rare (more than a tenth as many rows of X are different as there are rows)
    and agree in y more often than independent ones would, at the level 0.001: a binomial test of disjoint
    pairs, against :meth:`Answers.agreement`.
    """
    none, answers = (np.arange(len(table.y)), 0), examined.answers
    if not (table.offset is None and (examined.classes or answers.loss.name == "poisson")):
        return none
    design = np.unique(row_keys(table.X), return_inverse=True)[1].reshape(-1)
    order = np.argsort(design, kind="stable")
    start = np.flatnonzero(np.append(True, np.diff(design[order]) > 0))
    within = np.arange(len(order)) - np.repeat(start, np.bincount(design))
    second = np.flatnonzero(within % 2 == 1)
    if not len(second) or 10 * len(start) <= len(order):
        return none
    here, there = order[second - 1], order[second]
    agree = int(np.sum(table.y[here, 0] == table.y[there, 0]))
    chance = answers.agreement(design, here)
    if stats.binom.sf(agree - 1, len(here), chance) > LEVEL:
        return none
    labels = np.unique(np.column_stack([design, table.y[:, 0]]), axis=0, return_inverse=True)[1].reshape(-1)
    return labels, len(labels) - int(labels.max()) - 1


def _no_copies(examined: Examined, table: Table) -> str:
    same = 0 if examined.squared else len(table.y) - int(equal_rows(table.X, table.y).max()) - 1
    if not same:
        return "No row is a copy of another."
    return (
        f"{same} row{' has' if same == 1 else 's have'} the X and y of another, which the model leads one to "
        "expect where X is the same: that does not show copies."
    )


def _error(examined: Examined) -> str:
    return "squared error" if examined.squared else "loss"


def _relatives(examined: Examined, check: str, count: int, said: str, labels: Codes, remedy: str) -> Finding:
    """What is said of rows that are known from others: a fail where that hides much of the error."""
    criterion = examined.choice.criterion
    if leaves_together(examined, labels):
        meaning = f"{said}. They are left out together, but standard errors count them as news."
        return Finding(
            check, "warn", count, 0, meaning, f"{remedy.capitalize()}, unless each was observed on its own."
        )
    together = left_together(examined, labels)
    alone = _left_alone(examined).sum(axis=0) / examined.path.sample.weight_sum
    with np.errstate(invalid="ignore", divide="ignore"):
        missed = np.where(alone < together, 1.0 - alone / together, 0.0)
    worst = int(np.argmax(missed))
    where = f" of target {examined.table.target_names[worst]!r}" if len(missed) > 1 and examined.table else ""
    wrong = missed[worst] > UNDERSTATED and criterion not in ("given", "validation")
    return Finding(
        check,
        "fail" if wrong else "warn",
        count,
        0,
        f"{said}. Leaving out single rows misses {missed[worst]:.0%} of the error{where} with them left out "
        f"together{f', and {criterion_name(criterion)} chose alpha as if they were news' if wrong else ''}.",
        f"{remedy.capitalize()}, or give groups= (--groups) one label per row and its copies, "
        "and criterion='leave_group_out' (--criterion leave_group_out).",
    )


def left_together(examined: Examined, labels: Codes) -> Array:
    """``Σ s_i e_i²/S`` with rows of a label, and all their copies, left out together, ``(t,)`` (M14).

    Other losses: ``2 Σ s_i ℓ_i/S``.
    As :func:`eigenshrink.risk.leave_out.leave_out` at the chosen strengths, but rows that leave alone
    are not left out again.
    """
    if not examined.squared:
        answers = examined.answers
        return np.atleast_1d(2.0 * answers.weight @ answers.together(labels) / answers.weight.sum())
    leaving, squares = Leaving.of(examined.quadratic), _left_alone(examined)
    sizes = np.bincount(labels)
    several = (sizes > 1) | (np.bincount(labels, leaving.copies) > 1)
    parts: list[Part] = [*make_folds(leaving, labels, np.flatnonzero(sizes > FEW), None)]
    parts += stacks(leaving, labels, np.flatnonzero(several & (sizes <= FEW)))
    for part in parts:
        for picked, error in part.rows(examined.alphas[None, :]):
            squares[picked] = error[:, 0] ** 2
    return np.asarray(squares.sum(axis=0) / examined.path.sample.weight_sum)


def _left_alone(examined: Examined) -> Array:
    """``s_i e_i²`` of single rows (frequency weights: of one copy, counted s_i times), ``(n, t)``.

    Other losses: ``2 s_i ℓ_i``.
    """
    if not examined.squared:
        return 2.0 * (examined.answers.weight * examined.answers.deviances)[:, None]
    if examined.rows is None or examined.table is None:
        return np.zeros((0, len(examined.alphas)))
    weight = examined.table.weight
    return examined.rows.left_out**2 if weight is None else weight[:, None] * examined.rows.left_out**2


def leaves_together(examined: Examined, labels: Codes, rows: Codes | slice = slice(None)) -> bool:
    """Whether the criterion that chose never tests a row on another one of its label, labels of some rows."""
    codes = units(examined)
    if codes is None:
        return False
    codes = codes[rows]
    low = np.full(int(labels.max()) + 1, np.iinfo(np.intp).max)
    high = np.full(len(low), -1)
    np.minimum.at(low, labels, codes)
    np.maximum.at(high, labels, codes)
    return bool(np.all((low == high) | (high < 0)))


def units(examined: Examined) -> Codes | None:
    """What the criterion leaves out at once; None where it leaves out single rows, or nothing."""
    splits = examined.splits
    if splits is None:
        return None
    by_groups = {"leave_group_out": splits.groups, "combined": splits.groups}
    return {**by_groups, "kfold": splits.folds}.get(examined.choice.criterion)


def _near_labels(examined: Examined, table: Table) -> Codes | None:
    """Codes of all rows, in which near copies share one; None where there are none."""
    same = equal_rows(table.X, table.y)
    places = first_rows(same)
    sd = examined.path.sample.column_sd
    scale = np.where(examined.path.fit.active & (sd > 0), 1.0 / np.where(sd > 0, sd, 1.0), 0.0)
    near = near_rows(table.X if len(places) == len(same) else table.X[places], scale)
    y = table.y[places]
    if near.max() == len(near) - 1 or not is_continuous(y):
        return None
    labels = near
    for k, spread in enumerate(_spread_apart(examined, near[same])):
        pairs, close, linked = close_pairs(near, y[:, k], CLOSE * spread)
        if close < NEARLY * pairs or _chance(pairs, close, y[:, k], spread) > LEVEL / y.shape[1]:
            return None
        labels = np.unique(labels * len(labels) + linked, return_inverse=True)[1].reshape(-1)
    return labels[same]


def _chance(pairs: float, close: float, y: NDArray[np.floating], spread: float) -> float:
    """Probability that so many of these pairs are so close if errors are independent.

    Two of one spread are closer than c spreads with probability c/√π; rounding y to a grid adds half of it.
    """
    grid = float(np.diff(np.unique(y)).min(initial=np.inf)) / 2
    with np.errstate(divide="ignore"):
        each = (CLOSE + np.divide(grid, spread)) / np.sqrt(np.pi)
    return float(stats.binom.sf(close - 1, pairs, min(each, 1.0)))


def _spread_apart(examined: Examined, labels: Codes) -> Array:
    """Spread of the error with rows of a label left out together, ``(t,)``: large labels row by row."""
    few = np.bincount(labels)[labels] <= FEW
    labels = np.where(few, labels, len(labels) + np.arange(len(labels)))
    labels = np.unique(labels, return_inverse=True)[1].reshape(-1)
    squares = left_together(examined, labels)
    return np.where(np.isfinite(squares), np.sqrt(squares), examined.path.sample.target_sd)
