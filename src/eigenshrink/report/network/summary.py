"""The answer for a network in a terminal: the decay to take, how far it reaches, layer by layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from eigenshrink.plots import reading
from eigenshrink.plots.text import number, plural
from eigenshrink.report import losses
from eigenshrink.report.network import words
from eigenshrink.report.network.layers import LayerFacts, layer_facts, most_in_use
from eigenshrink.report.plain import bound, labelled, shortened, wrap
from eigenshrink.report.words import agreement

SHOWN = 20  # layers that a terminal shows


def opening(study: Any) -> list[str]:
    """What was trained on how much, and what was minimised."""
    judges = study.facts.held_out
    judged = f"; {plural(judges, 'other row judges', 'other rows judge')} it" if judges else ""
    lines = wrap(f"eigenshrink: a network of {words.trained(study)}{judged}")
    lines += wrap(f"loss: {words.loss_in_words(study)}") + wrap(study.objective)
    lines += wrap(words.penalised(study))
    return [*lines, *(line for remark in study.path.notes.remarks for line in wrap(remark)), ""]


def answer(study: Any) -> list[str]:
    """The strength, how sure it is, what it does and how far that can be told."""
    choice, alpha = study.choice, reading.chosen(study, 0)
    value = words.own_number(study, alpha)
    change = words.change(study)
    said = f"{bound(alpha if value is None else value, 6)}{f', {change}' if change else ''}; "
    lines = labelled(words.own_name(study), said + words.chosen_by(study))
    if value is None:
        lines += labelled("", words.NO_UNIT)
    elif value != alpha:
        lines += labelled("strength α", f"{bound(alpha, 6)}")
    if choice.interval is not None:
        low, high = np.ravel(choice.interval)
        flat = f": {choice.flatness}" if choice.flatness else ""
        lines += labelled("interval of α", f"{bound(low, 4)} to {bound(high, 4)}{flat}")
    lines += labelled("agreement", agreement(study))
    lines += labelled("trusted", words.reach(study))
    total, free = len(study.path.fit.penalty_factor), study.path.free_rank
    used = words.in_use(study, reading.solvable(study, alpha))
    lines += labelled("effective parameters", f"{used} of {number(total)} ({number(free)} not penalised)")
    lines += labelled("directions", words.directions(study))
    lines += [*_errors(study, alpha), *labelled("more or less decay", words.wish(study))]
    moves = choice.criterion != "none" and alpha != study.path.fit.alpha
    return [*lines, *labelled("training again", words.TRAINED_AGAIN if moves else ""), ""]


def _errors(study: Any, alpha: float) -> list[str]:
    """The loss of rows that judge and of those it was trained on, at this strength and as it was trained."""
    unit, lines = study.path.loss.unit, []
    if "validation" in study.risk:
        here, before = (float(study.risk["validation"](at)) for at in (alpha, study.path.fit.alpha))
        lines += labelled("validation loss", f"{_loss(here)} ({unit}){_compared(here, before)}")
        corrected = np.nan if study.choice.corrected is None else float(np.ravel(study.choice.corrected)[0])
        if np.isfinite(corrected):
            lines += labelled("", f"{corrected:.6g} corrected for having picked the minimum")
    correct = losses.correct(study, alpha)
    if np.isfinite(correct):
        lines += labelled("correctly classified", f"{losses.percent(correct)} of the rows that judge")
    train = float(study.risk["train"](alpha)) if "train" in study.risk else np.nan
    start = study.path.start_loss
    then = f"; {start:.6g} as it was trained" if np.isfinite(start) else ""
    return lines + labelled("training loss", f"{_loss(train)} ({unit}){then}")


def _loss(value: float) -> str:
    return f"{value:.6g}" if np.isfinite(value) else "not known at this strength"


def _compared(here: float, before: float) -> str:
    """How much lower than as it was trained."""
    if not (np.isfinite(here) and 0 < before < np.inf):
        return ""
    share = 1 - here / before
    if abs(share) < 5e-4:
        return f"; {before:.6g} as it was trained"
    return f", {abs(share):.1%} {'lower' if share > 0 else 'higher'} than {before:.6g} as it was trained"


def layers(study: Any) -> list[str]:
    """A line for each layer: what it has, what is in use of it, and which way the judges ask for."""
    every = layer_facts(study)
    if not every:
        return []
    shown = most_in_use(every, SHOWN)
    width = max(5, *(len(shortened(one.name, 34)) for one in shown))
    kinds = max(4, *(len(shortened(one.kind, 18)) for one in shown))
    judged = any(one.slope is not None for one in shown)
    which = f"the {len(shown)} of {len(every)} with most in use" if len(shown) < len(every) else "all of them"
    heads = f"  {'':<{width}}  {'kind':<{kinds}}  {'weights':>10}  {'‖w‖':>9}  {'in use':>8}  {'kept':>7}"
    lines = [f"layers, {which}", heads + (f"  {'dV/dlogα':>10}  decay" if judged else "")]
    lines += [_row(one, width, kinds) for one in shown]
    return [*lines, *wrap(_note(judged), "  "), ""]


def _row(one: LayerFacts, width: int, kinds: int) -> str:
    name, kind = shortened(one.name, 34), shortened(one.kind, 18)
    kept = f"{100 * one.kept:.3g}%" if one.penalised else "free"
    line = f"  {name:<{width}}  {kind:<{kinds}}  {one.weights:>10}  {one.norm:>9.4g}  {one.used:>8.3g}"
    return f"{line}  {kept:>7}" + ("" if one.slope is None else f"  {one.slope:>10.2g}  {one.advice or '-'}")


def _note(judged: bool) -> str:
    said = "in use: effective parameters without what is free; kept: their share of the penalised weights."
    if not judged:
        return said
    return (
        f"{said} dV/dlogα: slope of the validation loss in the decay of that layer alone, where the training "
        "stopped; a dash: within its noise."
    )
