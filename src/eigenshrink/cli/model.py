"""A fitted model in a file that is data only: builtin types and numpy arrays, no class of ours.

Written and read by skops with an empty list of trusted types, so a file from a stranger cannot run
anything.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eigenshrink.data.encoder import Encoded, TableEncoder
from eigenshrink.data.names import shown
from eigenshrink.data.roles import Offset
from eigenshrink.data.targets import Label
from eigenshrink.errors import InputError, MissingExtra
from eigenshrink.models import find_loss

if TYPE_CHECKING:
    import polars

Array = NDArray[np.float64]

FORMAT = "eigenshrink table model"
FORMAT_VERSION = 2
SQUARED_ONLY = 1  # the version before there was another loss; it can be read
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    OSError,
    EOFError,
)


@dataclass(frozen=True, eq=False)
class Model:
    """What predicts from a table: how its columns become numbers, the weights of those, and the loss."""

    encoder: TableEncoder
    coefficients: Array  # (p,), (t, p) or (c, p), original units
    intercept: Array  # (), (t,) or (c,)
    loss: str = "squared"
    classes: tuple[Label, ...] = ()  # in the order of their codes; () where numbers are explained
    offset: Offset | None = None

    def predict(self, frame: polars.DataFrame) -> tuple[Array, Encoded]:
        """Expected response of every row ``(n,)`` or ``(n, t)``, or the probability of each class ``(n, c)``.

        Also what had to be done to the rows.
        """
        encoded = self.encoder.transform(frame)
        linear = encoded.matrix @ self.coefficients.T + self.intercept
        if self.offset is not None:
            linear = linear + self.offset.values(frame, np.arange(1, frame.height + 1))
        expected = find_loss(self.loss).mean(linear)
        if self.classes and expected.ndim == 1:
            expected = np.column_stack([1.0 - expected, expected])
        return expected, encoded


def save_model(model: Model, path: Path) -> None:
    """Write a model with skops.

    Raises
    ------
    MissingExtra
        If skops is not installed.
    """
    state = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "encoder": model.encoder.to_dict(),
        "coefficients": np.asarray(model.coefficients, dtype=np.float64),
        "intercept": np.asarray(model.intercept, dtype=np.float64),
        "loss": model.loss,
        "classes": list(model.classes),
        "offset": None if model.offset is None else asdict(model.offset),
    }
    _skops().dump(state, path, compression=zipfile.ZIP_DEFLATED)


def load_model(folder: Path) -> Model:
    """Read the model of an output folder; nothing in the file is trusted.

    Raises
    ------
    InputError
        If there is none, or it is damaged, or holds anything but plain data.
    """
    path = folder / "model.skops"
    try:
        found = folder.is_dir() and path.is_file()
    except OSError as error:
        raise InputError(f"folder {shown(folder)} cannot be read: {error.strerror}") from error
    if not found:
        what = "holds no model.skops" if folder.is_dir() else "does not exist"
        raise InputError(f"folder {folder} {what}: name the --output of eigenshrink fit")
    io = _skops()
    try:
        state = io.load(path, trusted=[])
    except DAMAGED as error:
        raise InputError(
            f"{path} is damaged or was not written by eigenshrink fit: fit the model again"
        ) from error
    return _model(state, path)


def _model(state: Any, path: Path) -> Model:
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise InputError(f"{path} holds no model of eigenshrink fit: name its --output folder")
    if state.get("format_version") not in (FORMAT_VERSION, SQUARED_ONLY):
        raise InputError(
            f"{path} has format version {state.get('format_version')!r}, this program reads "
            f"{FORMAT_VERSION}: fit the model again, or install the version that wrote it"
        )
    encoder = TableEncoder.from_dict(state.get("encoder", {}))
    coefficients, intercept = np.asarray(state.get("coefficients")), np.asarray(state.get("intercept"))
    try:
        loss, classes, offset = _loss(state)
    except (InputError, TypeError, KeyError) as error:
        raise InputError(f"{path} is damaged: it names no loss that there is; fit the model again") from error
    shapes = (coefficients.shape, intercept.shape)
    p, t, c = len(encoder.feature_names), len(encoder.targets), len(classes)
    fitting = {((c, p), (c,))} if c > 2 else {((p,), ()), ((t, p), (t,)), ((c, p), (c,))}
    if shapes not in fitting or {coefficients.dtype.kind, intercept.dtype.kind} != {"f"}:
        raise InputError(f"{path} is damaged: {p} columns do not fit weights of shape {shapes[0]}; fit again")
    return Model(encoder, coefficients, intercept, loss, classes, offset)


def _loss(state: dict[str, Any]) -> tuple[str, tuple[Label, ...], Offset | None]:
    """What makes a prediction of a linear predictor."""
    name = state.get("loss", "squared")
    find_loss(name)
    classes = tuple(state.get("classes", ()))
    if not all(isinstance(label, Label) for label in classes):
        raise TypeError("a label is a text, a truth value or a number")
    offset = state.get("offset")
    return name, classes, None if offset is None else Offset(str(offset["column"]), bool(offset["exposure"]))


def _skops() -> Any:
    try:
        import skops.io
    except ImportError as error:
        raise MissingExtra("skops", "app") from error
    return skops.io
