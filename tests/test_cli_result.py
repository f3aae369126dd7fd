"""``result.json``: every number of the study under its name, by the schema, infinity null and never NaN."""

from __future__ import annotations

import json
from dataclasses import asdict

import jsonschema
import numpy as np
import pytest
from numpy.testing import assert_allclose

import eigenshrink as es
from cli_runs import check_schema
from oracles import CASES, Problem, make

ASKED = {
    "as it comes": {},
    "groups": {"groups": True},
    "held out": {"validation": 0.4, "random_state": 2},
    "criterion without a band": {"criterion": "gcv"},
    "strongest": {"criterion": "evidence", "select": "strongest-equivalent"},
    "one strength": {"criterion": "loo", "per_target": False},
    "given": {"alpha": 0.2},
    "nothing": {"alpha": 0.0},
    "endless": {"alpha": np.inf},
}


def study_of(case: str, asked: str) -> es.Study:
    problem, options = make(11, **CASES[case]), dict(ASKED[asked])
    if "groups" in options:
        options["groups"] = np.arange(len(problem.y)) // 3
    return problem.study(**options)


def as_array(value: object) -> np.ndarray:
    """Numbers of a result; null is infinite."""
    return np.array(value, dtype=float)


def finite(values: object) -> np.ndarray:
    """Numbers of a study as JSON has them: what is not finite is null."""
    array = np.asarray(values, dtype=float)
    return np.where(np.isfinite(array), array, np.nan)


PAIRS = [(case, list(ASKED)[(i + j) % len(ASKED)]) for i, case in enumerate(CASES) for j in (0, 4)]


@pytest.mark.parametrize(("case", "asked"), PAIRS)
def test_it_follows_the_schema_and_is_json(case, asked):
    result = study_of(case, asked).to_dict()
    check_schema(result)
    assert json.loads(json.dumps(result, allow_nan=False)) == result


@pytest.mark.parametrize("asked", ["as it comes", "groups", "held out", "one strength", "endless"])
@pytest.mark.parametrize("case", ["tall", "targets", "wide, precision, targets", "square", "all free"])
def test_the_numbers_are_those_of_the_study(case, asked):
    study = study_of(case, asked)
    result, choice = study.to_dict(), study.choice
    assert_allclose(as_array(result["alpha"]["chosen"]), finite(study.alpha))
    for key in ("interval", "optimism", "corrected"):
        value = getattr(choice, key)
        assert (result["alpha"][key] is None) == (
            value is None or (not np.ndim(value) and not np.isfinite(value))
        )
        if value is not None:
            assert_allclose(as_array(result["alpha"][key]), finite(value))
    assert result["alpha"]["reason"] == choice.reason
    assert_allclose(as_array(result["residual_df"]), finite(study.residual_df))
    assert_allclose(as_array(result["dispersion"]), finite(study.dispersion))
    assert list(result["risk"]) == list(study.risk)
    for name, curve in study.risk.items():
        assert_allclose(as_array(result["risk"][name]), finite(curve(study.alphas)))
        error = curve.standard_error(study.alphas)
        assert (name in result["risk_standard_error"]) == (error is not None)
        if error is not None:
            assert_allclose(as_array(result["risk_standard_error"][name]), finite(error), atol=1e-12)


@pytest.mark.parametrize("case", ["tall", "tall, no intercept", "targets", "free columns", "wide", "square"])
def test_standard_errors_stand_beside_their_coefficients(case):
    study = study_of(case, "as it comes")
    result, errors = study.to_dict(), np.atleast_2d(study.standard_errors())
    assert list(result["standard_errors"]) == list(result["coefficients"]) == list(study.feature_names)
    each = np.stack([as_array(value) for value in result["standard_errors"].values()], axis=-1)
    assert_allclose(np.atleast_2d(each), finite(errors[:, : len(study.feature_names)]))
    own = np.atleast_1d(as_array(result["intercept_standard_error"]))
    assert_allclose(own, finite(errors[:, -1]) if study.facts.fit_intercept else 0.0)


def test_a_column_may_be_called_intercept():
    problem = make(3, 25, 3)
    study = problem.study(feature_names=["intercept", "a", "b"])
    result = study.to_dict()
    errors = study.standard_errors()
    assert result["standard_errors"]["intercept"] == pytest.approx(errors[0])
    assert result["intercept_standard_error"] == pytest.approx(errors[-1])
    assert errors[0] != pytest.approx(errors[-1])


def test_agreement_is_that_of_the_choice():
    one, three = make(3, 45, 5).study(criterion="loo"), make(3, 45, 5, t=3).study(criterion="loo")
    assert one.to_dict()["agreement"] == asdict(one.choice.agreement)
    for said, found in zip(three.to_dict()["agreement"], three.choice.agreement, strict=True):
        assert said == {
            key: {name: a if np.isfinite(a) else None for name, a in value.items()}
            if key == "optima"
            else value
            for key, value in asdict(found).items()
        }
    assert make(3, 45, 5).study(alpha=0.1).to_dict()["agreement"] is None


def test_an_endless_end_is_null():
    rng = np.random.default_rng(0)
    study = Problem(rng.normal(size=(30, 4)), rng.normal(size=30)).study(criterion="loo")
    assert study.choice.interval == (0.0, np.inf)
    assert study.to_dict()["alpha"]["interval"] == [0.0, None]


def test_without_residual_degrees_of_freedom_there_is_null_and_no_nan():
    result = make(3, 10, 12).study(alpha=0.0).to_dict()
    assert result["dispersion"] is None
    assert set(result["standard_errors"].values()) == {None} == {result["intercept_standard_error"]}


def test_how_the_rows_were_split():
    problem = make(3, 40, 5)
    plain = problem.study().to_dict()
    assert plain["groups"] == {"count": 0, "source": "none"}
    assert plain["held_out"] == {"rows": 0, "source": "none"}
    assert plain["folds"] == 5
    split = problem.study(groups=np.arange(40) // 2, validation=0.2, folds=3).to_dict()
    assert split["groups"] == {"count": 16, "source": "given"}
    assert split["held_out"] == {"rows": 8, "source": "fraction"}
    assert (split["rows"], split["folds"]) == (32, 3)
    given = problem.study(validation=(problem.X[:5], problem.y[:5])).to_dict()
    assert (given["rows"], given["held_out"]) == (40, {"rows": 5, "source": "given"})


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("groups", {"count": -1, "source": "given"}),
        ("groups", {"count": 3, "source": "guessed"}),
        ("held_out", {"rows": 3}),
        ("folds", 2.5),
        ("agreement", {"agrees": True}),
        ("standard_errors", {"a": "large"}),
        ("risk_standard_error", {"loo": 3}),
        ("intercept_standard_error", "small"),
        ("dispersion", "1"),
        ("residual_df", {}),
    ],
)
def test_the_schema_can_fail(key, wrong):
    with pytest.raises(jsonschema.ValidationError):
        check_schema(make(3, 25, 5).study().to_dict() | {key: wrong})


@pytest.mark.parametrize("interval", [[1.0], [0.0, 1.0, 2.0], "0-1", 3.0, [[0.0], [1.0]]])
def test_an_interval_has_two_ends(interval):
    result = make(3, 25, 5).study().to_dict()
    with pytest.raises(jsonschema.ValidationError):
        check_schema(result | {"alpha": result["alpha"] | {"interval": interval}})
