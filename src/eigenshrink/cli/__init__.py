"""The command line: parse, call the library, write, exit code; nothing heavy before it is needed."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from typing import Any

from eigenshrink.cli.outcome import BAD_INPUT, DONE, INTERNAL, say


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
    words = sys.argv[1:] if argv is None else list(argv)
    usage_error: Any = typer.BadParameter.__base__  # typer exports the subclass only
    try:
        code = command(args=words, prog_name="eigenshrink", standalone_mode=False, obj=words)
    except usage_error as error:
        if words:
            say(_usage(error))
        else:
            error.show()  # the help
        return BAD_INPUT
    except typer.Abort:
        say("interrupted")
        return INTERNAL
    return code if isinstance(code, int) else DONE


def _usage(error: Any) -> str:
    """Put what typer says about a wrong word into one sentence."""
    said = " ".join(error.format_message().replace("Value error, ", "").split()).rstrip(".")
    program = error.ctx.command_path if error.ctx else "eigenshrink"
    return f"{said}; {program} --help shows what there is"
