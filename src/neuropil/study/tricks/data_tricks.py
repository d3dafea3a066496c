"""Tricks that measure the data: fewer training examples, and wrong labels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from neuropil import optim
from neuropil.datasets.target import Classes
from neuropil.study.tricks.trick import SetupChange, Trick
from neuropil.training.loop.closure_step import takes_all

if TYPE_CHECKING:
    from neuropil.runs.task import Task
    from neuropil.study.setups.setup import Setup

# Groups of tricks that nobody would choose: they tell how much data and labels matter.
QUESTIONS = ("data", "labels")
SIZES = "Dataset size"
LABELS = "Dataset quality"


def keep(fraction: float) -> SetupChange:
    """Return the change to a fraction of the training examples, with as many steps.

    Equal numbers of steps make the difference that of the examples alone.

    Args:
        fraction: The fraction.
    """

    def change(setup: Setup, task: Task[Any]) -> Setup:
        first, recipe = setup.first and change(setup.first, task), setup.recipe
        if not takes_all(optim.by_name(recipe.optimizer)):  # there, an epoch is one step
            recipe = replace(recipe, epochs=round(recipe.epochs / fraction))
        return replace(setup, recipe=recipe, fraction=setup.fraction * fraction, first=first)

    return change


def mislabel(noise: float) -> SetupChange:
    """Return the change that gives a fraction of the training examples a wrong class."""

    def change(setup: Setup, task: Task[Any]) -> Setup | str:
        if not isinstance(task.target, Classes):
            return f"labels are {task.target.kind}: only classes can be wrong"
        first = setup.first and replace(setup.first, noise=noise)
        return replace(setup, noise=noise, first=first)

    return change


def label_noise(percent: int, published: float) -> Trick:
    """Return the trick of wrong labels in percent."""
    return Trick(
        f"label_noise_{percent}",
        f"{percent} % wrong labels in training",
        "labels",
        mislabel(percent / 100),
        published,
        (LABELS, f"{percent}% incorrect labels"),
    )


DATA_TRICKS = (
    Trick(
        "half_of_the_examples",
        "Half of the training examples",
        "data",
        keep(1 / 2),
        -4.6,
        (SIZES, "600K images"),
    ),
    Trick("quarter_of_the_examples", "A quarter of the training examples", "data", keep(1 / 4)),
    Trick("eighth_of_the_examples", "An eighth of the training examples", "data", keep(1 / 8)),
    label_noise(10, -2.4),
    label_noise(5, -1.3),
    label_noise(50, -12.4),
    label_noise(15, -3.4),
)
