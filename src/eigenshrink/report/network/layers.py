"""A network layer by layer: weights, parameters in use, which way the validation loss asks for (M9, M13)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.plots import reading

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LayerFacts:
    """One layer at the chosen strength.

    Attributes
    ----------
    name, kind : str
    weights, penalised : int
    norm : float
        ``‖w̃(α)‖`` of its weights.
    used : float
        Effective parameters, without what is free.
    slope : float or None
        ``dV/d log α`` of its own strength, where the training stopped; None: not known.
    advice : str
        raise, lower, or "" where it is within the noise or not known.
    """

    name: str
    kind: str
    weights: int
    penalised: int
    norm: float
    used: float
    slope: float | None
    advice: str

    @property
    def kept(self) -> float:
        """Share of its penalised weights that is in use; NaN where none is penalised."""
        return self.used / self.penalised if self.penalised else float("nan")


def layer_facts(study: Any) -> list[LayerFacts]:
    """Return every layer in the order of the model."""
    path, alpha = study.path, reading.solvable(study, reading.chosen(study, 0))
    (found, _), weights = reading.slopes(study), shown_weights(study, alpha)
    used = path.effective_by_layer(alpha)
    penalised = path.fit.penalty_factor > 0
    return [
        LayerFacts(
            name=layer.name,
            kind=layer.kind,
            weights=layer.stop - layer.start,
            penalised=int(penalised[layer.places].sum()),
            norm=float(np.linalg.norm(weights[layer.places])),
            used=float(share),
            slope=None if found is None else float(found.by_group[layer.name]),
            advice="" if found is None else found.advice(layer.name),
        )
        for layer, share in zip(path.layers, used, strict=True)
    ]


def shown_weights(study: Any, alpha: float) -> Array:
    """Return the weights at the strength that is shown, ``(p,)``: those of the training where it is that."""
    fit = study.path.fit
    trained = study.choice.criterion == "none" or (alpha == 0 and fit.alpha == 0)
    return np.asarray(fit.weights[:, 0] if trained else study.path.weights(alpha), dtype=np.float64)


def most_in_use(layers: list[LayerFacts], most: int) -> list[LayerFacts]:
    """Return the layers with most parameters in use, in the order of the model."""
    order = sorted(range(len(layers)), key=lambda i: -layers[i].used)[:most]
    return [layers[i] for i in sorted(order)]
