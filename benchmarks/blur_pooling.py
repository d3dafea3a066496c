"""What blurred downsampling gives on real pictures: shift consistency and accuracy.

The same small network with ``MaxPooling(2)``, and with the same maxima at every position, then
blurred and thinned out. Fashion-MNIST by default.
"""

from __future__ import annotations

import itertools
import os
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from benchmarks.timing import report
from neuropil import Trainer, datasets
from neuropil.layers import (
    BatchNorm,
    BlurPooling,
    Convolution,
    GlobalPooling,
    Input,
    MaxPooling,
    Relu,
    Softmax,
)
from neuropil.optim import Adam, cosine_decay
from neuropil.training import accuracy

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from neuropil import Network
    from neuropil.core.layer import Composable

TRAINING, TEST, EPOCHS, BATCH = 6000, 1000, 4, 64
FARTHEST = 2

POOLINGS: dict[str, Callable[[], Composable]] = {
    "MaxPooling(2)": lambda: MaxPooling(2),
    "blurred": lambda: MaxPooling(2, stride=1) >> BlurPooling(3),
}


def main(json: str | None = None, rounds: int = 3, data: str | None = None) -> None:
    """Train each network once a seed; print accuracy, consistency and seconds of training."""
    folder = data or Path(os.environ.get("NEUROPIL_DATA", "../shared/data")) / "fashion_mnist"
    splits = datasets.open(folder, seed=0)
    assert splits.test is not None
    train = splits.train.inputs[:TRAINING], splits.train.targets[:TRAINING]
    test = splits.test.inputs[:TEST], splits.test.targets[:TEST]
    results: dict[str, list[dict[str, float]]] = {name: [] for name in POOLINGS}
    print(f"{len(train[0])} pictures to train, {len(test[0])} to test, {EPOCHS} epochs")
    for seed, (name, pooling) in itertools.product(range(rounds), POOLINGS.items()):
        torch.manual_seed(seed)
        network = small(pooling, tuple(train[0].shape[1:]), int(splits.train.targets.max()) + 1)
        start = time.perf_counter()
        fit(network, train, seed)
        figures = {"seconds": time.perf_counter() - start, **consistency(network, *test)}
        results[name].append(figures)
        shown = "   ".join(f"{what} {figure:.4f}" for what, figure in figures.items())
        print(f"seed {seed}   {name:16} {shown}", flush=True)
    for name, runs in results.items():
        means = {what: statistics.mean(run[what] for run in runs) for what in runs[0]}
        shown = "   ".join(f"{what} {figure:.4f}" for what, figure in means.items())
        print(f"mean     {name:16} {shown}")
    report("blur_pooling", {"data": Path(folder).name, "results": results}, json)


def small(pooling: Callable[[], Composable], shape: tuple[int, ...], classes: int) -> Network:
    network: Composable = Input(*shape)
    for filters in (16, 32):
        network = (
            network
            >> Convolution(filters, 3, padding="same", bias=False)
            >> BatchNorm()
            >> Relu()
            >> pooling()
        )
    head = Convolution(64, 3, padding="same", bias=False) >> BatchNorm() >> Relu()
    return network >> head >> GlobalPooling("avg") >> Softmax(classes)


def fit(network: Network, train: tuple[Tensor, Tensor], seed: int) -> None:
    optimizer = Adam(network.parameters(), lr=3e-3)
    steps = EPOCHS * -(-len(train[0]) // BATCH)
    trainer = Trainer(
        network,
        loss="cross_entropy",
        optimizer=optimizer,
        schedule=cosine_decay(optimizer, steps=steps),
        seed=seed,
        progress=False,
    )
    trainer.fit(train, epochs=EPOCHS, batch_size=BATCH)


def consistency(network: Network, inputs: Tensor, targets: Tensor) -> dict[str, float]:
    """Return the accuracy, and the share of predictions that stay, over all small shifts."""
    outputs = network.predict(inputs)
    classes = outputs.argmax(1)
    steps = range(-FARTHEST, FARTHEST + 1)
    moved = [shifted(inputs, *by) for by in itertools.product(steps, steps) if any(by)]
    predicted = torch.stack([network.predict(pictures).argmax(1) for pictures in moved])
    same = predicted == classes
    return {
        "accuracy": accuracy(outputs, targets),
        "shifted accuracy": (predicted == targets).double().mean().item(),
        "unchanged by a shift": same.double().mean().item(),
        "by all shifts": same.all(0).double().mean().item(),
    }


def shifted(inputs: Tensor, down: int, right: int) -> Tensor:
    """Return pictures moved by so many pixels, the outermost ones repeated."""
    height, width = inputs.shape[2:]
    around = torch.nn.functional.pad(inputs.float(), (FARTHEST,) * 4, "replicate")
    top, left = FARTHEST - down, FARTHEST - right
    return around[:, :, top : top + height, left : left + width]
