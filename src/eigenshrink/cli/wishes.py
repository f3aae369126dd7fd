"""What the user asked for in options, and messages of the library put into those words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eigenshrink.data.names import shown
from eigenshrink.data.roles import Offset
from eigenshrink.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

QUOTE = "'"
ARGUMENT = re.compile(r"\b(criterion|select|folds|validation|weight_kind|loss|alpha)=('[^']*'|\d[\d.]*)")
ROW = re.compile(r"\by\[(\d+)(?:, (\d+))?\]")


@dataclass(frozen=True)
class Columns:
    """What the columns of a table are for, as the user said it."""

    targets: tuple[str, ...]
    weights: str | None = None
    groups: str | None = None
    offset: Offset | None = None
    unpenalised: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    null_values: tuple[str, ...] = ()

    @property
    def text(self) -> tuple[str, ...]:
        """Columns whose values are names, whatever they look like."""
        return self.categories if self.groups is None else (*self.categories, self.groups)


@dataclass(frozen=True)
class Wishes:
    """How to fit, in the words of :func:`eigenshrink.study`."""

    loss: str = "auto"
    alpha: str = "auto"
    criterion: str = "auto"
    select: str = "best"
    weight_kind: str = "precision"
    standardize: bool = True
    folds: int = 5
    validation: str | None = None
    seed: int = 0

    @property
    def arguments(self) -> dict[str, Any]:
        """Keyword arguments of :func:`eigenshrink.study`, but for the loss and the rows that judge."""
        if self.criterion == "validation" and self.validation is None:
            raise InputError(
                "--criterion validation needs rows that were not fitted: give --validation with a file, or "
                "with the fraction of the rows to hold out"
            )
        return {
            "alpha": _alpha(self.alpha),
            "criterion": self.criterion,
            "select": self.select,
            "weight_kind": self.weight_kind,
            "standardize": self.standardize,
            "folds": self.folds,
            "random_state": self.seed,
        }

    @property
    def counts(self) -> bool:
        """Whether weights say how often a row occurred."""
        return self.weight_kind == "frequency"


def one_offset(offset: str | None, exposure: str | None) -> Offset | None:
    """What is added to the linear predictor, from the two options that can name it.

    Raises
    ------
    InputError
        If both do.
    """
    if offset is not None and exposure is not None:
        raise InputError(
            "--offset and --exposure are given both: an exposure is an offset, its logarithm; give the one "
            "that the table has"
        )
    if offset is not None:
        return Offset(offset)
    return None if exposure is None else Offset(exposure, exposure=True)


@contextmanager
def in_options() -> Iterator[None]:
    """Write ``criterion='evidence'`` in a message as it is typed here."""
    try:
        yield
    except InputError as error:
        raise InputError(ARGUMENT.sub(_option, str(error))) from error


@contextmanager
def in_rows(targets: Sequence[str], rows: NDArray[np.intp]) -> Iterator[None]:
    """Write ``y[3]`` in a message as the column and the row of the table that it is."""

    def place(found: re.Match[str]) -> str:
        return f"target {shown(targets[int(found[2] or 0)])}, row {rows[int(found[1])]}:"

    try:
        yield
    except InputError as error:
        said = ROW.sub(place, str(error)).replace(": is ", ": the value is ")
        said = re.sub(r"^y (?=is|has|contains|holds)", f"target {shown(targets[0])} ", said)
        raise InputError(said.replace("sample_weight", "--weights")) from error


def _option(found: re.Match[str]) -> str:
    return f"--{found[1].replace('_', '-')} {found[2].strip(QUOTE)}"


def _alpha(text: str) -> str | float:
    if text == "auto":
        return text
    try:
        alpha = float(text)
    except ValueError:
        raise InputError(f"--alpha is {text!r}: give auto, or a number that is 0 or more") from None
    if not alpha >= 0:
        raise InputError(f"--alpha is {text}: a strength is 0 or more, inf is legal; auto chooses one")
    return alpha
