"""Base class of losses and metrics: callable objects that look like documented functions."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, Self

from torch import Tensor
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


class Named:
    """Callable object with the name, signature and docstring of a function.

    Args:
        function: The function.
        source: What it was created from, for pickling; None if it is a public name of a module.
    """

    def __init__(self, function: Callable[..., Any], source: Any = None) -> None:
        # This sets `__wrapped__`, which `inspect.signature` and doctest follow.
        functools.update_wrapper(self, function, updated=())
        self.name = name_of(function)
        self.source = source

    def __call__(self, scores: Any, targets: Any, **options: Any) -> Any:
        """Call the function."""
        raise NotImplementedError

    @classmethod
    def defined_in(cls, *modules: ModuleType) -> dict[str, Self]:
        """Return the instances that modules define, by name."""
        named = [item for module in modules for item in vars(module).items()]
        return {name: thing for name, thing in named if isinstance(thing, cls)}

    @classmethod
    def of(cls, source: Any) -> Self:
        """Create an instance from a user's argument: a partial of one, or any function.

        Raises:
            TypeError: If it is not a function.
        """
        if not callable(source):
            raise TypeError(
                f"a {cls.__name__.lower()} must be a name or a function of outputs and "
                f"targets, got {source!r}."
            )
        if isinstance(source, cls):
            return source
        if isinstance(source, functools.partial) and isinstance(source.func, cls):
            return source.func.with_options(source)
        return cls.of_function(source)

    @classmethod
    def of_function(cls, function: Any) -> Any:
        """Create an instance from a user's function."""
        raise NotImplementedError

    def with_options(self, source: functools.partial[Any]) -> Self:
        """Return this with the options that a partial sets."""
        raise NotImplementedError

    @override
    def __repr__(self) -> str:
        return self.name

    @override
    def __reduce__(self) -> Any:
        if self.source is None:
            return self.name  # pickle looks it up in its module
        return type(self).of, (self.source,), {"name": self.name}


def check_one_each(what: str, values: Any, instead: str) -> Tensor:
    """Return the values of a user's function after checking that there is one per example.

    Args:
        what: Kind and name of the function, for the message.
        values: The values that it returned.
        instead: The fix to suggest.

    Raises:
        ValueError: If they are not a tensor of shape ``(N,)``.
    """
    if isinstance(values, Tensor) and values.dim() == 1:
        return values
    got = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
    raise ValueError(
        f"{what} must return one value per example, a tensor (N,), got {got}: {instead}."
    )


def name_of(function: Any) -> str:
    """Return the name of a function, a partial of one, or any other callable."""
    while isinstance(function, functools.partial):
        function = function.func
    if isinstance(function, Named):
        return function.name
    return getattr(function, "__name__", type(function).__name__)


def options_of(source: functools.partial[Any]) -> dict[str, Any]:
    """Return the options that a partial sets.

    Raises:
        ValueError: If it sets the scores, the targets, or an unknown option.
    """
    known = inspect.signature(source.func).parameters
    unknown = [name for name in source.keywords if name not in known]
    if source.args or unknown or {"scores", "targets"} & set(source.keywords):
        options = [p.name for p in known.values() if p.kind is p.KEYWORD_ONLY]
        raise ValueError(
            f"partial({name_of(source)}, …) may set {', '.join(options) or 'nothing'}, "
            f"got {[*map(repr, source.args), *source.keywords]}."
        )
    return dict(source.keywords)
