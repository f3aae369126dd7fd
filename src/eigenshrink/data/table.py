"""A table with named columns → design matrix, target, weights: what :func:`es.study` takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.data.columns import LEARNING, Array, kind_of, levels_of, numbers
from eigenshrink.data.encoder import Column, Encoded, TableEncoder
from eigenshrink.data.names import listed, option, shown
from eigenshrink.data.roles import Offset, explaining, group_codes, row_weights
from eigenshrink.data.targets import (
    Label,
    check_classes,
    complete_rows,
    describe_classes,
    learn_classes,
)
from eigenshrink.errors import InputError

if TYPE_CHECKING:
    import polars


@dataclass(frozen=True, eq=False)
class Design:
    """A file as the arguments of a study, with what was done to get there."""

    encoder: TableEncoder
    matrix: Array  # (n, p)
    targets: NDArray[Any]  # (n,) or (n, t) numbers, or (n,) labels
    sample_weight: Array | None  # (n,)
    groups: NDArray[np.intp] | None  # (n,)
    penalty_factor: Array | None  # (p,)
    rows: NDArray[np.intp]  # (n,) number of each row in the table, counted from 1
    rows_read: int  # rows of the table, used or not
    notes: tuple[str, ...]  # sentences for the summary
    classes: tuple[Label, ...] = ()  # different labels, ascending; () where targets are numbers
    offset: Array | None = None  # (n,) added to the linear predictor


@dataclass(frozen=True, eq=False)
class Judges:
    """Rows of another table that judge and are not fitted, encoded like those that are."""

    matrix: Array  # (n, p)
    targets: NDArray[Any]  # (n,) or (n, t) numbers, or (n,) labels
    sample_weight: Array | None  # (n,)
    rows: NDArray[np.intp]  # (n,) number of each row in its table, counted from 1
    rows_read: int
    notes: tuple[str, ...]
    offset: Array | None = None  # (n,)


def encode_table(
    frame: polars.DataFrame,
    targets: Sequence[str],
    *,
    weights: str | None = None,
    counts: bool = False,
    groups: str | None = None,
    unpenalised: Sequence[str] = (),
    categories: Sequence[str] = (),
    drop: Sequence[str] = (),
    null_values: Sequence[str] = (),
    classes: bool = False,
    offset: Offset | None = None,
) -> Design:
    """Learn how a table becomes a design matrix, and make it one.

    Parameters
    ----------
    frame : DataFrame
        As :func:`eigenshrink.data.files.read_table` returns it.
    targets : names
        Columns to explain; rows where one of them is missing are left out.
    weights : name, optional
        Column of row weights, >= 0.
    counts : bool
        Whether the weights say how often a row occurred, so that they must be whole numbers.
    groups : name, optional
        Column of labels of any type: rows of one label belong together.
    unpenalised : names
        Columns whose weights stay free (``penalty_factor`` 0, M12).
    categories, drop : names
        Columns that are categories whatever they look like; columns to leave out.
    null_values : texts
        Remembered for later rows.
    classes : bool
        Whether the target holds labels, which stay as they are; as texts if it is one of ``categories``.
    offset : Offset, optional
        Column that is added to the linear predictor.

    Raises
    ------
    InputError
        If a name is unknown or has two roles, a column cannot be used, or fewer than two rows or
        no column are left.

    Notes
    -----
    O(n p) memory: the matrix is dense. The mean that fills a gap is weighted like the rows.
    """
    single = {"--weights": weights, "--groups": groups}
    single |= {} if offset is None else {offset.flag: offset.column}
    several = {"--drop": drop, "--unpenalised": unpenalised, "--category": categories}
    features = explaining(frame, {"--target": targets, **single, **several})
    text = _text_target(targets, categories, classes)
    rows, values, kept = complete_rows(frame, targets, classes, text)
    labels = learn_classes(targets[0], values) if classes else ()
    weight = None if weights is None else row_weights(kept.get_column(weights), rows, counts)
    codes = None if groups is None else group_codes(kept.get_column(groups), rows, weight)
    columns, empty = _learn(kept, features, rows, weight, frozenset(categories))
    if not columns:
        raise InputError("no column is left to explain the target with: the table needs at least one other")
    encoder = TableEncoder(columns, tuple(targets), tuple(null_values))
    encoded = encoder.transform(kept, rows)
    notes = _left_out(targets, frame.height - len(rows), weight)
    notes += [describe_classes(targets[0], values, labels)] if classes else _flagged(frame, targets)
    notes += [*_notes(encoder, encoded, empty), *_together(groups, codes)]
    return Design(
        encoder=encoder,
        matrix=encoded.matrix,
        targets=_shaped(values),
        classes=labels,
        offset=None if offset is None else offset.values(kept, rows),
        sample_weight=weight,
        groups=codes,
        penalty_factor=_factors(columns, unpenalised),
        rows=rows,
        rows_read=frame.height,
        notes=tuple(notes),
    )


def encode_judges(
    frame: polars.DataFrame,
    encoder: TableEncoder,
    *,
    weights: str | None = None,
    counts: bool = False,
    classes: Sequence[Label] = (),
    offset: Offset | None = None,
) -> Judges:
    """Encode rows of another table as those that an encoder learnt from.

    Parameters
    ----------
    frame : DataFrame
        With the same columns; others are ignored.
    encoder : TableEncoder
        What was not learnt (an unseen category) is zero, as in a prediction.
    weights : name, optional
        Column of row weights, as in the rows that are fitted.
    counts : bool
        Whether they are whole numbers.
    classes : labels
        Those of the rows that are fitted, where the target holds labels.
    offset : Offset, optional
        As in the rows that are fitted.

    Raises
    ------
    InputError
        If a column is absent or cannot be used, a label is unknown, or fewer than two rows have a value of
        every target.
    """
    needed = [*encoder.targets, *([] if weights is None else [weights])]
    absent = [name for name in needed if name not in frame.columns]
    if absent:
        raise InputError(
            f"the table has no column {listed(absent)}, which rows need to judge by: its columns are "
            f"{listed(frame.columns)}"
        )
    text = bool(classes) and isinstance(classes[0], str)
    rows, values, kept = complete_rows(frame, encoder.targets, bool(classes), text)
    if classes:
        check_classes(encoder.targets[0], values, classes, rows)
    weight = None if weights is None else row_weights(kept.get_column(weights), rows, counts)
    encoded = encoder.transform(kept, rows)
    return Judges(
        matrix=encoded.matrix,
        targets=_shaped(values),
        sample_weight=weight,
        offset=None if offset is None else offset.values(kept, rows),
        rows=rows,
        rows_read=frame.height,
        notes=(*_left_out(encoder.targets, frame.height - len(rows), weight), *encoded.remarks),
    )


def _learn(
    frame: polars.DataFrame,
    features: Sequence[str],
    rows: NDArray[np.intp],
    weight: Array | None,
    categories: frozenset[str],
) -> tuple[tuple[Column, ...], list[str]]:
    """Decide what each column is; also return those that hold nothing."""
    columns, empty = [], []
    for name in features:
        series = frame.get_column(name)
        kind = kind_of(series, rows, forced=name in categories)
        if kind == "empty":
            empty.append(name)
        elif kind == "category":
            columns.append(Column(name, levels=levels_of(series)))
        else:
            columns.append(_number(name, numbers(series, rows, options=LEARNING), weight))
    return tuple(columns), empty


def _number(name: str, values: Array, weight: Array | None) -> Column:
    known = ~np.isnan(values)
    share = None if weight is None or not weight[known].any() else weight[known]
    mean = np.average(values[known], weights=share)
    return Column(name, fill=float(mean), indicator=not known.all())


def _factors(columns: Sequence[Column], unpenalised: Sequence[str]) -> Array | None:
    if not unpenalised:
        return None
    free = [0.0 if column.name in unpenalised else 1.0 for column in columns for _ in column.features]
    return np.array(free)


def _flagged(frame: polars.DataFrame, targets: Sequence[str]) -> list[str]:
    flags = [name for name in targets if frame.schema[name].base_type().__name__ == "Boolean"]
    return [f"target {shown(name)}: true counts as 1, false as 0" for name in flags]


def _text_target(targets: Sequence[str], categories: Sequence[str], classes: bool) -> bool:
    """Whether the labels of the target are texts whatever they look like."""
    named = [name for name in targets if name in categories]
    if named and not classes:
        raise InputError(
            f"target {shown(named[0])} is said to be a category, and this loss explains numbers: for classes "
            f"give {option('--loss', 'logistic')} or {option('--loss', 'multinomial')}"
        )
    return bool(named)


def _shaped(values: NDArray[Any]) -> NDArray[Any]:
    """One target has no target axis."""
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values


def _left_out(targets: Sequence[str], dropped: int, weight: Array | None) -> list[str]:
    """Say which rows are not used, a sentence each."""
    light = 0 if weight is None else int((weight == 0).sum())
    reasons = {f"where {listed(targets)} is missing": dropped, "whose weight is 0": light}
    return [f"left out {count} row{'s' * (count != 1)} {why}" for why, count in reasons.items() if count]


def _together(name: str | None, codes: NDArray[np.intp] | None) -> list[str]:
    if codes is None:
        return []
    return [f"{shown(name)}: {len(np.unique(codes))} groups of rows that belong together"]


def _notes(encoder: TableEncoder, encoded: Encoded, empty: Sequence[str]) -> tuple[str, ...]:
    """Say what was done, one sentence each."""
    notes = []
    if empty:
        notes.append(f"left out {listed(empty)}: every value is missing")
    for column in encoder.columns:
        gaps = encoded.filled.get(column.name, 0)
        if column.levels is not None:
            own = f", {gaps} missing as a level of their own" if gaps else ""
            count = len(column.levels)
            size = f"{count} columns, one per category" if count > 1 else "1 column, for its only category"
            notes.append(f"{shown(column.name)}: {size}{own}")
        elif gaps:
            notes.append(
                f"{shown(column.name)}: {gaps} missing filled with the mean {column.fill:.6g}, "
                f"column {shown(column.features[1])} says where"
            )
    if any(column.levels is not None for column in encoder.columns):
        notes.append("no category is dropped: the penalty shares their weight, so that none is the reference")
    return tuple(notes)
