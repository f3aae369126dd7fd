"""The parts of the page that only a network has: its decay, its layers, its directions, its origin."""

from __future__ import annotations

from typing import Any

import numpy as np

from eigenshrink._version import __version__
from eigenshrink.directions import by_layer, largest
from eigenshrink.plots import reading
from eigenshrink.plots.text import mix, number, plural, short
from eigenshrink.report import estimates as tabular
from eigenshrink.report import losses
from eigenshrink.report.answer import verdict
from eigenshrink.report.html import table, tag, text
from eigenshrink.report.network import words
from eigenshrink.report.network.layers import LayerFacts, layer_facts, most_in_use
from eigenshrink.report.provenance import Origin
from eigenshrink.report.words import agreement, opened

MOST = 120  # layers that get a line
DIRECTIONS = 20
TOP = 3  # weights that are named for each
LAYERS = (
    "In use are effective parameters, without what is not penalised; kept is their share of the penalised "
    "weights. The slope is what the validation loss gains per unit of log α if the decay of that layer alone "
    "is raised where the training stopped: raise it where it is below 0, lower it where it is above. Where "
    "nothing is said it is within the noise of the rows that judge."
)
DIRECTED = (
    "A direction is a mix of weights that moves as one: these are the ones along which the loss is curved "
    "most. The sign of a direction is arbitrary. Its coordinate is the weight that the lowest point w* of "
    "the quadratic has along it, on the scale of the penalty."
)
GROUPS = "Groups that had another decay keep their ratio: the number is that of the largest one."
OBJECTIVE = (
    "L is the loss over all rows, the second term is the price of complexity. The strength α weighs one "
    "against the other. It is the weight_decay of SGD, and of Adam with the decay inside the gradient."
)


def heading(study: Any) -> str:
    """Return the title of the page."""
    return f"How much weight decay: a network of {plural(study.facts.columns, 'weight')}"


def answer(study: Any) -> str:
    """Return the opening of the page: what to set, how sure that is, what it changes."""
    alpha, choice = reading.chosen(study, 0), study.choice
    said = _first(study, alpha)
    sure = opened(f"{choice.flatness}.") if choice.flatness else ""
    said += tag("p", text(sure), class_="sure") if sure else ""
    why = [f"{opened(words.chosen_by(study))}."]
    change = words.change(study)
    why += [f"That is {change}."] if change and choice.criterion != "none" else []
    why += [f"{words.NO_UNIT}."] if words.own_number(study, alpha) is None else []
    used = words.in_use(study, reading.solvable(study, alpha))
    total = plural(len(study.path.fit.penalty_factor), "parameter")
    why.append(f"{used} of {total} are in use (effective number, γ).")
    said += tag("p", text(" ".join(why)))
    said += tag("p", text(f"The answer is trusted {_reach(study)}"))
    wish = words.wish(study)
    said += tag("p", text(f"{opened(wish)}.")) if wish else ""
    doubt = agreement(study)
    return said + _errors(study, alpha) + (tag("p", text(doubt)) if doubt else "") + verdict(study)


def _first(study: Any, alpha: float) -> str:
    """Say what to set, or that the model cannot tell from here."""
    own = words.in_own_unit(study, alpha)
    if words.cannot_tell(study):
        best = "as it was trained" if study.choice.criterion == "none" else "lowest of what can be seen"
        said = tag("p", tag("strong", "The model cannot tell from here"), class_="answer")
        return said + tag("p", text(f"{opened(best)}: {own}."), class_="sure")
    use = "As given: " if study.choice.criterion == "given" else "Use "
    return tag("p", use, tag("strong", text(own)), class_="answer")


def _reach(study: Any) -> str:
    found = words.reach(study)
    at = found if found.startswith(("from", "up to")) else f"at {found}"
    return f"{found}." if found.startswith("not") else f"{at}."


def _errors(study: Any, alpha: float) -> str:
    """Tabulate the losses as it was trained and at the strength."""
    start, unit = study.path.fit.alpha, study.path.loss.unit
    word = reading.word(study, None)
    places = {f"trained, {words.in_own_unit(study, start, 3)}": start}
    if reading.trained_at(study) is None:
        places = {"where the training stopped": start}
    places[f"{word}, {words.in_own_unit(study, alpha)}"] = alpha
    judged = "validation" in study.risk
    classes = "misclassified" in study.risk
    rows = []
    for name, at in places.items():
        used = words.in_use(study, reading.solvable(study, at))
        train, judge = (_at(study, curve, at) for curve in ("train", "validation"))
        correct = losses.percent(losses.correct(study, at)) if classes else ""
        rows.append([text(name), used, train, *[judge] * judged, *[correct] * classes])
    heads = ["", "parameters in use", f"training {unit}"]
    heads += [f"validation {unit}"] * judged + ["correctly classified"] * classes
    return table("Losses of the network", heads, rows, "t" + "n" * (len(heads) - 1))


def _at(study: Any, name: str, alpha: float) -> str:
    return number(float(study.risk[name](alpha))) if name in study.risk else "–"


def equivalents(study: Any) -> str:
    """Return what to type in PyTorch."""
    alpha, notes = reading.chosen(study, 0), study.path.notes
    if not np.isfinite(alpha):
        return tag("p", "An endless strength is set by leaving the penalised weights out of the network.")
    decay = f"weight_decay={alpha:.6g}"
    typed = {
        "SGD": f"torch.optim.SGD(groups, lr=…, {decay})",
        "Adam, with the decay inside the gradient": f"torch.optim.Adam(groups, lr=…, {decay})",
        "any optimiser": f"en.L2Hook(optimizer, {alpha:.6g})",
        "AdamW": "none: it minimises no loss with an L2 penalty",
    }
    if notes.decay_kind == "decoupled" and words.own_number(study, alpha) is not None:
        own = words.own_number(study, alpha)
        typed[f"{notes.optimiser or 'SGD'} that decays beside the momentum"] = f"weight_decay={own:.6g}"
    lines = (tag("strong", text(name)) + " " + tag("code", text(value)) for name, value in typed.items())
    said = tag("ul", *(tag("li", line) for line in lines), class_="peers")
    if notes.excluded:
        left = f"Not penalised: {words.listed(notes.excluded)}. en.param_groups makes the groups."
        said += tag("p", text(left))
    if np.ptp(study.path.fit.penalty_factor[study.path.fit.penalised]) > 0:
        said += tag("p", GROUPS)
    apply = tag("code", text("study.apply_(model)"))
    said += tag("p", "Without training again: ", apply, " writes these weights into the model.")
    return said + tag("p", text(words.TRAINED_AGAIN), class_="note")


def estimates(study: Any) -> str:
    """Return what each criterion would take; nothing where there is none."""
    return tabular.estimates(study) if reading.compared(study) else ""


def layers(study: Any) -> str:
    """Return the layers at the chosen strength as a table."""
    every = layer_facts(study)
    if not every:
        return ""
    shown = most_in_use(every, MOST)
    judged = any(one.slope is not None for one in shown)
    heads = ["layer", "kind", "weights", "‖w‖", "parameters in use", "kept"]
    heads += ["slope", "its decay"] if judged else []
    rows = [_layer(one, judged) for one in shown]
    made = table("Layers, in the order of the model", heads, rows, "ttnnnn" + "nt" * judged)
    more = f"The {MOST} of {len(every)} layers with most in use. " if len(shown) < len(every) else ""
    return made + tag("p", text(more + LAYERS), class_="note")


def _layer(one: LayerFacts, judged: bool) -> list[str]:
    kept = f"{100 * one.kept:.3g} %" if one.penalised else "not penalised"
    cells = [text(one.name), text(one.kind), number(one.weights), number(one.norm), number(one.used, 3), kept]
    return cells + ([number(one.slope, 2), one.advice or "–"] if judged else [])


def directions(study: Any) -> str:
    """Return the directions along which the loss is curved most, and what they are made of (M7, M8)."""
    alpha = reading.solvable(study, reading.chosen(study, 0))
    view = reading.seen(study, alpha)
    values = view.spectrum.eigenvalues
    places = list(range(min(len(values), DIRECTIONS)))
    basis = reading.directions(view, places)
    kept = np.nan_to_num(study.path.shrinkage(alpha))
    coordinates = reading.coordinates(view, 0)
    rows = []
    for place in places:
        share = float(kept[place])
        bar = f'<span class="bar" style="--share:{share:.3f}"></span>'
        cells = [number(values[place]), number(coordinates[place]), f"{100 * share:.1f} % {bar}"]
        rows.append([str(place + 1), *cells, *_made_of(view, basis[:, place])])
    heads = ("direction", "eigenvalue λ", "coordinate of w*", "share kept", "layers", "made mostly of")
    said = table("Directions, the most curved first", heads, rows, "nnnntt")
    counts = words.directions(study)
    return said + (tag("p", text(f"Of all directions: {counts}."), class_="note") if counts else "")


def _made_of(view: reading.View, loads: Any) -> tuple[str, str]:
    """Return the layers that carry a direction, and the weights that load on it most."""
    penalised = reading.penalised(view)
    shares = by_layer(loads, penalised, view.layers)[:2]
    top = ((view.weight_names[int(penalised[j])], float(loads[j])) for j in largest(np.abs(loads), TOP))
    carried = ", ".join(f"{100 * part:.0f} % {short(name)}" for name, part in shares)
    return text(carried), text(mix(tuple(top), 26))


def origin(study: Any, given: Origin) -> str:
    """Return where the page comes from."""
    facts, notes, path = study.facts, study.path.notes, study.path
    known = len(study.spectrum.eigenvalues)
    rows = {
        "made by": f"eigenshrink {__version__}",
        **given.rows,
        "network": words.trained(study),
        "judges": plural(facts.held_out, "row") if facts.held_out else "",
        "loss": words.loss_in_words(study),
        "groups": words.penalised(study),
        "trusted": words.reach(study),
        "curvature": f"{plural(known, 'direction')} known, by {study.spectrum.route}",
        "sums over directions": f"{plural(path.sums.products, 'product')}" if path.sums.products else "exact",
        "remarks": " ".join(notes.remarks),
    }
    pairs = (tag("dt", text(key)) + tag("dd", text(value)) for key, value in rows.items() if value)
    return tag("dl", *pairs)
