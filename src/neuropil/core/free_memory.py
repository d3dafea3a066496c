"""The free memory, a check that work fits into it, and what becomes of freed memory."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")
# Numbers of glibc's options for the largest free end of the heap, and for the smallest block
# that has pages of its own.
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")


def require_memory(needed: float, purpose: str) -> None:
    """Raise an error for work that needs more memory than is free.

    Args:
        needed: Size in bytes.
        purpose: The work that needs it, as the subject of a sentence: ``"SOFM(grid=(3000,
            3000))"``.

    Raises:
        MemoryError: When `needed` exceeds the free memory. The message gives both sizes.

    Example:
        >>> require_memory(1e6, "a small array")
        >>> require_memory(1e18, "SOFM(grid=(10**6, 10**6))")
        Traceback (most recent call last):
            ...
        MemoryError: SOFM(grid=(10**6, 10**6)) needs 1 EB of memory, and ... are free.
    """
    free = free_memory()
    if needed > free:
        sizes = f"{format_bytes(needed)} of memory, and {format_bytes(free)} are free"
        raise MemoryError(f"{purpose} needs {sizes}.")


def free_memory() -> int:
    """Return the number of bytes this process can still allocate without swapping.

    On Linux this is the kernel's estimate (``MemAvailable``), or the remainder of the
    container's control group limit if that is less; elsewhere it is the machine's memory.
    """
    try:
        lines = MEMINFO.read_text().splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        free = int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(free, group_allowance(free))


def group_allowance(otherwise: int) -> int:
    """Return the remainder of the control group's limit, or `otherwise` without a limit."""
    try:
        limit = int((CGROUP / "memory.max").read_text())
        used = int((CGROUP / "memory.current").read_text())
        lines = (CGROUP / "memory.stat").read_text().splitlines()
        cache = next(int(line.split()[1]) for line in lines if "inactive_file" in line)
    except (OSError, ValueError, StopIteration):  # "max" is not a number: no limit
        return otherwise
    return max(0, limit - used + cache)  # the kernel frees cached files on demand


def format_bytes(size: float) -> str:
    """Return a size in readable units with three significant digits: ``"1.25 GB"``."""
    unit = 0
    while size >= 999.5 and unit < len(UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.3g} {UNITS[unit]}"


def keep_freed_memory(end: int = 2**30, block: int = 2**30) -> None:
    """Keep freed memory for the next tensors instead of giving it back to the system.

    Each training step frees and allocates tensors of the same sizes, and new pages are cleared
    by the system: that can take a fifth of the time. Only glibc has such options; elsewhere
    nothing changes. It holds for the whole process, so a library must not do it on its own.

    Args:
        end: Bytes at the end of the heap above which they are given back.
        block: Size in bytes from which a block is given back when it is freed.
    """
    mallopt = sys.platform == "linux" and getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(TRIM_THRESHOLD, end)
        mallopt(MMAP_THRESHOLD, block)
