"""Evidence, validation and training loss along the path of a network, against slow sums (M14, M15, M18)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import eigenshrink as es
from eigenshrink import inference
from eigenshrink.errors import InputError
from eigenshrink.facts import Facts
from eigenshrink.path import Measured
from eigenshrink.risk import RISKS
from posed_networks import WEIGHTS, Model, network, slope

FREE = np.array([1.0, 1, 0, 1, 2, 1, 1, 0.5, 1])
ALPHAS = np.array([3e-3, 0.02, 0.1, 0.3, 1.7])


def narrow():
    """A logistic regression whose path is trusted at a part of all strengths only."""
    path = network(steep(), alpha=0.01, tolerance=0.02)
    low, high = path.trusted
    assert 0 < low < 0.01 < high < 0.1
    return path


def steep():
    return Model(logistic=True, spread=10.0, rows=200)


# --- evidence -----------------------------------------------------------------------------------------


def by_hand(path, alpha):
    """Evidence of the quadratic from determinants and one solve, at the place of a strength."""
    alpha = float(path.place(alpha))
    fit, d = path.fit, path.fit.penalty_factor
    H, w, g = fit.curvature.dense, fit.weights[:, 0], fit.gradient[:, 0]
    A = H + alpha * np.diag(d)
    step = -np.linalg.solve(A, g + alpha * d * w)
    loss = path.start_loss + g @ step + 0.5 * step @ H @ step + 0.5 * alpha * d @ (w + step) ** 2
    bent = 0.5 * np.linalg.slogdet(A)[1] - 0.5 * np.sum(d > 0) * np.log(alpha)
    if path.loss.known_dispersion:
        return path.sample.weight_sum * loss + bent
    return 0.5 * (path.sample.observations - np.sum(d == 0)) * np.log(loss) + bent


@pytest.mark.parametrize("logistic", [False, True])
@pytest.mark.parametrize("factor", [None, FREE])
def test_evidence_is_that_of_determinants_up_to_a_constant(logistic, factor):
    path = network(Model(logistic), factor=factor, moved=0.05)
    alphas = ALPHAS[(path.trusted[0] < ALPHAS) & (path.trusted[1] > ALPHAS)]
    assert len(alphas) > 2
    curve = RISKS["evidence"](path)
    apart = curve(alphas) - [by_hand(path, alpha) for alpha in alphas]
    np.testing.assert_allclose(apart, apart[0], atol=1e-10)
    for alpha in alphas:
        assert curve.derivative(alpha) == pytest.approx(slope(curve, alpha), rel=1e-6, abs=1e-8)


def test_evidence_is_that_of_the_table():
    model = Model()
    study = es.study(model.X, model.y, fit_intercept=False, penalty_factor=FREE)
    curve, table = RISKS["evidence"](network(model, factor=FREE, moved=0.3)), study.risk["evidence"]
    apart = curve(ALPHAS) - table(ALPHAS)
    np.testing.assert_allclose(apart, apart[0], atol=1e-9)
    assert curve.minimum.alpha == pytest.approx(table.minimum.alpha, rel=1e-6)
    np.testing.assert_allclose(curve.interval, table.interval, rtol=1e-2)
    assert curve.unit == table.unit


def test_evidence_of_squared_error_knows_no_scale_of_the_loss():
    """MSELoss is twice the house loss, and its weight_decay twice α."""
    model = Model()
    house = network(model, alpha=0.1)
    twice = replace(
        house.fit,
        gradient=2 * house.fit.gradient,
        alpha=0.2,
        curvature=type(house.fit.curvature)(2 * house.fit.curvature.dense),
        sample=replace(house.sample, weight_sum=house.sample.weight_sum / 2),
    )
    from eigenshrink.path.products import krylov_path

    torch = krylov_path(twice, house.layers, None, 2 * house.start_loss)
    ours, theirs = RISKS["evidence"](house).minimum, RISKS["evidence"](torch).minimum
    assert theirs.alpha == pytest.approx(2 * ours.alpha, rel=1e-6)
    assert inference.dispersion(torch, 0.2) == pytest.approx(inference.dispersion(house, 0.1))


def test_evidence_moves_its_mean():
    """Frozen at w₀ it would choose another strength (MATHS, research 1)."""
    path = network(Model(rows=20, noise=2.0), alpha=1e-3)
    curve = RISKS["evidence"](path)
    values = np.maximum(path.spectrum.eigenvalues, 0)
    w = path.fit.weights[:, 0]
    grid = np.exp(np.linspace(np.log(1e-4), np.log(30), 400))
    loss = path.start_loss + 0.5 * grid * (w @ w)
    frozen = 0.5 * (20 * np.log(loss) + np.log1p(values / grid[:, None]).sum(axis=1))
    assert curve.minimum.alpha > 1.3 * grid[np.argmin(frozen)]


def test_strong_evidence_for_weak_decay_is_found_far_below_the_eigenvalues():
    path = network(Model(rows=200, noise=1e-3), alpha=1e-6)
    curve = RISKS["evidence"](path)
    assert curve.minimum.alpha < np.exp(path.span[0])
    assert curve.minimum.boundary == "none"
    assert abs(curve.derivative(curve.minimum.alpha)) < 1e-5


@pytest.mark.parametrize("why", ["scale", "negative", "nowhere"])
def test_evidence_is_refused_where_it_means_nothing(why):
    model = Model()
    H = model.X.T @ model.X / len(model.X)
    path = {
        "scale": lambda: network(model, sample={"weight_sum": np.nan}),
        "negative": lambda: network(model, hessian=H - 0.05 * np.eye(WEIGHTS)),
        "nowhere": lambda: network(model, factor=np.zeros(WEIGHTS)),
    }[why]()
    assert "evidence" not in path.available_risks
    with pytest.raises(InputError, match="evidence needs a loss of known scale"):
        RISKS["evidence"](path)


# --- what is not trusted is not believed ---------------------------------------------------------------


@pytest.mark.parametrize("name", ["evidence", "validation", "train", "misclassified"])
def test_nothing_is_said_outside_the_trusted_range(name):
    path = narrow()
    curve, (low, high) = RISKS[name](path), path.trusted
    inside = curve(np.array([low, np.sqrt(low * high), high]))
    assert np.isfinite(inside).all()
    assert np.isnan(curve(np.array([0.0, low / 1.01, high * 1.01, np.inf]))).all()
    assert low * (1 - 1e-9) <= curve.minimum.alpha <= high * (1 + 1e-9)
    if curve.has_interval:
        assert low * (1 - 1e-9) <= curve.interval[0] <= curve.interval[1] <= high * (1 + 1e-9)


def test_an_optimum_at_an_end_of_the_trusted_range_is_named_so():
    path = narrow()
    ends = RISKS["train"](path).minimum
    assert ends.boundary == "trusted"
    assert ends.alpha == pytest.approx(path.trusted[0])


def test_both_limits_are_legal_where_all_strengths_are_trusted():
    path = network(Model(noise=1e-9))
    assert path.trusted == (0.0, np.inf)
    assert RISKS["validation"](path).minimum.boundary in ("zero", "none")
    noisy = RISKS["validation"](network(Model()))
    assert noisy.minimum.boundary == "infinite"
    assert np.isinf(noisy.minimum.alpha)


# --- measured curves ----------------------------------------------------------------------------------


@pytest.mark.parametrize("logistic", [False, True])
def test_validation_is_the_true_loss_of_the_weights_of_the_path(logistic):
    model = Model(logistic)
    path = network(model, moved=0.02)
    curve, found = RISKS["validation"](path), path.measured
    assert curve.unit == path.loss.unit
    good = found.alphas[(found.alphas >= path.trusted[0]) & (found.alphas <= path.trusted[1])]
    true = [model.validation(path.weights(alpha)).mean for alpha in good]
    np.testing.assert_allclose(curve(good), true, rtol=1e-12)
    between = np.sqrt(good[1:] * good[:-1])
    true = [model.validation(path.weights(alpha)).mean for alpha in between]
    np.testing.assert_allclose(curve(between), true, rtol=2e-4)
    for alpha in between[::3]:
        assert curve.derivative(alpha) == pytest.approx(slope(curve, alpha), rel=1e-4, abs=1e-9)


def test_bands_are_paired_differences_of_rows():
    model = Model(judges=30, seed=1)
    model.v = np.random.default_rng(2).uniform(0.5, 2.0, 30)
    path = network(model)
    found = path.measured
    curve = RISKS["validation"](path)
    best = curve.minimum.alpha
    assert curve.minimum.boundary == "none"
    for alpha in found.alphas[::4]:
        share = model.v / model.v.sum()
        apart = share * (
            model.validation(path.weights(alpha)).values - model.validation(path.weights(best)).values
        )
        error = np.sqrt(30 / 29 * np.sum((apart - apart.mean()) ** 2))
        assert curve.standard_error(alpha) == pytest.approx(error, rel=0.02, abs=1e-6)
    low, high = curve.interval
    assert low < best < high
    assert curve.optimism >= 0


def test_rows_add_up_to_the_curve_everywhere():
    curve = RISKS["validation"](narrow())
    low, high = curve.edges
    alphas = np.linspace(low, high, 7)[:, None]
    pieces = list(curve.units(np.array([low]), alphas))
    total = sum(part.sum(axis=0) for _, _, rest in pieces for part in rest)
    np.testing.assert_allclose(total, curve(alphas[:, 0]), rtol=1e-12)


def test_rows_without_weight_do_not_judge():
    full, part = Model(judges=40), Model(judges=40)
    full.v[25:] = 0.0
    part.Z, part.z, part.v, part.judges = part.Z[:25], part.z[:25], part.v[:25], 25
    ours, theirs = (RISKS["validation"](network(model)) for model in (full, part))
    assert ours.minimum.alpha == theirs.minimum.alpha
    assert ours.interval == pytest.approx(theirs.interval)


def test_the_training_loss_is_the_true_one():
    path, model = replace(narrow(), tolerance=0.1), steep()
    curve, (low, high) = RISKS["train"](path), path.trusted
    alphas = np.exp(np.linspace(np.log(low), np.log(high), 12))
    true = np.array([model.train(path.weights(alpha)).mean for alpha in alphas])
    np.testing.assert_allclose(curve(alphas), true, rtol=2e-3)
    assert np.abs(path.train_loss(alphas) - true).max() > 10 * np.abs(curve(alphas) - true).max()
    for alpha in alphas[1:-1:3]:
        assert curve.derivative(alpha) == pytest.approx(slope(curve, alpha), rel=1e-3, abs=1e-8)


def test_the_training_loss_of_a_path_that_cannot_be_measured_is_predicted():
    path = network(Model(), measured=False)
    curve = RISKS["train"](path)
    np.testing.assert_allclose(curve(ALPHAS), path.train_loss(ALPHAS), rtol=1e-14)
    assert curve.derivative(0.1) == pytest.approx(slope(curve, 0.1), rel=1e-6)
    assert "validation" not in path.available_risks


def test_wrong_rows_are_counted():
    model = Model(logistic=True, judges=200)
    path = network(model)
    curve, found = RISKS["misclassified"](path), path.measured
    good = found.alphas[(found.alphas >= path.trusted[0]) & (found.alphas <= path.trusted[1])]
    true = [model.validation(path.weights(alpha)).wrong.mean() for alpha in good]
    np.testing.assert_allclose(curve(good), true, rtol=1e-12)
    assert curve.unit == "share of rows"
    with pytest.raises(InputError, match="misclassified needs classes"):
        RISKS["misclassified"](network(Model()))


def test_losses_that_are_not_finite_are_not_used():
    path = network(Model())
    found = path.measured
    spoiled = found.validation.copy()
    spoiled[3] = np.nan
    spoiled[5, 0] = np.inf
    known = Measured(**{**vars(found), "validation": spoiled})
    curve = RISKS["validation"](replace(path, measure=None, measured=known))
    assert np.isfinite(curve(found.alphas)).all()
    nothing = Measured(**{**vars(found), "validation": np.full_like(found.validation, np.nan)})
    with pytest.raises(InputError, match="no loss that was measured along this path is finite"):
        RISKS["validation"](replace(path, measure=None, measured=nothing))


def test_one_finite_strength_is_a_constant():
    path = network(Model())
    found = path.measured
    spoiled = np.full_like(found.validation, np.inf)
    spoiled[4] = found.validation[4]
    curve = RISKS["validation"](
        replace(path, measure=None, measured=Measured(**{**vars(found), "validation": spoiled}))
    )
    assert curve(0.1) == pytest.approx(found.validation[4].mean())
    assert curve.derivative(0.1) == 0


@pytest.mark.parametrize("name", ["kfold", "combined", "cp", "leave_group_out", "optimism"])
def test_criteria_of_rows_are_refused_in_words(name):
    with pytest.raises(InputError, match="a network has no rows that could be left out"):
        RISKS[name](network(Model()))


def test_validation_says_what_it_needs():
    with pytest.raises(InputError, match="give val_loader="):
        RISKS["validation"](network(Model(judges=0)))


# --- facts and scatter --------------------------------------------------------------------------------


def test_dispersion_and_freedom():
    model = Model()
    path = network(model, alpha=0.3)
    w, n = path.weights(0.3), len(model.X)
    left = n - path.effective_parameters(0.3)
    assert inference.residual_df(path, 0.3) == pytest.approx(left)
    assert inference.dispersion(path, 0.3) == pytest.approx(np.sum((model.y - model.X @ w) ** 2) / left)
    assert inference.dispersion(path, per_target=[0.3]) == inference.dispersion(path, 0.3)
    assert inference.dispersion(network(Model(logistic=True)), 0.3) == 1.0
    assert np.isnan(inference.dispersion(network(Model(), sample={"observations": 3.0}), 1e-3))


def test_no_weight_of_a_network_has_an_error_of_its_own():
    path = network(Model())
    for refused in (
        lambda: inference.covariance(path, 0.1),
        lambda: inference.standard_errors(path, 0.1),
        lambda: inference.prediction_std(path, np.zeros((1, WEIGHTS)), 0.1),
        lambda: inference.kept_per_column(path, 0.1),
    ):
        with pytest.raises(InputError, match=r"a network has no .*: many different weights predict alike"):
            refused()


def test_facts_of_a_network():
    path = network(Model(rows=60, judges=40), factor=FREE)
    facts = Facts.of(path, one_target=True, standardize=False, penalty_factor=True)
    assert (facts.rows, facts.columns, facts.targets, facts.free_rank) == (60, WEIGHTS, 1, 1)
    assert (facts.held_out, facts.held_out_source) == (40, "given")
    saved = replace(path, measure=None, measured=path.measured)
    assert Facts.of(saved, True, False, True).held_out == 40
    alone = Facts.of(network(Model(), measured=False), True, False, False)
    assert (alone.held_out, alone.held_out_source) == (0, "none")
