"""Evidence held to account by an estimate of the error that assumes less: what ``auto`` minimises.

Evidence varies least but believes that every direction carries as much signal as any other; Cp and
leave-group-out assume nothing of the kind but vary more. docs/choosing.md has the measured record.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from eigenshrink.path import QuadraticPath
from eigenshrink.risk.cp import cp
from eigenshrink.risk.curve import Array, RiskCurve
from eigenshrink.risk.evidence import likelihood
from eigenshrink.risk.leave_group_out import leave_group_out
from eigenshrink.risk.loo import loo, row_errors
from eigenshrink.risk.minimum import Evaluate
from eigenshrink.risk.signal import Signal
from eigenshrink.risk.uncertainty import DROP

UNIT = "combined score"


def combined(path: QuadraticPath) -> RiskCurve:
    """``(ν − rank) log R(α) + evidence(α)``, R being Cp, or leave-group-out where rows belong together.

    The weight is the number of observations that R takes its noise from: where none is left (ν ≤ rank) this
    is evidence alone. Groups count for as many observations as they are worth: ν is divided by the design
    effect ``Σ_g (Σ_{i∈g} r_i)² / Σ r_i²`` of the residuals, between 1 and the mean size of a group, so that
    copies of rows count once. The band is the paired one of leave-one-out (of leave-group-out) around the
    optimum of this curve, and the optimism that of picking their minimum.

    Notes
    -----
    O(k) per strength without groups. Measured against its parts in ``benchmarks/choose.py``.
    """
    along = Signal.of(path)
    rank = along.free_rank + len(along.eigenvalues)
    if "leave_group_out" in path.available_risks:
        error = estimate = leave_group_out(path)
        worth = along.observations / _design_effect(path, np.atleast_1d(error.minimum.alpha))
        error_of = error.evaluate
        spare = np.maximum(worth - rank, 0.0)
    else:
        estimate = loo(path)
        worth = np.full(along.squares.shape[1], along.observations)
        there = "cp" in path.available_risks
        spare = np.full_like(worth, along.spare if there else 0.0)
        error_of = cp(path).evaluate if there else estimate.evaluate
    believed = likelihood(path, np.maximum(worth, along.free_rank + 1.0))
    return replace(
        believed,
        name="combined",
        unit=UNIT,
        evaluate=_sum(spare, error_of, believed.evaluate),
        units=estimate.units,
        estimate=estimate,
        drop=DROP,  # of use only where the estimate is infinite at every strength
        seed=estimate.seed,
    )


def _sum(spare: Array, error: Evaluate, believed: Evaluate) -> Evaluate:
    """The score and its slope; where ``spare`` is zero the error is not asked for."""

    def evaluate(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        value, steep = believed(alphas, slopes)
        if not np.any(spare > 0):
            return value, steep
        size, moves = error(alphas, slopes)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = value + np.where(spare > 0, spare * np.log(size), 0.0)
            steep = steep + np.where(spare > 0, spare * moves / size, 0.0)
        return value, steep

    return evaluate


def _design_effect(path: QuadraticPath, alphas: Array) -> Array:
    """How many times as many rows there are as independent ones, by what groups share, ``(t,)``."""
    training = path.fit.training
    assert training is not None
    assert training.splits is not None
    assert training.splits.groups is not None
    groups, table = training.splits.groups, training.table
    residual = row_errors(path, alphas).residual
    weight = np.ones(len(residual)) if table.weight is None else table.weight
    each = weight if table.weight_kind == "frequency" else np.sqrt(weight)
    together = np.zeros((int(groups.max()) + 1, residual.shape[1]))
    np.add.at(together, groups, each[:, None] * residual)
    apart = weight @ residual**2
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = np.where(apart > 0, np.sum(together**2, axis=0) / apart, 1.0)
    return np.clip(effect, 1.0, table.observations / len(together))
