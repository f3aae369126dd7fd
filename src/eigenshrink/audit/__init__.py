"""The assumptions, checked and not hoped for (M11): one function and one line here per check."""

from __future__ import annotations

from collections.abc import Callable

from eigenshrink.audit.choice import criteria_disagree, flat_optimum, intercept, optimum_at_end
from eigenshrink.audit.classes import imbalance, separation
from eigenshrink.audit.columns import collinear_columns, column_scale, constant_columns, equal_columns
from eigenshrink.audit.finding import Audit, Examined, Finding
from eigenshrink.audit.groups import given_groups, likely_groups, time_order
from eigenshrink.audit.predictions import calibration, counts, overdispersion
from eigenshrink.audit.proof import approximate_leave_one_out, proof
from eigenshrink.audit.residuals import extreme_rows, heavy_tails, heteroscedasticity
from eigenshrink.audit.rows import copied_rows, leverage, near_copies
from eigenshrink.audit.spectrum import numerical_floor, rows_for_noise, weak_signal

__all__ = ["CHECKS", "Audit", "Examined", "Finding", "examine"]


def every(examined: Examined) -> bool:
    """Of any loss."""
    return True


def squared(examined: Examined) -> bool:
    """Of squared loss: what is looked at is exact there, or means nothing elsewhere."""
    return examined.squared


def other(examined: Examined) -> bool:
    """Of all losses but the squared one."""
    return not examined.squared


def classes(examined: Examined) -> bool:
    """Of losses that tell classes apart."""
    return bool(examined.classes)


def linked(examined: Examined) -> bool:
    """Of losses whose predictions are not the linear predictor itself."""
    return not examined.squared and not examined.anchored.loss.name.startswith("huber")


CHECKS: tuple[tuple[Callable[[Examined], Finding], Callable[[Examined], bool]], ...] = (
    (constant_columns, every),
    (equal_columns, every),
    (collinear_columns, every),
    (column_scale, every),
    (intercept, squared),
    (numerical_floor, squared),
    (weak_signal, squared),
    (rows_for_noise, squared),
    (separation, other),
    (imbalance, classes),
    (copied_rows, every),
    (near_copies, squared),
    (time_order, every),
    (likely_groups, every),
    (given_groups, every),
    (leverage, every),
    (heteroscedasticity, squared),
    (heavy_tails, squared),
    (extreme_rows, every),
    (overdispersion, counts),
    (calibration, linked),
    (proof, other),
    (approximate_leave_one_out, other),
    (optimum_at_end, every),
    (flat_optimum, every),
    (criteria_disagree, every),
)
"""Each check, and of which studies it is one: elsewhere it has nothing to say and is absent."""


CURVED: tuple[Callable[[Examined], Finding], ...] = (
    *(collinear_columns, copied_rows, time_order, likely_groups, given_groups, leverage, extreme_rows),
    *(calibration, approximate_leave_one_out, flat_optimum),
)
"""They look at the curvature as a matrix, or leave rows out by it: absent of hundreds of classes."""


def examine(examined: Examined) -> Audit:
    """Run every check that applies."""
    left = CHECKS if examined.path.whole else tuple(pair for pair in CHECKS if pair[0] not in CURVED)
    return Audit(tuple(check(examined) for check, applies in left if applies(examined)))
