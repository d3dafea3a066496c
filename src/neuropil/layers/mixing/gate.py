"""Parts of a mixture of experts: the gate, and networks wrapped as layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from typing_extensions import override

from neuropil.core import Layer, Shape, repeat
from neuropil.core.block import Block
from neuropil.layers.layer_options import LECUN, known_count
from neuropil.layers.pooling.global_pooling import GlobalPooling
from neuropil.layers.rearrange import Identity

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.core.layer import Composable


class Part(Block):
    """A copy of a network as one layer; by default, a layer that reduces its input to a vector.

    Args:
        network: A layer or network without an `Input`; None for the mean of each channel.
        name: Name in the network.

    Example:
        >>> Part().output_shape((16, 8, 8)), Part().output_shape((5,))
        ((16,), (5,))
    """

    network: Composable | None

    def __init__(self, network: Composable | None = None, *, name: str | None = None) -> None:
        super().__init__(name=name)
        vars(self)["network"] = network  # an option, not a child module

    @override
    def compose(self, shape: Shape) -> Composable:
        if self.network is not None:
            return repeat(self.network, 1)
        return Identity() if len(shape) == 1 else GlobalPooling("avg")


class Gate(Layer):
    """Choose experts: their weights, their indices, and the number of samples for each.

    Args:
        experts: Number of experts.
        top_k: Number of experts chosen per sample; None for all.
        noisy: Whether noise is added to the choice in training.
        name: Name in the network.

    Example:
        >>> Gate(8, 2).parameter_shapes((20,))
        {'weight': (8, 20), 'bias': (8,)}
    """

    weight: Tensor
    bias: Tensor
    noise_weight: Tensor

    def __init__(
        self,
        experts: int,
        top_k: int | None = None,
        *,
        noisy: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.experts = experts
        self.top_k = top_k
        self.noisy = noisy
        self.balance = None
        self.initializers["weight"] = LECUN

    @override
    def output_shape(self, shape: Shape) -> Shape:
        return (self.experts,)

    @override
    def parameter_shapes(self, shape: Shape) -> dict[str, tuple[int, ...]]:
        matrix = (self.experts, shape[0] or 0)
        noise = {"noise_weight": matrix} if self.noisy else {}
        return {"weight": matrix, "bias": (self.experts,), **noise}

    @override
    def multiply_adds(self, shape: Shape) -> int:
        return self.experts * known_count(self, shape)

    @property
    def balance_loss(self) -> Tensor:
        """E · Σᵢ fᵢ·Pᵢ of the last batch in training; 0 before the first."""
        return self.weight.new_zeros(()) if self.balance is None else self.balance

    @override
    def __getstate__(self) -> dict[str, Any]:
        # The balance loss holds the autograd graph of one pass, which cannot be copied or
        # saved.
        return {**self.__dict__, "balance": None}

    @override
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None, list[int] | None]:
        scores = F.linear(x, self.weight, self.bias)
        if self.noisy and self.training:
            spread = F.softplus(F.linear(x, self.noise_weight))
            scores = scores + spread * torch.randn_like(scores)
        shares = scores.softmax(1)
        if self.top_k is None:
            if self.training:
                self.keep(shares, shares.mean(0))
            return shares, None, None
        largest, chosen = scores.topk(self.top_k, 1)
        weights = largest.softmax(1)
        # While tracing, a batch cannot be split by the values in it.
        if x.is_meta or not len(x) or torch.compiler.is_exporting():
            return torch.zeros_like(scores).scatter(1, chosen, weights), None, None
        counts = torch.bincount(chosen.flatten(), minlength=self.experts)
        if self.training:
            self.keep(shares, counts / chosen.numel())
        return weights, chosen, counts.tolist()

    def keep(self, shares: Tensor, load: Tensor) -> None:
        """Store the balance of a batch, to be added to the loss."""
        self.balance = self.experts * (load * shares.mean(0)).sum()
