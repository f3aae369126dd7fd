"""What the columns of a table are for, and those that do not explain: row weights, groups, offsets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eigenshrink.data.columns import Array, numbers
from eigenshrink.data.names import check_known, listed, shown
from eigenshrink.errors import InputError

if TYPE_CHECKING:
    import polars

Codes = NDArray[np.intp]
PANDAS_INDEX = "__index_level_"  # how pandas names the index in a Parquet file: no column of the data
EXPLAINING = ("--unpenalised", "--category")  # roles of columns that explain
ALSO_CATEGORY = ("--unpenalised", "--target")  # roles that a category may have too


@dataclass(frozen=True)
class Offset:
    """A column that is added to the linear predictor: as it is, or as the logarithm of an exposure."""

    column: str
    exposure: bool = False

    @property
    def flag(self) -> str:
        """The option that names it."""
        return "--exposure" if self.exposure else "--offset"

    def values(self, frame: polars.DataFrame, rows: Codes) -> Array:
        """What is added in each row ``(n,)``.

        Raises
        ------
        InputError
            If the column is absent, or naming the first row whose value cannot be used.
        """
        if self.column not in frame.columns:
            raise InputError(
                f"the table has no column {shown(self.column)}, which the model needs as {self.flag}: its "
                f"columns are {listed(frame.columns)}"
            )
        values = numbers(frame.get_column(self.column), rows)
        what = "exposure" if self.exposure else "offset"
        faults = {"missing; every row needs one": np.isnan(values)}
        if self.exposure:
            faults["not above 0; it is a time, an area or a number at risk"] = values <= 0
        for fault, wrong in faults.items():
            if wrong.any():
                raise InputError(f"column {shown(self.column)}, row {rows[wrong][0]}: the {what} is {fault}")
        return np.log(values) if self.exposure else values


def explaining(frame: polars.DataFrame, given: Mapping[str, Sequence[str] | str | None]) -> list[str]:
    """Check every name and its role; return the columns that explain.

    Parameters
    ----------
    frame : DataFrame
    given : mapping
        From the option to the column or the columns that it names, None for none. Those of
        ``--unpenalised`` and ``--category`` explain; a target may be a category too.

    Raises
    ------
    InputError
        If a name is unknown or has two roles, or there is no target.
    """
    roles = {role: [names] if isinstance(names, str) else names or () for role, names in given.items()}
    taken: dict[str, str] = {}
    for role, names in roles.items():
        check_known(names, frame.columns, role)
        for name in names:
            if name in taken and (role != "--category" or taken[name] not in ALSO_CATEGORY):
                again = "twice" if taken[name] == role else f"both as {taken[name]} and as {role}"
                raise InputError(f"column {shown(name)} is given {again}: give it one role")
            taken[name] = role
    if not roles["--target"]:
        raise InputError("--target is needed: name the column to explain")
    used = {name for role, names in roles.items() if role not in EXPLAINING for name in names}
    return [name for name in frame.columns if name not in used and not name.startswith(PANDAS_INDEX)]


def row_weights(column: polars.Series, rows: Codes, counts: bool) -> Array:
    """Row weights ``(n,)``, each known and not negative; ``counts``: whole numbers.

    Raises
    ------
    InputError
        Naming the first row whose weight cannot be used.
    """
    values = numbers(column, rows)
    faults = {"missing": np.isnan(values), "negative": values < 0}
    needed = "every row needs one that is 0 or more"
    if counts:
        faults["not a whole number"] = values != np.rint(values)
        needed = "a count is a whole number from 0 on; for other weights give --weight-kind precision"
    for what, wrong in faults.items():
        if wrong.any():
            raise InputError(
                f"column {shown(column.name)}, row {rows[wrong][0]}: the weight is {what}; {needed}"
            )
    positive = int((values > 0).sum())
    if positive < 2:
        raise InputError(
            f"column {shown(column.name)}: {positive} of {len(values)} rows have a weight above 0; "
            "at least 2 are needed"
        )
    return values


def group_codes(column: polars.Series, rows: Codes, weight: Array | None = None) -> Codes:
    """Code of each row's group ``(n,)``, counted from 0; a label may be a text, a number, a date, ...

    Raises
    ------
    InputError
        If a label is missing, or the rows with weight have fewer than two labels.
    """
    known = column.fill_nan(None) if column.dtype.is_float() else column
    missing = known.is_null().to_numpy()
    if missing.any():
        raise InputError(
            f"column {shown(column.name)}, row {rows[missing][0]}: the group is missing; every row needs a "
            "label, and one that belongs to nobody a label of its own"
        )
    codes: Codes = known.rank("dense").to_numpy().astype(np.intp) - 1
    if len(np.unique(codes if weight is None else codes[weight > 0])) < 2:
        raise InputError(
            f"column {shown(column.name)} has one label for every row with a target: at least 2 groups are "
            "needed to leave one out; name another column for --groups, or none"
        )
    return codes
