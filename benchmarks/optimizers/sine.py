"""A network of one hidden layer with 5 tanh units that fits one period of a sine.

Small enough that a training optimiser's own work counts, and hard enough that many get stuck.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neuropil.layers import Input, Linear, Tanh

if TYPE_CHECKING:
    from neuropil import Network

GOAL = 0.002  # the sum of squared errors at which a run counts as solved

x = torch.linspace(-1, 1, 41, dtype=torch.float64).reshape(-1, 1)
y = torch.sin(math.pi * x)


def start(seed: int) -> Network:
    """Return the network with the library's own initial weights, drawn from a seed."""
    network = Input(1) >> Tanh(5) >> Linear(1)
    network.reset_parameters(torch.Generator().manual_seed(seed))
    return network.double()


def residuals(network: Network) -> Tensor:
    """Return the 41 errors."""
    return (network(x) - y).flatten()


def sse(network: Network) -> Tensor:
    """Return the sum of squared errors."""
    return residuals(network).square().sum()
