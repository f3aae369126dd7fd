"""How a command ends: one sentence on stderr, one exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable

from eigenshrink.errors import EigenshrinkError, InputError, MissingExtra

DONE, INTERNAL, BAD_INPUT, AUDIT_FAILED = 0, 1, 2, 3


def run(work: Callable[[], int], debug: bool) -> int:
    """Do the work of a command; turn what it raises into a sentence and an exit code.

    Parameters
    ----------
    work : callable
        Returns the exit code.
    debug : bool
        Whether the traceback is shown too.

    Returns
    -------
    int
        What ``work`` returned, 2 for bad input, 1 for anything else.
    """
    try:
        return work()
    except (InputError, MissingExtra) as error:
        return _fail(str(error), debug, BAD_INPUT)
    except BrokenPipeError:  # the reader of the output has seen enough, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except EigenshrinkError as error:
        return _fail(str(error), debug, INTERNAL)
    except Exception as error:  # the one place where nothing may pass: a user gets a sentence
        kind = type(error).__name__
        advice = "" if debug else "; run it again with --debug and report what it prints"
        return _fail(f"internal error, {kind}: {error}{advice}", debug, INTERNAL)


def say(message: str) -> None:
    """Print one line for people on stderr."""
    print("Error:", " ".join(message.split("\n")), file=sys.stderr)


def note(message: str) -> None:
    """Print one line of information on stderr, out of the way of piped output."""
    print(message, file=sys.stderr)


def _fail(message: str, debug: bool, code: int) -> int:
    if debug:
        traceback.print_exc()
    say(message)
    return code
