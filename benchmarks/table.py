"""The table: Markdown for people, JSON for programs, from the same records."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.machine import warnings
from benchmarks.records import Measured, Result

COLUMNS = ("row", "measured", "median", "quartiles", "best", "bar", "met")
SAID = {True: "yes", False: "**no**", None: ""}


def markdown(results: Sequence[Result], machine: dict[str, Any], rounds: int) -> str:
    """Head, one line per number, and the median seconds behind them."""
    lines = ["# Squared loss: ratios, measured side by side", "", *head(machine, rounds), ""]
    lines += [line_of(COLUMNS), line_of(["---"] * len(COLUMNS))]
    lines += [line_of(cells(result.row, number)) for result in results for number in result.numbers]
    lines += ["", "What each row does, and the median seconds of its contenders:", ""]
    for result in results:
        times = ", ".join(f"{name} {np.median(values):.3g} s" for name, values in result.seconds.items())
        others = f" (others used {result.others:.0%} of the cores before the runs)" if result.others else ""
        lines.append(f"- **{result.row}**: {result.work}." + (f" {times}{others}." if times else ""))
    return "\n".join(lines) + "\n"


def head(machine: dict[str, Any], rounds: int) -> list[str]:
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    said = [
        f"- {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB",
        f"- {machine['system']}, Python {machine['python']}, {versions}",
        *[f"- {blas}" for blas in machine["blas"]],
        f"- at least {rounds} rounds, contenders take turns; load at the start {machine['load']}",
    ]
    return said + [f"- **{text}**" for text in warnings(machine)]


def cells(row: str, number: Measured) -> list[str]:
    between = f"{number.quartiles[0]:.3g} to {number.quartiles[1]:.3g}" if number.quartiles else ""
    bar = "" if number.bar is None else f"{number.sense} {number.bar:g}"
    best = "" if number.best is None else f"{number.best:.3g}"
    return [row, number.what, f"{number.value:.3g}", between, best, bar, SAID[number.met]]


def line_of(values: Sequence[str]) -> str:
    return "| " + " | ".join(values) + " |"


def as_json(results: Sequence[Result], machine: dict[str, Any], rounds: int) -> dict[str, Any]:
    """The same, with every single time."""
    rows = []
    for result in results:
        record = dataclasses.asdict(result)
        for kept, number in zip(record["numbers"], result.numbers, strict=True):
            kept["met"] = number.met
        rows.append(record)
    return {"machine": machine, "rounds": rounds, "rows": rows}
