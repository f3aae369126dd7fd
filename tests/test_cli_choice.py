"""Groups, criteria, folds and rows that judge, as they are asked for on the command line."""

from __future__ import annotations

import os
import re

import numpy as np
import polars as pl
import pytest

import eigenshrink as es
from cli_runs import check_schema, result_of, run, sites, table, write_plain_page
from eigenshrink.choice.rule import SELECT
from eigenshrink.cli.commands import Criterion, Select
from eigenshrink.data.encoder import TableEncoder
from eigenshrink.data.table import encode_judges, encode_table
from eigenshrink.risk import DESCRIBING, RISKS

LABELS = ["site", "day", "number", "flag"]
PLAIN = ["size", "age", "colour", "y"]


@pytest.fixture(autouse=True)
def plain_page(monkeypatch):
    monkeypatch.setattr(es.Study, "report", write_plain_page)


@pytest.fixture
def fit(tmp_path, capsys):
    """Fit a frame with some options; the result, or the sentence of the error."""

    def fitted(frame: pl.DataFrame, *options: object, ending: str = "csv") -> dict | str:
        file = tmp_path / f"t.{ending}"
        frame.write_csv(file) if ending == "csv" else frame.write_parquet(file)
        code, out, err = run(
            capsys, "fit", file, "--target", "y", *options, "--output", tmp_path / "out", "--debug"
        )
        if code:
            assert (code, out) == (2, "")
            assert "out" not in os.listdir(tmp_path)
            return err.splitlines()[-1]
        result = result_of(tmp_path / "out")
        check_schema(result)
        return result

    return fitted


def by_hand(frame: pl.DataFrame, **asked: object) -> tuple[es.Study, TableEncoder]:
    design = encode_table(frame, ["y"])
    return es.study(design.matrix, design.targets, standardize=True, **asked), design.encoder


def same(result: dict, study: es.Study) -> None:
    assert result["alpha"]["criterion"] == study.choice.criterion
    assert result["alpha"]["chosen"] == pytest.approx(study.alpha, rel=1e-9)
    np.testing.assert_allclose(list(result["coefficients"].values()), study.coef(), rtol=1e-9)


class TestGroups:
    @pytest.mark.parametrize("ending", ["csv", "parquet"])
    @pytest.mark.parametrize("label", LABELS)
    def test_labels_of_any_type(self, fit, label, ending):
        frame = sites().select(*PLAIN, label)
        result = fit(frame, "--groups", label, ending=ending)
        assert result["groups"] == {"count": frame[label].n_unique(), "source": "given"}
        assert not any(label in name for name in result["coefficients"])
        same(result, by_hand(frame.drop(label), groups=frame[label].to_list())[0])
        assert f'"{label}": {frame[label].n_unique()} groups of rows that belong together' in str(
            result["data"]
        )

    def test_labels_are_taken_as_they_are_written(self, fit):
        frame = sites().select(*PLAIN).with_columns(g=pl.Series(["7", "007", " 7", "7.0", "x"] * 18))
        assert fit(frame, "--groups", "g")["groups"]["count"] == 4  # blanks around a text do not count
        long = pl.Series([f"1234567890123456789{i % 3}" for i in range(90)])
        assert fit(frame.with_columns(g=long), "--groups", "g")["groups"]["count"] == 3

    def test_without_groups_there_are_none(self, fit):
        result = fit(sites().select(PLAIN))
        assert result["groups"] == {"count": 0, "source": "none"}
        assert "leave_group_out" not in result["risk"]

    def test_a_missing_label_is_named(self, fit):
        frame = sites().select(*PLAIN, "gap")
        assert re.search(
            r'column "gap", row 5: the group is missing; every row', fit(frame, "--groups", "gap")
        )
        nan = frame.with_columns(gap=pl.col("gap").cast(pl.Float64).fill_null(float("nan")))
        assert 'column "gap", row 5: the group is missing' in fit(nan, "--groups", "gap", ending="parquet")
        coded = frame.with_columns(gap=pl.col("gap").fill_null(-1))
        assert "row 5: the group is missing" in fit(coded, "--groups", "gap", "--null-value", "-1")

    def test_a_row_that_is_not_used_needs_no_label(self, fit):
        frame = sites().select(*PLAIN, "gap")
        unknown = frame.with_columns(y=pl.when(pl.col("gap").is_null()).then(None).otherwise(pl.col("y")))
        assert fit(unknown, "--groups", "gap")["groups"]["count"] == 89

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            ("--groups sight", '--groups: there is no column "sight"; did you mean "site"?'),
            ("--groups y", 'column "y" is given both as --target and as --groups'),
            ("--groups site --drop site", 'column "site" is given both as --groups and as --drop'),
            ("--groups site --category site", 'column "site" is given both as --groups and as --category'),
            ("--groups site --weights site", 'column "site" is given both as --weights and as --groups'),
            ("--criterion leave_group_out", "leave_group_out needs groups: .* or --groups COLUMN"),
        ],
    )
    def test_groups_that_cannot_be(self, fit, options, says):
        said = fit(sites().drop("day", "gap"), *options.split())
        assert re.search(says, said), said

    def test_one_label_is_no_group(self, fit):
        one = sites().select(PLAIN).with_columns(g=pl.lit("all"))
        assert 'column "g" has one label for every row' in fit(one, "--groups", "g")
        light = sites().select(PLAIN).with_columns(g=pl.Series(["a", "b"] * 45), w=pl.Series([1, 0] * 45))
        assert 'column "g" has one label' in fit(light, "--groups", "g", "--weights", "w")


class TestCriteria:
    def test_there_are_those_of_the_library(self):
        assert [each.value for each in Criterion] == ["auto", *(n for n in RISKS if n not in DESCRIBING)]
        assert tuple(each.value for each in Select) == SELECT

    @pytest.mark.parametrize("criterion", [each.value for each in Criterion])
    def test_every_criterion_can_choose(self, fit, criterion):
        frame = sites().select(*PLAIN, "site")
        options = ["--groups", "site", "--validation", "0.3", "--criterion", criterion, "--seed", 3]
        asked = {"groups": frame["site"].to_list(), "validation": 0.3, "random_state": 3}
        same(fit(frame, *options), by_hand(frame.drop("site"), **asked, criterion=criterion)[0])

    def test_the_strongest_equivalent(self, fit):
        asked = (sites().select(PLAIN), "--criterion", "loo", "--select")
        best, strong = fit(*asked, "best"), fit(*asked, "strongest-equivalent")
        assert strong["alpha"]["interval"] == best["alpha"]["interval"]
        assert strong["alpha"]["chosen"] == best["alpha"]["interval"][1] > best["alpha"]["chosen"]
        assert "the strongest that cannot be told from the best" in strong["alpha"]["reason"]

    def test_folds_and_seed_reach_the_study(self, fit):
        result = fit(sites().select(PLAIN), "--criterion", "kfold", "--folds", 3, "--seed", 8)
        study, _ = by_hand(sites().select(PLAIN), criterion="kfold", folds=3, random_state=8)
        same(result, study)
        assert result["folds"] == 3
        other = fit(sites().select(PLAIN), "--criterion", "kfold", "--folds", 3)
        assert other["alpha"]["chosen"] != result["alpha"]["chosen"]

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            ("--folds 1", "'--folds'.*greater than or equal to 2"),
            ("--folds few", "'--folds'.*valid integer"),
            ("--seed -1", "'--seed'.*greater than or equal to 0"),
            ("--criterion aic", "'--criterion'.*'aic' is not one of 'auto', .*'leave_group_out'"),
            ("--select weakest", "'--select'.*'weakest' is not one of 'best', 'strongest-equivalent'"),
            ("--select strongest-equivalent --criterion gcv", "^Error: --select .* use --criterion loo"),
            (
                "--criterion validation",
                "^Error: --criterion validation needs rows .* --validation with a file",
            ),
        ],
    )
    def test_wishes_that_cannot_be(self, fit, options, says):
        said = fit(sites().select(PLAIN), *options.split())
        assert re.search(says, said), said

    def test_copies_are_found(self, fit):
        frame = pl.concat([sites().select(PLAIN), sites().select(PLAIN).head(20)])
        result = fit(frame)
        assert result["groups"] == {"count": 90, "source": "found"}
        assert "copies" in result["alpha"]["reason"]


def judges() -> pl.DataFrame:
    """Rows for :func:`cli_runs.table` with a gap, an unseen category, an unknown target and an own order."""
    frame = table(80).tail(20).drop("z")
    rows = frame.with_columns(
        colour=pl.Series(["pink", *frame["colour"].to_list()[1:]]),
        y=pl.Series([*frame["y"].to_list()[:-1], None]),
    )
    return rows.select(reversed(rows.columns))


class TestJudges:
    def test_a_file_is_encoded_like_the_rows_that_are_fitted(self, fit, tmp_path):
        judges().write_csv(tmp_path / "v.csv")
        result = fit(table().drop("z"), "--weights", "w", "--validation", tmp_path / "v.csv")
        design = encode_table(table().drop("z"), ["y"], weights="w")
        held = encode_judges(judges(), design.encoder, weights="w")
        study = es.study(
            design.matrix,
            design.targets,
            sample_weight=design.sample_weight,
            standardize=True,
            validation=(held.matrix, held.targets, held.sample_weight),
        )
        same(result, study)
        assert result["alpha"]["criterion"] == "validation"
        assert result["rows"] == 60
        assert result["held_out"] == {"rows": 19, "source": "given"}
        np.testing.assert_allclose(result["risk"]["validation"], study.risk["validation"](study.alphas))
        said = "\n".join(result["data"]["notes"])
        for sentence in (
            "20 rows read to judge by, 19 used",
            'left out 1 row where "y" is missing',
            '"colour": 1 value not seen when fitting, 0 in every category',
            '"age": 2 missing values, treated as when fitting',
        ):
            assert f"{tmp_path / 'v.csv'}: {sentence}" in said

    def test_codes_stay_codes(self, fit, tmp_path):
        text = [("07", "7")[i % 2] for i in range(40)]
        frame = table(40).select("age", "y").with_columns(zip=pl.Series(text))
        frame.with_columns(zip=pl.lit("7")).write_csv(tmp_path / "v.csv")
        result = fit(frame, "--category", "zip", "--validation", tmp_path / "v.csv")
        assert not any("not seen" in note for note in result["data"]["notes"])

    def test_a_fraction_of_the_rows(self, fit):
        frame = sites().select(PLAIN)
        result = fit(frame, "--validation", "0.25", "--seed", 4)
        same(result, by_hand(frame, validation=0.25, random_state=4)[0])
        assert result["held_out"]["source"] == "fraction"
        assert result["rows"] + result["held_out"]["rows"] == result["data"]["rows_read"] == 90
        assert fit(frame, "--validation", "0.25")["alpha"]["chosen"] != result["alpha"]["chosen"]

    def test_whole_groups_are_held_out(self, fit):
        result = fit(sites().select(*PLAIN, "site"), "--groups", "site", "--validation", ".2")
        assert result["held_out"] == {"rows": 18, "source": "fraction"}
        assert result["groups"] == {"count": 12, "source": "given"}

    def test_the_summary_counts_them(self, tmp_path, capsys):
        sites().select(PLAIN).write_csv(tmp_path / "t.csv")
        argv = [
            "fit",
            tmp_path / "t.csv",
            "--target",
            "y",
            "--validation",
            "0.2",
            "--output",
            tmp_path / "out",
        ]
        assert "90 rows read, 72 used, 18 held out to judge by, 5 columns" in run(capsys, *argv)[1]

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            (lambda v: v.drop("age"), 'no column "age", which the model was fitted with'),
            (lambda v: v.drop("y"), 'no column "y", which rows need to judge by: its columns are'),
            (lambda v: v.drop("w"), 'no column "w", which rows need to judge by'),
            (lambda v: v.with_columns(age=pl.lit("old")), 'column "age", row 1: "old" is not a number'),
            (lambda v: v.with_columns(y=pl.lit("good")), 'target "y" holds text such as "good"'),
            (lambda v: v.with_columns(y=pl.lit(None)), 'target "y" is missing in every row'),
            (lambda v: v.with_columns(w=pl.lit(-1)), 'column "w", row 1: the weight is negative'),
            (lambda v: v.with_columns(w=pl.lit(0)), "0 of 19 rows have a weight above 0"),
            (lambda v: v.head(1), "1 row, 1 of them with a value"),
            (lambda v: v.head(0), "has a header and no rows"),
        ],
    )
    def test_a_file_that_cannot_judge(self, fit, tmp_path, change, says):
        change(judges()).write_csv(tmp_path / "v.csv")
        said = fit(table().drop("z"), "--weights", "w", "--validation", tmp_path / "v.csv")
        assert said.startswith(f'Error: --validation "{tmp_path / "v.csv"}"'[:60])
        assert says in said

    @pytest.mark.parametrize(
        ("asked", "says"),
        [
            ("1.5", "--validation is 1.5: give a file, or the fraction"),
            ("0", "--validation is 0: give"),
            ("nan", "--validation is nan: give"),
            ("-0.2", "--validation is -0.2: give"),
            ("0.001", "--validation 0.001 leaves too few of 90 rows on one side"),
            ("no.csv", '--validation "no.csv": there is no file no.csv'),
            ("v.docx", "--validation .* ending that is not known"),
            (".", '--validation ".": . is a folder'),
            ("t.csv", '--validation "t.csv" is the file that is fitted'),
        ],
    )
    def test_what_cannot_judge(self, fit, tmp_path, monkeypatch, asked, says):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "v.docx").write_text("x")
        said = fit(sites().select(PLAIN), "--validation", asked)
        assert re.search(says, said), said
