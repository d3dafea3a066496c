"""Classification: one of several classes for each example."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.datasets import Classes
from neuropil.layers import Softmax
from neuropil.runs.baseline import is_misleading
from neuropil.runs.confidence_interval import wilson_interval
from neuropil.runs.decoded_metric import decoding_metric
from neuropil.runs.task import Figures, Mistake, Task
from neuropil.training.metrics import class_metrics

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from neuropil.core import Layer, Network
    from neuropil.core.loss_kinds import Takes
    from neuropil.training.metrics.base import Metric

# The maximum number of classes listed by name.
MOST_NAMES = 10


@dataclass(frozen=True)
class Classification(Task[Classes]):
    """One of several classes for each example; answers are class probabilities.

    A network with a single output gives the score of the second of two classes.

    Shape:
        Outputs ``(N, K)`` or ``(N, 1)``, targets ``(N)``, answers ``(N, K)``.

    Args:
        target: The classes.
        loss_name: Name of the loss.

    Example:
        >>> import torch
        >>> task = Classification(Classes(["no", "yes"]))
        >>> task.decode(torch.tensor([[0.0, 0.0]])), task.decode(torch.tensor([[0.0]]))
        (tensor([[0.5000, 0.5000]]), tensor([[0.5000, 0.5000]]))
    """

    name: ClassVar[str] = "classification"
    takes: ClassVar[Takes] = "scores"
    losses: ClassVar[tuple[str, ...]] = (
        "cross_entropy", "hinge", "kl_divergence", "binary_cross_entropy",
    )  # fmt: skip
    asks: ClassVar[str] = "classes"
    answers: ClassVar[str] = "probabilities"

    target: Classes
    loss_name: str = "cross_entropy"

    @override
    def last_layer(self) -> Layer:
        return Softmax(self.outputs)

    @override
    def check(self, network: Network) -> None:
        if not (self.has_single_score(network) and self.outputs == 2):
            super().check(network)

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
    def metrics(self) -> tuple[Metric, ...]:
        own = (class_metrics.accuracy, class_metrics.balanced_accuracy, class_metrics.f1)
        return tuple(decoding_metric(self, metric) for metric in own)

    @override
    def mistakes(self, answers: Tensor, targets: Tensor) -> list[Mistake]:
        """Return the misclassified examples, those with the highest confidence first."""
        sure, predicted = answers.max(1)
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
        return f"{len(names)} classes{of} ({shown})"

    @override
    def verdict(self, figures: Figures, targets: Tensor, examples: str) -> str:
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
        for name, answer in zip(names, answers, strict=True):
            shares = dict(zip(classes, answer.tolist(), strict=True))
            yield {
                "name": name,
                "class": classes[int(answer.argmax())],
                "probabilities": shares,
            }

    @override
    def columns(
        self, answers: Tensor, figures: Mapping[str, Figures]
    ) -> dict[str, list[str] | list[float]]:
        names = list(self.target.classes)
        best = [names[number] for number in answers.argmax(1).tolist()]
        columns: dict[str, list[str] | list[float]] = {
            f"predicted {self.target.name or 'class'}": best,
            "probability": rounded(answers.amax(1)),
        }
        for name, shares in zip(names, answers.T, strict=True):
            columns[f"probability of {name}"] = rounded(shares)
        return columns

    @override
    def sentence(self, answer: Tensor, figures: Mapping[str, Figures], top: int) -> str:
        # A stable sort names the first of equally probable classes, as everywhere else.
        shares, numbers = answer.sort(descending=True, stable=True)
        pairs = zip(shares[:top].tolist(), numbers[:top].tolist(), strict=True)
        return ", ".join(f"{self.target.classes[k]} ({share:.3f})" for share, k in pairs)


def rounded(shares: Tensor) -> list[float]:
    """Return probabilities without the digits that single precision does not have."""
    return [float(f"{share:.10g}") for share in shares.tolist()]
