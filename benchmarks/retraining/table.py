"""Tables for people: every strength, and what is held against the bars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.retraining.compare import Comparison, Losses, Point, error
from benchmarks.table import SAID, line_of

BAR = 0.02  # of the test loss, inside the range
REACH = 2.0  # of the range, each way
REACHING = ("logistic regression", "MLP")
WAYS = ("predicted", "uncalibrated")
COLUMNS = (
    "α",
    "predicted train / test",
    "error, w̃ off",
    "uncalibrated train / test",
    "error, w̃ off",
    "trained train / test",
    "cold test",
)


def markdown(comparisons: Sequence[Comparison], seed: int) -> str:
    """Bars first, then each model."""
    lines = [
        "# Predicted from one fit, and trained again",
        "",
        f"Digits of scikit-learn, seed {seed}. In brackets below: strengths that the study trusts. "
        "Uncalibrated: its quadratic, without the slope of the true loss along the path.",
        "",
        line_of(
            ["model", "path", "trusted below α₀", "above", "largest error of the test loss inside", "met"]
        ),
        line_of(["---"] * 6),
    ]
    for comparison in comparisons:
        lines += [line_of(cells) for cells in bars(comparison)]
    for comparison in comparisons:
        lines += ["", *section(comparison)]
    return "\n".join(lines) + "\n"


def bars(comparison: Comparison) -> Iterator[list[str]]:
    """One line for each way of predicting."""
    for what in WAYS:
        within = comparison.trusted
        low, high = comparison.alpha / max(within[0], 1e-300), within[1] / comparison.alpha
        worst = comparison.worst(what)
        met = worst <= BAR and (comparison.name not in REACHING or min(low, high) >= REACH)
        reach = ["∞" if each > 1e6 else f"{each:.3g}×" for each in (low, high)]
        yield [comparison.name, what, *reach, f"{worst:.1%}", SAID[bool(met)]]


def section(comparison: Comparison) -> Iterator[str]:
    """All strengths of one model."""
    yield (
        f"## {comparison.name}: {comparison.weights} weights, {comparison.rows} rows, "
        f"α₀ = {comparison.alpha:g}, {comparison.kind}"
    )
    yield ""
    yield line_of(COLUMNS)
    yield line_of(["---"] * len(COLUMNS))
    for point in comparison.points:
        yield line_of(list(cells(comparison, point)))
    resting = max(point.gain for point in comparison.points)
    yield ""
    yield f"A Newton step would gain at most {resting:.1g} of the objective of any training."


def cells(comparison: Comparison, point: Point) -> Iterator[str]:
    """One strength."""
    yield f"{point.alpha:.3g}"
    low, high = comparison.trusted
    for what in WAYS:
        found: Losses | None = getattr(point, what)
        believed = low * (1 - 1e-9) <= point.alpha <= high * (1 + 1e-9)
        if found is None:
            yield from ("", "")
            continue
        yield f"{found.train:.4f} / {found.test:.4f}"
        text = f"{error(found, point.trained):+.1%}, {found.apart:.0%}"
        yield f"[{text}]" if believed else text
    yield f"{point.trained.train:.4f} / {point.trained.test:.4f}"
    yield "" if point.cold is None else f"{point.cold.test:.4f} ({error(point.cold, point.trained):+.1%})"


def finite(value: float) -> float | None:
    """For JSON."""
    return float(value) if np.isfinite(value) else None
