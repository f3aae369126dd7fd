"""Checks of what the targets allow: classes that columns separate, classes with few rows (M6, M11)."""

from __future__ import annotations

import numpy as np

from eigenshrink.audit.finding import Examined, Finding
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
    return Finding(
        check,
        "warn",
        path.lowest,
        0.0,
        f"A combination of columns tells {who} apart {how}: without a penalty there is no finite solution, "
        f"and {least}. That is no fault of the penalty, which keeps the weights finite; their size is its "
        "work.",
        "Look for a column that was made from the target. Otherwise take the chosen alpha, and do not read "
        "the weights as if there were no penalty.",
    )


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
