"""Numbers of parameters; shared and tied parameters count once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch

from neuropil.analysis.calls import Call, built_network, calls_of
from neuropil.analysis.traced.runs.meta_copy import is_foreign, unwrap
from neuropil.core import Network

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torch import nn

    from neuropil.core import Layer, Shape
    from neuropil.core.layer import Composable


def count_parameters(
    network: Composable | nn.Module,
    trainable: bool | None = None,  # noqa: FBT001 - by name it reads well, and it is documented so
) -> int:
    """Return the number of parameters of a network, each counted once.

    A convolution of K filters has (F·F·C + 1)·K, a layer with units (N_in + 1)·N_out, pooling
    none. A layer that is called several times, or a weight shared by several layers, counts
    once. Buffers, such as the running statistics of BatchNorm, are not parameters.

    Args:
        network: A network that starts with an `Input`, a layer that is built, or any PyTorch
            module.
        trainable: ``True`` for trainable parameters only, ``False`` for frozen ones only,
            ``None`` for all.

    Raises:
        ShapeError: When the network has no parameters yet.
        ValueError: When a module has parameters without a shape.

    Reference:
        ``sum(p.numel() for p in module.parameters())`` in PyTorch.

    Example:
        >>> from neuropil.layers import Convolution, Flatten, Input, Softmax
        >>> network = Input(3, 8, 8) >> Convolution(16, 5) >> Flatten() >> Softmax(10)
        >>> count_parameters(network)  # (5·5·3 + 1)·16 + (16·4·4 + 1)·10
        3786
        >>> network.layers["convolution1"].weight.requires_grad = False
        >>> count_parameters(network, trainable=False)
        1200
    """
    module: nn.Module = unwrap(network) if is_foreign(network) else built_network(network)
    return sum(
        parameter.numel()
        for parameter in module.parameters()
        if trainable is None or parameter.requires_grad == trainable
    )


class Counts(NamedTuple):
    """Parameters of a call that no earlier call uses.

    Args:
        trainable: Number of trainable parameters.
        frozen: Number of frozen parameters.
        bytes: Their memory.
    """

    trainable: int
    frozen: int
    bytes: int

    @property
    def all(self) -> int:
        """Number of trainable and frozen parameters."""
        return self.trainable + self.frozen


NONE = Counts(0, 0, 0)


def add_counts(counts: Iterable[Counts | None]) -> Counts | None:
    """Return the sum of several counts; ``None`` where one of them is not known."""
    total = NONE
    for added in counts:
        if added is None:
            return None
        total = Counts(*map(sum, zip(total, added, strict=True)))
    return total


def new_parameters(calls: Iterable[Call]) -> Iterator[Counts | None]:
    """Yield the parameters that each call adds; ``None`` where they are not known yet."""
    seen: set[int] = set()
    for call in calls:
        if call.again:
            yield NONE
        elif call.layer.built_for is not None:
            yield count(parameters_in(call.layer), seen)
        else:
            yield planned_parameters(call.layer, call.input_shapes)


def parameters_in(layer: Layer) -> Iterable[nn.Parameter | None]:
    """Return the parameters of a layer and of its parts."""
    own = vars(layer)  # most layers are leaves, and walking them costs ten times as much
    return layer.parameters() if own["_modules"] else own["_parameters"].values()


def count(parameters: Iterable[nn.Parameter | None], seen: set[int]) -> Counts:
    """Return the counts of parameters that are not yet seen, and add them to `seen`."""
    trainable = frozen = size = 0
    for parameter in parameters:
        if parameter is None or id(parameter) in seen:
            continue
        seen.add(id(parameter))
        numbers = parameter.numel()
        size += numbers * parameter.element_size()
        if parameter.requires_grad:
            trainable += numbers
        else:
            frozen += numbers
    return Counts(trainable, frozen, size)


def planned_parameters(layer: Layer, shapes: tuple[Shape, ...] | None) -> Counts | None:
    """Return the parameters that a layer will have once it is built for these shapes."""
    if shapes is None:
        return None
    numbers = sum(map(math.prod, layer.parameter_shapes(*shapes).values()))
    size = numbers * torch.get_default_dtype().itemsize
    counts: list[Counts | None] = [Counts(numbers, 0, size)]
    for inner in inner_networks(layer).values():
        counts += new_parameters(inner_calls(inner, shapes))
    return add_counts(counts)


def inner_networks(layer: Layer) -> dict[str, Network]:
    """Return the networks that a layer consists of, by name; most layers have none."""
    children = vars(layer)["_modules"]  # `named_children` takes longer than the rest of a row
    return {name: child for name, child in children.items() if isinstance(child, Network)}


def inner_calls(network: Network, shapes: tuple[Shape, ...]) -> tuple[Call, ...]:
    """Return the calls inside a layer with inputs of these shapes, as far as they are known."""
    wanted = len(network.input_shapes) + network.graph.is_open
    if wanted == len(shapes):
        try:
            return calls_of(network, shapes)
        except ValueError:
            pass  # the inner network's input differs from its layer's
    return calls_of(network)
