"""A study as plain numbers: what ``result.json`` holds (schema/result.schema.json)."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from eigenshrink._version import __version__
from eigenshrink.units import equivalents, objective

if TYPE_CHECKING:
    from eigenshrink.record import Study


def to_dict(study: Study) -> dict[str, Any]:
    """Everything a program may want of a study, ready for JSON: no NaN and no infinity (null).

    Arrays have a target axis, last of the axes, where there are several targets.
    """
    path, facts, alphas = study.path, study.facts, study.alphas
    one = facts.one_target
    coefficients = np.atleast_2d(study.coef()).T
    names = study.feature_names
    return {
        "version": __version__,
        "loss": study.loss,
        "objective": study.objective,
        "rows": facts.rows,
        "weights": {"sum": plain(facts.weight_sum), "kind": facts.weight_kind},
        "alpha": {
            "chosen": plain(study.alpha),
            "criterion": study.choice.criterion,
            "boundary": plain(study.choice.boundary),
        },
        "effective_parameters": plain(study.effective_parameters),
        "alphas": plain(alphas),
        "path": {
            "effective_parameters": plain(path.effective_parameters(alphas)),
            "train_loss": plain(path.train_loss(alphas)),
            "norm": plain(path.norm(alphas)),
            "certificate": plain(path.certificate(alphas)),
        },
        "risk": {name: plain(curve(alphas)) for name, curve in study.risk.items()},
        "spectrum": {
            "eigenvalues": plain(study.spectrum.eigenvalues),
            "coordinates": plain(np.asarray(study.spectrum.coordinates).T),
        },
        "coefficients": {
            name: plain(row[0] if one else row) for name, row in zip(names, coefficients, strict=True)
        },
        "intercept": plain(study.intercept()),
        "equivalents": {} if not one else {k: plain(v) for k, v in study.equivalents.items()},
        "audit": [{key: plain(value) for key, value in asdict(finding).items()} for finding in study.audit],
    }


def peers(study: Study) -> dict[str, float | None]:
    """What to type elsewhere for the chosen strength of a study with one target."""
    facts = study.facts
    factors = study.path.fit.penalty_factor
    return equivalents(
        float(study.alpha),
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
    return objective(
        study.loss,
        outputs=facts.targets,
        weighted=facts.weight_sum != facts.rows,
        fit_intercept=facts.fit_intercept,
        standardize=facts.standardize,
        penalty_factor=facts.penalty_factor,
    )


def plain(value: Any) -> Any:
    """Lists, floats and strings; what is not finite becomes None."""
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value.tolist()]
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, np.integer):
        return int(value)
    return value
