"""The playground: the picture of the lecture to play with, as one file without data or network (M2, M7-M10).

In this folder it is ``playground.html`` beside its style and scripts: a browser opens it from disk, and the
folder can be put on a web server as it is. :func:`write_playground` makes one file of them.
"""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from eigenshrink._version import __version__
from eigenshrink.data.write import new_file, said_plainly

STYLE = re.compile(r'<link rel="stylesheet" href="([\w.]+)">')
SCRIPT = re.compile(r'<script src="([\w.]+)"></script>')


def source(name: str) -> str:
    """Return a file of this room, such as ``maths.js``, as text to be put into a page.

    Examples
    --------
    >>> "globalThis.shrink" in source("maths.js")
    True
    """
    return files("eigenshrink.browser").joinpath(name).read_text(encoding="utf-8")


def playground() -> str:
    """Return the playground as one HTML page: style and scripts stand in it."""
    page = STYLE.sub(lambda link: f"<style>\n{source(link[1])}</style>", source("playground.html"))
    page = SCRIPT.sub(lambda link: f"<script>\n{source(link[1])}</script>", page)
    return page.replace('content="eigenshrink"', f'content="eigenshrink {__version__}"').replace(
        "'self' ", ""
    )


def write_playground(path: str | Path) -> Path:
    """Write the playground as one HTML file that opens anywhere; missing folders are made.

    Parameters
    ----------
    path : path
        Replaced only when the new page is whole.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    path = Path(path)
    with said_plainly(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with new_file(path) as file:
        file.write_text(playground(), encoding="utf-8")
    return path
