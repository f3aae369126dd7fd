"""A risk curve from predictors of judged rows at the anchors: all that leave rows out look like this (M14).

Predictors are interpolated in log α row by row; the loss is taken of them afterwards, so that a curve, its
slope and its paired bands are sums over the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eigenshrink.data.rows import slices
from eigenshrink.newton.nodes import Nodes
from eigenshrink.newton.response import Response
from eigenshrink.path import AnchoredPath
from eigenshrink.risk.curve import RiskCurve
from eigenshrink.risk.minimum import SPACING, Evaluate
from eigenshrink.risk.uncertainty import Piece, Units

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

JUMPY = 0.1  # of samples where curvatures jump: less than half of the distance of anchors
TOGETHER = 1 << 20  # predictors that are held at a time


@dataclass(frozen=True, eq=False)
class Judged:
    """Rows that judge, and what each anchor predicts for them.

    Attributes
    ----------
    response : Response
        Their targets.
    weight : (n,)
        s.
    eta : (K, n, o)
        Predictors of each anchor, in the order of ``anchors.all``.
    copies : (n,) or None
        How often each row occurred, where weights say that.
    units : (n,) or None
        What counts as one observation for the paired standard error; None: each row.
    endless : bool
        Some row has no prediction at α = 0, where only it determines itself: the curve is infinite there.
    hopeless : bool
        Some row has none at any strength: the curve is infinite everywhere.
    wrong : bool
        Count wrongly classified rows in the place of the loss.
    """

    response: Response
    weight: Array
    eta: Array
    copies: Array | None = None
    units: Codes | None = None
    wrong: bool = False
    endless: bool = False
    hopeless: bool = False

    def pieces(self, C: Array) -> Iterator[tuple[slice, Array]]:
        """Row slices with predictors ``(b, o, m)`` for weights of the anchors ``(m, K)``."""
        _, n, o = self.eta.shape
        for rows in slices(n, max(1, TOGETHER // max(1, len(C) * o))):
            yield rows, np.moveaxis(np.tensordot(C, self.eta[:, rows], axes=1), 0, -1)

    def said(self, rows: slice, eta: Array) -> Array:
        """What each row adds to the curve, ``(b, m)``."""
        some = Response(
            self.response.loss,
            self.response.y[rows],
            None if self.response.offset is None else self.response.offset[rows],
            self.response.classes,
        )
        value = some.wrong(eta) if self.wrong else some.value(eta)
        return np.asarray(value * (self.weight[rows, None] / self.weight.sum()))

    def moves(self, rows: slice, eta: Array, steep: Array) -> Array:
        """Slope of the curve in log α that these rows add, ``(m,)``."""
        some = self.response.take(np.arange(len(self.weight))[rows])
        share = self.weight[rows] / self.weight.sum()
        return np.asarray(np.einsum("n,nom,nom->m", share, some.slope(eta), steep))


def predicted_curve(name: str, path: AnchoredPath, judged: Judged) -> RiskCurve:
    """The mean loss of judged rows at every strength."""
    nodes = path.nodes

    def evaluate(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        C, steep = nodes.weights(alphas[:, 0])
        value, moves = np.zeros(len(alphas)), np.full(len(alphas), np.nan)
        if judged.hopeless:
            return np.full((len(alphas), 1), np.inf), np.zeros((len(alphas), 1))
        if slopes:
            moves[:] = 0.0
        if judged.endless:
            value[alphas[:, 0] == 0] = np.inf
        for rows, eta in judged.pieces(C):
            value += judged.said(rows, eta).sum(axis=0)
            if slopes and not judged.wrong:
                change = np.moveaxis(np.tensordot(steep, judged.eta[:, rows], axes=1), 0, -1)
                moves += judged.moves(rows, eta, change)
        return value[:, None], moves[:, None]

    return make_curve(name, path, evaluate, _units(nodes, judged))


def _units(nodes: Nodes, judged: Judged) -> Units:
    def units(reference: Array, alphas: Array) -> Iterator[Piece]:
        C, _ = nodes.weights(np.concatenate([reference[:1], alphas[:, 0]]))
        if judged.units is None:
            for rows, eta in judged.pieces(C):
                said = judged.said(rows, eta)
                copies = None if judged.copies is None else judged.copies[rows]
                yield copies, said[:, :1], [said[:, 1:]]
            return
        total = np.zeros((int(judged.units.max()) + 1, len(C)))
        for rows, eta in judged.pieces(C):
            np.add.at(total, judged.units[rows], judged.said(rows, eta))
        yield None, total[:, :1], [total[:, 1:]]

    return units


def make_curve(
    name: str, path: AnchoredPath, evaluate: Evaluate, units: Units | None = None, unit: str = ""
) -> RiskCurve:
    """A curve of an anchored path, in the unit of its loss where none is given."""
    splits = None if path.fit.training is None else path.fit.training.splits

    def within(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        """What ``α → 0`` stands for is the weakest strength that there is."""
        return evaluate(np.maximum(alphas, path.lowest), slopes)

    return RiskCurve(
        name,
        unit or path.loss.unit,
        within,
        path.span,
        targets=1,
        one_target=path.one_target,
        flat_limit=np.zeros(1, dtype=bool),
        units=units,
        seed=0 if splits is None else splits.seed,
        lowest=path.lowest,
        spacing=SPACING if path.loss.smooth else JUMPY,
    )
