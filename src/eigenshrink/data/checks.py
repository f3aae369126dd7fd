"""The public door: arrays are checked here, once, and errors name the item and the way out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from eigenshrink.errors import InputError

Array = NDArray[np.float64]
WEIGHT_KINDS = ("precision", "frequency")


@dataclass(frozen=True, eq=False)
class Table:
    """Checked data: n rows, p columns, t targets; rows without weight are gone.

    Attributes
    ----------
    X : (n, p)
        float32 or float64, dense or CSR.
    y : (n, t)
        float32 or float64.
    weight : (n,) or None
        Row weights s > 0; None: all one.
    weight_kind : str
        ``"precision"`` or ``"frequency"`` (M14).
    one_target : bool
        y was 1-d, and results carry no target axis.
    feature_names, target_names : tuple of str
    groups : (n,) or None
        Code of the group that a row belongs to, as the user said it.
    named : bool
        The names of the columns are the user's.
    places : (n,) or None
        Which of the rows that were given each is, counted from 0; None: all of them, in order.
    offset : (n,) or None
        Added to the linear predictor of each row.
    """

    X: Any
    y: NDArray[np.floating]
    weight: Array | None
    weight_kind: str
    one_target: bool
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]
    groups: NDArray[np.intp] | None = None
    named: bool = False
    places: NDArray[np.intp] | None = None
    offset: Array | None = None

    def take(self, rows: NDArray[np.bool_]) -> Table:
        """Some of the rows, chosen by a mask ``(n,)``."""
        groups = None if self.groups is None else np.unique(self.groups[rows], return_inverse=True)[1]
        weight = None if self.weight is None else self.weight[rows]
        places = np.flatnonzero(rows) if self.places is None else self.places[rows]
        offset = None if self.offset is None else self.offset[rows]
        return replace(
            self,
            X=self.X[rows],
            y=self.y[rows],
            weight=weight,
            groups=groups,
            places=places,
            offset=offset,
        )

    @property
    def weight_sum(self) -> float:
        """S."""
        return float(self.y.shape[0] if self.weight is None else self.weight.sum())

    @property
    def observations(self) -> float:
        """ν (M14): rows with weight for precision weights, S for frequency weights."""
        return float(self.y.shape[0]) if self.weight_kind == "precision" else self.weight_sum

    @property
    def dtype(self) -> str:
        """The dtype of X: results have it too."""
        return str(self.X.dtype)


def check_table(
    X: Any,
    y: Any,
    sample_weight: Any = None,
    weight_kind: str = "precision",
    feature_names: Sequence[str] | None = None,
    groups: Any = None,
    offset: Any = None,
) -> Table:
    """Check what a user gave and make a :class:`Table` of it.

    Raises
    ------
    InputError
        Naming the first item that cannot be used.
    """
    names = _names(X, "x", feature_names)
    matrix = check_matrix(X, names)
    n, p = matrix.shape
    if names and len(names) != p:
        raise InputError(f"feature_names has {len(names)} names for {p} columns of X: give one per column")
    target_names = _names(y, "y")
    targets = numbers(y, "y", target_names)
    if targets.ndim not in (1, 2) or targets.size == 0:
        raise InputError(f"y must have shape (n,) or (n, t), t ≥ 1; got {targets.shape}")
    if len(targets) != n:
        raise InputError(f"X has {n} rows and y has {len(targets)}: they must describe the same rows")
    _all_finite(targets, "y", target_names)
    weight = check_weights(sample_weight, n, weight_kind)
    y2 = targets.reshape(n, -1)
    table = Table(
        X=matrix,
        y=y2,
        weight=weight,
        weight_kind=weight_kind,
        one_target=targets.ndim == 1,
        feature_names=names or tuple(f"x{j}" for j in range(p)),
        target_names=target_names or tuple(f"y{j}" for j in range(y2.shape[1])),
        groups=check_groups(groups, n),
        named=bool(names),
        offset=check_offset(offset, n),
    )
    table = table if weight is None or np.all(weight > 0) else table.take(weight > 0)
    if table.groups is not None and table.groups.max() == 0:
        raise InputError("groups has one label for every row: at least 2 groups are needed to leave one out")
    if len(table.y) < 2:
        rows = "1 row" if n == 1 else f"{len(table.y)} row(s) with weight"
        raise InputError(f"X has {rows} (n_samples = {len(table.y)}); at least 2 are needed to fit anything")
    return table


def check_matrix(X: Any, names: Sequence[str] = ()) -> Any:
    """A design matrix as float32 or float64, dense or CSR, 2-d, not empty, finite."""
    if scipy.sparse.issparse(X):
        matrix = scipy.sparse.csr_array(X)
        matrix.data = numbers(matrix.data, "X")
        if not matrix.has_canonical_format:  # never in the user's own arrays
            matrix = matrix.copy()
            matrix.sum_duplicates()
        bad = np.flatnonzero(~np.isfinite(matrix.data))
        if len(bad):
            row = int(np.searchsorted(matrix.indptr, bad[0], side="right")) - 1
            _not_finite("X", (row, int(matrix.indices[bad[0]])), matrix.data[bad[0]], names)
        values = matrix
    else:
        values = numbers(X, "X", names)
    if values.ndim != 2:
        raise InputError(
            f"X must be 2-d, (rows, columns); got {values.ndim}-d with shape {values.shape}. "
            "Reshape your data: X.reshape(-1, 1) makes one column of it"
        )
    if 0 in values.shape:
        raise InputError(f"X has shape {values.shape}: at least one row and one column are needed")
    if isinstance(values, np.ndarray):
        _all_finite(values, "X", names)
    return values


def check_weights(sample_weight: Any, n: int, weight_kind: str) -> Array | None:
    """Row weights as float64 ``(n,)``, or None where all are one."""
    if weight_kind not in WEIGHT_KINDS:
        raise InputError(f"weight_kind must be one of {', '.join(WEIGHT_KINDS)}; got {weight_kind!r}")
    if sample_weight is None:
        return None
    weight = numbers(sample_weight, "sample_weight").astype(np.float64)
    if weight.ndim == 0:
        weight = np.full(n, float(weight))
    if weight.shape != (n,):
        raise InputError(f"sample_weight has shape {weight.shape}; one weight per row is needed: ({n},)")
    _all_finite(weight, "sample_weight")
    if np.any(weight < 0):
        row = int(np.argmax(weight < 0))
        raise InputError(f"sample_weight[{row}] is {weight[row]:g}; weights must not be negative")
    if not np.any(weight > 0):
        raise InputError("sample_weight is zero for every row: at least 2 rows need a positive weight")
    if weight_kind == "frequency" and np.any(weight != np.rint(weight)):
        row = int(np.argmax(weight != np.rint(weight)))
        raise InputError(
            f"sample_weight[{row}] is {weight[row]:g}, but weight_kind='frequency' means how often a row "
            "occurred: give whole numbers, or weight_kind='precision'"
        )
    return None if np.all(weight == 1.0) else weight


def check_offset(offset: Any, n: int) -> Array | None:
    """What is added to the linear predictor of each row, ``(n,)`` float64, or None."""
    if offset is None:
        return None
    shift = numbers(offset, "offset").astype(np.float64)
    if shift.ndim == 0:
        shift = np.full(n, float(shift))
    if shift.shape != (n,):
        raise InputError(f"offset has shape {shift.shape}; one number per row is needed: ({n},)")
    _all_finite(shift, "offset")
    return shift


def check_groups(groups: Any, n: int) -> NDArray[np.intp] | None:
    """Codes of group labels, ``(n,)``, counted from 0.

    Raises
    ------
    InputError
        If a label is missing, or the number of labels is not that of rows.
    """
    if groups is None:
        return None
    labels = np.asarray(groups)
    if labels.shape != (n,):
        raise InputError(f"groups has shape {labels.shape}; one label per row is needed: ({n},)")
    missing = labels != labels if labels.dtype.kind in "fcmM" else _missing(labels)
    if np.any(missing):
        raise InputError(
            f"groups[{int(np.argmax(missing))}] is missing: every row needs a label; "
            "a row that belongs to nobody gets one of its own"
        )
    if labels.dtype.kind != "O":
        return np.unique(labels, return_inverse=True)[1].reshape(-1).astype(np.intp)
    known: dict[Any, int] = {}
    try:
        return np.array([known.setdefault(label, len(known)) for label in labels], dtype=np.intp)
    except TypeError as error:
        raise InputError("groups holds labels that cannot be compared: use texts or numbers") from error


def _missing(labels: NDArray[Any]) -> NDArray[np.bool_]:
    if labels.dtype.kind != "O":
        return np.zeros(len(labels), dtype=bool)
    return np.array([label is None or label != label for label in labels], dtype=bool)


def numbers(values: Any, name: str, names: Sequence[str] = ()) -> NDArray[np.floating]:
    """An array of float32 or float64; text and dates are InputErrors that name row and column."""
    if scipy.sparse.issparse(values):
        raise InputError(f"{name} is sparse; give it as a dense array, {name}.toarray()")
    if np.ma.isMaskedArray(values) and np.any(np.ma.getmaskarray(values)):
        raise InputError(f"{name} has masked values: fill them first, for example with {name}.filled(...)")
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise InputError(f"{name} is not a rectangular array: every row needs the same length") from error
    if array.dtype.kind in "biu":
        return array.astype(np.float64)
    if array.dtype.kind == "f":
        return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)
    if array.dtype.kind == "c":
        raise InputError(f"{name} holds complex numbers. Complex data not supported: give real numbers")
    if array.dtype.kind in "mM":
        raise InputError(
            f"{name} holds dates or times: turn them into numbers first, for example days since a day"
        )
    try:
        return np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError) as error:
        place, value = _first_text(array, names)
        raise InputError(
            f"{name}{place} is {value!r}, not a number: drop that column or encode it as numbers "
            "(the command line `eigenshrink fit` does this for files)"
        ) from error


def _first_text(array: NDArray[Any], names: Sequence[str]) -> tuple[str, Any]:
    for index, value in np.ndenumerate(array):
        try:
            float(value)
        except (TypeError, ValueError):
            column = f", column {names[index[1]]!r}" if len(index) == 2 and len(names) > index[1] else ""
            place = f"[{', '.join(map(str, index))}]{column}" if index else ""
            return place, value.item() if isinstance(value, np.generic) else value
    return "", array.dtype


def _all_finite(values: NDArray[np.floating], name: str, names: Sequence[str] = ()) -> None:
    with np.errstate(all="ignore"):
        if values.ndim == 2 and np.isfinite(np.ones(len(values), values.dtype) @ values).all():
            return  # sums of columns by BLAS are the cheapest look at every value
        if np.isfinite(values).all():
            return
    index = tuple(int(i) for i in np.unravel_index(int(np.argmin(np.isfinite(values))), values.shape))
    _not_finite(name, index, values[index], names)


def _not_finite(name: str, index: tuple[int, ...], value: Any, names: Sequence[str]) -> NoReturn:
    word = "NaN" if np.isnan(value) else "infinity"
    column = f" (column {names[index[1]]!r})" if len(index) == 2 and len(names) > index[1] else ""
    raise InputError(
        f"{name}[{', '.join(map(str, index))}]{column} is {word}; every value must be finite: "
        "fill the gaps (for example with the column's mean and an indicator column) or drop these rows"
    )


def column_names(values: Any) -> tuple[str, ...]:
    """The names that a DataFrame or a Series carries; empty for an array."""
    found = getattr(values, "columns", getattr(values, "name", None))
    if found is None:
        return ()
    return (found,) if isinstance(found, str) else tuple(str(name) for name in found)


def _names(values: Any, what: str, given: Sequence[str] | None = None) -> tuple[str, ...]:
    names = column_names(values) if given is None else tuple(str(name) for name in given)
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        where = f"the names of {what}" if given is None else "feature_names"
        raise InputError(f"{where} has {twice!r} twice: names must be different")
    return names
