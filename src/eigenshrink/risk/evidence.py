"""Evidence, which is REML here: free weights integrated with a flat prior (M14).

MacKay (1992), Neural Computation 4(3); Wood (2011), JRSS B 73(1).
"""

from __future__ import annotations

import numpy as np

from eigenshrink.path import QuadraticPath, kept_share
from eigenshrink.risk.curve import LIKELIHOOD_UNIT, Array, RiskCurve
from eigenshrink.risk.signal import Signal
from eigenshrink.risk.uncertainty import DROP

FLAT = 1e-9  # relative difference of exponents below which the limit α → 0 is flat


def evidence(path: QuadraticPath) -> RiskCurve:
    """``½[(ν−m) log PRSS + log|A + αI| − p_pen log α]``, the mean moving with α, σ² profiled out.

    PRSS is ``RSS_s + Sα‖w̃‖²_D = S(Σ α/(λ+α) z² + outside)``. For p ≥ n the limit α → 0 is finite and
    flat, and is taken exactly.
    """
    along = Signal.of(path)
    return likelihood(path, np.full(along.squares.shape[1], along.observations))


def likelihood(path: QuadraticPath, observations: Array) -> RiskCurve:
    """The same for rows that are worth ``observations`` independent ones, ``(t,)``."""
    along = Signal.of(path)
    freedom = observations - along.free_rank
    values = along.eigenvalues
    exponent = np.where(along.outside == 0, freedom, 0.0) - len(values)  # of α, as α → 0
    flat = (np.abs(exponent) <= FLAT * len(values)) & (len(values) > 0)
    limit = np.where(exponent > 0, -np.inf, np.inf)

    def evaluate(alphas: Array, slopes: bool) -> tuple[Array, Array]:
        with np.errstate(divide="ignore", invalid="ignore"):
            penalised = along.weight_sum * (along.total(along.lost, alphas, along.squares) + along.outside)
            value = 0.5 * (freedom * np.log(penalised) + along.total(determinant, alphas))
            value = np.where((alphas == 0) & ~flat & (len(values) > 0), limit, value)
            if not slopes:
                return value, np.full_like(value, np.nan)
            steep = along.weight_sum * along.total(along.lost_slope, alphas, along.squares) / penalised
            kept = along.total(lambda a: kept_share(values, a), alphas)
        return value, 0.5 * (freedom * steep - kept)

    def determinant(a: Array) -> Array:
        return np.log1p(values / along.above_zero(a))

    return RiskCurve(
        "evidence",
        LIKELIHOOD_UNIT,
        evaluate,
        along.span,
        along.squares.shape[1],
        path.spectrum.one_target,
        flat_limit=flat,
        drop=DROP,
    )
