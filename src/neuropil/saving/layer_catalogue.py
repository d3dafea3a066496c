"""Names allowed in a network: public layers, initialisers, users' own layers."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from neuropil import init, layers
from neuropil.checks import shown
from neuropil.core.layer import Layer, descendants
from neuropil.foreign_names import suggestion
from neuropil.lazy import public_names
from neuropil.text import reason

if TYPE_CHECKING:
    from collections.abc import Callable


def make(name: str, values: list[Any], options: dict[str, Any]) -> Any:
    """Return the layer, initialiser or network of a public name with plain arguments.

    Raises:
        ValueError: When the name is not public or does not take these arguments.
    """
    maker = find(name)
    try:
        inspect.signature(maker).bind(*values, **options)
        return maker(*values, **options)
    except TypeError as error:
        raise ValueError(f"{name}: {reason(error)}.") from None


def find(name: str) -> Callable[..., Any]:
    """Return the class or function with a public name.

    Raises:
        ValueError: When there is none; the message suggests the nearest.
    """
    names = catalogue()
    if name not in names:
        near = suggestion(name, names, "layer", "initialiser")
        raise ValueError(f"there is no layer {shown(name)}.{near}")
    return names[name]


def catalogue() -> dict[str, Callable[..., Any]]:
    """Return all classes and functions allowed in a network, by name."""
    own = {cls.__name__: cls for cls in descendants(Layer)}
    public = {n: getattr(m, n) for m in (init, layers) for n in public_names(m)}
    return own | public
