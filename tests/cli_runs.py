"""What the tests of the command line share: a table, a run, a look at what it left."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import jsonschema
import numpy as np
import polars as pl
import pytest

import eigenshrink as es
from eigenshrink.cli import main
from eigenshrink.data.table import encode_table

OURS = ["model.skops", "report.html", "result.json", "study.npz"]
SCRIPT = "<script>alert(1)</script>"
GOOD = "x,c,y\n1,red,1\n2,blue,3\n4,red,2\n3,blue,5\n"
SCHEMA = Path(es.__file__).parent / "schema" / "result.schema.json"


def table(rows: int = 60) -> pl.DataFrame:
    rng = np.random.default_rng(5)
    size, age = rng.normal(size=rows), rng.normal(size=rows)
    return pl.DataFrame(
        {
            SCRIPT: size,
            'a, "b"': rng.integers(0, 9, rows),
            "age": [None if i % 9 == 0 else float(v) for i, v in enumerate(age)],
            "colour": [("red", "blue", "green")[i % 3] for i in range(rows)],
            "w": rng.integers(1, 4, rows),
            "y": 2 * size + age + rng.normal(size=rows),
            "z": size - 3 + 0.1 * rng.normal(size=rows),
        }
    )


def run(capsys, *argv: object) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main([str(word) for word in argv])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def result_of(folder: Path) -> dict:
    return json.loads((folder / "result.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)


def check_schema(result: dict) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(result)


def fit_once(folder: Path) -> tuple[Path, str]:
    """Fit with everything in it; return the folder it wrote and what it printed."""
    table().write_csv(folder / "t.csv")
    out = folder / "out"
    words = ["--target", "y", "--weights", "w", "--drop", "z", "--unpenalised", "colour", "--output"]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert main(["fit", str(folder / "t.csv"), *words, str(out)]) == 0
    return out, printed.getvalue()


def fit_by_hand() -> tuple[np.ndarray, es.Study]:
    """The design matrix and the study of :func:`fit_once`, without the command line."""
    design = encode_table(table(), ["y"], weights="w", unpenalised=["colour"], drop=["z"])
    study = es.study(
        design.matrix,
        design.targets,
        sample_weight=design.sample_weight,
        penalty_factor=design.penalty_factor,
        standardize=True,
    )
    return design.matrix, study


def write_plain_page(study: es.Study, path: Path, notes: object, source: str) -> None:
    """Stand in for ``Study.report`` where the page is not what is tested."""
    Path(path).write_text("page")
