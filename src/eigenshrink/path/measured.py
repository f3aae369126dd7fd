"""True losses along a path that is only a quadratic: what there is to measure, and what was (M11, M18)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Layer:
    """Weights that stand together: the own weights of one module.

    Attributes
    ----------
    name : str
        As in the model, such as ``features.0``.
    start, stop : int
        Their place in the flat vector.
    kind : str
        Class of the module, such as ``Conv2d``.
    """

    name: str
    start: int
    stop: int
    kind: str = ""

    @property
    def places(self) -> slice:
        """Their place as a slice."""
        return slice(self.start, self.stop)


@dataclass(frozen=True)
class TrainingNotes:
    """What is known of how a model was trained, for words and warnings; the numbers are in its ``Fit``.

    Attributes
    ----------
    optimiser : str
        Class of the optimiser, such as ``SGD``; "" where it is not known.
    decay_kind : str
        "coupled" (the term is in the gradient: SGD, Adam), "decoupled" (beside it, as in SGD that decays
        apart) or "adamw" (no strength of L2 stands behind it, M3).
    unit_factor : float
        The optimiser's own number is this times α.
    excluded, frozen, unused : tuple of str
        Parameters that are not penalised; that were not trained; that the loss does not depend on.
    scaleless : tuple of str
        Layers right before a batch normalisation: while it trained the loss did not know the size of their
        weights, although it does with the running statistics of a model that predicts.
    gradient_noise : float
        Standard error of ``‖g‖``: root of the summed variances of the mean gradient; NaN where not known.
    loss_scale : float
        Times the number of rows and outputs it gives S; NaN for a loss of unknown scale.
    remarks : tuple of str
        Whatever else a reader should know, a sentence each.
    """

    optimiser: str = ""
    decay_kind: str = "coupled"
    unit_factor: float = 1.0
    excluded: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    scaleless: tuple[str, ...] = ()
    gradient_noise: float = float("nan")
    loss_scale: float = float("nan")
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class RowLosses:
    """The loss row by row: its mean is ``Σ s_i ℓ_i / Σ s_i``, as the user's loss reduces it.

    Attributes
    ----------
    values : (n,)
        ℓ of each row (of each batch, where the loss cannot be taken apart).
    weights : (n,)
        s: what each counts in the mean.
    wrong : (n,) or None
        1 where the row is put into a wrong class, 0 elsewhere; None: targets are no classes.
    """

    values: Array
    weights: Array
    wrong: Array | None = None

    @property
    def mean(self) -> float:
        """The loss."""
        return float(self.values @ self.weights / self.weights.sum())

    @property
    def size(self) -> float:
        """The mean without signs, as of a density: what changes of the loss are compared with."""
        return float(np.abs(self.values) @ self.weights / self.weights.sum())

    def noise(self, other: RowLosses) -> float:
        """Standard error of the difference of the means, from differences row by row (M15)."""
        share = self.weights / self.weights.sum()
        apart = self.values - other.values
        n = len(share)
        if n < 2:
            return 0.0
        return float(np.sqrt(n / (n - 1) * np.sum(np.square(share * (apart - share @ apart)))))


class Measure(Protocol):
    """The true losses of the model at any weights ``(p,)``; each costs a pass over the data."""

    @property
    def judges(self) -> int:
        """Rows that judge and were not trained on; 0: there are none."""
        ...

    def train(self, weights: Array) -> RowLosses:
        """On the rows it was trained on, without penalty."""
        ...

    def validation(self, weights: Array) -> RowLosses:
        """On the rows that judge."""
        ...

    def train_gradient(self, weights: Array) -> Array:
        """``∇L``, ``(p,)``."""
        ...

    def validation_gradient(self, weights: Array) -> Array:
        """``∇V``, ``(p,)``."""
        ...


@dataclass(frozen=True, eq=False)
class Linearised:
    """Outputs of the rows of a small model as linear functions of its weights: ``f_i + J_i (w − w₀)`` (M4).

    Then ``g = Σ s_i J_iᵀ ℓ'_i / Σ s_i`` and, for Gauss-Newton, ``H = Σ s_i J_iᵀ C_i J_i / Σ s_i``.

    Attributes
    ----------
    jacobian : (n, t, p)
        J, of each row in all its outputs.
    slope : (n, t)
        ``∂ℓ_i/∂f_i`` at ``w₀``.
    curvature : (n, t, t)
        ``C = ∂²ℓ_i/∂f_i²`` there, not negative.
    weights : (n,)
        s: what each row counts in the mean.
    losses : callable
        From changes of all outputs ``(n, t)`` to ``ℓ_i(f_i + change)``, ``(n,)``, and its slopes ``(n, t)``.
    """

    jacobian: Array
    slope: Array
    curvature: Array
    weights: Array
    losses: Callable[[Array], tuple[Array, Array]]


@runtime_checkable
class MeasuresRows(Measure, Protocol):
    """A measure that can also hand out the linearised model: leave-one-out needs it (M14)."""

    def linearised(self) -> Linearised | None:
        """None where it would be too large."""
        ...


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured at some places of a path, ascending.

    Attributes
    ----------
    alphas : (a,)
        Strengths that the places belong to (:class:`~eigenshrink.path.calibration.Calibration`).
    predicted : (a,)
        Change of L from ``w₀`` by the quadratic (M4).
    change : (a,)
        True change of L.
    noise : (a,)
        Standard error of that change.
    places : (a,)
        Strengths t of the quadratic at which was measured.
    bend : (a,)
        ``α(t)/t`` by the slope of the true loss along the path; NaN where it has no meaning.
    left : (a,)
        Bound on what a Newton step from ``w̃`` towards that α would still gain, relative to L.
    validation : (a, v) or None
        Loss of each row that judges.
    validation_slope : (a,) or None
        ``dV/d log t``.
    judges : (v,) or None
        Weights of these rows.
    wrong : (a, v) or None
        Wrongly classified ones.
    """

    alphas: Array
    predicted: Array
    change: Array
    noise: Array
    places: Array
    bend: Array
    left: Array
    validation: Array | None = None
    validation_slope: Array | None = None
    judges: Array | None = None
    wrong: Array | None = None
