"""Lazy access to functions of later packages, for methods of `Network`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# Module and name of each function. `neuropil/__init__.py` fills it, as the only module that may
# name packages built on this one.
FUNCTIONS: dict[str, tuple[str, str]] = {}


def later(name: str) -> Callable[..., Any]:
    """Return a function of a later package, imported at the first call."""
    module, function = FUNCTIONS[name]
    return getattr(importlib.import_module(module), function)
