"""The items of the sheet: every public name, by section."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from types import GenericAlias
from typing import Any

from neuropil.cli.docstring import doc_of
from neuropil.lazy import public_names

# Public functions that are not entries of the sheet.
HELPERS = {"by_name", "format_shape"}

# Sections in reading order: the package that exports the names, and the part of it that defines
# them. A name belongs to the first section that contains it.
SECTIONS = {
    "Layers": ("neuropil.layers", ""),
    "Initialisers": ("neuropil.init", ""),
    "Composing": ("neuropil.core", ""),
    "Analysis": ("neuropil.analysis", ""),
    "Losses": ("neuropil.training", ".losses"),
    "Metrics": ("neuropil.training", ".metrics"),
    "Schedules": ("neuropil.optim", ".schedule"),
    "Regularisers": ("neuropil.optim", ".regularizer"),
    "Optimizers": ("neuropil.optim", ""),
    "Classic networks": ("neuropil.classic", ""),
    "Training": ("neuropil.training", ""),
    "Augmentation": ("neuropil.datasets.augmentation", ""),
    "Data": ("neuropil.datasets", ""),
    "Architectures": ("neuropil.architectures", ""),
    "Vision": ("neuropil.vision", ""),
    "Pictures": ("neuropil.plots", ""),
}


@dataclass(frozen=True)
class Item:
    """One entry of the sheet.

    Args:
        name: Public name.
        section: Title of its section.
        home: Package to import it from.
        thing: The object itself.
    """

    name: str
    section: str
    home: str
    thing: Any

    @property
    def line(self) -> str:
        """First line of its docstring."""
        return doc_of(self.thing).line


def items() -> dict[str, Item]:
    """Return all items by name, in the order of the sections."""
    found: dict[str, Item] = {}
    for section, (home, part) in SECTIONS.items():
        package = importlib.import_module(home)
        for name in public_names(package, part):
            thing = getattr(package, name)
            if name not in found and is_entry(name, thing):
                found[name] = Item(name, section, home, thing)
    return found


def is_entry(name: str, thing: Any) -> bool:
    """Return whether a public name is an entry: not an error, a type alias or a module."""
    if name in HELPERS or inspect.ismodule(thing) or isinstance(thing, GenericAlias):
        return False
    return callable(thing) and not (isinstance(thing, type) and issubclass(thing, Exception))
