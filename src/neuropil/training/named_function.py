"""Objects that people use as documented functions, and that know more than a function can."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

from torch import Tensor
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable


class Named:
    """Something called like a function, with that function's name, signature and docstring.

    Args:
        function: Whom it looks like.
        source: What it was made from where it is no module's public name; for pickling.
    """

    def __init__(self, function: Callable[..., Any], source: Any = None) -> None:
        # `__wrapped__`, set here, is what `inspect.signature` and doctest go by.
        functools.update_wrapper(self, function, updated=())
        self.name = name_of(function)
        self.source = source

    def __call__(self, scores: Any, targets: Any, **options: Any) -> Any:
        """Do what the function does."""
        raise NotImplementedError

    @classmethod
    def of(cls, source: Any) -> Any:
        """Make one from what a user gave: a name, one of them, or any function."""
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
    """Return the values of a user's function, once they are seen to be one per example.

    Args:
        what: What the function is, and its name.
        values: What it gave.
        instead: What to do about it.

    Raises:
        ValueError: When they are something else.
    """
    if isinstance(values, Tensor) and values.dim() == 1:
        return values
    got = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
    raise ValueError(
        f"{what} must give one value per example, a tensor (N,), got {got}: {instead}."
    )


def name_of(function: Any) -> str:
    """Return what to call a function, a partial of one, or any other callable."""
    while isinstance(function, functools.partial):
        function = function.func
    if isinstance(function, Named):
        return function.name
    return getattr(function, "__name__", type(function).__name__)


def options_of(source: functools.partial[Any]) -> dict[str, Any]:
    """Return the options that a partial sets.

    Raises:
        ValueError: If it sets the scores or the targets, or an option that there is not.
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
