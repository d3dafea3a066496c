"""The items of the sheet: every public name, by section."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from types import GenericAlias
from typing import Any

from neuropil.cli.docstring import doc_of
from neuropil.lazy import public_names

# Public, but no entries: what looks names up, and what errors are made of.
HELPERS = {"by_name", "format_shape"}

# In the order in which a reader meets them. A name belongs to the first section that has it.
# The package that exports the names, and the part of it that they are defined in.
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
    "Pictures": ("neuropil.plots", ""),
}


@dataclass(frozen=True)
class Item:
    """One entry of the sheet.

    Args:
        name: Its public name.
        section: Where it stands.
        home: The package to import it from.
        thing: The object itself.
    """

    name: str
    section: str
    home: str
    thing: Any

    @property
    def line(self) -> str:
        """What it is, in one line."""
        return doc_of(self.thing).line


def items() -> dict[str, Item]:
    """Return every item by name, section by section."""
    found: dict[str, Item] = {}
    for section, (home, part) in SECTIONS.items():
        package = importlib.import_module(home)
        for name in public_names(package, part):
            thing = getattr(package, name)
            if name not in found and is_entry(name, thing):
                found[name] = Item(name, section, home, thing)
    return found


def is_entry(name: str, thing: Any) -> bool:
    """Tell whether a public name is something to look up: no error, alias or module."""
    if name in HELPERS or inspect.ismodule(thing) or isinstance(thing, GenericAlias):
        return False
    return callable(thing) and not (isinstance(thing, type) and issubclass(thing, Exception))
