"""The simulation of ways of choosing: its truth holds, its oracle is one, its tables say what was drawn."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks import choose
from benchmarks.choosing.settings import SETTINGS, Setting, draw
from benchmarks.choosing.table import Record, markdown
from benchmarks.choosing.ways import ESTIMATES, INTERVALS, SINGLE, WAYS, oracle, repetition, true_error
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, PredefinedSplit

import eigenshrink as es

SEED = choose.UNSEEN
SMALL = Setting("small", 24, 4)
COPIES = Setting("small twice", 24, 4, copies=2)
GROUPS = Setting("small groups", 24, 4, group=4)


# --- the truth ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_as_it_says(name):
    setting = SETTINGS[name]
    drawn = draw(setting, SEED)
    assert drawn.X.shape == (setting.n, setting.p)
    assert drawn.coef @ drawn.covariance @ drawn.coef == pytest.approx(setting.snr)
    assert np.trace(drawn.covariance) == pytest.approx(setting.p)
    assert len(np.unique(drawn.X, axis=0)) == setting.n // setting.copies
    assert (drawn.groups is None) == (setting.group == 0)


@pytest.mark.parametrize(
    ("signal", "low", "high"),
    [("top", 0.8, 1.0), ("isotropic", 0.5, 0.75), ("bottom", 0.2, 0.3), ("lowest quarter", 0.0, 1e-12)],
)
def test_where_the_signal_sits(signal, low, high):
    """Mean share of the signal in the quarter of the directions that vary most."""
    shares = []
    for seed in range(SEED, SEED + 200):
        drawn = draw(Setting("x", 10, 20, signal), seed)
        variances, directions = np.linalg.eigh(drawn.covariance)
        signals = variances * (directions.T @ drawn.coef) ** 2
        shares.append(signals[-5:].sum() / signals.sum())
    assert low <= np.mean(shares) <= high


@pytest.mark.parametrize(
    "setting", [SMALL, GROUPS, Setting("uneven", 24, 4, uneven=True)], ids=lambda setting: setting.name
)
def test_the_error_is_that_on_new_rows(setting):
    """Against rows of many new draws, brought to the same truth."""
    drawn = draw(setting, SEED)
    coef, intercept = drawn.coef + 0.3, np.array([0.5])
    root = np.linalg.cholesky(drawn.covariance)
    found = []
    for seed in range(SEED + 1, SEED + 800):
        other = draw(setting, seed)
        noise = other.y - other.X @ other.coef
        X = np.linalg.solve(np.linalg.cholesky(other.covariance), other.X.T).T @ root.T
        found.append(np.mean((noise + X @ (drawn.coef - coef) - intercept) ** 2) / 2)
    said = drawn.error(coef[None], intercept)[0]
    assert np.mean(found) == pytest.approx(said, abs=4 * np.std(found) / np.sqrt(len(found)))
    assert said > drawn.noise / 2 == drawn.error(drawn.coef[None], np.zeros(1))[0]


def test_rows_of_a_group_share_columns_and_an_effect():
    X, noise = [], []
    for seed in range(SEED, SEED + 400):
        drawn = draw(GROUPS, seed)
        noise.append((drawn.y - drawn.X @ drawn.coef).reshape(6, 4))
        X.append((drawn.X @ drawn.coef).reshape(6, 4))
    assert np.mean(np.square(noise)) == pytest.approx(2.0, abs=0.15)
    for values, share in ((np.concatenate(noise), 0.5), (np.concatenate(X), 0.7)):
        assert np.corrcoef(values[:, 0], values[:, 1])[0, 1] == pytest.approx(share, abs=0.06)


def test_a_draw_depends_on_its_seed_and_setting_alone():
    assert_array_equal(draw(SMALL, SEED).X, draw(SMALL, SEED).X)
    assert not np.allclose(draw(SMALL, SEED).X, draw(SMALL, SEED + 1).X)
    assert not np.allclose(draw(SMALL, SEED).X, draw(Setting("other", 24, 4), SEED).X)


@pytest.mark.parametrize("setting", [SMALL, COPIES, GROUPS], ids=lambda setting: setting.name)
def test_no_strength_is_better_than_the_oracle(setting):
    for seed in range(SEED, SEED + 4):
        drawn = draw(setting, seed)
        study = es.study(drawn.X, drawn.y)
        best, least = oracle(study, drawn, np.array([study.alpha]))
        assert true_error(study, drawn, np.array([best]))[0] == pytest.approx(least, rel=1e-12)
        dense = np.concatenate([[0.0], np.logspace(-8, 8, 3000), [np.inf]])
        assert least <= true_error(study, drawn, dense).min() * (1 + 1e-5)


# --- the ways -----------------------------------------------------------------------------------------


def test_ten_folds_are_those_of_grid_search():
    """Both hold Sα while folds are left out."""
    drawn = draw(Setting("folds", 40, 5), SEED)
    study = es.study(drawn.X, drawn.y, folds=10)
    alphas = np.logspace(-3, 2, 30)
    folds = PredefinedSplit(study.path.fit.training.splits.folds)
    search = GridSearchCV(Ridge(), {"alpha": 40 * alphas}, cv=folds, scoring="neg_mean_squared_error")
    scores = search.fit(drawn.X, drawn.y).cv_results_["mean_test_score"]
    assert_allclose(study.risk["kfold"](alphas), -scores / 2, rtol=1e-9)


@pytest.mark.parametrize("setting", [SMALL, COPIES, GROUPS], ids=lambda setting: setting.name)
def test_what_is_measured_of_a_draw(setting):
    found = repetition(setting, SEED)
    there = [way for way in WAYS if setting.related or way != "leave_group_out"]
    assert [name.removeprefix("excess ") for name in found if name.startswith("excess")] == there
    assert all(found[f"excess {way}"] >= -1e-9 for way in there)
    for name in INTERVALS:
        assert found[f"covers {name}"] in (0.0, 1.0)
        assert 0 <= found[f"decades {name}"] <= 10
    for name in ESTIMATES:
        assert found[f"believed {name}"] > 0
        assert found[f"true {name}"] >= 0.5
    assert found == repetition(setting, SEED)


def test_peers_are_asked_in_their_own_unit():
    """A hundred strengths of RidgeCV are as good as leave-one-out, which is what it minimises."""
    setting = Setting("n40 p10", 40, 10)
    found = [repetition(setting, seed) for seed in range(SEED, SEED + 6)]
    apart = [each["excess RidgeCV, 100"] - each["excess loo"] for each in found]
    assert np.abs(apart).max() < 1.0
    assert max(abs(each["excess RidgeCV"] - each["excess loo"]) for each in found) > 1.0


def test_groups_help_where_rows_are_copies():
    found = [repetition(COPIES, seed) for seed in range(SEED, SEED + 6)]
    assert np.mean([each["excess auto"] for each in found]) < np.mean([each["excess loo"] for each in found])


# --- the tables ---------------------------------------------------------------------------------------


def record(setting: Setting = SMALL, **excess: list[float]) -> Record:
    """A record whose excesses are told; what is not told is 9."""
    count = len(next(iter(excess.values())))
    values = {f"excess {way}": np.full(count, 9.0) for way in WAYS if way != "leave_group_out"}
    values |= {f"excess {way}": np.array(told) for way, told in excess.items()}
    for name in INTERVALS:
        values |= {f"{what} {name}": np.zeros(count) for what in ("decades", "open")}
        values[f"covers {name}"] = np.arange(count) > 0
    for name in ESTIMATES:
        values |= {f"believed {name}": np.full(count, 0.9), f"true {name}": np.ones(count)}
    return Record(setting, values)


def test_differences_are_paired():
    found = record(auto=[2.0, 4.0, 9.0], gcv=[1.0, 4.0, 7.0])
    assert found.best == "gcv"
    mean, error = found.beyond_best("auto")
    assert mean == pytest.approx(1.0)
    assert error == pytest.approx(1 / np.sqrt(3))
    assert found.beyond_best("leave_group_out") is None
    assert found.bias("corrected") == pytest.approx((-10.0, 0.0))


@pytest.mark.parametrize("way", ["auto", "RidgeCV", "10-fold"])
def test_the_best_is_a_single_criterion(way):
    assert record(**{way: [0.0, 0.0], "evidence": [1.0, 1.0]}).best == "evidence"
    assert way not in SINGLE


@pytest.mark.parametrize(
    ("setting", "excess", "met"),
    [
        (SMALL, 5.5, True),
        (SMALL, 5.6, False),
        (GROUPS, 8.0, True),
        (GROUPS, 8.1, False),
        (COPIES, 8.1, False),
        (Setting("far", 24, 4, further=True), 50.0, None),
    ],
)
def test_the_bars(setting, excess, met):
    assert record(setting, auto=[excess] * 4, loo=[5.0] * 4).met is met


@pytest.mark.parametrize(("count", "covered"), [(4, False), (10, True)])
def test_the_aim_of_the_interval(count, covered):
    assert record(auto=[1.0] * count).covered is covered


def test_the_tables_have_a_line_per_setting():
    further = Setting("far", 24, 4, further=True)
    text = markdown([record(auto=[1.0, 2.0], cp=[0.0, 1.0]), record(further, auto=[1.0, 2.0])], "7 to 8")
    assert "2 repetitions of each setting, seeds 7 to 8" in text
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    assert [line[0].split(" |")[0] for line in lines].count("small") == 4
    assert [line[0].split(" |")[0] for line in lines].count("far") == 4
    first = next(line for line in lines if line[0] == "small")
    assert first[1] == "1.50 / 2"
    assert "**0.50 / 1**" in first
    assert "| small | cp | **no** | +1.00 ± 0.00 |" in text
    assert "| far | loo |  | -7.50 ± 0.50 |" in text


def test_the_command_writes_its_tables(tmp_path, capsys):
    asked = ["--settings", "n50 p20 top", "40 rows twice", "--repetitions", "2", "--processes", "1"]
    assert choose.main([*asked, "--output", str(tmp_path / "bench")]) == 0
    text = (tmp_path / "bench" / "choose.md").read_text(encoding="utf-8")
    assert "seeds 10000 to 10001" in text
    assert text.strip() == capsys.readouterr().out.strip()


def test_processes_change_nothing():
    setting = SETTINGS["n50 p20 top"]
    (one,), (two,) = (list(choose.simulate([setting], range(SEED, SEED + 2), k)) for k in (1, 2))
    assert one.values.keys() == two.values.keys()
    for name, value in one.values.items():
        assert_allclose(value, two.values[name], rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("asked", [["--first-seed", "9999"], ["--repetitions", "1"]])
def test_seeds_that_tuned_the_rule_are_refused(asked, capsys):
    with pytest.raises(SystemExit):
        choose.main(asked)
    assert "seeds below 10000" in capsys.readouterr().err
