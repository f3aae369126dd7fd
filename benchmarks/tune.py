"""How good is a strength that was found by training on, and what does it cost beside a grid?

python -m benchmarks.tune [--problems MLP "CNN, 10% wrong labels"] [--draws 20] [--processes 2]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from benchmarks.tuning.contest import draw
from benchmarks.tuning.problems import PROBLEMS
from benchmarks.tuning.table import markdown

UNSEEN = 10_000  # seeds below were used while the rule was found


def main(argv: Sequence[str] | None = None) -> int:
    parser = arguments()
    told = parser.parse_args(argv)
    if told.first_seed < UNSEEN:
        parser.error(f"seeds below {UNSEEN} were used while the rule was found")
    seeds = range(told.first_seed, told.first_seed + told.draws)
    found = {name: drawn(name, seeds, told.epochs, told.processes) for name in told.problems}
    text = markdown(found, told.epochs, f"{seeds[0]} to {seeds[-1]}")
    folder = Path(told.output)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tune.md").write_text(text, encoding="utf-8")
    (folder / "tune.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(text)
    print(f"written: {folder / 'tune.md'}, {folder / 'tune.json'}", file=sys.stderr)
    return 0


def drawn(name: str, seeds: range, epochs: int, processes: int) -> list[Mapping[str, float]]:
    """All draws of one problem; the same whatever the number of processes."""
    print(f"tuning {name} ...", file=sys.stderr, flush=True)
    one = partial(draw, PROBLEMS[name], epochs=epochs)
    if processes == 1:
        return [one(seed) for seed in seeds]
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        return list(pool.map(one, seeds))


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.tune", description="Tuning by training on, against a grid."
    )
    parser.add_argument("--problems", nargs="+", choices=list(PROBLEMS), default=list(PROBLEMS), metavar="P")
    parser.add_argument("--draws", type=int, default=20, help="of data, split and start")
    parser.add_argument("--epochs", type=int, default=60, help="of a full training")
    parser.add_argument("--first-seed", type=int, default=UNSEEN, help=f"{UNSEEN} or more")
    parser.add_argument("--processes", type=int, default=2, help="one thread each")
    parser.add_argument("--output", default="out/bench", help="folder to write")
    return parser


if __name__ == "__main__":
    sys.exit(main())
