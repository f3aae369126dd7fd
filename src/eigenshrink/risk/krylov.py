"""The estimates of the true error of a network, from products with H and measured losses (M14, M18, M19).

Every curve is NaN, which no minimum and no interval takes, where the path is not trusted: there the
quadratic is not the network. Curves are made by the quadratic's own strengths, and handed out by those that
its places belong to. MacKay (1992), Neural Computation 4(3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicHermiteSpline

from eigenshrink.data.rows import slices
from eigenshrink.errors import InputError
from eigenshrink.path import KrylovPath
from eigenshrink.path.calibration import Calibration
from eigenshrink.path.measured import Measured
from eigenshrink.risk.curve import LIKELIHOOD_UNIT, RiskCurve
from eigenshrink.risk.uncertainty import DROP, Piece

Array = NDArray[np.float64]
Edges = tuple[float, float]
Span = tuple[float, float] | None

SHARE = "share of rows"
ROUNDING = 1e-9  # relative, of a strength that went through its logarithm and back
POSITIVE = 1e-3  # relative, by which strengths stay above the end of an indefinite curvature
BELOW = 3.0  # in log α, how far the search goes on below the weakest strength that evidence may take
TOGETHER = 1 << 20  # numbers of rows that are held at a time


def evidence(path: KrylovPath) -> RiskCurve:
    """Laplace evidence of the quadratic, its mean moving with α (M14).

    ``S·L̃(α) + ½ Σ log(1 + λ/α)`` where the dispersion is known, ``½[(ν − m) log L̃(α) + Σ log(1 + λ/α)]``
    where it is profiled out. ``log|H_FF|`` is constant, since H is that of ``w₀``; slopes need no derivative
    of ``w̃``, which minimises L̃: ``dL̃/d log α = ½α‖w̃‖²_D``.

    Raises
    ------
    InputError
        If the loss has no scale that is known, or the curvature a negative part.
    """
    if "evidence" not in path.available_risks:
        raise InputError(
            "evidence needs a loss of known scale (cross entropy, squared error, ...), a curvature without "
            "negative part (curvature='ggn') and strengths at which the path is trusted: use validation"
        )
    sample, known, span = path.sample, path.loss.known_dispersion, _evident(path)
    freedom = sample.observations - path.free_rank

    def evaluate(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        above = np.where(alphas > 0, alphas, np.exp(span[0]))
        loss, priced = _objective(path, above)
        bent, kept = np.where(alphas > 0, path.sums.logs(above).value, np.inf), path.sums.shares(above).value
        with np.errstate(divide="ignore", invalid="ignore"):
            if known:
                return sample.weight_sum * loss + 0.5 * bent, 0.5 * (sample.weight_sum * priced - kept)
            return 0.5 * (freedom * np.log(loss) + bent), 0.5 * (0.5 * freedom * priced / loss - kept)

    curve = believed("evidence", path, evaluate, edges(path), span)
    return replace(curve, unit=LIKELIHOOD_UNIT, drop=DROP)


def validation(path: KrylovPath) -> RiskCurve:
    """``V(w̃(α))`` as it was measured, with its slopes: cubic Hermite in log α; paired row by row (M15).

    Raises
    ------
    InputError
        If no rows judge, or the path is trusted nowhere.
    """
    along = _Along.of(path)
    losses, judges = along.judged(path)
    share = judges / judges.sum()
    mean = losses @ share
    slope = along.pick(along.measured.validation_slope)
    smooth = CubicHermiteSpline(along.places, mean, slope) if along.several else None

    def evaluate(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        place, inside = along.place(alphas)
        if smooth is None:
            return np.full(len(place), mean[0]), np.zeros(len(place))
        return smooth(place), np.where(inside, smooth(place, 1), 0.0)

    curve = believed("validation", path, evaluate, along.edges, along.span)

    def units(reference: Array, alphas: Array) -> Iterator[Piece]:
        asked = np.concatenate([reference, alphas[:, 0]])
        C = along.weights(along.place(asked)[0])
        shift = curve.evaluate(asked[:, None], slopes=False)[0][:, 0] - C @ mean  # the same for every row
        for rows in slices(len(share), max(1, TOGETHER // len(asked))):
            parts = share[rows, None] * (losses[:, rows].T @ C.T + shift)
            yield None, parts[:, :1], [parts[:, 1:]]

    return replace(curve, unit=path.loss.unit, units=units)


def misclassified(path: KrylovPath) -> RiskCurve:
    """Share of the rows that judge which are put into a wrong class; it never chooses."""
    along = _Along.of(path)
    along.judged(path)
    if along.measured.wrong is None:
        raise InputError("misclassified needs classes, and the targets of this loss are numbers")
    counted = along.used
    return _interpolated("misclassified", path, along, along.measured.wrong[:, counted].mean(axis=1))


def train(path: KrylovPath) -> RiskCurve:
    """``L(w̃(α))``: what the quadratic predicts, corrected by what was measured; it never chooses."""
    found = path.measured
    along = None if found is None or path.span is None else _Along.of(path)
    apart = np.zeros(1) if along is None else along.pick(along.measured.change - along.measured.predicted)

    def evaluate(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        value, steep = path.train_loss(alphas), predicted_slope(path, alphas)
        if along is None:
            return value, steep
        place, inside = along.place(alphas)
        return value + along.weights(place) @ apart, steep + inside * (along.weights(place, 1) @ apart)

    limits = (edges(path), path.span) if along is None else (along.edges, along.span)
    return replace(believed("train", path, evaluate, *limits), unit=path.loss.unit)


def relabelled(curve: RiskCurve, calibration: Calibration) -> RiskCurve:
    """A curve by the quadratic's own strengths as one by those that its places belong to."""
    if calibration.trivial:
        return curve
    place = calibration.place

    def evaluate(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        value, slope = curve.evaluate(place(alphas), slopes)
        return value, slope * calibration.rate(alphas)

    def units(reference: Array, alphas: Array) -> Iterator[Piece]:
        assert curve.units is not None
        return curve.units(place(reference), place(alphas))

    span = None
    if curve.span is not None:
        low, high = np.log(calibration.strength(np.exp(curve.span)))
        span = (float(low), float(high))
    low, high = calibration.strength(curve.edges)
    return replace(
        curve,
        evaluate=evaluate,
        units=None if curve.units is None else units,
        span=span,
        edges=(float(low), float(high)),
    )


def edges(path: KrylovPath) -> Edges:
    """Strengths between which the path is trusted, and H + αD positive (M18)."""
    low, high = path.trusted
    least = path.quadratic.trusted[0]
    return (max(low, least * (1 + POSITIVE)) if least > 0 else low), high


def inside(alphas: Array, limits: Edges) -> NDArray[np.bool_]:
    """Which strengths lie between edges, rounding allowed."""
    low, high = limits
    return np.asarray((alphas >= low * (1 - ROUNDING)) & (alphas <= high * (1 + ROUNDING)))


@dataclass(frozen=True, eq=False)
class _Along:
    """What was measured at the strengths that are trusted.

    Attributes
    ----------
    measured : Measured
    good : (a,) of bool
        Strengths that are trusted, with finite losses.
    used : (v,) of bool
        Rows that judge and have a weight.
    edges : (low, high)
        Strengths at which something is known.
    """

    measured: Measured
    good: NDArray[np.bool_]
    used: NDArray[np.bool_]
    edges: Edges

    @classmethod
    def of(cls, path: KrylovPath) -> _Along:
        found, (low, high) = path.measured, edges(path)
        if found is None or path.span is None or path.quadratic.span is None:
            raise InputError("nothing was measured along this path: it is trusted at no strength but its own")
        good = inside(found.alphas, (low, high)) & np.isfinite(found.change)
        judges = np.zeros(0) if found.judges is None else found.judges
        used = judges > 0
        if found.validation is not None and found.validation_slope is not None:
            good &= np.isfinite(found.validation[:, used]).all(axis=1) & np.isfinite(found.validation_slope)
        if not good.any():
            raise InputError("no loss that was measured along this path is finite")
        lowest = float(found.alphas[good][0])
        if low == 0 and np.log(lowest) > path.quadratic.span[0] + ROUNDING:
            low = lowest  # directions below it are not at their limit yet
        return cls(found, good, used, (low, high))

    @property
    def places(self) -> Array:
        """Strengths that were measured, in log α."""
        return np.log(self.measured.alphas[self.good])

    @property
    def several(self) -> bool:
        return len(self.places) > 1

    @property
    def span(self) -> Span:
        return float(self.places[0]), float(self.places[-1])

    def pick(self, values: Array | None) -> Array:
        """Those of the strengths that are trusted."""
        assert values is not None
        return values[self.good]

    def judged(self, path: KrylovPath) -> tuple[Array, Array]:
        """Losses ``(a, v)`` and weights ``(v,)`` of the rows that judge."""
        if self.measured.validation is None or self.measured.judges is None:
            raise InputError("validation needs rows that were not trained on: give val_loader=")
        return self.pick(self.measured.validation)[:, self.used], self.measured.judges[self.used]

    def place(self, alphas: Array) -> tuple[Array, NDArray[np.bool_]]:
        """Strengths ``(m,)`` in log α, held inside what was measured, and whether they were inside."""
        with np.errstate(divide="ignore"):
            asked = np.log(alphas)
        held = np.clip(asked, self.places[0], self.places[-1])
        return held, np.abs(held - asked) <= ROUNDING

    def weights(self, place: Array, derivative: int = 0) -> Array:
        """What each strength counts for at others, ``(m, a)``: cubics with slopes from differences."""
        a = len(self.places)
        if a == 1:
            return np.full((len(place), 1), 0.0 if derivative else 1.0)
        unit = np.eye(a)
        spline = CubicHermiteSpline(self.places, unit, np.gradient(unit, self.places, axis=0))
        return np.asarray(spline(place, derivative))


def _interpolated(name: str, path: KrylovPath, along: _Along, values: Array) -> RiskCurve:
    known = along.pick(values)

    def evaluate(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        place, inside = along.place(alphas)
        return along.weights(place) @ known, inside * (along.weights(place, 1) @ known)

    return believed(name, path, evaluate, along.edges, along.span)


def _objective(path: KrylovPath, alphas: Array) -> tuple[Array, Array]:
    """``L̃(α)`` and ``α‖w̃‖²_D`` of the quadratic, ``(m,)``; at α = ∞ nothing is priced."""
    priced = np.where(np.isinf(alphas), 0.0, alphas) * path.norm(alphas) ** 2
    return path.train_loss(alphas) + 0.5 * priced, priced


def _evident(path: KrylovPath) -> tuple[float, float]:
    """Ends in log α of evidence: down to ``γ = α‖w̃‖²_D S/φ`` where every strength is trusted (M14)."""
    assert path.span is not None
    low, high = path.span
    start = np.exp([low])
    loss, priced = (float(part[0]) for part in _objective(path, start))
    counts = path.sample.weight_sum
    if not path.loss.known_dispersion:
        counts = 0.5 * (path.sample.observations - path.free_rank) / loss if loss > 0 else 0.0
    used = float(path.sums.shares(start).value[0])
    if path.trusted[0] == 0 and counts * priced > 0 and used > 0:
        low = min(low, low + float(np.log(used / (counts * priced))) - BELOW)
    return low, high


def predicted_slope(path: KrylovPath, alphas: Array) -> Array:
    """``dL/d log α = α² Σ c²/(λ+α)³`` with ``c/(λ+α)`` the coordinates of w̃, ``(m,)``."""
    values, numerators = path.spectrum.eigenvalues, path.spectrum.numerators[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        each = alphas[:, None] ** 2 * numerators**2 / (values + alphas[:, None]) ** 3
    return np.asarray(np.where(np.isfinite(each), each, 0.0).sum(axis=1))


def believed(
    name: str,
    path: KrylovPath,
    evaluate: Callable[[Array, bool], tuple[Array, Array]],
    limits: Edges,
    span: Span,
) -> RiskCurve:
    """A curve of strengths ``(m,)`` as one of ``(m, 1)`` that is NaN outside its edges."""

    def trusted(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        flat = alphas[:, 0]
        there = inside(flat, limits)
        found = np.full((2, len(flat)), np.nan)
        if there.any():
            found[:, there] = evaluate(np.clip(flat[there], *limits), slopes)
        return found[0][:, None], found[1][:, None]

    endless: NDArray[np.bool_] = np.zeros(1, dtype=bool)
    return RiskCurve(name, SHARE, trusted, span, 1, one_target=True, flat_limit=endless, edges=limits)
