"""What a step of the trainer costs beside a loop written by hand, and beside other trainers.

A 20-64-1 network, batches of 32, one thread. All contestants train the same network with the
same optimiser object. The hand-written loop shuffles every epoch and indexes ``X[k], Y[k]``;
ours has a metric, progress ten times a second and the NaN check on.
"""

from __future__ import annotations

import importlib.util
import io
import logging
import warnings
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.architectures import torchvision
from benchmarks.timing import Timing, alternate, report
from neuropil.layers import Input, Linear, Relu
from neuropil.optim import Adam, GradientDescent
from neuropil.training import Trainer
from neuropil.training.progress import TextProgress

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES, BATCH, EPOCHS = 4096, 32, 8
STEPS = EPOCHS * EXAMPLES // BATCH
ALLOWED = 10.0


class Terminal(io.StringIO):
    """A terminal that nobody looks at."""

    def isatty(self) -> bool:
        return True


def main(json: str | None = None, rounds: int = 21) -> None:
    """Time all contestants in turn with two optimisers, and print µs per step."""
    torch.set_num_threads(1)
    figures: dict[str, Any] = {}
    for optimizer in (GradientDescent, Adam):
        figures[optimizer.__name__] = compare(optimizer, rounds)
    report("trainer", {"steps": STEPS, "rounds": rounds, "optimizers": figures}, json)


def compare(make_algorithm: Any, rounds: int) -> dict[str, float]:
    """Print and return the microseconds per step of each, the minimum of all rounds."""
    torch.manual_seed(0)
    x = torch.randn(EXAMPLES, 20)
    y = x[:, :5].sum(dim=1, keepdim=True).tanh()
    network = Input(20) >> Relu(64) >> Linear(1)
    optimizer = make_algorithm(network.parameters(), lr=1e-3)
    contestants = {
        "by hand": lambda: by_hand(network, optimizer, x, y),
        "neuropil": lambda: ours(network, optimizer, x, y),
        "by hand, DataLoader": lambda: by_hand_from_loader(network, optimizer, x, y),
        **peers(network, optimizer, x, y),
    }
    timings = alternate(contestants, rounds=rounds)
    print(
        f"\n{make_algorithm.__name__}: µs per step, minimum of {rounds} rounds of {STEPS} steps"
    )
    base = per_step(timings["by hand"])
    for name, timing in timings.items():
        print(f"  {name:22} {per_step(timing):8.1f}   {per_step(timing) - base:+8.1f}")
    ok = per_step(timings["neuropil"]) - base <= ALLOWED
    print(f"  neuropil within {ALLOWED:g} µs of the loop by hand: {'yes' if ok else 'NO'}")
    return {name: per_step(timing) for name, timing in timings.items()}


def per_step(timing: Timing) -> float:
    """Return microseconds per step in the least disturbed round."""
    return timing.minimum / STEPS * 1e6


def by_hand(network: nn.Module, optimizer: Any, x: torch.Tensor, y: torch.Tensor) -> None:
    network.train()
    for _ in range(EPOCHS):
        order = torch.randperm(len(x))
        for k in order.split(BATCH):
            optimizer.zero_grad()
            loss = F.mse_loss(network(x[k]), y[k])
            loss.backward()
            optimizer.step()


def ours(network: nn.Module, optimizer: Any, x: torch.Tensor, y: torch.Tensor) -> None:
    trainer = Trainer(
        network,
        loss="squared_error",
        optimizer=optimizer,
        metrics=["mean_absolute_error"],
        normalize=False,
        threads=None,
        progress=TextProgress(Terminal()),
    )
    trainer.fit((x, y), epochs=EPOCHS, batch_size=BATCH)


def by_hand_from_loader(
    network: nn.Module, optimizer: Any, x: torch.Tensor, y: torch.Tensor
) -> None:
    data = torch.utils.data.TensorDataset(x, y)
    loader = torch.utils.data.DataLoader(data, BATCH, shuffle=True)
    network.train()
    for _ in range(EPOCHS):
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss = F.mse_loss(network(inputs), targets)
            loss.backward()
            optimizer.step()


def peers(
    network: nn.Module, optimizer: Any, x: torch.Tensor, y: torch.Tensor
) -> dict[str, Callable[[], object]]:
    """Return the other trainers that are installed."""
    found = {"accelerate": with_accelerate, "lightning": with_lightning, "skorch": with_skorch}
    here = {name: run for name, run in found.items() if importlib.util.find_spec(name)}
    for name in found.keys() - here.keys():
        print(f"{name} is not installed: pip install -r benchmarks/requirements.txt")
    return {name: (lambda run=run: run(network, optimizer, x, y)) for name, run in here.items()}


def with_skorch(network: nn.Module, optimizer: Any, x: torch.Tensor, y: torch.Tensor) -> None:
    from skorch import NeuralNetRegressor

    net = NeuralNetRegressor(
        network,
        max_epochs=EPOCHS,
        batch_size=BATCH,
        optimizer=lambda *_, **__: optimizer,
        train_split=None,
        iterator_train__shuffle=True,
        verbose=0,
        warm_start=True,
    )
    net.fit(x, y)


def with_accelerate(
    network: nn.Module, optimizer: Any, x: torch.Tensor, y: torch.Tensor
) -> None:
    from accelerate import Accelerator

    accelerator = Accelerator(cpu=True)
    data = torch.utils.data.TensorDataset(x, y)
    loader = torch.utils.data.DataLoader(data, BATCH, shuffle=True)
    model, optimizer, loader = accelerator.prepare(network, optimizer, loader)
    for _ in range(EPOCHS):
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss = F.mse_loss(model(inputs), targets)
            accelerator.backward(loss)
            optimizer.step()


def with_lightning(
    network: nn.Module, optimizer: Any, x: torch.Tensor, y: torch.Tensor
) -> None:
    torchvision()  # Lightning loads it where it is installed
    import lightning

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def training_step(self, batch: Any, _: int) -> torch.Tensor:
            inputs, targets = batch
            return F.mse_loss(self.network(inputs), targets)

        def configure_optimizers(self) -> Any:
            return optimizer

    data = torch.utils.data.TensorDataset(x, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = lightning.Trainer(
            max_epochs=EPOCHS,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(Module(), torch.utils.data.DataLoader(data, BATCH, shuffle=True))
