"""All curves of one path by name, each made when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from eigenshrink.path import KrylovPath, Path
from eigenshrink.risk import RISKS, RiskCurve
from eigenshrink.risk.curve import Array, remembered
from eigenshrink.risk.krylov import relabelled
from eigenshrink.risk.tabulated import interpolated, within


class Curves(Mapping[str, RiskCurve]):
    """Estimates of the true error by name: ``study.risk["loo"](alpha)``.

    Parameters
    ----------
    path : Path
    tables : mapping
        Curves that need rows, tabulated, where the rows are gone.
    chosen : callable
        Gives the chosen strength, ``(t,)``.
    """

    def __init__(self, path: Path, tables: Mapping[str, dict[str, Any]], chosen: Callable[[], Array]) -> None:
        self._path, self._tables, self._chosen = path, tables, chosen
        there = {*path.available_risks, *tables}
        self._names = tuple(name for name in RISKS if name in there)
        self._made: dict[str, RiskCurve] = {}

    def __getitem__(self, name: str) -> RiskCurve:
        """One curve; its last answers are remembered."""
        if name not in self._names:
            raise KeyError(f"{name!r}: this study has {', '.join(self._names)}")
        if name not in self._made:
            curve = self._make(name)
            self._made[name] = replace(curve, chosen=self._chosen, evaluate=remembered(curve.evaluate))
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        """Names, in the order of the registry."""
        return iter(self._names)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._names)

    def _make(self, name: str) -> RiskCurve:
        if name not in self._tables:
            return RISKS[name](self._path)
        if isinstance(self._path, KrylovPath):  # its tables are by the strengths of its quadratic
            return relabelled(self._tabled(name, self._path.uncalibrated), self._path.calibration)
        return self._tabled(name, self._path)

    def _tabled(self, name: str, path: Path) -> RiskCurve:
        unit = str(self._tables[name]["unit"])
        evaluate, like = interpolated(self._tables[name]), RISKS["train"](path)
        return replace(like, name=name, unit=unit, evaluate=within(like.edges, evaluate))
