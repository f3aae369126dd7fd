"""A saved model predicts what the study predicts, and a file from a stranger runs nothing."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import eigenshrink as es
from cli_runs import GOOD, fit_by_hand, fit_once, run, table, write_plain_page
from eigenshrink.data.files import read_table


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    return fit_once(tmp_path_factory.mktemp("fitted"))


@pytest.fixture
def plain_page(monkeypatch):
    monkeypatch.setattr(es.Study, "report", write_plain_page)


class TestPredict:
    def test_it_predicts_what_the_study_predicts(self, fitted, tmp_path, capsys):
        matrix, study = fit_by_hand()
        code, out, err = run(capsys, "predict", fitted[0], fitted[0].parent / "t.csv")
        assert code == 0
        assert '"age": 7 missing values' in err
        np.testing.assert_allclose(
            pl.read_csv(io.StringIO(out))["prediction"], study.predict(matrix), rtol=1e-9
        )

    @pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet"])
    def test_new_rows_to_a_file(self, fitted, tmp_path, capsys, ending):
        new = table().drop("y", "z", "w").with_columns(colour=pl.Series(["pink", *["red"] * 59]))
        new.write_parquet(tmp_path / "new.parquet")
        target = tmp_path / f"p{ending}"
        code, out, err = run(capsys, "predict", fitted[0], tmp_path / "new.parquet", "--output", target)
        assert (code, out) == (0, "")
        assert '"colour": 1 value not seen when fitting' in err
        assert read_table(target).shape == (60, 1)
        assert sorted(os.listdir(tmp_path)) == ["new.parquet", f"p{ending}"]

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            (lambda frame: frame.drop("age"), 'no column "age"'),
            (lambda frame: frame.with_columns(age=pl.lit("old")), '"age", row 1: "old" is not a number'),
            (lambda frame: frame.with_columns(age=pl.lit("0,5")), "decimal comma"),
            (lambda frame: frame.head(0), "a header and no rows: add them"),
        ],
    )
    def test_rows_that_do_not_fit_the_model(self, fitted, tmp_path, capsys, change, says):
        change(table()).write_csv(tmp_path / "new.csv")
        code, out, err = run(
            capsys, "predict", fitted[0], tmp_path / "new.csv", "--output", tmp_path / "p.csv"
        )
        assert (code, out) == (2, "")
        assert says in err
        assert os.listdir(tmp_path) == ["new.csv"]

    def test_an_output_that_cannot_be(self, fitted, tmp_path, capsys):
        table().write_csv(tmp_path / "new.csv")
        for name, says in (("p.xlsx", "ending"), ("no/p.csv", "cannot write")):
            code, _, err = run(
                capsys, "predict", fitted[0], tmp_path / "new.csv", "--output", tmp_path / name
            )
            assert code == 2
            assert says in err

    def test_codes_stay_codes(self, tmp_path, capsys, plain_page):
        (tmp_path / "t.csv").write_text("zip,x,y\n007,1,1\n7,2,5\n007,3,2\n7,4,?\n7,4,9\n")
        argv = ["--category", "zip", "--null-value", "?", "--output", tmp_path / "out"]
        assert run(capsys, "fit", tmp_path / "t.csv", "--target", "y", *argv)[0] == 0
        (tmp_path / "new.csv").write_text("zip,x\n007,1\n7,?\n")
        code, out, err = run(capsys, "predict", tmp_path / "out", tmp_path / "new.csv")
        assert code == 0
        assert "not seen" not in err
        assert '"x": 1 missing value,' in err
        assert len(out.splitlines()) == 3


def skops_with(state: object, path: Path) -> None:
    import skops.io

    skops.io.dump(state, path)


class TestModelFile:
    def test_nothing_in_it_needs_trust(self, fitted):
        import skops.io

        assert skops.io.get_untrusted_types(file=fitted[0] / "model.skops") == []

    @pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), pickle.dumps({"a": 1}), b"no" * 99])
    def test_a_damaged_file(self, tmp_path, capsys, content):
        (tmp_path / "model.skops").write_bytes(content)
        (tmp_path / "t.csv").write_text(GOOD)
        code, _, err = run(capsys, "predict", tmp_path, tmp_path / "t.csv")
        assert code == 2
        assert "damaged" in err

    def test_a_cut_file(self, fitted, tmp_path, capsys):
        whole = (fitted[0] / "model.skops").read_bytes()
        (tmp_path / "t.csv").write_text(GOOD)
        for share in (0.3, 0.9, 0.99):
            (tmp_path / "model.skops").write_bytes(whole[: int(share * len(whole))])
            assert run(capsys, "predict", tmp_path, tmp_path / "t.csv")[0] == 2

    @pytest.mark.parametrize(
        ("state", "says"),
        [
            (os.system, "damaged"),
            ([1], "holds no model"),
            ({"format": "other"}, "holds no model"),
            ({"format": "eigenshrink table model", "format_version": 99}, "format version 99"),
            ({"format": "eigenshrink table model", "format_version": 1}, "damaged"),
        ],
    )
    def test_a_strangers_file_is_refused_and_runs_nothing(self, tmp_path, capsys, state, says):
        skops_with(state, tmp_path / "model.skops")
        (tmp_path / "t.csv").write_text(GOOD)
        code, _, err = run(capsys, "predict", tmp_path, tmp_path / "t.csv")
        assert code == 2
        assert says in err
        assert zipfile.is_zipfile(tmp_path / "model.skops")

    def test_weights_that_do_not_fit_the_columns(self, fitted, tmp_path, capsys):
        import skops.io

        state = skops.io.load(fitted[0] / "model.skops", trusted=[])
        skops_with(state | {"coefficients": np.zeros(3)}, tmp_path / "model.skops")
        code, _, err = run(capsys, "predict", tmp_path, fitted[0].parent / "t.csv")
        assert code == 2
        assert "do not fit" in err
