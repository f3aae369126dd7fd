"""Files and tables: every format gives the same numbers, and what cannot be used is named."""

from __future__ import annotations

import datetime
import gzip
import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from eigenshrink.data.files import read_table
from eigenshrink.data.names import distinct, shown
from eigenshrink.data.table import TableEncoder, encode_table
from eigenshrink.data.write import new_file, new_folder
from eigenshrink.errors import InputError, MissingExtra

ROWS = 40


def mixed(rows: int = ROWS) -> pl.DataFrame:
    """Numbers, counts, flags, categories and gaps, with column names that need quoting."""
    rng = np.random.default_rng(3)
    size = rng.normal(size=rows)
    return pl.DataFrame(
        {
            "<script>": size,
            'a, "b"': rng.integers(0, 9, rows),
            "flag": rng.random(rows) > 0.5,
            "gap": [None if i % 7 == 0 else float(i) for i in range(rows)],
            "colour": [("red", "blue", None, "green")[i % 4] for i in range(rows)],
            "y": 2 * size + 1,
        }
    )


def written(folder: Path, frame: pl.DataFrame, ending: str) -> Path:
    path = folder / f"table{ending}"
    separator = "\t" if ".tsv" in ending else ","
    match ending:
        case ".parquet":
            frame.write_parquet(path)
        case ".feather":
            frame.write_ipc(path)
        case ".csv.gz":
            path.write_bytes(gzip.compress(frame.write_csv().encode()))
        case _:
            frame.write_csv(path, separator=separator)
    return path


def csv(folder: Path, text: str, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def encoded(folder: Path, text: str, target: str = "y", **options):
    path = csv(folder, text)
    frame = read_table(path, options.get("categories", ()), options.get("null_values", ()))
    return encode_table(frame, [target], **options)


def fail_after(path: Path) -> str:
    """Write half of a file, then fail."""
    path.write_text("half")
    return str(1 / 0)


class TestReading:
    @pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".tsv", ".parquet", ".feather"])
    def test_every_format_gives_the_same_design(self, tmp_path, ending):
        expected = encode_table(mixed(), ["y"])
        found = encode_table(read_table(written(tmp_path, mixed(), ending)), ["y"])
        assert found.encoder == expected.encoder
        assert found.notes == expected.notes
        np.testing.assert_array_equal(found.matrix, expected.matrix)
        np.testing.assert_array_equal(found.targets, expected.targets)

    def test_names_survive(self, tmp_path):
        names = read_table(written(tmp_path, mixed(), ".csv")).columns
        assert names[:2] == ["<script>", 'a, "b"']

    def test_a_name_with_glob_signs_is_one_file(self, tmp_path):
        path = csv(tmp_path, "a,y\n1,2\n", "t[1]*.csv")
        csv(tmp_path, "b,y\n1,2\n", "t1x.csv")
        assert read_table(path).columns == ["a", "y"]

    def test_blanks_around_values_and_names_go(self, tmp_path):
        frame = read_table(csv(tmp_path, "a, c ,y\n 1, red ,2\n 2.5,blue,3\n"))
        assert frame.columns == ["a", "c", "y"]
        assert frame["a"].to_list() == [1.0, 2.5]
        assert frame["c"].to_list() == ["red", "blue"]

    def test_byte_order_mark_and_windows_line_ends(self, tmp_path):
        path = tmp_path / "t.csv"
        path.write_bytes(b"\xef\xbb\xbfa,y\r\n1,2\r\n3,4\r\n")
        frame = read_table(path)
        assert frame.columns == ["a", "y"]
        assert frame["y"].to_list() == [2, 4]

    def test_null_values_in_text_and_numbers(self, tmp_path):
        text = "a,b,c,y\nn/a,-999,-,1\n2,3,x,2\n"
        frame = read_table(csv(tmp_path, text), null_values=["n/a", "-999", "-"])
        assert frame.row(0) == (None, None, None, 1)
        pl.DataFrame({"b": [-999.0, 3.0], "c": ["-", "x"]}).write_parquet(tmp_path / "t.parquet")
        again = read_table(tmp_path / "t.parquet", null_values=["-999", "-"])
        assert again.row(0) == (None, None)

    @pytest.mark.parametrize("late", [1, 3000])
    def test_a_late_row_decides_as_an_early_one(self, tmp_path, late):
        fields = {"whole": "2.5", "gap": "7", "flag": "True", "text": "x", "missing": "NaN", "big": "1e30"}
        usual = {"whole": "1", "gap": "", "flag": "", "text": "3", "missing": "4", "big": "5"}
        rows = [fields if i == late else usual for i in range(4000)]
        lines = [",".join(fields), *(",".join(row.values()) for row in rows)]
        frame = read_table(csv(tmp_path, "\n".join(lines) + "\n"))
        kinds = [dtype.is_numeric() for dtype in frame.dtypes]
        assert kinds == [True, True, False, False, True, True]
        assert frame.schema["flag"] == pl.Boolean
        assert frame["gap"].null_count() == frame["flag"].null_count() == 3999

    @pytest.mark.parametrize(
        ("name", "content", "says"),
        [
            ("t.csv", b"", "is empty"),
            ("t.csv", b"\n\n", "begins with an empty line"),
            ("t.csv", b"a,y\n", "no rows"),
            ("t.csv", b"a,y,a\n1,2,3\n", '"a" occurs more than once'),
            ("t.csv", b",y\n1,2\n", "column 1 has no name"),
            ("t.csv", b"\na,y\n1,2\n", "begins with an empty line"),
            ("t.csv", b"a,y\n1,2\n1,2,3\n", "line 3 has more fields"),
            ("t.csv", b'a,y\n"1,2\n', "damaged"),
            ("t.csv", "a,y\ncaf\xe9,2\n".encode("latin-1"), "UTF-8"),
            ("t.csv", "a,y\n1,2\n".encode("utf-16"), "UTF-8"),
            ("t.csv", b"\x00\x01,y\n1,2\n", "not a text file"),
            ("t.csv", b"a;y\n1;2\n", "separated by ';'"),
            ("t.csv.gz", gzip.compress(b"a,y\n" + b"1,2\n" * 9999)[:40], "complete"),
            ("t.parquet", b"", "is empty"),
            ("t.parquet", b"PAR1 and then nothing of use PAR1", "cannot be read"),
            ("t.parquet", b"a,y\n1,2\n3,4\n", "cannot be read"),
            ("t.feather", b"a,y\n1,2\n3,4\n", "cannot be read"),
            ("t.xlsx", b"PK", "ending"),
            ("t", b"a,y\n1,2\n", "ending"),
        ],
    )
    def test_a_bad_file_is_one_sentence(self, tmp_path, name, content, says):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(InputError, match=says) as caught:
            read_table(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_missing_file_and_folder(self, tmp_path):
        with pytest.raises(InputError, match="there is no file"):
            read_table(tmp_path / "nowhere.csv")
        folder = tmp_path / "d.csv"
        folder.mkdir()
        with pytest.raises(InputError, match="is a folder"):
            read_table(folder)

    def test_a_missing_polars_is_a_command(self, tmp_path, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "polars", None)
        with pytest.raises(MissingExtra, match=r"eigenshrink\[app\]"):
            read_table(csv(tmp_path, "a,y\n1,2\n"))


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


class TestWriting:
    def test_a_new_folder_appears_whole_with_its_parents(self, tmp_path):
        with new_folder(tmp_path / "a" / "b") as folder:
            (folder / "f").write_text("1")
            assert not (tmp_path / "a").exists()
        assert (tmp_path / "a" / "b" / "f").read_text() == "1"
        assert sorted(os.listdir(tmp_path)) == ["a"]

    def test_an_old_folder_keeps_what_is_not_replaced(self, tmp_path):
        (tmp_path / "mine").write_text("kept")
        (tmp_path / "f").write_text("old")
        with new_folder(tmp_path) as folder:
            (folder / "f").write_text("new")
            assert (tmp_path / "f").read_text() == "old"
        assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"mine": "kept", "f": "new"}

    def test_a_failure_leaves_everything_as_it_was(self, tmp_path):
        (tmp_path / "f").write_text("old")
        for target in (tmp_path, tmp_path / "new" / "deep"):
            with pytest.raises(ZeroDivisionError), new_folder(target) as folder:
                fail_after(folder / "f")
        assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"f": "old"}

    def test_a_place_that_cannot_be_written_is_said(self, tmp_path):
        (tmp_path / "file").write_text("x")
        with pytest.raises(InputError, match="is a file"), new_folder(tmp_path / "file"):
            pass
        with pytest.raises(InputError, match="cannot write"), new_folder(tmp_path / "file" / "below"):
            pass
        (tmp_path / "out" / "f").mkdir(parents=True)
        with pytest.raises(InputError, match="is a folder where"), new_folder(tmp_path / "out") as folder:
            (folder / "f").write_text("x")
        assert sorted(p.name for p in tmp_path.rglob("*")) == ["f", "file", "out"]

    def test_a_full_disk_is_said(self, tmp_path):
        with pytest.raises(InputError, match="No space left"), new_folder(tmp_path / "out"):
            raise OSError(28, os.strerror(28))

    def test_a_file_is_replaced_or_untouched(self, tmp_path):
        path = tmp_path / "t.csv"
        path.write_text("old")
        with pytest.raises(ZeroDivisionError), new_file(path) as beside:
            fail_after(beside)
        assert path.read_text() == "old"
        with new_file(path) as beside:
            assert beside.suffix == ".csv"
            beside.write_text("new")
        assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"t.csv": "new"}
        with pytest.raises(InputError, match="is a folder"), new_file(tmp_path):
            pass
        with pytest.raises(InputError, match="cannot write"), new_file(path / "below.csv") as beside:
            beside.write_text("x")
