"""Lines of plain text: a label and what is said of it, numbers, names."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np

from eigenshrink.data.names import shown

WIDTH = 110  # characters of a line
LABEL = 25  # of them before what is said of something
TIE = "\N{NO-BREAK SPACE}"  # where a line is not broken


def labelled(label: str, text: str) -> list[str]:
    """A label, and what is said of it in as many lines as it takes; nothing where nothing is said."""
    return wrap(text, f"{label:<{LABEL}}", " " * LABEL) if text else []


def wrap(text: str, first: str = "", then: str | None = None) -> list[str]:
    """Lines of a text, the first one indented by ``first``, the others by ``then``."""
    later = first if then is None else then
    lines = textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=later, break_on_hyphens=False)
    return [line.replace(TIE, " ") for line in lines]


def digits(value: float, many: int) -> str:
    """A number, or a dash where it is not known."""
    return "-" if np.isnan(value) else f"{value:.{many}g}"


def bound(alpha: float, many: int) -> str:
    """A strength, which may be endless."""
    return f"{alpha:.{many}g}" if np.isfinite(alpha) else "-" if np.isnan(alpha) else "∞"


def shortened(name: str, most: int) -> str:
    """A column's name on one line, printable, not too long."""
    plain = shown(name)[1:-1]
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def audit(study: Any) -> list[str]:
    """What was checked, and every doubt in full."""
    findings = [finding for finding in study.audit if finding.verdict != "pass"]
    if not findings:
        return [f"audit: {len(study.audit)} checks passed"]
    lines = [f"audit: {len(study.audit) - len(findings)} of {len(study.audit)} checks passed"]
    for finding in findings:
        said = f"{finding.verdict.upper()} {finding.check}: {finding.meaning} {finding.advice}"
        lines += wrap(said, "  ", "    ")
    return lines
