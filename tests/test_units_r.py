"""The rows of the converter for R, proved against coefficients made once with R 4.2.2.

MASS 7.3-58.2, glmnet 4.1-6, mgcv 1.8-41; R is not needed to run the tests.
"""

from __future__ import annotations

import numpy as np
import pytest

import eigenshrink as es
from eigenshrink.units import PEERS
from units_oracle import assert_agrees, house_fit

# Brownlee's stack loss data, R's ``stackloss``: air flow, water temperature, acid concentration, loss
STACKLOSS = np.array([
    [80, 27, 89, 42], [80, 27, 88, 37], [75, 25, 90, 37], [62, 24, 87, 28], [62, 22, 87, 18],
    [62, 23, 87, 18], [62, 24, 93, 19], [62, 24, 93, 20], [58, 23, 87, 15], [58, 18, 80, 14],
    [58, 18, 89, 14], [58, 17, 88, 13], [58, 18, 82, 11], [58, 19, 93, 12], [50, 18, 89, 8],
    [50, 18, 86, 7], [50, 19, 72, 8], [50, 19, 79, 8], [50, 20, 80, 9], [56, 20, 82, 15],
    [70, 20, 91, 15],
], dtype=float)  # fmt: skip
X, Y = STACKLOSS[:, :3] - [60, 21, 86], STACKLOSS[:, 3]
WEIGHTS = np.tile([1.0, 2.0, 0.5], 7)
EQUAL = np.ones(21)
HIT, THIRD = (Y > 15).astype(float), (Y > 11).astype(int) + (Y > 18)
FACTORS = np.array([1.0, 2.0, 0.5])

# intercept first, one block per class or target
COEFFICIENTS = {
    "lm.ridge": [
        17.168642441362767, 0.5472000797632337, 1.2746976749813943, -0.002614556074999059,
    ],
    "gaussian": [
        17.143456921665706, 0.7763579716881274, 0.983122053022854, -0.11746784677537524,
    ],
    "origin": [
        0.0, 0.8186872249426574, 1.2784582859665843, -0.13729970519477008,
    ],
    "standardize": [
        17.27073895848287, 0.4567360872306045, 1.099521333450935, 0.05810047780051213,
    ],
    "factors": [
        17.147389978278483, 0.8053045976691448, 0.8876442969522339, -0.12025372031926719,
    ],
    "factors.poisson": [
        2.762748436682452, 0.028109066664449157, 0.044803626694782654, 0.008899300790158635,
    ],
    "gaussian_family": [
        17.1897590995554, 0.8315484649426667, 0.5720116641940551, -0.06716015337246181,
    ],
    "binomial": [
        -0.5802853504325526, 0.22843847268367007, 0.44189113689292747, 0.06524161689456834,
    ],
    "poisson": [
        2.737394768172372, 0.0292945222517523, 0.05985001678619207, 0.00554901223322881,
    ],
    "multinomial": [
        -1.0611035983229464, -0.3019607082229443, -0.14831838840327743, -0.15860969343100606,
        1.5626505336154053, 0.10013493362097359, -0.19388869109824644, -0.024603577947155116,
        -0.5015469352924589, 0.2018257746019707, 0.34220707950152385, 0.1832132713781612,
    ],
    "mgaussian": [
        17.1897590995554, 0.8315484649426793, 0.5720116641940419, -0.06716015337246749,
        2.3177316651675124, -0.058916444493561065, 0.08075318429485259, 0.17348008073849658,
    ],
    "gam.gaussian": [
        17.158286424436973, 0.8114157625593101, 0.8065884139896824, -0.10430636091564233,
    ],
    "gam.binomial": [
        -0.5568950511071843, 0.18328679517864502, 0.22919373985500016, 0.07170155265304456,
    ],
    "gam.poisson": [
        2.7363433578571215, 0.028340264559117305, 0.0634183759380472, 0.005445367518194324,
    ],
    "gam.gamma": [
        2.73056070885586, 0.03724873973523242, 0.04057197012446763, 0.0060329426790237,
    ],
}  # fmt: skip


def variances(s):
    return np.average((X - np.average(X, axis=0, weights=s)) ** 2, axis=0, weights=s)


def spread(s, *, intercept=True):
    centre = np.average(Y, weights=s) if intercept else 0.0
    return np.sqrt(np.average((Y - centre) ** 2, weights=s))


SD = {"target_sd": spread(WEIGHTS)}
PF = {"penalty_factor_sum": FACTORS.sum(), "columns": 3}
S = {"weight_sum": WEIGHTS.sum()}

# name of the fit in R: key of the peer, its number there, house's loss, y, facts, factors d_j
FITS = {
    "lm.ridge": ("MASS.lm.ridge", 5, "squared", Y, {"rows": 21}, variances(EQUAL)),
    "gaussian": ("glmnet.gaussian", 5, "squared", Y, SD, None),
    "origin": ("glmnet.gaussian", 5, "squared", Y, {"target_sd": spread(WEIGHTS, intercept=False)}, None),
    "standardize": ("glmnet.gaussian", 5, "squared", Y, SD, variances(WEIGHTS)),
    "factors": ("glmnet.gaussian", 5, "squared", Y, SD | PF, FACTORS),
    "factors.poisson": ("glmnet.poisson", 5, "poisson", Y, PF, FACTORS * variances(WEIGHTS)),
    "gaussian_family": ("glmnet.gaussian_family", 5, "squared", Y, {}, None),
    "binomial": ("glmnet.binomial", 0.5, "logistic", HIT, {}, None),
    "poisson": ("glmnet.poisson", 5, "poisson", Y, {}, None),
    "multinomial": ("glmnet.multinomial", 0.5, "multinomial", THIRD, {}, None),
    "mgaussian": ("glmnet.mgaussian", 5, "squared", np.column_stack([Y, Y % 7]), {}, None),
    "gam.gaussian": ("mgcv.paraPen", 40, "squared", Y, S, None),
    "gam.binomial": ("mgcv.paraPen", 40, "logistic", HIT, S, None),
    "gam.poisson": ("mgcv.paraPen", 40, "poisson", Y, S, None),
    "gam.gamma": ("mgcv.paraPen", 40, "gamma", Y, S, None),
}


@pytest.mark.parametrize("name", FITS)
def test_r_finds_the_house_minimum(name):
    r"""Compare with coefficients made by this script, which holds nothing of the converter::

    library(MASS); library(glmnet); library(mgcv)
    X <- t(t(as.matrix(stackloss[, 1:3])) - c(60, 21, 86)); y <- stackloss$stack.loss
    s <- rep(c(1, 2, 0.5), 7); hit <- as.numeric(y > 15); third <- (y > 11) + (y > 18)
    show <- function(name, fit) cat(name, sprintf("%.16e", as.numeric(fit)), "\n")
    net <- function(y, family, lambda, ...)
      suppressWarnings(glmnet(X, y, family, weights = s, alpha = 0, lambda = lambda,
                              thresh = 1e-26, maxit = 1e7, ...))  # it warns of small classes
    classes <- function(fit) unlist(lapply(coef(fit), as.numeric))
    show("lm.ridge", coef(lm.ridge(y ~ X, lambda = 5)))
    show("gaussian", coef(net(y, "gaussian", 5, standardize = FALSE)))
    show("origin", coef(net(y, "gaussian", 5, standardize = FALSE, intercept = FALSE)))
    show("standardize", coef(net(y, "gaussian", 5)))
    show("factors", coef(net(y, "gaussian", 5, standardize = FALSE, penalty.factor = c(1, 2, 0.5))))
    show("factors.poisson", coef(net(y, "poisson", 5, penalty.factor = c(1, 2, 0.5))))
    show("gaussian_family", coef(net(y, gaussian(), 5, standardize = FALSE)))
    show("binomial", coef(net(hit, "binomial", 0.5, standardize = FALSE)))
    show("poisson", coef(net(y, "poisson", 5, standardize = FALSE)))
    show("multinomial", classes(net(third, "multinomial", 0.5, standardize = FALSE)))
    show("mgaussian", classes(net(cbind(y, y %% 7), "mgaussian", 5, standardize = FALSE)))
    penalised <- function(y, family)
      suppressWarnings(gam(y ~ X, family, weights = s, paraPen = list(X = list(diag(3), sp = 40)),
                           control = gam.control(epsilon = 1e-14)))  # it warns of fractional counts
    show("gam.gaussian", coef(penalised(y, gaussian())))
    show("gam.binomial", coef(penalised(hit, binomial())))
    show("gam.poisson", coef(penalised(y, poisson())))
    show("gam.gamma", coef(penalised(y, Gamma(link = "log"))))
    """
    peer, number, loss, y, facts, factors = FITS[name]
    alpha = es.convert(number, from_=peer, **facts)
    assert es.convert(alpha, to=peer, **facts) == pytest.approx(number, rel=1e-15)
    s = EQUAL if peer == "MASS.lm.ridge" else WEIGHTS
    v = house_fit(loss, X, y, s, alpha, factors=factors, fit_intercept=name != "origin")
    if name == "origin":
        v = np.append(v, 0.0)
    expected = np.atleast_2d(v.T)[:, [3, 0, 1, 2]].ravel()
    assert_agrees(COEFFICIENTS[name], expected, PEERS[peer].tolerance)


@pytest.mark.parametrize(
    "facts",
    [SD, {"target_sd": spread(WEIGHTS) * np.sqrt(21 / 20)} | PF],
    ids=["penalty.factor not rescaled", "sd divided by n - 1"],
)
def test_the_nearest_wrong_conversions_are_found_out(facts):
    alpha = es.convert(5, from_="glmnet.gaussian", **facts)
    v = house_fit("squared", X, Y, WEIGHTS, alpha, factors=FACTORS)
    with pytest.raises(AssertionError, match="differ by"):
        assert_agrees(COEFFICIENTS["factors"], v[[3, 0, 1, 2]], 1e-4)
