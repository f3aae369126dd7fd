"""The converter itself: its numbers, its answers at 0 and infinity, its errors.

The proofs against the peers are in test_units_peers.py, test_units_torch.py and test_units_r.py.
"""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eigenshrink as es
from eigenshrink.units import PEERS, equivalence, equivalents
from units_oracle import house_fit, problem, relative_error

# the number of each peer at α = 0.1 for these facts, worked out by hand
FACTS = {
    "rows": 50, "weight_sum": 80.0, "outputs": 4, "target_sd": 3.0, "penalty_factor_sum": 5.0, "columns": 10,
    "batch_size": 32, "momentum": 0.75,
}  # fmt: skip
NUMBERS = {
    "sklearn.Ridge": 8.0,
    "sklearn.RidgeCV": 8.0,
    "sklearn.RidgeClassifier": 8.0,
    "sklearn.KernelRidge": 8.0,
    "sklearn.LogisticRegression": 0.125,
    "sklearn.PoissonRegressor": 0.1,
    "sklearn.GammaRegressor": 0.1,
    "sklearn.TweedieRegressor": 0.1,
    "sklearn.ElasticNet": 0.1,
    "sklearn.SGDRegressor": 0.16,
    "sklearn.SGDClassifier": 0.16,
    "sklearn.MLPRegressor": 3.2,
    "sklearn.MLPClassifier": 3.2,
    "statsmodels.OLS": 0.1,
    "statsmodels.WLS": 0.1,
    "statsmodels.GLM": 0.16,
    "glum": 0.1,
    "glmnet.gaussian": 0.15,
    "glmnet.gaussian_family": 0.05,
    "glmnet.binomial": 0.05,
    "glmnet.poisson": 0.05,
    "glmnet.multinomial": 0.05,
    "glmnet.mgaussian": 0.05,
    "MASS.lm.ridge": None,  # the weights do not sum to n, and it takes none
    "mgcv.paraPen": 8.0,
    "spark.LinearRegression": 0.3,
    "torch.SGD": 0.05,
    "torch.SGD.decoupled": 0.2,
    "torch.Adam": None,  # batches of 32 out of 50 rows
    "torch.AdamW": None,
    "optax.add_decayed_weights": 0.2,
    "xgboost": None,
    "lightgbm": None,
}


def all_facts(peer):
    loss = "squared" if "squared" in PEERS[peer].losses else PEERS[peer].losses[0]
    return FACTS | {"loss": loss, "position": "after"}


def test_every_peer_of_the_table_is_there_and_no_other():
    assert list(PEERS) == list(NUMBERS)


@pytest.mark.parametrize("peer", NUMBERS)
def test_the_numbers_worked_out_by_hand(peer):
    found = es.convert(0.1, to=peer, **all_facts(peer))
    assert found is None if NUMBERS[peer] is None else found == pytest.approx(NUMBERS[peer], rel=1e-14)


@pytest.mark.parametrize("peer", NUMBERS)
@settings(deadline=None)
@given(alpha=st.floats(1e-250, 1e250), momentum=st.floats(0, 0.999), weight_sum=st.floats(1e-6, 1e12))
def test_there_and_back(peer, alpha, momentum, weight_sum):
    facts = all_facts(peer) | {"momentum": momentum, "weight_sum": weight_sum, "batch_size": 50}
    if peer == "MASS.lm.ridge":
        facts["weight_sum"] = facts["rows"]
    number = es.convert(alpha, to=peer, **facts)
    back = es.convert(alpha if number is None else number, from_=peer, **facts)
    assert (back is None) == (number is None)
    assert back is None or back == pytest.approx(alpha, rel=1e-14)


@pytest.mark.parametrize("peer", NUMBERS)
def test_nothing_and_everything_are_legal_strengths(peer):
    facts = all_facts(peer) | {"weight_sum": 50, "batch_size": 50}
    none, all_ = es.convert(0.0, to=peer, **facts), es.convert(math.inf, to=peer, **facts)
    if none is not None:
        assert (none, all_) == ((math.inf, 0.0) if PEERS[peer].parameter == "C" else (0.0, math.inf))
        assert es.convert(none, from_=peer, **facts) == 0.0
        assert es.convert(all_, from_=peer, **facts) == math.inf


@pytest.mark.parametrize(
    ("peer", "need"), [(peer.name, need) for peer in PEERS.values() for need in peer.needs]
)
def test_a_missing_fact_is_named_and_never_assumed(peer, need):
    facts = {
        name: value for name, value in all_facts(peer).items() if name in PEERS[peer].needs and name != need
    }
    with pytest.raises(es.InputError, match=rf"{peer} needs {need}, .*: give {need}=\.\.\."):
        es.convert(0.1, to=peer, **facts)


@pytest.mark.parametrize("peer", PEERS)
def test_the_declared_needs_are_enough(peer):
    facts = {name: all_facts(peer)[name] for name in PEERS[peer].needs} | {"position": "before"}
    assert (es.convert(0.1, to=peer, **facts) is None) == (PEERS[peer].formula == "none")


@pytest.mark.parametrize(
    ("peer", "facts", "need"),
    [
        ("glmnet.poisson", {"penalty_factor_sum": 3.0}, "columns"),
        ("torch.Adam", {"loss": "squared", "outputs": 1, "batch_size": 8}, "rows"),
        ("optax.add_decayed_weights", {"loss": "squared", "outputs": 1, "position": "after"}, "momentum"),
        ("torch.SGD", {"loss": "gamma", "outputs": 1}, "loss_scale"),
    ],
)
def test_one_fact_can_ask_for_another(peer, facts, need):
    with pytest.raises(es.InputError, match=f"{need}"):
        es.convert(0.1, to=peer, **facts)


def test_softmax_needs_no_outputs_and_a_given_loss_scale_needs_no_loss():
    assert es.convert(0.1, to="torch.SGD", loss="CrossEntropyLoss") == 0.1
    assert es.convert(0.1, to="torch.SGD", loss_scale=0.5) == 0.05
    assert es.convert(0.1, to="torch.SGD.decoupled", loss_scale=1.0, momentum=0.5) == pytest.approx(0.2)


@pytest.mark.parametrize(
    "name", [("squared", "MSELoss", "gaussian"), ("logistic", "binomial", "BCEWithLogitsLoss")]
)
def test_a_loss_has_the_names_that_peers_give_it(name):
    assert len({es.convert(0.1, to="torch.SGD", loss=loss, outputs=3) for loss in name}) == 1


@pytest.mark.parametrize("loss", ["squared", "gaussian", "gamma"])
def test_statsmodels_glm_with_an_estimated_scale_has_no_number(loss):
    assert es.convert(0.1, to="statsmodels.GLM", loss=loss, rows=9, weight_sum=9) is None
    assert es.convert(0.1, to="sklearn.LogisticRegression", loss=loss, weight_sum=9) is None


def test_minibatches_leave_adam_without_a_number_and_full_batches_do_not():
    facts = {"loss": "squared", "outputs": 2, "rows": 60}
    assert es.convert(0.1, to="torch.Adam", batch_size=16, **facts) is None
    assert (
        es.convert(0.1, to="torch.Adam", batch_size=60, **facts)
        == es.convert(0.1, to="torch.Adam", **facts)
        == 0.1
    )


def test_lm_ridge_takes_no_weights():
    assert es.convert(0.1, to="MASS.lm.ridge", rows=20, weight_sum=20) == es.convert(
        0.1, to="MASS.lm.ridge", rows=20
    )
    assert es.convert(0.1, to="MASS.lm.ridge", rows=20, weight_sum=19) is None


def test_arrays_keep_their_shape_and_a_scalar_is_a_float():
    alphas = np.array([[0.0, 0.5], [1.0, np.inf]])
    found = es.convert(alphas, to="sklearn.LogisticRegression", weight_sum=4)
    np.testing.assert_array_equal(found, [[np.inf, 0.5], [0.25, 0.0]])
    np.testing.assert_array_equal(es.convert(found, from_="sklearn.LogisticRegression", weight_sum=4), alphas)
    np.testing.assert_array_equal(es.convert([0, 1], to="mgcv.paraPen", weight_sum=4), [0.0, 4.0])
    np.testing.assert_array_equal(
        es.convert(2.0, to="spark.LinearRegression", target_sd=[1.0, 3.0]), [2.0, 6.0]
    )
    for scalar in (2, 2.0, np.float32(2), np.int64(2), np.array(2.0)):
        number = es.convert(scalar, to="glum")
        assert isinstance(number, float)
        assert number == 2.0
    assert math.copysign(1.0, es.convert(-0.0, to="glum")) == 1.0
    assert es.convert(np.array([-0.0]), to="sklearn.LogisticRegression", weight_sum=1)[0] == np.inf


@pytest.mark.parametrize(
    "value", [-1.0, math.nan, [0.1, -2.0], [math.nan], "0.1", None, True, 1j, [[1.0], [1.0, 2.0]]]
)
def test_a_strength_that_is_none_is_refused_by_name(value):
    with pytest.raises(es.InputError, match=r"^alpha "):
        es.convert(value, to="glum")
    with pytest.raises(es.InputError, match=r"^C "):
        es.convert(value, from_="sklearn.LogisticRegression", weight_sum=3)
    with pytest.raises(es.InputError, match=r"^alpha "):
        equivalents(value)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"weight_sum": 0.0}, "weight_sum is 0.0: it is S, the sum of the sample weights .* positive number"),
        ({"weight_sum": math.nan}, "weight_sum is nan"),
        ({"weight_sum": math.inf}, "weight_sum is inf"),
        ({"weight_sum": "9"}, "weight_sum is '9'"),
        ({"rows": 9.5}, "rows is 9.5: .* whole number"),
        ({"columns": True}, "columns is True"),
        ({"outputs": -1}, "outputs is -1"),
        ({"momentum": 1.0}, "momentum is 1.0: .* at least 0 and below 1"),
        ({"momentum": "fast"}, "momentum is 'fast'"),
        ({"target_sd": 0.0}, "target_sd is 0.0"),
        ({"target_sd": [1.0, 0.0]}, "target_sd is"),
        ({"target_sd": "wide"}, "target_sd is 'wide'"),
        ({"loss": "MSLoss"}, "loss is 'MSLoss', .* did you mean 'MSELoss'"),
        ({"loss": 3}, "loss is 3, which is no loss known here: there are 'squared', .* more"),
        ({"position": "inside"}, "position is 'inside'.*'before' or 'after'"),
        ({"solver": "liblinear"}, "penalises the intercept.*newton-cholesky"),
        ({"row": 9}, "row is no fact that convert knows: did you mean 'rows'"),
    ],
)
def test_a_fact_that_cannot_be_is_refused_by_name(facts, message):
    with pytest.raises(es.InputError, match=message):
        es.convert(0.1, to="sklearn.LogisticRegression", **{"weight_sum": 9.0} | facts)
    with pytest.raises(es.InputError, match=message):
        equivalents(0.1, **{"weight_sum": 9.0} | facts)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Ridge", "'sklearn.Ridge'"),
        ("sklearn.linear_model.LogisticRegression", "'sklearn.LogisticRegression'"),
        ("torch.optim.Adam", "'torch.Adam'"),
        ("sklearn.ridge", "'sklearn.Ridge'"),
        ("XGBoost", "'xgboost'"),
    ],
)
def test_an_unknown_peer_is_answered_with_the_nearest(name, near):
    for ask in (equivalence, lambda name: es.convert(0.1, to=name), lambda name: es.convert(0.1, from_=name)):
        with pytest.raises(es.InputError, match=r"there is no peer .*did you mean") as error:
            ask(name)
        assert near in str(error.value)


def test_a_peer_like_no_other_is_answered_with_three():
    with pytest.raises(
        es.InputError, match=r"no peer '\?\?\?': there are 'sklearn.Ridge', .* more$"
    ) as error:
        equivalence("???")
    assert sum(repr(name) in str(error.value) for name in PEERS) == 3


def test_the_note_of_glmnet_is_for_every_reader():
    for name in (name for name in PEERS if name.startswith("glmnet.")):
        assert "Σpf/p, which is 1 without it (for convert: penalty_factor_sum and columns)" in str(
            PEERS[name]
        )


def test_exactly_one_direction():
    for directions in ({}, {"to": "glum", "from_": "glum"}):
        with pytest.raises(es.InputError, match="exactly one of to= and from_="):
            es.convert(0.1, **directions)


def test_liblinear_is_refused_because_it_is_wrong():
    from sklearn.linear_model import LogisticRegression

    X, y, s = problem("logistic")
    number = es.convert(0.07, to="sklearn.LogisticRegression", weight_sum=s.sum(), solver="lbfgs")
    model = LogisticRegression(C=number, solver="liblinear", tol=1e-10, max_iter=10_000).fit(
        X + 1, y, sample_weight=s
    )
    expected = house_fit("logistic", X + 1, y, s, 0.07)
    assert relative_error(np.append(model.coef_, model.intercept_), expected) > 0.02


def test_one_number_is_converted_without_numpy():
    code = (
        "import sys; from eigenshrink.units import convert; "
        "print(convert(0.5, to='sklearn.Ridge', weight_sum=4), 'numpy' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["2.0", "False"]
