"""Nothing half written: write beside, then rename."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from eigenshrink.data.names import shown
from eigenshrink.errors import InputError


@contextmanager
def new_folder(path: str | Path) -> Iterator[Path]:
    """Give an empty folder to write into; its files appear in ``path`` when the block ends well.

    A new ``path`` appears in one step, with its parents. In one that exists each file is replaced
    in one step and other files are left alone. When the block raises, nothing has changed.

    Parameters
    ----------
    path : str or Path
        The folder that is wanted.

    Yields
    ------
    Path
        A temporary folder on the same file system.

    Raises
    ------
    InputError
        If ``path`` is a file, or it cannot be written.
    """
    path = Path(os.path.abspath(path))
    with said_plainly(path):
        if path.exists() and not path.is_dir():
            raise InputError(f"the output folder {path} is a file: choose another --output")
        beside = _beside(path, path if path.exists() else _nearest(path))
        beside.mkdir()
    try:
        with said_plainly(path):
            yield beside
            _move(beside, path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


@contextmanager
def new_file(path: str | Path) -> Iterator[Path]:
    """Give the name of a file to write; it takes the place of ``path`` when the block ends well.

    Raises
    ------
    InputError
        If ``path`` is a folder, its folder does not exist, or it cannot be written.
    """
    if not isinstance(path, str | os.PathLike):
        raise InputError(f"the name of the file is {path!r}: give a path, such as 'study.npz'")
    path = Path(os.path.abspath(path))
    if path.is_dir():
        raise InputError(f"the output {path} is a folder: name a file in it")
    beside = _beside(path, path.parent)
    try:
        with said_plainly(path):
            yield beside
            os.replace(beside, path)
    finally:
        with suppress(OSError):
            beside.unlink()


def _beside(path: Path, folder: Path) -> Path:
    """Temporary name in ``folder``; it keeps the ending, which may decide the format."""
    return folder / f".{secrets.token_hex(4)}.partial.{path.name}"


def _nearest(path: Path) -> Path:
    """Nearest folder above that exists: what is made below it is on the same file system."""
    return next(parent for parent in path.parents if parent.exists())


def _move(beside: Path, path: Path) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(beside, path)
        return
    files = sorted(beside.iterdir())
    for file in files:
        if (path / file.name).is_dir():
            raise InputError(
                f"{path / file.name} is a folder where a file has to go: choose another --output"
            )
    for file in files:
        os.replace(file, path / file.name)


@contextmanager
def said_plainly(path: Path) -> Iterator[None]:
    """Turn an error of the file system about an output into a sentence.

    Raises
    ------
    InputError
        If the block raises OSError.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise InputError(
            f"cannot write {shown(path)}: {reason}; choose another --output, or free the place"
        ) from error
