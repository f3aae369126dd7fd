"""Exact leave-group-out error: rows of one group leave together (M14)."""

from __future__ import annotations

from eigenshrink.errors import InputError
from eigenshrink.path import QuadraticPath
from eigenshrink.risk.curve import RiskCurve, once
from eigenshrink.risk.leave_out import leave_out


@once
def leave_group_out(path: QuadraticPath) -> RiskCurve:
    """``Σ s_i e_i²/(2S)``, e_i the error of a fit without the group of row i, at the same Sα.

    The error on rows of a *new* group. A group leaves with all copies of its rows, whatever the kind of
    the weights. Bands count groups, not rows.

    Raises
    ------
    InputError
        If the study has no groups.
    """
    splits = None if path.fit.training is None else path.fit.training.splits
    if splits is None or splits.groups is None:
        raise InputError(
            "leave_group_out needs groups: give es.study(..., groups=labels), one label per row, "
            "or --groups COLUMN"
        )
    return leave_out("leave_group_out", path, splits.groups, units=splits.groups)
