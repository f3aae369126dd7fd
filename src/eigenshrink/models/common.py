"""What several losses share: the log link, the shape of a result, and how a target is refused."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eigenshrink.errors import InputError
from eigenshrink.models.loss import Array


def exponential(eta: Array) -> Array:
    """``μ = exp η``, inf where that is too large for a float."""
    with np.errstate(over="ignore"):
        mean: Array = np.exp(eta)
    return mean


def logarithm(mean: Array) -> Array:
    """``η = log μ``, −inf at 0."""
    with np.errstate(divide="ignore"):
        eta: Array = np.log(mean)
    return eta


def spread(result: Array, y: Array) -> Array:
    """A result that depends on η alone, in the shape that y and η have together."""
    shape = np.broadcast_shapes(np.shape(result), np.shape(y))
    return result if np.shape(result) == shape else np.broadcast_to(result, shape).copy()


def refuse(y: Array, wrong: NDArray[np.bool_], needed: str) -> None:
    """Name the first of the targets ``(n,)`` that cannot be; NaN is never among them."""
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(f"y[{row}] is {y[row]:.12g}; {needed}")


def refuse_zeros(y: Array) -> None:
    """The log link has no finite optimum where every target is 0."""
    seen = y[np.isfinite(y)]
    if seen.size and not seen.any():
        raise InputError(
            "y is 0 in every row: the mean would be 0, which the log link reaches only at minus infinity; "
            "give at least one row with y > 0"
        )


def refuse_not_positive(y: Array, model: str) -> None:
    """Gamma and inverse Gaussian have no density at 0 or below."""
    refuse(
        y,
        y <= 0,
        f"{model} needs y > 0: drop such rows if they are mistakes; "
        "where 0 means that nothing happened use loss='tweedie'",
    )


def anything(y: Array) -> None:
    """Every number is a target; those that are not finite are refused with the rest of the table."""


def number(value: float) -> str:
    """A parameter as it stands in the name of a loss, so that it is read back the same."""
    return short if float(short := f"{value:g}") == value else repr(float(value))
