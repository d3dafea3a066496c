"""Embedding of indices as vectors."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Generator, Tensor
from typing_extensions import override

from neuropil.checks import whole
from neuropil.core import Layer, Shape
from neuropil.init import Normal
from neuropil.layers.layer_options import Weight, initializer

UNIT_NORMAL = Normal(std=1.0)


class Embedding(Layer):
    """Map indices to rows of a learned weight matrix: y_t = W[x_t].

    Its input holds integers: characters, words, or the categories of a column.

    Shape:
        ``(T)`` to ``(T, units)``: one vector for each index. T may be free.

    Args:
        entries: Number of different indices, which run from 0 to entries − 1.
        units: Length of the vectors.
        padding_idx: Index that pads sequences that are too short: its vector starts at zero and
            is never trained. None for no padding index.
        weight: Initial W, ``(entries, units)``: an initialiser, a number or an array.
        name: Name in the network, in place of ``embedding1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When the input is not a vector of indices.
        IndexError: When an index is out of range. (On a GPU torch stops the program with an
            assertion, since checking first would mean waiting for the GPU.)

    Reference:
        Bengio, Ducharme, Vincent, Jauvin, "A neural probabilistic language model", 2003;
        ``torch.nn.Embedding``, which has the same defaults.

    Example:
        >>> from neuropil.layers import Input
        >>> network = Input(None, dtype="int64") >> Embedding(10, 4, padding_idx=0)
        >>> network.output_shape
        (None, 4)
        >>> network(torch.tensor([[3, 0]]))[0, 1].tolist()
        [0.0, 0.0, 0.0, 0.0]
    """

    channels_first = False

    dtype_taken: Literal["float", "int", "any"] = "int"

    weight: Tensor

    def __init__(
        self,
        entries: int,
        units: int,
        *,
        padding_idx: int | None = None,
        weight: Weight = UNIT_NORMAL,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.entries = whole(entries, "Embedding: entries")
        self.units = whole(units, "Embedding: units")
        if padding_idx is not None:
            padding_idx = whole(padding_idx, "Embedding: padding_idx", minimum=0)
            if padding_idx >= self.entries:
                raise ValueError(
                    f"Embedding: padding_idx must be below the {entries} entries, got "
                    f"{padding_idx}."
                )
        self.padding_idx = padding_idx
        self.initializers["weight"] = initializer(weight, "Embedding: weight")

    @override
    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 1:
            fix = "put Flatten() before it"
            raise self.refuse("a vector of indices (T)", shape, fix)
        return (*shape, self.units)

    @override
    def parameter_shapes(self, shape: Shape) -> dict[str, tuple[int, ...]]:
        return {"weight": (self.entries, self.units)}

    @override
    def reset_parameters(self, generator: Generator | None = None) -> None:
        super().reset_parameters(generator)
        if self.padding_idx is not None and self._parameters:
            self.weight.detach()[self.padding_idx].zero_()

    @override
    def forward(self, x: Tensor) -> Tensor:
        if x.dtype is torch.uint8:
            x = x.int()
        try:
            return F.embedding(x, self.weight, self.padding_idx)
        except IndexError:
            raise self.out_of_range(x) from None

    def out_of_range(self, x: Tensor) -> IndexError:
        """Return the error for indices out of range."""
        low, high = (int(bound) for bound in x.aminmax())
        return IndexError(
            f"{self!r} takes indices from 0 to {self.entries - 1}, got "
            f"{low if low < 0 else high}."
        )
