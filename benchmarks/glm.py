"""The rows for other losses than squared: paths that are solved at anchors and proved in between.

Both sides minimise the same sums: α here is ``1/(n C)`` of scikit-learn's `LogisticRegression`, and `alpha`
of glum with ``l1_ratio=0``. Before a clock is looked at, both are held against solutions that are proved to
1e-8; what each of them reached stands beside the ratio.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from glum import GeneralizedLinearRegressor
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import StratifiedKFold

import eigenshrink as es
from benchmarks.measure import extra_peak, ratio, take_turns
from benchmarks.problems import Array, strengths
from benchmarks.records import Measured, Plan, Result, Row, Shape

MIB = 2**20
ACCURACY = 1e-3  # relative error that is proved at every strength
TIGHT = 1e-8  # and that of what everybody is held against
FOLDS = 5
DECADES = 4  # of the spectrum of the columns
SOLVERS = (("newton-cholesky", 1e-4), ("lbfgs", 1e-4), ("lbfgs", 1e-6))  # of LogisticRegressionCV, with tol
CLASS_TOLS = (1e-4, 1e-6, 1e-7)  # of its lbfgs with several classes
GRADIENT_TOLS = 10.0 ** -np.arange(3.0, 8.5, 0.5)  # of glum, loosest first
INSIDE = 4.0  # times the lowest strength of a path: every fold has a solution there
PATIENT = 100_000  # iterations that a peer may take


@dataclass(frozen=True)
class Peer:
    """One setting of a peer: its largest relative error over all strengths, the seconds of its first run."""

    name: str
    work: Callable[[], Any]
    error: float
    seconds: float


def logistic(plan: Plan, shape: Shape) -> Result:
    """Coefficients, certificates and leave-one-out at every strength, against LogisticRegressionCV."""
    return against_folds(plan, shape, "logistic", judged, 5.0)


def logistic_path(plan: Plan, shape: Shape) -> Result:
    """The same without leave-one-out."""
    return against_folds(plan, shape, "logistic, path", lambda *data: proved(*data, "logistic"), 8.0)


def against_folds(
    plan: Plan, shape: Shape, row: str, work: Callable[..., Sequence[Array]], bar: float
) -> Result:
    X, y, alphas = problem(shape, plan.seed, "logistic")
    coef, certificate = work(X, y, alphas)[:2]
    error = furthest(coef, tight(X, y, alphas, "logistic"))
    peers = [folded(X, y, alphas, solver, tol) for solver, tol in SOLVERS]
    counts, default = fastest(peers), peers[1]
    turns = take_turns(
        {"study": lambda: work(X, y, alphas), **{peer.name: peer.work for peer in (counts, default)}}, plan
    )
    numbers = (
        ratio(turns, counts.name, "study", ">=", bar),
        *(() if default is counts else (ratio(turns, default.name, "study"),)),
        *reached(certificate, error),
        *errors(peers),
    )
    judges = " and LOO" if row == "logistic" else ""
    said = (
        f"{shape}: coefficients, certificates{judges} at every α; LogisticRegressionCV: the same C's, "
        f"{FOLDS} folds, log loss, {first_runs(peers)}"
    )
    return Result(row, said, numbers, turns.seconds, turns.others)


def poisson(plan: Plan, shape: Shape) -> Result:
    """Coefficients at every strength, ours with certificates, against glum at the same accuracy."""
    X, y, alphas = problem(shape, plan.seed, "poisson")
    coef, certificate = proved(X, y, alphas, "poisson")
    exact = tight(X, y, alphas, "poisson")
    tol, error = next(found for found in glums(X, y, alphas, exact) if found[1] <= ACCURACY)
    turns = take_turns(
        {
            "study": lambda: proved(X, y, alphas, "poisson"),
            "glum": lambda: searched(X, y, alphas, tol),
            "glum, warm starts": lambda: warm_started(X, y, alphas, tol),
        },
        plan,
    )
    numbers = (
        ratio(turns, "glum", "study"),
        ratio(turns, "glum, warm starts", "study"),
        *reached(certificate, furthest(coef, exact)),
        Measured("glum, relative error", error, "<=", ACCURACY),
    )
    said = (
        f"{shape}: coefficients at every α, ours with certificates; glum {version('glum')}: alpha_search, or "
        f"one fit after another, with the loosest gradient_tol that reaches {ACCURACY:g}, {tol:.2g}"
    )
    return Result("poisson", said, numbers, turns.seconds, turns.others)


def logistic_memory(plan: Plan, shape: Shape) -> Result:
    """Extra peak of the logistic row in units of X."""
    X, y, alphas = problem(shape, plan.seed, "logistic")
    path = extra_peak(lambda: proved(X, y, alphas, "logistic"))
    extra = extra_peak(lambda: judged(X, y, alphas))
    numbers = (
        Measured("extra peak / X", extra / X.nbytes),
        Measured("extra peak / X, without LOO", path / X.nbytes),
        Measured("extra peak, MiB", extra / MIB),
    )
    return Result("logistic, memory", f"{shape}: coefficients, certificates and LOO at every α", numbers)


def multinomial(plan: Plan, shape: Shape) -> Result:
    """Classes of digits: the chosen strength and its coefficients, against LogisticRegressionCV."""
    X, y = digits(shape)
    study = es.study(X, y, loss="multinomial", tol=ACCURACY)
    low, high = np.exp(study.path.span)
    alphas = np.geomspace(INSIDE * low, high, shape.a)
    peers = [folded(X, y, alphas, "lbfgs", tol, "multinomial") for tol in CLASS_TOLS]
    counts, default = fastest(peers), peers[0]
    exact = tight(X, y, alphas, "multinomial")
    certificate = study.path.certificate(alphas, relative=True)
    turns = take_turns(
        {
            "study": lambda: es.study(X, y, loss="multinomial", tol=ACCURACY).coef(),
            **{peer.name: peer.work for peer in (counts, default)},
        },
        plan,
    )
    numbers = (
        ratio(turns, counts.name, "study"),
        *(() if default is counts else (ratio(turns, default.name, "study"),)),
        *reached(certificate, furthest(study.coef(alphas), exact)),
        *errors(peers),
    )
    said = (
        f"digits, {len(np.unique(y))} classes, {shape}: the chosen α and its coefficients; "
        f"LogisticRegressionCV: C's over the span of our path, {FOLDS} folds, log loss, {first_runs(peers)}"
    )
    return Result("multinomial", said, numbers, turns.seconds, turns.others)


def problem(shape: Shape, seed: int, loss: str) -> tuple[Array, Array, Array]:
    """Columns that are correlated, a target with an intercept of its own, strengths over 8 decades."""
    rng = np.random.default_rng(seed)
    Q, _ = np.linalg.qr(rng.normal(size=(shape.p, shape.p)))
    root = np.logspace(0, -DECADES / 2, shape.p)
    X = rng.normal(size=(shape.n, shape.p)) * root @ Q.T + 0.3 * rng.normal(size=shape.p)
    eta = (X - X.mean(axis=0)) @ (Q @ (rng.normal(size=shape.p) / np.sqrt(root)))
    eta /= eta.std()
    if loss == "poisson":
        y = rng.poisson(np.exp(0.7 * eta + 0.3)).astype(np.float64)
    else:
        y = (rng.random(shape.n) < 1 / (1 + np.exp(1 - 1.5 * eta))).astype(np.float64)
    return X, y, strengths(X, shape.a)


def digits(shape: Shape) -> tuple[Array, Array]:
    """The first rows and pixels."""
    X, y = load_digits(return_X_y=True)
    return X[: shape.n, : shape.p] / 16, y[: shape.n]


def proved(X: Array, y: Array, alphas: Array, loss: str) -> list[Array]:
    """Coefficients and their relative certificates at every strength."""
    study = es.study(X, y, loss=loss, tol=ACCURACY)
    return [study.coef(alphas), study.path.certificate(alphas, relative=True)]


def judged(X: Array, y: Array, alphas: Array) -> list[Array]:
    """Coefficients, their relative certificates, and approximate leave-one-out."""
    study = es.study(X, y, loss="logistic", tol=ACCURACY)
    certificate = study.path.certificate(alphas, relative=True)
    return [study.coef(alphas), certificate, study.risk["loo"](alphas)]


def tight(X: Array, y: Array, alphas: Array, loss: str) -> Array:
    """Coefficients at every strength that are proved to ``TIGHT``."""
    study = es.study(X, y, loss=loss, tol=TIGHT / 10)
    proof = float(np.max(study.path.certificate(alphas, relative=True)))
    if proof > TIGHT:
        raise RuntimeError(f"the solution to compare with is proved to {proof:.2g} only, not to {TIGHT:g}")
    return np.asarray(study.coef(alphas))


def furthest(ours: Array, exact: Array) -> float:
    """Largest relative error of coefficients ``(a, ...)``, the strengths each for itself."""
    apart, length = (np.linalg.norm(W.reshape(len(exact), -1), axis=1) for W in (ours - exact, exact))
    return float((apart / length).max())


def reached(certificate: Array, error: float) -> tuple[Measured, Measured]:
    return (
        Measured("study, largest certificate", float(np.max(certificate)), "<=", ACCURACY),
        Measured("study, relative error", error, "<=", ACCURACY),
    )


def errors(peers: Sequence[Peer]) -> list[Measured]:
    return [Measured(f"{peer.name}, relative error", peer.error) for peer in peers]


def fastest(peers: Sequence[Peer]) -> Peer:
    """Of those that are as accurate as we are, or of all where none is."""
    equal = [peer for peer in peers if peer.error <= ACCURACY]
    return min(equal or peers, key=lambda peer: peer.seconds)


def first_runs(peers: Sequence[Peer]) -> str:
    each = ", ".join(f"{peer.name} {peer.seconds:.3g} s" for peer in peers)
    return f"of its settings the fastest with an error of at most {ACCURACY:g}; first runs: {each}"


def folded(X: Array, y: Array, alphas: Array, solver: str, tol: float, loss: str = "logistic") -> Peer:
    """A setting of LogisticRegressionCV; its error is that of the coefficients of the first fold."""
    Cs = np.sort(1 / (len(y) * alphas))

    def work() -> LogisticRegressionCV:
        return LogisticRegressionCV(
            Cs=Cs,
            cv=FOLDS,
            solver=solver,
            tol=tol,
            max_iter=PATIENT,
            l1_ratios=(0.0,),
            scoring="neg_log_loss",
            use_legacy_attributes=False,
        ).fit(X, y)

    start = time.perf_counter()
    found = work().coefs_paths_[0, 0, ..., : X.shape[1]]  # of the first fold, (a, classes, p)
    seconds = time.perf_counter() - start
    rows, _ = next(StratifiedKFold(FOLDS).split(X, y))
    exact = tight(X[rows], y[rows], 1 / (len(rows) * Cs), loss).reshape(found.shape)
    return Peer(f"{solver}, tol {tol:g}", work, furthest(found, exact), seconds)


def glums(X: Array, y: Array, alphas: Array, exact: Array) -> Iterator[tuple[float, float]]:
    """Tolerances of glum, loosest first, and the largest relative error with each."""
    for tol in GRADIENT_TOLS:
        yield float(tol), furthest(searched(X, y, alphas, tol), exact)


def searched(X: Array, y: Array, alphas: Array, tol: float) -> Array:
    """All strengths by the path of glum itself, from strong to weak."""
    model = poisson_model(tol, alpha=alphas[::-1].tolist(), alpha_search=True)
    return np.asarray(model.fit(X, y).coef_path_)[::-1]


def warm_started(X: Array, y: Array, alphas: Array, tol: float) -> Array:
    """One fit after another, from strong to weak, each starting from the last."""
    model = poisson_model(tol, warm_start=True)
    found = [model.set_params(alpha=alpha).fit(X, y).coef_.copy() for alpha in alphas[::-1]]
    return np.array(found)[::-1]


def poisson_model(tol: float, **options: Any) -> GeneralizedLinearRegressor:
    return GeneralizedLinearRegressor(
        family="poisson", l1_ratio=0, gradient_tol=float(tol), max_iter=PATIENT, **options
    )


ROWS: dict[str, Row] = {
    "logistic": Row(logistic, Shape(50_000, 60, 20), Shape(300, 5, 6)),
    "logistic-path": Row(logistic_path, Shape(50_000, 60, 20), Shape(300, 5, 6)),
    "poisson": Row(poisson, Shape(50_000, 60, 20), Shape(300, 5, 6)),
    "logistic-memory": Row(logistic_memory, Shape(50_000, 60, 20), Shape(300, 5, 6)),
    "multinomial": Row(multinomial, Shape(1_797, 64, 20), Shape(100, 24, 3)),
}
