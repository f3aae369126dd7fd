"""What can be said of the scatter of a network: its dispersion, no error of a weight (M9, M15)."""

from __future__ import annotations

from eigenshrink.errors import InputError
from eigenshrink.path import KrylovPath


def dispersion(path: KrylovPath, alpha: float) -> float:
    """φ: 1 where the loss knows it, else ``2S·L(w̃)/(ν − γ)``; NaN where nothing is left to estimate it."""
    if path.loss.known_dispersion:
        return 1.0
    left = residual_df(path, alpha)
    return 2.0 * path.sample.weight_sum * float(path.train_loss(alpha)) / left if left > 0 else float("nan")


def residual_df(path: KrylovPath, alpha: float) -> float:
    """``ν − γ(α)``; below 0 where a network uses more weights than it has observations."""
    return float(path.sample.observations - path.effective_parameters(alpha))


def refuse(what: str) -> InputError:
    """No weight of a network stands for anything by itself."""
    return InputError(
        f"a network has no {what}: many different weights predict alike, so that none of them has an error "
        "of its own; study.choice.interval says how sure the strength is"
    )
