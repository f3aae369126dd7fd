"""The assumptions, checked and not hoped for (M11): one function and one line here per check."""

from __future__ import annotations

from collections.abc import Callable

from eigenshrink.audit.choice import criteria_disagree, flat_optimum, intercept, optimum_at_end
from eigenshrink.audit.columns import collinear_columns, column_scale, constant_columns, equal_columns
from eigenshrink.audit.finding import Audit, Examined, Finding
from eigenshrink.audit.groups import given_groups, likely_groups, time_order
from eigenshrink.audit.residuals import extreme_rows, heavy_tails, heteroscedasticity
from eigenshrink.audit.rows import copied_rows, leverage, near_copies
from eigenshrink.audit.spectrum import numerical_floor, rows_for_noise, weak_signal

__all__ = ["CHECKS", "Audit", "Examined", "Finding", "examine"]

CHECKS: tuple[Callable[[Examined], Finding], ...] = (
    constant_columns,
    equal_columns,
    collinear_columns,
    column_scale,
    intercept,
    numerical_floor,
    weak_signal,
    rows_for_noise,
    copied_rows,
    near_copies,
    time_order,
    likely_groups,
    given_groups,
    leverage,
    heteroscedasticity,
    heavy_tails,
    extreme_rows,
    optimum_at_end,
    flat_optimum,
    criteria_disagree,
)


def examine(examined: Examined) -> Audit:
    """Run every check."""
    return Audit(tuple(check(examined) for check in CHECKS))
