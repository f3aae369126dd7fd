"""Estimates of the true error from one fit (M14): one file and one line here per criterion."""

from __future__ import annotations

from collections.abc import Callable

from eigenshrink.errors import InputError
from eigenshrink.path import AnchoredPath, KrylovPath, Path, QuadraticPath
from eigenshrink.risk import anchored, krylov, linearised
from eigenshrink.risk.combined import combined
from eigenshrink.risk.cp import cp
from eigenshrink.risk.curve import RiskCurve
from eigenshrink.risk.evidence import evidence
from eigenshrink.risk.gcv import gcv
from eigenshrink.risk.kfold import kfold
from eigenshrink.risk.leave_group_out import leave_group_out
from eigenshrink.risk.loo import RowErrors, loo
from eigenshrink.risk.minimum import Minimum
from eigenshrink.risk.refit import SpotCheck, row_errors, spot_check
from eigenshrink.risk.training_error import optimism, train
from eigenshrink.risk.validation import validation

__all__ = [
    "DESCRIBING",
    "NEEDS_ROWS",
    "RISKS",
    "Minimum",
    "RiskCurve",
    "RowErrors",
    "SpotCheck",
    "criterion_name",
    "row_errors",
    "spot_check",
]

Criterion = Callable[[Path], RiskCurve]


def _either(
    quadratic: Callable[[QuadraticPath], RiskCurve] | None,
    anchors: Callable[[AnchoredPath], RiskCurve] | None,
    network: Callable[[KrylovPath], RiskCurve] | None = None,
) -> Criterion:
    """One criterion for every kind of path."""

    def curve(path: Path) -> RiskCurve:
        if isinstance(path, KrylovPath):
            if network is None:
                raise InputError(
                    "a network has no rows that could be left out or fitted again: choose by validation "
                    "(val_loader=) or evidence"
                )
            return krylov.relabelled(network(path.uncalibrated), path.calibration)
        if isinstance(path, AnchoredPath):
            if anchors is None:
                raise InputError(f"gcv is for squared loss, and the loss here is {path.loss.name}: use loo")
            return anchors(path)
        if quadratic is None:
            raise InputError(f"misclassified needs classes, and the loss here is {path.loss.name}")
        return quadratic(path)

    return curve


RISKS: dict[str, Criterion] = {
    "combined": _either(combined, anchored.combined),
    "loo": _either(loo, anchored.one_step_loo, linearised.loo),
    "leave_group_out": _either(leave_group_out, anchored.one_step_groups),
    "kfold": _either(kfold, anchored.refitted_folds),
    "gcv": _either(gcv, None, linearised.gcv),
    "cp": _either(cp, anchored.akaike),
    "evidence": _either(evidence, anchored.laplace, krylov.evidence),
    "validation": _either(validation, anchored.held_out, krylov.validation),
    "train": _either(train, anchored.fitted, krylov.train),
    "optimism": _either(optimism, anchored.added),
    "misclassified": _either(None, anchored.misclassified, krylov.misclassified),
}

NAMES = {  # what people call them, in every sentence and figure
    "combined": "combined evidence",
    "loo": "leave-one-out",
    "leave_group_out": "leave-group-out",
    "kfold": "K-fold",
    "gcv": "GCV",
    "cp": "Cp",
    "evidence": "evidence",
    "validation": "validation",
    "train": "training error",
    "optimism": "optimism",
    "misclassified": "misclassified",
}

DESCRIBING = ("train", "optimism", "misclassified")  # they never choose a strength
ERRORS = ("leave_group_out", "loo", "gcv", "validation")  # the first that there is estimates the true error
NEEDS_ROWS = (
    "combined",
    "loo",
    "leave_group_out",
    "kfold",
    "validation",
    "optimism",
    "misclassified",
)  # tabulated where rows are gone


def criterion_name(key: str) -> str:
    """Return the name of a criterion for people."""
    return NAMES.get(key, key.replace("_", "-"))
