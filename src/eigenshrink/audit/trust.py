"""Checks of the path of a network: how far it holds, how exact it is, what is seen (M15, M18, M19)."""

from __future__ import annotations

import numpy as np

from eigenshrink.audit.finding import Examined, Finding
from eigenshrink.data.digits import number
from eigenshrink.risk import criterion_name
from eigenshrink.risk.curve import covers

NARROW = 2.0  # factor each way below which hardly anything is seen
INACCURATE = 1e-2  # relative error of the weights from which they are not those of the quadratic
UNSEEN = "Study the model with its loader, and with more products where the path is not accurate."
BLURRED = 0.1  # relative half-width of the interval of γ


def trusted(examined: Examined) -> Finding:
    """The trusted range: where the true loss, and its slope, are as the path has them (M18).

    The value is the smaller of its two factors, ``α₀/low`` and ``high/α₀``.
    """
    check, path, alpha = "quadratic validity", examined.krylov, examined.alpha
    (low, high), start = path.trusted, path.fit.alpha
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(min(np.divide(start, low) if start > 0 else np.inf, np.divide(high, start)))
    if path.measured is None or not len(path.measured.alphas):
        meaning = "The true loss was not measured along the path: how far the quadratic holds is not known."
        return Finding(check, "warn", float("nan"), NARROW, meaning, UNSEEN)
    if path.span is None:
        meaning = (
            f"At no strength but α = {number(start, 2)}, that of the training, are the true loss and its "
            "slope as the quadratic has them."
        )
        advice = (
            "Train on until the loss settles, and study again; take no other alpha from here. If it has "
            "settled, go there by training: en.tune does."
        )
        return Finding(check, "fail" if alpha != start else "warn", 1.0, NARROW, meaning, advice)
    meaning = (
        f"The true loss and its slope are as the path has them from α = {number(low, 2)} to "
        f"{number(high, 2)}; the network was trained with {number(start, 2)}."
    )
    if alpha < start:
        meaning += " Below that the path is an extrapolation: weights grow along it."
    advice = "Train with an alpha at the end of that range and study again (en.tune does)."
    if alpha < low * (1 - 1e-9) or alpha > high * (1 + 1e-9):
        return Finding(check, "fail", value, NARROW, f"{meaning} α = {number(alpha, 2)} is outside.", advice)
    if value < NARROW:
        return Finding(check, "warn", value, NARROW, f"{meaning} That is a narrow range.", advice)
    return Finding(check, "pass", value, NARROW, meaning, "")


def accuracy(examined: Examined) -> Finding:
    """The bound on the error of ``w̃(α)`` in the Krylov space, relative to its length (M19)."""
    check, path, alpha = "accuracy of the path", examined.krylov, examined.alpha
    size, error = float(path.norm(alpha)), float(path.residual_bound(alpha))
    value = error / size if size > 0 else 0.0
    meaning = (
        f"The weights at α = {number(alpha, 2)} are those of the quadratic to {number(value, 2)} of their "
        f"length, in {len(path.spectrum.eigenvalues)} of {len(path.fit.penalised)} directions."
    )
    if value <= INACCURATE:
        return Finding(check, "pass", value, INACCURATE, meaning, "")
    return Finding(check, "warn", value, INACCURATE, meaning, "Allow more products, or take a larger alpha.")


def counted_parameters(examined: Examined) -> Finding:
    """Half the 95 % interval of γ at the chosen strength, relative to γ (M9, M19)."""
    check, path = "accuracy of effective parameters", examined.krylov
    found = path.effective_estimate(examined.alpha)
    used, half = float(found.value[0]) + path.free_rank, 0.5 * float(found.high[0] - found.low[0])
    value = half / used if used > 0 else 0.0
    if half == 0:
        return Finding(check, "pass", 0.0, BLURRED, "Effective parameters are exact: all λ are known.", "")
    meaning = (
        f"Between {number(float(found.low[0]) + path.free_rank, 3)} and "
        f"{number(float(found.high[0]) + path.free_rank, 3)} parameters are in use (95 % interval)."
    )
    if value <= BLURRED:
        return Finding(check, "pass", value, BLURRED, meaning, "")
    return Finding(check, "warn", value, BLURRED, meaning, "Allow more products, or more probes.")


def optimum_in_sight(examined: Examined) -> Finding:
    """Whether the optimum lies inside what can be seen from where the training stopped (M6, M18)."""
    check, choice = "optimum at an end", examined.choice
    if choice.criterion == "given":
        return Finding(check, "pass", 0, 0, "The strength was given, so no optimum was looked for.", "")
    if choice.criterion == "none":
        said = f"No strength is recommended, and α is the one of the training: {choice.reason}."
        advice = "Then study again." if examined.path.span is None else "Give val_loader=, and study again."
        return Finding(check, "warn", 1, 0, said, advice)
    name, alpha = criterion_name(choice.criterion), number(examined.alpha, 3)
    if choice.boundary == "trusted":
        way = "below" if examined.alpha < examined.path.fit.alpha else "above"
        meaning = (
            f"{name} is best at α = {alpha}, an end of the trusted range: the optimum lies there or {way}."
        )
        advice = "Train with that alpha, from these weights, and study again (en.tune does)."
        return Finding(check, "warn", 1, 0, f"{meaning[:1].upper()}{meaning[1:]}", advice)
    if choice.boundary == "infinite":
        meaning = f"{name} takes α = ∞, where every penalised weight is 0: it finds no use for the network."
        advice = "Compare a constant prediction; look for a fault in the data or in the training."
        return Finding(check, "warn", 1, 0, f"{meaning[:1].upper()}{meaning[1:]}", advice)
    inside = "α = 0 is best: decay does not help." if choice.boundary == "zero" else ""
    return Finding(check, "pass", 0, 0, inside or "The optimum lies inside the trusted range.", "")


def sharp_optimum(examined: Examined) -> Finding:
    """The share of the trusted range, in log α, that cannot be told from the best (M15)."""
    check, choice, span = "flat optimum", examined.choice, examined.path.span
    if choice.interval is None or choice.curve is None or span is None:
        meaning = "There is no interval of strengths that are as good: no criterion gives one."
        return Finding(check, "pass", 0.0, 1.0, meaning, "")
    low, high = choice.interval
    ends = np.exp(choice.curve.span or span)
    held = np.clip([low, high], *ends)
    value = float(np.log(held[1] / held[0]) / np.log(ends[1] / ends[0])) if ends[1] > ends[0] else 1.0
    meaning = f"Strengths from {number(low, 2)} to {number(high, 2)} are as good as the best"
    if not covers(low, high, choice.curve.edges):
        return Finding(check, "pass", value, 1.0, f"{meaning}: {value:.0%} of the trusted range.", "")
    meaning = f"{meaning}, which is all of the trusted range: the model cannot tell from here."
    advice = "Read nothing into the value of alpha; judge by more rows (val_loader=)."
    return Finding(check, "warn", 1.0, 1.0, meaning, advice)
