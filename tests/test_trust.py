"""How far a quadratic holds, against a fine grid of true losses (M18)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from eigenshrink.curvature import MatrixCurvature
from eigenshrink.fit import Fit
from eigenshrink.path.measured import RowLosses
from eigenshrink.path.products import Effort, krylov_path
from eigenshrink.path.trust import FARTHEST, measure_along
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
        raise AssertionError("not asked for")

    def validation_gradient(self, w):
        change = w - START
        return 0.5 * (-self.alpha * START + H @ change + 0.5 * self.size * change**2)


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


def believed(measure: Bent, tolerance: float = 0.2):
    """The range by a fine grid outwards from ``α₀``."""
    ends = []
    for direction in (-1, 1):
        place = np.log(measure.alpha)
        while abs(place - np.log(measure.alpha)) < 12:
            alpha = np.exp(place + direction * 0.002)
            w = np.linalg.solve(H + alpha * np.eye(4), H @ START + measure.alpha * START)
            change = w - START
            predicted = -measure.alpha * START @ change + 0.5 * change @ H @ change
            if abs(measure.loss(w) - predicted) > tolerance * abs(predicted):
                break
            place += direction * 0.002
        ends.append(np.exp(place))
    return ends


@pytest.mark.parametrize("tolerance", [0.05, 0.2])
@pytest.mark.parametrize("size", [0.3, 1.0, -1.0])
@pytest.mark.parametrize("whole", [100, 0], ids=["whole", "products"])
def test_the_range_ends_where_the_true_change_leaves_the_predicted_one(size, tolerance, whole) -> None:
    found = path(Bent(size), whole, tolerance)
    low, high = found.trusted
    true = believed(Bent(size), tolerance)
    assert true[0] / 1.01 <= low <= true[0] * STEP * 1.01 or (low == 0.0 and true[0] < 1e-3)
    assert true[1] / STEP / 1.01 <= high <= true[1] * 1.01 or (np.isinf(high) and true[1] > 100)


def test_a_quadratic_is_trusted_everywhere() -> None:
    assert path(Bent(0.0)).trusted == (0.0, np.inf)


def test_a_change_within_the_noise_of_the_rows_is_believed() -> None:
    sharp, noisy = path(Bent(1.0)).trusted, path(Bent(1.0, spread=3.0)).trusted
    assert noisy[0] <= sharp[0]
    assert noisy[1] >= sharp[1]
    assert noisy[1] / max(noisy[0], 1e-12) > 2 * sharp[1] / max(sharp[0], 1e-12)


def test_strengths_are_measured_ascending_and_no_more_than_needed() -> None:
    measure = Bent(1.0)
    found = path(measure)
    table = measure_along(found)
    assert table is not None
    assert np.all(np.diff(table.alphas) > 0)
    assert measure.passes <= len(table.alphas) + 2  # one at w₀, and the look at α₀
    assert np.any(np.isclose(table.alphas, measure.alpha))
    np.testing.assert_allclose(table.predicted, found.predicted_change(table.alphas))


def test_rows_that_judge_are_measured_with_the_slope_of_their_loss() -> None:
    measure = Bent(0.0, judges=2)
    found = path(measure)
    table = found.measured
    assert table is not None
    assert table.validation is not None
    assert table.validation_slope is not None
    assert table.validation.shape == (len(table.alphas), 2)
    place = len(table.alphas) // 2
    alpha, nudge = table.alphas[place], 1e-4

    def judged(strength):
        return measure.validation(found.weights(strength)).mean

    slope = (judged(alpha * np.exp(nudge)) - judged(alpha * np.exp(-nudge))) / (2 * nudge)
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
