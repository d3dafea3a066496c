"""Classification: one of several classes for each example."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.checks import number
from neuropil.datasets import Classes
from neuropil.layers import Softmax
from neuropil.runs.figures.baseline import is_misleading
from neuropil.runs.figures.confidence_interval import wilson_interval
from neuropil.runs.figures.decision_threshold import choose_threshold
from neuropil.runs.figures.decoded_metric import decoding_metric
from neuropil.runs.figures.rare_class import (
    positive_metrics,
    positive_verdict,
    ranking_metrics,
    rare_class,
)
from neuropil.runs.task import Figures, Mistake, Task
from neuropil.text import some_of
from neuropil.training.metrics import class_metrics

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from neuropil.core import Layer, Network
    from neuropil.core.loss_kinds import Takes
    from neuropil.training.metrics.base import Metric

# A class is missed if a smaller share of its examples is found.
HARDLY = 0.2
# The maximum number of classes listed by name.
MOST_NAMES = 10


@dataclass(frozen=True)
class Classification(Task[Classes]):
    """One of several classes for each example; answers are class probabilities.

    A network with a single output gives the score of the second of two classes.

    Of two classes, one with less than a tenth of the training examples is the *positive* class:
    accuracy says little then, so the average precision is the headline, and `settle` chooses a
    threshold for the probability of this class. Other classifications predict the most probable
    class.

    Shape:
        Outputs ``(N, K)`` or ``(N, 1)``, targets ``(N)``, answers ``(N, K)``.

    Args:
        target: The classes.
        loss_name: Name of the loss.
        positive: Name of the rare class of two that is to be found; None for no rare class.
        threshold: The positive class is predicted if its probability is above this; None is the
            most probable class.

    Raises:
        ValueError: If `positive` is not one of two classes, or `threshold` is given without it
            or is not between 0 and 1.

    Example:
        >>> import torch
        >>> task = Classification(Classes(["no", "yes"]))
        >>> task.decode(torch.tensor([[0.0, 0.0]])), task.decode(torch.tensor([[0.0]]))
        (tensor([[0.5000, 0.5000]]), tensor([[0.5000, 0.5000]]))
        >>> rare = Classification(Classes(["no", "yes"]), positive="yes", threshold=0.2)
        >>> rare.predicted(torch.tensor([[0.9, 0.1], [0.7, 0.3]]))
        tensor([0, 1])
    """

    name: ClassVar[str] = "classification"
    takes: ClassVar[Takes] = "scores"
    losses: ClassVar[tuple[str, ...]] = (
        "cross_entropy", "hinge", "kl_divergence", "binary_cross_entropy", "binary_hinge",
    )  # fmt: skip
    asks: ClassVar[str] = "classes"
    answers: ClassVar[str] = "probabilities"
    decision: ClassVar[str] = "class"
    weighs_classes: ClassVar[bool] = True

    target: Classes
    loss_name: str = "cross_entropy"
    positive: str | None = None
    threshold: float | None = None

    def __post_init__(self) -> None:
        names = self.target.classes
        if self.positive is not None and (len(names) != 2 or self.positive not in names):
            raise ValueError(f"{self.positive!r} is not one of two classes.")
        if self.threshold is not None and not (
            self.positive is not None and 0 < number(self.threshold, "threshold") < 1
        ):
            raise ValueError(f"there is no threshold {self.threshold!r}.")

    @override
    def last_layer(self) -> Layer:
        return Softmax(self.outputs)

    @override
    def check(self, network: Network) -> None:
        if not (self.has_single_score(network) and self.outputs == 2):
            super().check(network)

    @override
    def adapt_to_labels(self, labels: Tensor) -> Self:
        return replace(self, positive=rare_class(labels, self.target.classes))

    @property
    def sought(self) -> int:
        """The number of the class that curves are drawn for: the positive, else the second."""
        return 1 if self.positive is None else list(self.target.classes).index(self.positive)

    @override
    def adapt_to(self, network: Network) -> Self:
        self.check(network)
        single = self.has_single_score(network)
        return replace(self, loss_name="binary_cross_entropy") if single else self

    @staticmethod
    def has_single_score(network: Network) -> bool:
        """Tell whether a network has a single output, which is enough for two classes."""
        return network.output_shapes == ((1,),)

    @override
    def decode(self, outputs: Tensor) -> Tensor:
        scores = outputs.flatten(1).float()
        if scores.shape[1] == 1:  # σ(s) is the second of softmax(0, s)
            scores = torch.cat([torch.zeros_like(scores), scores], 1)
        return scores.softmax(1)

    @override
    def restore(self, targets: Tensor) -> Tensor:
        # Losses of a single score take the two classes as the numbers 0 and 1.
        single = targets.is_floating_point() and targets.numel() == len(targets)
        return (targets.flatten() > 0.5).long() if single else targets

    @override
    def decisions(self, answers: Tensor) -> Tensor:
        """Return scores of which the largest is that of the predicted class.

        Args:
            answers: The probabilities.
        """
        if self.threshold is None:
            return answers
        above = answers[:, self.sought] - self.threshold
        scores = [torch.zeros_like(above), above]
        return torch.stack(scores if self.sought == 1 else scores[::-1], dim=1)

    def predicted(self, answers: Tensor) -> Tensor:
        """Return the number of the predicted class of each example.

        Args:
            answers: The probabilities.
        """
        return self.decisions(answers).argmax(1)

    @override
    def settle(self, answers: Tensor, targets: Tensor) -> Self:
        if self.positive is None:
            return self
        found = choose_threshold(answers[:, self.sought], targets == self.sought)
        return replace(self, threshold=found)

    @override
    def metrics(self) -> tuple[Metric, ...]:
        accuracy, balanced, f1 = (
            decoding_metric(self, metric)
            for metric in (
                class_metrics.accuracy,
                class_metrics.balanced_accuracy,
                class_metrics.f1,
            )
        )
        if len(self.target.classes) != 2:
            return accuracy, balanced, f1
        if self.positive is None:
            return accuracy, balanced, f1, *ranking_metrics(self, self.sought)
        rare = (*ranking_metrics(self, self.sought), *positive_metrics(self, self.sought))
        return *rare, accuracy, balanced

    @override
    def advice(self, answers: Tensor, targets: Tensor) -> list[str]:
        """Return the advice to weight the classes, if hardly any of a rare one is found.

        A class is rare here if it has less than half of an equal share of the examples.
        """
        predicted, classes = self.predicted(answers), self.target.classes
        missed = [
            name
            for number, name in enumerate(classes)
            if 0 < int((targets == number).sum()) < len(targets) / (2 * len(classes))
            and float((predicted[targets == number] == number).double().mean()) < HARDLY
        ]
        if not missed:
            return []
        names = some_of(map(repr, missed), MOST_NAMES)
        weights = "--class-weight balanced gives rare classes more weight in the training"
        return [f"Hardly any example of {names} is found: {weights}."]

    @override
    def mistakes(self, answers: Tensor, targets: Tensor) -> list[Mistake]:
        """Return the misclassified examples, those with the highest confidence first."""
        predicted = self.predicted(answers)
        sure = answers.gather(1, predicted[:, None]).squeeze(1)
        wrong = (predicted != targets).nonzero().flatten()
        order = wrong[sure[wrong].argsort(descending=True, stable=True)].tolist()
        names = self.target.classes
        pairs = zip(targets.tolist(), predicted.tolist(), strict=True)
        kinds = [f"{names[true]} mistaken for {names[other]}" for true, other in pairs]
        return [Mistake(k, kinds[k], float(sure[k])) for k in order]

    @override
    def goal(self) -> str:
        names = self.target.classes
        of = f" of {self.target.name!r}" if self.target.name else ""
        shown = ", ".join(names[:MOST_NAMES]) + (", …" if len(names) > MOST_NAMES else "")
        rare = "" if self.positive is None else f", {self.positive!r} is rare"
        return f"{len(names)} classes{of} ({shown}){rare}"

    @override
    def verdict(self, figures: Figures, targets: Tensor, examples: str) -> str:
        if self.positive is not None:
            return positive_verdict(self.positive, self.threshold, figures, examples)
        accuracy, balanced = figures["accuracy"] or 0.0, figures["balanced_accuracy"]
        usual = float(targets.flatten().bincount().max()) / targets.numel()
        low, _ = wilson_interval(round(accuracy * len(targets)), len(targets))
        if balanced is None or not is_misleading(accuracy, low, balanced, usual):
            return f"{accuracy:.1%} of the {examples} classified correctly"
        return (
            f"balanced accuracy {balanced:.1%} on the {examples}; {accuracy:.1%} are "
            f"classified correctly, but always answering the most frequent class gives "
            f"{usual:.1%}"
        )

    @override
    def rows(self, answers: Tensor, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        classes = self.target.classes
        predicted = self.predicted(answers).tolist()
        for name, answer, best in zip(names, answers.tolist(), predicted, strict=True):
            yield {
                "name": name,
                "class": classes[best],
                "probabilities": dict(zip(classes, answer, strict=True)),
            }

    @override
    def columns(
        self, answers: Tensor, figures: Mapping[str, Figures]
    ) -> dict[str, list[str] | list[float]]:
        names = list(self.target.classes)
        predicted = self.predicted(answers)
        columns: dict[str, list[str] | list[float]] = {
            f"predicted {self.target.name or 'class'}": [names[k] for k in predicted.tolist()],
            "probability": rounded(answers.gather(1, predicted[:, None]).squeeze(1)),
        }
        for name, shares in zip(names, answers.T, strict=True):
            columns[f"probability of {name}"] = rounded(shares)
        return columns

    @override
    def sentence(self, answer: Tensor, figures: Mapping[str, Figures], top: int) -> str:
        # A stable sort names the first of equally probable classes, as everywhere else.
        order = self.decisions(answer[None])[0].argsort(descending=True, stable=True)
        names = self.target.classes
        return ", ".join(f"{names[k]} ({answer[k]:.3f})" for k in order[:top].tolist())

    @override
    def facts(self) -> dict[str, Any]:
        own = {"positive": self.positive, "threshold": self.threshold}
        facts: dict[str, Any] = {"classes": self.target.classes}
        return facts | {name: value for name, value in own.items() if value}


def rounded(shares: Tensor) -> list[float]:
    """Return probabilities without the digits that single precision does not have."""
    return [float(f"{share:.10g}") for share in shares.tolist()]
