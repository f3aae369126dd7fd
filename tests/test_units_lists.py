"""What the converter says about all peers at once, about one peer, and about the objective."""

from __future__ import annotations

import numpy as np
import pytest

import eigenshrink as es
from eigenshrink.units import PEERS, Peer, equivalence, equivalents, objective, rules


def test_equivalents_are_the_peers_that_minimise_the_loss_and_know_enough():
    assert list(equivalents(0.1)) == [
        "sklearn.TweedieRegressor", "sklearn.ElasticNet", "statsmodels.OLS", "statsmodels.WLS", "glum",
        "glmnet.gaussian_family", "glmnet.mgaussian", "torch.AdamW", "xgboost", "lightgbm",
    ]  # fmt: skip
    known = {"rows": 60, "weight_sum": 60, "outputs": 1, "target_sd": 2.0, "momentum": None}
    plain, scaled = equivalents(0.1, **known), equivalents(0.1, standardize=True, **known)
    assert set(scaled) - set(plain) == {"MASS.lm.ridge"}
    assert plain["sklearn.Ridge"] == 6.0
    assert plain["torch.SGD"] == plain["glmnet.gaussian"] == 0.2
    assert plain["torch.AdamW"] is None
    assert {"sklearn.MLPRegressor", "torch.SGD.decoupled", "optax.add_decayed_weights"}.isdisjoint(plain)
    for peer, number in plain.items():
        assert number == es.convert(0.1, to=peer, loss="squared", **known)
    several = equivalents([0.1, 0.2], weight_sum=10)
    np.testing.assert_allclose(several["sklearn.Ridge"], [1.0, 2.0])


@pytest.mark.parametrize("loss", ["logistic", "multinomial", "poisson", "gamma", "tweedie"])
def test_equivalents_of_the_other_losses(loss):
    found = equivalents(0.1, loss=loss, rows=10, weight_sum=10, outputs=1)
    assert "sklearn.Ridge" not in found
    assert all(loss in PEERS[peer].losses for peer in found)
    assert len([number for number in found.values() if number is not None]) >= 2


def test_a_peer_tells_everything_about_its_number():
    assert str(equivalence("sklearn.RidgeCV")).startswith(
        "sklearn.RidgeCV: alphas = S·α. Confirmed by fitting"
    )
    assert "from its source only" in str(equivalence("spark.LinearRegression"))
    assert "weights agree to 1e-12" in str(equivalence("torch.SGD"))
    assert "No strength gives the same model" in str(equivalence("xgboost"))
    for peer in PEERS.values():
        text = str(peer)
        assert text.endswith(".")
        assert (peer.tolerance is None) == (peer.proof in ("source", "none"))


def test_a_new_peer_is_one_entry(monkeypatch):
    entry = Peer(
        "house.Halved", "penalty", rules.Rule("α/2", (), lambda given: 0.5), ("squared",), "source", None
    )
    monkeypatch.setitem(PEERS, entry.name, entry)
    assert es.convert(3.0, to="house.Halved") == 1.5
    assert es.convert(1.5, from_="house.Halved") == 3.0
    assert equivalents(3.0)["house.Halved"] == 1.5


def test_the_objective_in_words():
    assert objective("gaussian", weighted=False, fit_intercept=False) == (
        "minimise (1/n) Σ_i ½(y_i − x_iᵀw)² + (α/2) Σ_j w_j²"
    )
    assert objective("squared", outputs=3, standardize=True, penalty_factor=True) == (
        "minimise (1/S) Σ_i s_i Σ_k ½(y_ik − x_iᵀw_k − b_k)² + Σ_k (α_k/2) Σ_j d_j·w_jk², S = Σ_i s_i, "
        "d_j = penalty_factor_j·sd_n(x_j)², b_k not penalised"
    )
    assert objective("multinomial", weighted=False, penalty_factor=True) == (
        "minimise (1/n) Σ_i [log Σ_c exp η_ic − η_iy] + (α/2) Σ_c Σ_j d_j·w_jc², η_ic = x_iᵀw_c + b_c, "
        "d_j = penalty_factor_j, b_c not penalised"
    )
    for loss in ("logistic", "poisson", "gamma", "tweedie"):
        assert ", η_i = x_iᵀw + b, S = Σ_i s_i, b not penalised" in objective(loss)
    with pytest.raises(es.InputError, match="loss is 'hinge'"):
        objective("hinge")
