"""The assumptions, checked and not hoped for (M11): one function and one line here per check."""

from __future__ import annotations

from collections.abc import Callable

from eigenshrink.audit.choice import criteria_disagree, flat_optimum, intercept, optimum_at_end
from eigenshrink.audit.classes import imbalance, separation
from eigenshrink.audit.columns import collinear_columns, column_scale, constant_columns, equal_columns
from eigenshrink.audit.finding import Audit, Examined, Finding
from eigenshrink.audit.groups import given_groups, likely_groups, time_order
from eigenshrink.audit.network import (
    flat_directions,
    groups_of_decay,
    negative_curvature,
    noisy,
    scale_invariance,
    smallest_eigenvalue,
    stationarity,
    symmetry,
    unit_of_decay,
)
from eigenshrink.audit.predictions import calibration, counts, overdispersion
from eigenshrink.audit.proof import approximate_leave_one_out, proof
from eigenshrink.audit.residuals import extreme_rows, heavy_tails, heteroscedasticity
from eigenshrink.audit.rows import copied_rows, leverage, near_copies
from eigenshrink.audit.spectrum import numerical_floor, rows_for_noise, weak_signal
from eigenshrink.audit.trust import accuracy, counted_parameters, optimum_in_sight, sharp_optimum, trusted

__all__ = ["CHECKS", "Audit", "Examined", "Finding", "examine"]


def every(examined: Examined) -> bool:
    """Of any path."""
    return True


def table(examined: Examined) -> bool:
    """Of rows and columns, of any loss."""
    return not examined.network


def network(examined: Examined) -> bool:
    """Of a trained network."""
    return examined.network


def squared(examined: Examined) -> bool:
    """Of squared loss: what is looked at is exact there, or means nothing elsewhere."""
    return examined.squared


def other(examined: Examined) -> bool:
    """Of rows and columns, of all losses but the squared one."""
    return not examined.squared and not examined.network


def classes(examined: Examined) -> bool:
    """Of rows and columns, of losses that tell classes apart."""
    return bool(examined.classes) and not examined.network


def linked(examined: Examined) -> bool:
    """Of losses whose predictions are not the linear predictor itself."""
    return other(examined) and not examined.anchored.loss.name.startswith("huber")


CHECKS: tuple[tuple[Callable[[Examined], Finding], Callable[[Examined], bool]], ...] = (
    (constant_columns, table),
    (equal_columns, table),
    (collinear_columns, table),
    (column_scale, table),
    (intercept, squared),
    (numerical_floor, squared),
    (weak_signal, squared),
    (rows_for_noise, squared),
    (separation, other),
    (imbalance, classes),
    (copied_rows, table),
    (near_copies, squared),
    (time_order, table),
    (likely_groups, table),
    (given_groups, table),
    (leverage, table),
    (heteroscedasticity, squared),
    (heavy_tails, squared),
    (extreme_rows, table),
    (overdispersion, counts),
    (calibration, linked),
    (proof, other),
    (approximate_leave_one_out, other),
    (stationarity, network),
    (smallest_eigenvalue, network),
    (negative_curvature, network),
    (symmetry, noisy),
    (flat_directions, network),
    (scale_invariance, network),
    (unit_of_decay, network),
    (groups_of_decay, network),
    (accuracy, network),
    (counted_parameters, network),
    (trusted, network),
    (optimum_in_sight, network),
    (sharp_optimum, network),
    (optimum_at_end, table),
    (flat_optimum, table),
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
