"""Rows as they are fitted at the chosen strength, and how far each could pull the fit (M14)."""

from __future__ import annotations

from typing import Any

import numpy as np

from eigenshrink.path import KrylovPath
from eigenshrink.report.live.packed import packed, scalar
from eigenshrink.risk import row_errors

ROWS = 2000  # that are drawn: those of highest leverage and largest residual, the rest evenly
EXTREME = 200


def fitted(study: Any, target: int) -> dict[str, Any] | None:
    """Fitted value, residual and leverage of rows; None where the rows are not at hand."""
    path = study.path
    training = None if isinstance(path, KrylovPath) else path.fit.training
    if training is None or (study.tables and len(study.tables)) or not path.whole:
        return None
    alphas = np.broadcast_to(np.asarray(study.alpha, dtype=np.float64), (study.facts.targets,))
    found = row_errors(path, alphas)
    residual, leverage = found.residual[:, target], found.leverage[:, target]
    picked = _picked(np.abs(residual), leverage)
    numbers = np.arange(len(residual)) if study.row_numbers is None else study.row_numbers
    return {
        "fitted": packed(found.fitted[picked, target], single=True),
        "residual": packed(residual[picked], single=True),
        "leverage": packed(leverage[picked], single=True),
        "row": packed(numbers[picked]),
        "rows": len(residual),
        "at": scalar(alphas[target]),
    }


def _picked(residual: Any, leverage: Any) -> Any:
    n = len(residual)
    if n <= ROWS:
        return np.arange(n)
    far = [np.argsort(-np.nan_to_num(values), kind="stable")[:EXTREME] for values in (residual, leverage)]
    even = np.linspace(0, n - 1, ROWS - 2 * EXTREME).astype(int)
    return np.unique(np.concatenate([*far, even]))
