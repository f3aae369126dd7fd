"""Checks of a trained network: where its training stopped, its curvature, its decay (M3, M7, M11, M18)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eigenshrink.audit.finding import Examined, Finding, list_names
from eigenshrink.data.digits import number
from eigenshrink.path import KrylovPath, Layer

Array = NDArray[np.float64]

MOVED = 0.1  # share of their length by which weights move to the minimum, from which the fit is not at one
NEGATIVE = 0.01  # share of the curvature below zero from which γ is not believed
CROOKED = 1e-3  # relative asymmetry of products from which digits of the path are lost
FLAT = 1e-10  # share of the largest eigenvalue below which a direction is flat
SHARE = 0.1  # share of the squared weights in flat directions that is said aloud
ACROSS = 1e-2  # cosine of weights and gradient below which a layer may have no scale
DOUBLED = 1e-3  # relative change of the loss below which doubled weights are as good


def stationarity(examined: Examined) -> Finding:
    """``‖ρ‖ = ‖g + α₀Dw₀‖`` against the sampling noise of g, or how far the weights still move (M18).

    The path goes through the minimum of its quadratic, not through ``w₀``: a fit that is not at its minimum
    costs accuracy and not correctness. Without a noise that is known the value is
    ``‖w̃(α₀) − w₀‖/‖w₀‖``.
    """
    check, path = "stationarity", examined.krylov
    fit, noise = path.fit, path.notes.gradient_noise
    w = fit.weights[:, 0]
    if path.notes.decay_kind == "adamw":
        meaning = "AdamW does not stop where a gradient vanishes, so that none was expected to."
        return Finding(check, "pass", float("nan"), 1.0, meaning, "")
    size = float(np.linalg.norm(fit.gradient[:, 0] + fit.alpha * fit.penalty_factor * w))
    said = f"The gradient of what was minimised is {number(size, 2)} long where the training stopped"
    advice = "Train on with a smaller learning rate until the loss settles, and study again."
    if np.isfinite(noise) and noise > 0:
        value = size / float(noise)
        meaning = f"{said}: {number(value, 2)} times what another sample of rows would change it by."
        return Finding(check, "warn" if value > 1 else "pass", value, 1.0, meaning, advice * (value > 1))
    if path.rested:  # the path was made to start at w₀: ask the bound ‖ρ‖/α₀, not the path
        meaning = f"{said}, and the loss does not fall as predicted towards the minimum of the quadratic."
        value = size / (fit.alpha * float(np.linalg.norm(w))) if fit.alpha > 0 else float("inf")
        found = "warn" if value > MOVED else "pass"
        return Finding(check, found, value, MOVED, meaning, advice * (value > MOVED))
    if fit.alpha <= path.least:
        return Finding(check, "pass", float("nan"), MOVED, f"{said}; how noisy it is is not known.", "")
    moved = float(np.linalg.norm(np.asarray(path.weights(fit.alpha), dtype=np.float64) - w))
    value = moved / max(float(np.linalg.norm(w)), 1e-300)
    meaning = f"{said}: the minimum of the quadratic is {value:.1%} of the length of the weights away."
    return Finding(
        check, "warn" if value > MOVED else "pass", value, MOVED, meaning, advice * (value > MOVED)
    )


def smallest_eigenvalue(examined: Examined) -> Finding:
    """The smallest eigenvalue that is known, and the smallest strength with a minimum (M7, M18)."""
    check, path = "smallest eigenvalue", examined.krylov
    values, least = path.spectrum.eigenvalues, path.least
    lowest = float(values.min()) if len(values) else 0.0
    if least <= FLAT * float(np.abs(values).max(initial=0.0)):
        smallest = number(max(lowest, 0.0), 2)
        meaning = f"No curvature that is known is negative: the smallest is {smallest}."
        return Finding(check, "pass", lowest, 0.0, meaning, "")
    meaning = (
        f"The curvature goes down to {number(lowest, 2)}: only α above {number(least, 2)} has a minimum, and "
        "near it w̃(α) is worse than not moving."
    )
    verdict = "fail" if examined.alpha <= least else "warn"
    return Finding(check, verdict, lowest, 0.0, meaning, "Use curvature='ggn', which has no negative part.")


def negative_curvature(examined: Examined) -> Finding:
    """Share of ``Σ|λ|`` below zero, along which no share of a weight is kept (M9, M19)."""
    check, value = "negative curvature", abs(float(examined.krylov.sums.negative))
    meaning = f"{value:.1%} of the curvature is negative"
    if value <= NEGATIVE:
        return Finding(check, "pass", value, NEGATIVE, f"{meaning}.", "")
    meaning = f"{meaning}: effective parameters and evidence mean nothing there."
    return Finding(check, "warn", value, NEGATIVE, meaning, "Use curvature='ggn' for effective parameters.")


def noisy(examined: Examined) -> bool:
    """Whether the noise of the products is known."""
    return examined.network and _noise(examined.krylov) is not None


def symmetry(examined: Examined) -> Finding:
    """``|uᵀHv − vᵀHu|`` relative to its terms: what rounding leaves of the products (M18)."""
    check, value = "symmetry of products", float(_noise(examined.krylov) or 0.0)
    meaning = f"uᵀHv and vᵀHu differ by {number(value, 2)} of their size"
    if value <= CROOKED:
        return Finding(check, "pass", value, CROOKED, f"{meaning}.", "")
    meaning = f"{meaning}: eigenvalues below that share of the largest are noise."
    advice = "Study the model in float64 or float32: model.double(), and loaders of the same type."
    return Finding(check, "warn", value, CROOKED, meaning, advice)


def flat_directions(examined: Examined) -> Finding:
    """Share of ``‖w₀‖²_D`` along λ ≈ 0, which any α > 0 removes at no cost (M6, M8)."""
    check, path = "weights in flat directions", examined.krylov
    values, fit = path.spectrum.eigenvalues, path.fit
    start = fit.weights[fit.penalised] / fit.scale[:, None]
    total = float(np.sum(start**2))
    limit = max(FLAT, 10 * (_noise(path) or 0.0)) * float(values.max(initial=0.0))
    along = path.spectrum.directions.forth(start)[:, 0] if len(values) else np.zeros(0)
    value = max(total - float(np.sum(along[values > limit] ** 2)), 0.0) / total if total > 0 else 0.0
    meaning = f"{value:.1%} of the squared weights lie along directions in which the loss does not change"
    if value <= SHARE:
        return Finding(check, "pass", value, SHARE, f"{meaning}.", "")
    meaning = f"{meaning}: they are as the start or the optimiser left them, and any decay removes them."
    advice = "Do not read them as a need for a small alpha; train longer with decay if they should go."
    return Finding(check, "warn", value, SHARE, meaning, advice)


def scale_invariance(examined: Examined) -> Finding:
    """Layers before a normalisation: the loss does not know the size of their weights.

    Seen by ``w_lᵀg_l ≈ 0``, which costs nothing, and then by the loss with their weights doubled, one pass
    over the rows for each layer that is left. Of a batch normalisation, which had statistics of its own
    while it trained, by its place in the model. The value is their share of the squared weights.
    """
    check, path = "layers without scale", examined.krylov
    w = path.fit.weights[:, 0]
    priced = path.fit.penalty_factor * w**2
    known = path.notes.scaleless
    found = [
        layer
        for layer in path.layers
        if priced[layer.places].any()
        and (layer.name in known or (_across(path, layer) and _as_good(path, layer)))
    ]
    value = sum(float(priced[layer.places].sum()) for layer in found) / max(float(priced.sum()), 1e-300)
    if not found:
        seen = "was found" if path.measure is not None else "was looked for, since the loss is not at hand"
        return Finding(check, "pass", 0.0, 0.0, f"No layer whose weights have no scale {seen}.", "")
    names = list_names([layer.name for layer in found], 3)
    meaning = (
        f"In training the loss does not change when the weights of {names} are doubled ({value:.0%} of all "
        "squared weights), since a normalisation follows: decay there only changes the learning rate."
    )
    advice = "Read the answer as that of the other layers, and leave the decay of these as it is."
    return Finding(check, "warn", value, 0.0, meaning, advice)


def unit_of_decay(examined: Examined) -> Finding:
    """Whether the optimiser's own number is a strength at all (M3)."""
    check, notes = "unit of the optimiser", examined.krylov.notes
    of = f" of {notes.optimiser}" if notes.optimiser else ""
    if notes.decay_kind == "adamw":
        meaning = (
            "AdamW does not minimise the loss with an L2 penalty, so that no α stands behind its "
            "weight_decay: no recommendation can be made in its unit."
        )
        advice = "Read α as weight_decay of SGD or Adam, or train with en.L2Hook(optimizer, alpha)."
        return Finding(check, "warn", float("nan"), 1.0, meaning, advice)
    factor = float(notes.unit_factor)
    times = "α itself" if factor == 1.0 else f"{number(factor)} times α"
    beside = ", decoupled from the gradient," if notes.decay_kind == "decoupled" else ""
    return Finding(check, "pass", factor, 1.0, f"weight_decay{of}{beside} is {times}.", "")


def groups_of_decay(examined: Examined) -> Finding:
    """Parameters with strengths of their own, and what was not trained (M12)."""
    check, path = "groups of parameters", examined.krylov
    factors = np.unique(path.fit.penalty_factor[path.fit.penalised])
    said = []
    if len(factors) > 1:
        said.append(
            f"{len(factors)} groups have a decay of their own: α is the largest, and the others keep their "
            f"share of it, from {number(float(factors[0] / factors[-1]), 2)} on."
        )
    notes, free = path.notes, len(path.fit.free)
    if free and not notes.excluded:
        said.append(f"{free} of {len(path.fit.penalty_factor)} weights are not penalised.")
    for names, what in (
        (notes.excluded, "not penalised"),
        (notes.frozen, "frozen and left out"),
        (notes.unused, "without influence on the loss and left out"),
    ):
        if names:
            said.append(f"{list_names(names, 3)} {'is' if len(names) == 1 else 'are'} {what}.")
    said.extend(f"{remark[:1].upper()}{remark[1:].rstrip('.')}." for remark in notes.remarks)
    meaning = " ".join(said) or "Every parameter is penalised alike."
    return Finding(check, "pass", float(len(factors)), 1.0, meaning, "")


def _noise(path: KrylovPath) -> float | None:
    """Relative asymmetry of the products, where the curvature says it."""
    found = getattr(path.fit.curvature, "noise", None)
    return None if found is None else float(found)


def _across(path: KrylovPath, layer: Layer) -> bool:
    """Whether the gradient of a layer is square to its weights."""
    fit, here = path.fit, layer.places
    w, g = fit.weights[here, 0], fit.gradient[here, 0]
    size = float(np.linalg.norm(w) * np.linalg.norm(g))
    return abs(float(w @ g)) <= ACROSS * size


def _as_good(path: KrylovPath, layer: Layer) -> bool:
    """Whether the loss is the same with the weights of a layer doubled."""
    if path.measure is None:
        return False
    before, weights = path.fit.weights[:, 0], path.fit.weights[:, 0].copy()
    weights[layer.places] *= 2.0
    start, loss = path.measure.train(before).mean, path.measure.train(weights).mean
    return abs(loss - start) <= DOUBLED * abs(start)
