"""The page in a terminal: what stands in it is what the study says, and it fits the screen."""

from __future__ import annotations

import re

import numpy as np
import pytest

import eigenshrink as es
from eigenshrink.inference import kept_per_column
from eigenshrink.report.plain import WIDTH
from eigenshrink.report.summary import BIASED, BOUNDARY, GROUPED, NO_SCATTER, SHOWN, UNBIASED
from eigenshrink.risk import criterion_name
from oracles import CASES, make


def words(study) -> str:
    """The page as one line, however it was wrapped."""
    return " ".join(study.summary().split())


def rows(study) -> dict[str, list[str]]:
    """The table of coefficients: label to estimate, s.e. and share kept."""
    lines = iter(study.summary().splitlines())
    heads = next(line for line in lines if line.split() == ["estimate", "s.e.", "kept"])
    start = heads.index("estimate") - 2
    found = {}
    for line in lines:
        if len(line.split()) < 4 or line.startswith(("  s.e.", "  No degree")):
            break
        found[line[:start].strip()] = line[start:].split()
    return found


@pytest.mark.parametrize("case", CASES)
def test_every_line_fits_the_screen(case):
    page = make(1, **CASES[case]).study().summary()
    assert [line for line in page.splitlines() if len(line) > WIDTH] == []


def test_names_of_any_length_fit_the_screen():
    problem = make(2, 30, 3)
    names = ["a" * 300, "b\nc\x1b[31m", "plain"]
    page = problem.study(feature_names=names, standardize=True).summary()
    assert max(map(len, page.splitlines())) <= WIDTH
    assert "\x1b" not in page
    assert "b\\x0ac\\x1b[31m" in page


def test_the_table_holds_estimate_error_and_share():
    problem = make(3, 40, 4, free=1)
    study = problem.study(alpha=0.7)
    table = rows(study)
    assert set(table) == {"x0", "x1", "x2", "x3", "intercept"}
    estimates, errors = np.append(study.coef(), study.intercept()), study.standard_errors()
    kept = [f"{share:.1%}" for share in kept_per_column(study.path, 0.7)[:3]] + ["free", "free"]
    for label, estimate, error, share in zip(
        ["x0", "x1", "x2", "x3", "intercept"], estimates, errors, kept, strict=True
    ):
        assert table[label] == [f"{estimate:.6g}", f"{error:.4g}", share]


def test_what_moves_the_prediction_most_comes_first():
    study = make(4, 60, 20).study(alpha=0.1)
    table = list(rows(study))
    moves = np.abs(study.coef()) * study.path.sample.column_sd
    assert table == [*(f"x{j}" for j in np.argsort(-moves)[:SHOWN]), "intercept"]
    assert "the 12 of 20 that move the prediction most" in study.summary()


def test_a_model_without_intercept_has_no_row_for_it():
    assert list(rows(make(5, 20, 2, intercept=False).study(alpha=1.0))) in (["x0", "x1"], ["x1", "x0"])


def test_the_note_says_what_the_errors_mean():
    problem = make(6, 30, 3)
    for study, note in (
        (problem.study(alpha=0.5), BIASED),
        (problem.study(alpha=0.0), UNBIASED),
        (problem.with_(d=np.zeros(3)).study(), UNBIASED),
        (make(6, 8, 12).study(alpha=0.0), NO_SCATTER),
    ):
        assert note in words(study)
        assert sum(text in words(study) for text in (BIASED, UNBIASED, NO_SCATTER)) == 1
    assert GROUPED not in words(problem.study())
    assert GROUPED in words(problem.study(groups=np.arange(30) // 3))


def test_where_nothing_is_left_there_is_a_dash_and_no_number():
    study = make(7, 8, 12).study(alpha=0.0)
    assert "nan" not in study.summary().lower()
    assert all(row[1] == "-" for row in rows(study).values())
    assert "residual s.d. -; residual df 0" in words(study)


def test_errors_are_in_the_unit_that_people_know():
    study = make(8, 40, 5).study(criterion="loo")
    text = words(study)
    assert f"estimated MSE {2 * study.risk['loo']():.6g} by leave-one-out;" in text
    assert f"% lower than {2 * study.risk['loo'](0.0):.6g} without regularisation" in text
    assert f"training MSE {2 * study.path.train_loss(study.alpha):.6g}" in text
    assert f"{2 * study.choice.corrected:.6g} corrected for having picked the minimum" in text
    assert f"residual s.d. {np.sqrt(study.dispersion):.6g}; residual df {study.residual_df:.6g}" in text


@pytest.mark.parametrize("criterion", ["loo", "gcv", "kfold", "evidence"])
def test_the_error_is_that_of_the_criterion_where_it_is_an_error(criterion):
    study = make(9, 40, 5).study(criterion=criterion)
    name = "loo" if criterion == "evidence" else criterion
    assert f"estimated MSE {2 * study.risk[name]():.6g} by {criterion_name(name)};" in words(study)


def test_the_corrected_error_is_said_wherever_it_is_known():
    study = make(9, 40, 5).study()
    assert study.choice.criterion == "combined"
    assert f"{2 * study.choice.corrected:.6g} corrected for having picked the minimum" in words(study)
    assert "corrected for" not in words(make(9, 40, 5).study(criterion="gcv"))


def test_a_worse_error_is_called_higher():
    problem = make(10, 60, 3, noise=0.1)
    assert "% higher than " in words(problem.study(alpha=100.0))
    assert "% lower" not in words(problem.study(alpha=100.0))


def test_the_choice_says_how_sure_it_is():
    study = make(11, 60, 5).study()
    low, high = study.choice.interval
    assert f"interval of α {low:.4g} to {high:.4g}: {study.choice.flatness}" in words(study)
    assert study.choice.agreement.words in words(study)
    given = make(11, 60, 5).study(alpha=0.3)
    assert "interval of α" not in words(given)
    assert "agreement" not in words(given)


def ends() -> tuple[np.ndarray, np.ndarray]:
    """Rows, and targets that ask for no regularisation, for nothing else, and for neither."""
    rng = np.random.default_rng(0)
    X, noise = rng.normal(size=(60, 3)), rng.normal(size=60)
    outside = (
        noise
        - np.column_stack([X, np.ones(60)])
        @ np.linalg.lstsq(np.column_stack([X, np.ones(60)]), noise, rcond=None)[0]
    )
    return X, np.column_stack([X @ [1.0, 2.0, 3.0], outside, X[:, 0] + noise])


def test_a_boundary_is_named():
    X, Y = ends()
    assert BOUNDARY["zero"] in words(es.study(X, Y[:, 0]))
    assert BOUNDARY["infinite"] in words(es.study(X, Y[:, 1]))
    assert not any(said in words(es.study(X, Y[:, 2], alpha=0.1)) for said in BOUNDARY.values())


def test_several_targets_have_a_line_each():
    problem = make(12, 40, 4, 3)
    study = problem.study()
    page = study.summary()
    for j in range(3):
        line = next(line for line in page.splitlines() if line.startswith(f"  y{j} "))
        low, high = study.choice.interval[j]
        assert line.split() == [
            f"y{j}",
            f"{study.alpha[j]:.6g}",
            *f"{low:.3g} to {high:.3g}".split(),
            f"{study.effective_parameters[j]:.4g}",
            f"{np.sqrt(study.dispersion[j]):.6g}",
            f"{study.residual_df[j]:.5g}",
        ]


def test_strengths_that_were_given_are_not_called_chosen():
    problem = make(12, 40, 4, 3)
    assert "chosen by" not in words(problem.study(alpha=0.5))
    assert "strengths as given" in words(problem.study(alpha=0.5))
    one = make(12, 40, 4)
    assert "strength α 0.5, as given" in words(one.study(alpha=0.5))
    assert "strength α ∞, as given" in words(one.study(alpha=np.inf))
    assert "inf" not in words(one.study(alpha=np.inf)).split("the same elsewhere")[0]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"criterion": "leave_group_out"}, "were given: rows of a group leave together."),
        ({"criterion": "kfold"}, "were given: rows of a group leave together."),
        (
            {"criterion": "loo"},
            "were given, but leave-one-out, which chose, does not leave them out together.",
        ),
        (
            {"criterion": "evidence"},
            "were given, but evidence, which chose, does not leave them out together.",
        ),
        ({"alpha": 1.0}, "were given."),
    ],
)
def test_it_says_which_rows_leave_together(asked, said):
    page = words(make(13, 40, 3).study(groups=np.arange(40) // 4, **asked))
    assert f"10 groups of rows that belong together {said}" in page
    assert not re.search(r"\b(loo|kfold|gcv)\b", page)


def test_copies_that_were_found_are_counted():
    problem = make(13, 40, 3)
    X, y = np.vstack([problem.X, problem.X[:8]]), np.append(problem.y, problem.y[:8])
    said = "8 rows are copies of others: copies leave together, so that there are 40 groups of rows."
    assert said in words(es.study(X, y))
    assert "8 rows are copies of others, but leave-one-out" in words(es.study(X, y, criterion="loo"))


def test_it_says_whose_model_it_is_where_rows_were_held_out():
    problem = make(13, 40, 3)
    said = "10 rows are held out to judge by: everything here is of the model of the other 30."
    assert said in words(problem.study(validation=0.25))
    page = words(problem.study(validation=0.2, groups=np.arange(40) // 4))
    assert "8 rows, whole groups, are held out to judge by" in page
    page = words(problem.study(validation=(problem.X[:7], problem.y[:7])))
    assert "7 rows of other data judge the model and are not fitted." in page
    assert "held out to judge by" not in words(problem.study())


def test_groups_of_one_row_are_no_warning_about_standard_errors():
    assert GROUPED not in words(make(13, 40, 3).study(groups=np.arange(40)))


def test_several_targets_say_whether_the_criteria_agree():
    study = make(12, 40, 4, 3).study()
    astray = sum(not each.agrees for each in study.choice.agreement)
    said = (
        f"The criteria disagree for {astray} of 3 targets."
        if astray
        else "The criteria agree for every target"
    )
    assert said in words(study)


def test_many_targets_are_cut_and_their_boundaries_explained():
    X, Y = ends()
    page = es.study(X, np.hstack([Y, np.repeat(Y[:, 2:], SHOWN - 1, axis=1)])).summary()
    assert "  y11 " in page
    assert "  y12 " not in page
    assert "and 2 more targets" in page
    assert f"  y0: {BOUNDARY['zero']}" in page
    assert f"  y1: {BOUNDARY['infinite']}" in page


def test_findings_are_wrapped_and_complete():
    problem = make(14, 30, 5)
    problem.X[:, 1], problem.X[:, 2] = problem.X[:, 0], 3.0
    study = problem.study(feature_names=[f"a column with a rather long name, number {j}" for j in range(5)])
    for finding in study.audit:
        said = f"{finding.verdict.upper()} {finding.check}: {finding.meaning} {finding.advice}"
        assert (" ".join(said.split()) in words(study)) == (finding.verdict != "pass")
    assert max(map(len, study.summary().splitlines())) <= WIDTH


def test_a_study_from_a_file_says_the_same(tmp_path):
    study = make(15, 40, 4, free=1).study()
    study.save(tmp_path / "study.npz")
    page, loaded = study.summary(), es.load(tmp_path / "study.npz").summary()
    assert loaded == page
