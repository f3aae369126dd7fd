"""Checks of the columns: constant, equal, said already by others (M12)."""

from __future__ import annotations

import numpy as np

from eigenshrink.audit.finding import Examined, Finding, list_names
from eigenshrink.data.duplicates import (
    DEPENDENT,
    are_equal,
    are_indicators,
    dependent_columns,
    duplicate_columns,
)
from eigenshrink.fit import CONSTANT, Fit, Training


def constant_columns(examined: Examined) -> Finding:
    """Columns that do not vary beside the intercept: their weight is exactly 0."""
    fit = examined.path.fit
    names = [examined.names[j] for j in np.flatnonzero(~fit.active)]
    if not names:
        return Finding("constant columns", "pass", 0, 0, "Every column varies.", "")
    return Finding(
        "constant columns",
        "warn",
        len(names),
        0,
        f"{list_names(names)}: sd/|mean| ≤ {CONSTANT:g}, which the intercept says already; the weight is 0.",
        "Drop it, or check why it does not vary.",
    )


def equal_columns(examined: Examined) -> Finding:
    """Columns that are the same in every row: they share one weight."""
    training = examined.path.fit.training
    groups = [] if training is None else duplicate_columns(training.table.X)
    active = examined.path.fit.active
    groups = [group for group in groups if active[group[0]]]
    if not groups:
        return Finding("duplicate columns", "pass", 0, 0, "No two columns are equal.", "")
    shown = "; ".join(list_names([examined.names[j] for j in group]) for group in groups[:3])
    more = f"; and {len(groups) - 3} more groups" if len(groups) > 3 else ""
    return Finding(
        "duplicate columns",
        "warn",
        sum(len(group) - 1 for group in groups),
        0,
        f"Equal in every row: {shown}{more}. They share one weight and are penalised less together.",
        "Keep one of each group.",
    )


def collinear_columns(examined: Examined) -> Finding:
    """Columns that are linear combinations of others: α = 0 cannot tell their weights apart."""
    fit, spectrum = examined.path.fit, examined.path.spectrum
    limit = "collinear columns", 0, DEPENDENT
    if spectrum.route.startswith("dual"):
        meaning = "There are more columns than rows, so that columns are combinations of each other."
        return Finding(limit[0], "pass", 0, limit[2], meaning, "")
    found = (
        [] if fit.training is None or spectrum.route == "primal-gram" else _combinations(fit.training, fit)
    )
    if not found:
        return Finding(limit[0], "pass", 0, limit[2], "No column is a combination of others.", "")
    lines = [
        f"{examined.names[j]!r} follows from {list_names([examined.names[i] for i in makers])}"
        for j, makers in found[:3]
    ]
    more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
    return Finding(
        limit[0],
        "warn",
        len(found),
        limit[2],
        f"{'; '.join(lines)}{more}. Their separate weights come from the penalty, not from the data.",
        "Read such weights together, or drop the columns that follow from others.",
    )


def _combinations(training: Training, fit: Fit) -> list[tuple[int, tuple[int, ...]]]:
    """Columns that follow from others, without what other findings or the encoding explain.

    Indicators of one category sum to one: that is how a category is written, and the penalty settles it.
    """
    X = training.table.X
    found = []
    for j, makers, shares in dependent_columns(fit.curvature.dense, np.flatnonzero(fit.active)):
        category = np.allclose(shares, -1.0, atol=1e-4) and are_indicators(X, (j, *makers))
        if not category and not (len(makers) == 1 and are_equal(X, j, makers[0])):
            found.append((j, makers))
    return found
