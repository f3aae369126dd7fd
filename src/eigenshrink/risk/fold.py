"""Groups of many rows: one ``eigh`` of what the others say, for every strength (M14).

The statistics of a group, ``Gram``, cross products and sum of squares, are small and add up; those of the
*other* groups are merged rather than subtracted from the whole, so that nothing cancels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from eigenshrink.data.rows import BLOCK, slices
from eigenshrink.path import kept_share
from eigenshrink.risk.leaving import Array, Codes, Leaving, rows_of

NULL = 1e-13  # share of the trace below which the others say nothing of a direction
ROOM = 16 * BLOCK  # numbers that the coefficients of some strengths may hold at a time


@dataclass(frozen=True, eq=False)
class Statistics:
    """What some rows say: of U and G side by side (q columns), and of residuals as α → 0."""

    gram: Array  #     (q, q)
    cross: Array  #    (q, t)
    squares: Array  #  (t,)

    def __add__(self, other: Statistics) -> Statistics:
        """Merge two sets of rows."""
        return Statistics(self.gram + other.gram, self.cross + other.cross, self.squares + other.squares)


@dataclass(frozen=True, eq=False)
class Fold:
    """A group and the fit of the others: coefficients ``base + map · (fixed − α moving)/(μ + α)``.

    They are differences to the unpenalised fit of all rows, along U and G.
    """

    leaving: Leaving
    own: Codes  #       (b,)
    statistics: Statistics
    eigenvalues: Array  # (k,)    μ, of the others
    map: Array  #       (q, k)
    base: Array  #      (q, t)
    fixed: Array  #     (k, t)
    moving: Array  #    (k, t)
    units: Codes | None
    unknown: bool  #    others cannot determine what is free

    def error(self, alphas: Array, slopes: bool) -> tuple[Array, Array]:
        """Sums of ``s_i e_i²`` over the rows, and their slopes, ``(m, t)`` each: no row is read."""
        t = self.base.shape[1]
        total = np.full((2, len(alphas), t), np.nan)
        if self.unknown:
            return np.full((len(alphas), t), np.inf), total[1]
        stats = self.statistics
        for picked in self._few(alphas):
            coef, change = self._coefficients(alphas[picked], slopes)
            flat = coef.reshape(len(coef), -1)
            push = (stats.gram @ flat).reshape(coef.shape)
            total[0, picked] = stats.squares + np.einsum("qmt,qmt->mt", coef, push - 2 * stats.cross[:, None])
            if slopes:
                total[1, picked] = 2 * np.einsum("qmt,qmt->mt", change, push - stats.cross[:, None])
        return np.maximum(total[0], 0.0), total[1]

    def rows(self, alphas: Array) -> Iterator[tuple[Codes, Array]]:
        """Rows ``(b,)`` and their ``√s_i e_i``, ``(b, m, t)``, in blocks that keep units whole."""
        t = self.base.shape[1]
        if self.unknown:
            yield self.own, np.full((len(self.own), len(alphas), t), np.inf)
            return
        coef, _ = self._coefficients(alphas, slopes=False)
        flat = coef.reshape(len(coef), -1)
        for rows in _whole(self.own, self.units, BLOCK // max(flat.shape)):
            U, G, outside = self.leaving.pick(rows)
            error = -(np.hstack([U, G]) @ flat).reshape(len(rows), len(alphas), t)
            yield rows, error + outside[:, None]

    def _few(self, alphas: Array) -> Iterator[slice]:
        return slices(len(alphas), ROOM // max(self.map.shape[0] * self.base.shape[1], 1))

    def _coefficients(self, alphas: Array, slopes: bool) -> tuple[Array, Array]:
        """Coefficients ``(q, m, t)`` and ``d/d log α``."""
        strength = self.leaving.along.above_zero(alphas)[:, None]  # (m, 1, 1|t)
        values = self.eigenvalues[:, None]
        lost = kept_share(strength, values).transpose(1, 0, 2)
        with np.errstate(divide="ignore"):
            inverse = (1.0 / (values + strength)).transpose(1, 0, 2)
        fixed, moving = self.fixed[:, None], self.moving[:, None]
        along = inverse * fixed - lost * moving
        coef = self.base[:, None] + np.tensordot(self.map, along, axes=1)
        if not slopes:
            return coef, coef
        change = -lost * ((1.0 - lost) * moving + inverse * fixed)
        return coef, np.tensordot(self.map, change, axes=1)


def make_folds(leaving: Leaving, labels: Codes, which: Codes, units: Codes | None) -> list[Fold]:
    """One fold per group that is meant; one pass over the rows and one ``eigh`` each."""
    if not len(which):
        return []
    own = rows_of(labels, which)
    said = [_statistics(leaving, rows) for rows in own]
    rest = _statistics(leaving, np.flatnonzero(~np.isin(labels, which)))
    folds = []
    for place, rows in enumerate(own):
        others = sum((said[i] for i in range(len(said)) if i != place), start=rest)
        folds.append(_fold(leaving, rows, said[place], others, units))
    return folds


def _statistics(leaving: Leaving, rows: Codes) -> Statistics:
    t = leaving.signal.shape[1]
    q = len(leaving.along.eigenvalues) + leaving.along.free_rank
    total = Statistics(np.zeros((q, q)), np.zeros((q, t)), np.zeros(t))
    for some in slices(len(rows), 4 * BLOCK // max(q, t)):
        U, G, outside = leaving.pick(rows[some])
        Z = np.hstack([U, G])
        total += Statistics(Z.T @ Z, Z.T @ outside, np.einsum("ij,ij->j", outside, outside))
    return total


def _fold(leaving: Leaving, own: Codes, said: Statistics, others: Statistics, units: Codes | None) -> Fold:
    root = np.sqrt(leaving.along.eigenvalues)
    k = len(root)
    free, tied = others.gram[k:, k:], others.gram[k:, :k]
    unknown = bool(len(free) and np.linalg.eigvalsh(free)[0] <= leaving.rounding)
    solved = np.linalg.pinv(free, hermitian=True) @ np.hstack([tied, others.cross[k:]])
    onto, offset = solved[:, :k], solved[:, k:]
    M = others.gram[:k, :k] - tied.T @ onto
    slope = others.cross[:k] - onto.T @ others.cross[k:]
    values, W = np.linalg.eigh(root[:, None] * (0.5 * (M + M.T)) * root)
    null = values <= NULL * float(np.diag(others.gram)[:k] @ root**2)  # before what is free is taken out
    along = root[:, None] * W
    return Fold(
        leaving=leaving,
        own=own,
        statistics=said,
        eigenvalues=np.where(null, 0.0, values),
        map=np.vstack([along, -onto @ along]),
        base=np.vstack([np.zeros_like(slope), offset]),
        fixed=np.where(null[:, None], 0.0, along.T @ slope),
        moving=W.T @ (leaving.signal / root[:, None]),
        units=units,
        unknown=unknown,
    )


def _whole(rows: Codes, units: Codes | None, size: int) -> Iterator[Codes]:
    """Blocks of about ``size`` rows that do not cut a unit."""
    if units is None:
        for some in slices(len(rows), size):
            yield rows[some]
        return
    ordered = rows[np.argsort(units[rows], kind="stable")]
    ends = np.append(np.flatnonzero(np.diff(units[ordered])) + 1, len(ordered))
    start = 0
    while start < len(ordered):
        stop = int(ends[min(int(np.searchsorted(ends, start + size)), len(ends) - 1)])
        yield ordered[start:stop]
        start = stop
