"""How sure a choice is, and which estimate to believe: agreement within the band, and the cause where not."""

from __future__ import annotations

import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import eigenshrink as es
from eigenshrink.choice import Choice, Confidence
from eigenshrink.choice.agreement import CAUSES
from eigenshrink.data.digits import number
from eigenshrink.record import Asked
from eigenshrink.risk import criterion_name
from oracles import CASES, make

SEEDS = range(6)


def scaled(seed: int, n: int, scales: list[float], truth: np.ndarray, noise: float = 1.0) -> es.Study:
    """Columns of different scale, so that the spectrum says where the signal sits."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, len(scales))) * scales
    return es.study(X, X @ truth + noise * rng.normal(size=n), criterion="evidence")


def weak(seed: int) -> es.Study:
    """All of the signal in the half of the directions that vary least."""
    return scaled(seed, 200, [10.0] * 10 + [0.3] * 10, np.repeat([0.0, 3.0], 10))


def strong(seed: int) -> es.Study:
    """All of it where they vary most."""
    return scaled(seed, 300, [10.0] * 5 + [1.0] * 25, np.repeat([0.3, 0.0], [5, 25]), 3.0)


def many(seed: int) -> es.Study:
    """Two columns for three rows."""
    return scaled(seed, 60, [10.0] * 20 + [0.3] * 20, np.repeat([0.0, 3.0], 20))


def tailed(seed: int) -> es.Study:
    """One row far off in X and in y."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 6))
    y = X.sum(axis=1) + rng.normal(size=60)
    X[7] *= 6
    y[7] = -60
    return es.study(X, y, criterion="evidence")


def grouped(seed: int, **asked) -> es.Study:
    """Rows of a group are nearly copies of each other, in X and in y."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(12), 8)
    centre = rng.normal(size=(12, 20))
    X = centre[groups] + 0.1 * rng.normal(size=(96, 20))
    y = (0.3 * centre[:, 0] + rng.normal(size=12))[groups] + 0.1 * rng.normal(size=96)
    return es.study(X, y, groups=groups, **{"criterion": "leave_group_out"} | asked)


def causes(make_study, seeds=SEEDS) -> list[str]:
    """Causes that are named where the criteria disagree."""
    found = [make_study(seed).choice.agreement for seed in seeds]
    return [each.cause for each in found if not each.agrees]


# --- what it says -------------------------------------------------------------------------------------


@pytest.mark.parametrize("criterion", ["loo", "leave_group_out", "kfold", "gcv", "evidence", "validation"])
@pytest.mark.parametrize("case", CASES)
def test_it_is_the_optima_against_the_band(case, criterion):
    problem = make(11, **CASES[case])
    groups = np.arange(len(problem.y)) // 2
    study = problem.study(criterion=criterion, groups=groups, validation=(problem.X, problem.y))
    found = study.choice.agreement
    assert isinstance(found, tuple) == (not study.facts.one_target)
    band = study.choice.interval if criterion != "gcv" else study.risk["leave_group_out"].interval
    bands = np.reshape(band, (-1, 2))
    for j, each in enumerate(found if isinstance(found, tuple) else (found,)):
        named = {"loo", "leave_group_out", "gcv", "evidence", "validation", criterion}
        assert set(each.optima) == named | ({"cp"} & set(study.risk))
        for name, optimum in each.optima.items():
            assert optimum == np.atleast_1d(study.risk[name].minimum.alpha)[j]
            assert each.inside[name] == (bands[j, 0] <= optimum <= bands[j, 1])
        assert each.agrees == all(each.inside.values())
        assert (each.cause == "") == each.agrees
        assert each.cause in ("", *CAUSES)


def test_the_words_name_who_disagrees_and_what_to_believe():
    found = weak(1).choice.agreement
    outside = [name for name, inside in found.inside.items() if not inside]
    assert outside
    for name in outside:
        assert f"{criterion_name(name)} takes {number(found.optima[name], 3)}" in found.words
    assert "outside the strengths that evidence cannot tell from its best" in found.words
    assert CAUSES[found.cause] in found.words


def test_the_words_where_they_agree():
    study = make(3, 45, 5).study(criterion="loo")
    assert study.choice.agreement.agrees
    assert study.choice.agreement.words.startswith("GCV, Cp and evidence agree with leave-one-out")


@pytest.mark.parametrize("seed", SEEDS)
def test_the_words_name_the_one_whose_band_it_is(seed):
    found = weak(seed)
    by_gcv = es.Study(
        found.path, found.facts, found.feature_names, found.target_names, asked=Asked(criterion="gcv")
    )
    assert by_gcv.choice.interval is None
    assert "of leave-one-out." in by_gcv.choice.agreement.words or (
        "that leave-one-out cannot tell from its best" in by_gcv.choice.agreement.words
    )


def test_the_words_for_people_hold_no_key():
    groups = np.arange(60) % 12
    for criterion in ("combined", "loo", "leave_group_out", "kfold", "gcv", "cp", "evidence"):
        study = make(3, 60, 5).study(criterion=criterion, groups=groups)
        assert not re.search(r"\b(loo|leave_group_out|kfold|gcv|cp)\b", study.choice.agreement.words)


def test_each_target_is_compared_as_if_alone():
    problem = make(7, 40, 12, t=3, noise=2.0)
    together = problem.study(criterion="evidence").choice.agreement
    for j in range(3):
        alone = problem.with_(y=problem.y[:, j]).study(criterion="evidence").choice.agreement
        assert (together[j].agrees, together[j].cause, together[j].inside) == (
            alone.agrees,
            alone.cause,
            alone.inside,
        )
        assert_array_equal(
            np.log(list(together[j].optima.values())).round(6), np.log(list(alone.optima.values())).round(6)
        )


# --- causes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        (weak, "weak directions"),
        (many, "many columns"),
        (tailed, "heavy tails"),
        (grouped, "groups"),
    ],
)
def test_the_cause_is_found(kind, cause):
    """Where the criteria disagree at all, which chance decides, the cause that was built in is named."""
    found = causes(kind, range(12))
    assert len(found) >= 4
    assert found.count(cause) > 0.75 * len(found)


def test_no_cause_is_invented():
    found = causes(strong)
    assert found
    assert not {"weak directions", "many columns", "heavy tails", "groups"} & set(found)


# --- how sure -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ((0.02, 1.3), "anything between 0.02 and 1.3 is as good"),
        ((0.0, 1.3), "anything up to 1.3 is as good, no regularisation included"),
        ((0.02, np.inf), "anything from 0.02 on is as good, dropping the penalised columns included"),
        ((0.0, np.inf), "the data cannot tell any strength from any other"),
    ],
)
def test_flatness_in_plain_words(interval, words):
    assert Choice(0.1, "none", "loo", "asked for", saved=Confidence(interval=interval)).flatness == words


def test_the_estimate_is_corrected_for_having_picked_its_minimum():
    for name in ("loo", "kfold"):
        study = make(3, 45, 5, noise=2.0).study(criterion=name)
        choice = study.choice
        assert choice.optimism > 0
        assert choice.corrected == pytest.approx(study.risk[name]() + choice.optimism, rel=1e-12)
    combined = make(3, 45, 5, noise=2.0).study()
    beside = combined.risk["loo"](combined.alpha) + combined.choice.optimism
    assert combined.choice.corrected == pytest.approx(beside, rel=1e-12)
    assert make(3, 45, 5).study(criterion="evidence").choice.corrected is None


def test_targets_have_their_own_doubts():
    study = make(3, 45, 5, t=3, noise=2.0).study(criterion="loo")
    assert study.choice.interval.shape == (3, 2)
    assert np.all((study.choice.interval[:, 0] <= study.alpha) & (study.alpha <= study.choice.interval[:, 1]))
    assert study.choice.optimism.shape == study.choice.corrected.shape == (3,)
    assert study.choice.flatness == ""
