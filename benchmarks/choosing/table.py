"""Repetitions to tables: excess, differences to the best criterion, intervals, estimates of the error."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.choosing.settings import Setting
from benchmarks.choosing.ways import ESTIMATES, GENERALISED, INTERVALS, SINGLE, WAYS
from benchmarks.table import line_of

Array = NDArray[np.float64]

WITHIN = 0.5  # points of the best single criterion, where rows are independent
AT_MOST = 8.0  # % of excess, where rows belong together
COVERED = 0.9  # share of draws
SAID = {True: "yes", False: "**no**", None: ""}


@dataclass(frozen=True, eq=False)
class Record:
    """All repetitions of one setting: values by name, ``(repetitions,)`` each."""

    setting: Setting
    values: Mapping[str, Array]

    @classmethod
    def of(cls, setting: Setting, repetitions: Sequence[Mapping[str, float]]) -> Record:
        """Stack them; NaN where a repetition did not ask."""
        names = repetitions[0]
        return cls(
            setting, {name: np.array([each.get(name, np.nan) for each in repetitions]) for name in names}
        )

    def excess(self, way: str) -> Array | None:
        """Excess of a way in %, None where it cannot be asked."""
        return self.values.get(f"excess {way}")

    @property
    def best(self) -> str:
        """The single criterion of least mean excess, on these very draws, of those asked in all of them."""
        there = [name for name in SINGLE if not np.isnan(self.values.get(f"excess {name}", np.nan)).any()]
        return min(there, key=lambda name: float(np.mean(self.values[f"excess {name}"])))

    def beyond_best(self, way: str) -> tuple[float, float] | None:
        """Mean excess less that of the best single criterion, and the paired standard error."""
        excess = self.excess(way)
        if excess is None:
            return None
        apart = excess - self.values[f"excess {self.best}"]
        apart = apart[~np.isnan(apart)]
        return float(apart.mean()), float(apart.std(ddof=1) / np.sqrt(len(apart)))

    def bias(self, estimate: str) -> tuple[float, float]:
        """Mean error that is believed against the true one, in % of it, and its standard error."""
        true = self.values[f"true {estimate}"]
        apart = 100 * (self.values[f"believed {estimate}"] - true) / true.mean()
        return float(apart.mean()), float(apart.std(ddof=1) / np.sqrt(len(apart)))

    @property
    def met(self) -> bool | None:
        """The bar of the setting; None: it has none."""
        if self.setting.further:
            return None
        if self.setting.related:
            return bool(self.values["excess auto"].mean() <= AT_MOST)
        apart = self.beyond_best("auto")
        return apart is not None and apart[0] <= WITHIN

    @property
    def covered(self) -> bool | None:
        """The aim of the interval; None: the setting has none."""
        return None if self.setting.further else bool(self.values["covers auto"].mean() >= COVERED)


def markdown(records: Sequence[Record], seeds: str) -> str:
    """All tables, those of squared loss and those of other losses one after the other."""
    squared = [record for record in records if record.setting.loss == "squared"]
    others = [record for record in records if record.setting.loss != "squared"]
    parts = []
    if squared:
        parts.append(_tables("# Which way of choosing α does best", WAYS, squared, seeds))
    if others:
        title = "# Which way of choosing α does best for classes, counts and positive numbers"
        parts.append(_tables(title, GENERALISED, others, seeds))
    return "\n".join(parts)


def _tables(title: str, ways: Sequence[str], records: Sequence[Record], seeds: str) -> str:
    """The tables of one family of losses, with what they say in a sentence each."""
    parts = [
        title,
        f"{len(next(iter(records[0].values.values())))} repetitions of each setting, seeds {seeds}, none of "
        "which was used while the rule was found. Settings below the line are further ones, without a bar.",
        "## Excess over the best α",
        "Error on new rows, noise included, over that at the best α there is, in % of the latter: "
        "mean / 95 % quantile. Bold: the best single criterion.",
        _table(("setting", *ways), records, lambda r: [_excess(r, way) for way in ways]),
        "## Beyond the best single criterion",
        "Mean excess less that of the best single criterion on the same draws, in points, ± the paired "
        f"standard error. Bars for auto: at most {WITHIN:g} points; where rows belong together at most "
        f"{AT_MOST:g} % of excess.",
        _table(("setting", "best", "bar met", *ways), records, lambda r: _differences(r, ways)),
        "## Intervals",
        "Share of draws in which the interval covers the best α, its median width in decades, counted "
        "within ten around the spectrum, and the share of intervals that reach 0 or ∞. Aim for the interval "
        f"of auto: {COVERED:.0%}.",
        _table(
            ("setting", "aim met", *INTERVALS),
            records,
            lambda r: [SAID[r.covered], *(_interval(r, name) for name in INTERVALS)],
        ),
        "## The error that is believed",
        "Against the true error of the same model, in %, ± standard error: the minimum of leave-one-out "
        "(leave-group-out), the same with the optimism of the minimum added, the estimate at the α of auto, "
        "and the same corrected.",
        _table(("setting", *ESTIMATES), records, lambda r: [_signed(*r.bias(name)) for name in ESTIMATES]),
    ]
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], records: Sequence[Record], cells: Callable[[Record], Sequence[str]]) -> str:
    lines = [line_of(head), line_of(["---"] * len(head))]
    further = False
    for record in records:
        if record.setting.further and not further:
            lines.append(line_of(["*further*", *[""] * (len(head) - 1)]))
            further = True
        lines.append(line_of([record.setting.name, *cells(record)]))
    return "\n".join(lines)


def _excess(record: Record, way: str) -> str:
    excess = record.excess(way)
    if excess is None:
        return ""
    said = f"{np.nanmean(excess):.2f} / {np.nanquantile(excess, 0.95):.0f}"
    return f"**{said}**" if way == record.best else said


def _differences(record: Record, ways: Sequence[str]) -> list[str]:
    apart = [record.beyond_best(way) for way in ways]
    return [
        record.best,
        SAID[record.met],
        *(
            "" if pair is None else "0" if way == record.best else _signed(*pair, digits=2)
            for way, pair in zip(ways, apart, strict=True)
        ),
    ]


def _interval(record: Record, name: str) -> str:
    covers, decades, reaches = (record.values[f"{what} {name}"] for what in ("covers", "decades", "open"))
    return f"{covers.mean():.0%}, {np.median(decades):.1f}, {reaches.mean():.0%} open"


def _signed(value: float, error: float, digits: int = 1) -> str:
    return f"{value:+.{digits}f} ± {error:.{digits}f}"
