"""The rows that judge and are not fitted: another file, or a share of the rows."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eigenshrink.cli.target import check_target
from eigenshrink.cli.wishes import Columns
from eigenshrink.data.files import read_table
from eigenshrink.data.names import shown
from eigenshrink.data.table import Design, Judges, encode_judges
from eigenshrink.errors import InputError


@dataclass(frozen=True, eq=False)
class Judged:
    """What :func:`eigenshrink.study` takes as ``validation``, and sentences about it."""

    validation: Any = None
    notes: tuple[str, ...] = ()


def read_judges(
    asked: str | None, fitted: Path, design: Design, loss: str, columns: Columns, counts: bool
) -> Judged:
    """Read what ``--validation`` names, with the columns that were learnt from the fitted rows.

    Parameters
    ----------
    asked : str or None
        A fraction between 0 and 1, or the name of a file.
    fitted : Path
        The file that is fitted.
    design : Design
        The rows that are fitted.
    loss : str
        What explains them.
    columns : Columns
        What the columns are for: row weights and offsets are read here too.
    counts : bool
        Whether weights say how often a row occurred.

    Raises
    ------
    InputError
        If it is neither, or the file cannot be used; the sentence begins with the option.
    """
    if asked is None:
        return Judged()
    fraction = _number(asked)
    if fraction is not None:
        if not 0 < fraction < 1:
            raise InputError(
                f"--validation is {asked}: give a file, or the fraction of the rows to hold out, "
                "above 0 and below 1"
            )
        return Judged(fraction)
    path = Path(asked)
    if _same(path, fitted):
        raise InputError(
            f"--validation {shown(asked)} is the file that is fitted: rows can judge only if they were not "
            "fitted; name another file, or give the fraction of the rows to hold out"
        )
    try:
        rows = _read(path, design, loss, columns, counts)
    except InputError as error:
        raise InputError(f"--validation {shown(asked)}: {error}") from error
    used = f"{asked}: {rows.rows_read} rows read to judge by, {len(rows.targets)} used"
    notes = (used, *(f"{asked}: {note}" for note in rows.notes))
    added = () if rows.offset is None else (rows.offset,)
    return Judged((rows.matrix, rows.targets, rows.sample_weight, *added), notes)


def _read(path: Path, design: Design, loss: str, columns: Columns, counts: bool) -> Judges:
    encoder, classes = design.encoder, design.classes
    labels = encoder.targets if classes and isinstance(classes[0], str) else ()
    rows = encode_judges(
        read_table(path, (*encoder.text_columns, *labels), encoder.null_values),
        encoder,
        weights=columns.weights,
        counts=counts,
        classes=classes,
        offset=columns.offset,
    )
    check_target(loss, encoder.targets, rows.rows, rows.targets, rows.sample_weight, classes)
    return rows


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _same(path: Path, fitted: Path) -> bool:
    try:
        return os.path.samefile(path, fitted)
    except OSError:
        return False
