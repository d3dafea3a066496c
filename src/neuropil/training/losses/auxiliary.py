"""The loss of networks with auxiliary heads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from typing_extensions import override

from neuropil.checks import number
from neuropil.training.losses.base import Loss
from neuropil.training.losses.losses import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


def auxiliary(loss: str | Callable[..., Any] = "cross_entropy", *, weight: float = 0.3) -> Loss:
    """Return the loss of a network with auxiliary heads: a weighted sum over its outputs.

    ``ℓ(s₁, y) + w · (ℓ(s₂, y) + ℓ(s₃, y) + …)``. Auxiliary heads bring gradients to the inner
    layers during training; metrics and validation use the first output only.

    Shape:
        Scores: a tuple, each as `loss` takes them, the main output first. Targets: as `loss`
        takes them. Values ``(N)``.

    Args:
        loss: The loss of each output: a name, a loss, or a function of outputs and targets.
        weight: w, at least 0.

    Raises:
        ValueError: If the weight is negative or not finite, or the name of the loss is unknown.

    Reference:
        Szegedy et al., "Going Deeper with Convolutions", 2015, §5: w = 0.3.

    Example:
        >>> import torch
        >>> with_heads = auxiliary("squared_error", weight=0.5)
        >>> scores = torch.tensor([1.0]), torch.tensor([2.0]), torch.tensor([3.0])
        >>> with_heads(scores, torch.tensor([0.0]))  # 1 + 0.5 · (4 + 9)
        tensor([7.5000])

        >>> from neuropil import Trainer
        >>> from neuropil.architectures import googlenet
        >>> network = googlenet(10, input_shape=(3, 32, 32), aux_heads=True)
        >>> trainer = Trainer(network, loss=auxiliary(), metrics=["accuracy"])
    """
    return Auxiliary(resolve(loss), number(weight, "auxiliary: weight", "[0, inf)"))


@final
class Auxiliary(Loss):
    """The loss that `auxiliary` returns.

    Args:
        each: The loss of each output.
        weight: Weight of the outputs after the first.
    """

    def __init__(self, each: Loss, weight: float) -> None:
        self.each = each
        self.weight = weight
        mean = self.sum_of(each.mean)
        super().__init__(
            self.sum_of(each), each.predicts, (each, weight), each.takes, mean=mean
        )
        self.name = f"auxiliary({each.name})"
        self.adds = each.adds

    def sum_of(self, loss: Callable[..., Tensor]) -> Callable[..., Tensor]:
        """Return the weighted sum of a loss over the outputs, as a function."""

        def total(scores: Any, targets: Tensor, **options: Any) -> Tensor:
            first, *others = several(scores)
            value = loss(first, targets, **options)
            for other in others:
                value = value + self.weight * loss(other, targets, **options)
            return value

        return total

    @property
    @override
    def judge(self) -> Loss:
        return self.each

    @override
    def main(self, scores: Any) -> Any:
        return several(scores)[0]

    @override
    def prepare(self, targets: Tensor, scores: Any) -> Tensor:
        return self.each.prepare(targets, self.main(scores))

    @override
    def weights_in_mean(self, targets: Any) -> Tensor | None:
        return self.each.weights_in_mean(targets)

    @override
    def __reduce__(self) -> Any:
        return type(self), (self.each, self.weight)


def several(scores: Any) -> tuple[Tensor, ...]:
    """Return the scores after checking that there are several outputs.

    Raises:
        ValueError: If there is only one output.
    """
    if not isinstance(scores, tuple):
        raise ValueError(
            "auxiliary is for networks with several outputs, and this network has one: use the "
            "loss without auxiliary."
        )
    return scores
