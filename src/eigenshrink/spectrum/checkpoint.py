"""What a long computation has reached, on disk: never half written, refused where it is of something else."""

from __future__ import annotations

import hashlib
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from eigenshrink.data.write import new_file
from eigenshrink.errors import InputError
from eigenshrink.fit import Fit

APART = 1e-3  # relative, between gradients of the same data: sums over batches differ in the last digits
SHARE = 0.1  # of the time that may go into writing

Arrays = Mapping[str, Any]


def fingerprint(fit: Fit, *settings: object) -> str:
    """Of weights, strength, penalty factors and settings: equal only where all of them are."""
    found = hashlib.sha256()
    for array in (fit.weights, fit.penalty_factor):
        found.update(np.ascontiguousarray(array).tobytes())
    curvature = fit.curvature
    kind = (type(curvature).__name__, str(curvature.precision), curvature.positive)
    found.update(repr((fit.alpha, kind, settings)).encode())
    return found.hexdigest()


class Checkpoint:
    """Files beside each other, one for each stage; without a path nothing is kept.

    Parameters
    ----------
    path : Path or None
    fit : Fit
        Of which something is computed.
    settings : objects
        With which.
    """

    def __init__(self, path: Path | str | None, fit: Fit, *settings: object) -> None:
        self.path, self.gradient = None if path is None else Path(path), fit.gradient
        self.mark = "" if path is None else fingerprint(fit, *settings)
        self._rest: dict[str, float] = {}

    def file(self, stage: str) -> Path | None:
        """Where a stage is kept: ``run.npz`` becomes ``run.path.npz``."""
        return None if self.path is None else self.path.with_name(f"{self.path.stem}.{stage}.npz")

    def read(self, stage: str) -> dict[str, Any] | None:
        """Arrays of a stage, or None where it has not begun.

        Raises
        ------
        InputError
            If the file is not one of these, or of other weights or settings.
        """
        file = self.file(stage)
        if file is None or not file.exists():
            return None
        try:
            with file.open("rb") as stream, np.load(stream, allow_pickle=False) as found:
                arrays = {name: found[name] for name in found.files}
            mark, gradient = str(arrays.pop("mark")), arrays.pop("gradient")
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(
                f"{file} is no checkpoint that can be read: remove it, or name another one"
            ) from error
        if mark != self.mark or not self._same(gradient):
            raise InputError(
                f"{file} is of other weights, data or settings: remove it, or name another checkpoint"
            )
        return arrays

    def write(self, stage: str, arrays: Callable[[], Arrays], last: bool = False) -> None:
        """Keep a stage, unless a tenth of the time would go into writing; ``last`` always.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        file = self.file(stage)
        start = time.monotonic()
        if file is None or (not last and start < self._rest.get(stage, 0.0)):
            return
        with new_file(file) as beside, beside.open("wb") as stream:
            np.savez(stream, mark=np.array(self.mark), gradient=self.gradient, **arrays())
        now = time.monotonic()
        self._rest[stage] = now + (now - start) * (1 / SHARE - 1)

    def _same(self, gradient: Any) -> bool:
        """Whether a gradient is of the same data."""
        if gradient.shape != self.gradient.shape:
            return False
        apart = float(np.linalg.norm(gradient - self.gradient))
        return apart <= APART * float(np.linalg.norm(self.gradient))
