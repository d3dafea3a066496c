"""Lazy access to functions of later packages, for methods of `Network` and layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.lazy import import_name

if TYPE_CHECKING:
    from collections.abc import Callable

# Where each function is. `neuropil/__init__.py` fills it, as the only module that may name
# packages built on this one.
FUNCTIONS: dict[str, str] = {}


def later(name: str) -> Callable[..., Any]:
    """Return a function of a later package, imported at the first call."""
    return import_name(FUNCTIONS[name])
