"""Each check of a trained network where it passes and where it warns (M3, M7, M11, M18, M19)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eigenshrink.audit import CHECKS, Examined, examine
from eigenshrink.audit.network import (
    flat_directions,
    groups_of_decay,
    negative_curvature,
    scale_invariance,
    smallest_eigenvalue,
    stationarity,
    symmetry,
    unit_of_decay,
)
from eigenshrink.audit.trust import accuracy, counted_parameters, optimum_in_sight, sharp_optimum, trusted
from eigenshrink.choice import choose, given
from eigenshrink.curvature import MatrixCurvature
from eigenshrink.path import Layer, RowLosses, TrainingNotes
from eigenshrink.risk.curves import Curves
from eigenshrink.spectrum.sums import Estimate
from posed_networks import LAYERS, WEIGHTS, Model, network
from test_krylov_choice import judged_by, narrow, unknown_scale, unsettled

NAMES = tuple(f"w{j}" for j in range(WEIGHTS))


def examined(path, alpha=None):
    curves = Curves(path, {}, lambda: np.array([path.fit.alpha]))
    choice = choose(path, curves) if alpha is None else given(alpha, 1, True)
    return Examined(path, curves, choice, NAMES)


def notes(path, **known):
    return examined(replace(path, notes=TrainingNotes(**known)), path.fit.alpha)


def test_a_network_is_asked_what_a_network_can_answer():
    audit = examine(examined(network(Model(seed=5))))
    assert audit.ok
    assert len(audit) == 13
    assert len({finding.check for finding in audit}) == 13
    assert {finding.verdict for finding in audit} == {"pass"}
    for finding in audit:
        assert finding.meaning.endswith(".")
        assert (finding.advice != "") == (finding.verdict != "pass")
    assert len(CHECKS) > 30


# --- where the training stopped -----------------------------------------------------------------------


def test_a_gradient_is_measured_by_its_sampling_noise():
    path = network(Model(), moved=0.05)
    size = np.linalg.norm(path.fit.gradient[:, 0] + 0.1 * path.fit.weights[:, 0])
    quiet = stationarity(notes(path, gradient_noise=2 * size))
    loud = stationarity(notes(path, gradient_noise=size / 3))
    assert (quiet.verdict, quiet.value) == ("pass", pytest.approx(0.5))
    assert (loud.verdict, loud.value) == ("warn", pytest.approx(3.0))
    assert "Train on" in loud.advice


@pytest.mark.parametrize(("moved", "verdict"), [(0.0, "pass"), (0.005, "pass"), (0.5, "warn")])
def test_without_that_noise_it_is_measured_by_the_step_to_the_minimum(moved, verdict):
    path = network(Model(), moved=moved)
    found = stationarity(examined(path, 0.1))
    w = path.fit.weights[:, 0]
    away = np.linalg.norm(network(Model()).fit.weights[:, 0] - w) / np.linalg.norm(w)
    assert found.value == pytest.approx(away, abs=1e-12)
    assert found.verdict == verdict


def test_nothing_is_asked_of_a_gradient_without_decay_or_with_adamw():
    without = stationarity(examined(network(Model(), alpha=0.0), 0.1))
    adamw = stationarity(notes(network(Model(), moved=1.0), decay_kind="adamw"))
    assert (without.verdict, adamw.verdict) == ("pass", "pass")
    assert np.isnan([without.value, adamw.value]).all()


# --- curvature ----------------------------------------------------------------------------------------


def shifted(shift, alpha=0.1):
    model = Model()
    H = model.X.T @ model.X / len(model.X)
    return network(model, alpha=alpha, hessian=H - shift * np.eye(WEIGHTS)), np.linalg.eigvalsh(H) - shift


def test_negative_curvature_has_a_smallest_strength():
    path, values = shifted(0.05)
    found = smallest_eigenvalue(examined(path, 0.1))
    assert (found.verdict, found.value) == ("warn", pytest.approx(values[0]))
    assert f"{-values[0]:.3f}"[:5] in found.meaning
    assert "ggn" in found.advice
    assert smallest_eigenvalue(examined(path, 0.9 * path.least)).verdict == "fail"
    path, values = shifted(0.0)
    found = smallest_eigenvalue(examined(path, 0.1))
    assert (found.verdict, found.value) == ("pass", pytest.approx(values[0]))


def test_negative_mass_is_a_share_of_all_curvature():
    path, values = shifted(0.05)
    found = negative_curvature(examined(path, 0.1))
    share = -values[values < 0].sum() / np.abs(values).sum()
    assert (found.verdict, found.value) == ("warn", pytest.approx(share))
    assert negative_curvature(examined(shifted(0.0)[0], 0.1)).value == 0.0


class Noisy(MatrixCurvature):
    noise = 0.0


def with_noise(noise, shape=None):
    path = network(Model())
    curvature = Noisy(path.fit.curvature.dense)
    curvature.noise = noise
    return examined(replace(path, fit=replace(path.fit, curvature=curvature)), 0.1)


def test_products_that_are_not_symmetric_are_warned_of():
    assert symmetry(with_noise(1e-6)).verdict == "pass"
    assert symmetry(with_noise(0.02)).verdict == "warn"
    assert "symmetry of products" in {finding.check for finding in examine(with_noise(1e-6))}
    assert "symmetry of products" not in {finding.check for finding in examine(examined(network(Model())))}


def test_weights_in_flat_directions_are_their_share():
    model = Model()
    model.X[:, [1, 5]] = 0.0
    path = network(model)
    w = path.fit.weights.copy()
    w[[1, 5]] = 0.7
    flat = replace(path.fit, weights=w)
    from eigenshrink.path.products import krylov_path

    found = flat_directions(examined(krylov_path(flat, LAYERS, model, path.start_loss), 0.1))
    assert found.value == pytest.approx(2 * 0.49 / np.sum(w**2))
    assert found.verdict == "warn"
    assert flat_directions(examined(network(Model()), 0.1)).value == pytest.approx(0.0, abs=1e-12)


class Normalised(Model):
    """The first layer is divided by its length, as before a normalisation."""

    def _losses(self, X, y, weights, w):
        return super()._losses(X, y, weights, self._used(w))

    def _used(self, w):
        return np.concatenate([w[:4] / np.linalg.norm(w[:4]), w[4:]])

    def _gradient(self, X, y, weights, w):
        g, length = super()._gradient(X, y, weights, self._used(w)), np.linalg.norm(w[:4])
        unit = w[:4] / length
        return np.concatenate([(g[:4] - unit * (unit @ g[:4])) / length, g[4:]])

    def fitted(self, alpha, factor):
        return 0.5 + np.random.default_rng(3).normal(size=WEIGHTS)


def test_a_layer_before_a_normalisation_has_no_scale():
    path = network(Normalised(), measured=True)
    w = path.fit.weights[:, 0]
    found = scale_invariance(examined(path, 0.1))
    assert found.verdict == "warn"
    assert "'first'" in found.meaning
    assert "'head'" not in found.meaning
    assert found.value == pytest.approx(np.sum(w[:4] ** 2) / np.sum(w**2))
    batch = scale_invariance(notes(network(Model()), scaleless=("head",)))
    assert batch.verdict == "warn"
    assert "'head'" in batch.meaning
    free = network(Normalised(), factor=np.array([0.0] * 4 + [1.0] * 5))
    assert scale_invariance(examined(free, 0.1)).verdict == "pass"


def test_a_gradient_that_happens_to_be_square_to_the_weights_is_no_such_layer():
    path = network(Model())
    w, g = path.fit.weights[:, 0], np.random.default_rng(0).normal(size=WEIGHTS)
    for layer in path.layers:
        here = layer.places
        g[here] -= w[here] * (w[here] @ g[here]) / (w[here] @ w[here])
    square = replace(path, fit=replace(path.fit, gradient=g[:, None]))
    assert scale_invariance(examined(square, 0.1)).verdict == "pass"
    unseen = scale_invariance(examined(replace(square, measure=None), 0.1))
    assert "not at hand" in unseen.meaning


# --- decay --------------------------------------------------------------------------------------------


def test_adamw_has_no_unit():
    path = network(Model())
    adamw = unit_of_decay(notes(path, decay_kind="adamw", optimiser="AdamW"))
    assert adamw.verdict == "warn"
    assert "no recommendation can be made in its unit" in adamw.meaning
    plain = unit_of_decay(notes(path, optimiser="SGD"))
    assert (plain.verdict, plain.meaning) == ("pass", "weight_decay of SGD is α itself.")
    apart = unit_of_decay(notes(path, decay_kind="decoupled", optimiser="SGDW", unit_factor=10.0))
    assert apart.meaning == "weight_decay of SGDW, decoupled from the gradient, is 10 times α."


def test_groups_are_said():
    path = network(Model(), factor=np.array([1.0, 1, 1, 1, 0.1, 0.1, 0.1, 0, 0]))
    assert "2 groups have a decay of their own" in groups_of_decay(examined(path, 0.1)).meaning
    assert "2 of 9 weights are not penalised." in groups_of_decay(examined(path, 0.1)).meaning
    said = notes(path, excluded=("head.bias",), frozen=("a", "b"), unused=("c",), remarks=("tied once",))
    meaning = groups_of_decay(said).meaning
    assert "'head.bias' is not penalised." in meaning
    assert "'a', 'b' are frozen and left out." in meaning
    assert "'c' is without influence on the loss and left out." in meaning
    assert meaning.endswith("Tied once.")
    assert groups_of_decay(examined(network(Model()), 0.1)).meaning == "Every parameter is penalised alike."


# --- how far the path holds ---------------------------------------------------------------------------


def test_the_trusted_range_has_two_factors():
    path = narrow()
    low, high = path.trusted
    found = trusted(examined(path, 0.012))
    assert found.verdict == "pass"
    assert found.value == pytest.approx(min(0.01 / low, high / 0.01))
    assert "extrapolation" not in found.meaning
    assert "extrapolation" in trusted(examined(path, 0.008)).meaning
    outside = trusted(examined(path, 2 * high))
    assert outside.verdict == "fail"
    assert "is outside" in outside.meaning


def test_a_narrow_range_is_warned_of():
    path = narrow()
    known = replace(path.measured, noise=np.zeros_like(path.measured.noise))
    path = replace(path, measure=None, measured=known)
    low, high = path.trusted
    assert min(0.01 / low, high / 0.01) < 2
    assert trusted(examined(path, 0.01)).verdict == "warn"


def test_a_path_that_holds_nowhere_is_warned_of():
    path = unsettled()
    assert trusted(examined(path, path.fit.alpha)).verdict == "warn"
    assert trusted(examined(path, 0.2)).verdict == "fail"
    assert "At no strength but α = 0.1, that of the training" in trusted(examined(path, 0.2)).meaning
    assert "en.tune does" in trusted(examined(path, 0.2)).advice
    assert trusted(examined(network(Model(), measured=False), 0.1)).verdict == "warn"


def test_all_strengths_may_be_trusted():
    found = trusted(examined(network(Model()), 0.1))
    assert (found.verdict, found.value) == ("pass", np.inf)


def test_the_error_of_the_weights_is_relative_to_their_length():
    path = network(Model())
    assert accuracy(examined(path, 0.1)).value < 1e-12
    size = path.norm(0.1)
    blurred = replace(path, bound=lambda alphas: np.full(len(alphas), 0.05 * size))
    rough = accuracy(examined(blurred, 0.1))
    assert (rough.verdict, rough.value) == ("warn", pytest.approx(0.05))
    assert accuracy(examined(path, np.inf)).value == 0.0


class Blurred:
    """Sums with an interval."""

    negative, products = 0.0, 10

    def shares(self, alphas):
        value = np.full(len(alphas), 4.0)
        return Estimate(value, 0.3 * value, value - 1.0, value + 1.0)


def test_effective_parameters_carry_their_interval():
    assert counted_parameters(examined(network(Model()), 0.1)).value == 0.0
    path = network(Model(), factor=np.array([1.0] * 8 + [0.0]))
    found = counted_parameters(examined(replace(path, make_sums=Blurred), 0.1))
    assert (found.verdict, found.value) == ("warn", pytest.approx(1.0 / 5.0))
    assert "Between 4 and 6 parameters" in found.meaning


# --- the optimum --------------------------------------------------------------------------------------


def test_an_optimum_at_the_end_of_what_is_seen_is_warned_of():
    strong, weak = (optimum_in_sight(examined(judged_by(narrow(), at))) for at in (1e3, 1e-6))
    assert (strong.verdict, weak.verdict) == ("warn", "warn")
    assert "lies there or above" in strong.meaning
    assert "lies there or below" in weak.meaning
    assert optimum_in_sight(examined(judged_by(narrow(), 0.012))).verdict == "pass"
    assert optimum_in_sight(examined(narrow(), 0.01)).verdict == "pass"
    silent = optimum_in_sight(examined(unknown_scale()))
    assert silent.verdict == "warn"
    assert "the model cannot tell from here" in silent.meaning


def test_limits_that_are_best_are_said():
    nothing = optimum_in_sight(examined(network(Model())))
    assert (nothing.verdict, nothing.meaning[:18]) == ("warn", "Validation takes α")
    fine = optimum_in_sight(examined(network(Model(seed=4))))
    assert (fine.verdict, fine.meaning) == ("pass", "α = 0 is best: decay does not help.")


def test_a_flat_optimum_covers_the_trusted_range():
    flat = sharp_optimum(examined(judged_by(narrow(), 0.01, noise=1.0)))
    assert (flat.verdict, flat.value) == ("warn", 1.0)
    assert "the model cannot tell from here" in flat.meaning
    path = judged_by(narrow(), 0.01)
    sharp = sharp_optimum(examined(path))
    assert sharp.verdict == "pass"
    assert 0 <= sharp.value < 0.05
    assert sharp_optimum(examined(path, 0.01)).meaning.startswith("There is no interval")


def test_layers_and_losses_of_these_tests_are_what_they_seem():
    assert LAYERS[0] == Layer("first", 0, 4, "Linear")
    assert RowLosses(np.array([1.0, 3.0]), np.array([3.0, 1.0])).mean == 1.5
