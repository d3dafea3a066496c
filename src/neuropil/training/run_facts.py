"""What a run folder says about itself: read with care, and compared."""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from neuropil import __version__

if TYPE_CHECKING:
    from pathlib import Path

    from neuropil.datasets import Dataset, Splits

FORMAT = 1
FACTS = "run.json"
STATUSES = ("running", "interrupted", "failed", "finished")
FIELDS = ("settings", "versions", "data", "figures", "times")


def read_facts(folder: Path) -> dict[str, Any]:
    """Return what ``run.json`` holds.

    Raises:
        FileNotFoundError: When there is none.
        ValueError: When it is damaged or of a newer format.
    """
    file = folder / FACTS
    if not file.is_file():
        raise FileNotFoundError(
            f"{folder} holds no {FACTS}: is it a run folder, as `neuropil train` makes them?"
            if folder.is_dir()
            else f"there is no run folder {folder}."
        )
    try:
        plain = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is damaged: {error}.") from None
    check_plain(plain, file)
    return {name: plain[name] for name in (*FIELDS, "status")}


def check_plain(plain: Any, file: Path) -> None:
    """Refuse what `save` did not write.

    Raises:
        ValueError: When something is missing or of another kind.
    """
    written = plain.get("format") if isinstance(plain, dict) else None
    if not isinstance(written, int):
        raise ValueError(f"{file} is damaged: it has no format number.")
    if written > FORMAT:
        raise ValueError(
            f"{file} has format {written}, and this version reads up to {FORMAT}: update "
            f"neuropil."
        )
    lacking = [name for name in FIELDS if not isinstance(plain.get(name), dict)]
    if plain.get("status") not in STATUSES:
        lacking.append("status")
    if lacking:
        raise ValueError(f"{file} is damaged: its {' and '.join(lacking)} cannot be read.")


def check_free(path: Path) -> None:
    """Refuse a place where something would be lost.

    Raises:
        FileExistsError: When `path` is a file or holds one.
    """
    if path.is_dir() and not any(path.iterdir()):
        return
    if path.exists():
        resume = f", or go on with it by: neuropil resume {path}" if is_run(path) else ""
        raise FileExistsError(f"{path} is there already: name a new folder by --out{resume}.")


def is_run(path: Path) -> bool:
    """Tell whether a folder is one that a training left."""
    return (path / FACTS).is_file()


def fingerprint(splits: Splits) -> str:
    """Return a hash of what a training depends on: the parts it sees and their preparation."""
    digest = hashlib.sha256(json.dumps(splits.preparation.to_json(), sort_keys=True).encode())
    for part in (splits.train, splits.validation):
        for values in tensors(part):
            digest.update(f"{values.dtype} {tuple(values.shape)}".encode())
            digest.update(np.ascontiguousarray(values.numpy()).data)
    return f"sha256:{digest.hexdigest()}"


def tensors(part: Dataset | None) -> list[Tensor]:
    """Return the inputs and targets of a part of the data, as far as there are any."""
    return [] if part is None else [v for v in (part.inputs, part.targets) if v is not None]


def versions() -> dict[str, str]:
    """Return the versions of what computes."""
    return {
        "neuropil": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


def finite(value: Any) -> Any:
    """Return plain data with null for NaN and infinity, which JSON does not know."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def lock(path: Path) -> int | None:
    """Return a handle that keeps others out while it is open; None where there are no locks.

    Raises:
        BlockingIOError: When another process holds it.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise BlockingIOError(
            f"another process is training in {path} at this moment."
        ) from None
    except OSError:  # a file system without locks
        os.close(handle)
        return None
    return handle
