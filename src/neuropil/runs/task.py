"""Base class of tasks: what a network predicts, with its loss, answers and metrics."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, Self, TypeVar

import torch

from neuropil import optim
from neuropil.architectures import dense, small_convolutional, varied_convolutional
from neuropil.core.shape import format_shapes
from neuropil.datasets.augmentation.base import PictureStep
from neuropil.datasets.augmentation.chain import Compose
from neuropil.datasets.target import Target
from neuropil.runs.named_architecture import architecture
from neuropil.training.callbacks import BestWeights, EarlyStopping
from neuropil.training.losses import losses
from neuropil.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from torch import Tensor

    from neuropil.core import Layer, Network
    from neuropil.core.loss_kinds import Takes
    from neuropil.core.shape import Shape
    from neuropil.datasets import PredictionInputs, Splits
    from neuropil.runs.exporting.own_operator import OwnOperator
    from neuropil.runs.recipes.recipe import Recipe
    from neuropil.training.callbacks import Callback
    from neuropil.training.losses.base import Loss
    from neuropil.training.metrics.base import Metric

Figures = dict[str, float | None]
Labels = TypeVar("Labels", bound=Target)


class Mistake(NamedTuple):
    """An example that a network predicts wrong.

    Attributes:
        example: Its index.
        kind: The kind of mistake, in words.
        size: The size of the mistake, comparable within a task.
    """

    example: int
    kind: str
    size: float


class Task(ABC, Generic[Labels]):
    """Base class of tasks: what a network predicts, with its loss, answers and metrics.

    A subclass is a frozen dataclass whose first field is `target`. Its other fields are plain
    data, which a run stores. Outputs come from the network, with the examples along axis 0.
    Targets, as the loss and the metrics take them, come from `encode`. Answers come from
    `decode`, as one tensor for all examples.

    Attributes:
        name: Its name in `TASKS`, on the command line and in ``run.json``.
        takes: The outputs that the loss, the metrics and `decode` take: the "scores" of the
            network, before a last Softmax or Sigmoid, or its "values".
        losses: Names of the losses that a user may choose from, the default first.
        asks: The predicted quantity in the plural, such as "classes".
        answers: The kind of answers, which is their name in an exported file.
        decision: What the largest of the `decisions` is, such as the "class": the name of its
            number in an exported file. Empty for answers that need no decision.
        weighs_classes: Whether the loss can weight the examples by their class.
        needs_mask: Whether a network for padded pictures must take their mask.
        target: The description of the labels.
    """

    name: ClassVar[str]
    takes: ClassVar[Takes]
    losses: ClassVar[tuple[str, ...]] = ()
    asks: ClassVar[str]
    answers: ClassVar[str]
    decision: ClassVar[str] = ""
    weighs_classes: ClassVar[bool] = False
    needs_mask: ClassVar[bool] = True
    target: Labels
    loss_name: str

    # The network and how it is trained

    @property
    def outputs(self) -> int:
        """Number of outputs of the network for one example."""
        return self.target.outputs

    @abstractmethod
    def last_layer(self) -> Layer:
        """Return the last layer of a network for this task."""

    def network(
        self,
        input_shape: Shape,
        *,
        masked: bool = False,
        mixed: bool = True,
        steady: bool = False,
    ) -> Network:
        """Return the default network: convolutional for pictures, dense for all else.

        Args:
            input_shape: Shape of one example; None for a size that varies.
            masked: Whether pictures are padded, and come with a mask.
            mixed: Whether batches of pictures of like sizes mix the targets.
            steady: Whether pictures of one size get a network without dropout, which would
                change the loss function at each step.
        """
        if len(input_shape) == 3 and None in input_shape:
            last = self.last_layer()
            return varied_convolutional(input_shape, last, masked=masked, mixed=mixed)
        if len(input_shape) == 3:
            options = {"dropout": 0.0} if steady else {}
            return small_convolutional(input_shape, self.last_layer(), **options)
        return dense(input_shape, self.last_layer(), dropout=0.1, linear_path=True)

    def named_network(self, name: str, input_shape: Shape) -> Network:
        """Return a public architecture for this task; by default it ends in the last layer.

        Args:
            name: Name of the architecture.
            input_shape: Shape of one example; None for a size that varies.

        Raises:
            ValueError: If it does not fit this task.
        """
        return architecture(name, input_shape, self.last_layer())

    def published_part(self, network: Network, name: str | None) -> tuple[Network, str | None]:
        """Return the part of a network that has published weights; by default all of it.

        Args:
            network: The network.
            name: The name that the user gave for it, if any.

        Returns:
            The part, and the name of its architecture.
        """
        return network, name

    def adapt_recipe(self, made: Recipe, splits: Splits) -> Recipe:  # noqa: ARG002 - for tasks with their own
        """Return the default recipe for the data as it suits this task; by default unchanged.

        Args:
            made: The default recipe, with its network.
            splits: The data.
        """
        return made

    def adapt_to_weights(self) -> Self:
        """Return the task for a network that starts from published weights."""
        return self

    def parameters(self, network: Network, lr: float | None) -> Iterable[Any]:  # noqa: ARG002 - for tasks with several rates
        """Return the parameters to train, or groups of them with options of their own.

        Args:
            network: The network.
            lr: The learning rate; None if the optimiser has none.
        """
        return network.parameters()

    def check(self, network: Network) -> None:
        """Check that the outputs of a network fit this task.

        Args:
            network: The built network.

        Raises:
            ValueError: If they do not; the message says what would fit.
        """
        gives = tuple(shape or () for shape in network.output_shapes)
        if len(gives) != 1 or gives[0] != (self.outputs,):
            flat = "" if len(gives[0]) == 1 else "Flatten() >> "
            raise ValueError(
                f"the network gives {format_shapes(gives)}, the data has {self.target.outputs} "
                f"{self.asks}: end it with {flat}{self.last_layer()!r}."
            )

    def adapt_to_labels(self, labels: Tensor) -> Self:  # noqa: ARG002 - for tasks with rare classes
        """Return the task with what the training labels decide; by default unchanged.

        Args:
            labels: The labels of the training examples.
        """
        return self

    def adapt_to(self, network: Network) -> Self:
        """Check a network and return the task with the loss that fits it."""
        self.check(network)
        return self

    def notes(self) -> list[str]:
        """Return notes for the user on what the training labels decided."""
        return []

    def with_loss(self, name: str) -> Self:
        """Return the task with another loss.

        Args:
            name: Its name.

        Raises:
            ValueError: If it does not fit this task.
        """
        if name == self.loss.name:
            return self
        known: Any = {"loss_name": losses.by_name(name).name}
        if known["loss_name"] not in self.losses:
            right = f"use {' or '.join(self.losses[:2])}" if self.losses else "leave it out"
            raise ValueError(f"--loss {name} is not for {self.name}: {right}.")
        own: Any = self
        return replace(own, **known)

    @property
    def loss(self) -> Loss:
        """The loss to minimise: ``loss(outputs, targets)``, one value per example."""
        return losses.by_name(self.loss_name)

    def encode(self, targets: Tensor) -> Tensor:
        """Return labels as the loss and the metrics take them; by default unchanged."""
        return targets

    def restore(self, targets: Tensor) -> Tensor:
        """Return the labels from encoded targets, the inverse of `encode`."""
        return targets

    def move(self, targets: Tensor, matrix: Tensor, size: tuple[int, int]) -> Tensor:
        """Return encoded targets after a change of their pictures.

        Args:
            targets: Result of `encode`.
            matrix: ``(N, 2, 3)``, from old to new picture coordinates.
            size: Height and width of the new picture.
        """
        return self.encode(self.target.move(self.restore(targets), matrix, size))

    def bind(self, augment: Callable[..., Any] | None) -> Callable[..., Any] | None:
        """Return an augmentation that moves the targets along, if they have a place.

        Args:
            augment: The augmentation, or None.
        """
        if type(self.target).move is not Target.move and isinstance(
            augment, PictureStep | Compose
        ):
            return augment.bind(self.move)
        return augment

    def trainer(
        self, recipe: Recipe, callbacks: Sequence[Callback] = (), **options: Any
    ) -> Trainer:
        """Return the trainer for a recipe.

        Args:
            recipe: The network with the settings of its training.
            callbacks: Further callbacks.
            **options: Further options of `Trainer`.
        """
        optimizer = optim.by_name(recipe.optimizer)
        own = {"lr": recipe.lr, "weight_decay": recipe.weight_decay}
        own = {name: value for name, value in own.items() if value is not None}
        stops: list[Callback] = [BestWeights()] if recipe.keep_best else []
        if recipe.patience is not None:
            stops.append(EarlyStopping(recipe.patience))
        return Trainer(
            recipe.network,
            loss=self.loss,
            optimizer=lambda _: optimizer(self.parameters(recipe.network, recipe.lr), **own),
            metrics=self.metrics()[:1],
            callbacks=[*stops, *callbacks],
            schedule=recipe.schedule,
            augment=self.bind(recipe.augment),
            ema=recipe.ema,
            **options,
        )

    # Answers and figures

    @abstractmethod
    def decode(self, outputs: Tensor) -> Tensor:
        """Return the answers, which are predicted, measured and exported, using only torch.

        Args:
            outputs: The outputs of the network.
        """

    def join(self, answers: Sequence[Tensor]) -> Tensor:
        """Return the answers of several batches as one tensor.

        Args:
            answers: Results of `decode`, at least one.
        """
        return torch.cat(list(answers))

    def chosen(self, answers: Tensor) -> Tensor:
        """Return the answers that are predicted and exported; by default all of them.

        Args:
            answers: The answers of `decode`, which the metrics measure.
        """
        return answers

    def place(self, answers: Tensor, given: PredictionInputs) -> Tensor:  # noqa: ARG002 - for answers that have a place
        """Return answers in the coordinates of the files; by default unchanged.

        Args:
            answers: The answers for some examples.
            given: The examples, as they were read from files.
        """
        return answers

    def decisions(self, answers: Tensor) -> Tensor:
        """Return the answers as the metrics compare them with labels; by default unchanged.

        Args:
            answers: The answers of `decode`.
        """
        return answers

    @abstractmethod
    def metrics(self) -> tuple[Metric, ...]:
        """Return the metrics, which decode outputs themselves; the first is the headline."""

    def main_metric(self) -> Metric:
        """Return the metric that is easiest to judge: by default the headline."""
        return self.metrics()[0]

    def settle(self, answers: Tensor, targets: Tensor) -> Self:  # noqa: ARG002 - for tasks with thresholds
        """Return the task with parameters that validation sets, such as thresholds.

        A task without such parameters returns itself.

        Args:
            answers: The answers for the validation examples.
            targets: Their labels.
        """
        return self

    def advice(self, answers: Tensor, targets: Tensor) -> list[str]:  # noqa: ARG002 - for tasks with some
        """Return sentences about how to make fewer mistakes of the kind that was found.

        Args:
            answers: The answers of `decode`.
            targets: The labels.
        """
        return []

    @abstractmethod
    def mistakes(self, answers: Tensor, targets: Tensor) -> list[Mistake]:
        """Return the examples that are predicted wrong, worst first.

        Args:
            answers: The answers of `decode`.
            targets: The labels.
        """

    # In words

    @abstractmethod
    def goal(self) -> str:
        """Return a description of the predicted quantity."""

    @abstractmethod
    def verdict(self, figures: Figures, targets: Tensor, examples: str) -> str:
        """Return the most important metric as a sentence.

        Args:
            figures: The metrics on some examples.
            targets: Their labels.
            examples: A description of the examples, such as "600 test examples".
        """

    @abstractmethod
    def rows(self, answers: Tensor, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield each answer as plain data.

        Args:
            answers: The answers of `decode`.
            names: Names of the examples.
        """

    def records(self, answers: Tensor, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield the records of a ``.json`` file of predictions; by default those of `rows`.

        Args:
            answers: The answers of `decode`.
            names: Names of the examples.
        """
        return self.rows(answers, names)

    @abstractmethod
    def columns(
        self, answers: Tensor, figures: Mapping[str, Figures]
    ) -> dict[str, list[str] | list[float]]:
        """Return the answers as columns of a table, by title: words or numbers.

        Args:
            answers: The answers of `decode`.
            figures: The metrics of the network by part.
        """

    def lines(self, answers: Tensor) -> Sequence[int]:
        """Return the example of each line of `columns`; by default each has one line.

        Args:
            answers: The answers of `decode`.
        """
        return range(len(answers))

    @abstractmethod
    def sentence(self, answer: Tensor, figures: Mapping[str, Figures], top: int) -> str:
        """Return one answer as text for people.

        Args:
            answer: One of the answers of `decode`.
            figures: The metrics of the network by part.
            top: Number of classes to name, if the answer is a class.
        """

    # In files

    def facts(self) -> dict[str, Any]:
        """Return facts that explain the answers in an exported file, as plain data."""
        return {}

    def own_operators(self) -> Sequence[OwnOperator]:
        """Return the operators of this library that `decode` uses, for exported files."""
        return ()

    def to_json(self) -> dict[str, Any]:
        """Return all fields but the target as plain data."""
        own: Any = self
        plain = {each.name: getattr(self, each.name) for each in fields(own)}
        return {"name": self.name} | {k: v for k, v in plain.items() if k != "target"}
