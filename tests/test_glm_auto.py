"""What ``criterion="auto"`` takes for losses other than squared: the stronger of two optima."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import eigenshrink as es
from eigenshrink.choice.rule import resolve

INNER = np.geomspace(0.01, 10.0, 7)


def draw(seed, n=60, p=8, kind="logistic", strength=1.0, groups=None):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    eta = X @ rng.normal(size=p) * strength / np.sqrt(p)
    if kind == "logistic":
        y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    elif kind == "poisson":
        y = rng.poisson(np.exp(eta)).astype(float)
    else:
        y = np.exp(eta) * rng.gamma(2.0, 0.5, size=n)
    return es.study(X, y, loss=kind, groups=groups)


@pytest.mark.parametrize("kind", ["logistic", "poisson", "gamma"])
def test_the_stronger_of_two_optima(kind):
    """On a dense grid; each of the two must be the stronger one for some of the draws."""
    grid, seen = np.geomspace(1e-3, 1e3, 6000), set()
    for seed in range(8):
        study = draw(seed, kind=kind)
        left_out, believed = (grid[np.argmin(study.risk[name](grid))] for name in ("loo", "evidence"))
        assert np.clip(study.alpha, grid[0], grid[-1]) == pytest.approx(max(left_out, believed), rel=3e-3)
        curve = study.risk["evidence"] if believed > left_out else study.risk["loo"]
        scale = 1.0 if believed > left_out else 60 / dispersion(study, kind)
        assert_allclose(study.risk["combined"](INNER), scale * curve(INNER), rtol=1e-9)
        seen.add(bool(believed > left_out))
    assert seen == {True, False}


def dispersion(study, kind):
    """Pearson's, by hand, of the unpenalised fit; known for classes and counts."""
    if kind != "gamma":
        return 1.0
    path, table = study.path, study.path.fit.training.table
    mean = study.predict(table.X, alpha=0.0)
    spare = len(mean) - path.effective_parameters(0.0)
    return float(np.sum((table.y[:, 0] / mean - 1.0) ** 2) / spare)


def test_slopes_are_those_of_the_values():
    for seed in (0, 1, 2, 3):
        curve = draw(seed).risk["combined"]
        step = 1e-5
        numeric = (curve(INNER * np.exp(step)) - curve(INNER * np.exp(-step))) / (2 * step)
        assert_allclose(curve.derivative(INNER), numeric, rtol=1e-5, atol=1e-5)


def test_groups_are_left_out_together():
    groups = np.repeat(np.arange(15), 4)
    for seed in range(6):
        study = draw(seed, groups=groups)
        assert study.choice.criterion == "combined"
        assert study.choice.reason.startswith("groups were given: the stronger of what leave-group-out")
        asked = (study.risk[name].minimum.alpha for name in ("leave_group_out", "evidence"))
        assert study.alpha == pytest.approx(max(asked), rel=1e-9)


def test_classes_apart_are_not_left_without_a_penalty():
    """A prior that is believed where the rows come apart asks for next to none."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(60, 8))
    y = (X @ rng.normal(size=8) > 0).astype(float)
    study = es.study(X, y, loss="logistic")
    assert study.path.separation == "complete"
    assert study.alpha >= study.risk["loo"].minimum.alpha * (1 - 1e-6) > study.path.lowest
    assert study.alpha >= study.risk["evidence"].minimum.alpha


def test_the_reason_is_said():
    study = draw(0)
    assert study.choice.reason == "the stronger of what leave-one-out and evidence ask for"


def test_without_a_dispersion_leave_one_out_chooses():
    """Gamma with as many columns as rows: nothing is left over to estimate the dispersion by."""

    for groups, name in ((None, "loo"), (np.repeat(np.arange(10), 2), "leave_group_out")):
        study = draw(0, n=20, p=30, kind="gamma", groups=groups)
        criterion, reason = resolve(study.path, "auto")
        assert criterion == name
        assert "no row is left over to estimate the dispersion by" in reason
