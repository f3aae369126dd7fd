"""Estimates of the true error from one fit (M14): one file and one line here per criterion."""

from __future__ import annotations

from collections.abc import Callable

from eigenshrink.path import QuadraticPath
from eigenshrink.risk.curve import RiskCurve
from eigenshrink.risk.evidence import evidence
from eigenshrink.risk.gcv import gcv
from eigenshrink.risk.loo import loo
from eigenshrink.risk.minimum import Minimum

__all__ = ["RISKS", "Minimum", "RiskCurve"]

RISKS: dict[str, Callable[[QuadraticPath], RiskCurve]] = {
    "loo": loo,
    "gcv": gcv,
    "evidence": evidence,
}
