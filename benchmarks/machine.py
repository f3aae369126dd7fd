"""Where a table was measured: hardware, threads of every BLAS that is loaded, versions, noise."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_info

PACKAGES = ("eigenshrink", "numpy", "scipy", "scikit-learn")
SLOWING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OPENBLAS_VERBOSE", "MKL_DEBUG_CPU_TYPE")
LIMITING = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")


def describe() -> dict[str, Any]:
    """Facts for the head of the table; nothing is set."""
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": memory(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "blas": [
            f"{pool['internal_api']} {pool['version']} ({pool.get('architecture', '?')}), "
            f"{pool['num_threads']} threads, of {package_of(pool['filepath'])}"
            for pool in threadpool_info()
            if pool["user_api"] == "blas"
        ],
        "environment": {name: os.environ[name] for name in SLOWING + LIMITING if name in os.environ},
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    }


def package_of(library: str) -> str:
    """The package that brought a library: the folder of a wheel, never a whole path."""
    folder = Path(library).parent.name
    return folder.removesuffix(".libs") if folder.endswith(".libs") else "the system"


def processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    return platform.processor() or platform.machine()


def memory() -> float | None:
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return None
    return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1)


def warnings(machine: dict[str, Any]) -> list[str]:
    """What makes a run worth repeating."""
    said = [
        f"{name} is set: it makes OpenBLAS pick other kernels, usually slower ones. Unset it and run again."
        for name in SLOWING
        if name in machine["environment"]
    ]
    if machine["load"] is not None and machine["load"] > 0.5 * machine["cores"]:
        said.append(
            f"Load {machine['load']} on {machine['cores']} cores when the run began: others were busy. "
            "Trust the medians less and the column 'best' more, or run again."
        )
    return said
