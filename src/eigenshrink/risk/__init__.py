"""Estimates of the true error from one fit (M14): one file and one line here per criterion."""

from __future__ import annotations

from collections.abc import Callable

from eigenshrink.path import QuadraticPath
from eigenshrink.risk.combined import combined
from eigenshrink.risk.cp import cp
from eigenshrink.risk.curve import RiskCurve
from eigenshrink.risk.evidence import evidence
from eigenshrink.risk.gcv import gcv
from eigenshrink.risk.kfold import kfold
from eigenshrink.risk.leave_group_out import leave_group_out
from eigenshrink.risk.loo import RowErrors, loo, row_errors
from eigenshrink.risk.minimum import Minimum
from eigenshrink.risk.training_error import optimism, train
from eigenshrink.risk.validation import validation

__all__ = [
    "DESCRIBING",
    "NEEDS_ROWS",
    "RISKS",
    "Minimum",
    "RiskCurve",
    "RowErrors",
    "criterion_name",
    "row_errors",
]

RISKS: dict[str, Callable[[QuadraticPath], RiskCurve]] = {
    "combined": combined,
    "loo": loo,
    "leave_group_out": leave_group_out,
    "kfold": kfold,
    "gcv": gcv,
    "cp": cp,
    "evidence": evidence,
    "validation": validation,
    "train": train,
    "optimism": optimism,
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
}

DESCRIBING = ("train", "optimism")  # they never choose a strength
ERRORS = ("leave_group_out", "loo", "gcv")  # the first that there is estimates the true error
NEEDS_ROWS = (
    "combined",
    "loo",
    "leave_group_out",
    "kfold",
    "validation",
    "optimism",
)  # tabulated where rows are gone


def criterion_name(key: str) -> str:
    """Return the name of a criterion for people."""
    return NAMES.get(key, key.replace("_", "-"))
