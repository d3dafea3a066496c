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


def told(name: str, process: int | str = "self") -> int:
    """Return what Linux tells of a process under a name, in bytes; 0 elsewhere or if it ended.

    Args:
        name: The name, such as ``"VmRSS"``.
        process: Its number; by default this process.
    """
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        lines = []
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(name)), 0)
