"""Checks of what the targets allow: classes that columns separate, classes with few rows (M6, M11)."""

from __future__ import annotations

import numpy as np
from scipy.sparse import issparse

from eigenshrink.audit.finding import Examined, Finding, list_names
from eigenshrink.data.digits import number

RARE = 0.2  # of an equal share, below which a class is rare
EVENTS = 5.0  # rows of the rarest class for each effective parameter, below which its weights are guesses


def separation(examined: Examined) -> Finding:
    """Whether α → 0 has no finite solution, since columns separate the targets (M6).

    The value is the smallest strength that has an answer, the threshold 0. Where there are as many columns
    as rows, any targets can be separated: that is said and is no warning.
    """
    check, path = "separation", examined.anchored
    if not path.separation:
        meaning = "No combination of columns separates the targets: there is a solution without a penalty."
        return Finding(check, "pass", 0.0, 0.0, meaning, "")
    least = f"the smallest strength with an answer is α = {number(path.lowest, 2)}"
    weights = len(path.fit.penalised) + len(path.fit.free) + int(path.sample.fit_intercept)
    if weights >= path.sample.rows:
        meaning = (
            f"With {weights} weights for {path.sample.rows} rows any targets can be separated, so that no "
            f"solution without a penalty is finite: {least}."
        )
        return Finding(check, "pass", path.lowest, 0.0, meaning, "")
    who = "the classes" if examined.classes else "targets at the end of their range from the others"
    how = "without a mistake" if path.separation == "complete" else "but for some rows on the border"
    alone = _tell_alone(examined)
    what = f"{list_names(alone, 3)} alone tell{'s' * (len(alone) == 1)}" if alone else ""
    return Finding(
        check,
        "warn",
        path.lowest,
        0.0,
        f"{what or 'A combination of columns tells'} {who} apart {how}: without a penalty there is no finite "
        f"solution, and {least}. That is no fault of the penalty, which keeps the weights finite; their size "
        "is its work.",
        f"{_look(alone)} Otherwise take the chosen alpha, and do not read "
        "the weights as if there were no penalty.",
    )


def _look(alone: list[str]) -> str:
    if not alone:
        return "Look for a column that was made from the target."
    each = "Each of them" if len(alone) > 1 else "It"
    return (
        f"{each} says what the target says: drop it if it was made from the target, or is known only later."
    )


def _tell_alone(examined: Examined) -> list[str]:
    """Columns whose values in one class lie all below or all above those in the next, for every class."""
    table, classes = examined.table, len(examined.classes)
    if table is None or not classes:
        return []
    codes = examined.anchored.problem.response.y.astype(np.intp)
    rows = [table.X[codes == code] for code in range(classes)]
    least, most = (
        np.array([np.ravel(end.toarray() if issparse(end) else end) for end in ends])
        for ends in ([part.min(axis=0) for part in rows], [part.max(axis=0) for part in rows])
    )
    order = np.argsort(least, axis=0)
    low, high = np.take_along_axis(least, order, 0), np.take_along_axis(most, order, 0)
    return [examined.names[int(j)] for j in np.flatnonzero(np.all(high[:-1] < low[1:], axis=0))]


def imbalance(examined: Examined) -> Finding:
    """A rare class with few rows for what is fitted to it.

    The value is the number of rows (frequency weights: of copies) of the rarest class for each effective
    parameter that an output has, ``min_k n_k / (γ/o)``. It warns below 5, where the class has less than a
    fifth of an equal share of the rows.
    """
    check, path, table = "class imbalance", examined.anchored, examined.table
    if table is None:
        return Finding(check, "pass", EVENTS, EVENTS, "There are no rows to look at.", "")
    counted = table.weight if table.weight_kind == "frequency" else None
    rows = np.bincount(path.problem.response.y.astype(np.intp), counted, minlength=len(examined.classes))
    rarest, total = int(np.argmin(rows)), float(rows.sum())
    share = rows[rarest] / total
    gamma = float(path.effective_parameters(examined.alpha)) / path.problem.shape[0]
    value = float(rows[rarest] / max(gamma, 1.0))
    meaning = (
        f"The rarest class, {examined.classes[rarest]!r}, has {rows[rarest]:.0f} of {total:.0f} rows "
        f"({share:.1%}), {number(value, 2)} for each of {number(gamma, 2)} effective parameters"
    )
    if share >= RARE / len(rows) or value >= EVENTS:
        return Finding(check, "pass", value, EVENTS, f"{meaning}.", "")
    return Finding(
        check,
        "warn",
        value,
        EVENTS,
        f"{meaning}: what the model says of that class rests on few rows, and naming the largest one is "
        f"right in {rows.max() / total:.1%} of them.",
        "Collect more rows of that class, and judge by log loss and not by accuracy; class_weight moves the "
        "probabilities and adds no information.",
    )
