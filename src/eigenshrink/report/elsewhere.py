"""The same model in other programs: what to type there for the chosen strength."""

from __future__ import annotations

from typing import Any

import numpy as np

from eigenshrink.plots import reading
from eigenshrink.plots.text import plural
from eigenshrink.report import losses
from eigenshrink.report.estimates import SHOWN
from eigenshrink.report.html import table, tag, text
from eigenshrink.report.result import peers
from eigenshrink.units import PEERS, convert

FIRST = (
    "sklearn.Ridge",
    "sklearn.LogisticRegression",
    "sklearn.PoissonRegressor",
    "sklearn.GammaRegressor",
    "torch.SGD",
    "statsmodels.OLS",
    "statsmodels.GLM",
    "glum",
    "glmnet.gaussian",
    "glmnet.binomial",
    "glmnet.poisson",
    "glmnet.multinomial",
)
MODELS = {  # what to type in scikit-learn
    "sklearn.Ridge": "Ridge(alpha={})",
    "sklearn.LogisticRegression": "LogisticRegression(C={})",
    "sklearn.PoissonRegressor": "PoissonRegressor(alpha={})",
    "sklearn.GammaRegressor": "GammaRegressor(alpha={})",
}
NO_PEER = "No other program that is known here minimises this loss: es.L2Regressor takes it."


def equivalents(study: Any) -> str:
    """Return what to set in other programs for the same model."""
    if not study.facts.one_target and losses.base(study) == losses.SQUARED:
        return _scale(study) + _ridges(study)
    if not np.isfinite(study.alpha).all():
        return tag("p", "An endless strength is set by leaving the penalised columns out.")
    numbers = {peer: value for peer, value in peers(study).items() if value is not None}
    first = [_peer(peer, numbers[peer], study) for peer in FIRST if peer in numbers]
    rest = [_peer(peer, numbers[peer], study) for peer in numbers if peer not in FIRST]
    if not numbers:
        return tag("p", NO_PEER)
    said = _scale(study) + tag("ul", *first, class_="peers")
    if rest:
        more = tag("summary", text(plural(len(rest), "more program")))
        said += tag("details", more, tag("ul", *rest, class_="peers"))
    return said


def _scale(study: Any) -> str:
    return _offset(study) + _columns(study)


def _offset(study: Any) -> str:
    said = "Give the program the same offset; scikit-learn takes none."
    return tag("p", said) if study.facts.offset and losses.base(study) != losses.SQUARED else ""


def _columns(study: Any) -> str:
    if study.facts.penalty_factor:
        how = (
            "The penalty differs by column: give the program the same penalty factors d, or divide each "
            "column by √d. A free column needs a program that can leave it out of the penalty."
        )
        return tag("p", how)
    if study.facts.standardize:
        return tag(
            "p", "The numbers are for columns divided by their standard deviation (divisor n), as here."
        )
    return ""


def _peer(peer: str, value: float, study: Any) -> str:
    known = PEERS[peer]
    typed = (
        f"{known.parameter} = {float(f'{value:.6g}')!r}" if np.isfinite(value) else f"{known.parameter} → ∞"
    )
    if peer in MODELS and np.isfinite(value):
        typed = _model(peer, value, study)
    note = tag("span", text(" ".join(known.notes)), class_="note") if known.notes else ""
    return tag("li", tag("strong", text(peer)), " ", tag("code", text(typed)), " ", note)


def _model(peer: str, value: float, study: Any) -> str:
    """Return the model in scikit-learn; Ridge at 0 as the one that takes the smallest weights."""
    model = MODELS[peer].format(repr(float(f"{value:.6g}")))
    if peer == "sklearn.Ridge" and not value:
        model = "LinearRegression()"
    only_sd = study.facts.standardize and not study.facts.penalty_factor
    return f"make_pipeline(StandardScaler(), {model})" if only_sd else model


def _ridges(study: Any) -> str:
    """Return one model per target: the other programs fit one target at a time."""
    rows = []
    for target, name in list(enumerate(study.target_names))[:SHOWN]:
        alpha = reading.chosen(study, target)
        value = convert(alpha, to="sklearn.Ridge", weight_sum=study.facts.weight_sum)
        typed = tag("code", text(_model("sklearn.Ridge", float(value or 0.0), study)))
        rows.append([text(name), typed if np.isfinite(alpha) else "leave the penalised columns out"])
    return table("The same models in scikit-learn", ("target", "type"), rows, "tt")
