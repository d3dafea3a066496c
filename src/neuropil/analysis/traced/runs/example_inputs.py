"""Inputs of a module: the caller's tensors, or tensors made from shapes."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map_only

from neuropil.checks import MAX_LENGTH
from neuropil.core import ShapeError, format_shape
from neuropil.core.shape import count

if TYPE_CHECKING:
    from neuropil.core import Shape

# A tensor, several tensors, tensors by name, or shapes without the batch axis in their place.
Example: TypeAlias = "Shape | Tensor | Sequence[Any] | Mapping[str, Any]"

# For up to this number of shapes, every combination of floats and integers is tried.
MOST_KINDS = 4

# A larger input is taken for a typing error.
MOST_NUMBERS = 2**40


class Inputs(NamedTuple):
    """The arguments of a module's `forward`.

    Args:
        args: Positional arguments.
        kwargs: Keyword arguments.
        made: Whether all tensors were made from shapes, so that their first axis is the batch.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    made: bool

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All tensors in the arguments, in order."""
        return tensors_in((self.args, self.kwargs))

    def on_meta(self) -> Inputs:
        """Return the same inputs on the meta device."""
        return self.map(lambda tensor: torch.empty_like(tensor, device="meta"))

    def map(self, change: Any) -> Inputs:
        """Return inputs with a function applied to every tensor."""
        args, kwargs = tree_map_only(Tensor, change, (self.args, self.kwargs))
        return Inputs(args, kwargs, self.made)

    def kinds(self) -> list[Inputs]:
        """Return the inputs a shape may mean: floats, integers, or a mixture of the two."""
        if not self.made:
            return [self]
        places = range(len(self.args[:MOST_KINDS]))
        orders = itertools.product((False, True), repeat=len(places))
        chosen = sorted(orders, key=lambda order: 0 < sum(order) < len(places))
        return [self.with_integers(order) for order in chosen]

    def with_integers(self, order: Sequence[bool]) -> Inputs:
        """Return inputs with integers where marked; the last mark holds for the rest."""
        rest = [order[-1]] * (len(self.args) - len(order))
        args = [
            torch.zeros_like(tensor, dtype=torch.int64) if integers else tensor
            for tensor, integers in zip(self.args, [*order, *rest], strict=True)
        ]
        return Inputs(tuple(args), self.kwargs, self.made)

    def batch_of(self, n: int) -> Inputs:
        """Return a batch of n samples in place of one, where the first axis is the batch."""
        return self.map(lambda tensor: tensor.expand(n, *tensor.shape[1:]).clone())

    def by_name(self, module: nn.Module) -> dict[str, Tensor]:
        """Return the tensors by the names of the parameters of the module's `forward`."""
        try:
            names = [*inspect.signature(module.forward).parameters]
        except (TypeError, ValueError):
            names = []
        given = {
            names[place] if place < len(names) else f"input{place + 1}": value
            for place, value in enumerate(self.args)
        } | self.kwargs
        named: dict[str, Tensor] = {}
        for name, value in given.items():
            leaves = tensors_in(value)
            named |= {
                name if len(leaves) == 1 else f"{name}[{i}]": leaf
                for i, leaf in enumerate(leaves)
            }
        return named


def tensors_in(structure: Any) -> tuple[Tensor, ...]:
    """Return all tensors in a nested structure of arguments or outputs."""
    if isinstance(structure, Tensor):
        return (structure,)
    return tuple(leaf for leaf in tree_leaves(structure) if isinstance(leaf, Tensor))


def inputs_of(module: nn.Module, example: Example | None) -> Inputs:
    """Return the inputs that an example describes.

    Args:
        module: The module to call. Tensors made from shapes get its floating-point type.
        example: One or several tensors or shapes.

    Raises:
        ShapeError: When the example is missing or holds an invalid shape.
    """
    kind = type(module).__name__
    if example is None:
        raise ShapeError(
            f"{kind} can only be analysed with an input: give a shape without the batch, such "
            f"as (3, 224, 224), or an example tensor."
        )
    if isinstance(example, Tensor):
        return Inputs((example,), {}, made=False)
    if isinstance(example, Mapping):
        return Inputs((), dict(example), made=False)
    if not isinstance(example, tuple | list) or not example:
        raise ShapeError(not_an_example(kind, example))
    if all(length is None or isinstance(length, int) for length in example):
        return Inputs((make_input(module, example),), {}, made=True)
    shapes = [is_shape(item) for item in example]
    args = tuple(
        make_input(module, item) if shape else item
        for item, shape in zip(example, shapes, strict=True)
    )
    if not tensors_in(args):
        raise ShapeError(not_an_example(kind, example))
    return Inputs(args, {}, made=all(shapes))


def is_shape(value: object) -> bool:
    """Tell whether a value is a shape rather than a tensor or a list of tensors."""
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and bool(value)
        and all(length is None or type(length) is int for length in value)
    )


def make_input(module: nn.Module, shape: Sequence[Any]) -> Tensor:
    """Return one sample of a shape on the meta device, in the module's floating-point type.

    Raises:
        ShapeError: When a length is unknown or invalid.
    """
    kind = type(module).__name__
    if any(type(n) is not int or not 1 <= n <= MAX_LENGTH for n in shape):
        raise ShapeError(not_an_example(kind, tuple(shape)))
    if (count(tuple(shape)) or 0) > MOST_NUMBERS:
        raise ShapeError(
            f"an input of {format_shape(tuple(shape))} is too large for any memory."
        )
    floats = (p.dtype for p in module.parameters() if p.is_floating_point())
    dtype = next(floats, torch.get_default_dtype())
    return torch.empty(1, *shape, dtype=dtype, device="meta")


def not_an_example(kind: str, value: object) -> str:
    """Return the error message for an invalid example."""
    return (
        f"{kind} needs an example: a shape without the batch and with every length known, such "
        f"as (3, 224, 224), a tensor, or several of these in a tuple; got {value!r}."
    )
