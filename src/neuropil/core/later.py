"""Functions of later packages that methods of `Network` call."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# Module and name of each function. `neuropil/__init__.py` fills it, since it is the only module
# that may name what is built on this package.
FUNCTIONS: dict[str, tuple[str, str]] = {}


def later(name: str) -> Callable[..., Any]:
    """Return a function of a later package, which is imported at the first call."""
    module, function = FUNCTIONS[name]
    return getattr(importlib.import_module(module), function)
