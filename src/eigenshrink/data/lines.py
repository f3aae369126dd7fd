"""The lines of a text table, counted as bytes: polars fills a row that is cut short and says nothing."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from eigenshrink.errors import InputError

GZIP = b"\x1f\x8b"
CHUNK = 1 << 21  # bytes that are looked at together, so that they stay in the cache
NEWLINE, QUOTE = ord("\n"), ord('"')


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a text table, of a ``.gz`` what it was packed from.

    Raises
    ------
    InputError
        If the ending and the content do not agree on gzip, or a packed file is damaged.
    """
    content, packed = path.read_bytes(), path.name.lower().endswith(".gz")
    if packed != content.startswith(GZIP):
        raise InputError(
            f"file {path} is not compressed by gzip, as its ending says: take .gz off its name"
            if packed
            else f"file {path} is compressed by gzip: add .gz to its name"
        )
    if not packed:
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InputError(f"file {path}: the compressed file is damaged or not complete") from None


def without_blank_end(content: bytes) -> bytes:
    """Take empty lines off the end, where they are no rows."""
    return content.rstrip(b"\r\n") + b"\n" if content.endswith((b"\n\n", b"\n\r\n")) else content


def open_quote(content: bytes) -> int | None:
    """Return the first line with an odd number of quotes, from 1, if some quote has no partner."""
    if content.count(b'"') % 2 == 0:
        return None
    lines = content.split(b"\n")
    return next(number for number, line in enumerate(lines, 1) if line.count(b'"') % 2)


def is_even(content: bytes, separator: str, width: int, rows: int) -> bool:
    """Whether the separators suffice for that many rows, none of which has too many; False if not known."""
    return b'"' not in content and content.count(separator.encode()) == (width - 1) * (rows + 1)


def uneven_line(content: bytes, separator: str, width: int) -> tuple[int, int] | None:
    """Find the first row that has not ``width`` fields: its line, from 1, and how many it has, 0 for none.

    Notes
    -----
    A separator or a line end between quotes belongs to a value. Quotes within a value that does not
    begin with one confuse this count, so a row with quotes is counted again by the ``csv`` module.
    """
    for start, end, fields in _uneven(content, ord(separator), width):
        row = content[start:end]
        if not row.strip(b" \r"):
            fields = 0
        elif b'"' in row:
            text = io.StringIO(row.decode("utf-8", "replace"), newline="")
            fields = len(next(csv.reader(text, delimiter=separator), []))
        if fields != width:
            return content.count(b"\n", 0, start) + 1, fields
    return None


def _uneven(content: bytes, separator: int, width: int) -> Iterator[tuple[int, int, int]]:
    """Begin, end and number of fields of every row that seems uneven."""
    begin, before, inside = 0, 0, 0  # of the row at hand: its place, its separators so far, within quotes
    for offset in range(0, len(content), CHUNK):
        chunk = np.frombuffer(content, np.uint8, min(CHUNK, len(content) - offset), offset)
        signs = (chunk == separator) | (chunk == NEWLINE) | (chunk == QUOTE)
        kinds = chunk[signs]
        parity = (np.cumsum(kinds == QUOTE, dtype=np.uint8) + np.uint8(inside)) & 1
        counts = (kinds != QUOTE) & (parity == 0)
        inside = int(parity[-1]) if parity.size else inside
        kinds = kinds[counts]
        ends = np.flatnonzero(kinds == NEWLINE)
        if not ends.size:
            before += kinds.size
            continue
        places = offset + np.flatnonzero(signs)[counts][ends]
        fields = np.diff(ends, prepend=-1 - before)
        for row in np.flatnonzero(fields != width).tolist():
            yield (int(places[row - 1]) + 1 if row else begin), int(places[row]), int(fields[row])
        begin, before = int(places[-1]) + 1, kinds.size - 1 - int(ends[-1])
    if begin < len(content) and before + 1 != width:
        yield begin, len(content), before + 1
