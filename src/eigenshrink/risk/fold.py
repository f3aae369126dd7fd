"""Groups of many rows: one ``eigh`` of what the others say, for every strength (M14).

The statistics of a group, ``Gram``, cross products and sum of squares, are small and add up; those of the
*other* groups are merged rather than subtracted from the whole, so that nothing cancels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

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

    def nothing(self) -> Statistics:
        """What no rows say."""
        return Statistics(0 * self.gram, 0 * self.cross, 0 * self.squares)

    @classmethod
    def stack(cls, all_: list[Statistics]) -> Statistics:
        """Several, along a new first axis."""
        return cls(
            np.stack([one.gram for one in all_]),
            np.stack([one.cross for one in all_]),
            np.stack([one.squares for one in all_]),
        )


@dataclass(frozen=True, eq=False)
class Folds:
    """Groups and the fits of the others: coefficients ``base + map · (fixed − α moving)/(μ + α)``.

    They are differences to the unpenalised fit of all rows, along U and G. The first axis of every array
    is that of the g groups.
    """

    leaving: Leaving
    own: list[Codes]  #    g arrays of rows
    statistics: Statistics
    eigenvalues: Array  #  (g, k)    μ, of the others
    map: Array  #          (g, q, k)
    base: Array  #         (g, q, t)
    fixed: Array  #        (g, k, t)
    moving: Array  #       (g, k, t)
    units: Codes | None
    unknown: bool  #       others cannot determine what is free

    def error(self, alphas: Array, slopes: bool) -> tuple[Array, Array]:
        """Sums of ``s_i e_i²`` over the rows, and their slopes, ``(m, t)`` each: no row is read."""
        t = self.base.shape[2]
        total = np.full((2, len(alphas), t), np.nan)
        if self.unknown:
            return np.full((len(alphas), t), np.inf), total[1]
        stats = self.statistics
        for picked in slices(len(alphas), ROOM // max(self.base.size, 1)):
            coef, change = self._coefficients(slice(None), alphas[picked], slopes)
            push = (stats.gram @ coef.reshape(*coef.shape[:2], -1)).reshape(coef.shape)
            cross = stats.cross[:, :, None]
            rise = np.einsum("gqmt,gqmt->gmt", coef, push - 2 * cross) + stats.squares[:, None]
            total[0, picked] = np.maximum(rise, 0.0).sum(axis=0)
            if slopes:
                total[1, picked] = 2 * np.einsum("gqmt,gqmt->mt", change, push - cross)
        return total[0], total[1]

    def rows(self, alphas: Array) -> Iterator[tuple[Codes, Array]]:
        """Rows ``(b,)`` and their ``√s_i e_i``, ``(b, m, t)``, in blocks that keep units whole."""
        t = self.base.shape[2]
        for place, own in enumerate(self.own):
            if self.unknown:
                yield own, np.full((len(own), len(alphas), t), np.inf)
                continue
            coef = self._coefficients(slice(place, place + 1), alphas, slopes=False)[0][0]
            flat = coef.reshape(len(coef), -1)
            for rows in _whole(own, self.units, BLOCK // max(flat.shape)):
                U, G, outside = self.leaving.pick(rows)
                error = -(np.hstack([U, G]) @ flat).reshape(len(rows), len(alphas), t)
                yield rows, error + outside[:, None]

    def _coefficients(self, groups: slice, alphas: Array, slopes: bool) -> tuple[Array, Array]:
        """Coefficients ``(g, q, m, t)`` of some groups and ``d/d log α``."""
        strength = self.leaving.along.above_zero(alphas)  # (m, 1|t)
        values = self.eigenvalues[groups][:, :, None, None]
        lost = kept_share(strength, values)
        with np.errstate(divide="ignore"):
            inverse = 1.0 / (values + strength)
        fixed, moving = self.fixed[groups][:, :, None], self.moving[groups][:, :, None]
        coef = self.base[groups][:, :, None] + _mapped(self.map[groups], inverse * fixed - lost * moving)
        if not slopes:
            return coef, coef
        change = -lost * ((1.0 - lost) * moving + inverse * fixed)
        return coef, _mapped(self.map[groups], change)


def make_folds(leaving: Leaving, labels: Codes, which: Codes, units: Codes | None) -> list[Folds]:
    """Folds of the groups that are meant, some at a time; one pass over the rows and one ``eigh`` each."""
    if not len(which):
        return []
    own = rows_of(labels, which)
    said = [_statistics(leaving, rows) for rows in own]
    rest = _statistics(leaving, np.flatnonzero(~np.isin(labels, which)))
    before = list(accumulate(said[:-1], initial=rest))
    after = list(accumulate(said[:0:-1], initial=rest.nothing()))[::-1]
    others = [first + last for first, last in zip(before, after, strict=True)]
    size = max(1, ROOM // max(rest.gram.size, 1))
    return [
        _folds(leaving, own[some], Statistics.stack(said[some]), Statistics.stack(others[some]), units)
        for some in slices(len(own), size)
    ]


def _mapped(maps: Array, along: Array) -> Array:
    """``(g, q, k) (g, k, m, t)``."""
    g, k, m, t = along.shape
    return np.asarray(maps @ along.reshape(g, k, m * t)).reshape(g, maps.shape[1], m, t)


def _statistics(leaving: Leaving, rows: Codes) -> Statistics:
    t = leaving.signal.shape[1]
    q = len(leaving.along.eigenvalues) + leaving.along.free_rank
    total = Statistics(np.zeros((q, q)), np.zeros((q, t)), np.zeros(t))
    for some in slices(len(rows), 4 * BLOCK // max(q, t)):
        U, G, outside = leaving.pick(rows[some])
        Z = np.hstack([U, G])
        total += Statistics(Z.T @ Z, Z.T @ outside, np.einsum("ij,ij->j", outside, outside))
    return total


def _folds(
    leaving: Leaving, own: list[Codes], said: Statistics, others: Statistics, units: Codes | None
) -> Folds:
    root = np.sqrt(leaving.along.eigenvalues)
    k = len(root)
    free, tied = others.gram[:, k:, k:], others.gram[:, k:, :k]
    least = np.linalg.eigvalsh(free)[:, 0] if free.shape[1] else np.ones(1)
    solved = np.linalg.pinv(free, hermitian=True) @ np.concatenate([tied, others.cross[:, k:]], axis=2)
    onto, offset = solved[:, :, :k], solved[:, :, k:]
    M = others.gram[:, :k, :k] - tied.transpose(0, 2, 1) @ onto
    slope = others.cross[:, :k] - onto.transpose(0, 2, 1) @ others.cross[:, k:]
    values, W = np.linalg.eigh(root[:, None] * (0.5 * (M + M.transpose(0, 2, 1))) * root)
    size = np.einsum("gkk,k->g", others.gram[:, :k, :k], root**2)  # before what is free is taken out
    null = values <= NULL * size[:, None]
    along = root[:, None] * W
    return Folds(
        leaving=leaving,
        own=own,
        statistics=said,
        eigenvalues=np.where(null, 0.0, values),
        map=np.concatenate([along, -onto @ along], axis=1),
        base=np.concatenate([np.zeros_like(slope), offset], axis=1),
        fixed=np.where(null[:, :, None], 0.0, along.transpose(0, 2, 1) @ slope),
        moving=W.transpose(0, 2, 1) @ (leaving.signal / root[:, None]),
        units=units,
        unknown=bool(np.any(least <= leaving.rounding)),
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
