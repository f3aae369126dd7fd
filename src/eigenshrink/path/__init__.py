"""The path: the regularised model for every strength at once (M5-M9, M16, M17)."""

from __future__ import annotations

from eigenshrink.path.anchored import AnchoredPath
from eigenshrink.path.quadratic import QuadraticPath
from eigenshrink.path.steps import ThreeSteps, kept_share, squeeze

__all__ = ["AnchoredPath", "Path", "QuadraticPath", "ThreeSteps", "kept_share", "squeeze"]

Path = QuadraticPath | AnchoredPath
"""Either kind: everything to the right of it takes both."""
