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
TRIAL_STEPS = 7_000
# With more rows the full schedule hardly overfits, and trials would take minutes.
MOST_ROWS = 100_000
# A recipe is not tried further if it is worse by this many standard errors.
HOPELESS = 3.0
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
        epochs: Number of epochs of a trial.
        errors: Its errors on the held-out rows so far, in one tensor per trial.
    """

    words: str
    recipe: Recipe
    epochs: int
    errors: list[Tensor] = field(default_factory=list)

    @property
    def mean(self) -> float:
        """The mean error of the held-out rows so far; NaN counts as infinite."""
        return float(torch.cat(self.errors).mean().nan_to_num(math.inf))

    def steps(self, rows: int) -> int:
        """Return the number of steps of a trial."""
        return self.epochs * max(1, rows // self.recipe.batch_size)

    def differences(self, other: Candidate) -> Tensor:
        """Return the differences to the errors of another one, on the rows of both."""
        both = zip(self.errors, other.errors, strict=False)
        return torch.cat([own - others for own, others in both])

    def excess(self, other: Candidate) -> float:
        """Return the mean difference to another one in standard errors, 0 for a single row."""
        differences = self.differences(other)
        if len(differences) < 2:
            return 0.0
        error = float(differences.std()) / math.sqrt(len(differences))
        excess = float(differences.mean()) / max(error, 1e-12)
        return math.inf if math.isnan(excess) else excess


def candidates(made: Recipe, splits: Splits, task: Task[Any]) -> list[Candidate]:
    """Return the recipes to try for a table, the simplest first.

    They are the linear model, a short schedule with strong dropout and weight decay, and the
    full schedule, which has half its epochs in a trial: with strong dropout and no linear path,
    with strong, and with weak weight decay.

    Args:
        made: The recipe with the full schedule and weak weight decay.
        splits: The data.
        task: The task of the network.
    """
    shape = splits.input_shape
    # Trials measure the last weights, which are the best ones of a schedule that ends slowly.
    made = replace(made, keep_best=False)
    strong = replace(made, weight_decay=DECAY)
    short = replace(
        strong,
        network=dense(shape, task.last_layer(), dropout=DROPOUT, linear_path=True),
        epochs=max(1, made.epochs // SHORT),
    )
    linear = replace(made, network=dense(shape, task.last_layer(), hidden=()), **LINEAR)
    hidden = replace(strong, network=dense(shape, task.last_layer(), dropout=DROPOUT))
    full, half = number_of(made.epochs, "epoch"), max(1, made.epochs // 2)
    few = number_of(short.epochs, "epoch")
    return [
        Candidate("linear model", linear, linear.epochs),
        Candidate(f"{few} with dropout {DROPOUT}", short, short.epochs),
        Candidate(f"{full} with dropout {DROPOUT} and no linear path", hidden, half),
        Candidate(f"{full} with weight decay {DECAY:g}", strong, half),
        Candidate(f"{full} with weight decay {made.weight_decay:g}", made, half),
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
    four of them and measured on the fifth, part after part. Recipes that are clearly worse than
    the best one are dropped, and the worst ones when `TRIAL_STEPS` would be exceeded. The first
    recipe is chosen if it is within one standard error of the best.

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
    alive, steps = list(tried), 0
    for train, held_out in divisions(splits, seed, grouped=grouped):
        rivals = affordable(alive, len(train), TRIAL_STEPS - steps) if steps else alive
        if len(rivals) == 1:
            break
        alive, trial = rivals, Trial(task, train, seed, class_weight, penalty)
        for one in alive:
            one.errors.append(trial.errors(replace(one.recipe, epochs=one.epochs), held_out))
            steps += one.steps(len(train))
        best = min(alive, key=lambda one: one.mean)
        alive = [one for one in alive if one is best or one.excess(best) <= HOPELESS]
    best = min(alive, key=lambda one: one.mean)
    if tried[0] in alive and tried[0].excess(best) <= 1:
        best = tried[0]
    return replace(best.recipe, choice=describe(best, tried))


def affordable(alive: Sequence[Candidate], rows: int, steps: int) -> list[Candidate]:
    """Return the recipes without the worst ones, so that a trial of all takes few steps.

    The first one always stays, since the others must prove to be better.
    """
    first, *others = alive
    others.sort(key=lambda one: one.mean)
    while others and sum(one.steps(rows) for one in (first, *others)) > steps:
        others.pop()
    return [one for one in alive if one is first or one in others]


def describe(best: Candidate, tried: Sequence[Candidate]) -> str:
    """Return the choice and its reason in words."""
    # Recipes that were dropped early are compared on the rows that they share with it.
    means = [best.mean + float(one.differences(best).mean()) for one in tried]
    found = ", ".join(
        f"{one.words}: {mean:.4g}" for one, mean in zip(tried, means, strict=True)
    )
    why = (
        "lowest error" if best.mean <= min(means) else "within one standard error of the lowest"
    )
    rows = number_of(sum(map(len, best.errors)), "row")
    return (
        f"{best.words}: {why}, {len(tried)} tried on {rows} left out of training, none of the "
        f"test part (mean errors: {found})"
    )


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
