"""GCV against MASS, evidence against mgcv, an optimiser and MacKay's fixed point (M14).

The numbers of R were made once by the scripts in ``tests/peers_r``; R is not needed to run the tests.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize
import statsmodels.api as sm
from numpy.testing import assert_allclose

import eigenshrink as es
from criteria_oracles import mackay
from oracles import CASES, Problem, make, reml, with_spectrum

LONGLEY = sm.datasets.longley.load_pandas().data
NAMES = ["GNP", "UNEMP", "ARMED", "POP", "YEAR", "TOTEMP"]
X = LONGLEY[NAMES].to_numpy() / [1000, 10, 10, 1000, 1, 1000]  # the units of R's copy
Y = LONGLEY["GNPDEFL"].to_numpy()
VARIANCES = X.var(axis=0)  # divided by n
WEIGHTS = np.tile([1.0, 2.0, 0.5, 3.0], 4)


# --- GCV: MASS::lm.ridge ------------------------------------------------------------------------------

LAMBDAS = np.array([0.0, 0.001, 0.01, 0.1, 1.0, 10.0])
LM_RIDGE = np.array([
    1.2844002301790222e-01, 1.2403324154225344e-01, 1.2060184619570610e-01,
    1.4652458985644778e-01, 1.5399055420668004e-01, 2.6321528100131975e-01,
])  # fmt: skip
WITH_INTERCEPT = np.array([
    1.5856792965173100e-01, 1.5244690714207379e-01, 1.4600547453300899e-01,
    1.7414003589875754e-01, 1.8057965619262242e-01, 3.0475078545379453e-01,
])  # fmt: skip
OPTIMUM_OF_LM_RIDGE, OPTIMUM_WITH_INTERCEPT = 5.7064438289417367e-03, 6.6924300969824603e-03


def number(lambdas):
    """House strengths of lm.ridge's lambda; its factors are the variances divided by n."""
    return np.array([es.convert(value, from_="MASS.lm.ridge", rows=16) for value in lambdas])


def test_gcv_counts_the_intercept_and_lm_ridge_does_not():
    """``RSS/(n − γ)²`` is theirs, ``(RSS/2n)/(1 − γ/n)²`` the house's: ``n/2`` of it, with γ one more."""
    study = es.study(X, Y, standardize=True)
    alphas = number(LAMBDAS)
    gcv, gamma = study.risk["gcv"](alphas), study.path.effective_parameters(alphas)
    assert_allclose(gcv, 16 / 2 * WITH_INTERCEPT, rtol=1e-9)
    assert_allclose(gcv * ((16 - gamma) / (16 - (gamma - 1))) ** 2, 16 / 2 * LM_RIDGE, rtol=1e-9)
    assert np.all(WITH_INTERCEPT / LM_RIDGE > 1.15)


def test_the_count_moves_the_optimum():
    study = es.study(X, Y, standardize=True, criterion="gcv")
    lowest, theirs = number([OPTIMUM_WITH_INTERCEPT, OPTIMUM_OF_LM_RIDGE])
    assert_allclose(study.alpha, lowest, rtol=1e-5)
    assert abs(study.alpha / theirs - 1) > 0.1


# --- REML: mgcv::gam(paraPen) -------------------------------------------------------------------------

SP = np.array([0.01, 0.1, 1.0])
# penalised columns, weights; then of mgcv: sp and edf at the optimum, score - lowest, edf, coefficients
GAM = {
    "all": (
        6, None, 2.5072571804284699e-01, 4.4919320462629049e00,
        [2.4339241188663507e00, 3.3311797734431536e-01, 1.3098085252464742e00],
        [6.0290234771264046e00, 4.9097847871520699e00, 3.9369168699779182e00],
        [5.4576995008397952e-02, 1.1984396063379086e-02, 1.2619779305449632e-02,
         -1.8560413654229849e-01, 7.2180542420642879e-01, 5.8848837515477981e-01],
    ),
    "weights": (
        6, WEIGHTS, 4.7415743879376399e-01, 4.4855061693622762e00,
        [3.0670989811462519e00, 8.3679216923101762e-01, 3.4505587261031678e-01],
        [6.1314299878318037e00, 5.1346289275829520e00, 4.1909355905482188e00],
        [6.8612400033741999e-02, 1.6169854285685906e-02, 1.2603476225669305e-02,
         -4.3833605543411586e-01, 7.0652936758805929e-01, 6.1990678129685794e-01],
    ),
    "free": (
        4, WEIGHTS, 3.6071652337866915e01, 3.4419997554946531e00,
        [4.3063498108030345e00, 2.9142656199437269e00, 1.1738362701646921e00],
        [6.4916443739405576e00, 5.6183514847547613e00, 4.6872489178594723e00],
        [3.9397741935128211e-02, -8.8893371098748360e-05, 3.8457965506912654e-03,
         -6.4364533867454077e-01],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GAM)
def test_reml_is_that_of_mgcv(name):
    """Its sp is Sα; scores differ by a constant. mgcv stops at about 1e-9 of the optimum."""
    penalised, s, sp, edf, score, edfs, coef = GAM[name]
    factors = np.where(np.arange(6) < penalised, VARIANCES, 0.0)
    study = es.study(X, Y, sample_weight=s, penalty_factor=factors, criterion="evidence")
    alphas = np.array([es.convert(a, from_="mgcv.paraPen", weight_sum=study.facts.weight_sum) for a in SP])
    evidence = study.risk["evidence"]
    assert_allclose(study.coef(alphas[1])[:penalised], coef, rtol=1e-6)
    assert_allclose(evidence(alphas) - evidence.minimum.value, score, rtol=0, atol=1e-7)
    assert_allclose(study.path.effective_parameters(alphas), edfs, rtol=1e-8)
    assert_allclose(study.alpha * study.facts.weight_sum, sp, rtol=1e-6)
    assert_allclose(study.effective_parameters, edf, rtol=1e-6)


def test_mgcv_can_tell_weights_from_their_square_and_free_from_penalised():
    _, _, sp, _, score, edfs, _ = GAM["weights"]
    wrong = es.study(X, Y, sample_weight=WEIGHTS**2, penalty_factor=VARIANCES, criterion="evidence")
    alphas = SP / WEIGHTS.sum()
    assert not np.allclose(wrong.risk["evidence"](alphas) - wrong.risk["evidence"].minimum.value, score, 1e-2)
    assert not np.isclose(wrong.alpha * WEIGHTS.sum(), sp, rtol=1e-2)
    assert not np.allclose(wrong.path.effective_parameters(alphas), edfs, rtol=1e-3)


# --- a general-purpose optimiser on the n × n marginal likelihood -------------------------------------


INSIDE = [
    c for c, how in CASES.items() if not how.get("t") and c not in ("all free", "wide, frequency, factors")
]


def optimised(problem: Problem) -> tuple[float, float]:
    """Place in log α and value of the lowest point between -12 and 6."""
    found = scipy.optimize.minimize_scalar(
        lambda place: reml(problem, np.exp(place))[0],
        bounds=(-12, 6),
        method="bounded",
        options={"xatol": 1e-9},
    )
    return float(found.x), float(found.fun)


@pytest.mark.parametrize("case", INSIDE)
@pytest.mark.parametrize("seed", [9, 14])
def test_an_optimiser_of_the_marginal_likelihood_finds_the_same(case, seed):
    """On the covariance of the rows, which knows no eigenvalue of H."""
    problem = make(seed, **CASES[case], noise=2.0)
    study = problem.study(criterion="evidence")
    place, lowest = optimised(problem)
    assert study.choice.boundary == "none"
    assert_allclose(study.risk["evidence"].minimum.value, lowest, rtol=0, atol=1e-8)
    assert_allclose(np.log(study.alpha), place, atol=1e-4)  # where 1e-8 of the likelihood lies


@pytest.mark.parametrize(("seed", "boundary", "end"), [(1, "infinite", 6), (12, "flat", -12)])
def test_the_optimiser_runs_to_its_bounds_where_the_house_names_a_limit(seed, boundary, end):
    problem = make(seed, **CASES["wide"])
    study = problem.study(criterion="evidence")
    place, lowest = optimised(problem)
    assert study.choice.boundary == boundary
    assert_allclose(place, end, atol=1e-3)
    assert study.risk["evidence"].minimum.value < lowest < study.risk["evidence"].minimum.value + 0.02


# --- MacKay's fixed point -----------------------------------------------------------------------------


def iterate(problem: Problem, alpha: float) -> float:
    """From a start until nothing moves."""
    for _ in range(3000):
        last, alpha = alpha, mackay(problem, alpha)
        if abs(alpha / last - 1) < 1e-11:
            break
    return alpha


@pytest.mark.parametrize("start", [1e-4, 0.3, 1e3])
@pytest.mark.parametrize(
    "how",
    [
        {"n": 30, "p": 5},
        {"n": 30, "p": 5, "intercept": False, "factors": True},
        {"n": 30, "p": 6, "weights": "precision", "free": 2, "factors": True},
        {"n": 25, "p": 6, "weights": "frequency", "free": 3, "collinear_free": True},
        {"n": 14, "p": 20, "noise": 2.0},
    ],
    ids=["tall", "no intercept", "precision, free", "frequency, collinear free", "wide"],
)
def test_the_fixed_point_iterated_by_hand_lands_on_the_optimum_of_the_evidence(how, start):
    problem = make(4, **how)
    study = problem.study(criterion="evidence")
    assert study.choice.boundary == "none"
    assert_allclose(iterate(problem, start), study.alpha, rtol=1e-6)


def test_no_other_strength_is_a_fixed_point():
    problem = make(4, 30, 6, weights="precision", free=2)
    alpha = problem.study(criterion="evidence").alpha
    steps = [
        mackay(problem, factor * alpha) / (factor * alpha) - 1 for factor in (0.1, 0.99, 1.0, 1.01, 10.0)
    ]
    assert_allclose(steps[2], 0.0, atol=1e-6)
    assert np.all(np.abs(np.delete(steps, 2)) > 1e-3)


# --- the flat limit -----------------------------------------------------------------------------------


def growing(n: int, p: int, power: float) -> Problem:
    """Targets along each left direction of X that grow with a power of its eigenvalue: no noise at all."""
    k = min(n - 1, p)
    X = with_spectrum(2, n, p, np.linspace(1.0, 3.0, k)[::-1])
    U, sizes, _ = np.linalg.svd(X, full_matrices=False)
    return Problem(X, U[:, :k] @ sizes[:k] ** power)


@pytest.mark.parametrize(("n", "p"), [(8, 12), (8, 8), (8, 7)])
def test_evidence_that_is_flat_towards_zero_is_said_to_be_flat(n, p):
    """As many directions as observations: the likelihood tends to a finite value and makes no choice."""
    problem = growing(n, p, 2.0)
    study = problem.study(criterion="evidence")
    low, lower = (reml(problem, alpha)[0] for alpha in (1e-6, 1e-5))
    assert abs(low - lower) < 1e-4
    assert study.choice.boundary == "flat"
    assert study.alpha == 0.0
    assert_allclose(study.risk["evidence"](0.0), low, atol=1e-4)
    assert np.all(reml(problem, 1e-6) < [reml(problem, alpha)[0] for alpha in (0.01, 0.1, 1.0, 100.0)])


def test_wide_rows_with_noise_have_an_optimum_inside_although_the_limit_is_flat():
    problem = growing(8, 12, 0.0)
    assert problem.study(criterion="evidence").choice.boundary == "infinite"
    noisy = growing(8, 12, 1.0)
    noisy = noisy.with_(y=noisy.y + 0.5 * growing(8, 12, -1.0).y)
    study = noisy.study(criterion="evidence")
    assert study.choice.boundary == "none"
    assert reml(noisy, study.alpha)[0] < min(reml(noisy, 1e-6)[0], reml(noisy, 1e3)[0])


def test_each_target_has_its_own_boundary():
    flat, infinite = growing(8, 12, 2.0), growing(8, 12, 0.0)
    both = flat.with_(y=np.column_stack([flat.y, infinite.y]))
    assert list(both.study(criterion="evidence").choice.boundary) == ["flat", "infinite"]


def test_with_rows_to_spare_nothing_is_flat():
    """Without noise the likelihood grows without end: zero, not flat."""
    assert make(3, 25, 5, noise=0.0).study(criterion="evidence").choice.boundary == "zero"
