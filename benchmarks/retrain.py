"""What one fit says of other strengths, against trainings at these strengths.

python -m benchmarks.retrain [--models MLP CNN] [--curvature ggn] [--small]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import warnings
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from benchmarks.retraining.compare import STRENGTHS, Comparison, compare
from benchmarks.retraining.models import CASES
from benchmarks.retraining.table import finite, markdown

FEW_ROWS, FEW_STRENGTHS = 120, 7


def main(argv: Sequence[str] | None = None) -> int:
    told = arguments().parse_args(argv)
    comparisons = run(told.models, told.curvature, told.small, told.seed, told.processes)
    text = markdown(comparisons, told.seed)
    folder = Path(told.output)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "retrain.md").write_text(text, encoding="utf-8")
    (folder / "retrain.json").write_text(json.dumps(as_json(comparisons), indent=1) + "\n", encoding="utf-8")
    print(text)
    print(f"written: {folder / 'retrain.md'}, {folder / 'retrain.json'}", file=sys.stderr)
    return 0


def run(models: Sequence[str], kind: str, small: bool, seed: int, processes: int = 1) -> list[Comparison]:
    """All comparisons, the longest first; small: few rows and strengths, no cold trainings."""
    one = partial(compared, kind=kind, small=small, seed=seed)
    names = [name for name in CASES if name in models]
    if processes == 1:
        return [one(name) for name in names]
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        return list(pool.map(one, names[::-1]))[::-1]


def compared(name: str, kind: str, small: bool, seed: int) -> Comparison:
    """One model, by one thread."""
    torch.set_num_threads(1)
    case = dataclasses.replace(CASES[name], rows=FEW_ROWS) if small else CASES[name]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="There is a performance drop")
        return compare(case, FEW_STRENGTHS if small else STRENGTHS, kind, cold=not small, seed=seed)


def as_json(comparisons: Sequence[Comparison]) -> list[dict[str, Any]]:
    """Every number; infinity is null."""
    found = [dataclasses.asdict(comparison) for comparison in comparisons]
    for record in found:
        record["trusted"] = [finite(end) for end in record["trusted"]]
    return found


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.retrain", description="Predicted from one fit, and trained again."
    )
    parser.add_argument("--models", nargs="+", choices=list(CASES), default=list(CASES), metavar="M")
    parser.add_argument("--curvature", choices=("ggn", "hessian"), default="ggn")
    parser.add_argument("--small", action="store_true", help="few rows and strengths, nothing cold")
    parser.add_argument("--seed", type=int, default=0, help="of rows, start and kick")
    parser.add_argument("--processes", type=int, default=2, help="one thread each")
    parser.add_argument("--output", default="out/bench", help="folder to write")
    return parser


if __name__ == "__main__":
    sys.exit(main())
