"""A network in words: its decay as its optimiser takes it, how far the answer reaches (M3, M18)."""

from __future__ import annotations

from typing import Any

import numpy as np

from eigenshrink.plots import reading
from eigenshrink.plots.text import number, plural
from eigenshrink.risk import criterion_name
from eigenshrink.units import convert

NO_UNIT = "AdamW minimises no loss with an L2 penalty: no weight_decay of it stands for a strength (M3)"
UNMEASURED = (
    "not measured: the losses of the network are not at hand, so that the quadratic is taken on trust"
)
TRAINED_AGAIN = (
    "These losses are of the weights that study.apply_ writes. Training at that strength goes on from there; "
    "inside the trusted range it ended within 2 or 3 % of these losses where that was tried. Farther away, "
    "train from these weights and study again, or let en.tune go there in steps."
)
PEERS = ("torch.SGD", "torch.Adam", "torch.AdamW")  # of which a network is trained by one
EDGE = 1e-3  # relative, of an end of an interval that is one of what is trusted
LISTED = 6  # names of parameters that a sentence lists


def own_number(study: Any, alpha: float) -> float | None:
    """Return α as the optimiser takes it; None where nothing there means the same."""
    notes = study.path.notes
    if notes.decay_kind == "adamw" or not np.isfinite(notes.unit_factor):
        return None
    return float(alpha * notes.unit_factor)


def own_name(study: Any) -> str:
    """Return what the optimiser calls its strength; α where it has none."""
    return "α" if own_number(study, 1.0) is None else "weight_decay"


def in_own_unit(study: Any, alpha: float, digits: int = 4) -> str:
    """Return ``weight_decay = 0.02``, or ``α = 0.02`` where the optimiser has no number for it."""
    value = own_number(study, alpha)
    return f"{own_name(study)} = {number(alpha if value is None else value, digits)}"


def peers(study: Any) -> dict[str, float | None]:
    """Return what to type in PyTorch for the chosen strength: the loss is reduced as it was here (M3)."""
    alpha = reading.chosen(study, 0)
    each = {name: convert(alpha, to=name, loss_scale=1.0) for name in PEERS}
    own = study.path.notes
    if own.decay_kind == "decoupled" and np.isfinite(own.unit_factor):
        each[f"torch.{own.optimiser or 'SGD'}.decoupled"] = alpha * own.unit_factor
    return each


def change(study: Any) -> str:
    """Say what to do with the decay that it was trained with; empty where nothing can be told."""
    alpha, start = reading.chosen(study, 0), reading.trained_at(study)
    if study.choice.criterion == "none":
        return "as it was trained"
    if start is None:
        return ""
    if start == 0:
        return "it was trained without decay" if alpha > 0 else "as it was trained"
    if abs(alpha / start - 1) < 1e-3:
        return "as it was trained"
    own = own_number(study, start)
    return f"{number(alpha / start, 2)} times the {number(start if own is None else own)} of its training"


def cannot_tell(study: Any) -> bool:
    """Whether nothing that can be seen from where the training stopped is better than anything else."""
    choice = study.choice
    if choice.criterion in ("none", "given") or choice.interval is None:
        return bool(choice.criterion == "none")
    (low, high), (bottom, top) = np.ravel(choice.interval), study.path.trusted
    return bool(low <= bottom * (1 + EDGE) and high >= top * (1 - EDGE))


def chosen_by(study: Any) -> str:
    """Say why this strength."""
    choice = study.choice
    if choice.criterion in ("given", "none"):
        return str(choice.reason)
    return f"chosen by {criterion_name(choice.criterion)}: {choice.reason}"


def reach(study: Any) -> str:
    """Say at which strengths the quadratic is believed, and why (M18)."""
    path = study.path
    low, high = path.trusted
    if path.measured is None or not len(path.measured.alphas):
        return UNMEASURED
    rule = "the true loss and its slope, measured along the path, are as the quadratic has them"
    if low == 0 and np.isinf(high):
        return f"every strength: everywhere {rule}"
    if low == high:
        return f"no strength, not even where the training stopped: nowhere {rule}"
    if low == 0:
        return f"up to α = {number(high, 3)}: there {rule}"
    if np.isinf(high):
        return f"from α = {number(low, 3)} on: there {rule}"
    return f"from α = {number(low, 3)} to {number(high, 3)}: there {rule}"


def in_use(study: Any, alpha: float) -> str:
    """Say how many parameters are in use, with the interval where that is estimated (M9, M19)."""
    path = study.path
    found, free = path.effective_estimate(alpha), path.free_rank
    value, low, high = (free + float(each[0]) for each in (found.value, found.low, found.high))
    interval = f" ({number(low, 3)} to {number(high, 3)})" if high > low else ""
    return f"{number(value, 3)}{interval}"


def wish(study: Any) -> str:
    """Say whether the network as a whole wants more decay or less (M13); empty where that is not known."""
    found, _ = reading.slopes(study)
    if found is None:
        return ""
    slope = f"slope {number(found.total, 2)} ± {number(found.standard_error, 2)} per unit of log α"
    if abs(found.total) <= found.standard_error:
        return f"neither more nor less decay is clearly better where the training stopped ({slope})"
    way = "more" if found.total < 0 else "less"
    return f"{way} decay lowers the validation loss where the training stopped ({slope})"


def directions(study: Any) -> str:
    """Count directions that are kept, fading and gone among all of them (M8, M19)."""
    path, alpha = study.path, reading.chosen(study, 0)
    total, top = reading.removable(study), float(study.spectrum.eigenvalues.max(initial=0.0))
    if not (top > 0 and 0 < alpha < np.inf):
        return ""
    edges = np.array([alpha / 9, alpha * 9, max(top * (1 + 1e-6), alpha * 10)])
    fading, kept = (round(float(each)) for each in path.density(edges, alpha))
    gone = max(total - fading - kept, 0)
    said = f"{number(kept)} kept, {number(fading)} fading, {number(gone)} gone"
    negative = float(path.sums.negative)
    return said + (f"; {number(100 * negative, 2)} % of the curvature is negative" if negative > 0 else "")


def penalised(study: Any) -> str:
    """Say what is not penalised, not trained or not used; empty where there is nothing to say."""
    notes = study.path.notes
    kinds = {"not penalised": notes.excluded, "frozen": notes.frozen, "not used by the loss": notes.unused}
    return "; ".join(f"{word}: {listed(names)}" for word, names in kinds.items() if names)


def listed(names: tuple[str, ...]) -> str:
    """Return the first few names and how many more there are."""
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def trained(study: Any) -> str:
    """Say how large it is and how it was trained: ``43 weights in 2 layers, 240 rows, SGD at ...``."""
    facts, notes, start = study.facts, study.path.notes, reading.trained_at(study)
    size = f"{plural(facts.columns, 'weight')} in {plural(len(study.path.layers), 'layer')}"
    by = f" by {notes.optimiser}" if notes.optimiser else ""
    at = "" if start is None else f" at {in_own_unit(study, start)}"
    return f"{size}, trained on {plural(facts.rows, 'row')}{by}{at}"


def loss_in_words(study: Any) -> str:
    """Return the loss and its unit."""
    return f"{study.loss.replace('_', ' ')}, {study.path.loss.unit}"


def objective(study: Any) -> str:
    """Return the formula that is minimised (M1)."""
    free = len(study.path.fit.penalty_factor) - len(study.path.fit.penalised)
    d = "d_j·" if study.facts.penalty_factor else ""
    left = f" over the {plural(len(study.path.fit.penalised), 'weight')} that are penalised" if free else ""
    return (
        f"minimise L(w) + (α/2) Σ_j {d}w_j²{left}; L is the loss ({study.loss.replace('_', ' ')}) as its "
        "function reduces it, over all rows"
    )
