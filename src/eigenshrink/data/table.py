"""A table with named columns → design matrix, target, weights: what :func:`es.study` takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eigenshrink.data.columns import (
    LEARNING,
    MOSTLY_NUMBERS,
    Array,
    first_text,
    is_text,
    kind_of,
    levels_of,
    looks_numeric,
    numbers,
)
from eigenshrink.data.encoder import Column, Encoded, TableEncoder
from eigenshrink.data.names import check_known, listed, shown
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
    penalty_factor: Array | None  # (p,)
    rows_read: int  # rows of the table, used or not
    notes: tuple[str, ...]  # sentences for the summary


def encode_table(
    frame: polars.DataFrame,
    targets: Sequence[str],
    *,
    weights: str | None = None,
    counts: bool = False,
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
    features = _features(frame, targets, weights, unpenalised, categories, drop)
    every = np.arange(1, frame.height + 1)
    values = np.column_stack([_target(frame.get_column(name), every) for name in targets])
    keep: NDArray[np.bool_] = np.asarray(np.isfinite(values).all(axis=1))
    _check_rows(keep, targets)
    rows, values, kept = every[keep], values[keep], frame.filter(keep)
    weight = None if weights is None else _weights(kept.get_column(weights), rows, counts)
    columns, empty = _learn(kept, features, rows, weight, frozenset(categories))
    if not columns:
        raise InputError("no column is left to explain the target with: the table needs at least one other")
    encoder = TableEncoder(columns, tuple(targets), tuple(null_values))
    encoded = encoder.transform(kept, rows)
    return Design(
        encoder=encoder,
        matrix=encoded.matrix,
        targets=values[:, 0] if len(targets) == 1 else values,
        sample_weight=weight,
        penalty_factor=_factors(columns, unpenalised),
        rows_read=frame.height,
        notes=_notes(encoder, encoded, int((~keep).sum()), empty, [n for n in targets if n in _flags(frame)]),
    )


def _features(
    frame: polars.DataFrame,
    targets: Sequence[str],
    weights: str | None,
    unpenalised: Sequence[str],
    categories: Sequence[str],
    drop: Sequence[str],
) -> list[str]:
    """Check every name and its role; return the columns that explain."""
    roles = {"--target": targets, "--weights": [weights] if weights is not None else []}
    wishes = {"--drop": drop, "--unpenalised": unpenalised, "--category": categories}
    taken: dict[str, str] = {}
    for role, names in (roles | wishes).items():
        check_known(names, frame.columns, role)
        for name in names:
            if name in taken and (role != "--category" or taken[name] != "--unpenalised"):
                again = "twice" if taken[name] == role else f"both as {taken[name]} and as {role}"
                raise InputError(f"column {shown(name)} is given {again}: give it one role")
            taken[name] = role
    if not targets:
        raise InputError("--target is needed: name the column to explain")
    used = {*targets, weights, *drop}
    return [name for name in frame.columns if name not in used and not name.startswith(PANDAS_INDEX)]


def _target(column: polars.Series, rows: NDArray[np.intp]) -> Array:
    """Values of a target, NaN where missing."""
    name, what = shown(column.name), column.dtype.base_type().__name__.lower()
    if column.null_count() == column.len():
        raise InputError(f"target {name} is missing in every row: name another column")
    if column.dtype.is_temporal() or column.dtype.is_nested():
        raise InputError(f"target {name} holds {what}s: give the quantity to explain as numbers")
    if is_text(column) and looks_numeric(column) < MOSTLY_NUMBERS:
        raise InputError(
            f"target {name} holds text such as {shown(first_text(column))}: the squared loss explains "
            "numbers; write two classes as 0 and 1, or name another column"
        )
    return numbers(column, rows, role="target", options=LEARNING[:1])


def _check_rows(keep: NDArray[np.bool_], targets: Sequence[str]) -> None:
    if keep.sum() < 2:
        raise InputError(
            f"the table has {keep.size} row{'s' * (keep.size != 1)}, {keep.sum()} of them with a value of "
            f"{listed(targets)}: at least 2 are needed"
        )


def _weights(column: polars.Series, rows: NDArray[np.intp], counts: bool) -> Array:
    """Row weights (n,), each known and not negative."""
    values = numbers(column, rows)
    faults = {"missing": np.isnan(values), "negative": values < 0}
    if counts:
        faults["not a whole number, as a count of rows must be"] = values != np.rint(values)
    for what, wrong in faults.items():
        if wrong.any():
            raise InputError(
                f"column {shown(column.name)}, row {rows[wrong][0]}: the weight is {what}; "
                "every row needs one that is 0 or more"
            )
    positive = int((values > 0).sum())
    if positive < 2:
        raise InputError(
            f"column {shown(column.name)}: {positive} of {len(values)} rows have a weight above 0; "
            "at least 2 are needed"
        )
    return values


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


def _notes(
    encoder: TableEncoder, encoded: Encoded, dropped: int, empty: Sequence[str], flags: Sequence[str]
) -> tuple[str, ...]:
    """Say what was done, one sentence each."""
    notes = []
    if dropped:
        where = listed(encoder.targets)
        notes.append(f"left out {dropped} row{'s' * (dropped != 1)} where {where} is missing")
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
