"""A study as plain numbers: what ``result.json`` holds (schema/result.schema.json)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink._version import __version__
from eigenshrink.path import AnchoredPath
from eigenshrink.plots import reading
from eigenshrink.report import losses
from eigenshrink.report.network import result as network
from eigenshrink.report.network import words
from eigenshrink.report.numbers import plain
from eigenshrink.report.words import kind
from eigenshrink.units import equivalents, objective

if TYPE_CHECKING:
    from eigenshrink.record import Study

OFFSET = ", the offset of each row added to its x_iᵀw"
MANY = 20  # targets beyond which what is costly is left out


def to_dict(study: Study) -> dict[str, Any]:
    """Everything a program may want of a study, ready for JSON: no NaN and no infinity (null).

    Arrays have a target axis, last of the axes, where there are several targets.
    """
    peers = study.equivalents if study.facts.one_target else {}
    return {
        **_question(study),
        **_answer(study),
        **OWN[kind(study)](study),
        "equivalents": plain(peers),
        "audit": [plain(asdict(finding)) for finding in study.audit],
    }


def _question(study: Study) -> dict[str, Any]:
    """What was fitted to what."""
    facts = study.facts
    return {
        "version": __version__,
        "loss": study.loss,
        **_about_loss(study),
        "objective": study.objective,
        "rows": facts.rows,
        "weights": {"sum": plain(facts.weight_sum), "kind": facts.weight_kind},
        "groups": {"count": facts.groups, "source": facts.groups_source},
        "held_out": {"rows": facts.held_out, "source": facts.held_out_source},
        "folds": facts.folds,
    }


def _answer(study: Study) -> dict[str, Any]:
    """The strength, the curves over all of them, the spectrum."""
    path, alphas = study.path, study.alphas
    return {
        "alpha": _alpha(study),
        "agreement": _agreement(study),
        "effective_parameters": plain(study.effective_parameters),
        "residual_df": plain(study.residual_df),
        "dispersion": plain(study.dispersion),
        "alphas": plain(alphas),
        "path": {
            "effective_parameters": plain(path.effective_parameters(alphas)),
            "train_loss": plain(path.train_loss(alphas)),
            "norm": plain(path.norm(alphas)),
            "certificate": plain(path.certificate(alphas)),
        },
        **_proof(study),
        "risk": {name: plain(curve(alphas)) for name, curve in study.risk.items()},
        "risk_standard_error": _risk_errors(study),
        "spectrum": _spectrum(study),
    }


def _spectrum(study: Study) -> dict[str, Any]:
    """Eigenvalues and coordinates; empty where there are too many classes to look at them."""
    if not study.path.whole:
        return {"eigenvalues": [], "coordinates": []}
    coordinates = np.asarray(study.spectrum.coordinates).T
    return {"eigenvalues": plain(study.spectrum.eigenvalues), "coordinates": plain(coordinates)}


def _alpha(study: Study) -> dict[str, Any]:
    """The choice, how sure it is, and why; the ends of the interval that are null are infinite."""
    choice = study.choice
    return {
        "chosen": plain(choice.alpha),
        "criterion": choice.criterion,
        "reason": choice.reason,
        "boundary": plain(choice.boundary),
        "interval": None if choice.interval is None else plain(np.asarray(choice.interval)),
        "optimism": plain(choice.optimism),
        "corrected": plain(choice.corrected),
        **(network.own_strength(study) if kind(study) == "network" else {}),
    }


def _agreement(study: Study) -> Any:
    """What the criteria say beside each other; one entry per target where there are several."""
    found = study.choice.agreement
    if found is None:
        return None
    if isinstance(found, tuple):
        return [plain(asdict(one)) for one in found]
    return plain(asdict(found))


def _risk_errors(study: Study) -> dict[str, Any]:
    """Paired standard errors of the difference to each curve's own minimum, where they are defined.

    Of many targets only those of the estimate that is quoted: each costs a pass at every strength.
    """
    many = study.facts.targets > MANY
    curves = {study.estimate.name: study.estimate} if many else study.risk
    errors = {name: curve.standard_error(study.alphas) for name, curve in curves.items()}
    return {name: plain(error) for name, error in errors.items() if error is not None}


def _about_loss(study: Study) -> dict[str, Any]:
    """The unit of the loss, and of classes their labels, shares, and how often they are found."""
    about: dict[str, Any] = {"unit": study.path.loss.unit}
    alpha = float(np.ravel(study.alpha)[0])
    if study.classes:
        about["classes"] = [plain(label) for label in study.classes]
        about["class_shares"] = plain(list(study.facts.class_shares))
    if "misclassified" in study.risk:
        about["correctly_classified"] = plain(losses.correct(study, alpha))
    elif losses.base(study) != losses.SQUARED and kind(study) == "columns":
        about["explained"] = plain(losses.explained(study, alpha))
    return about


def _proof(study: Study) -> dict[str, Any]:
    """What is proved of a path that is solved at anchors (M16); nothing for squared loss."""
    path = study.path
    if not isinstance(path, AnchoredPath):
        return {}
    proof = {
        "certificate": plain(path.certificate(float(np.ravel(study.alpha)[0]), relative=True)),
        "tolerance": path.tolerance,
        "trusted": plain(list(path.trusted)),
        "anchors": [anchor.alpha for anchor in path.anchors],
        "lowest": float(path.lowest),
        "separation": path.separation or "none",
    }
    return {"proof": proof}


def _coefficients(study: Study) -> dict[str, Any]:
    """Coefficients and their standard errors by name, the intercept apart: a column may be called so.

    Of a multinomial loss by class, then by name.
    """
    labels = [str(label) for label in reading.class_labels(study)]
    weights, p = np.atleast_2d(study.coef()), study.facts.columns
    errors = np.full((len(weights), p + study.facts.fit_intercept), np.nan)
    if study.path.whole:
        errors = np.atleast_2d(study.standard_errors())
    own = errors[:, -1] if study.facts.fit_intercept else np.zeros(len(errors))
    found = {
        "coefficients": [_by_name(study, each) for each in weights],
        "standard_errors": [_by_name(study, each) for each in errors[:, :p]],
        "intercept": plain(np.ravel(study.intercept())),
        "intercept_standard_error": plain(own),
    }
    if labels:
        return {key: dict(zip(labels, each, strict=True)) for key, each in found.items()}
    if study.facts.one_target:
        return {key: each[0] for key, each in found.items()}
    beside = {"coefficients": weights, "standard_errors": errors[:, :p]}
    return found | {key: _by_name(study, each.T) for key, each in beside.items()}


def _by_name(study: Study, values: NDArray[np.floating]) -> dict[str, Any]:
    return {name: plain(value) for name, value in zip(study.feature_names, values, strict=True)}


def peers(study: Study) -> dict[str, float | None]:
    """What to type elsewhere for the chosen strength of a study with one target."""
    facts = study.facts
    factors = study.path.fit.penalty_factor
    if reading.of_network(study):
        return words.peers(study)
    if not losses.known(study):
        return {}
    return equivalents(
        float(np.ravel(study.alpha)[0]),
        loss=study.loss,
        standardize=facts.standardize,
        rows=facts.rows,
        weight_sum=facts.weight_sum,
        outputs=1,
        target_sd=float(facts.target_sd[0]) or None,
        columns=facts.columns,
        penalty_factor_sum=None if facts.standardize else float(factors.sum()) or None,
    )


def objective_in_words(study: Study) -> str:
    """The formula that was minimised (M1)."""
    facts = study.facts
    if reading.of_network(study):
        return words.objective(study)
    if not losses.known(study):
        return f"minimise the mean {study.loss} loss + (α/2) Σ_j d_j·w_j², b not penalised"
    name, colon, parameter = study.loss.partition(":")
    said = objective(
        f"{name}:{float(parameter):.6g}" if colon else name,
        outputs=facts.targets,
        weighted=facts.weight_sum != facts.rows,
        fit_intercept=facts.fit_intercept,
        standardize=facts.standardize,
        penalty_factor=facts.penalty_factor,
    )
    return said + (OFFSET if facts.offset else "")


OWN: dict[str, Callable[[Study], dict[str, Any]]] = {"columns": _coefficients, "network": network.weights}
"""What only each kind of study has."""
