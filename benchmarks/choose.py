"""Simulate: which way of choosing α comes closest to the best there is, and how sure may one be?

python -m benchmarks.choose [--settings "n50 p20 top"] [--repetitions 400] [--processes 2]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from threadpoolctl import threadpool_limits

from benchmarks.choosing import generalised, settings
from benchmarks.choosing.settings import Setting
from benchmarks.choosing.table import Record, markdown
from benchmarks.choosing.ways import COSTLY, repetition

SETTINGS = settings.SETTINGS | generalised.SETTINGS
UNSEEN = 10_000  # seeds below were used while the rule was found


def main(argv: Sequence[str] | None = None) -> int:
    parser = arguments()
    told = parser.parse_args(argv)
    if told.first_seed < UNSEEN or told.repetitions < 2:
        parser.error(f"seeds below {UNSEEN} were used while the rule was found, and one draw has no spread")
    seeds = range(told.first_seed, told.first_seed + told.repetitions)
    chosen = [setting for name, setting in SETTINGS.items() if name in told.settings]
    records = list(simulate(chosen, seeds, told.processes))
    text = markdown(records, f"{seeds[0]} to {seeds[-1]}")
    folder = Path(told.output)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "choose.md").write_text(text, encoding="utf-8")
    print(text)
    print(f"written: {folder / 'choose.md'}", file=sys.stderr)
    return 0


def simulate(chosen: Sequence[Setting], seeds: range, processes: int = 1) -> Iterator[Record]:
    """All repetitions of each setting; the same whatever the number of processes."""
    if processes == 1:
        with threadpool_limits(1):
            for setting in chosen:
                yield Record.of(
                    setting, list(map(partial(repetition, setting), seeds, costly(setting, seeds)))
                )
        return
    pool = ProcessPoolExecutor(processes, get_context("spawn"), initializer=threadpool_limits, initargs=(1,))
    with pool:
        for setting in chosen:
            print(f"simulating {setting.name} ...", file=sys.stderr, flush=True)
            found = pool.map(partial(repetition, setting), seeds, costly(setting, seeds), chunksize=10)
            yield Record.of(setting, list(found))


def costly(setting: Setting, seeds: range) -> list[bool]:
    """In which repetitions what is costly is asked: folds and peers of iterative fits."""
    return [setting.loss == "squared" or k < COSTLY for k in range(len(seeds))]


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.choose", description="Ways of choosing α where the truth is known."
    )
    parser.add_argument("--settings", nargs="+", choices=list(SETTINGS), default=list(SETTINGS), metavar="S")
    parser.add_argument("--repetitions", type=int, default=400, help="of each setting, two at least")
    parser.add_argument("--first-seed", type=int, default=UNSEEN, help=f"{UNSEEN} or more")
    parser.add_argument("--processes", type=int, default=2, help="one thread each")
    parser.add_argument("--output", default="out/bench", help="folder to write")
    return parser


if __name__ == "__main__":
    sys.exit(main())
