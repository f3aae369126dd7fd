"""A file of any supported format → one polars frame with clean types."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
        raise InputError(f"file {path} has a header and no rows: there is nothing to learn from")
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
        raise InputError(f"file {path} cannot be read: {_reason(path, kind, error)}") from error


def _read_text(
    path: Path, separator: str, text: Collection[str], null_values: Sequence[str]
) -> polars.DataFrame:
    import polars

    with path.open("rb") as handle:
        header = polars.read_csv(
            handle,
            separator=separator,
            has_header=False,
            n_rows=1,
            infer_schema_length=0,
            truncate_ragged_lines=True,
        ).row(0)
    names = _names(path, separator, header)
    options: dict[str, Any] = {
        "separator": separator,
        "new_columns": names,
        "schema_overrides": {name: polars.String for name in names if name in text},
        "null_values": list(null_values) or None,
    }
    try:
        with path.open("rb") as handle:
            return polars.read_csv(handle, infer_schema_length=SAMPLE, **options)
    except polars.exceptions.ComputeError:  # a later row contradicts the sample: look at all rows
        with path.open("rb") as handle:
            return polars.read_csv(handle, infer_schema_length=None, **options)


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


def _reason(path: Path, kind: str, error: BaseException) -> str:
    first = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(" .:")
    if "utf-8" in first.lower():
        cut = ", or the compressed file is not complete" if kind.endswith(".gz") else ""
        return f"it is not UTF-8 text; save it with the encoding UTF-8{cut}"
    if "more fields" in first and kind in SEPARATORS:
        return f"{_ragged(path, SEPARATORS[kind])} has more fields than the header has names"
    if isinstance(error, OSError):
        return f"{error.strerror or first}; check that the file is complete and may be read"
    return f"{shown(first)}; the file is damaged or not in the format that its ending says"


def _ragged(path: Path, separator: str) -> str:
    """Name the first line with too many fields; quoted lines are left to polars, which counts them right."""
    import polars

    with path.open("rb") as handle:
        lines = polars.read_csv(
            handle, separator="\x1f", quote_char=None, has_header=False, infer_schema_length=0
        ).to_series()
    excess = lines.str.count_matches(separator, literal=True) > lines.head(1).str.count_matches(separator)[0]
    found = (excess & ~lines.str.contains('"', literal=True)).arg_true()
    return f"line {found[0] + 1}" if len(found) else "a row"


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
