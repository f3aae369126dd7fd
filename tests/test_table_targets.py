"""Targets of a table: labels stay as they are written, numbers are numbers, offsets are read by row."""

from __future__ import annotations

import datetime

import numpy as np
import polars as pl
import pytest

from eigenshrink.data.files import read_table
from eigenshrink.data.roles import Offset
from eigenshrink.data.table import encode_judges, encode_table
from eigenshrink.errors import InputError
from tables import csv

DAY = datetime.date(2020, 1, 1)


def frame(labels, **columns) -> pl.DataFrame:
    return pl.DataFrame({"x": np.arange(float(len(labels))), **columns, "y": labels})


def encoded(labels, **options):
    return encode_table(frame(labels), ["y"], classes=True, **options)


class TestLabels:
    @pytest.mark.parametrize(
        ("labels", "kept", "classes"),
        [
            (["b", "a", "b"], ["b", "a", "b"], ("a", "b")),
            (pl.Series(["b", "a", "b"], dtype=pl.Enum(["b", "a"])), ["b", "a", "b"], ("a", "b")),
            ([True, False, None, True], [True, False, True], (False, True)),
            ([2, 1, 2], [2, 1, 2], (1, 2)),
            ([2.0, 1.0, float("nan"), 2.0], [2, 1, 2], (1, 2)),
            ([0.5, 1.0, 0.5], [0.5, 1.0, 0.5], (0.5, 1.0)),
            (pl.Series([1, 0, 1]).cast(pl.Decimal(5, 1)), [1, 0, 1], (0, 1)),
            (["b", None, "c", "a", "c", "c", "b", "a"], list("bcaccba"), ("a", "b", "c")),
        ],
    )
    def test_they_stay_as_they_are(self, labels, kept, classes):
        table = encoded(labels)
        assert table.targets.tolist() == kept
        assert table.classes == classes
        assert list(map(type, table.classes)) == list(map(type, sorted(set(kept))))
        assert len(table.matrix) == len(table.rows) == len(kept)

    def test_written_as_codes(self, tmp_path):
        text = "x,y\n1,007\n2,7\n3,007\n4,\n"
        path = csv(tmp_path, text)
        as_texts = encode_table(read_table(path, ["y"]), ["y"], classes=True, categories=["y"])
        assert as_texts.classes == ("007", "7")
        as_numbers = encode_table(read_table(csv(tmp_path, text + "5,8\n6,8\n")), ["y"], classes=True)
        assert as_numbers.classes == (7, 8)

    def test_rows_are_counted(self):
        notes = encoded(["b", "a", "b", None]).notes
        assert 'target "y": 2 classes, rows: 1 of "a", 2 of "b"' in notes
        assert 'left out 1 row where "y" is missing' in notes
        flags = encoded([True, False, True]).notes
        assert 'target "y": 2 classes, rows: 1 of "false", 2 of "true"' in flags
        assert not any("counts as 1" in note for note in flags)
        many = encoded([f"c{i}" for i in range(9)] * 2).notes
        assert any(note.endswith('2 of "c5" and 3 more classes') for note in many)

    @pytest.mark.parametrize(
        ("labels", "says"),
        [
            (["a", "a", None], 'target "y" has one value, "a", in every row'),
            ([None, None, None], 'target "y" is missing in every row'),
            ([None, None, "a"], "3 rows, 1 of them with a value"),
            ([DAY, DAY, DAY], 'target "y" holds dates: give classes as texts or numbers'),
            ([[1], [2], [1]], 'target "y" holds lists'),
            ([1.0, float("inf"), 1.0], 'target "y", row 2: the value is infinite'),
            ([0.1, 0.2, 0.3, 0.4, 0.5], "5 different values in 5 rows: classes need rows that share them"),
        ],
    )
    def test_labels_that_cannot_be(self, labels, says):
        with pytest.raises(InputError, match=says):
            encoded(labels)

    def test_a_category_is_no_number(self):
        with pytest.raises(InputError, match=r'target "y" is said to be a category.*--loss multinomial'):
            encode_table(frame([1, 2, 3]), ["y"], categories=["y"])

    def test_text_is_no_number(self):
        with pytest.raises(InputError, match=r'target "y" holds text such as "a".*--loss logistic'):
            encode_table(frame(["a", "b", "a"]), ["y"])


class TestJudges:
    def test_labels_of_other_rows(self):
        fitted = encoded(["b", "a", "b"])
        rows = encode_judges(frame(["a", None, "a"]), fitted.encoder, classes=fitted.classes)
        assert rows.targets.tolist() == ["a", "a"]
        assert rows.rows.tolist() == [1, 3]

    @pytest.mark.parametrize(
        ("fitted", "other", "says"),
        [
            (
                ["b", "a", "b"],
                ["a", "c"],
                'row 2: "c" is no class of the rows that are fitted, which are "a", "b"',
            ),
            ([1, 2, 1], ["1", "two"], 'row 1: "1" is no class'),
            ([True, False, True], ["true", "maybe"], 'row 1: "true" is no class'),
            (["1", "x", "1"], [2, 1], 'row 1: "2" is no class'),
        ],
    )
    def test_a_class_that_was_not_fitted(self, fitted, other, says):
        table = encoded(fitted)
        with pytest.raises(InputError, match=says):
            encode_judges(frame(other), table.encoder, classes=table.classes)

    def test_texts_that_look_like_numbers(self):
        table = encoded(["1", "x", "1"])
        rows = encode_judges(frame([1, 1]), table.encoder, classes=table.classes)
        assert rows.targets.tolist() == ["1", "1"]


class TestOffset:
    TIMES = frame([1, 2, 3, None], t=[0.5, 1.0, 2.0, None])

    def test_it_is_added_as_it_is_and_explains_nothing(self):
        table = encode_table(self.TIMES, ["y"], offset=Offset("t"))
        assert table.offset.tolist() == [0.5, 1.0, 2.0]
        assert table.encoder.feature_names == ("x",)
        assert encode_table(self.TIMES, ["y"]).offset is None

    def test_an_exposure_is_its_logarithm(self):
        table = encode_table(self.TIMES, ["y"], offset=Offset("t", exposure=True))
        np.testing.assert_array_equal(table.offset, np.log([0.5, 1, 2]))
        held = encode_judges(self.TIMES, table.encoder, offset=Offset("t", exposure=True))
        np.testing.assert_array_equal(held.offset, table.offset)

    @pytest.mark.parametrize(
        ("values", "exposure", "says"),
        [
            ([1, 0, 1], True, r'column "t", row 2: the exposure is not above 0; it is a time'),
            ([1, 1, -2], True, r'column "t", row 3: the exposure is not above 0'),
            ([1, None, 1], True, r'column "t", row 2: the exposure is missing'),
            ([1, None, 1], False, r'column "t", row 2: the offset is missing; every row needs one'),
            ([1.0, float("inf"), 1.0], False, r'column "t", row 2: the value is infinite'),
            (["a", "b", "c"], False, r'column "t", row 1: "a" is not a number'),
        ],
    )
    def test_values_that_cannot_be(self, values, exposure, says):
        with pytest.raises(InputError, match=says):
            encode_table(frame([1, 2, 3], t=values), ["y"], offset=Offset("t", exposure))

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            ({"offset": Offset("z")}, '--offset: there is no column "z"'),
            ({"offset": Offset("y")}, 'column "y" is given both as --target and as --offset'),
            (
                {"offset": Offset("t", True), "drop": ["t"]},
                'column "t" is given both as --exposure and as --drop',
            ),
            (
                {"offset": Offset("t"), "weights": "t"},
                'column "t" is given both as --weights and as --offset',
            ),
        ],
    )
    def test_columns_that_cannot_be(self, options, says):
        with pytest.raises(InputError, match=says):
            encode_table(self.TIMES, ["y"], **options)

    def test_other_rows_need_it_too(self):
        table = encode_table(self.TIMES, ["y"], offset=Offset("t"))
        with pytest.raises(InputError, match='no column "t", which the model needs as --offset'):
            encode_judges(self.TIMES.drop("t"), table.encoder, offset=Offset("t"))
