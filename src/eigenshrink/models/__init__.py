"""What is being minimised: one small file and one line here per loss."""

from __future__ import annotations

from eigenshrink.models.loss import Loss
from eigenshrink.models.squared import SQUARED

__all__ = ["LOSSES", "Loss"]

LOSSES: dict[str, Loss] = {loss.name: loss for loss in (SQUARED,)}
