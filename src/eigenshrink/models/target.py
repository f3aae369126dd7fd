"""Targets as a loss needs them: codes of classes, fractions of trials, numbers inside their range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.data.checks import check_weights, numbers
from eigenshrink.errors import InputError
from eigenshrink.models.labels import class_codes, read_labels
from eigenshrink.models.loss import Array, Loss


@dataclass(frozen=True, eq=False)
class Target:
    """What the rows of one problem are to be predicted.

    Attributes
    ----------
    y : (n,) or (n, 1) float64
        Numbers, fractions or codes of classes; what was given where the loss is squared.
    sample_weight : (n,) or None
        With the number of trials in it, where y was counts.
    classes : tuple
        The label of every code; empty where targets are numbers.
    """

    y: Any
    sample_weight: Any
    classes: tuple[Any, ...]


def prepare(loss: Loss, y: Any, sample_weight: Any = None, classes: Sequence[Any] | None = None) -> Target:
    """Turn targets of any kind into what ``loss`` takes.

    Parameters
    ----------
    loss : Loss
        Whose targets they are.
    y : (n,) or (n, 1)
        Numbers or labels; for binomial also ``(n, 2)``, successes and failures.
    sample_weight : (n,), optional
        Rows with weight 0 count for nothing here.
    classes : sequence, optional
        Labels of the data that were fitted, in the order of their codes.

    Raises
    ------
    InputError
        Naming the first target that cannot be. Numbers that are not finite are passed on.
    """
    if loss.name == "squared":
        return Target(y, sample_weight, ())
    if loss.classes:
        labels = read_labels(y)
        used = _used(sample_weight, len(labels))
        codes, found = class_codes(labels, used, loss, classes)
        return Target(codes, sample_weight, found)
    values = numbers(y, "y").astype(np.float64)
    pairs = loss.name == "binomial" and values.ndim == 2 and values.shape[1] == 2
    if values.size == 0 or not (pairs or _one_column(values)):
        raise InputError(_shape_needed(loss, values.shape))
    used = _used(sample_weight, len(values))
    if pairs:
        trials = _trials(values, used)
        weight = check_weights(sample_weight, len(values), "precision")
        values = values[:, 0] / np.where(trials > 0, trials, 1.0)
        sample_weight = trials if weight is None else weight * trials
    loss.check(np.where(used, values.reshape(-1), np.nan))
    return Target(values, sample_weight, ())


def _used(sample_weight: Any, n: int) -> NDArray[np.bool_]:
    weight = check_weights(sample_weight, n, "precision")
    return np.ones(n, dtype=bool) if weight is None else weight > 0


def _one_column(values: NDArray[Any]) -> bool:
    return values.ndim == 1 or (values.ndim == 2 and values.shape[1] == 1)


def _shape_needed(loss: Loss, shape: tuple[int, ...]) -> str:
    also = ", or successes and failures in (n, 2)" if loss.name == "binomial" else ""
    return (
        f"y has shape {shape}; loss={loss.name!r} takes one target, (n,) or (n, 1){also}: "
        "fit the columns one by one"
    )


def _trials(counts: Array, used: NDArray[np.bool_]) -> Array:
    """Trials ``(n,)`` from successes and failures ``(n, 2)``."""
    with np.errstate(invalid="ignore"):
        wrong = ~((counts >= 0) & np.isfinite(counts) & (counts == np.rint(counts)))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise InputError(
            f"y[{row}, {column}] is {counts[row, column]:.12g}; "
            "two columns are successes and failures, whole numbers >= 0"
        )
    trials: Array = counts.sum(axis=1)
    empty = used & (trials == 0)
    if empty.any():
        row = int(np.argmax(empty))
        raise InputError(f"y[{row}] has 0 successes and 0 failures: drop rows without trials")
    return trials
