"""The binomial loss of counts: the logistic loss of the share of successes, weighted by the trials.

``ℓ = y log(y/π) + (1−y) log((1−y)/(1−π))``, half the unit deviance of a fraction y per trial.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from eigenshrink.errors import InputError
from eigenshrink.models.common import refuse
from eigenshrink.models.logistic import LOGISTIC
from eigenshrink.models.loss import Array


def _check(y: Array) -> None:
    refuse(
        y,
        (y < 0) | (y > 1),
        "binomial needs the fraction of successes, from 0 to 1, with the trials as sample_weight; "
        "counts go into two columns, successes and failures",
    )
    seen = y[np.isfinite(y)]
    if seen.size and seen.min() == seen.max() and seen[0] in (0.0, 1.0):
        raise InputError(
            f"y contains one class only: every trial is a {'success' if seen[0] else 'failure'}; "
            "at least one of the other kind is needed"
        )


BINOMIAL = replace(LOGISTIC, name="binomial", unit="half deviance", check=_check, classes=0)
