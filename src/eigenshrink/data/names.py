"""Names of columns as people typed them: found, or refused with what was probably meant."""

from __future__ import annotations

import difflib
import shlex
from collections import Counter
from collections.abc import Iterable, Sequence

from eigenshrink.errors import InputError

LONGEST = 60  # characters of a stranger's text that a message repeats


def shown(text: object) -> str:
    """Quote a name or a value for a message: one line, printable, not too long."""
    plain = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in str(text)[: LONGEST + 1])
    return f'"{plain[:LONGEST]}…"' if len(plain) > LONGEST else f'"{plain}"'


def option(flag: str, value: str) -> str:
    """Write an option as it has to be typed, quoted for the shell where the value asks for it."""
    return f"{flag} {shlex.quote(value)}"


def listed(names: Iterable[str], most: int = 8) -> str:
    """Join names for a message, the first few of them."""
    names = list(names)
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(shown(name) for name in names[:most]) + rest


def check_known(wanted: Iterable[str], columns: Sequence[str], role: str) -> None:
    """Refuse a column name that the table does not have, with the nearest one that it has.

    Raises
    ------
    InputError
        If a name is not among ``columns``.
    """
    for name in wanted:
        if name in columns:
            continue
        near = difflib.get_close_matches(name, columns, n=1, cutoff=0.6)
        near = near or [c for c in columns if c.casefold().strip() == name.casefold().strip()]
        hint = f"did you mean {shown(near[0])}?" if near else f"the columns are {listed(columns)}"
        raise InputError(f"{role}: there is no column {shown(name)}; {hint}")


def check_distinct(names: Iterable[str], where: str) -> None:
    """Refuse a name that occurs twice.

    Raises
    ------
    InputError
        If two names are equal.
    """
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(f"{where}: {listed(twice)} occurs more than once; give every column its own name")


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Number the names that would collide.

    Examples
    --------
    >>> distinct(["a=b", "c", "a=b"])
    ('a=b', 'c', 'a=b (2)')
    """
    taken: dict[str, None] = {}
    for name in names:
        unique, count = name, 1
        while unique in taken:
            count += 1
            unique = f"{name} ({count})"
        taken[unique] = None
    return tuple(taken)
