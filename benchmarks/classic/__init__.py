"""The classic networks beside what people use today: quality and time in one run."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path


def main(json: str | None = None, only: str = "") -> None:
    """Run the comparisons one after the other.

    Args:
        json: Where figures go, one file per part, its name in front of the suffix.
        only: One part; all by default.
    """
    parts = sorted(module.name for module in pkgutil.iter_modules(__path__))
    if only and only not in parts:
        raise SystemExit(f"there is no part {only!r}; there are {', '.join(parts)}.")
    for part in [only] if only else parts:
        print(f"# {part}")
        place = None if json is None else str(Path(json).with_suffix(f".{part}.json"))
        importlib.import_module(f"{__name__}.{part}").main(place)
