"""Forward pass and training step beside a hand-written module of torch.nn, equal weights."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.timing import alternate, ratio, report
from benchmarks.timing import timed as time_once
from neuropil.layers import (
    BatchNorm,
    Convolution,
    Elementwise,
    Flatten,
    GlobalPooling,
    Identity,
    Input,
    Linear,
    MaxPooling,
    Relu,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil import Network
    from neuropil.core.layer import Composable

ALLOWED = 1.02
# Seconds that one timing should take at least.
LONG_ENOUGH = 1e-3


class Perceptron(nn.Module):
    """20-64-64-10 by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.linear1 = nn.Linear(20, 64)
        self.relu1 = nn.ReLU()
        self.linear2 = nn.Linear(64, 64)
        self.relu2 = nn.ReLU()
        self.linear3 = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu1(self.linear1(x))
        x = self.relu2(self.linear2(x))
        return self.linear3(x)


class LeNet(nn.Module):
    """A small convolutional network by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution1 = nn.Conv2d(1, 16, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(16)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d(2)
        self.convolution2 = nn.Conv2d(16, 32, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(32)
        self.relu2 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(2)
        self.flatten = nn.Flatten()
        self.linear1 = nn.Linear(32 * 49, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool1(self.relu1(self.norm1(self.convolution1(x))))
        x = self.pool2(self.relu2(self.norm2(self.convolution2(x))))
        return self.linear1(self.flatten(x))


class Block(nn.Module):
    """A residual block by hand."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convolution1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.relu1 = nn.ReLU()
        self.convolution2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu1(self.norm1(self.convolution1(x)))
        return self.relu2(self.norm2(self.convolution2(y)) + x)


class Residual(nn.Module):
    """Nine residual blocks of 16 channels by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(16)
        self.relu = nn.ReLU()
        self.blocks = nn.Sequential(*(Block(16) for _ in range(9)))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.linear = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(self.relu(self.norm(self.convolution(x))))
        return self.linear(self.flatten(self.pool(x)))


def block(channels: int) -> Network:
    def convolution() -> Network:
        return Convolution(channels, 3, padding=1, bias=False) >> BatchNorm()

    body = convolution() >> Relu() >> convolution()
    return (body | Identity()) >> Elementwise("add") >> Relu()


def residual() -> Network:
    stem = (
        Input(3, 16, 16) >> Convolution(16, 3, padding=1, bias=False) >> BatchNorm() >> Relu()
    )
    for _ in range(9):
        stem = stem >> block(16)
    return stem >> GlobalPooling("avg") >> Linear(10)


def lenet() -> Network:
    network: Composable = Input(1, 28, 28)
    for channels in (16, 32):
        network = (
            network
            >> Convolution(channels, 3, padding=1, bias=False)
            >> BatchNorm()
            >> Relu()
            >> MaxPooling(2)
        )
    return network >> Flatten() >> Linear(10)


CASES: dict[str, tuple[Callable[[], nn.Module], Callable[[], Network], tuple[int, ...]]] = {
    "20-64-64-10, batch 32": (
        Perceptron,
        lambda: Input(20) >> Relu(64) >> Relu(64) >> Linear(10),
        (32, 20),
    ),
    "two convolutions, 28×28, batch 16": (LeNet, lenet, (16, 1, 28, 28)),
    "19 convolutions, residual, 16×16, batch 4": (Residual, residual, (4, 3, 16, 16)),
}


def main(json: str | None = None, rounds: int = 300) -> None:
    """Time both in turn, and count the Python calls of a forward pass."""
    torch.set_num_threads(1)
    figures = {}
    for name, (by_hand, composed, shape) in CASES.items():
        print(name)
        figures[name] = compare(by_hand(), composed(), torch.randn(shape), rounds)
    report("forward", {"rounds": rounds, "cases": figures}, json)


def compare(theirs: nn.Module, ours: Network, x: Tensor, rounds: int) -> dict[str, Any]:
    """Print and return the paired ratios of one network."""
    copy_weights(theirs, ours)
    assert torch.allclose(theirs.eval()(x), ours.eval()(x), atol=1e-5)
    figures: dict[str, Any] = {}
    with torch.no_grad():
        figures["forward"] = timed(lambda: theirs(x), lambda: ours(x), rounds)
        calls = python_calls(lambda: ours(x)), python_calls(lambda: theirs(x))
    y = torch.randint(0, 10, (len(x),))
    figures["training step"] = timed(stepper(theirs, x, y), stepper(ours, x, y), rounds)
    figures["python calls"] = calls
    fine = calls[0] <= 1.1 * calls[1]
    print(f"  python calls {calls[0]} : {calls[1]} by hand   {'' if fine else 'TOO MANY'}")
    for what in ("forward", "training step"):
        median, low, high = figures[what]
        verdict = "" if median <= ALLOWED else "TOO SLOW"
        print(f"  {what:14} ratio {median:.3f} [{low:.3f}, {high:.3f}]   {verdict}")
    return figures


def copy_weights(theirs: nn.Module, ours: Network) -> None:
    """Give ours the weights of theirs; both register them in the same order."""
    mine, other = ours.state_dict(), theirs.state_dict()
    mine.update(zip(mine, other.values(), strict=True))
    ours.load_state_dict(mine)


def stepper(module: nn.Module, x: Tensor, y: Tensor) -> Callable[[], None]:
    """Return one training step."""
    module.train()
    optimizer = torch.optim.SGD(module.parameters(), lr=1e-6)

    def step() -> None:
        optimizer.zero_grad()
        F.cross_entropy(module(x), y).backward()
        optimizer.step()

    return step


def timed(
    theirs: Callable[[], object], ours: Callable[[], object], rounds: int
) -> tuple[float, float, float]:
    """Return the median paired ratio and its interval."""
    runs = {"by hand": theirs, "neuropil": ours}
    # Short calls are timed several at a time, so that the clock itself does not count.
    theirs()
    repetitions = max(1, round(LONG_ENOUGH / time_once(theirs, 3)))
    timings = alternate(runs, rounds=rounds, repetitions=repetitions, warm_up=10)
    result = ratio(timings["neuropil"], timings["by hand"])
    return result.median, result.low, result.high


def python_calls(run: Callable[[], object]) -> int:
    """Return how many Python functions a call enters."""
    count = 0

    def profile(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(profile)
    try:
        run()
    finally:
        sys.setprofile(None)
    return count
