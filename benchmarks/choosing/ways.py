"""What each way of choosing makes of one draw, held against the truth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegressionCV, RidgeCV

import eigenshrink as es
from benchmarks.choosing.generalised import DrawnRows, draw_rows
from benchmarks.choosing.settings import Drawn, Setting, draw

Array = NDArray[np.float64]

SINGLE = ("loo", "leave_group_out", "kfold", "gcv", "cp", "evidence")
BESIDE = ("strongest-equivalent", "10-fold", "RidgeCV", "RidgeCV, 100")
WAYS = ("auto", *SINGLE, *BESIDE)
PEERS = {"LogisticRegressionCV": None, "LogisticRegressionCV, log loss": "neg_log_loss"}  # their scoring
COSTLY = 40  # repetitions of other losses than squared in which folds and peers are asked
GENERALISED = ("auto", "loo", "leave_group_out", "cp", "evidence", "strongest-equivalent", "kfold", *PEERS)
INTERVALS = ("auto", "leave-out", "evidence")
AROUND = (1e-6, 1e4)  # of the largest eigenvalue: the strengths that widths and grids are about
ESTIMATES = ("leave-out minimum", "its correction", "estimate at auto", "corrected")


def repetition(setting: Setting, seed: int, costly: bool = True) -> dict[str, float]:
    """Everything that is measured of one draw, by name; what is costly only where that is asked.

    ``excess W`` of each way: error over the least that any strength reaches, in % of that; ``covers I``,
    ``decades I`` and ``open I`` of each interval; ``believed E`` and ``true E`` of each estimate of
    the error.
    """
    squared = setting.loss == "squared"
    drawn = draw(setting, seed) if squared else draw_rows(setting, seed)
    study = es.study(drawn.X, drawn.y, loss=setting.loss, groups=drawn.groups, random_state=seed)
    chosen = strengths(study, drawn, seed, costly)
    best, least = oracle(study, drawn, np.array(list(chosen.values())))
    reached = dict(zip(chosen, true_error(study, drawn, np.array(list(chosen.values()))), strict=True))
    if isinstance(drawn, DrawnRows) and costly:
        reached |= peers(drawn)
    said = {f"excess {way}": 100 * (error / least - 1) for way, error in reached.items()}
    return said | intervals(study, best) | estimates(study, drawn)


def strengths(study: es.Study, drawn: Drawn | DrawnRows, seed: int, costly: bool) -> dict[str, float]:
    """The strength that each way takes, those that need something else left out."""
    others = {"strongest-equivalent": float(study.choice.interval[1])}
    if isinstance(drawn, Drawn):
        others |= ridge(study, drawn, seed)
    asked = [name for name in SINGLE if name in study.risk and (costly or name != "kfold")]
    single = {name: study.risk[name].minimum.alpha for name in asked}
    return {"auto": study.alpha} | single | others


def ridge(study: es.Study, drawn: Drawn, seed: int) -> dict[str, float]:
    """Folds of single rows, and scikit-learn."""
    rows, top = len(drawn.y), float(study.spectrum.eigenvalues[0])
    alphas = rows * top * np.geomspace(*AROUND, 100)
    # as GridSearchCV does unless told: folds of single rows, whatever belongs together
    unaware = es.study(drawn.X, drawn.y, groups=np.arange(rows), folds=10, random_state=seed)
    return {
        "10-fold": unaware.risk["kfold"].minimum.alpha,
        "RidgeCV": RidgeCV().fit(drawn.X, drawn.y).alpha_ / rows,
        "RidgeCV, 100": RidgeCV(alphas=alphas).fit(drawn.X, drawn.y).alpha_ / rows,
    }


def peers(drawn: DrawnRows) -> dict[str, float]:
    """Error of scikit-learn's own choice for classes: ten strengths, five folds."""
    if drawn.loss not in ("logistic", "multinomial"):
        return {}
    reached = {}
    for name, scoring in PEERS.items():
        model = LogisticRegressionCV(
            cv=5,
            scoring=scoring,
            solver="newton-cholesky",
            max_iter=1000,
            l1_ratios=(0.0,),
            use_legacy_attributes=False,
        ).fit(drawn.X, drawn.y)
        coef, intercept = model.coef_, model.intercept_
        if drawn.loss == "multinomial":
            coef, intercept = coef[None], intercept[None]
        reached[name] = float(drawn.error(coef, intercept)[0])
    return reached


def true_error(study: es.Study, drawn: Drawn | DrawnRows, alphas: Array) -> Array:
    """Error on new rows of the model at each strength, ``(a,)``."""
    lowest = 0.0 if study.loss == "squared" else study.path.lowest  # classes apart have no model at 0
    alphas = np.maximum(alphas, lowest)
    return drawn.error(study.coef(alphas), study.intercept(alphas))


def oracle(study: es.Study, drawn: Drawn | DrawnRows, others: Array) -> tuple[float, float]:
    """The best of all strengths and its error: on a grid over 14 decades with both limits, then finer."""
    top = float(study.spectrum.eigenvalues[0])
    alphas = np.unique(np.concatenate([[0.0], top * np.logspace(-8, 6, 211), [np.inf], others]))
    at = int(np.argmin(true_error(study, drawn, alphas)))
    low, high = alphas[max(at - 1, 0)], alphas[min(at + 1, len(alphas) - 1)]
    if 0 < low < high < np.inf:
        alphas = np.append(np.geomspace(low, high, 30), alphas[at])
    errors = true_error(study, drawn, alphas)
    return float(alphas[np.argmin(errors)]), float(errors.min())


def intervals(study: es.Study, best: float) -> dict[str, float]:
    """Whether each interval covers the best strength, and its width."""
    found = {
        "auto": study.choice.interval,
        "leave-out": study.risk[leave_out(study)].interval,
        "evidence": study.risk["evidence"].interval,
    }
    within = float(study.spectrum.eigenvalues[0]) * np.array(AROUND)
    said = {}
    for name, (low, high) in found.items():
        said[f"covers {name}"] = float(low <= best <= high)
        said[f"decades {name}"] = float(np.diff(np.log10(np.clip([low, high], *within)))[0])
        said[f"open {name}"] = float(low == 0 or np.isinf(high))
    return said


def estimates(study: es.Study, drawn: Drawn | DrawnRows) -> dict[str, float]:
    """What is believed of the error, and what is true of it."""
    curve = study.risk[leave_out(study)]
    at_minimum, at_chosen = true_error(study, drawn, np.array([curve.minimum.alpha, study.alpha]))
    corrected = study.choice.corrected
    believed = (
        curve.minimum.value,
        curve.minimum.value + curve.optimism,
        corrected - study.choice.optimism,
        corrected,
    )
    true = (at_minimum, at_minimum, at_chosen, at_chosen)
    said = {f"believed {name}": float(value) for name, value in zip(ESTIMATES, believed, strict=True)}
    return said | {f"true {name}": float(value) for name, value in zip(ESTIMATES, true, strict=True)}


def leave_out(study: es.Study) -> str:
    """The leave-out estimate that fits the rows."""
    return "leave_group_out" if "leave_group_out" in study.risk else "loo"
