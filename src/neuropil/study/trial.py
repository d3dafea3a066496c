"""One training of a study: a setup with a seed, from its initial weights to its outcome."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, final

from neuropil.architectures.default_networks import LINEAR_PATH
from neuropil.runs.labels import labels_of, with_encoded_labels
from neuropil.runs.measure import answers_of
from neuropil.runs.recipes.linear_start import linear_model_of
from neuropil.runs.tasks import task_for
from neuropil.study.setups.passed_weights import pair_weights, pass_weights
from neuropil.study.setups.training_data import training_data
from neuropil.training.history import History
from neuropil.training.processes import working_alone
from neuropil.training.threads import use_threads

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from neuropil.core import Network
    from neuropil.datasets import Splits
    from neuropil.runs.recipes.linear_start import LinearModel
    from neuropil.runs.task import Task
    from neuropil.study.outcomes import Outcome
    from neuropil.study.setups.setup import Setup
    from neuropil.training.callbacks import Callback


class Trained(NamedTuple):
    """A trained network.

    Attributes:
        network: The network, in evaluation mode.
        task: The task, with what validation decides.
        history: The figures of the epochs, of a first training too.
    """

    network: Network
    task: Task[Any]
    history: History

    @property
    def seconds(self) -> float:
        """The seconds of training."""
        return sum(record["seconds"] for record in self.history)


@final
@dataclass(frozen=True)
class Trial:
    """Trainings of setups on the same data, paired by their seeds.

    Trainings with the same seed start from the same initial weights where the shapes allow, and
    see the data in the same order.

    Args:
        splits: The data.
        task: The task.
        baseline: The setup that all others are compared with.
        device: The device to train on.
        threads: The number of CPU threads.
    """

    splits: Splits
    task: Task[Any]
    baseline: Setup
    device: str = "cpu"
    threads: int = 1

    def train(
        self,
        setup: Setup,
        seed: int,
        checkpoints: Path | None = None,
        callbacks: tuple[Callback, ...] = (),
    ) -> Trained:
        """Train a setup, or finish its training from the latest checkpoint.

        Args:
            setup: The setup, whose network is not changed.
            seed: Seed of the weights, the order of the examples, dropout and augmentation.
            checkpoints: Folder of the checkpoints; None for none.
            callbacks: Callbacks of the training.

        Raises:
            NonFiniteError: If the loss becomes NaN or infinite.
        """
        splits = training_data(self.splits, setup, seed)
        start = self.start(setup, splits, seed, checkpoints, callbacks)
        network, task = start.network, start.task
        trainer = task.trainer(
            replace(setup.recipe, network=network),
            callbacks,
            seed=seed,
            device=self.device,
            threads=self.threads,
            checkpoints=None if checkpoints is None else checkpoints / "own",
            progress=False,
        )
        held_out = splits.validation
        with working_alone(), use_threads(self.threads):
            history = trainer.fit(
                with_encoded_labels(splits.train, task),
                None if held_out is None else with_encoded_labels(held_out, task),
                epochs=setup.recipe.epochs,
                batch_size=setup.recipe.batch_size,
                resume=checkpoints is not None,
            )
            network = network.cpu()
            if held_out is not None:
                task = task.settle(answers_of(network, held_out, task), labels_of(held_out))
        return Trained(network, task, continued(start.history, history))

    def start(
        self,
        setup: Setup,
        splits: Splits,
        seed: int,
        checkpoints: Path | None = None,
        callbacks: tuple[Callback, ...] = (),
    ) -> Trained:
        """Return the network of a setup with its initial weights.

        What is trained before it is trained here; else the history is empty.

        Args:
            setup: The setup, whose network is not changed.
            splits: The data that it trains on.
            seed: As for `train`.
            checkpoints: As for `train`.
            callbacks: As for `train`.
        """
        first = None
        if setup.first is not None:
            earlier = None if checkpoints is None else checkpoints / "first"
            first = self.train(setup.first, seed, earlier, callbacks)
        network = copy.deepcopy(setup.recipe.network)
        pair_weights(network, self.baseline.recipe.network, seed)
        # Crops of the things in the boxes have classes in place of boxes.
        task = task_for(splits.target) if setup.crops else self.task
        task = task.adapt_to(network)
        # The recipes that one is chosen from for a table were all tried from the linear model.
        if LINEAR_PATH in network.layers or setup.recipe.choice:
            self.start_linear(network, splits, task)
        if first is not None:
            pass_weights(first.network, network)
        return Trained(network, task, History() if first is None else first.history)

    def start_linear(self, network: Network, splits: Splits, task: Task[Any]) -> None:
        """Start the network of a table from the linear model of its training examples."""
        own = splits.train is self.splits.train
        model = self.linear_model if own else linear_model_of(splits.train, task)
        model.start(network)

    @cached_property
    def linear_model(self) -> LinearModel:
        """The linear model of all training examples: fitting it can take longer than a run."""
        return linear_model_of(self.splits.train, self.task)

    def measure(
        self, setup: Setup, seed: int, outcome: Outcome, trained: Trained
    ) -> NDArray[np.float64]:
        """Return the values of an outcome of a training; see `Outcome.values`.

        Args:
            setup: The setup.
            seed: The seed.
            outcome: The outcome.
            trained: The result of `train`.
        """
        splits = training_data(self.splits, setup, seed)
        with use_threads(self.threads):
            return outcome.values(trained.network, trained.task, splits, trained.history)


def continued(first: History, second: History) -> History:
    """Return the history of two trainings, one after the other: steps and epochs go on."""
    if not first:
        return second
    before = {name: first[-1][name] for name in ("epoch", "steps")}
    later = (
        record | {name: record[name] + count for name, count in before.items()}
        for record in second
    )
    return History([*first, *later])
