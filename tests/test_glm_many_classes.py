"""Hundreds of classes: the curvature by products, beside the matrix that small problems have."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose

import eigenshrink as es
from eigenshrink.newton import problem as problems

ALPHAS = np.array([1e-4, 3e-3, 0.07, 0.9, 25.0, np.inf])
REFUSED = ("combined", "loo", "cp", "evidence")


def draw(n: int, p: int, c: int, signal: float, seed: int = 0):
    """Rows of classes that overlap; every class appears."""
    rng = np.random.default_rng(seed)
    X, W = rng.normal(size=(n, p)), rng.normal(size=(p, c)) * signal / np.sqrt(p)
    y = np.argmax(X @ W + rng.gumbel(size=(n, c)), axis=1)
    y[:c] = np.arange(c)
    return X, y


CASES = {
    "plain": {},
    "weights": {"sample_weight": np.random.default_rng(1).uniform(0.3, 3.0, 240)},
    "no intercept": {"fit_intercept": False},
    "free column, factors": {"penalty_factor": np.array([0.0, 1.0, 0.4, 3.0, 1.0])},
    "held out": {"validation": 0.3},
}


def both(monkeypatch, **options):
    """The same study with a matrix and without."""
    X, y = draw(240, 5, 4, 1.5)
    dense = es.study(X, y, loss="multinomial", folds=3, **options)
    values = {name: dense.risk[name](ALPHAS) for name in ("kfold", "train")}
    if "validation" in options:
        values["validation"] = dense.risk["validation"](ALPHAS)
    monkeypatch.setattr(problems, "LARGEST", 3)
    return dense, es.study(X, y, loss="multinomial", folds=3, **options), values


@pytest.mark.parametrize("case", CASES)
def test_products_give_what_the_matrix_gives(case, monkeypatch):
    dense, products, curves = both(monkeypatch, **CASES[case])
    assert not products.path.problem.whole
    for one, other in (
        (dense.path.weights(ALPHAS), products.path.weights(ALPHAS)),
        (dense.path.intercept(ALPHAS), products.path.intercept(ALPHAS)),
    ):
        assert_allclose(other, one, atol=2 * 1e-6 * (1e-12 + np.abs(one).max()))
    assert products.path.certificate(ALPHAS, relative=True).max() <= products.path.tolerance
    for name, values in curves.items():
        assert_allclose(products.risk[name](ALPHAS), values, rtol=1e-5)


def test_the_certificate_bounds_the_error_and_sees_a_spoilt_weight(monkeypatch):
    dense, products, _ = both(monkeypatch)
    path = products.path
    for alpha in (3e-3, 0.07, 0.9):
        W = path.weights(alpha)
        spoilt = W.copy()
        spoilt[0, 0] += 1e-3
        error = np.linalg.norm(spoilt - dense.path.weights(alpha))
        bound = path.certify(spoilt, alpha)
        assert error * (1 - 1e-5) <= bound
        assert path.certify(W, alpha) < 1e-2 * bound


def test_effective_parameters_are_within_their_error(monkeypatch):
    dense, products, _ = both(monkeypatch)
    exact = dense.path.effective_parameters(ALPHAS)
    found, error = (getattr(products.path, name)(ALPHAS) for name in NUMBERS)
    assert np.all(np.abs(found - exact) <= 2 * error + 1e-6)
    assert np.all(error <= 0.15 * exact)
    assert found[-1] == 3.0  # the intercepts alone
    assert error[-1] == 0.0


NUMBERS = ("effective_parameters", "effective_parameters_error")


def test_a_quadratic_of_several_columns_is_solved_as_by_the_matrix(monkeypatch):
    X, y = draw(240, 5, 4, 1.5)
    point = es.study(X, y, loss="multinomial", folds=3).path.near(0.01).point
    H = point.curvature.matrix("a test")
    monkeypatch.setattr(problems, "LARGEST", 3)
    products = type(point)(point.problem, point.theta, point.eta).curvature
    V = np.random.default_rng(3).normal(size=(len(H), 4))
    assert_allclose(products.times(V), H @ V, atol=1e-12)
    free = np.flatnonzero(point.problem.priced == 0)
    assert_allclose(products.free, H[np.ix_(free, free)], atol=1e-13)
    exact = np.linalg.solve(H + 0.02 * np.diag(point.problem.priced), V)
    assert_allclose(products.solver(0.02, 1e-10)(V), exact, atol=1e-8 * np.abs(exact).max())


def test_kfold_chooses_where_nothing_is_held_out(monkeypatch):
    _, products, _ = both(monkeypatch)
    assert products.choice.criterion == "kfold"
    assert set(products.risk) == {"kfold", "train", "misclassified"}
    assert 0.0 < products.risk["misclassified"](products.alpha) < 0.75


@pytest.mark.parametrize("name", REFUSED)
def test_what_needs_the_matrix_is_one_plain_sentence(name, monkeypatch):
    _, products, _ = both(monkeypatch)
    with pytest.raises(es.InputError, match="would take the curvature of 3 x 6 = 18 weights"):
        es.study(*draw(240, 5, 4, 1.5), loss="multinomial", criterion=name)
    for ask in (products.covariance, products.standard_errors, lambda: products.path.shrinkage(0.1)):
        with pytest.raises(es.InputError, match="kfold"):
            ask()


def test_hundreds_of_classes_without_the_matrix():
    n, p, c = 1200, 30, 240
    X, y = draw(n, p, c, 3.0)
    tracemalloc.start()
    study = es.study(X, y, loss="multinomial", validation=0.25, tol=1e-3)
    alpha, peak = study.alpha, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.4 * 8 * ((c - 1) * (p + 1)) ** 2
    assert study.choice.criterion == "validation"
    assert 0.0 < alpha < np.inf
    assert study.path.certificate(alpha, relative=True) <= 1e-3
    risk = study.risk["validation"]
    assert risk(alpha) < risk(np.inf)
    assert study.predict(X[:5]).shape == (5, c)
    assert_allclose(study.predict(X[:5]).sum(axis=1), 1.0)


def test_what_is_said_of_hundreds_of_classes(monkeypatch, tmp_path):
    """Summary, numbers and audit leave out what needs the curvature; the page refuses in one sentence."""
    monkeypatch.setattr(problems, "LARGEST", 3)
    rng = np.random.default_rng(0)
    X, W = rng.normal(size=(300, 6)), rng.normal(size=(6, 5))
    y = np.argmax(X @ W + rng.gumbel(size=(300, 5)), axis=1)
    study = es.study(X, y, loss="multinomial", folds=3)
    assert "chosen by K-fold" in study.summary()
    numbers = study.to_dict()
    assert numbers["spectrum"]["eigenvalues"] == []
    assert set(numbers["standard_errors"]["0"].values()) == {None}
    assert study.audit.ok
    with pytest.raises(es.InputError, match="too many here"):
        study.report(tmp_path / "page.html")
