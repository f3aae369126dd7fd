"""The simulation for classes, counts and positive numbers: its truth, its errors, its oracle, its tables."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks import choose
from benchmarks.choosing import settings
from benchmarks.choosing.generalised import JUDGES, SETTINGS, draw_rows
from benchmarks.choosing.settings import Setting
from benchmarks.choosing.table import Record, markdown
from benchmarks.choosing.ways import (
    COSTLY,
    GENERALISED,
    INTERVALS,
    PEERS,
    oracle,
    peers,
    repetition,
    true_error,
)
from numpy.testing import assert_array_equal
from sklearn.metrics import log_loss, mean_gamma_deviance, mean_poisson_deviance

import eigenshrink as es

SEED = choose.UNSEEN
SMALL = Setting("small", 40, 4, loss="logistic")
COUNTS = Setting("small counts", 40, 4, snr=0.5, loss="poisson")
CLASSES = Setting("small classes", 45, 3, snr=2.0, loss="multinomial")
COPIES = Setting("small twice", 48, 4, snr=2.0, loss="logistic", copies=2)


# --- the truth ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_as_it_says(name):
    setting = SETTINGS[name]
    drawn = draw_rows(setting, SEED)
    assert drawn.X.shape == (setting.n, setting.p)
    assert len(drawn.judges) == len(drawn.mean)
    assert len(drawn.judges) == (569 - setting.n if setting.real else JUDGES)
    assert len(np.unique(drawn.X, axis=0)) == setting.n // setting.copies
    assert (drawn.groups is None) == (not setting.related)
    classes = {"logistic": 2, "multinomial": 3}.get(setting.loss)
    if classes:
        assert_array_equal(np.unique(drawn.y), np.arange(classes))
    else:
        assert np.all(drawn.y >= 0 if setting.loss == "poisson" else drawn.y > 0)


def test_names_are_used_once():
    assert not set(SETTINGS) & set(settings.SETTINGS)
    assert choose.SETTINGS.keys() == set(SETTINGS) | set(settings.SETTINGS)


def test_the_linear_predictor_varies_as_told():
    """Poisson: the log of the mean is the predictor; its variance over many draws and rows."""
    eta = [np.log(draw_rows(COUNTS, seed).mean) for seed in range(SEED, SEED + 40)]
    assert np.var(eta, axis=1).mean() == pytest.approx(0.5, rel=0.03)
    assert np.mean(eta) == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize(
    ("name", "mean", "spread"),
    [
        ("logistic n300 p20, 5 % rare", 0.05, 0.0),
        ("poisson n100 p20 top", 1.0, 0.0),
        ("counts, overdispersed", 1.0, 1.0),
        ("gamma n100 p20", 1.28, 0.5),
    ],
)
def test_targets_scatter_as_told(name, mean, spread):
    """Mean of all targets, and their variance beyond what the loss allows, in squares of the mean."""
    setting = SETTINGS[name]
    drawn = [draw_rows(setting, seed) for seed in range(SEED, SEED + 60)]
    y = np.concatenate([each.y for each in drawn])
    assert y.mean() == pytest.approx(mean, rel=0.15)
    assert np.mean([each.mean.mean() for each in drawn]) == pytest.approx(mean, rel=0.1)
    if setting.loss != "logistic":
        own = 1.0 / mean if setting.loss == "poisson" else 0.0
        beyond = np.exp(setting.snr) * (1 + spread) + own - 1
        assert y.var() / mean**2 == pytest.approx(beyond, rel=0.35)


def test_rows_of_a_group_are_alike_and_the_judges_are_new_ones():
    setting, pairs = SETTINGS["logistic, 20 groups of 5"], []
    for seed in range(SEED, SEED + 60):
        drawn = draw_rows(setting, seed)
        apart = (drawn.y - drawn.y.mean()).reshape(20, 5)
        pairs.append([np.mean(apart[:, 0] * apart[:, 1]), np.mean(apart[:-1, 0] * apart[1:, 1])])
    together, others = np.mean(pairs, axis=0)
    assert together > 0.04 > abs(others) * 2


# --- the error ----------------------------------------------------------------------------------------


def weights(setting, seed=0):
    rng = np.random.default_rng(seed)
    shape = (2, 3, setting.p) if setting.loss == "multinomial" else (2, setting.p)
    return 0.3 * rng.normal(size=shape), 0.1 * rng.normal(size=shape[:-1])


@pytest.mark.parametrize("setting", [SMALL, CLASSES], ids=lambda setting: setting.name)
def test_the_error_of_classes_is_log_loss(setting):
    """Every judge once in each class, weighed by how likely that is."""
    drawn, (coef, intercept) = draw_rows(setting, SEED), weights(setting)
    share = drawn.mean if drawn.mean.ndim == 2 else np.column_stack([1 - drawn.mean, drawn.mean])
    m, c = share.shape
    for one, at, said in zip(coef, intercept, drawn.error(coef, intercept), strict=True):
        eta = drawn.judges @ one.T + at
        eta = eta if eta.ndim == 2 else np.column_stack([np.zeros(m), eta])
        chance = np.exp(eta) / np.exp(eta).sum(axis=1, keepdims=True)
        expected = log_loss(
            np.repeat(np.arange(c), m),
            np.tile(chance, (c, 1)),
            sample_weight=share.T.ravel(),
            labels=range(c),
        )
        assert said == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("kind", ["poisson", "gamma"])
def test_the_error_of_numbers_is_half_the_deviance(kind):
    """Of targets drawn anew at many judges."""
    setting = Setting("far", 30, 4, snr=0.5, loss=kind)
    deviance = mean_poisson_deviance if kind == "poisson" else mean_gamma_deviance
    rng, apart, said = np.random.default_rng(1), [], []
    for seed in range(SEED, SEED + 30):
        drawn, (coef, intercept) = draw_rows(setting, seed), weights(setting, seed)
        y = rng.poisson(drawn.mean) if kind == "poisson" else drawn.mean * rng.gamma(2.0, 0.5, size=JUDGES)
        seen = deviance(y, np.exp(drawn.judges @ coef[0] + intercept[0])) / 2
        said.append(drawn.error(coef, intercept)[0])
        apart.append(said[-1] - seen)
    assert np.mean(apart) == pytest.approx(0.0, abs=4 * np.std(apart) / np.sqrt(30))
    assert np.std(apart) < 0.1 < np.mean(said)


@pytest.mark.parametrize("setting", [SMALL, COUNTS, CLASSES], ids=lambda setting: setting.name)
def test_no_strength_is_better_than_the_oracle(setting):
    drawn = draw_rows(setting, SEED)
    study = es.study(drawn.X, drawn.y, loss=setting.loss)
    best, least = oracle(study, drawn, np.array([study.alpha]))
    assert true_error(study, drawn, np.array([best]))[0] == pytest.approx(least, rel=1e-12)
    dense = np.concatenate([np.logspace(-4, 4, 300), [np.inf]])
    assert least <= true_error(study, drawn, dense).min() * (1 + 1e-5)


def test_classes_apart_are_judged_at_the_weakest_model_there_is():
    drawn = draw_rows(Setting("apart", 30, 40, snr=9.0, loss="logistic"), SEED)
    study = es.study(drawn.X, drawn.y, loss="logistic")
    assert study.path.lowest > 0
    zero, lowest = true_error(study, drawn, np.array([0.0, study.path.lowest]))
    assert zero == lowest > oracle(study, drawn, np.array([study.alpha]))[1]


# --- the ways -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", [COUNTS, CLASSES, COPIES], ids=lambda setting: setting.name)
def test_what_is_measured_of_a_draw(setting):
    found = repetition(setting, SEED)
    there = [way for way in GENERALISED if setting.related or way != "leave_group_out"]
    there = [way for way in there if setting.loss != "poisson" or way not in PEERS]
    assert {name.removeprefix("excess ") for name in found if name.startswith("excess")} == set(there)
    assert all(found[f"excess {way}"] >= -1e-6 for way in there)
    left_out = "leave_group_out" if setting.related else "loo"
    assert any(
        found["excess auto"] == pytest.approx(found[f"excess {way}"], rel=1e-6, abs=1e-9)
        for way in (left_out, "evidence")
    )
    assert all(found[f"covers {name}"] in (0.0, 1.0) for name in INTERVALS)


def test_the_peer_is_one_of_its_ten_strengths():
    drawn = draw_rows(SMALL, SEED)
    study = es.study(drawn.X, drawn.y, loss="logistic")
    ten = true_error(study, drawn, 1 / (40 * np.logspace(-4, 4, 10)))
    for error in peers(drawn).values():
        assert np.abs(ten / error - 1).min() < 1e-4


def test_a_draw_depends_on_its_seed_alone():
    assert_array_equal(draw_rows(SMALL, SEED).y, draw_rows(SMALL, SEED).y)
    assert not np.allclose(draw_rows(SMALL, SEED).X, draw_rows(SMALL, SEED + 1).X)
    coef, intercept = weights(SMALL)
    one, two = (draw_rows(SMALL, SEED).error(coef, intercept) for _ in range(2))
    assert_array_equal(one, two)


def test_what_is_costly_is_asked_in_the_first_repetitions():
    seeds = range(SEED, SEED + 3)
    assert choose.costly(COUNTS, seeds) == [True] * 3 == choose.costly(Setting("x", 9, 2), seeds)
    many = choose.costly(COUNTS, range(SEED, SEED + 200))
    assert (sum(many), many[0], many[-1]) == (COSTLY, True, False)
    assert all(choose.costly(Setting("x", 9, 2), range(SEED, SEED + 200)))
    dear, cheap = repetition(COUNTS, SEED), repetition(COUNTS, SEED, costly=False)
    assert dear.keys() - cheap.keys() == {"excess kfold"}
    record = Record.of(COUNTS, [dear | {"excess kfold": 0.0}, cheap])
    assert np.isnan(record.values["excess kfold"][1])
    assert record.best != "kfold"
    gone, _ = record.values["excess auto"]
    best = record.values[f"excess {record.best}"][0]
    assert Record.of(COUNTS, [dear, dear]).beyond_best("kfold")[1] == 0.0
    assert record.beyond_best("auto")[0] == pytest.approx(gone - best)


# --- the tables ---------------------------------------------------------------------------------------


def test_each_family_of_losses_has_its_own_tables():
    rows = [Record.of(COUNTS, [repetition(COUNTS, seed) for seed in (SEED, SEED + 1)])]
    text = markdown(rows, "7 to 8")
    assert text.startswith("# Which way of choosing α does best for classes, counts and positive numbers")
    assert rows[0].best in ("loo", "kfold", "cp", "evidence")
    head = next(line for line in text.splitlines() if line.startswith("| setting |"))
    assert head == "| setting | " + " | ".join(GENERALISED) + " |"
    assert "gcv" not in text
