"""A shared machine: how busy others keep it, and waiting until they are not."""

from __future__ import annotations

import os
import time
from pathlib import Path

STAT = Path("/proc/stat")
QUIET = 0.15  # share of the cores that others may use
UNKNOWN = float("nan")


def wait_until_quiet(pause: float, patience: float) -> float:
    """Rest for ``pause`` seconds, again and again while others compute, at most ``patience`` seconds.

    Returns the share of the cores that others used in the last rest; NaN where the system does not say.
    The rest also lets threads fall asleep that a BLAS has left spinning.
    """
    if pause <= 0:
        return UNKNOWN
    end = time.perf_counter() + patience
    while True:
        others = share_of_others(pause)
        if not others > QUIET or time.perf_counter() > end:
            return others


def share_of_others(seconds: float) -> float:
    """Sleep, and tell what share of the cores other processes used meanwhile."""
    if not STAT.is_file():
        time.sleep(seconds)
        return UNKNOWN
    start, busy, own = time.perf_counter(), busy_seconds(), time.process_time()
    time.sleep(seconds)
    passed = time.perf_counter() - start
    used = (busy_seconds() - busy) - (time.process_time() - own)
    return max(0.0, used / (passed * (os.cpu_count() or 1)))


def busy_seconds() -> float:
    """Seconds that all cores together were not idle since the start of the machine, stolen ones included."""
    user, nice, system, _, _, interrupts, soft, stolen = map(
        int, STAT.read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]
    )
    return (user + nice + system + interrupts + soft + stolen) / os.sysconf("SC_CLK_TCK")
