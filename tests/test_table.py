"""Columns become the numbers they should, and what cannot be used is named."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from eigenshrink.data.files import read_table
from eigenshrink.data.names import distinct, shown
from eigenshrink.data.table import TableEncoder, encode_table
from eigenshrink.errors import InputError
from tables import csv, mixed


def encoded(folder: Path, text: str, target: str = "y", **options):
    path = csv(folder, text)
    frame = read_table(path, options.get("categories", ()), options.get("null_values", ()))
    return encode_table(frame, [target], **options)


class TestEncoding:
    def test_numbers_categories_and_gaps(self, tmp_path):
        text = "age,colour,ok,y\n1,red,true,1\n,blue,false,2\n3,,true,3\n4,red,true,\n"
        table = encoded(tmp_path, text)
        assert table.encoder.feature_names == (
            *("age", "age (missing)", "colour=red", "colour=blue", "colour=(missing)"),
            "ok",
        )
        np.testing.assert_array_equal(
            table.matrix, [[1, 0, 1, 0, 0, 1], [2, 1, 0, 1, 0, 0], [3, 0, 0, 0, 1, 1]]
        )
        assert table.targets.tolist() == [1, 2, 3]
        said = " ".join(table.notes)
        assert 'left out 1 row where "y" is missing' in said
        assert 'filled with the mean 2, column "age (missing)" says where' in said
        assert "1 missing as a level of their own" in said

    def test_levels_keep_the_order_of_the_file(self, tmp_path):
        table = encoded(tmp_path, "c,y\nzebra,1\nant,2\nmole,3\nant,4\n")
        assert table.encoder.feature_names == ("c=zebra", "c=ant", "c=mole")

    def test_new_rows_unseen_missing_and_extra(self, tmp_path):
        encoder = encoded(tmp_path, "c,x,y\nred,1,1\nblue,3,2\n").encoder
        frame = pl.DataFrame({"extra": [1, 2, 3], "x": [9.0, None, 1.0], "c": ["blue", "pink", None]})
        rows = encoder.transform(frame)
        np.testing.assert_array_equal(rows.matrix, [[0, 1, 9], [0, 0, 2], [0, 0, 1]])
        assert rows.unseen == {"c": 1}
        assert rows.filled == {"c": 1, "x": 1}

    def test_new_rows_need_the_columns_and_their_kind(self, tmp_path):
        encoder = encoded(tmp_path, "c,x,y\nred,1,1\nblue,3,2\n").encoder
        with pytest.raises(InputError, match='no column "x"'):
            encoder.transform(pl.DataFrame({"c": ["red"]}))
        with pytest.raises(InputError, match='"x", row 2: "two" is not a number'):
            encoder.transform(pl.DataFrame({"c": ["red", "red"], "x": ["1", "two"]}))
        with pytest.raises(InputError, match='"x" holds dates'):
            encoder.transform(pl.DataFrame({"c": ["red"], "x": [datetime.date(2020, 1, 1)]}))

    @pytest.mark.parametrize("kind", [pl.Categorical, pl.Enum(["blue", "red"]), pl.String])
    def test_kinds_of_text_are_one(self, kind):
        frame = pl.DataFrame({"c": pl.Series(["red", "blue", None], dtype=kind), "y": [1, 2, 3]})
        table = encode_table(frame, ["y"])
        assert table.encoder.feature_names == ("c=red", "c=blue", "c=(missing)")
        np.testing.assert_array_equal(table.matrix, np.eye(3))

    def test_decimals_and_nan(self):
        frame = pl.DataFrame(
            {"d": pl.Series([1.5, 2.5], dtype=pl.Decimal(10, 2)), "n": [float("nan"), 4.0], "y": [1, 2]}
        )
        table = encode_table(frame, ["y"])
        np.testing.assert_array_equal(table.matrix, [[1.5, 4, 1], [2.5, 4, 0]])

    def test_codes_declared_categories_keep_their_zeros(self, tmp_path):
        table = encoded(tmp_path, "zip,y\n007,1\n7,2\n", categories=("zip",))
        assert table.encoder.feature_names == ("zip=007", "zip=7")
        assert table.encoder.text_columns == ("zip",)

    def test_names_that_would_collide_are_numbered(self, tmp_path):
        table = encoded(tmp_path, "c,c=red,y\nred,1,1\nblue,2,2\n")
        assert table.encoder.feature_names == ("c=red", "c=blue", "c=red (2)")
        assert distinct(["a", "a", "a (2)"]) == ("a", "a (2)", "a (2) (2)")

    def test_an_empty_column_is_left_out_and_said(self, tmp_path):
        table = encoded(tmp_path, "e,x,y\n,1,1\n,2,2\n")
        assert table.encoder.feature_names == ("x",)
        assert table.notes == ('left out "e": every value is missing',)

    def test_the_index_of_pandas_is_no_column(self):
        frame = pl.DataFrame({"x": [1, 2], "y": [1, 2], "__index_level_0__": [0, 1]})
        assert encode_table(frame, ["y"]).encoder.feature_names == ("x",)

    def test_weights_factors_and_the_weighted_mean(self, tmp_path):
        text = "w,x,c,y\n3,1,a,1\n1,5,b,2\n2,,a,3\n"
        table = encoded(tmp_path, text, weights="w", unpenalised=("c",))
        assert table.sample_weight.tolist() == [3, 1, 2]
        assert table.matrix[:, 0].tolist() == [1, 5, 2]
        assert table.penalty_factor.tolist() == [1, 1, 0, 0]

    def test_several_targets_keep_complete_rows(self):
        frame = pl.DataFrame({"x": [1, 2, 3], "u": [1.0, None, 3.0], "v": [4.0, 5.0, 6.0]})
        table = encode_table(frame, ["v", "u"])
        assert table.targets.tolist() == [[4, 1], [6, 3]]
        assert table.encoder.targets == ("v", "u")

    def test_a_flag_as_target_is_said(self):
        table = encode_table(pl.DataFrame({"x": [1, 2], "y": [True, False]}), ["y"])
        assert table.targets.tolist() == [1, 0]
        assert table.notes == ('target "y": true counts as 1, false as 0',)

    def test_the_encoder_survives_json(self):
        encoder = encode_table(mixed(), ["y"], null_values=["-"]).encoder
        again = TableEncoder.from_dict(json.loads(json.dumps(encoder.to_dict())))
        assert again == encoder
        assert again.feature_names == encoder.feature_names

    @pytest.mark.parametrize(
        "state", [{}, {"columns": [{}], "targets": [], "null_values": []}, {"columns": 3}]
    )
    def test_a_damaged_encoder_is_said(self, state):
        with pytest.raises(InputError, match="damaged"):
            TableEncoder.from_dict(state)


MANY = "".join(f"{i},{i}\n" for i in range(16))
NAMES = "".join(f"name{i},{i}\n" for i in range(50))


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "options", "says"),
        [
            (f"age,y\n{MANY}n/a,3\n", {}, r'"age", row 17: "n/a" is not a number.*--null-value n/a'),
            (f"age,y\n{MANY}1 234,3\n", {}, r"--category age"),
            (f"id,y\n{NAMES}", {}, r'"id" has 50 different texts in 50 rows.*--drop id'),
            ("d,y\n2020-01-01,1\n2021-02-03,2\n", {}, r'"d" holds dates.*year, month.*--drop d'),
            ("d,y\n31/12/2020 10:00,1\n1/1/2021 11:00,2\n", {}, "holds dates"),
            ("x,y\n1,1\ninf,2\n", {}, '"x", row 2: the value is infinite'),
            ("x,y\n1,-inf\n1,2\n", {}, 'target "y", row 1: the value is infinite'),
            ("x,y\n1,red\n1,blue\n", {}, 'target "y" holds text such as "red"'),
            ('x,y\n"0,497",2\n"0,5",3\n', {}, r'column "x", row 1: "0,497" is not .*decimal comma.*points'),
            ('x,y\n"1,234,567",2\n9,3\n', {}, r'column "x", row 1: "1,234,567" is not .*thousands'),
            ('x,y\n1,"1.234,5"\n1,"-,5"\n', {}, r'target "y", row 1: "1.234,5" is not .*decimal comma'),
            ("x,y\n1,2\n1,?\n", {}, r'target "y", row 2: "\?" is not a number'),
            ("x,y\n1,\n1,\n", {}, 'target "y" is missing in every row'),
            ("x,y\n1,2020-01-01\n1,2021-01-01\n", {}, 'target "y" holds text'),
            ("x,y\n1,2\n", {}, "1 row.*at least 2"),
            ("x,y\n1,2\n3,\n", {}, "2 rows, 1 of them"),
            ("y\n1\n2\n", {}, "no column is left"),
            ("x,y\n,1\n,2\n", {}, "no column is left"),
            ("age,y\n1,2\n", {"weights": "aeg"}, '--weights: there is no column "aeg"; did you mean "age"'),
            ("age,y\n1,2\n", {"unpenalised": ("Age",)}, '--unpenalised: .* did you mean "age"'),
            ("age,y\n1,2\n", {"drop": ("zzz",)}, '--drop: .* the columns are "age", "y"'),
            ("w,x,y\n1,1,1\n-2,2,2\n", {"weights": "w"}, '"w", row 2: the weight is negative'),
            ("w,x,y\n1,1,1\n,2,2\n", {"weights": "w"}, '"w", row 2: the weight is missing'),
            ("w,x,y\n0,1,1\n0,2,2\n", {"weights": "w"}, "0 of 2 rows have a weight above 0"),
            ("w,x,y\nheavy,1,1\n1,2,2\n", {"weights": "w"}, '"heavy" is not a number'),
            ("x,y\n1,1\n2,2\n", {"weights": "y"}, "both as --target and as --weights"),
            ("x,y\n1,1\n2,2\n", {"drop": ("x", "x")}, "given twice"),
        ],
    )
    def test_what_cannot_be_used_is_named(self, tmp_path, text, options, says):
        with pytest.raises(InputError, match=says) as caught:
            encoded(tmp_path, text, **options)
        assert "\n" not in str(caught.value)

    def test_an_unknown_target_is_suggested(self, tmp_path):
        with pytest.raises(InputError, match=r'--target: .*"prise"; did you mean "price"'):
            encoded(tmp_path, "x,price\n1,1\n2,2\n", target="prise")

    def test_the_ways_out_that_the_messages_name_work(self, tmp_path):
        assert encoded(tmp_path, f"age,y\n{MANY}n/a,3\n", null_values=("n/a",)).matrix.shape == (17, 2)
        assert encoded(tmp_path, f"age,y\n{MANY}K,3\n", categories=("age",)).matrix.shape == (17, 17)
        assert encoded(tmp_path, f"x,id,y\n1,{NAMES.replace(chr(10), chr(10) + '1,')[:-2]}", drop=("id",))

    def test_a_thousand_categories_are_the_most(self):
        texts = [f"t{i // 3}" for i in range(3003)]
        frame = pl.DataFrame({"c": texts, "y": range(3003)})
        with pytest.raises(InputError, match="1001 different texts"):
            encode_table(frame, ["y"], categories=["c"])

    @pytest.mark.parametrize(
        ("values", "says"),
        [
            ([datetime.date(2020, 1, 1)] * 2, "holds dates"),
            ([datetime.datetime(2020, 1, 1)] * 2, "holds datetimes"),
            ([datetime.timedelta(1)] * 2, "holds durations"),
            ([datetime.time(1)] * 2, "holds times"),
            ([[1], [2]], "not one value per row"),
            ([{"a": 1}] * 2, "not one value per row"),
        ],
    )
    def test_types_that_are_no_numbers(self, values, says):
        with pytest.raises(InputError, match=says):
            encode_table(pl.DataFrame({"x": values, "y": [1, 2]}), ["y"])
        with pytest.raises(InputError, match='target "x"'):
            encode_table(pl.DataFrame({"x": values, "y": [1, 2]}), ["x"])

    def test_rows_keep_the_number_they_have_in_the_file(self, tmp_path):
        with pytest.raises(InputError, match='"x", row 3'):
            encoded(tmp_path, "x,y\n1,\n2,1\nbad,2\n3,3\n4,4\n")

    def test_a_strangers_text_cannot_flood_a_message(self):
        assert shown("a\nb\x1b[31m") == '"a\\x0ab\\x1b[31m"'
        assert len(shown("x" * 999)) == 63
