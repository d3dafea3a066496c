"""The memory of a process."""

from __future__ import annotations

import resource
import sys
from pathlib import Path


def resident() -> int:
    """Return the memory that this process has now, in bytes; its peak where it is not told."""
    return told("VmRSS") or peak()


def peak() -> int:
    """Return the most memory that this process has had, in bytes.

    Linux tells it in /proc for the program alone; `getrusage` counts what the process that
    started the program held, too.
    """
    unit = 1 if sys.platform == "darwin" else 1024
    return told("VmHWM") or unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def told(name: str) -> int:
    """Return what Linux tells of this process under a name, in bytes; 0 elsewhere."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(name)), 0)
