"""What is asked of a network: labels, loss, answers and figures, joined in one object."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, Self, TypeVar

from neuropil import optim
from neuropil.architectures import dense, small_convolutional
from neuropil.core.shape import format_shapes
from neuropil.datasets.target import Target
from neuropil.training.callbacks import BestWeights
from neuropil.training.losses import losses
from neuropil.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor

    from neuropil.core import Layer, Network
    from neuropil.core.loss_kinds import Takes
    from neuropil.runs.recipe import Recipe
    from neuropil.training.callbacks import Callback
    from neuropil.training.losses.base import Loss
    from neuropil.training.metrics.base import Metric

Figures = dict[str, float | None]
Labels = TypeVar("Labels", bound=Target)


class Mistake(NamedTuple):
    """An example that a network got wrong.

    Attributes:
        example: Its number.
        kind: What is wrong, in words.
        size: How bad it is: comparable within a task.
    """

    example: int
    kind: str
    size: float


class Task(ABC, Generic[Labels]):
    """What is asked of a network: labels, loss, answers and figures, joined in one object.

    A subclass is a frozen dataclass whose first field is `target`, and whose others are plain:
    a run keeps them. Outputs are what the network gives, with the examples along axis 0;
    targets, to the loss and the metrics, are what `encode` gives; answers are what `decode`
    gives, one tensor for all examples.

    Attributes:
        name: Its name, in `TASKS`, on the command line and in ``run.json``.
        takes: Which outputs the loss, the metrics and `decode` take: the network's "scores",
            before a last Softmax or Sigmoid, or the "values" that it gives.
        losses: Names of the losses that a user may choose from, the usual one first.
        asks: What it predicts, in the plural: "classes".
        target: What the labels are.
    """

    name: ClassVar[str]
    takes: ClassVar[Takes]
    losses: ClassVar[tuple[str, ...]] = ()
    asks: ClassVar[str]
    target: Labels

    # The network and how it is trained

    @property
    def outputs(self) -> int:
        """How many numbers the network gives for one example."""
        return self.target.outputs

    @abstractmethod
    def last_layer(self) -> Layer:
        """Return the layer that answers."""

    def network(self, input_shape: tuple[int, ...]) -> Network:
        """Return the default network: a convolutional one for pictures, else a dense one.

        Args:
            input_shape: Shape of one example.
        """
        if len(input_shape) == 3:
            return small_convolutional(input_shape, self.last_layer())
        return dense(input_shape, self.last_layer(), dropout=0.1)

    def check(self, network: Network) -> None:
        """Refuse a network that does not give what this task takes.

        Args:
            network: The network, built.

        Raises:
            ValueError: With what would fit.
        """
        gives = tuple(shape or () for shape in network.output_shapes)
        if len(gives) != 1 or gives[0] != (self.outputs,):
            flat = "" if len(gives[0]) == 1 else "Flatten() >> "
            raise ValueError(
                f"the network gives {format_shapes(gives)}, the data has {self.target.outputs} "
                f"{self.asks}: end it with {flat}{self.last_layer()!r}."
            )

    def adapted(self, network: Network) -> Self:
        """Return the task as this network answers it, once it is checked."""
        self.check(network)
        return self

    def with_loss(self, name: str) -> Self:
        """Return the task with another loss.

        Args:
            name: Its name.

        Raises:
            ValueError: When it is not for this task.
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
    @abstractmethod
    def loss(self) -> Loss:
        """What the `Trainer` minimises: ``loss(outputs, targets)``, one value an example."""

    def encode(self, targets: Tensor) -> Tensor:
        """Return labels as the loss and the metrics take them; by default as they are."""
        return targets

    def restore(self, targets: Tensor) -> Tensor:
        """Return the labels that `encode` was given."""
        return targets

    def trainer(
        self, recipe: Recipe, callbacks: Sequence[Callback] = (), **options: Any
    ) -> Trainer:
        """Return the trainer that carries a recipe out.

        Args:
            recipe: The network and how it is trained.
            callbacks: What else runs beside it.
            **options: Further options of `Trainer`.
        """
        optimizer = optim.by_name(recipe.optimizer)
        own = {"lr": recipe.lr, "weight_decay": recipe.weight_decay}
        own = {name: value for name, value in own.items() if value is not None}
        return Trainer(
            recipe.network,
            loss=self.loss,
            optimizer=lambda params: optimizer(params, **own),
            metrics=self.metrics()[:1],
            callbacks=[*([BestWeights()] if recipe.keep_best else ()), *callbacks],
            schedule=recipe.schedule,
            augment=recipe.augment,
            ema=recipe.ema,
            **options,
        )

    # Answers and figures

    @abstractmethod
    def decode(self, outputs: Tensor) -> Tensor:
        """Return the answers: what is predicted, measured and exported, by torch alone.

        Args:
            outputs: What the network gives.
        """

    @abstractmethod
    def metrics(self) -> tuple[Metric, ...]:
        """Return the figures of merit, which decode outputs; the first is the headline."""

    def settle(self, answers: Tensor, targets: Tensor) -> Self:  # noqa: ARG002 - for tasks with thresholds
        """Return the task with what validation decides, such as thresholds; by default itself.

        Args:
            answers: Those to the validation examples.
            targets: Their labels.
        """
        return self

    @abstractmethod
    def mistakes(self, answers: Tensor, targets: Tensor) -> list[Mistake]:
        """Return the examples that are answered wrong, the worst first.

        Args:
            answers: What `decode` gave.
            targets: The labels.
        """

    # In words

    @abstractmethod
    def goal(self) -> str:
        """Return what is to be predicted, in words."""

    @abstractmethod
    def verdict(self, figures: Figures, targets: Tensor, examples: str) -> str:
        """Return the one figure that matters as a sentence.

        Args:
            figures: The figures of some examples.
            targets: Their labels.
            examples: What they are: "600 test examples".
        """

    @abstractmethod
    def rows(self, answers: Tensor, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield each answer as plain data.

        Args:
            answers: What `decode` gave.
            names: What the examples are called.
        """

    @abstractmethod
    def columns(self, answers: Tensor, figures: Mapping[str, Figures]) -> dict[str, list[str]]:
        """Return the columns that the answers add to a table, by their titles.

        Args:
            answers: What `decode` gave.
            figures: How good the network is, by part.
        """

    @abstractmethod
    def sentence(self, answer: Tensor, figures: Mapping[str, Figures], top: int) -> str:
        """Return one answer for people.

        Args:
            answer: One of those that `decode` gave.
            figures: How good the network is, by part.
            top: How many possibilities to name, where there are several.
        """

    # In run.json

    def to_json(self) -> dict[str, Any]:
        """Return everything but the target as plain data."""
        own: Any = self
        plain = {each.name: getattr(self, each.name) for each in fields(own)}
        return {"name": self.name} | {k: v for k, v in plain.items() if k != "target"}
