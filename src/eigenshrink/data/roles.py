"""The columns of a table that do not explain: targets, row weights, groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

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
from eigenshrink.data.names import listed, shown
from eigenshrink.errors import InputError

if TYPE_CHECKING:
    import polars

Codes = NDArray[np.intp]


def complete_rows(frame: polars.DataFrame, targets: Sequence[str]) -> tuple[Codes, Array, polars.DataFrame]:
    """Rows in which every target is known: their numbers from 1, target values ``(n, t)``, and the rows.

    Raises
    ------
    InputError
        If a target cannot be used, or fewer than two rows are left.
    """
    every = np.arange(1, frame.height + 1)
    values = np.column_stack([_target(frame.get_column(name), every) for name in targets])
    keep: NDArray[np.bool_] = np.asarray(np.isfinite(values).all(axis=1))
    if keep.sum() < 2:
        raise InputError(
            f"the table has {keep.size} row{'s' * (keep.size != 1)}, {keep.sum()} of them with a value of "
            f"{listed(targets)}: at least 2 are needed"
        )
    return every[keep], values[keep], frame.filter(keep)


def row_weights(column: polars.Series, rows: Codes, counts: bool) -> Array:
    """Row weights ``(n,)``, each known and not negative; ``counts``: whole numbers.

    Raises
    ------
    InputError
        Naming the first row whose weight cannot be used.
    """
    values = numbers(column, rows)
    faults = {"missing": np.isnan(values), "negative": values < 0}
    needed = "every row needs one that is 0 or more"
    if counts:
        faults["not a whole number"] = values != np.rint(values)
        needed = "a count is a whole number from 0 on; for other weights give --weight-kind precision"
    for what, wrong in faults.items():
        if wrong.any():
            raise InputError(
                f"column {shown(column.name)}, row {rows[wrong][0]}: the weight is {what}; {needed}"
            )
    positive = int((values > 0).sum())
    if positive < 2:
        raise InputError(
            f"column {shown(column.name)}: {positive} of {len(values)} rows have a weight above 0; "
            "at least 2 are needed"
        )
    return values


def group_codes(column: polars.Series, rows: Codes, weight: Array | None = None) -> Codes:
    """Code of each row's group ``(n,)``, counted from 0; a label may be a text, a number, a date, ...

    Raises
    ------
    InputError
        If a label is missing, or the rows with weight have fewer than two labels.
    """
    known = column.fill_nan(None) if column.dtype.is_float() else column
    missing = known.is_null().to_numpy()
    if missing.any():
        raise InputError(
            f"column {shown(column.name)}, row {rows[missing][0]}: the group is missing; every row needs a "
            "label, and one that belongs to nobody a label of its own"
        )
    codes: Codes = known.rank("dense").to_numpy().astype(np.intp) - 1
    if len(np.unique(codes if weight is None else codes[weight > 0])) < 2:
        raise InputError(
            f"column {shown(column.name)} has one label for every row with a target: at least 2 groups are "
            "needed to leave one out; name another column for --groups, or none"
        )
    return codes


def _target(column: polars.Series, rows: Codes) -> Array:
    """Values of a target, NaN where missing."""
    name, what = shown(column.name), column.dtype.base_type().__name__.lower()
    if column.null_count() == column.len():
        raise InputError(f"target {name} is missing in every row: name another column")
    if column.dtype.is_temporal() or column.dtype.is_nested():
        raise InputError(f"target {name} holds {what}s: give the quantity to explain as numbers")
    if is_text(column) and looks_numeric(column) < MOSTLY_NUMBERS:
        raise InputError(
            f"target {name} holds text such as {shown(first_text(column))}: the squared loss explains "
            "numbers; write two classes as 0 and 1, or name another column"
        )
    return numbers(column, rows, role="target", options=LEARNING[:1])
