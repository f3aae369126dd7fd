"""Checks of what is predicted: spread of counts, left-out predictions that are too bold (M14, M15)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from eigenshrink.audit.finding import Examined, Finding
from eigenshrink.audit.left_out import Answers, Array
from eigenshrink.audit.residuals import FEWEST, LEVEL
from eigenshrink.data.digits import number

MORE = 1.2  # dispersion from which it matters: standard errors are then a tenth too small
SPARSE = 100.0  # excess kurtosis above which a row is too nearly empty to tell of its spread
CLEAR = 3.0  # standard errors from one at which a slope is more than chance
BOLD = 0.1  # how far from one it must be to matter
STEPS = 50
APART = 1e-6  # mean log loss below which rows are told apart: Newton's method then never ends


def counts(examined: Examined) -> bool:
    """Whether targets are counts that can spread more than their mean says."""
    loss, table = examined.loss, examined.table
    if loss is None or table is None:
        return False
    trials = table.weight is not None and bool(np.any(table.weight > 1))
    return loss.name == "poisson" or (loss.name == "binomial" and trials)


def overdispersion(examined: Examined) -> Finding:
    """Whether counts spread more than a Poisson or binomial response does (M15).

    ``φ̂ = Σ s_i (y_i−μ_i)²/V(μ_i) / (ν−γ)`` is 1 where they do not. It warns from 1.2 on, where chance
    exceeds it less often than once in 1000: ``(ν−γ)φ̂`` is a multiple of χ² with that mean, and with the
    variance ``Σ(2+κ_i)``, κ the excess kurtosis of counts (McCullagh & Nelder 1989, section 4.4). Rows with
    κ > 100, where nearly every count is 0, are left out.
    """
    check, path, answers = "overdispersion", examined.anchored, examined.answers
    mean, s = answers.mean, answers.weight
    variance = np.maximum(answers.loss.variance(mean), 1e-300)
    kurtosis = (1.0 / variance) if answers.loss.name == "poisson" else (1.0 - 6.0 * variance) / variance
    kurtosis = kurtosis if answers.copies else kurtosis / s
    told = kurtosis <= SPARSE
    times = s if answers.copies else np.ones_like(s)
    observed = float(times[told].sum())
    freedom = observed * (1.0 - float(path.effective_parameters(examined.alpha)) / path.sample.observations)
    if min(observed, freedom) < FEWEST:
        meaning = f"Fewer than {FEWEST} counts that are not nearly always 0: too few to tell."
        return Finding(check, "pass", 1.0, MORE, meaning, "")
    residual = (answers.response.y - mean)[told]
    value = float(np.sum(s[told] * residual**2 / variance[told]) / freedom)
    moments = np.sum(times[told] * (2.0 + np.maximum(kurtosis[told], -2.0))) * freedom / observed
    worth = 2.0 * freedom**2 / moments
    threshold = max(MORE, float(stats.chi2.isf(LEVEL, worth) / worth))
    law = "Poisson" if answers.loss.name == "poisson" else "binomial"
    said = f"The counts spread {number(value, 3)} times as much as {law} ones of their means"
    if value <= threshold:
        return Finding(check, "pass", value, threshold, f"{said}: no more than chance explains.", "")
    return Finding(
        check,
        "warn",
        value,
        threshold,
        f"{said}: columns are missing, or rows are not independent; standard errors are "
        f"{number(np.sqrt(value), 2)} times too small.",
        f"Multiply standard errors by {number(np.sqrt(value), 3)}; give groups= (--groups) where rows belong "
        "together; look for what drives counts and is not among the columns.",
    )


def calibration(examined: Examined) -> Finding:
    """Whether left-out predictions are as far apart as they should be, on the scale of the link.

    The value is the slope b of ``y`` on the left-out predictor, ``a + b η̃_i`` under the same loss (Cox
    1958): 1 where predictions are right, less where they are too bold. Its noise is the sandwich estimate,
    which minds overdispersion. It warns where b is three standard errors and 0.1 away from 1. The row's own
    influence on the intercept is put back in ``η̃_i``, as elsewhere. Where left-out predictors separate the
    classes no slope is finite.
    """
    check, answers = "calibration", examined.answers
    known: NDArray[np.bool_] = np.asarray(np.isfinite(answers.apart).all(axis=1))
    spread = answers.apart[known].std(axis=0)
    if known.sum() < FEWEST or np.all(spread <= 1e-6):
        meaning = "Left-out predictions are all alike, or too few: there is no slope to look at."
        return Finding(check, "pass", 1.0, 1.0, meaning, "")
    line, at = _recalibrated(answers, known)
    if answers.loss.classes and line.loss(at) <= APART * line.known.sum():
        meaning = (
            "Left-out predictions tell the classes of all rows apart, so that a steeper slope always fits "
            "better: there is none to look at."
        )
        return Finding(check, "pass", 1.0, 1.0, meaning, "")
    slope, error = _slope(line, at)
    threshold = max(BOLD, CLEAR * error)
    said = f"The slope of the targets on the left-out predictor is {number(slope, 2)} ± {number(error, 1)}"
    if abs(slope - 1.0) <= threshold:
        return Finding(check, "pass", slope, 1.0, f"{said}; 1 is right.", "")
    bold = slope < 1.0
    return Finding(
        check,
        "warn",
        slope,
        1.0 - threshold if bold else 1.0 + threshold,
        f"{said}, and not 1: predictions are too {'bold' if bold else 'timid'}.",
        "Take a larger alpha, or give groups= (--groups) where rows belong together."
        if bold
        else "Take a smaller alpha, a smaller penalty_factor for columns that matter, or curves of columns.",
    )


@dataclass(frozen=True, eq=False)
class _Line:
    """``a + b η̃`` and what it costs: gradient and curvature in ``(a, b)``."""

    answers: Answers
    known: Array

    def eta(self, line: Array) -> Array:
        return np.asarray(line[:-1] + line[-1] * self.answers.apart)

    def loss(self, line: Array) -> float:
        with np.errstate(over="ignore", invalid="ignore"):
            total = float(self.known @ self.answers.value(self.eta(line)))
        return total if np.isfinite(total) else np.inf

    def pulls(self, line: Array) -> Array:
        """Gradient of each row, ``(n, o+1)``."""
        eta = self.eta(line)
        slope = self.known[:, None] * self.answers.response.slope(eta[:, :, None])[:, :, 0]
        return np.column_stack([slope, np.sum(slope * self.answers.apart, axis=1)])

    def curvature(self, line: Array) -> Array:
        """``(o+1, o+1)``."""
        each = self.known[:, None, None] * self.answers.response.curvature(self.eta(line))
        across = np.einsum("nab,nb->na", each, self.answers.apart)
        corner = np.atleast_2d(np.sum(across * self.answers.apart))
        return np.block([[each.sum(axis=0), across.sum(axis=0)[:, None]], [across.sum(axis=0), corner]])


def recalibrate(answers: Answers, known: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope b of ``a + b η̃`` and its standard error."""
    return _slope(*_recalibrated(answers, known))


def _recalibrated(answers: Answers, known: NDArray[np.bool_]) -> tuple[_Line, Array]:
    """``(a, b)`` of least loss, by Newton's method from ``a = 0, b = 1``."""
    weight = np.where(known, answers.weight, 0.0)
    apart = np.where(known[:, None], answers.apart, 0.0)
    line = _Line(replace(answers, apart=apart), weight)
    at = np.append(np.zeros(apart.shape[1]), 1.0)
    now = line.loss(at)
    for _ in range(STEPS):
        step = np.linalg.lstsq(line.curvature(at), line.pulls(at).sum(axis=0), rcond=None)[0]
        length = 1.0
        while length > 1e-4 and not line.loss(at - length * step) <= now:
            length /= 2
        if length <= 1e-4 or np.abs(step).max() < 1e-8:
            break
        at = at - length * step
        now = line.loss(at)
    return line, at


def _slope(line: _Line, at: Array) -> tuple[float, float]:
    """Value b of the slope and its standard error, the sandwich."""
    inverse, pulls = np.linalg.pinv(line.curvature(at)), line.pulls(at)
    return float(at[-1]), float(np.sqrt((inverse @ (pulls.T @ pulls) @ inverse)[-1, -1]))
