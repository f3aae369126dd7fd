"""The answer in a terminal: what was chosen, what it does, how sure it is, and what to mind."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eigenshrink.data.names import shown
from eigenshrink.inference import kept_per_column
from eigenshrink.report.words import agreement, groups_and_judges, rows_share_groups
from eigenshrink.risk import criterion_name

if TYPE_CHECKING:
    from eigenshrink.record import Study

WIDTH = 110  # characters of a line
LABEL = 25  # of them before what is said of something
TIE = "\N{NO-BREAK SPACE}"  # where a line is not broken
SHOWN = 12  # coefficients and targets that a terminal shows
UNSHRUNK = 1 - 1e-9  # share of a column's weight from which on it counts as kept whole
BOUNDARY = {
    "zero": "α → 0: no regularisation",
    "infinite": "α → ∞: the penalised columns are left out",
    "flat": "the curve is flat towards α → 0 and makes no choice there",
}
UNITS = ("sklearn.Ridge", "glmnet.gaussian", "statsmodels.OLS", "MASS.lm.ridge", "torch.SGD")
BIASED = (
    "s.e. is the scatter of the shrunken estimate at this α, with independent rows. The estimate is biased "
    "towards 0, so that intervals made of it do not cover the true weight as often as they say. kept is the "
    "share of a column's own weight that α leaves."
)
UNBIASED = "s.e. is that of least squares with independent rows: this α shrinks no column."
GROUPED = "Rows that belong together are not independent: the true scatter is usually larger."
NO_SCATTER = "No degree of freedom is left to estimate the scatter, so that there are no standard errors."


def summary(study: Study) -> str:
    """A page of plain text, no line longer than 110 characters."""
    facts = study.facts
    weights = (
        f", weights {facts.weight_kind} with sum {facts.weight_sum:g}"
        if facts.weight_sum != facts.rows
        else ""
    )
    targets = f" for {facts.targets} targets" if facts.targets > 1 else ""
    columns = "1 column" if facts.columns == 1 else f"{facts.columns} columns"
    lines = [f"eigenshrink: {facts.rows} rows, {columns}{targets}{weights}", *_wrap(groups_and_judges(study))]
    lines += [*_wrap(study.objective), ""]
    lines += _one_target(study) if facts.one_target else _targets(study)
    lines += ["", *_audit(study)]
    return "\n".join(lines)


def _one_target(study: Study) -> list[str]:
    lines = [*_strength(study), *_size(study), *_errors(study)]
    same = {name: study.equivalents[name] for name in UNITS if study.equivalents.get(name) is not None}
    if same:
        numbers = ", ".join(f"{name}{TIE}{value:.5g}" for name, value in same.items())
        lines += _said("the same elsewhere", f"{numbers}{_columns_meant(study)}")
    kept = study.directions().verdict
    counts = ", ".join(f"{kept.count(word)} {word}" for word in ("kept", "fading", "gone"))
    lines += _said("directions", counts)
    return [*lines, "", *_coefficients(study)]


def _strength(study: Study) -> list[str]:
    """What was chosen, how sure that is, and whether the criteria agree."""
    choice = study.choice
    how = "as given"
    if choice.criterion != "given":
        how = f"chosen by {criterion_name(choice.criterion)}: {choice.reason}"
    lines = _said("strength α", f"{_end(float(study.alpha), 6)}, {how}")
    lines += _said("", BOUNDARY.get(choice.boundary, ""))
    if choice.interval is not None:
        low, high = choice.interval
        lines += _said("interval of α", f"{_end(low, 4)} to {_end(high, 4)}: {choice.flatness}")
    return lines + _said("agreement", agreement(study))


def _size(study: Study) -> list[str]:
    free = study.facts.free_rank
    most = len(study.spectrum.eigenvalues) + free
    lines = _said(
        "effective parameters", f"{study.effective_parameters:.4g} of {most} ({free} not penalised)"
    )
    scatter = _number(float(np.sqrt(study.dispersion)), 6)
    return lines + _said("residual s.d.", f"{scatter}; residual df {study.residual_df:.6g}")


def _errors(study: Study) -> list[str]:
    """Estimated and training error, in the unit that people know: MSE, twice the loss."""
    choice, alpha = study.choice, float(study.alpha)
    curve = study.estimate
    here, without = 2 * curve(alpha), 2 * curve(0.0)
    share = 1 - here / without if 0 < without < np.inf else 0.0
    gain = f"{abs(share):.1%} {'lower' if share > 0 else 'higher'} than {without:.6g} without regularisation"
    if abs(share) < 5e-4:
        gain = f"without regularisation {without:.6g}"
    lines = _said("estimated MSE", f"{here:.6g} by {criterion_name(curve.name)}; {gain}")
    if choice.corrected is not None and np.isfinite(choice.corrected):
        lines += _said("", f"{2 * choice.corrected:.6g} corrected for having picked the minimum")
    return lines + _said("training MSE", f"{2 * study.path.train_loss(alpha):.6g}")


def _columns_meant(study: Study) -> str:
    if study.facts.standardize:
        return " (for columns divided by their sd)"
    return " (for columns divided by √d)" if study.facts.penalty_factor else ""


def _targets(study: Study) -> list[str]:
    """One line for each target, and what its boundary means below."""
    choice, names = study.choice, [_name(name, 24) for name in study.target_names[:SHOWN]]
    width = max(6, *map(len, names))
    few = study.facts.targets <= SHOWN and choice.interval is not None
    heads = f"  {'target':<{width}}  {'α':>11}  {'interval of α' if few else '':>21}"
    lines = _wrap(_strengths(study))
    lines += ["", f"{heads}  {'eff. parameters':>15}  {'residual s.d.':>13}  {'on df':>9}".rstrip()]
    gammas, scatter, df = study.effective_parameters, np.sqrt(study.dispersion), study.residual_df
    for j, name in enumerate(names):
        ends = " to ".join(_end(end, 3) for end in choice.interval[j]) if few else ""
        lines.append(
            f"  {name:<{width}}  {_end(study.alpha[j], 6):>11}  {ends:>21}  {gammas[j]:>15.4g}  "
            f"{_number(scatter[j], 6):>13}  {df[j]:>9.5g}"
        )
    if len(study.target_names) > SHOWN:
        lines.append(f"  and {len(study.target_names) - SHOWN} more targets")
    for boundary, meaning in BOUNDARY.items():
        there = [name for name, its in zip(names, choice.boundary, strict=False) if its == boundary]
        lines += _wrap(f"{', '.join(there)}: {meaning}", "  ") if there else []
    return [*lines, *_wrap(agreement(study))]


def _strengths(study: Study) -> str:
    choice = study.choice
    if choice.criterion == "given":
        return "strengths as given"
    return f"strengths chosen by {criterion_name(choice.criterion)}: {choice.reason}"


def _coefficients(study: Study) -> list[str]:
    """Estimate, standard error and share kept, the columns that move the prediction most first."""
    coef, names = np.asarray(study.coef(), dtype=np.float64), study.feature_names
    errors, kept = study.standard_errors(), kept_per_column(study.path, study.alpha)
    order = np.argsort(-np.abs(coef) * study.path.sample.column_sd, kind="stable")[:SHOWN]
    labels = [_name(names[j], 60) for j in order]
    width = max(len("intercept"), *map(len, labels))
    which = f"the {len(order)} of {len(coef)} that move" if len(order) < len(coef) else "first what moves"
    lines = [
        f"coefficients in original units, {which} the prediction most",
        f"  {'':<{width}}  {'estimate':>12}  {'s.e.':>10}  {'kept':>6}",
    ]
    for label, j in zip(labels, order, strict=True):
        share = "free" if j in study.path.fit.free else f"{kept[j]:.1%}"
        lines.append(_row(label, width, coef[j], errors[j], share))
    if study.facts.fit_intercept:
        lines.append(_row("intercept", width, study.intercept(), errors[-1], "free"))
    return [*lines, *_wrap(_note(study, errors, kept), "  ")]


def _row(label: str, width: int, estimate: float, error: float, share: str) -> str:
    return f"  {label:<{width}}  {estimate:>12.6g}  {_number(error, 4):>10}  {share:>6}"


def _note(study: Study, errors: NDArray[np.floating], kept: NDArray[np.float64]) -> str:
    """What the standard errors mean here, and what they do not."""
    if np.isnan(errors).any():
        return NO_SCATTER
    note = BIASED if np.any(kept[study.path.fit.active] < UNSHRUNK) else UNBIASED
    return f"{note} {GROUPED}" if rows_share_groups(study) else note


def _audit(study: Study) -> list[str]:
    findings = [finding for finding in study.audit if finding.verdict != "pass"]
    if not findings:
        return [f"audit: {len(study.audit)} checks passed"]
    lines = [f"audit: {len(study.audit) - len(findings)} of {len(study.audit)} checks passed"]
    for finding in findings:
        said = f"{finding.verdict.upper()} {finding.check}: {finding.meaning} {finding.advice}"
        lines += _wrap(said, "  ", "    ")
    return lines


def _said(label: str, text: str) -> list[str]:
    """A label, and what is said of it in as many lines as it takes; nothing where nothing is said."""
    return _wrap(text, f"{label:<{LABEL}}", " " * LABEL) if text else []


def _wrap(text: str, first: str = "", then: str | None = None) -> list[str]:
    later = first if then is None else then
    lines = textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=later, break_on_hyphens=False)
    return [line.replace(TIE, " ") for line in lines]


def _number(value: float, digits: int) -> str:
    """A number, or a dash where it is not known."""
    return "-" if np.isnan(value) else f"{value:.{digits}g}"


def _end(alpha: float, digits: int) -> str:
    """A strength, which may be endless."""
    return f"{alpha:.{digits}g}" if np.isfinite(alpha) else "∞"


def _name(name: str, most: int) -> str:
    """A column's name on one line, printable, not too long."""
    plain = shown(name)[1:-1]
    return plain if len(plain) <= most else plain[: most - 1] + "…"
