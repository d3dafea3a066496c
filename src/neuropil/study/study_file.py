"""The file with the results of a study, ``study.json``, without PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuropil.core.reading import read_json

if TYPE_CHECKING:
    import os

FORMAT = 1
RESULTS = "study.json"
# Parts that every study has, by name.
PARTS = {"study": dict, "baseline": dict, "variants": list, "recommendation": list}


def read_study(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the results of a study as plain data.

    Args:
        path: The folder of the study, or its ``study.json``.

    Raises:
        FileNotFoundError: If no study is there.
        ValueError: If it is damaged, of a newer format, or not a study.
    """
    place = Path(path)
    file = place / RESULTS if place.is_dir() else place
    if not file.exists():
        why = f"{place} has no {RESULTS}" if place.is_dir() else f"there is no study {place}"
        raise FileNotFoundError(
            f"{why}: name the folder of a finished study, as `neuropil study` prints it."
        )
    plain = read_json(file, FORMAT)
    lacking = [name for name, kind in PARTS.items() if not isinstance(plain.get(name), kind)]
    if lacking:
        raise ValueError(f"{file} is not a study: it lacks {lacking[0]!r}.")
    return plain
