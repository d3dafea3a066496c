"""Multiplication by a fixed number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from neuropil.checks import number
from neuropil.core import Layer

if TYPE_CHECKING:
    from torch import Tensor


class Scale(Layer):
    """Multiply by a fixed number: y = f·x.

    Before a sum it scales a residual branch down: f from 0.1 to 0.3 stabilises the training of
    very wide residual networks.

    Shape:
        ``(…)`` to the same; free axes stay free. It has no parameters.

    Args:
        factor: The number f.
        name: Name in the network, in place of ``scale1``.

    Raises:
        ValueError: When the factor is not a finite number.

    Reference:
        Szegedy, Ioffe, Vanhoucke, Alemi, "Inception-v4, Inception-ResNet and the impact of
        residual connections on learning", 2017, section 3.3.

    Example:
        >>> import torch
        >>> Scale(0.5)(torch.tensor([[1.0, -4.0]])).tolist()
        [[0.5, -2.0]]
    """

    def __init__(self, factor: float, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.factor = number(factor, "Scale: factor")

    @override
    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor
