"""The path: the regularised model for every strength at once (M5-M9, M16, M17)."""

from __future__ import annotations

from eigenshrink.path.anchored import AnchoredPath
from eigenshrink.path.krylov import KrylovPath
from eigenshrink.path.measured import Layer, Linearised, Measure, Measured, RowLosses, TrainingNotes
from eigenshrink.path.quadratic import QuadraticPath
from eigenshrink.path.steps import ThreeSteps, kept_share, squeeze

__all__ = [
    "AnchoredPath",
    "KrylovPath",
    "Layer",
    "Linearised",
    "Measure",
    "Measured",
    "Path",
    "QuadraticPath",
    "RowLosses",
    "ThreeSteps",
    "TrainingNotes",
    "kept_share",
    "squeeze",
]

Path = QuadraticPath | AnchoredPath | KrylovPath
"""Any kind: everything to the right of it takes all of them."""
