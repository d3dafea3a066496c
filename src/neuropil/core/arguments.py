"""Objects that are plain data: printed as the call that makes them."""

from __future__ import annotations

import functools
import inspect
from typing import Any, Self

from typing_extensions import override


class Arguments:
    """Remember the constructor's arguments, so that an object can be printed, saved and copied.

    Args:
        *args: The constructor's positional arguments, kept as given.
        **kwargs: The constructor's keyword arguments, kept as given.

    Example:
        >>> class Scale(Arguments):
        ...     def __init__(self, factor, *, centre=0.0):
        ...         self.factor = factor
        >>> Scale(2, centre=0.0), Scale(3, centre=1)
        (Scale(2), Scale(3, centre=1))
        >>> Scale(2).arguments
        {'factor': 2, 'centre': 0.0}
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        # Not through `setattr`: a torch module refuses attributes before its own `__init__`.
        self.__dict__["_call"] = (args, kwargs)
        return self

    @property
    def arguments(self) -> dict[str, Any]:
        """Every constructor argument by name, defaults filled in."""
        args, kwargs = self.__dict__["_call"]
        bound = signature(type(self)).bind(*args, **kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)

    @override
    def __repr__(self) -> str:
        values = self.arguments
        parts = []
        by_name = False
        for name, parameter in signature(type(self)).parameters.items():
            value = values[name]
            if parameter.kind is parameter.VAR_POSITIONAL:
                parts += map(repr, value)
            elif is_default(value, parameter.default):
                by_name = True  # what follows one that is left out has lost its position
            elif by_name or parameter.kind is parameter.KEYWORD_ONLY:
                parts.append(f"{name}={value!r}")
            else:
                parts.append(repr(value))
        return f"{type(self).__name__}({', '.join(parts)})"


@functools.cache
def signature(cls: type) -> inspect.Signature:
    """Return what the constructor of a class takes; cached, since printing asks often."""
    return inspect.signature(cls)


def is_default(value: object, default: object) -> bool:
    """Tell whether an argument need not be written; arguments may be tensors or arrays."""
    if value is default:
        return True
    return type(value) is type(default) and repr(value) == repr(default)
