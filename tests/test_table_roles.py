"""Columns of groups and rows that judge: labels of any type, rows encoded like those that taught."""

from __future__ import annotations

import datetime

import numpy as np
import polars as pl
import pytest

from eigenshrink.data.table import encode_judges, encode_table
from eigenshrink.errors import InputError
from tables import mixed

DAY = datetime.date(2020, 1, 1)


class TestGroups:
    @pytest.mark.parametrize(
        "labels",
        [
            ["b", "a", "b", "c"],
            pl.Series(["b", "a", "b", "c"], dtype=pl.Categorical),
            pl.Series(["b", "a", "b", "c"], dtype=pl.Enum(["c", "b", "a"])),
            [2**62, 2**62 + 1, 2**62, 0],
            [0.5, -0.5, 0.5, float("inf")],
            pl.Series([1.5, 2.5, 1.5, 0.5], dtype=pl.Decimal(10, 2)),
            [DAY, DAY + datetime.timedelta(1), DAY, DAY + datetime.timedelta(2)],
            [datetime.datetime(2020, 1, 1, h) for h in (3, 4, 3, 5)],
            [datetime.time(h) for h in (3, 4, 3, 5)],
            [datetime.timedelta(h) for h in (3, 4, 3, 5)],
            [b"b", b"a", b"b", b"c"],
        ],
    )
    def test_labels_of_any_type(self, labels):
        frame = pl.DataFrame({"x": [1, 2, 3, 4], "g": labels, "y": [1, 2, 3, 5]})
        table = encode_table(frame, ["y"], groups="g")
        assert [list(table.groups).index(code) for code in table.groups] == [0, 1, 0, 3]
        assert table.encoder.feature_names == ("x",)
        assert '"g": 3 groups of rows that belong together' in table.notes

    def test_flags_and_zeros_of_either_sign(self):
        frame = pl.DataFrame(
            {"x": [1, 2, 3], "g": [True, False, True], "z": [0.0, -0.0, 1.0], "y": [1, 2, 3]}
        )
        assert encode_table(frame, ["y"], groups="g").groups.tolist() == [1, 0, 1]
        assert encode_table(frame, ["y"], groups="z").groups.tolist() == [0, 0, 1]

    def test_codes_are_of_the_rows_that_are_used(self):
        frame = pl.DataFrame({"x": [1, 2, 3, 4], "g": [None, "b", "a", "b"], "y": [None, 2, 3, 5]})
        assert encode_table(frame, ["y"], groups="g").groups.tolist() == [1, 0, 1]

    @pytest.mark.parametrize("label", [None, float("nan")])
    def test_a_missing_label_is_named(self, label):
        frame = pl.DataFrame({"x": [1, 2, 3], "g": [1.0, 2.0, label], "y": [1, 2, 3]})
        with pytest.raises(
            InputError, match='column "g", row 3: the group is missing; every row needs a label'
        ):
            encode_table(frame, ["y"], groups="g")

    def test_weights_of_zero_are_said_and_make_no_group(self):
        frame = pl.DataFrame({"x": [1, 2, 3], "g": ["a", "a", "b"], "w": [1, 1, 0], "y": [1, 2, 3]})
        assert "left out 1 row whose weight is 0" in encode_table(frame, ["y"], weights="w").notes
        with pytest.raises(InputError, match='"g" has one label for every row with a target'):
            encode_table(frame, ["y"], groups="g", weights="w")


class TestJudges:
    def test_they_are_encoded_like_the_rows_that_taught(self):
        learnt = mixed()
        encoder = encode_table(learnt, ["y"]).encoder
        rows = learnt.sample(15, seed=1, shuffle=True).select(reversed(learnt.columns))
        judges = encode_judges(rows, encoder)
        np.testing.assert_array_equal(judges.matrix, encoder.transform(rows).matrix)
        np.testing.assert_array_equal(judges.targets, rows["y"])
        assert judges.sample_weight is None
        assert judges.rows_read == 15

    def test_what_was_not_learnt_is_said(self):
        learnt = pl.DataFrame({"c": ["red", "blue"], "x": [1.0, 3.0], "w": [1, 2], "y": [1, 2]})
        encoder = encode_table(learnt, ["y"], weights="w").encoder
        rows = pl.DataFrame(
            {
                "y": [1, None, 3, 4],
                "x": [None, 1, 5, 2],
                "c": ["pink", "red", "red", "red"],
                "w": [1, 1, 2, 0],
            }
        )
        judges = encode_judges(rows, encoder, weights="w")
        np.testing.assert_array_equal(judges.matrix, [[0, 0, 7 / 3], [1, 0, 5], [1, 0, 2]])
        assert judges.targets.tolist() == [1, 3, 4]
        assert judges.sample_weight.tolist() == [1, 2, 0]
        assert judges.notes == (
            'left out 1 row where "y" is missing',
            "left out 1 row whose weight is 0",
            '"c": 1 value not seen when fitting, 0 in every category',
            '"x": 1 missing value, treated as when fitting',
        )

    def test_several_targets(self):
        frame = pl.DataFrame({"x": [1, 2, 3], "u": [1.0, 2.0, 3.0], "v": [4.0, 5.0, 6.0]})
        judges = encode_judges(frame, encode_table(frame, ["v", "u"]).encoder)
        assert judges.targets.tolist() == [[4, 1], [5, 2], [6, 3]]

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            (lambda f: f.drop("x"), 'no column "x", which the model was fitted with'),
            (lambda f: f.drop("y"), 'no column "y", which rows need to judge by: its columns are "x", "w"'),
            (lambda f: f.drop("y", "w"), 'no column "y", "w", which rows need'),
            (lambda f: f.head(1), "1 row, 1 of them with a value"),
            (
                lambda f: f.with_columns(y=pl.lit(None, dtype=pl.Float64)),
                'target "y" is missing in every row',
            ),
            (lambda f: f.with_columns(w=pl.lit(0.5)), '"w", row 1: the weight is not a whole number'),
            (lambda f: f.with_columns(x=pl.lit("a")), '"x", row 1: "a" is not a number'),
        ],
    )
    def test_rows_that_cannot_judge(self, change, says):
        frame = pl.DataFrame({"x": [1, 2, 3], "w": [1, 1, 2], "y": [1, 2, 4]})
        encoder = encode_table(frame, ["y"], weights="w").encoder
        with pytest.raises(InputError, match=says):
            encode_judges(change(frame), encoder, weights="w", counts=True)
