"""Where a page comes from: which data, which command, when; and which numbers the browser computes again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from eigenshrink.plots import reading
from eigenshrink.plots.text import number
from eigenshrink.report.html import table, text

BLOCK = 4096  # rows that are hashed at once
SIZE = 8  # bytes of a fingerprint
HOW = "What is computed again in the browser, and what is read from tables"


@dataclass(frozen=True)
class Origin:
    """Where the rows came from and how the page was made; "" is not said.

    Attributes
    ----------
    source : str
        Such as the name of a file.
    command : str
        What was typed.
    made : str
        Time of the run.
    fingerprint : str
        Of the rows: see :func:`fingerprint`.
    """

    source: str = ""
    command: str = ""
    made: str = ""
    fingerprint: str = ""

    @property
    def rows(self) -> dict[str, str]:
        """What is said, by what it is called on the page."""
        return {
            "source": self.source,
            "fingerprint of the data": self.fingerprint,
            "command": self.command,
            "made": self.made,
        }


def now() -> str:
    """Return the time with its zone, to the second."""
    return datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")


def fingerprint(study: Any) -> str:
    """Return 16 hexadecimal digits that change with any number of X, y, weights or offset (BLAKE2b); O(n p).

    "" where the rows are not at hand: of a study that was loaded, and of a network.
    """
    training = study.path.fit.training
    if training is None:
        return ""
    given, made = training.table, hashlib.blake2b(digest_size=SIZE)
    parts = (given.X.data, given.X.indices, given.X.indptr) if issparse(given.X) else (given.X,)
    for part in (*parts, given.y, given.weight, given.offset):
        made.update(str(None if part is None else (part.dtype, part.shape)).encode())
        _add(made, np.zeros(0) if part is None else part)
    return made.hexdigest()


def _add(made: Any, part: NDArray[Any]) -> None:
    for start in range(0, len(part), BLOCK):
        made.update(np.ascontiguousarray(part[start : start + BLOCK]).data)


def objective_with_numbers(study: Any) -> str:
    """Return the objective at the chosen strength with its numbers (M1); "" where one is not finite."""
    path, alpha = study.path, reading.chosen(study, 0)
    at = reading.solvable(study, alpha)
    loss, size = (float(np.ravel(each(at))[0]) for each in (path.train_loss, path.norm))
    if not np.isfinite([alpha, loss, size]).all():
        return ""
    about = f", target {study.target_names[0]}" if len(study.target_names) > 1 else ""
    penalty, square = 0.5 * alpha * size**2, "Σ_j d_j·w_j²" if "d_j" in study.objective else "Σ_j w_j²"
    return (
        f"At α = {number(alpha)}{about}: L + (α/2) {square} = {number(loss)} + ({number(alpha)}/2)·"
        f"{number(size**2)} = {number(loss)} + {number(penalty)} = {number(loss + penalty)}"
    )


def how(record: dict[str, Any]) -> str:
    """Return which numbers are exact in the browser, and how far those between two strengths may be off."""
    rows = [
        [text(each["what"]), text(each["how"]), number(each["error"], 2) if each["error"] else "none"]
        for each in record["how"]
    ]
    return table(HOW, ("numbers", "how", "largest error found, of the range"), rows, "ttn")
