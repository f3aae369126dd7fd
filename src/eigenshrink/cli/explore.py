"""The playground on disk, and on the screen where there is one."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path

from eigenshrink.browser import write_playground
from eigenshrink.cli.outcome import note


def explore(path: Path, wanted: bool) -> None:
    """Write the playground to ``path``, print where it is, and open it if that is wanted and possible.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    written = write_playground(path)
    print(written, flush=True)
    if not (wanted and has_screen() and webbrowser.open(written.resolve().as_uri())):
        note(f"open {written} in a browser: two weights, and what L2 regularisation does to them")


def has_screen() -> bool:
    """Whether a browser would have a screen to open on: of Linux only if it says so."""
    if not sys.platform.startswith("linux"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
