"""A progress bar on stderr for what takes longer than two seconds."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE = 2.0  # seconds without a bar


@contextmanager
def stages(count: int, patience: float = PATIENCE) -> Iterator[Callable[[str], None]]:
    """Give a function that names the stage that begins; show them once patience has run out.

    Parameters
    ----------
    count : int
        How many stages there will be.
    patience : float
        Seconds before the bar appears.

    Yields
    ------
    callable
        ``enter(name)``. It does nothing unless stderr is a terminal: a pipe stays clean.
    """
    if not sys.stderr.isatty():
        yield lambda name: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    task = bar.add_task("starting", total=count, completed=-1)
    timer = threading.Timer(patience, bar.start)
    timer.daemon = True
    timer.start()
    try:
        yield lambda name: bar.update(task, description=name, advance=1)
    finally:
        timer.cancel()
        timer.join()
        bar.stop()
