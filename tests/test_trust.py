"""How far a quadratic holds, against a fine grid of true losses (M18)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from eigenshrink.curvature import MatrixCurvature
from eigenshrink.fit import Fit
from eigenshrink.path.measured import Measured, RowLosses
from eigenshrink.path.products import Effort, krylov_path
from eigenshrink.path.trust import FARTHEST, RISE, connected, measure_along
from krylov_problems import Counted

STEP = 10 ** (0.25 / 8)  # the last step, halved three times
START = np.array([1.0, -0.8, 0.5, 1.2])
H = np.diag([4.0, 1.0, 0.3, 0.05])


@dataclass
class Bent:
    """A quadratic with a cubic term around ``w₀``: rows differ by a constant, or by noise."""

    size: float
    alpha: float = 0.1
    spread: float = 0.0
    judges: int = 0
    passes: int = 0

    def loss(self, w):
        change = w - START
        return -self.alpha * START @ change + 0.5 * change @ H @ change + self.size * np.sum(change**3) / 6

    def train(self, w):
        self.passes += 1
        rng = np.random.default_rng(0)
        slopes = self.spread * rng.normal(size=50)
        return RowLosses(self.loss(w) + 3.0 + (slopes - slopes.mean()) * np.sum(w - START), np.ones(50))

    def validation(self, w):
        return RowLosses(np.array([self.loss(w), 2.0]), np.ones(2))

    def train_gradient(self, w):
        change = w - START
        return -self.alpha * START + H @ change + 0.5 * self.size * change**2

    def validation_gradient(self, w):
        return 0.5 * self.train_gradient(w)


def path(measure: Bent, whole: int = 100, tolerance: float = 0.2, curvature=None, **effort):
    fit = Fit(
        weights=START[:, None],
        gradient=-measure.alpha * START[:, None],
        alpha=measure.alpha,
        curvature=curvature or MatrixCurvature(H),
        penalty_factor=np.ones(4),
        active=np.ones(4, dtype=bool),
    )
    return krylov_path(fit, (), measure, measure.loss(START), Effort(whole=whole, **effort), tolerance)


@dataclass
class Believed:
    """The rule of M18 on a fine grid of places t outwards from ``α₀``, by formulas that are seen at once."""

    measure: Bent
    tolerance: float = 0.2

    def strength(self, t):
        """The strength for which the slope of ``L + α/2 ‖w‖²`` along the path is zero.

        What tells it from t by less than the rounding of L, 3 at ``w₀``, counts the less.
        """
        w, along = self.along(t)
        alpha, curved = -(self.measure.train_gradient(w) @ along) / (w @ along), -t * (w @ along)
        gain = 0.5 * curved * (alpha / t - 1) ** 2
        return t + (alpha - t) * gain / (gain + 1e-6 * (self.measure.loss(w) + 3.0))

    def along(self, t):
        inverse = 1 / (np.diag(H) + t)
        w = inverse * (H @ START + self.measure.alpha * START)
        return w, -t * inverse * w

    def holds(self, t):
        w, alpha = self.along(t)[0], self.strength(t)
        change = w - START
        predicted = -self.measure.alpha * START @ change + 0.5 * change @ H @ change
        loss, rest = self.measure.loss(w) + 3.0, self.measure.train_gradient(w) + alpha * w
        return (
            abs(self.measure.loss(w) - predicted) <= max(self.tolerance * abs(predicted), 1e-6 * 3.0)
            and 1 / 1.5 <= alpha / t <= 1.5
            and 0.5 * np.sum(rest**2 / (np.diag(H) + alpha)) <= 0.05 * loss
        )

    def end(self, direction, rise):
        """The last place on one side up to which log α rises so much for each log t."""
        t = start = self.measure.alpha or 1e-4
        while abs(np.log(t / start)) < 12:
            ahead = t * np.exp(direction * 0.002)
            risen = direction * np.log(self.strength(ahead) / self.strength(t)) / 0.002
            if not (risen >= rise and self.holds(ahead)):
                break
            t = ahead
        return t


def assert_believed(found, true: Believed) -> None:
    """The range ends less than the last halved step away from where it truly ends."""
    low, high = found.trusted
    sure, most = ([true.end(way, rise) for way in (-1, 1)] for rise in (RISE, 0.0))
    assert true.strength(most[0] / 1.01) <= low or low == 0.0
    assert low <= true.strength(sure[0] * STEP * 1.01)
    assert true.strength(sure[1] / STEP / 1.01) <= high
    assert high <= max(true.strength(most[1]), true.strength(most[1] * 1.01)) or np.isinf(high)
    assert (low == 0.0) == (most[0] < 1e-3)
    assert np.isinf(high) == (most[1] > 100)


@pytest.mark.parametrize("tolerance", [0.05, 0.2])
@pytest.mark.parametrize("size", [0.3, 1.0, -1.0])
@pytest.mark.parametrize("whole", [100, 0], ids=["whole", "products"])
def test_the_range_ends_where_the_true_change_leaves_the_predicted_one(size, tolerance, whole) -> None:
    assert_believed(path(Bent(size), whole, tolerance), Believed(Bent(size), tolerance))


def test_a_quadratic_is_trusted_everywhere() -> None:
    for alpha in (0.0, 0.1):
        assert path(Bent(0.0, alpha=alpha)).trusted == (0.0, np.inf)


def test_a_change_within_the_noise_of_the_rows_is_believed() -> None:
    sharp, noisy = (
        path(Bent(0.3), tolerance=0.05).trusted,
        path(Bent(0.3, spread=3.0), tolerance=0.05).trusted,
    )
    assert noisy[0] <= sharp[0]
    assert noisy[1] >= sharp[1]
    assert noisy[1] / max(noisy[0], 1e-12) > 2 * sharp[1] / max(sharp[0], 1e-12)


def test_strengths_are_measured_ascending_and_no_more_than_needed() -> None:
    measure = Bent(1.0)
    found = path(measure)
    passes, table = measure.passes, found.measured
    assert table is not None
    for ascending in (table.places, table.alphas):
        assert np.all(np.diff(ascending) > 0)
        assert np.any(np.isclose(ascending, measure.alpha, rtol=1e-12))
    assert passes <= len(table.places) + 2  # one at w₀, and the look at α₀
    np.testing.assert_allclose(table.predicted, found.predicted_change(table.alphas), rtol=1e-9, atol=1e-12)
    again = measure_along(found.uncalibrated)
    assert again is not None
    np.testing.assert_array_equal(again.bend, table.bend)


def test_rows_that_judge_are_measured_with_the_slope_of_their_loss() -> None:
    measure = Bent(0.0, judges=2)
    found = path(measure)
    table = found.measured
    assert table is not None
    assert table.validation is not None
    assert table.validation_slope is not None
    assert table.validation.shape == (len(table.alphas), 2)
    place = len(table.alphas) // 2
    at, nudge = table.places[place], 1e-4

    def judged(strength):
        return measure.validation(found.uncalibrated.weights(strength)).mean

    slope = (judged(at * np.exp(nudge)) - judged(at * np.exp(-nudge))) / (2 * nudge)
    assert table.validation_slope[place] == pytest.approx(slope, rel=1e-5)


def test_weights_that_are_not_accurate_are_not_measured() -> None:
    found = path(Bent(0.0), whole=0, products=2, curvature=Counted(H))
    low, high = found.trusted
    for end in (low, high):
        assert found.residual_bound(end) <= 1.0001e-2 * found.norm(end)
    assert found.residual_bound(0.5 * low) > 1e-2 * found.norm(0.5 * low)
    assert 0 < low <= 0.1 * 1.0001


def test_without_losses_every_strength_with_a_solution_is_taken() -> None:
    assert path(Bent(0.0)).trusted == (0.0, np.inf)
    bare = krylov_path(path(Bent(0.0)).fit)
    assert bare.trusted == (0.0, np.inf)
    indefinite = MatrixCurvature(np.diag([4.0, 1.0, 0.3, -0.05]))
    low, high = path(Bent(0.0), curvature=indefinite).trusted
    assert low >= 0.05
    assert high >= 0.1
    assert FARTHEST > 1


# --- losses that are no good ----------------------------------------------------------------------------


@dataclass
class Signed(Bent):
    """Its rows are above and below zero, as those of a density, and L is zero at ``w₀``."""

    def train(self, w):
        return RowLosses(self.loss(w) + 3.0 * np.array([1, -1] * 25), np.ones(50))


def test_a_loss_that_crosses_zero_is_compared_with_its_rows() -> None:
    crossing = path(Signed(0.3))
    assert crossing.measured.change.min() < 0 < crossing.measured.change.max()
    assert crossing.trusted == pytest.approx(path(Bent(0.3)).trusted, rel=1e-3)


@dataclass
class Broken(Bent):
    """Beyond a length of the weights its loss or its gradient is no number."""

    bad: float = np.nan
    where: str = "loss"
    longest: float = 1.3 * float(np.linalg.norm(START))

    def spoilt(self, w, where):
        return self.where == where and np.linalg.norm(w) > self.longest

    def train(self, w):
        found = super().train(w)
        return RowLosses(np.full(50, self.bad), np.ones(50)) if self.spoilt(w, "loss") else found

    def train_gradient(self, w):
        return super().train_gradient(w) * (self.bad if self.spoilt(w, "gradient") else 1.0)

    def validation_gradient(self, w):
        return self.train_gradient(w)


@pytest.mark.parametrize("where", ["loss", "gradient"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("whole", [100, 0], ids=["whole", "products"])
def test_nothing_is_trusted_beyond_a_loss_that_is_no_number(bad, where, whole) -> None:
    measure = Broken(0.0, bad=bad, where=where, judges=2)
    found = path(measure, whole)
    low, high = found.trusted
    assert np.isinf(high)
    assert measure.longest / 1.05 <= np.linalg.norm(found.weights(low)) <= measure.longest
    assert np.isfinite(found.weights(0.5 * low)).all()


@dataclass
class Turned(Bent):
    """Its gradient says the opposite of its loss, or nothing, wherever it is asked for."""

    sign: float = -1.0

    def train_gradient(self, w):
        return self.sign * super().train_gradient(w)


@pytest.mark.parametrize("sign", [-1.0, np.nan, np.inf, 4.0])
def test_where_no_place_holds_only_that_of_the_training_is_left(sign) -> None:
    found = path(Turned(0.0, sign=sign))
    assert found.trusted == (0.1, 0.1)
    assert found.span is None
    assert len(found.measured.places) == 1
    assert found.calibration.trivial
    np.testing.assert_array_equal(found.measured.alphas, found.measured.places)
    np.testing.assert_allclose(found.weights(0.1), START)
    assert found.local(0.3) is found.quadratic


@pytest.mark.parametrize("size", [0.3, -0.3])
def test_without_a_penalty_in_the_training_it_is_trusted_from_zero(size) -> None:
    found = path(Bent(size, alpha=0.0))
    assert found.trusted[0] == 0.0
    assert_believed(found, Believed(Bent(size, alpha=0.0)))
    np.testing.assert_allclose(found.weights(0.0), START, atol=1e-12)
    assert float(found.calibration.bend(1e-9)) == pytest.approx(1.0, abs=1e-3)


def test_a_place_that_holds_beyond_one_that_does_not_is_not_trusted() -> None:
    alphas = np.array([0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64])
    bend = np.array([1.0, 1.0, 1.6, 1.0, 1.0, 0.55, 0.9])
    made = Measured(alphas, alphas, alphas, 0 * alphas, alphas, bend, 0 * alphas)
    assert list(connected(made, np.log(0.08), 0.2)) == [3, 4]
    falling = replace(made, bend=np.array([1.0, 1.0, 1.0, 1.0, 1.4, 0.8, 0.9]))
    assert list(connected(falling, np.log(0.08), 0.2)) == [0, 1, 2, 3, 4]  # 0.224, then 0.256: hardly more
    for wrong in (np.nan, -1.0, 0.0, np.inf):
        hole = replace(made, bend=np.array([1.0, 1.0, 1.0, wrong, 1.0, 1.0, 1.0]))
        assert list(connected(hole, np.log(0.16), 0.2)) == [4, 5, 6]
        assert list(connected(hole, np.log(0.08), 0.2)) == []
    for given in ({"left": 0.051 + 0 * alphas}, {"change": 1.21 * alphas}, {"change": np.nan * alphas}):
        assert list(connected(replace(made, **given), np.log(0.08), 0.2)) == []
