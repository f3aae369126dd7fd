"""What the tests of the command line share: a table, a run, a look at what it left."""

from __future__ import annotations

import contextlib
import datetime
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


def sites(rows: int = 90) -> pl.DataFrame:
    """Rows of 15 sites that share a part of their error, with labels of several types; two have none."""
    rng = np.random.default_rng(12)
    site = np.arange(rows) % 15
    size = rng.normal(size=rows)
    colour = [("red", "blue", "green")[i % 3] for i in rng.permutation(rows)]
    start = datetime.date(2021, 1, 1)
    return pl.DataFrame(
        {
            "size": size,
            "age": rng.normal(size=rows),
            "colour": colour,
            "site": [f"00{i}" for i in site],
            "day": [start + datetime.timedelta(days=int(i)) for i in site],
            "number": site * 1.5,
            "flag": site < 7,
            "gap": [None if i == 4 else int(i) for i in range(rows)],
            "w": 1.0 + site % 2,
            "y": 1.5 * size + rng.normal(size=15)[site] + rng.normal(size=rows),
        }
    )


def copies(rows: int = 30, columns: int = 12) -> pl.DataFrame:
    """Noise, every row three times: leave-one-out knows each row from its copies."""
    values = np.random.default_rng(2).normal(size=(rows, columns + 1))
    names = [*(f"x{j}" for j in range(columns)), "y"]
    return pl.DataFrame(np.repeat(values, 3, axis=0), schema=names)


FEATURES = ("size", "age", "colour")


def outcomes(rows: int = 150) -> pl.DataFrame:
    """Three columns that explain targets of every kind."""
    rng = np.random.default_rng(31)
    size, age = rng.normal(size=(2, rows))
    eta = 0.8 * size - 0.5 * age
    time = rng.uniform(0.5, 3.0, rows)
    trials = rng.integers(1, 9, rows)
    wins = rng.binomial(trials, 1 / (1 + np.exp(-eta)))
    noise = np.column_stack([np.zeros(rows), eta, -eta]) + rng.gumbel(size=(rows, 3))
    return pl.DataFrame(
        {
            "size": size,
            "age": age,
            "colour": [("red", "blue")[i % 2] for i in rng.permutation(rows)],
            "time": time,
            "shift": rng.normal(size=rows) / 4,
            "paid": [("no", "yes")[i] for i in rng.binomial(1, 1 / (1 + np.exp(-eta)))],
            "kind": [("cat", "dog", "eel")[i] for i in noise.argmax(axis=1)],
            "visits": rng.poisson(time * np.exp(0.3 + eta / 2)),
            "cost": rng.gamma(2.0, np.exp(eta) / 2),
            "wins": wins,
            "fails": trials - wins,
            "trials": trials,
            "share": wins / trials,
            "price": eta + 0.3 * rng.standard_t(2, rows),
        }
    )


def chosen(*columns: str) -> pl.DataFrame:
    return outcomes().select(*FEATURES, *columns)


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


def write_plain_page(study: es.Study, path: Path, notes: object, origin: object) -> None:
    """Stand in for ``Study.report`` where the page is not what is tested."""
    Path(path).write_text("page")
