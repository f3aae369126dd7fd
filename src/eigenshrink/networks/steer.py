"""Where to go on: the predicted path around trained weights, seen by the rows that judge (M5, M13, M19)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eigenshrink.fit import Fit
from eigenshrink.networks.batches import Batch
from eigenshrink.networks.network import Network
from eigenshrink.networks.products import network_curvature
from eigenshrink.spectrum.krylov import Krylov, Limits
from eigenshrink.spectrum.lanczos import Lanczos
from eigenshrink.spectrum.penalised import Penalised
from eigenshrink.spectrum.record import FreeBlock

Array = NDArray[np.float64]

PRODUCTS = 6  # with the curvature of some rows: more of them follow the noise of those rows
RUNGS = (0.25, 0.5, 0.75, 1.0)  # decades away, at which the predicted weights are judged
BOLD = 2.0  # times as far as the predicted minimum, in log α, while nothing is known beyond it
DECADE = float(np.log(10.0))


@dataclass(frozen=True, eq=False)
class Around:
    """The path ``w̃(α) = w₀ − (H + αD)⁻¹(α − α₀)Dw₀`` in a small Krylov space of ``w₀`` (M5, M19).

    ``w₀`` is taken for stationary at ``α₀``: the gradient of a few rows would say less. Weights that are
    not penalised stay where they are, and follow in the training.

    Attributes
    ----------
    fit : Fit
    krylov : Krylov
    lanczos : Lanczos
    """

    fit: Fit
    krylov: Krylov
    lanczos: Lanczos

    @classmethod
    def of(cls, network: Network, rows: Sequence[Batch], alpha: float, factor: Array) -> Around:
        """Multiply a few times with the Gauss-Newton matrix of some rows, at the weights of now.

        Parameters
        ----------
        network : Network
        rows : sequence of Batch
        alpha : float
            ``α₀ > 0``.
        factor : (p,)
            d, 0 where nothing is penalised.
        """
        weights = network.parameters.flat()
        curvature = network_curvature(network, network.batches(list(rows)), "ggn")
        gradient = -alpha * factor * weights
        fit = Fit(weights[:, None], gradient[:, None], alpha, curvature, factor, factor > 0)
        nothing = FreeBlock(0, np.zeros((0, len(fit.penalised))), np.zeros((0, 1)), np.zeros((0, 0)))
        lanczos = Lanczos(Penalised(fit, nothing), Limits(1e-6, alpha, PRODUCTS))
        while lanczos.done < PRODUCTS and lanczos.basis.size > lanczos.done:
            lanczos.step()
        return cls(fit, lanczos.krylov(), lanczos)

    def weights(self, alpha: float) -> Array:
        """``w̃(α)``, ``(p,)``."""
        return self._moved(self.krylov.moved(np.array([alpha])))

    @property
    def slope(self) -> Array:
        """``dw̃/d log α = −α(H + αD)⁻¹Dw₀`` at ``α₀`` (M13), ``(p,)``."""
        alpha, krylov = self.fit.alpha, self.krylov
        pull = alpha / (np.maximum(krylov.values, 0.0) + alpha) * krylov.along[:, 0]
        return self._moved(pull[:, None]) - self.fit.weights[:, 0]

    def _moved(self, back: Array) -> Array:
        found = self.fit.weights[:, 0].copy()
        if back.size:
            moves = self.lanczos.directions(self.krylov).back(back)[:, 0]
            found[self.fit.penalised] -= self.fit.scale * moves
        return found


def lowest(steps: Sequence[float], losses: Sequence[float], slope: float) -> float:
    """How far to the best weights of the predicted path: a parabola around the least that was judged.

    Parameters
    ----------
    steps : (a,)
        Distances from ``α₀`` in log α, the first one 0, ascending.
    losses : (a,)
        Of the rows that judge; not finite where the weights make no sense.
    slope : float, < 0
        That way, at the first step.
    """
    known = np.where(np.isfinite(losses), losses, np.inf)
    least = int(np.argmin(known))
    if least + 1 == len(known) or not np.isfinite(known[least + 1]):
        return steps[least]
    if least == 0:
        rise = known[1] - known[0] - slope * steps[1]
        return float(-slope * steps[1] ** 2 / (2 * rise)) if rise > 0 else 0.0
    left, right = steps[least] - steps[least - 1], steps[least + 1] - steps[least]
    below = (known[least - 1] - known[least]) / left
    above = (known[least + 1] - known[least]) / right
    return float(steps[least] + 0.5 * (below * right - above * left) / (below + above))


@dataclass(frozen=True)
class Seen:
    """What one evaluation says of the way to go on.

    Attributes
    ----------
    alpha : float
    slope : float
        ``dV/d log α`` (M13); NaN where the training diverged.
    """

    alpha: float
    slope: float


def bracket(seen: Sequence[Seen]) -> tuple[float, float]:
    """Strengths between which the slopes change their sign, 0 and ∞ where they have not.

    A newer slope that contradicts an older one replaces it: the older one was of a model trained less.
    """
    low, high = 0.0, float("inf")
    for one in seen:
        if one.slope < 0:
            low, high = one.alpha, high if high > one.alpha else float("inf")
        elif one.slope > 0:
            low, high = low if low < one.alpha else 0.0, one.alpha
    return low, high


def onwards(alpha: float, best: float, seen: Sequence[Seen], last: bool = False) -> float:
    """The strength to train with next, from where the predicted weights judge best.

    Twice as far in log α, at most a decade, as long as no slope of the other sign is known that way: away
    from ``w₀`` the quadratic promises too little, since a trained network follows the penalty with all its
    layers. Just there inside a bracket, and with the last step, which nothing corrects. Where a training
    diverged, half way to it at most.

    Parameters
    ----------
    alpha : float
        ``α₀``.
    best : float
        Of the strengths that were judged.
    seen : sequence of Seen
        All evaluations, this one last.
    last : bool
        Whether the next training is the last one.
    """
    low, high = bracket(seen)
    step = float(np.log(best / alpha))
    if low > 0 and np.isfinite(high):
        found = min(max(best, low), high)
    else:
        bold = 1.0 if last else BOLD
        found = alpha * float(np.exp(np.clip(bold * step, -DECADE, DECADE)))
    for one in seen:
        if np.isnan(one.slope) and (found / one.alpha - 1) * (alpha / one.alpha - 1) <= 0:
            found = float(np.sqrt(alpha * one.alpha))
    return found
