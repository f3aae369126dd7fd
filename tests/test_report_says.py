"""What the page says: the study's numbers, how sure they are, and what was doubtful."""

from __future__ import annotations

import re

import numpy as np
import pytest

import eigenshrink as es
from eigenshrink.inference import kept_per_column
from eigenshrink.plots.text import number
from eigenshrink.report.estimates import as_good
from eigenshrink.report.page import make_page
from figure_studies import diabetes
from figure_studies import study as figure_study
from report_pages import Page, page_of, rows, study_of

# --- what the page says -------------------------------------------------------------------------------


def test_answer_comes_first_and_is_the_study():
    study, text = study_of("polynomial"), Page(page_of("polynomial")).text
    assert f"The answer Use α = {number(study.alpha)}" in text
    assert f"{number(study.effective_parameters, 3)} of 65 parameters are in use" in text
    assert text.index("The answer") < text.index("What to type") < text.index("What is minimised")
    curve, choice = study.risk["loo"], study.choice
    saved = 100 * (1 - curve(study.alpha) / curve(0.0))
    assert f"The estimated error is {number(saved, 2)} % lower than without regularisation." in text
    found = rows(page_of("polynomial"), "Error to expect on new rows, estimated by leave-one-out")
    values = [curve(0.0), curve(study.alpha), choice.corrected, study.path.train_loss(study.alpha)]
    values.append(curve(np.inf))
    assert choice.corrected == curve(study.alpha) + choice.optimism
    for row, alpha, value in zip(found, (0.0, *[study.alpha] * 3, np.inf), values, strict=True):
        used = number(study.path.effective_parameters(alpha), 3)
        assert row[1:] == [used, number(value), f"±{number(np.sqrt(2 * value), 3)}"]


def test_how_sure_is_said_at_once():
    study, text = study_of("polynomial"), Page(page_of("polynomial")).text
    low, high = study.choice.interval
    sure = f"Anything between {low:.2g} and {high:.2g} is as good."
    assert f"Use α = {number(study.alpha)} {sure} Chosen by combined evidence" in text
    assert study.choice.agreement.agrees
    assert "Leave-one-out, GCV, Cp and evidence agree with combined evidence" in text


def test_a_given_strength_is_told_from_the_best():
    low, high = figure_study("by leave-one-out").choice.interval
    ends = f"By leave-one-out strengths from {number(low, 3)} to {number(high, 3)} are as good as its best"
    assert as_good(figure_study("alpha zero")) == f"{ends}, 0.217; this one is not among them."


def test_every_estimate_says_what_it_would_take():
    study = study_of("held out")
    low, high = study.choice.interval
    names = [
        "combined evidence",
        "leave-one-out",
        "leave-group-out",
        "K-fold",
        "GCV",
        "Cp",
        "evidence",
    ]
    found = rows(page_of("held out"), "What each estimate would take")
    assert [row[0] for row in found] == [*names, "validation, chose"]
    keys = ("combined", "loo", "leave_group_out", "kfold", "gcv", "cp", "evidence", "validation")
    for row, key in zip(found, keys, strict=True):
        minimum = study.risk[key].minimum
        value = "another unit" if key in ("combined", "evidence") else number(minimum.value)
        inside = "yes" if low <= minimum.alpha <= high else "no"
        used = number(study.path.effective_parameters(minimum.alpha), 3)
        assert row[1:] == [number(minimum.alpha), used, value, inside]
    assert {row[4] for row in found} == {"yes", "no"}
    inside = study.choice.agreement.inside
    assert [row[4] for row in found if row[0] == "GCV"] == ["yes" if inside["gcv"] else "no"]


def test_every_target_says_what_each_estimate_would_take():
    study = study_of("several targets")
    found = rows(page_of("several targets"), "The α that each estimate would take")
    assert [row[0] for row in found] == list(study.target_names)
    for target, (row, said) in enumerate(zip(found, study.choice.agreement, strict=True)):
        assert row[-1] == (said.cause or "they agree")
        low, high = study.choice.interval[target]
        at = study.risk["evidence"].minimum.alpha[target]
        assert row[6] == number(at, 3) + ("" if low <= at <= high else ", not as good")
    found = rows(page_of("several targets"), "Strength of each target")
    assert [row[2] for row in found] == [
        f"{number(low, 2)} to {number(high, 2)}" for low, high in study.choice.interval
    ]


def test_what_to_type_makes_the_same_model():
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    _, P, y, *_ = diabetes()
    study, text = study_of("polynomial"), Page(page_of("polynomial")).text
    typed = re.search(r"make_pipeline\(StandardScaler\(\), Ridge\(alpha=[\d.e-]+\)\)", text)[0]
    names = {"make_pipeline": make_pipeline, "StandardScaler": StandardScaler, "Ridge": Ridge}
    model = eval(typed, names).fit(P, y)
    np.testing.assert_allclose(model.predict(P), study.predict(P), rtol=1e-4)


def test_what_to_type_for_several_targets():
    study = study_of("several targets")
    found = rows(page_of("several targets"), "The same models in scikit-learn")
    assert np.isinf(study.alpha[1])
    assert study.alpha[2] == 0
    first = f"Ridge(alpha={float(f'{study.alpha[0] * 442:.6g}')!r})"
    assert [row[1] for row in found] == [first, "leave the penalised columns out", "LinearRegression()"]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("several targets", "at α → ∞"),
        ("many targets", "The first 20 of 22 are listed."),
        ("many targets", "As given: α = 0.001 for all 22 targets"),
        ("column of targets", "As given: α = 0.001"),
        ("alpha zero", "As given: α = 0"),
        ("alpha zero", "The estimated error is the same without regularisation."),
        ("alpha zero", "sklearn.Ridge LinearRegression()"),
        ("noise", "An endless strength is set by leaving the penalised columns out."),
        ("noise", "by this criterion the penalised columns do not help at all"),
        ("ten columns", "Chosen by evidence"),
        ("ten columns", "within a rise of 1.92 in the likelihood"),
        (
            "polynomial",
            "by combined evidence the strength cannot be told from the best one, within 1.96 paired",
        ),
        ("groups", "30 groups of rows that belong together were given: rows of a group leave together."),
        ("groups", "groups 30 groups, given"),
        ("groups", "Rows that belong together are not independent"),
        (
            "held out",
            "64 rows, whole groups, are held out to judge by: everything here is of the model of the other",
        ),
        ("held out", "held out 64 rows (fraction)"),
        ("held out", "Chosen by validation (rows were held out to judge by)."),
        (
            "copies",
            "60 rows are copies of others: copies leave together, so that there are 200 groups of rows",
        ),
        ("alpha zero", "are as good as its best, 9.39×10⁻⁶; this one is among them."),
        (
            "by GCV",
            "By leave-one-out strengths from 0.0124 to 0.613 are as good as its best, 0.217; this one is",
        ),
        ("by GCV", "As good: by leave-one-out"),
        ("one strength", "Use α = 0.0001017 for all 2 targets"),
        ("loaded", "Anything between 0.026 and 0.72 is as good."),
        ("no error", "so that there are no standard errors."),
        ("column of targets", "Alpha was given."),
        ("free columns", "age, not penalised"),
        ("free columns", "divide each column by √d"),
        ("wide", "The first 300 of 350 columns are shown."),
        ("polynomial", "The first 20 of 64 directions are shown."),
        ("polynomial", "65 columns, standardised by the penalty"),
        ("polynomial", "What was done to the data a note"),
        ("polynomial", "source file.csv"),
        ("nothing varies", "0 directions, computed by"),
    ],
)
def test_page_says(kind, said):
    assert said in Page(page_of(kind)).text.replace("x0, not", "age, not")


@pytest.mark.parametrize("kind", ["ten columns", "free columns", "loaded", "no error"])
def test_coefficients_are_those_of_the_study(kind):
    study = study_of(kind)
    errors, kept = study.standard_errors(), kept_per_column(study.path, study.alpha)
    found = rows(page_of(kind), "Coefficients, in the units of the columns")
    ends = [number(study.intercept(0.0))]
    assert found[0][1:] == [number(study.intercept()), number(errors[-1], 3), "100 %", *ends]
    table = {row[0].removesuffix(", not penalised"): row[1:] for row in found[1:]}
    for place, name in enumerate(study.feature_names):
        share = f"{100 * kept[place]:.1f} %"
        ends = number(study.coef(0.0)[place])
        assert table[name] == [number(study.coef()[place]), number(errors[place], 3), share, ends]


def test_the_largest_coefficients_come_first():
    study = study_of("ten columns")
    found = rows(page_of("ten columns"), "Coefficients, in the units of the columns")
    sizes = [abs(study.coef()[study.feature_names.index(row[0])]) for row in found[1:]]
    assert sizes == sorted(sizes, reverse=True)


def test_standard_errors_come_with_their_bias():
    study, text = study_of("polynomial"), Page(page_of("polynomial")).text
    scatter, df = number(np.sqrt(study.dispersion)), number(study.residual_df)
    assert f"Residual standard deviation {scatter} on {df} degrees of freedom." in text
    assert "The estimate is biased towards 0" in text
    assert "biased" not in Page(make_page(es.study(*plain(), alpha=0.0))).text


def plain():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 3))
    return X, X[:, 0] + rng.normal(size=30)


def test_coefficients_of_several_targets():
    study = study_of("several targets")
    found = rows(page_of("several targets"), "Coefficients, in the units of the columns")
    errors = study.standard_errors()
    for row in found[1:]:
        place = study.feature_names.index(row[0])
        pairs = zip(study.coef()[:, place], errors[:, place], strict=True)
        assert row[1:] == [f"{number(value)} ± {number(error, 2)}" for value, error in pairs]


def test_directions_are_those_of_the_study():
    study = study_of("polynomial")
    found = rows(page_of("polynomial"), "Directions, those that the data determine best first")
    wanted = study.directions()
    assert len(found) == 20
    for place, row in enumerate(found):
        assert row[0] == str(place + 1)
        assert row[1] == number(wanted.eigenvalue[place])
        assert row[3] == f"{100 * wanted.shrinkage[place]:.1f} %"
        assert row[4] == wanted.verdict[place]
        assert wanted.columns[place][0][0] in row[5]


def test_every_check_is_listed():
    study, text = study_of("polynomial"), Page(page_of("polynomial")).text
    for finding in study.audit:
        assert f"{finding.verdict} {finding.check}" in text
        meaning = " ".join(finding.meaning.split())
        measured = f"measured {number(finding.value)}, limit {number(finding.threshold)}"
        assert f"{finding.check} {measured} {meaning}" in text
    warned = [finding.check for finding in study.audit if finding.verdict == "warn"]
    assert len(warned) > 1
    assert f"{len(warned)} warn: {', '.join(warned)}." in text


def test_doubts_are_listed_first():
    study = study_of("held out")
    listed = re.findall(r'<li class="(pass|warn|fail)">', page_of("held out"))
    order = ["fail", "warn", "pass"]
    assert listed == sorted((finding.verdict for finding in study.audit), key=order.index)
    assert len(set(listed)) > 1


def test_no_notes_no_section():
    assert "What was done to the data" not in make_page(study_of("ten columns"))
