"""Labels of classes of any kind, and their codes."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from eigenshrink.errors import InputError
from eigenshrink.models.loss import Array, Loss

UNKNOWN = "Unknown label type: "  # scikit-learn's words


def read_labels(y: Any) -> NDArray[Any]:
    """Labels ``(n,)`` as they were given; one column is one label per row too.

    Raises
    ------
    InputError
        If there are more columns or none.
    """
    if scipy.sparse.issparse(y):
        raise InputError("y is sparse; give it as a dense array, y.toarray()")
    if np.ma.isMaskedArray(y) and np.any(np.ma.getmaskarray(y)):
        raise InputError("y has masked values: drop these rows, every row needs a class")
    try:
        labels = np.asarray(y)
    except ValueError as error:
        raise InputError("y is not a rectangular array: one label per row is needed") from error
    if labels.size == 0 or labels.ndim == 0 or labels.size != len(labels):
        raise InputError(f"y has shape {labels.shape}; one label per row is needed, (n,)")
    return labels.reshape(-1)


def class_codes(
    labels: NDArray[Any], used: NDArray[np.bool_], loss: Loss, classes: Sequence[Any] | None = None
) -> tuple[Array, tuple[Any, ...]]:
    """Codes ``(n,)`` of labels and the label of every code, in sorted order.

    Parameters
    ----------
    labels : (n,)
        Texts, truth values or numbers, of one kind.
    used : (n,)
        Rows with weight; the others may hold any label and have code 0 where it is not among the classes.
    loss : Loss
        With ``classes`` 2 or 3.
    classes : sequence, optional
        The labels that there may be, in the order of their codes.

    Raises
    ------
    InputError
        If a label is missing, is not one of ``classes``, or all are the same.
    """
    labels = _of_one_kind(labels)
    if classes is None:
        _countable(labels, loss)
        found = tuple(np.unique(labels[used]).tolist())
        _enough(found, loss, weighted=not used.all())
    else:
        found = tuple(classes)
    known = {label: code for code, label in enumerate(found)}
    seen, places = np.unique(labels, return_inverse=True)
    codes = np.array([known.get(label, -1) for label in seen.tolist()], dtype=np.float64)[places]
    unseen = used & (codes < 0)
    if unseen.any():
        row = int(np.argmax(unseen))
        raise InputError(
            f"y[{row}] is {labels[row : row + 1].tolist()[0]!r}, a class that the fitted data do not have: "
            f"they have {_listed(found)}"
        )
    return np.maximum(codes, 0.0), found


def _of_one_kind(labels: NDArray[Any]) -> NDArray[Any]:
    """Labels as an array of texts, truth values or numbers, none of them missing."""
    kind = labels.dtype.kind
    if kind == "f":
        _none_missing(np.isnan(labels))
        _none_infinite(labels)
    if kind in "biufU":
        return labels
    if kind not in "OT":
        raise InputError(
            f"{UNKNOWN}y holds {labels.dtype}; a class is a text, a number or a truth value: "
            "try y.astype(str)"
        )
    values = labels.tolist()
    _none_missing(np.array([_missing(value) for value in values], dtype=bool))
    kinds = [_kind(value) for value in values]
    for row, found in enumerate(kinds):
        if found is None or found != kinds[0]:
            first = f", but y[0] is {values[0]!r}, {kinds[0]}" if found else ""
            what = found or f"an object of type {type(values[row]).__name__}"
            raise InputError(
                f"{UNKNOWN}y[{row}] is {values[row]!r}, {what}{first}: give all classes as texts, "
                "all as numbers or all as truth values"
            )
    plain = np.array(values)
    if plain.dtype.kind == "f":
        _none_infinite(plain)
    return plain


def _kind(value: Any) -> str | None:
    if isinstance(value, str):
        return "a text"
    if isinstance(value, bool | np.bool_):
        return "a truth value"
    return "a number" if isinstance(value, Real) else None


def _missing(value: Any) -> bool:
    """None, NaN, and what pandas writes for them (which cannot be compared)."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, Real) and value != value


def _none_missing(missing: NDArray[np.bool_]) -> None:
    if missing.any():
        raise InputError(
            f"y[{int(np.argmax(missing))}] is missing: every row needs a class; drop rows without one"
        )


def _none_infinite(labels: NDArray[Any]) -> None:
    if np.isinf(labels).any():
        raise InputError(
            f"y[{int(np.argmax(np.isinf(labels)))}] is infinity, which is no class: drop the row"
        )


def _countable(labels: NDArray[Any], loss: Loss) -> None:
    """Numbers with decimals are measurements unless there are only two of them."""
    if labels.dtype.kind != "f":
        return
    parts = labels != np.rint(labels)
    if parts.any() and len(np.unique(labels)) > 2:
        row = int(np.argmax(parts))
        raise InputError(
            f"{UNKNOWN}continuous: y[{row}] is {labels[row]:.12g} and there are more than two such values; "
            f"loss={loss.name!r} needs classes. For numbers use loss='squared'"
        )


def _enough(found: tuple[Any, ...], loss: Loss, weighted: bool) -> None:
    if len(found) == 1:
        where = " among the rows with weight" if weighted else ""
        raise InputError(
            f"y contains one class only{where}, {found[0]!r}: at least 2 classes are needed to tell apart"
        )
    if loss.classes == 2 and len(found) > 2:
        raise InputError(
            f"y has {len(found)} classes, {_listed(found)}; loss={loss.name!r} tells two apart: "
            "use loss='multinomial'"
        )


def _listed(classes: tuple[Any, ...]) -> str:
    more = f" and {len(classes) - 5} more" if len(classes) > 5 else ""
    return ", ".join(map(repr, classes[:5])) + more
