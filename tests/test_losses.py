"""Every loss against its textbook formula in hundreds of digits, and against the deviances of others."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import scipy.special
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import log_loss

import eigenshrink as es
from eigenshrink.models import EFFICIENT, LOSSES, Loss, find_loss, needs_scale
from eigenshrink.models.squared import SQUARED
from eigenshrink.units import equivalents, objective

POSITIVE, AMOUNTS, SHARES = (0.02, 0.7, 1.0, 350.0), (0.0, 0.4, 1.0, 7.0, 2e4), (0.0, 1.0, 0.3, 0.5, 0.9)
TARGETS = {
    "squared": (-3.0, 0.0, 0.4),
    "logistic": SHARES,
    "binomial": SHARES,
    "poisson": AMOUNTS,
    "gamma": POSITIVE,
    "inverse_gaussian": POSITIVE,
    "tweedie": AMOUNTS,
    "tweedie:1.05": AMOUNTS,
    "tweedie:1.9": AMOUNTS,
    "huber": (-3.0, 0.0, 0.4),
    "huber:0.3": (-3.0, 0.0, 0.4),
}
PREDICTORS = (-800.0, -300.0, -40.0, -3.1, -0.2, 0.0, 0.35, 2.2, 30.0, 60.0, 300.0, 800.0)
every_loss = pytest.mark.parametrize("name", TARGETS)


def parameter(name: str) -> float | None:
    return float(name.partition(":")[2] or {"tweedie": 1.5, "huber": 1.345}.get(name, 0.0))


def xlogx(x, y):
    return x * mpmath.log(x / y) if x else mpmath.mpf(0)


def textbook(name: str, y, eta):
    """Half the unit deviance, as it is printed, in the precision of mpmath."""
    y, mu, p = mpmath.mpf(y), mpmath.exp(eta), mpmath.mpf(parameter(name))
    kind = name.partition(":")[0]
    if kind in ("squared", "huber"):
        off = abs(y - eta)
        return off**2 / 2 if kind == "squared" or off <= p else p * off - p**2 / 2
    if kind in ("logistic", "binomial"):
        return xlogx(y, mu / (1 + mu)) + xlogx(1 - y, 1 / (1 + mu))
    if kind == "poisson":
        return xlogx(y, mu) - (y - mu)
    if kind == "gamma":
        return (y - mu) / mu - mpmath.log(y / mu)
    if kind == "inverse_gaussian":
        return (y - mu) ** 2 / (2 * y * mu**2)
    first = y ** (2 - p) / ((1 - p) * (2 - p))
    return first - y * mu ** (1 - p) / (1 - p) + mu ** (2 - p) / (2 - p)


@every_loss
def test_value_slope_and_curvature_at_any_predictor(name):
    loss = find_loss(name)
    grid = np.array([(y, eta) for y in TARGETS[name] for eta in PREDICTORS])
    found = [f(grid[:, 0], grid[:, 1]) for f in (loss.value, loss.slope, loss.curvature)]
    with mpmath.workdps(400):
        for row, (y, eta) in enumerate(grid):
            point = mpmath.mpf(eta)
            for order, values in enumerate(found):
                exact = float(mpmath.diff(lambda x, y=y: textbook(name, y, x), point, order))
                # a loss near 0 is a difference of terms as large as y; a slope is not
                atol = 1e-15 * max(1.0, y) if order == 0 else 1e-290
                assert_allclose(values[row], exact, rtol=2e-12, atol=atol, err_msg=f"{y} {eta} {order}")


@pytest.mark.parametrize(
    ("name", "y", "off", "rtol"),
    [
        ("poisson", 1e6, 1e-4, 1e-9),  # the rounding of log y is 1e-15 of off = 1e-4, and counts twice
        ("gamma", 1.0, 1e-8, 1e-7),
        ("inverse_gaussian", 1.0, 1e-8, 1e-13),
        ("tweedie", 400.0, 1e-4, 1e-9),
    ],
)
def test_nothing_cancels_near_a_perfect_fit(name, y, off, rtol):
    loss, eta = find_loss(name), np.log(y) + off
    with mpmath.workdps(60):
        point = mpmath.mpf(eta)
        value, slope = (float(mpmath.diff(lambda x: textbook(name, y, x), point, order)) for order in (0, 1))
    assert_allclose(loss.value(y, eta), value, rtol=rtol)
    assert_allclose(loss.slope(y, eta), slope, rtol=min(rtol, 1e-10))


def test_the_textbook_can_be_wrong():
    with mpmath.workdps(50):
        assert float(textbook("poisson", 2.0, mpmath.mpf(0))) == pytest.approx(2 * np.log(2) - 1)
        assert float(textbook("huber:0.3", 0.0, mpmath.mpf(1))) == pytest.approx(0.255)


@every_loss
def test_no_predictor_gives_nan(name):
    loss, y = find_loss(name), np.array(TARGETS[name])[:, None]
    eta = np.array([-1e6, -1e4, 1e4, 1e6])
    for formula in (loss.value, loss.slope, loss.curvature):
        assert not np.isnan(formula(y, eta)).any()
    assert not np.isnan(loss.mean(eta)).any()


# --- others say the same ------------------------------------------------------------------------------

FAMILIES = {
    "squared": sm.families.Gaussian(),
    "logistic": sm.families.Binomial(),
    "binomial": sm.families.Binomial(),
    "poisson": sm.families.Poisson(),
    "gamma": sm.families.Gamma(),
    "inverse_gaussian": sm.families.InverseGaussian(),
    "tweedie:1.3": sm.families.Tweedie(var_power=1.3),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_half_the_deviance_of_statsmodels(name):
    loss, rng = find_loss(name), np.random.default_rng(0)
    eta = rng.normal(size=60)
    y = rng.uniform(0.05, 0.95, size=60) * (4 if loss.unit == "half deviance" and name != "binomial" else 1)
    s = rng.uniform(0.5, 2.0, size=60)
    mu = loss.mean(eta)
    theirs = FAMILIES[name].deviance(y, mu, freq_weights=s)
    assert_allclose(2.0 * s @ loss.value(y, eta), theirs, rtol=1e-10)
    assert_allclose(loss.variance(mu), FAMILIES[name].variance(mu), rtol=1e-12)


def test_others_agree_on_the_log_loss_and_on_huber():
    rng = np.random.default_rng(1)
    eta, y = rng.normal(size=(40, 4)), np.arange(40.0) % 4
    loss = find_loss("multinomial")
    assert_allclose(loss.value(y, eta).mean(), log_loss(y, scipy.special.softmax(eta, axis=1)), rtol=1e-12)
    huber = find_loss("huber:0.7")
    assert_allclose(huber.value(y, eta[:, 0]), scipy.special.huber(0.7, y - eta[:, 0]), rtol=1e-12)


# --- what holds for every loss ------------------------------------------------------------------------


def some(name: str) -> st.SearchStrategy[float]:
    low, high = min(TARGETS[name]), max(TARGETS[name])
    return st.floats(low, high).filter(lambda y: y == 0.0 or abs(y) > 1e-6)


@every_loss
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_loss_is_zero_at_its_target_and_rises_away_from_it(name, data):
    loss = find_loss(name)
    y = np.array([data.draw(some(name))])
    eta = np.sort(data.draw(st.lists(st.floats(-200, 200), min_size=2, max_size=2)))
    best = loss.link(y)
    value = loss.value(y, eta)
    assert (value >= -1e-15 * max(1.0, y[0])).all()
    assert_array_equal(loss.slope(y, eta) * np.sign(eta - best) >= -1e-9 * max(1.0, y[0]), True)
    assert_allclose(loss.value(y, np.clip(best, -800, 800)), 0.0, atol=1e-13 * max(1.0, y[0]))
    if loss.convex:
        assert (loss.curvature(y, eta) >= 0).all()
        middle = loss.value(y, np.array([eta.mean()]))
        assert middle <= value.mean() * (1 + 1e-12) + 1e-12 * max(1.0, y[0])


def test_only_the_inverse_gaussian_is_not_convex_and_says_so():
    assert [name for name in LOSSES if not find_loss(name).convex] == ["inverse_gaussian"]
    loss, y = find_loss("inverse_gaussian"), np.array([2.0])
    assert loss.curvature(y, np.log([3.9])) > 0 > loss.curvature(y, np.log([4.1]))


@every_loss
def test_link_undoes_mean_and_takes_single_numbers(name):
    loss, eta = find_loss(name), np.linspace(-5, 5, 11)
    assert_allclose(loss.link(loss.mean(eta)), eta, atol=1e-13, rtol=1e-11)
    assert loss.link(loss.mean(np.float64(0.3))) == pytest.approx(0.3)
    assert np.shape(loss.variance(loss.mean(eta))) == (11,)
    assert np.shape(loss.slope(np.float64(0.5), np.float64(0.3))) == ()


@every_loss
def test_targets_and_predictors_broadcast_and_are_left_alone(name):
    loss, y = find_loss(name), np.array(TARGETS[name])
    eta = np.linspace(-2, 2, 7)
    for formula in (loss.value, loss.slope, loss.curvature):
        kept = y.copy(), eta.copy()
        wide = formula(y[:, None], np.tile(eta, (len(y), 1)))
        assert wide.shape == (len(y), 7)
        assert wide.dtype == np.float64
        assert_array_equal(wide, [[formula(np.array([a]), np.array([b]))[0] for b in eta] for a in y])
        assert formula(y, np.array([0.5])).shape == y.shape
        assert formula(y, np.array([0.5])).flags.writeable
        assert_array_equal(y, kept[0])
        assert_array_equal(eta, kept[1])


# --- multinomial --------------------------------------------------------------------------------------

SOFT = find_loss("multinomial")


def textbook_softmax(eta, seen: int):
    return mpmath.log(mpmath.fsum(mpmath.exp(x) for x in eta)) - eta[seen]


@pytest.mark.parametrize(
    "eta",
    [(0.3, -1.2, 0.8), (800.0, -800.0, 0.0), (40.0, 0.0, -3.0), (0.0, 0.0, 0.0), (-2000.0, -2000.0, -2030.0)],
)
@pytest.mark.parametrize("seen", [0, 1, 2])
def test_multinomial_at_any_predictor(eta, seen):
    y, row = np.array([float(seen)]), np.array([eta])
    unit = [tuple(int(k == j) for k in range(3)) for j in range(3)]
    pairs = [[tuple(np.add(unit[j], unit[k])) for k in range(3)] for j in range(3)]
    with mpmath.workdps(900):
        point = tuple(mpmath.mpf(x) for x in eta)

        def exact(order):
            return float(mpmath.diff(lambda *x: textbook_softmax(x, seen), point, tuple(map(int, order))))

        value = float(textbook_softmax(point, seen))
        slope = [exact(order) for order in unit]
        curvature = [[exact(order) for order in line] for line in pairs]
    assert_allclose(SOFT.value(y, row), [value], rtol=1e-13, atol=1e-290)
    assert_allclose(SOFT.slope(y, row), [slope], rtol=1e-12, atol=1e-290)
    assert_allclose(SOFT.curvature(y, row), [curvature], rtol=1e-12, atol=1e-290)


def test_multinomial_curvature_is_flat_along_the_shift_and_never_negative():
    eta = np.random.default_rng(2).normal(scale=3, size=(30, 5))
    W = SOFT.curvature(np.zeros(30), eta)
    assert_allclose(W.sum(axis=2), 0.0, atol=1e-16)
    assert_array_equal(W, W.transpose(0, 2, 1))
    assert np.linalg.eigvalsh(W).min() > -1e-15


def test_multinomial_takes_many_strengths_at_once():
    rng = np.random.default_rng(3)
    y, eta = rng.integers(0, 4, 9).astype(float), rng.normal(size=(9, 4, 2, 3))
    kept = eta.copy()
    assert SOFT.value(y, eta).shape == (9, 2, 3)
    for formula in (SOFT.value, SOFT.slope, lambda y, eta: SOFT.mean(eta)):
        for i, j in np.ndindex(2, 3):
            assert_allclose(formula(y, eta)[..., i, j], formula(y, eta[..., i, j]), rtol=1e-14, atol=1e-16)
    assert_array_equal(eta, kept)


def test_two_classes_are_the_logistic_loss_of_the_difference():
    rng = np.random.default_rng(4)
    y, eta = (rng.random(20) < 0.5).astype(float), rng.normal(scale=9, size=(20, 2))
    logistic, gap = find_loss("logistic"), eta[:, 1] - eta[:, 0]
    assert_allclose(SOFT.value(y, eta), logistic.value(y, gap), rtol=1e-12)
    assert_allclose(SOFT.slope(y, eta)[:, 1], logistic.slope(y, gap), rtol=1e-12)
    assert_allclose(SOFT.curvature(y, eta)[:, 1, 1], logistic.curvature(y, gap), rtol=1e-12)
    assert_allclose(SOFT.mean(eta)[:, 1], logistic.mean(gap), rtol=1e-12)


def test_multinomial_link_is_centred_and_takes_one_row():
    share = np.array([0.2, 0.5, 0.3])
    eta = SOFT.link(share)
    assert eta.sum() == pytest.approx(0.0)
    assert_allclose(SOFT.mean(eta), share)
    assert_allclose(SOFT.mean(SOFT.link(share[None])), share[None])


# --- names --------------------------------------------------------------------------------------------


def test_losses_by_name():
    for name in LOSSES:
        assert find_loss(name).name.partition(":")[0] == name
    assert find_loss("tweedie").name == "tweedie:1.5"
    assert find_loss("tweedie:1.30").name == "tweedie:1.3"
    third = 1.0 + 1.0 / 3.0
    assert find_loss(find_loss(f"tweedie:{third}").name).variance(2.0) == 2.0**third
    assert find_loss(SQUARED) is SQUARED
    assert {name: find_loss(name).classes for name in ("logistic", "binomial", "multinomial")} == {
        "logistic": 2,
        "binomial": 0,
        "multinomial": 3,
    }


def test_plain_huber_waits_for_a_scale():
    plain = find_loss("huber")
    assert plain.name == "huber"
    assert plain.slope(0.0, 99.0) == EFFICIENT
    assert needs_scale(plain)
    assert not needs_scale(find_loss("huber:1.345"))
    assert not needs_scale(SQUARED)


@pytest.mark.parametrize(
    ("loss", "sentence"),
    [
        ("hinge", "loss must be one of 'squared', 'logistic', .*'huber'; got 'hinge'"),
        (3, "loss must be one of .*; got 3"),
        (None, "loss must be one of .*; got None"),
        ("", "loss must be one of"),
        ("poisson:2", "'poisson:2', but poisson has no parameter: give loss='poisson'"),
        ("tweedie:", "a number must follow the colon, as in 'tweedie:1.5'"),
        ("huber:wide", "a number must follow the colon, as in 'huber:1.5'"),
        ("tweedie:1", "power of tweedie is 1; it must lie between 1 and 2: 1 is loss='poisson'"),
        ("tweedie:2", "power of tweedie is 2"),
        ("tweedie:nan", "power of tweedie is nan"),
        ("huber:0", "delta of huber is 0; it must be a positive number"),
        ("huber:-1", "delta of huber is -1"),
        ("huber:inf", "delta of huber is inf"),
    ],
)
def test_no_such_loss(loss, sentence):
    with pytest.raises(es.InputError, match=sentence):
        find_loss(loss)


def test_a_stranger_adds_one_line(monkeypatch):
    own = Loss("own", *(getattr(SQUARED, part) for part in vars(SQUARED) if part != "name"))
    monkeypatch.setitem(LOSSES, "own", own)
    assert find_loss("own") is own


def test_objectives_in_words():
    assert "½·(unit Tweedie deviance of y_i from exp η_i)" in objective("tweedie:1.3")
    assert ", power = 1.3, S" in objective("tweedie:1.3")
    assert ", δ = 2, S" in objective("huber:2")
    assert "δ =" not in objective("huber")
    assert "(y_i − exp η_i)²/(2·y_i·exp 2η_i)" in objective("inverse_gaussian")
    assert objective("binomial") == objective("logistic")
    assert equivalents(0.5, loss="tweedie:1.3")["sklearn.TweedieRegressor"] == 0.5
    for wrong in ("tweedie:x", "poisson:1"):
        with pytest.raises(es.InputError, match=f"loss is '{wrong}'"):
            objective(wrong)
