"""The assumptions, checked and not hoped for (M11): one function and one line here per check."""

from __future__ import annotations

from collections.abc import Callable

from eigenshrink.audit.columns import collinear_columns, constant_columns, equal_columns
from eigenshrink.audit.finding import Audit, Examined, Finding

__all__ = ["CHECKS", "Audit", "Examined", "Finding", "examine"]

CHECKS: tuple[Callable[[Examined], Finding], ...] = (
    constant_columns,
    equal_columns,
    collinear_columns,
)


def examine(examined: Examined) -> Audit:
    """Run every check."""
    return Audit(tuple(check(examined) for check in CHECKS))
