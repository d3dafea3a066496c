"""A 64-100-10 network on the handwritten digits, beside scikit-learn's `MLPClassifier`.

The same data, split, batches of 32, epochs and optimisers; one thread. scikit-learn computes in
double precision by default, so that is the peer; its single precision stands beside it.
Held-out accuracy is compared as well: a faster fit that learns less is not faster.
"""

from __future__ import annotations

import statistics
import warnings
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from benchmarks.timing import alternate, ratio, report
from neuropil.layers import Input, Relu, Softmax
from neuropil.optim import Adam, Momentum
from neuropil.training import Trainer

EPOCHS, BATCH = 20, 32
RATES = {"sgd": 0.05, "adam": 1e-3}


def main(json: str | None = None, rounds: int = 15) -> None:
    """Fit in turn, and print seconds, ratios and held-out accuracies."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", ConvergenceWarning)  # both stop after as many epochs
    x, y = load_digits(return_X_y=True)
    parts = train_test_split(x / 16, y, test_size=0.25, random_state=0, stratify=y)
    figures = {solver: compare(solver, parts, rounds) for solver in RATES}
    report("mlp", {"epochs": EPOCHS, "rounds": rounds, "solvers": figures}, json)


def compare(solver: str, parts: list[Any], rounds: int) -> dict[str, Any]:
    """Time one optimiser in both libraries."""
    accuracies: dict[str, list[float]] = {}

    def noted(name: str, fit: Any) -> Any:
        def run() -> None:
            accuracies.setdefault(name, []).append(fit(len(accuracies.get(name, []))))

        return run

    single = [part.astype(np.float32) if part.dtype == float else part for part in parts]
    timings = alternate(
        {
            "neuropil": noted("neuropil", lambda seed: ours(solver, single, seed)),
            "scikit-learn": noted("scikit-learn", lambda seed: theirs(solver, parts, seed)),
            "scikit-learn, float32": noted(
                "scikit-learn, float32", lambda seed: theirs(solver, single, seed)
            ),
        },
        rounds=rounds,
    )
    print(f"\n{solver}: {EPOCHS} epochs of batches of {BATCH}, {rounds} alternated fits")
    for name, timing in timings.items():
        mean = statistics.mean(accuracies[name])
        print(f"  {name:22} {timing.median:6.3f} s   held-out accuracy {mean:.4f}")
    figures: dict[str, Any] = {}
    for name in ("scikit-learn", "scikit-learn, float32"):
        both = ratio(timings["neuropil"], timings[name])
        print(f"  neuropil / {name}: {both}")
        figures[name] = {"ratio": both.median, "low": both.low, "high": both.high}
    figures["seconds"] = {name: timing.median for name, timing in timings.items()}
    figures["accuracy"] = {name: statistics.mean(each) for name, each in accuracies.items()}
    return figures


def ours(solver: str, parts: list[Any], seed: int) -> float:
    """Fit our network and return its held-out accuracy."""
    x, x_test, y, y_test = parts
    torch.manual_seed(seed)
    network = Input(64) >> Relu(100) >> Softmax(10)
    lr = RATES[solver]
    if solver == "sgd":
        optimizer = Momentum(network.parameters(), lr=lr, momentum=0.9, nesterov=True)
    else:
        optimizer = Adam(network.parameters(), lr=lr)
    trainer = Trainer(
        network,
        loss="cross_entropy",
        optimizer=optimizer,
        normalize=False,
        seed=seed,
        threads=None,
        progress=False,
    )
    trainer.fit((x, y), epochs=EPOCHS, batch_size=BATCH)
    return float((network.predict(x_test).argmax(axis=1) == y_test).mean())


def theirs(solver: str, parts: list[Any], seed: int) -> float:
    """Fit scikit-learn's network and return its held-out accuracy."""
    x, x_test, y, y_test = parts
    classifier = MLPClassifier(
        (100,),
        solver=solver,
        alpha=0.0,
        batch_size=BATCH,
        learning_rate_init=RATES[solver],
        max_iter=EPOCHS,
        n_iter_no_change=EPOCHS,
        random_state=seed,
    )
    return float(classifier.fit(x, y).score(x_test, y_test))
