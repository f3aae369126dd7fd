"""What is being minimised: one small file and one line here per loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eigenshrink.errors import InputError
from eigenshrink.models.binomial import BINOMIAL
from eigenshrink.models.gamma import GAMMA
from eigenshrink.models.huber import EFFICIENT, huber
from eigenshrink.models.inverse_gaussian import INVERSE_GAUSSIAN
from eigenshrink.models.logistic import LOGISTIC
from eigenshrink.models.loss import Loss
from eigenshrink.models.multinomial import MULTINOMIAL
from eigenshrink.models.poisson import POISSON
from eigenshrink.models.squared import SQUARED
from eigenshrink.models.target import Target, prepare
from eigenshrink.models.tweedie import tweedie

__all__ = ["EFFICIENT", "LOSSES", "Loss", "Target", "find_loss", "needs_scale", "prepare"]

LOSSES: dict[str, Loss | Callable[..., Loss]] = {
    "squared": SQUARED,
    "logistic": LOGISTIC,
    "multinomial": MULTINOMIAL,
    "poisson": POISSON,
    "gamma": GAMMA,
    "inverse_gaussian": INVERSE_GAUSSIAN,
    "tweedie": tweedie,
    "binomial": BINOMIAL,
    "huber": huber,
}
"""Every loss by name; one with a parameter is a function of it, which has a default."""


def find_loss(loss: Any) -> Loss:
    """A loss by its name, by ``name:number`` where it has a parameter, or itself.

    Raises
    ------
    InputError
        If there is no such loss, or it cannot have that parameter.

    Examples
    --------
    >>> find_loss("poisson").convex, find_loss("tweedie:1.30").name, find_loss("tweedie").name
    (True, 'tweedie:1.3', 'tweedie:1.5')
    """
    if isinstance(loss, Loss):
        return loss
    name, colon, parameter = loss.partition(":") if isinstance(loss, str) else ("", "", "")
    if name not in LOSSES:
        raise InputError(f"loss must be one of {', '.join(map(repr, LOSSES))}; got {loss!r}")
    found = LOSSES[name]
    if isinstance(found, Loss):
        if colon:
            raise InputError(f"loss is {loss!r}, but {name} has no parameter: give loss={name!r}")
        return found
    return found(_number(loss, parameter)) if colon else found()


def needs_scale(loss: Loss) -> bool:
    """Whether δ of a Huber loss is still to be found from the residuals of a first squared fit."""
    return loss.name == "huber"


def _number(loss: str, parameter: str) -> float:
    try:
        return float(parameter)
    except ValueError as error:
        name = loss.partition(":")[0]
        raise InputError(
            f"loss is {loss!r}: a number must follow the colon, as in {name + ':1.5'!r}"
        ) from error
