"""The scikit-learn facade: fit, then read ``coef_``, ``alpha_`` and the whole ``study_``."""

from __future__ import annotations

from eigenshrink.estimators.classifier import L2Classifier
from eigenshrink.estimators.regressor import L2Regressor

__all__ = ["L2Classifier", "L2Regressor"]

for _public in (L2Classifier, L2Regressor):
    _public.__module__ = __name__  # the name by which saved models are trusted
