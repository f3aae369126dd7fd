"""K-fold cross-validation without a refit: folds are groups that leave together (M14)."""

from __future__ import annotations

from eigenshrink.errors import InputError
from eigenshrink.path import QuadraticPath
from eigenshrink.risk.curve import RiskCurve
from eigenshrink.risk.leave_out import leave_out


def kfold(path: QuadraticPath) -> RiskCurve:
    """``Σ s_i e_i²/(2S)``, e_i the error of a fit without the fold of row i, at the same Sα.

    Folds are drawn once and balanced; groups stay whole, and so do the copies of a row. Bands count rows
    (groups where there are any), never folds.

    Raises
    ------
    InputError
        If the path was not made by a study, which draws the folds.
    """
    splits = None if path.fit.training is None else path.fit.training.splits
    if splits is None:
        raise InputError("kfold needs folds, which es.study(X, y, folds=5) draws")
    return leave_out("kfold", path, splits.folds, units=splits.groups)
