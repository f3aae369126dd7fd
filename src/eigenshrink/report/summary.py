"""The answer in a terminal: what was chosen, what it does, and what to mind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from eigenshrink.record import Study

SHOWN = 12  # coefficients, targets and directions that a terminal shows
BOUNDARY = {
    "zero": "no regularisation is best: the optimum is at α → 0",
    "infinite": "the columns do not help: the optimum is at α → ∞",
    "flat": "the curve is flat towards α → 0 and makes no choice there",
}
UNITS = ("sklearn.Ridge", "glmnet.gaussian", "statsmodels.OLS", "MASS.lm.ridge", "torch.SGD")


def summary(study: Study) -> str:
    """A page of plain text."""
    facts = study.facts
    weights = (
        f", weights {facts.weight_kind} with sum {facts.weight_sum:g}"
        if facts.weight_sum != facts.rows
        else ""
    )
    targets = f" for {facts.targets} targets" if facts.targets > 1 else ""
    columns = "1 column" if facts.columns == 1 else f"{facts.columns} columns"
    lines = [
        f"eigenshrink: {facts.rows} rows, {columns}{targets}{weights}",
        study.objective,
        "",
    ]
    lines += _one_target(study) if facts.one_target else _targets(study)
    lines += ["", *_audit(study)]
    return "\n".join(lines)


def _one_target(study: Study) -> list[str]:
    facts, alpha = study.facts, float(study.alpha)
    free = facts.free_rank
    most = len(study.spectrum.eigenvalues) + free
    lines = [
        f"strength α               {alpha:.6g}   ({study.choice.criterion}: {study.choice.reason})",
        f"effective parameters     {study.effective_parameters:.4g} of {most} ({free} not penalised)",
    ]
    boundary = BOUNDARY.get(study.choice.boundary)
    if boundary:
        lines.insert(1, f"                         {boundary}")
    lines += _errors(study, alpha)
    same = {name: study.equivalents[name] for name in UNITS if study.equivalents.get(name) is not None}
    if same:
        numbers = ", ".join(f"{name} {value:.5g}" for name, value in same.items())
        lines.append(f"the same elsewhere       {numbers}{_columns_meant(study)}")
    kept = study.directions().verdict
    counts = ", ".join(f"{kept.count(word)} {word}" for word in ("kept", "fading", "gone"))
    lines.append(f"directions               {counts}")
    return [*lines, "", *_coefficients(study)]


def _columns_meant(study: Study) -> str:
    if study.facts.standardize:
        return " (for columns divided by their sd)"
    return " (for columns divided by √d)" if study.facts.penalty_factor else ""


def _errors(study: Study, alpha: float) -> list[str]:
    name = study.choice.criterion if study.choice.criterion in ("loo", "gcv") else "loo"
    if name not in study.risk:
        name = "gcv"
    curve = study.risk[name]
    chosen, without = 2 * curve(alpha), 2 * curve(0.0)
    share = 1 - chosen / without if 0 < without < np.inf else 0.0
    gain = f" ({share:.1%} lower)" if share >= 5e-4 else ""
    return [
        f"estimated MSE ({name})      {chosen:.6g}; without regularisation {without:.6g}{gain}",
        f"training MSE             {2 * study.path.train_loss(alpha):.6g}",
    ]


def _targets(study: Study) -> list[str]:
    alphas = np.atleast_1d(study.alpha)
    gammas = np.atleast_1d(study.effective_parameters)
    names = study.target_names
    width = max(len(name) for name in names[:SHOWN])
    lines = [f"strengths by {study.choice.criterion}: {study.choice.reason}", ""]
    for j in range(min(len(names), SHOWN)):
        said = BOUNDARY.get(str(np.atleast_1d(study.choice.boundary)[j]), "")
        lines.append(
            f"  {names[j]:<{width}}  α {alphas[j]:<12.6g} effective parameters {gammas[j]:<8.4g} {said}"
        )
    if len(names) > SHOWN:
        lines.append(f"  and {len(names) - SHOWN} more targets")
    return lines


def _coefficients(study: Study) -> list[str]:
    coef, names = np.asarray(study.coef(), dtype=np.float64), study.feature_names
    moves = np.abs(coef) * study.path.sample.column_sd
    order = np.argsort(-moves, kind="stable")[:SHOWN]
    width = max([len("intercept"), *(len(names[j]) for j in order)])
    lines = [
        f"coefficients in original units (the {len(order)} that move the prediction most of {len(coef)})"
    ]
    lines += [f"  {names[j]:<{width}}  {coef[j]: .6g}" for j in order]
    if study.facts.fit_intercept:
        lines.append(f"  {'intercept':<{width}}  {study.intercept(): .6g}")
    return lines


def _audit(study: Study) -> list[str]:
    findings = [finding for finding in study.audit if finding.verdict != "pass"]
    if not findings:
        return [f"audit: {len(study.audit)} checks passed"]
    lines = [f"audit: {len(study.audit) - len(findings)} of {len(study.audit)} checks passed"]
    for finding in findings:
        lines.append(f"  {finding.verdict.upper()} {finding.check}: {finding.meaning} {finding.advice}")
    return lines
