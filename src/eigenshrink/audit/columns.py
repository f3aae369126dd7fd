"""Checks of the columns: constant, equal, said already by others, of unlike scale (M12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy.sparse import issparse

from eigenshrink.audit.finding import Examined, Finding, list_names
from eigenshrink.audit.spectrum import combination, of_target
from eigenshrink.data.digits import number
from eigenshrink.data.duplicates import (
    DEPENDENT,
    are_equal,
    are_indicators,
    dependent_columns,
    duplicate_columns,
)
from eigenshrink.data.rows import BLOCK, slices
from eigenshrink.fit import CONSTANT, Training
from eigenshrink.inference import dispersion
from eigenshrink.path import Path, QuadraticPath

Array = NDArray[np.float64]

STRONG = 30.0  # condition index of a strong dependency (Belsley, Kuh & Welsch 1980, Regression Diagnostics)
ROWS_EACH = 2  # rows per column of a set; with fewer, columns that have nothing in common look dependent
TAKES_PART = 0.1  # of the largest loading: columns with less do not belong to a set
DETERMINED = 3.0  # standard errors from zero at which the data determine a combination of weights
SPREAD = 10.0  # ratio of sds: the same effect then costs a hundred times as much through one column
INDICATOR_SD = 0.5  # of an indicator of half the rows: what every indicator counts as, for it has no unit


def constant_columns(examined: Examined) -> Finding:
    """Columns that do not vary beside the intercept: their weight is exactly 0."""
    fit = examined.path.fit
    names = [examined.names[j] for j in np.flatnonzero(~fit.active).tolist()]
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
    """Sets of columns that are, or nearly are, linear combinations of each other, with the direction.

    Exact: the others leave less than 1e-12 of a column's variance. Near: the condition index of the
    correlations of the set is above 30, beyond what so few rows would give by chance. A near set is
    counted where the data do not determine its direction, three standard errors from zero at α → 0.
    """
    fit, check = examined.path.fit, "collinear columns"
    active = np.flatnonzero(fit.active)
    if fit.training is None:
        return Finding(check, "pass", 0, 0, "There are no rows to look at.", "")
    if len(active) > fit.training.rows.shape[0] - fit.training.fit_intercept:
        meaning = "There are more columns than rows can tell apart: all follow from others, so none is named."
        return Finding(check, "pass", 0, 0, meaning, "")
    exact, rest = _combinations(examined.path, fit.training, active)
    near = list(near_sets(fit.curvature.dense, rest, len(fit.training.table.y) - fit.training.fit_intercept))
    told = [_in_words(examined, found) for found in near]
    open_ = [text for text, determined in told if not determined]
    lines = [_follows(examined, *found) for found in exact] + open_
    if not lines:
        known = " ".join(text for text, _ in told[:3])
        return Finding(check, "pass", 0, 0, known or "No column is nearly a combination of others.", "")
    more = f" And {len(lines) - 3} more." if len(lines) > 3 else ""
    return Finding(
        check,
        "warn",
        len(lines),
        0,
        f"{' '.join(lines[:3])}{more}",
        "Read such weights together, since the penalty splits them and not the data; or drop columns that "
        "others say.",
    )


def column_scale(examined: Examined) -> Finding:
    """Unlike sds of columns whose penalty factors are alike: the penalty then depends on units (M12).

    Factors that were given, or made by standardising, are a decision, and pass. Indicators have no unit:
    all together they count as one column of sd ½, and only other columns differ from it or each other.
    """
    fit, check = examined.path.fit, "scale of columns"
    pen = fit.penalised
    if fit.sample is None or len(pen) < 2:
        return Finding(check, "pass", 1.0, SPREAD, "There are no two penalised columns to compare.", "")
    sd, factor = fit.sample.column_sd[pen], fit.penalty_factor[pen]
    if factor.max() > factor.min() * (1 + 1e-12):
        ratio = float(np.sqrt(np.max(sd**2 / factor) / np.min(sd**2 / factor)))
        said = "follow the sds, so units do not matter" if ratio < 1 + 1e-6 else "were given"
        return Finding(check, "pass", ratio, SPREAD, f"The penalty factors {said}.", "")
    names = [examined.names[j] for j in pen]
    if sd.max() > SPREAD * sd.min() and fit.training is not None:
        binary = indicators(fit.training.table.X)[pen]
        names = [name for name, skip in zip(names, binary, strict=True) if not skip] + ["an indicator"]
        sd = np.append(sd[~binary], INDICATOR_SD)[: len(sd)]
    low, high = int(np.argmin(sd)), int(np.argmax(sd))
    ratio = float(sd[high] / sd[low])
    if ratio <= SPREAD:
        return Finding(check, "pass", ratio, SPREAD, f"The sds differ at most {ratio:.2g} times.", "")
    return Finding(
        check,
        "warn",
        ratio,
        SPREAD,
        f"{names[high]!r} has sd {number(sd[high], 3)} and {names[low]!r} {number(sd[low], 3)}, "
        f"{number(ratio, 3)} times less: the same effect costs {number(ratio**2, 2)} times as much through "
        f"{names[low]!r}, for its unit alone.",
        "Use standardize=True (--standardize), unless all columns share one unit.",
    )


@dataclass(frozen=True, eq=False)
class NearSet:
    """Columns one combination of which hardly varies.

    Attributes
    ----------
    columns : (q,)
        Their indices.
    loadings : (q,)
        Of the combination of the columns, each brought to sd 1; of unit length.
    index : float
        Condition index of their correlations.
    """

    columns: NDArray[np.intp]
    loadings: Array
    index: float


def near_sets(gram: Array, places: NDArray[np.intp], rows: int) -> Iterator[NearSet]:
    """Sets of columns that are nearly collinear by themselves.

    Parameters
    ----------
    gram : (p, p)
        Of centred columns.
    places : (q,)
        Columns none of which follows from the others.
    rows : int
        Degrees of freedom of the rows. A set of q columns without anything in common would have an index
        of about ``1/(1 − √(q/rows))``, which is divided out.

    Notes
    -----
    The directions of least variance, brought to row echelon form, so that sets without common columns
    come apart. O(q³).
    """
    length = np.sqrt(np.diag(gram)[places])
    correlation = gram[np.ix_(places, places)] / np.outer(length, length)
    largest = np.abs(correlation).sum(axis=0).max(initial=1.0)
    V = scipy.linalg.eigh(correlation, subset_by_value=(-np.inf, largest / STRONG**2))[1]
    if not V.shape[1]:
        return
    leading = scipy.linalg.qr(V.T, mode="r", pivoting=True)[1][: V.shape[1]]
    sets: list[set[int]] = []
    for part in map(_members, np.linalg.solve(V[leading].T, V.T)):
        if _near(correlation, part, rows) is not None:
            part = part.union(*(other for other in sets if other & part))
            sets = [other for other in sets if not other & part] + [part]
    for part in map(_members, V.T):
        if not any(other & part for other in sets):
            sets.append(part)
    for part in sets:
        found = _near(correlation, part, rows)
        if found is not None:
            yield NearSet(places[found.columns], found.loadings, found.index)


def _members(direction: Array) -> set[int]:
    return set(np.flatnonzero(np.abs(direction) >= TAKES_PART * np.abs(direction).max()).tolist())


def _near(correlation: Array, part: set[int], rows: int) -> NearSet | None:
    """The set as one that is nearly collinear, its direction largest loading first; None where it is not."""
    columns = np.array(sorted(part), dtype=np.intp)
    if ROWS_EACH * len(columns) > rows:
        return None
    values, vectors = np.linalg.eigh(correlation[np.ix_(columns, columns)])
    index = float(np.sqrt(values[-1] / max(values[0], DEPENDENT)))
    if index * (1 - np.sqrt(len(columns) / rows)) <= STRONG:
        return None
    order = np.argsort(-np.abs(vectors[:, 0]), kind="stable")
    return NearSet(columns[order], vectors[order, 0] * np.sign(vectors[order[0], 0]), index)


def _in_words(examined: Examined, found: NearSet) -> tuple[str, bool]:
    """What the data say of a near set, and whether they determine its direction for every target."""
    path = examined.path
    sd = np.sqrt(np.diag(path.fit.curvature.dense)[found.columns])
    names = [examined.names[j] for j in found.columns]
    alpha = 0.0 if examined.squared else examined.alpha
    estimate, error = combined_weights(path, found.columns, found.loadings * sd, alpha)
    with np.errstate(divide="ignore", invalid="ignore"):
        clear = np.nan_to_num(np.abs(estimate) / error, nan=0.0)
    worst = int(np.argmin(clear))
    determined = bool(clear[worst] >= DETERMINED)
    where = of_target(examined, worst)
    text = (
        f"{list_names(names)} nearly follow from each other (condition index {number(found.index, 3)}): as "
        f"weights per sd{where}, the data put {_measured(names, found.loadings, estimate, error, worst)}, "
        f"{'determined all the same' if determined else 'not determined'}"
    )
    if len(names) == 2:
        across = found.loadings[::-1] * [1.0, -1.0]
        across = across * np.sign(across[0])
        other = combined_weights(path, found.columns, across * sd, alpha)
        text += f"; {_measured(names, across, *other, worst)}"
    return f"{text}.", determined


def _measured(names: list[str], loadings: Array, estimate: Array, error: Array, target: int) -> str:
    said = (
        f"at {number(estimate[target], 2)} ± {number(error[target], 2)}"
        if np.isfinite(error[target])
        else "nowhere"
    )
    return f"{combination(names, loadings)} {said}"


def combined_weights(
    path: Path, columns: NDArray[np.intp], part: Array, alpha: float = 0.0
) -> tuple[Array, Array]:
    """``cᵀw`` as α → 0 and its standard error, ``(t,)`` each; infinite where the rows do not see it (M15).

    Other losses: of each class ``(c,)``, by one Newton step from alpha.
    """
    local, p = path.local(alpha), len(path.fit.penalty_factor)
    fit, spectrum, copies = local.fit, local.spectrum, len(local.fit.penalty_factor) // p
    each = np.eye(copies) - (1.0 / copies if copies > 1 else 0.0)  # weights of classes add up to zero
    c = np.zeros((copies, copies, p))
    c[:, :, columns] = each[:, :, None] * part
    C = c.reshape(copies, -1).T
    inner = fit.scale[:, None] * (C[fit.penalised] - spectrum.free.onto.T @ C[fit.free])
    along = spectrum.directions.forth(inner)
    own = spectrum.free.root.T @ C[fit.free]
    weights = spectrum.numerators / spectrum.eigenvalues[:, None]
    estimate: Array = along.T @ weights + C[fit.free].T @ spectrum.free.offset
    variance = along.T**2 @ (1.0 / spectrum.eigenvalues) + np.einsum("ij,ij->j", own, own)
    seen = np.einsum("ij,ij->j", along, along) >= (1 - 1e-6) * np.einsum("ij,ij->j", inner, inner)
    noise = np.atleast_1d(dispersion(path, alpha))
    with np.errstate(invalid="ignore"):
        error = np.sqrt(np.where(seen, variance, np.inf) * noise / path.sample.weight_sum)
    return estimate.ravel(), np.broadcast_to(error, estimate.size)


def _follows(examined: Examined, j: int, makers: tuple[int, ...], shares: Array) -> str:
    order = np.argsort(-np.abs(shares), kind="stable")
    names = [examined.names[makers[i]] for i in order]
    constant = " and a constant" if examined.path.sample.fit_intercept else ""
    return f"{examined.names[j]!r} follows from {combination(names, shares[order])}{constant}."


def _combinations(
    path: Path, training: Training, active: NDArray[np.intp]
) -> tuple[list[tuple[int, tuple[int, ...], Array]], NDArray[np.intp]]:
    """Columns that follow from others, without what other findings or the encoding explain; the rest.

    Indicators of one category sum to one: that is how a category is written, and the penalty settles it.
    """
    if isinstance(path, QuadraticPath) and path.spectrum.route == "primal-gram":  # which has proved full rank
        return [], active
    X = training.table.X
    found, left = [], set(active.tolist())
    for j, makers, shares in dependent_columns(path.fit.curvature.dense, active):
        left.discard(j)
        category = np.allclose(shares, -1.0, atol=1e-4) and are_indicators(X, (j, *makers))
        if not category and not (len(makers) == 1 and are_equal(X, j, makers[0])):
            found.append((j, makers, shares))
    return found, np.array(sorted(left), dtype=np.intp)


def indicators(X: Any) -> NDArray[np.bool_]:
    """Which columns hold nothing but 0 and 1, ``(p,)``; one pass."""
    n, p = X.shape
    result = np.ones(p, dtype=bool)
    if issparse(X):
        result[X.indices[(X.data != 0) & (X.data != 1)]] = False
        return result
    for rows in slices(n, BLOCK // p):
        result &= np.all((X[rows] == 0) | (X[rows] == 1), axis=0)
    return result
