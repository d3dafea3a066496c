"""The file with the results of a study, ``study.json``, without PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuropil.core.reading import read_json

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

FORMAT = 1
RESULTS = "study.json"
# Parts that every study has, by name, and what is known of each of its variants.
PARTS = {"study": dict, "baseline": dict, "variants": list, "recommendation": list}
VARIANT = {"name": str, "gain": float | int | None, "verdict": str}


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
    lacking = missing(plain, PARTS)
    lacking = lacking or [name for each in plain["variants"] for name in missing(each, VARIANT)]
    if lacking:
        raise ValueError(f"{file} is not a study: it lacks {lacking[0]!r}.")
    return plain


def missing(plain: Any, parts: Mapping[str, Any]) -> list[str]:
    """Return the names of the parts that plain data lack, or have of another type."""
    known = plain if isinstance(plain, dict) else {}
    return [n for n, kind in parts.items() if n not in known or not isinstance(known[n], kind)]
