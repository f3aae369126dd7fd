"""Which loss explains the target of a table, and whether its values can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eigenshrink.cli.wishes import Columns, in_options, in_rows
from eigenshrink.data.loss_rule import suggest_loss
from eigenshrink.data.names import check_known, listed, shown
from eigenshrink.errors import InputError
from eigenshrink.models import find_loss, prepare

if TYPE_CHECKING:
    import numpy as np
    import polars
    from numpy.typing import NDArray

    from eigenshrink.data.targets import Label


@dataclass(frozen=True)
class Settled:
    """The loss that is taken, and what to say about it."""

    loss: str
    classes: bool
    notes: tuple[str, ...] = ()


def settle_loss(asked: str, frame: polars.DataFrame, columns: Columns) -> Settled:
    """Take the loss that was asked for, or the one that the target asks for.

    Parameters
    ----------
    asked : str
        ``auto``, or what :func:`eigenshrink.models.find_loss` knows.
    frame : DataFrame
    columns : Columns
        What its columns are for.

    Raises
    ------
    InputError
        If there is no such loss, it does not take that many targets or an offset, or auto cannot tell.
    """
    targets = columns.targets
    check_known(targets, frame.columns, "--target")
    settled = _asked(asked, targets) if asked != "auto" else _suggested(frame, targets, columns.categories)
    if columns.offset is not None and find_loss(settled.loss).classes > 2:
        raise InputError(
            f"{columns.offset.flag} means nothing to --loss {settled.loss}: every class has a linear "
            "predictor of its own, and what is added to all of them makes no difference; leave it out with "
            "--drop"
        )
    return settled


def check_target(
    loss: str,
    targets: Sequence[str],
    rows: NDArray[np.intp],
    values: NDArray[Any],
    weight: NDArray[np.float64] | None,
    classes: Sequence[Label] | None = None,
) -> None:
    """Refuse values of the target that the loss cannot explain.

    Raises
    ------
    InputError
        Naming the row of the first one.
    """
    with in_options(), in_rows(targets, rows):
        prepare(find_loss(loss), values, weight, classes or None)


def _suggested(frame: polars.DataFrame, targets: Sequence[str], categories: Sequence[str]) -> Settled:
    if len(targets) != 1:
        return Settled("squared", False, (f"loss: squared, because there are {len(targets)} targets",))
    found = suggest_loss(frame.get_column(targets[0]), targets[0] in categories)
    said = f"loss: {found.loss}, because of {shown(targets[0])}: {found.reason}; --loss to change"
    return Settled(found.loss, find_loss(found.loss).classes > 0, (said,))


def _asked(asked: str, targets: Sequence[str]) -> Settled:
    try:
        loss = find_loss(asked)
    except InputError as error:
        with in_options():
            raise InputError(f"--loss {shown(asked)}: {error}") from error
    many = len(targets)
    if loss.name == "binomial" and many > 2:
        raise InputError(
            f"--target is given {many} times, {listed(targets)}: --loss binomial takes two columns, "
            "successes and failures, or one of shares"
        )
    if loss.name not in ("squared", "binomial") and many > 1:
        raise InputError(
            f"--target is given {many} times, {listed(targets)}: --loss {asked} explains one column, fit "
            "them one by one"
        )
    return Settled(asked, loss.classes > 0)
