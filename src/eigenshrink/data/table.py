"""A table with named columns → design matrix, target, weights: what :func:`es.study` takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eigenshrink.data.columns import LEARNING, Array, kind_of, levels_of, numbers
from eigenshrink.data.encoder import Column, Encoded, TableEncoder
from eigenshrink.data.names import check_known, listed, shown
from eigenshrink.data.roles import complete_rows, group_codes, row_weights
from eigenshrink.errors import InputError

if TYPE_CHECKING:
    import polars

PANDAS_INDEX = "__index_level_"  # how pandas names the index in a Parquet file: no column of the data


@dataclass(frozen=True, eq=False)
class Design:
    """A file as the arguments of a study, with what was done to get there."""

    encoder: TableEncoder
    matrix: Array  # (n, p)
    targets: Array  # (n,) or (n, t)
    sample_weight: Array | None  # (n,)
    groups: NDArray[np.intp] | None  # (n,)
    penalty_factor: Array | None  # (p,)
    rows: NDArray[np.intp]  # (n,) number of each row in the table, counted from 1
    rows_read: int  # rows of the table, used or not
    notes: tuple[str, ...]  # sentences for the summary


@dataclass(frozen=True, eq=False)
class Judges:
    """Rows of another table that judge and are not fitted, encoded like those that are."""

    matrix: Array  # (n, p)
    targets: Array  # (n,) or (n, t)
    sample_weight: Array | None  # (n,)
    rows_read: int
    notes: tuple[str, ...]


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

    Raises
    ------
    InputError
        If a name is unknown or has two roles, a column cannot be used, or fewer than two rows or
        no column are left.

    Notes
    -----
    O(n p) memory: the matrix is dense. The mean that fills a gap is weighted like the rows.
    """
    features = _features(frame, targets, weights, groups, unpenalised, categories, drop)
    rows, values, kept = complete_rows(frame, targets)
    weight = None if weights is None else row_weights(kept.get_column(weights), rows, counts)
    codes = None if groups is None else group_codes(kept.get_column(groups), rows, weight)
    columns, empty = _learn(kept, features, rows, weight, frozenset(categories))
    if not columns:
        raise InputError("no column is left to explain the target with: the table needs at least one other")
    encoder = TableEncoder(columns, tuple(targets), tuple(null_values))
    encoded = encoder.transform(kept, rows)
    return Design(
        encoder=encoder,
        matrix=encoded.matrix,
        targets=_shaped(values),
        sample_weight=weight,
        groups=codes,
        penalty_factor=_factors(columns, unpenalised),
        rows=rows,
        rows_read=frame.height,
        notes=(
            *_left_out(targets, frame.height - len(rows), weight),
            *_notes(encoder, encoded, empty, [name for name in targets if name in _flags(frame)]),
            *_together(groups, codes),
        ),
    )


def encode_judges(
    frame: polars.DataFrame, encoder: TableEncoder, *, weights: str | None = None, counts: bool = False
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

    Raises
    ------
    InputError
        If a column is absent or cannot be used, or fewer than two rows have a value of every target.
    """
    needed = [*encoder.targets, *([] if weights is None else [weights])]
    absent = [name for name in needed if name not in frame.columns]
    if absent:
        raise InputError(
            f"the table has no column {listed(absent)}, which rows need to judge by: its columns are "
            f"{listed(frame.columns)}"
        )
    rows, values, kept = complete_rows(frame, encoder.targets)
    weight = None if weights is None else row_weights(kept.get_column(weights), rows, counts)
    encoded = encoder.transform(kept, rows)
    return Judges(
        matrix=encoded.matrix,
        targets=_shaped(values),
        sample_weight=weight,
        rows_read=frame.height,
        notes=(*_left_out(encoder.targets, frame.height - len(rows), weight), *encoded.remarks),
    )


def _features(
    frame: polars.DataFrame,
    targets: Sequence[str],
    weights: str | None,
    groups: str | None,
    unpenalised: Sequence[str],
    categories: Sequence[str],
    drop: Sequence[str],
) -> list[str]:
    """Check every name and its role; return the columns that explain."""
    single = {"--weights": weights, "--groups": groups}
    roles = {"--target": targets, **{role: [name] for role, name in single.items() if name is not None}}
    roles |= {"--drop": drop, "--unpenalised": unpenalised, "--category": categories}
    taken: dict[str, str] = {}
    for role, names in roles.items():
        check_known(names, frame.columns, role)
        for name in names:
            if name in taken and (role != "--category" or taken[name] != "--unpenalised"):
                again = "twice" if taken[name] == role else f"both as {taken[name]} and as {role}"
                raise InputError(f"column {shown(name)} is given {again}: give it one role")
            taken[name] = role
    if not targets:
        raise InputError("--target is needed: name the column to explain")
    used = {*targets, weights, groups, *drop}
    return [name for name in frame.columns if name not in used and not name.startswith(PANDAS_INDEX)]


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


def _flags(frame: polars.DataFrame) -> list[str]:
    return [c.name for c in frame.get_columns() if c.dtype.base_type().__name__ == "Boolean"]


def _shaped(values: Array) -> Array:
    """One target has no target axis."""
    return values[:, 0] if values.shape[1] == 1 else values


def _left_out(targets: Sequence[str], dropped: int, weight: Array | None) -> list[str]:
    """Say which rows are not used, a sentence each."""
    light = 0 if weight is None else int((weight == 0).sum())
    reasons = {f"where {listed(targets)} is missing": dropped, "whose weight is 0": light}
    return [f"left out {count} row{'s' * (count != 1)} {why}" for why, count in reasons.items() if count]


def _together(name: str | None, codes: NDArray[np.intp] | None) -> list[str]:
    if codes is None:
        return []
    return [f"{shown(name)}: {len(np.unique(codes))} groups of rows that belong together"]


def _notes(
    encoder: TableEncoder, encoded: Encoded, empty: Sequence[str], flags: Sequence[str]
) -> tuple[str, ...]:
    """Say what was done, one sentence each."""
    notes = []
    if empty:
        notes.append(f"left out {listed(empty)}: every value is missing")
    notes += [f"target {shown(name)}: true counts as 1, false as 0" for name in flags]
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
