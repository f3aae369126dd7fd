"""A study in one file: npz of columns, safetensors of a network. Nothing is ever executed on reading."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eigenshrink.archive import columns, network
from eigenshrink.archive.columns import FORMAT
from eigenshrink.errors import InputError
from eigenshrink.path import KrylovPath

if TYPE_CHECKING:
    from eigenshrink.record import Study

__all__ = ["FORMAT", "read_study", "write_study"]

BROKEN = (ValueError, KeyError, TypeError, EOFError, IndexError, zipfile.BadZipFile, zlib.error)


def write_study(study: Study, path: str | Path) -> None:
    """Write a study; see :meth:`eigenshrink.Study.save`.

    Raises
    ------
    InputError
        If the file cannot be written, or the loss is none that eigenshrink knows by name.
    MissingExtra
        If it is of a network, and safetensors is not installed.
    """
    kind = network if isinstance(study.path, KrylovPath) else columns
    kind.write_study(study, path)


def read_study(path: str | Path) -> dict[str, Any]:
    """Read the parts of a study, by the names of its fields; see :func:`eigenshrink.load`."""
    try:
        with Path(path).open("rb") as file:
            if network.is_one(file.read(9)):
                return network.read_study(path)
            file.seek(0)
            return columns.read_study(file)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except BROKEN as error:
        raise InputError(
            f"{path} is no study saved by eigenshrink: give the file that study.save wrote"
        ) from error
