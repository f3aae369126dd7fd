"""The answer in words: which strength, what to type elsewhere, what it buys, whether to trust it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.plots import reading
from eigenshrink.plots.criteria import equivalent
from eigenshrink.plots.text import number, plural
from eigenshrink.report.estimates import SHOWN, as_good, finite
from eigenshrink.report.html import table, tag, text
from eigenshrink.report.words import agreement, groups_and_judges
from eigenshrink.risk import criterion_name
from eigenshrink.units import PEERS, convert

Array = NDArray[np.float64]

FIRST = ("sklearn.Ridge", "statsmodels.OLS", "glum", "glmnet.gaussian")

CORRECTED = (
    "Corrected: the lowest point of a curve looks better than it is because it was picked; a bootstrap "
    "of the rows says by how much."
)
BOUNDARIES = {
    "zero": "The best strength is the smallest one: by this criterion regularisation does not help here.",
    "infinite": "The best strength is endless: by this criterion the penalised columns do not help at all, "
    "and their coefficients are 0.",
    "flat": "The criterion is flat towards α → 0: it does not tell small strengths apart.",
}


def answer(study: Any) -> str:
    """Return the opening of the page."""
    several = len(study.target_names) > 1
    opening, bought = (_several, _bought_each) if several else (_one, _bought)
    doubts = [tag("p", text(said)) for said in (agreement(study), groups_and_judges(study)) if said]
    return "".join((opening(study), bought(study), *doubts, _verdict(study)))


def equivalents(study: Any) -> str:
    """Return what to set in other programs for the same model."""
    if not study.facts.one_target:
        return _scale(study) + _ridges(study)
    if not np.isfinite(study.alpha).all():
        return tag("p", "An endless strength is set by leaving the penalised columns out.")
    numbers = {peer: value for peer, value in study.equivalents.items() if value is not None}
    first = [_peer(peer, numbers[peer], study) for peer in FIRST if peer in numbers]
    rest = [_peer(peer, numbers[peer], study) for peer in numbers if peer not in FIRST]
    said = _scale(study) + tag("ul", *first, class_="peers")
    if rest:
        more = tag("summary", text(plural(len(rest), "more program")))
        said += tag("details", more, tag("ul", *rest, class_="peers"))
    return said


def _one(study: Any) -> str:
    alpha = reading.chosen(study, 0)
    use = "Use " if reading.was_chosen(study, None) else "As given: "
    said = tag("p", use, tag("strong", f"α = {number(alpha)}"), class_="answer")
    sure = as_good(study)
    said += tag("p", text(sure), class_="sure") if sure else ""
    used, most = (study.path.effective_parameters(at) for at in (alpha, 0.0))
    noun = "parameter is" if most == 1 else "parameters are"
    in_use = f"{number(used, 3)} of {number(most)} {noun} in use (effective number, γ)."
    return said + tag("p", text(" ".join(filter(None, (_reason(study), _boundary(study), in_use)))))


def _boundary(study: Any) -> str:
    if not reading.was_chosen(study, None):
        return ""
    return BOUNDARIES.get(str(np.ravel(study.choice.boundary)[0]), "")


def _several(study: Any) -> str:
    count = len(study.target_names)
    distinct = np.unique(study.alpha)
    what = f"α = {number(distinct[0])} for all {count} targets"
    if len(distinct) > 1:
        what = f"one strength per target, from α = {number(distinct[0])} to {number(distinct[-1])}"
    use = "Use " if reading.was_chosen(study, None) else "As given: "
    said = tag("p", use, tag("strong", text(what)), class_="answer")
    more = f" The first {SHOWN} of {count} are listed." if count > SHOWN else ""
    found = equivalent(study)
    as_good = [] if found is None else [f"as good by {criterion_name(found[0])}"]
    heads = ("target", "α", *as_good, "parameters in use", "where the minimum is")
    rows = _targets(study, None if found is None else found[1])
    why = tag("p", text(_reason(study) + more))
    return said + why + table("Strength of each target", heads, rows, "tn" + "n" * len(as_good) + "nt")


def _targets(study: Any, interval: Array | None) -> Iterator[list[str]]:
    words = {"none": "inside", "zero": "at α → 0", "infinite": "at α → ∞", "flat": "flat towards α → 0"}
    boundaries = np.broadcast_to(study.choice.boundary, len(study.target_names))
    for target, name in list(enumerate(study.target_names))[:SHOWN]:
        alpha = reading.chosen(study, target)
        used = number(study.path.effective_parameters(alpha), 3)
        ends = [] if interval is None else [" to ".join(number(end, 2) for end in interval[target])]
        yield [text(name), number(alpha), *ends, used, words[str(boundaries[target])]]


def _reason(study: Any) -> str:
    reason = study.choice.reason
    if study.choice.criterion == "given":
        return f"{reason[:1].upper()}{reason[1:]}."
    return f"Chosen by {criterion_name(study.choice.criterion)} ({reason})."


def _bought(study: Any) -> str:
    """Say what the strength buys: the estimated error beside no regularisation and beside nothing else."""
    curve = study.estimate
    alpha = reading.chosen(study, 0)
    word = "chosen" if reading.was_chosen(study, None) else "given"
    bare, here, endless = (float(np.ravel(curve(strength))[0]) for strength in (0.0, alpha, np.inf))
    corrected = _corrected(study)
    lines = [
        ("no regularisation, α → 0", 0.0, bare),
        (f"{word}, α = {number(alpha)}", alpha, here),
        *(("the same, corrected", alpha, float(each)) for each in corrected),
        ("the same, on the training rows", alpha, float(np.ravel(study.risk["train"](alpha))[0])),
        ("endless, α → ∞", np.inf, endless),
    ]
    rows = []
    for name, strength, value in lines:
        used = number(study.path.effective_parameters(strength), 3)
        rows.append([name, used, finite(value), *_typical(study, value)])
    typical = ["typical error"] if study.loss == "squared" else []
    heads = ["strength", "parameters in use", curve.unit, *typical]
    caption = f"Error to expect on new rows, estimated by {criterion_name(curve.name)}"
    made = tag("p", text(_saved(bare, here))) + table(caption, heads, rows, "tnnn"[: len(heads)])
    return made + (tag("p", CORRECTED, class_="note") if corrected else "")


def _corrected(study: Any) -> list[float]:
    """Return the estimate corrected for having picked its minimum, one per target; empty if unknown."""
    values = np.ravel(study.choice.corrected) if study.choice.corrected is not None else np.zeros(0)
    whole = len(values) == len(study.target_names) and np.isfinite(values).all()
    return list(values) if whole else []


def _bought_each(study: Any) -> str:
    curve = study.estimate
    corrected = _corrected(study)
    ends = [np.ravel(curve(at)) for at in (0.0, None)] + [corrected] * bool(corrected)
    ends.append(np.ravel(curve(np.inf)))
    rows = [
        [text(name), *(finite(end[target]) for end in ends)]
        for target, name in list(enumerate(study.target_names))[:SHOWN]
    ]
    word = "chosen α" if reading.was_chosen(study, None) else "given α"
    heads = ("target", "no regularisation", word, *(["corrected"] if corrected else []), "α → ∞")
    caption = f"Error to expect on new rows, estimated by {criterion_name(curve.name)}: {curve.unit}"
    made = table(caption, heads, rows, "t" + "n" * len(ends))
    return made + (tag("p", CORRECTED, class_="note") if corrected else "")


def _typical(study: Any, value: float) -> list[str]:
    """Return the root mean squared error, in the unit of the target, where the loss is squared."""
    if study.loss != "squared":
        return []
    return [f"±{number(np.sqrt(2 * value), 3)}" if 0 <= value < np.inf else "–"]


def _saved(bare: float, here: float) -> str:
    if not (np.isfinite(bare) and np.isfinite(here)):
        return "Without regularisation the error cannot be estimated: some row is fitted whatever it says."
    share = 100 * (1 - here / bare) if bare > 0 else 0.0
    if abs(share) < 0.05:
        return "The estimated error is the same without regularisation."
    than = "lower" if share > 0 else "higher"
    return f"The estimated error is {number(abs(share), 2)} % {than} than without regularisation."


def _verdict(study: Any) -> str:
    counts = {word: sum(f.verdict == word for f in study.audit) for word in ("pass", "warn", "fail")}
    said = plural(counts["pass"], "check passes", "checks pass")
    for word, one, many in (("warn", "warns", "warn"), ("fail", "fails", "fail")):
        names = ", ".join(finding.check for finding in study.audit if finding.verdict == word)
        if names:
            said += f"; {counts[word]} {one if counts[word] == 1 else many}: {names}"
    mood = "fail" if counts["fail"] else "warn" if counts["warn"] else "pass"
    link = tag("a", "What was checked", href="#audit")
    return tag("p", text(f"The assumptions: {said}. "), link, ".", class_=f"verdict {mood}")


def _scale(study: Any) -> str:
    if study.facts.penalty_factor:
        how = (
            "The penalty differs by column: give the program the same penalty factors d, or divide each "
            "column by √d. A free column needs a program that can leave it out of the penalty."
        )
        return tag("p", how)
    if study.facts.standardize:
        return tag(
            "p", "The numbers are for columns divided by their standard deviation (divisor n), as here."
        )
    return ""


def _peer(peer: str, value: float, study: Any) -> str:
    known = PEERS[peer]
    typed = f"{known.parameter} = {float(f'{value:.6g}')!r}"
    if peer == "sklearn.Ridge":
        typed = _ridge(value, study)
    note = tag("span", text(" ".join(known.notes)), class_="note") if known.notes else ""
    return tag("li", tag("strong", text(peer)), " ", tag("code", text(typed)), " ", note)


def _ridge(value: float, study: Any) -> str:
    """Return the model in scikit-learn; at 0 the one that takes the smallest weights of many."""
    model = f"Ridge(alpha={float(f'{value:.6g}')!r})" if value else "LinearRegression()"
    only_sd = study.facts.standardize and not study.facts.penalty_factor
    return f"make_pipeline(StandardScaler(), {model})" if only_sd else model


def _ridges(study: Any) -> str:
    """Return one model per target: the other programs fit one target at a time."""
    rows = []
    for target, name in list(enumerate(study.target_names))[:SHOWN]:
        alpha = reading.chosen(study, target)
        value = convert(alpha, to="sklearn.Ridge", weight_sum=study.facts.weight_sum)
        typed = tag("code", text(_ridge(float(value or 0.0), study)))
        rows.append([text(name), typed if np.isfinite(alpha) else "leave the penalised columns out"])
    return table("The same models in scikit-learn", ("target", "type"), rows, "tt")
