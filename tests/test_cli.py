"""The command line as a user meets it: files in, a folder and a sentence out, nothing half written."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import jsonschema
import numpy as np
import polars as pl
import pytest

import eigenshrink as es
from eigenshrink.cli import main
from eigenshrink.cli.model import load_model
from eigenshrink.cli.progress import stages
from eigenshrink.data.files import read_table
from eigenshrink.data.table import encode_table

OURS = ["model.skops", "report.html", "result.json", "study.npz"]
SCRIPT = "<script>alert(1)</script>"
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


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """One fit with everything in it: the page is drawn once for the whole module."""
    folder = tmp_path_factory.mktemp("fitted")
    table().write_csv(folder / "t.csv")
    out, argv = folder / "out", ["--target", "y", "--weights", "w", "--drop", "z"]
    keep, sys.stdout = sys.stdout, io.StringIO()
    try:
        code = main(["fit", str(folder / "t.csv"), *argv, "--unpenalised", "colour", "--output", str(out)])
        text = sys.stdout.getvalue()
    finally:
        sys.stdout = keep
    assert code == 0
    return out, text


@pytest.fixture
def plain_page(monkeypatch):
    """A page without figures, where the page is not what is tested."""
    monkeypatch.setattr(es.Study, "report", lambda study, path, notes: Path(path).write_text("page"))


class TestFit:
    def test_the_folder_holds_the_four_files(self, fitted):
        out, _ = fitted
        assert sorted(os.listdir(out)) == OURS
        assert sorted(os.listdir(out.parent)) == ["out", "t.csv"]

    def test_the_result_follows_the_schema(self, fitted):
        result = result_of(fitted[0])
        check_schema(result)
        assert set(result["risk"]) == {"loo", "gcv", "evidence"}
        assert list(result["coefficients"])[:4] == [SCRIPT, 'a, "b"', "age", "age (missing)"]
        assert result["rows"] == result["data"]["rows_read"] == 60

    @pytest.mark.parametrize("key", ["alpha", "audit", "risk", "coefficients", "version"])
    def test_the_schema_can_fail(self, fitted, key):
        result = result_of(fitted[0])
        with pytest.raises(jsonschema.ValidationError):
            check_schema({k: v for k, v in result.items() if k != key})
        with pytest.raises(jsonschema.ValidationError):
            check_schema(result | {key: 7})

    def test_the_summary_says_what_was_done(self, fitted):
        out, text = fitted
        assert "60 rows read, 60 used, 7 columns" in text
        assert '"age": 7 missing filled with the mean' in text
        assert '"colour": 3 columns, one per category' in text
        assert str(out / "report.html") in text

    def test_the_numbers_are_those_of_the_library(self, fitted):
        design = encode_table(table(), ["y"], weights="w", unpenalised=["colour"], drop=["z"])
        study = es.study(
            design.matrix,
            design.targets,
            sample_weight=design.sample_weight,
            penalty_factor=design.penalty_factor,
            standardize=True,
        )
        result, model = result_of(fitted[0]), load_model(fitted[0])
        assert result["alpha"]["chosen"] == pytest.approx(study.alpha, rel=1e-9)
        np.testing.assert_allclose(list(result["coefficients"].values()), study.coef(), rtol=1e-9)
        np.testing.assert_allclose(model.coefficients, study.coef(), rtol=1e-9)
        np.testing.assert_allclose(es.load(fitted[0] / "study.npz").coef(), study.coef(), rtol=1e-9)

    def test_a_strangers_name_is_text_on_the_page(self, fitted):
        page = (fitted[0] / "report.html").read_text(encoding="utf-8")
        assert SCRIPT not in page
        assert "&lt;script&gt;alert" in page

    def test_every_format_gives_the_same_result(self, tmp_path, capsys, plain_page):
        frame = table()
        frame.write_csv(tmp_path / "a.csv")
        frame.write_csv(tmp_path / "a.tsv", separator="\t")
        frame.write_parquet(tmp_path / "a.parquet")
        (tmp_path / "a.csv.gz").write_bytes(gzip.compress((tmp_path / "a.csv").read_bytes()))
        results = []
        for ending in ("csv", "tsv", "parquet", "csv.gz"):
            argv = ["fit", tmp_path / f"a.{ending}", "--target", "y", "--output", tmp_path / ending]
            assert run(capsys, *argv)[0] == 0
            results.append(result_of(tmp_path / ending))
            results[-1]["data"].pop("source")
        assert results[0] == results[1] == results[2] == results[3]

    def test_several_targets(self, tmp_path, capsys, plain_page):
        table().write_parquet(tmp_path / "t.parquet")
        argv = ["--target", "y", "--target", "z", "--criterion", "gcv", "--output", tmp_path / "out"]
        assert run(capsys, "fit", tmp_path / "t.parquet", *argv)[0] == 0
        result = result_of(tmp_path / "out")
        check_schema(result)
        assert np.shape(result["intercept"]) == (2,)
        assert np.shape(result["risk"]["gcv"]) == (len(result["alphas"]), 2)
        code, out, _ = run(capsys, "predict", tmp_path / "out", tmp_path / "t.parquet")
        assert code == 0
        assert out.splitlines()[0] == "prediction of y,prediction of z"

    def test_options_reach_the_study(self, tmp_path, capsys, plain_page):
        table().write_csv(tmp_path / "t.csv")
        argv = ["--target", "y", "--weights", "w", "--drop", "z", "--alpha", "0.5", "--no-standardize"]
        argv += ["--weight-kind", "frequency", "--criterion", "gcv", "--loss", "squared"]
        assert run(capsys, "fit", tmp_path / "t.csv", *argv, "--output", tmp_path / "out")[0] == 0
        result = result_of(tmp_path / "out")
        design = encode_table(table(), ["y"], weights="w", drop=["z"])
        study = es.study(
            design.matrix,
            design.targets,
            sample_weight=design.sample_weight,
            weight_kind="frequency",
            alpha=0.5,
        )
        assert result["alpha"]["chosen"] == 0.5
        assert result["weights"]["kind"] == "frequency"
        np.testing.assert_allclose(list(result["coefficients"].values()), study.coef(), rtol=1e-9)

    def test_an_infinite_strength_is_null(self, tmp_path, capsys, plain_page):
        table().write_csv(tmp_path / "t.csv")
        argv = ["--target", "y", "--alpha", "inf", "--output", tmp_path / "out"]
        assert run(capsys, "fit", tmp_path / "t.csv", *argv)[0] == 0
        result = result_of(tmp_path / "out")
        check_schema(result)
        assert result["alpha"]["chosen"] is None
        assert result["alpha"]["boundary"] == "infinite"

    def test_the_default_folder(self, tmp_path, capsys, monkeypatch, plain_page):
        monkeypatch.chdir(tmp_path)
        table().write_parquet("sales.2024.parquet")
        assert run(capsys, "fit", "sales.2024.parquet", "--target", "y")[0] == 0
        assert sorted(os.listdir("out/sales")) == OURS

    def test_the_page_opens(self, tmp_path, capsys, monkeypatch, plain_page):
        opened = []
        monkeypatch.setattr("webbrowser.open", opened.append)
        table().write_csv(tmp_path / "t.csv")
        assert run(capsys, "fit", tmp_path / "t.csv", "--target", "y", "--open", "--output", tmp_path)[0] == 0
        assert opened == [(tmp_path / "report.html").as_uri()]

    def test_strict_tells_a_failed_check(self, tmp_path, capsys, monkeypatch, plain_page):
        failed = [type("Finding", (), {"check": "collinear columns", "verdict": "fail"})]
        argv = ["fit", tmp_path / "t.csv", "--target", "y", "--output", tmp_path / "out"]
        table().write_csv(tmp_path / "t.csv")
        assert run(capsys, *argv, "--strict")[0] == 0
        monkeypatch.setattr("eigenshrink.cli.fit._failed", lambda study: [f.check for f in failed])
        assert run(capsys, *argv)[0] == 0
        code, _, err = run(capsys, *argv, "--strict")
        assert code == 3
        assert "collinear columns" in err
        assert sorted(os.listdir(tmp_path / "out")) == OURS


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
        def fail(study, path, notes):
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


GOOD = "x,c,y\n1,red,1\n2,blue,3\n4,red,2\n3,blue,5\n"
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
            ("x,y\n1,yes\n2,no\n", "", 'target "y" holds text'),
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
        assert __import__("re").search(says, err), err
        assert "Traceback" not in err
        assert sum(line.startswith("Error: ") for line in err.splitlines()) == 1
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
            (["predict", "nowhere", "t.csv"], "there is no folder"),
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
        assert sum(line.startswith("Error: ") for line in err.splitlines()) == 1
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


class TestPredict:
    def test_it_predicts_what_the_study_predicts(self, fitted, tmp_path, capsys):
        design = encode_table(table(), ["y"], weights="w", unpenalised=["colour"], drop=["z"])
        expected = es.load(fitted[0] / "study.npz").predict(design.matrix)
        code, out, err = run(capsys, "predict", fitted[0], fitted[0].parent / "t.csv")
        assert code == 0
        assert '"age": 7 missing values' in err
        np.testing.assert_allclose(pl.read_csv(io.StringIO(out))["prediction"], expected, rtol=1e-9)

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
            (lambda frame: frame.head(0), "no rows"),
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


class TestOthers:
    def test_demo(self, tmp_path, capsys, monkeypatch):
        monkeypatch.chdir(tmp_path)
        code, out, _ = run(capsys, "demo")
        assert code == 0
        assert "442 rows read, 442 used, 65 columns" in out
        result = result_of(tmp_path / "out" / "demo")
        check_schema(result)
        assert {"age", "bmi*bp", "age^2"} < set(result["coefficients"])
        assert sorted(os.listdir("out/demo")) == OURS

    def test_convert_both_ways(self, capsys):
        code, out, err = run(capsys, "convert", "0.01", "--to", "sklearn.Ridge", "--weight-sum", "442")
        assert (code, out) == (0, "4.42\n")
        assert "S·α" in err
        assert run(capsys, "convert", "4.42", "--from", "sklearn.Ridge", "--weight-sum", "442")[1] == "0.01\n"
        assert run(capsys, "convert", "1", "--to", "torch.AdamW")[:2] == (0, "none\n")
        argv = ["--to", "torch.SGD", "--loss", "MSELoss", "--outputs", "4"]
        assert run(capsys, "convert", "1", *argv)[1] == "0.5\n"

    def test_version_and_help(self, capsys):
        assert run(capsys, "--version")[:2] == (0, f"eigenshrink {es.__version__}\n")
        for command in ("fit", "demo", "predict", "convert"):
            code, out, _ = run(capsys, command, "--help")
            assert code == 0
            assert "--debug" in out

    def test_help_imports_nothing_heavy(self):
        code = (
            "import sys; from eigenshrink.cli import main; assert main(['--help']) == 0\n"
            "heavy = {'numpy', 'scipy', 'sklearn', 'polars', 'matplotlib', 'skops', 'rich'}\n"
            "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
        )
        subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)

    def test_a_missing_extra_is_a_command(self, capsys, monkeypatch):
        monkeypatch.setitem(sys.modules, "typer", None)
        code, _, err = run(capsys, "--help")
        assert code == 2
        assert "python -m pip install 'eigenshrink[app]'" in err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class TestProgress:
    def test_a_bar_appears_on_a_terminal_when_patience_runs_out(self, monkeypatch, capsys):
        monkeypatch.setattr(sys, "stderr", Terminal())
        shown = wait_for_text(sys.stderr, "reading", patience=0.0)
        assert "reading" in shown
        assert capsys.readouterr().out == ""

    def test_none_before(self, monkeypatch):
        monkeypatch.setattr(sys, "stderr", Terminal())
        with stages(2, patience=1e6) as enter:
            enter("reading")
        assert "reading" not in sys.stderr.getvalue()

    def test_none_in_a_pipe(self, monkeypatch):
        monkeypatch.setattr(sys, "stderr", io.StringIO())
        with stages(2, patience=0.0) as enter:
            enter("reading")
        assert sys.stderr.getvalue() == ""


def wait_for_text(stream: Terminal, text: str, patience: float) -> str:
    """Stay in a stage until the bar has drawn it."""
    import threading

    with stages(2, patience=patience) as enter:
        enter(text)
        for _ in range(1000):
            if text in stream.getvalue():
                break
            threading.Event().wait(0.01)
    return stream.getvalue()
