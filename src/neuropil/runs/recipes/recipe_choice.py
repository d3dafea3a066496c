"""The choice of a recipe for a table, by trials on held-out rows."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor

from neuropil.architectures import dense
from neuropil.datasets import Dataset
from neuropil.runs.measure import outputs_of
from neuropil.runs.recipes.linear_start import fit_linear
from neuropil.text import number_of
from neuropil.training.losses.weighted_loss import class_weights, example_weights
from neuropil.training.nonfinite import NonFiniteError
from neuropil.training.processes import working_alone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from neuropil.core import Network
    from neuropil.datasets import Splits
    from neuropil.runs.recipes.recipe import Recipe
    from neuropil.runs.task import Task

# Number of parts into which the rows for training and validation are divided.
FOLDS = 5
# Maximum number of steps of all trials, except that each recipe has one trial: seconds.
TRIAL_STEPS = 5_000
# With more rows the full schedule hardly overfits, and trials would take minutes.
MOST_ROWS = 100_000
# A recipe is not tried further if it is worse by this many standard errors.
HOPELESS = 2.0
# Share of the hidden units dropped, and weight decay, with strong regularisation.
DROPOUT, DECAY = 0.5, 1.0
# The short schedule is this part of the full one.
SHORT = 10
# A linear model starts at its solution: one careful epoch is enough.
LINEAR = {"epochs": 1, "lr": 1e-4, "weight_decay": 0.0}


@final
@dataclass(eq=False)
class Candidate:
    """A recipe that may be chosen.

    Args:
        words: The difference from the others, for the user.
        recipe: The recipe.
        errors: Its errors on the held-out rows so far, in one tensor per trial.
    """

    words: str
    recipe: Recipe
    errors: list[Tensor] = field(default_factory=list)

    @property
    def mean(self) -> float:
        """The mean error of the held-out rows so far; NaN counts as infinite."""
        return float(torch.cat(self.errors).mean().nan_to_num(math.inf))

    def differences(self, other: Candidate) -> Tensor:
        """Return the differences to the errors of another one, on the rows of both."""
        both = zip(self.errors, other.errors, strict=False)
        return torch.cat([own - others for own, others in both])

    def excess(self, other: Candidate) -> float:
        """Return the mean difference to another one in standard errors."""
        differences = self.differences(other)
        error = float(differences.std()) / math.sqrt(len(differences))
        excess = float(differences.mean()) / max(error, 1e-12)
        return math.inf if math.isnan(excess) else excess


def candidates(made: Recipe, splits: Splits, task: Task[Any]) -> list[Candidate]:
    """Return the recipes to try for a table, the simplest first.

    They are the linear model, a short schedule with strong dropout and weight decay, and the
    full schedule with strong and with weak weight decay.

    Args:
        made: The recipe with the full schedule and weak weight decay.
        splits: The data.
        task: The task of the network.
    """
    shape, last = splits.input_shape, task.last_layer()
    # Trials measure the last weights, which are the best ones of a schedule that ends slowly.
    made = replace(made, keep_best=False)
    strong = replace(made, weight_decay=DECAY)
    short = replace(
        strong,
        network=dense(shape, last, dropout=DROPOUT, linear_path=True),
        epochs=max(1, made.epochs // SHORT),
    )
    linear = replace(made, network=dense(shape, last, hidden=()), **LINEAR)
    epochs = number_of(made.epochs, "epoch")
    return [
        Candidate("linear model", linear),
        Candidate(f"{number_of(short.epochs, 'epoch')} with dropout {DROPOUT}", short),
        Candidate(f"{epochs} with weight decay {DECAY:g}", strong),
        Candidate(f"{epochs} with weight decay {made.weight_decay:g}", made),
    ]


def choose(
    tried: Sequence[Candidate],
    splits: Splits,
    task: Task[Any],
    *,
    seed: int,
    penalty: float,
    class_weight: Any = None,
    grouped: bool = False,
) -> Recipe:
    """Return the best of several recipes, after trials on held-out rows.

    The rows for training and validation are divided into five parts. Each recipe is trained on
    four of them and measured on the fifth, part after part, until only one is left or
    `TRIAL_STEPS` are done. Recipes that are clearly worse than the best one are dropped early.
    The simplest is chosen if it is within one standard error of the best.

    Args:
        tried: The recipes, the simplest first.
        splits: The data.
        task: The task of the network.
        seed: Seed of the division, the weights and the training.
        penalty: The penalty of the linear model that the networks start from.
        class_weight: Class weights, as for `Trainer`.
        grouped: Whether rows belong together, by a group or in time: then the validation part
            is the only held-out one.

    Reference:
        The racing algorithm of Maron and Moore, "Model selection for lazy learners", 1997.
    """
    alive, best, steps = list(tried), tried[0], 0
    for train, held_out in divisions(splits, seed, grouped=grouped):
        cost = sum(steps_of(one.recipe, len(train)) for one in alive)
        if steps and steps + cost > TRIAL_STEPS:
            break
        trial = Trial(task, train, seed, class_weight, penalty)
        steps += cost
        for one in alive:
            one.errors.append(trial.errors(one.recipe, held_out))
        best = min(alive, key=lambda one: one.mean)
        alive = [one for one in alive if one is best or one.excess(best) <= HOPELESS]
        if len(alive) == 1:
            break
    simplest = alive[0]
    if simplest is tried[0] and simplest is not best and simplest.excess(best) <= 1:
        best = simplest
    return replace(best.recipe, choice=describe(best, tried))


def describe(best: Candidate, tried: Sequence[Candidate]) -> str:
    """Return the choice and its reason in words."""
    # Recipes that were dropped early are compared on the rows that they share with it.
    means = [best.mean + float(one.differences(best).mean()) for one in tried]
    found = ", ".join(f"{one.words} {mean:.4g}" for one, mean in zip(tried, means, strict=True))
    why = "lowest error" if best.mean <= min(means) else "simplest within one standard error"
    rows = sum(map(len, best.errors))
    return f"{best.words}: {why} of {len(tried)} tried on {rows:,} held-out rows ({found})"


def divisions(splits: Splits, seed: int, *, grouped: bool) -> Iterator[tuple[Dataset, Dataset]]:
    """Yield pairs of rows to train on and held-out rows."""
    parts = [splits.train, *([] if splits.validation is None else [splits.validation])]
    if grouped and len(parts) > 1:
        yield dataset(*parts[:1]), dataset(*parts[1:])
        return
    rows = dataset(*parts)
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))
    for fold in range(min(FOLDS, len(rows))):
        held_out = torch.zeros(len(rows), dtype=torch.bool)
        held_out[fold::FOLDS] = True
        yield rows[order[~held_out]], rows[order[held_out]]


def dataset(*parts: Any) -> Dataset:
    """Return examples in memory as one data set."""
    return Dataset(*(torch.cat([getattr(p, n) for p in parts]) for n in ("inputs", "targets")))


def encoded(rows: Dataset, task: Task[Any]) -> Tensor:
    """Return the targets of rows as the loss takes them."""
    targets: Any = rows.targets
    return task.encode(targets)


def steps_of(made: Recipe, rows: int) -> int:
    """Return the number of steps of a training."""
    return made.epochs * max(1, rows // made.batch_size)


@final
class Trial:
    """Trainings of recipes on the same rows.

    Args:
        task: The task of the networks.
        train: The rows.
        seed: Seed of the weights and the training.
        class_weight: Class weights, as for `Trainer`.
        penalty: The penalty of the linear model that the networks start from.
    """

    def __init__(
        self,
        task: Task[Any],
        train: Dataset,
        seed: int,
        class_weight: Any,
        penalty: float,
    ) -> None:
        self.task = task
        self.inputs, self.targets = train.inputs, encoded(train, task)
        self.seed = seed
        self.weights = class_weights(class_weight, self.targets, task.outputs)
        self.linear = fit_linear(
            self.inputs, self.targets, task, penalty=penalty, class_weight=self.weights
        )

    def errors(self, made: Recipe, held_out: Dataset) -> Tensor:
        """Train a recipe and return the error of each held-out row.

        For classes it is the squared error of the probabilities (the Brier score), which few
        confident mistakes do not dominate as they do the cross entropy; for numbers it is the
        loss.
        """
        task = self.task
        try:
            network = self.train(replace(made, network=copy.deepcopy(made.network)))
        except NonFiniteError:
            return torch.full((len(held_out),), torch.inf, dtype=torch.float64)
        outputs = outputs_of(network, held_out.fetch(range(len(held_out))), task)
        wanted = encoded(held_out, task)
        if task.takes == "scores":
            answers = task.decode(outputs)
            classes = torch.nn.functional.one_hot(wanted, answers.shape[1])
            values = (answers - classes).square().sum(1)
        else:
            values = task.loss(outputs, task.loss.prepare(wanted, outputs[:2]))
        if self.weights is not None:
            values = values * example_weights(self.weights, outputs, wanted)
        return values.double()

    def train(self, made: Recipe) -> Network:
        """Train the network of a recipe."""
        made.network.reset_parameters(torch.Generator().manual_seed(self.seed))
        self.linear.start(made.network)
        weights = None if self.weights is None else self.weights.tolist()
        with working_alone():
            trainer = self.task.trainer(
                made, seed=self.seed, class_weight=weights, device="cpu", progress=False
            )
            trainer.fit(
                (self.inputs, self.targets), epochs=made.epochs, batch_size=made.batch_size
            )
        return made.network
