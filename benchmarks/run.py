"""Measure every row, or those that are named, print the table and write it to out/bench/.

python -m benchmarks.run [--rows tall tall-loo] [--rounds 5] [--threads 1] [--output out/bench]

Speed and memory; how well each way of choosing a strength does is measured by benchmarks.choose.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from threadpoolctl import threadpool_limits

from benchmarks import commands, glm, network_evidence, network_krylov, network_products, squared
from benchmarks.machine import describe
from benchmarks.records import Plan, Result, Row
from benchmarks.table import as_json, markdown

ROWS: dict[str, Row] = {
    **squared.ROWS,
    **glm.ROWS,
    **network_products.ROWS,
    **network_krylov.ROWS,
    **network_evidence.ROWS,
    **commands.ROWS,
}


def measure(names: Iterable[str], plan: Plan, smoke: bool = False) -> list[Result]:
    """The rows in the order of the registry; ``smoke`` takes the sizes of a test."""
    wanted = set(names)
    results = []
    for name, row in ROWS.items():
        if name in wanted:
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            results.append(row.measure(plan, row.smoke if smoke else row.full))
    return results


def main(argv: Sequence[str] | None = None) -> int:
    told = arguments().parse_args(argv)
    plan = Plan(told.rounds, told.pause, told.patience, told.seed)
    threads = threadpool_limits(told.threads) if told.threads else contextlib.nullcontext()
    with threads:
        machine = describe()
        results = measure(told.rows, plan, told.smoke)
    text = markdown(results, machine, plan.rounds)
    folder = Path(told.output)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "squared.md").write_text(text, encoding="utf-8")
    data = json.dumps(as_json(results, machine, plan.rounds), indent=1)
    (folder / "squared.json").write_text(data + "\n", encoding="utf-8")
    print(text)
    print(f"written: {folder / 'squared.md'}, {folder / 'squared.json'}", file=sys.stderr)
    return 0


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.run", description="Measure eigenshrink and its peers side by side."
    )
    parser.add_argument("--rows", nargs="+", choices=list(ROWS), default=list(ROWS), metavar="ROW")
    parser.add_argument("--rounds", type=int, default=5, help="of every contender; quick ones take more")
    parser.add_argument("--pause", type=float, default=0.2, help="seconds of rest before every run")
    parser.add_argument("--patience", type=float, default=10, help="seconds to wait for a quiet machine")
    parser.add_argument("--threads", type=int, help="of every BLAS in this process; default: its own choice")
    parser.add_argument("--seed", type=int, default=0, help="of the data")
    parser.add_argument("--output", default="out/bench", help="folder to write")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes: does it run at all")
    return parser


if __name__ == "__main__":
    sys.exit(main())
