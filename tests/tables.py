"""Tables that the tests of files and columns share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

ROWS = 40


def mixed(rows: int = ROWS) -> pl.DataFrame:
    """Numbers, counts, flags, categories and gaps, with column names that need quoting."""
    rng = np.random.default_rng(3)
    size = rng.normal(size=rows)
    return pl.DataFrame(
        {
            "<script>": size,
            'a, "b"': rng.integers(0, 9, rows),
            "flag": rng.random(rows) > 0.5,
            "gap": [None if i % 7 == 0 else float(i) for i in range(rows)],
            "colour": [("red", "blue", None, "green")[i % 4] for i in range(rows)],
            "y": 2 * size + 1,
        }
    )


def csv(folder: Path, text: str, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
