"""What a run folder says about itself: read with care, and compared."""

from __future__ import annotations

import json
import math
import os
import platform
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neuropil import __version__
from neuropil.checks import shown
from neuropil.core.atomic import TEMPORARY, lock
from neuropil.core.reading import read_json
from neuropil.training.checkpoints.digest import digest_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FORMAT = 1
# Settings of which another machine may need others; the last bits may then differ.
MACHINE = ("device", "threads")
FACTS, CHECKPOINTS = "run.json", "checkpoints"
MODEL = "model.json"  # of a classic network
# What stands in a run folder beside its checkpoints.
FILES = re.compile(
    r"(run|network)\.json|weights\.safetensors|model\.\w+|history\.csv|report\.html"
)
STATUSES = ("running", "interrupted", "failed", "finished")
FIELDS = ("settings", "versions", "data", "figures", "times")
NOTHING = type(None)
MOST_THREADS = 1 << 15
TEXTS = (
    *("data", "target", "task", "encoding", "color", "network", "weights", "freeze"),
    *("optimizer", "schedule", "loss", "augment", "device", "class_weight"),
)
SETTINGS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(TEXTS, (str, NOTHING)),
    **dict.fromkeys(("validation", "test", "lr", "ema", "weight_decay"), (int, float, NOTHING)),
    **dict.fromkeys(("epochs", "batch_size", "image_size"), (int, NOTHING)),
    **dict.fromkeys(("header", "keep_best"), (bool, NOTHING)),
    "then": (NOTHING,),
    "seed": (int,),
    "threads": (int,),
}
# What the items of lists are; the size of pictures of `then` is a number or two.
LISTS: dict[str, tuple[type, ...]] = {
    "class_weight": (int, float),
    "image_size": (int,),
    "then": (int, list),
}


def read_facts(folder: Path) -> dict[str, Any]:
    """Return what ``run.json`` holds.

    Raises:
        FileNotFoundError: When there is none.
        ValueError: When it is damaged or of a newer format.
    """
    file = folder / FACTS
    if not file.is_file():
        raise FileNotFoundError(no_run(folder))
    plain = read_json(file, FORMAT)
    check_plain(plain, file)
    return {name: plain[name] for name in (*FIELDS, "status")}


def no_run(folder: Path) -> str:
    """Return the line that says why a folder is not a run."""
    if not folder.is_dir():
        return f"there is no run folder {folder}."
    if is_unbegun(folder):
        return (
            f"the training in {folder} ended before it began, and nothing is lost: begin it "
            f"again by `neuropil train --out {folder}` with the options that it had."
        )
    return f"{folder} holds no {FACTS}: is it a run folder, as `neuropil train` makes them?"


def check_plain(plain: dict[str, Any], file: Path) -> None:
    """Refuse what `save` did not write.

    Raises:
        ValueError: When something is missing or of another kind.
    """
    lacking = [name for name in FIELDS if not isinstance(plain.get(name), dict)]
    if plain.get("status") not in STATUSES:
        lacking.append("status")
    if lacking:
        raise ValueError(f"{file} is damaged: its {' and '.join(lacking)} cannot be read.")
    for field in ("figures", "settings"):
        for name, value in plain[field].items():
            if not (is_figures(value) if field == "figures" else is_setting(name, value)):
                raise ValueError(
                    f"{file} is damaged: {name} in its {field} cannot be {shown(value)}."
                )


def is_figures(value: Any) -> bool:
    """Tell whether a value is a part's figures: numbers, or null, by name."""
    return isinstance(value, dict) and all(
        is_of(figure, (int, float, NOTHING)) for figure in value.values()
    )


def is_setting(name: str, value: Any) -> bool:
    """Tell whether a value is of the type that a setting of this name has."""
    if isinstance(value, list) and name in LISTS:
        two = len(value) == 2 or name not in ("then", "image_size")
        return two and all(is_of(item, LISTS[name]) for item in value)
    if name == "threads" and isinstance(value, int):
        return 0 < value <= MOST_THREADS
    return name not in SETTINGS or is_of(value, SETTINGS[name])


def is_of(value: Any, types: tuple[type, ...]) -> bool:
    """Tell whether a value has one of the types, and numbers are finite."""
    finite = not isinstance(value, float) or math.isfinite(value)
    return type(value) in types and finite


def check_free(path: Path) -> None:
    """Refuse a place where something would be lost.

    Raises:
        FileExistsError: When `path` is a file or holds one.
    """
    if path.is_dir() and (not any(path.iterdir()) or is_unbegun(path)):
        return
    if path.exists():
        resume = f", or resume it with: neuropil resume {path}" if is_run(path) else ""
        raise FileExistsError(f"{path} already exists: name a new folder with --out{resume}.")


def is_unbegun(path: Path) -> bool:
    """Tell whether a folder is what a training left that was killed before it began.

    It has an empty folder for checkpoints, which comes first, and no ``run.json``, which comes
    last; nothing else but the network that the training was to begin with.
    """
    try:
        entries = [entry.name for entry in path.iterdir()]
        if CHECKPOINTS not in entries or any((path / CHECKPOINTS).iterdir()):
            return False
        named = (name for name in entries if name != CHECKPOINTS)
        if not all(name != FACTS and is_own(name) for name in named):
            return False
        handle = lock_folder(path)
    except OSError:  # another process is about to begin there
        return False
    if handle is not None:
        os.close(handle)
    return True


def is_own(name: str) -> bool:
    """Tell whether a file in a run folder is one that a run writes, or is about to."""
    temporary = TEMPORARY.fullmatch(name)
    return FILES.fullmatch(temporary["name"] if temporary else name) is not None


def is_run(path: Path) -> bool:
    """Tell whether a folder is one that a training left."""
    return (path / FACTS).is_file()


def settings_texts(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return settings by name as they stand in JSON, be they read from there or new."""
    return {name: json.dumps(finite(value)) for name, value in settings.items()}


def settings_hash(settings: Mapping[str, Any]) -> str:
    """Return a hash of the settings that a training follows from on any machine."""
    texts = settings_texts(settings)
    return digest_of({name: texts[name] for name in sorted(texts) if name not in MACHINE})


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


def lock_folder(path: Path) -> int | None:
    """Return a handle that keeps others out while it is open; None where folders have none.

    Raises:
        BlockingIOError: When another process holds it.
    """
    if os.name == "nt":
        return None
    handle = os.open(path, os.O_RDONLY)
    if lock(handle):
        return handle
    os.close(handle)
    raise BlockingIOError(f"another process is training in {path} at this moment.")
