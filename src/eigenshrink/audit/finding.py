"""What an audit says: one finding per assumption."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from eigenshrink.audit.left_out import Answers
from eigenshrink.choice import Choice
from eigenshrink.data.checks import Table
from eigenshrink.data.splits import Splits
from eigenshrink.fit import Training
from eigenshrink.models.loss import Loss
from eigenshrink.path import AnchoredPath, KrylovPath, Path, QuadraticPath
from eigenshrink.risk import RiskCurve, RowErrors, row_errors


@dataclass(frozen=True)
class Finding:
    """One assumption, checked.

    Attributes
    ----------
    check : str
        Its name.
    verdict : str
        pass, warn or fail.
    value, threshold : float
        What was measured, and from where on it matters.
    meaning, advice : str
        A sentence each.
    """

    check: str
    verdict: str
    value: float
    threshold: float
    meaning: str
    advice: str


@dataclass(frozen=True)
class Audit(Sequence[Finding]):
    """All findings, in the order of the checks."""

    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """No check failed."""
        return all(finding.verdict != "fail" for finding in self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    @overload
    def __getitem__(self, index: int) -> Finding: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Finding]: ...
    def __getitem__(self, index: int | slice) -> Finding | Sequence[Finding]:
        return self.findings[index]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)


@dataclass(frozen=True, eq=False)
class Examined:
    """What a check may look at.

    Attributes
    ----------
    path : Path
    curves : mapping
        Estimates of the true error by name.
    choice : Choice
    names, targets : sequence of str
        Of the columns, or of the weights of a network, and of the targets.
    numbers : (n given,) or None
        What people call the rows that were given; None: they are counted from 0.
    classes : tuple
        Labels of the classes; empty where targets are numbers.
    """

    path: Path
    curves: Mapping[str, RiskCurve]
    choice: Choice
    names: Sequence[str]
    targets: tuple[str, ...] = ()
    numbers: NDArray[np.intp] | None = None
    classes: tuple[Any, ...] = ()

    @property
    def loss(self) -> Loss | None:
        """What is minimised."""
        return self.path.fit.loss

    @property
    def squared(self) -> bool:
        """The path is one quadratic, and has targets with a strength each."""
        return isinstance(self.path, QuadraticPath)

    @property
    def anchored(self) -> AnchoredPath:
        """The path of a loss that is not quadratic; only checks of such losses may ask."""
        assert isinstance(self.path, AnchoredPath)
        return self.path

    @property
    def network(self) -> bool:
        """The path is that of a trained network, which has no rows and columns of a table."""
        return isinstance(self.path, KrylovPath)

    @property
    def krylov(self) -> KrylovPath:
        """The path of a network; only checks of networks may ask."""
        assert isinstance(self.path, KrylovPath)
        return self.path

    @cached_property
    def quadratic(self) -> QuadraticPath:
        """The path, or the quadratic at the chosen strength."""
        return self.path if isinstance(self.path, QuadraticPath) else self.path.local(self.alpha)

    @property
    def alpha(self) -> float:
        """The smallest chosen strength."""
        return float(np.min(self.alphas))

    @property
    def training(self) -> Training | None:
        """The rows, where they are at hand."""
        return self.path.fit.training

    @property
    def table(self) -> Table | None:
        """The checked data, where they are at hand."""
        return None if self.training is None else self.training.table

    @property
    def splits(self) -> Splits | None:
        """Which rows leave together."""
        return None if self.training is None else self.training.splits

    @cached_property
    def alphas(self) -> NDArray[np.float64]:
        """Chosen strength of each target, ``(t,)``."""
        targets = self.path.spectrum.numerators.shape[1] if isinstance(self.path, QuadraticPath) else 1
        return np.broadcast_to(np.asarray(self.choice.alpha, dtype=np.float64), (targets,))

    @cached_property
    def rows(self) -> RowErrors | None:
        """Each row as it is fitted and left out at the chosen strengths, in one pass."""
        quadratic = isinstance(self.path, QuadraticPath) and self.training is not None
        return row_errors(self.path, self.alphas) if quadratic else None

    @cached_property
    def answers(self) -> Answers:
        """The same where the loss is not quadratic."""
        return Answers.of(self.anchored, self.alpha)


def list_rows(examined: Examined, rows: NDArray[np.intp], most: int = 5) -> str:
    """``Row 3``, or ``Rows 3, 7 and 5 more``, by the numbers that the user knows."""
    table = examined.table
    if table is not None and table.places is not None:
        rows = table.places[rows]
    if examined.numbers is not None:
        rows = examined.numbers[rows]
    shown = ", ".join(str(row) for row in rows[:most])
    more = f" and {len(rows) - most} more" if len(rows) > most else ""
    return f"Row{'s' * (len(rows) > 1)} {shown}{more}"


def counted(examined: Examined) -> str:
    """How the rows of :func:`list_rows` are numbered."""
    return f"rows are counted from {0 if examined.numbers is None else 1}"


def list_names(names: Sequence[str], most: int = 5) -> str:
    """``'a', 'b' and 3 more``."""
    shown = ", ".join(repr(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
