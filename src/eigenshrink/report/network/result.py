"""What only a network has among plain numbers: layers, what was measured, how it was trained."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from eigenshrink.plots import reading
from eigenshrink.report.network import words
from eigenshrink.report.network.layers import layer_facts
from eigenshrink.report.numbers import plain


def own_strength(study: Any) -> dict[str, Any]:
    """Return the chosen strength as the optimiser takes it, and that of the training; null: none."""
    start = reading.trained_at(study)
    return {
        "weight_decay": plain(words.own_number(study, reading.chosen(study, 0))),
        "trained": plain(start),
    }


def weights(study: Any) -> dict[str, Any]:
    """Return layers instead of coefficients: the weights themselves are too many for such a file."""
    path = study.path
    found = path.effective_estimate(reading.solvable(study, reading.chosen(study, 0)))
    interval = [path.free_rank + float(found.low[0]), path.free_rank + float(found.high[0])]
    return {
        "effective_parameters_interval": plain(interval),
        "trusted": plain(list(path.trusted)),
        "measured": _measured(study),
        "layers": [_layer(one) for one in layer_facts(study)],
        "hypergradient": _hypergradient(study),
        "training": _training(study),
    }


def _layer(one: Any) -> dict[str, Any]:
    return {
        "name": one.name,
        "kind": one.kind,
        "weights": one.weights,
        "penalised": one.penalised,
        "norm": plain(one.norm),
        "effective_parameters": plain(one.used),
        "hypergradient": plain(one.slope),
        "advice": one.advice,
    }


def _measured(study: Any) -> dict[str, Any] | None:
    """Return the true losses along the path; of the rows that judge their mean."""
    found = study.path.measured
    if found is None:
        return None
    judged = found.validation is not None and found.judges is not None
    mean = found.validation @ (found.judges / found.judges.sum()) if judged else None
    slope = found.validation_slope
    numbers = {name: plain(getattr(found, name)) for name in ("alphas", "predicted", "change", "noise")}
    return {
        **numbers,
        "validation": None if mean is None else plain(mean),
        "validation_slope": None if slope is None else plain(slope),
    }


def _hypergradient(study: Any) -> dict[str, Any] | None:
    found, _ = reading.slopes(study)
    if found is None:
        return None
    each = {name: getattr(found, name) for name in ("alpha", "total", "standard_error")}
    return {name: plain(value) for name, value in each.items()}


def _training(study: Any) -> dict[str, Any]:
    """Return how it was trained, and what its curvature cost."""
    path = study.path
    return {
        **{name: plain(value) for name, value in asdict(path.notes).items()},
        "weights": len(path.fit.penalty_factor),
        "penalised": len(path.fit.penalised),
        "start_loss": plain(path.start_loss),
        "gradient_norm": plain(float(np.linalg.norm(path.fit.gradient))),
        "tolerance": path.tolerance,
        "directions": len(path.spectrum.eigenvalues),
        "route": path.spectrum.route,
        "products": int(path.sums.products),
        "negative": plain(float(path.sums.negative)),
    }
