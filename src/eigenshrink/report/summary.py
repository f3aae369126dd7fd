"""The answer in a terminal: what was chosen, what it does, how sure it is, and what to mind."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eigenshrink.inference import kept_per_column
from eigenshrink.plots import reading
from eigenshrink.report import losses
from eigenshrink.report.network import summary as network
from eigenshrink.report.plain import TIE, audit, bound, digits, labelled, shortened, wrap
from eigenshrink.report.words import agreement, groups_and_judges, kind, rows_share_groups
from eigenshrink.risk import criterion_name

if TYPE_CHECKING:
    from eigenshrink.record import Study

RATIO = 14  # characters of the column of ratios
SHOWN = 12  # coefficients and targets that a terminal shows
UNSHRUNK = 1 - 1e-9  # share of a column's weight from which on it counts as kept whole
BOUNDARY = {
    "zero": "α → 0: no regularisation",
    "infinite": "α → ∞: the penalised columns are left out",
    "flat": "the curve is flat towards α → 0 and makes no choice there",
}
UNITS = {  # the peers that are named here, by loss
    "squared": ("sklearn.Ridge", "glmnet.gaussian", "statsmodels.OLS", "MASS.lm.ridge", "torch.SGD"),
    "logistic": ("sklearn.LogisticRegression", "statsmodels.GLM", "glum", "glmnet.binomial"),
    "binomial": ("sklearn.LogisticRegression", "statsmodels.GLM", "glum", "glmnet.binomial"),
    "multinomial": ("sklearn.LogisticRegression", "glmnet.multinomial", "torch.SGD"),
    "poisson": ("sklearn.PoissonRegressor", "statsmodels.GLM", "glum", "glmnet.poisson", "mgcv.paraPen"),
    "gamma": ("sklearn.GammaRegressor", "glum", "mgcv.paraPen"),
    "tweedie": ("sklearn.TweedieRegressor", "glum", "mgcv.paraPen"),
}
WEAKEST = "the weakest strength that has a solution: by this criterion regularisation does not help"
SCATTER = (
    "s.e. is the scatter of the shrunken estimate at this α, with independent rows. The estimate is biased "
    "towards 0, so that intervals made of it do not cover the true weight as often as they say."
)
BIASED = f"{SCATTER} kept is the share of a column's own weight that α leaves."
UNBIASED = "s.e. is that of least squares with independent rows: this α shrinks no column."
UNPENALISED = "s.e. is that without a penalty, with independent rows: this α shrinks no column."
GROUPED = "Rows that belong together are not independent: the true scatter is usually larger."
NO_SCATTER = "No degree of freedom is left to estimate the scatter, so that there are no standard errors."


def summary(study: Study) -> str:
    """A page of plain text, no line longer than 110 characters."""
    return "\n".join(line for part in PARTS[kind(study)] for line in part(study))


def opening(study: Study) -> list[str]:
    """What was fitted to how much, and what was minimised."""
    facts = study.facts
    weights = (
        f", weights {facts.weight_kind} with sum {facts.weight_sum:g}"
        if facts.weight_sum != facts.rows
        else ""
    )
    targets = f" for {facts.targets} targets" if facts.targets > 1 else ""
    columns = "1 column" if facts.columns == 1 else f"{facts.columns} columns"
    lines = [f"eigenshrink: {facts.rows} rows, {columns}{targets}{weights}", *wrap(groups_and_judges(study))]
    if losses.base(study) != losses.SQUARED:
        lines += [*wrap(f"loss: {losses.loss_in_words(study)}"), *wrap(losses.classes_in_words(study))]
    return [*lines, *wrap(study.objective), ""]


def answer(study: Study) -> list[str]:
    """The strength, what it does, and the coefficients; of several targets a line for each."""
    one = study.facts.one_target or losses.base(study) != losses.SQUARED
    return [*(_one_target if one else _targets)(study), ""]


def _one_target(study: Study) -> list[str]:
    lines = [*_strength(study), *_size(study), *_errors(study)]
    lines += labelled("proof", losses.proof(study))
    wanted = UNITS.get(losses.base(study), ())
    same = {name: study.equivalents[name] for name in wanted if study.equivalents.get(name) is not None}
    if same:
        numbers = ", ".join(f"{name}{TIE}{bound(float(value or 0.0), 5)}" for name, value in same.items())
        lines += labelled("the same elsewhere", f"{numbers}{_columns_meant(study)}")
    if not study.path.whole:
        return lines + labelled("directions", "not looked at: too many classes times columns")
    kept = study.directions().verdict
    counts = ", ".join(f"{kept.count(word)} {word}" for word in ("kept", "fading", "gone"))
    lines += labelled("directions", counts)
    return [*lines, "", *_coefficients(study)]


def _strength(study: Study) -> list[str]:
    """What was chosen, how sure that is, and whether the criteria agree."""
    choice = study.choice
    how = "as given"
    if choice.criterion != "given":
        how = f"chosen by {criterion_name(choice.criterion)}: {choice.reason}"
    alpha = float(np.ravel(study.alpha)[0])
    lines = labelled("strength α", f"{bound(alpha, 6)}, {how}")
    weakest = study.path.lowest > 0 and alpha <= study.path.lowest and choice.criterion != "given"
    lines += labelled("", WEAKEST if weakest else BOUNDARY.get(str(np.ravel(choice.boundary)[0]), ""))
    lines += labelled("", losses.separation(study))
    if choice.interval is not None:
        low, high = np.ravel(choice.interval)
        said = f": {choice.flatness}" if choice.flatness else ""
        lines += labelled("interval of α", f"{bound(low, 4)} to {bound(high, 4)}{said}")
    return lines + labelled("agreement", agreement(study))


def _size(study: Study) -> list[str]:
    free = study.facts.free_rank
    most = free + reading.removable(study)
    used, df, phi = (
        float(np.ravel(each)[0]) for each in (study.effective_parameters, study.residual_df, study.dispersion)
    )
    lines = labelled("effective parameters", f"{used:.4g} of {most} ({free} not penalised)")
    if losses.base(study) == losses.SQUARED:
        return lines + labelled("residual s.d.", f"{digits(float(np.sqrt(phi)), 6)}; residual df {df:.6g}")
    if study.path.loss.known_dispersion:
        return lines + labelled("residual df", f"{df:.6g}")
    return lines + labelled("dispersion", f"{digits(phi, 6)}; residual df {df:.6g}")


def _errors(study: Study) -> list[str]:
    """Estimated and training error, in the unit that people know: of squared loss MSE, twice the loss."""
    choice, curve, alpha = study.choice, study.estimate, float(np.ravel(study.alpha)[0])
    squared = losses.base(study) == losses.SQUARED
    unit, times = ("MSE", 2.0) if squared else (curve.unit, 1.0)
    weakest, bare = reading.weakest(study)
    each = curve(alpha), curve(weakest), study.path.train_loss(alpha)
    here, without, train = (times * float(np.ravel(value)[0]) for value in each)
    share = 1 - here / without if 0 < without < np.inf and np.isfinite(here) else 0.0
    gain = f"{abs(share):.1%} {'lower' if share > 0 else 'higher'} than {bound(without, 6)} {bare}"
    if abs(share) < 5e-4:
        gain = f"{bound(without, 6)} {bare}" if weakest else f"{bare} {bound(without, 6)}"
    gain = f"; {gain}" if alpha > weakest or not weakest else ""
    lines = labelled(f"estimated {unit}", f"{bound(here, 6)} by {criterion_name(curve.name)}{gain}")
    corrected = np.nan if choice.corrected is None else float(np.ravel(choice.corrected)[0])
    if np.isfinite(corrected):
        lines += labelled("", f"{times * corrected:.6g} corrected for having picked the minimum")
    lines += [] if squared else labelled(*losses.success(study, alpha))
    return lines + labelled(f"training {unit}", bound(train, 6))


def _columns_meant(study: Study) -> str:
    if study.facts.standardize:
        return " (for columns divided by their sd)"
    return " (for columns divided by √d)" if study.facts.penalty_factor else ""


def _targets(study: Study) -> list[str]:
    """One line for each target, and what its boundary means below."""
    choice, names = study.choice, [shortened(name, 24) for name in study.target_names[:SHOWN]]
    width = max(6, *map(len, names))
    few = study.facts.targets <= SHOWN and choice.interval is not None
    heads = f"  {'target':<{width}}  {'α':>11}  {'interval of α' if few else '':>21}"
    lines = wrap(_strengths(study))
    lines += ["", f"{heads}  {'eff. parameters':>15}  {'residual s.d.':>13}  {'on df':>9}".rstrip()]
    gammas, scatter, df = study.effective_parameters, np.sqrt(study.dispersion), study.residual_df
    for j, name in enumerate(names):
        ends = " to ".join(bound(end, 3) for end in choice.interval[j]) if few else ""
        lines.append(
            f"  {name:<{width}}  {bound(study.alpha[j], 6):>11}  {ends:>21}  {gammas[j]:>15.4g}  "
            f"{digits(scatter[j], 6):>13}  {df[j]:>9.5g}"
        )
    if len(study.target_names) > SHOWN:
        lines.append(f"  and {len(study.target_names) - SHOWN} more targets")
    for boundary, meaning in BOUNDARY.items():
        there = [name for name, its in zip(names, choice.boundary, strict=False) if its == boundary]
        lines += wrap(f"{', '.join(there)}: {meaning}", "  ") if there else []
    return [*lines, *wrap(agreement(study))]


def _strengths(study: Study) -> str:
    choice = study.choice
    if choice.criterion == "given":
        return "strengths as given"
    return f"strengths chosen by {criterion_name(choice.criterion)}: {choice.reason}"


def _coefficients(study: Study) -> list[str]:
    """Estimate, standard error and share kept, the columns that move the prediction most first."""
    coef = np.atleast_2d(np.asarray(study.coef(), dtype=np.float64))
    errors = np.atleast_2d(study.standard_errors())
    kept = np.atleast_2d(kept_per_column(study.path, float(np.ravel(study.alpha)[0])))
    names, p, ratio = study.weight_names, coef.shape[1], losses.ratio(study)
    moves = (np.abs(coef) * study.path.sample.column_sd).ravel()
    order = np.argsort(-moves, kind="stable")[:SHOWN]
    level = _intercepts(study) if study.facts.fit_intercept else []
    labels = [shortened(names[j], 60) for j in order]
    width = max(len("intercept"), *map(len, labels), *(len(label) for label, _ in level))
    which = f"the {len(order)} of {coef.size} that move" if len(order) < coef.size else "first what moves"
    heads = f"  {'':<{width}}  {'estimate':>12}  {'s.e.':>10}  {'kept':>6}"
    lines = [
        f"coefficients in original units, {which} the prediction most",
        heads + (f"  {ratio:>{RATIO}}" if ratio else ""),
    ]
    own = errors[:, :p].ravel()
    for label, j in zip(labels, order, strict=True):
        share = "free" if j % p in study.path.fit.free else f"{kept.ravel()[j]:.1%}"
        row = _row(label, width, coef.ravel()[j], own[j], share)
        lines.append(row + (f"  {_multiple(coef.ravel()[j]):>{RATIO}}" if ratio else ""))
    lines += [_row(name, width, value, errors[k, -1], "free") for k, (name, value) in enumerate(level)]
    return [*lines, *wrap(_note(study, errors, kept), "  ")]


def _intercepts(study: Study) -> list[tuple[str, float]]:
    """The intercept, or that of each class."""
    values = np.ravel(study.intercept())
    labels = [f"{label}: intercept" for label in reading.class_labels(study)] or ["intercept"]
    return [(shortened(label, 60), float(value)) for label, value in zip(labels, values, strict=True)][:SHOWN]


def _multiple(coefficient: float) -> str:
    """What one unit more of a column multiplies."""
    return f"{np.exp(coefficient):.4g}" if abs(coefficient) < 300 else "-"


def _row(label: str, width: int, estimate: float, error: float, share: str) -> str:
    return f"  {label:<{width}}  {estimate:>12.6g}  {digits(error, 4):>10}  {share:>6}"


def _note(study: Study, errors: NDArray[np.floating], kept: NDArray[np.float64]) -> str:
    """What the standard errors mean here, and what they do not."""
    if np.isnan(errors).any():
        return NO_SCATTER
    unshrunk = UNBIASED if losses.base(study) == losses.SQUARED else UNPENALISED
    note = BIASED if np.any(kept[:, study.path.fit.active] < UNSHRUNK) else unshrunk
    return f"{note} {GROUPED}" if rows_share_groups(study) else note


Part = Callable[["Study"], list[str]]
PARTS: dict[str, tuple[Part, ...]] = {
    "columns": (opening, answer, audit),
    "network": (network.opening, network.answer, network.layers, audit),
}
"""What is said of each kind of study: lines of one part after the other."""
