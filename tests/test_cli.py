"""The command line as a user meets it: files in, a folder and a summary out."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys

import jsonschema
import numpy as np
import pytest

import eigenshrink as es
from cli_runs import (
    OURS,
    SCRIPT,
    check_schema,
    copies,
    fit_by_hand,
    fit_once,
    result_of,
    run,
    table,
    write_plain_page,
)
from eigenshrink.cli.model import load_model
from eigenshrink.cli.progress import stages
from eigenshrink.data.table import encode_table
from eigenshrink.risk import RISKS


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    return fit_once(tmp_path_factory.mktemp("fitted"))


@pytest.fixture
def plain_page(monkeypatch):
    monkeypatch.setattr(es.Study, "report", write_plain_page)


class TestFit:
    def test_the_folder_holds_the_four_files(self, fitted):
        out, _ = fitted
        assert sorted(os.listdir(out)) == OURS
        assert sorted(os.listdir(out.parent)) == ["out", "t.csv"]

    def test_the_result_follows_the_schema(self, fitted):
        result = result_of(fitted[0])
        check_schema(result)
        assert set(result["risk"]) == set(RISKS) - {"leave_group_out", "validation", "misclassified"}
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

    def test_the_page_names_the_file(self, fitted):
        page = (fitted[0] / "report.html").read_text(encoding="utf-8")
        assert f"<dt>source</dt><dd>{fitted[0].parent / 't.csv'}</dd>" in page

    def test_one_of_a_thing_is_not_several(self, tmp_path, capsys, plain_page):
        (tmp_path / "t.csv").write_text("c,y\nred,1\nred,2\nred,4\n")
        code, out, _ = run(capsys, "fit", tmp_path / "t.csv", "--target", "y", "--output", tmp_path / "out")
        assert code == 0
        assert "3 used, 1 column in the design matrix" in out
        assert '"c": 1 column, for its only category' in out
        (tmp_path / "new.csv").write_text("c\nred\n")
        _, _, err = run(
            capsys, "predict", tmp_path / "out", tmp_path / "new.csv", "--output", tmp_path / "p.csv"
        )
        assert "wrote 1 prediction to" in err

    def test_the_numbers_are_those_of_the_library(self, fitted):
        _, study = fit_by_hand()
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
            for key in ("source", "command", "made"):
                results[-1]["data"].pop(key)
            results[-1]["data"]["notes"].pop(0)
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
        monkeypatch.setenv("DISPLAY", ":7")
        monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
        table().write_csv(tmp_path / "t.csv")
        assert run(capsys, "fit", tmp_path / "t.csv", "--target", "y", "--open", "--output", tmp_path)[0] == 0
        assert opened == [(tmp_path / "report.html").as_uri()]

    def test_strict_tells_a_failed_check(self, tmp_path, capsys, plain_page):
        copies().write_csv(tmp_path / "t.csv")
        argv = ["fit", tmp_path / "t.csv", "--target", "y", "--output", tmp_path / "out"]
        assert run(capsys, *argv, "--criterion", "loo")[0] == 0
        code, out, err = run(capsys, *argv, "--criterion", "loo", "--strict")
        assert code == 3
        assert "--strict: the audit says fail for duplicate rows" in err
        assert "FAIL duplicate rows: " in out
        assert sorted(os.listdir(tmp_path / "out")) == OURS
        verdicts = {finding["check"]: finding["verdict"] for finding in result_of(tmp_path / "out")["audit"]}
        assert verdicts["duplicate rows"] == "fail"

    def test_strict_is_content_with_warnings(self, tmp_path, capsys, plain_page):
        """Copies that leave together are no reason to fail."""
        copies().write_csv(tmp_path / "t.csv")
        argv = ["--target", "y", "--strict", "--output", tmp_path / "out"]
        code, out, err = run(capsys, "fit", tmp_path / "t.csv", *argv)
        assert (code, err) == (0, "")
        assert "WARN duplicate rows: " in out


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
            "heavy = {'numpy', 'scipy', 'sklearn', 'polars', 'matplotlib', 'skops'}\n"
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
