"""Recognition of the architecture that weights in a file belong to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from neuropil.architectures.published.weights import from_file
from neuropil.architectures.published.zoo_table import zoo_table

if TYPE_CHECKING:
    from os import PathLike

# Share of the names of weights and of an architecture that both must have.
ALIKE = 0.8


def recognise(weights: str | PathLike[str]) -> str | None:
    """Return the name of the architecture whose published names the weights in a file have.

    Args:
        weights: What `load_weights` takes.

    Returns:
        None if there is none that has most of these names, or the weights are not in a file.

    Raises:
        FileNotFoundError: When the file does not exist.
        ValueError: When the file is damaged or of another format.
    """
    if str(weights) == "imagenet" or str(weights).startswith("hub:"):
        return None
    there = {name.rpartition(".")[0] for name in from_file(Path(weights))}
    alike = {
        name: len(there & theirs) / len(there | theirs)
        for name, known in zoo_table().items()
        for theirs in ({*keys()} for keys in known.keys.values())
    }
    best = max(alike, key=lambda name: alike[name])
    return best if alike[best] > ALIKE else None
