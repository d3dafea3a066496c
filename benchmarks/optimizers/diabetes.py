"""Levenberg–Marquardt on scikit-learn's diabetes data, beside a plain one in NumPy.

A 10-20-1 tanh network in double precision, inputs and targets scaled to [0, 1], the first 354
of the shuffled patients for training, 50 epochs, the same 10 starts for both. The peer is what
one would write for just this network: an analytic Jacobian, and Marquardt's damping that goes
up and down by 10. Mean squared error of the training part stands beside the time.
"""

from __future__ import annotations

import statistics

import numpy as np
import threadpoolctl
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_diabetes

from benchmarks.timing import alternate, ratio, report
from neuropil.layers import Input, Linear, Tanh
from neuropil.optim import LevenbergMarquardt

Floats = NDArray[np.float64]
INPUTS, HIDDEN, TRAINING, EPOCHS, STARTS = 10, 20, 354, 50, 10


def main(json: str | None = None, rounds: int = 5) -> None:
    """Fit from all starts in turn; print median error and time."""
    torch.set_num_threads(1)
    threadpoolctl.threadpool_limits(1)  # NumPy's too
    parts = data()
    errors = {
        "neuropil": [ours(start(seed), *parts) for seed in range(STARTS)],
        "NumPy": [theirs(start(seed), *parts) for seed in range(STARTS)],
    }
    timings = alternate(
        {
            "neuropil": lambda: [ours(start(seed), *parts) for seed in range(STARTS)],
            "NumPy": lambda: [theirs(start(seed), *parts) for seed in range(STARTS)],
        },
        rounds=rounds,
    )
    both = ratio(timings["neuropil"], timings["NumPy"])
    print(f"{INPUTS}-{HIDDEN}-1, {EPOCHS} epochs, {STARTS} starts, {rounds} rounds")
    print(f"{'':10}{'seconds a fit':>14}{'train MSE: median':>20}{'lowest':>9}{'highest':>9}"
          f"{'test MSE: median':>18}")  # fmt: skip
    for name, timing in timings.items():
        train, test = zip(*errors[name], strict=True)
        print(
            f"{name:10}{timing.median / STARTS:14.3f}{statistics.median(train):20.5f}"
            f"{min(train):9.5f}{max(train):9.5f}{statistics.median(test):18.5f}"
        )
    print(f"time, neuropil / NumPy: {both}")
    figures = {
        name: {"seconds": timings[name].median / STARTS, "errors": errors[name]}
        for name in timings
    }
    report("diabetes", {**figures, "ratio": both.median}, json)


def data() -> tuple[Floats, Floats, Floats, Floats]:
    """Return training inputs and targets, then those held out."""
    X, y = load_diabetes(return_X_y=True)
    table = np.column_stack([X, y])[np.random.default_rng(0).permutation(len(X))]
    table = (table - table.min(0)) / np.ptp(table, axis=0)
    train, test = table[:TRAINING], table[TRAINING:]
    return train[:, :-1], train[:, -1], test[:, :-1], test[:, -1]


def start(seed: int) -> Floats:
    """Return the library's own initial weights as one vector."""
    network = Input(INPUTS) >> Tanh(HIDDEN) >> Linear(1)
    network.double().reset_parameters(torch.Generator().manual_seed(seed))
    return torch.cat([p.detach().flatten() for p in network.parameters()]).numpy()


def ours(
    w: Floats, X: Floats, y: Floats, X_test: Floats, y_test: Floats
) -> tuple[float, float]:
    network = (Input(INPUTS) >> Tanh(HIDDEN) >> Linear(1)).double()
    torch.nn.utils.vector_to_parameters(torch.from_numpy(w), network.parameters())
    inputs, targets = torch.from_numpy(X), torch.from_numpy(y)
    optimizer = LevenbergMarquardt(network.parameters())
    for _ in range(EPOCHS):
        optimizer.step(lambda: network(inputs).flatten() - targets)
    fitted = torch.nn.utils.parameters_to_vector(network.parameters()).detach().numpy()
    return error(fitted, X, y), error(fitted, X_test, y_test)


def theirs(
    w: Floats, X: Floats, y: Floats, X_test: Floats, y_test: Floats
) -> tuple[float, float]:
    damping = 1e-3
    r, hidden = residuals(w, X, y)
    for _ in range(EPOCHS):
        J = jacobian(w, X, hidden)
        square, gradient = J.T @ J, J.T @ r
        while damping < 1e10:
            trial = w - np.linalg.solve(square + damping * np.eye(len(w)), gradient)
            r_trial, hidden_trial = residuals(trial, X, y)
            if r_trial @ r_trial < r @ r:
                w, r, hidden, damping = trial, r_trial, hidden_trial, damping / 10
                break
            damping *= 10
    return error(w, X, y), error(w, X_test, y_test)


def unpack(w: Floats) -> tuple[Floats, Floats, Floats, float]:
    """Return weights and biases of the hidden units, then of the output."""
    first = INPUTS * HIDDEN
    weight, bias, out = w[:first], w[first : first + HIDDEN], w[first + HIDDEN : -1]
    return weight.reshape(HIDDEN, INPUTS), bias, out, w[-1]


def residuals(w: Floats, X: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return the errors and the hidden units' outputs."""
    weight, bias, out, offset = unpack(w)
    hidden = np.tanh(X @ weight.T + bias)
    return hidden @ out + offset - y, hidden


def jacobian(w: Floats, X: Floats, hidden: Floats) -> Floats:
    """Return the derivatives of the errors by all weights."""
    back = (1 - hidden**2) * unpack(w)[2]
    by_weight = (back[:, :, None] * X[:, None, :]).reshape(len(X), -1)
    return np.hstack([by_weight, back, hidden, np.ones((len(X), 1))])


def error(w: Floats, X: Floats, y: Floats) -> float:
    r, _ = residuals(w, X, y)
    return float(r @ r / len(r))
