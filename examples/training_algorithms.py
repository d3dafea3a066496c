"""Watch all training optimisers at work: down a curved valley, and fitting a sine.

Draws two pictures: the path of each optimiser down Rosenbrock's valley, whose walls are steep
and whose floor is almost flat, and the loss of each against time while a network with five
hidden units learns a sine from 41 points. It takes about half a minute. Run it with
``python examples/training_algorithms.py``.
"""

import functools
import math
from pathlib import Path

import torch

from neuropil import Trainer
from neuropil.layers import Input, Linear, Tanh
from neuropil.optim import (
    RPROP,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    ConjugateGradient,
    GradientDescent,
    Hessian,
    HessianDiagonal,
    IRPROPPlus,
    LevenbergMarquardt,
    Momentum,
    QuasiNewton,
    RMSProp,
)
from neuropil.plots import loss_against_time, optimizer_paths

# Each with a learning rate for the valley and one for the sine, where it needs one.
FIRST_ORDER = {
    "GradientDescent": (GradientDescent, 1.5e-3, 0.1),
    "Momentum": (Momentum, 1e-3, 0.05),
    "Nesterov momentum": (functools.partial(Momentum, nesterov=True), 1e-3, 0.05),
    "Adagrad": (Adagrad, 0.5, 0.1),
    "Adadelta": (Adadelta, 5.0, 5.0),
    "RMSProp": (RMSProp, 0.01, 3e-3),
    "Adam": (Adam, 0.1, 0.03),
    "AdamW": (AdamW, 0.1, 0.03),
    "Adamax": (Adamax, 0.3, 0.05),
}
WHOLE_BATCH = {
    "RPROP": RPROP,
    "IRPROPPlus": IRPROPPlus,
    "HessianDiagonal": HessianDiagonal,
    "ConjugateGradient": ConjugateGradient,
    "QuasiNewton (BFGS)": QuasiNewton,
    "Hessian (Newton)": Hessian,
    "LevenbergMarquardt": LevenbergMarquardt,
}


def main(folder: str | Path = ".", *, steps: int = 500, epochs: int = 400) -> None:
    """Draw both pictures into a folder."""
    folder = Path(folder)
    torch.set_num_threads(1)
    valley = {n: functools.partial(a, lr=lr) for n, (a, lr, _) in FIRST_ORDER.items()}
    optimizer_paths(valley | WHOLE_BATCH, steps=steps).savefig(folder / "paths.png", dpi=120)

    sine = {n: functools.partial(a, lr=lr) for n, (a, _, lr) in FIRST_ORDER.items()}
    histories = {name: fitted(a, epochs) for name, a in (sine | WHOLE_BATCH).items()}
    loss_against_time(histories).savefig(folder / "loss.png", dpi=120)
    best = min(histories, key=lambda name: min(histories[name]["loss"]))
    print(f"paths.png and loss.png are in {folder.resolve()}; {best} fits the sine best")


def fitted(optimizer, epochs):
    """Fit the sine from the same start, and return the history."""
    x = torch.linspace(-1, 1, 41, dtype=torch.float64)[:, None]
    torch.manual_seed(0)
    network = (Input(1) >> Tanh(5) >> Linear(1)).double()
    trainer = Trainer(
        network, loss="squared_error", optimizer=optimizer, threads=None, progress=False
    )
    return trainer.fit((x, torch.sin(math.pi * x)), epochs=epochs, batch_size=41)


if __name__ == "__main__":
    main()
