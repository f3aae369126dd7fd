"""One column of a table: what it is, and its values as numbers or as levels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from eigenshrink.data.names import option, shown
from eigenshrink.errors import InputError

if TYPE_CHECKING:
    import polars

Array = NDArray[np.float64]
Kind = Literal["number", "category", "empty"]

LEARNING = ("--null-value", "--category")  # options of the command line that help against text
MOST_LEVELS = 1000
MOSTLY_DATES = 0.9  # share of different texts that must read as dates
MOSTLY_NUMBERS = 0.5  # share of values that must look like numbers before the others are mistakes
FEW = 20  # this many different texts are categories whatever the number of rows
NUMBER_LIKE = r"^[-+]?[$€£]?\s*(\d[\d\s.,'_]*|\.\d+)\s*%?$"
DECIMAL_COMMA = r"\s*[-+]?[\d.]*(,\d+)+\s*"
DATES = ("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y/%m/%d", "%d-%m-%Y", "%d/%m/%y", "%m/%d/%y")


def kind_of(column: polars.Series, rows: NDArray[np.intp], forced: bool = False) -> Kind:
    """Decide what a column is: numbers, categories, or nothing at all.

    Parameters
    ----------
    column : Series
        One column as read.
    rows : (n,)
        Number of each row in the file, for messages.
    forced : bool
        Whether the user declared it a category.

    Raises
    ------
    InputError
        If it holds dates, times, durations, nested values, text among numbers, or looks like an
        identifier; the message says what to do instead.
    """
    column = _known(column)
    if column.null_count() == column.len():
        return "empty"
    if forced:
        _check_levels(column, forced)
        return "category"
    if column.dtype.is_temporal():
        raise InputError(_no_dates(column, f"holds {column.dtype.base_type().__name__.lower()}s"))
    if column.dtype.is_numeric() or _is(column, "Boolean"):
        return "number"
    if not is_text(column):
        raise InputError(
            f"column {shown(column.name)} holds {column.dtype}, which is not one value per row: "
            f"split it into plain columns, or leave it out with {option('--drop', column.name)}"
        )
    _check_text(column, rows)
    return "category"


def numbers(
    column: polars.Series, rows: NDArray[np.intp], role: str = "column", options: Sequence[str] = ()
) -> Array:
    """Values as float64 with NaN where missing; ``true`` is 1 (shape (n,)).

    Parameters
    ----------
    column : Series
        One column as read.
    rows : (n,)
        Number of each row in the file, for messages.
    role : str
        What a message calls the column.
    options : names
        Options of the command line that would help against text.

    Raises
    ------
    InputError
        If a value is text, infinite or a date; the message names column, row and value.
    """
    import polars

    column = _known(column)
    if is_text(column):
        text = column.cast(polars.String)
        values = text.cast(polars.Float64, strict=False)
        _refuse_text(text, values, rows, role, options)
    elif column.dtype.is_temporal():
        raise InputError(_no_dates(column, f"holds {column.dtype.base_type().__name__.lower()}s"))
    elif column.dtype.is_numeric() or _is(column, "Boolean") or _is(column, "Null"):
        values = column.cast(polars.Float64)
    else:
        raise InputError(f"column {shown(column.name)} holds {column.dtype}, where numbers are needed")
    array: Array = values.fill_nan(None).to_numpy().astype(np.float64)
    endless = np.flatnonzero(np.isinf(array))
    if endless.size:
        raise InputError(
            f"{role} {shown(column.name)}, row {rows[endless[0]]}: the value is infinite; "
            "leave the cell empty if it is not known, or take the row out"
        )
    return array


def levels_of(column: polars.Series) -> tuple[str | None, ...]:
    """Different texts in the order in which they first occur, then None if any are missing."""
    import polars

    texts = column.cast(polars.String).unique(maintain_order=True)
    found: tuple[str | None, ...] = tuple(texts.drop_nulls().to_list())
    return (*found, None) if column.null_count() else found


def codes(column: polars.Series, levels: tuple[str | None, ...]) -> NDArray[np.int64]:
    """Position of every value in ``levels``; −1 where it is none of them, −2 where missing is none (n,)."""
    import polars

    known = [level for level in levels if level is not None]
    text = column.cast(polars.String)
    missing = text.is_null().to_numpy()
    found = text.cast(polars.Enum(known), strict=False).to_physical().cast(polars.Int64)
    array: NDArray[np.int64] = found.fill_null(-1).to_numpy().copy()
    array[missing] = levels.index(None) if None in levels else -2
    return array


def is_text(column: polars.Series) -> bool:
    """Whether a column holds text of any storage."""
    return column.dtype.base_type().__name__ in {"String", "Categorical", "Enum"}


def looks_numeric(column: polars.Series) -> float:
    """Share of the known values of a text column that are numbers or are meant as numbers."""
    import polars

    present = column.cast(polars.String).drop_nulls()
    number = present.cast(polars.Float64, strict=False).is_not_null()
    return float((number | present.str.contains(NUMBER_LIKE)).to_numpy().mean())


def first_text(column: polars.Series) -> str:
    """First value of a text column that is not a number."""
    import polars

    present = column.cast(polars.String).drop_nulls()
    return str(present.filter(present.cast(polars.Float64, strict=False).is_null())[0])


def _known(column: polars.Series) -> polars.Series:
    """Make NaN missing, as it is in every other tool that writes tables."""
    return column.fill_nan(None) if column.dtype.is_float() else column


def _is(column: polars.Series, name: str) -> bool:
    return column.dtype.base_type().__name__ == name


def _no_dates(column: polars.Series, holds: str) -> str:
    return (
        f"column {shown(column.name)} {holds}: put what matters about them into columns of numbers "
        f"(year, month, days since the start), or leave it out with {option('--drop', column.name)}"
    )


def _check_text(column: polars.Series, rows: NDArray[np.intp]) -> None:
    import polars

    text = column.cast(polars.String)
    present = text.drop_nulls()
    starts = present.unique(maintain_order=True).head(500).str.extract(r"^([^ T]+)")
    if any(starts.str.to_date(form, strict=False).count() >= MOSTLY_DATES * starts.len() for form in DATES):
        raise InputError(_no_dates(column, f"holds dates such as {shown(present[0])}"))
    if looks_numeric(text) >= MOSTLY_NUMBERS:
        _refuse_text(text, text.cast(polars.Float64, strict=False), rows, "column", LEARNING)
    _check_levels(column, forced=False)


def _refuse_text(
    text: polars.Series, values: polars.Series, rows: NDArray[np.intp], role: str, options: Sequence[str]
) -> None:
    """Name the first value that is text where the rest are numbers."""
    wrong = (values.is_null() & text.is_not_null()).arg_true()
    if len(wrong) == 0:
        return
    value = text[wrong[0]]
    where = f"{role} {shown(text.name)}, row {rows[wrong[0]]}: {shown(value)} is not a number"
    if re.fullmatch(DECIMAL_COMMA, value):
        raise InputError(
            f"{where}: it looks like a decimal comma, or one between thousands; save the table again with "
            "decimal points and nothing between thousands (pandas reads such a file with decimal=',')"
        )
    ways = {
        "--null-value": f"or say that it means missing with {option('--null-value', value)}",
        "--category": f"or say that the column holds categories with {option('--category', text.name)}",
    }
    raise InputError(
        f"{where}; "
        + ", ".join(["write it as one or leave the cell empty", *(ways[flag] for flag in options)])
    )


def _check_levels(column: polars.Series, forced: bool) -> None:
    present = column.drop_nulls()
    count = present.n_unique()
    if count > MOST_LEVELS or (not forced and count > max(FEW, present.len() // 2)):
        raise InputError(
            f"column {shown(column.name)} has {count} different texts in {present.len()} rows: it looks like "
            f"an identifier; leave it out with {option('--drop', column.name)}, or merge the rare ones "
            f"(at most {MOST_LEVELS})"
        )
