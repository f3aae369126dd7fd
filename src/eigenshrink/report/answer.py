"""The answer in words: which strength, what it buys, whether to trust it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.plots import reading
from eigenshrink.plots.criteria import equivalent
from eigenshrink.plots.text import number, plural
from eigenshrink.report import losses
from eigenshrink.report.estimates import SHOWN, as_good, finite
from eigenshrink.report.html import table, tag, text
from eigenshrink.report.words import agreement, groups_and_judges, opened
from eigenshrink.risk import criterion_name

Array = NDArray[np.float64]


CORRECTED = (
    "Corrected: the lowest point of a curve looks better than it is because it was picked; a bootstrap "
    "of the rows says by how much."
)
SAME, TRAINING = "the same, corrected", "the same, on the training rows"
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
    return "".join((opening(study), bought(study), *doubts, verdict(study)))


def _one(study: Any) -> str:
    alpha = reading.chosen(study, 0)
    use = "Use " if reading.was_chosen(study, None) else "As given: "
    said = tag("p", use, tag("strong", f"α = {number(alpha)}"), class_="answer")
    sure = as_good(study)
    said += tag("p", text(sure), class_="sure") if sure else ""
    used, most = (study.path.effective_parameters(at) for at in (alpha, reading.weakest(study)[0]))
    noun = "parameter is" if most == 1 else "parameters are"
    in_use = f"{number(used, 3)} of {number(most)} {noun} in use (effective number, γ)."
    why = (_reason(study), _boundary(study), losses.separation(study), in_use)
    said += tag("p", text(" ".join(filter(None, why))))
    proof = losses.proof(study)
    loss = f"Loss: {losses.loss_in_words(study)}. Proof: {proof}." if proof else ""
    about = f"{losses.classes_in_words(study)}." if study.classes else ""
    return said + "".join(tag("p", text(line)) for line in (loss, about) if line)


def _boundary(study: Any) -> str:
    if not reading.was_chosen(study, None):
        return ""
    if 0 < reading.chosen(study, 0) <= study.path.lowest:
        return "That is the weakest strength with a solution: by this criterion regularisation does not help."
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
    alpha, (weakest, _) = reading.chosen(study, 0), reading.weakest(study)
    word = "chosen" if reading.was_chosen(study, None) else "given"
    bare, here, endless = (float(np.ravel(curve(strength))[0]) for strength in (weakest, alpha, np.inf))
    corrected = _corrected(study)
    least = f"the weakest there is, α = {number(weakest, 3)}" if weakest else "no regularisation, α → 0"
    lines = [
        (least, weakest, bare),
        (f"{word}, α = {number(alpha)}", alpha, here),
        *((SAME, alpha, float(each)) for each in corrected),
        (TRAINING, alpha, float(np.ravel(study.risk["train"](alpha))[0])),
        ("endless, α → ∞", np.inf, endless),
    ]
    known = _known(study)
    rows = []
    for name, strength, value in lines:
        used = number(study.path.effective_parameters(strength), 3)
        rows.append([name, used, finite(value), *_figure(study, name, strength, value)])
    heads = ["strength", "parameters in use", curve.unit, *known]
    caption = f"Error to expect on new rows, estimated by {criterion_name(curve.name)}"
    made = tag("p", text(_saved(bare, here, weakest, alpha) + _success(study, alpha)))
    made += table(caption, heads, rows, "tnnn"[: len(heads)])
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


def _known(study: Any) -> list[str]:
    """Return the name of the error in the unit that people know, if there is one."""
    if losses.base(study) == losses.SQUARED:
        return ["typical error"]
    if "misclassified" in study.risk:
        return ["correctly classified"]
    return [losses.success(study, np.inf)[0]] if losses.success(study, np.inf)[0] else []


def _figure(study: Any, name: str, strength: float, value: float) -> list[str]:
    """Return the error in that unit: the root mean squared one, rows that are right, deviance explained."""
    if losses.base(study) == losses.SQUARED:
        return [f"±{number(np.sqrt(2 * value), 3)}" if 0 <= value < np.inf else "–"]
    if "misclassified" in study.risk:
        said = losses.percent(losses.correct(study, strength))
        return ["–" if name in (TRAINING, SAME) else said]
    null = float(np.ravel(study.estimate(np.inf))[0])
    share = 1 - value / null if 0 < null < np.inf and np.isfinite(value) else np.nan
    return [losses.percent(share) if name != TRAINING else "–"] * len(_known(study))


def _success(study: Any, alpha: float) -> str:
    """Say how well rows are predicted that were left out; nothing for squared loss."""
    name, said = losses.success(study, alpha) if losses.base(study) != losses.SQUARED else ("", "")
    return f" {opened(name)}: {said}." if said else ""


def _saved(bare: float, here: float, weakest: float = 0.0, alpha: float = np.inf) -> str:
    if alpha <= weakest and weakest > 0:
        return "This is the weakest strength that there is."
    without = f"at α = {number(weakest, 3)}" if weakest else "without regularisation"
    if not (np.isfinite(bare) and np.isfinite(here)):
        return f"{opened(without)} the error cannot be estimated: some row is fitted whatever it says."
    share = 100 * (1 - here / bare) if bare > 0 else 0.0
    if abs(share) < 0.05:
        return f"The estimated error is the same {without}."
    than = "lower" if share > 0 else "higher"
    return f"The estimated error is {number(abs(share), 2)} % {than} than {without}."


def verdict(study: Any) -> str:
    """Say how many checks passed, and which did not."""
    counts = {word: sum(f.verdict == word for f in study.audit) for word in ("pass", "warn", "fail")}
    said = plural(counts["pass"], "check passes", "checks pass")
    for word, one, many in (("warn", "warns", "warn"), ("fail", "fails", "fail")):
        names = ", ".join(finding.check for finding in study.audit if finding.verdict == word)
        if names:
            said += f"; {counts[word]} {one if counts[word] == 1 else many}: {names}"
    mood = "fail" if counts["fail"] else "warn" if counts["warn"] else "pass"
    link = tag("a", "What was checked", href="#audit")
    return tag("p", text(f"The assumptions: {said}. "), link, ".", class_=f"verdict {mood}")
