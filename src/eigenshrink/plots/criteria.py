"""How each criterion is drawn, and how sure the one that chose is (M14, M15)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.plots import reading
from eigenshrink.plots.canvas import MUTED, PENALTY, SERIES

Array = NDArray[np.float64]

# A criterion looks the same in every picture; dashes tell apart what a printer or an eye does not.
STYLES: Mapping[str, dict[str, Any]] = {
    "combined": {"color": SERIES[1], "linestyle": (0, (8, 1.5))},
    "loo": {"color": SERIES[0], "linestyle": "-"},
    "leave_group_out": {"color": SERIES[2], "linestyle": "-"},
    "kfold": {"color": SERIES[4], "linestyle": (0, (3, 1.2))},
    "gcv": {"color": SERIES[7], "linestyle": (0, (6, 2))},
    "cp": {"color": SERIES[6], "linestyle": (0, (6, 2, 1, 2))},
    "evidence": {"color": SERIES[3], "linestyle": (0, (6, 1.5, 1, 1.5, 1, 1.5))},
    "validation": {"color": SERIES[5], "linestyle": "-"},
    "train": {"color": MUTED, "linestyle": ":"},
    "optimism": {"color": PENALTY, "linestyle": "-"},
}
PLAIN: dict[str, Any] = {"color": SERIES[4], "linestyle": (0, (2, 1))}
BANDED = ("leave_group_out", "loo", "evidence")  # whose interval stands in for a criterion without one


def style(key: str) -> dict[str, Any]:
    """Return colour and dashes of a criterion, new ones included."""
    return dict(STYLES.get(key, PLAIN))


def equivalent(study: Any) -> tuple[str, Array] | None:
    """Return a criterion and the strengths that it cannot tell from its best, ``(t, 2)``.

    The criterion that chose where it has such an interval (M15), else the first that has one; None in a
    study that was loaded, where the criterion that chose had none.
    """
    targets = len(study.target_names)
    if study.choice.interval is not None:
        found = np.asarray(study.choice.interval, dtype=np.float64)
        return study.choice.criterion, np.broadcast_to(found, (targets, 2))
    others = () if study.tables else BANDED
    for name in dict.fromkeys((reading.quoted(study), *others)):
        if name in study.risk and study.risk[name].interval is not None:
            found = np.asarray(study.risk[name].interval, dtype=np.float64)
            return name, np.broadcast_to(found, (targets, 2))
    return None


def band(study: Any, name: str, grid: Array, target: int) -> Array | None:
    """Return the paired standard error of a curve against the best strength, ``(a,)`` (M15), or None.

    The best strength is that of the criterion that chose, where this curve is the estimate that goes with
    it, else the curve's own. None too where one strength was chosen for all targets by their sum.
    """
    if len(study.target_names) > 1 and not study.asked.per_target:
        return None
    judge = study.risk.get(study.choice.criterion)
    goes_with = judge is not None and judge.estimate is not None and judge.estimate.name == name
    found = (judge if goes_with else study.risk[name]).standard_error(grid)
    return None if found is None else reading.over(found, target)
