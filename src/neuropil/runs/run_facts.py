"""The contents of ``run.json``, and checks of run folders, without PyTorch."""

from __future__ import annotations

import json
import math
import os
import platform
import re
from typing import TYPE_CHECKING, Any

from neuropil import __version__
from neuropil.checks import shown
from neuropil.core.atomic import TEMPORARY, lock
from neuropil.core.reading import read_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FORMAT = 1
# Settings that may differ on another machine; the last bits of the results may then differ.
MACHINE = ("device", "threads", "shard")
# Suffix of the folder with the first part of a training that continues at another size.
FIRST = "-first"
FACTS, CHECKPOINTS = "run.json", "checkpoints"
MODEL = "model.json"  # of a classic network
# The files of a run folder besides its checkpoints.
FILES = re.compile(
    r"(run|network)\.json|weights\.safetensors|model\.\w+|history\.csv|report\.html"
)
STATUSES = ("running", "interrupted", "failed", "finished")
FIELDS = ("options", "settings", "versions", "data", "figures", "times")
NOTHING = type(None)
MOST_THREADS = 1 << 15
TEXTS = (
    *("data", "target", "task", "encoding", "split_by", "color"),
    *("network", "weights", "freeze", "from_study"),
    *("optimizer", "schedule", "loss", "augment", "device", "class_weight"),
    "choice",
)
SETTINGS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(TEXTS, (str, NOTHING)),
    **dict.fromkeys(("validation", "test", "lr", "ema", "weight_decay"), (int, float, NOTHING)),
    **dict.fromkeys(("epochs", "batch_size", "patience"), (int, NOTHING)),
    "image_size": (int, str, NOTHING),
    **dict.fromkeys(("header", "keep_best", "shard"), (bool, NOTHING)),
    "then": (NOTHING,),
    "seed": (int,),
    "threads": (int,),
}
# Types of the items of lists; in `then` the size of pictures is one number or two.
LISTS: dict[str, tuple[type, ...]] = {
    "class_weight": (int, float),
    "image_size": (int,),
    "then": (int, list),
}


def read_facts(folder: Path) -> dict[str, Any]:
    """Return the contents of ``run.json``.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it is damaged or of a newer format.
    """
    file = folder / FACTS
    if not file.is_file():
        raise FileNotFoundError(missing_run_message(folder))
    plain = read_json(file, FORMAT)
    check_plain(plain, file)
    return {name: plain[name] for name in (*FIELDS, "status")}


def missing_run_message(folder: Path) -> str:
    """Return the message that says why a folder is not a run folder."""
    if folder.is_file():
        return f"{folder} is a file: name a run folder made by `neuropil train`."
    if not folder.is_dir():
        return f"there is no run folder {folder}."
    if is_unstarted(folder):
        return (
            f"the training in {folder} was stopped before its first step, so nothing is lost: "
            f"start it again with `neuropil train --out {folder}` and the same options."
        )
    return f"{folder} has no {FACTS}: is it a run folder made by `neuropil train`?"


def check_plain(plain: dict[str, Any], file: Path) -> None:
    """Check that the contents of ``run.json`` are complete and of the right types.

    Raises:
        ValueError: If they are not.
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
    """Tell whether a value maps names to figures: numbers or null."""
    return isinstance(value, dict) and all(
        has_type(figure, (int, float, NOTHING)) for figure in value.values()
    )


def is_setting(name: str, value: Any) -> bool:
    """Tell whether a value has the type of the setting with this name."""
    if isinstance(value, list) and name in LISTS:
        two = len(value) == 2 or name not in ("then", "image_size")
        return two and all(has_type(item, LISTS[name]) for item in value)
    if name == "threads" and isinstance(value, int):
        return 0 < value <= MOST_THREADS
    return name not in SETTINGS or has_type(value, SETTINGS[name])


def has_type(value: Any, types: tuple[type, ...]) -> bool:
    """Tell whether a value has one of the types and, if a number, is finite."""
    finite = not isinstance(value, float) or math.isfinite(value)
    return type(value) in types and finite


def check_free(path: Path) -> None:
    """Check that a new run would overwrite nothing.

    Raises:
        FileExistsError: If `path` is a file, or a folder that is not empty.
    """
    if path.is_dir() and (not any(path.iterdir()) or is_unstarted(path)):
        return
    if path.exists():
        resume = f", or resume it with: neuropil resume {path}" if is_run(path) else ""
        raise FileExistsError(f"{path} already exists: name a new folder with --out{resume}.")


def is_unstarted(path: Path) -> bool:
    """Tell whether a folder was left by a training that was killed before its first step.

    Such a folder has an empty folder for checkpoints, which is made first, and no ``run.json``,
    which is written last. Otherwise it holds at most the initial network.
    """
    try:
        entries = [entry.name for entry in path.iterdir()]
        if CHECKPOINTS not in entries or any((path / CHECKPOINTS).iterdir()):
            return False
        named = (name for name in entries if name != CHECKPOINTS)
        if not all(name != FACTS and is_run_file(name) for name in named):
            return False
        handle = lock_folder(path)
    except OSError:  # another process is about to begin there
        return False
    if handle is not None:
        os.close(handle)
    return True


def is_run_file(name: str) -> bool:
    """Tell whether a file in a run folder is one that a run writes, perhaps temporarily."""
    temporary = TEMPORARY.fullmatch(name)
    return FILES.fullmatch(temporary["name"] if temporary else name) is not None


def is_run(path: Path) -> bool:
    """Tell whether a folder is a run folder."""
    return (path / FACTS).is_file()


def settings_texts(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return settings by name as JSON texts, equal for new settings and those read back."""
    return {name: json.dumps(finite(value)) for name, value in settings.items()}


def settings_hash(settings: Mapping[str, Any]) -> str:
    """Return a hash of the settings that determine a training on any machine."""
    from neuropil.digest import digest_of

    texts = settings_texts(settings)
    return digest_of({name: texts[name] for name in sorted(texts) if name not in MACHINE})


def versions() -> dict[str, str]:
    """Return the versions of the software."""
    import numpy as np
    import torch

    return {
        "neuropil": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


def finite(value: Any) -> Any:
    """Return plain data with None for NaN and infinity, which JSON cannot represent."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def lock_folder(path: Path) -> int | None:
    """Return a handle that locks a folder while it is open; None on Windows.

    Raises:
        BlockingIOError: If another process holds the lock.
    """
    if os.name == "nt":
        return None
    handle = os.open(path, os.O_RDONLY)
    if lock(handle):
        return handle
    os.close(handle)
    raise BlockingIOError(f"another process is training in {path} at the moment.")
