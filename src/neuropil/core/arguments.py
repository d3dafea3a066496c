"""Base class of objects that are plain data, printed as the call that creates them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

import numpy as np
from typing_extensions import override

if TYPE_CHECKING:
    from neuropil.checks import Rule

Init = TypeVar("Init", bound=Callable[..., None])


class ConstructorSignature:
    """The signature of a class: that of its ``__init__``, not of its ``__new__``.

    Without it the older patch releases of Python 3.11 and 3.12, and tools that read
    ``__new__`` first, would report ``(*args, **kwargs)`` for every class.
    """

    def __get__(self, instance: object, owner: type) -> inspect.Signature:
        if instance is not None:  # an object has the signature of its `__call__`
            raise AttributeError("__signature__")
        return signature(owner)


class Arguments:
    """Base class that stores the constructor's arguments, to print, save and copy objects.

    Args:
        *args: The constructor's positional arguments, stored as given.
        **kwargs: The constructor's keyword arguments, stored as given.

    Example:
        >>> class Scale(Arguments):
        ...     def __init__(self, factor, *, centre=0.0):
        ...         self.factor = factor
        >>> Scale(2, centre=0.0), Scale(3, centre=1)
        (Scale(2), Scale(3, centre=1))
        >>> Scale(2).arguments
        {'factor': 2, 'centre': 0.0}
    """

    __signature__ = ConstructorSignature()

    if not TYPE_CHECKING:  # type checkers and editors read `__init__`

        def __new__(cls, *args: Any, **kwargs: Any) -> Self:
            self = super().__new__(cls)
            # Not by `setattr`: a torch module refuses attributes before its `__init__` has run.
            self.__dict__["_call"] = (args, kwargs)
            return self

    @property
    def arguments(self) -> dict[str, Any]:
        """Every constructor argument by name as plain data, defaults filled in."""
        args, kwargs = self.__dict__["_call"]
        bound = signature(type(self)).bind(*args, **kwargs)
        bound.apply_defaults()
        return {name: plain(value) for name, value in bound.arguments.items()}

    @override
    def __repr__(self) -> str:
        values = self.arguments
        parts = []
        by_name = False
        for name, parameter in signature(type(self)).parameters.items():
            value = values[name]
            if parameter.kind is parameter.VAR_POSITIONAL:
                parts += map(written, value)
            elif is_default(value, parameter.default):
                by_name = True  # arguments after an omitted one cannot be positional
            elif by_name or parameter.kind is parameter.KEYWORD_ONLY:
                parts.append(f"{name}={written(value)}")
            else:
                parts.append(written(value))
        return f"{type(self).__name__}({', '.join(parts)})"


def constructor(**own: Rule) -> Callable[[Init], Init]:
    """Return a decorator for an empty ``__init__``: it sets some options and passes on others.

    The base class gets the others by name, and those of a ``*branches`` in order.

    Args:
        **own: Options that become attributes of the object, each with its rule.

    Example:
        >>> from neuropil.checks import whole
        >>> class Named:
        ...     def __init__(self, name):
        ...         self.name = name
        >>> class Pooling(Named):
        ...     @constructor(size=whole)
        ...     def __init__(self, size, name="pooling"): ...
        >>> vars(Pooling(2))
        {'name': 'pooling', 'size': 2}
        >>> Pooling(0)
        Traceback (most recent call last):
        ValueError: Pooling: size must be a whole number from 1 to 2,147,483,647, got 0.
    """

    def decorate(init: Init) -> Init:
        parameters = inspect.signature(init)
        kinds = {parameter.kind: name for name, parameter in parameters.parameters.items()}
        several = kinds.get(inspect.Parameter.VAR_POSITIONAL, "")
        options = kinds.get(inspect.Parameter.VAR_KEYWORD, "")

        @functools.wraps(init)
        def method(self: Any, *args: Any, **named: Any) -> None:
            init(self, *args, **named)  # for Python's own error about wrong arguments
            given = parameters.bind(self, *args, **named)
            given.apply_defaults()
            _, *arguments = given.arguments.items()
            passed = dict(arguments)
            passed |= passed.pop(options, {})
            kind = type(self)
            kept = {
                name: rule(passed.pop(name), f"{kind.__name__}: {name}")
                for name, rule in own.items()
            }
            owner = next(cls for cls in kind.__mro__ if vars(cls).get("__init__") is method)
            super(owner, self).__init__(*passed.pop(several, ()), **passed)
            vars(self).update(kept)

        return cast("Init", method)

    return decorate


@functools.cache
def signature(cls: type) -> inspect.Signature:
    """Return the signature of the constructor of a class, cached for printing."""
    if cls.__init__ is object.__init__:  # it reports (*args, **kwargs)
        return inspect.Signature()
    own = inspect.signature(cls.__init__)
    return own.replace(parameters=[*own.parameters.values()][1:])  # without `self`


def plain(value: Any) -> Any:
    """Convert NumPy numbers to Python numbers, also inside tuples and lists."""
    if isinstance(value, np.generic):
        return value.item()
    if type(value) in (tuple, list):
        return type(value)(map(plain, value))
    return value


def written(value: object) -> str:
    """Return the repr of an argument; ``...`` for an array, which may be large."""
    return "..." if is_array(value) else repr(value)


def is_array(value: object) -> bool:
    """Return whether an argument is a NumPy array, a tensor or the like."""
    return hasattr(value, "__array__")


def is_default(value: object, default: object) -> bool:
    """Return whether an argument equals its default; arguments may be tensors or arrays."""
    if value is default:
        return True
    return type(value) is type(default) and repr(value) == repr(default)
