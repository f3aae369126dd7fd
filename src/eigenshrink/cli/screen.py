"""A page on the screen, where there is one."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path

from eigenshrink.cli.outcome import note


def open_page(path: Path, what: str = "what α does, with a slider") -> None:
    """Open a page in the browser; without a screen say that it can be opened there, and what it is."""
    if not (has_screen() and webbrowser.open(path.resolve().as_uri())):
        note(f"open {path} in a browser: {what}")


def has_screen() -> bool:
    """Whether a browser would have a screen to open on: of Linux only if it says so."""
    if not sys.platform.startswith("linux"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
