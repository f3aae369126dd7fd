"""What a study of a GLM hands out: shapes, labels, predictions, losses, local quadratics."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import eigenshrink as es
import glm_oracles as oracles
from glm_problems import LOSSES, between, make


@pytest.mark.parametrize("loss", LOSSES)
def test_shapes(loss):
    problem = make(2, loss)
    study, two = problem.study(), np.array([0.1, 1.0])
    weights = (3, 6) if loss == "multinomial" else (6,)
    for given, lead in ((0.1, ()), (two, (2,)), ([0.1], (1,)), (np.float32(0.1), ())):
        assert study.coef(given).shape == lead + weights
        assert study.path.weights(given).shape == lead + weights
        assert np.shape(study.intercept(given)) == lead + weights[:-1]
        for scalar in (study.path.certificate, study.path.effective_parameters, study.path.residual_bound,
                       study.path.norm, study.path.train_loss, study.risk["loo"]):  # fmt: skip
            assert np.shape(scalar(given)) == lead
        assert study.path.shrinkage(given).shape[:-1] == lead
    assert study.coef().shape == weights
    assert np.shape(study.alpha) == ()
    assert study.loss.partition(":")[0] == loss.partition(":")[0]
    assert study.path.loss.name.partition(":")[0] == loss.partition(":")[0]


@pytest.mark.parametrize("loss", LOSSES)
def test_several_strengths_are_one_after_the_other(loss):
    study, alphas = make(2, loss).study(), np.array([3.0, 0.01, 0.3])
    for what in (study.coef, study.intercept, study.path.effective_parameters, study.risk["loo"]):
        assert_allclose(what(alphas), [what(alpha) for alpha in alphas], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("bad", [-1.0, np.nan, [0.1, -0.1], "much"])
def test_strengths_that_are_none_are_refused(bad):
    study = make(2, "logistic").study()
    for what in (study.coef, study.path.weights, study.path.certificate, study.risk["loo"]):
        with pytest.raises(es.InputError, match="alpha"):
            what(bad)


@pytest.mark.parametrize("loss", ["logistic", "multinomial", "poisson"])
def test_a_strength_that_is_given_is_taken(loss):
    problem = make(2, loss)
    study = problem.study(alpha=0.3)
    assert study.alpha == 0.3
    assert_array_equal(study.coef(), study.coef(0.3))
    assert study.effective_parameters == study.path.effective_parameters(0.3)


@pytest.mark.parametrize(
    "labels",
    [("no", "yes"), (False, True), (3, 7), (-1.0, 1.0)],
)
def test_two_classes_of_any_kind(labels):
    problem = make(2, "logistic")
    y = np.array(labels)[problem.y]
    study = problem.with_(y=y).study()
    assert tuple(study.classes) == labels
    assert_allclose(study.coef(0.1), problem.study().coef(0.1), atol=1e-9)
    assert_allclose(study.predict(problem.X, 0.1), problem.study().predict(problem.X, 0.1), atol=1e-9)


def test_classes_are_sorted():
    problem = make(2, "multinomial")
    study = problem.study()
    assert tuple(study.classes) == ("ant", "bee", "cat")
    swapped = problem.with_(y=np.char.replace(problem.y, "ant", "zebra")).study()
    assert_allclose(swapped.coef(0.1), study.coef(0.1)[[1, 2, 0]], atol=1e-8)
    assert make(2, "poisson").study().classes == ()


@pytest.mark.parametrize("loss", LOSSES)
def test_predictions_are_means(loss):
    problem, other = make(2, loss), make(9, loss)
    study = problem.study()
    new = other.with_(y=problem.y, labels=problem.classes)
    for alpha in (0.05, 2.0):
        eta = oracles.predictor(new, oracles.solve(problem, alpha))
        found = study.predict(new.X, alpha, offset=new.offset)
        assert_allclose(found, np.squeeze(problem.deviance.mean(eta)), rtol=1e-6)
        if loss == "multinomial":
            assert_allclose(found.sum(axis=1), 1.0)
    assert_allclose(study.predict(new.X, offset=new.offset), study.predict(new.X, study.alpha, new.offset))


def test_a_study_with_an_offset_adds_what_is_given_to_predictions():
    problem = make(2, "poisson")
    study = problem.study()
    plain = study.linear_predictor(problem.X, 0.1)
    assert_allclose(study.linear_predictor(problem.X, 0.1, offset=problem.offset), plain + problem.offset)
    assert_allclose(study.predict(problem.X, 0.1, offset=np.ones(50)), np.exp(plain + 1))
    with pytest.raises(es.InputError, match="offset"):
        study.predict(problem.X, 0.1, offset=np.ones(7))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("weights", [None, "precision"])
def test_norms_and_training_losses(loss, weights):
    problem = make(2, loss, weights=weights, factors=True, free=1)
    study = problem.study()
    for alpha in (0.02, 0.5, 20.0):
        theta = oracles.solve(problem, alpha)
        expected = oracles.loss(problem, theta)
        truth = oracles.coef(problem, theta)
        assert study.path.train_loss(alpha) == pytest.approx(expected, rel=1e-7)
        assert study.risk["train"](alpha) == pytest.approx(expected, rel=1e-3)
        norm = oracles.distance(problem, truth, np.zeros_like(truth))
        assert study.path.norm(alpha) == pytest.approx(norm, rel=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_anchors_lie_on_the_path(loss):
    problem = make(2, loss, free=1)
    study = problem.study()
    low, high = study.path.span
    places = [anchor.alpha for anchor in study.path.anchors if 0 < anchor.alpha < np.inf]
    assert len(places) >= 4
    assert low <= np.log(study.alpha if np.isfinite(study.alpha) else 1.0) < high
    for alpha in places[:: max(1, len(places) // 4)]:
        truth = oracles.coef(problem, oracles.solve(problem, alpha))
        distance = oracles.distance(problem, study.coef(alpha), truth)
        assert distance <= 1e-8 * np.sqrt(np.sum(truth**2)) + 1e-13


@pytest.mark.parametrize("loss", LOSSES)
def test_the_local_quadratic_touches_the_path(loss):
    """It has the weights, their derivative in log α (M13) and the effective parameters."""
    problem = make(2, loss)
    study, alpha, h = problem.study(), 0.3, 1e-4
    local = study.path.local(alpha)
    assert_allclose(local.weights(alpha), np.ravel(study.coef(alpha)), atol=1e-7)
    assert local.effective_parameters(alpha) == pytest.approx(
        study.path.effective_parameters(alpha), rel=between(loss)
    )
    ahead, behind = (local.weights(alpha * np.exp(x)) for x in (h, -h))
    there, back = (oracles.solve(problem, alpha * np.exp(x)) for x in (h, -h))
    truth = np.ravel(oracles.coef(problem, there) - oracles.coef(problem, back)) / (2 * h)
    assert_allclose((ahead - behind) / (2 * h), truth, atol=1e-4 * np.abs(truth).max())


@pytest.mark.parametrize("loss", LOSSES)
def test_a_study_says_what_it_found(loss):
    study = make(2, loss).study()
    assert len(study.summary().splitlines()) > 5
    told = study.to_dict()
    assert told["loss"].partition(":")[0] == loss.partition(":")[0]
    assert told["effective_parameters"] == pytest.approx(study.effective_parameters, rel=1e-6)


def test_a_criterion_that_does_not_exist_for_a_loss_is_refused():
    with pytest.raises(es.InputError, match="gcv"):
        _ = make(2, "poisson").study(criterion="gcv").choice
