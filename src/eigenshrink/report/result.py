"""A study as plain numbers: what ``result.json`` holds (schema/result.schema.json)."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink._version import __version__
from eigenshrink.units import equivalents, objective

if TYPE_CHECKING:
    from eigenshrink.record import Study

MANY = 20  # targets beyond which what is costly is left out


def to_dict(study: Study) -> dict[str, Any]:
    """Everything a program may want of a study, ready for JSON: no NaN and no infinity (null).

    Arrays have a target axis, last of the axes, where there are several targets.
    """
    path, facts, alphas = study.path, study.facts, study.alphas
    return {
        "version": __version__,
        "loss": study.loss,
        "objective": study.objective,
        "rows": facts.rows,
        "weights": {"sum": plain(facts.weight_sum), "kind": facts.weight_kind},
        "groups": {"count": facts.groups, "source": facts.groups_source},
        "held_out": {"rows": facts.held_out, "source": facts.held_out_source},
        "folds": facts.folds,
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
        "risk": {name: plain(curve(alphas)) for name, curve in study.risk.items()},
        "risk_standard_error": _risk_errors(study),
        "spectrum": {
            "eigenvalues": plain(study.spectrum.eigenvalues),
            "coordinates": plain(np.asarray(study.spectrum.coordinates).T),
        },
        **_coefficients(study),
        "equivalents": {} if not facts.one_target else {k: plain(v) for k, v in study.equivalents.items()},
        "audit": [plain(asdict(finding)) for finding in study.audit],
    }


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


def _coefficients(study: Study) -> dict[str, Any]:
    """Coefficients and their standard errors by name, the intercept apart: a column may be called so."""
    names, fitted, one = study.feature_names, study.facts.fit_intercept, study.facts.one_target
    coefficients, errors = np.atleast_2d(study.coef()).T, np.atleast_2d(study.standard_errors()).T
    own = errors[-1] if fitted else np.zeros(errors.shape[1])

    def by_name(values: NDArray[np.floating]) -> dict[str, Any]:
        return {name: plain(row[0] if one else row) for name, row in zip(names, values, strict=True)}

    return {
        "coefficients": by_name(coefficients),
        "standard_errors": by_name(errors[: len(names)]),
        "intercept": plain(study.intercept()),
        "intercept_standard_error": plain(own[0] if one else own),
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
    """Lists, dicts, floats and strings; what is not finite becomes None."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, np.integer):
        return int(value)
    return value
