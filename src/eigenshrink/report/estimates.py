"""How sure the strength is, and which estimate of the true error to believe (M14, M15)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.plots import reading
from eigenshrink.plots.criteria import equivalent
from eigenshrink.plots.text import number
from eigenshrink.report.html import table, tag, text
from eigenshrink.report.words import opened
from eigenshrink.risk import DESCRIBING, criterion_name

Array = NDArray[np.float64]

SHOWN = 20  # targets that get a line of their own
FLAT = "flat towards 0"


def as_good(study: Any) -> str:
    """Say which strengths are as good as the chosen one; empty where nothing is known of that."""
    if len(study.target_names) > 1:
        return ""
    if study.choice.flatness:
        return f"{opened(study.choice.flatness)}."
    found = equivalent(study)
    if found is None:
        return ""
    name, ((low, high),) = found
    best, alpha = float(np.ravel(study.risk[name].minimum.alpha)[0]), reading.chosen(study, 0)
    there = "is" if low <= alpha <= high else "is not"
    said = (
        f"By {criterion_name(name)} strengths from {number(low, 3)} to {number(high, 3)} are as good as its "
    )
    return f"{said}best, {number(best, 3)}; this one {there} among them."


def estimates(study: Any) -> str:
    """Return what every estimate would take, as a table, and what it means."""
    names = [name for name in study.risk if name not in DESCRIBING]
    made = (_each_target if len(study.target_names) > 1 else _each_estimate)(study, names)
    found = equivalent(study)
    if found is None:
        return made
    band = "a rise of 1.92 in the likelihood" if found[0] == "evidence" else "1.96 paired standard errors"
    judge = criterion_name(found[0])
    note = f"As good: by {judge} the strength cannot be told from the best one, within {band}."
    return made + tag("p", text(note), class_="note")


def _each_estimate(study: Any, names: list[str]) -> str:
    """One line per estimate."""
    rows, optima, good = [], _optima(study, names), _good(study, names)
    for name in names:
        alpha, curve = float(optima[name][0]), study.risk[name]
        flat = str(np.ravel(curve.minimum.boundary)[0]) == "flat"
        value = float(np.ravel(curve.minimum.value)[0])
        rows.append(
            [
                criterion_name(name) + (", chose" if name == study.choice.criterion else ""),
                FLAT if flat else number(alpha),
                number(study.path.effective_parameters(alpha), 3),
                finite(value) if curve.unit == study.path.loss.unit else "another unit",
                good[name][0],
            ]
        )
    heads = ("estimate", "its best α", "parameters in use there", "estimated error there", "as good")
    return table("What each estimate would take", heads, rows, "tnnnt")


def _each_target(study: Any, names: list[str]) -> str:
    """One line per target, one column per estimate."""
    optima, good, causes = _optima(study, names), _good(study, names), _causes(study)
    rows = []
    for target, name in list(enumerate(study.target_names))[:SHOWN]:
        cells = [
            number(optima[key][target], 3) + (", not as good" if good[key][target] == "no" else "")
            for key in names
        ]
        rows.append([text(name), *cells, *causes[target : target + 1]])
    heads = ("target", *map(criterion_name, names), *(["likely cause of disagreement"] if causes else []))
    kinds = "t" + "n" * len(names) + ("t" if causes else "")
    return table("The α that each estimate would take", heads, rows, kinds)


def _causes(study: Any) -> list[str]:
    found = study.choice.agreement
    return [each.cause or "they agree" for each in found] if isinstance(found, tuple) else []


def _optima(study: Any, names: list[str]) -> dict[str, Array]:
    return {name: np.atleast_1d(np.asarray(study.risk[name].minimum.alpha)) for name in names}


def _good(study: Any, names: list[str]) -> dict[str, list[str]]:
    """Whether each optimum is as good as the best: yes, no or –, by name and target."""
    targets, found = len(study.target_names), equivalent(study)
    if found is not None:
        low, high = found[1].T
        return {
            name: ["yes" if there else "no" for there in (low <= at) & (at <= high)]
            for name, at in _optima(study, names).items()
        }
    known = study.choice.agreement
    each = known if isinstance(known, tuple) else (known,) * targets
    return {name: list(_said(each, name)) for name in names}


def _said(each: tuple[Any, ...], name: str) -> Iterator[str]:
    for one in each:
        there = None if one is None else one.inside.get(name)
        yield "–" if there is None else "yes" if there else "no"


def finite(value: float) -> str:
    """Return a number, or that it is not finite, in words."""
    return number(value) if np.isfinite(value) else "not finite"
