"""The command line as a user starts it: a new process, from nothing to done."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.measure import take_turns
from benchmarks.records import Measured, Plan, Result, Row, Shape

NO_SHAPE = Shape(0, 0, 0)


def help_page(plan: Plan, shape: Shape) -> Result:
    """Seconds from Enter to the help."""
    return _command(plan, "help", ["--help"], bar=0.5, rounds=3 * plan.rounds)


def demo(plan: Plan, shape: Shape) -> Result:
    """Seconds from Enter to the written page, numbers and model."""
    with tempfile.TemporaryDirectory() as folder:
        return _command(plan, "demo", ["demo", "--output", str(Path(folder) / "demo")], bar=10.0)


def _command(plan: Plan, name: str, arguments: list[str], bar: float, rounds: int = 0) -> Result:
    program = Path(sys.executable).with_name("eigenshrink")

    def run() -> None:
        done = subprocess.run([program, *arguments], check=False, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"eigenshrink {' '.join(arguments)} ended with {done.returncode}: {done.stderr}")

    turns = take_turns({name: run}, plan, rounds)
    seconds = turns.seconds[name]
    low, middle, high = (float(value) for value in np.quantile(seconds, [0.25, 0.5, 0.75]))
    number = Measured("seconds", middle, "<=", bar, (low, high), min(seconds))
    return Result(
        name, f"`eigenshrink {arguments[0]}`, a new process", (number,), turns.seconds, turns.others
    )


ROWS: dict[str, Row] = {
    "help": Row(help_page, NO_SHAPE, NO_SHAPE),
    "demo": Row(demo, NO_SHAPE, NO_SHAPE),
}
