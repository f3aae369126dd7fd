"""The frozen record that turns rows of a table into rows of a design matrix."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.data.columns import Array, codes, numbers
from eigenshrink.data.names import distinct, listed, shown
from eigenshrink.errors import InputError

if TYPE_CHECKING:
    import polars

MISSING = "(missing)"


@dataclass(frozen=True)
class Column:
    """What was decided about one column, from the rows that were learnt from."""

    name: str
    fill: float = 0.0  # numbers: the mean, put where a value is missing
    indicator: bool = False  # numbers: whether a column says where one was missing
    levels: tuple[str | None, ...] | None = None  # categories: one column each; None is "missing"

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the columns of the design matrix that this column becomes."""
        if self.levels is not None:
            return tuple(f"{self.name}={MISSING if level is None else level}" for level in self.levels)
        return (self.name, f"{self.name} {MISSING}") if self.indicator else (self.name,)


@dataclass(frozen=True, eq=False)
class Encoded:
    """Rows as numbers, and what had to be done to some of them."""

    matrix: Array  # (n, p)
    filled: dict[str, int]  # column: missing values, replaced by mean or zeros
    unseen: dict[str, int]  # column: values of a category that was not learnt, all zeros

    @property
    def remarks(self) -> list[str]:
        """What the rows hold that was not learnt, one sentence per column."""
        unseen = [
            f"{shown(name)}: {count} value{'s' * (count != 1)} not seen when fitting, 0 in every category"
            for name, count in self.unseen.items()
        ]
        filled = [
            f"{shown(name)}: {count} missing value{'s' * (count != 1)}, treated as when fitting"
            for name, count in self.filled.items()
        ]
        return unseen + filled


@dataclass(frozen=True)
class TableEncoder:
    """Columns of a table as a design matrix: numbers as they are, one column per category.

    No category is dropped: with an L2 penalty none needs to be, and every level is then treated
    alike. A missing number becomes the mean of its column, and an own column says where; a missing
    category is an own level. What was not learnt (an unseen category) is zero in every level.
    """

    columns: tuple[Column, ...]
    targets: tuple[str, ...]
    null_values: tuple[str, ...] = ()

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the columns of the design matrix (p,), all different."""
        return distinct(name for column in self.columns for name in column.features)

    @property
    def text_columns(self) -> tuple[str, ...]:
        """Columns that a reader has to keep as text, so that ``007`` stays ``007``."""
        return tuple(column.name for column in self.columns if column.levels is not None)

    def transform(self, frame: polars.DataFrame, rows: NDArray[np.intp] | None = None) -> Encoded:
        """Encode rows of a frame; columns that were not learnt from are ignored.

        Parameters
        ----------
        frame : DataFrame of n rows
        rows : (n,), optional
            Number of each row in its file, for messages; counted from 1 unless given.

        Raises
        ------
        InputError
            If a column is absent, or a value is text where numbers were learnt.
        """
        absent = [column.name for column in self.columns if column.name not in frame.columns]
        if absent:
            raise InputError(
                f"the table has no column {listed(absent)}, which the model was fitted with: "
                f"its columns are {listed(frame.columns)}"
            )
        rows = np.arange(1, frame.height + 1) if rows is None else rows
        encoded = Encoded(np.zeros((frame.height, len(self.feature_names))), {}, {})
        start = 0
        for column in self.columns:
            block = encoded.matrix[:, start : start + len(column.features)]
            _fill(block, column, frame.get_column(column.name), rows, encoded)
            start += len(column.features)
        return encoded

    def to_dict(self) -> dict[str, Any]:
        """Return the record as builtin types only, for any file format."""
        columns = [
            {
                "name": column.name,
                "fill": column.fill,
                "indicator": column.indicator,
                "levels": None if column.levels is None else list(column.levels),
            }
            for column in self.columns
        ]
        return {"columns": columns, "targets": list(self.targets), "null_values": list(self.null_values)}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> TableEncoder:
        """Rebuild the record that :meth:`to_dict` wrote.

        Raises
        ------
        InputError
            If a field is missing or of another type.
        """
        try:
            columns = tuple(_column(entry) for entry in state["columns"])
            return cls(columns, tuple(map(str, state["targets"])), tuple(map(str, state["null_values"])))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError("the saved table encoder is damaged: fit the model again") from error


def _column(entry: dict[str, Any]) -> Column:
    levels = entry["levels"]
    known = None if levels is None else tuple(None if level is None else str(level) for level in levels)
    return Column(str(entry["name"]), float(entry["fill"]), bool(entry["indicator"]), known)


def _fill(
    block: Array, column: Column, series: polars.Series, rows: NDArray[np.intp], encoded: Encoded
) -> None:
    """Write one column's features into its block of the matrix; count what was filled or unseen."""
    if column.levels is not None:
        found = codes(series, column.levels)
        known = np.flatnonzero(found >= 0)
        block[known, found[known]] = 1.0
        unseen, missing = int((found == -1).sum()), int(series.null_count())
        if unseen:
            encoded.unseen[column.name] = unseen
    else:
        values = numbers(series, rows)
        gaps = np.isnan(values)
        missing = int(gaps.sum())
        block[:, 0] = np.where(gaps, column.fill, values)
        block[:, 1:] = gaps[:, None]
    if missing:
        encoded.filled[column.name] = missing
