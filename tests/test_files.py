"""Every format gives the same table, and a file that cannot be read is one sentence."""

from __future__ import annotations

import csv as stdlib_csv
import gzip
import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from eigenshrink.data.files import read_table
from eigenshrink.data.lines import uneven_line
from eigenshrink.data.table import encode_table
from eigenshrink.errors import InputError, MissingExtra
from tables import csv, mixed


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
            ("t.csv", b"\n\n", "empty"),
            ("t.csv", b"a,y\n", "no rows"),
            ("t.csv", b"a,y,a\n1,2,3\n", '"a" occurs more than once'),
            ("t.csv", b",y\n1,2\n", "column 1 has no name"),
            ("t.csv", b"a,y\n1,2\n1,2,3\n", "line 3 has more fields"),
            ("t.csv", b"a,b,y\n1,2,3\n4,5\n6,7,8\n", "line 3 has fewer fields .* 2 instead of 3"),
            ("t.tsv", b"a\tb\ty\n1\t2\t3\n4\n", "line 3 has fewer fields"),
            ("t.csv.gz", gzip.compress(b"a,y\n1,2\n3\n", mtime=0), "line 3 has fewer fields"),
            ("t.csv", b"a,y\n1,2\n3", "line 3 has fewer fields"),
            ("t.csv", b'a,b,y\n1,"x\nz",3\n4,"5,6"\n', "line 4 has fewer fields"),
            ("t.csv", b'a,b,y\n1,"x\nz",3\n4,"5,6",7,8\n', "line 4 has more fields"),
            ("t.csv", b"a,y\n1,2\n\n3,4\n", "line 3 is empty"),
            ("t.csv", b"a,y\n1,2\n  \n", "line 3 is empty"),
            ("t.csv", b'a,y\n"1,2\n', "a quote is not closed, look at line 2"),
            ("t.csv", b'a,c\n1,"x\n2,y\n3,z\n', "a quote is not closed, look at line 2"),
            ("t.csv", b'a,"c\n1,x\n', "a quote is not closed, look at line 1"),
            ("t.csv", b'a,c\n1,"x"z\n', "quotes in the wrong place"),
            ("t.csv.gz", b"a,y\n1,2\n", "not compressed by gzip.* take .gz off"),
            ("t.csv", gzip.compress(b"a,y\n1,2\n", mtime=0), "compressed by gzip: add .gz"),
            ("t.csv", "a,y\ncaf\xe9,2\n".encode("latin-1"), "UTF-8"),
            ("t.csv", "a,y\n1,2\n".encode("utf-16"), "UTF-8"),
            ("t.csv", b"\x00\x01,y\n1,2\n", "not a text file"),
            ("t.csv", b"a;y\n1;2\n", "separated by ';'"),
            ("t.csv.gz", gzip.compress(b"a,y\n" + b"1,2\n" * 9999, mtime=0)[:40], "complete"),
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

    @pytest.mark.parametrize("end", ["", "\n", "\n\n", "\r\n\r\n", "\n\n\n"])
    def test_empty_lines_at_the_end_are_no_rows(self, tmp_path, end):
        path = tmp_path / "t.csv"
        path.write_bytes(b"a,c,y\n1,,\n2,x," + end.encode())
        assert read_table(path).rows() == [(1, None, None), (2, "x", None)]

    def test_an_empty_line_of_a_single_column_is_a_missing_value(self, tmp_path):
        assert read_table(csv(tmp_path, "a\n1\n\n2\n\n"))["a"].to_list() == [1, None, 2, None]

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


def counted(content: bytes, width: int) -> tuple[int, int] | None:
    """The slow oracle of ``uneven_line``."""
    reader, line = stdlib_csv.reader(io.StringIO(content.decode(), newline="")), 1
    for row in reader:
        if len(row) != width:
            return line, len(row)
        line = reader.line_num + 1
    return None


class TestLines:
    @pytest.mark.parametrize("chunk", [1, 7, 64, 1 << 21])
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_the_first_uneven_line_is_found(self, monkeypatch, chunk, end):
        monkeypatch.setattr("eigenshrink.data.lines.CHUNK", chunk)
        rng = np.random.default_rng(1)
        found = []
        for _ in range(60):
            cells = [["1", '"2,3"', '"a\n""b"', ""][i] for i in rng.integers(0, 4, 24)]
            rows = [cells[i : i + 3] for i in range(0, 24, 3)]
            if rng.random() < 0.8:
                rows[rng.integers(8)][0:1] = ["1", "2"] if rng.random() < 0.5 else []
            content = end.join(",".join(row) for row in [["x", "y", "z"], *rows]).encode()
            content += end.encode() * int(rng.integers(2))
            found.append(uneven_line(content, ",", 3))
            assert found[-1] == counted(content, 3)
        assert None in found
        assert len({width for _, width in filter(None, found)}) == 2

    def test_a_quote_within_a_value_is_no_fault(self):
        content = b'a,b,y\n5" pipe,6" pipe,\n'
        assert uneven_line(content, ",", 3) is None
        assert uneven_line(content, ",", 4) == (1, 3)
