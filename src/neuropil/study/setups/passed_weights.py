"""Weights that one network passes on to another, by name and shape."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from neuropil.core import Network


def pair_weights(network: Network, baseline: Network, seed: int) -> list[str]:
    """Draw the initial weights of a variant, and take those of the baseline where they fit.

    Two variants with the same seed then start from the same weights, except where they differ
    in shape: their results differ by less than those of independent draws.

    Args:
        network: The variant, whose weights are set.
        baseline: The network that is varied, which stays as it is.
        seed: Seed of both draws.

    Returns:
        The names of the parameters and buffers with the baseline's values.

    Example:
        >>> from neuropil.layers import Elu, Input, Relu, Softmax
        >>> baseline = Input(4) >> Relu(8, name="hidden") >> Softmax(3)
        >>> variant = Input(4) >> Elu(8, name="hidden") >> Softmax(3)
        >>> pair_weights(variant, baseline, seed=0)
        ['hidden.weight', 'hidden.bias', 'softmax1.weight', 'softmax1.bias']
    """
    network.reset_parameters(torch.Generator().manual_seed(seed))
    drawn = copy.deepcopy(baseline)
    drawn.reset_parameters(torch.Generator().manual_seed(seed))
    return pass_weights(drawn, network)


def pass_weights(source: Network, network: Network) -> list[str]:
    """Copy the parameters and buffers that two networks share by name and shape.

    Args:
        source: The network that has them, which stays as it is.
        network: The network that takes them.

    Returns:
        Their names.
    """
    own = network.state_dict()
    passed = {
        name: value
        for name, value in source.state_dict().items()
        if name in own and own[name].shape == value.shape
    }
    network.load_state_dict(passed, strict=False)
    return list(passed)
