"""The rows for squared loss: one function each, and the registry at the end.

Every function makes its data, lets the contenders answer once and compares their answers, and only then
times them. α here is n·α in scikit-learn's `Ridge` (docs/maths.md).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.linear_model import Ridge, RidgeCV

import eigenshrink as es
from benchmarks.measure import difference, extra_peak, ratio, take_turns
from benchmarks.problems import Array, regression, strengths
from benchmarks.records import Measured, Plan, Result, Row, Shape

LOO_EQUAL = 1e-9
MIB = 2**20


def tall(plan: Plan, shape: Shape) -> Result:
    """All coefficients, GCV and evidence against one XᵀX and one eigh, and against one Ridge.fit."""
    X, y = regression(shape, plan.seed)
    shifted, _ = regression(shape, plan.seed, shift=100.0)
    alphas = strengths(X, shape.a)
    peer = Ridge(alpha=shape.n * alphas[0]).fit(X, y)
    wrong = difference(answer(X, y, alphas, "gcv", "evidence")[0][0], peer.coef_)
    turns = take_turns(
        {
            "study": lambda: answer(X, y, alphas, "gcv", "evidence"),
            "limit": limit(X),
            "Ridge.fit": lambda: Ridge(alpha=shape.n * alphas[0]).fit(X, y),
            "study, means 100 × the spread": lambda: answer(shifted, y, alphas, "gcv", "evidence"),
        },
        plan,
        rounds=4 * plan.rounds,
    )
    numbers = (
        ratio(turns, "study", "limit", "<=", 1.5),
        ratio(turns, "study", "Ridge.fit", "<=", 1.0),
        Measured("coefficients, relative difference to Ridge", wrong, "<=", 1e-8),
        ratio(turns, "study, means 100 × the spread", "limit"),
    )
    return Result(
        "tall", f"{shape}: coefficients, GCV, evidence at every α", numbers, turns.seconds, turns.others
    )


def tall_loo(plan: Plan, shape: Shape) -> Result:
    """The same with exact leave-one-out at every α, against RidgeCV; and the default choice."""
    X, y = regression(shape, plan.seed)
    alphas = strengths(X, shape.a)
    loo = answer(X, y, alphas, "loo")[1]
    peer = RidgeCV(alphas=shape.n * alphas, store_cv_results=True).fit(X, y)
    turns = take_turns(
        {
            "study with LOO": lambda: everything(X, y, alphas),
            "limit": limit(X),
            "RidgeCV": lambda: RidgeCV(alphas=shape.n * alphas).fit(X, y),
            "study choosing by LOO": lambda: es.study(X, y, criterion="loo").coef(),
        },
        plan,
    )
    numbers = (
        ratio(turns, "study with LOO", "limit", "<=", 4.5),
        ratio(turns, "RidgeCV", "study with LOO", ">=", 30.0),
        Measured(
            "LOO, relative difference to RidgeCV",
            difference_everywhere(loo, peer.cv_results_.mean(axis=0) / 2),
            "<=",
            LOO_EQUAL,
        ),
        ratio(turns, "study choosing by LOO", "limit"),
    )
    return Result(
        "tall, LOO", f"{shape}: the same and exact LOO at every α", numbers, turns.seconds, turns.others
    )


def wide(plan: Plan, shape: Shape) -> Result:
    """More columns than rows, against RidgeCV: what it answers, and all coefficients besides."""
    X, y = regression(shape, plan.seed)
    alphas = strengths(X, shape.a)
    loo = answer(X, y, alphas, "loo")[1]
    peer = RidgeCV(alphas=shape.n * alphas, store_cv_results=True).fit(X, y)
    wrong = difference_everywhere(loo, peer.cv_results_.mean(axis=0) / 2)
    turns = take_turns(
        {
            "study as RidgeCV": lambda: lowest(X, y, alphas),
            "study with everything": lambda: everything(X, y, alphas),
            "study choosing by LOO": lambda: es.study(X, y, criterion="loo").coef(),
            "RidgeCV": lambda: RidgeCV(alphas=shape.n * alphas).fit(X, y),
            "limit": limit(X.T),
        },
        plan,
        rounds=4 * plan.rounds,
    )
    numbers = (
        ratio(turns, "RidgeCV", "study as RidgeCV", ">=", 10.0),
        Measured("LOO, relative difference to RidgeCV", wrong, "<=", LOO_EQUAL),
        ratio(turns, "RidgeCV", "study with everything"),
        ratio(turns, "RidgeCV", "study choosing by LOO"),
        ratio(turns, "RidgeCV", "limit"),
        ratio(turns, "study as RidgeCV", "limit"),
    )
    work = f"{shape}: exact LOO at every α, coefficients where it is lowest; everything: as in the tall rows"
    return Result("wide", work, numbers, turns.seconds, turns.others)


def targets(plan: Plan, shape: Shape) -> Result:
    """A strength for each of many targets, chosen on one grid, against RidgeCV(alpha_per_target=True)."""
    X, Y = regression(shape, plan.seed)
    alphas = strengths(X, shape.a)
    peer = RidgeCV(alphas=shape.n * alphas, alpha_per_target=True)
    peer.fit(X, Y)
    picked, coef = per_target(X, Y, alphas, "loo")
    turns = take_turns(
        {
            "RidgeCV": lambda: RidgeCV(alphas=shape.n * alphas, alpha_per_target=True).fit(X, Y),
            "GCV": lambda: per_target(X, Y, alphas, "gcv"),
            "evidence": lambda: per_target(X, Y, alphas, "evidence"),
            "LOO at every α": lambda: per_target(X, Y, alphas, "loo"),
            "LOO at the GCV optimum": lambda: per_target(X, Y, alphas, "gcv", then_loo=True),
        },
        plan,
    )
    numbers = (
        ratio(turns, "RidgeCV", "GCV", ">=", 10.0),
        ratio(turns, "RidgeCV", "evidence", ">=", 10.0),
        ratio(turns, "RidgeCV", "LOO at every α", ">=", 1.5),
        ratio(turns, "RidgeCV", "LOO at the GCV optimum", ">=", 5.0),
        Measured(
            "targets for which LOO picks another α than RidgeCV",
            float(np.sum(np.abs(picked * shape.n / peer.alpha_ - 1) > 1e-6)),
            "<=",
            0.0,
        ),
        Measured("coefficients, relative difference to RidgeCV", difference(coef, peer.coef_), "<=", 1e-8),
    )
    return Result(
        "targets", f"{shape}, each target its own α on one grid", numbers, turns.seconds, turns.others
    )


def tall_memory(plan: Plan, shape: Shape) -> Result:
    """Extra peak of everything that the tall rows ask for, in units of X."""
    X, y = regression(shape, plan.seed)
    alphas = strengths(X, shape.a)
    extra = extra_peak(lambda: everything(X, y, alphas))
    chosen = extra_peak(lambda: [es.study(X, y, criterion="loo").coef()])
    sure = extra_peak(lambda: doubts(X, y, alphas))
    numbers = (
        Measured("extra peak / X", extra / X.nbytes, "<=", 0.35),
        Measured("extra peak / X, choosing by LOO", chosen / X.nbytes, "<=", 0.35),
        Measured("extra peak / X, band, interval and optimism of LOO", sure / X.nbytes, "<=", 0.35),
        Measured("extra peak, MiB", extra / MIB),
    )
    return Result("tall, memory", f"{shape}: coefficients, GCV, evidence, LOO at every α", numbers)


def wide_memory(plan: Plan, shape: Shape) -> Result:
    """Extra peak of the same when wide, in units of an n×n and of a p×p array."""
    X, y = regression(shape, plan.seed)
    alphas = strengths(X, shape.a)
    extra = extra_peak(lambda: everything(X, y, alphas))
    chosen = extra_peak(lambda: [es.study(X, y, criterion="loo").coef()])
    square = 8 * shape.n**2
    numbers = (
        Measured("extra peak / (n×n)", extra / square, "<=", 4.0),
        Measured("extra peak / (n×n), choosing by LOO", chosen / square, "<=", 4.0),
        Measured("extra peak / (p×p)", extra / (8 * shape.p**2), "<=", 0.1),
        Measured("extra peak, MiB", extra / MIB),
    )
    return Result("wide, memory", f"{shape}: coefficients, GCV, evidence, LOO at every α", numbers)


def targets_memory(plan: Plan, shape: Shape) -> Result:
    """Extra peak with many targets, in units of what DESIGN allows: X + 3 p×p + 3 p×t."""
    X, Y = regression(shape, plan.seed)
    alphas = strengths(X, shape.a)
    allowed = X.nbytes + 3 * 8 * shape.p**2 + 3 * 8 * shape.p * shape.t
    ways: dict[str, Callable[[], list[Array]]] = {
        "GCV": lambda: list(per_target(X, Y, alphas, "gcv")),
        "evidence": lambda: list(per_target(X, Y, alphas, "evidence")),
        "LOO at every α": lambda: list(per_target(X, Y, alphas, "loo")),
        "LOO at the GCV optimum": lambda: list(per_target(X, Y, alphas, "gcv", then_loo=True)),
    }
    numbers = tuple(
        Measured(f"extra peak / (X + 3 p×p + 3 p×t), {name}", extra_peak(work) / allowed, "<=", 1.0)
        for name, work in ways.items()
    )
    return Result("targets, memory", f"{shape}, each target its own α on one grid", numbers)


def limit(X: Array) -> Callable[[], object]:
    """The least that any route does: one XᵀX (numpy calls syrk for it) and one eigh of it; X.T when wide."""
    return lambda: np.linalg.eigh(X.T @ X)


def answer(X: Array, y: Array, alphas: Array, *curves: str) -> list[Array]:
    """Coefficients at every strength, and the curves that are asked for."""
    study = es.study(X, y)
    return [study.coef(alphas), *[study.risk[name](alphas) for name in curves]]


def everything(X: Array, y: Array, alphas: Array) -> list[Array]:
    return answer(X, y, alphas, "gcv", "evidence", "loo")


def doubts(X: Array, y: Array, alphas: Array) -> list[Array]:
    """Band of leave-one-out at every strength, the interval of equivalent strengths, the picked minimum."""
    study = es.study(X, y, criterion="loo")
    band = study.risk["loo"].standard_error(alphas)
    return [band, np.array([*study.choice.interval, study.choice.optimism])]


def lowest(X: Array, y: Array, alphas: Array) -> Array:
    """What RidgeCV answers: exact LOO at every strength, coefficients where it is lowest."""
    study = es.study(X, y)
    return study.coef(alphas[np.argmin(study.risk["loo"](alphas))])


def per_target(
    X: Array, Y: Array, alphas: Array, criterion: str, then_loo: bool = False
) -> tuple[Array, ...]:
    """Strength of each target, lowest on the grid, its coefficients, and its exact LOO if asked for."""
    study = es.study(X, Y)
    picked = alphas[np.argmin(study.risk[criterion](alphas), axis=0)]
    coef = study.coef(per_target=picked)
    return (picked, coef, study.risk["loo"].per_target(picked)) if then_loo else (picked, coef)


def difference_everywhere(ours: Array, theirs: Array) -> float:
    """Largest relative difference of two positive curves, each point relative to itself."""
    return float(np.abs(ours / theirs - 1).max())


ROWS: dict[str, Row] = {
    "tall": Row(tall, Shape(20_000, 200, 100), Shape(120, 6, 9)),
    "tall-loo": Row(tall_loo, Shape(20_000, 200, 100), Shape(120, 6, 9)),
    "wide": Row(wide, Shape(200, 5_000, 100), Shape(40, 160, 9)),
    "targets": Row(targets, Shape(2_000, 500, 20, 1_000), Shape(60, 8, 6, 5)),
    "tall-memory": Row(tall_memory, Shape(20_000, 200, 100), Shape(400, 6, 9)),
    "wide-memory": Row(wide_memory, Shape(200, 5_000, 100), Shape(30, 300, 9)),
    "targets-memory": Row(targets_memory, Shape(2_000, 500, 20, 1_000), Shape(60, 8, 6, 5)),
}
