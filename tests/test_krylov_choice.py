"""What is chosen for a network, and what is said where nothing can be told (M14, M15, M18)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eigenshrink.choice import check_select, choose, resolve
from eigenshrink.errors import InputError
from eigenshrink.path import Measured, TrainingNotes
from eigenshrink.risk.curves import Curves
from posed_networks import WEIGHTS, Model, network

ADAMW = TrainingNotes(decay_kind="adamw")


def chosen(path, *args, **options):
    curves = Curves(path, {}, lambda: np.array([path.fit.alpha]))
    return choose(path, curves, *args, **options)


def narrow(**options):
    """Trusted from about 0.0015 to 0.037, trained at 0.01."""
    return network(Model(logistic=True, spread=10.0, rows=200, **options), alpha=0.01, tolerance=0.02)


def judged_by(path, optimum, rows=50, noise=0.0, seed=0):
    """The same path, measured on rows whose losses are parabolas around an optimum (in log α)."""
    place = np.log(path.measured.alphas) - np.log(optimum)
    each = np.random.default_rng(seed).normal(size=rows)
    losses = 1.0 + 0.01 * place[:, None] ** 2 + noise * each * place[:, None]
    slopes = 0.02 * place + noise * each.mean()
    slopes = slopes / path.calibration.rate(path.measured.alphas)  # by the quadratic's own strengths
    known = replace(
        path.measured, validation=losses, validation_slope=slopes, judges=np.ones(rows), wrong=None
    )
    return replace(path, measure=None, measured=known)


def without_start(path):
    """Measured to be no quadratic, not even where the training stopped."""
    found = path.measured
    place = np.argmin(np.abs(found.alphas - path.fit.alpha))
    one = {
        name: value if name == "judges" or value is None else value[[place]]
        for name, value in vars(found).items()
    }
    return replace(path, measure=None, measured=Measured(**{**one, "change": one["predicted"] + 1.0}))


# --- which criterion ----------------------------------------------------------------------------------


def test_rows_that_judge_choose():
    path = network(Model(seed=5))
    choice = chosen(path)
    assert choice.criterion == "validation"
    assert choice.reason == "rows were held out to judge by"
    assert choice.boundary == "none"
    assert choice.interval[0] < choice.alpha < choice.interval[1]
    assert choice.corrected > choice.curve.minimum.value


def test_evidence_chooses_where_nothing_judges():
    choice = chosen(network(Model(judges=0)))
    assert (choice.criterion, choice.boundary) == ("evidence", "none")
    assert "evidence needs none" in choice.reason
    assert choice.interval[0] < choice.alpha < choice.interval[1]
    assert choice.optimism is None


def test_another_criterion_can_be_asked_for():
    path = network(Model(seed=5))
    asked = chosen(path, "evidence")
    assert asked.criterion == "evidence"
    assert asked.alpha == pytest.approx(chosen(network(Model(seed=5, judges=0))).alpha)


# --- the model cannot tell ----------------------------------------------------------------------------


def unknown_scale():
    return network(Model(judges=0), sample={"weight_sum": np.nan})


def indefinite():
    model = Model(judges=0)
    H = model.X.T @ model.X / len(model.X)
    return network(model, hessian=H - 0.02 * np.eye(WEIGHTS))


def unsettled():
    return without_start(network(Model()))


def rough():
    path = network(Model())
    nothing = {name: value if value is None else value[:0] for name, value in vars(path.measured).items()}
    return replace(path, measured=Measured(**nothing))


SILENT = {
    "scale": (unknown_scale, "the scale of the loss is not known, which evidence needs"),
    "negative": (indefinite, "the curvature is negative along some directions"),
    "unsettled": (unsettled, "its loss is not the quadratic that its curvature promises"),
    "adamw": (lambda: replace(unsettled(), notes=ADAMW), "AdamW does not minimise a loss with an L2 penalty"),
    "rough": (rough, "not accurate at the strength of the training: allow more products"),
    "free": (lambda: network(Model(), factor=np.zeros(WEIGHTS)), "no weight that was trained is penalised"),
    "flat": (lambda: network(Model(), hessian=np.zeros((WEIGHTS, WEIGHTS))), "was the network trained?"),
}


@pytest.mark.parametrize("name", SILENT)
def test_the_model_cannot_tell_from_here(name):
    make, why = SILENT[name]
    path = make()
    choice = chosen(path)
    assert (choice.criterion, choice.boundary, choice.alpha) == ("none", "none", path.fit.alpha)
    assert choice.reason.startswith("the model cannot tell from here: ")
    assert why in choice.reason
    assert choice.interval is None
    assert choice.agreement is None
    assert choice.flatness == ""
    assert check_select(path, "auto", "strongest-equivalent") == "strongest-equivalent"


def test_what_cannot_choose_is_refused_when_it_is_asked_for():
    with pytest.raises(
        InputError, match="criterion 'validation' cannot choose: its loss is not the quadratic"
    ):
        resolve(unsettled(), "validation")
    with pytest.raises(InputError, match="evidence needs a loss of known scale"):
        resolve(unknown_scale(), "evidence")
    with pytest.raises(InputError, match="a network has no rows that could be left out"):
        resolve(network(Model()), "kfold")
    with pytest.raises(InputError, match="criterion must be auto, gcv, evidence, validation; got 'none'"):
        resolve(network(Model()), "none")


def test_losses_that_are_never_finite_are_refused():
    path = narrow()
    endless = np.full((len(path.measured.alphas), 3), np.inf)
    spoiled = replace(path.measured, validation=endless, judges=np.ones(3), wrong=None)
    with pytest.raises(InputError, match="no loss that was measured along this path is finite"):
        chosen(replace(path, measure=None, measured=spoiled))


# --- the end of what can be seen ----------------------------------------------------------------------


@pytest.mark.parametrize("optimum", [1e-6, 1e3])
def test_an_optimum_beyond_the_trusted_range_is_its_end(optimum):
    path = judged_by(narrow(), optimum)
    choice = chosen(path)
    end = path.trusted[0] if optimum < 0.01 else path.trusted[1]
    assert choice.alpha == end
    assert choice.boundary == "trusted"
    for name, curve in Curves(path, {}, lambda: np.array([0.01])).items():
        outside = curve([0.99 * path.trusted[0], 1.01 * path.trusted[1]])
        assert np.isnan(outside).all(), name
        assert np.isfinite(curve(path.trusted)).all(), name
    assert "train there and study again (en.tune does)" in choice.reason


def test_an_optimum_inside_is_none():
    choice = chosen(judged_by(narrow(), 0.012))
    assert choice.alpha == pytest.approx(0.012, rel=1e-3)
    assert choice.boundary == "none"
    assert "study again" not in choice.reason


def test_all_of_the_trusted_range_may_be_as_good():
    path = judged_by(narrow(), 0.01, noise=1.0)
    choice = chosen(path)
    low, high = choice.interval
    assert path.trusted[0] <= low < path.trusted[0] * (1 + 1e-6)
    assert path.trusted[1] * (1 - 1e-6) < high <= path.trusted[1]
    assert choice.flatness.endswith("the model cannot tell from here")
    sure = chosen(judged_by(narrow(), 0.01))
    assert "cannot tell" not in sure.flatness


def test_the_strongest_as_good_may_be_the_end():
    path = judged_by(narrow(), 0.01, noise=1.0)
    choice = chosen(path, select="strongest-equivalent")
    assert choice.alpha == pytest.approx(path.trusted[1])
    assert choice.boundary == "trusted"


# --- agreement ----------------------------------------------------------------------------------------


def test_criteria_that_agree_say_so():
    found = chosen(network(Model(seed=5))).agreement
    assert found.agrees
    assert found.words.startswith("GCV and evidence agree with validation")


def test_validation_is_believed_where_evidence_disagrees():
    path = judged_by(network(Model()), 30.0)
    found = chosen(path).agreement
    assert not found.agrees
    assert found.cause == "measured"
    assert "believe validation" in found.words


def test_a_criterion_at_the_end_of_the_trusted_range_has_no_optimum_to_compare():
    path = judged_by(narrow(), 0.01)
    evidence = chosen(path, "evidence")
    assert evidence.boundary == "trusted"
    found = chosen(path).agreement
    assert (found.agrees, found.cause) == (False, "edge")
    assert "train there and study again" in found.words
