"""Local response normalisation across neighbouring channels."""

from __future__ import annotations

import functools

import torch
import torch.nn.functional as F
from torch import Tensor
from typing_extensions import override

from neuropil.checks import number, whole
from neuropil.core import Layer


class LocalResponseNorm(Layer):
    """Divide each value by a function of the squares in neighbouring channels (AlexNet's).

    bᵢ = aᵢ / (k + α Σⱼ aⱼ²)^β, where j runs over those of the n channels around i that exist:
    from i − ⌊n/2⌋ to i + ⌊(n − 1)/2⌋. ``torch.nn.LocalResponseNorm`` divides α by n and has
    k = 1 by default: there, ``(5, alpha=5e-4, beta=0.75, k=2)`` is what is the default here.

    Shape:
        ``(C)``, ``(C, L)``, ``(C, H, W)`` or ``(C, D, H, W)`` to the same; free axes stay free.

    Args:
        size: Number n of neighbouring channels, including i.
        alpha: Weight α of their squares.
        beta: Exponent β.
        k: Constant added to the sum; above zero.
        name: Name in the network, in place of ``localresponsenorm1``.

    Raises:
        ValueError: When an option is out of its range.

    Reference:
        Krizhevsky, Sutskever, Hinton, "ImageNet classification with deep convolutional neural
        networks", 2012, section 3.3, whose constants are the defaults.

    Example:
        >>> norm = LocalResponseNorm(3, alpha=1.0, beta=1.0, k=1.0)
        >>> norm(torch.tensor([[1.0, 2.0, 3.0]]))  # 1/(1+5), 2/(1+14), 3/(1+13)
        tensor([[0.1667, 0.1333, 0.2143]])
    """

    def __init__(
        self,
        size: int = 5,
        *,
        alpha: float = 1e-4,
        beta: float = 0.75,
        k: float = 2.0,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.size = whole(size, "LocalResponseNorm: size")
        self.alpha = number(alpha, "LocalResponseNorm: alpha", "[0, inf)")
        self.beta = number(beta, "LocalResponseNorm: beta", "[0, inf)")
        self.k = number(k, "LocalResponseNorm: k", "(0, inf)")

    @override
    def forward(self, x: Tensor) -> Tensor:
        around = (*[0, 0] * (x.ndim - 2), self.size // 2, (self.size - 1) // 2)
        squares = F.pad(x.square(), around)
        # Faster than torch's implementation, an average pooling along the channels.
        shifted = [squares.narrow(1, k, x.shape[1]) for k in range(self.size)]
        return x / (self.k + self.alpha * functools.reduce(torch.add, shifted)) ** self.beta
