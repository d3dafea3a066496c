"""Whether the rate that `find_lr` suggests trains, over 28 tries, beside fastai's rules.

Seven problems, four optimisers. In each try a sweep trains with 19 rates, three to a decade
from 10⁻⁵ to 10, and the loss over the training data after some epochs is what a rate is worth.
A suggestion is as good as the part of the best fall of the loss that it reaches; a good one
reaches 90 % of it. fastai's rules (`lr_find`, version 2.8: "valley", its default, and "steep")
are written out below and read the very same losses.
"""

from __future__ import annotations

import copy
import itertools
import math
from typing import TYPE_CHECKING, Any

import sklearn.datasets
import torch
from torch import Tensor

from benchmarks.timing import report
from neuropil import Trainer
from neuropil.layers import (
    BatchNorm,
    Convolution,
    Dropout,
    Flatten,
    Input,
    Linear,
    MaxPooling,
    Relu,
    Sigmoid,
    Softmax,
    Tanh,
)
from neuropil.optim import Adam, GradientDescent, Momentum, RMSProp
from neuropil.training import find_lr
from neuropil.training.nonfinite import NonFiniteError

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.core import Network
    from neuropil.training import LearningRates

    Problem = tuple[Network, Tensor, Tensor, str]

RATES = [10 ** (-5 + k / 3) for k in range(19)]
ALGORITHMS = (Adam, GradientDescent, Momentum, RMSProp)
EPOCHS, ROWS = 8, 640
GOOD = 0.9


def problems() -> dict[str, Problem]:
    """Return networks with examples and losses; weights and data are the same in every run."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    digits = sklearn.datasets.load_digits()
    pixels = torch.tensor(digits.images[:ROWS], dtype=torch.float32).unsqueeze(1) / 16
    numbers = torch.tensor(digits.target[:ROWS])
    diabetes = sklearn.datasets.load_diabetes()
    body = torch.tensor(diabetes.data, dtype=torch.float32)
    progress = torch.tensor(diabetes.target, dtype=torch.float32).unsqueeze(1)
    cancer = sklearn.datasets.load_breast_cancer()
    cells = torch.tensor(cancer.data, dtype=torch.float32)
    benign = torch.tensor(cancer.target, dtype=torch.float32).unsqueeze(1)
    noise = torch.randn(ROWS, 10, generator=generator)
    faint = 0.3 * noise[:, :1] + torch.randn(ROWS, 1, generator=generator)
    rare = (noise[:, 0] + noise[:, 1] > 2.6).long()
    return {
        "line": (Input(10) >> Linear(1), noise, noise.sum(1, keepdim=True), "squared_error"),
        "digits, dense": (
            Input(1, 8, 8) >> Flatten() >> Relu(64) >> Dropout(0.2) >> Softmax(10),
            pixels,
            numbers,
            "cross_entropy",
        ),
        "digits, convolution": (
            Input(1, 8, 8)
            >> Convolution(12, 3)
            >> BatchNorm()
            >> Relu()
            >> MaxPooling(2)
            >> Flatten()
            >> Softmax(10),
            pixels,
            numbers,
            "cross_entropy",
        ),
        "diabetes, in its units": (
            Input(10) >> Tanh(16) >> Linear(1),
            body,
            progress,
            "absolute_error",
        ),
        "cancer": (Input(30) >> Relu(16) >> Sigmoid(1), cells, benign, "binary_cross_entropy"),
        "faint": (Input(10) >> Relu(32) >> Linear(1), noise, faint, "squared_error"),
        "rare": (Input(10) >> Relu(32) >> Linear(2), noise, rare, "hinge"),
    }


def main(json: str | None = None) -> None:
    """Try all problems with all optimisers; print what each rule reaches."""
    results: list[dict[str, Any]] = []
    for title, problem in problems().items():
        for optimizer in ALGORITHMS:
            results.append({"problem": title, "optimizer": optimizer.__name__})
            results[-1] |= tried(problem, optimizer)
            print(line(results[-1]), flush=True)
    print()
    for rule in ("neuropil", "valley", "steep"):
        reached = [result[rule]["reached"] for result in results]
        good = sum(part >= GOOD for part in reached)
        lowest = sum(result[rule]["lowest"] for result in results)
        middle = sorted(reached)[len(reached) // 2]
        print(
            f"{rule:9} good {good:2} of {len(results)}   at the lower bound {lowest:2}   "
            f"median {middle:5.1%}   worst {min(reached):6.1%}"
        )
    report("find_lr", {"good": GOOD, "epochs": EPOCHS, "results": results}, json)


def line(result: dict[str, Any]) -> str:
    """Return one try in words."""
    parts = [
        f"{rule} {result[rule]['rate']:.1e} reaches {result[rule]['reached']:6.1%}"
        for rule in ("neuropil", "valley", "steep")
    ]
    title = f"{result['problem']}, {result['optimizer']}"
    return f"{title:38} best {result['best']:.1e}   {'   '.join(parts)}"


def tried(problem: Problem, optimizer: Any) -> dict[str, Any]:
    """Return the best rate of the sweep, and what each rule's suggestion reaches."""
    start = loss_after(problem, optimizer, 0.0)
    swept = {rate: loss_after(problem, optimizer, rate) for rate in RATES}
    best = min(swept, key=lambda rate: swept[rate])
    network, x, y, loss = copy.deepcopy(problem)
    trainer = Trainer(
        network, loss=loss, optimizer=lambda p: optimizer(p, lr=1e-3), progress=False
    )
    found = find_lr(trainer, (x, y))
    rates = {"neuropil": found.suggestion, "valley": valley(found), "steep": steep(found)}
    result: dict[str, Any] = {"best": best, "sweep": list(swept.values()), "start": start}
    for rule, rate in rates.items():
        fall = start - loss_after(problem, optimizer, rate)
        result[rule] = {
            "rate": rate,
            "reached": fall / (start - swept[best]),
            "lowest": rate < 3 * found.rates[0],
        }
    return result


def loss_after(problem: Problem, optimizer: Any, rate: float) -> float:
    """Return the loss over the training data after some epochs at one rate."""
    network, x, y, loss = copy.deepcopy(problem)
    network.normalize(x)
    make: Callable[[Any], Any] = lambda p: optimizer(p, lr=rate or 1e-9)  # noqa: E731
    trainer = Trainer(network, loss=loss, optimizer=make, seed=0, progress=False, threads=None)
    try:
        if rate:
            trainer.fit((x, y), epochs=EPOCHS)
        value = trainer.evaluate((x, y))["loss"]
    except NonFiniteError:
        value = math.inf
    return value if math.isfinite(value) else 1e9


# fastai's rules


def smooth(found: LearningRates) -> tuple[list[float], list[float]]:
    """Return rates and losses as fastai keeps them: smoothed with 0.98, the ends left out."""
    smoothed, running = [], 0.0
    for k, loss in enumerate(found.losses, 1):
        running = 0.98 * running + 0.02 * loss
        smoothed.append(running / (1 - 0.98**k))
    return found.rates[10:-5], smoothed[10:-5]


def valley(found: LearningRates) -> float:
    """Return a rate two fifths into the longest falling subsequence."""
    rates, losses = smooth(found)
    lengths, end, start = [1] * len(losses), 0, 0
    for i in range(1, len(losses)):
        for j in range(i):
            if losses[i] < losses[j] and lengths[i] < lengths[j] + 1:
                lengths[i] = lengths[j] + 1
            if lengths[end] < lengths[i]:
                end, start = i, i - lengths[i]
    sections = (end - start) / 3
    return rates[start + int(sections) + int(sections / 2)]


def steep(found: LearningRates) -> float:
    """Return the rate at which the smoothed loss falls fastest."""
    rates, losses = smooth(found)
    slopes = [b - a for a, b in itertools.pairwise(losses)]
    return rates[min(range(len(slopes)), key=slopes.__getitem__)]
