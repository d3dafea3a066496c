"""Layers that merge several inputs into one output."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.checks import shown, whole
from neuropil.core import Layer, Shape, ShapeError
from neuropil.core.shape import format_shapes
from neuropil.layers.layer_options import known_count

if TYPE_CHECKING:
    from collections.abc import Callable


def mean(*inputs: Tensor) -> Tensor:
    """Return the mean of tensors, element by element."""
    return functools.reduce(torch.add, inputs) / len(inputs)


PAIRWISE = {
    "add": torch.add,
    "multiply": torch.mul,
    "maximum": torch.maximum,
    "subtract": torch.sub,
}


class Merge(Layer):
    """Base class of the layers with several inputs."""

    inputs_taken = (1, None)

    def misfit(self, needs: str, shapes: tuple[Shape, ...], fix: str) -> ShapeError:
        """Return the error for inputs that do not fit each other."""
        return ShapeError(f"{shown(self)} needs {needs}, got {format_shapes(shapes)}: {fix}.")

    def axes(self, shapes: tuple[Shape, ...]) -> list[Shape]:
        """Return the lengths of all inputs along each axis.

        Raises:
            ShapeError: When the inputs differ in their number of axes.
        """
        if len({len(shape) for shape in shapes}) != 1:
            fix = "put Flatten(), Reshape(…) or GlobalPooling() before some of them"
            raise self.misfit("inputs with the same number of axes", shapes, fix)
        return list(zip(*shapes, strict=True))

    def common_length(self, lengths: Shape, shapes: tuple[Shape, ...], fix: str) -> int | None:
        """Return the common length of the inputs; a free length agrees with any other.

        Raises:
            ShapeError: When the lengths differ.
        """
        known = {length for length in lengths if length is not None}
        if len(known) > 1:
            raise self.misfit("inputs that agree", shapes, fix)
        return known.pop() if known else None


class Elementwise(Merge):
    """Merge inputs element by element: y = x₁ ∘ x₂ ∘ ….

    ``"add"`` is Σ xᵢ, ``"multiply"`` Π xᵢ, ``"maximum"`` max xᵢ, ``"mean"`` Σ xᵢ / n and
    ``"subtract"`` x₁ − x₂.

    Shape:
        Equal shapes to the same; a length of 1 is broadcast as in NumPy, so
        that ``(C, 1, 1)`` scales the channels of ``(C, H, W)``. Free axes stay free.

    Args:
        operation: Name of the operation, or a function of all inputs that returns one tensor of
            their shape. A network with such a function can run, but cannot be saved.
        name: Name in the network, in place of ``elementwise1``.

    Raises:
        ValueError: When the operation is unknown.
        ShapeError: When the inputs' shapes differ, or a subtraction gets other than two inputs.

    Reference:
        ``numpy.add``, ``numpy.multiply``, ``numpy.maximum``, ``numpy.mean``,
        ``numpy.subtract``.

    Example:
        >>> one, two = torch.tensor([[1.0, 5.0]]), torch.tensor([[3.0, 4.0]])
        >>> Elementwise("add")(one, two).tolist(), Elementwise("maximum")(one, two).tolist()
        ([[4.0, 9.0]], [[3.0, 5.0]])
        >>> Elementwise("multiply").output_shape((8, 32, 32), (8, 1, 1))
        (8, 32, 32)
    """

    def __init__(
        self, operation: str | Callable[..., Tensor] = "add", *, name: str | None = None
    ) -> None:
        super().__init__(name=name)
        if isinstance(operation, str):
            if operation != "mean" and operation not in PAIRWISE:
                known = ", ".join(map(repr, [*PAIRWISE, "mean"]))
                raise ValueError(
                    f"Elementwise: operation must be one of {known} or a function, got "
                    f"{shown(operation)}."
                )
            if operation == "subtract":
                self.inputs_taken = (2, 2)
            self.pairwise = operation if operation in PAIRWISE else None
            self.merge = mean
        elif callable(operation) and not isinstance(operation, type):
            self.pairwise = None
            self.merge = operation
        else:
            raise ValueError(
                f"Elementwise: operation must be a name or a function, got {shown(operation)}."
            )

    @override
    def output_shape(self, *input_shapes: Shape) -> Shape:
        if self.inputs_taken == (2, 2) and len(input_shapes) != 2:
            fix = "add up the inputs to subtract first"
            raise self.misfit("two inputs", input_shapes, fix)
        if not takes(self.merge, len(input_shapes)):
            fix = f"it gets {len(input_shapes)}"
            raise self.misfit("the number of inputs that its function takes", input_shapes, fix)
        fix = "make their shapes equal; only lengths of 1 are broadcast"
        longer = [[n for n in lengths if n != 1] or [1] for lengths in self.axes(input_shapes)]
        return tuple(
            self.common_length(tuple(lengths), input_shapes, fix) for lengths in longer
        )

    @override
    def makes_new(self, inputs: int) -> bool:
        return inputs > 1 and self.pairwise == "add"

    @override
    def forward(self, *inputs: Tensor) -> Tensor:
        if self.pairwise is None:
            return self.merge(*inputs)
        return functools.reduce(PAIRWISE[self.pairwise], inputs)


def takes(function: Callable[..., Tensor], number: int) -> bool:
    """Return whether a function takes this number of arguments; True if that is unknown."""
    try:
        signature = inspect.signature(function)
    except ValueError:  # compiled functions have no signature
        return True
    try:
        signature.bind(*[None] * number)
    except TypeError:
        return False
    return True


class Concatenate(Merge):
    """Concatenate inputs along an axis: y = [x₁, x₂, …].

    Shape:
        ``(C₁, H, W)``, ``(C₂, H, W)`` … to ``(C₁ + C₂ + …, H, W)`` for axis 0. The lengths of
        the other axes are equal, free ones stay free, and a sum with a free length is free.

    Args:
        axis: Axis to concatenate along, counted without the batch; negative from the end. 0 is
            the channel axis of images and the columns of vectors, −1 the features of sequences.
        name: Name in the network, in place of ``concatenate1``.

    Raises:
        ValueError: When `axis` is not a whole number.
        ShapeError: When the inputs differ in another axis, or have no axis `axis`.

    Reference:
        ``numpy.concatenate`` for each sample.

    Example:
        >>> Concatenate()(torch.tensor([[1, 2]]), torch.tensor([[3]]))
        tensor([[1, 2, 3]])
        >>> Concatenate().output_shape((16, 8, None), (4, 8, None))
        (20, 8, None)
    """

    dtype_taken: Literal["float", "int", "any"] = "any"

    def __init__(self, axis: int = 0, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.axis = whole(axis, "Concatenate: axis", minimum=-64)

    @override
    def output_shape(self, *input_shapes: Shape) -> Shape:
        axes = self.axes(input_shapes)
        rank = len(axes)
        if not -rank <= self.axis < rank:
            fix = f"choose axis from {-rank} to {rank - 1}"
            raise self.misfit(f"inputs with an axis {self.axis}", input_shapes, fix)
        along = self.axis % rank
        joined = axes.pop(along)
        fix = f"only axis {along} may differ"
        shape = [self.common_length(lengths, input_shapes, fix) for lengths in axes]
        known = [length for length in joined if length is not None]
        shape.insert(along, sum(known) if len(known) == len(joined) else None)
        return tuple(shape)

    @override
    def forward(self, *inputs: Tensor) -> Tensor:
        return torch.cat(inputs, self.axis + 1 if self.axis >= 0 else self.axis)


class GatedAverage(Merge):
    """Average of experts, weighted by the output of a gating network: y = Σᵢ gᵢ·xᵢ.

    The gate g is one of the inputs; it should end in ``Softmax(n)`` for n experts, so that the
    weights sum to 1. The weights are not normalised again.

    Shape:
        The gate ``(n)`` and n experts of one shape ``(…)`` to that shape. Free axes stay free.

    Args:
        gate: Index of the gate among the inputs, counted from 0; negative from the end.
        name: Name in the network, in place of ``gatedaverage1``.

    Raises:
        ValueError: When `gate` is not a whole number.
        ShapeError: When the gate is not a vector with a number for each expert, or the experts'
            shapes differ.

    Reference:
        Jacobs, Jordan, Nowlan, Hinton, "Adaptive mixtures of local experts", 1991.

    Example:
        >>> gate = torch.tensor([[0.25, 0.75]])
        >>> one, two = torch.tensor([[0.0, 4.0]]), torch.tensor([[4.0, 0.0]])
        >>> GatedAverage()(gate, one, two).tolist()
        [[3.0, 1.0]]
        >>> GatedAverage(gate=-1).output_shape((10,), (10,), (10,), (3,))
        (10,)
    """

    inputs_taken = (2, None)

    def __init__(self, gate: int = 0, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.gate = whole(gate, "GatedAverage: gate", minimum=-(2**31))

    @override
    def output_shape(self, *input_shapes: Shape) -> Shape:
        total = len(input_shapes)
        if not -total <= self.gate < total:
            fix = f"choose gate from {-total} to {total - 1}"
            raise self.misfit(f"an input {self.gate} as the gate", input_shapes, fix)
        experts = list(input_shapes)
        gate = experts.pop(self.gate)
        if gate != (total - 1,):
            needs = f"a gate of shape ({total - 1}) as input {self.gate}"
            fix = f"end the gating network with Softmax({total - 1}), or choose another gate"
            raise self.misfit(needs, input_shapes, fix)
        fix = "make the experts' shapes equal"
        axes = self.axes(tuple(experts))
        return tuple(self.common_length(lengths, input_shapes, fix) for lengths in axes)

    @override
    def multiply_adds(self, *input_shapes: Shape) -> int:
        values = known_count(self, self.output_shape(*input_shapes))
        return values * (len(input_shapes) - 1)

    @override
    def forward(self, *inputs: Tensor) -> Tensor:
        experts = list(inputs)
        gate = experts.pop(self.gate)
        # (N, 1, experts) times (N, experts, values): a single batched product.
        values = torch.stack(experts, 1).flatten(2)
        return torch.bmm(gate.unsqueeze(1), values).view(experts[0].shape)
