"""Losses from the command line: chosen from the target, asked for, saved, and predicted with."""

from __future__ import annotations

import io
import os
import re

import numpy as np
import polars as pl
import pytest

import eigenshrink as es
from cli_runs import OURS, check_schema, chosen, outcomes, result_of, run, write_plain_page
from eigenshrink.data.table import encode_table


@pytest.fixture(autouse=True)
def plain_page(monkeypatch):
    monkeypatch.setattr(es.Study, "report", write_plain_page)


@pytest.fixture
def fit(tmp_path, capsys):
    """Write a table, fit it, return what it printed and the result; or the error."""

    def call(frame: pl.DataFrame, *argv: object) -> tuple[str, dict] | str:
        frame.write_csv(tmp_path / "t.csv")
        code, out, err = run(capsys, "fit", tmp_path / "t.csv", *argv, "--output", tmp_path / "out")
        if code:
            assert (code, out, err.count("\n")) == (2, "", 1), err
            assert err.startswith("Error: ")
            assert "Traceback" not in err
            return err
        assert sorted(os.listdir(tmp_path / "out")) == OURS
        result = result_of(tmp_path / "out")
        check_schema(result)
        return out, result

    return call


@pytest.fixture
def predict(tmp_path, capsys):
    def call(frame: pl.DataFrame) -> pl.DataFrame | str:
        frame.write_csv(tmp_path / "new.csv")
        code, out, err = run(capsys, "predict", tmp_path / "out", tmp_path / "new.csv")
        return err if code else pl.read_csv(io.StringIO(out))

    return call


def by_hand(frame: pl.DataFrame, targets: list[str], y=None, **options) -> tuple[np.ndarray, es.Study]:
    """The design matrix and the study that the command line should have made."""
    design = encode_table(frame.with_columns(pl.lit(0.0).alias("_")), ["_"], drop=targets)
    y = frame[targets[0]].to_list() if y is None else y
    return design.matrix, es.study(design.matrix, y, standardize=True, random_state=0, **options)


def same(result: dict, study: es.Study) -> None:
    assert result["alpha"]["chosen"] == pytest.approx(study.alpha, rel=1e-6)
    named = result["coefficients"]
    if len(study.classes) > 2:
        assert list(named) == [str(label) for label in study.classes]
        values = [list(each.values()) for each in named.values()]
    else:
        values = list(named.values())
    np.testing.assert_allclose(values, study.coef(), rtol=1e-6, atol=1e-9)


class TestAuto:
    @pytest.mark.parametrize(
        ("target", "loss", "why"),
        [
            ("paid", "logistic", "it has two different values"),
            ("kind", "multinomial", "it has 3 different texts"),
            ("visits", "poisson", "its whole numbers from 0 on look like counts"),
            ("price", "squared", "it holds numbers"),
        ],
    )
    def test_it_is_chosen_and_said(self, fit, target, loss, why):
        out, result = fit(chosen(target), "--target", target)
        assert result["loss"] == loss
        said = f'loss: {loss}, because of "{target}": {why}; --loss to change'
        assert said in result["data"]["notes"]
        assert said in out

    def test_what_was_asked_for_is_taken_and_nothing_said(self, fit):
        _, result = fit(chosen("visits"), "--target", "visits", "--loss", "squared")
        assert result["loss"] == "squared"
        assert not any(note.startswith("loss:") for note in result["data"]["notes"])

    def test_several_targets_are_numbers(self, fit):
        _, result = fit(chosen("price", "cost"), "--target", "price", "--target", "cost")
        assert result["loss"] == "squared"
        assert "loss: squared, because there are 2 targets" in result["data"]["notes"]

    def test_a_target_that_is_a_category_is_classes(self, fit, predict):
        digits = np.random.default_rng(3).integers(0, 3, 150)
        frame = chosen().with_columns(size=pl.col("size") + digits, code=pl.Series([f"0{d}" for d in digits]))
        _, result = fit(frame, "--target", "code", "--category", "code")
        assert result["loss"] == "multinomial"
        assert predict(frame).columns[1] == "probability of 00"

    def test_codes_are_numbers_unless_somebody_says_so(self, fit):
        frame = chosen().with_columns(code=pl.Series(np.arange(150) % 5))
        _, result = fit(frame, "--target", "code")
        assert result["loss"] == "squared"
        assert any("5 different whole numbers do not look like counts" in n for n in result["data"]["notes"])


class TestLosses:
    @pytest.mark.parametrize(
        ("target", "loss"),
        [
            *(("visits", "poisson"), ("cost", "gamma"), ("cost", "inverse_gaussian")),
            *(("visits", "tweedie"), ("visits", "tweedie:1.3"), ("price", "huber:0.5"), ("price", "huber")),
            *(("paid", "logistic"), ("kind", "multinomial"), ("kind", "auto"), ("share", "binomial")),
        ],
    )
    def test_the_model_is_that_of_the_library(self, fit, predict, target, loss):
        frame = chosen(target)
        _, result = fit(frame, "--target", target, "--loss", loss)
        matrix, study = by_hand(frame, [target], loss="multinomial" if loss == "auto" else loss)
        same(result, study)
        assert result["loss"] == study.loss
        table, expected = predict(frame.drop(target)), study.predict(matrix)
        if not study.classes:
            np.testing.assert_allclose(table["prediction"], expected, rtol=1e-6)
            assert table.columns == ["prediction"]
            return
        assert table.columns == ["prediction", *(f"probability of {label}" for label in study.classes)]
        shares = table.drop("prediction").to_numpy()
        np.testing.assert_allclose(
            shares[:, -1], expected if expected.ndim == 1 else expected[:, -1], rtol=1e-6
        )
        np.testing.assert_allclose(shares.sum(axis=1), 1.0)
        assert table["prediction"].to_list() == [study.classes[k] for k in shares.argmax(axis=1)]
        assert (table["prediction"] == frame[target]).mean() > 0.5

    @pytest.mark.parametrize("values", [(True, False), (2, 1), (7.5, 2.5), ("b a", "a, c")])
    def test_labels_come_back_as_they_were(self, fit, predict, values):
        frame = chosen("paid").with_columns(y=pl.Series([values[p == "yes"] for p in outcomes()["paid"]]))
        _, result = fit(frame.drop("paid"), "--target", "y")
        assert result["loss"] == "logistic"
        table = predict(frame.drop("paid", "y"))
        assert set(table["prediction"]) == set(values)
        names = [str(label).lower() if isinstance(label, bool) else str(label) for label in sorted(values)]
        assert table.columns[1:] == [f"probability of {name}" for name in names]

    def test_missing_labels_are_left_out(self, fit):
        frame = chosen("kind").with_columns(kind=pl.Series([None, *outcomes()["kind"].to_list()[1:]]))
        _, result = fit(frame, "--target", "kind")
        assert result["rows"] == 149
        assert 'left out 1 row where "kind" is missing' in result["data"]["notes"]
        counts = frame["kind"].value_counts().drop_nulls().sort("kind")["count"].to_list()
        said = ", ".join(f'{n} of "{label}"' for n, label in zip(counts, ("cat", "dog", "eel"), strict=True))
        assert f'target "kind": 3 classes, rows: {said}' in result["data"]["notes"]

    def test_two_columns_of_successes_and_failures(self, fit, predict):
        frame = chosen("wins", "fails")
        argv = ["--target", "wins", "--target", "fails", "--loss", "binomial"]
        _, result = fit(frame, *argv)
        y = frame.select("wins", "fails").to_numpy().astype(float)
        matrix, study = by_hand(frame, ["wins", "fails"], y, loss="binomial")
        same(result, study)
        np.testing.assert_allclose(predict(frame)["prediction"], study.predict(matrix), rtol=1e-6)
        _, shares = fit(
            chosen("share", "trials"), "--target", "share", "--weights", "trials", "--loss", "binomial"
        )
        assert shares["coefficients"] == pytest.approx(result["coefficients"], rel=1e-4, abs=1e-6)

    def test_row_weights_reach_it(self, fit):
        frame = chosen("paid", "trials")
        _, result = fit(frame, "--target", "paid", "--weights", "trials")
        y, weight = frame["paid"].to_list(), frame["trials"].to_numpy()
        same(result, by_hand(frame, ["paid", "trials"], y, loss="logistic", sample_weight=weight)[1])


class TestOffset:
    @pytest.mark.parametrize("option", ["offset", "exposure"])
    def test_it_reaches_the_study_and_the_prediction(self, fit, predict, option):
        column = {"offset": "shift", "exposure": "time"}[option]
        frame = chosen("visits", column)
        _, result = fit(frame, "--target", "visits", f"--{option}", column)
        added = frame[column].to_numpy()
        added = np.log(added) if option == "exposure" else added
        y = frame["visits"].to_list()
        matrix, study = by_hand(frame, ["visits", column], y, loss="poisson", offset=added)
        same(result, study)
        assert column not in result["coefficients"]
        table = predict(frame)
        np.testing.assert_allclose(table["prediction"], study.predict(matrix, offset=added), rtol=1e-6)
        said = predict(frame.drop(column))
        assert f'no column "{column}", which the model needs as --{option}' in said

    def test_classes_do_not_take_one(self, fit):
        said = fit(chosen("kind", "shift"), "--target", "kind", "--offset", "shift")
        assert "--offset means nothing to --loss multinomial" in said

    def test_new_rows_need_values_that_can_be(self, fit, predict):
        frame = chosen("visits", "time")
        fit(frame, "--target", "visits", "--exposure", "time")
        assert 'column "time", row 3: the exposure is not above 0' in predict(
            frame.with_columns(time=pl.Series([1.0, 2.0, 0.0, *[1.0] * 147]))
        )

    def test_rows_that_judge_need_it_too(self, fit, tmp_path):
        frame = chosen("visits", "time")
        judges = frame.tail(50)
        judges.write_csv(tmp_path / "v.csv")
        argv = ["--target", "visits", "--exposure", "time", "--validation", tmp_path / "v.csv"]
        _, result = fit(frame.head(100), *argv)
        X, y = encode_table(frame, ["visits"], drop=["time"]).matrix, frame["visits"].to_numpy()
        added = np.log(frame["time"].to_numpy())
        study = es.study(
            X[:100],
            y[:100],
            loss="poisson",
            offset=added[:100],
            standardize=True,
            validation=(X[100:], y[100:], None, added[100:]),
        )
        same(result, study)
        assert result["alpha"]["criterion"] == "validation"
        assert result["held_out"] == {"rows": 50, "source": "given"}
        judges.drop("time").write_csv(tmp_path / "v.csv")
        said = fit(frame.head(100).with_columns(size=pl.col("size") * 2), *argv[:-1], tmp_path / "v.csv")
        assert 'no column "time", which the model needs as --exposure' in str(said)


class TestJudges:
    @pytest.mark.parametrize("target", ["paid", "kind"])
    def test_labels_of_another_file(self, fit, tmp_path, target):
        frame = chosen(target)
        frame.tail(60).write_csv(tmp_path / "v.csv")
        _, result = fit(frame.head(90), "--target", target, "--validation", tmp_path / "v.csv")
        assert result["alpha"]["criterion"] == "validation"
        X, y = encode_table(frame, [target], classes=True).matrix, frame[target].to_list()
        loss = "logistic" if target == "paid" else "multinomial"
        held = (X[90:], y[90:])
        same(result, es.study(X[:90], y[:90], loss=loss, standardize=True, validation=held))

    def test_a_share_of_the_rows(self, fit):
        frame = chosen("kind")
        _, result = fit(frame, "--target", "kind", "--validation", "0.2")
        same(result, by_hand(frame, ["kind"], loss="multinomial", validation=0.2)[1])

    def test_a_class_that_was_not_fitted(self, fit, tmp_path):
        chosen("kind").with_columns(kind=pl.lit("yak")).write_csv(tmp_path / "v.csv")
        said = fit(chosen("kind"), "--target", "kind", "--validation", tmp_path / "v.csv")
        assert 'target "kind", row 1: "yak" is no class of the rows that are fitted' in said
        assert said.startswith("Error: --validation")

    def test_a_number_that_cannot_be(self, fit, tmp_path):
        chosen("visits").with_columns(visits=pl.lit(-2)).write_csv(tmp_path / "v.csv")
        said = fit(chosen("visits"), "--target", "visits", "--validation", tmp_path / "v.csv")
        assert re.search(r'--validation ".*": target "visits", row 1: the value is -2; Poisson needs', said)
