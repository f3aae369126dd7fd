"""Nothing half written: it is all there, or all as it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from eigenshrink.data.write import new_file, new_folder
from eigenshrink.errors import InputError


def fail_after(path: Path) -> str:
    """Write half of a file, then fail."""
    path.write_text("half")
    return str(1 / 0)


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
