"""A file of any supported format → one polars frame with clean types."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eigenshrink.data.lines import is_even, open_quote, read_bytes, uneven_line, without_blank_end
from eigenshrink.data.names import check_distinct, shown
from eigenshrink.errors import InputError, MissingExtra

if TYPE_CHECKING:
    import polars

SEPARATORS = {".csv": ",", ".csv.gz": ",", ".tsv": "\t", ".tsv.gz": "\t", ".tab": "\t"}
SAMPLE = 1000  # rows that decide the types, unless a later row contradicts them
BINARY = {".parquet": "read_parquet", ".pq": "read_parquet", ".feather": "read_ipc", ".arrow": "read_ipc"}


def read_table(
    path: str | Path, text: Collection[str] = (), null_values: Sequence[str] = ()
) -> polars.DataFrame:
    """Read a CSV, TSV (also gzip), Parquet or Arrow file through polars.

    Types hold for the whole file. Text loses its surrounding blanks, empty text is
    missing, and a text column in which every value is a number becomes a number.

    Parameters
    ----------
    path : str or Path
        The ending decides the format.
    text : names
        Columns to keep as text whatever they look like (``007`` stays ``007``).
    null_values : texts
        What else than an empty cell means missing, such as ``n/a``.

    Raises
    ------
    InputError
        If the file is missing, a folder, empty, malformed, has no rows, or names a column twice.
    MissingExtra
        If polars is not installed.
    """
    path = Path(path)
    _check_file(path)
    kind = _format(path)
    frame = _guarded(path, kind, text, null_values)
    check_distinct(frame.columns, f"file {path}")
    if frame.height == 0:
        raise InputError(f"file {path} has a header and no rows: add them below it")
    return frame.with_columns([_tidy(column, text, null_values, kind) for column in frame.get_columns()])


def _format(path: Path) -> str:
    name = path.name.lower()
    for ending in sorted([*SEPARATORS, *BINARY], key=len, reverse=True):
        if name.endswith(ending):
            return ending
    raise InputError(
        f"file {path} has an ending that is not known: the formats are "
        f"{', '.join([*SEPARATORS, *BINARY])}; save it as one of them"
    )


def _check_file(path: Path) -> None:
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder: name one file in it")
        if not path.exists():
            raise InputError(f"there is no file {path}: check the name and the folder")
        if path.stat().st_size == 0:
            raise InputError(f"file {path} is empty: it needs a header with column names, and rows")
    except OSError as error:
        raise InputError(
            f"file {shown(path)} cannot be read: {error.strerror}; check its permissions"
        ) from error


def _guarded(path: Path, kind: str, text: Collection[str], null_values: Sequence[str]) -> polars.DataFrame:
    """Read, and turn what polars says about a damaged file into a sentence."""
    try:
        import polars
    except ImportError as error:
        raise MissingExtra("polars", "app") from error
    try:
        if kind in SEPARATORS:
            return _read_text(path, SEPARATORS[kind], text, null_values)
        with path.open("rb") as handle:
            frame: polars.DataFrame = getattr(polars, BINARY[kind])(handle)
            return frame
    except polars.exceptions.NoDataError:
        raise InputError(f"file {path} is empty: it needs a header with column names, and rows") from None
    except (polars.exceptions.PolarsError, polars.exceptions.PanicException, OSError) as error:
        raise InputError(f"file {path} cannot be read: {_reason(kind, error)}") from error


def _read_text(
    path: Path, separator: str, text: Collection[str], null_values: Sequence[str]
) -> polars.DataFrame:
    import polars

    content = read_bytes(path)
    _check_quotes(path, content)
    header = polars.read_csv(
        io.BytesIO(content),
        separator=separator,
        has_header=False,
        n_rows=1,
        infer_schema_length=0,
        truncate_ragged_lines=True,
    ).row(0)
    names = _names(path, separator, header)
    if len(names) > 1:
        content = without_blank_end(content)
    options: dict[str, Any] = {
        "separator": separator,
        "new_columns": names,
        "schema_overrides": {name: polars.String for name in names if name in text},
        "null_values": list(null_values) or None,
    }
    try:
        frame = _typed(content, options)
    except polars.exceptions.ComputeError:
        _check_lines(path, content, separator, len(names))
        raise
    cut = frame[:, -1].null_count() > 0  # a row cut short ends in a missing value
    if len(names) > 1 and cut and not is_even(content, separator, len(names), frame.height):
        _check_lines(path, content, separator, len(names))
    return frame


def _typed(content: bytes, options: dict[str, Any]) -> polars.DataFrame:
    import polars

    try:
        return polars.read_csv(io.BytesIO(content), infer_schema_length=SAMPLE, **options)
    except polars.exceptions.ComputeError:  # a later row contradicts the sample: look at all rows
        return polars.read_csv(io.BytesIO(content), infer_schema_length=None, **options)


def _check_quotes(path: Path, content: bytes) -> None:
    line = open_quote(content)
    if line is not None:
        raise InputError(
            f"file {path} cannot be read: a quote is not closed, look at line {line}; close it, or write "
            'a quote that belongs to a value as "" between quotes'
        )


def _check_lines(path: Path, content: bytes, separator: str, width: int) -> None:
    """Refuse a row with too few or too many fields, and an empty line between rows."""
    uneven = uneven_line(content, separator, width)
    if uneven is None:
        return
    line, fields = uneven
    if fields == 0:
        raise InputError(f"file {path} cannot be read: line {line} is empty; take it out")
    what, advice = (
        ("more", "put quotes around a value that holds the separator")
        if fields > width
        else ("fewer", "complete it; a missing value is an empty field with its separator")
    )
    raise InputError(
        f"file {path} cannot be read: line {line} has {what} fields than the header has names, "
        f"{fields} instead of {width}; {advice}"
    )


def _names(path: Path, separator: str, header: Sequence[str | None]) -> list[str]:
    """Column names as the header has them: polars itself would rename the second of two."""
    names = [(name or "").strip() for name in header]
    if not any(names):
        raise InputError(f"file {path} begins with an empty line: the column names belong there")
    if "" in names:
        raise InputError(
            f"file {path}: column {names.index('') + 1} has no name; give it one in the header or take it "
            "out (pandas writes an unnamed index unless told index=False)"
        )
    if any("\x00" in name for name in names):
        raise InputError(f"file {path} is not a text file: its first line holds zero bytes")
    check_distinct(names, f"file {path}")
    if len(names) == 1 and (other := re.search(r"[;\t|,]", names[0])) and other[0] != separator:
        raise InputError(
            f"file {path} has the single column {shown(names[0])}: it looks separated by {other[0]!r}; "
            "save it with commas as .csv, with tabs as .tsv, or as .parquet"
        )
    return names


def _reason(kind: str, error: BaseException) -> str:
    first = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(" .:")
    if "utf-8" in first.lower():
        return "it is not UTF-8 text; save it with the encoding UTF-8"
    if kind in SEPARATORS and (value := re.match(r"could not parse `([^`]*)", first)):
        return (
            f"{shown(value[1])} has quotes in the wrong place; a value in quotes ends with its second quote"
        )
    if isinstance(error, OSError):
        return f"{error.strerror or first}; check that the file is complete and may be read"
    return f"{shown(first)}; the file is damaged or not in the format that its ending says"


def _tidy(
    column: polars.Series, text: Collection[str], null_values: Sequence[str], kind: str
) -> polars.Series:
    """Strip text, make empty text missing; in a text format read numbers and flags that were left as text."""
    import polars

    if column.dtype.is_numeric():
        codes = [float(value) for value in null_values if re.fullmatch(r"\s*-?\d+(\.\d*)?\s*", value)]
        return column.set(column.cast(polars.Float64).is_in(codes), None) if codes else column
    if column.dtype != polars.String:
        return column
    missing = ["", *(value.strip() for value in null_values)]
    plain = column.str.strip_chars()
    plain = plain.set(plain.is_in(missing), None)
    if kind in BINARY or column.name in text or plain.null_count() == plain.len():
        return plain
    if plain.str.to_lowercase().is_in(["true", "false"]).all():
        return plain.str.to_lowercase() == "true"
    number = plain.cast(polars.Float64, strict=False)
    return number if number.null_count() == plain.null_count() else plain
