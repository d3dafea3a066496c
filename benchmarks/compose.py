"""How long it takes to compose a residual network of 50 convolutions, with all its shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from benchmarks.timing import alternate, report
from neuropil.layers import (
    BatchNorm,
    Convolution,
    Elementwise,
    GlobalPooling,
    Identity,
    Input,
    MaxPooling,
    Relu,
    Softmax,
)

if TYPE_CHECKING:
    from neuropil import Network

ALLOWED = 10e-3
STAGES = ((64, 6), (128, 6), (256, 6), (512, 5))


def block(channels: int, stride: int, *, projects: bool) -> Network:
    body = (
        Convolution(channels, 3, stride=stride, padding=1, bias=False)
        >> BatchNorm()
        >> Relu()
        >> Convolution(channels, 3, padding=1, bias=False)
        >> BatchNorm()
    )
    shortcut = Identity()
    if projects:
        shortcut = Convolution(channels, 1, stride=stride, bias=False) >> BatchNorm()
    return (body | shortcut) >> Elementwise("add") >> Relu()


def residual_network() -> Network:
    network = (
        Input(3, 224, 224)
        >> Convolution(64, 7, stride=2, padding=3, bias=False)
        >> BatchNorm()
        >> Relu()
        >> MaxPooling(3, stride=2, padding=1)
    )
    for channels, blocks in STAGES:
        for number in range(blocks):
            narrows = number == 0 and channels > 64
            network = network >> block(channels, 1 + narrows, projects=narrows)
    return network >> GlobalPooling("avg") >> Softmax(1000)


def main(json: str | None = None, rounds: int = 100) -> None:
    """Time composing under the meta device, where no weights are drawn."""
    with torch.device("meta"):
        network = residual_network()
        timing = alternate({"compose": residual_network}, rounds=rounds, warm_up=3)["compose"]
    convolutions = sum(isinstance(layer, Convolution) for layer in network)
    assert network.output_shape == (1000,)
    print(
        f"{convolutions} convolutions, {len(network)} layers, all shapes, on the meta device:"
    )
    print(f"  minimum {timing.minimum * 1e3:.2f} ms, median {timing.median * 1e3:.2f} ms")
    print(
        f"  minimum within {ALLOWED * 1e3:g} ms: {'yes' if timing.minimum <= ALLOWED else 'NO'}"
    )
    figures: dict[str, Any] = {"minimum_s": timing.minimum, "median_s": timing.median}
    report("compose", {"convolutions": convolutions, "rounds": rounds, **figures}, json)
