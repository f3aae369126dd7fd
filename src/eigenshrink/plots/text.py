"""Numbers and names as a person reads them; names of columns are text, never markup."""

from __future__ import annotations

import math
import unicodedata

from eigenshrink.data.digits import MINUS, RAISED, number

__all__ = ["MINUS", "mix", "number", "plain", "plural", "power_of_ten", "short"]


def power_of_ten(value: float) -> str:
    """Return the label of a logarithmic axis at ``value``: ``0.01``, ``1``, ``10⁻⁶``.

    Examples
    --------
    >>> [power_of_ten(10.0**k) for k in (-6, -2, 0, 3, 8)]
    ['10⁻⁶', '0.01', '1', '1000', '10⁸']
    """
    if 1e-3 * 0.99 < value < 1e4:
        return f"{value:g}"
    power = math.floor(math.log10(value) + 1e-9)
    times = value / 10.0**power
    raised = f"10{str(power).translate(RAISED)}"
    return raised if abs(times - 1) < 1e-6 else f"{times:g}·{raised}"


def plain(name: object) -> str:
    """Return ``name`` as one line of text that every file can hold: no control characters."""
    text = str(name).encode("utf-8", "replace").decode("utf-8")
    return "".join(_printable(letter) for letter in text)


def short(name: object, width: int = 18) -> str:
    """Return ``name`` on one line, cut in the middle to ``width`` letters.

    Examples
    --------
    >>> short("number_of_rooms_without_the_kitchen")
    'number_of_…kitchen'
    """
    text = plain(name)
    if len(text) <= width:
        return text
    tail = (width - 1) // 2 - 1
    return f"{text[: width - 1 - tail]}…{text[-tail:]}"


def plural(count: int, one: str, many: str = "") -> str:
    """Return ``count`` with its noun.

    Examples
    --------
    >>> plural(1, "column"), plural(3, "column")
    ('1 column', '3 columns')
    """
    return f"{count:,} ".replace(",", "\N{NO-BREAK SPACE}") + (one if count == 1 else many or one + "s")


def mix(columns: tuple[tuple[str, float], ...], width: int = 12) -> str:
    """Return the columns that load on a direction with their signs: ``+bmi −s5``."""
    return " ".join(f"{MINUS if load < 0 else '+'}{short(name, width)}" for name, load in columns)


def _printable(letter: str) -> str:
    if letter in "\n\r\t" or unicodedata.category(letter) in ("Zl", "Zp"):
        return " "
    return "\N{REPLACEMENT CHARACTER}" if unicodedata.category(letter) in ("Cc", "Cs", "Cn") else letter
