"""Errors for people: what, where, what is needed, what to do next."""

from __future__ import annotations


class EigenshrinkError(Exception):
    """Base of every error that eigenshrink raises on purpose."""


class InputError(EigenshrinkError, ValueError):
    """An argument or a file cannot be used; the message names it and says what to do."""


class NotConverged(EigenshrinkError, RuntimeError):
    """An iteration stopped before the accuracy that was asked for."""


class MissingExtra(EigenshrinkError, ImportError):
    """An optional dependency is not installed; the message is the command that installs it."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"{package} is needed for this and is not installed: run "
            f"python -m pip install 'eigenshrink[{extra}]'"
        )
        self.package = package
        self.extra = extra
