"""What tests of convolution and of its transpose draw and compare alike."""

from typing import Any

import numpy as np
import torch
from torch import nn


def layer_options(
    stride: tuple[int, ...], padding: tuple[Any, ...], dilation: tuple[int, ...], groups: int
) -> dict[str, Any]:
    """Return the options that have one value per axis; alone, a padding stands by itself."""
    return {
        "stride": stride,
        "padding": padding if len(padding) > 1 else padding[0],
        "dilation": dilation,
        "groups": groups,
    }


def gives(network: nn.Module, x: np.ndarray, expected: np.ndarray) -> None:
    """Hold a network to an output, and to the shape that it announced."""
    assert network.output_shape == expected.shape
    output = network(torch.tensor(x)[None])[0]
    torch.testing.assert_close(output, torch.tensor(expected), rtol=1e-11, atol=1e-11)
