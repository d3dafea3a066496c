"""Trial reading of .xls files in a process of its own, since a damaged one can end it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from neuropil.datasets.data_errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

COMPOUND = b"\xd0\xcf\x11\xe0"
"""The first bytes of an .xls file."""
SECONDS = 60
CODE = """
import io, sys
import python_calamine
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))
except ImportError:  # there are no such limits on Windows
    pass
book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
for name in book.sheet_names:
    book.get_sheet_by_name(name)
"""


def try_xls(raw: bytes, path: Path) -> None:
    """Refuse an .xls file with which calamine ends its process, or takes more than 4 GiB.

    Args:
        raw: Bytes of the workbook; another format is not tried.
        path: The file, for the error.

    Raises:
        DataError: If it cannot be read.
    """
    if not raw.startswith(COMPOUND):
        return
    try:
        run = subprocess.run(
            [sys.executable, "-c", CODE],
            input=raw,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        failed = run.returncode != 0
    except subprocess.TimeoutExpired:
        failed = True
    if failed:
        raise DataError(f"{path} is damaged, or not a workbook that can be read.")
