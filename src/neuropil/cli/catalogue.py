"""The items of the sheet: every public name, by section."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from types import GenericAlias
from typing import Any

from neuropil.cli.docstring import doc_of

# Public, but no entries: what looks names up, and what errors are made of.
HELPERS = {"by_name", "resolve", "resolved", "interval_of", "for_training", "format_shape"}

# In the order in which a reader meets them. A name belongs to the first section that has it.
SECTIONS = {
    "Layers": "neuropil.layers",
    "Initialisers": "neuropil.init",
    "Composing": "neuropil.core",
    "Analysis": "neuropil.analysis",
    "Losses": "neuropil.training",
    "Metrics": "neuropil.training",
    "Schedules": "neuropil.optim.schedules",
    "Regularisers": "neuropil.optim.regularizers",
    "Optimizers": "neuropil.optim",
    "Classic networks": "neuropil.classic",
    "Training": "neuropil.training",
    "Augmentation": "neuropil.datasets.augmentation",
    "Data": "neuropil.datasets",
    "Architectures": "neuropil.architectures",
    "Pictures": "neuropil.plots",
}
# Sections of the objects of one class, where a package has others too.
CLASSES = {"Losses": "Loss", "Metrics": "Metric"}


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
    for section, home in SECTIONS.items():
        package = importlib.import_module(home)
        kind = getattr(package, CLASSES[section]) if section in CLASSES else object
        for name in package.__all__:
            thing = getattr(package, name)
            if name not in found and isinstance(thing, kind) and is_entry(name, thing):
                found[name] = Item(name, section, home, thing)
    return found


def is_entry(name: str, thing: Any) -> bool:
    """Tell whether a public name is something to look up: no error, alias or module."""
    if name in HELPERS or inspect.ismodule(thing) or isinstance(thing, GenericAlias):
        return False
    return callable(thing) and not (isinstance(thing, type) and issubclass(thing, Exception))
