"""What auto takes: each target alone, in any units, with its band, and the reason it gives."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import eigenshrink as es
from criteria_oracles import contributions, paired_error
from eigenshrink.choice import resolve
from oracles import Problem, make

INNER = np.array([1e-3, 0.05, 1.0, 30.0, 1e3])


def pairs(problem: Problem) -> np.ndarray:
    return np.random.default_rng(1).permutation(np.arange(len(problem.y)) // 2)


# --- targets, units -----------------------------------------------------------------------------------


@pytest.mark.parametrize("grouped", [False, True])
def test_each_target_as_if_alone(grouped):
    problem = make(3, 40, 5, t=3, noise=2.0)
    groups = pairs(problem) if grouped else None
    together = problem.study(groups=groups)
    alone = [problem.with_(y=problem.y[:, j]).study(groups=groups) for j in range(3)]
    assert_allclose(together.alpha, [study.alpha for study in alone], rtol=1e-6)
    assert_allclose(
        together.risk["combined"](INNER),
        np.column_stack([study.risk["combined"](INNER) for study in alone]),
        rtol=1e-10,
    )
    assert_allclose(together.choice.interval, [study.choice.interval for study in alone], rtol=1e-6)


def test_one_strength_for_all_targets_is_that_of_the_sum():
    problem = make(3, 40, 5, t=3, noise=2.0)
    study = problem.study(per_target=False)
    around = study.risk["combined"](study.alpha[0] * np.array([0.99, 1.0, 1.01])).sum(axis=1)
    assert np.all(study.alpha == study.alpha[0])
    assert np.argmin(around) == 1


@pytest.mark.parametrize("shape", [(40, 5), (15, 20)])
@pytest.mark.parametrize("grouped", [False, True])
def test_units_of_the_data_do_not_matter(shape, grouped):
    problem = make(3, *shape, noise=2.0)
    groups = pairs(problem) if grouped else None
    plain = problem.study(groups=groups)
    alpha, interval = plain.alpha, np.array(plain.choice.interval)
    order = np.random.default_rng(0).permutation(len(problem.y))
    reordered = problem.with_(X=problem.X[order], y=problem.y[order])
    changed = {
        "y": (problem.with_(y=1e3 * problem.y - 7.0), 1.0, groups),
        "X": (problem.with_(X=0.01 * problem.X), 1e-4, groups),
        "origin": (problem.with_(X=problem.X + 5.0), 1.0, groups),
        "rows": (reordered, 1.0, groups[order] if grouped else None),
        "weights": (problem.with_(s=np.full(len(problem.y), 2.5)), 1.0, groups),
    }
    for what, (other, scale, labels) in changed.items():
        study = other.study(groups=labels)
        assert_allclose(study.alpha, scale * alpha, rtol=1e-6, err_msg=what)
        assert_allclose(study.choice.interval, scale * interval, rtol=1e-5, err_msg=what)


# --- how sure -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("grouped", [False, True])
def test_the_interval_is_the_paired_band_around_its_own_optimum(grouped):
    problem = make(0, 45, 30)
    units = pairs(problem) if grouped else np.arange(45)
    study = problem.study(groups=units if grouped else None)
    low, high = study.choice.interval
    assert 0 < low < study.alpha < high < np.inf
    best = contributions(problem, study.alpha, units, units)
    for alpha, inside in ((low, 0.99), (low, 1.01), (high, 1.01), (high, 0.99)):
        apart = contributions(problem, alpha * inside, units, units) - best
        beyond = (alpha == low) == (inside < 1)
        assert (apart.sum() > 1.96 * paired_error(apart)[0]) == beyond


@pytest.mark.parametrize("grouped", [False, True])
def test_the_estimate_beside_it_is_what_is_corrected(grouped):
    problem = make(5, 45, 5, noise=4.0)
    study = problem.study(groups=pairs(problem) if grouped else None)
    curve = study.risk["leave_group_out" if grouped else "loo"]
    assert study.choice.optimism == curve.optimism > 0
    assert study.choice.corrected == pytest.approx(curve(study.alpha) + curve.optimism, rel=1e-12)
    assert study.risk["combined"].unit == "combined score"


def test_agreement_is_measured_by_its_interval():
    study = make(5, 45, 5, noise=4.0).study()
    found, (low, high) = study.choice.agreement, study.choice.interval
    assert set(found.optima) == {"combined", "loo", "gcv", "cp", "evidence"}
    assert found.inside == {name: low <= alpha <= high for name, alpha in found.optima.items()}
    assert found.agrees == all(found.inside.values())


# --- auto ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "asked", "name", "why"),
    [
        ((25, 5), {}, "combined", "corrected by Cp"),
        ((12, 20), {}, "combined", "no row is left over"),
        (
            (25, 5),
            {"groups": np.arange(25) // 2},
            "combined",
            "groups were given: evidence corrected by leave",
        ),
        ((12, 20), {"groups": np.arange(12) // 2}, "combined", "groups were given"),
        ((25, 5), {"validation": 0.2}, "validation", "held out"),
        ((25, 5), {"validation": 0.2, "groups": np.arange(25) // 2}, "validation", "held out"),
    ],
)
def test_what_auto_means(shape, asked, name, why):
    study = make(3, *shape).study(**asked)
    assert study.choice.criterion == name
    assert why in study.choice.reason
    assert study.alpha == study.risk[name].minimum.alpha
    assert resolve(study.path, "auto") == (name, study.choice.reason)


def test_a_study_without_its_rows_keeps_its_choice(tmp_path):
    study = make(3, 25, 5).study()
    study.save(tmp_path / "study.npz")
    again = es.load(tmp_path / "study.npz")
    assert (again.alpha, again.choice.criterion) == (study.alpha, "combined")
    assert resolve(again.path, "auto") == ("evidence", "the rows are not at hand")
