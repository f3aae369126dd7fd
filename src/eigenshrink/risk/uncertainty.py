"""How sure a curve is of its minimum: paired differences, equivalent strengths, optimism (M15).

A curve that adds up what left-out units say (rows, copies, groups) is compared with its own optimum unit
by unit: what is common to both strengths cancels, which the spread of folds cannot do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Piece = tuple[Array | None, Array, Iterable[Array]]
Units = Callable[[Array, Array], Iterator[Piece]]
"""``units(reference (t,), alphas (m, 1|t))``: what each unit adds to the curve, in blocks of u units.

A piece is copies ``(u,)`` or None (one each), the parts at the reference ``(u, t)``, and the parts at
the strengths as arrays that stand side by side for ``(u, m·t)``.
"""

WIDTH = 1.96  # paired standard errors within which a strength cannot be told from the best
DROP = 1.92  # of a log likelihood: half the 95 % quantile of chi-squared with one degree of freedom
SPACING = 0.3  # of the strengths that are looked at, in log α
DRAWS = 200  # of the bootstrap
SOME = 12  # strengths per refinement of an end
ROUNDS = 2  # refinements: an end is found to SPACING / SOME ** ROUNDS
BEYOND = 14.0  # how far beyond its span, in log α, a curve may still be on its way to the limit


def paired(units: Units, reference: Array, alphas: Array) -> tuple[Array, Array]:
    """``R(α) − R(reference)`` and its standard error, ``(m, t)`` each, from differences of units (M15).

    ``√(N/(N−1) Σ (d_u − d̄)²)`` over the N units that leave one at a time, ``d_u`` a unit's part of the
    difference. A row that stands for several copies counts as several equal ones.
    """
    shape = (len(alphas), len(reference))
    total, squares, count = np.zeros(shape).reshape(-1), np.zeros(shape).reshape(-1), np.float64(0.0)
    for copies, first, rest in units(reference, alphas):
        count += len(first) if copies is None else float(copies.sum())
        each = np.ones(len(first)) if copies is None else 1.0 / copies
        place = 0
        for part in rest:
            here = slice(place, place + part.shape[1])
            with np.errstate(invalid="ignore", over="ignore"):
                apart = part - first
                total[here] += apart.sum(axis=0)
                squares[here] += each @ np.square(apart)
            place = here.stop
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        spread = np.maximum(squares - total**2 / count, 0.0) * (count / (count - 1.0))
    return total.reshape(shape), np.sqrt(spread).reshape(shape)


def equivalent(excess: Callable[[Array], Array], span: tuple[float, float] | None, best: Array) -> Array:
    """Lowest and highest strength with ``excess(α) <= 0``, ``(t, 2)``, in [0, ∞].

    Parameters
    ----------
    excess : callable
        From strengths ``(m, 1)`` or ``(m, t)`` to ``(m, t)``; not above 0 at the best strength.
    span : (low, high) or None
        Ends in log α between which the curve moves; None: no strength can be told from another.
    best : (t,)
        The best strengths.
    """
    if span is None:
        return np.tile([0.0, np.inf], (len(best), 1))
    low, high = span
    nodes = np.linspace(low, high, int(np.ceil((high - low) / SPACING)) + 1)
    alphas = np.concatenate([[0.0], np.exp(nodes), [np.inf]])
    inside = (excess(alphas[:, None]) <= 0) | (alphas[:, None] == best)
    with np.errstate(divide="ignore"):
        place = np.clip(np.log(best), low - BEYOND, high + BEYOND)
    lowest = np.where(inside[1:-1], nodes[:, None], np.inf).min(axis=0)
    highest = np.where(inside[1:-1], nodes[:, None], -np.inf).max(axis=0)
    inner = np.stack([np.minimum(lowest, place), np.maximum(highest, place)])
    edges = np.concatenate([[low - BEYOND], nodes, [high + BEYOND]])
    below = np.searchsorted(edges, inner[0], side="left") - 1
    above = np.searchsorted(edges, inner[1], side="right")
    outer = np.stack([edges[np.maximum(below, 0)], edges[np.minimum(above, len(edges) - 1)]])
    ends = _narrowed(excess, inner, outer)
    bottom, top = np.where(ends == place, best, np.exp(ends))  # a limit has no place
    bottom, top = np.minimum(bottom, best), np.maximum(top, best)
    return np.stack([np.where(inside[0], 0.0, bottom), np.where(inside[-1], np.inf, top)], axis=1)


def _narrowed(excess: Callable[[Array], Array], inner: Array, outer: Array) -> Array:
    """Both ends of each interval, ``(2, t)`` in log α: from a place inside towards the next outside."""
    steps = np.linspace(0.0, 1.0, SOME + 1)[:, None, None]
    for _ in range(ROUNDS):
        places = inner + steps * (outer - inner)
        inside = (excess(np.exp(places.reshape(-1, inner.shape[1]))) <= 0).reshape(places.shape)
        inside[0], inside[-1] = True, False
        last = SOME - np.argmax(inside[::-1], axis=0)
        inner, outer = (np.take_along_axis(places, at[None], 0)[0] for at in (last, last + 1))
    return np.asarray(inner)


def optimism_of_minimum(
    units: Units, best: Array, span: tuple[float, float], rng: np.random.Generator
) -> Array:
    """How much too good the minimum of a curve looks because it was picked, ``(t,)``.

    The bootstrap draws units (each copy with Poisson weight 1), picks the minimum of each drawn curve and
    compares: ``mean_b [R(α_b) − R(best) + R_b(best) − R_b(α_b)]``, both parts not negative.

    Parameters
    ----------
    units : Units
    best : (t,)
        Where the curve is lowest.
    span : (low, high)
        Ends in log α between which the curve moves.
    rng : Generator
    """
    low, high = span
    nodes = np.linspace(low, high, int(np.ceil((high - low) / SPACING)) + 1)
    alphas = np.concatenate([[0.0], np.exp(nodes), [np.inf]])[:, None]
    t = len(best)
    drawn, whole = np.zeros((DRAWS, len(alphas) * t)), np.zeros(len(alphas) * t)
    for copies, first, rest in units(best, alphas):
        count = np.ones(len(first)) if copies is None else copies
        weight = (rng.poisson(count[:, None], (len(first), DRAWS)) / count[:, None]).T  # row by row
        place = 0
        for part in rest:
            with np.errstate(invalid="ignore"):
                apart = part - first
                here = slice(place, place + part.shape[1])
                drawn[:, here] += weight @ apart
                whole[here] += apart.sum(axis=0)
            place = here.stop
    curves = np.where(np.isnan(drawn), np.inf, drawn).reshape(DRAWS, len(alphas), t)
    lowest = curves.min(axis=1)
    there = np.take_along_axis(whole.reshape(1, len(alphas), t), curves.argmin(axis=1)[:, None], 1)[:, 0]
    return np.asarray(np.where(lowest < 0, there - lowest, 0.0).mean(axis=0))
