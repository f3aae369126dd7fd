"""Targets that a loss cannot explain are one sentence; models keep their loss; the demos and the help."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import eigenshrink as es
from cli_runs import OURS, check_schema, chosen, result_of, run, table, write_plain_page
from eigenshrink.cli.demo import DEMOS, demo_table
from eigenshrink.cli.model import Model, load_model, save_model
from eigenshrink.data.loss_rule import suggest_loss
from eigenshrink.data.roles import Offset
from eigenshrink.data.table import encode_table
from eigenshrink.errors import InputError
from eigenshrink.models import LOSSES


@pytest.fixture(autouse=True)
def plain_page(monkeypatch):
    monkeypatch.setattr(es.Study, "report", write_plain_page)


BAD = "x,y\n" + "".join(f"{i % 5},{i % 3}\n" for i in range(12))
FLAGGED = "x,y\n1,yes\n2,no\n3,yes\n4,no\n5,yes\n6,no\n"


class TestWhatCannotBe:
    @pytest.mark.parametrize(
        ("text", "options", "says"),
        [
            (BAD, "--loss cubic", "--loss \"cubic\": .*'logistic'"),
            (BAD, "--loss tweedie:2.5", '--loss "tweedie:2.5": the power of tweedie is 2.5'),
            (BAD, "--loss tweedie:much", '--loss "tweedie:much": .* a number must follow the colon'),
            (BAD, "--loss huber:-1", '--loss "huber:-1": the delta of huber is -1'),
            (BAD, "--loss poisson:2", '--loss "poisson:2": .*has no parameter: give --loss poisson'),
            (BAD, "--loss logistic", r'target "y" has 3 classes, 0, 1, 2; .*use --loss multinomial'),
            (BAD, "--loss gamma", r'target "y", row 1: the value is 0; gamma needs y > 0'),
            ("x,y\n1,\n2,3\n3,4\n4,-2\n", "--loss poisson", r'target "y", row 4: the value is -2; Poisson'),
            ("x,y\n1,.5\n2,3\n3,1.5\n", "--loss binomial", r'target "y", row 2: the value is 3; binomial'),
            (FLAGGED, "--loss squared", 'target "y" holds text such as "yes".*--loss logistic'),
            (FLAGGED, "--loss poisson", 'target "y" holds text such as "yes"'),
            ("x,y\n1,a\n2,a\n3,a\n", "", 'target "y" has one value, "a"'),
            ("x,y\n1,3\n2,3\n3,3\n", "--loss logistic", 'target "y" has one value, "3"'),
            ("x,y\n1,a\n2,b\n3,c\n", "", 'target "y" has 3 different texts in 3 rows.*--loss multinomial'),
            (FLAGGED, "--offset z", '--offset: there is no column "z"'),
            (FLAGGED, "--offset y", 'column "y" is given both as --target and as --offset'),
            (FLAGGED, "--offset x --exposure x", "--offset and --exposure are given both"),
            (
                "x,t,y\n1,0,1\n2,1,2\n3,1,0\n",
                "--exposure t",
                'column "t", row 1: the exposure is not above 0',
            ),
            (FLAGGED, "--criterion gcv", "gcv is for squared loss, and the loss here is logistic"),
            (FLAGGED, "--category y --loss squared", 'target "y" is said to be a category'),
        ],
    )
    def test_it_is_one_sentence(self, tmp_path, capsys, text, options, says):
        (tmp_path / "t.csv").write_text(text)
        argv = ["fit", tmp_path / "t.csv", "--target", "y", *options.split(), "--output", tmp_path / "out"]
        code, out, err = run(capsys, *argv)
        assert (code, out) == (2, "")
        assert re.search(says, err), err
        assert err.startswith("Error: ")
        assert err.count("\n") == 1
        assert not re.search(r"loss='|criterion='|y\[", err), err
        assert os.listdir(tmp_path) == ["t.csv"]

    @pytest.mark.parametrize(
        ("targets", "loss", "says"),
        [
            ("wins fails", "poisson", "--loss poisson explains one column"),
            ("paid kind", "multinomial", '--target is given 2 times, "paid", "kind": --loss multinomial'),
            ("wins fails trials", "binomial", "--loss binomial takes two columns, successes and failures"),
            ("paid price", "auto", 'target "paid" holds text'),
            ("share fails", "binomial", 'target "share", row .*: the value is 0.*successes and failures'),
        ],
    )
    def test_too_many_targets(self, tmp_path, capsys, targets, loss, says):
        chosen(*targets.split()).write_csv(tmp_path / "t.csv")
        named = [word for name in targets.split() for word in ("--target", name)]
        code, _, err = run(capsys, "fit", tmp_path / "t.csv", *named, "--loss", loss)
        assert code == 2
        assert re.search(says, err), err


def saved(folder: Path, **change) -> Model:
    encoder = encode_table(chosen("price"), ["price"]).encoder
    p = len(encoder.feature_names)
    parts = {"coefficients": np.arange(float(p)), "intercept": np.asarray(0.5)}
    model = Model(encoder, **(parts | change))
    save_model(model, folder / "model.skops")
    return load_model(folder)


class TestModelFile:
    @pytest.mark.parametrize("classes", [("a", "b"), (1, 2), (False, True), (0.5, 2.0)])
    def test_it_keeps_loss_labels_and_offset(self, tmp_path, classes):
        model = saved(tmp_path, loss="logistic", classes=classes, offset=Offset("t", exposure=True))
        assert (model.loss, model.classes) == ("logistic", classes)
        assert list(map(type, model.classes)) == list(map(type, classes))
        assert model.offset == Offset("t", exposure=True)

    def test_one_of_the_first_version_is_squared(self, tmp_path):
        import skops.io

        saved(tmp_path)
        state = skops.io.load(tmp_path / "model.skops", trusted=[])
        old = {key: state[key] for key in ("format", "encoder", "coefficients", "intercept")}
        skops.io.dump(old | {"format_version": 1}, tmp_path / "model.skops")
        model = load_model(tmp_path)
        assert (model.loss, model.classes, model.offset) == ("squared", (), None)

    @pytest.mark.parametrize(
        "change",
        [
            {"loss": "cubic"},
            {"loss": 7},
            {"classes": [["a"], "b"]},
            {"classes": 3},
            {"classes": ["a", "b", "c"]},
            {"offset": {"name": "t"}},
            {"offset": "t"},
        ],
    )
    def test_a_damaged_one_is_refused(self, tmp_path, change):
        import skops.io

        saved(tmp_path, loss="logistic", classes=("a", "b"))
        state = skops.io.load(tmp_path / "model.skops", trusted=[])
        skops.io.dump(state | change, tmp_path / "model.skops")
        with pytest.raises(InputError, match="is damaged"):
            load_model(tmp_path)


def few_digits(name: str) -> pl.DataFrame:
    """Three of the digits, so that their test takes no minute."""
    frame = demo_table(name)
    return frame.filter(pl.col("digit").is_in(["0", "1", "2"])).head(150)


class TestDemos:
    @pytest.mark.parametrize(
        ("name", "shape", "target", "loss"),
        [
            ("diabetes", (442, 66), "disease progression", "squared"),
            ("breast-cancer", (569, 31), "diagnosis", "logistic"),
            ("wine", (178, 14), "grower", "multinomial"),
            ("digits", (1797, 65), "digit", "multinomial"),
        ],
    )
    def test_the_tables(self, name, shape, target, loss):
        frame = demo_table(name)
        assert (frame.shape, frame.columns[-1]) == (shape, target)
        assert frame.null_count().to_numpy().sum() == 0
        assert suggest_loss(frame[target], forced=loss != "squared").loss == loss

    @pytest.mark.parametrize("name", ["breast-cancer", "wine", "digits"])
    def test_they_run(self, tmp_path, capsys, monkeypatch, name):
        if name == "digits":
            monkeypatch.setattr("eigenshrink.cli.demo.demo_table", few_digits)
        frame = few_digits(name) if name == "digits" else demo_table(name)
        rows, target = frame.height, frame.columns[-1]
        code, out, err = run(capsys, "demo", name, "--output", tmp_path / "out")
        assert (code, err) == (0, "")
        assert sorted(os.listdir(tmp_path / "out")) == OURS
        result = result_of(tmp_path / "out")
        check_schema(result)
        assert result["loss"] == ("logistic" if name == "breast-cancer" else "multinomial")
        assert f"demo {name}: {rows} rows read, {rows} used, {frame.width - 1} columns" in out
        assert f'loss: {result["loss"]}, because of "{target}"' in out
        frame.write_parquet(tmp_path / "t.parquet")
        _, out, _ = run(capsys, "predict", tmp_path / "out", tmp_path / "t.parquet")
        predicted = pl.read_csv(io.StringIO(out), schema_overrides={"prediction": pl.String})
        assert (predicted["prediction"] == frame[target]).mean() > 0.95

    def test_all_are_named_in_the_help(self, capsys):
        _, out, _ = run(capsys, "demo", "--help")
        assert all(name in out for name in DEMOS)


class TestHelp:
    def test_losses_and_the_rule_are_said(self, capsys):
        _, out, _ = run(capsys, "fit", "--help")
        said = " ".join(out.split())
        for word in ("auto", *LOSSES):
            assert word in said
        assert "two values: logistic" in said

    def test_it_imports_nothing_heavy(self):
        code = (
            "import sys; from eigenshrink.cli import main; assert main(['fit', '--help']) == 0\n"
            "heavy = {'numpy', 'scipy', 'sklearn', 'polars', 'matplotlib', 'skops'}\n"
            "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
        )
        subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_the_squared_loss_says_why(tmp_path, capsys):
    table().write_csv(tmp_path / "t.csv")
    argv = ["fit", tmp_path / "t.csv", "--target", "y", "--output", tmp_path / "out"]
    assert 'loss: squared, because of "y": it holds numbers; --loss to change' in run(capsys, *argv)[1]
