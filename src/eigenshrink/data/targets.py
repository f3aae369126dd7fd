"""The columns of a table that are explained: numbers, or the names of classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.data.columns import (
    LEARNING,
    MOSTLY_NUMBERS,
    Array,
    first_text,
    is_text,
    looks_numeric,
    numbers,
)
from eigenshrink.data.names import listed, option, shown
from eigenshrink.errors import InputError

if TYPE_CHECKING:
    import polars

Rows = NDArray[np.intp]
Label = str | bool | int | float
WHOLE = 2.0**53  # up to here a float64 holds every whole number
MOST_NAMED = 6  # classes whose rows a note counts


def complete_rows(
    frame: polars.DataFrame, targets: Sequence[str], classes: bool = False, text: bool = False
) -> tuple[Rows, NDArray[Any], polars.DataFrame]:
    """Rows in which every target is known: their numbers from 1, the values of the targets, the rows.

    Parameters
    ----------
    frame : DataFrame
    targets : names
        One, where it holds classes.
    classes : bool
        Whether the target is labels ``(n,)``, of texts, flags or numbers as they are, and not numbers
        ``(n, t)``.
    text : bool
        Whether labels are texts, whatever they look like.

    Raises
    ------
    InputError
        If a target cannot be used, or fewer than two rows are left.
    """
    every = np.arange(1, frame.height + 1)
    if classes:
        keep, values = _labels(frame.get_column(targets[0]), every, text)
    else:
        values = np.column_stack([_numbers(frame.get_column(name), every) for name in targets])
        keep = np.asarray(np.isfinite(values).all(axis=1))
    if keep.sum() < 2:
        raise InputError(
            f"the table has {keep.size} row{'s' * (keep.size != 1)}, {keep.sum()} of them with a value of "
            f"{listed(targets)}: at least 2 are needed"
        )
    return every[keep], values[keep], frame.filter(keep)


def learn_classes(name: str, labels: NDArray[Any]) -> tuple[Label, ...]:
    """Different labels in ascending order.

    Raises
    ------
    InputError
        If there is only one, or hardly one occurs twice.
    """
    found: tuple[Label, ...] = tuple(np.unique(labels).tolist())
    if len(found) == 1:
        raise InputError(
            f"target {shown(name)} has one value, {shown(written(found[0]))}, in every row: there is "
            "nothing to tell apart; name another column"
        )
    if len(found) > max(2, len(labels) // 2):
        raise InputError(
            f"target {shown(name)} has {len(found)} different values in {len(labels)} rows: classes need "
            "rows that share them; name another column, or explain numbers with --loss squared"
        )
    return found


def check_classes(name: str, labels: NDArray[Any], classes: Sequence[Label], rows: Rows) -> None:
    """Refuse the first label that is none of the classes.

    Raises
    ------
    InputError
        Naming its row.
    """
    known = set(classes)
    strange = next((i for i, label in enumerate(labels.tolist()) if label not in known), None)
    if strange is not None:
        raise InputError(
            f"target {shown(name)}, row {rows[strange]}: {shown(written(labels[strange]))} is no class of "
            f"the rows that are fitted, which are {listed(map(written, classes))}; take the row out, or fit "
            "rows of that class too"
        )


def describe_classes(name: str, labels: NDArray[Any], classes: Sequence[Label]) -> str:
    """Count the rows of every class, in one sentence."""
    counts = [int((labels == label).sum()) for label in classes]
    named = list(zip(classes, counts, strict=True))[:MOST_NAMED]
    said = ", ".join(f"{count} of {shown(written(label))}" for label, count in named)
    rest = f" and {len(counts) - MOST_NAMED} more classes" if len(counts) > MOST_NAMED else ""
    return f"target {shown(name)}: {len(counts)} classes, rows: {said}{rest}{_alike(classes)}"


def _alike(classes: Sequence[Label]) -> str:
    """Name two classes that differ in case or blanks only; empty where there are none."""
    seen: dict[str, str] = {}
    for label in map(written, classes):
        other = seen.setdefault("".join(label.casefold().split()), label)
        if other != label:
            return (
                f"; {shown(other)} and {shown(label)} differ in capitals or blanks only: write them alike if "
                "they are one class"
            )
    return ""


def written(label: Any) -> str:
    """Write a label as tables do."""
    return str(label).lower() if isinstance(label, (bool, np.bool_)) else str(label)


def _labels(column: polars.Series, rows: Rows, text: bool) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    """Whether each label is known, and the labels; whole numbers are integers."""
    import polars

    _check_kind(column, "classes as texts or numbers")
    known = column.fill_nan(None) if column.dtype.is_float() else column
    keep: NDArray[np.bool_] = known.is_not_null().to_numpy()
    if text or is_text(known):
        return keep, known.cast(polars.String).to_numpy().astype(object)
    if known.dtype.base_type().__name__ == "Boolean":
        return keep, known.fill_null(False).to_numpy()
    values = numbers(known, rows, role="target")
    present = values[keep]
    if np.all((present == np.rint(present)) & (np.abs(present) <= WHOLE)):
        return keep, np.where(keep, values, 0.0).astype(np.int64)
    return keep, values


def _numbers(column: polars.Series, rows: Rows) -> Array:
    """Values of a target, NaN where missing."""
    _check_kind(column, "the quantity to explain as numbers")
    if is_text(column) and looks_numeric(column) < MOSTLY_NUMBERS:
        raise InputError(
            f"target {shown(column.name)} holds text such as {shown(first_text(column))}, and this loss "
            f"explains numbers: for classes give {option('--loss', 'logistic')} or "
            f"{option('--loss', 'multinomial')}, or name another column"
        )
    return numbers(column, rows, role="target", options=LEARNING[:1])


def _check_kind(column: polars.Series, needed: str) -> None:
    name, what = shown(column.name), column.dtype.base_type().__name__.lower()
    if column.null_count() == column.len():
        raise InputError(f"target {name} is missing in every row: name another column")
    if column.dtype.is_temporal() or column.dtype.is_nested():
        raise InputError(f"target {name} holds {what}s: give {needed}")
