"""What cannot be used is one sentence and exit code 2; what is odd but usable is answered."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import eigenshrink as es
from cli_runs import GOOD, OURS, check_schema, result_of, run, snapshot, table, write_plain_page


@pytest.fixture
def plain_page(monkeypatch):
    monkeypatch.setattr(es.Study, "report", write_plain_page)


def odd_tables() -> dict[str, pl.DataFrame]:
    rng = np.random.default_rng(8)

    def drawn(rows: int, columns: int) -> pl.DataFrame:
        named = {f"x{j}": rng.normal(size=rows) for j in range(columns)}
        return pl.DataFrame({**named, "y": rng.normal(size=rows)})

    return {
        "wide": drawn(12, 30),
        "two rows": drawn(2, 1),
        "two rows, wide": drawn(2, 5),
        "constant target": drawn(20, 3).with_columns(y=pl.lit(3.0)),
        "constant column": drawn(20, 2).with_columns(x0=pl.lit(3.0)),
        "only constant columns": drawn(20, 1).with_columns(x0=pl.lit(3.0)),
        "nothing varies": drawn(20, 1).with_columns(x0=pl.lit(3.0), y=pl.lit(1.0)),
        "equal columns": drawn(20, 2).with_columns(x1=pl.col("x0")),
        "exact": drawn(20, 2).with_columns(y=2 * pl.col("x0")),
        "shifted": drawn(20, 2).with_columns(x0=pl.col("x0") + 1e7),
        "categories only": pl.DataFrame({"c": ["a", "b"] * 9, "y": rng.normal(size=18)}),
    }


class TestOddTables:
    @pytest.mark.parametrize("name", odd_tables())
    @pytest.mark.parametrize("alpha", ["auto", "0"])
    def test_an_odd_table_is_not_an_error(self, tmp_path, capsys, plain_page, name, alpha):
        odd_tables()[name].write_parquet(tmp_path / "t.parquet")
        argv = ["--target", "y", "--alpha", alpha, "--output", tmp_path / "out"]
        code, _, err = run(capsys, "fit", tmp_path / "t.parquet", *argv)
        assert (code, err) == (0, "")
        check_schema(result_of(tmp_path / "out"))

    @pytest.mark.parametrize("column", ["x0", "y"])
    def test_numbers_beyond_the_range_are_named(self, tmp_path, capsys, plain_page, column):
        frame = odd_tables()["wide"].with_columns(pl.col(column) * 1e200)
        frame.write_parquet(tmp_path / "t.parquet")
        argv = ["--target", "y", "--output", tmp_path / "out"]
        code, _, err = run(capsys, "fit", tmp_path / "t.parquet", *argv)
        assert code == 2
        assert f"column '{column}' is too large" in err
        assert sorted(os.listdir(tmp_path)) == ["t.parquet"]


class TestOutput:
    def test_a_second_run_replaces_ours_and_leaves_the_rest(self, tmp_path, capsys, plain_page):
        table().write_csv(tmp_path / "t.csv")
        argv = ["fit", tmp_path / "t.csv", "--target", "y", "--output", tmp_path / "out"]
        assert run(capsys, *argv)[0] == 0
        (tmp_path / "out" / "notes.txt").write_text("mine")
        assert run(capsys, *argv, "--alpha", "0.25")[0] == 0
        assert sorted(os.listdir(tmp_path / "out")) == sorted([*OURS, "notes.txt"])
        assert (tmp_path / "out" / "notes.txt").read_text() == "mine"
        assert result_of(tmp_path / "out")["alpha"]["chosen"] == 0.25

    @pytest.mark.parametrize("result", [None, "{}", "not json", "[1]"])
    def test_a_page_that_somebody_else_wrote_is_kept(self, tmp_path, capsys, result):
        table().write_csv(tmp_path / "t.csv")
        (tmp_path / "report.html").write_text("precious")
        if result is not None:
            (tmp_path / "result.json").write_text(result)
        before = snapshot(tmp_path)
        code, _, err = run(capsys, "fit", tmp_path / "t.csv", "--target", "y", "--output", tmp_path)
        assert code == 2
        assert "did not write" in err
        assert snapshot(tmp_path) == before

    @pytest.mark.parametrize("where", ["file", "file/below", "file/far/below"])
    def test_a_folder_that_cannot_be_is_one_sentence(self, tmp_path, capsys, where):
        table().write_csv(tmp_path / "t.csv")
        (tmp_path / "file").write_text("x")
        before = snapshot(tmp_path)
        code, out, err = run(capsys, "fit", tmp_path / "t.csv", "--target", "y", "--output", tmp_path / where)
        assert (code, out) == (2, "")
        assert err.startswith("Error: ")
        assert err.count("\n") == 1
        assert snapshot(tmp_path) == before

    @pytest.mark.parametrize("fault", [OSError(28, os.strerror(28)), ZeroDivisionError("oh")])
    def test_a_failure_while_writing_leaves_nothing(self, tmp_path, capsys, monkeypatch, fault):
        def fail(study, path, *told, **named):
            Path(path).write_text("half")
            raise fault

        monkeypatch.setattr(es.Study, "report", fail)
        table().write_csv(tmp_path / "t.csv")
        before = snapshot(tmp_path)
        argv = ["fit", tmp_path / "t.csv", "--target", "y", "--output", tmp_path / "new" / "out"]
        code, out, err = run(capsys, *argv)
        assert code == (2 if isinstance(fault, OSError) else 1)
        assert out == ""
        assert "Traceback" not in err
        assert snapshot(tmp_path) == before
        assert "Traceback" in run(capsys, *argv, "--debug")[2]


NUMBERS = "".join(f"{i},{i % 7}\n" for i in range(16))


class TestBadInput:
    @pytest.mark.parametrize(
        ("content", "options", "says"),
        [
            ("", "", "is empty"),
            ("x,y\n", "", "no rows"),
            ("x,y\n1,2\n", "", "1 row"),
            ("x,y,x\n1,2,3\n4,5,6\n", "", "more than once"),
            ("x,y\n1,2\n1,2,3\n", "", "line 3 has more fields"),
            ('x,y\n"1,2\n', "", "cannot be read"),
            (f"age,y\n{NUMBERS}n/a,3\n", "", 'column "age", row 17: "n/a"'),
            ("x,y\n1,2\ninf,3\n", "", "infinite"),
            ("x,y\n1,nan\n2,nan\n", "", "0 of them with a value"),
            ("x,y\n1,yes\n2,no\n", "--loss squared", 'target "y" holds text'),
            ("d,y\n2020-01-01,1\n2020-02-01,2\n", "", "dates"),
            ("y\n1\n2\n", "", "no column is left"),
            (GOOD, "--target zz", 'no column "zz"'),
            (GOOD, "--target Y", 'did you mean "y"'),
            (GOOD, "--target y", "twice"),
            (GOOD, "--weights ww", "--weights: there is no column"),
            (GOOD, "--weights y", "both as --target and as --weights"),
            (GOOD, "--weights c", "is not a number"),
            (GOOD, "--unpenalised xx", "--unpenalised: there is no column"),
            (GOOD, "--alpha -1", "--alpha is -1"),
            (GOOD, "--alpha nan", "--alpha is nan"),
            (GOOD, "--alpha much", "--alpha is 'much'"),
            (GOOD, "--criterion best", "--criterion"),
            (GOOD, "--loss cubic", "--loss"),
            (GOOD, "--weight-kind soft", "--weight-kind"),
            (GOOD, "--drop x --drop c", "no column is left"),
            (GOOD, "--nonsense", "--nonsense"),
            ("x,w,y\n1,0,1\n2,0,2\n", "--weights w", "0 of 2 rows have a weight above 0"),
            ("x,w,y\n1,-1,1\n2,1,2\n", "--weights w", "the weight is negative"),
            ("x,w,y\n1,,1\n2,1,2\n", "--weights w", "the weight is missing"),
            ("x,w,y\n1,.5,1\n2,1,2\n", "--weights w --weight-kind frequency", "row 1: .* whole number"),
        ],
    )
    def test_a_bad_table_is_one_sentence(self, tmp_path, capsys, content, options, says):
        (tmp_path / "t.csv").write_text(content)
        target = [] if options.startswith("--target ") and options != "--target y" else ["--target", "y"]
        argv = ["fit", tmp_path / "t.csv", *target, *options.split(), "--output", tmp_path / "out"]
        code, out, err = run(capsys, *argv)
        assert (code, out) == (2, "")
        assert re.search(says, err), err
        assert "Traceback" not in err
        assert err.startswith("Error: ")
        assert err.count("\n") == 1
        assert sorted(os.listdir(tmp_path)) == ["t.csv"]

    @pytest.mark.parametrize(
        ("argv", "says"),
        [
            (["fit", "nowhere.csv", "--target", "y"], "there is no file"),
            (["fit", ".", "--target", "y"], "is a folder"),
            (["fit", "notes.docx", "--target", "y"], "ending"),
            (["fit", "broken.parquet", "--target", "y"], "cannot be read"),
            (["fit", "t.csv"], "--target"),
            (["fit"], "Missing argument"),
            (["fit", f"{'x' * 999}.csv", "--target", "y"], "cannot be read"),
            (["fit", "t.csv", "--target", "y", "--output", "x" * 999], "cannot write"),
            (["predict", "nowhere", "t.csv"], "folder nowhere does not exist"),
            (["predict", "x" * 999, "t.csv"], "cannot be read"),
            (["predict", "t.csv", "t.csv"], "does not exist"),
            (["predict", ".", "t.csv"], "holds no model.skops"),
            (["demo", "titanic"], 'no demo "titanic": the demos are "diabetes"'),
            (["convert", "1"], "exactly one of --to and --from"),
            (["convert", "1", "--to", "sklearn.Rigde"], "did you mean 'sklearn.Ridge'"),
            (["convert", "1", "--to", "sklearn.Ridge"], "give --weight-sum"),
            (["convert", "-1", "--to", "glum"], "-1"),
            (["convert", "nan", "--to", "glum"], "nan"),
            (["convert", "one", "--to", "glum"], "VALUE"),
            (["nonsense"], "nonsense"),
        ],
    )
    def test_a_bad_command_is_one_sentence(self, tmp_path, capsys, monkeypatch, argv, says):
        monkeypatch.chdir(tmp_path)
        Path("t.csv").write_text(GOOD)
        Path("notes.docx").write_bytes(b"PK")
        Path("broken.parquet").write_bytes(b"PAR1" + bytes(40) + b"PAR1")
        before = snapshot(tmp_path)
        code, out, err = run(capsys, *argv)
        assert (code, out) == (2, "")
        assert says in err
        assert "Traceback" not in err
        assert err.startswith("Error: ")
        assert err.count("\n") == 1
        assert snapshot(tmp_path) == before

    def test_debug_shows_where(self, tmp_path, capsys):
        code, _, err = run(capsys, "fit", tmp_path / "no.csv", "--target", "y", "--debug")
        assert code == 2
        assert "Traceback" in err
        assert err.rstrip().splitlines()[-1].startswith("Error: there is no file")

    def test_an_internal_error_is_a_sentence_too(self, tmp_path, capsys, monkeypatch):
        monkeypatch.setattr("eigenshrink.cli.fit.read_table", lambda *args: 1 / 0)
        code, out, err = run(capsys, "fit", tmp_path / "t.csv", "--target", "y")
        assert (code, out) == (1, "")
        assert "internal error, ZeroDivisionError" in err
        assert "--debug" in err
        assert "Traceback" not in err
