"""Reading data: tables beside PyArrow's own reading, pictures beside bare Pillow."""

from __future__ import annotations

from benchmarks.parts import run_parts


def main(json: str | None = None, only: str = "") -> None:
    """Run the comparisons one after the other.

    Args:
        json: Where figures go, one file per part, its name in front of the suffix.
        only: One part, ``tables`` or ``pictures``; all by default.
    """
    run_parts(__name__, json, only)
