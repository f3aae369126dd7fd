"""Checks of the choice: an optimum at an end, a flat one, other criteria, the intercept (M6, M14, M15)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from eigenshrink.audit.finding import Examined, Finding, list_names
from eigenshrink.audit.spectrum import of_target
from eigenshrink.data.digits import number
from eigenshrink.fit import Fit
from eigenshrink.inference import residual_df
from eigenshrink.path import QuadraticPath, kept_share
from eigenshrink.risk import criterion_name
from eigenshrink.risk.signal import Signal
from eigenshrink.risk.weak import spare_observations

Array = NDArray[np.float64]

BOTH_ENDS = 0.99  # share of the effective parameters in the interval: no penalty and no columns are alike
REMOVED = 0.1  # share of the squared error that a missing intercept costs before it is a fault
CLEAR = 3.0  # standard errors from zero at which an intercept is more than chance
PENALISE_IT = "statsmodels with a scalar alpha, liblinear, torch with biases among the weights, and dask-ml"


def optimum_at_end(examined: Examined) -> Finding:
    """What it means that α = 0 or α = ∞ is best, where that is so (M6).

    Warned of where the penalised columns are not used at all, and where α → 0 leaves no observation to
    judge it by. An α = 0 with observations to spare only says that regularisation does not help.
    """
    path, choice, check = examined.path, examined.choice, "optimum at an end"
    if choice.criterion == "given":
        return Finding(check, "pass", 0, 0, "The strength was given, so no optimum was looked for.", "")
    if not len(path.fit.penalised):
        return Finding(check, "pass", 0, 0, "Nothing that varies is penalised: there is no strength.", "")
    at = np.broadcast_to(np.asarray(choice.boundary), examined.alphas.shape)
    spare = _spare(examined)
    useless, lowest = at == "infinite", (at == "zero") | (at == "flat")
    blind = lowest & (spare <= 0)
    meaning = f" {_use_is_not_shown(examined, useless)}" if useless.any() else ""
    if blind.any():
        meaning += (
            f" {criterion_name(choice.criterion)} takes α → 0{_of_targets(examined, blind)}, where every "
            "row is fitted exactly and no row is left to judge "
            f"by{': it is flat there' if np.any(at == 'flat') else ''}."
        )
    if meaning:
        advice = "Compare the other criteria, and look for copies of rows and for columns that are missing."
        return Finding(check, "warn", int(np.sum(useless | blind)), 0, meaning[1:], advice)
    meaning = "The optimum lies between 0 and ∞."
    if lowest.any():
        meaning = (
            f"α = 0 is best{_of_targets(examined, lowest)}: with {spare:.0f} observations to spare, "
            "regularisation does not help."
        )
    return Finding(check, "pass", 0, 0, meaning, "")


def _spare(examined: Examined) -> float:
    """Observations that are left to judge by as α → 0."""
    path = examined.path
    if isinstance(path, QuadraticPath):
        return spare_observations(path)
    used = float(path.effective_parameters(path.lowest))
    return max(min(path.sample.rows, path.sample.observations) - used, 0.0)


def _use_is_not_shown(examined: Examined, useless: NDArray[np.bool_]) -> str:
    choice, why = examined.choice, "it finds no use for those columns"
    if choice.curve is not None and np.all(np.isfinite(choice.curve.minimum.alpha)):
        why = "the strongest that cannot be told from the best, so that no use of those columns is shown"
    place = _of_targets(examined, useless)
    return f"{criterion_name(choice.criterion)} takes α = ∞{place}, where every penalised weight is 0: {why}."


def flat_optimum(examined: Examined) -> Finding:
    """Strengths that cannot be told from the best, in effective parameters (M9, M15).

    Decades of α say little, since nothing moves far below the smallest eigenvalue: what counts is the
    share of all effective parameters that the interval leaves open.
    """
    path, check = examined.path, "flat optimum"
    interval, lowest = examined.choice.interval, 0.0 if examined.squared else examined.anchored.lowest
    k = len(path.shrinkage(lowest))
    if interval is None or not k:
        meaning = "There is no interval of strengths that are as good: the criterion does not give one."
        return Finding(check, "pass", 0.0, BOTH_ENDS, meaning, "")
    ends = np.asarray(interval, dtype=np.float64).reshape(-1, 2)
    asked = np.maximum(ends.ravel(), lowest)
    used = np.asarray(path.effective_parameters(asked, penalised_only=True)).reshape(-1, 2)
    open_ = (used[:, 0] - used[:, 1]) / k
    worst = int(np.argmax(open_))
    (low, high), (most, least) = ends[worst], used[worst]
    meaning = (
        f"Strengths from {number(low, 2)} to {number(high, 2)}{of_target(examined, worst)} are as good as "
        f"the best: they keep {most:.3g} down to {least:.3g} of {k} penalised parameters"
    )
    value = float(open_[worst])
    if value < BOTH_ENDS:
        return Finding(check, "pass", value, BOTH_ENDS, f"{meaning}.", "")
    return Finding(
        check,
        "warn",
        value,
        BOTH_ENDS,
        f"{meaning}, nearly all or nearly none: the rows do not settle the strength.",
        "Read nothing into the value of alpha; more rows, or select='strongest-equivalent' (--select) for "
        "the simplest model that is as good.",
    )


def criteria_disagree(examined: Examined) -> Finding:
    """Whether the other criteria would take a strength that the chosen one can tell from its best (M14)."""
    check, found = "agreement of criteria", examined.choice.agreement
    if found is None:
        return Finding(check, "pass", 0, 0, "No criterion chose, so there is nothing to compare.", "")
    each = found if isinstance(found, tuple) else (found,)
    against = np.array([sum(not inside for inside in one.inside.values()) for one in each])
    worst = int(np.argmax(against))
    agreed, several = all(one.agrees for one in each), len(each) > 1
    place = ("Every target: " if agreed else f"Target {_place(examined, worst)!r}: ") if several else ""
    words = f"{place}{each[worst].words}"
    if agreed:
        return Finding(check, "pass", 0, 0, words, "")
    advice = "Compare the models at these strengths, study.coef(alpha) or --alpha, before you rely on one."
    return Finding(check, "warn", int(against[worst]), 0, words, advice)


def intercept(examined: Examined) -> Finding:
    """A missing or penalised intercept, and the peers that would penalise this one (M12).

    Without one: the share of the squared error that a free one would remove at the chosen strength; where
    a constant column is penalised in its place, of the error and the penalty together, if that is more.
    Both are 0 for centred data. With an intercept nothing is wrong here; what is said is how far
    ``b α/(1+α)`` moves it where a peer penalises it.
    """
    check, sample, table = "intercept", examined.path.fit.sample, examined.table
    if sample is None or table is None:
        return Finding(check, "pass", 0.0, REMOVED, "There are no rows to look at.", "")
    if sample.fit_intercept:
        return Finding(check, "pass", 0.0, REMOVED, _elsewhere(examined), "")
    names = [examined.names[j] for j in _penalised_constants(examined.path.fit, table.X)]
    value, removed, paid = missing_intercept(examined)
    share = np.maximum(removed, paid) if names else removed
    freedom = np.atleast_1d(residual_df(examined.quadratic, per_target=examined.alphas)) - 1.0
    clear = share * freedom > CLEAR**2 * (1.0 - share)
    worst = int(np.argmax(share + clear))
    cost = float(share[worst])
    if not (clear[worst] and cost > REMOVED):
        meaning = f"None is fitted, and one would remove {cost:.0%} of the squared error."
        return Finding(check, "pass", cost, REMOVED, meaning, "")
    return Finding(
        check,
        "warn",
        cost,
        REMOVED,
        f"No intercept is fitted{' but a penalised constant column' if names else ''}: a free one of "
        f"{number(value[worst], 3)}{of_target(examined, worst)} would remove {cost:.0%} of the squared "
        f"error{' and penalty' if names else ''}; other weights now bend to make up for it.",
        f"Give {names[0]!r} penalty_factor 0, or use fit_intercept=True without it."
        if names
        else "Use fit_intercept=True, or centre the columns and the target first.",
    )


def missing_intercept(examined: Examined) -> tuple[Array, Array, Array]:
    """A free intercept beside the model as it is, ``(t,)``: its value, the shares of error and price removed.

    With hat matrix A and ``e = √s``: ``b = eᵀ(I−A)ỹ / eᵀ(I−A)e``; the residuals become ``(I−A)(ỹ − be)``
    and what is minimised falls by ``b eᵀ(I−A)ỹ``. One pass over the rows.
    """
    path, training = examined.quadratic, examined.training
    scores = path.spectrum.scores
    along, lost = Signal.of(path), kept_share(examined.alphas[:, None], path.spectrum.eigenvalues)
    S, total = along.weight_sum, np.zeros(len(examined.alphas))
    if training is None or scores is None:
        return total, total, total
    u, f = np.zeros(len(along.eigenvalues)), np.zeros(len(scores.free_signal))
    for rows, U, F in scores.blocks():
        root = np.ones(len(U)) if training.rows.root is None else training.rows.root[rows]
        u, f = u + root @ U, f + root @ F
        total += root @ training.targets(rows)
    signal = (path.spectrum.numerators * np.sqrt(S / along.eigenvalues)[:, None]).T
    beyond, across = S - u @ u - f @ f, total - signal @ u - f @ scores.free_signal
    left, spare = across + (lost * signal) @ u, beyond + lost @ u**2
    value = np.divide(left, spare, out=np.zeros_like(left), where=spare > 1e-10 * S)
    outside = S * along.outside
    error = np.sum((lost * signal) ** 2, axis=1) + outside
    after = np.sum((lost * (signal - np.outer(value, u))) ** 2, axis=1)
    after += outside - 2 * value * across + value**2 * beyond
    price = np.sum(lost * signal**2, axis=1) + outside
    return value, _share(error - after, error), _share(value * left, price)


def _share(part: Array, whole: Array) -> Array:
    share = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return np.clip(share, 0.0, 1.0) + 0.0  # no minus zero


def _penalised_constants(fit: Fit, X: Any) -> NDArray[np.intp]:
    """Columns that are the same in every row and have a price."""
    spread = X.max(axis=0) - X.min(axis=0)
    still = np.ravel(spread.toarray() if issparse(X) else spread) == 0
    return np.intersect1d(fit.penalised, np.flatnonzero(still))


def _elsewhere(examined: Examined) -> str:
    """Which peers would penalise a fitted intercept, and by how much that moves it."""
    path, alphas = examined.quadratic, examined.alphas
    value = path.sample.target_mean - path.weights_per_target(alphas) @ path.sample.column_mean
    with np.errstate(divide="ignore"):
        moved = np.abs(value) / (1.0 + 1.0 / alphas)
    moved = np.divide(moved, path.sample.target_sd, out=np.zeros_like(moved), where=path.sample.target_sd > 0)
    worst = int(np.argmax(moved))
    return (
        f"It is fitted and not penalised. {PENALISE_IT} would penalise it, and so move predictions by up to "
        f"{moved[worst]:.2g} sd{of_target(examined, worst) or ' of the target'}."
    )


def _of_targets(examined: Examined, which: NDArray[np.bool_]) -> str:
    if len(which) == 1:
        return ""
    return f" for {list_names([_place(examined, int(i)) for i in np.flatnonzero(which)], 3)}"


def _place(examined: Examined, place: int) -> str:
    return examined.targets[place] if examined.targets else f"y{place}"
