"""One number into another library's."""

from __future__ import annotations

from typing import Any

from eigenshrink.cli.outcome import note
from eigenshrink.errors import InputError


def convert_number(value: float, to: str | None, from_: str | None, facts: dict[str, Any]) -> None:
    """Print the converted number on stdout and what to mind on stderr.

    Raises
    ------
    InputError
        If not exactly one of ``to`` and ``from_`` is given, or a fact is missing.
    """
    from eigenshrink.units import convert, equivalence

    if (to is None) == (from_ is None):
        raise InputError("give exactly one of --to and --from, for example --to sklearn.Ridge")
    try:
        number = convert(value, to=to, from_=from_, **facts)
    except InputError as error:
        raise InputError(_as_options(str(error), facts)) from error
    print("none" if number is None else repr(number), flush=True)
    note(str(equivalence(to or from_ or "")))


def _as_options(message: str, facts: dict[str, Any]) -> str:
    """Write ``give weight_sum=...`` as it is typed here."""
    for name in facts:
        message = message.replace(f"{name}=...", f"--{name.replace('_', '-')}")
    return message
