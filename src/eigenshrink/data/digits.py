"""Numbers as a person reads them."""

from __future__ import annotations

import math
from typing import SupportsFloat

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
MINUS = "−"


def number(value: SupportsFloat | None, digits: int = 4) -> str:
    """Return ``value`` in ``digits`` significant digits: ``0.02345``, ``1.2×10⁻⁷``, ``∞``, ``–``.

    Examples
    --------
    >>> number(123.456), number(1.25e-7), number(float("inf")), number(None), number(-0.5)
    ('123.5', '1.25×10⁻⁷', '∞', '–', '−0.5')
    """
    size = math.nan if value is None else float(value)
    if math.isnan(size):
        return "–"
    sign = MINUS if size < 0 else ""
    size = abs(size)
    if math.isinf(size) or size == 0:
        return sign + ("∞" if size else "0")
    if 1e-4 <= size < 1e9:
        return sign + _fixed(size, digits)
    mantissa, _, power = f"{size:.{digits - 1}e}".partition("e")
    times = "" if _trim(mantissa) == "1" else f"{_trim(mantissa)}×"
    return f"{sign}{times}10{str(int(power)).translate(RAISED)}"


def _fixed(size: float, digits: int) -> str:
    decimals = max(0, digits - 1 - math.floor(math.log10(size)))
    text = f"{size:,.{decimals}f}".replace(",", "\N{NO-BREAK SPACE}")
    return _trim(text) if decimals else text


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
