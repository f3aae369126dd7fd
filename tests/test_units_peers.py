"""Every row of the converter that pip can install, proved against the peer to its stated tolerance."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import eigenshrink as es
from eigenshrink.units import PEERS
from units_oracle import ROWS, assert_agrees, house_fit, problem, relative_error

ALPHA = 0.07

weights = pytest.mark.parametrize("weighted", [False, True], ids=["equal", "weighted"])


def joined(model):
    """Coefficients with the intercept last, as the oracle returns them."""
    coef, intercept = np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)
    return np.column_stack([coef, intercept]).T.squeeze()


def agrees(peer, found, expected):
    assert_agrees(found, expected, PEERS[peer].tolerance)


def facts(s):
    return {"rows": ROWS, "weight_sum": s.sum()}


def test_assert_agrees_can_fail_and_the_naive_conversions_do():
    with pytest.raises(AssertionError, match="differ by"):
        assert_agrees([1.0, 1.0], [1.0, 1.001], 1e-4)
    X, y, s = problem("squared")
    naive = house_fit("squared", X, y, s, ALPHA * ROWS / s.sum())
    assert relative_error(naive, house_fit("squared", X, y, s, ALPHA)) > 1e-3


@weights
def test_ridge_with_one_and_two_targets(weighted):
    from sklearn.linear_model import Ridge

    X, y, s = problem("squared", weighted=weighted)
    number = es.convert(ALPHA, to="sklearn.Ridge", **facts(s))
    for target in (y, np.column_stack([y, y**2])):
        model = Ridge(alpha=number).fit(X, target, sample_weight=s)
        agrees("sklearn.Ridge", joined(model), house_fit("squared", X, target, s, ALPHA))


@weights
def test_ridge_cv_and_its_score(weighted):
    """Its leave-one-out holds Sα fixed and averages s·e² over n, where the house takes ½·s·e² over S."""
    from sklearn.linear_model import RidgeCV

    X, y, s = problem("squared", weighted=weighted)
    number = es.convert(ALPHA, to="sklearn.RidgeCV", **facts(s))
    model = RidgeCV(alphas=[number]).fit(X, y, sample_weight=s)
    agrees("sklearn.RidgeCV", joined(model), house_fit("squared", X, y, s, ALPHA))
    total = 0.0
    for i in range(ROWS):
        kept = np.arange(ROWS) != i
        v = house_fit("squared", X[kept], y[kept], s[kept], ALPHA * s.sum() / s[kept].sum())
        total += s[i] * (y[i] - X[i] @ v[:-1] - v[-1]) ** 2
    assert -model.best_score_ == pytest.approx(total / ROWS, rel=1e-10)


@weights
def test_ridge_classifier_with_class_weights(weighted):
    from sklearn.linear_model import RidgeClassifier

    X, y, s = problem("logistic", weighted=weighted)
    s_class = s * np.where(y > 0, 2.5, 0.75)
    number = es.convert(ALPHA, to="sklearn.RidgeClassifier", weight_sum=s_class.sum())
    model = RidgeClassifier(alpha=number, class_weight={0: 0.75, 1: 2.5}).fit(X, y, sample_weight=s)
    agrees("sklearn.RidgeClassifier", joined(model), house_fit("squared", X, 2 * y - 1, s_class, ALPHA))


@weights
def test_kernel_ridge_on_centred_data(weighted):
    from sklearn.kernel_ridge import KernelRidge

    X, y, s = problem("squared", weighted=weighted)
    centred, target = X - np.average(X, axis=0, weights=s), y - np.average(y, weights=s)
    number = es.convert(ALPHA, to="sklearn.KernelRidge", **facts(s))
    model = KernelRidge(alpha=number).fit(centred, target, sample_weight=s)
    expected = house_fit("squared", X, y, s, ALPHA)[:-1]
    agrees("sklearn.KernelRidge", centred.T @ model.dual_coef_, expected)


@weights
@pytest.mark.parametrize("loss", ["logistic", "multinomial"])
def test_logistic_regression_with_class_weights(loss, weighted):
    from sklearn.linear_model import LogisticRegression

    X, y, s = problem(loss, weighted=weighted)
    class_weight = {0: 0.75, 1: 2.5, 2: 1.5}
    s_class = s * np.array([class_weight[int(label)] for label in y])
    number = es.convert(ALPHA, to="sklearn.LogisticRegression", weight_sum=s_class.sum(), loss=loss)
    model = LogisticRegression(C=number, class_weight=class_weight, solver="newton-cholesky", tol=1e-12)
    model.fit(X, y, sample_weight=s)
    found = joined(model)
    if loss == "multinomial":
        found[-1] -= found[-1].mean()
    agrees("sklearn.LogisticRegression", found, house_fit(loss, X, y, s_class, ALPHA))


def test_logistic_regression_without_a_penalty():
    from sklearn.linear_model import LogisticRegression

    X, y, s = problem("logistic")
    number = es.convert(0.0, to="sklearn.LogisticRegression", weight_sum=s.sum())
    model = LogisticRegression(C=number, solver="newton-cholesky", tol=1e-12).fit(X, y, sample_weight=s)
    agrees("sklearn.LogisticRegression", joined(model), house_fit("logistic", X, y, s, 0.0))


def test_a_softmax_of_two_classes_is_the_binary_model_at_half_the_strength():
    X, y, s = problem("logistic")
    softmax = house_fit("multinomial", X, y, s, ALPHA)
    assert_agrees(softmax[:, 1] - softmax[:, 0], house_fit("logistic", X, y, s, ALPHA / 2), 1e-10)


@weights
@pytest.mark.parametrize(
    ("name", "loss", "options"),
    [
        ("PoissonRegressor", "poisson", {}),
        ("GammaRegressor", "gamma", {}),
        ("TweedieRegressor", "tweedie", {"power": 1.5}),
        ("TweedieRegressor", "poisson", {"power": 1}),
        ("TweedieRegressor", "gamma", {"power": 2}),
        ("TweedieRegressor", "squared", {"power": 0}),
    ],
)
def test_sklearn_generalised_linear_models(name, loss, options, weighted):
    import sklearn.linear_model

    X, y, s = problem(loss, weighted=weighted)
    number = es.convert(ALPHA, to=f"sklearn.{name}", loss=loss, **facts(s))
    model = getattr(sklearn.linear_model, name)(
        alpha=number, solver="newton-cholesky", tol=1e-13, max_iter=1000, **options
    )
    agrees(f"sklearn.{name}", joined(model.fit(X, y, sample_weight=s)), house_fit(loss, X, y, s, ALPHA))


@weights
def test_elastic_net_without_lasso(weighted):
    from sklearn.linear_model import ElasticNet

    X, y, s = problem("squared", weighted=weighted)
    model = ElasticNet(
        alpha=es.convert(ALPHA, to="sklearn.ElasticNet"), l1_ratio=0, tol=1e-15, max_iter=10**5
    )
    with warnings.catch_warnings():  # it warns that l1_ratio=0 converges slowly
        warnings.simplefilter("ignore")
        model.fit(X, y, sample_weight=s)
    agrees("sklearn.ElasticNet", joined(model), house_fit("squared", X, y, s, ALPHA))


@weights
@pytest.mark.parametrize(("name", "loss"), [("SGDRegressor", "squared"), ("SGDClassifier", "logistic")])
def test_stochastic_gradient_descent(name, loss, weighted):
    import sklearn.linear_model

    X, y, s = problem(loss, weighted=weighted)
    number = es.convert(ALPHA, to=f"sklearn.{name}", **facts(s))
    model = getattr(sklearn.linear_model, name)(
        loss={"squared": "squared_error", "logistic": "log_loss"}[loss],
        alpha=number, learning_rate="invscaling", eta0=0.1, power_t=0.5,
        average=ROWS * 5000, max_iter=40_000, tol=None, random_state=0,
    )  # fmt: skip
    model.fit(X, y, sample_weight=s)
    expected = house_fit(loss, X, y, s, ALPHA)
    agrees(f"sklearn.{name}", joined(model), expected)
    if weighted:
        assert relative_error(house_fit(loss, X, y, s, ALPHA * ROWS / s.sum()), expected) > 1e-2


@weights
@pytest.mark.parametrize("loss", ["squared", "squared of two targets", "poisson", "logistic", "multinomial"])
def test_networks_without_hidden_layer_on_full_batches(loss, weighted):
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    loss, _, several = loss.partition(" of ")
    X, y, s = problem(loss, weighted=weighted)
    if several:
        y = np.column_stack([y, np.sin(y)])
    name, kind, extra = "MLPClassifier", MLPClassifier, {}
    if loss in ("squared", "poisson"):
        name, kind = "MLPRegressor", MLPRegressor
        extra = {"loss": "poisson" if loss == "poisson" else "squared_error"}
    model = kind(
        hidden_layer_sizes=(), alpha=es.convert(ALPHA, to=f"sklearn.{name}", batch_size=s.sum(), loss=loss),
        solver="sgd", momentum=0.9, learning_rate_init=0.02 if loss == "poisson" else 0.1, batch_size=ROWS,
        max_iter=2000, tol=0.0, n_iter_no_change=10**6, random_state=0, **extra,
    )  # fmt: skip
    with pytest.warns(ConvergenceWarning):  # it was told never to stop by itself
        model.fit(X, y, sample_weight=s)
    found = np.vstack([model.coefs_[0], model.intercepts_[0]])
    if loss == "multinomial":
        found[-1] -= found[-1].mean()
    agrees(f"sklearn.{name}", found.squeeze(), house_fit(loss, X, y, s, ALPHA))


@pytest.mark.parametrize("name", ["OLS", "WLS"])
def test_statsmodels_least_squares(name):
    import statsmodels.api as sm

    X, y, s = problem("squared", weighted=name == "WLS")
    number = es.convert(ALPHA, to=f"statsmodels.{name}")
    price = np.r_[np.full(X.shape[1], number), 0.0]
    extra = {"weights": s} if name == "WLS" else {}
    fit = getattr(sm, name)(y, np.column_stack([X, np.ones(ROWS)]), **extra).fit_regularized(
        alpha=price, L1_wt=0
    )
    agrees(f"statsmodels.{name}", fit.params, house_fit("squared", X, y, s, ALPHA))


@weights
@pytest.mark.parametrize(("loss", "family"), [("logistic", "Binomial"), ("poisson", "Poisson")])
def test_statsmodels_glm(loss, family, weighted):
    import statsmodels.api as sm

    X, y, s = problem(loss, weighted=weighted)
    number = es.convert(ALPHA, to="statsmodels.GLM", loss=loss, **facts(s))
    model = sm.GLM(y, np.column_stack([X, np.ones(ROWS)]), getattr(sm.families, family)(), freq_weights=s)
    fit = model.fit_regularized(alpha=np.r_[np.full(X.shape[1], number), 0.0], L1_wt=0)
    agrees("statsmodels.GLM", fit.params, house_fit(loss, X, y, s, ALPHA))


@weights
@pytest.mark.parametrize(
    ("loss", "family"),
    [("squared", "normal"), ("logistic", "binomial"), ("poisson", "poisson"), ("gamma", "gamma"),
     ("tweedie", "tweedie (1.5)")],
)  # fmt: skip
def test_glum(loss, family, weighted):
    from glum import GeneralizedLinearRegressor

    X, y, s = problem(loss, weighted=weighted)
    link = {"squared": "identity", "logistic": "logit"}.get(loss, "log")
    for scaled in (False, True):
        model = GeneralizedLinearRegressor(
            alpha=es.convert(ALPHA, to="glum", loss=loss), l1_ratio=0, family=family, link=link,
            gradient_tol=1e-14, max_iter=1000, scale_predictors=scaled,
        )  # fmt: skip
        model.fit(X, y, sample_weight=s)
        mean = np.average(X, axis=0, weights=s)
        factors = np.average((X - mean) ** 2, axis=0, weights=s) if scaled else None
        agrees("glum", joined(model), house_fit(loss, X, y, s, ALPHA, factors=factors))
