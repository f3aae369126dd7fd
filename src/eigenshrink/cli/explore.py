"""The playground on disk, and on the screen where there is one."""

from __future__ import annotations

from pathlib import Path

from eigenshrink.browser import write_playground
from eigenshrink.cli.outcome import note
from eigenshrink.cli.screen import open_page

ABOUT = "two weights, and what L2 regularisation does to them"


def explore(path: Path, wanted: bool) -> None:
    """Write the playground to ``path``, print where it is, and open it if that is wanted and possible.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    written = write_playground(path)
    print(written, flush=True)
    if wanted:
        open_page(written, ABOUT)
    else:
        note(f"open {written} in a browser: {ABOUT}")
