"""Benchmarks of several parts: a package whose modules are run in turn."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path


def run_parts(package: str, json: str | None, only: str) -> None:
    """Run the parts of a benchmark, or one of them.

    Args:
        package: Whose modules with a `main` they are.
        json: Where figures go, one file per part, its name in front of the suffix.
        only: The part; all where it is empty.

    Raises:
        SystemExit: When there is no such part.
    """
    modules = importlib.import_module(package).__path__
    parts = sorted(module.name for module in pkgutil.iter_modules(modules))
    if only and only not in parts:
        raise SystemExit(f"there is no part {only!r}; there are {', '.join(parts)}.")
    for part in [only] if only else parts:
        module = importlib.import_module(f"{package}.{part}")
        if hasattr(module, "main"):
            print(f"# {part}")
            module.main(None if json is None else str(Path(json).with_suffix(f".{part}.json")))
