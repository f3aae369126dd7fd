"""Summary, page and result.json of every loss: its unit, its classes by name, its proof; nothing leaks."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files

import jsonschema
import numpy as np
import pytest
from numpy.testing import assert_allclose

import eigenshrink as es
from eigenshrink.data.digits import number
from eigenshrink.report.losses import (
    classes_in_words,
    correct,
    explained,
    loss_in_words,
    percent,
    proof,
    ratio,
)
from eigenshrink.report.page import make_page
from eigenshrink.report.pictures import QUADRATIC
from eigenshrink.report.summary import BIASED, UNPENALISED, WEAKEST
from glm_studies import CLASSES, KINDS, counts, logistic, rows, study_of
from report_pages import Page
from report_pages import rows as cells

RAW = {"nan", "NaN", "inf", "-inf", "null", "None"}
SQUARED = ("mean squared", "typical error", "esidual standard", "residual s.d", "least squares", "MSE ")
SCHEMA = json.loads((files("eigenshrink.schema") / "result.schema.json").read_text(encoding="utf-8"))
PAGES = ("logistic", "multinomial", "counts", "huber", "weakest", "alpha zero", "column of counts")


def summary_of(kind):
    return " ".join(study_of(kind).summary().split())


@cache
def page_of(kind):
    return make_page(study_of(kind), (), "file.csv")


# --- nothing leaks ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_summary_has_lines_of_its_own_words(kind):
    said = study_of(kind).summary()
    assert not RAW & set(re.findall(r"[-\w]+", said))
    assert [word for word in SQUARED if word in said] == []
    assert max(map(len, said.split("\n"))) <= 110
    assert f"loss: {loss_in_words(study_of(kind))}" in said
    assert f"estimated {study_of(kind).path.loss.unit}" in said


@pytest.mark.parametrize("kind", PAGES)
def test_a_page_is_whole_and_has_words_of_its_own(kind):
    page = Page(page_of(kind))
    assert page.complaints == []
    assert not RAW & set(re.findall(r"[-\w]+", page.text))
    assert [word for word in SQUARED if word in page.text] == []
    assert study_of(kind).path.loss.unit in page.text
    assert page.text.count(QUADRATIC) == 1
    assert "b" not in page.tags


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_keep_the_schema(kind):
    found = study_of(kind).to_dict()
    json.dumps(found, allow_nan=False)
    assert list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(found)) == []
    assert len(found["path"]["certificate"]) == len(found["alphas"]) == len(found["risk"]["loo"])


# --- the error in the unit that people know -----------------------------------------------------------


def test_classes_are_told_by_the_share_that_is_right():
    study, said = study_of("logistic"), summary_of("logistic")
    right = 1 - study.risk["misclassified"](study.alpha)
    y = study.path.table.y[:, 0]
    largest = max(np.mean(y), 1 - np.mean(y))
    name = study.classes[int(np.mean(y) > 0.5)]
    assert f"{100 * right:.1f} % of the rows when they are left out; {100 * largest:.1f} % are {name}" in said
    found = study.to_dict()
    assert found["correctly_classified"] == pytest.approx(right)
    assert_allclose(found["class_shares"], [1 - np.mean(y), np.mean(y)])
    assert found["unit"] == "log loss"
    assert f"estimated log loss {study.estimate():.6g}" in said


def test_counts_are_told_by_the_deviance_explained():
    study, said = study_of("counts"), summary_of("counts")
    curve = study.risk["loo"]
    share = 1 - curve(study.alpha) / curve(np.inf)
    assert study.to_dict()["explained"] == pytest.approx(share) == explained(study, study.alpha)
    assert f"deviance explained {percent(share)} of the {number(curve(np.inf), 4)} without penalised" in said
    assert "correctly_classified" not in study.to_dict()
    assert np.isnan(correct(study, 1.0))


def test_shares_of_classes_count_weights():
    y, weight = np.array(["a", "b"] * 10), np.r_[np.full(10, 3.0), np.ones(10)]
    study = es.study(rows(20, 1, 3), y, loss="logistic", sample_weight=weight)
    assert_allclose(study.facts.class_shares, [0.5, 0.5])
    study = es.study(rows(20, 1, 3), y, loss="logistic", sample_weight=np.where(y == "a", 3.0, 1.0))
    assert_allclose(study.facts.class_shares, [0.75, 0.25])
    assert counts(n=30).facts.class_shares == ()


def test_the_page_says_what_a_strength_buys():
    study = study_of("multinomial")
    table = cells(page_of("multinomial"), "Error to expect on new rows, estimated by leave-one-out")
    chosen = next(row for row in table if row[0].startswith("chosen"))
    assert chosen[2:] == [number(study.risk["loo"](study.alpha)), percent(correct(study, study.alpha))]
    assert table[-1][-1] == percent(correct(study, np.inf))
    table = cells(page_of("counts"), "Error to expect on new rows, estimated by leave-one-out")
    assert table[-1][-1] == "0.0 %"


# --- which loss, which classes ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("logistic", "logistic, log loss"),
        ("counts", "Poisson, half deviance"),
        ("inverse Gaussian", "inverse Gaussian, half deviance"),
        ("tweedie", "Tweedie, power = 1.3, half deviance"),
        ("trials", "binomial counts, half deviance"),
    ],
)
def test_the_loss_has_a_name(kind, said):
    assert loss_in_words(study_of(kind)) == said


def test_huber_says_its_corner_in_few_digits():
    study = study_of("huber")
    corner = float(study.loss.partition(":")[2])
    assert loss_in_words(study).startswith(f"Huber, δ = {corner:.6g}, ")
    assert f"δ = {corner:.6g}" in study.objective


def test_it_is_said_for_which_class_coefficients_speak():
    said = classes_in_words(study_of("logistic"))
    assert re.fullmatch(
        r"2 classes: sick [\d.]+ %, well [\d.]+ %; coefficients and probabilities speak for well", said
    )
    assert said in Page(page_of("logistic")).text
    assert "each has coefficients of its own" in classes_in_words(study_of("multinomial"))
    assert classes_in_words(study_of("counts")) == ""
    assert "<b>c</b>" in Page(page_of("multinomial")).text


def test_an_offset_is_named():
    assert "offset" in study_of("counts").objective
    assert "offset" not in study_of("gamma").objective


# --- coefficients -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", CLASSES)
def test_coefficients_of_classes_are_by_class_and_name(kind):
    study, found = study_of(kind), study_of(kind).to_dict()
    labels = [str(label) for label in study.classes]
    errors = study.standard_errors()
    for name, values in (("coefficients", study.coef()), ("standard_errors", errors[:, :-1])):
        assert list(found[name]) == labels
        for label, row in zip(labels, values, strict=True):
            assert list(found[name][label]) == list(study.feature_names)
            assert_allclose(list(found[name][label].values()), row)
    assert_allclose([found["intercept"][label] for label in labels], study.intercept())
    assert_allclose([found["intercept_standard_error"][label] for label in labels], errors[:, -1])
    assert len(study.weight_names) == study.coef().size


def test_coefficients_of_one_predictor_are_numbers():
    found = study_of("logistic").to_dict()
    assert all(isinstance(value, float) for value in found["coefficients"].values())
    assert isinstance(found["intercept"], float)
    column = study_of("column of counts").to_dict()
    assert all(isinstance(value, list) for value in column["coefficients"].values())


@pytest.mark.parametrize(
    ("kind", "said"), [("logistic", "odds ratio"), ("counts", "rate ratio"), ("huber", "")]
)
def test_a_ratio_is_what_one_unit_more_multiplies(kind, said):
    study = study_of(kind)
    assert ratio(study) == said
    assert ("ratio" in study.summary()) == bool(said)
    table = cells(page_of(kind), "Coefficients, in the units of the columns")
    if said:
        place = study.feature_names.index(table[1][0])
        assert table[1][3] == number(np.exp(study.coef()[place]))
        assert table[0][3] == "–"
        assert f"{np.exp(study.coef()[place]):.4g}" in study.summary()


def test_classes_have_a_column_each():
    table = cells(page_of("multinomial"), "Coefficients, in the units of the columns")
    study = study_of("multinomial")
    place = study.feature_names.index(table[1][0])
    assert len(table[1]) == 1 + len(study.classes)
    assert table[1][1].startswith(f"{number(study.coef()[0, place])} ± ")
    lines = study_of("multinomial").summary().split("\n")
    for label in study.classes:
        assert any(line.strip().startswith(f"{label}: intercept") for line in lines)


def test_the_note_says_what_the_errors_mean():
    assert BIASED in summary_of("logistic")
    assert UNPENALISED in summary_of("alpha zero")
    assert "dispersion" in summary_of("gamma")
    assert "dispersion" not in summary_of("counts").partition("audit")[0]


# --- what is proved, and where the path begins --------------------------------------------------------


def test_the_proof_is_said_and_given():
    study = study_of("logistic")
    bound = study.path.certificate(study.alpha, relative=True)
    assert f"within {number(bound, 2)} of the solution" in proof(study)
    assert f"{len(study.path.anchors)} strengths solved" in proof(study)
    assert proof(study) in Page(page_of("logistic")).text
    given = study.to_dict()["proof"]
    assert given["certificate"] == pytest.approx(bound)
    assert given["separation"] == "none"
    assert given["anchors"] == [anchor.alpha for anchor in study.path.anchors]
    squared = es.study(rows(20, 2, 1), rows(20, 1, 2)[:, 0])
    assert proof(squared) == ""
    assert "proof" not in squared.to_dict()


def test_where_nothing_is_proved_it_is_said():
    assert "none at α = 0" in proof(study_of("alpha zero"))
    assert "not convex" in proof(study_of("inverse Gaussian"))
    assert study_of("inverse Gaussian").to_dict()["proof"]["certificate"] is None
    assert "exact" in proof(study_of("alpha infinite"))


def test_separation_says_where_the_path_begins():
    study, low = study_of("separated"), number(study_of("separated").path.lowest, 3)
    assert f"so that the path begins at α = {low}." in summary_of("separated")
    assert study.to_dict()["proof"]["separation"] == "complete"
    assert study.to_dict()["alphas"][0] >= study.path.lowest
    assert "without regularisation" not in summary_of("separated").partition("audit")[0]
    assert f"the path begins at α = {low}." in Page(page_of("weakest")).text
    assert "the path begins" not in summary_of("logistic")


def test_the_weakest_strength_is_called_so():
    apart = np.r_[-5.0 - 0.1 * np.arange(6), 5.0 + 0.1 * np.arange(6)]
    study = es.study(apart[:, None], apart > 0, loss="logistic", criterion="loo")
    assert study.alpha == study.path.lowest
    assert WEAKEST in " ".join(study.summary().split())
    assert "That is the weakest strength with a solution" in make_page(study)


# --- what to type elsewhere ---------------------------------------------------------------------------


def test_the_same_model_in_scikit_learn():
    study = study_of("logistic")
    C = float(f"{1 / (80 * study.alpha):.6g}")
    assert f"LogisticRegression(C={C!r})" in Page(page_of("logistic")).text
    assert f"sklearn.LogisticRegression {C:.5g}" in summary_of("logistic").replace("\N{NO-BREAK SPACE}", " ")
    alpha = float(f"{study_of('counts').alpha:.6g}")
    assert f"PoissonRegressor(alpha={alpha!r})" in Page(page_of("counts")).text
    assert "Give the program the same offset" in Page(page_of("counts")).text
    assert "No other program that is known here" in Page(page_of("huber")).text
    assert "C → ∞" in Page(page_of("alpha zero")).text


def test_groups_and_held_out_rows_are_said():
    assert "leave together" in summary_of("groups")
    assert "are held out to judge by" in summary_of("held out")


def test_studies_differ_where_the_data_do():
    """The helpers above can fail: another study says other things."""
    assert study_of("logistic").summary() != logistic(seed=21).summary()
    assert page_of("logistic") != page_of("counts")
