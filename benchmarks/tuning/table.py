"""Draws to a table: mean ratios of the test loss with their standard errors, worst, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.table import line_of
from benchmarks.tuning.contest import WAYS
from benchmarks.tuning.problems import BATCH, MODELS, MOMENTUM, ROWS

NAMES = {"tune": "en.tune", "up": "weak to strong", "down": "strong to weak"}
RATIO, COST = 1.0, 0.2  # bars

Draws = Sequence[Mapping[str, float]]


def markdown(draws: Mapping[str, Draws], epochs: int, seeds: str) -> str:
    """The table, with what it is of."""
    rates = ", ".join(f"{name} {rate:g}" for name, (_, rate) in MODELS.items())
    head = [
        "model",
        "way",
        "test loss / grid",
        "± s.e.",
        "worst",
        "gradients / grid",
        "log10 α: way, grid",
        "met",
    ]
    lines = [
        "# Tuning the weight decay by training on",
        "",
        f"Digits of 8 x 8 pixels: {ROWS} train, {ROWS} judge, the others test. SGD with momentum "
        f"{MOMENTUM:g}, batches of {BATCH}, {epochs} epochs, rates {rates}; seeds {seeds}. The grid is nine "
        "full trainings, 1e-5 to 1e-1, its best by validation.",
        "",
        line_of(head),
        line_of(["---"] * len(head)),
    ]
    for name, each in draws.items():
        lines += [line_of(_cells(name, way, each)) for way in WAYS]
    return "\n".join(lines) + "\n"


def _cells(name: str, way: str, each: Draws) -> list[str]:
    ratios = np.array([one[f"test {way}"] for one in each])
    costs = np.array([one[f"cost {way}"] for one in each])
    error = ratios.std(ddof=1) / np.sqrt(len(ratios)) if len(ratios) > 1 else np.nan
    alphas = met = ""
    if way == "tune":
        places = [np.log10([one[f"alpha {who}"] for one in each]).mean() for who in ("tune", "grid")]
        alphas = ", ".join(f"{place:.1f}" for place in places)
        met = "yes" if ratios.mean() <= RATIO and costs.mean() <= COST else "**no**"
    numbers = (f"{value:.3f}" for value in (ratios.mean(), error, ratios.max(), costs.mean()))
    return [name, NAMES[way], *numbers, alphas, met]
