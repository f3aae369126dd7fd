"""The command line: parse, call the library, write, exit code; nothing heavy before it is needed."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

from eigenshrink.cli.outcome import BAD_INPUT, say


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments after the program's name; those of the process unless given.

    Returns
    -------
    int
        0 done, 1 internal error, 2 bad input, 3 only with ``--strict``: a finding says fail.
    """
    try:
        import typer
    except ImportError:
        from eigenshrink.errors import MissingExtra

        say(str(MissingExtra("typer", "app")))
        return BAD_INPUT
    from eigenshrink.cli.commands import app

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal without α prints ? for it
            stream.reconfigure(errors="replace")
    command = typer.main.get_command(app)
    try:
        command(args=sys.argv[1:] if argv is None else list(argv), prog_name="eigenshrink")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return 0
