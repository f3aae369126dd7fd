"""What a saved study still knows of doubts, splits and standard errors, without its rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import eigenshrink as es
from oracles import CASES, make

KEPT = 1e-6  # share of a curve's range to which a table keeps it
ALPHAS = np.array([1e-3, 0.05, 1.0, 30.0])


def round_trip(study: es.Study, folder: Path) -> es.Study:
    study.save(folder / "study.npz")
    return es.load(folder / "study.npz")


def compare(one: object, other: object, place: str = "") -> None:
    """Equal, but for curves that are kept as a table."""
    if isinstance(one, dict):
        assert isinstance(other, dict), place
        assert one.keys() == other.keys(), place
        for key in one:
            compare(one[key], other[key], f"{place}.{key}")
    elif isinstance(one, list) and one and not isinstance(one[0], float | list | None):
        assert len(one) == len(other), place
        for i, pair in enumerate(zip(one, other, strict=True)):
            compare(*pair, f"{place}[{i}]")
    elif isinstance(one, list | float):
        a, b = np.array(one, dtype=float), np.array(other, dtype=float)
        size = np.nanmax(np.ptp(np.nan_to_num(a), axis=0), initial=0.0) if place.startswith(".risk.") else 0.0
        assert_allclose(b, a, rtol=1e-9, atol=KEPT * size, err_msg=place)
    else:
        assert one == other, place


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"groups": True},
        {"validation": 0.3},
        {"criterion": "loo", "select": "strongest-equivalent"},
        {"criterion": "gcv"},
        {"criterion": "kfold", "folds": 3, "per_target": False},
        {"alpha": 0.3},
    ],
)
@pytest.mark.parametrize("case", ["tall", "targets", "wide, precision, targets", "free columns"])
def test_result_json_is_the_same(case, asked, tmp_path):
    problem = make(11, **CASES[case])
    if "groups" in asked:
        asked = asked | {"groups": np.arange(len(problem.y)) // 3}
    study = problem.study(**asked)
    one, other = study.to_dict(), round_trip(study, tmp_path).to_dict()
    assert one.pop("risk_standard_error")
    assert not other.pop("risk_standard_error")  # they need the rows, as the certificate does
    assert set(one["path"].pop("certificate")) != {None} == set(other["path"].pop("certificate"))
    compare(one, other)


@pytest.mark.parametrize("targets", [None, 3])
def test_doubts_about_the_choice_are_kept(targets, tmp_path):
    study = make(3, 30, 5, targets, noise=2.0).study(criterion="loo")
    loaded = round_trip(study, tmp_path).choice
    for name in ("interval", "optimism", "corrected"):
        assert_array_equal(getattr(loaded, name), getattr(study.choice, name))
        assert isinstance(getattr(loaded, name), type(getattr(study.choice, name)))
    assert loaded.agreement == study.choice.agreement
    assert loaded.flatness == study.choice.flatness
    assert isinstance(loaded.agreement, tuple) == (targets is not None)


def test_a_loaded_study_knows_how_its_rows_were_split(tmp_path):
    problem = make(3, 40, 5)
    study = problem.study(groups=np.arange(40) // 4, validation=0.25, folds=3)
    facts = round_trip(study, tmp_path).facts
    assert (facts.groups, facts.groups_source, facts.folds) == (study.facts.groups, "given", 3)
    assert (facts.rows, facts.held_out, facts.held_out_source) == (
        study.facts.rows,
        40 - facts.rows,
        "fraction",
    )


def test_standard_errors_are_kept(tmp_path):
    study = make(3, 25, 6, free=2, weights="precision", factors=True).study()
    loaded = round_trip(study, tmp_path)
    for kind in ("frequentist", "bayesian"):
        assert_allclose(loaded.standard_errors(ALPHAS, kind), study.standard_errors(ALPHAS, kind))
    assert_allclose(loaded.covariance(), study.covariance())
    assert (loaded.dispersion, loaded.residual_df) == (study.dispersion, study.residual_df)
    assert loaded.summary() == study.summary()


def test_findings_with_names_are_kept(tmp_path):
    X = np.random.default_rng(0).normal(size=(20, 4))
    X[:, 1], X[:, 2] = X[:, 0], 7.0
    study = es.study(X, X[:, 3] + X[:, 0], feature_names=["größe", "b'\"", "c", "d"])
    loaded = round_trip(study, tmp_path)
    assert list(loaded.audit) == list(study.audit)
    assert loaded.feature_names == study.feature_names
    assert loaded.coef(0.1)[2] == 0.0


def test_the_comparison_can_fail():
    """A curve may differ by a millionth of its range, and nothing else by more than rounding."""
    result = make(3, 25, 5).study().to_dict()
    compare(result, result)
    curve = list(result["risk"]["loo"])
    moved = {"loo": [curve[0] * (1 + 1e-4), *curve[1:]]}
    for change in (
        {"risk": result["risk"] | moved},
        {"rows": 26},
        {"alpha": result["alpha"] | {"interval": [0.0, 1.0]}},
        {"alpha": result["alpha"] | {"boundary": "zero"}},
        {"agreement": None},
        {"audit": result["audit"][1:]},
        {"dispersion": result["dispersion"] * (1 + 1e-8)},
    ):
        with pytest.raises(AssertionError):
            compare(result, result | change)
