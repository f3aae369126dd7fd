"""What an audit says: one finding per assumption."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

from eigenshrink.choice import Choice
from eigenshrink.path import QuadraticPath
from eigenshrink.risk import RiskCurve


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
    """What a check may look at."""

    path: QuadraticPath
    curves: Mapping[str, RiskCurve]
    choice: Choice
    names: tuple[str, ...]


def list_names(names: Sequence[str], most: int = 5) -> str:
    """``'a', 'b' and 3 more``."""
    shown = ", ".join(repr(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
