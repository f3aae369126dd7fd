"""How a loss is spoken of: its name, its error in the unit that people know, what its coefficients mean."""

from __future__ import annotations

from typing import Any

import numpy as np

from eigenshrink.plots import reading
from eigenshrink.plots.text import number, plural, short
from eigenshrink.units.facts import LOSSES, PARAMETERS

SQUARED = "squared"
NOTHING = 0.1  # relative error of the weights from which a bound says nothing
WORDS = {"poisson": "Poisson", "gamma": "gamma", "inverse_gaussian": "inverse Gaussian", "tweedie": "Tweedie"}
WORDS |= {"binomial": "binomial counts", "huber": "Huber"}
RATIOS = {  # what exp(coefficient) multiplies when the column grows by one
    "logistic": "odds ratio",
    "binomial": "odds ratio",
    "poisson": "rate ratio",
    "gamma": "ratio of means",
    "inverse_gaussian": "ratio of means",
    "tweedie": "ratio of means",
}
SEPARATED = {
    "complete": "The columns tell the classes of all rows apart",
    "quasi": "Along some direction the loss falls without end",
}


def base(study: Any) -> str:
    """Return the name of the loss without its parameter."""
    return str(study.loss).partition(":")[0]


def known(study: Any) -> bool:
    """Tell whether the loss is one that other programs and formulas have a name for."""
    return base(study) in LOSSES or base(study) == "binomial"


def loss_in_words(study: Any) -> str:
    """Return the loss with its parameter and its unit: "logistic, log loss"."""
    name, _, parameter = str(study.loss).partition(":")
    said = [WORDS.get(name, name)]
    if parameter:
        said.append(f"{PARAMETERS.get(name, 'parameter')} = {float(parameter):.6g}")
    if name != SQUARED:
        said.append(study.path.loss.unit)
    return ", ".join(said)


def classes_in_words(study: Any) -> str:
    """Name the classes, and say for which of them the coefficients speak; empty where there are none."""
    if not study.classes:
        return ""
    shares = study.facts.class_shares or (np.nan,) * len(study.classes)
    each = [
        short(label, 24) + (f" {percent(share)}" if np.isfinite(share) else "")
        for label, share in list(zip(study.classes, shares, strict=True))[:12]
    ]
    more = f" and {len(study.classes) - 12} more" if len(study.classes) > 12 else ""
    listed = f"{plural(len(study.classes), 'class', 'classes')}: {', '.join(each)}{more}"
    if reading.class_labels(study):
        return f"{listed}; each has coefficients of its own, which add up to 0 over the classes"
    return f"{listed}; coefficients and probabilities speak for {short(study.classes[1], 24)}"


def ratio(study: Any) -> str:
    """Return what ``exp`` of a coefficient is called; empty where it is nothing that has a name."""
    return RATIOS.get(base(study), "")


def correct(study: Any, alpha: float) -> float:
    """Return the share of rows that are put into their class when they are left out; NaN without classes."""
    if "misclassified" not in study.risk:
        return float("nan")
    return max(0.0, 1.0 - float(np.ravel(study.risk["misclassified"](alpha))[0]))


def largest_class(study: Any) -> tuple[str, float] | None:
    """Return the largest class and its share of the rows: what is right without looking at a column."""
    shares = study.facts.class_shares
    if not shares:
        return None
    place = int(np.argmax(shares))
    return short(study.classes[place], 24), float(shares[place])


def explained(study: Any, alpha: float) -> float:
    """Return ``1 − R(α)/R(∞)`` of the quoted estimate, the share of the error that the columns take away."""
    curve = study.estimate
    here, null = (float(np.ravel(curve(at))[0]) for at in (alpha, np.inf))
    return 1.0 - here / null if np.isfinite([here, null]).all() and null > 0 else float("nan")


def success(study: Any, alpha: float) -> tuple[str, str]:
    """Return a name and a sentence for how well rows are predicted that were left out."""
    if "misclassified" in study.risk:
        said = f"{percent(correct(study, alpha))} of the rows when they are left out"
        found = largest_class(study)
        return "correctly classified", said + (f"; {percent(found[1])} are {found[0]}" if found else "")
    share, null = explained(study, alpha), float(np.ravel(study.estimate(np.inf))[0])
    if not np.isfinite(share):
        return "", ""
    what = "error" if base(study) == "huber" else "deviance"
    return f"{what} explained", f"{percent(share)} of the {number(null, 4)} without penalised columns"


def separation(study: Any) -> str:
    """Say where the path begins, where it has no solution without a penalty; empty elsewhere."""
    why = SEPARATED.get(getattr(study.path, "separation", ""), "")
    if not why:
        return ""
    return (
        f"{why}: without a penalty the weights would grow without end, so that the path begins at "
        f"α = {number(float(study.path.lowest), 3)}."
    )


def proof(study: Any) -> str:
    """Say what is proved of the solution at the (first) chosen strength (M16); empty for squared loss."""
    path, alpha = study.path, reading.chosen(study, 0)
    if not hasattr(path, "anchors"):
        return ""
    bound, (low, _) = float(path.certificate(alpha, relative=True)), path.trusted
    if bound == 0:
        said = "exact: no penalised weight is left"
    elif NOTHING <= bound < np.inf:
        said = f"nothing is proved at α = {number(alpha, 2)}, which is too weak"
    elif np.isfinite(bound):
        said = f"the weights are within {number(bound, 2)} of the solution, relative to their size"
    elif not path.loss.convex:
        said = "none: this loss is not convex, so that another minimum may be lower"
    elif alpha == 0:
        said = "none at α = 0: what is proved is a gradient divided by α"
    else:
        said = "lost: the study was loaded from a file, and a proof needs the rows"
    solved = f"{plural(len(path.anchors), 'strength')} solved"
    since = f"{number(path.tolerance, 2)} kept from α = {number(low, 2)} on"
    return f"{said}; {solved}, {since}"


def percent(share: float) -> str:
    """Return a share as a percentage with one decimal; a dash where it is not known."""
    return f"{100 * share + 0.0:.1f} %" if np.isfinite(share) else "–"
